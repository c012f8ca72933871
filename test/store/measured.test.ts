import { afterAll, expect, test } from 'vitest';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { type AroundCall, measured, type StoreCall } from '../../src/store/measured.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { AT, changes, save, workflow, workflowId } from './samples.ts';

const store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
afterAll(() => store.close());

/** Notes each call as it ends, and how. */
function noting(): { readonly around: AroundCall; readonly notes: string[] } {
  const notes: string[] = [];
  const around: AroundCall = async (call, run) => {
    try {
      const answer = await run();
      notes.push(call);
      return answer;
    } catch (error) {
      notes.push(`${call} failed`);
      throw error;
    }
  };
  return { around, notes };
}

test('each call of the store, of its parts and of its transactions is seen once, by its name, and answers as it would', async () => {
  const { around, notes } = noting();
  const seen = measured(store, around);
  const id = workflowId();
  const transaction = await seen.begin([{ workflow: id, needs: [] }]);
  expect(transaction.loaded.get(id)).toMatchObject({ workflow: null });
  expect(await transaction.commit(save([changes(workflow(id))]))).toBe('committed');
  expect(await seen.read.workflow(DEFAULT_TENANT, id)).toMatchObject({ id });
  await seen.settings.write('a setting', '1');
  expect(await seen.settings.read('a setting')).toBe('1');
  await seen.read.recorded?.edge();
  await seen.look?.([]);
  seen.wakeOthers();
  expect(notes).toEqual([
    'begin',
    'transaction.commit',
    'read.workflow',
    'settings.write',
    'settings.read',
    'read.recorded.edge',
    'look',
  ] satisfies StoreCall[]);
});

test('a call that throws is seen to fail, and its caller gets what was thrown', async () => {
  const { around, notes } = noting();
  const trouble = new Error('away');
  const broken: Store = { ...store, nextDueAt: () => Promise.reject(trouble) };
  await expect(measured(broken, around).nextDueAt(AT)).rejects.toBe(trouble);
  expect(notes).toEqual(['nextDueAt failed']);
});

test('a store that nobody measures is the store itself', () => {
  expect(measured(store, null)).toBe(store);
});
