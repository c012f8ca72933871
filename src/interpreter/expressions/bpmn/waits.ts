import { dateAt, durationAfter, readCycle, roundAfter } from '../../../language/iso-timer.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { TYPE_MAX } from '../../../model/events.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import { type Fields, isObject, type Json } from '../../../model/json.ts';
import type { AgendaRow, ListenerRow } from '../../../model/rows.ts';
import { shorten, shownJson } from '../../../model/text.ts';
import { refOf } from '../../life/branches.ts';
import { dataOf, dropWaiter, putWaiter, eventOf as receivedEvent } from '../../life/events.ts';
import { countListener } from '../../life/listening.ts';
import { clearTimers, schedule, type Wake } from '../../life/timers.ts';
import { parentOf } from '../../life/variables.ts';
import { mergeGiven } from '../../state/fields.ts';
import { plainReply } from '../../state/state.ts';
import type { Acting, World } from '../../state/world.ts';
import { armCondition, dropConditions } from './conditions.ts';
import { childTree, type EventSpec, eventOf, flowsOf, list, meant, text, treeOf } from './parts.ts';

/*
 * Waiting for times, messages and signals. What an expression waits for has a key: `e0` its own event (of an event-based gateway `e<n>`
 * the n-th way), `b<child>` a boundary event, `s<child>` an event sub-process. When it happens the expression gets a reply from
 * `@<key>`, with what the message brought.
 */

type Spec = {
  readonly seq: number;
  readonly key: Json;
  readonly on: string;
  readonly stays: boolean;
  /** The element that waits, and since when, for those who look on. */
  readonly element: string;
  readonly since?: number;
};

/** Where messages are kept that came before somebody waited for them. */
export const KEPT_SCOPE = 'kept!' as ExpressionId;
/** Messages kept in one workflow, and characters of all of them. */
const KEPT_MAX = 1_000;
const KEPT_CHARACTERS_MAX = 4_000_000;
export const KEPT_FULL = `the workflow keeps as much as it may already that nobody has waited for (${KEPT_MAX} messages, ${KEPT_CHARACTERS_MAX} characters)`;

export const happened = (key: string): ExpressionId => `@${key}` as ExpressionId;

/** Arms one event. `repeats`: it may happen more than once. */
export function arm(x: Acting, on: string, event: EventSpec, repeats: boolean): void {
  if (event.kind === 'timer') armTimer(x, on, event);
  else if (event.kind === 'message') armMessage(x, on, event, repeats);
  else if (event.kind === 'conditional') armCondition(x, on, event, elementAt(x, on), repeats);
  else if (event.kind === 'signal')
    listen(x, on, { event: 'signal', name: textOf(meant(x, String(event['name']))), key: null, repeats });
}

/** Arms the boundary events of an activity; `scope` holds their trees. */
export function armBoundary(x: Acting, scope: Acting): void {
  for (const index of list(treeOf(x), 'boundary') as readonly number[]) {
    const tree = childTree(scope, index);
    const event = eventOf(tree);
    if (event !== null) arm(x, `b${index}`, event, tree.attributes.get('interrupting') === false);
  }
}

function armTimer(x: Acting, on: string, event: EventSpec): void {
  const value = meant(x, String(event['text']));
  const written = textOf(value);
  const { now } = x.world;
  const unreadable = (): LanguageError =>
    new LanguageError(
      'ExpressionError',
      `${shorten(String(event['text']), 100)}: the time ${shownJson(value, 100)} cannot be read`,
    );
  if (event['form'] === 'cycle') {
    const cycle = readCycle(written);
    if (cycle === null) throw unreadable();
    if (cycle.rounds === 0) return;
    const first = cycle.start ?? roundAfter(cycle, now);
    if (first === null) return;
    const left = cycle.rounds === null ? null : cycle.rounds - 1;
    setTimer(x, on, first, { every: cycle.every, left }, cycle.start !== null);
    return;
  }
  // FEEL may give a date for a duration, and the reverse.
  const duration = event['form'] === 'date' && dateAt(written) !== null ? null : durationAfter(written, now);
  const at = duration ?? dateAt(written);
  if (at === null) throw unreadable();
  setTimer(x, on, at, null, duration === null);
}

type Cycle = { readonly every: string; readonly left: number | null };

/** `isDate`: a pause of the workflow does not move it. */
function setTimer(x: Acting, on: string, at: number, cycle: Cycle | null, isDate = false): void {
  const wake = { do: 'bpmn', on, element: elementAt(x, on), cycle } as const;
  const agenda = schedule(x, at, wake, isDate ? { cron: null } : null);
  x.node.timers = [...x.node.timers, { agenda, action: on }];
}

/** A timer has come; the next round is counted from when it was due. */
export function fireTimer(x: Acting, row: AgendaRow, wake: Extract<Wake, { readonly do: 'bpmn' }>): void {
  const { cycle } = wake;
  if (cycle !== null && cycle.left !== 0) {
    const next = roundAfter({ every: cycle.every, rounds: null, start: null }, row.dueAt);
    if (next !== null)
      setTimer(x, wake.on, next, { every: cycle.every, left: cycle.left === null ? null : cycle.left - 1 });
  }
  x.world.send(plainReply(refOf(x), happened(wake.on), {}));
}

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

function armMessage(x: Acting, on: string, event: EventSpec, repeats: boolean): void {
  const name = textOf(meant(x, String(event['name'])));
  const written = event['key'];
  const value = typeof written === 'string' ? meant(x, written) : null;
  const key = value === null ? null : textOf(value).slice(0, KEY_MAX);
  const kept = takeKept(x.world, name);
  if (kept !== null) {
    x.world.send(plainReply(refOf(x), happened(on), kept));
    if (!repeats) return;
  }
  listen(x, on, { event: 'message', name, key, repeats });
}
/** Characters of a correlation key. */
const KEY_MAX = 200;

function listen(
  x: Acting,
  on: string,
  wanted: {
    readonly event: 'message' | 'signal';
    readonly name: string;
    readonly key: string | null;
    readonly repeats: boolean;
  },
): void {
  const { node, strand, world } = x;
  countListener(world);
  strand.touched = true;
  const id = `${node.id}#${on}` as ExpressionId;
  const armed = (node.data['armed'] ?? []) as readonly string[];
  node.data['armed'] = [...armed, on];
  const spec: Spec = {
    seq: world.header.listenerSeq,
    key: wanted.key,
    on,
    stays: wanted.repeats,
    element: elementAt(x, on),
    since: world.now,
  };
  world.listeners.set(id, {
    kind: 'put',
    row: {
      id,
      path: strand.path,
      event: wanted.event,
      reach: 'tenant',
      name: wanted.name,
      spec: JSON.stringify(spec),
    },
  });
  waitOutside(x, id, wanted, spec);
}

/** The element an event belongs to that is armed under this key. */
function elementAt(x: Acting, on: string): string {
  const index = Number(on.slice(1));
  if (on.startsWith('s')) return text(childTree(x, index), 'id');
  const scope = parentOf(x);
  if (on.startsWith('b')) return scope === null ? '' : text(childTree(scope, index), 'id');
  const way = flowsOf(treeOf(x))[index];
  const isGateway = treeOf(x).name === 'bpmn:gateway';
  return isGateway && way !== undefined && scope !== null
    ? text(childTree(scope, way[1]), 'id')
    : text(treeOf(x), 'id');
}

/** What comes from outside finds it by a row of its own (life/events.ts); a name or key that is too long nobody outside can say. */
function waitOutside(
  x: Acting,
  id: ExpressionId,
  wanted: { readonly event: 'message' | 'signal'; readonly name: string; readonly key: string | null },
  spec: Spec,
): void {
  if (wanted.name === '' || wanted.name.length > TYPE_MAX) return;
  putWaiter(x, {
    id,
    path: x.strand.path,
    type: wanted.name,
    wanted: wanted.key,
    keyFrom: null,
    where: null,
    hears: wanted.event,
    once: !spec.stays,
    since: x.world.now,
    element: spec.element,
  });
}

/** Whether the expression waits under this key yet. */
export const isArmed = ({ node }: Acting, on: string): boolean =>
  ((node.data['armed'] ?? []) as readonly string[]).includes(on);

/** An event from outside has come for one that waits under this key. */
export function takeEvent(x: Acting, on: string, event: string): void {
  const { node, world } = x;
  const row = world.ownListeners().find((each) => each.id === `${node.id}#${on}`);
  if (row === undefined) return;
  const spec = specOf(row);
  const data = dataOf(receivedEvent(world, event));
  served(world, row, spec);
  world.record({
    kind: 'event.received',
    expid: node.expid,
    expression_id: node.id,
    event: row.event,
    event_id: event,
    type: row.name ?? '',
  });
  world.send(plainReply(refOf(x), happened(on), isObject(data) ? mergeGiven({}, data) : {}));
}

/** Nothing is waited for any more. */
export function disarm(x: Acting): void {
  const { node, world } = x;
  clearTimers(x);
  dropConditions(x);
  for (const on of (node.data['armed'] ?? []) as readonly string[]) drop(world, `${node.id}#${on}` as ExpressionId);
  delete node.data['armed'];
}

function drop(world: World, id: ExpressionId): void {
  world.header.listeners--;
  world.listeners.set(id, { kind: 'delete' });
  dropWaiter(world, id);
}

/** One listener has been served. */
function served(world: World, row: ListenerRow, { on, stays }: Spec): Acting | null {
  const mark = row.id.lastIndexOf('#');
  const x = world.find({ path: row.path, id: row.id.slice(0, mark) as ExpressionId });
  if (x === null || stays) return x;
  drop(world, row.id);
  x.strand.touched = true;
  const armed = ((x.node.data['armed'] ?? []) as readonly string[]).filter((each) => each !== on);
  if (armed.length === 0) delete x.node.data['armed'];
  else x.node.data['armed'] = armed;
  return x;
}

const specOf = (row: ListenerRow): Spec => JSON.parse(row.spec) as Spec;

const waiting = (
  world: World,
  event: 'message' | 'signal',
  name: string,
): readonly { row: ListenerRow; spec: Spec }[] =>
  world
    .ownListeners()
    .filter((row) => row.event === event && row.name === name)
    .map((row) => ({ row, spec: specOf(row) }))
    .sort((a, b) => a.spec.seq - b.spec.seq);

/** Gives a message to the one that has waited longest. `key` undefined: any key fits. Null when nobody waits for it. */
export function deliverMessage(
  world: World,
  name: string,
  key: string | null | undefined,
  fields: Fields,
): { readonly x: Acting; readonly element: string } | null {
  for (const { row, spec } of waiting(world, 'message', name)) {
    if (key !== undefined && spec.key !== key) continue;
    const x = served(world, row, spec);
    if (x === null) continue;
    world.record({ kind: 'message.received', expid: x.node.expid, name });
    world.send(plainReply(refOf(x), happened(spec.on), fields));
    return { x, element: spec.element };
  }
  return null;
}

/** Gives a signal to everybody in this workflow who waits for it. */
export function deliverSignal(world: World, name: string, fields: Fields): number {
  const all = waiting(world, 'signal', name);
  for (const { row, spec } of all) {
    const x = served(world, row, spec);
    if (x !== null) world.send(plainReply(refOf(x), happened(spec.on), fields));
  }
  return all.length;
}

/** A message or signal of another workflow has come for one listener. */
export function hearBpmn(world: World, listener: ExpressionId, fields: Fields): void {
  const row = world.ownListeners().find((each) => each.id === listener);
  if (row === undefined) return;
  const spec = specOf(row);
  const x = served(world, row, spec);
  if (x !== null) world.send(plainReply(refOf(x), happened(spec.on), fields));
}

/**
 * Keeps a message until somebody waits for it.
 *
 * @param seconds null: as long as the workflow lives
 * @returns when it is kept until (null: the end of the workflow), or that there are too many
 */
export function keepMessage(
  world: World,
  name: string,
  fields: Fields,
  seconds: number | null,
): { readonly until: number | null } | 'full' {
  const { header } = world;
  const until = seconds === null ? null : world.now + seconds * 1_000;
  const kept: Kept = until === null ? [name, fields] : [name, fields, until];
  const value = JSON.stringify(kept);
  const isFull = (): boolean =>
    header.messages >= KEPT_MAX || header.messageCharacters + value.length > KEPT_CHARACTERS_MAX;
  if (isFull()) for (const [key, text] of keptIn(world)) if (isPast(world, readKept(text))) dropKept(world, key, text);
  if (isFull()) return 'full';
  header.messages++;
  header.messageSeq++;
  header.messageCharacters += value.length;
  const key = `m${String(header.messageSeq).padStart(9, '0')}`;
  world.variables.set(`${KEPT_SCOPE} ${key}`, { kind: 'put', row: { scope: KEPT_SCOPE, name: key, value } });
  return { until };
}

type Kept = readonly [name: string, fields: Fields] | readonly [name: string, fields: Fields, until: number];
const readKept = (text: string): Kept => JSON.parse(text) as Kept;
const isPast = ({ now }: World, [, , until]: Kept): boolean => until !== undefined && until <= now;

/** The messages that are kept, the oldest first. */
function keptIn(world: World): readonly (readonly [key: string, text: string])[] {
  world.want({ kind: 'variables', scope: KEPT_SCOPE });
  const rows = new Map<string, string>();
  for (const row of world.loaded.variables.values()) if (row.scope === KEPT_SCOPE) rows.set(row.name, row.value);
  for (const [id, op] of world.variables) {
    if (!id.startsWith(`${KEPT_SCOPE} `)) continue;
    if (op.kind === 'put') rows.set(op.row.name, op.row.value);
    else rows.delete(id.slice(KEPT_SCOPE.length + 1));
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

function dropKept(world: World, key: string, text: string): void {
  const { header } = world;
  header.messages--;
  // Releases before this one did not count them.
  header.messageCharacters = Math.max(0, header.messageCharacters - text.length);
  world.variables.set(`${KEPT_SCOPE} ${key}`, { kind: 'delete' });
}

function takeKept(world: World, name: string): Fields | null {
  if (world.header.messages === 0) return null;
  for (const [key, text] of keptIn(world)) {
    const kept = readKept(text);
    const [of, fields] = kept;
    if (isPast(world, kept)) dropKept(world, key, text);
    else if (of === name) {
      dropKept(world, key, text);
      return fields;
    }
  }
  return null;
}
