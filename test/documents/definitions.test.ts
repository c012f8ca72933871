import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { chapters, manual } from '../../scripts/definitions-manual.ts';
import { readDefinition } from '../../src/definition/read.ts';
import { MAX_LIST_GROWTH } from '../../src/language/lookup.ts';
import type { Fields } from '../../src/model/json.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { COMMON_ATTRIBUTES, EXPRESSION_NAMES, NAMES_WITH } from '../../src/model/vocabulary.ts';
import { drive } from '../properties/driver.ts';

/* The manual of the definition language, held against the language. */

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [expressions, attributes, notations] = chapters();
const pages = [expressions, attributes, notations].flatMap((chapter) => chapter?.pages ?? []);
const named = (chapter: typeof expressions): ReadonlySet<string> =>
  new Set((chapter?.pages ?? []).flatMap((page) => page.names));

test('docs/definitions.md is what the heads of the files say', () => {
  const stale = 'docs/definitions.md is stale: run npm run docs';
  expect(readFileSync(join(root, 'docs/definitions.md'), 'utf8') === manual() ? '' : stale).toBe('');
});

test('every name of an expression has a page, and no page is about anything else', () => {
  const all = new Set([...EXPRESSION_NAMES, ...NAMES_WITH.keys(), 'await event']);
  expect([...named(expressions)].sort()).toEqual([...all].sort());
});

test('every attribute that all expressions understand has a page', () => {
  const missing = [...COMMON_ATTRIBUTES].filter((name) => !named(attributes).has(name));
  expect(missing).toEqual([]);
});

test('every page of an expression tells its attributes, what it replies, and its errors, and shows it', () => {
  const refused = (title: string): boolean => title.startsWith('read,');
  const lacking = (expressions?.pages ?? [])
    .filter((page) => !refused(page.title))
    .flatMap((page) =>
      ['Attributes', '```radial', 'Replies:', 'Errors:']
        .filter((part) => !page.text.includes(part))
        .map((part) => `${page.title}: ${part}`),
    );
  expect(lacking).toEqual([]);
});

test('docs/compatibility.md tells the bounds as they are', () => {
  const page = readFileSync(join(root, 'docs/compatibility.md'), 'utf8');
  const bound = (about: string): number => {
    const said = new RegExp(`^\\| ${about}[^|]*\\| ([\\d,]+)`, 'm').exec(page)?.[1];
    return Number(said?.replaceAll(',', ''));
  };
  expect(bound('Messages of one turn')).toBe(LIMITS.messages);
  expect(bound('Live expressions')).toBe(LIMITS.expressions);
  expect(bound('Expressions inside each other')).toBe(LIMITS.depth);
  expect(bound('Fields of a workitem')).toBe(LIMITS.fieldsCharacters);
  expect(bound('Entries of')).toBe(LIMITS.pastTags);
  expect(bound('Nulls filled')).toBe(MAX_LIST_GROWTH);
});

test('docs/compatibility.md says what is deliberately not there', () => {
  const page = readFileSync(join(root, 'docs/compatibility.md'), 'utf8');
  const absent = page.slice(page.indexOf('\n## Not there\n')).replaceAll('\n', ' ');
  expect(absent).toMatch(/Nor is there anything for MySQL/);
  expect(absent).toMatch(/calls no language models/);
});

/** What the examples find in the workitem. */
const FIELDS: Fields = {
  total: 1_200, country: 'France', colour: 'red', approved: 'true', names: ['alice', 'bob'], reviewers: ['alice', 'bob'], customer: { name: 'Ada' },
  order: { total: 100, lines: [{ price: 1 }] }, items: [], ready: 'yes', draft: 'x', which: 'a',
}; // biome-ignore format: a table
const ROUNDS_MAX = 30;

const examples = pages.flatMap((page) =>
  [...page.text.matchAll(/```radial\n([\s\S]*?)```/g)].map((match, i) => ({
    name: `${page.title} (${i + 1})`,
    text: match[1] ?? '',
  })),
);

describe('the examples', () => {
  test('are there', () => expect(examples.length).toBeGreaterThan(35));

  test.each(examples)('$name: can be read, and runs without an error', ({ text }) => {
    const whole = text.startsWith('define') ? text : `define\n${text.replace(/^(?=.)/gm, '  ')}`;
    const read = readDefinition(whole);
    if (!read.ok) throw new Error(JSON.stringify(read.errors));
    const driver = drive(read.tree, { fields: FIELDS });
    // Nothing is stored here that could be launched.
    const isSupposedTo = /^(?:error |redo|launch )/m.test(text);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const errors = [...driver.world.whole(driver.id).errors.values()].map((error) => error.message);
      if (!isSupposedTo) expect(errors).toEqual([]);
      const [open] = driver.open();
      if (open !== undefined) driver.act({ do: 'proceed', pick: 0, fields: {} });
      else driver.act({ do: 'time', pick: 0, fields: {} });
    }
  });
});
