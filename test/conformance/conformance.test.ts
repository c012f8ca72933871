import { describe, expect, test } from 'vitest';
import { audited } from '../interpreter/audit.ts';
import { mentions, readCases } from './cases.ts';
import { playInProcess } from './harness.ts';
import { NOT_YET } from './not-yet.ts';
import { parts } from './parts.ts';

/* Every case in process, on a stopped clock, with rows in memory (README.md), which have to add up after every step. */

const cases = readCases().filter((one) => !mentions(one, NOT_YET));

describe.each([...new Set(cases.map((one) => one.group))])('%s', (group) => {
  test.each(cases.filter((one) => one.group === group))('$name: $about', async (one) => {
    expect((await playInProcess(one, parts, undefined, audited)).differences).toEqual([]);
  });
});
