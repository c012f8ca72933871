/**
 * # await_event, await_key, await_key_from, await_where, await_to
 *
 * Attributes: `await_event`: the expression is not applied before an event of this type has come from outside. `await_key`, `await_key_from`,
 * `await_where`: which one, as `key`, `key_from` and `where` of `await event:`. `await_to`: a field that gets the data of the event; else the
 * fields stay as they are. A `timeout` counts from the moment the waiting begins.
 *
 * ```radial
 * ship await_event: 'payment.completed', await_key: '${f:order_id}', await_to: 'payment', timeout: '2d'
 * ```
 *
 * Errors: an empty type, or one of more than 255 characters; a condition of more than 4,000.
 */
import { EVENT_CONDITION_MAX, prepareEventCondition } from '../../language/event-condition.ts';
import { LanguageError } from '../../language/language-error.ts';
import { assign } from '../../language/lookup.ts';
import { keyOf, TYPE_MAX } from '../../model/events.ts';
import type { ExpressionId } from '../../model/ids.ts';
import { type Fields, isObject, type Json, type JsonObject, ownValue } from '../../model/json.ts';
import type { WaiterRow } from '../../model/rows.ts';
import type { Acting, World } from '../state/world.ts';
import { attribute, substituted, toText, written } from './attributes.ts';

/*
 * Expressions that wait for events from outside. What is waited for is a row of `waiter`; what has come is an agenda row of the workflow that
 * names the event, and its step finds the expression here.
 */

/** What an expression remembers of its waiting. `left`: events it takes yet, null without end. */
type Waits = { readonly as: 'await' | 'attribute'; readonly left: number | null };

export const waitsOf = (x: Acting): Waits | null => {
  const waits = x.node.data['waits'];
  if (!isObject(waits)) return null;
  const { as, left } = waits;
  return { as: as === 'attribute' ? as : 'await', left: typeof left === 'number' ? left : null };
};

/** Begins to wait. `prefix`: of the attributes that say for what. */
export function waitForEvent(
  x: Acting,
  given: { readonly type: Json; readonly prefix: '' | 'await_'; readonly waits: Waits },
): void {
  const { node, strand, world } = x;
  const { prefix, waits } = given;
  const type = toText(given.type);
  if (type === '' || type.length > TYPE_MAX)
    throw new LanguageError('ArgumentError', `the type of an event has 1 to ${TYPE_MAX} characters`);
  const keyFrom = attribute(x, `${prefix}key_from`);
  if (keyFrom !== null && !/^(\/.*)?$/s.test(toText(keyFrom)))
    throw new LanguageError('ArgumentError', `${prefix}key_from is a JSON pointer such as /data/order_id`);
  const where = written(x, `${prefix}where`);
  const prepared = where === null ? null : prepareEventCondition(toText(where), (text) => toText(substituted(x, text)));
  if (prepared !== null && prepared.length > EVENT_CONDITION_MAX)
    throw new LanguageError('ArgumentError', `${prefix}where has more than ${EVENT_CONDITION_MAX} characters`);
  node.data['waits'] = { ...waits };
  putWaiter(x, {
    id: node.id,
    path: strand.path,
    type,
    wanted: keyOf(attribute(x, `${prefix}key`)),
    keyFrom: keyFrom === null ? null : toText(keyFrom),
    where: prepared,
    hears: 'event',
    once: waits.left === 1,
    since: world.now,
    element: null,
  });
}

export function putWaiter({ world, strand }: Acting, row: WaiterRow): void {
  const { header, context } = world;
  const most = context.limits.listeners;
  if (header.waiters >= most)
    throw new LanguageError(
      'LimitExceeded',
      `more than ${most} expressions of the workflow would wait for events at once`,
    );
  header.waiters++;
  strand.touched = true;
  world.waiters.set(row.id, { kind: 'put', row });
}

export function dropWaiter(world: World, id: ExpressionId): void {
  // Rows of before there were waiters have none.
  world.header.waiters = Math.max(0, world.header.waiters - 1);
  // One that was put by this very step was never there.
  world.waiters.set(id, { kind: 'delete' });
}

/** Nothing is waited for any more. */
export function stopWaiting(x: Acting): void {
  const waits = waitsOf(x);
  if (waits === null) return;
  delete x.node.data['waits'];
  x.strand.touched = true;
  if (waits.left !== 0) dropWaiter(x.world, x.node.id);
}

/** An agenda row says that an event is here for one of our waiters. */
export function handedOver(
  world: World,
  path: string,
  { waiter, event }: { readonly waiter: string; readonly event: string },
): void {
  if (!world.loaded.received.has(event)) world.want({ kind: 'event', id: event });
  const received = world.loaded.received.get(event);
  // Thrown away meanwhile.
  if (received === undefined) return;
  world.hops = Math.max(world.hops, received.hops);
  const mark = waiter.indexOf('#');
  const id = (mark < 0 ? waiter : waiter.slice(0, mark)) as ExpressionId;
  world.send({ kind: 'event', to: { path, id }, event, on: mark < 0 ? null : waiter.slice(mark + 1) });
}

/** An event, as those who take it see it. */
export function eventOf(world: World, id: string): JsonObject {
  if (!world.loaded.received.has(id)) world.want({ kind: 'event', id });
  const received = world.loaded.received.get(id);
  if (received === undefined) throw new LanguageError('ArgumentError', `the event ${id} is not kept any more`);
  world.noteRead(received.body.length);
  return JSON.parse(received.body) as JsonObject;
}

/** What an event brings: its data, or as base64 what cannot be read. */
export const dataOf = (event: JsonObject): Json => ownValue(event, 'data') ?? ownValue(event, 'data_base64') ?? null;

/** The expression waits for an event yet. */
export function isWaiting(x: Acting): boolean {
  const { state } = x.node;
  if (state !== null && state !== 'awaiting') return false;
  const waits = waitsOf(x);
  return waits !== null && waits.left !== 0;
}

/** One event more was taken: counts, and stops when it was the last. */
export function countEvent(x: Acting, id: string): void {
  const { node, strand, world } = x;
  const waits = waitsOf(x);
  if (waits === null) return;
  strand.touched = true;
  const type = world.loaded.received.get(id)?.type ?? '';
  world.record({
    kind: 'event.received',
    expid: node.expid,
    expression_id: node.id,
    event: 'event',
    event_id: id,
    type,
  });
  if (waits.left === null) return;
  node.data['waits'] = { ...waits, left: waits.left - 1 };
  if (waits.left === 1) dropWaiter(world, node.id);
}

/** An expression that was held back by `await_event` goes on. */
export function takeAwaited(x: Acting, id: string): void {
  const { node, world } = x;
  const to = attribute(x, 'await_to');
  if (to !== null && toText(to) !== '')
    node.applied = withField(x, node.applied, toText(to), dataOf(eventOf(world, id)));
  countEvent(x, id);
  delete node.data['waits'];
}

export function withField({ world }: Acting, fields: Fields, name: string, value: Json): Fields {
  world.noteGrowth(world.extentOf(value).characters);
  const after = assign(fields, name.startsWith('f:') ? name.slice(2) : name, value);
  world.checkFields(after);
  return after;
}
