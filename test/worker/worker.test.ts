import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { step as realStep } from '../../src/interpreter/step.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { LOOK_AGAIN_MS } from '../../src/outbox/attempt.ts';
import { BEGUN_AT_ONCE_MAX } from '../../src/outbox/dispatcher.ts';
import type { Post } from '../../src/outbox/post.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { POLL_MS } from '../../src/worker/due-watch.ts';
import { AGENDA_UNDER_WAY_MAX } from '../../src/worker/timers.ts';
import { shareOf } from '../../src/worker/worker.ts';
import {
  engineOn,
  historyOf,
  launch,
  okay,
  proceedOf,
  START,
  until,
  type Watched,
  watched,
  whole,
  workitemOf,
} from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';
import { type Listener, listen, nodeOn, promised, type WorkerParts } from '../support/worker-parts.ts';

const TWO = 'define\n  alpha\n  beta\n';
const ONE = 'define\n  alpha\n';
/** Participants of one workflow, all at once. */
const wide = (names: readonly string[]): string => `concurrence\n${names.map((name) => `  ${name}\n`).join('')}`;
const TEN = Array.from({ length: 10 }, (_, i) => `p${i}`);

let real: Store;
let around: Watched;
let store: Store;
let node: WorkerParts;
let participant: Listener;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  real = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 60_000);
afterAll(() => real.close());
beforeEach(async () => {
  around = watched(real);
  store = around.store;
  participant = await listen(() => node.clock.now());
  closing.push(participant.close);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  // Nothing a test left behind is due for the next one.
  await forgetAll();
});

function started(options: Parameters<typeof nodeOn>[1] = {}, on: Store = store): WorkerParts {
  const parts = nodeOn(on, options);
  closing.push(async () => {
    await parts.worker.stop(0);
    await parts.engine.stop();
    await real.releaseClaims(parts.nodeId);
  });
  return parts;
}

/** Kills every workflow that is not over. */
async function forgetAll(): Promise<void> {
  const janitor = engineOn(real, { nodeId: 'janitor' });
  janitor.clock.advanceTo(START + 1e12);
  for (let after: string | null = null, first = true; first || after !== null; first = false) {
    const page: Awaited<ReturnType<Store['read']['workflows']>> = await real.read.workflows({
      tenant: DEFAULT_TENANT,
      status: null,
      name: null,
      participant: null,
      limit: 500,
      after,
    });
    await janitor.engine.advance(
      page.items.map((row) => ({ workflow: row.id, origin: SERVER, event: { kind: 'kill' as const } })),
    );
    after = page.next;
  }
  await real.retire({ endedBefore: START + 2e12, now: 0, limit: 100_000 });
}

const at = (participantName: string) => participant.visits.filter((visit) => visit.participant === participantName);

describe('delivering', () => {
  test('a first try needs no claim, and its acknowledgement no transaction of its own', async () => {
    let claims = 0;
    const claimDue: Store['claimDue'] = (request) => {
      claims += 1;
      return store.claimDue(request);
    };
    node = started({}, { ...store, claimDue });
    participant.answer = async (visit) => {
      await node.engine.advance([proceedOf(visit.workflow, visit.workitem, { [visit.participant]: 'done' })]);
      return 200;
    };
    const workflow = await launch(node, TWO, { callback: participant.url, fields: { order: 1 } });
    await until(async () => (await whole(store, workflow)).workflow.status === 'completed');
    expect(participant.visits.map((visit) => [visit.participant, visit.status, visit.headers['rota-try']])).toEqual([
      ['alpha', 'active', '1'],
      ['beta', 'active', '1'],
    ]);
    expect(Object.keys(JSON.parse(participant.visits[0]?.body as string))).toEqual([
      'workflow_id',
      'workitem_id',
      'participant',
      'status',
      'fields',
      'proceed_url',
    ]);
    expect(JSON.parse(participant.visits[1]?.body as string)).toMatchObject({ fields: { order: 1, alpha: 'done' } });
    expect(claims).toBe(0);
    expect(around.committed).toHaveLength(3);
  });

  test('a participant that always fails is tried at exactly the seconds of the contract, and no more', async () => {
    node = started();
    participant.answer = () => 500;
    const workflow = await launch(node, ONE, { callback: participant.url });
    for (let i = 0; i < 20; i++) {
      await node.worker.quiet();
      const next = await real.nextDueAt(null);
      if (next === null) break;
      node.clock.advanceTo(next);
    }
    const seconds = participant.visits.map((visit) => (visit.at - START) / 1000);
    expect(seconds).toEqual([0, 30, 61, 123, 396, 1450, 4605, 12411, 29248, 62046, 121125, 221155]);
    expect(participant.visits.map((visit) => Number(visit.headers['rota-try']))).toEqual(seconds.map((_, i) => i + 1));
    expect(new Set(participant.visits.map((visit) => visit.headers['webhook-id'])).size).toBe(1);
    expect((await whole(store, workflow)).workflow.status).toBe('error');
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'callback.refused')).toHaveLength(12);
    expect(kinds.filter((kind) => kind === 'callback.exhausted')).toHaveLength(1);
  });

  test('a notice waits for the try under way, and nothing active starts after it', async () => {
    node = started();
    const first = promised<number>();
    participant.answer = (visit) => (visit.status === 'active' ? first.promise : 200);
    const workflow = await launch(node, ONE, { callback: participant.url });
    await until(() => participant.open() === 1);
    await node.engine.advance([{ workflow, origin: SERVER, event: { kind: 'cancel' } }]);
    // Everything that could be done is done: the notice is not among it.
    await node.engine.quiet();
    expect(participant.visits).toHaveLength(1);
    first.keep(503);
    await node.worker.quiet();
    expect(participant.visits.map((visit) => visit.status)).toEqual(['active', 'cancel']);
    expect(participant.visits[1]?.headers['webhook-id']).not.toBe(participant.visits[0]?.headers['webhook-id']);
    expect((await whole(store, workflow)).workflow.status).toBe('cancelled');
    node.clock.advanceTo(START + 86_400_000);
    await node.worker.quiet();
    expect(participant.visits).toHaveLength(2);
  });

  test('no more tries are under way than the setting says; the others follow', async () => {
    node = started({ triesMax: 3 });
    const waiting: ((status: number) => void)[] = [];
    participant.answer = () => new Promise((resolve) => waiting.push(resolve));
    const workflow = await launch(node, wide(TEN), { callback: participant.url });
    await until(() => participant.open() === 3);
    for (let i = 0; i < 10; i++) {
      await until(() => waiting.length > 0);
      waiting.shift()?.(200);
    }
    await node.worker.quiet();
    expect(participant.mostOpen()).toBe(3);
    expect(new Set(participant.visits.map((visit) => visit.participant))).toEqual(new Set(TEN));
    expect(participant.visits).toHaveLength(10);
    expect((await whole(store, workflow)).workitems.size).toBe(10);
  });

  test('a host that hangs keeps nobody else waiting', async () => {
    node = started({ triesMax: 6, triesPerHostMax: 2 });
    const other = await listen();
    closing.push(other.close);
    const hang = promised<number>();
    participant.answer = () => hang.promise;
    await launch(node, wide(TEN), { callback: participant.url });
    await until(() => participant.open() === 2);
    for (let i = 0; i < 5; i++) await launch(node, wide(TEN), { callback: other.url });
    await until(() => other.visits.length === 50);
    expect(participant.visits).toHaveLength(2);
    hang.keep(200);
    await node.worker.quiet();
    expect(participant.visits).toHaveLength(10);
    expect(participant.mostOpen()).toBe(2);
  });

  test('a message that waited long is looked at again: one that is over meanwhile is never sent', async () => {
    node = started({ triesPerHostMax: 1 });
    const hang = promised<number>();
    participant.answer = (visit) => (visit.participant === 'first' ? hang.promise : 200);
    const first = await launch(node, 'define\n  first\n', { callback: participant.url });
    await until(() => participant.open() === 1);
    const [gone, stays] = [
      await launch(node, 'define\n  gone\n', { callback: participant.url }),
      await launch(node, 'define\n  stays\n', { callback: participant.url }),
    ];
    // Another node hears the answer of a participant that has learnt of its workitem in some other way.
    const elsewhere = engineOn(store, { nodeId: 'node-2' });
    await elsewhere.engine.advance([proceedOf(gone, (await workitemOf(store, gone, 'gone')).id)]);
    node.time.pass(LOOK_AGAIN_MS);
    hang.keep(200);
    await node.worker.quiet();
    expect(at('gone')).toEqual([]);
    expect(at('stays')).toHaveLength(1);
    expect(at('first')).toHaveLength(1);
    expect((await workitemOf(store, stays, 'stays')).send).toBeNull();
    expect((await workitemOf(store, first, 'first')).send).toBeNull();
  });

  test('a message whose lease would not last for a try is claimed anew, or let go', async () => {
    const renewals: boolean[] = [];
    let answer: boolean | null = null;
    node = started(
      { triesPerHostMax: 1 },
      {
        ...store,
        renewClaim: async (request) => {
          const renewed = answer ?? (await store.renewClaim(request));
          renewals.push(renewed);
          return renewed;
        },
      },
    );
    const holds: ((status: number) => void)[] = [];
    participant.answer = () => new Promise((resolve) => holds.push(resolve));
    await launch(node, 'define\n  a\n', { callback: participant.url });
    await until(() => holds.length === 1);
    await launch(node, 'define\n  b\n', { callback: participant.url });
    node.time.pass(10_001); // of thirty seconds: less than 15 + 5 are left
    holds.shift()?.(200);
    await until(() => holds.length === 1);
    expect(renewals).toEqual([true]);
    await launch(node, 'define\n  c\n', { callback: participant.url });
    node.time.pass(10_001);
    answer = false;
    holds.shift()?.(200);
    await until(() => renewals.length === 2 && participant.open() === 0);
    expect(participant.visits.map((visit) => visit.participant)).toEqual(['a', 'b']);
  });

  test('a try is cut off before its lease ends', async () => {
    const timeouts: number[] = [];
    const post = {
      send: async (_: unknown, timeoutMs: number) => {
        timeouts.push(timeoutMs);
        return { kind: 'delivered' as const, status: 200 };
      },
      close: () => {},
    };
    node = started({ post, leaseSeconds: 30, callbackTimeoutSeconds: 29.5 });
    await launch(node, ONE, { callback: participant.url });
    await until(() => timeouts.length === 1);
    expect(timeouts[0]).toBeLessThanOrEqual(29_000);
  });

  test('pausing holds back what waits; resuming sends it', async () => {
    node = started({ triesPerHostMax: 1 });
    const hang = promised<number>();
    participant.answer = (visit) => (visit.participant === 'first' ? hang.promise : 200);
    await launch(node, 'define\n  first\n', { callback: participant.url });
    await until(() => participant.open() === 1);
    const workflow = await launch(node, ONE, { callback: participant.url });
    await node.engine.advance([{ workflow, origin: SERVER, event: { kind: 'pause' } }]);
    hang.keep(200);
    await node.worker.quiet();
    expect(at('alpha')).toEqual([]);
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: 'active', tries: 0, heldAt: START });
    node.clock.advanceTo(START + 60_000);
    await node.engine.advance([{ workflow, origin: SERVER, event: { kind: 'resume' } }]);
    await node.worker.quiet();
    expect(at('alpha')).toHaveLength(1);
  });

  test('what a node without a worker has written is found by the next look, without any hint', async () => {
    const api = engineOn(store, { nodeId: 'api' });
    await launch(api, ONE, { callback: participant.url });
    node = started({}, { ...store, onWake: async () => async () => {}, hearsWakes: () => false });
    await node.worker.start();
    await until(() => participant.visits.length === 1);
    const second = await launch(api, TWO, { callback: participant.url });
    node.time.pass(POLL_MS * 2);
    await until(() => participant.visits.length === 2);
    expect(participant.visits[1]?.workflow).toBe(second);
  });

  test('with the database away nothing crashes, and everything goes on once it is back', async () => {
    let away = true;
    const refuse = (): never => {
      throw new StoreUnavailable('away');
    };
    node = started(
      {},
      {
        ...store,
        claimDue: async (request) => (away ? refuse() : store.claimDue(request)),
        peekAgenda: async (request) => (away ? refuse() : store.peekAgenda(request)),
        nextDueAt: async (after) => (away ? refuse() : store.nextDueAt(after)),
      },
    );
    const api = engineOn(store, { nodeId: 'api' });
    const workflow = await launch(api, "sequence\n  wait '1h'\n  alpha\n", { callback: participant.url });
    await launch(api, ONE, { callback: participant.url });
    node.clock.advanceTo(START + 3_600_000);
    await node.worker.start();
    for (let i = 0; i < 5; i++) {
      node.time.pass(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(participant.visits).toEqual([]);
    away = false;
    await until(() => {
      node.time.pass(10_000);
      return participant.visits.length === 2;
    });
    expect(participant.visits.map((visit) => visit.workflow)).toContain(workflow);
  });
});

describe('stopping', () => {
  test('claims nothing more, lets the try under way end, and writes how it ended', async () => {
    node = started({ triesPerHostMax: 1 });
    const hang = promised<number>();
    participant.answer = () => hang.promise;
    const workflow = await launch(node, 'define\n  first\n', { callback: participant.url });
    await until(() => participant.open() === 1);
    const waits = await launch(node, ONE, { callback: participant.url });
    const stopped = node.worker.stop(20);
    hang.keep(200);
    await stopped;
    await node.engine.stop();
    await store.releaseClaims(node.nodeId);
    expect(await workitemOf(store, workflow, 'first')).toMatchObject({ send: null, tries: 1 });
    expect(participant.visits).toHaveLength(1);
    const next = started({ nodeId: 'node-2' });
    await next.worker.quiet();
    expect(participant.visits.map((visit) => visit.workflow)).toEqual([workflow, waits]);
  });

  test('does not wait for a try that hangs longer than the grace, and does not hold it against the participant', async () => {
    node = started();
    participant.answer = () => new Promise(() => {});
    const workflow = await launch(node, ONE, { callback: participant.url });
    await until(() => participant.open() === 1);
    const stopped = node.worker.stop(5);
    // The timer of the grace; that of messages that wait was there before.
    await until(() => node.time.next() === node.time.now() + 5_000);
    node.time.pass(5_000);
    await stopped;
    await until(() => node.worker.figures().tries.underWay === 0);
    await node.engine.stop();
    await store.releaseClaims(node.nodeId);
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: 'active', tries: 0, dueAt: START });
    expect((await historyOf(store, workflow)).kinds).not.toContain('callback.refused');
  });
});

test('a few tries are begun at once; the event loop goes round before the next', async () => {
  const begun: number[] = [];
  let now = 0;
  const post: Post = {
    send: async () => {
      now += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return { kind: 'delivered', status: 200 };
    },
    close: () => {},
  };
  node = started({ post });
  let counting = true;
  const count = (): void => {
    begun.push(now);
    now = 0;
    if (counting) setImmediate(count);
  };
  count();
  await launch(node, 'citerator times: 80\n  alpha\n', { callback: participant.url });
  await until(() => node.worker.figures().tries.delivered === 80);
  counting = false;
  expect(Math.max(...begun)).toBeLessThanOrEqual(BEGUN_AT_ONCE_MAX);
  expect(Math.max(...begun)).toBeGreaterThan(1);
});

describe('the agenda', () => {
  test('a timer fires when it is due: never early, and once', async () => {
    node = started();
    await node.worker.start();
    const workflow = await launch(node, "sequence\n  wait '3s'\n  alpha\n", { callback: participant.url });
    await node.worker.quiet();
    node.clock.advanceTo(START + 2_999);
    node.time.pass(2_999);
    await node.worker.quiet();
    expect(participant.visits).toEqual([]);
    node.clock.advanceTo(START + 3_000);
    node.time.pass(1);
    await until(() => participant.visits.length === 1);
    await node.worker.quiet();
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'timer.fired')).toHaveLength(1);
  });

  test('thousands of due rows are handled a bounded number at a time', async () => {
    const api = engineOn(store, { nodeId: 'api' });
    const ids: WorkflowId[] = [];
    const launches = Array.from({ length: 600 }, () => launch(api, "wait '1h'\n"));
    ids.push(...(await Promise.all(launches)));
    node = started();
    node.clock.advanceTo(START + 3_600_000);
    let most = 0;
    const quiet = node.worker.quiet();
    let over = false;
    void quiet.then(() => {
      over = true;
    });
    await until(() => {
      most = Math.max(most, node.worker.figures().agenda.underWay);
      return over;
    });
    expect(most).toBeLessThanOrEqual(AGENDA_UNDER_WAY_MAX);
    expect(most).toBeGreaterThan(50);
    const statuses = new Set<string>();
    for (const id of ids) statuses.add((await whole(store, id)).workflow.status);
    expect([...statuses]).toEqual(['completed']);
  });

  test('a row whose step throws does not keep others waiting, and ends up held with its workflow in error', async () => {
    let bad: WorkflowId | null = null;
    node = started({
      step: (loaded, stimulus, context) => {
        if (stimulus.event.kind === 'due' && loaded.workflow?.id === bad) throw new Error('a bug');
        return realStep(loaded, stimulus, context);
      },
    });
    bad = await launch(node, "wait '1s'\n");
    const good = await launch(node, "wait '2s'\n");
    node.clock.advanceTo(START + 10_000);
    node.worker.wake();
    await until(async () => (await whole(store, good)).workflow.status === 'completed');
    await until(async () => {
      node.time.pass(1_000);
      return (await whole(store, bad as WorkflowId)).workflow.status === 'error';
    });
    await until(() => {
      node.time.pass(1_000);
      return node.worker.figures().agenda.underWay === 0;
    });
    const { fed } = node.worker.figures().agenda;
    for (let i = 0; i < 5; i++) {
      node.time.pass(60_000);
      node.worker.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(node.worker.figures().agenda.fed).toBe(fed);
  });

  test('a step of many turns goes on by itself: no look at the agenda is needed between two of them', async () => {
    const looks: number[] = [];
    const on: Store = {
      ...store,
      peekAgenda: (about) => {
        looks.push(about.now);
        return store.peekAgenda(about);
      },
    };
    node = started({}, on);
    const workflow = await launch(node, 'citerator times: 1000\n  noop\n');
    await until(async () => (await whole(store, workflow)).workflow.status === 'completed');
    expect(node.worker.figures().agenda.fed).toBeGreaterThan(3);
    expect(looks).toEqual([]);
  });

  test('a workflow that never rests takes its turns behind the others', async () => {
    node = started();
    const restless = await launch(node, 'cursor\n  noop\n  rewind\n');
    participant.answer = async (visit) => {
      await node.engine.advance([proceedOf(visit.workflow, visit.workitem)]);
      return 200;
    };
    const others = await Promise.all(
      Array.from({ length: 20 }, () => launch(node, TWO, { callback: participant.url })),
    );
    await until(() => participant.visits.length === 40);
    await until(async () => (await whole(store, others[19] as WorkflowId)).workflow.status === 'completed');
    expect((await whole(store, restless)).workflow.status).toBe('running');
    expect(okay(await node.engine.advance([{ workflow: restless, origin: SERVER, event: { kind: 'kill' } }]))).toEqual([
      true,
    ]);
    await node.worker.quiet();
    expect((await whole(store, restless)).workflow.status).toBe('killed');
  });
});

test('every working node has a share of the agenda of its own', () => {
  const row = (id: string, role = 'all', alive = true) => ({ id, role, alive });
  const nodes = [row('c'), row('a'), row('b', 'worker'), row('d', 'api'), row('e', 'all', false)];
  expect(['a', 'b', 'c'].map((id) => shareOf(nodes, id))).toEqual([
    { share: 0, shares: 3 },
    { share: 1, shares: 3 },
    { share: 2, shares: 3 },
  ]);
  expect(shareOf(nodes, 'd')).toEqual({ share: 0, shares: 1 });
  expect(shareOf([], 'a')).toEqual({ share: 0, shares: 1 });
});
