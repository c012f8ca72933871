import { looksLikeCron } from '../../../language/cron.ts';
import { feelJson } from '../../../language/feel/feel.ts';
import { dateAt, durationAfter, readCycle } from '../../../language/iso-timer.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { isObject, type Json, type JsonObject } from '../../../model/json.ts';
import type { Tree } from '../../../model/tree.ts';
import { readSchedule, type ScheduleSpec } from '../../../registry/schedule-spec.ts';

/*
 * Start events of BPMN that wait for something. Of the active version of a stored definition they are armed: messages and signals as triggers
 * (signals/triggers.ts), timers as schedules.
 */

/** What a start event waits for. */
type StartEvent = { readonly element: string; readonly kind: string; readonly event: JsonObject };

const startEvents = (tree: Tree): readonly Tree[] =>
  tree.name === 'bpmn:process' ? tree.children.filter(({ attributes }) => attributes.get('type') === 'startEvent') : [];

const waitingStarts = (tree: Tree): readonly StartEvent[] =>
  startEvents(tree).flatMap(({ attributes }) => {
    const event = attributes.get('event');
    const element = attributes.get('id');
    return isObject(event) && typeof element === 'string' ? [{ element, kind: String(event['kind']), event }] : [];
  });

/** The start events of a definition, as callers see them. */
export const startsOf = (tree: Tree): Json[] =>
  startEvents(tree).map(({ attributes }) => {
    const event = attributes.get('event');
    const element = (attributes.get('id') ?? null) as Json;
    if (!isObject(event)) return { element };
    if (event['kind'] === 'timer') return { element, timer: event['text'] ?? '' };
    return { element, [String(event['kind'])]: event['name'] ?? '' };
  });

/** Those of which one has to be named, for there are several and each waits for something of its own; empty: nothing is to be named. */
export const startsToChooseFrom = (tree: Tree): readonly string[] => {
  const starts = tree.attributes.get('starts');
  return Array.isArray(starts) && starts.length === 0 ? waitingStarts(tree).map(({ element }) => element) : [];
};

export const severalStarts = (starts: readonly string[]): string =>
  `there are several start events; name one in "start": ${starts.slice(0, 20).join(', ')}`;

/** What is kept with a version, so that what comes in finds it: `[{ element, message|signal }…]`; undefined: nothing starts it by itself. */
export function armedStarts(tree: Tree, now: number): Json | undefined {
  const found = waitingStarts(tree).flatMap(({ element, kind, event }) =>
    kind === 'message' || kind === 'signal' ? [{ element, [kind]: constant(String(event['name']), now) }] : [],
  );
  return found.length === 0 ? undefined : found;
}

/** The times at which a version starts by itself, once it is active. @throws Error with what cannot be read */
export function timedStarts(tree: Tree, taken: ReadonlySet<string>, now: number): readonly ScheduleSpec[] {
  const names = new Set(taken);
  return waitingStarts(tree)
    .filter(({ kind }) => kind === 'timer')
    .flatMap(({ element, event }, i) => {
      const when = whenOf(String(event['form']), constant(String(event['text']), now), now);
      if (when === null) return [];
      const name = SCHEDULE_NAME.test(element) && !names.has(element) ? element : `start-${i}`;
      names.add(name);
      const read = readSchedule({ name, ...when, overlap: 'allow', start: element }, name, now);
      if ('detail' in read) throw new LanguageError('ExpressionError', `the time of "${element}" ${read.detail}`);
      return [read];
    });
}
const SCHEDULE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** A text, or FEEL behind `=`: nothing has begun yet, so that there are no variables. */
function constant(written: string, now: number): string {
  const trimmed = written.trimStart();
  if (!trimmed.startsWith('=')) return written;
  const value = feelJson(trimmed.slice(1), { lookup: () => undefined, now });
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const instant = (at: number): string => new Date(at).toISOString();

/** As a schedule says it; null: it never comes. */
function whenOf(form: string, text: string, now: number): JsonObject | null {
  const unreadable = new LanguageError(
    'ExpressionError',
    `the time ${JSON.stringify(text.slice(0, 100))} cannot be read`,
  );
  if (form !== 'cycle') {
    const at =
      form === 'date' ? (dateAt(text) ?? durationAfter(text, now)) : (durationAfter(text, now) ?? dateAt(text));
    if (at === null) throw unreadable;
    return { at: instant(at) };
  }
  const cycle = readCycle(text);
  if (cycle === null) throw unreadable;
  if (looksLikeCron(cycle.every)) return { cron: cycle.every };
  const { rounds, start } = cycle;
  if (rounds === 0) return null;
  const period = (durationAfter(cycle.every, start ?? now) ?? now) - (start ?? now);
  // Half a period more, for the schedule begins a moment later.
  const last = rounds === null ? null : (start ?? now) + (start === null ? rounds : rounds - 1) * period + period / 2;
  return {
    every: period / 1_000,
    ...(start !== null && { start_at: instant(start) }),
    ...(last !== null && last <= LAST_DAY && { end_at: instant(last) }),
  };
}
/** The last time that can be written down. */
const LAST_DAY = 253_402_300_799_000;
