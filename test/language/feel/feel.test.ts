import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateFeel, feelJson, parseFeel } from '../../../src/language/feel/feel.ts';
import { LanguageError } from '../../../src/language/language-error.ts';
import type { Json } from '../../../src/model/json.ts';

const world = (fields: { readonly [name: string]: Json } = {}) => ({
  lookup: (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined) as never,
  now: Date.UTC(2026, 0, 5, 12),
});
const messageOf = (text: string, fields: { readonly [name: string]: Json } = {}): string => {
  try {
    evaluateFeel(text, world(fields));
    return 'no error';
  } catch (error) {
    if (!(error instanceof LanguageError)) throw error;
    return `${error.errorClass}: ${error.message}`;
  }
};

test('what cannot be computed is an error that names the values', () => {
  expect(messageOf('price > 0', { price: 'abc' })).toBe('ExpressionError: "abc" and 0 have no order');
  expect(messageOf('price > 0')).toBe('ExpressionError: there is no variable price');
  expect(messageOf('1 / 0')).toBe('ExpressionError: 1 / 0 is a division by zero');
  expect(messageOf('X / Y')).toBe('ExpressionError: there is no variable X');
  expect(messageOf('"a" = 1')).toBe('ExpressionError: "a" and 1 cannot be compared');
});

test('a text that is no expression is told with its place', () => {
  const at = (text: string) => {
    const parsed = parseFeel(text);
    return parsed.ok ? null : [parsed.at, parsed.message];
  };
  expect(at('price >')).toEqual([7, 'expected an expression, found the end']);
  expect(at('random number()')).toEqual([7, 'expected the end, found "number"']);
  expect(at('sort([2, 1], 1)')).toEqual([0, 'the function sort is not there']);
  expect(at('function(x) x')).toEqual([0, 'functions cannot be defined here']);
  expect(at('"open')).toEqual([0, 'this text is never closed']);
  expect(at('${x}')?.[0]).toBe(0);
});

test('the clock is the business time of the step', () => {
  expect(feelJson('now()', world())).toBe('2026-01-05T12:00:00Z');
  expect(feelJson('today() + duration("P1M")', world())).toBe('2026-02-05');
});

test('keys of strangers are ordinary keys', () => {
  expect(feelJson('{"__proto__": 1}.`__proto__`', world())).toBe(1);
  expect(feelJson('constructor', world())).toBeNull();
  expect(feelJson('toString.constructor', world())).toBeNull();
});

test('work has an end', () => {
  expect(messageOf('for i in 1..1000000 return i')).toContain('LimitExceeded');
  expect(messageOf('for i in 1..200, j in 1..200 return 1')).toContain('LimitExceeded');
  expect(messageOf('matches(text, "(?:[ab]{0,20}){20}[cd]")', { text: 'ab'.repeat(100_000) })).toContain(
    'LimitExceeded',
  );
  expect(messageOf('matches(text, "(a+)+$")', { text: `${'a'.repeat(28)}!` })).toBe('no error');
  expect(parseFeel('('.repeat(3_000)).ok).toBe(false);
  expect(parseFeel('{a:'.repeat(1_300)).ok).toBe(false);
  expect(parseFeel('1+'.repeat(1_900)).ok).toBe(false);
  expect(parseFeel('-'.repeat(3_900)).ok).toBe(false);
});

test('whatever the text, reading and evaluating end in a value or in an error of the language', () => {
  const words = fc.constantFrom(
    '1',
    '"a"',
    'x',
    '+',
    '-',
    '*',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ':',
    ',',
    '..',
    '.',
    'if',
    'then',
    'else',
    'for',
    'in',
    'return',
    'some',
    'satisfies',
    'and',
    'or',
    '=',
    '<',
    'not(',
    'date(',
    'count(',
    '@"P1D"',
    'null',
    '`a b`',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
        fc.string({ unit: 'binary', maxLength: 60 }),
      ),
      (text) => {
        expect(messageOf(text, { x: [1, { a: 2 }] })).toMatch(/^(no error$|ExpressionError: |LimitExceeded: )/);
      },
    ),
    { numRuns: 500 },
  );
});
