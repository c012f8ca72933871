import { describe, expect, test } from 'vitest';
import { inexactNumber, isExact } from '../../src/model/exact.ts';

describe('a number', () => {
  test.each([
    '0',
    '-0',
    '7',
    '0.1',
    '-12.50',
    '1e3',
    '1E+3',
    '1.5e-7',
    '9007199254740991',
    '100',
    '1000000000000000000000',
    '123456789012345680000',
    '0.30000000000000004',
    '1e21',
    '1.0000000000000000000',
    '0e9999',
    '0.1000000000000000',
  ])('such as %s is kept', (literal) => {
    expect(isExact(literal)).toBe(true);
    expect(inexactNumber(`{"a":${literal}}`)).toBe(null);
  });

  test.each([
    '9007199254740993',
    '12345678901234567890',
    '0.1234567890123456789',
    '1e400',
    '-1e400',
    '1e-400',
    '0.10000000000000001',
    '1.00000000000000001e5',
  ])('such as %s would be changed', (literal) => {
    expect(isExact(literal)).toBe(false);
    expect(inexactNumber(`[${literal}]`)).toEqual({ path: [0], literal });
  });
});

test('true, false and null are no numbers, whatever stands beside them', () => {
  const near = '"id":"0_0!8b69f65fbdf3c09f9089739d5e8c8b02","n":1.5e3';
  for (const word of ['true', 'false', 'null']) {
    expect(inexactNumber(`{"a":${word},${near}}`)).toBe(null);
    expect(inexactNumber(`{${near},"a":[${word}, ${word} ]}`)).toBe(null);
  }
});

describe('a JSON text', () => {
  const bad = '12345678901234567890';
  test.each([
    [`{"a":{"b":[1,2,${bad}]}}`, ['a', 'b', 2]],
    [`{"x":"${bad}","y":${bad}}`, ['y']],
    [`{"x":{"y":1},"z":[{"q":[],"r":${bad}}]}`, ['z', 0, 'r']],
    [`{"a\\"b":{"\\u0063":${bad}}}`, ['a"b', 'c']],
    [` [ [ ] , { "k" : [ 1 , ${bad} ] } ]`, [1, 'k', 1]],
    [`{"s":"\\\\","t":${bad}}`, ['t']],
  ])('%s is told the place', (text, path) => {
    expect(inexactNumber(text)).toEqual({ path, literal: bad });
  });

  test('is looked through where it is asked for, and nowhere else', () => {
    const text = `{"a":${bad},"b":[1,${bad}]}`;
    expect(inexactNumber(text, ([first]) => first === 'b')?.path).toEqual(['b', 1]);
    expect(inexactNumber(text, () => false)).toBe(null);
  });

  test('whose strings look like numbers is left alone', () => {
    expect(inexactNumber(`{"${bad}":"${bad}","a":["1e999","\\"${bad}"]}`)).toBe(null);
  });
});
