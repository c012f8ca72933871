import { expect, test } from 'vitest';
import { registry } from '../../src/interpreter/registry.ts';
import {
  COMMON_ATTRIBUTES,
  EXPRESSION_NAMES,
  FREE_ATTRIBUTES,
  NAMES_WITH,
  OWN_ATTRIBUTES,
  REFUSED_NAMES,
} from '../../src/model/vocabulary.ts';

/** Those of other languages cannot be written by name. */
const ruotes = [...registry]
  .filter(([, { family, onlyWith }]) => family === undefined && onlyWith === undefined)
  .map(([name]) => name);

test('the words of the language are the names that the interpreter knows, and those that are refused', () => {
  expect([...EXPRESSION_NAMES].sort()).toEqual([...ruotes, ...REFUSED_NAMES].sort());
});

test('names that are expressions only with an attribute are those of the interpreter', () => {
  const conditional = [...registry].flatMap(([name, { onlyWith }]) =>
    onlyWith === undefined ? [] : [[name, onlyWith]],
  );
  expect(conditional).toEqual([...NAMES_WITH]);
});

test('attributes are listed for expressions that exist', () => {
  const names = [...OWN_ATTRIBUTES.keys(), ...FREE_ATTRIBUTES];
  expect(names.filter((name) => !EXPRESSION_NAMES.has(name) && !NAMES_WITH.has(name))).toEqual([]);
  expect(names).toHaveLength(new Set(names).size);
});

test('no expression claims an attribute that all expressions have', () => {
  const doubled = [...OWN_ATTRIBUTES].flatMap(([name, own]) =>
    [...own].filter((key) => COMMON_ATTRIBUTES.has(key)).map((key) => `${name} ${key}`),
  );
  expect(doubled).toEqual([]);
});
