import { randomUUID } from 'node:crypto';
import { type RetryRules, readRetryRules, retryDelayMs, type Schedule } from '../../engine/retry-rules.ts';
import type { Json } from '../../model/json.ts';
import type { Tenant } from '../../model/tenant.ts';
import { makeBoundedMap } from '../../runtime/bounded.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Ids } from '../../runtime/ids.ts';
import type { Log } from '../../runtime/log.ts';
import { makeLoop } from '../../runtime/loop.ts';
import type { ProcessTime } from '../../runtime/process-time.ts';
import type { UntilUsed } from '../../runtime/until-used.ts';
import type { DeliveryRow, Store } from '../../store/store.ts';
import { whomOf } from '../../store/tables/delivery.ts';
import { hostOf, type Message, type Owner, type TryEnd } from '../message.ts';
import { type Signer, sharedSigner, signed } from '../signing.ts';

/*
 * Messages to those who are told of lifecycles: rows of `delivery`. They have places of their own, a quarter of all, so that whoever is slow to
 * hear never delays a callback.
 */

/** Where a subscription's events go, as it is known now. */
export type Destination = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string | null;
  readonly retry: Json;
  readonly enabled: boolean;
  readonly failingSince: number | null;
};

export type DisabledReason = 'gone' | 'failing' | 'backlog';

export type DeliveryParts = {
  readonly store: Pick<Store, 'deliveries'>;
  readonly subscriptions: {
    readonly any: () => boolean;
    readonly get: (id: string) => Destination | null;
    /** Whether the database says that there is none any more: `get` may not know of one yet that another node has made. */
    readonly isGone: (id: string) => Promise<boolean>;
    /** The last try has failed, or was taken; with a reason it is disabled. */
    readonly note: (
      id: string,
      told: { readonly failingSince: number | null; readonly reason?: DisabledReason },
    ) => Promise<unknown>;
  };
  readonly signersOf?: (tenant: Tenant, url: string) => readonly Signer[];
  readonly clock: Clock;
  readonly time: ProcessTime;
  /** Where there is no subscription and nothing was ever owed, as on most nodes, nothing is looked at before there is something. */
  readonly untilUsed: UntilUsed;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: {
    readonly userAgent: string;
    readonly leaseSeconds: number;
    readonly triesMax: number;
    readonly schedule: Schedule;
  };
};

export type DeliveryOwner = Owner & {
  /** Something may be due. */
  wake(): void;
  /** Something is due: this node has written it. */
  owed(): void;
  /** Ends of tries are still to be written. */
  isBusy(): boolean;
  /** From now on this is called when something is due. */
  connect(wakeDispatcher: () => void): void;
  /** Nothing is claimed before: only then it is known where things go. */
  start(): void;
  /** Resolves when the ends of tries are written. */
  settled(): Promise<void>;
  stop(): Promise<void>;
};

/** Of all tries at once deliveries take at most this part. */
const PLACES_PART = 4;
/** Without a word the table is looked at so often: another node may have written what is due. */
const POLL_MS = 3_000;
/** What is owed to one that is disabled is looked at again after half its age, within these bounds; sooner when that is enabled again. */
const DISABLED_MS_MIN = 60_000;
const DISABLED_MS_MAX = 86_400_000;
/** One that is not known here, and that others know, is looked at again after so long. */
const UNKNOWN_MS = 2_000;
const DAY_MS = 86_400_000;
const DELIVERED_KEPT_MS = DAY_MS;
const SPENT_KEPT_MS = 30 * DAY_MS;
/** Disabled when nothing was taken for so long, and tries failed at least so far apart. */
const FAILING_MS = 5 * DAY_MS;
/** More than so many owed: it is disabled. Counted each so many deliveries. */
const BACKLOG_MAX = 100_000;
const BACKLOG_LOOK_MS = 60_000;
const LOG_TRIES_MAX = 20;
/** Ends of tries that are remembered while they cannot be written; what is forgotten is sent once more. */
const ENDS_KEPT_MAX = 10_000;

type Logged = {
  readonly at: number;
  readonly status: number | null;
  readonly ms: number;
  readonly error: string | null;
};

export function deliveryOwner(parts: DeliveryParts): DeliveryOwner {
  const { store, subscriptions, clock, time, untilUsed, ids, log, settings, signersOf = () => [] } = parts;
  const places = Math.max(1, Math.floor(settings.triesMax / PLACES_PART));
  let underWay = 0;
  /** The same of each of those they are for. */
  const underWayFor = new Map<string, number>();
  const count = (whom: string, more: number): void => {
    const now = (underWayFor.get(whom) ?? 0) + more;
    if (now <= 0) underWayFor.delete(whom);
    else underWayFor.set(whom, now);
    underWay += more;
  };
  /** Ends of tries that are not written yet, by their deliveries: claimed once more, these are not sent. */
  const unwritten = makeBoundedMap<{ readonly row: DeliveryRow; readonly end: TryEnd }>(ENDS_KEPT_MAX);
  let isReady = false;
  let isStarted = false;
  /** Deliveries have been seen: then a look is worth a statement. */
  let hasSeen = false;
  let wakeDispatcher = (): void => {};
  let cancelDue = (): void => {};
  let writing = new Set<Promise<void>>();
  let stopped = false;
  let backlogAt = Number.NEGATIVE_INFINITY;

  const ready = (): void => {
    isReady = true;
    wakeDispatcher();
  };

  /** Looks when something will be due next. */
  const loop = makeLoop({
    name: 'deliveries',
    time,
    ids,
    log,
    work: async () => {
      cancelDue();
      const now = clock.now();
      const next = await store.deliveries.nextDueAt(-1);
      if (next !== null) hasSeen = true;
      if (next !== null && next <= now) ready();
      const ms = next === null || next <= now ? POLL_MS : Math.min(POLL_MS, next - now);
      if (!stopped)
        cancelDue = hasSeen || subscriptions.any() ? time.after(Math.max(10, ms), loop.wake) : untilUsed(loop.wake);
      return false;
    },
  });

  function destinationOf(row: DeliveryRow): Destination | null {
    if (row.target === null) return subscriptions.get(row.subscription);
    const { url, headers } = JSON.parse(row.target) as {
      readonly url: string;
      readonly headers: Record<string, string>;
    };
    return { url, headers, secret: null, retry: null, enabled: true, failingSince: null };
  }

  function messageOf(row: DeliveryRow, leaseEndsAt: number, claim: string): Message {
    const first = destinationOf(row);
    return {
      about: { delivery_id: row.id, workflow_id: row.workflowId },
      tenant: row.tenant,
      host: hostOf(first?.url ?? ''),
      line: `${row.subscription} ${row.workflowId}`,
      name: row.id,
      life: row.createdAt,
      leaseEndsAt,
      characters: row.event.length,
      shared: null,
      request: () => {
        const to = destinationOf(row);
        if (to === null) return { unsent: { kind: 'unreachable', reason: GONE } };
        if (!to.enabled) {
          const half = (clock.now() - row.createdAt) / 2;
          return {
            unsent: { kind: 'postponed', ms: Math.round(Math.min(Math.max(half, DISABLED_MS_MIN), DISABLED_MS_MAX)) },
          };
        }
        const request = {
          url: to.url,
          headers: {
            ...Object.fromEntries(Object.entries(to.headers).map(([name, value]) => [name.toLowerCase(), value])),
            'content-type': 'application/cloudevents+json; charset=utf-8',
            'user-agent': settings.userAgent,
            'webhook-id': row.id,
            'rota-try': String(row.tries + 1),
          },
          body: row.event,
        };
        const signers = to.secret === null ? signersOf(row.tenant as Tenant, to.url) : [sharedSigner(to.secret)];
        return signed(request, signers, Date.now());
      },
      renew: (leaseSeconds) => store.deliveries.renew(row.id, claim, leaseSeconds),
      isKnown: () => {
        const known = unwritten.get(row.id);
        if (known === undefined || known.row.tries !== row.tries || known.row.dueAt !== row.dueAt) return false;
        ended(known.end);
        return true;
      },
      ended,
    };

    function ended(end: TryEnd): void {
      count(whomOf(row), -1);
      const known = { row, end };
      if (end.result.kind !== 'dropped' && end.result.kind !== 'postponed') unwritten.set(row.id, known);
      const written: Promise<void> = wrote(row, claim, end)
        .then((isWritten) => {
          if (isWritten && unwritten.get(row.id) === known) unwritten.delete(row.id);
        })
        .catch((err: unknown) =>
          log.warn('how a delivery ended could not be written; it is written when its lease ends', {
            event: 'delivery.unwritten',
            delivery_id: row.id,
            err,
          }),
        )
        .finally(() => {
          writing.delete(written);
          // A place is free, and another of its workflow may have waited for this one.
          ready();
        });
      writing.add(written);
    }
  }

  /** @returns whether the row says now how the try ended; false: it was claimed once more meanwhile */
  async function wrote(row: DeliveryRow, claim: string, { startedAt, endedAt, result }: TryEnd): Promise<boolean> {
    const putOff = async (dueAt: number): Promise<boolean> => {
      await store.deliveries.putOff(row.id, claim, dueAt);
      return true;
    };
    if (result.kind === 'dropped') return putOff(row.dueAt ?? endedAt);
    if (result.kind === 'postponed') return putOff(endedAt + result.ms);
    const isUnknown = row.target === null && subscriptions.get(row.subscription) === null;
    if (isUnknown && !(await subscriptions.isGone(row.subscription))) return putOff(endedAt + UNKNOWN_MS);
    const tries = row.tries + 1;
    const status = result.kind === 'unreachable' ? null : result.status;
    const isDone = result.kind === 'delivered';
    const logged: Logged = {
      at: startedAt,
      status,
      ms: Math.max(0, Math.round(endedAt - startedAt)),
      error: result.kind === 'unreachable' ? result.reason : null,
    };
    const before = JSON.parse(row.log) as readonly Logged[];
    const list = JSON.stringify([...before, logged].slice(-LOG_TRIES_MAX));
    const to = destinationOf(row);
    const delayMs = isDone || to === null ? null : delayAfter(to, row, tries, status, startedAt, endedAt, result);
    const dueAt = delayMs === null ? null : endedAt + delayMs;
    const state = isDone ? 'delivered' : dueAt === null ? 'spent' : 'failing';
    const goneAt = dueAt !== null ? null : endedAt + (isDone ? DELIVERED_KEPT_MS : SPENT_KEPT_MS);
    const isOurs = await store.deliveries.end(row.id, claim, { state, tries, dueAt, goneAt, log: list });
    if (!isOurs) return false;
    if (dueAt !== null) loop.wake();
    if (row.target === null && to !== null) await noted(row.subscription, to, status, isDone, endedAt);
    return true;
  }

  function delayAfter(
    to: Destination,
    row: DeliveryRow,
    tries: number,
    status: number | null,
    startedAt: number,
    endedAt: number,
    result: TryEnd['result'],
  ): number | null {
    const rules: RetryRules = readRetryRules(to.retry === null ? null : JSON.stringify(to.retry));
    const retryAfterSeconds = result.kind === 'refused' ? result.retryAfterSeconds : null;
    const firstAt = row.tries === 0 ? startedAt : row.createdAt;
    return retryDelayMs({
      send: 'active',
      tries,
      sinceFirstMs: endedAt - firstAt,
      status,
      retryAfterSeconds,
      schedule: settings.schedule,
      rules,
      fraction: ids.fraction(),
    });
  }

  /** What a try says of its subscription: written only where that changes. */
  async function noted(id: string, to: Destination, status: number | null, isDone: boolean, at: number): Promise<void> {
    if (isDone) {
      if (to.failingSince !== null) await subscriptions.note(id, { failingSince: null });
      return;
    }
    if (status === 410) await subscriptions.note(id, { failingSince: to.failingSince ?? at, reason: 'gone' });
    else if (to.failingSince === null) await subscriptions.note(id, { failingSince: at });
    else if (at - to.failingSince >= FAILING_MS)
      await subscriptions.note(id, { failingSince: to.failingSince, reason: 'failing' });
    else if (time.now() - backlogAt >= BACKLOG_LOOK_MS) {
      backlogAt = time.now();
      if ((await store.deliveries.owed(id, BACKLOG_MAX)) >= BACKLOG_MAX)
        await subscriptions.note(id, { failingSince: to.failingSince, reason: 'backlog' });
    }
  }

  return {
    claim: async ({ now, limit, leaseSeconds }, leaseEndsAt) => {
      const free = places - underWay;
      if (!isStarted || !isReady || free <= 0 || stopped) return [];
      isReady = false;
      const claim = randomUUID();
      // Half of what is free each time, and nothing for who has as many as are free: whoever is slow leaves places to others, who leave some again.
      const most = Math.min(limit, Math.ceil(free / 2));
      const skip = [...underWayFor].flatMap(([whom, has]) => (has >= free ? [whom] : []));
      const rows = await store.deliveries.claim({ now, claim, limit: most, leaseSeconds, skip });
      if (rows.length > 0) hasSeen = true;
      if (rows.length === most) ready();
      for (const row of rows) count(whomOf(row), 1);
      return rows.map((row) => messageOf(row, leaseEndsAt, claim));
    },
    wake: () => {
      if (!isStarted || (!hasSeen && !subscriptions.any())) return;
      isReady = true;
      loop.wake();
    },
    owed: () => {
      hasSeen = true;
      ready();
    },
    isBusy: () => writing.size > 0 || underWay > 0,
    connect: (wake) => {
      wakeDispatcher = wake;
    },
    start: () => {
      isStarted = true;
      isReady = true;
      loop.wake();
    },
    settled: async () => {
      while (writing.size > 0) await Promise.all(writing);
    },
    stop: async () => {
      stopped = true;
      cancelDue();
      await loop.stop();
      await Promise.all(writing);
      writing = new Set();
    },
  };
}

const GONE = 'the subscription was deleted';
