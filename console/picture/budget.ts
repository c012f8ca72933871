import { branchesOf, type Place } from './figure.ts';
import { BOXES_MAX, parentOf } from './layout.ts';
import type { Seen } from './states.ts';

/* No more boxes than a page can hold: what is opened beyond that folds something else. */

export type Kept = { readonly open: ReadonlySet<string>; readonly folded: readonly string[] };

/**
 * Folds what is farthest away from a place, what is over first, until no more boxes are left than there may be.
 *
 * @param near the place that was opened last: what is around it stays open, and so does itself
 */
export function withinBudget(
  root: Place,
  open: ReadonlySet<string>,
  seen: ReadonlyMap<string, Seen>,
  near: string,
  most = BOXES_MAX,
): Kept {
  const shown: Place[] = [root];
  for (let i = 0; i < shown.length; i++) {
    const place = shown[i] as Place;
    if (open.has(place.expid)) shown.push(...shownOf(place, seen));
  }
  if (shown.length <= most) return { open, folded: [] };
  const isOver = ({ expid }: Place): boolean => {
    const one = seen.get(expid);
    return one === undefined || one.live.length + one.inside.live + one.inside.waits + one.inside.failed === 0;
  };
  const order = shown
    .filter(({ expid, children }) => open.has(expid) && children.length > 0 && !isAround(expid, near))
    .map((place) => ({ place, isOver: isOver(place), away: distance(place.expid, near) }))
    .sort((a, b) => Number(b.isOver) - Number(a.isOver) || b.away - a.away);
  const kept = new Set(open);
  const folded: string[] = [];
  let boxes = shown.length;
  for (const { place } of order) {
    if (boxes <= most) break;
    // What is inside of what was folded before is gone with it.
    if (!isShown(place.expid, kept)) continue;
    boxes -= insideOf(place, kept, seen);
    kept.delete(place.expid);
    folded.push(place.expid);
  }
  return { open: kept, folded };
}

const isAround = (expid: string, near: string): boolean => near === expid || near.startsWith(`${expid}_`);

function isShown(expid: string, open: ReadonlySet<string>): boolean {
  for (let up = parentOf(expid); up !== ''; up = parentOf(up)) if (!open.has(up)) return false;
  return true;
}

/** Boxes that go when a place is folded. */
const insideOf = (place: Place, open: ReadonlySet<string>, seen: ReadonlyMap<string, Seen>): number =>
  open.has(place.expid) ? shownOf(place, seen).reduce((sum, child) => sum + 1 + insideOf(child, open, seen), 0) : 0;

/** Of many branches one is shown. */
function shownOf(place: Place, seen: ReadonlyMap<string, Seen>): readonly Place[] {
  if (place.kind !== 'wide') return place.children;
  const shown = branchesOf(place)[Math.max(0, seen.get(place.expid)?.shown ?? 0)];
  return place.children.filter((child) => child === shown || child.kind === 'definition');
}

/** Steps from one place to another along the tree. */
function distance(a: string, b: string): number {
  const [one, other] = [a.split('_'), b.split('_')];
  const differs = one.findIndex((step, i) => step !== other[i]);
  const common = differs === -1 ? one.length : differs;
  return one.length - common + (other.length - common);
}
