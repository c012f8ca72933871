import {
  type EventRow,
  fits,
  handedId,
  hasHeard,
  type Judge,
  keyOf,
  NAMED_MAX,
  type Received,
} from '../model/events.ts';
import { Fault } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { JsonObject } from '../model/json.ts';
import { atPointer } from '../model/pointer.ts';
import type { WaiterRow } from '../model/rows.ts';

/*
 * Where events and those who wait for them meet, without a race and without a loss. Both touch the same row of `correlation`: who waits writes
 * its row, *then* looks at the events that are kept; who brings an event locks the row, *then* looks at those who wait. Whoever comes second
 * sees what the first has written.
 *
 * Locks are taken in this order: workflows, the rows '' of the types, the rows of the keys, each sorted.
 *
 * It is one thing, for arming, receiving and giving back are right only together.
 *
 * This is what has to be done and in which order; how a database does it is a `MeetingPlace` (meeting-place.ts; the simulation has its own).
 */

/** A waiter as it is found. */
export type Waiting = WaiterRow & {
  readonly workflow: WorkflowId;
  readonly key: string;
  readonly seq: number;
};

export const handingKey = ({ workflow, waiter, eventId }: Pick<Handing, 'workflow' | 'waiter' | 'eventId'>): string =>
  `${workflow} ${handedId(eventId, waiter)}`;

export type Arming = { readonly workflow: WorkflowId; readonly tenant: string; readonly waiter: WaiterRow };

/** An event goes to a waiter: an agenda row of its workflow. `marks`: the waiter takes no other. */
export type Handing = {
  readonly workflow: WorkflowId;
  readonly waiter: string;
  readonly path: string;
  readonly eventId: string;
  readonly marks: boolean;
  /** Of BPMN: the element that takes it. */
  readonly element: string | null;
};

/** What a row '' says: how many were armed at it, and the pointers of its type. */
export type Shared = { readonly seq: number; readonly pointers: readonly string[] };

/** A row of correlation. */
export type Place = { readonly type: string; readonly key: string };

/** One transaction of a database, as those who meet see it. All of one tenant. */
export type MeetingPlace = {
  /** Locks workflows in order; what is not answered is not there, another tenant's, or over. */
  lockWorkflows(tenant: string, workflows: readonly WorkflowId[]): Promise<ReadonlySet<WorkflowId>>;
  /** Inserts events; answers the ids of those that are new. Waits for others that insert the same. */
  insert(events: readonly EventRow[]): Promise<ReadonlySet<string>>;
  /** Events by their digests. */
  known(tenant: string, digests: readonly string[]): Promise<readonly EventRow[]>;
  /** Makes the rows '' where they are absent and locks them shared; what each type's says. */
  share(tenant: string, types: readonly string[], now: number): Promise<ReadonlyMap<string, Shared>>;
  /** The pointers of each type, locking nothing. */
  pointers(tenant: string, types: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Makes rows where they are absent, locks them, counts `armed` on, adds the pointers. Answers the counts after. Give them sorted. */
  lock(
    tenant: string,
    places: readonly (Place & { readonly armed: number; readonly pointers?: readonly string[] })[],
    now: number,
  ): Promise<readonly number[]>;
  /** Those who wait at each place with a number beyond `after` and take an event yet, by number, at most `limit` for each. */
  waiters(
    tenant: string,
    places: readonly (Place & { readonly after: number })[],
    limit: number,
  ): Promise<readonly (readonly Waiting[])[]>;
  /** Those of one workflow, the longest waiting first. */
  waitersOf(workflow: WorkflowId, type: string, limit: number): Promise<readonly Waiting[]>;
  /** How many events are kept for one workflow, and their bytes. */
  keptFor(workflow: WorkflowId, now: number): Promise<{ readonly count: number; readonly bytes: number }>;
  /** Events kept at `now` that may fit, oldest first: of the type for whoever waits, with that key (null: any), or for the workflow. */
  kept(
    tenant: string,
    asked: { readonly type: string; readonly key: string | null; readonly workflow: WorkflowId; readonly now: number },
    limit: number,
  ): Promise<readonly EventRow[]>;
  /** A kept event is taken by a workflow; false when somebody else was first. */
  take(eventId: string, workflow: WorkflowId): Promise<boolean>;
  /** Writes the agenda rows that launch workflows. */
  start(starts: readonly Start[], now: number): Promise<void>;
  /** Marks waiters and writes agenda rows for those that are there still; answers their keys (`handingKey`). */
  hand(handings: readonly Handing[], now: number): Promise<ReadonlySet<string>>;
  /** Writes what has become of events: all but their attributes. */
  settle(events: readonly EventRow[]): Promise<void>;
  /** Events that still are as `due` says, locked; nothing when another node is at it. */
  lockDue(eventId: string): Promise<EventRow | null>;
  /** Hits of events that found nobody any more; given back those of which nothing has come. */
  miss(misses: ReadonlyMap<string, number>, now: number): Promise<boolean>;
  /** Workflows are about to be swept: the events on their way to them, an id for each time. Nothing is handed to them from here on. */
  hitting(workflows: readonly WorkflowId[]): Promise<readonly string[]>;
};

/** Hits that are written at once; beyond them others go on, a piece at a time. */
export const HITS_AT_ONCE = 1_000;
/** Waiters or events that are looked at for one that fits, where a condition decides. */
export const LOOKED_AT_MAX = 1_000;
/** Pointers to keys that are known of a type; waiters with others wait where those without a key do. */
export const POINTERS_MAX = 8;
/** Messages kept for one workflow, and bytes of them. */
export const KEPT_FOR_ONE_MAX = 1_000;
export const KEPT_FOR_ONE_BYTES_MAX = 4 * 1024 * 1024;
/** An event that found nobody any more waits at least so long for another. */
const GIVEN_BACK_MS = 60_000;

const ordered = (a: Place, b: Place): number =>
  a.type < b.type ? -1 : a.type > b.type ? 1 : a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
const textOf = ({ type, key }: Place): string => JSON.stringify([type, key]);
const longestWaiting = (a: Waiting, b: Waiting): number => a.since - b.since || a.seq - b.seq;

/** A workflow to be launched: its id was made before, the payload of its agenda row says what it is. */
export type Start = { readonly workflow: WorkflowId; readonly payload: string };

export type Coming = {
  readonly row: EventRow;
  readonly event: JsonObject;
  readonly starts: readonly Start[];
};

/**
 * Receives events of one tenant, in their order. Those that are there already are answered as they were.
 *
 * @param events at most a hundred; their rows as they would be kept if nobody waited
 * @param again they are stored already, and are received anew
 */
export async function receive(
  place: MeetingPlace,
  tenant: string,
  events: readonly Coming[],
  judge: Judge,
  now: number,
  again = false,
): Promise<readonly Received[]> {
  const direct = [
    ...new Set(events.flatMap(({ row }) => (row.workflowId === null ? [] : [row.workflowId as WorkflowId]))),
  ];
  const living = direct.length === 0 ? new Set<WorkflowId>() : await place.lockWorkflows(tenant, direct.sort());
  const stranger = direct.find((id) => !living.has(id));
  if (stranger !== undefined)
    throw new Fault('workflow_not_found', `There is no workflow ${stranger} that an event could reach, or it is over`);
  const fresh = again ? new Set(events.map(({ row }) => row.eventId)) : await insertOnce(place, events);
  const taken = events.filter((each) => fresh.has(each.row.eventId));
  const repeated = events.filter((each) => !fresh.has(each.row.eventId));

  const meeting = await meet(
    place,
    tenant,
    taken.filter(({ row }) => row.workflowId === null),
    now,
  );
  /** Waiters that an event of this batch has taken. */
  const gone = new Set<string>();
  const chosen: {
    readonly coming: Coming;
    readonly handings: readonly Handing[];
    readonly rest: readonly Rest[] | null;
  }[] = [];
  for (const each of taken) {
    const { row, event } = each;
    const found =
      row.workflowId === null
        ? meeting.of(each)
        : { waiters: await place.waitersOf(row.workflowId as WorkflowId, row.type, LOOKED_AT_MAX), rest: null };
    const fitting = found.waiters.filter(
      (waiter) =>
        !gone.has(`${waiter.workflow} ${waiter.id}`) &&
        !hasHeard(row, waiter.workflow) &&
        fits(waiter, { ...row, event }, judge),
    );
    const hits = row.mode === 'broadcast' ? fitting : [...fitting].sort(longestWaiting).slice(0, 1);
    for (const waiter of hits) if (waiter.once) gone.add(`${waiter.workflow} ${waiter.id}`);
    chosen.push({
      coming: each,
      handings: hits.map((waiter) => handingOf(row, waiter)),
      rest: row.mode === 'broadcast' ? found.rest : null,
    });
    if (hits.length === 0 && row.workflowId !== null && row.expiresAt > now) {
      // Its own row is counted already.
      const kept = await place.keptFor(row.workflowId as WorkflowId, now);
      if (kept.count > KEPT_FOR_ONE_MAX || kept.bytes > KEPT_FOR_ONE_BYTES_MAX)
        throw new Fault(
          'messages_full',
          `${KEPT_FOR_ONE_MAX} messages, or ${KEPT_FOR_ONE_BYTES_MAX} bytes of them, are kept for the workflow already that nobody has waited for`,
        );
    }
  }
  const all = chosen.flatMap(({ handings }) => handings);
  const handed = all.length === 0 ? new Set<string>() : await place.hand(all, now);
  const starts = taken.flatMap((each) => each.starts);
  if (starts.length > 0) await place.start(starts, now);
  const outcomes = new Map<string, Received>();
  for (const { coming, handings, rest } of chosen) {
    const hits = handings.filter((handing) => handed.has(handingKey(handing)));
    const element = hits.find((hit) => hit.element !== null)?.element ?? null;
    const row = settled(coming, hits, { rest, missed: hits.length < handings.length }, now);
    outcomes.set(row.eventId, {
      row,
      duplicate: false,
      ...(element === null ? {} : { element }),
      handed: hits.map(({ workflow, waiter, eventId }) => ({ workflow, agenda: handedId(eventId, waiter) })),
    });
  }
  if (outcomes.size > 0) await place.settle([...outcomes.values()].map(({ row }) => row));

  const before = new Map(
    repeated.length === 0
      ? []
      : (
          await place.known(
            tenant,
            repeated.map(({ row }) => row.digest),
          )
        ).map((row) => [row.digest, row] as const),
  );
  return events.map((each): Received => {
    return (
      outcomes.get(each.row.eventId) ?? {
        row: before.get(each.row.digest) ?? each.row,
        // Its own row is there when what became of a commit was not known, and it was made again.
        duplicate: before.get(each.row.digest)?.eventId !== each.row.eventId,
        handed: [],
      }
    );
  });
}

/** One batch may hold the same event twice: the first counts. */
async function insertOnce(place: MeetingPlace, events: readonly Coming[]): Promise<ReadonlySet<string>> {
  const first = new Map<string, EventRow>();
  for (const { row } of events) if (!first.has(row.digest)) first.set(row.digest, row);
  return first.size === 0 ? new Set() : place.insert([...first.values()]);
}

const handingOf = (row: EventRow, waiter: Waiting): Handing => ({
  workflow: waiter.workflow,
  waiter: waiter.id,
  path: waiter.path,
  eventId: row.eventId,
  marks: waiter.once,
  element: waiter.element,
});

function settled(
  { row, starts }: Coming,
  hits: readonly Handing[],
  found: { readonly rest: readonly Rest[] | null; readonly missed: boolean },
  now: number,
): EventRow {
  const resumed = [...new Set(hits.map(({ workflow }) => workflow))].slice(0, NAMED_MAX);
  const base = { ...row, hits: hits.length, misses: 0, resumed: JSON.stringify(resumed), due: false, spread: null };
  if (found.rest !== null) return { ...base, state: 'spreading', due: true, spread: JSON.stringify(found.rest) };
  if (hits.length > 0 || starts.length > 0) return { ...base, state: 'delivered' };
  // Those it was for have just gone: others may wait.
  if (found.missed) return { ...base, state: 'kept', due: true, ...keptLonger(row, now) };
  return { ...base, state: row.expiresAt > now ? 'kept' : 'expired' };
}

const keptLonger = (row: EventRow, now: number): Pick<EventRow, 'expiresAt' | 'goneAt'> => {
  const expiresAt = Math.max(row.expiresAt, now + GIVEN_BACK_MS);
  return { expiresAt, goneAt: row.goneAt === null ? null : Math.max(row.goneAt, expiresAt) };
};

/** Places with waiters that were not looked at yet: those with a number beyond `after`, and up to `upTo`. */
type Rest = Place & { readonly after: number; readonly upTo: number };

/** Locks the places where these events meet somebody, and finds who waits there. */
async function meet(
  place: MeetingPlace,
  tenant: string,
  events: readonly Coming[],
  now: number,
): Promise<{
  readonly of: (coming: Coming) => { readonly waiters: readonly Waiting[]; readonly rest: readonly Rest[] | null };
}> {
  if (events.length === 0) return { of: () => ({ waiters: [], rest: null }) };
  const types = [...new Set(events.map(({ row }) => row.type))].sort();
  const shared = await place.share(tenant, types, now);
  const keysOf = ({ row, event }: Coming): readonly string[] => {
    const found = (shared.get(row.type)?.pointers ?? []).map((pointer) => keyOf(atPointer(event, pointer)));
    return [...new Set([row.key, ...found].filter((key): key is string => key !== null))];
  };
  const keyed = new Map<string, Place>();
  for (const each of events)
    for (const key of keysOf(each)) keyed.set(textOf({ type: each.row.type, key }), { type: each.row.type, key });
  const places = [...keyed.values()].sort(ordered);
  const counts =
    places.length === 0
      ? []
      : await place.lock(
          tenant,
          places.map((each) => ({ ...each, armed: 0 })),
          now,
        );
  const upTo = new Map(places.map((each, i) => [textOf(each), counts[i] ?? 0]));
  for (const [type, { seq }] of shared) upTo.set(textOf({ type, key: '' }), seq);

  const asked = [...types.map((type) => ({ type, key: '' })), ...places];
  const found = await place.waiters(
    tenant,
    asked.map((each) => ({ ...each, after: 0 })),
    HITS_AT_ONCE + 1,
  );
  const at = new Map(asked.map((each, i) => [textOf(each), found[i] ?? []]));
  return {
    of: (coming) => {
      const own = ['', ...keysOf(coming)].map((key) => ({ type: coming.row.type, key }));
      const waiters: Waiting[] = [];
      const rest: Rest[] = [];
      for (const each of own) {
        const all = at.get(textOf(each)) ?? [];
        const now = all.slice(0, Math.max(0, HITS_AT_ONCE - waiters.length));
        waiters.push(...now);
        if (now.length < all.length)
          rest.push({ ...each, after: now.at(-1)?.seq ?? 0, upTo: upTo.get(textOf(each)) ?? 0 });
      }
      return { waiters, rest: rest.length === 0 ? null : rest };
    },
  };
}

/** Where a waiter is armed, and its number there. */
export type Armed = Place & { readonly seq: number };

/**
 * A step makes somebody wait: its place is locked before its row is written.
 *
 * @returns where each waiter is armed, in their order
 */
export async function placeWaiters(
  place: MeetingPlace,
  tenant: string,
  waiters: readonly Arming[],
  now: number,
): Promise<readonly Armed[]> {
  const types = [...new Set(waiters.flatMap(({ waiter }) => (waiter.keyFrom === null ? [] : [waiter.type])))].sort();
  const pointers = types.length === 0 ? new Map<string, readonly string[]>() : await place.pointers(tenant, types);
  const added = new Map<string, string[]>();
  const places = waiters.map(({ waiter: { type, wanted, keyFrom } }): Place => {
    if (wanted === null) return { type, key: '' };
    if (keyFrom === null) return { type, key: wanted };
    const known = [...(pointers.get(type) ?? []), ...(added.get(type) ?? [])];
    if (known.includes(keyFrom)) return { type, key: wanted };
    if (known.length >= POINTERS_MAX) return { type, key: '' };
    added.set(type, [...(added.get(type) ?? []), keyFrom]);
    return { type, key: wanted };
  });
  const counts = new Map<string, Place & { armed: number; pointers?: readonly string[] }>();
  for (const [type, own] of added) counts.set(textOf({ type, key: '' }), { type, key: '', armed: 0, pointers: own });
  for (const each of places) {
    const known = counts.get(textOf(each)) ?? { ...each, armed: 0 };
    counts.set(textOf(each), { ...known, armed: known.armed + 1 });
  }
  const all = [...counts.values()].sort(ordered);
  const next = new Map<string, number>();
  for (const group of [all.filter(({ key }) => key === ''), all.filter(({ key }) => key !== '')]) {
    if (group.length === 0) continue;
    const after = await place.lock(tenant, group, now);
    group.forEach((each, i) => {
      next.set(textOf(each), (after[i] ?? 0) - each.armed + 1);
    });
  }
  return places.map((each) => {
    const seq = next.get(textOf(each)) ?? 1;
    next.set(textOf(each), seq + 1);
    return { ...each, seq };
  });
}

/**
 * The rows of the waiters are written: what is kept for them is handed to them.
 *
 * @returns whether there was something, so that it has to be stepped after the commit
 */
export async function lookForKept(
  place: MeetingPlace,
  tenant: string,
  waiters: readonly Arming[],
  judge: Judge,
  now: number,
): Promise<boolean> {
  const handings: Handing[] = [];
  for (const { workflow, waiter } of waiters) {
    const key = waiter.keyFrom === null ? waiter.wanted : null;
    for (const row of await place.kept(tenant, { type: waiter.type, key, workflow, now }, LOOKED_AT_MAX)) {
      if (!fits(waiter, { ...row, event: JSON.parse(row.body) as JsonObject }, judge)) continue;
      if (!(await place.take(row.eventId, workflow))) continue;
      const { id, path, once, element } = waiter;
      handings.push({ workflow, waiter: id, path, eventId: row.eventId, marks: once, element });
      if (waiter.once) break;
    }
  }
  if (handings.length > 0) await place.hand(handings, now);
  return handings.length > 0;
}

/**
 * Goes on with an event: hands it to a thousand more, or, when it was given back, receives it anew.
 *
 * @returns null when there is nothing to do any more
 */
export async function goOn(
  place: MeetingPlace,
  eventId: string,
  judge: Judge,
  now: number,
  starts: readonly Start[] = [],
): Promise<Received | null> {
  const row = await place.lockDue(eventId);
  if (row === null) return null;
  const event = JSON.parse(row.body) as JsonObject;
  if (row.state !== 'spreading') {
    try {
      return (await receive(place, row.tenant, [{ row, event, starts }], judge, now, true))[0] ?? null;
    } catch (error) {
      // The workflow it was for is over.
      if (!(error instanceof Fault)) throw error;
      await place.settle([{ ...row, state: 'expired', due: false }]);
      return null;
    }
  }
  const [first, ...others] = JSON.parse(row.spread ?? '[]') as readonly Rest[];
  if (first === undefined) {
    await place.settle([{ ...row, state: 'delivered', due: false, spread: null }]);
    return null;
  }
  const [found = []] = await place.waiters(row.tenant, [first], HITS_AT_ONCE);
  const hits = found.filter(
    (waiter) => waiter.seq <= first.upTo && !hasHeard(row, waiter.workflow) && fits(waiter, { ...row, event }, judge),
  );
  const handings = hits.map((waiter) => handingOf(row, waiter));
  const handed = handings.length === 0 ? new Set<string>() : await place.hand(handings, now);
  const served = handings.filter((handing) => handed.has(handingKey(handing)));
  const isDone = found.length < HITS_AT_ONCE || (found.at(-1)?.seq ?? 0) >= first.upTo;
  const rest = isDone ? others : [{ ...first, after: found.at(-1)?.seq ?? first.upTo }, ...others];
  const after: EventRow = {
    ...row,
    hits: row.hits + served.length,
    state: rest.length === 0 ? 'delivered' : 'spreading',
    due: rest.length > 0,
    spread: rest.length === 0 ? null : JSON.stringify(rest),
  };
  await place.settle([after]);
  return {
    row: after,
    duplicate: false,
    handed: served.map(({ workflow, waiter }) => ({ workflow, agenda: handedId(eventId, waiter) })),
  };
}

/** What an event of which so many hits found nobody becomes; null: as it is, for somebody has taken it, or may. */
export function givenBack(row: EventRow, now: number): Partial<EventRow> | null {
  if (row.state !== 'delivered' || row.misses < row.hits || row.started !== '[]') return null;
  return { state: 'kept', due: true, hits: 0, misses: 0, resumed: '[]', ...keptLonger(row, now) };
}
