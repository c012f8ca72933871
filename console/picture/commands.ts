import { branchesOf, COMMANDS, everyPlace, type Place } from './figure.ts';
import { type Box, type Drawing, PADDING, parentOf } from './layout.ts';

/* Where the commands of a cursor lead, as far as the tree tells (src/interpreter/expressions/ruote/cursor.ts), and their arrows. */

export type Jump = {
  /** The place of the command. */
  readonly from: string;
  /** The place it leads to, or that of the cursor whose end it is. */
  readonly to: string;
  readonly isEnd: boolean;
};

const FIRST: ReadonlySet<string> = new Set(['rewind', 'continue', 'reset']);
const END: ReadonlySet<string> = new Set(['break', 'stop', 'over']);
/** Commands whose arrows are drawn; what is beyond is left out. */
export const JUMPS_MAX = 200;

/** Of each command of a cursor where it leads. Of one that says so in a variable nobody knows before. */
export function jumpsOf(root: Place): readonly Jump[] {
  const before = known.get(root);
  if (before !== undefined) return before;
  const jumps = found(root);
  known.set(root, jumps);
  return jumps;
}
const known = new WeakMap<Place, readonly Jump[]>();

function found(root: Place): readonly Jump[] {
  const places = new Map<string, Place>();
  for (const place of everyPlace(root)) places.set(place.expid, place);
  const jumps: Jump[] = [];
  for (const place of places.values()) {
    if (!COMMANDS.has(place.head) || place.children.length > 0 || jumps.length >= JUMPS_MAX) continue;
    const wanted = textIn(place, 'ref');
    for (let up = parentOf(place.expid), child = place.expid; up !== ''; child = up, up = parentOf(up)) {
      const loop = places.get(up);
      // A body is of another definition: its commands are for its own cursors.
      if (loop === undefined || loop.kind === 'call' || loop.kind === 'definition') break;
      if (loop.kind !== 'loop' || (wanted !== '' && textIn(loop, 'tag') !== wanted)) continue;
      const jump = jumpIn(place, loop, child);
      if (jump !== null) jumps.push(jump);
      break;
    }
  }
  return jumps;
}

function jumpIn(place: Place, loop: Place, child: string): Jump | null {
  const { head, expid: from } = place;
  const { children } = loop;
  const end: Jump = { from, to: loop.expid, isEnd: true };
  if (END.has(head)) return end;
  const first = branchesOf(loop)[0]?.expid ?? loop.expid;
  if (FIRST.has(head)) return { from, to: first, isEnd: false };
  const at = children.findIndex(({ expid }) => expid === child);
  const said = head === 'jump' ? textIn(place, 'to') || wordOf(place) : textIn(place, 'step') || wordOf(place) || '1';
  if (said.includes('${')) return null;
  const isNumber = /^[-+]?\d{1,9}$/.test(said);
  if (head !== 'jump' && !isNumber) return null;
  const to =
    head === 'skip'
      ? at + 1 + Number(said)
      : head === 'back'
        ? at + 1 - Number(said)
        : isNumber
          ? Number(said) < 0
            ? children.length + Number(said)
            : Number(said)
          : children.findIndex((one) => !COMMANDS.has(one.head) && namesOf(one).includes(said));
  if (head === 'jump' && !isNumber && to < 0) return null;
  const target = children[Math.max(0, to)];
  if (target !== undefined) return { from, to: target.expid, isEnd: false };
  // Behind the last child a cursor is over, and a loop begins again.
  return loop.head === 'cursor' ? end : { from, to: first, isEnd: false };
}

function textIn({ attributes }: Place, name: string): string {
  const value = attributes.find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
/** The text of a place: a word without a value. */
const wordOf = ({ attributes }: Place): string => attributes.find(([, value]) => value === null)?.[0] ?? '';
const namesOf = (place: Place): readonly string[] =>
  [place.head, textIn(place, 'ref'), textIn(place, 'tag'), wordOf(place)].filter((one) => one !== '');

/** An arrow of the picture, from a command to where it leads. */
export type JumpWire = Jump & { readonly path: string; readonly lane: number };

/** Arrows of the commands that are shown: along the right edge of their cursor. */
export function jumpWires({ boxes }: Drawing, jumps: readonly Jump[]): readonly JumpWire[] {
  const wires: JumpWire[] = [];
  for (const jump of jumps)
    for (const from of boxes.filter(({ place }) => place.expid === jump.from)) {
      const boxOf = (expid: string): Box | undefined =>
        boxes.find((box) => box.place.expid === expid && (box.lane === from.lane || box.lane === 0));
      // A row has no box of its own: then it is the first in it.
      const to =
        boxOf(jump.to) ?? boxes.find((box) => box.place.expid.startsWith(`${jump.to}_`) && box.lane === from.lane);
      const around = jump.isEnd ? to : boxOf(loopAround(jump, from, boxes));
      if (to === undefined || around === undefined) continue;
      const edge = around.x + around.width - PADDING;
      const start = `M${from.x + from.width} ${from.y + from.height / 2}H${edge}`;
      const path = jump.isEnd
        ? `${start}V${around.y + around.height - 2}`
        : `${start}V${to.y + ARRIVES}H${to.x + to.width + 2}`;
      wires.push({ ...jump, path, lane: from.lane });
    }
  return wires;
}
/** How far below the upper edge of a box an arrow arrives: above what hangs there. */
const ARRIVES = 6;

/** The cursor that is around both. */
function loopAround({ to }: Jump, { place }: Box, boxes: readonly Box[]): string {
  for (let up = parentOf(to); up !== ''; up = parentOf(up))
    if (place.expid.startsWith(`${up}_`) && boxes.some((box) => box.place.expid === up)) return up;
  return '';
}
