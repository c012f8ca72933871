import type { Json } from '../../src/model/json.ts';
import { type Chronicle, endOf, firstFrom, type Run } from './chronicle.ts';
import { jumpsOf } from './commands.ts';
import { branchesOf, everyPlace, FOREIGN, handlerIn, isCrowd, type Place, placeAt } from './figure.ts';
import { parentOf } from './layout.ts';
import {
  expidIn,
  type Failure,
  type HeldWorkitem,
  isForeignRoot,
  isOver,
  type LiveExpression,
  type SetTimer,
  type Standing,
  textOrNull,
} from './standing.ts';
import { hasTrees, treesBy } from './trees.ts';

/* What each place of the figure shows at one moment. */

export type PlaceState = 'to come' | 'live' | 'waits' | 'failed' | 'cancelling' | 'done' | 'cancelled' | 'skipped';

/** One branch of a crowd, in the order they began. */
export type Mark = {
  readonly id: string;
  readonly state: PlaceState;
  /** The beginning of the element it is about, where the server tells. */
  readonly element: string | null;
};

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
  /** Counted over all places below, in all branches. */
  readonly inside: Counts;
  /** Branches, where it is a crowd. */
  readonly marks: readonly Mark[];
  /** Of a crowd: which of the marks its lane shows; -1: none. */
  readonly shown: number;
  /** Of a loop: which round is shown, 1 for the first; 0 before, and while no history is there. */
  readonly round: number;
  /** Of a loop: the expression each of its rounds began with, the first round first. */
  readonly rounds: readonly string[];
  /** How each of them came out. */
  readonly roundStates: readonly PlaceState[];
  /** It, or something around it, is paused while the rest of the workflow goes on. */
  readonly isHeld: boolean;
  /** Whatever comes there is paused. */
  readonly isStop: boolean;
  /** It runs another tree than the definition's. */
  readonly isChanged: boolean;
  /** What runs there in place of it: `on_error`, `on_timeout`…; null: it does so itself. */
  readonly handler: string | null;
  /** How many branches there are of the place, where it is the lane of a crowd; else 0. */
  readonly branches: number;
  /** Of a command of a cursor: whether it was obeyed. */
  readonly hasFired: boolean;
};
export type Counts = { readonly live: number; readonly waits: number; readonly failed: number; readonly done: number };

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

/**
 * What each place shows. The lane of a crowd shows one of its branches: the one that `chosen` is in, else the first that failed, else the first that
 * waits, else the first.
 *
 * @param past null while no history is there: then nothing is said of what has ended
 * @param chosen the id of an expression; empty: none is chosen
 */
export function statesOf(
  root: Place,
  standing: Standing,
  past: Chronicle | null,
  chosen = '',
): ReadonlyMap<string, Seen> {
  const n = standing.n ?? past?.last ?? 0;
  const live = grouped(standing.expressions, (one) => one.expid);
  const workitems = grouped(standing.workitems, (one) => one.expid);
  const timers = grouped(standing.timers, (one) => one.expid);
  const failures = grouped(standing.failures, (one) => one.expid);
  const seen = new Map<string, Seen>();
  const failedIds = new Set(standing.failures.map((one) => one.expressionId));
  const heldIds = new Set(standing.workitems.map((one) => one.expressionId));
  const parents = new Map(standing.expressions.map((one) => [one.id, one.parentId]));
  const isWaiting = (one: LiveExpression, place: Place): boolean =>
    heldIds.has(one.id) ||
    one.state === 'awaiting' ||
    (place.children.length === 0 &&
      (WAITING.has(place.head) || (timers.get(place.at) ?? []).some((timer) => timer.expressionId === one.id)));

  const stops = new Set(standing.expressions.flatMap(({ breakpoints }) => breakpoints));
  const bodies = bodiesIn(root, standing, parents);
  const jumps = new Map(jumpsOf(root).map((jump) => [jump.from, jump]));
  const parentIdOf = (id: string): string | null => parents.get(id) ?? past?.run(id)?.parentId ?? null;

  // Sub-processes of another tree have the same places as this one has: each expression counts in its own alone.
  const hasForeign = standing.expressions.some(isForeignRoot) || (past !== null && hasTrees(past, n));
  const treeOf = treesBy(parentIdOf);

  /** The chosen expression and all it is in. */
  const ways = new Set<string>();
  for (let id: string | null = chosen; id !== null && id !== '' && !ways.has(id); id = parentIdOf(id)) ways.add(id);
  const isChosenIn = ({ expid, at }: Place): boolean =>
    [...ways].map(expidIn).some((one) => isAt(one, at) || isAt(one, expid));

  type Around = {
    /** Runs that began before belong to a former round. */
    readonly since: number;
    /** Runs that began here or after it belong to a later round; what is shown is a round that is over. Infinite: it is the present one. */
    readonly until: number;
    /** Below a crowd or a definition several runs count at once. */
    readonly many: boolean;
    /** What is around is over or was left out: nothing can come any more. */
    readonly closed: boolean;
    /** The branch that is shown of the crowd around; null: there is none around. */
    readonly branch: Branch | null;
    readonly branches: number;
    /** Where it stands to what is live beside it in its row: what is before is done, what is after is to come. Null: nobody can tell. */
    readonly side: 'before' | 'after' | null;
    readonly isHeld: boolean;
  };
  /** `isIn`: whether an expression belongs to the branch; where nobody tells whose it is, it does. */
  type Branch = {
    readonly id: string;
    readonly isLive: boolean;
    /** Of the body of a call: what is over is told apart, too. */
    readonly isExact: boolean;
    /** The root of the other tree it is in; null: it is in that of the workflow. */
    readonly tree: string | null;
    isIn(id: string): boolean;
  };
  const isOf = (id: string, branch: Branch | null): boolean =>
    (!hasForeign || treeOf(id) === (branch?.tree ?? null)) && (!branch?.isExact || branch.isIn(id));
  const isAny = (branch: Branch | null): boolean => !hasForeign && !branch?.isExact;
  const runsAt = (place: Place, branch: Branch | null): readonly Run[] => {
    const all = past?.runsAt(place.at, n) ?? [];
    return isAny(branch) ? all : all.filter(({ id }) => isOf(id, branch));
  };
  const failuresAt = (place: Place, branch: Branch | null): number => {
    const all = failures.get(place.at) ?? [];
    return isAny(branch) ? all.length : all.filter((one) => isOf(one.expressionId, branch)).length;
  };
  const liveAt = (place: Place, branch: Branch | null): readonly LiveExpression[] => {
    const all = live.get(place.at) ?? [];
    return isAny(branch) ? all : all.filter(({ id }) => isOf(id, branch));
  };

  function visit(place: Place, around: Around): Seen {
    const { branch } = around;
    const isPast = around.until !== Number.POSITIVE_INFINITY;
    const isShown = (id: string): boolean => !isPast && isOf(id, branch) && (branch === null || branch.isIn(id));
    const every = live.get(place.at) ?? [];
    const here = every.filter(({ id }) => isShown(id));
    const all = runsAt(place, branch);
    const runs = between(all, around.since, around.until);
    const items = (workitems.get(place.at) ?? [])
      .filter((one) => isShown(one.expressionId))
      .map((one) => ({ ...one, lastStatus: one.lastStatus ?? statusOf(past?.run(one.expressionId) ?? null, n) }));
    const wrong = (failures.get(place.at) ?? []).filter((one) => isShown(one.expressionId));
    const clocks = (timers.get(place.at) ?? []).filter((one) => isShown(one.expressionId));
    const ended = runs.filter((run) => run.end !== null && run.end.n <= n);
    const done = ended.filter((run) => endOf(run) === 'replied').length;
    const cancelled = ended.length - done;
    // Of the branch that is shown this is its own run.
    const own = branch === null || branch.isExact ? null : (ended.find((run) => run.id === branch.id) ?? null);

    const state: PlaceState = ((): PlaceState => {
      if (wrong.length > 0 || here.some((one) => one.state === 'failed')) return 'failed';
      if (here.some((one) => LEAVING.has(one.state))) return 'cancelling';
      if (here.length > 0) return here.some((one) => isWaiting(one, place)) ? 'waits' : 'live';
      if (branch?.isLive && !branch.isExact && around.side !== null)
        return around.side === 'after' ? 'to come' : done > 0 ? 'done' : 'skipped';
      if (own !== null) return endOf(own) === 'replied' ? 'done' : 'cancelled';
      if (done > 0) return 'done';
      if (cancelled > 0) return 'cancelled';
      return around.closed ? 'skipped' : 'to come';
    })();

    const isHeld = here.length > 0 && (around.isHeld || here.some((one) => one.state === 'paused'));
    const isMany = around.many || place.kind === 'crowd' || place.kind === 'definition';
    const lastRun = runs.at(-1);
    const since = around.many ? around.since : place.kind === 'definition' ? 0 : (lastRun?.n ?? around.since);
    const closed = state === 'done' || state === 'cancelled' || state === 'skipped';
    const inside = { live: 0, waits: 0, failed: 0, done: 0 };
    let marks =
      place.kind === 'crowd' ? marksOf(place, standing, past, since, n, parents, (id) => isOf(id, branch)) : [];
    let shownMark = place.kind === 'crowd' ? shownOf(marks) : -1;
    const mark = marks[shownMark];
    const within: Branch | null =
      place.calls !== ''
        ? callOf(place, here, ended, branch)
        : mark === undefined
          ? branch
          : branchOf(mark, new Set(marks.map(({ id }) => id)), branch?.tree ?? null);
    // Below a crowd only the order in a row tells what of it is before what is live.
    const lives = place.children.map((child) =>
      liveAt(child, within).some(({ id }) => within === null || within.isIn(id)),
    );
    const first = lives.indexOf(true);
    const sideOf = (i: number): Around['side'] =>
      within === null || within.isExact
        ? null
        : isRow(place) && first !== -1
          ? i < first
            ? 'before'
            : 'after'
          : around.side;
    const rounds = place.kind === 'loop' ? roundsOf(place, (first) => runsAt(first, branch), since, around.until) : [];
    const round = rounds.length === 0 ? 0 : roundShown(place, rounds);
    const next = rounds[round];
    // A round that was chosen, and is over, is shown as it was.
    const until = next === undefined ? around.until : next.n;
    let reached = next === undefined || round === 0 ? since : (rounds[round - 1]?.n ?? since);
    // In the body of a call only that call counts.
    const isBody = place.calls !== '';
    const begun = isBody ? (past?.run(within?.id ?? '')?.n ?? 0) : since;
    if (isBody) reached = begun;
    const roadTaken =
      place.kind === 'choice' && place.children.slice(-2).some((child) => liveAt(child, within).length > 0);
    for (const [i, child] of place.children.entries()) {
      const isRoad = place.kind === 'choice' && i >= place.children.length - 2;
      const taken = liveAt(child, within).length > 0;
      const one = visit(child, {
        since: child.kind === 'definition' ? 0 : isMany && !isBody ? since : reached,
        until: child.kind === 'definition' ? Number.POSITIVE_INFINITY : until,
        many: (isMany && !isBody) || child.kind === 'definition',
        branch: within,
        branches: marks.length,
        isHeld,
        side: sideOf(i),
        closed:
          child.kind === 'definition'
            ? isOver(standing.status)
            : closed || until !== Number.POSITIVE_INFINITY || (isRoad && roadTaken && !taken),
      });
      // What follows in a row is of this round only when it began after what stands before it.
      if ((!isMany || isBody) && isRow(place) && child.kind !== 'definition') {
        const run = runsAt(child, within).findLast((one) => one.n < until);
        if (run !== undefined && run.n >= reached) reached = run.n;
      }
      // What is alive in a definition is counted where it is called.
      if (isBody || (child.kind === 'definition' && bodies.definitions.has(child.at))) continue;
      const every = liveAt(child, within);
      const failed = failuresAt(child, within);
      const waiting = every.filter((each) => isWaiting(each, child) && !failedIds.has(each.id)).length;
      inside.live += one.inside.live + Math.max(0, every.length - waiting - failed);
      inside.waits += one.inside.waits + waiting;
      inside.failed += one.inside.failed + failed;
      inside.done += one.inside.done + one.done;
    }
    for (const { id } of place.kind === 'call' ? here : []) {
      const body = bodies.inside.get(id);
      if (body === undefined) continue;
      for (const one of ['live', 'waits', 'failed'] as const) inside[one] += body[one];
    }
    if (place.kind === 'wide') {
      const lanes = branchesOf(place);
      marks = lanes.map((child) => laneMark(child, seen.get(child.expid)));
      const found = chosen === '' ? -1 : lanes.findIndex(isChosenIn);
      shownMark = found === -1 ? neediest(marks) : found;
    }
    // A crowd is as bad as the worst of its branches.
    const isBad = isCrowd(place) && inside.failed > 0 && here.length > 0;
    const shown: Seen = {
      state: isBad ? 'failed' : state,
      live: here,
      workitems: items,
      timers: clocks,
      failures: wrong,
      done,
      cancelled,
      before: all.length - runs.length,
      ended: own ?? ended.at(-1) ?? null,
      inside,
      marks,
      shown: shownMark,
      round,
      rounds: rounds.map(({ id }) => id),
      roundStates: rounds.map((run) =>
        run.end === null || run.end.n > n ? 'live' : endOf(run) === 'replied' ? 'done' : 'cancelled',
      ),
      isHeld,
      isStop: stops.has(place.expid),
      isChanged: here.some(({ tree }) => tree !== null && handlerOf(place, tree) === null),
      handler:
        here.length === 0
          ? null
          : (textOrNull(ended.at(-1)?.end?.['handler']) ?? here.map(({ tree }) => handlerOf(place, tree))[0] ?? null),
      branches: around.branches,
      hasFired: jumps.has(place.expid) && all.some((run) => isObeyed(place, run, branch)),
    };
    seen.set(place.expid, shown);
    return shown;
  }

  /** Whether a command was obeyed in a run of it: what is deeper down is cancelled then; else it is told by what began after it. */
  function isObeyed(place: Place, run: Run, branch: Branch | null): boolean {
    const jump = jumps.get(place.expid);
    if (jump === undefined || run.end === null || run.end.n > n) return false;
    if (endOf(run) !== 'replied') return endOf(run) === 'cancelled';
    const cursor = placeAt(root, parentOf(place.expid));
    if (cursor === null || cursor.kind !== 'loop') return false;
    const ended = run.end.n;
    const [next] = cursor.children
      .flatMap((child) => runsAt(child, branch).find((one) => one.n > ended && one.parentId === run.parentId) ?? [])
      .sort((a, b) => a.n - b.n);
    const around = past?.run(run.parentId ?? '')?.end ?? null;
    const went = next?.expid ?? (around !== null && around.n <= n ? END : '');
    const after = cursor.children[cursor.children.findIndex(({ expid }) => expid === place.expid) + 1];
    // Where it leads where the way goes anyhow nobody can tell.
    const usual = after?.at ?? (cursor.head === 'cursor' ? END : (branchesOf(cursor)[0]?.at ?? END));
    return went !== usual && went === (jump.isEnd ? END : placeAt(root, jump.to)?.at);
  }

  /** The call whose body is shown: the one the chosen expression is in, else the last that lives, else the last there was. */
  function callOf(place: Place, here: readonly LiveExpression[], ended: readonly Run[], around: Branch | null): Branch {
    const call =
      here.find(({ id }) => ways.has(id)) ??
      ended.find(({ id }) => ways.has(id)) ??
      here.find(({ id }) => (bodies.inside.get(id)?.failed ?? 0) > 0) ??
      here.at(-1) ??
      ended.at(-1);
    const known = new Map<string, boolean>();
    const isIn = (id: string, up = 0): boolean => {
      if (call === undefined || up > DEPTH_MAX) return false;
      const before = known.get(id);
      if (before !== undefined) return before;
      const parent = parentIdOf(id);
      const found = parent !== null && (parent === call.id || isIn(parent, up + 1));
      known.set(id, found);
      return found;
    };
    const isRoot = (one: LiveExpression | Run): boolean => isForeignRoot(one) && one.parentId === call?.id;
    const tree =
      place.calls === FOREIGN
        ? (standing.expressions.find(isRoot)?.id ?? past?.runsAt(FOREIGN, n).findLast(isRoot)?.id ?? '')
        : (around?.tree ?? null);
    return { id: call?.id ?? '', isLive: here.length > 0, isExact: true, tree, isIn };
  }

  /** The mark that the chosen expression is in, else the one that needs somebody most. */
  function shownOf(marks: readonly Mark[]): number {
    const ids = new Map(marks.map(({ id }, i) => [id, i]));
    for (let id: string | null = chosen, up = 0; id !== null && id !== '' && up < DEPTH_MAX; up++) {
      const found = ids.get(id);
      if (found !== undefined) return found;
      id = parents.get(id) ?? null;
    }
    return neediest(marks);
  }

  function branchOf(mark: Mark, all: ReadonlySet<string>, tree: string | null): Branch {
    return {
      id: mark.id,
      isLive: parents.has(mark.id),
      isExact: false,
      tree,
      isIn(id) {
        for (let at: string | null = id, up = 0; at !== null && up < DEPTH_MAX; up++) {
          if (at === mark.id) return true;
          if (all.has(at)) return false;
          at = parents.get(at) ?? null;
        }
        return true;
      },
    };
  }

  /** Which round of a loop is shown, 1 for the first: the one the chosen expression is of, else the last. */
  function roundShown(place: Place, rounds: readonly Run[]): number {
    const run = chosen === '' ? null : (past?.run(chosen) ?? null);
    if (run === null || !run.expid.startsWith(`${place.at}_`)) return rounds.length;
    const later = rounds.findIndex(({ n: began }) => began > run.n);
    return later === -1 ? rounds.length : Math.max(1, later);
  }

  visit(root, {
    since: 0,
    until: Number.POSITIVE_INFINITY,
    many: false,
    closed: isOver(standing.status),
    branch: null,
    branches: 0,
    side: null,
    isHeld: false,
  });
  return seen;
}

/** How the last try of a message was answered. */
const statusOf = (run: Run | null, n: number): number | null =>
  run?.tries.findLast((one) => one.n <= n && !one.ok)?.status ?? null;

/** The rounds of a loop: each began with its first child. */
function roundsOf(
  place: Place,
  runsAt: (first: Place) => readonly Run[],
  since: number,
  until: number,
): readonly Run[] {
  const [first] = branchesOf(place);
  return first === undefined ? [] : between(runsAt(first), since, until);
}

type Bodies = {
  /** The places of the definitions that are called. */
  readonly definitions: ReadonlySet<string>;
  /** What is alive in the body of each call, by the id of the call. */
  readonly inside: ReadonlyMap<string, Counts>;
};
/** What is alive in what is called. Where nothing is called by its name there is nothing to be counted. */
function bodiesIn(root: Place, standing: Standing, parents: ReadonlyMap<string, string | null>): Bodies {
  const calls = new Map<string, string>();
  for (const place of everyPlace(root)) if (place.kind === 'call') calls.set(place.at, place.calls);
  const inside = new Map<string, { live: number; waits: number; failed: number; done: number }>();
  if (calls.size === 0) return { definitions: new Set(), inside };
  const failed = new Set(standing.failures.map(({ expressionId }) => expressionId));
  const held = new Set(standing.workitems.map(({ expressionId }) => expressionId));
  for (const { id: own } of standing.expressions) {
    const what = failed.has(own) ? 'failed' : held.has(own) ? 'waits' : 'live';
    for (let id = parents.get(own) ?? null, up = 0; id !== null && up < DEPTH_MAX; up++) {
      if (calls.has(expidIn(id))) {
        const counts = inside.get(id) ?? { live: 0, waits: 0, failed: 0, done: 0 };
        counts[what] += 1;
        inside.set(id, counts);
      }
      id = parents.get(id) ?? null;
    }
  }
  return { definitions: new Set(calls.values()), inside };
}

/** Of runs in their order those that began with an entry from `since` on and before `until`. */
function between(runs: readonly Run[], since: number, until: number): readonly Run[] {
  const from = since <= 0 ? 0 : firstFrom(runs, since);
  const to = until === Number.POSITIVE_INFINITY ? runs.length : firstFrom(runs, until);
  return from === 0 && to === runs.length ? runs : runs.slice(from, to);
}

/** Of branches the first of those that need somebody most; -1: there is none. */
function neediest(marks: readonly Mark[]): number {
  for (const state of ['failed', 'cancelling', 'waits', 'live'] as const) {
    const found = marks.findIndex((one) => one.state === state);
    if (found !== -1) return found;
  }
  return marks.length === 0 ? -1 : 0;
}

/** One of many branches that are places of their own: as bad as what is inside it. */
const laneMark = (place: Place, seen: Seen | undefined): Mark => ({
  id: seen?.live[0]?.id ?? seen?.ended?.id ?? place.expid,
  state: seen === undefined ? 'to come' : withInside(seen),
  element: nameOf(place),
});
/** A row is called as the first in it is. */
function nameOf(place: Place): string {
  let at = place;
  while (at.kind === 'column' && at.children[0] !== undefined) at = at.children[0];
  return at.title;
}
const isAt = (expid: string, above: string): boolean => expid === above || expid.startsWith(`${above}_`);

/** Which of the handlers of a place a tree is. */
const handlerOf = ({ attributes }: Place, tree: Json): string | null => handlerIn(Object.fromEntries(attributes), tree);

/** What comes after the last of a row. */
const END = 'end';
/** Expressions above another that are looked through. */
const DEPTH_MAX = 500;

const isRow = (place: Place): boolean =>
  place.kind === 'column' || place.kind === 'box' || place.kind === 'loop' || place.kind === 'call';

/** The branches of a crowd: each is a run of its one child; what happened below it counts for it where the server tells who is whose. */
function marksOf(
  place: Place,
  standing: Standing,
  past: Chronicle | null,
  since: number,
  n: number,
  parents: ReadonlyMap<string, string | null>,
  isOf: (id: string) => boolean,
): readonly Mark[] {
  const child = place.children.at(-1);
  if (child === undefined) return [];
  const elements = new Map(standing.expressions.map(({ id, element }) => [id, element]));
  // What happened below a branch counts for it.
  const upTo = (id: string): string => {
    for (let at: string | null = id, up = 0; at !== null && up < DEPTH_MAX; up++) {
      if (at.startsWith(`${child.at}!`)) return at;
      at = parents.get(at) ?? null;
    }
    return id;
  };
  const below = (list: readonly { readonly expressionId: string }[]): ReadonlySet<string> =>
    new Set(list.filter((one) => one.expressionId.startsWith(child.at)).map((one) => upTo(one.expressionId)));
  const failed = below(standing.failures);
  const waiting = below(standing.workitems);
  const stateOf = (id: string): PlaceState => (failed.has(id) ? 'failed' : waiting.has(id) ? 'waits' : 'live');
  if (past === null)
    return standing.expressions
      .filter((one) => one.expid === child.at && isOf(one.id))
      .map(({ id, element }) => ({ id, state: stateOf(id), element }));
  return past
    .runsAt(child.at, n)
    .filter((run) => run.n >= since && isOf(run.id))
    .map((run) => ({
      id: run.id,
      element: elements.get(run.id) ?? run.element,
      state:
        run.end === null || run.end.n > n
          ? stateOf(run.id)
          : endOf(run) === 'replied'
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

/** The element of the branch, or of the turn, that is shown of a crowd or an iterator; null: it is not known. */
export const elementOf = (around: Seen | undefined): string | null =>
  around?.marks[around.shown]?.element ?? around?.live[0]?.progress?.element ?? null;
