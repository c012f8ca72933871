/**
 * # wait, sleep
 *
 * Waits for a while, or until a date.
 *
 * Attributes: `for` or the text: a duration (`2d10h`, a number of seconds), a date, or a cron line (its next time); `until`: the same.
 *
 * ```radial
 * wait '2d'
 * wait until: '2027-01-01 09:00 +01:00'
 * ```
 *
 * Replies: when it is time; at once when that is past, or when nothing is given.
 *
 * Errors: a text that is no duration, date or cron line.
 *
 * # once, when, as_soon_as
 *
 * Waits until a condition holds, looking again and again, then applies its first child.
 *
 * Attributes: `test` or the text: the condition, looked at with the workitem as it was at the beginning, so that it asks for variables
 * (without one it never holds). `frequency` (`freq`): how often to look, a duration or a cron line; default `10s`.
 *
 * ```radial
 * once '${v:/ready} == yes', frequency: '1m'
 *   alice
 * ```
 *
 * Replies: when its child has replied; without a child when the condition holds. Errors: a condition or frequency that cannot be read.
 *
 * # cron, every
 *
 * Applies its first child again and again, each time forgotten, with a copy of the workitem and the variables.
 *
 * Attributes: `tab`, `interval` or the text: a cron line (see Cron lines) or a duration. Times that were missed count once.
 *
 * ```radial
 * cron '0 9 * * mon-fri Europe/Paris'
 *   alice task: 'report'
 * ```
 *
 * Replies: never; cancelling it ends the schedule, not what it has started. Errors: a schedule that cannot be read. One without a child is
 * refused at launch.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { parseSchedule, parseWhen } from '../../../language/when.ts';
import type { Json } from '../../../model/json.ts';
import { attribute, firstAttribute, optionalText, textOf, toText, treeOf } from '../../life/attributes.ts';
import { applyChild, launchForgotten } from '../../life/birth.ts';
import { childPath, refOf } from '../../life/branches.ts';
import { replyToParent } from '../../life/life.ts';
import { clockOf, schedule } from '../../life/timers.ts';
import { plainReply } from '../../state/state.ts';
import type { Acting, Expression } from '../../state/world.ts';

const replyToSelf = (x: Acting): void => x.world.send(plainReply(refOf(x), x.node.id, x.node.applied));

export const wait: Expression = {
  names: ['wait', 'sleep'],
  apply: (x) => {
    const { node, world } = x;
    const first = attribute(x, 'for') ?? textOf(x);
    const when = first === '' ? attribute(x, 'until') : first;
    if (when === null) {
      replyToParent(x, node.applied);
      return;
    }
    const parsed = parseWhen(typeof when === 'string' ? bareNumber(when) : when, world.now);
    if ('error' in parsed) throw new LanguageError('ArgumentError', parsed.error);
    if (parsed.at <= world.now) replyToSelf(x);
    else node.schedule = schedule(x, parsed.at, { do: 'reply' }, clockOf(parsed.by, when));
  },
};

/** `wait 1.5`: Radial gives a bare number as text. */
const bareNumber = (text: string): Json => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text);

/** Shorter intervals than this are this long: a schedule must not keep a node busy by itself. */
const INTERVAL_MS_MIN = 100;

function again(x: Acting, given: Json): void {
  const { node, world } = x;
  const parsed = parseSchedule(given);
  if ('error' in parsed) throw new LanguageError('ArgumentError', parsed.error);
  const at = parsed.kind === 'cron' ? parsed.next(world.now) : world.now + Math.max(INTERVAL_MS_MIN, parsed.everyMs);
  if (at === null) throw new LanguageError('ArgumentError', `the schedule ${JSON.stringify(given)} has no next time`);
  const clock = parsed.kind === 'cron' ? { cron: toText(given).trim() } : null;
  node.schedule = schedule(x, at, { do: 'reply' }, clock);
}

function look(x: Acting): void {
  const { node } = x;
  const test = attribute(x, 'test') ?? optionalText(x);
  if (test !== null && evaluateCondition(test)) {
    node.data['triggered'] = true;
    if (treeOf(x).children.length > 0) applyChild(x, 0, node.applied);
    else replyToParent(x, node.applied);
  } else again(x, firstAttribute(x, 'frequency', 'freq') ?? '10s');
}

export const once: Expression = {
  names: ['once', 'when', 'as_soon_as'],
  apply: look,
  reply: (x, { fields }) => {
    if (x.node.data['triggered'] === true) replyToParent(x, fields);
    else look(x);
  },
};

const scheduleOf = (x: Acting): Json => firstAttribute(x, 'tab', 'interval') ?? textOf(x);

export const cron: Expression = {
  names: ['cron', 'every'],
  apply: (x) => {
    if (treeOf(x).children.length === 0)
      throw new LanguageError('ArgumentError', `${x.node.name} has no child to apply`);
    again(x, scheduleOf(x));
  },
  reply: (x) => {
    const { node } = x;
    launchForgotten(x, { expid: `${node.expid}_0`, tree: childPath(node.tree, 0), fields: node.applied, launch: true });
    again(x, toText(scheduleOf(x)));
  },
};
