import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateFeel, feelJson, parseFeel } from '../../../src/language/feel/feel.ts';
import { LanguageError } from '../../../src/language/language-error.ts';
import type { Json } from '../../../src/model/json.ts';
import { isStorable } from '../../../src/model/storable.ts';

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

test('a text in it can be stored, and what a message quotes is cut between characters', () => {
  for (const text of ['"\\uD83D"', '"\\u0000"', '"a\\uDE00b"'])
    expect(parseFeel(text)).toMatchObject({ ok: false, at: 0 });
  expect(feelJson('"\\uD83D\\uDE00"', world())).toBe('\u{1F600}');
  for (const pad of ['', 'x']) {
    const message = messageOf('price > 0', { price: pad + '\u{1F600}'.repeat(200) });
    expect(message).toContain('have no order');
    expect(isStorable(message)).toBe(true);
  }
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

const SHOP = {
  x: 5,
  name: 'Ada',
  empty: [],
  nul: null,
  items: [
    { sku: 'a', price: 10, qty: 2 },
    { sku: 'b', price: 3, qty: 1 },
  ],
  d: '2026-01-31',
  order: { lines: [{ n: 1 }, { n: 2 }], 'due date': '2026-02-01' },
  'first name': 'Bo',
  t: true,
};
/** What a definition is likely to ask; `ERR`: it is an error of the expression. */
const ASKED: readonly (readonly [feel: string, value: Json])[] = [
  ['x in [1..5]', true],
  ['x in (5..10]', false],
  ['x in [5..10)', true],
  ['x in ]1..5[', false],
  ['x in (< 3, > 4)', true],
  ['x in (1, 5, 7)', true],
  ['x in > 4', true],
  ['x in [1,2,5]', true],
  ['x between 1 and 5', true],
  ['not(x in [1..4])', true],
  ['5 in ([1..3], [5..6])', true],
  ['some i in items satisfies i.price > 5', true],
  ['every i in items satisfies i.price > 5', false],
  ['every i in empty satisfies i > 1', true],
  ['some i in empty satisfies i > 1', false],
  ['some i in [1,2], j in [2,3] satisfies i = j', true],
  ['for i in 1..3 return i * 2', [2, 4, 6]],
  ['for i in 3..1 return i', [3, 2, 1]],
  ['for i in items return i.price * i.qty', [20, 3]],
  ['sum(for i in items return i.price * i.qty)', 23],
  ['for i in 1..3 return if i = 1 then 1 else i * partial[-1]', [1, 2, 6]],
  ['items[price > 5].sku', ['a']],
  ['items[1].sku', 'a'],
  ['items[-1].sku', 'b'],
  ['items[item.price < 5]', [{ sku: 'b', price: 3, qty: 1 }]],
  ['items.price', [10, 3]],
  ['count(items[qty >= 1])', 2],
  ['date("2026-01-31") + duration("P1M")', '2026-02-28'],
  ['date(d) + @"P1D"', '2026-02-01'],
  ['date("2026-03-01") - date("2026-02-01")', 'P28D'],
  ['@"2026-01-01T10:00:00Z" + @"PT90M"', '2026-01-01T11:30:00Z'],
  ['date and time("2026-01-01T00:00:00") - date and time("2025-12-31T12:00:00")', 'PT12H'],
  ['years and months duration(date("2024-01-15"), date("2026-03-14"))', 'P2Y1M'],
  ['date("2026-11-29").weekday', 7],
  ['day of week(date("2026-11-29"))', 'Sunday'],
  ['last day of month(date("2026-02-01"))', 28],
  ['@"P1Y6M".months', 6],
  ['@"P1DT2H".hours', 2],
  ['date("2026-01-31").year', 2026],
  ['duration("P1D") < duration("P2D")', true],
  ['@"PT60S" = @"PT1M"', true],
  ['time("10:00:00") > time("09:00:00")', true],
  ['get or else(nul, 7)', 7],
  ['get or else(missing, "x")', 'x'],
  ['is defined(missing)', false],
  ['is defined(x)', true],
  ['nul = null', true],
  ['missing = null', true],
  ['x != null', true],
  ['if missing = null then "a" else "b"', 'a'],
  ['null and false', false],
  ['null or true', true],
  ['get value(order, "due date")', '2026-02-01'],
  ['get value(order, "none")', null],
  ['order.lines.n', [1, 2]],
  ['order.none', null],
  ['`first name` + "!"', 'Bo!'],
  ['order.`due date`', '2026-02-01'],
  ['substring("foobar", 3)', 'obar'],
  ['substring("foobar", -2, 1)', 'a'],
  ['upper case("a")', 'A'],
  ['string length("äö")', 2],
  ['substring before("a-b", "-")', 'a'],
  ['substring after("a-b", "-")', 'b'],
  ['contains("foobar","ob")', true],
  ['starts with("foobar","foo")', true],
  ['matches("foobar","^fo*b")', true],
  ['replace("abcd","(ab)|(a)","[1=$1][2=$2]")', '[1=ab][2=]cd'],
  ['split("a,b,c", ",")', ['a', 'b', 'c']],
  ['string join(["a","b"], "-")', 'a-b'],
  ['string join(["a",null,"b"], "-")', 'a-b'],
  ['string(1.5)', '1.5'],
  ['string(date("2026-01-01"))', '2026-01-01'],
  ['number("1,000.5", ",", ".")', 1000.5],
  ['trim("  a ")', 'a'],
  ['"a" + "b"', 'ab'],
  ['append([1],2,3)', [1, 2, 3]],
  ['concatenate([1],[2])', [1, 2]],
  ['insert before([1,3],2,2)', [1, 2, 3]],
  ['remove([1,2,3],2)', [1, 3]],
  ['reverse([1,2])', [2, 1]],
  ['index of([1,2,1],1)', [1, 3]],
  ['union([1,2],[2,3])', [1, 2, 3]],
  ['distinct values([1,2,1])', [1, 2]],
  ['flatten([[1],[[2]]])', [1, 2]],
  ['sublist([1,2,3],2)', [2, 3]],
  ['list contains([1,2],2)', true],
  ['min([3,1])', 1],
  ['max(1,4,2)', 4],
  ['mean([1,2,3])', 2],
  ['median([1,3,2])', 2],
  ['mode([1,1,2])', [1]],
  ['stddev([2,4])', Math.SQRT2],
  ['all([true,false])', false],
  ['any([true,false])', true],
  ['product([2,3])', 6],
  ['partition([1,2,3],2)', [[1, 2], [3]]],
  ['is empty([])', true],
  ['duplicate values([1,1,2])', [1]],
  ['decimal(1/3, 2)', 0.33],
  ['decimal(2.5, 0)', 2],
  ['floor(-1.5)', -2],
  ['ceiling(1.2)', 2],
  ['round half up(2.5, 0)', 3],
  ['abs(-2)', 2],
  ['modulo(-12, 5)', 3],
  ['sqrt(16)', 4],
  ['odd(3)', true],
  ['even(3)', false],
  ['2 ** 3', 8],
  ['-2 ** 2', 4],
  ['10 - 2 - 3', 5],
  ['2 + 3 * 4', 14],
  ['(1 + 2) * 3', 9],
  ['{a: 1, b: a + 1}.b', 2],
  ['context put({a:1}, "b", 2)', { a: 1, b: 2 }],
  ['context merge([{a:1},{b:2}])', { a: 1, b: 2 }],
  ['get entries({a:1})', [{ key: 'a', value: 1 }]],
  ['context([{key:"a", value:1}])', { a: 1 }],
  ['1 instance of number', true],
  ['"a" instance of string', true],
  ['[1] instance of list<number>', true],
  ['@"P1D" instance of days and time duration', true],
  ['null instance of Any', false],
  ['overlaps([1..5],[3..8])', true],
  ['before(1, [2..3])', true],
  ['meets([1..5],[5..10])', true],
  ['includes([1..10], 5)', true],
  ['finishes(10,[1..10])', true],
  ['coincides([1..5],[1..5])', true],
  ['[1..5].start', 1],
  ['[1..5].start included', true],
  ['if x > 3 then "big" else "small"', 'big'],
  ['if t then 1 else 2', 1],
  ['true and t', true],
  ['x = 5 and name = "Ada"', true],
  ['"Ada" = name', true],
  ['[1,2,3][item > 1]', [2, 3]],
  ['[1,2,3][1]', 1],
  ['[1,2,3][4]', null],
  ['x.y', 'ERR'],
  ['1 / 0', 'ERR'],
  ['missing > 1', 'ERR'],
  ['name > 1', 'ERR'],
  ['1 + null', 'ERR'],
  ['"a" + 1', 'ERR'],
  ['random number()', 'ERR'],
  ['function(a) a', 'ERR'],
  ['sort([3,1], function(a,b) a<b)', 'ERR'],
  ['string(null)', 'ERR'],
  ['count(null)', 'ERR'],
  ['substring(string: "abc", start position: 2)', 'bc'],
  ['date(2026, 1, 2)', '2026-01-02'],
  ['time(10, 0, 0)', '10:00:00'],
  ['date and time("2026-01-01T10:00:00@Europe/Rome")', '2026-01-01T10:00:00@Europe/Rome'],
  ['@"2026-01-01T10:00:00+01:00" = @"2026-01-01T09:00:00Z"', true],
  ['week of year(date("2026-01-01"))', 1],
  ['day of year(date("2026-02-01"))', 32],
  ['month of year(date("2026-02-01"))', 'February'],
  ['a-b', 'ERR'],
  ['x-1', 4],
  ['x -1', 4],
  ['{a: {b: 2}}.a.b', 2],
  ['count([1,2][item > 1])', 1],
  ['"\\u0041"', 'A'],
  ['"a\\nb"', 'a\nb'],
  ['"😀" = "😀"', true],
  ['string length("😀")', 1],
  ['1e3', 1000],
  ['.5 + .5', 1],
  ['0.1 + 0.2 = 0.3', false],
  ['[1, 2] = [1, 2]', true],
  ['{a:1} = {a:1}', true],
  ['"2026-01-01" < "2026-02-01"', true],
  ['not(true)', false],
  ['x >= 5 or y > 1', true],
  ['lower case("ABC")', 'abc'],
  ['ends with("abc","bc")', true],
  ['replace("aab","a","b")', 'bbb'],
  ['matches("AB","ab","i")', true],
  ['max([])', 'ERR'],
  ['list replace([1,2],1,9)', [9, 2]],
  ['abs(@"-PT1H")', 'PT1H'],
  ['-@"P1D"', '-P1D'],
  ['@"P1Y" / 2', 'P6M'],
  ['@"PT1H" * 3', 'PT3H'],
  ['@"PT3H" / @"PT1H"', 3],
  ['date("2026-01-01") < date("2026-01-02")', true],
];

test('what definitions are likely to ask: ranges, tests, quantifiers, lists, texts, dates, what is missing', () => {
  const wrong = ASKED.flatMap(([text, wanted]) => {
    let got: Json;
    try {
      got = feelJson(text, world(SHOP));
    } catch (error) {
      if (!(error instanceof LanguageError)) throw error;
      got = 'ERR';
    }
    return JSON.stringify(got) === JSON.stringify(wanted) ? [] : [`${text} gives ${JSON.stringify(got)}`];
  });
  expect(wrong).toEqual([]);
});
