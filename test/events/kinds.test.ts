import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ENTRY_KINDS } from '../../src/events/entry.ts';
import { readKinds } from '../../src/events/kinds.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
/** Where history is written. */
const ROOMS = ['interpreter', 'engine'];

test('every kind of entry that is recorded can be asked for', () => {
  const recorded = ROOMS.flatMap((room) =>
    readdirSync(join(src, room), { recursive: true, encoding: 'utf8' }).map((file) => join(src, room, file)),
  )
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/kind: '([a-z]+\.[a-z_]+)'/g)].map(([, kind]) => kind ?? ''),
    );
  expect(recorded.length).toBeGreaterThan(20);
  expect([...new Set(recorded)].filter((kind) => !ENTRY_KINDS.includes(kind))).toEqual([]);
});

test('a family is all of its kinds, and a kind is itself', () => {
  const wants = readKinds('workflow.*, workitem.opened');
  if (typeof wants !== 'function') throw new Error(wants.complaint);
  expect(ENTRY_KINDS.filter(wants)).toEqual([
    ...ENTRY_KINDS.filter((kind) => kind.startsWith('workflow.')),
    'workitem.opened',
  ]);
});

test.each(['', '*', 'workflow', 'workflow.begun', 'work.*', 'x'.repeat(3_000)])('%j is no kind', (text) => {
  expect(readKinds(text)).toHaveProperty('complaint');
});
