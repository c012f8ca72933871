import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanguageError } from '../../src/language/language-error.ts';
import { assign, lookup, MAX_LIST_GROWTH, remove } from '../../src/language/lookup.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';

const fields: JsonObject = {
  a: { b: { c: 1 } },
  l: ['x', { y: 'z' }, ['w']],
  12: 'number',
  n: null,
  s: 'text',
  'flat.key': 1,
};

test.each<[string, Json | undefined]>([
  ['.', fields],
  ['a.b.c', 1],
  ['l.0', 'x'],
  ['l.-1', ['w']],
  ['l.-1.0', 'w'],
  ['l.1.y', 'z'],
  ['l.3', undefined],
  ['l.-4', undefined],
  ['l.y', undefined],
  ['l.length', undefined],
  ['12', 'number'],
  ['n', null],
  ['n.x', undefined],
  ['s.0', undefined],
  ['s.length', undefined],
  ['flat.key', undefined],
  ['constructor', undefined],
  ['__proto__.a', undefined],
  ['', undefined],
  ['a..b', undefined],
])('%j leads to %j', (path, value) => {
  expect(lookup(fields, path)).toEqual(value);
});

describe('assigning', () => {
  test.each<[JsonObject, string, Json, JsonObject]>([
    [{}, 'a', 1, { a: 1 }],
    [{ a: { b: 1 } }, 'a.b', 2, { a: { b: 2 } }],
    [{ a: {} }, 'a.b', 2, { a: { b: 2 } }],
    [{ a: { b: {} } }, 'a.b.c', 2, { a: { b: { c: 2 } } }],
    [{}, 'a.b', 1, { 'a.b': 1 }],
    [{ a: null }, 'a.b', 1, { a: null, 'a.b': 1 }],
    [{ a: 'text' }, 'a.b', 1, { a: 'text', 'a.b': 1 }],
    [{ a: {} }, 'a.b.c', 1, { a: {}, 'a.b.c': 1 }],
    [{ l: [1, 2] }, 'l.0', 9, { l: [9, 2] }],
    [{ l: [1, 2] }, 'l.-1', 9, { l: [1, 9] }],
    [{ l: [1, 2] }, 'l.4', 9, { l: [1, 2, null, null, 9] }],
    [{ l: [{ y: 1 }] }, 'l.0.y', 9, { l: [{ y: 9 }] }],
    [{ l: [] }, 'l.y', 9, { l: [], 'l.y': 9 }],
    [{ a: 1 }, '.', { b: 2 }, { b: 2 }],
    [{ a: 1 }, '.', 2, { a: 1, '.': 2 }],
  ])('%j with %s := %j', (target, path, value, result) => {
    const before = structuredClone(target);
    expect(assign(target, path, value)).toEqual(result);
    expect(target).toEqual(before);
  });

  test('an index before or far beyond the list is an error', () => {
    expect(() => assign({ l: [1] }, 'l.-2', 0)).toThrow(LanguageError);
    expect(() => assign({ l: [1] }, `l.${MAX_LIST_GROWTH + 2}`, 0)).toThrow(LanguageError);
    expect(() => assign({ l: [1] }, 'l.999999999999', 0)).toThrow(LanguageError);
  });

  test('__proto__ is a key like any other', () => {
    const result = assign(assign({}, '__proto__', {}), '__proto__.polluted', 1);
    expect(lookup(result, '__proto__.polluted')).toBe(1);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('removing', () => {
  test.each<[JsonObject, string, JsonObject, Json | undefined]>([
    [{ a: 1, b: 2 }, 'a', { b: 2 }, 1],
    [{ a: { b: 1, c: 2 } }, 'a.b', { a: { c: 2 } }, 1],
    [{ l: [1, 2, 3] }, 'l.0', { l: [2, 3] }, 1],
    [{ l: [1, 2, 3] }, 'l.-2', { l: [1, 3] }, 2],
    [{ l: [1, { a: 1 }] }, 'l.-1.a', { l: [1, {}] }, 1],
    [{ l: [1] }, 'l.7', { l: [1] }, undefined],
    [{ a: null }, 'a', {}, null],
    [{ a: 1 }, 'b', { a: 1 }, undefined],
    [{ 'a.b': 1 }, 'a.b', {}, 1],
    [{ a: 1 }, '.', {}, { a: 1 }],
  ])('%j without %s', (target, path, result, removed) => {
    expect(remove(target, path)).toEqual({ target: result, removed });
  });
});

test('what was assigned is found again, unless it became a flat key', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (target, path, value) => {
      const result = attempt(() => assign(target as JsonObject, path, value as Json));
      if (result === null) return;
      const found = path === '.' || Object.hasOwn(result, path) ? undefined : lookup(result, path);
      if (found !== undefined) expect(found).toEqual(value);
      else expect(path === '.' || Object.hasOwn(result, path)).toBe(true);
    }),
  );
});

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(LanguageError);
    return null;
  }
}
