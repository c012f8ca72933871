import { expect, test } from 'vitest';
import { readDefinition, readTree } from '../../src/definition/read.ts';
import { warningsOf } from '../../src/definition/warnings.ts';
import { useRetryList } from '../../src/interpreter/life/handlers.ts';
import { evaluateCondition } from '../../src/language/condition.ts';
import { readCron } from '../../src/language/cron.ts';
import { parseDuration } from '../../src/language/duration.ts';
import { applyFilter, discardFields, takeFields } from '../../src/language/filter.ts';
import { LanguageError } from '../../src/language/language-error.ts';
import { assign, lookup, remove } from '../../src/language/lookup.ts';
import { type MergeType, mergeReplies } from '../../src/language/merge.ts';
import { compileRegex } from '../../src/language/regex.ts';
import { substitute, substituteDeep } from '../../src/language/substitution.ts';
import { parseSchedule, parseWhen } from '../../src/language/when.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import { countCharacters, shorten } from '../../src/model/text.ts';
import { countedWork } from './counted.ts';

/*
 * Text and trees of strangers meet no algorithm that is worse than linear. Inputs are doubled; the
 * counted work may at most double with them, or ends with LimitExceeded.
 */

/** Sizes that are compared, in the units of each case. */
const SIZES = [300, 600] as const;
/** Room for what does not grow with the input, and for sorting. */
const SLACK = 1.15;
const CONSTANT = 400;

function workOf(run: (n: number) => unknown, n: number): number {
  return countedWork(() => {
    try {
      run(n);
    } catch (error) {
      if (!(error instanceof LanguageError)) throw error;
    }
  });
}

/** What grows faster than the input: the counts, or null when it does not. */
function growth(run: (n: number) => unknown): readonly number[] | null {
  const [small, large] = [workOf(run, SIZES[0]), workOf(run, SIZES[1])];
  return large > 2 * SLACK * small + CONSTANT ? [small, large] : null;
}

const scope = { field: (path: string) => lookup(FIELDS, path), variable: () => undefined, special: () => 'x' };
const FIELDS: JsonObject = { a: 'text', b: { c: [1, 2] } };
const many = (n: number): JsonObject => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));

/** Pieces that readers trip over, alone and in front of each other. */
const PIECES = [
  ...['1', '1.', '.', '1x', '1 ', "'", '"', "\\'", '/', '\\/', '=~ /', '[', '{', '(', '[1,', "{'a,b':", '{a:', ')', ']', '}'],
  ...['${', '${f:a}', '${${', '\\${', '}', '$', ' and ', ' or ', ' not ', '!', '&&', '== ', '=', ' is ', ' set', 'in [', '<', '<a>', '<!--'],
  ...['&', '&#1', '&amp;', ']]>', '\n', '\n  a', '# x', ',', ':', ', ', ': ', 'a: ', "a: '", 'a.', '-', '*', '* ', '1h:', '\u{1F600}', ' ', '\t'],
]; // biome-ignore format: a list

const TEXT_READERS: { readonly [name: string]: (text: string) => unknown } = {
  parseDuration,
  parseWhen: (text) => parseWhen(text, 0),
  parseSchedule,
  readCron,
  evaluateCondition,
  'evaluateCondition, a match': (text) => evaluateCondition(`a =~ ${text}`),
  'evaluateCondition, a list': (text) => evaluateCondition(`a in [${text}]`),
  substitute: (text) => substitute(text, scope),
  'substitute, all of it': (text) => substituteDeep([text, { [text]: text }], scope),
  lookup: (text) => lookup(FIELDS, text),
  assign: (text) => assign(FIELDS, text, 1),
  remove: (text) => remove(FIELDS, text),
  compileRegex: (text) => compileRegex(text),
  useRetryList,
  shorten: (text) => shorten(text, 100),
  countCharacters,
  readDefinition: (text) => readDefinition(text),
  'readDefinition, an attribute': (text) => readDefinition(`alice a: ${text}`),
  'readDefinition, a list': (text) => readDefinition(`alice a: [${text}`),
  'readDefinition, XML': (text) => readDefinition(`<a>${text}</a>`),
  'readDefinition, an attribute of XML': (text) => readDefinition(`<a b="${text}"/>`),
  'readDefinition, JSON': (text) => readDefinition(`["a", {"b": ${text}}, []]`),
};

const AROUND = [
  ['', ''],
  ["'", 'x'],
  ['a ', '!'],
] as const;

test.each(Object.keys(TEXT_READERS))(
  'the work of %s grows with its text, and no faster',
  { timeout: 120_000 },
  (name) => {
    const read = TEXT_READERS[name] as (text: string) => unknown;
    const faults: string[] = [];
    for (const [i, piece] of PIECES.entries()) {
      const [before, after] = AROUND[i % AROUND.length] ?? AROUND[0];
      const counts = growth((n) => read(before + piece.repeat(n) + after));
      if (counts !== null) faults.push(`${JSON.stringify(before + piece + after)}: ${counts.join(' ')}`);
    }
    expect(faults).toEqual([]);
  },
);

const rule = (keys: JsonObject): JsonObject => ({ fields: 'v', ...keys });
const filterOf = (rules: readonly Json[], fields: JsonObject): unknown => applyFilter({ rules, fields, base: fields });
const TYPES: readonly MergeType[] = ['override', 'mix', 'isolate', 'stack', 'union', 'concat', 'deep', 'ignore'];

const OTHERS: { readonly [name: string]: (n: number) => unknown } = {
  'a filter of n rules': (n) => filterOf(Array.from({ length: n }, () => rule({ type: 'null' })), FIELDS),
  'a filter over n fields': (n) => filterOf([{ fields: '/^k/', type: 'number' }], many(n)),
  'a filter that removes from a list of n': (n) => filterOf([{ fields: '/^l!/', remove: true }], { l: Array.from({ length: n / 50 }, () => 1) }),
  'a filter that looks for n': (n) => filterOf([rule({ has: Array.from({ length: n }, (_, i) => i) })], { v: Array.from({ length: n }, (_, i) => -i) }),
  'a filter of n types': (n) => filterOf([rule({ type: `array<${'null,'.repeat(n / 10)}string>` })], { v: Array.from({ length: 10 }, () => 'x') }),
  'a filter of n alternatives': (n) => filterOf(Array.from({ length: n }, () => [rule({ type: 'string' })]), { v: 1 }),
  'a filter that copies n': (n) => filterOf([rule({ copy_to: 'w' }), { fields: 'w.x', set: 1 }], { v: many(n) }),
  'take n': (n) => takeFields(Array.from({ length: n }, (_, i) => `k${i}`), FIELDS, many(n)),
  'discard n': (n) => discardFields(Array.from({ length: n }, (_, i) => `k${i}`), FIELDS, many(n)),
  ...Object.fromEntries(
    TYPES.map((type) => [
      `merge of n branches, ${type}`,
      (n: number) => mergeReplies({ replies: Array.from({ length: n }, (_, index) => ({ index, arrival: index, fields: { a: [index], o: { [`k${index}`]: 1 } } })), applied: {}, merge: 'last', type }),
    ]),
  ),
  'a tree of n children': (n) => readTree(['a', {}, Array.from({ length: n }, (_, i) => [`b${i}`, { [`k${i}`]: i }, []])]),
  'n definitions inside': (n) => {
    const read = readDefinition(`define x\n${Array.from({ length: n }, (_, i) => `  define d${i}\n    d${i + 1}\n`).join('')}`);
    return read.ok && reorganise(read.tree);
  },
  'warnings of n heads': (n) => {
    const read = readDefinition(`define x\n${Array.from({ length: n * 4 }, (_, i) => `  name${i} key${i}: 1\n`).join('')}`);
    return read.ok && warningsOf(read.tree);
  },
}; // biome-ignore format: a table

test.each(Object.keys(OTHERS))('the work of %s grows with n, and no faster', { timeout: 120_000 }, (name) => {
  expect(growth(OTHERS[name] as (n: number) => unknown)).toBeNull();
});

const PLANTED: { readonly [name: string]: (n: number) => unknown } = {
  'a loop in a loop': (n) => {
    let count = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) count += 1;
    return count;
  },
  'a list that is copied for each element': (n) => {
    let list: number[] = [];
    for (let i = 0; i < n; i++) list = [...list, i];
    return list;
  },
  'a list that is searched for each element': (n) => {
    const list: number[] = [];
    for (let i = 0; i < n; i++) if (!list.includes(i)) list.push(i);
    return list;
  },
  'a text that is cut for each character': (n) => {
    let text = 'x'.repeat(n * 10);
    while (text !== '') text = text.slice(1);
    return text;
  },
  'an answer that is tried twice at each level': (n) => {
    const read = (depth: number): number => (depth === 0 ? 1 : read(depth - 1) + read(depth - 1));
    return read(Math.round(Math.log2(n)) * 2);
  },
};

test.each(Object.keys(PLANTED))('work that grows with the square is found: %s', (name) => {
  expect(growth(PLANTED[name] as (n: number) => unknown)).not.toBeNull();
});
