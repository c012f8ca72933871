/**
 * # Conditions on events
 *
 * `where` of an await is a condition (see Conditions) that is judged when an event comes. In it `${event.…}` stands for parts of the event
 * (`${event.data.amount}`, `${event.subject}`); everything else in it is put in when the waiting begins. One that cannot be read or judged
 * does not hold.
 *
 * ```radial
 * await event: 'payment.completed', where: '${event.data.amount} >= 100'
 * ```
 */
import type { Judge } from '../model/events.ts';
import type { Json } from '../model/json.ts';
import { evaluateCondition } from './condition.ts';
import { LanguageError } from './language-error.ts';
import { lookup } from './lookup.ts';
import { substitute } from './substitution.ts';

/** Characters of a condition on an event. */
export const EVENT_CONDITION_MAX = 4_000;

/** A part of an event, quoted or not; `f:` may stand before it. */
const OF_EVENT = /\$\{(['"]?)(?:f:|fld:|field:)?(event(?:\.[^{}$]*)?)\}/g;
/** Stands for a part of the event while everything else is put in. Nothing that is put in can hold it: it is no valid text. */
const MARK = '\uFFFE';

/** The condition with everything put in but the parts of the event. `put`: puts in what is known now. */
export function prepareEventCondition(written: string, put: (text: string) => string): string {
  const parts: string[] = [];
  const marked = written.replaceAll(MARK, '').replaceAll(OF_EVENT, (part: string) => {
    parts.push(part);
    return MARK;
  });
  let next = 0;
  // What was put in is never read again: a dollar in it stands for itself.
  const pieces = put(marked)
    .split(MARK)
    .map((piece) => piece.replaceAll('${', '\\${'));
  return pieces.reduce((text, piece) => `${text}${parts[next++] ?? ''}${piece}`);
}

/** Whether a prepared condition holds for an event. */
export const judgeEvent: Judge = (condition, event) => {
  const field = (path: string): Json | undefined => lookup({ event }, path);
  try {
    return evaluateCondition(substitute(condition, { field, variable: () => undefined, special: () => undefined }));
  } catch (error) {
    if (error instanceof LanguageError) return false;
    throw error;
  }
};
