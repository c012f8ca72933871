import { invariant } from '../model/fault.ts';
import type { ExpressionId } from '../model/ids.ts';
import type { Json } from '../model/json.ts';
import type { Need, Stimulus } from '../model/stimulus.ts';
import { decodeMessages, decodeQueue, encodeMessages, strandsOf } from './state/messages.ts';
import { LARGE_CHARACTERS } from './state/repeats.ts';
import { awaitedIn, type Message, type SetDown, type Waiting } from './state/state.ts';
import type { World } from './state/world.ts';

/*
 * Messages of a step that wait: for the next turn of the workflow, where the step has done enough, or until what is paused goes on.
 */

/** Id of the agenda row that keeps the messages of a step which used up its budget. */
export const CONTINUATION = 'continue';

/** Messages an earlier step left over come before whatever the stimulus sets off. */
export function takeUp(world: World): void {
  const { header } = world;
  if (!header.continuing) return;
  const row = world.loaded.agenda.get(CONTINUATION);
  if (row === undefined) world.want({ kind: 'agenda', id: CONTINUATION });
  header.continuing = false;
  if (row === undefined) return;
  world.changeAgenda(CONTINUATION, { kind: 'delete' });
  world.tookUp = true;
  world.noteRead(row.payload.length);
  // One by one: of a wide fork there are more than a call takes arguments.
  for (const waiting of decodeQueue(row.payload, (base) => world.baseOf(base as ExpressionId)))
    world.queue.push(waiting);
  // All at once: asked for one by one, every strand would cost a run of the step.
  const { messages, work } = world.context.limits;
  const first = world.queue.slice(0, messages);
  const paths = [...new Set(first.flatMap(strandsOf))].slice(0, strandsAtOnce(world));
  let characters = 0;
  const texts = first.filter((waiting) => {
    if (waiting.kind !== 'set_down' || characters > work) return false;
    characters += waiting.characters;
    return true;
  }) as SetDown[];
  world.want(
    ...paths.filter((path) => !world.loaded.strands.has(path)).map(strandNeed),
    ...texts.map(textNeed).filter(({ id }) => !world.loaded.agenda.has(id)),
  );
}

/** However large strands are, so many are loaded for a turn at once. */
const STRANDS_AT_ONCE_MIN = 8;

/**
 * A turn that has work for ten large strands does not load two hundred. How large they are is known of those that are loaded; before that, all that
 * the workflow keeps tells how large they can be. One that is missing after all is asked for when its message is taken.
 */
function strandsAtOnce({ header, loaded, context }: World): number {
  let characters = 0;
  for (const { state, fields } of loaded.strands.values()) characters += state.length + fields.length;
  const count = loaded.strands.size;
  const each = count < STRANDS_AT_ONCE_MIN ? header.kept / Math.max(1, header.strands) : characters / count;
  return Math.max(STRANDS_AT_ONCE_MIN, Math.ceil(context.limits.work / Math.max(1, each)));
}

/** Takes the next message from the queue; undefined: there is none. */
export function takeNext(world: World): Message | undefined {
  const next = world.queue[0];
  if (next === undefined || next.kind !== 'set_down') return world.queue.shift() as Message | undefined;
  const text = world.loaded.agenda.get(next.row);
  if (text === undefined) world.want(textNeed(next));
  invariant(text !== undefined, `the text of messages that wait, ${next.row}, is kept as long as they do`);
  const messages = decodeMessages(text.payload, (base) => world.baseOf(base as ExpressionId));
  world.queue.splice(0, 1, ...messages);
  world.changeAgenda(next.row, { kind: 'delete' });
  world.header.kept -= text.payload.length;
  world.noteRead(text.payload.length);
  world.bear(text.payload.length);
  return world.queue.shift() as Message | undefined;
}

const textNeed = ({ row }: SetDown): Need & { readonly kind: 'agenda' } => ({ kind: 'agenda', id: row });

const strandNeed = (path: string): Need => ({ kind: 'strand', path });

/** What is never refused for a part that is held: it lets something go on, or cannot come again. */
const NEVER_REFUSED: ReadonlySet<Stimulus['event']['kind']> = new Set([
  'resume',
  'resume_expression',
  'pause',
  'cancel',
  'kill',
  'due',
  'broken',
]);

/** Whether nothing more can be kept until the workflow goes on. */
export function keepsTooMuch({ header, queue, context, hold, stimulus }: World): boolean {
  // One that is being paused by this very step keeps what it was about to do.
  if (queue.length === 0 || hold !== null) return false;
  if (header.pausedAt === null && (header.holds === 0 || NEVER_REFUSED.has(stimulus.event.kind))) return false;
  return header.answers >= context.limits.answers || header.kept > context.limits.keptCharacters;
}

/** What comes while a workflow is paused is kept, in order, until it goes on. */
function keepForLater(world: World): void {
  keep(world, world.queue as Message[], '');
  world.queue.length = 0;
}

/** The same for a part of it; a step may take out what was kept and keep some of it anew, so that the row is named by the step, too. */
export function saveHeldBack(world: World): void {
  if (world.heldBack.length > 0) keep(world, world.heldBack, `.${world.row.ver}`);
}

function keep(world: World, messages: readonly Message[], suffix: string): void {
  const { header, now } = world;
  header.answers++;
  const id = `answer#${String(header.answers).padStart(9, '0')}${suffix}`;
  const payload = encodeMessages(messages);
  header.kept += payload.length;
  world.changeAgenda(id, {
    kind: 'put',
    row: { id, kind: 'answer', dueAt: now, heldAt: now, path: null, payload },
  });
}

/** Messages past the budget wait on the agenda for the workflow's next turn. */
export function saveQueue(world: World): void {
  const { header, queue, now } = world;
  if (header.pausedAt !== null && !world.tookUp) {
    if (queue.length > 0) keepForLater(world);
    return;
  }
  header.continuing = queue.length > 0;
  if (queue.length === 0) return;
  setDownLarge(world);
  const payload = encodeMessages(queue, baseIn(world), world.isBulky);
  world.changeAgenda(CONTINUATION, {
    kind: 'put',
    row: { id: CONTINUATION, kind: 'continue', dueAt: now, heldAt: header.pausedAt, path: null, payload },
  });
}

const baseIn =
  (world: World) =>
  (value: object): string | null =>
    world.bases.get(value as never) ?? null;

/** Of the work of a turn, as many characters may the queue have that it leaves behind; what is beyond that is set down. */
const QUEUE_PART = 2;
/** Messages that are set down together. */
const SET_DOWN_MESSAGES_MAX = 1_000;
/** 9999-01-01: what is set down is due by itself never. It is held, too. */
const NEVER = 253_370_764_800_000;

/**
 * Every turn writes the queue anew: were all messages written with it, a hundred of a megabyte would be written a hundred times. The first ones stay;
 * those beyond wait in rows of their own, some together, for many have the same large values.
 */
function setDownLarge(world: World): void {
  const { queue, context } = world;
  if (!world.isBulky) return;
  const most = context.limits.work / QUEUE_PART;
  const groups: { characters: number; readonly messages: Waiting[] }[] = [];
  let seen = new Set<Json>();
  for (const message of queue) {
    const last = groups.at(-1);
    const isOpen = last !== undefined && message.kind !== 'set_down' && last.messages[0]?.kind !== 'set_down';
    const more = charactersOf(message, seen);
    const fits = more === 0 || (last?.characters ?? 0) + more <= most;
    if (isOpen && fits && last.messages.length < SET_DOWN_MESSAGES_MAX) {
      last.messages.push(message);
      last.characters += more;
      continue;
    }
    seen = new Set();
    groups.push({ characters: charactersOf(message, seen), messages: [message] });
  }
  let number = queue.reduce((most, each) => (each.kind === 'set_down' ? Math.max(most, numberOf(each)) : most), 0);
  queue.length = 0;
  for (const [i, { messages }] of groups.entries()) {
    if (i === 0 || messages[0]?.kind === 'set_down') queue.push(...messages);
    else {
      number += 1;
      queue.push(setDown(world, messages, `${CONTINUATION}#${number}`));
    }
  }
}

const numberOf = ({ row }: SetDown): number => Number(row.slice(CONTINUATION.length + 1));

/** Characters of what a message carries and those before it do not, or as many as matter: what is small is not looked at. */
function charactersOf(message: Waiting, seen: Set<Json>): number {
  if (message.kind === 'set_down' || !('fields' in message)) return 0;
  let characters = 0;
  for (const value of Object.values(message.fields)) {
    const isText = typeof value === 'string';
    if (seen.has(value) || (isText ? value.length < LARGE_CHARACTERS : typeof value !== 'object' || value === null))
      continue;
    seen.add(value);
    characters += isText ? value.length : JSON.stringify(value).length;
  }
  return characters;
}

function setDown(world: World, messages: readonly Waiting[], row: string): SetDown {
  const payload = encodeMessages(messages, baseIn(world), true);
  world.changeAgenda(row, {
    kind: 'put',
    row: { id: row, kind: 'continue', dueAt: NEVER, heldAt: world.now, path: null, payload },
  });
  world.header.kept += payload.length;
  return {
    kind: 'set_down',
    row,
    characters: payload.length,
    strands: [...new Set(messages.flatMap(strandsOf))],
    applies: messages.flatMap(awaitedIn),
  };
}
