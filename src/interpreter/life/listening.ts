/**
 * # await (attribute)
 *
 * Attributes: `await`: the expression is not applied before something has happened in its workflow: `'in_tag: x'` (a tag is entered),
 * `'left_tag: x'` or just `'x'` (it is left), `'in_participant: alice'` (she is given a workitem), `'out_participant: alice'` (she has proceeded).
 * Several names at commas, `/regex/`, and full tags (`outer/inner`) are understood. The workitem of the event is not looked at; cancelling the
 * expression ends the waiting.
 *
 * ```radial
 * concurrence
 *   sequence tag: 'draft'
 *     alice
 *   bob await: 'left_tag: draft'
 * ```
 *
 * Errors: a text that names no event.
 */

import { LanguageError } from '../../language/language-error.ts';
import { compileRegex, literalRegex } from '../../language/regex.ts';
import type { ExpressionId } from '../../model/ids.ts';
import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { withKey } from '../../model/json.ts';
import type { EventKind, ListenerRow } from '../../model/rows.ts';
import { plainReply } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { commaList, toText } from './attributes.ts';

/*
 * Expressions that wait for something to happen elsewhere: listen, await, and the attribute await (docs/definitions.md, listen, await). Those
 * of the same workflow are served within the step; those of other workflows of the tenant through the agenda.
 */

/** What a listener wants; every key that is there must fit, by equality or by `/regex/`. */
export type Conditions = {
  readonly participant?: readonly string[];
  readonly tag?: readonly string[];
  readonly full_tag?: readonly string[];
  readonly class?: readonly string[];
  readonly message?: readonly string[];
};

type Spec = { readonly seq: number; readonly conditions: Conditions; readonly then: 'reply' | 'awake' };

/** Something that happened, for those who listen. */
export type Happened = {
  readonly event: EventKind;
  readonly participant?: string;
  readonly tag?: string;
  readonly full_tag?: string;
  readonly class?: string;
  readonly message?: string;
  readonly from: ExpressionId;
  readonly fields: Fields;
};

export function listenFor(
  x: Acting,
  wanted: {
    readonly event: EventKind;
    readonly everywhere: boolean;
    readonly conditions: Conditions;
    readonly then: Spec['then'];
  },
): void {
  const { node, strand, world } = x;
  for (const values of Object.values(wanted.conditions)) for (const value of values) patternOf(value);
  countListener(world);
  node.hasListener = true;
  const names = wanted.conditions.participant ?? wanted.conditions.tag ?? [];
  const [only] = names;
  const spec: Spec = { seq: world.header.listenerSeq, conditions: wanted.conditions, then: wanted.then };
  world.listeners.set(node.id, {
    kind: 'put',
    row: {
      id: node.id,
      path: strand.path,
      event: wanted.event,
      reach: wanted.everywhere ? 'tenant' : 'workflow',
      name: names.length === 1 && only !== undefined && literalRegex(only) === null ? only : null,
      spec: JSON.stringify(spec),
    },
  });
}

/** One more listens. Throws LimitExceeded. */
export function countListener(world: World): void {
  const { header, context } = world;
  const most = context.limits.listeners;
  if (header.listeners >= most)
    throw new LanguageError('LimitExceeded', `more than ${most} expressions of the workflow would listen at once`);
  header.listeners++;
  header.listenerSeq++;
}

export function dropListener(x: Acting): void {
  const { node, world } = x;
  if (!node.hasListener) return;
  node.hasListener = false;
  world.header.listeners--;
  world.listeners.set(node.id, { kind: 'delete' });
}

/** Tells the listeners of this workflow, and notes the event for those of others. */
export function tell(world: World, happened: Happened): void {
  const name = happened.participant ?? happened.tag ?? '';
  if (happened.event !== 'error' && world.context.hears !== false) {
    world.spendCopy(happened.fields);
    world.events.push({ event: happened.event, name, at: world.now, payload: JSON.stringify(happened) });
  }
  const specs = world
    .ownListeners()
    .filter((row) => row.event === happened.event)
    .map((row) => ({ row, spec: JSON.parse(row.spec) as Spec }))
    .sort((a, b) => a.spec.seq - b.spec.seq);
  for (const { row, spec } of specs) if (fits(spec.conditions, happened)) wake(world, row, spec, happened);
}

/** An event of another workflow has come in for one of our listeners (which may be gone). */
export function hear(world: World, listener: ExpressionId, happened: Happened): void {
  const row = world.ownListeners().find((each) => each.id === listener);
  if (row === undefined || row.event !== happened.event) return;
  const spec = JSON.parse(row.spec) as Spec;
  const [expression = ''] = listener.split('#');
  world.record({
    kind: 'event.received',
    expid: listener.slice(0, listener.indexOf('!')),
    expression_id: expression,
    event: happened.event,
  });
  if (fits(spec.conditions, happened)) wake(world, row, spec, happened);
}

function wake(world: World, row: ListenerRow, spec: Spec, happened: Happened): void {
  const to = { path: row.path, id: row.id };
  if (spec.then === 'awake') {
    // Once only: gone before it can fire a second time within this step.
    const x = world.find(to);
    if (x !== null) {
      x.strand.touched = true;
      dropListener(x);
      world.send({ kind: 'awake', to });
    }
    return;
  }
  const { fields, from } = happened;
  world.send(plainReply(to, from, fields));
}

function fits(conditions: Conditions, happened: Happened): boolean {
  return (Object.keys(conditions) as (keyof Conditions)[]).every((key) => {
    const value = happened[key];
    return value !== undefined && (conditions[key] ?? []).some((wanted) => patternOf(wanted)(value));
  });
}

function patternOf(wanted: string): (value: string) => boolean {
  const literal = literalRegex(wanted);
  if (literal === null) return (value) => value === wanted;
  const regex = compileRegex(literal.source, literal.flags);
  return (value) => regex.test(value);
}

const INWARD: ReadonlySet<string> = new Set(['in', 'entered', 'reached']);
const EVENT_KEY = /^(?:(in|entered|reached|out|left)_)?(tag|participant|error)s?$/;
const CLASS_NAME = /^(::)?([A-Z][a-z]+)+(::([A-Z][a-z]+)+)*$/;

/** Reads `in_tag`, `left_participants`, `error`… with their value; null for other keys. */
export function eventWanted(
  key: string,
  value: Json,
): { readonly event: EventKind; readonly conditions: Conditions } | null {
  const read = EVENT_KEY.exec(key);
  if (read === null) return null;
  const inward = INWARD.has(read[1] ?? 'in');
  const values = commaList(value);
  if (read[2] === 'participant')
    return { event: inward ? 'dispatched' : 'received', conditions: { participant: values } };
  if (read[2] === 'tag')
    return {
      event: inward ? 'entered_tag' : 'left_tag',
      conditions: values[0]?.includes('/') && literalRegex(values[0]) === null ? { full_tag: values } : { tag: values },
    };
  const classes = values.filter((each) => CLASS_NAME.test(each));
  const messages = values.filter((each) => !CLASS_NAME.test(each));
  return {
    event: 'error',
    conditions: { ...(classes.length > 0 && { class: classes }), ...(messages.length > 0 && { message: messages }) },
  };
}

/** The attribute await: `[direction_]tag: x`, `[direction_]participant: x`, or a bare tag that is to be left. */
export function awaitEvent(x: Acting, text: string): void {
  const colon = text.indexOf(':');
  const wanted =
    colon < 0 ? eventWanted('left_tag', text) : eventWanted(text.slice(0, colon).trim(), text.slice(colon + 1));
  if (wanted === null || wanted.event === 'error')
    throw new LanguageError(
      'ArgumentError',
      `await does not understand ${JSON.stringify(text)}: write "<tag>", "in_tag: <tag>", "left_tag: <tag>", "in_participant: <name>"`,
    );
  listenFor(x, { ...wanted, everywhere: false, then: 'awake' });
}

/** The fields an unhandled error is told with. */
export const withError = (fields: Fields, error: JsonObject): Fields => withKey(fields, '__error__', error);
export const textOfError = (error: JsonObject, key: string): string => toText(error[key]);
