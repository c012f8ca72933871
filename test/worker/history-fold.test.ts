import { beforeEach, expect, test } from 'vitest';
import { unpackHistory } from '../../src/model/history.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Store } from '../../src/store/store.ts';
import { foldHistories, type HistoryFold, isFolded } from '../../src/worker/history-fold.ts';
import { makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { type EngineParts, engineOn, launch, proceedOf, START, workitemOf } from '../support/engine-parts.ts';

/* Workflows that never end: the oldest of their history is folded away. */

const ENDLESS = 'define endless\n  cursor\n    alpha\n    rewind\n';

let store: Store;
let node: EngineParts;
let fold: HistoryFold;
/** Resolves when a history was folded up to the number last committed. */
let folds: number;

beforeEach(() => {
  const simulated = openSimulated(
    makeDatabase(() => START),
    { link: perfectLink, ids: randomIds() },
  );
  folds = 0;
  store = {
    ...simulated,
    foldHistory: async (asked) => {
      await simulated.foldHistory(asked);
      folds += 1;
    },
  };
  node = engineOn(store);
  fold = foldHistories({
    ...{ store, engine: node.engine, time: manualTime(), ids: randomIds(), log: silentLog },
    historyMax: 2_000,
  });
});

const kept = async (id: WorkflowId) => (await store.read.kept(DEFAULT_TENANT, id)) ?? { firstKept: 0, lastN: 0 };
async function entries(id: WorkflowId): Promise<readonly (JsonObject & { readonly n: number })[]> {
  const rows = await store.read.history(DEFAULT_TENANT, id, 0, 100_000);
  return rows.flatMap((row) => unpackHistory(row.entries, id).map((entry, i) => ({ ...entry, n: row.firstN + i })));
}
async function rounds(id: WorkflowId, many: number): Promise<void> {
  for (let round = 0; round < many; round++) {
    const { id: item } = await workitemOf(store, id, 'alpha');
    await node.engine.advance([proceedOf(id, item)]);
  }
}
/** What was asked for has been done. */
const settle = async (): Promise<void> => {
  for (let before = -1; before !== folds; ) {
    before = folds;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
};

test('a workflow that never ends keeps its launch, its errors, what an administrator did, and the newest entries', async () => {
  const id = await launch(node, ENDLESS);
  await rounds(id, 10);
  await node.engine.advance([
    {
      workflow: id,
      origin: { by: 'caller', tenant: DEFAULT_TENANT, actor: 'admin', reason: 'a look' },
      event: { kind: 'pause' },
    },
    {
      workflow: id,
      origin: { by: 'caller', tenant: DEFAULT_TENANT, actor: 'admin', reason: null },
      event: { kind: 'resume' },
    },
  ]);
  const failing = await workitemOf(store, id, 'alpha');
  await node.engine.advance([
    {
      workflow: id,
      origin: { by: 'server' },
      event: { kind: 'fail', workitem: failing.id, class: 'Broken', message: 'no' },
    },
  ]);
  await rounds(id, 500);
  await settle();
  const { firstKept, lastN } = await kept(id);
  expect(lastN).toBeGreaterThan(2_000);
  expect(firstKept).toBeGreaterThan(1);
  expect(lastN - firstKept).toBeLessThanOrEqual(2_000);
  const told = await entries(id);
  const before = told.filter(({ n }) => n < firstKept).map(({ kind }) => kind);
  expect(before).toContain('workflow.launched');
  expect(before).toContain('workflow.paused');
  expect(before).toContain('workflow.resumed');
  expect(before).toContain('workitem.failed');
  expect(before.length).toBeLessThan(30);
  const after = told.filter(({ n }) => n >= firstKept).map(({ n }) => n);
  expect(after).toEqual(Array.from({ length: lastN - firstKept + 1 }, (_, i) => firstKept + i));
  // It goes on as before.
  await rounds(id, 1);
  await fold.stop();
});

test('a launch can say how many entries its history may have', async () => {
  const id = await launch(node, ENDLESS, { historyMax: 1_000 });
  await rounds(id, 250);
  await settle();
  const { firstKept, lastN } = await kept(id);
  expect(lastN).toBeLessThan(2_000);
  expect(lastN - firstKept).toBeLessThanOrEqual(1_000);
  await fold.stop();
});

test('a short history is not even looked at', async () => {
  const id = await launch(node, ENDLESS);
  await rounds(id, 100);
  await settle();
  expect(await kept(id)).toMatchObject({ firstKept: 1 });
  expect(folds).toBe(0);
  await fold.stop();
});

test('a step is folded when nothing in it has to be kept', () => {
  expect(isFolded([{ kind: 'workitem.proceeded', actor: 'alpha' }, { kind: 'expression.replied' }])).toBe(true);
  expect(isFolded([{ kind: 'expression.cancelled' }])).toBe(true);
  expect(isFolded([{ kind: 'expression.cancelled', actor: 'admin' }])).toBe(false);
  expect(isFolded([{ kind: 'expression.applied' }, { kind: 'error.thrown' }])).toBe(false);
  expect(isFolded([{ kind: 'something new' }])).toBe(false);
});
