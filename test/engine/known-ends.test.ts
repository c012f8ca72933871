import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ReadyMessage, TryOutcome } from '../../src/engine/engine.ts';
import { DELIVERED_KEPT_MS } from '../../src/engine/kept-outcomes.ts';
import { readLog } from '../../src/engine/outcomes.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import {
  collectingSink,
  type EngineParts,
  engineOn,
  historyOf,
  launch,
  START,
  until,
  type Watched,
  watched,
  workitemOf,
} from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

/* What a node knows of its tries when the database was silent for longer than their leases. */

const TWO = 'define\n  alpha\n  beta\n';
const REFUSED: TryOutcome['result'] = { kind: 'refused', status: 503, retryAfterSeconds: null };
const DELIVERED: TryOutcome['result'] = { kind: 'delivered', status: 200 };
const LEASE_SECONDS = 30;

let store: Store;
let around: Watched;
let parts: EngineParts;

beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 60_000);
afterAll(() => store.close());
beforeEach(() => {
  around = watched(store);
  parts = engineOn(around.store);
});

const outcomeOf = ({ workflow, row, claim, leaseEndsAt }: ReadyMessage, result: TryOutcome['result']): TryOutcome => ({
  workflow,
  workitem: row.id,
  claim,
  send: 'active',
  number: row.tries + 1,
  openedAt: row.openedAt,
  dueAt: row.dueAt,
  leaseEndsAt,
  startedAt: START,
  endedAt: START,
  result,
});

async function launched(): Promise<ReadyMessage> {
  const { sink, state } = collectingSink();
  parts.engine.deliverTo(sink);
  await launch(parts, TWO);
  const [message] = state.taken;
  if (message === undefined) throw new Error('nothing was claimed');
  return message;
}

/** The lease runs out, and whoever asks next claims the message once more. */
async function claimedAgain({ workflow, row, claim }: ReadyMessage, owner = parts.nodeId): Promise<ReadyMessage> {
  await store.renewClaim({ key: { workflow, workitem: row.id }, claim, leaseSeconds: -1 });
  const claimed = await store.claimDue({ now: START + 1e6, owner, limit: 1000, leaseSeconds: LEASE_SECONDS });
  const again = claimed.find((one) => one.workflow === workflow && one.row.id === row.id);
  if (again === undefined) throw new Error('it was not claimed once more');
  return { ...again, leaseEndsAt: parts.time.now() + LEASE_SECONDS * 1000 };
}

/** A try has ended, and the database could not be told. */
async function endedInSilence(message: ReadyMessage, result: TryOutcome['result']): Promise<void> {
  around.trouble.begin = () => Promise.reject(new StoreUnavailable('away'));
  around.forget();
  parts.engine.outcome(outcomeOf(message, result));
  parts.time.pass(DELIVERED_KEPT_MS);
  await until(() => around.begun.length === 1 && parts.engine.figures().queued === 0);
  delete around.trouble.begin;
}

const whose = async ({ workflow, row }: ReadyMessage) => {
  const claimed = await store.claimDue({ now: START + 1e9, owner: 'other', limit: 1000, leaseSeconds: LEASE_SECONDS });
  return claimed.find((one) => one.workflow === workflow && one.row.id === row.id) ?? null;
};

test('a message that is claimed once more, and was taken, is written as taken: nothing is left to send', async () => {
  const message = await launched();
  await endedInSilence(message, DELIVERED);
  const again = await claimedAgain(message);
  expect(again.row.tries).toBe(1);
  expect(parts.engine.knows(again)).toBe(true);
  parts.time.pass(DELIVERED_KEPT_MS);
  await parts.engine.quiet();
  const row = await workitemOf(store, message.workflow, 'alpha');
  expect(row).toMatchObject({ send: null, dueAt: null, tries: 1 });
  const { kinds } = await historyOf(store, message.workflow);
  expect(kinds.filter((kind) => kind === 'callback.delivered')).toHaveLength(1);
});

test.each(['that it stepped itself', 'whose rows it does not remember'])(
  'one that had failed waits for its next try, the claim is given back, and the list of tries tells how it ended, of a workflow %s',
  async (which) => {
    const message = await launched();
    await endedInSilence(message, REFUSED);
    const again = await claimedAgain(message);
    expect(readLog(again.row.log)).toMatchObject([{ number: 1, status: null }]);
    if (which !== 'that it stepped itself') {
      // Another node has stepped it.
      const other = engineOn(store, { nodeId: 'node-2' });
      await other.engine.advance([
        {
          workflow: message.workflow,
          origin: SERVER,
          event: { kind: 'edit', workitem: message.row.id, fields: { a: 1 }, revision: null },
        },
      ]);
      await other.engine.stop();
    }
    expect(parts.engine.knows(again)).toBe(true);
    parts.time.pass(DELIVERED_KEPT_MS);
    await parts.engine.quiet();
    const row = await workitemOf(store, message.workflow, 'alpha');
    expect(row).toMatchObject({ send: 'active', dueAt: START + 30_000, tries: 1 });
    expect(readLog(row?.log ?? '')).toMatchObject([{ number: 1, status: 503, nextAt: START + 30_000 }]);
    const { kinds } = await historyOf(store, message.workflow);
    expect(kinds.filter((kind) => kind === 'callback.refused')).toHaveLength(1);
    // The next try is the second: nobody takes the claim for one of a node that stopped.
    expect(await whose(message)).toMatchObject({ row: { tries: 1 } });
  },
);

test('a claim that was on its way while the end was written is given back, too', async () => {
  const message = await launched();
  const again = await claimedAgain(message);
  parts.time.pass(LEASE_SECONDS * 1000);
  parts.engine.outcome(outcomeOf(message, DELIVERED));
  parts.time.pass(DELIVERED_KEPT_MS);
  await parts.engine.quiet();
  expect(parts.engine.knows(again)).toBe(true);
  parts.time.pass(DELIVERED_KEPT_MS);
  await parts.engine.quiet();
  expect(await store.renewClaim({ key: { workflow: message.workflow, workitem: message.row.id }, claim: again.claim, leaseSeconds: 1 })).toBe(false); // biome-ignore format: one question
});

test('one that somebody has made due again since, or that another node may have tried after, is sent', async () => {
  const message = await launched();
  await endedInSilence(message, DELIVERED);
  const askedFor = { ...(await claimedAgain(message)) };
  expect(parts.engine.knows({ ...askedFor, row: { ...askedFor.row, dueAt: START + 5 } })).toBe(false);
  expect(parts.engine.knows({ ...askedFor, row: { ...askedFor.row, openedAt: START + 5 } })).toBe(false);
  expect(parts.engine.knows({ ...askedFor, row: { ...askedFor.row, send: 'cancel' } })).toBe(false);
  await parts.engine.quiet();

  const other = await launchedOf(engineOn(around.store));
  await endedInSilence(other, REFUSED);
  const there = await claimedAgain(other, 'node-2');
  expect(parts.engine.knows(await claimedAgain(there))).toBe(false);
});

test('of what is written in time nothing is remembered', async () => {
  const message = await launched();
  parts.engine.outcome(outcomeOf(message, REFUSED));
  parts.time.pass(DELIVERED_KEPT_MS);
  await parts.engine.quiet();
  expect(parts.engine.knows(message)).toBe(false);
});

async function launchedOf(engine: EngineParts): Promise<ReadyMessage> {
  parts = engine;
  return launched();
}
