import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import { makeAttempt } from './attempt.ts';
import { type BreakerSign, type Breakers, makeBreakers } from './breaker.ts';
import { makeFairQueue } from './fair-queue.ts';
import { type HostLimit, type HostLimits, makeHostLimits } from './host-limits.ts';
import type { Message, Owner, TryEnd } from './message.ts';
import { makePlaces } from './places.ts';
import type { Post } from './post.ts';
import { makeShares } from './shares.ts';
import { makeStandings, type Sign, type Standings, UNDER_WAY_CHARACTERS_MAX } from './standing.ts';
import { type Held, makeWaiting, WAITING_CHARACTERS_MAX, WAITING_MESSAGES_MAX } from './waiting.ts';

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
  /** Failures in a row after which a host is left alone, and for how long at first; left out, or 0: never. */
  readonly breaker?: { readonly failures: number; readonly seconds: number };
  /** What was promised to single hosts; left out: nothing. */
  readonly hosts?: readonly HostLimit[];
  /** Nodes that send, this one among them; left out: it is alone. */
  readonly nodes?: () => number;
};

/** Sends what is owed: claims it, tries it, reports how the try ended. */
export type Dispatcher = {
  /** Messages may be due that nobody has claimed. */
  wake(): void;
  /** Keeps a place for a message to this host; false when there is none, and the message is born unclaimed. */
  reserve(host: string): boolean;
  /** Gives a place back: there will be no message. */
  unreserve(host: string): void;
  /** Messages that were claimed at birth, each with its place. */
  take(messages: readonly Message[]): void;
  /** Waiting tries of these names (or of the whole line) must not start any more. */
  withdraw(line: string, names: readonly string[] | 'all'): void;
  /** Resolves when no try waits or is under way and nothing claimable is due. */
  quiet(): Promise<void>;
  /**
   * Claims nothing more, lets tries under way end for `graceSeconds`, and forgets what waits. Outcomes are the engine's to write, what
   * is left claimed is the caller's to give back (`store.releaseClaims`).
   */
  stop(graceSeconds: number): Promise<void>;
  readonly figures: () => DispatcherFigures;
  /** Hosts that are left alone, or asked with a single try. */
  readonly breakers: Breakers['all'];
  /** How often a host was left alone, asked with a single try, called as others again. */
  readonly breakerTransitions: Breakers['transitions'];
  /** Tries to a host under way. */
  underWayOf(host: string): number;
  /** What hosts are promised from now on; tries under way are not ended. */
  promise(hosts: readonly HostLimit[]): void;
};

export type DispatcherFigures = {
  readonly underWay: number;
  readonly waiting: number;
  /** Since the start, by how they ended. */
  readonly delivered: number;
  readonly refused: number;
  readonly unreachable: number;
  readonly dropped: number;
  /** Of those dropped: their host was left alone, or they asked to come later. */
  readonly postponed: number;
};

/** One claim takes this many messages: enough to stay busy, few enough that their leases last until they are sent. */
export const CLAIM_MESSAGES_MAX = 100;
/** And ends with the one that reaches so many bytes of fields. */
export const CLAIM_BYTES_MAX = 10_000_000;
/**
 * Tries that are begun before the event loop goes round once more, for how long, and how many characters of their bodies: bodies are made
 * when a try begins, and a large one costs milliseconds to make and to send.
 */
export const BEGUN_AT_ONCE_MAX = 8;
export const BEGUN_CHARACTERS_MAX = 500_000;
const BEGINNING_MS_MAX = 8;
/** What has no place with its participant, nor room to wait for one, is due again after this. */
const PUT_OFF_MS = 1_000;

/** Makes the dispatcher of all kinds of messages: one queue, one set of places. It is one thing, for whoever begins a try knows of all that are under way. */
export function makeDispatcher(parts: {
  readonly owners: readonly Owner[];
  readonly post: Post;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: DispatcherSettings;
}): Dispatcher {
  const { owners, clock, time, log, settings } = parts;
  const breakers = makeBreakers({
    ...(settings.breaker ?? { failures: 0, seconds: 1 }),
    time,
    fraction: () => parts.ids.fraction(),
    onHalfOpen: wake,
  });
  const limits = makeHostLimits({
    limits: settings.hosts ?? [],
    nodes: settings.nodes ?? (() => 1),
    time,
    onFree: (host) => {
      queue.again(host);
      pump();
      wake();
    },
  });
  const standings = withLimits(withBreakers(makeStandings(settings), breakers), limits);
  const queue = makeFairQueue<Held>(standings);
  const waiting = makeWaiting();
  const shares = makeShares();
  const places = makePlaces({ queue, standings, waiting, triesMax: settings.triesMax, running: () => running });
  const attempt = makeAttempt({ ...parts, isStopped: () => stopped });
  /** How a try under way can be ended before its time, by its message. */
  const cuts = new Map<Held, () => void>();
  /** Messages that took the place of one whose try is still under way: each begins when that has ended. */
  const behind = new Map<Held, Message>();
  let running = 0;
  let underWayCharacters = 0;
  /** Tries begun since the event loop last went round; null when none was. */
  let beginning: { count: number; characters: number; readonly since: number } | null = null;
  let stopped = false;
  // The grace of a stop is over: tries still under way are cut off by us, which says nothing about their participants.
  let cutOff = false;
  // Whether something may be due that nobody has claimed: then a free place is a reason to claim.
  let moreDue = false;
  // Hosts that had enough waiting when the last claim was made: more of theirs may be due.
  let skipped: ReadonlySet<string> = new Set();
  // The kind of messages whose turn it is to be claimed first.
  let ownersTurn = 0;
  let quietCallers: (() => void)[] = [];
  const leaseMs = settings.leaseSeconds * 1000;
  let cancelGivingBack: (() => void) | null = null;
  const figures = { delivered: 0, refused: 0, unreachable: 0, dropped: 0, postponed: 0 };

  const loop = makeLoop({ name: 'claims', work: claim, time, ids: parts.ids, log });

  const isFull = (): boolean =>
    queue.size + shares.waiting >= WAITING_MESSAGES_MAX || waiting.characters >= WAITING_CHARACTERS_MAX;

  /** One claim of each kind of messages; true when there is probably more. */
  async function claim(): Promise<boolean> {
    if (stopped || running >= settings.triesMax || queue.hasStartable() || isFull()) return false;
    moreDue = false;
    skipped = places.hostsWithEnough();
    const shut = breakers.shut();
    if (shut.length > 0) skipped = new Set([...skipped, ...shut]);
    try {
      for (let i = 0; i < owners.length; i++) await claimOf(owners[(ownersTurn + i) % owners.length] as Owner);
    } catch (error) {
      moreDue = true;
      throw error;
    }
    ownersTurn = (ownersTurn + 1) % Math.max(1, owners.length);
    pump();
    return moreDue;
  }

  async function claimOf(owner: Owner): Promise<void> {
    const limit = Math.min(CLAIM_MESSAGES_MAX, WAITING_MESSAGES_MAX - queue.size);
    if (limit <= 0 || isFull()) {
      moreDue = true;
      return;
    }
    const leaseEndsAt = time.now() + settings.leaseSeconds * 1000;
    const { leaseSeconds } = settings;
    const skip = [...skipped];
    const bytesMax = Math.min(CLAIM_BYTES_MAX, WAITING_CHARACTERS_MAX - waiting.characters);
    const claimed = await owner.claim({ now: clock.now(), limit, leaseSeconds, skip, bytesMax }, leaseEndsAt);
    // Each host had its turn only: whether one of them has more is for the next claim to see.
    if (claimed.length > 0) moreDue = true;
    for (const message of claimed) hold(message);
  }

  /** What waits is given back before its lease ends: a lease that ran out means that its node stopped, and counts as a try. */
  function giveBack(): void {
    cancelGivingBack = null;
    const end = time.now() + leaseMs / 2;
    const late = [...waiting.all()].filter((item) => !item.started && item.leaseEndsAt <= end);
    for (const item of late) drop(item);
    if (late.length > 0) wake();
    if (queue.size > 0) giveBackLater();
    tellQuiet();
  }
  function giveBackLater(): void {
    if (!stopped) cancelGivingBack ??= time.after(leaseMs / 4, giveBack);
  }

  function hold(message: Message): void {
    const known = waiting.get(message.line, message.name);
    if (known?.started === true) {
      // The same one once more: its try is under way, and how it ends may be written under this claim. Another life of it: the try under
      // way is of something that is over.
      const isSame = known.life === message.life;
      if (isSame && message.isKnown === undefined) return;
      behind.set(known, message);
      if (!isSame) cuts.get(known)?.();
      return;
    }
    // Its lease had run out while it waited, and we have claimed it ourselves once more.
    if (known !== undefined) letGo(known);
    if (message.isKnown?.() === true) return;
    const weight = message.characters + (message.shared?.characters ?? 0);
    const item: Held = { ...message, weight, since: time.now(), started: false };
    waiting.add(item);
    queue.push(item);
    giveBackLater();
  }

  /** Starts what can be started. */
  function pump(): void {
    while (!stopped && running < settings.triesMax && queue.hasStartable()) {
      if (running > 0 && underWayCharacters >= UNDER_WAY_CHARACTERS_MAX) break;
      if (!mayBegin()) break;
      const item = queue.start();
      if (item === undefined) break;
      const share = item.share === undefined ? 'begins' : shares.begin(item);
      if (share !== 'begins') {
        queue.done(item);
        if (share === 'full') putOff(item);
        continue;
      }
      if (limits.begun(item.host)) queue.again(item.host);
      waiting.begun(item);
      item.started = true;
      running += 1;
      if (beginning !== null) beginning.characters += item.weight;
      void begin(item);
    }
  }

  /** Counts a try that is about to begin; false: enough of them, the rest when the event loop has gone round. */
  function mayBegin(): boolean {
    if (beginning === null) {
      beginning = { count: 0, characters: 0, since: time.now() };
      setImmediate(() => {
        beginning = null;
        pump();
        if (moreDue) loop.wake();
      });
    }
    beginning.count += 1;
    return (
      beginning.count <= BEGUN_AT_ONCE_MAX &&
      beginning.characters < BEGUN_CHARACTERS_MAX &&
      time.now() - beginning.since <= BEGINNING_MS_MAX
    );
  }

  async function begin(item: Held): Promise<void> {
    underWayCharacters += item.weight;
    let end: TryEnd | null = null;
    try {
      end = await attempt(item, (cut) => cuts.set(item, cut));
    } finally {
      // Whatever has happened: the place is free.
      running -= 1;
      underWayCharacters -= item.weight;
      cuts.delete(item);
      standings.heard(item.host, signOf(end));
      const hasOpened = breakers.heard(item.host, healthOf(end));
      queue.done(item);
      waiting.forget(item);
      if (item.share !== undefined) {
        shares.ended(item);
        giveShare(item);
      }
      if (hasOpened) leaveAlone(item.host);
      if (cutOff && end?.result.kind === 'unreachable') end = null;
      figures[countedAs(end)] += 1;
      if (end?.result.kind === 'postponed') figures.postponed += 1;
      if (end?.result.kind === 'delivered' && log.isDebug())
        log.debug('a message was delivered', {
          event: 'try.delivered',
          ...item.about,
          host: item.host,
          status: end.result.status,
          milliseconds: Math.round(end.endedAt - end.startedAt),
        });
      if (end !== null) item.ended(end);
      const next = behind.get(item);
      if (next !== undefined) {
        behind.delete(item);
        if (!stopped) hold(next);
      }
      pump();
      if (skipped.has(item.host) && !places.hasEnough(item.host)) moreDue = true;
      if (moreDue) loop.wake();
      tellQuiet();
    }
  }

  /** What waits for a host that is not called for now is given back, and stays due. */
  function leaveAlone(host: string): void {
    log.warn('a host fails again and again; it is left alone for a while', { event: 'breaker.open', host });
    for (const item of [...waiting.all()]) {
      if (item.host !== host || item.started) continue;
      figures.postponed += 1;
      drop(item);
    }
  }

  /** It must not be sent any more, or is left to others. */
  function letGo(item: Held): void {
    if (!queue.remove(item) && !shares.remove(item)) return;
    waiting.begun(item);
    waiting.forget(item);
    figures.dropped += 1;
    if (item.share !== undefined) giveShare(item);
  }

  /** Another one of those that share its places takes its turn again. */
  function giveShare(item: Held): void {
    const next = stopped ? undefined : shares.next(item);
    if (next !== undefined) queue.push(next);
  }

  /** Its participant has more than enough waiting here: it is due again later. */
  function putOff(item: Held): void {
    waiting.begun(item);
    waiting.forget(item);
    figures.dropped += 1;
    const at = clock.now();
    item.ended({ startedAt: at, endedAt: at, result: { kind: 'postponed', ms: PUT_OFF_MS } });
  }

  /** No request has left this node: the claim is given back, where it is still ours. */
  function drop(item: Held): void {
    letGo(item);
    const at = clock.now();
    item.ended({ startedAt: at, endedAt: at, result: { kind: 'dropped' } });
  }

  const isQuiet = (): boolean => running === 0 && queue.size === 0 && shares.waiting === 0 && places.reserved === 0;
  function tellQuiet(): void {
    if (!isQuiet()) return;
    const callers = quietCallers;
    quietCallers = [];
    for (const resolve of callers) resolve();
  }

  function wake(): void {
    moreDue = true;
    loop.wake();
  }

  return {
    wake,
    reserve: (host) => {
      if (!stopped && breakers.of(host) === 'closed' && places.reserve(host)) return true;
      moreDue = true;
      return false;
    },
    unreserve: (host) => {
      places.unreserve(host);
      tellQuiet();
    },
    take: (messages) => {
      for (const message of messages) {
        places.unreserve(message.host);
        if (!stopped) hold(message);
      }
      pump();
      tellQuiet();
    },
    withdraw: (line, names) => {
      const items =
        names === 'all' ? [...waiting.ofLine(line)] : names.flatMap((name) => waiting.get(line, name) ?? []);
      for (const item of items) {
        behind.delete(item);
        if (!item.started) drop(item);
      }
      tellQuiet();
    },
    quiet: async () => {
      for (;;) {
        wake();
        await loop.settled();
        if (isQuiet()) return;
        await new Promise<void>((resolve) => quietCallers.push(resolve));
      }
    },
    stop: async (graceSeconds) => {
      stopped = true;
      breakers.stop();
      limits.stop();
      cancelGivingBack?.();
      await loop.stop();
      for (const item of [...waiting.all()]) if (!item.started) letGo(item);
      behind.clear();
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
    figures: () => ({ ...figures, underWay: running, waiting: queue.size + shares.waiting }),
    breakers: breakers.all,
    breakerTransitions: breakers.transitions,
    underWayOf: (host) => queue.countOf(host) - queue.waitingOf(host),
    promise: (hosts) => {
      limits.promise(hosts);
      for (const host of [...queue.hosts()]) queue.again(host);
      pump();
      wake();
    },
  };
}

/** What was put off was not tried. */
const countedAs = (end: TryEnd | null): 'delivered' | 'refused' | 'unreachable' | 'dropped' => {
  const kind = end?.result.kind ?? 'dropped';
  return kind === 'postponed' ? 'dropped' : kind;
};

function signOf(end: TryEnd | null): Sign {
  const result = end?.result;
  if (result === undefined || result.kind === 'dropped' || result.kind === 'postponed') return 'nothing';
  if (result.kind !== 'unreachable') return 'answered';
  return result.silent === true ? 'silent' : 'nothing';
}

/** What a try tells of its host: whatever is answered but a fault of the server, or that it is asked too much, is work. */
function healthOf(end: TryEnd | null): BreakerSign {
  const result = end?.result;
  if (result === undefined || result.kind === 'dropped' || result.kind === 'postponed') return 'nothing';
  // What was never sent says nothing of the host.
  if (result.kind === 'unreachable') return result.fails === undefined ? 'fails' : 'nothing';
  return result.kind === 'refused' && (result.status >= 500 || result.status === 429) ? 'fails' : 'works';
}

/** What was promised to a host. */
const withLimits = (standings: Standings, limits: HostLimits): Standings => ({
  ...standings,
  placesOf: (host) => limits.placesOf(host, standings.placesOf(host)),
});

/** A host that is asked with a single try has one place; one that is left alone none. */
const withBreakers = (standings: Standings, breakers: Pick<Breakers, 'of'>): Standings => ({
  ...standings,
  placesOf: (host) => {
    const state = breakers.of(host);
    return state === 'closed' ? standings.placesOf(host) : state === 'open' ? 0 : 1;
  },
});
