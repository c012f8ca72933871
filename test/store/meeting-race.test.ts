import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { judgeEvent } from '../../src/language/event-condition.ts';
import type { EventRow } from '../../src/model/events.ts';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import type { WaiterRow } from '../../src/model/rows.ts';
import {
  givenBack,
  goOn,
  type Handing,
  handingKey,
  lookForKept,
  type MeetingPlace,
  placeWaiters,
  receive,
} from '../../src/store/meeting.ts';
import { waiter as aWaiter } from './samples.ts';

/*
 * Events and those who wait, in every order that chance finds: each question to the database is a moment of its own, writes are seen by others
 * once they are committed, locks are waited for. What has to hold: an await takes an event at most once, and none is lost while it is kept.
 */

type Flaw = 'no lock' | 'looks before its row is written' | 'nothing is given back' | null;
const TENANT = 'race';
const TYPES = ['a', 'b'];
const KEYS = ['1', '2', null];

/** A generator of chance from a seed (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Stored = WaiterRow & {
  readonly workflow: WorkflowId;
  readonly key: string;
  readonly seq: number;
  takenBy: string | null;
};
class Deadlock extends Error {}

function makeWorld(seed: number, flaw: Flaw) {
  const chance = chanceOf(seed);
  const moments: (() => void)[] = [];
  const moment = (): Promise<void> => new Promise((resolve) => void moments.push(resolve));
  const events = new Map<string, EventRow>();
  const waiters = new Map<string, Stored>();
  const places = new Map<string, number>();
  const agenda: { readonly waiter: string; readonly event: string }[] = [];
  const locks = new Map<string, { readonly by: Set<object>; readonly shared: boolean }>();

  /** A transaction: its writes are applied when it commits; what it reads is what is committed then, and what it wrote itself. */
  function begin() {
    const own = {};
    const mine = {
      events: new Map<string, EventRow>(),
      waiters: new Map<string, Stored | null>(),
      places: new Map<string, number>(),
    };
    const handed: { readonly waiter: string; readonly event: string }[] = [];
    const event = (id: string): EventRow | undefined => mine.events.get(id) ?? events.get(id);
    const allEvents = (): EventRow[] => [...new Map([...events, ...mine.events]).values()];
    const allWaiters = (): Stored[] =>
      [...new Map<string, Stored | null>([...waiters, ...mine.waiters]).values()].filter((row) => row !== null);
    async function lock(name: string, shared = false): Promise<void> {
      for (let tries = 0; ; tries++) {
        await moment();
        const held = locks.get(name);
        const others = held === undefined ? [] : [...held.by].filter((by) => by !== own);
        if (others.length === 0 || (shared && held?.shared === true)) {
          const by = new Set([...(held?.by ?? []), own]);
          locks.set(name, { by, shared: shared && (held === undefined || held.shared) });
          return;
        }
        // Whoever waits for so long waits for somebody who waits for him.
        if (tries > 300) throw new Deadlock();
      }
    }
    const end = (): void => {
      for (const [name, { by, shared }] of locks) {
        by.delete(own);
        if (by.size === 0) locks.delete(name);
        else locks.set(name, { by, shared });
      }
    };
    const placeName = (type: string, key: string): string => `place ${type} ${key}`;
    const isFree = (row: Stored, type: string): boolean => row.type === type && row.takenBy === null;
    const place: MeetingPlace = {
      lockWorkflows: async (_, workflows) => new Set(workflows),
      insert: async (rows) => {
        const fresh = new Set<string>();
        for (const row of rows) {
          await lock(`event ${row.eventId}`);
          if (event(row.eventId) !== undefined) continue;
          mine.events.set(row.eventId, row);
          fresh.add(row.eventId);
        }
        return fresh;
      },
      known: async (_, digests) => allEvents().filter(({ digest }) => digests.includes(digest)),
      share: async (_, types) => {
        for (const type of types) if (flaw !== 'no lock') await lock(placeName(type, ''), true);
        return new Map(types.map((type) => [type, { seq: places.get(placeName(type, '')) ?? 0, pointers: [] }]));
      },
      pointers: async () => new Map(),
      lock: async (_, asked) => {
        const counts: number[] = [];
        for (const { type, key, armed } of asked) {
          const name = placeName(type, key);
          if (flaw !== 'no lock') await lock(name);
          const count = (mine.places.get(name) ?? places.get(name) ?? 0) + armed;
          mine.places.set(name, count);
          counts.push(count);
        }
        return counts;
      },
      waiters: async (_, asked, limit) => {
        await moment();
        return asked.map(({ type, key, after }) =>
          allWaiters()
            .filter((row) => isFree(row, type) && row.key === key && row.seq > after)
            .slice(0, limit),
        );
      },
      waitersOf: async () => [],
      keptFor: async () => ({ count: 0, bytes: 0 }),
      kept: async (_, { type, key }) => {
        await moment();
        return allEvents()
          .filter((row) => row.type === type && row.state === 'kept' && (key === null || row.key === key))
          .sort((a, b) => a.receivedAt - b.receivedAt);
      },
      take: async (eventId) => {
        await lock(`event ${eventId}`);
        const row = event(eventId);
        if (row?.state !== 'kept') return false;
        mine.events.set(eventId, { ...row, state: 'delivered', due: false, hits: row.hits + 1 });
        return true;
      },
      hand: async (handings: readonly Handing[]) => {
        const done = new Set<string>();
        for (const handing of handings) {
          const name = `${handing.workflow} ${handing.waiter}`;
          await lock(`waiter ${name}`);
          const row = mine.waiters.has(name) ? mine.waiters.get(name) : waiters.get(name);
          if (row === null || row === undefined || row.takenBy !== null) continue;
          mine.waiters.set(name, { ...row, takenBy: handing.eventId });
          handed.push({ waiter: name, event: handing.eventId });
          done.add(handingKey(handing));
        }
        return done;
      },
      start: async () => {},
      settle: async (rows) => {
        await moment();
        for (const row of rows) mine.events.set(row.eventId, row);
      },
      lockDue: async (eventId) => {
        await lock(`event ${eventId}`);
        const row = event(eventId);
        return row?.due === true ? row : null;
      },
      miss: async (misses, now) => {
        for (const [eventId, count] of misses) {
          await lock(`event ${eventId}`);
          const row = event(eventId);
          if (row === undefined) continue;
          const missed = { ...row, misses: row.misses + count };
          const change = flaw === 'nothing is given back' ? null : givenBack(missed, now);
          mine.events.set(eventId, { ...missed, ...change });
        }
        return true;
      },
      hitting: async () => [],
    };
    return {
      place,
      lock,
      write: (name: string, row: Stored | null): void => void mine.waiters.set(name, row),
      commit: async () => {
        await moment();
        for (const [id, row] of mine.events) events.set(id, row);
        for (const [name, row] of mine.waiters)
          if (row === null) waiters.delete(name);
          else waiters.set(name, row);
        for (const [name, count] of mine.places) places.set(name, count);
        agenda.push(...handed);
        end();
      },
      rollback: end,
    };
  }

  async function within(act: (tx: ReturnType<typeof begin>) => Promise<unknown>): Promise<void> {
    for (;;) {
      const tx = begin();
      try {
        await act(tx);
        return await tx.commit();
      } catch (error) {
        tx.rollback();
        if (!(error instanceof Deadlock)) throw error;
      }
    }
  }
  return { chance, moments, moment, events, waiters, agenda, begin, within };
}

/** One world: who waits, what comes, and who gives up, all at once. Answers what is wrong. */
async function run(seed: number, flaw: Flaw): Promise<string | null> {
  const world = makeWorld(seed, flaw);
  const { chance, within, events, waiters, agenda } = world;
  const pick = <Of>(of: readonly Of[]): Of => of[Math.floor(chance() * of.length)] as Of;
  const taken = new Map<string, string[]>();
  let now = 0;

  const arming = async (n: number): Promise<void> => {
    const workflow = `w${n}` as WorkflowId;
    const row = aWaiter('0_0', { id: '0_0!x' as ExpressionId, type: pick(TYPES), wanted: pick(KEYS), since: n });
    await within(async ({ place, write }) => {
      const asked = [{ workflow, tenant: TENANT, waiter: row }];
      if (flaw === 'looks before its row is written') await lookForKept(place, TENANT, asked, judgeEvent, now);
      const [armed] = await placeWaiters(place, TENANT, asked, now);
      write(`${workflow} ${row.id}`, { ...row, workflow, key: armed?.key ?? '', seq: armed?.seq ?? 0, takenBy: null });
      if (flaw !== 'looks before its row is written') await lookForKept(place, TENANT, asked, judgeEvent, now);
    });
  };
  const coming = async (n: number): Promise<void> => {
    const id = `e${n}`;
    const row: EventRow = {
      ...{
        eventId: id,
        tenant: TENANT,
        digest: id,
        source: 's',
        id,
        type: pick(TYPES),
        key: pick(KEYS),
        sort: 'event',
      },
      ...{ mode: pick(['broadcast', 'competing'] as const), workflowId: null, receivedAt: n, expiresAt: 1e9 },
      ...{ goneAt: null, state: 'kept', hops: 0, hits: 0, misses: 0, resumed: '[]', started: '[]', due: false },
      ...{ spread: null, body: '{}' },
    };
    await within(({ place }) => receive(place, TENANT, [{ row, event: {}, starts: [] }], judgeEvent, now));
  };
  /** The step of an agenda row, or of whoever gives up: both need the lock of the workflow. */
  const stepping = (name: string, event: string | null): Promise<void> =>
    within(async ({ lock, place, write }) => {
      await lock(`workflow ${name}`);
      await lock(`waiter ${name}`);
      const row = waiters.get(name);
      if (event === null) {
        if (row !== undefined) write(name, null);
      } else if (row === undefined) await place.miss(new Map([[event, 1]]), now);
      else {
        taken.set(event, [...(taken.get(event) ?? []), name]);
        write(name, null);
      }
    });
  const wrong: unknown[] = [];
  let underWay = 0;
  const start = (what: Promise<void>): void => {
    underWay++;
    what.catch((error: unknown) => wrong.push(error)).finally(() => underWay--);
  };
  for (let n = 0; n < 8; n++) {
    start(arming(n));
    start(coming(n));
  }
  for (let turns = 0; turns < 60_000; turns++) {
    await turnOfLoop();
    if (wrong.length > 0) throw wrong[0];
    now++;
    if (world.moments.length > 0) {
      const [next] = world.moments.splice(Math.floor(chance() * world.moments.length), 1);
      next?.();
    } else if (underWay === 0) {
      const handed = agenda.shift();
      const due = [...events.values()].find((row) => row.due);
      if (handed !== undefined) start(stepping(handed.waiter, handed.event));
      else if (due !== undefined) start(within(({ place }) => goOn(place, due.eventId, judgeEvent, now)));
      else break;
    }
    if (chance() < 0.02) {
      const name = pick([...waiters.keys(), '']);
      if (name !== '') start(stepping(name, null));
      const handed = agenda.shift();
      if (handed !== undefined) start(stepping(handed.waiter, handed.event));
    }
  }
  return complaint(events, waiters, taken);
}

function complaint(
  events: ReadonlyMap<string, EventRow>,
  waiters: ReadonlyMap<string, Stored>,
  taken: ReadonlyMap<string, readonly string[]>,
): string | null {
  for (const [event, by] of taken) if (new Set(by).size !== by.length) return `${event} was taken twice`;
  const takers = [...taken.values()].flat();
  if (new Set(takers).size !== takers.length) return 'an await took two events';
  for (const row of events.values()) {
    if (row.mode === 'competing' && (taken.get(row.eventId)?.length ?? 0) > 1) return `${row.eventId} went to two`;
    if (row.state === 'delivered' && !taken.has(row.eventId)) return `${row.eventId} is lost`;
    if (row.state !== 'kept') continue;
    for (const waiter of waiters.values())
      if (waiter.type === row.type && (waiter.wanted === null || waiter.wanted === row.key))
        return `${row.eventId} is kept though ${waiter.workflow} waits`;
  }
  return null;
}

const WORLDS = 60;

test(`in ${WORLDS} worlds an await takes an event once, and none is lost while it is kept`, async () => {
  for (let seed = 1; seed <= WORLDS; seed++) expect(await run(seed, null), `seed ${seed}`).toBe(null);
}, 60_000);

test.each(['no lock', 'looks before its row is written', 'nothing is given back'] as const)(
  'a world is found in which it goes wrong with the bug: %s',
  async (flaw) => {
    const found: string[] = [];
    for (let seed = 1; seed <= WORLDS * 4 && found.length === 0; seed++) {
      const wrong = await run(seed, flaw);
      if (wrong !== null) found.push(wrong);
    }
    expect(found).not.toEqual([]);
  },
  60_000,
);
