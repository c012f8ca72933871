// biome-ignore-all lint/suspicious/noTemplateCurlyInString: part of the message under test

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateCondition, MAX_CONDITION_LENGTH, MAX_JOINED } from '../../src/language/condition.ts';
import { LanguageError } from '../../src/language/language-error.ts';
import { lookup } from '../../src/language/lookup.ts';
import { substitute } from '../../src/language/substitution.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';

test.each<[Json | undefined, boolean]>([
  [true, true],
  [false, false],
  [null, false],
  [undefined, false],
  [0, true],
  [1, true],
  [[], true],
  [{}, true],
])('the value %j is %s', (value, result) => {
  expect(evaluateCondition(value)).toBe(result);
});

const cases: Readonly<Record<string, readonly (readonly [string, boolean])[]>> = {
  truth: [
    ['', false],
    ['  ', false],
    ['true', true],
    ['false', false],
    ['nil', false],
    ['null', true],
    ['0', true],
    ['no', true],
    ['FALSE', true],
    [':sym', true],
    ['[]', true],
    ['{}', true],
    ["''", true],
    ['""', true],
    ['a b', true],
    ['set', true],
    ['exit', true],
    ['system("ls")', true],
    ['puts(1 == 2)', true],
    ['(1 + 1)', true],
    ['two words, a comma', true],
    [':-(', true],
  ],
  comparisons: [
    ['1 == 1', true],
    ['1 == 1.0', true],
    ['1==1', true],
    ['1 === 1', true],
    ['1 != 2', true],
    ['-1 < 0', true],
    ['10 > 9', true],
    ['2 >= 2', true],
    ['2 <= 1', false],
    ['1e3 == 1000', true],
    ['0x10 == 16', true],
    ['1_000 == 1000', true],
    ['01 == 1', true],
    ["'1' == 1", false],
    ["true == 'true'", false],
    ["nil == ''", false],
    ['nil == nil', true],
    ['nil != 1', true],
    ['"2" < "10"', false],
    ['2 < 10', true],
    ['abc < abd', true],
    ["'a' < 'b'", true],
    ['2012-01-01 < 2012-01-02', true],
    ['"\u{1F600}" > "\uFF5E"', true],
    ['12345678901234567890 == 12345678901234567891', false],
    ['12345678901234567890 < 12345678901234567891', true],
    ['9007199254740993 > 1', true],
    ['9007199254740993 == 9007199254740992.0', false],
    ['9007199254740993.5 > 9007199254740993', true],
    ['-9007199254740993 < -9007199254740992', true],
    ['-9007199254740993 < 9007199254740992', true],
    ['0x20000000000001 == 9007199254740993', true],
    ['1000000000000000000000000000000 == 1e30', true],
    ['1e400 == 1e401', false],
    ['1e400 > 1e399', true],
    ['1e400 > 9007199254740993', true],
    ['0.1234567890123456789 == 0.1234567890123456788', false],
    ['0.1234567890123456789 > 0.1234567890123456788', true],
    ['12345678901234567890 in [12345678901234567890]', true],
    ['12345678901234567890 in [1, 12345678901234567891]', false],
    ['[null, 9007199254740993] == [null, 9007199254740993]', true],
    ['[null, "null", 9007199254740993] == ["null", null, 9007199254740993]', false],
    ['{a => [9007199254740993]} == {a => [9007199254740992]}', false],
    ['{"a": 9007199254740993, "b": 1} == {"b": 1.0, "a": 9007199254740993.0}', true],
    ['9007199254740993 == "9007199254740993"', false],
    ['1 + 1 == 2', false],
    ["'abc'.length == 3", false],
    [' == ', false],
    ['a == ', false],
    [' == 1', false],
    [' != 1', false],
    [' > 3', false],
    ['[1,2] == [1, 2]', true],
    ['[1, [2]] == [1, [3]]', false],
    ['{a => 1} == {"a": 1}', true],
    ["['a', b] == [a, 'b']", true],
    ['[a b, c] == ["a b", "c"]', true],
    ['a == set', false],
    ['set == set', true],
  ],
  text: [
    ['New York == New York', true],
    ['New York != New Jersey', true],
    ['some dude == "some dude"', true],
    ['100% == 100%', true],
    ['a@b.c == a@b.c', true],
    ['a, b == a, b', true],
    ['http://x.org/?a=1 == http://x.org/?a=1', true],
    ["O'Brien == O'Brien", true],
    ["rock 'n roll == rock 'n roll", true],
    ['Yes! == Yes!', true],
    ['x! != y', true],
    ['R&D == R&D', true],
    ['a|b == a|b', true],
    ['/var/x == /var/x', true],
    ["'it's' == x", false],
    ['"it\'s" != x', true],
    ["'it\\'s' == \"it's\"", true],
    ['"a\\nb" == "a\nb"', true],
    ["'a\\nb' == 'a\\\\nb'", true],
    ['(a) == (a)', true],
    ['((a)) == a', true],
    ['a) == a)', true],
    ['(a == b', false],
    ['$10 == $10', true],
    ['a -> b', true],
    ['1 &lt; 2', true],
    ['1 &gt; 2', false],
    ['true &amp;&amp; false', false],
  ],
  'and, or, not': [
    ['true and false', false],
    ['false or true and false', false],
    ['false || true && false', false],
    ['true || true && false', true],
    ['false || true and false', false],
    ['not a == b', true],
    ['not not a', true],
    ['not(1 == 1)', false],
    ['!true', false],
    ['! true', false],
    ['!(1 == 2)', true],
    ['!a == b', true],
    ['!!a', true],
    ['(a == a) and (b == c or c == c)', true],
    ['true and (false or (true and not false))', true],
    ['false and x > 1', false],
    ['true or x > 1', true],
    ['band and orbit', true],
    [' and b', false],
    [' or b', true],
    ['not ', true],
    ["'a and b' == 'a and b'", true],
  ],
  'is set and its kin': [
    ['a is set', true],
    ['a set', true],
    ['hello brave world is set', true],
    ["it's is set", true],
    ["'' is set", false],
    ['nil is set', false],
    ['false is set', true],
    [' is set', false],
    [' is not set', true],
    ['a is not set', false],
    [' not set', true],
    ['nil is null', true],
    ['null is null', false],
    [' is null', false],
    ['a is not null', true],
    ['[] is empty', true],
    ['{} is empty', true],
    ['[1] is empty', false],
    ['[1] is not empty', true],
    ["'' is empty", true],
    ["'a' is empty", false],
    ['a is empty', false],
    ['a is not empty', true],
    [' is empty', true],
    ['1 is empty', false],
    ['x is in [a, x]', true],
    ['x in [a, x]', true],
    ['x is not in [a, x]', false],
    ['1 in [1, 2]', true],
    ["'1' in [1, 2]", false],
    ['b in {a => 1, b: 2}', true],
    ['z not in {a => 1}', true],
    ['New York in [New York, Rome]', true],
    ['x in []', false],
    ['x in [a', false],
    ['x not in [a,,b]', false],
    ['x is set and y is set', true],
    ['x is set and  is set', false],
    ['x == x and y is set', true],
    ['not x is set', false],
    ['(x is set) == true', true],
    ['a == b is set', true],
  ],
  regexes: [
    ['abc =~ /b/', true],
    ['abc =~ /^b/', false],
    ['ABC =~ /b/i', true],
    ['abc =~ b', true],
    ["'a b' =~ 'a.b'", true],
    ['12 =~ /^\\d+$/', true],
    ['[1,2] =~ /1,2/', true],
    ['x =~ /a (b|c) && d/ or true', true],
    ['a c && d =~ /d/', true],
    [' =~ /a/', false],
    ['abc !~ /b/', false],
  ],
};

describe.each(Object.entries(cases))('%s', (_, rows) => {
  test.each(rows)('%j is %s', (text, result) => {
    expect(evaluateCondition(text)).toBe(result);
  });
});

describe('errors', () => {
  test.each([
    'a = b',
    'a=b',
    '`ls`',
    'x > 1',
    'nil > 1',
    "'a' > 1",
    "'12' > 9",
    'true < false',
    '[1] < [2]',
    'a ? b : c',
    'a;b',
    'A::B',
    'self',
    'a == b == c',
    'a == b =~ c',
    'true and x > 1',
    'abc =~ /(?=b)/',
  ])('%j cannot be interpreted', (text) => {
    expect(() => evaluateCondition(text)).toThrow(LanguageError);
  });

  test('the message shows the condition and the way out', () => {
    expect(() => evaluateCondition('x > 1')).toThrow(
      "couldn't interpret >x > 1<, if it comes from a ${xx} construct, please use ${\"xx} or ${'yy}",
    );
  });

  test('a condition of more than a million characters is refused', () => {
    expect(() => evaluateCondition('a'.repeat(MAX_CONDITION_LENGTH + 1))).toThrow(LanguageError);
    for (const join of [' and ', ' or ', '&&', '||']) {
      expect(evaluateCondition(`${`1 == 1${join}`.repeat(MAX_JOINED)}true`)).toBe(true);
      expect(() => evaluateCondition(`${`1 == 1${join}`.repeat(MAX_JOINED + 1)}true`)).toThrow(/joins more than 5,000/);
    }
  });
});

type Recorded = {
  readonly definition: string;
  readonly fields: JsonObject;
  readonly expect: {
    readonly dispatches: readonly { readonly participant: string }[];
    readonly errors: readonly { readonly message: string }[];
  };
};

const folder = new URL('../conformance/cases/conditions/', import.meta.url);

test.each(readdirSync(folder))('the conditions of the recorded case %s hold where they did', (file) => {
  const recorded = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Recorded;
  const scope = {
    field: (path: string) => lookup(recorded.fields, path),
    variable: () => undefined,
    special: () => undefined,
  };
  const lines = [...recorded.definition.matchAll(/^ *(\w+) if: (["'])(.*)\2 *$/gm)];
  expect(lines.length).toBeGreaterThan(0);
  for (const [, participant, , text = ''] of lines) {
    const value = substitute(text.replace(/\\(.)/g, '$1'), scope);
    const isExpected = recorded.expect.dispatches.some((dispatch) => dispatch.participant === participant);
    const [error] = recorded.expect.errors;
    // A null attribute counts as absent, which is not a matter of conditions.
    if (value === null) expect(isExpected).toBe(true);
    else if (!isExpected && error !== undefined)
      expect(() => evaluateCondition(value)).toThrow(error.message === '*' ? LanguageError : error.message);
    else expect([text, evaluateCondition(value)]).toEqual([text, isExpected]);
  }
});

test('whatever is written, the answer is true, false or an error of the language', () => {
  const pieces = [
    'a',
    '1',
    "'",
    '"',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ' ',
    '==',
    '=~',
    '/',
    '>',
    '!',
    '&&',
    '||',
    ',',
    '=',
    '\\',
  ];
  const words = [' and ', ' or ', 'not ', ' is ', ' set', ' in ', ' empty', 'nil', 'true', '=>', ':', '&gt;'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 40 }), (parts) => {
      try {
        expect(evaluateCondition(parts.join(''))).toBeTypeOf('boolean');
      } catch (error) {
        expect(error).toBeInstanceOf(LanguageError);
      }
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  '(',
  ')',
  '[',
  '{',
  '!',
  'not ',
  "'",
  " '",
  '"',
  'a == ',
  'a and ',
  ' ? ',
  '=',
  '([',
  ' is',
  '/',
  '=~ /',
  "\\'",
  "['a', ",
])(
  'fifty thousand times %j comes to an end',
  (piece) => {
    const text = piece.repeat(50_000);
    const outcome = ((): string => {
      try {
        return String(evaluateCondition(text));
      } catch (error) {
        return error instanceof LanguageError ? 'refused' : String(error);
      }
    })();
    expect(['true', 'false', 'refused']).toContain(outcome);
  },
  5_000,
);
