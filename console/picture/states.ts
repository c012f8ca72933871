import type { Chronicle, Run } from './chronicle.ts';
import type { Place } from './figure.ts';
import {
  type Failure,
  type HeldWorkitem,
  isOver,
  type LiveExpression,
  type SetTimer,
  type Standing,
} from './standing.ts';

/* What each place of the figure shows at one moment. */

export type PlaceState = 'to come' | 'live' | 'waits' | 'failed' | 'cancelling' | 'done' | 'cancelled' | 'skipped';

/** One branch of a crowd, in the order they began. */
export type Mark = { readonly id: string; readonly state: PlaceState };

export type Seen = {
  readonly state: PlaceState;
  /** The expressions that are at the place now. */
  readonly live: readonly LiveExpression[];
  readonly workitems: readonly HeldWorkitem[];
  readonly timers: readonly SetTimer[];
  readonly failures: readonly Failure[];
  /** Ends there have been at this place in the present run of what is around it. */
  readonly done: number;
  readonly cancelled: number;
  /** How often it has been come to before, in former rounds. */
  readonly before: number;
  /** The last run that has ended; null when none has, or when it is not known. */
  readonly ended: Run | null;
  /** The same counted over all places below. */
  readonly inside: { readonly live: number; readonly waits: number; readonly failed: number; readonly done: number };
  /** Branches, where it is a crowd. */
  readonly marks: readonly Mark[];
};

const WAITING = new Set([
  'wait',
  'sleep',
  'once',
  'when',
  'as_soon_as',
  'cron',
  'every',
  'listen',
  'receive',
  'await',
  'reserve',
]);
const LEAVING = new Set(['cancelling', 'dying', 'timing_out', 'failing']);

/** @param past null while no history is there: then nothing is said of what has ended */
export function statesOf(root: Place, standing: Standing, past: Chronicle | null): ReadonlyMap<string, Seen> {
  const n = standing.n ?? past?.last ?? 0;
  const live = grouped(standing.expressions, (one) => one.expid);
  const workitems = grouped(standing.workitems, (one) => one.expid);
  const timers = grouped(standing.timers, (one) => one.expid);
  const failures = grouped(standing.failures, (one) => one.expid);
  const seen = new Map<string, Seen>();

  type Around = {
    /** Runs that began before belong to a former round. */
    readonly since: number;
    /** Below a crowd or a definition several runs count at once. */
    readonly many: boolean;
    /** What is around is over or was left out: nothing can come any more. */
    readonly closed: boolean;
  };

  function visit(place: Place, around: Around): Seen {
    const here = live.get(place.expid) ?? [];
    const all = past?.runsAt(place.expid, n) ?? [];
    const runs = all.filter((run) => run.n >= around.since);
    const items = workitems.get(place.expid) ?? [];
    const wrong = failures.get(place.expid) ?? [];
    const clocks = timers.get(place.expid) ?? [];
    const ended = runs.filter((run) => run.end !== null && run.end.n <= n);
    const done = ended.filter((run) => run.end?.kind === 'replied').length;
    const cancelled = ended.length - done;

    const state: PlaceState = ((): PlaceState => {
      if (wrong.length > 0 || here.some((one) => one.state === 'failed')) return 'failed';
      if (here.some((one) => LEAVING.has(one.state))) return 'cancelling';
      if (here.length > 0) {
        const isWaiting =
          items.length > 0 ||
          here.some((one) => one.state === 'awaiting') ||
          (place.children.length === 0 && (WAITING.has(place.head) || clocks.length > 0));
        return isWaiting ? 'waits' : 'live';
      }
      if (done > 0) return 'done';
      if (cancelled > 0) return 'cancelled';
      return around.closed ? 'skipped' : 'to come';
    })();

    const isMany = around.many || place.kind === 'crowd' || place.kind === 'definition';
    const lastRun = runs.at(-1);
    const since = around.many ? around.since : place.kind === 'definition' ? 0 : (lastRun?.n ?? around.since);
    const closed = state === 'done' || state === 'cancelled' || state === 'skipped';
    const inside = { live: 0, waits: 0, failed: 0, done: 0 };
    let reached = since;
    const roadTaken =
      place.kind === 'choice' && place.children.slice(-2).some((child) => (live.get(child.expid)?.length ?? 0) > 0);
    for (const [i, child] of place.children.entries()) {
      const isRoad = place.kind === 'choice' && i >= place.children.length - 2;
      const taken = (live.get(child.expid)?.length ?? 0) > 0;
      const one = visit(child, {
        since: child.kind === 'definition' ? 0 : isMany ? since : reached,
        many: isMany || child.kind === 'definition',
        closed: child.kind === 'definition' ? isOver(standing.status) : closed || (isRoad && roadTaken && !taken),
      });
      // What follows in a row is of this round only when it began after what stands before it.
      if (!isMany && isRow(place)) {
        const run = past?.runsAt(child.expid, n).at(-1);
        if (run !== undefined && run.n >= reached) reached = run.n;
      }
      inside.live += one.inside.live + (one.state === 'live' ? one.live.length : 0);
      inside.waits += one.inside.waits + (one.state === 'waits' ? one.live.length : 0);
      inside.failed += one.inside.failed + one.failures.length;
      inside.done += one.inside.done + one.done;
    }
    const shown: Seen = {
      state,
      live: here,
      workitems: items,
      timers: clocks,
      failures: wrong,
      done,
      cancelled,
      before: all.length - runs.length,
      ended: ended.at(-1) ?? null,
      inside,
      marks: place.kind === 'crowd' ? marksOf(place, standing, past, since, n, failures) : [],
    };
    seen.set(place.expid, shown);
    return shown;
  }

  visit(root, { since: 0, many: false, closed: isOver(standing.status) });
  return seen;
}

const isRow = (place: Place): boolean => place.kind === 'column' || place.kind === 'box' || place.kind === 'loop';

/** The branches of a crowd: each is a run of its one child; what happened below it counts for it where the server tells who is whose. */
function marksOf(
  place: Place,
  standing: Standing,
  past: Chronicle | null,
  since: number,
  n: number,
  failures: ReadonlyMap<string, readonly Failure[]>,
): readonly Mark[] {
  const child = place.children.at(-1);
  if (child === undefined) return [];
  const failed = new Set((failures.get(child.expid) ?? []).map((one) => one.expressionId));
  const waiting = new Set(standing.workitems.map((one) => one.expressionId));
  const stateOf = (id: string): PlaceState => (failed.has(id) ? 'failed' : waiting.has(id) ? 'waits' : 'live');
  if (past === null)
    return standing.expressions
      .filter((one) => one.expid === child.expid)
      .map(({ id }) => ({ id, state: stateOf(id) }));
  return past
    .runsAt(child.expid, n)
    .filter((run) => run.n >= since)
    .map((run) => ({
      id: run.id,
      state:
        run.end === null || run.end.n > n
          ? stateOf(run.id)
          : run.end.kind === 'replied'
            ? 'done'
            : ('cancelled' as const),
    }));
}

/** In the order in which the groups came up. */
export function grouped<One>(list: readonly One[], key: (one: One) => string): ReadonlyMap<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of list) {
    const there = groups.get(key(one));
    if (there === undefined) groups.set(key(one), [one]);
    else there.push(one);
  }
  return groups;
}

/** Worst first. */
const ORDER: readonly PlaceState[] = [
  'failed',
  'cancelling',
  'waits',
  'live',
  'done',
  'cancelled',
  'skipped',
  'to come',
];
export const worst = (states: readonly PlaceState[]): PlaceState =>
  ORDER.find((one) => states.includes(one)) ?? 'to come';

/** A place shows what is inside it when it is folded. */
export const withInside = ({ state, inside }: Seen): PlaceState =>
  inside.failed > 0 ? 'failed' : state === 'live' && inside.waits > 0 ? 'waits' : state;
