import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { warningsOf } from '../../src/definition/warnings.ts';
import { playInProcess } from '../conformance/harness.ts';
import { parts } from '../conformance/parts.ts';
import { patterns, readTold } from './cases.ts';

const told = readTold();

test('there is a case for each of the 43 patterns', () => {
  expect(patterns.map(({ number }) => number)).toEqual(Array.from({ length: 43 }, (_, i) => i + 1));
  const names = new Set(told.map(({ name }) => name));
  expect(patterns.filter((pattern) => !names.has(pattern.case))).toEqual([]);
});

describe.each(['patterns', 'recipes'])('%s', (group) => {
  test.each(told.filter((one) => one.group === group))('$name', async (one) => {
    expect((await playInProcess(one, parts)).differences).toEqual([]);
    const seen = one.expect.dispatches.map(({ participant }) => participant);
    expect(one.order === 'total' ? seen : [...seen].sort()).toEqual(
      one.order === 'total' ? one.see : [...one.see].sort(),
    );
  });

  test.each(told.filter((one) => one.group === group))('$name is read without a warning', ({ definition }) => {
    const read = readDefinition(definition);
    expect(read.ok && warningsOf(read.tree, { placeOf: read.placeOf })).toEqual([]);
  });
});
