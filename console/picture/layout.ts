import { branchesOf, isCrowd, isFoldable, type Place } from './figure.ts';
import { joinWords } from './joins.ts';
import type { Seen } from './states.ts';

/* Where everything stands in the picture. It depends on the tree and on what is folded alone, so a change of state never moves a box. */

export const LEAF = { width: 224, height: 45 } as const;
export const SMALL_HEIGHT = 24;
export const HEAD = 28;
export const PADDING = 10;
export const GAP = 16;
export const LANE_GAP = 14;
export const JOIN = 14;
/** A crowd's line of counts and its field of marks. */
export const COUNTS = 24;
export const FIELD = 40;
/** A crowd is wide enough for its marks and for the words about the branch that is shown. */
export const CROWD_WIDTH = 420;
/** A loop's line of how far it is. */
export const STRIP = 24;
const RETURN = 18;
const MIN_BOX = LEAF.width + 2 * PADDING;
/** A handler at the right edge of its box, and the dotted line to it. */
export const HANDLER = { width: 132, height: 22, gap: 12, between: 4 } as const;
/** The line above the definitions that others call, and how many of those stand side by side. */
const LABEL = 16;
const SHELF_ROW = 3;
/** Boxes that are in the page at once. */
export const BOXES_MAX = 400;

export type Box = {
  readonly place: Place;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** A container whose children are not shown. */
  readonly folded: boolean;
  /** Which of the lanes of a crowd it stands in, where several stand side by side; else 0. */
  readonly lane: number;
};
/** A crowd whose lane is drawn several times, for as many of its branches. */
export type Lanes = { readonly crowd: string; readonly count: number };
export type Wire = {
  readonly path: string;
  readonly arrow: boolean;
  /** The place it leads to: it is solid once that has been reached. */
  readonly to: string;
  /** `aside`: it leaves what is not waited for. */
  readonly kind: 'flow' | 'return' | 'aside';
  readonly lane: number;
  /** Where its words stand, of one that has some. */
  readonly words?: { readonly x: number; readonly y: number; readonly text: string };
};
/** What runs in place of a box; it hangs at its right edge. */
export type Hanging = {
  readonly place: Place;
  /** The attribute: `on_error`. */
  readonly name: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly lane: number;
};
/** Words that belong to no wire. */
export type Label = { readonly x: number; readonly y: number; readonly text: string };
export type Drawing = {
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
  readonly hangings: readonly Hanging[];
  readonly labels: readonly Label[];
  readonly width: number;
  readonly height: number;
};

/** `axis`: how far from its left edge the line is on which arrows come and go; what hangs at a box is not in the middle. */
type Size = { readonly width: number; readonly height: number; readonly axis: number };
const centred = (width: number, height: number): Size => ({ width, height, axis: width / 2 });

/**
 * @param isOpen whether the children of a place are shown
 * @param side the crowd whose lanes stand side by side; null: none
 * @param shownOf of a concurrence with many branches those that are shown, by their number; there is room for each of them
 */
export function layout(
  root: Place,
  isOpen: (place: Place) => boolean,
  side: Lanes | null = null,
  shownOf: (place: Place) => readonly number[] = () => [0],
): Drawing {
  let lane = 0;
  const copies = (place: Place): number => (place.expid === side?.crowd ? Math.max(1, side.count) : 1);
  const sizes = new Map<string, Size>();
  const owns = new Map<string, Size>();
  const boxes: Box[] = [];
  const wires: Wire[] = [];
  const hangings: Hanging[] = [];
  const labels: Label[] = [];
  const opened = (place: Place): boolean => place.children.length > 0 && isOpen(place);

  /** With what hangs at it. */
  function sizeOf(place: Place): Size {
    const known = sizes.get(place.expid);
    if (known !== undefined) return known;
    const own = measured(place);
    const { length } = place.handlers;
    const size =
      length === 0
        ? own
        : {
            width: own.width + HANDLER.gap + HANDLER.width,
            height: Math.max(own.height, hangingHeight(length) + HANDLER.between),
            axis: own.axis,
          };
    sizes.set(place.expid, size);
    owns.set(place.expid, own);
    return size;
  }
  /** Without. */
  const ownOf = (place: Place): Size => {
    const size = sizeOf(place);
    return owns.get(place.expid) ?? size;
  };

  function measured(place: Place): Size {
    if (place.kind === 'small') return centred(LEAF.width, SMALL_HEIGHT);
    if (!opened(place)) return centred(LEAF.width, LEAF.height);
    const { flow, shelf } = parted(place);
    const shelfSize = shelf.length === 0 ? null : shelved(shelf);
    const body = bodyOf(place, flow);
    const inner = shelfSize === null ? body : stacked(shelfSize, body);
    if (place.kind === 'column') return inner;
    const extra =
      (isCrowd(place) ? COUNTS + FIELD : place.kind === 'loop' ? STRIP : 0) +
      (isLanes(place) && flow.length > 0 ? 2 * JOIN : 0);
    const margin = PADDING + (place.kind === 'loop' ? RETURN : 0);
    // Both sides of the line are as wide as what is inside needs, and together at least as wide as any box.
    const missing = Math.max(0, (isCrowd(place) ? CROWD_WIDTH : MIN_BOX) - inner.width - 2 * margin);
    return {
      width: inner.width + 2 * margin + missing,
      height: HEAD + 2 * PADDING + extra + inner.height,
      axis: margin + inner.axis + missing / 2,
    };
  }

  function bodyOf(place: Place, flow: readonly Place[]): Size {
    if (isLanes(place)) return lanes(flow);
    if (place.kind === 'wide') {
      // As large as the largest branch, so that nothing moves when another one is shown.
      const all = flow.map(sizeOf);
      const [before, after] = [most(all.map(({ axis }) => axis)), most(all.map(({ width, axis }) => width - axis))];
      const times = Math.max(1, shownOf(place).length);
      const width = times * (before + after) + (times - 1) * LANE_GAP;
      return { width, height: most(all.map(({ height }) => height)), axis: times === 1 ? before : width / 2 };
    }
    const one = column(flow);
    const times = copies(place);
    if (times === 1) return one;
    return centred(times * one.width + (times - 1) * LANE_GAP, one.height);
  }

  const column = (list: readonly Place[]): Size => {
    const all = list.map(sizeOf);
    const axis = most(all.map((one) => one.axis));
    return {
      width: axis + most(all.map((one) => one.width - one.axis)),
      height: all.reduce((sum, one) => sum + one.height, 0) + GAP * Math.max(0, all.length - 1),
      axis,
    };
  };
  const lanes = (list: readonly Place[]): Size => {
    const all = list.map(sizeOf);
    return centred(
      all.reduce((sum, one) => sum + one.width, 0) + LANE_GAP * Math.max(0, all.length - 1),
      most(all.map((one) => one.height)),
    );
  };
  /** Definitions lie side by side, some in a row. */
  const shelved = (list: readonly Place[]): Size => {
    const rows = rowsOf(list).map(lanes);
    const height = rows.reduce((sum, one) => sum + GAP + one.height, LABEL - GAP);
    return centred(most(rows.map(({ width }) => width)), height);
  };
  const stacked = (a: Size, b: Size): Size => {
    const axis = Math.max(a.axis, b.axis);
    return {
      width: axis + Math.max(a.width - a.axis, b.width - b.axis),
      height: a.height + (b.height > 0 ? GAP + b.height : 0),
      axis,
    };
  };

  function put(place: Place, x: number, y: number, depth: number): void {
    const { width, height } = ownOf(place);
    if (!opened(place) || place.kind === 'small') {
      boxes.push({ place, x, y, width, height, depth, folded: isFoldable(place), lane });
      hang(place, x + width, y + Math.max(0, (height - hangingHeight(place.handlers.length)) / 2));
      return;
    }
    const { flow, shelf } = parted(place);
    const isBox = place.kind !== 'column';
    if (isBox) {
      boxes.push({ place, x, y, width, height, depth, folded: false, lane });
      hang(place, x + width, y + HANDLER.between);
    }
    let top = y + (isBox ? HEAD + PADDING : 0);
    const middle = x + sizeOf(place).axis;
    if (shelf.length > 0) {
      const { width: room, height: high } = shelved(shelf);
      labels.push({ x: middle - room / 2, y: top + LABEL - 6, text: 'Definitions' });
      let below = top + LABEL;
      for (const row of rowsOf(shelf)) {
        const size = lanes(row);
        let left = middle - size.width / 2;
        for (const one of row) {
          put(one, left, below, depth + 1);
          left += sizeOf(one).width + LANE_GAP;
        }
        below += size.height + GAP;
      }
      top += high + GAP;
    }
    if (flow.length === 0) return;
    if (isCrowd(place)) top += COUNTS + FIELD;
    if (place.kind === 'loop') top += STRIP;
    if (isLanes(place)) putLanes(place, flow, middle, top, depth);
    else if (place.kind === 'wide') putShown(place, flow, middle, top, depth);
    else if (copies(place) > 1) putCopies(place, flow, x, middle, top, depth);
    else putColumn(place, flow, x, middle, top, depth);
  }

  /** What hangs at the right edge of a box, one below the other. */
  function hang(place: Place, right: number, top: number): void {
    for (const [i, [name, text]] of place.handlers.entries())
      hangings.push({
        place,
        name,
        text,
        x: right + HANDLER.gap,
        y: top + i * (HANDLER.height + HANDLER.between),
        lane,
      });
  }

  /** Some of many branches, side by side. */
  function putShown(place: Place, flow: readonly Place[], middle: number, top: number, depth: number): void {
    const all = flow.map(sizeOf);
    const [before, after] = [most(all.map(({ axis }) => axis)), most(all.map(({ width, axis }) => width - axis))];
    const shown = shownOf(place).flatMap((i) => flow[i] ?? []);
    let at = shown.length < 2 ? middle : middle - bodyOf(place, flow).width / 2 + before;
    for (const one of shown) {
      put(one, at - sizeOf(one).axis, top, depth + 1);
      at += after + LANE_GAP + before;
    }
  }

  /** The same column once for each branch. */
  function putCopies(
    place: Place,
    flow: readonly Place[],
    x: number,
    middle: number,
    top: number,
    depth: number,
  ): void {
    const { width, axis } = column(flow);
    const times = copies(place);
    const outer = lane;
    let at = middle - (times * width + (times - 1) * LANE_GAP) / 2 + axis;
    for (lane = 0; lane < times; lane++) {
      putColumn(place, flow, x, at, top, depth);
      at += width + LANE_GAP;
    }
    lane = outer;
  }

  function putColumn(
    place: Place,
    flow: readonly Place[],
    x: number,
    middle: number,
    top: number,
    depth: number,
  ): void {
    let y = top;
    let before: number | null = null;
    let last: Place | null = null;
    for (const one of flow) {
      const { height, axis } = sizeOf(one);
      if (before !== null)
        wires.push({
          path: `M${middle} ${before}V${y - 2}`,
          arrow: true,
          to: firstIn(one).expid,
          lane,
          ...(last !== null && isAside(last)
            ? { kind: 'aside', words: { x: middle + 6, y: y - 4, text: BY_ITSELF } }
            : { kind: 'flow' }),
        });
      put(one, middle - axis, y, depth + (place.kind === 'column' ? 0 : 1));
      before = y + ownOf(one).height;
      y += height;
      last = one;
      y += GAP;
    }
    if (place.kind !== 'loop' || before === null) return;
    const first = flow[0] as Place;
    const left = x + PADDING;
    const from = middle - sizeOf(flow.at(-1) as Place).axis;
    const to = middle - sizeOf(first).axis;
    const up = top + Math.min(ownOf(first).height / 2, 22);
    wires.push({
      path: `M${from} ${before - 12}H${left}V${up}H${to - 2}`,
      arrow: true,
      to: place.expid,
      kind: 'return',
      lane,
    });
  }

  function putLanes(place: Place, flow: readonly Place[], middle: number, top: number, depth: number): void {
    const all = lanes(flow);
    const y = top + JOIN;
    const bottom = y + all.height;
    let x = middle - all.axis;
    for (const one of flow) {
      const { width, axis } = sizeOf(one);
      const at = x + axis;
      put(one, x, y, depth + 1);
      const to = firstIn(one).expid;
      const end = y + ownOf(one).height;
      wires.push({ path: `M${middle} ${top}V${top + JOIN / 2}H${at}V${y}`, arrow: false, to, kind: 'flow', lane });
      wires.push({
        path: `M${at} ${end}V${bottom + JOIN / 2}H${middle}V${bottom + JOIN}`,
        arrow: false,
        to: place.kind === 'choice' ? to : place.expid,
        lane,
        ...(isAside(one)
          ? { kind: 'aside', words: { x: at + 6, y: end + JOIN - 3, text: BY_ITSELF } }
          : { kind: 'flow' }),
      });
      x += width + LANE_GAP;
    }
    if (place.kind !== 'fork' || flow.length < 2) return;
    const text = joinWords(place);
    wires.push({
      path: `M${middle} ${bottom + JOIN / 2}V${bottom + JOIN}`,
      arrow: false,
      to: place.expid,
      kind: 'flow',
      lane,
      words: { x: middle + 6, y: bottom + JOIN + 5, text },
    });
  }

  /** What an arrow to a place points at: a row without a box of its own begins with its first child. */
  const firstIn = (place: Place): Place => {
    const [first] = place.children;
    return place.kind === 'column' && first !== undefined && opened(place) ? firstIn(first) : place;
  };

  const { width, height } = sizeOf(root);
  put(root, 1, 1, 0);
  return { boxes, wires, hangings, labels, width: width + 2, height: height + 2 };
}

const rowsOf = (list: readonly Place[]): readonly (readonly Place[])[] =>
  Array.from({ length: Math.ceil(list.length / SHELF_ROW) }, (_, i) => list.slice(i * SHELF_ROW, (i + 1) * SHELF_ROW));
const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);
const hangingHeight = (count: number): number => count * (HANDLER.height + HANDLER.between) - HANDLER.between;

/** Whether what is around it goes on at once: it was let go, or runs beside. */
const isAside = ({ attributes }: Place): boolean =>
  attributes.some(([name, value]) => ASIDE.has(name) && (value === true || value === 'true'));
const ASIDE: ReadonlySet<string> = new Set(['forget', 'flank']);
const BY_ITSELF = 'by itself';

const isLanes = (place: Place): boolean => place.kind === 'fork' || place.kind === 'choice';

function parted(place: Place): { readonly flow: readonly Place[]; readonly shelf: readonly Place[] } {
  const shelf = place.children.filter((child) => child.kind === 'definition');
  return { flow: shelf.length === 0 ? place.children : branchesOf(place), shelf };
}

/**
 * Which containers are open at first: the way from the root to each failed place, then to each live one, then the rest breadth first, until
 * BOXES_MAX boxes are shown. What a person has opened comes before all.
 */
export function openAtFirst(
  root: Place,
  seen: ReadonlyMap<string, Seen>,
  chosen: ReadonlySet<string>,
  folded: ReadonlySet<string>,
  most = BOXES_MAX,
): ReadonlySet<string> {
  // Everything folded but the root.
  if (folded.has(FOLD_ALL)) return new Set([root.expid, ...chosen]);
  const open = new Set<string>();
  let boxes = 1;
  const byExpid = new Map<string, Place>();
  const breadth: Place[] = [root];
  // Of many branches one is shown: what is in the others is open for whoever chooses them, and counts for nothing.
  const hidden = new Set<Place>();
  for (let i = 0; i < breadth.length; i++) {
    const place = breadth[i] as Place;
    byExpid.set(place.expid, place);
    breadth.push(...place.children);
    const shown = place.kind === 'wide' ? branchesOf(place)[Math.max(0, seen.get(place.expid)?.shown ?? 0)] : null;
    for (const child of place.children)
      if (hidden.has(place) || (shown !== null && child !== shown && child.kind !== 'definition')) hidden.add(child);
  }
  const show = (place: Place): boolean => {
    if (open.has(place.expid) || folded.has(place.expid) || place.children.length === 0) return true;
    const more = hidden.has(place) ? 0 : place.kind === 'wide' ? 1 : place.children.length;
    if (boxes + more > most) return false;
    boxes += more;
    open.add(place.expid);
    return true;
  };
  const showWay = (expid: string): void => {
    const parts = expid.split('_');
    for (let i = 1; i <= parts.length; i++) {
      const place = byExpid.get(parts.slice(0, i).join('_'));
      if (place === undefined || !show(place)) return;
    }
  };
  for (const expid of chosen) showWay(expid);
  // What is alive in the body of a call is shown there, and not where its definition lies.
  const inBodies = new Set(breadth.flatMap(({ expid, at }) => (expid === at ? [] : [at])));
  const states = [...seen].filter(([expid, one]) => one.live.length > 0 && !inBodies.has(expid));
  for (const [expid, one] of states) if (one.failures.length > 0) showWay(parentOf(expid));
  for (const [expid] of states) showWay(parentOf(expid));
  if (folded.has(LIVE_PARTS)) return open;
  for (const place of breadth) {
    // Definitions lie folded on their shelf until something of them lives.
    if (place.kind === 'definition' || place.children.length === 0) continue;
    if (place.expid !== '0' && !open.has(parentOf(place.expid))) continue;
    if (!show(place)) break;
  }
  return open;
}

/** Among what is folded: everything; all but the ways to what is live. */
export const FOLD_ALL = '*';
export const LIVE_PARTS = 'live';

export const parentOf = (expid: string): string => expid.slice(0, Math.max(0, expid.lastIndexOf('_')));
