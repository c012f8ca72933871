import { describe, expect, test } from 'vitest';
import { LanguageError } from '../../src/language/language-error.ts';
import { compileRegex, literalRegex, MAX_REGEX_LENGTH } from '../../src/language/regex.ts';

const finds: readonly (readonly [source: string, flags: string, text: string, found: boolean])[] = [
  ['^b$', '', 'a\nb\nc', true],
  ['a.c', '', 'a\nc', false],
  ['a.c', 'm', 'a\nc', true],
  ['(?m)a.c', '', 'a\nc', true],
  ['(?m-i:a.c)', 'i', 'a\nc', true],
  ['(?-mix:abc)', '', 'abc', true],
  ['ABC', 'i', 'xabcx', true],
  ['ABC', '', 'xabcx', false],
  ['a b # a comment', 'x', 'ab', true],
  ['a\\ b', 'x', 'a b', true],
  ['a(?#nothing)b', '', 'ab', true],
  ['^\\h+$', '', 'beef09', true],
  ['^[\\hx]+$', '', '0xff', true],
  ['^\\H$', '', 'f', false],
  ['\\Aab\\z', '', 'ab', true],
  ['ab\\Z', '', 'ab\n', true],
  ['\\e', '', '\x1b', true],
  ['\\u00e9', '', 'é', true],
  ['\\u{1F600}', '', '😀', true],
  ['\\é', '', 'é', true],
  ['^[[:alpha:]]+$', '', 'éa', true],
  ['^[[:^digit:]]+$', '', 'ab', true],
  ['^\\p{Alpha}+$', '', 'éa', true],
  ['^\\p{^Digit}+$', '', 'ab', true],
  ['^\\P{Alpha}+$', '', 'ab', false],
  ['^\\p{Lu}+$', '', 'ÉA', true],
  ['^a{,2}$', '', 'aa', true],
  ['^a{,2}$', '', 'aaa', false],
  ['a{b', '', 'a{b', true],
  ['a{}', '', 'a{}', true],
  ['^[]a]+$', '', ']a', true],
  ['^\\d+$', '', '٣', false],
  ['^\\s$', '', '\v', true],
  ['\\/a\\/', '', '/a/', true],
  ['a\\-b', '', 'a-b', true],
  ['^(?<year>\\d{4})-(\\d\\d)$', '', '2030-12', true],
  ['a\\Rb', '', 'a\r\nb', true],
  ['', '', '', true],
];

test.each(finds)('/%s/%s on %j is %s', (source, flags, text, found) => {
  expect(compileRegex(source, flags).test(text)).toBe(found);
  expect(compileRegex(source, flags).match(text) !== null).toBe(found);
});

const refused = [
  'a(?=b)',
  'a(?!b)',
  '(?<=a)b',
  '(?<!a)b',
  '(a)\\1',
  '(?<n>a)\\k<n>',
  '(?<n>a\\g<n>?)',
  '(?>a)',
  'a++',
  'a**',
  'a{2}{3}',
  '(?x) a b',
  '[a[bc]]',
  '[a-z&&b]',
  '\\Gabc',
  'a\\Kb',
  '\\X',
  '\\cA',
  '(',
  '[',
  '*',
  'a\\',
  'a{1001}',
  '((a{50}){20}){5}',
  '(((a{10}){10}){10})'.repeat(40),
  'a'.repeat(MAX_REGEX_LENGTH + 1),
];

test.each(refused)('/%s/ is refused with an error of the language', (source) => {
  expect(() => compileRegex(source)).toThrow(LanguageError);
});

test('a match tells its groups and where it is', () => {
  expect(compileRegex('(b)(x)?(c)').match('abc')).toEqual({ groups: ['bc', 'b', null, 'c'], index: 1 });
  expect(compileRegex('x').match('abc')).toBeNull();
});

test('an expression that makes others backtrack for ever is answered', () => {
  expect(compileRegex('^(a+)+$').test(`${'a'.repeat(50_000)}!`)).toBe(false);
});

test('a text far too long for a large expression is refused', () => {
  expect(() => compileRegex('[ab]{900}c').test('a'.repeat(1_000_000))).toThrow(LanguageError);
});

test('the same source with other flags is another expression', () => {
  expect(compileRegex('a', 'i').test('A')).toBe(true);
  expect(compileRegex('a').test('A')).toBe(false);
});

describe('regex literals', () => {
  test.each([
    ['/a/', { source: 'a', flags: '' }],
    ['/a/im', { source: 'a', flags: 'im' }],
    ['/a/b/', { source: 'a/b', flags: '' }],
    ['//', { source: '', flags: '' }],
  ])('%s is one', (text, literal) => {
    expect(literalRegex(text)).toEqual(literal);
  });

  test.each(['/a', 'a/', 'a', '', '/', '/a/z', ' /a/'])('%j is none', (text) => {
    expect(literalRegex(text)).toBeNull();
  });
});
