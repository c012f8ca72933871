import type { Json } from '../../model/json.ts';
import { decodeMessages } from '../state/messages.ts';
import type { Message } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';
import { refOf } from './branches.ts';
import { parentOf } from './variables.ts';

/*
 * Holding a part of a workflow. An expression that is paused takes nothing in, and nothing below it moves; what comes meanwhile is kept, in order,
 * until it is resumed. A breakpoint is a place below an expression: whatever comes there is paused before it sets out. The header counts both, so
 * that a workflow without any pays for none.
 */

/** Breakpoints one expression may have. */
export const BREAKPOINTS_MAX = 100;

/** What `data.paused` says: it was at work, or was about to set out, as a flank or not. */
type Paused = 'at work' | 'setting out' | 'setting out flanking';

const pausedIn = ({ node }: Acting): Paused | null => (node.ownData['paused'] as Paused | undefined) ?? null;
export const breakpointsIn = ({ ownData }: Pick<Acting['node'], 'ownData'>): readonly string[] =>
  (ownData['breakpoints'] as readonly string[] | undefined) ?? [];

const isLeaving = ({ node }: Acting): boolean => node.state !== null && node.state !== 'awaiting';

/** Whether it, or an expression above it, is paused. What is leaving is held by nobody. */
export function isHeld(x: Acting): boolean {
  for (let at: Acting | null = x; at !== null && !isLeaving(at); at = parentOf(at))
    if (pausedIn(at) !== null) return true;
  return false;
}

/** Whether the message is kept, as it would move something that is held. */
export function keptBack(world: World, message: Message): boolean {
  if (world.header.holds === 0) return false;
  const x = movedBy(world, message);
  if (x === null || !isHeld(x)) return false;
  world.heldBack.push(message);
  return true;
}

function movedBy(world: World, message: Message): Acting | null {
  switch (message.kind) {
    case 'apply':
      // What takes the place of another belongs to something that is leaving.
      return message.parent === null || message.place !== null ? null : world.find(message.parent);
    case 'reply':
    case 'fork':
    case 'dispatch':
    case 'raise':
    case 'awake':
    case 'event':
      return world.find(message.to);
    case 'cancel': {
      // Somebody's cancel goes through. That of a timer of its own waits as all else does.
      if (message.cause === 'cancel') return null;
      const x = world.find(message.to);
      const above = x === null ? null : parentOf(x);
      return above !== null && isLeaving(above) ? null : x;
    }
    default:
      return null;
  }
}

/** @returns why not; null: it is paused */
export function hold(x: Acting): string | null {
  if (isLeaving(x)) return `expression ${x.node.id} is ${x.node.state} already`;
  if (pausedIn(x) === null) pauseNow(x, 'at work');
  return null;
}

function pauseNow(x: Acting, how: Paused, breakpoint: string | null = null): void {
  const { node, strand, world } = x;
  node.data['paused'] = how;
  world.header.holds++;
  strand.touched = true;
  record(x, 'expression.paused', breakpoint);
}

function record(
  { node, world }: Acting,
  kind: 'expression.paused' | 'expression.resumed',
  breakpoint: string | null,
): void {
  world.record({
    kind,
    expid: node.expid,
    expression_id: node.id,
    name: node.name,
    ...(breakpoint === null ? {} : { breakpoint }),
  });
}

/** @returns why not; null: whatever comes to that place below it will be paused */
export function breakAt(x: Acting, place: string): string | null {
  const { node, strand, world } = x;
  if (isLeaving(x)) return `expression ${node.id} is ${node.state} already`;
  const known = breakpointsIn(node);
  if (known.includes(place)) return null;
  if (known.length >= BREAKPOINTS_MAX) return `expression ${node.id} has ${BREAKPOINTS_MAX} breakpoints already`;
  node.data['breakpoints'] = [...known, place] as Json;
  world.header.holds++;
  strand.touched = true;
  record(x, 'expression.paused', place);
  return null;
}

/** Pauses an expression that is about to set out, where there is a breakpoint for it. */
export function stopAt(x: Acting, isFlanking: boolean): boolean {
  const { expid } = x.node;
  for (let at = parentOf(x); at !== null; at = parentOf(at))
    if (breakpointsIn(at.node).includes(expid)) {
      pauseNow(x, isFlanking ? 'setting out flanking' : 'setting out', expid);
      return true;
    }
  return false;
}

/** Lifts one breakpoint, or (null) the pause and every breakpoint. Nothing happens where there is none. */
export function goOnWith(x: Acting, breakpoint: string | null): void {
  const { world } = x;
  const paused = pausedIn(x);
  const isThere =
    breakpoint === null
      ? paused !== null || breakpointsIn(x.node).length > 0
      : breakpointsIn(x.node).includes(breakpoint);
  if (!isThere) return;
  record(x, 'expression.resumed', breakpoint);
  if (breakpoint === null) letGo(x);
  else dropBreakpoints(x, [breakpoint]);
  if (breakpoint !== null || paused === null) return;
  if (paused !== 'at work') world.send({ kind: 'set_out', to: refOf(x), flanking: paused === 'setting out flanking' });
  sendKept(world);
  // What was due and could not be kept is due now.
  world.shift ??= 0;
}

function dropBreakpoints({ node, strand, world }: Acting, gone: readonly string[]): void {
  const left = breakpointsIn(node).filter((one) => !gone.includes(one));
  world.header.holds -= breakpointsIn(node).length - left.length;
  if (left.length === 0) delete node.data['breakpoints'];
  else node.data['breakpoints'] = left as Json;
  strand.touched = true;
}

/** It holds nothing any more. @returns whether it was paused, and whether it had not set out yet */
export function letGo(x: Acting): { readonly wasPaused: boolean; readonly hadSetOut: boolean } {
  const paused = pausedIn(x);
  if (breakpointsIn(x.node).length > 0) dropBreakpoints(x, breakpointsIn(x.node));
  if (paused === null) return { wasPaused: false, hadSetOut: true };
  delete x.node.data['paused'];
  x.world.header.holds--;
  x.strand.touched = true;
  return { wasPaused: true, hadSetOut: paused === 'at work' };
}

/** What was kept while the workflow, or a part of it, was paused counts now; what belongs to another part that is held is kept once more. */
export function sendKept(world: World): void {
  const { header } = world;
  if (header.answers === 0 || header.pausedAt !== null) return;
  world.want({ kind: 'agenda_kind', of: 'answer' });
  const answers = [...world.loaded.agenda.values()]
    .filter((row) => row.kind === 'answer')
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const row of answers) {
    world.changeAgenda(row.id, { kind: 'delete' });
    header.kept -= row.payload.length;
    world.noteRead(row.payload.length);
    for (const message of decodeMessages(row.payload)) world.send(message);
  }
  header.answers = 0;
}
