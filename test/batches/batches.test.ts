import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Asked, BatchAction, BatchParams } from '../../src/batches/asked.ts';
import { findItems } from '../../src/batches/find.ts';
import { type BatchRunner, makeBatchRunner, type RunnerParts } from '../../src/batches/run.ts';
import { attributedBy } from '../../src/engine/attributes.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { makeSearch } from '../../src/engine/search.ts';
import { type Entry, entriesOf } from '../../src/events/entry.ts';
import { randomDigits } from '../../src/identity/key-text.ts';
import { Fault } from '../../src/model/fault.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { readTenant, type Tenant } from '../../src/model/tenant.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { realTime } from '../../src/runtime/process-time.ts';
import { openStore } from '../../src/store/open.ts';
import type { BatchRow, Store } from '../../src/store/store.ts';
import { type EngineParts, engineOn, launchOf } from '../support/engine-parts.ts';
import { until } from '../support/until.ts';

/* Batches on the real engine and a real database, with nodes that die in the middle. */

let store: Store;
let parts: EngineParts;
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
  parts = engineOn(store);
}, 120_000);
afterAll(async () => {
  await parts.engine.stop();
  await store.close();
}, 60_000);

const FOREVER = new Promise<never>(() => {});
const WAITING = 'define\n  alpha\n';
const BROKEN = 'define\n  concurrence\n    error "one"\n    error "two"\n';

async function launched(tenant: Tenant, text: string, count: number): Promise<readonly WorkflowId[]> {
  const stimuli = Array.from({ length: count }, () => {
    const one = launchOf(parts, text);
    if (one.event.kind !== 'launch') throw new Error('a launch is a launch');
    return { ...one, event: { ...one.event, launch: { ...one.event.launch, tenant } } };
  });
  for (const answer of await parts.engine.advance(stimuli)) expect(answer.ok).toBe(true);
  return stimuli.map(({ workflow }) => workflow);
}

const ALL = { query: { status: null, name: null, participant: null }, inside: null, errorClass: null, state: null };
const PLAIN: BatchParams = { fields: null, tree: null };

async function added(
  tenant: Tenant,
  action: BatchAction,
  more: { readonly asked?: Asked; readonly rate?: number; readonly actor?: string } = {},
): Promise<string> {
  const id = randomDigits(16);
  const asked: Asked = more.asked ?? { filter: { all: true }, search: ALL };
  const { rate = null, actor = null } = more;
  const said = { asked: JSON.stringify(asked), params: JSON.stringify(PLAIN), reason: 'because', actor, rate };
  await store.batches.add({ id, tenant, action, ...said }, null);
  return id;
}

function runner(more: Partial<RunnerParts> = {}): BatchRunner {
  return makeBatchRunner({
    search: makeSearch(store, attributedBy([])),
    ...{ store, engine: parts.engine, time: realTime, ids: parts.ids, log: silentLog, nodeId: 'node-1', lookMs: 5 },
    untilUsed: (wake) => realTime.after(50, wake),
    ...{ complaint: () => null, ...more },
  });
}

/** Every row that is read on the way adds up. */
async function over(tenant: Tenant, id: string): Promise<BatchRow> {
  const seen: (readonly [string, number])[] = [];
  const row = await until('the batch is over', async () => {
    const one = await store.batches.get(tenant, id);
    if (one === null) return null;
    seen.push([one.state, one.total - one.done - one.failed - one.skipped]);
    return one.state === 'collecting' || one.state === 'running' ? null : one;
  });
  for (const [state, left] of seen)
    if (state === 'running') expect(left).toBeGreaterThan(0);
    else if (state === 'completed') expect(left).toBe(0);
  return row;
}

async function historyIn(tenant: Tenant, workflow: WorkflowId): Promise<readonly Entry[]> {
  const rows = await store.read.history(tenant, workflow, 0, 1_000);
  return rows.flatMap((row) => entriesOf(workflow, row, 0));
}

/** How often each item of a batch has left its mark. */
async function marks(
  tenant: Tenant,
  workflows: readonly WorkflowId[],
  id: string,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const workflow of workflows)
    for (const entry of await historyIn(tenant, workflow))
      if (entry['batch'] === id) {
        const key = `${workflow} ${entry['batch_item']}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
  return counts;
}

test('a batch does its action to each workflow its filter finds, once, and the history says so', async () => {
  const tenant = readTenant('all') as Tenant;
  const workflows = await launched(tenant, WAITING, 130);
  await launched(readTenant('other') as Tenant, WAITING, 3);
  const id = await added(tenant, 'kill', { actor: 'key:k' });
  const node = runner();
  expect(await over(tenant, id)).toMatchObject({ state: 'completed', total: 130, done: 130, failed: 0, skipped: 0 });
  await node.stop();
  expect((await marks(tenant, workflows, id)).size).toBe(130);
  const told = (await historyIn(tenant, workflows[0] as WorkflowId)).find((entry) => entry['batch'] === id);
  expect(told).toMatchObject({ actor: 'key:k', reason: 'because' });
  const found = await findItems(
    { ...store.read, inside: makeSearch(store, attributedBy([])) },
    { tenant, action: 'kill', search: ALL },
    null,
  );
  expect(found.items.length).toBe(130);
});

test('whatever moment a node dies at, another goes on, and nothing is done twice or counted twice', async () => {
  const tenant = readTenant('dying') as Tenant;
  const workflows = await launched(tenant, BROKEN, 40);
  const id = await added(tenant, 'replay');
  let deaths = 0;
  /** Steps that a dead node still has in hand: they come later, as from a node that only slept. */
  const late: (() => Promise<unknown>)[] = [];
  for (const dieAfter of [0, 1, 3, 7, 9, 12, 17, 21, 30, 33, 41, 55]) {
    let steps = 0;
    let isDead = false;
    let tellDeath = (): void => {};
    const died = new Promise<void>((resolve) => {
      tellDeath = resolve;
    });
    const die = (): Promise<never> => {
      if (!isDead) deaths += 1;
      isDead = true;
      tellDeath();
      return FOREVER;
    };
    const engine: Pick<Engine, 'advance'> = {
      advance: async (stimuli) => {
        if (isDead) return FOREVER;
        steps += 1;
        if (steps <= dieAfter) return parts.engine.advance(stimuli);
        // Of those it dies at, one is done and not told, one was not even begun.
        if (steps % 2 === 0) await parts.engine.advance(stimuli);
        else late.push(() => parts.engine.advance(stimuli));
        return die();
      },
    };
    const dying = runner({ engine, nodeId: `node-${dieAfter}`, leaseSeconds: 0.02 });
    await Promise.race([died, over(tenant, id)]);
    if (!isDead) await dying.stop();
    const sleeper = late.pop();
    if (dieAfter % 3 === 0) await sleeper?.();
  }
  const node = runner({ nodeId: 'the last' });
  const row = await over(tenant, id);
  await node.stop();
  for (const step of late) await step();
  expect(deaths).toBeGreaterThan(5);
  expect(row).toMatchObject({ state: 'completed', total: 80, done: 80, failed: 0, skipped: 0 });
  const counts = await marks(tenant, workflows, id);
  expect(counts.size).toBe(80);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
});

test('what is not as the filter wanted any more is skipped, and so is what there is nothing to do to', async () => {
  const tenant = readTenant('moving') as Tenant;
  const [paused, ended, left] = (await launched(tenant, WAITING, 3)) as [WorkflowId, WorkflowId, WorkflowId];
  const origin = { by: 'caller', tenant, actor: null, reason: null } as const;
  const search = { ...ALL, query: { ...ALL.query, status: 'running' as const } };
  const id = await added(tenant, 'pause', { asked: { filter: { status: 'running' }, search } });
  const items = [paused, ended, left].map((workflow) => ({ workflow, object: null }));
  await store.batches.collect(id, null, { items, next: null, isLast: true });
  await parts.engine.advance([{ workflow: paused, event: { kind: 'pause' }, origin }]);
  await parts.engine.advance([{ workflow: ended, event: { kind: 'kill' }, origin }]);
  const first = runner();
  expect(await over(tenant, id)).toMatchObject({ total: 3, done: 1, skipped: 2 });
  expect(await store.batches.problems(id)).toEqual([{ code: 'changed', count: 2 }]);
  const again = await added(tenant, 'cancel');
  expect(await over(tenant, again)).toMatchObject({ total: 3, done: 2, skipped: 1 });
  expect(await store.batches.problems(again)).toEqual([{ code: 'workflow_over', count: 1 }]);
  await first.stop();
});

test('what is of another tenant is skipped as what never was, and stays as it is', async () => {
  const [owner, stranger] = [readTenant('owner') as Tenant, readTenant('stranger') as Tenant];
  const [of] = (await launched(owner, BROKEN, 1)) as [WorkflowId];
  const before = JSON.stringify(await historyIn(owner, of));
  const first = runner();
  for (const action of ['cancel', 'kill', 'pause', 'resume', 'replay', 'redeliver', 'proceed'] as const) {
    const id = await added(stranger, action, { asked: { filter: null, ids: 2 } });
    const objects = ['replay', 'redeliver', 'proceed'].includes(action) ? `0_0_0!${'0'.repeat(32)}` : null;
    const items = [of, '20151005-1247-nobody-nothing' as WorkflowId].map((workflow) => ({ workflow, object: objects }));
    await store.batches.collect(id, null, { items, next: null, isLast: true });
    expect(await over(stranger, id), action).toMatchObject({ total: 2, done: 0, failed: 0, skipped: 2 });
    expect(await store.batches.problems(id), action).toEqual([{ code: 'workflow_not_found', count: 2 }]);
  }
  await first.stop();
  expect(JSON.stringify(await historyIn(owner, of))).toBe(before);
});

test('a batch whose key has ended is stopped, and one that cannot be done now waits', async () => {
  const tenant = readTenant('ended') as Tenant;
  await launched(tenant, WAITING, 5);
  const ended = await added(tenant, 'kill', { actor: 'key:gone' });
  const waits = await added(tenant, 'kill', { actor: 'key:good' });
  let refusals = 0;
  const node = runner({
    complaint: (actor) => (actor === 'key:gone' ? 'the key is revoked' : null),
    engine: {
      advance: async (stimuli) => {
        refusals += 1;
        return refusals > 3 ? parts.engine.advance(stimuli) : Promise.reject(new Fault('overloaded', 'too much'));
      },
    },
  });
  expect(await over(tenant, ended)).toMatchObject({ state: 'stopped', problem: 'the key is revoked', done: 0 });
  expect(await over(tenant, waits)).toMatchObject({ state: 'completed', total: 5, done: 5 });
  await node.stop();
  expect(refusals).toBeGreaterThan(3);
});

test('the rate of a batch is kept by putting it back for as long as its items take', async () => {
  const tenant = readTenant('slow') as Tenant;
  await launched(tenant, WAITING, 4);
  const id = await added(tenant, 'pause', { rate: 2 });
  const waits: number[] = [];
  const batches: Store['batches'] = {
    ...store.batches,
    // Nobody waits here: what it would have waited is noted.
    release: async (batch, node, seconds) => {
      if (batch === id) waits.push(seconds);
      await store.batches.release(batch, node, 0);
    },
  };
  const node = runner({ store: { ...store, batches } });
  expect(await over(tenant, id)).toMatchObject({ total: 4, done: 4 });
  await node.stop();
  const paced = waits.filter((seconds) => seconds > 0);
  expect(paced).toHaveLength(2);
  for (const seconds of paced) expect(seconds).toBeLessThanOrEqual(1);
});

test('tenants take turns', async () => {
  const turns: string[] = [];
  const [much, little] = ['much', 'little'].map((name) => readTenant(name) as Tenant) as [Tenant, Tenant];
  await launched(much, WAITING, 2);
  await launched(little, WAITING, 2);
  const ids: (readonly [Tenant, string])[] = [];
  for (let i = 0; i < 6; i++) ids.push([much, await added(much, 'pause')]);
  ids.push([little, await added(little, 'pause')]);
  const batches: Store['batches'] = {
    ...store.batches,
    claim: async (id, ...rest) => {
      const row = await store.batches.claim(id, ...rest);
      if (row !== null) turns.push(row.tenant);
      return row;
    },
  };
  const node = runner({ store: { ...store, batches } });
  for (const [tenant, id] of ids) await over(tenant, id);
  await node.stop();
  // Two at once: the tenant with one batch need not wait for the six of the other.
  expect(turns.indexOf('little')).toBeLessThan(3);
});
