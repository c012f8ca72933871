import { expect, test } from 'vitest';
import { LIMITS } from '../../src/model/stimulus.ts';
import { audited } from '../interpreter/audit.ts';
import { fewOrAll } from '../support/all.ts';
import { readCases } from './cases.ts';
import { playInProcess } from './harness.ts';
import { parts } from './parts.ts';

/** All cases three times over, on a machine that does other things too. */
const TURNS_MS_MAX = 120_000;

/*
 * A step that uses up its budget of inner messages leaves the rest to its next turn. With a budget of one, everything is saved and
 * loaded between any two messages, with strands unloaded, through the encoding the store keeps; and the rows have to add up each time.
 */

test.each(fewOrAll([1, 2], [1, 2, 5]))(
  'a step that goes on in its next turn after %d messages does what one step does',
  async (messages) => {
    const failing: string[] = [];
    for (const one of readCases()) {
      const watch = messages === 1 ? audited : undefined;
      const [first] = (await playInProcess(one, parts, { ...LIMITS, messages }, watch)).differences;
      if (first !== undefined) failing.push(`${one.group}/${one.name}: ${first}`);
    }
    expect(failing).toEqual([]);
  },
  TURNS_MS_MAX,
);
