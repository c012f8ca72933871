import { isObject, type Json } from '../../src/model/json.ts';
import {
  type Entry,
  expidIn,
  expressionIn,
  type Failure,
  FOLDED,
  type HeldWorkitem,
  isOver,
  type LiveExpression,
  type SetTimer,
  type Standing,
  type Status,
  textOf,
  textOrNull,
} from './standing.ts';

/*
 * What a history tells, kept so that any moment of it can be had at once: each expression is one run with the numbers of the entries that
 * changed it, and the standing at n is what those up to n say. No entry is looked at twice, so a chronicle grows as entries come in.
 */

export type Try = {
  readonly n: number;
  readonly at: string;
  readonly message: string;
  readonly number: number;
  /** The HTTP status; null when there was no answer. */
  readonly status: number | null;
  readonly error: string | null;
  readonly milliseconds: number | null;
  readonly nextAt: string | null;
  readonly ok: boolean;
  /** The participant proceeded before the message was delivered. */
  readonly overtaken: boolean;
};

type Mark = { readonly n: number; readonly at: string; readonly to: string; readonly failure: Failure | null };
type ItemMark = {
  readonly n: number;
  readonly at: string;
  readonly to: 'open' | 'failed' | 'gone';
  readonly participant: string;
};

/** One expression, from its being applied to its end. */
export type Run = {
  readonly id: string;
  readonly expid: string;
  readonly name: string;
  readonly n: number;
  readonly at: string;
  readonly parentId: string | null;
  /** Of the first expression of a branch of an iterator: the beginning of its element. */
  readonly element: string | null;
  /** Changes of its state, in order. */
  readonly marks: readonly Mark[];
  /** The entry that ended it: its own, or that of the whole workflow, with which it was swept away; null while it is live. */
  readonly end: Entry | null;
  readonly items: readonly ItemMark[];
  readonly tries: readonly Try[];
};
type Growing = { -readonly [key in keyof Run]: Run[key] extends readonly (infer One)[] ? One[] : Run[key] } & {
  /** Which of all runs it is. */
  readonly order: number;
};
/** How a run ended. */
export function endOf({ end }: Run): 'replied' | 'cancelled' | 'swept' | null {
  if (end === null) return null;
  return end.kind === 'expression.replied' ? 'replied' : end.kind === 'expression.cancelled' ? 'cancelled' : 'swept';
}

/** The runs of one place, in order. */
type Here = {
  readonly expid: string;
  /** What the ids of its expressions begin with. */
  readonly prefix: string;
  readonly runs: Growing[];
  /** Its runs by their ids, up to `indexed`: made when one is wanted that is not among the last, as in a crowd. */
  readonly byId: Map<string, Growing>;
  indexed: number;
};
/** What happens is mostly about the last runs of a place: so many are looked at before the index is. */
const LAST_LOOKED = 4;

type StatusMark = {
  readonly n: number;
  readonly at: string;
  readonly paused: boolean;
  readonly cancelling: boolean;
  readonly over: Status | null;
};

export type Chronicle = {
  readonly entries: readonly Entry[];
  /** The number of the last entry; 0 before the first. */
  readonly last: number;
  /** The number of the last entry before which some are no longer kept; 0: all are. What began before it and lives is not in any standing. */
  readonly foldedTo: number;
  /**
   * Takes in the entries that follow; those it has already are passed over. Where some are no longer kept, others of the kind FOLDED stand in their
   * place.
   *
   * @param firstKept from this number on none may be missing
   * @throws Error when one is missing
   */
  add(entries: readonly Entry[], firstKept?: number): void;
  /** How the workflow stood when entry `n` was the last. */
  at(n: number): Standing;
  /** The runs of a place that had begun by `n`, in order. */
  runsAt(expid: string, n: number): readonly Run[];
  run(id: string): Run | null;
};

const NOTHING: readonly Run[] = [];
const NONE: never[] = [];
/** The list with one more; the one that is shared stays empty. */
function more<One>(list: One[], one: One): One[] {
  if (list === NONE) return [one];
  list.push(one);
  return list;
}

export function makeChronicle(): Chronicle {
  const entries: Entry[] = [];
  let foldedTo = 0;
  const runs: Growing[] = [];
  /** The numbers of the entries they began and ended with, for a moment is asked for at each move of a slider: then all of them are looked at. */
  const begins = makeNumbers();
  const ends = makeNumbers();
  const byPlace = new Map<string, Here>();
  /** The place the last entry was about: the next one mostly is, too. */
  let latest: Here | undefined;
  const statuses: StatusMark[] = [{ n: 0, at: '', paused: false, cancelling: false, over: null }];
  type Timed = { readonly n: number; readonly timer: SetTimer; endN: number | null };
  const timers: Timed[] = [];
  /** Each time one was set or lifted. */
  const breakpoints: { readonly n: number; readonly id: string; readonly place: string; readonly isSet: boolean }[] =
    [];
  /** Those that neither fired nor ended with their expression. */
  const openTimers = new Set<Timed>();

  /** Where the history does not say whose child it is, it is that of the last one that lives at the place above. */
  function parentAt(expid: string): string | null {
    const end = expid.lastIndexOf('_');
    const above = end === -1 ? undefined : byPlace.get(expid.slice(0, end));
    return above?.runs.findLast((run) => run.end === null)?.id ?? null;
  }

  function hereOf(id: string): Here | undefined {
    if (latest !== undefined && id.startsWith(latest.prefix)) return latest;
    const here = byPlace.get(expidIn(id));
    if (here !== undefined) latest = here;
    return here;
  }

  function runOf(id: string): Growing | undefined {
    const here = hereOf(id);
    if (here === undefined) return undefined;
    const { length } = here.runs;
    for (let i = length - 1; i >= 0 && i >= length - LAST_LOOKED; i--) {
      const run = here.runs[i] as Growing;
      if (run.id === id) return run;
    }
    for (; here.indexed < length; here.indexed++) {
      const run = here.runs[here.indexed] as Growing;
      here.byId.set(run.id, run);
    }
    return here.byId.get(id);
  }

  function close(run: Growing, entry: Entry): void {
    run.end = entry;
    ends.set(run.order, entry.n);
  }

  function begin(entry: Entry, id: string, name: string): Growing {
    let here = hereOf(id);
    if (here === undefined) {
      const expid = expidIn(id);
      here = { expid, prefix: `${expid}!`, runs: [], byId: new Map(), indexed: 0 };
      byPlace.set(expid, here);
      latest = here;
    }
    const { expid } = here;
    const branch = entry['branch'];
    const run: Growing = {
      order: runs.length,
      id,
      expid,
      name,
      n: entry.n,
      at: entry.at,
      parentId: textOrNull(entry['parent_id']) ?? parentAt(expid),
      element: branch !== undefined && isObject(branch) ? textOrNull(branch['element']) : null,
      // Most have none of these: then they share one list.
      marks: NONE,
      end: null,
      items: NONE,
      tries: NONE,
    };
    begins.set(run.order, entry.n);
    ends.set(run.order, NEVER);
    runs.push(run);
    here.runs.push(run);
    return run;
  }

  function mark(entry: Entry, id: string, to: string, failure: Failure | null = null): void {
    const run = runOf(id);
    if (run !== undefined) run.marks = more(run.marks, { n: entry.n, at: entry.at, to, failure });
  }

  function end(entry: Entry, id: string): void {
    const run = runOf(id);
    // It has replied and goes on by itself, with branches nobody waits for; it ends a second time.
    if (run === undefined || entry['goes_on'] === true) return;
    close(run, entry);
    if (openTimers.size === 0) return;
    for (const timer of openTimers) {
      if (timer.timer.expressionId !== id) continue;
      timer.endN = entry.n;
      openTimers.delete(timer);
    }
  }

  function item(entry: Entry, to: ItemMark['to']): void {
    const run = runOf(expressionIn(textOf(entry['workitem_id'])));
    if (run === undefined) return;
    run.items = more(run.items, { n: entry.n, at: entry.at, to, participant: textOf(entry['participant']) });
    // Whatever is opened or proceeded has no error any more.
    if (to === 'open') mark(entry, run.id, 'active');
  }

  function tried(entry: Entry, ok: boolean): void {
    const run = runOf(textOf(entry['expression_id']) || expressionIn(textOf(entry['workitem_id'])));
    if (run === undefined) return;
    run.tries = more(run.tries, {
      n: entry.n,
      at: entry.at,
      message: textOf(entry['send']) || 'active',
      number: numberOf(entry['try']) ?? 0,
      status: numberOf(entry['status']),
      error: textOrNull(entry['error']),
      milliseconds: numberOf(entry['milliseconds']),
      nextAt: textOrNull(entry['next_at']),
      ok,
      overtaken: entry['overtaken'] === true,
    });
  }

  function status(entry: Entry, change: Partial<StatusMark>): void {
    const before = statuses.at(-1) as StatusMark;
    statuses.push({ ...before, ...change, n: entry.n, at: entry.at });
    if (change.over === undefined || change.over === null) return;
    for (const run of runs) if (run.end === null) close(run, entry);
    for (const timer of openTimers) timer.endN = entry.n;
    openTimers.clear();
  }

  function setTimer(entry: Entry): void {
    const expid = textOf(entry['expid']);
    const id = textOf(entry['expression_id']) || (byPlace.get(expid)?.runs.at(-1)?.id ?? `${expid}!`);
    const timed: Timed = {
      n: entry.n,
      timer: { expressionId: id, expid, dueAt: textOf(entry['due_at']), action: textOf(entry['action']) },
      endN: null,
    };
    timers.push(timed);
    openTimers.add(timed);
  }

  function timerFired(entry: Entry): void {
    const expid = textOf(entry['expid']);
    const id = textOf(entry['expression_id']);
    const found = [...openTimers].find(
      ({ timer }) => timer.expid === expid && (id === '' || timer.expressionId === id),
    );
    if (found === undefined) return;
    found.endN = entry.n;
    openTimers.delete(found);
  }

  function take(entry: Entry): void {
    const id = textOf(entry['expression_id']);
    switch (entry.kind) {
      case 'expression.applied':
        begin(entry, id, textOf(entry['name']));
        return;
      case 'expression.replied':
      case 'expression.cancelled':
        end(entry, id);
        return;
      case 'expression.failed':
        if (entry['handled_by'] === undefined)
          mark(entry, id, 'failed', {
            expressionId: id,
            expid: expidIn(id),
            class: textOf(entry['class']),
            message: textOf(entry['message']),
            at: entry.at,
          });
        return;
      case 'expression.paused':
      case 'expression.resumed': {
        const { breakpoint } = entry;
        if (typeof breakpoint !== 'string' || breakpoint === expidIn(id))
          mark(entry, id, entry.kind === 'expression.paused' ? 'paused' : 'active');
        else breakpoints.push({ n: entry.n, id, place: breakpoint, isSet: entry.kind === 'expression.paused' });
        return;
      }
      case 'event.received':
        if (runOf(id)?.marks.at(-1)?.to === 'awaiting') mark(entry, id, 'active');
        return;
      case 'expression.awaiting':
      case 'expression.timing_out':
      case 'expression.cancelling':
      case 'expression.dying':
        mark(entry, id, entry.kind.slice('expression.'.length));
        return;
      case 'expression.replayed':
        mark(entry, id, 'active');
        return;
      case 'workitem.opened':
        item(entry, 'open');
        return;
      case 'workitem.failed':
        item(entry, 'failed');
        return;
      case 'workitem.proceeded':
        item(entry, 'gone');
        mark(entry, expressionIn(textOf(entry['workitem_id'])), 'active');
        return;
      case 'workitem.closed':
        item(entry, 'gone');
        return;
      case 'callback.delivered':
        tried(entry, true);
        return;
      case 'callback.refused':
        tried(entry, false);
        return;
      case 'callback.exhausted':
        if (textOf(entry['send']) === 'active') item(entry, 'failed');
        return;
      case 'timer.set':
        setTimer(entry);
        return;
      case 'timer.fired':
        timerFired(entry);
        return;
      case 'workflow.paused':
        status(entry, { paused: true });
        return;
      case 'workflow.resumed':
        status(entry, { paused: false });
        return;
      case 'workflow.cancelling':
        status(entry, { paused: false, cancelling: true });
        return;
      case 'workflow.completed':
      case 'workflow.cancelled':
      case 'workflow.killed':
        status(entry, { over: entry.kind.slice('workflow.'.length) as Status });
        return;
      default:
      // Later versions may tell more; what is not known changes nothing here.
    }
  }

  return {
    entries,
    get last() {
      return entries.at(-1)?.n ?? 0;
    },
    get foldedTo() {
      return foldedTo;
    },
    add(following, firstKept = 1) {
      let last = entries.at(-1)?.n ?? 0;
      for (const entry of following) {
        if (entry.n <= last) continue;
        if (entry.n !== last + 1) {
          if (entry.n > firstKept) throw new Error(`Entry ${last + 1} is missing before entry ${entry.n}`);
          while (++last < entry.n) entries.push({ n: last, at: entry.at, kind: FOLDED, step: FOLDED });
          foldedTo = entry.n;
        }
        entries.push(entry);
        last = entry.n;
        take(entry);
      }
    },
    at(n) {
      const expressions: LiveExpression[] = [];
      const workitems: HeldWorkitem[] = [];
      const failures: Failure[] = [];
      for (let i = 0; i < runs.length && begins.get(i) <= n; i++) {
        if (ends.get(i) <= n) continue;
        const run = runs[i] as Growing;
        const mark = lastUpTo(run.marks, n);
        const state = mark?.to ?? 'active';
        const { id, expid, name, parentId, element } = run;
        const stops = breakpoints.length === 0 ? NO_STOPS : stopsAt(breakpoints, id, n);
        expressions.push({
          ...{ id, expid, name, state, since: run.at, parentId, element },
          ...{ progress: null, breakpoints: stops, tree: null },
        });
        if (mark?.failure) failures.push(mark.failure);
        const held = heldAt(run, n);
        if (held !== null) workitems.push(held);
      }
      const mark = lastUpTo(statuses, n) as StatusMark;
      const status =
        mark.over ??
        (failures.length > 0 ? 'error' : mark.paused ? 'paused' : mark.cancelling ? 'cancelling' : 'running');
      return {
        n,
        at: entries[Math.min(n, entries.length) - 1]?.at ?? '',
        status,
        expressions,
        workitems: isOver(status) ? [] : workitems,
        timers: timers.filter((one) => one.n <= n && (one.endN === null || one.endN > n)).map(({ timer }) => timer),
        failures,
      };
    },
    runsAt: (expid, n) => {
      const all = byPlace.get(expid)?.runs ?? NOTHING;
      const last = all.at(-1);
      return last === undefined || last.n <= n ? all : all.slice(0, firstFrom(all, n + 1));
    },
    run: (id) => runOf(id) ?? null,
  };
}

/** Where in runs in their order the first is that began with entry `n` or a later one. */
export function firstFrom(runs: readonly Pick<Run, 'n'>[], n: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as Run).n < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The end of what is live. */
const NEVER = 0x7fffffff;
const NUMBERS_FIRST = 1_024;
/** A list of whole numbers that grows. */
function makeNumbers(): { get(i: number): number; set(i: number, value: number): void } {
  let kept = new Int32Array(NUMBERS_FIRST);
  return {
    get: (i) => kept[i] as number,
    set(i, value) {
      if (i >= kept.length) {
        const more = new Int32Array(Math.max(i + 1, 2 * kept.length));
        more.set(kept);
        kept = more;
      }
      kept[i] = value;
    },
  };
}

const NO_STOPS: readonly string[] = [];
/** The places at which whatever comes below an expression was to be stopped. A resume without a place lifts all: then the place is said of none. */
function stopsAt(
  all: readonly { readonly n: number; readonly id: string; readonly place: string; readonly isSet: boolean }[],
  id: string,
  n: number,
): readonly string[] {
  const places = new Set<string>();
  for (const one of all) {
    if (one.id !== id || one.n > n) continue;
    if (one.isSet) places.add(one.place);
    else places.delete(one.place);
  }
  return [...places];
}

function heldAt(run: Run, n: number): HeldWorkitem | null {
  const item = lastUpTo(run.items, n);
  if (item === null || item.to === 'gone') return null;
  const opened = run.items.findLast((one) => one.n <= n && one.to === 'open');
  const last = run.tries.findLast((one) => one.n <= n && one.n > (opened?.n ?? 0));
  return {
    id: run.id,
    expressionId: run.id,
    expid: run.expid,
    participant: item.participant || (opened?.participant ?? ''),
    state: item.to,
    openedAt: opened?.at ?? null,
    isOverdue: false,
    url: null,
    owed: last?.ok ? null : item.to === 'open' ? 'active' : null,
    tries: last?.number ?? 0,
    triesMax: null,
    lastStatus: last?.status ?? null,
    nextAt: last?.nextAt ?? null,
  };
}

function lastUpTo<One extends { readonly n: number }>(list: readonly One[], n: number): One | null {
  for (let i = list.length - 1; i >= 0; i--) {
    const one = list[i] as One;
    if (one.n <= n) return one;
  }
  return null;
}

const numberOf = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);
