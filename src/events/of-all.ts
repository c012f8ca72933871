import type { Engine } from '../engine/engine.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import { backoffMs, type ProcessTime, pause } from '../runtime/process-time.ts';
import type { Reads, Recorded } from '../store/store.ts';
import { entriesOf } from './entry.ts';
import { digestFrame, entryFrame, type Frame, heartbeatFrame, liveFrame, resetFrame, retryFrame } from './frames.ts';
import type { KindFilter } from './kinds.ts';
import { atPosition, isBehind, type Place, placeText } from './place.ts';
import { type EventSink, HEARTBEAT_MS, makePieces } from './reading.ts';
import { makeRing, type RingItem } from './ring.ts';

/*
 * Those who watch everything, in the order of commit. Nodes read the same order from the database, so a place on one is a place on all. One
 * tail of a node follows the end while anybody reads, and prints each row once into a ring; a reader is a cursor in it. One that is
 * behind the ring reads pages by itself until it has caught up.
 */

export type AllReader = {
  readonly tenant: Tenant;
  /** What it has seen; null: it begins now. */
  readonly after: Place | null;
  /** Null: of all workflows. */
  readonly workflows: ReadonlySet<WorkflowId> | null;
  readonly wants: KindFilter;
  /** Whether it wants counts of all that happens, whatever else it wants. */
  readonly digest: boolean;
};

export type EventsOfAll = {
  /** Writes events as they come until `signal` is aborted. Rejects when the store cannot be read. */
  follow(reader: AllReader, sink: EventSink, signal: AbortSignal): Promise<void>;
  /** `sent`: events since the start. `lateMs`: for how long the newest events wait for transactions that began before them. */
  readonly figures: () => {
    readonly readers: number;
    readonly ringBytes: number;
    readonly sent: number;
    readonly lateMs: number;
  };
  stop(): Promise<void>;
};

/** Rows of one read. */
const PAGE_ROWS = 500;
/** Readers behind the ring that read at once; the others take turns, a page each. */
const READING_AT_ONCE = 4;
/** Rows of transactions that are not over yet are looked for again after so many milliseconds, growing. */
const AGAIN_MS = { first: 10, most: 250 } as const;
/** Counts are sent at most this often, to those who want them. */
export const DIGEST_MS = 1_000;
/** Taken from the ring at once, in characters. */
const TAKEN_CHARACTERS_MAX = 65_536;

export function makeEventsOfAll(parts: {
  readonly recorded: NonNullable<Reads['recorded']>;
  /** The highest position that was thrown away. */
  readonly retired: () => Promise<number>;
  readonly engine: Pick<Engine, 'watch'>;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly pollSeconds: number;
  readonly ringBytes: number;
}): EventsOfAll {
  const { recorded, engine, time, ids } = parts;
  const ring = makeRing(parts.ringBytes);
  const waiting = new Set<() => void>();
  let readers = 0;
  /** The position below which the ring has everything; null: nobody reads. */
  let upTo: number | null = null;
  let beginning: Promise<void> | null = null;
  let unwatch = (): void => {};
  let cancelLook = (): void => {};
  let lookedInVain = 0;
  let sent = 0;
  /** Since when events are there that have to wait; null: none do. */
  let lateSince: number | null = null;
  let isStopped = false;

  const tail = makeLoop({
    name: 'events of all',
    time,
    ids,
    log: parts.log,
    work: async () => {
      if (upTo === null) return false;
      const page = await readPage(recorded, atPosition(upTo));
      if (upTo === null) return false;
      ring.push(page.items);
      upTo = page.end.position;
      if (page.items.length > 0) {
        lookedInVain = 0;
        for (const wake of [...waiting]) wake();
      }
      if (page.isCut) return true;
      lateSince = page.hasLater ? (lateSince ?? time.now()) : null;
      lookLater(page.hasLater);
      return false;
    },
  });

  function lookLater(soon: boolean): void {
    cancelLook();
    if (readers === 0 || isStopped) return;
    lookedInVain = soon ? lookedInVain + 1 : 0;
    const ms = soon
      ? backoffMs({ failures: lookedInVain, firstMs: AGAIN_MS.first, mostMs: AGAIN_MS.most, fraction: ids.fraction() })
      : parts.pollSeconds * 1000;
    cancelLook = time.after(ms, tail.wake);
  }

  async function join(): Promise<void> {
    readers += 1;
    if (upTo !== null) return;
    beginning ??= recorded.edge().then(({ upTo: position }) => {
      // They have all gone meanwhile.
      if (readers === 0) return;
      upTo = position;
      ring.clear(atPosition(position));
      unwatch = engine.watch('events of all', () => tail.wake());
      lookLater(false);
    });
    await beginning.finally(() => {
      beginning = null;
    });
  }

  function leave(): void {
    readers -= 1;
    if (readers > 0) return;
    unwatch();
    unwatch = () => {};
    cancelLook();
    lateSince = null;
    upTo = null;
    ring.clear(atPosition(0));
  }

  const told = (ms: number, signal: AbortSignal): Promise<void> => {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    waiting.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    return pause(time, ms, woken.signal).finally(() => {
      waiting.delete(wake);
      signal.removeEventListener('abort', wake);
    });
  };

  let reading = 0;
  const turns: (() => void)[] = [];
  async function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    if (reading >= READING_AT_ONCE) await new Promise<void>((resolve) => turns.push(resolve));
    else reading += 1;
    try {
      return await act();
    } finally {
      const next = turns.shift();
      if (next === undefined) reading -= 1;
      else next();
    }
  }

  async function followOne(reader: AllReader, sink: EventSink, signal: AbortSignal): Promise<void> {
    const pieces = makePieces(sink);
    const counts = new Map<string, number>();
    let place = reader.after ?? atPosition(upTo ?? 0);
    let isLive = false;
    let wroteAt = time.now();
    let digestAt = time.now() + DIGEST_MS;
    await sink.write(retryFrame());

    const edge = await recorded.edge();
    if (place.position > edge.upTo) {
      place = atPosition(upTo ?? edge.upTo);
      await sink.write(resetFrame(placeText(place), 'restored'));
    } else if (reader.after !== null && place.position > 0 && place.position <= (await parts.retired())) {
      await sink.write(resetFrame(placeText(place), 'retired'));
    }

    async function send(items: readonly RingItem[]): Promise<void> {
      for (const { tenant, workflow, frames } of items) {
        if (tenant !== reader.tenant) continue;
        const isWatched = reader.workflows === null || reader.workflows.has(workflow);
        if (!isWatched && !reader.digest) continue;
        for (const frame of frames) {
          if (!isBehind(place, frame.place)) continue;
          if (reader.digest) counts.set(frame.kind, (counts.get(frame.kind) ?? 0) + 1);
          if (!isWatched || !reader.wants(frame.kind)) continue;
          wroteAt = time.now();
          sent += 1;
          await pieces.add(frame.text);
        }
      }
      await pieces.flush();
    }

    while (!signal.aborted) {
      if (!ring.has(place)) {
        const page = await inTurn(() => readPage(recorded, place));
        await send(page.items);
        place = page.end;
        continue;
      }
      const items = ring.behind(place, TAKEN_CHARACTERS_MAX);
      if (items.length > 0) {
        await send(items);
        place = (items.at(-1) as RingItem).place;
        continue;
      }
      if (upTo !== null && place.position < upTo) place = atPosition(upTo);
      const now = time.now();
      if (!isLive) {
        isLive = true;
        wroteAt = now;
        await sink.write(liveFrame(placeText(place)));
        continue;
      }
      if (counts.size > 0 && now >= digestAt) {
        digestAt = now + DIGEST_MS;
        wroteAt = now;
        const text = digestFrame(placeText(place), counts);
        counts.clear();
        await sink.write(text);
        continue;
      }
      const silentMs = wroteAt + HEARTBEAT_MS - now;
      if (silentMs <= 0) {
        wroteAt = now;
        await sink.write(heartbeatFrame(placeText(place)));
        continue;
      }
      // Where there is nothing to be counted nobody wakes each second: an open page costs as good as nothing while nothing happens.
      await told(counts.size > 0 ? Math.min(silentMs, digestAt - now) : silentMs, signal);
    }
  }

  return {
    follow: async (reader, sink, signal) => {
      if (isStopped || signal.aborted) return;
      try {
        await join();
        await followOne(reader, sink, signal);
      } finally {
        leave();
      }
    },
    figures: () => ({
      readers,
      ringBytes: ring.bytes(),
      sent,
      lateMs: lateSince === null ? 0 : time.now() - lateSince,
    }),
    stop: async () => {
      isStopped = true;
      cancelLook();
      await tail.stop();
    },
  };
}

export type Page = {
  readonly items: readonly RingItem[];
  /** What has been seen with these. */
  readonly end: Place;
  /** There is more that is over already. */
  readonly isCut: boolean;
  /** Rows are there that have to wait for older transactions. */
  readonly hasLater: boolean;
};

/** The rows behind a place, in the order of all. The last position of a full page is perhaps cut, so it waits for the next page. */
async function readPage(recorded: NonNullable<Reads['recorded']>, place: Place): Promise<Page> {
  const edge = await recorded.edge();
  for (let limit = PAGE_ROWS; ; limit *= 2) {
    const rows = await recorded.rows(place.position, edge.upTo, limit);
    const isFull = rows.length === limit;
    const last = rows.at(-1)?.position ?? 0;
    const whole = isFull ? rows.filter(({ position }) => position < last) : rows;
    // All of one transaction, which has more rows than a page.
    if (isFull && whole.length === 0) continue;
    const items = inOrder(whole)
      .map(itemOf)
      .filter((item) => isBehind(place, item.place));
    return {
      items,
      end: atPosition(isFull ? last : Math.max(edge.upTo, place.position)),
      isCut: isFull,
      hasLater: edge.hasLater,
    };
  }
}

const inOrder = (rows: readonly Recorded[]): readonly Recorded[] =>
  [...rows].sort(
    (a, b) =>
      a.position - b.position ||
      shardOf(a.workflow) - shardOf(b.workflow) ||
      (a.workflow < b.workflow ? -1 : a.workflow > b.workflow ? 1 : a.row.firstN - b.row.firstN),
  );

function itemOf({ position, tenant, workflow, row }: Recorded): RingItem {
  const frames = entriesOf(workflow, row, 0).map((entry) => {
    const place: Place = { position, workflow, n: entry.n };
    const frame: Frame = entryFrame(placeText(place), workflow, entry);
    return { ...frame, place };
  });
  const characters = frames.reduce((sum, { text }) => sum + text.length, 0);
  return { place: { position, workflow, n: row.lastN }, tenant, workflow, frames, characters };
}
