import type { Entry } from './standing.ts';

/* The line of moments: where each entry stands on it, by its number or by its time, how much happens where, and what is marked. */

export type Axis = 'entry' | 'time';

/** A part of the line: how high it stands (0 to 1), and the sign of the worst that happened there; empty: nothing to be marked. */
export type Column = { readonly height: number; readonly mark: '' | '✖' | '‖' | '✎' | '▸' };

/** Worst first. */
const MARKS = ['✖', '‖', '✎', '▸'] as const;
const KINDS: { readonly [kind: string]: Column['mark'] } = {
  'workflow.launched': '▸',
  'expression.failed': '✖',
  'callback.refused': '✖',
  'workitem.failed': '✖',
  'workflow.paused': '‖',
  'expression.paused': '‖',
  'workitem.edited': '✎',
  'expression.reapplying': '✎',
  'expression.replayed': '✎',
};
export const markOf = ({ kind }: Entry): Column['mark'] => KINDS[kind] ?? '';

const timeOf = (entry: Entry | undefined): number => Date.parse(entry?.at ?? '') || 0;

/** Where entry `n` stands, from 0 to 1. */
export function placeOf(entries: readonly Entry[], n: number, axis: Axis): number {
  const last = entries.length;
  if (last < 2) return 1;
  if (axis === 'entry') return (n - 1) / (last - 1);
  const [from, to] = [timeOf(entries[0]), timeOf(entries.at(-1))];
  return to === from ? (n - 1) / (last - 1) : (timeOf(entries[n - 1]) - from) / (to - from);
}

/** The last entry that stands at `place` or before it; 1 at least. */
export function entryAt(entries: readonly Entry[], place: number, axis: Axis): number {
  const last = entries.length;
  if (last < 2) return last;
  let [low, high] = [1, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (placeOf(entries, middle, axis) <= place + 1e-9) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @param count how many columns */
export function columnsOf(entries: readonly Entry[], axis: Axis, count: number): readonly Column[] {
  const weights = new Array<number>(count).fill(0);
  const marks = new Array<Column['mark']>(count).fill('');
  for (const [i, entry] of entries.entries()) {
    const column = Math.min(count - 1, Math.floor(placeOf(entries, i + 1, axis) * count));
    weights[column] = (weights[column] ?? 0) + (entry.kind.startsWith('expression.') ? 1 : 3);
    const mark = markOf(entry);
    const before = marks[column] ?? '';
    if (mark !== '' && (before === '' || MARKS.indexOf(mark) < MARKS.indexOf(before))) marks[column] = mark;
  }
  const most = Math.max(1, ...weights);
  return weights.map((weight, i) => ({ height: weight / most, mark: marks[i] ?? '' }));
}

/** How fast moments are played: entries at once, and milliseconds between. Waits are skipped: each entry takes as long as any other. */
export const SPEEDS = [
  { word: '1×', entries: 1, everyMs: 250 },
  { word: '10×', entries: 1, everyMs: 25 },
  { word: '100×', entries: 10, everyMs: 25 },
] as const;
