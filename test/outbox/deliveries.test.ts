import { expect, test } from 'vitest';
import type { Message } from '../../src/outbox/message.ts';
import { type DeliveryParts, deliveryOwner } from '../../src/outbox/owners/delivery.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { DeliveryRow } from '../../src/store/store.ts';
import { whomOf } from '../../src/store/tables/delivery.ts';

const PLACES = 8;
const DAY_MS = 86_400_000;

/** An owner over rows in memory that never end their tries by themselves. */
function around(due: DeliveryRow[], isEnabled = true) {
  const putOff: number[] = [];
  const ended: string[] = [];
  /** What writing the end of a try comes to. */
  const write = { how: async (): Promise<boolean> => true };
  let now = 0;
  const store: Pick<DeliveryParts['store']['deliveries'], 'claim' | 'putOff' | 'nextDueAt' | 'end'> = {
    claim: async ({ limit, skip }) => {
      const found = due.filter((row) => !skip.includes(whomOf(row))).slice(0, limit);
      for (const row of found) due.splice(due.indexOf(row), 1);
      return found;
    },
    putOff: async (_id, _claim, dueAt) => void putOff.push(dueAt - now),
    nextDueAt: async () => null,
    end: async (id, _claim, { state }) => {
      const isWritten = await write.how();
      if (isWritten) ended.push(`${id} ${state}`);
      return isWritten;
    },
  };
  const owner = deliveryOwner({
    store: { deliveries: store as DeliveryParts['store']['deliveries'] },
    subscriptions: {
      any: () => true,
      get: (id) =>
        id.startsWith('unknown')
          ? null
          : { url: 'http://one.test', headers: {}, secret: null, retry: null, enabled: isEnabled, failingSince: null },
      isGone: async (id) => id === 'unknown-deleted',
      note: async () => true,
    },
    clock: { now: () => now } as DeliveryParts['clock'],
    time: manualTime(),
    untilUsed: () => () => {},
    ids: randomIds(),
    log: silentLog,
    settings: { userAgent: 'rota', leaseSeconds: 30, triesMax: PLACES * 4, schedule: { active: [], notice: [] } },
  });
  const claim = async (): Promise<readonly Message[]> =>
    owner.claim({ now, limit: 100, leaseSeconds: 30, skip: [], bytesMax: 1_000_000 }, 30_000);
  return {
    owner,
    claim,
    ended,
    write,
    putOff,
    at: (ms: number) => {
      now = ms;
    },
  };
}

const row = (subscription: string, n: number): DeliveryRow => ({
  ...{ id: `${subscription}${n}`, tenant: 'default', subscription, workflowId: 'w', n, type: 't', event: '{}' },
  ...{ target: null, ordered: false, state: 'owed', tries: 0, dueAt: 0, createdAt: 0, goneAt: null, log: '[]' },
  ...{ claim: null, leaseUntil: null },
});
const rows = (subscription: string): DeliveryRow[] => Array.from({ length: 50 }, (_, n) => row(subscription, n));

test('however many who never answer are owed something, a place is left for another one', async () => {
  const due = [...rows('slow'), ...rows('silent'), ...rows('stuck')];
  const { owner, claim } = around(due);
  expect(await claim()).toEqual([]);
  owner.start();
  const under = new Map<string, number>();
  for (let i = 0; i < 10; i++) for (const { line } of await claim()) under.set(line, (under.get(line) ?? 0) + 1);
  expect(Math.max(...under.values())).toBeLessThanOrEqual(PLACES / 2);
  due.unshift(row('quick', 0));
  owner.owed();
  expect((await claim()).map(({ name }) => name)).toEqual(['quick0']);
});

test('what is owed to one that is disabled is looked at ever more seldom', async () => {
  const due: DeliveryRow[] = [];
  const { owner, claim, putOff, at } = around(due, false);
  owner.start();
  for (const age of [0, DAY_MS / 2, 10 * DAY_MS]) {
    at(age);
    due.push(row('off', 0));
    owner.owed();
    for (const message of await claim()) {
      const request = message.request();
      if (!('unsent' in request)) throw new Error('It was sent');
      message.ended({ startedAt: age, endedAt: age, result: request.unsent });
    }
    await owner.settled();
  }
  expect(putOff).toEqual([60_000, DAY_MS / 4, DAY_MS]);
});

test('what is owed to one that only others know of is kept, and to one that was deleted it is spent', async () => {
  const { owner, claim, putOff, ended } = around([row('unknown-new', 0), row('unknown-deleted', 0)]);
  owner.start();
  for (const message of await claim()) {
    const request = message.request();
    if (!('unsent' in request)) throw new Error('It was sent');
    message.ended({ startedAt: 0, endedAt: 0, result: request.unsent });
  }
  await owner.settled();
  expect(putOff).toEqual([2_000]);
  expect(ended).toEqual(['unknown-deleted0 spent']);
});

test.each<[string, () => Promise<boolean>]>([
  ['the database was away', () => Promise.reject(new Error('away'))],
  ['it had been claimed once more', async () => false],
])('a delivery whose end could not be written, for %s, is not sent again but written', async (_, how) => {
  const due = [row('one', 0)];
  const { owner, claim, ended, write } = around(due);
  owner.start();
  write.how = how;
  const [message] = await claim();
  message?.ended({ startedAt: 0, endedAt: 5, result: { kind: 'delivered', status: 204 } });
  await owner.settled();
  expect(ended).toEqual([]);
  write.how = async () => true;
  due.push(row('one', 0));
  const [again] = await claim();
  expect(again?.isKnown?.()).toBe(true);
  await owner.settled();
  expect(ended).toEqual(['one0 delivered']);
  expect(owner.isBusy()).toBe(false);
  // Owed anew, as somebody asked: another due time, and another try.
  due.push({ ...row('one', 0), dueAt: 9 }, row('one', 0));
  for (const further of await claim()) expect(further.isKnown?.()).toBe(false);
});
