import { expect, test } from 'vitest';
import { randomIds } from '../../src/runtime/ids.ts';
import { isConflict, told } from '../../src/store/refusals.ts';
import { TookTooLong } from '../../src/store/store.ts';
import { makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { engineOn, launch, watched } from '../support/engine-parts.ts';

const STATEMENT_TIMEOUT = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });

test('a statement that was broken off because it took too long is no conflict', () => {
  expect(isConflict(STATEMENT_TIMEOUT)).toBe(false);
  expect(told(STATEMENT_TIMEOUT, 'saving a step')).toBeInstanceOf(TookTooLong);
});

const trying = (limit: number) => {
  const around = watched(openSimulated(makeDatabase(Date.now), { link: perfectLink, ids: randomIds() }));
  let tries = 0;
  around.trouble.commit = (save) => {
    tries += 1;
    if (save.changes.size > limit) throw new TookTooLong('too long');
    return undefined;
  };
  return { engine: engineOn(around.store), around, tries: () => tries };
};

test('a batch that takes the database too long is cut until it is short enough, and all of it is done', async () => {
  const { engine, around, tries } = trying(2);
  const launched = Array.from({ length: 8 }, () => launch(engine, 'define\n  alpha\n'));
  expect(await Promise.all(launched)).toHaveLength(8);
  expect(around.committed.every(({ changes }) => changes.size <= 2)).toBe(true);
  expect(tries()).toBeLessThan(20);
});

test('a step that takes too long by itself is told so at once, and may be tried again', async () => {
  const { engine, around, tries } = trying(0);
  await expect(launch(engine, 'define\n  alpha\n')).rejects.toMatchObject({ code: 'unavailable' });
  expect(tries()).toBeLessThanOrEqual(2);
  delete around.trouble.commit;
  await launch(engine, 'define\n  alpha\n');
});
