import { expect, test } from 'vitest';
import { LIMITS } from '../../src/model/stimulus.ts';
import { readCases } from '../conformance/cases.ts';
import { inProcess } from '../conformance/in-process.ts';
import { parts } from '../conformance/parts.ts';
import { replay } from '../conformance/replay.ts';
import { audited } from './audit.ts';

test.each([LIMITS.messages, 1])(
  'after every step of every case the rows add up, with a budget of %d messages',
  async (messages) => {
    const troubles: string[] = [];
    for (const one of readCases()) {
      const player = inProcess(one, parts, { ...LIMITS, messages });
      audited(player.world);
      const result = await replay(one, player);
      for (const trouble of result.troubles) troubles.push(`${one.group}/${one.name}: ${trouble.split('\n    at')[0]}`);
    }
    expect(troubles).toEqual([]);
  },
);
