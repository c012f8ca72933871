import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Meter } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { FigureRow, Store } from '../store/store.ts';

/*
 * What happened in each minute, for each tenant and for all together. A node gathers its own in memory and writes each minute once it is over;
 * whoever looks sums the rows of all nodes. Times are kept as counts in buckets, so that they can be summed, too.
 */

/** The figures of all tenants together. No tenant is called so. */
export const EVERYBODY = '*';
/** More tenants than this in one minute are gathered under one name. */
export const TENANTS_MAX = 500;
export const OTHERS = '+';
/** Minutes that wait to be written while the database is away; the oldest are dropped beyond. */
const WAITING_MAX = 5_000;
/** How often a node looks for minutes that are over. */
const LOOK_MS = 10_000;
export const MINUTE_MS = 60_000;
/** Rows that are read for one answer: a week of one tenant on several nodes. */
const ROWS_MAX = 60_000;

/** Upper ends of the buckets in milliseconds: each a half more than the one before, from 1 ms to about half an hour, and one for the rest. */
const ENDS = Array.from({ length: 36 }, (_, i) => 1.5 ** i);

/** How long things took: how many fell into each bucket. */
type Durations = number[];

type Counts = {
  launched: number;
  ended: number;
  steps: number;
  delivered: number;
  refused: number;
  unreachable: number;
};
type Minute = Counts & {
  readonly step: Durations;
  readonly timer: Durations;
  readonly claim: Durations;
  readonly database: Durations;
};

const COUNTS = ['launched', 'ended', 'steps', 'delivered', 'refused', 'unreachable'] as const;
const DURATIONS = ['step', 'timer', 'claim', 'database'] as const;

const newMinute = (): Minute => ({
  launched: 0,
  ended: 0,
  steps: 0,
  delivered: 0,
  refused: 0,
  unreachable: 0,
  step: [],
  timer: [],
  claim: [],
  database: [],
});

/** One minute as it is shown. Null: nothing of the kind happened. */
export type MinuteFigures = {
  readonly at: number;
  readonly launched: number;
  readonly ended: number;
  readonly steps: number;
  readonly tries: { readonly delivered: number; readonly refused: number; readonly unreachable: number };
  readonly stepP50Ms: number | null;
  readonly stepP95Ms: number | null;
  readonly timerLagMs: number | null;
  readonly claimLagMs: number | null;
  readonly databaseMs: number | null;
};

export type Minutes = {
  readonly meter: Partial<Meter>;
  /** The minutes in which something happened, oldest first: of a tenant, or of all (EVERYBODY). */
  read(tenant: string, minutes: number): Promise<readonly MinuteFigures[]>;
  /** Folds minutes of days ago into hours, some at a time. */
  fold(): Promise<void>;
  /** Writes everything that was gathered. */
  stop(): Promise<void>;
};

/** Minutes are kept as such for so long; then their hour is. */
export const FOLDED_AFTER_MS = 2 * 86_400_000;
export const HOUR_MS = 3_600_000;
/** Hours of tenants that are folded in one round. */
const FOLDS_MAX = 100;

export function makeMinutes(parts: {
  readonly store: Pick<Store, 'figureRows'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly log: Log;
  readonly nodeId: string;
}): Minutes {
  const { store, clock, time, log } = parts;
  /** By minute, then tenant. */
  const gathered = new Map<number, Map<string, Minute>>();
  let current: { at: number; tenants: Map<string, Minute>; all: Minute } | null = null;
  let waiting: FigureRow[] = [];
  let writing: Promise<void> = Promise.resolve();
  let written = 0;
  let isStopped = false;

  const minuteOf = (at: number): number => at - (at % MINUTE_MS);

  function now(): { tenants: Map<string, Minute>; all: Minute } {
    const at = minuteOf(clock.now());
    if (current?.at !== at) {
      const tenants = gathered.get(at) ?? new Map<string, Minute>();
      gathered.set(at, tenants);
      const all = tenants.get(EVERYBODY) ?? newMinute();
      tenants.set(EVERYBODY, all);
      current = { at, tenants, all };
    }
    return current;
  }

  function ofTenant(tenant: string): Minute {
    const { tenants } = now();
    const known = tenants.get(tenant);
    if (known !== undefined) return known;
    const name = tenants.size > TENANTS_MAX ? OTHERS : tenant;
    const made = tenants.get(name) ?? newMinute();
    tenants.set(name, made);
    return made;
  }

  function add(tenant: string, count: (minute: Minute) => void): void {
    count(ofTenant(tenant));
    count(now().all);
  }

  /** Minutes that are over go to the database; `everything`: the one that goes on as well. */
  function write(everything: boolean): Promise<void> {
    const at = minuteOf(clock.now());
    for (const [minute, tenants] of gathered) {
      if (!everything && minute === at) continue;
      gathered.delete(minute);
      // A clock that was put back may come to the same minute again: then it is another row.
      written += 1;
      const node = `${parts.nodeId}/${written}`;
      for (const [tenant, figures] of tenants) waiting.push({ tenant, minute, node, figures: JSON.stringify(figures) });
    }
    if (everything) current = null;
    writing = writing.then(drain);
    return writing;
  }

  async function drain(): Promise<void> {
    const rows = waiting;
    waiting = [];
    for (const [i, row] of rows.entries())
      try {
        await store.figureRows.add(row);
      } catch (err) {
        waiting = [...rows.slice(i), ...waiting].slice(-WAITING_MAX);
        log.warn('figures of a minute could not be written and are tried again', { event: 'figures.unwritten', err });
        return;
      }
  }

  let cancel = again();
  function again(): () => void {
    return time.after(LOOK_MS, () => {
      void write(false).finally(() => {
        if (!isStopped) cancel = again();
      });
    });
  }

  /** Adds one to another, which is kept. What a release before wrote has less in it. */
  function addTo(sum: Minute, figures: Counts & Partial<Minute>): void {
    for (const name of COUNTS) sum[name] += figures[name];
    for (const name of DURATIONS)
      for (const [place, n] of (figures[name] ?? []).entries()) sum[name][place] = (sum[name][place] ?? 0) + (n ?? 0);
  }

  return {
    fold: async () => {
      const before = clock.now() - FOLDED_AFTER_MS;
      const end = before - (before % HOUR_MS);
      for (let i = 0; i < FOLDS_MAX && !isStopped; i++) {
        const found = await store.figureRows.oldest(end);
        if (found === null) return;
        const from = found.minute - (found.minute % HOUR_MS);
        const sum = newMinute();
        for (const text of await store.figureRows.between(found.tenant, from, from + HOUR_MS))
          addTo(sum, JSON.parse(text) as Minute);
        await store.figureRows.fold(found.tenant, from, from + HOUR_MS, JSON.stringify(sum));
      }
    },
    meter: {
      launched: (tenant) => add(tenant, (minute) => (minute.launched += 1)),
      ended: (tenant) => add(tenant, (minute) => (minute.ended += 1)),
      step: (tenant, _, seconds) => {
        const place = placeOf(seconds);
        add(tenant, (minute) => {
          minute.steps += 1;
          put(minute.step, place);
        });
      },
      tried: ({ tenant, outcome, lateSeconds }) => {
        if (outcome === 'dropped') return;
        const late = placeOf(lateSeconds);
        const kind = outcome === '2xx' ? 'delivered' : /^\dxx$/.test(outcome) ? 'refused' : 'unreachable';
        add(tenant, (minute) => {
          minute[kind] += 1;
          put(minute.claim, late);
        });
      },
      timer: (tenant, seconds) => {
        const place = placeOf(seconds);
        add(tenant, (minute) => put(minute.timer, place));
      },
      saved: (seconds) => put(now().all.database, placeOf(seconds)),
    },
    read: async (tenant, minutes) => {
      const from = minuteOf(clock.now()) - (minutes - 1) * MINUTE_MS;
      await writing;
      const rows = await store.figureRows.since(tenant, from, ROWS_MAX);
      const sums = new Map<number, Minute>();
      const sum = (at: number, figures: Minute): void => {
        if (at < from) return;
        const known = sums.get(at) ?? newMinute();
        sums.set(at, known);
        addTo(known, figures);
      };
      for (const row of rows) sum(row.minute, JSON.parse(row.figures) as Minute);
      for (const row of waiting) if (row.tenant === tenant) sum(row.minute, JSON.parse(row.figures) as Minute);
      for (const [at, tenants] of gathered) {
        const own = tenants.get(tenant);
        if (own !== undefined) sum(at, own);
      }
      return [...sums].sort(([a], [b]) => a - b).map(([at, minute]) => shown(at, minute));
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await write(true);
    },
  };
}

function placeOf(seconds: number): number {
  const ms = seconds * 1000;
  const place = ms <= 1 ? 0 : Math.ceil(Math.log(ms) / Math.log(1.5));
  return Math.min(place, ENDS.length);
}

/** Lists are filled without holes: a hole is no number in JSON. */
function put(durations: Durations, place: number): void {
  while (durations.length <= place) durations.push(0);
  durations[place] = (durations[place] ?? 0) + 1;
}

/** The duration below which this share of them lies: the upper end of its bucket, within a half of what it was. */
function percentile(durations: Durations, share: number): number | null {
  const all = durations.reduce((sum, n) => sum + n, 0);
  if (all === 0) return null;
  let seen = 0;
  for (const [place, n] of durations.entries()) {
    seen += n;
    if (seen >= all * share) return Math.round((ENDS[place] ?? (ENDS.at(-1) as number)) * 10) / 10;
  }
  return null;
}

const shown = (at: number, minute: Minute): MinuteFigures => ({
  at,
  launched: minute.launched,
  ended: minute.ended,
  steps: minute.steps,
  tries: { delivered: minute.delivered, refused: minute.refused, unreachable: minute.unreachable },
  stepP50Ms: percentile(minute.step, 0.5),
  stepP95Ms: percentile(minute.step, 0.95),
  timerLagMs: percentile(minute.timer, 0.95),
  claimLagMs: percentile(minute.claim, 0.95),
  databaseMs: percentile(minute.database, 0.95),
});
