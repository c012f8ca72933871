/**
 * # timeout, on_timeout
 *
 * Gives up waiting after a while.
 *
 * Attributes: `timeout`: when (see Times): a duration, a date, a number of seconds; blank means never. When it is time the expression and
 * what runs below it is cancelled, as a timeout: participants are told `timeout`, and each expression on the way gets the field
 * `__timed_out__` (`[expression, time, name, attributes]`); the deepest one's goes on. `on_timeout`: what then runs in its place, or happens
 * to it; see Handlers. Without one the expression replies, and the flow goes on. Descendants with an `on_timeout` run theirs first.
 * `on_timeout: 'error'`, or `'error some text'`: an error is raised instead.
 *
 * ```radial
 * alice task: 'sign', timeout: '2d', on_timeout: 'bob'
 * ```
 *
 * Errors: a text that is no time.
 *
 * # timers
 *
 * Several things at several times, while the expression lives.
 *
 * Attributes: `timers`: `'<when>: <what>, <when>: <what>…'`, or a list of such pairs. What comes past the last colon is one of
 * `timeout`; `undo` (`pass`): a plain cancel; `redo` (`retry`): cancel, then run again; `error` (`err`), with or without a message: raised at
 * the expression; a command of a cursor (`rewind`, `jump to x`…); any other name: runs beside the expression with the workitem as it was
 * when that began (a reminder), and is cancelled with it. A date that is past already counts at once, after whatever is under way.
 *
 * ```radial
 * alice task: 'sign', timers: '1d: remind_alice, 2d: remind_boss, 3d: timeout'
 * ```
 *
 * Errors: a time that cannot be read; an entry without a colon; more than 1,000 entries (`LimitExceeded`).
 */

import { LanguageError } from '../../language/language-error.ts';
import { parseWhen } from '../../language/when.ts';
import { makeMeter, type Work } from '../../language/work.ts';
import type { ExpressionId } from '../../model/ids.ts';
import type { Json } from '../../model/json.ts';
import type { AgendaRow } from '../../model/rows.ts';
import { shorten, shownJson } from '../../model/text.ts';
import type { Acting } from '../state/world.ts';
import { attribute, toText } from './attributes.ts';

/*
 * Timers of an expression (docs/definitions.md, timers) and the schedule of those that wait (wait, once, cron). Each is an agenda row that goes
 * with its expression.
 */

/** What an agenda row of an expression does when it is due. */
export type Wake =
  | { readonly do: 'reply' }
  | { readonly do: 'timeout' }
  /** Its participant has not told in time that it is still at work. */
  | { readonly do: 'heartbeat' }
  | { readonly do: 'undo' }
  | { readonly do: 'redo' }
  | { readonly do: 'retry' }
  /** Applied again as another tree (an error, a command, a handler). */
  | { readonly do: 'become'; readonly tree: Json; readonly retry: boolean }
  /** An event of BPMN, by the key it waits under; `left`: rounds that follow, null without end. */
  | {
      readonly do: 'bpmn';
      readonly on: string;
      /** The id of the event, for those who look on. */
      readonly element?: string;
      readonly cycle: { readonly every: string; readonly left: number | null } | null;
    }
  /** A side activity with the applied workitem. */
  | { readonly do: 'flank'; readonly name: string };

export const COMMANDS: ReadonlySet<string> = new Set([
  'skip',
  'back',
  'jump',
  'rewind',
  'continue',
  'break',
  'stop',
  'over',
  'reset',
]);

/** A time of the clock on the wall, which a pause does not move: a date, or the cron line whose next time it is. */
export type Clock = { readonly cron: string | null };

/** What a time that was read (language/when.ts) says of the clock; null for durations. */
export const clockOf = (by: 'duration' | 'date' | 'cron', when: Json): Clock | null =>
  by === 'duration' ? null : { cron: by === 'cron' ? toText(when).trim() : null };

/** Puts a waking of this expression on the agenda. `at`: business time in milliseconds. */
export function schedule(x: Acting, at: number, wake: Wake, clock: Clock | null = null): string {
  const { node, strand, world } = x;
  const id = `${node.id}#${node.timersMade}`;
  node.timersMade++;
  // `clock` comes first (CLOCK_PAYLOAD).
  const payload = JSON.stringify({
    ...(clock !== null && { clock: clock.cron }),
    path: strand.path,
    id: node.id,
    wake,
  });
  world.changeAgenda(id, {
    kind: 'put',
    row: { id, kind: 'timer', dueAt: at, heldAt: null, path: strand.path, payload },
  });
  world.record({
    kind: 'timer.set',
    expid: node.expid,
    expression_id: node.id,
    due_at: new Date(at).toISOString(),
    action: wake.do,
  });
  return id;
}

/** What a row of `schedule` says. `clock`: its cron line; null for a date; absent for a duration. */
export type Waking = {
  readonly path: string;
  readonly id: ExpressionId;
  readonly wake: Wake;
  readonly clock?: string | null;
};
export const wakeOf = (row: AgendaRow): Waking => JSON.parse(row.payload) as Waking;

/** A cron line whose time passed during a pause goes on with its next time. False when it has none, or the row is another. */
export function putOff(x: Acting, row: AgendaRow, { wake, clock }: Waking): boolean {
  const { node, world } = x;
  const { overslept } = world.header;
  if (typeof clock !== 'string' || overslept === null) return false;
  const [from, to] = overslept;
  if (row.dueAt < from || row.dueAt >= to) return false;
  const next = parseWhen(clock, world.now, makeMeter(TIMERS_WORK_MAX, 'finding the next time of a cron line'));
  if ('error' in next) return false;
  const agenda = schedule(x, next.at, wake, { cron: clock });
  node.timers = node.timers.map((timer) => (timer.agenda === row.id ? { ...timer, agenda } : timer));
  if (node.schedule === row.id) node.schedule = agenda;
  return true;
}

/** Sets the timers and the timeout of an expression that is being applied. */
export function setTimers(x: Acting): void {
  const timers = attribute(x, 'timers');
  const entries: (readonly [Json, string])[] = Array.isArray(timers)
    ? (timers as readonly Json[]).map(timerPair)
    : timerTexts(timers);
  const timeout = attribute(x, 'timeout');
  if (timeout !== null && toText(timeout).trim() !== '') entries.push([timeout, 'timeout']);
  if (entries.length > TIMERS_MAX)
    throw new LanguageError(
      'LimitExceeded',
      `timers: ${entries.length} entries are more than the ${TIMERS_MAX} that one expression may have`,
    );
  if (entries.length === 0) return;
  const work = makeMeter(TIMERS_WORK_MAX, 'finding the times of the timers');
  // All times are read before the first is set: when one cannot be read, none is left behind.
  const due = entries.flatMap(([when, action]) => dueTimer(x, when, action.trim(), work));
  const set = due.map(({ at, clock, wake, action }) => ({ agenda: schedule(x, at, wake, clock), action }));
  x.node.timers = [...x.node.timers, ...set];
}

/** A timeout that its participant has for expressions that name none. */
export function setDeadline(x: Acting, ms: number): void {
  const agenda = schedule(x, x.world.now + ms, { do: 'timeout' });
  x.node.timers = [...x.node.timers, { agenda, action: 'timeout' }];
}

/** Timers of one expression; each is a row of the agenda, and goes when the expression goes. */
const TIMERS_MAX = 1_000;
/** Work of finding when they are due. A cron line that is due in 40 years costs 5,000. */
const TIMERS_WORK_MAX = 500_000;

function timerTexts(timers: Json): (readonly [Json, string])[] {
  if (timers === null) return [];
  return toText(timers)
    .split(',')
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const colon = text.lastIndexOf(':');
      if (colon < 0)
        throw new LanguageError(
          'ArgumentError',
          `timer "${shorten(text.trim(), 200)}" has no action: write "<when>: <action>"`,
        );
      return [text.slice(0, colon), text.slice(colon + 1)];
    });
}

function timerPair(pair: Json): readonly [Json, string] {
  if (Array.isArray(pair) && pair.length === 2) return [pair[0] as Json, toText(pair[1] as Json)];
  const [text] = timerTexts(pair);
  if (text === undefined)
    throw new LanguageError('ArgumentError', `timer ${shownJson(pair)} is neither a pair nor a text`);
  return text;
}

type DueTimer = { readonly at: number; readonly clock: Clock | null; readonly wake: Wake; readonly action: string };

/** One timer; empty for a blank time. */
function dueTimer(x: Acting, when: Json, action: string, work: Work): DueTimer[] {
  if (typeof when === 'string' && when.trim() === '') return [];
  const parsed = parseWhen(typeof when === 'string' ? when.trim() : when, x.world.now, work);
  if ('error' in parsed) throw new LanguageError('ArgumentError', parsed.error);
  return [{ at: parsed.at, clock: clockOf(parsed.by, when), wake: timerWake(toText(when).trim(), action), action }];
}

function timerWake(after: string, action: string): Wake {
  if (action === 'timeout') return { do: 'timeout' };
  if (action === 'undo' || action === 'pass') return { do: 'undo' };
  if (action === 'redo' || action === 'retry') return { do: 'redo' };
  const error = /^err(?:or)?(?: (.+))?$/.exec(action);
  if (error)
    return {
      do: 'become',
      tree: errorTree(error[1]?.trim() || `timer induced error ("${after}: ${action}")`),
      retry: false,
    };
  const [word = '', ...rest] = action.split(/\s+/);
  const last = rest.at(-1);
  if (COMMANDS.has(word))
    return { do: 'become', tree: [word, last === undefined ? {} : { [last]: null }, []], retry: false };
  return { do: 'flank', name: action };
}

export const errorTree = (message: string): Json => ['error', { [message]: null }, []];

/** Takes everything of this expression off the agenda. */
export function clearTimers(x: Acting): void {
  const { node, world } = x;
  for (const { agenda } of node.timers) world.changeAgenda(agenda, { kind: 'delete' });
  node.timers = [];
  if (node.schedule !== null) world.changeAgenda(node.schedule, { kind: 'delete' });
  node.schedule = null;
}
