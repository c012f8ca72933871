import type { Engine, MessageSink, ReadyMessage, TryOutcome } from '../engine/engine.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { ClaimedMessage, Store } from '../store/store.ts';
import { callbackRequest, type DeliveredText } from './callback.ts';
import { makeFairQueue } from './fair-queue.ts';
import type { Post, PostResult } from './post.ts';

export type DispatcherSettings = {
  /** The owner of claims; the same as the engine's. */
  readonly nodeId: string;
  readonly baseUrl: () => string;
  readonly userAgent: string;
  readonly callbackTimeoutSeconds: number;
  readonly leaseSeconds: number;
  /** Tries under way at once, in all and to one host. */
  readonly triesMax: number;
  readonly triesPerHostMax: number;
};

/** Sends what is owed: claims it, tries it, reports how the try ended. */
export type Dispatcher = {
  /** Messages may be due that nobody has claimed. */
  wake(): void;
  /** Resolves when no try waits or is under way and nothing claimable is due. */
  quiet(): Promise<void>;
  /**
   * Claims nothing more, lets tries under way end for `graceSeconds`, and forgets what waits. Outcomes are the engine's to write, what
   * is left claimed is the caller's to give back (`store.releaseClaims`).
   */
  stop(graceSeconds: number): Promise<void>;
  readonly figures: () => DispatcherFigures;
};

export type DispatcherFigures = {
  readonly underWay: number;
  readonly waiting: number;
  /** Since the start, by how they ended. */
  readonly delivered: number;
  readonly refused: number;
  readonly unreachable: number;
  readonly dropped: number;
};

/** One claim takes this many messages: enough to stay busy, few enough that their leases last until they are sent. */
export const CLAIM_MESSAGES_MAX = 100;
/** Claimed messages that may wait for their host; more are left to whoever claims them. */
export const WAITING_MESSAGES_MAX = 5_000;
/** The same in characters of fields; those that share a base share its characters. */
export const WAITING_CHARACTERS_MAX = 50_000_000;
/** Tries that are begun before the event loop goes round once more, and for how long: each has a body to be made, which may be large. */
export const BEGUN_AT_ONCE_MAX = 8;
const BEGINNING_MS_MAX = 8;
/** Before a try there must be so much lease left besides the time the try may take; or it is claimed anew. */
export const LEASE_SPARE_MS = 5_000;
/** The end of a lease is kept clear of: a try is cut off that much earlier. */
export const LEASE_MARGIN_MS = 1_000;
/** A message that waited longer for its turn is looked at once more before it is sent: it may be over. */
export const LOOK_AGAIN_MS = 500;

type Held = {
  readonly host: string;
  readonly workflow: WorkflowId;
  readonly key: string;
  readonly message: ReadyMessage;
  readonly claim: string;
  readonly base: Base | null;
  readonly since: number;
  leaseEndsAt: number;
  started: boolean;
};

/** A base row that waiting messages refer to: one text for all of them, for it never changes. */
type Base = { readonly key: string; readonly value: string; waiting: number };

const keyOf = (workflow: WorkflowId, workitem: ExpressionId): string => `${workflow} ${workitem}`;

/** Makes the dispatcher, and connects it to the engine, which hands it what is claimed at birth. */
export function makeDispatcher(parts: {
  readonly store: Pick<Store, 'claimDue' | 'renewClaim'>;
  readonly engine: Pick<Engine, 'deliverTo' | 'outcome'>;
  readonly post: Post;
  /** interpreter/fields.ts */
  readonly deliveredText: (row: WorkitemRow, base: string | null) => DeliveredText;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: DispatcherSettings;
}): Dispatcher {
  const { store, engine, post, clock, time, log, settings } = parts;
  const queue = makeFairQueue<Held>(settings.triesPerHostMax);
  /** Waiting and under way, by workitem. */
  const held = new Map<string, Held>();
  const reserved = new Map<string, number>();
  let reservedInAll = 0;
  let running = 0;
  let waitingCharacters = 0;
  const bases = new Map<string, Base>();
  /** Tries begun since the event loop last went round; null when none was. */
  let beginning: { count: number; readonly since: number } | null = null;
  let stopped = false;
  // The grace of a stop is over: tries still under way are cut off by us, which says nothing about their participants.
  let cutOff = false;
  // Whether something may be due that nobody has claimed: then a free place is a reason to claim.
  let moreDue = false;
  let quietCallers: (() => void)[] = [];
  const figures = { delivered: 0, refused: 0, unreachable: 0, dropped: 0 };

  const loop = makeLoop({ name: 'claims', work: claim, time, ids: parts.ids, log });

  const isFull = (): boolean => queue.size >= WAITING_MESSAGES_MAX || waitingCharacters >= WAITING_CHARACTERS_MAX;

  /** One claim; true when there is probably more. */
  async function claim(): Promise<boolean> {
    if (stopped || running >= settings.triesMax || queue.hasStartable() || isFull()) return false;
    const limit = Math.min(CLAIM_MESSAGES_MAX, WAITING_MESSAGES_MAX - queue.size);
    const leaseEndsAt = time.now() + settings.leaseSeconds * 1000;
    moreDue = false;
    let claimed: readonly ClaimedMessage[];
    try {
      claimed = await store.claimDue({
        now: clock.now(),
        owner: settings.nodeId,
        limit,
        leaseSeconds: settings.leaseSeconds,
      });
    } catch (error) {
      moreDue = true;
      throw error;
    }
    if (claimed.length === limit) moreDue = true;
    for (const message of claimed) hold({ ...message, leaseEndsAt });
    pump();
    return moreDue;
  }

  function hold(message: ReadyMessage): void {
    const key = keyOf(message.workflow, message.row.id);
    const known = held.get(key);
    if (known !== undefined) {
      if (known.started) return;
      // Its lease had run out while it waited, and we have claimed it ourselves once more.
      queue.remove((item) => item === known);
      forget(known);
    }
    const host = hostOf(message.row.url);
    const { leaseEndsAt, claim, workflow } = message;
    const base = baseFor(message);
    const item: Held = { host, workflow, key, message, base, leaseEndsAt, claim, since: time.now(), started: false };
    held.set(key, item);
    waitingCharacters += message.row.fields?.length ?? 0;
    queue.push(item);
  }

  function baseFor({ workflow, row, base }: ReadyMessage): Base | null {
    if (row.inherits === null || base === null) return null;
    const key = `${workflow} ${row.inherits}`;
    let known = bases.get(key);
    if (known === undefined) {
      known = { key, value: base, waiting: 0 };
      bases.set(key, known);
      waitingCharacters += base.length;
    }
    known.waiting += 1;
    return known;
  }

  /** It does not wait any more. */
  function takenFromQueue({ message, base }: Held): void {
    waitingCharacters -= message.row.fields?.length ?? 0;
    if (base === null) return;
    base.waiting -= 1;
    if (base.waiting > 0) return;
    bases.delete(base.key);
    waitingCharacters -= base.value.length;
  }

  /** Starts what can be started. */
  function pump(): void {
    while (!stopped && running < settings.triesMax && queue.hasStartable()) {
      if (!mayBegin()) break;
      const item = queue.start();
      if (item === undefined) break;
      takenFromQueue(item);
      item.started = true;
      running += 1;
      void attempt(item);
    }
  }

  /** Counts a try that is about to begin; false: enough of them, the rest when the event loop has gone round. */
  function mayBegin(): boolean {
    if (beginning === null) {
      beginning = { count: 0, since: time.now() };
      setImmediate(() => {
        beginning = null;
        pump();
        if (moreDue) loop.wake();
      });
    }
    beginning.count += 1;
    return beginning.count <= BEGUN_AT_ONCE_MAX && time.now() - beginning.since <= BEGINNING_MS_MAX;
  }

  async function attempt(item: Held): Promise<void> {
    const { message, host } = item;
    let outcome: TryOutcome | null = null;
    try {
      outcome = (await isStillOurs(item)) ? await tryOnce(item) : droppedTry(item);
    } catch (err) {
      // With the database away nobody knows whose it is: its lease ends by itself.
      log.warn('a message could not be checked before it was sent', {
        event: 'message.unchecked',
        workflow_id: message.workflow,
        expression_id: message.row.id,
        err,
      });
    }
    running -= 1;
    queue.done(host);
    if (held.get(item.key) === item) held.delete(item.key);
    if (cutOff && outcome?.result.kind === 'unreachable') outcome = null;
    figures[outcome?.result.kind ?? 'dropped'] += 1;
    if (outcome !== null) engine.outcome(outcome);
    pump();
    if (moreDue) loop.wake();
    tellQuiet();
  }

  /** Whether the message may be sent: it has not waited long, and its lease lasts for a whole try; else the database is asked. */
  async function isStillOurs(item: Held): Promise<boolean> {
    const now = time.now();
    const enough = settings.callbackTimeoutSeconds * 1000 + LEASE_SPARE_MS;
    if (item.leaseEndsAt - now >= enough && now - item.since < LOOK_AGAIN_MS) return true;
    const { message } = item;
    const renewed = await store.renewClaim({
      key: { workflow: message.workflow, workitem: message.row.id },
      claim: item.claim,
      leaseSeconds: settings.leaseSeconds,
      // Another node may have closed the workitem (the notice it owes by now waits for this claim) or paused its workflow.
      send: message.row.send ?? 'active',
    });
    // Counted from before the question was asked: never later than the database does.
    if (renewed) item.leaseEndsAt = now + settings.leaseSeconds * 1000;
    return renewed && !stopped;
  }

  async function tryOnce(item: Held): Promise<TryOutcome | null> {
    const { message } = item;
    const { row } = message;
    const leaseMs = item.leaseEndsAt - time.now() - LEASE_MARGIN_MS;
    const timeoutMs = Math.min(settings.callbackTimeoutSeconds * 1000, leaseMs);
    if (timeoutMs <= 0) return null;
    const text = parts.deliveredText(row, item.base?.value ?? null);
    const request = callbackRequest(message, text, { baseUrl: settings.baseUrl(), userAgent: settings.userAgent });
    const startedAt = clock.now();
    const result: PostResult = await post.send(request, timeoutMs);
    return {
      workflow: message.workflow,
      workitem: row.id,
      claim: item.claim,
      send: row.send ?? 'active',
      number: row.tries + 1,
      openedAt: row.openedAt,
      startedAt,
      endedAt: clock.now(),
      result,
      urgent: row.then !== null,
    };
  }

  /** Takes a waiting message off the books; its claim is given back. */
  function drop(item: Held): void {
    forget(item);
    engine.outcome(droppedTry(item));
  }

  /** No request has left this node: the claim is given back, where it is still ours. */
  function droppedTry({ message, claim: held }: Held): TryOutcome {
    const at = clock.now();
    return {
      workflow: message.workflow,
      workitem: message.row.id,
      claim: held,
      send: message.row.send ?? 'active',
      number: message.row.tries + 1,
      openedAt: message.row.openedAt,
      startedAt: at,
      endedAt: at,
      result: { kind: 'dropped' },
    };
  }

  function forget(item: Held): void {
    if (held.get(item.key) === item) held.delete(item.key);
    takenFromQueue(item);
    figures.dropped += 1;
  }

  const isQuiet = (): boolean => running === 0 && queue.size === 0 && reservedInAll === 0;
  function tellQuiet(): void {
    if (!isQuiet()) return;
    const callers = quietCallers;
    quietCallers = [];
    for (const resolve of callers) resolve();
  }

  function unreserve(host: string): void {
    const count = (reserved.get(host) ?? 0) - 1;
    if (count > 0) reserved.set(host, count);
    else reserved.delete(host);
    reservedInAll -= 1;
  }

  const sink: MessageSink = {
    reserve: (url) => {
      const host = hostOf(url);
      const here = queue.countOf(host) + (reserved.get(host) ?? 0);
      const places = settings.triesMax - running - queue.size - reservedInAll;
      // Some may wait for a place at their host, so that none of its places stays empty for the length of a claim.
      if (stopped || places <= 0 || here >= settings.triesPerHostMax * 2) {
        moreDue = true;
        return false;
      }
      reserved.set(host, (reserved.get(host) ?? 0) + 1);
      reservedInAll += 1;
      return true;
    },
    unreserve: (url) => {
      unreserve(hostOf(url));
      tellQuiet();
    },
    take: (messages) => {
      for (const message of messages) {
        unreserve(hostOf(message.row.url));
        if (!stopped) hold(message);
      }
      pump();
    },
    wake: () => {
      moreDue = true;
      loop.wake();
    },
    withdraw: (workflow, workitems) => {
      if (queue.size === 0) return;
      const gone = workitems === 'all' ? null : new Set(workitems.map((workitem) => keyOf(workflow, workitem)));
      if (gone !== null && ![...gone].some((key) => held.get(key)?.started === false)) return;
      for (const item of queue.remove((one) => one.workflow === workflow && (gone === null || gone.has(one.key))))
        drop(item);
      tellQuiet();
    },
  };
  engine.deliverTo(sink);

  return {
    wake: sink.wake,
    quiet: async () => {
      for (;;) {
        sink.wake();
        await loop.settled();
        if (isQuiet()) return;
        await new Promise<void>((resolve) => quietCallers.push(resolve));
      }
    },
    stop: async (graceSeconds) => {
      stopped = true;
      await loop.stop();
      for (const item of queue.remove(() => true)) forget(item);
      if (running === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = time.after(graceSeconds * 1000, () => {
          cutOff = true;
          resolve();
        });
        quietCallers.push(() => {
          cancel();
          resolve();
        });
      });
    },
    figures: () => ({ ...figures, underWay: running, waiting: queue.size }),
  };
}

/** The host and port a URL leads to: what shares the tries to one host. */
function hostOf(url: string | null): string {
  const text = url ?? '';
  // Faster than parsing the whole URL for every message; whatever is odd shares a place with itself.
  const start = text.indexOf('//');
  if (start < 0) return text;
  const end = text.slice(start + 2).search(/[/?#]/);
  return (end < 0 ? text.slice(start + 2) : text.slice(start + 2, start + 2 + end)).toLowerCase();
}
