import type { Json, JsonObject } from '../model/json.ts';
import type { NewSchedule } from '../store/tables/definition-name.ts';
import type { ScheduleRow } from '../store/tables/schedule.ts';
import { nextDue, readSchedule, type ScheduleSpec } from './schedule-spec.ts';

/*
 * What a schedule does when it is looked at: which of its times have come, which of them start something, and when it is looked at next. Pure;
 * times are business time, in milliseconds. Whoever acts on it writes the decision down first, with the ids it launches under.
 */

/** What was late by more than this was missed: nobody was there. */
export const MISSED_AFTER_MS = 60_000;
/** Missed times that are made up for, at most. */
export const CATCH_UP_MAX = 100;
/** Times that wait for the one before to be over. */
export const QUEUE_MAX = 10;
/** What is remembered of the latest times. */
export const RECENT_MAX = 20;
/** How often somebody looks whether the one before is over. */
const QUEUE_LOOK_MS = 5_000;
/** What was decided and is not done after so long is taken up by somebody else. */
export const FIRING_MS = 30_000;
/** Times of one look: more than anybody means. */
const TIMES_MAX = 1_000;

/** A time that starts something. `fires`: when it was decided. */
export type Firing = { readonly id: string; readonly dueAt: number; readonly cancels?: string };
export type Skipped = 'overlap' | 'missed' | 'limit' | 'failed';
export type Recent = {
  readonly due_at: number;
  readonly fired_at: number;
  readonly workflow_id?: string;
  readonly skipped?: Skipped;
};

export type Standing = {
  readonly firing: readonly Firing[];
  /** Due times that wait for the one before to be over. */
  readonly queued: readonly number[];
  /** The latest in front. */
  readonly recent: readonly Recent[];
};

const listIn = <Item>(text: string): readonly Item[] => JSON.parse(text) as readonly Item[];
export const standingOf = (row: Pick<ScheduleRow, 'firing' | 'queued' | 'recent'>): Standing => ({
  firing: listIn<Firing>(row.firing),
  queued: listIn<number>(row.queued),
  recent: listIn<Recent>(row.recent),
});

/** How it was written, read again. */
export function specOf({ spec, id }: Pick<ScheduleRow, 'spec' | 'id'>): ScheduleSpec {
  const read = readSchedule(JSON.parse(spec) as Json, id.slice(id.lastIndexOf(':') + 1), 0);
  if (!('when' in read)) throw new Error(`The schedule ${id} was checked when it was stored: ${read.detail}`);
  return read;
}

/** The schedules of a version that becomes active at `now`. */
export const newSchedules = (
  definition: string,
  specs: readonly ScheduleSpec[],
  now: number,
  chance: () => number,
): readonly NewSchedule[] =>
  specs.map((spec) => {
    const dueAt = nextDue(spec, now, now);
    return {
      id: `${definition}:${spec.name}`,
      spec: JSON.stringify({ ...spec.written, name: spec.name }),
      since: now,
      dueAt,
      wakeAt: spec.paused || dueAt === null ? null : dueAt + late(spec, chance),
      paused: spec.paused,
    };
  });

const late = ({ jitterMs }: ScheduleSpec, chance: () => number): number => Math.floor(jitterMs * chance());

/** What becomes of a row. */
export type Decision = {
  readonly dueAt: number | null;
  readonly wakeAt: number | null;
  readonly firing: readonly Firing[];
  readonly queued: readonly number[];
  readonly recent: readonly Recent[];
};

/**
 * @param last the workflow it launched last, while that is not over; null: there is none
 * @param freshId of a workflow to launch
 */
export function decide(
  row: Pick<ScheduleRow, 'dueAt' | 'since' | 'paused'>,
  spec: ScheduleSpec,
  standing: Standing,
  about: {
    readonly now: number;
    readonly last: string | null;
    readonly freshId: () => string;
    readonly chance: () => number;
  },
): Decision {
  const { now, freshId } = about;
  const come = timesOf(row, spec, now);
  const skipped: Recent[] = come.skipped.map((dueAt) => ({ due_at: dueAt, fired_at: now, skipped: 'missed' as const }));
  const firing: Firing[] = [];
  const queued = [...standing.queued];
  let running = about.last;
  const fire = (dueAt: number, cancels: string | null): void => {
    const id = freshId();
    firing.push({ id, dueAt, ...(cancels === null ? {} : { cancels }) });
    running = id;
  };
  if (spec.overlap === 'queue' && running === null) {
    const first = queued.shift();
    if (first !== undefined) fire(first, null);
  }
  for (const dueAt of come.times) {
    if (running === null || spec.overlap === 'allow') fire(dueAt, null);
    else if (spec.overlap === 'cancel') fire(dueAt, running);
    else if (spec.overlap === 'skip') skipped.push({ due_at: dueAt, fired_at: now, skipped: 'overlap' });
    else if (queued.length < QUEUE_MAX) queued.push(dueAt);
    else skipped.push({ due_at: dueAt, fired_at: now, skipped: 'limit' });
  }
  const next = come.next === null || row.paused ? null : come.next + late(spec, about.chance);
  const looks = queued.length === 0 ? null : now + QUEUE_LOOK_MS;
  return {
    dueAt: come.next,
    wakeAt: next === null ? looks : looks === null ? next : Math.min(next, looks),
    firing,
    queued,
    recent: [...skipped.reverse(), ...standing.recent].slice(0, RECENT_MAX),
  };
}

/** The times from the one that is due until now: those that count, those that were missed, and the next. */
function timesOf(
  { dueAt, since, paused }: Pick<ScheduleRow, 'dueAt' | 'since' | 'paused'>,
  spec: ScheduleSpec,
  now: number,
): { readonly times: readonly number[]; readonly skipped: readonly number[]; readonly next: number | null } {
  if (dueAt === null || dueAt > now) return { times: [], skipped: [], next: dueAt };
  const next = nextDue(spec, now, since);
  if (paused) return { times: [], skipped: [], next };
  const onTime = now - MISSED_AFTER_MS;
  const all = timesBetween(spec, since, dueAt, now, TIMES_MAX);
  const missed = all.filter((at) => at < onTime);
  const punctual = all.filter((at) => at >= onTime);
  if (missed.length === 0) return { times: punctual.slice(-CATCH_UP_MAX), skipped: [], next };
  // Where there were more than are looked at, the latest is still known.
  const latest =
    all.length < TIMES_MAX
      ? (missed.at(-1) as number)
      : (latestBefore(spec, since, onTime) ?? (missed.at(-1) as number));
  const rest = all.length < TIMES_MAX ? punctual : timesBetween(spec, since, onTime, now, TIMES_MAX);
  if (spec.catchUp === 'none') return { times: rest, skipped: [latest], next };
  if (spec.catchUp === 'one') return { times: [latest, ...rest].slice(0, CATCH_UP_MAX), skipped: [], next };
  return {
    times: [...missed, ...rest].slice(0, CATCH_UP_MAX),
    skipped: missed.length > CATCH_UP_MAX ? [latest] : [],
    next,
  };
}

/** Due times from `from` to `to`, both included, at most `most`. */
export function timesBetween(
  spec: ScheduleSpec,
  since: number,
  from: number,
  to: number,
  most: number,
): readonly number[] {
  const times: number[] = [];
  for (
    let at = nextDue(spec, from - 1, since);
    at !== null && at <= to && times.length < most;
    at = nextDue(spec, at, since)
  )
    times.push(at);
  return times;
}

/** The last due time at or before `to`, looked for in ever longer stretches before it. */
function latestBefore(spec: ScheduleSpec, since: number, to: number): number | null {
  for (let ms = 1_000; ms < 10 * 366 * 86_400_000; ms *= 2) {
    const times = timesBetween(spec, since, to - ms, to, TIMES_MAX);
    if (times.length > 0) return times.at(-1) ?? null;
  }
  return null;
}

/** The row after what was decided has been done. `done`: what became of each, in the order of `firing`. */
export function afterFiring(
  row: Pick<ScheduleRow, 'dueAt' | 'wakeAt' | 'paused'>,
  standing: Standing,
  done: readonly Recent[],
  now: number,
): Pick<Decision, 'wakeAt' | 'recent' | 'firing'> {
  const looks = standing.queued.length === 0 ? null : now + QUEUE_LOOK_MS;
  const next = row.paused ? null : row.dueAt;
  return {
    firing: [],
    wakeAt: next === null ? looks : looks === null ? next : Math.min(next, looks),
    recent: [...done.toReversed(), ...standing.recent].slice(0, RECENT_MAX),
  };
}

/** A row as callers see it, its times as numbers. */
export function scheduleView(row: ScheduleRow, timeView: (at: number) => string): JsonObject {
  const { recent } = standingOf(row);
  const seen = recent.map(({ due_at, fired_at, ...rest }) => ({
    due_at: timeView(due_at),
    fired_at: timeView(fired_at),
    ...rest,
  }));
  const last = seen.find((one) => 'workflow_id' in one) ?? null;
  return {
    ...(JSON.parse(row.spec) as JsonObject),
    id: row.id,
    definition: row.definition,
    version: row.version,
    next_at: row.dueAt === null || row.paused ? null : timeView(row.dueAt),
    paused: row.paused,
    last,
    recent: seen,
  };
}
