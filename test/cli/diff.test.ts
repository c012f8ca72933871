import { expect, test } from 'vitest';
import { diffLines } from '../../src/cli/remote/diff.ts';

test('a difference is shown with three lines around it, and nothing where texts are equal', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  expect(diffLines(before, before)).toEqual([]);
  expect(diffLines(before, ['a', 'b', 'c', 'd', 'E', 'f', 'g', 'h', 'i'])).toEqual([
    ...['@@ -2 +2 @@', ' b', ' c', ' d', '-e', '+E', ' f', ' g', ' h', '+i'],
  ]);
  expect(diffLines([], ['x'])).toEqual(['@@ -1 +1 @@', '+x']);
  expect(diffLines(['x', 'y'], ['y'])).toEqual(['@@ -1 +1 @@', '-x', ' y']);
});
