import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareView } from '../../src/model/changes.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { WorkflowRow, WorkitemRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { DataRefused, type Save, type Store } from '../../src/store/store.ts';
import { loadFrom, type StoreWorld, writeTo } from './contract.ts';
import {
  AT,
  changes,
  expression,
  gone,
  history,
  listener,
  patch,
  save,
  strand,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';

/* The promises of saveAtOnce, as every store must keep them that has it. The world must be one in which nobody listens. */

export function describeSaveAtOnce(name: string, open: () => Promise<StoreWorld>): void {
  describe(`${name}: a save in one round trip`, () => {
    let world: StoreWorld;
    let store: Store;
    beforeAll(async () => {
      world = await open();
      store = world.store;
    });
    afterAll(() => world.close());

    const saveAtOnce = (of: Save, ...remembered: readonly WorkflowRow[]): Promise<'committed' | 'stale'> => {
      if (store.saveAtOnce === null) throw new Error('This store cannot save in one round trip');
      return store.saveAtOnce(of, new Map(remembered.map((row) => [row.id, bareView(row)])));
    };
    const launched = async (): Promise<WorkflowRow> => {
      const id = workflowId();
      await writeTo(store, [changes(workflow(id), { workitems: [workitem('0_0')] }, { history: [history(1)] })]);
      return workflow(id);
    };
    const step = (row: WorkflowRow, given: Partial<WorkflowRow> = {}): WorkflowRow => ({
      ...row,
      ver: row.ver + 1,
      lastN: row.lastN + 1,
      ...given,
    });
    const told = (row: WorkflowRow) => ({ history: [history(row.lastN)] });

    test('a launch and the steps after it are written like any others', async () => {
      const row = workflow(workflowId());
      const claims = [{ workflow: row.id, workitem: expression('0_0'), claim: 'c1' }];
      const launch = save([changes(row, { workitems: [workitem('0_0')] }, told(row))], { claims });
      expect(await saveAtOnce(launch)).toBe('committed');
      expect(await claimed(store, row.id)).toBe(false);

      const second = step(row, { state: '{"root":2}' });
      const proceed = changes(
        second,
        { workitems: [workitem('0_1')], strands: [strand('0.1')] },
        { ...told(second), definitions: new Map([['a hash', 'a text']]) },
      );
      const both = { ...proceed, workitems: new Map([...proceed.workitems, [expression('0_0'), gone] as const]) };
      expect(await saveAtOnce(save([both]), row)).toBe('committed');
      const loaded = await loadFrom(store, row.id, { kind: 'everything' });
      expect(loaded.workflow).toMatchObject({ ver: 2, state: '{"root":2}', fields: row.fields, lastN: 2 });
      expect([...loaded.workitems.keys()]).toEqual([expression('0_1')]);
      expect([...loaded.strands.keys()]).toEqual(['0.1']);
      expect(await store.definitions.text('a hash')).toBe('a text');
      expect((await store.read.history(DEFAULT_TENANT, row.id, 0, 10)).map(({ firstN }) => firstN)).toEqual([1, 2]);
      expect(await claimed(store, row.id)).toBe(true);
    });

    test('rows can be looked at while somebody holds them, and show what is committed', async () => {
      const { look } = store;
      if (look === null) return expect(name).toContain('without named statements');
      const [row, nobody] = [await launched(), workflowId()];
      const transaction = await store.begin([{ workflow: row.id, needs: [] }]);
      const looking = look([
        { workflow: row.id, needs: [{ kind: 'workitem', id: expression('0_0') }] },
        { workflow: nobody, needs: [{ kind: 'everything' }] },
      ]);
      // The embedded database has one connection: there the question waits for the transaction.
      const loaded = store.profile === 'embedded' ? null : await looking;
      expect(await transaction.commit(save([changes(step(row), {}, told(step(row)))]))).toBe('committed');
      const found = loaded ?? (await looking);
      expect(found.get(row.id)?.workflow?.ver).toBe(loaded === null ? 2 : 1);
      expect([...(found.get(row.id)?.workitems.keys() ?? [])]).toEqual([expression('0_0')]);
      expect(found.get(nobody)).toMatchObject({ workflow: null, workitems: new Map() });
      if (loaded !== null) expect(await saveAtOnce(save([changes(step(row), {}, told(step(row)))]), row)).toBe('stale');
    });

    test('one workflow that has moved on makes all of it stale, and nothing is written', async () => {
      const [moved, other] = [await launched(), await launched()];
      expect(await saveAtOnce(save([changes(step(moved), {}, told(step(moved)))]), moved)).toBe('committed');
      const late = save([
        changes(step(other, { name: 'changed' }), {}, told(step(other))),
        changes(
          step(moved, { name: 'changed' }),
          {},
          {
            history: [history(7)],
            workitems: new Map([[expression('0_0'), gone]]),
          },
        ),
        changes(workflow(workflowId()), {}, { history: [history(1)] }),
      ]);
      expect(await saveAtOnce(late, other, moved)).toBe('stale');
      for (const { id } of [other, moved]) expect((await store.read.workflow(DEFAULT_TENANT, id))?.name).toBe('a name');
      expect((await loadFrom(store, moved.id, { kind: 'everything' })).workitems.size).toBe(1);
      expect(await store.read.workflow(DEFAULT_TENANT, [...late.changes.keys()][2] as WorkflowId)).toBeNull();
    });

    test('a launch whose id is there already is stale', async () => {
      const row = await launched();
      expect(await saveAtOnce(save([changes({ ...row, name: 'another' }, {}, told(row))]))).toBe('stale');
      expect((await store.read.workflow(DEFAULT_TENANT, row.id))?.name).toBe('a name');
    });

    test('of many that remember the same only one is saved', async () => {
      const row = await launched();
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          saveAtOnce(save([changes(step(row, { name: `step ${i}` }), {}, told(step(row)))]), row),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
      const won = outcomes.indexOf('committed');
      expect(await store.read.workflow(DEFAULT_TENANT, row.id)).toMatchObject({ ver: 2, name: `step ${won}` });
      expect(await store.read.history(DEFAULT_TENANT, row.id, 1, 10)).toHaveLength(1);
    });

    test('a workflow that somebody else has locked is not waited for in vain', async () => {
      const row = await launched();
      const transaction = await store.begin([{ workflow: row.id, needs: [] }]);
      const late = saveAtOnce(save([changes(step(row), {}, told(step(row)))]), row);
      const theirs = save([changes(step(row, { name: 'theirs' }), {}, told(step(row)))]);
      expect(await transaction.commit(theirs)).toBe('committed');
      expect(await late).toBe('stale');
      expect((await store.read.workflow(DEFAULT_TENANT, row.id))?.name).toBe('theirs');
    });

    test('pauses, sweeps and given-back claims go with it', async () => {
      const row = workflow(workflowId());
      const claims = [{ workflow: row.id, workitem: expression('0_0'), claim: 'c1' }];
      const items = { workitems: [workitem('0_0'), workitem('0_1')] };
      await saveAtOnce(save([changes(row, items, told(row))], { claims }));
      const second = step(row, { updatedAt: AT + 5 });
      const releases = [{ workflow: row.id, workitem: expression('0_0'), claim: 'c1' }];
      const paused = changes(second, {}, { ...told(second), hold: AT + 5 });
      expect(await saveAtOnce(save([paused], { releases }), row)).toBe('committed');
      const held = await loadFrom(store, row.id, { kind: 'everything' });
      expect([...held.workitems.values()].map(({ heldAt }) => heldAt)).toEqual([AT + 5, AT + 5]);
      const third = step(second, { status: 'killed', endedAt: AT + 9 });
      const notice = new Map([[expression('0_1'), patch<WorkitemRow>({ state: 'closed', send: 'cancel' })]]);
      const over = changes(third, {}, { ...told(third), workitems: notice, sweep: true });
      expect(await saveAtOnce(save([over]), second)).toBe('committed');
      const left = await loadFrom(store, row.id, { kind: 'everything' });
      expect([...left.workitems.keys()]).toEqual([expression('0_1')]);
    });

    test('a value that cannot be stored is refused, and the store goes on', async () => {
      const row = await launched();
      const bad = changes(step(row, { name: 'a\u0000b' }), {}, told(step(row)));
      await expect(saveAtOnce(save([bad]), row)).rejects.toThrow(DataRefused);
      expect(await saveAtOnce(save([changes(step(row), {}, told(step(row)))]), row)).toBe('committed');
    });

    test('as soon as anybody listens to other workflows, it is stale', async () => {
      const [row, hearer] = [await launched(), workflow(workflowId())];
      const ear = { listeners: [listener('0_1')] };
      expect(await saveAtOnce(save([changes(hearer, ear, told(hearer))]))).toBe('committed');
      const next = save([changes(step(row), {}, told(step(row)))]);
      expect(await saveAtOnce(next, row)).toBe('stale');
      const launch = workflow(workflowId());
      expect(await saveAtOnce(save([changes(launch, {}, told(launch))]))).toBe('stale');
      const deaf = changes(
        step(hearer),
        {},
        { listeners: new Map([[expression('0_1'), gone]]), history: [history(2)] },
      );
      await writeTo(store, [deaf]);
      expect(await saveAtOnce(next, row)).toBe('committed');
    });
  });
}

/** Whether any message of the workflow can be claimed. */
async function claimed(store: Store, id: WorkflowId): Promise<boolean> {
  const messages = await store.claimDue({ now: AT, owner: 'somebody', limit: 1_000, leaseSeconds: 30 });
  return messages.some((message) => message.workflow === id);
}
