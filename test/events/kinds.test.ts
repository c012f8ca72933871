import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readKinds } from '../../src/events/kinds.ts';
import { HISTORY_KINDS } from '../../src/model/history-kinds.ts';

test('the manual lists every kind there is', () => {
  const manual = readFileSync(new URL('../../docs/api-v1.md', import.meta.url), 'utf8');
  const [, list = ''] = /\n(`workflow\.launched` \(.*?)\n\n/s.exec(manual) ?? [];
  let family = '';
  const listed = [...list.matchAll(/`([a-z]*)\.([a-z_]+)`/g)].map(([, first = '', end]) => {
    family = first === '' ? family : first;
    return `${family}.${end}`;
  });
  expect([...listed].sort()).toEqual([...HISTORY_KINDS].sort());
});

test('a family is all of its kinds, and a kind is itself', () => {
  const wants = readKinds('workflow.*, workitem.opened');
  if (typeof wants !== 'function') throw new Error(wants.complaint);
  expect(HISTORY_KINDS.filter(wants)).toEqual([
    ...HISTORY_KINDS.filter((kind) => kind.startsWith('workflow.')),
    'workitem.opened',
  ]);
});

test.each(['', '*', 'workflow', 'workflow.begun', 'work.*', 'x'.repeat(3_000)])('%j is no kind', (text) => {
  expect(readKinds(text)).toHaveProperty('complaint');
});
