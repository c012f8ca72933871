import { type Cron, isZone, nextCron, readCron } from '../language/cron.ts';
import { parseDuration } from '../language/duration.ts';
import { parseWhen } from '../language/when.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { cut, shownJson } from '../model/text.ts';

/* When a definition is launched by itself: `schedules` of a stored definition. Pure; times are business time, in milliseconds. */

/** Schedules of one definition, and of one tenant. */
export const SCHEDULES_MAX = 20;
export const SCHEDULES_OF_TENANT_MAX = 10_000;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
const FIELDS_BYTES_MAX = 64 * 1024;
const EVERY_MS_MIN = 1_000;

export const OVERLAPS = ['skip', 'queue', 'allow', 'cancel'] as const;
export const CATCH_UPS = ['none', 'one', 'all'] as const;

export type ScheduleSpec = {
  readonly name: string;
  /** As it was written, for those who look. */
  readonly written: JsonObject;
  readonly when:
    | { readonly kind: 'cron'; readonly cron: Cron }
    | { readonly kind: 'every'; readonly everyMs: number }
    | { readonly kind: 'at'; readonly at: number };
  readonly overlap: (typeof OVERLAPS)[number];
  readonly catchUp: (typeof CATCH_UPS)[number];
  readonly fields: JsonObject;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly jitterMs: number;
  readonly paused: boolean;
  /** Of BPMN: the start event it begins with. */
  readonly start: string | null;
};

type Complaint = { readonly detail: string; readonly pointer: string };
const MEMBERS: ReadonlySet<string> = new Set(
  'name cron every at zone overlap catch_up fields start_at end_at jitter paused start'.split(' '),
);

/** Reads `schedules`; a complaint: what is wrong, its pointer below the list. `now`: a cron line has to come some day after it. */
export function readSchedules(
  written: Json | undefined,
  now: number,
): { readonly schedules: readonly ScheduleSpec[]; readonly warnings: readonly string[] } | Complaint {
  if (written === undefined) return { schedules: [], warnings: [] };
  if (!Array.isArray(written)) return { detail: 'must be a list of schedules', pointer: '' };
  const list = written as readonly Json[];
  if (list.length > SCHEDULES_MAX) return { detail: `must have at most ${SCHEDULES_MAX} schedules`, pointer: '' };
  const schedules: ScheduleSpec[] = [];
  const warnings: string[] = [];
  for (const [i, one] of list.entries()) {
    const read = readSchedule(one, String(i), now);
    if (!('when' in read)) return { detail: read.detail, pointer: `/${i}${read.pointer}` };
    if (schedules.some(({ name }) => name === read.name))
      return { detail: `there is another schedule called ${read.name}`, pointer: `/${i}/name` };
    schedules.push(read);
    if (read.when.kind === 'cron' && read.when.cron.days !== null && read.when.cron.weekdays !== null)
      warnings.push(`the schedule ${read.name} comes only where the day of the month and the day of the week both fit`);
  }
  return { schedules, warnings };
}

export function readSchedule(written: Json, index: string, now: number): ScheduleSpec | Complaint {
  const wrong = (detail: string, member = ''): Complaint => ({ detail, pointer: member === '' ? '' : `/${member}` });
  if (!isObject(written)) return wrong('must be an object');
  const unknown = Object.keys(written).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) return wrong('is not known here', encodeURIComponent(cut(unknown, 200)));
  const name = ownValue(written, 'name') ?? index;
  if (typeof name !== 'string' || !NAME.test(name)) return wrong('must be 1 to 64 letters, digits, _ . and -', 'name');
  const zone = ownValue(written, 'zone') ?? 'UTC';
  if (typeof zone !== 'string' || !isZone(zone)) return wrong('must be an IANA zone, such as Europe/Rome', 'zone');
  const overlap = OVERLAPS.find((one) => one === (ownValue(written, 'overlap') ?? 'skip'));
  if (overlap === undefined) return wrong(`must be one of ${OVERLAPS.join(', ')}`, 'overlap');
  const catchUp = CATCH_UPS.find((one) => one === (ownValue(written, 'catch_up') ?? 'one'));
  if (catchUp === undefined) return wrong(`must be one of ${CATCH_UPS.join(', ')}`, 'catch_up');
  const fields = ownValue(written, 'fields') ?? {};
  if (!isObject(fields) || JSON.stringify(fields).length > FIELDS_BYTES_MAX)
    return wrong(`must be an object of at most ${FIELDS_BYTES_MAX} characters`, 'fields');
  const paused = ownValue(written, 'paused') ?? false;
  if (typeof paused !== 'boolean') return wrong('must be true or false', 'paused');
  const from = instantIn(written, 'start_at');
  if (from === undefined) return wrong(INSTANT, 'start_at');
  const to = instantIn(written, 'end_at');
  if (to === undefined) return wrong(INSTANT, 'end_at');
  const jitter = ownValue(written, 'jitter');
  const jitterMs = jitter === undefined ? 0 : spanMs(jitter);
  if (jitterMs === null || jitterMs > 86_400_000) return wrong('must be a duration of at most a day', 'jitter');
  const kinds = ['cron', 'every', 'at'].filter((kind) => Object.hasOwn(written, kind));
  const [kind] = kinds;
  if (kinds.length !== 1) return wrong('must have one of cron, every and at');
  const start = ownValue(written, 'start') ?? null;
  if (start !== null && typeof start !== 'string') return wrong('must be the id of a start event', 'start');
  const rest = { name, written, overlap, catchUp, fields, startAt: from, endAt: to, jitterMs, paused, start };
  if (kind === 'every') {
    const everyMs = spanMs(written['every']);
    if (everyMs === null || everyMs < EVERY_MS_MIN) return wrong('must be a duration of at least a second', 'every');
    return { ...rest, when: { kind: 'every', everyMs } };
  }
  if (kind === 'at') {
    const at = instantIn(written, 'at');
    if (at === undefined || at === null) return wrong(INSTANT, 'at');
    return { ...rest, when: { kind: 'at', at } };
  }
  const line = written['cron'];
  const cron = typeof line === 'string' ? readCron(line) : { error: shownJson(line as Json, 100) };
  if ('error' in cron) return wrong(`is no cron line: ${cut(cron.error, 100)} cannot be read`, 'cron');
  // A zone in the line itself goes first.
  const inZone = cron.zone === 'UTC' ? { ...cron, zone } : cron;
  if (nextCron(inZone, now) === null) return wrong('never comes', 'cron');
  return { ...rest, when: { kind: 'cron', cron: inZone } };
}

const INSTANT = 'must be a time such as 2030-12-31T09:00:00Z';

/** Undefined: what is written is no time; null: nothing is. */
function instantIn(written: JsonObject, member: string): number | null | undefined {
  const value = ownValue(written, member);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return undefined;
  const when = parseWhen(value, 0);
  return 'error' in when || when.by !== 'date' ? undefined : when.at;
}

function spanMs(value: Json | undefined): number | null {
  if (typeof value === 'number') return value >= 0 && Number.isFinite(value) ? Math.round(value * 1_000) : null;
  return typeof value === 'string' && /^\S+$/.test(value) ? parseDuration(value) : null;
}

/**
 * The first time after `after` at which the schedule is due; null: there is none. An interval counts from `since`.
 */
export function nextDue({ when, startAt, endAt }: ScheduleSpec, after: number, since: number): number | null {
  const from = Math.max(after, (startAt ?? Number.NEGATIVE_INFINITY) - 1);
  const at = nextOf(when, from, startAt ?? since);
  return at === null || (endAt !== null && at > endAt) ? null : at;
}

function nextOf(when: ScheduleSpec['when'], after: number, since: number): number | null {
  switch (when.kind) {
    case 'at':
      return when.at > after ? when.at : null;
    case 'cron':
      return nextCron(when.cron, after);
    case 'every': {
      // An interval that begins at a time of its own begins with it.
      if (after < since) return since;
      return since + (Math.floor((after - since) / when.everyMs) + 1) * when.everyMs;
    }
  }
}
