import type { Place } from './figure.ts';
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
export type Drawing = {
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
  readonly width: number;
  readonly height: number;
};

type Size = { readonly width: number; readonly height: number };

/** @param isOpen whether the children of a place are shown. `side`: the crowd whose lanes stand side by side; null: none */
export function layout(root: Place, isOpen: (place: Place) => boolean, side: Lanes | null = null): Drawing {
  let lane = 0;
  const copies = (place: Place): number => (place.expid === side?.crowd ? Math.max(1, side.count) : 1);
  const sizes = new Map<string, Size>();
  const boxes: Box[] = [];
  const wires: Wire[] = [];
  const opened = (place: Place): boolean => place.children.length > 0 && isOpen(place);

  function sizeOf(place: Place): Size {
    const known = sizes.get(place.expid);
    if (known !== undefined) return known;
    const size = measured(place);
    sizes.set(place.expid, size);
    return size;
  }

  function measured(place: Place): Size {
    if (place.kind === 'small') return { width: LEAF.width, height: SMALL_HEIGHT };
    if (!opened(place)) return LEAF;
    const { flow, shelf } = parted(place);
    const shelfSize = shelf.length === 0 ? null : column(shelf);
    const one = isLanes(place) ? lanes(flow) : column(flow);
    const times = copies(place);
    const body = { ...one, width: times * one.width + (times - 1) * LANE_GAP };
    const inner = shelfSize === null ? body : stacked(shelfSize, body);
    if (place.kind === 'column') return inner;
    const extra =
      (place.kind === 'crowd' ? COUNTS + FIELD : place.kind === 'loop' ? STRIP : 0) +
      (isLanes(place) && flow.length > 0 ? 2 * JOIN : 0);
    const margin = place.kind === 'loop' ? RETURN : 0;
    return {
      width: Math.max(place.kind === 'crowd' ? CROWD_WIDTH : MIN_BOX, inner.width + 2 * PADDING + 2 * margin),
      height: HEAD + 2 * PADDING + extra + inner.height,
    };
  }

  const column = (list: readonly Place[]): Size => {
    const all = list.map(sizeOf);
    return {
      width: Math.max(0, ...all.map((one) => one.width)),
      height: all.reduce((sum, one) => sum + one.height, 0) + GAP * Math.max(0, all.length - 1),
    };
  };
  const lanes = (list: readonly Place[]): Size => {
    const all = list.map(sizeOf);
    return {
      width: all.reduce((sum, one) => sum + one.width, 0) + LANE_GAP * Math.max(0, all.length - 1),
      height: Math.max(0, ...all.map((one) => one.height)),
    };
  };
  const stacked = (a: Size, b: Size): Size => ({
    width: Math.max(a.width, b.width),
    height: a.height + (b.height > 0 ? GAP + b.height : 0),
  });

  function put(place: Place, x: number, y: number, depth: number): void {
    const size = sizeOf(place);
    if (!opened(place) || place.kind === 'small') {
      boxes.push({ place, x, y, ...size, depth, folded: place.children.length > 0, lane });
      return;
    }
    const { flow, shelf } = parted(place);
    const isBox = place.kind !== 'column';
    if (isBox) boxes.push({ place, x, y, ...size, depth, folded: false, lane });
    let top = y + (isBox ? HEAD + PADDING : 0);
    const middle = x + size.width / 2;
    for (const one of shelf) {
      const { width, height } = sizeOf(one);
      put(one, middle - width / 2, top, depth + 1);
      top += height + GAP;
    }
    if (flow.length === 0) return;
    if (place.kind === 'crowd') top += COUNTS + FIELD;
    if (place.kind === 'loop') top += STRIP;
    if (isLanes(place)) putLanes(place, flow, middle, top, depth);
    else if (copies(place) > 1) putCopies(place, flow, x, middle, top, depth);
    else putColumn(place, flow, x, middle, top, depth);
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
    const { width } = column(flow);
    const times = copies(place);
    const outer = lane;
    let at = middle - (times * width + (times - 1) * LANE_GAP) / 2 + width / 2;
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
      const { width, height } = sizeOf(one);
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
      put(one, middle - width / 2, y, depth + (place.kind === 'column' ? 0 : 1));
      y += height;
      before = y;
      last = one;
      y += GAP;
    }
    if (place.kind !== 'loop' || before === null) return;
    const first = flow[0] as Place;
    const left = x + PADDING;
    const from = middle - sizeOf(flow.at(-1) as Place).width / 2;
    const to = middle - sizeOf(first).width / 2;
    const up = top + Math.min(sizeOf(first).height / 2, 22);
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
    let x = middle - all.width / 2;
    for (const one of flow) {
      const { width, height } = sizeOf(one);
      const at = x + width / 2;
      put(one, x, y, depth + 1);
      const to = firstIn(one).expid;
      wires.push({ path: `M${middle} ${top}V${top + JOIN / 2}H${at}V${y}`, arrow: false, to, kind: 'flow', lane });
      wires.push({
        path: `M${at} ${y + height}V${bottom + JOIN / 2}H${middle}V${bottom + JOIN}`,
        arrow: false,
        to: place.kind === 'choice' ? to : place.expid,
        lane,
        ...(isAside(one)
          ? { kind: 'aside', words: { x: at + 6, y: y + height + JOIN - 3, text: BY_ITSELF } }
          : { kind: 'flow' }),
      });
      x += width + LANE_GAP;
    }
  }

  /** What an arrow to a place points at: a row without a box of its own begins with its first child. */
  const firstIn = (place: Place): Place => {
    const [first] = place.children;
    return place.kind === 'column' && first !== undefined && opened(place) ? firstIn(first) : place;
  };

  const { width, height } = sizeOf(root);
  put(root, 1, 1, 0);
  return { boxes, wires, width: width + 2, height: height + 2 };
}

/** Whether what is around it goes on at once: it was let go, or runs beside. */
const isAside = ({ attributes }: Place): boolean =>
  attributes.some(([name, value]) => ASIDE.has(name) && (value === true || value === 'true'));
const ASIDE: ReadonlySet<string> = new Set(['forget', 'flank']);
const BY_ITSELF = 'by itself';

const isLanes = (place: Place): boolean => place.kind === 'fork' || place.kind === 'choice';

function parted(place: Place): { readonly flow: readonly Place[]; readonly shelf: readonly Place[] } {
  const shelf = place.children.filter((child) => child.kind === 'definition');
  return { flow: shelf.length === 0 ? place.children : place.children.filter((c) => c.kind !== 'definition'), shelf };
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
  for (let i = 0; i < breadth.length; i++) {
    const place = breadth[i] as Place;
    byExpid.set(place.expid, place);
    breadth.push(...place.children);
  }
  const show = (place: Place): boolean => {
    if (open.has(place.expid) || folded.has(place.expid) || place.children.length === 0) return true;
    if (boxes + place.children.length > most) return false;
    boxes += place.children.length;
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
  const states = [...seen].filter(([, one]) => one.live.length > 0);
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
