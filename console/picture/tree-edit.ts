import { isObject, type Json } from '../../src/model/json.ts';

/*
 * A tree that is changed by its structure. Every change gives a whole tree again, and where the place that was meant is in it; null: that cannot
 * be done there. A way is the indexes that lead from the root to a place.
 */

export type Way = readonly number[];
export type Edited = { readonly tree: Json; readonly at: Way };
type Node = readonly [head: string, attributes: { readonly [name: string]: Json }, children: readonly Json[]];

export const isTree = (value: Json | undefined): boolean =>
  Array.isArray(value) &&
  value.length === 3 &&
  typeof value[0] === 'string' &&
  isObject(value[1] as Json) &&
  Array.isArray(value[2]) &&
  (value[2] as readonly Json[]).every(isTree);

export const partsOf = (tree: Json): Node => tree as Node;
const childrenOf = (tree: Json): readonly Json[] => partsOf(tree)[2];
const withChildren = (tree: Json, children: readonly Json[]): Json => {
  const [head, attributes] = partsOf(tree);
  return [head, attributes, [...children]] as Json;
};

/** Heads that Radial says as they are. */
const WORD = /^[A-Za-z][A-Za-z0-9_]*$/;

/** A tree that is a head alone, such as `alice`, as the word it is inside of a definition; null: it is more. Alone such a word is no definition. */
export function wordOf(tree: Json): string | null {
  const [head, attributes, children] = partsOf(tree);
  return children.length === 0 && Object.keys(attributes).length === 0 && WORD.test(head) ? head : null;
}
export const treeOfWord = (text: string): Json | null => (WORD.test(text.trim()) ? [text.trim(), {}, []] : null);

export function nodeAt(tree: Json, way: Way): Json | null {
  let at: Json | undefined = tree;
  for (const index of way) at = at === undefined ? undefined : childrenOf(at)[index];
  return at ?? null;
}

/** The tree with other children at a place. */
function changedAt(tree: Json, way: Way, change: (children: readonly Json[]) => readonly Json[]): Json {
  const [index, ...rest] = way;
  if (index === undefined) return withChildren(tree, change(childrenOf(tree)));
  return withChildren(
    tree,
    childrenOf(tree).map((child, i) => (i === index ? changedAt(child, rest, change) : child)),
  );
}

const above = (way: Way): Way => way.slice(0, -1);
const placed = (children: readonly Json[], index: number, ...nodes: readonly Json[]): readonly Json[] => [
  ...children.slice(0, index),
  ...nodes,
  ...children.slice(index),
];
const without = (children: readonly Json[], index: number): readonly Json[] => children.filter((_, i) => i !== index);

export function replaceAt(tree: Json, way: Way, node: Json): Edited | null {
  if (!isTree(node) || nodeAt(tree, way) === null) return null;
  const index = way.at(-1);
  if (index === undefined) return { tree: node, at: way };
  return { tree: changedAt(tree, above(way), (all) => all.map((one, i) => (i === index ? node : one))), at: way };
}

/** `before` and `after` a place, or `inside` it behind what it has. */
export function add(tree: Json, way: Way, where: 'before' | 'after' | 'inside', node: Json): Edited | null {
  const there = nodeAt(tree, way);
  const index = way.at(-1);
  if (!isTree(node) || there === null) return null;
  if (where === 'inside') {
    const count = childrenOf(there).length;
    return { tree: changedAt(tree, way, (all) => placed(all, count, node)), at: [...way, count] };
  }
  if (index === undefined) return null;
  const to = where === 'before' ? index : index + 1;
  return { tree: changedAt(tree, above(way), (all) => placed(all, to, node)), at: [...above(way), to] };
}

export function remove(tree: Json, way: Way): Edited | null {
  const index = way.at(-1);
  if (index === undefined || nodeAt(tree, way) === null) return null;
  const left = changedAt(tree, above(way), (all) => without(all, index));
  const count = childrenOf(nodeAt(left, above(way)) ?? left).length;
  return { tree: left, at: count === 0 ? above(way) : [...above(way), Math.min(index, count - 1)] };
}

export function duplicate(tree: Json, way: Way): Edited | null {
  const node = nodeAt(tree, way);
  return node === null ? null : add(tree, way, 'after', node);
}

/** Among those beside it: one up (-1) or one down (1). */
export function move(tree: Json, way: Way, by: -1 | 1): Edited | null {
  const index = way.at(-1);
  const node = nodeAt(tree, way);
  if (index === undefined || node === null) return null;
  const to = index + by;
  if (nodeAt(tree, [...above(way), to]) === null) return null;
  return {
    tree: changedAt(tree, above(way), (all) => placed(without(all, index), to, node)),
    at: [...above(way), to],
  };
}

/** Into the one before it, behind what that has. */
export function moveIn(tree: Json, way: Way): Edited | null {
  const index = way.at(-1);
  const node = nodeAt(tree, way);
  if (index === undefined || index === 0 || node === null) return null;
  const left = changedAt(tree, above(way), (all) => without(all, index));
  return add(left, [...above(way), index - 1], 'inside', node);
}

/** Out of the one it is in, behind that. */
export function moveOut(tree: Json, way: Way): Edited | null {
  const index = way.at(-1);
  const node = nodeAt(tree, way);
  if (index === undefined || way.length < 2 || node === null) return null;
  return add(
    changedAt(tree, above(way), (all) => without(all, index)),
    above(way),
    'after',
    node,
  );
}

/** Into a box of its own: a sequence, a concurrence, or a sequence with a timeout. */
export function wrap(
  tree: Json,
  way: Way,
  head: string,
  attributes: { readonly [name: string]: Json } = {},
): Edited | null {
  const node = nodeAt(tree, way);
  return node === null ? null : replaceAt(tree, way, [head, attributes, [node]] as Json);
}

/* What was done, to be undone. */

/** Changes that can be undone. */
export const UNDOS_MAX = 100;

export type Doings = { readonly now: Edited; readonly undone: readonly Edited[]; readonly done: readonly Edited[] };

export const begin = (tree: Json): Doings => ({ now: { tree, at: [] }, done: [], undone: [] });
/** Null, and what changes nothing, is nothing to be undone. */
export function take(doings: Doings, next: Edited | null): Doings {
  if (next === null) return doings;
  if (JSON.stringify(next.tree) === JSON.stringify(doings.now.tree)) return { ...doings, now: next };
  return { now: next, done: [...doings.done, doings.now].slice(-UNDOS_MAX), undone: [] };
}
export function undo({ now, done, undone }: Doings): Doings {
  const before = done.at(-1);
  return before === undefined
    ? { now, done, undone }
    : { now: before, done: done.slice(0, -1), undone: [...undone, now] };
}
export function redo({ now, done, undone }: Doings): Doings {
  const next = undone.at(-1);
  return next === undefined ? { now, done, undone } : { now: next, done: [...done, now], undone: undone.slice(0, -1) };
}

/* What differs between two trees, place by place. */

export type Mark = '+' | '−' | '✎' | '';
/** A line of what differs: `way` is in the new tree; null: it is gone. */
export type Row = { readonly node: Json; readonly level: number; readonly mark: Mark; readonly way: Way | null };

/** Children of one place that are compared with each other; beyond, all are told as gone and added. */
const COMPARED_MAX = 400;

/** The new tree a line a place, with what was added, what is gone and what was changed. */
export function differences(before: Json | null, after: Json): readonly Row[] {
  const rows: Row[] = [];
  const every = (node: Json, level: number, mark: '+' | '−', way: Way | null): void => {
    rows.push({ node, level, mark, way });
    for (const [i, child] of childrenOf(node).entries())
      every(child, level + 1, mark, way === null ? null : [...way, i]);
  };
  const visit = (old: Json, node: Json, level: number, way: Way): void => {
    const isSame = JSON.stringify(partsOf(old).slice(0, 2)) === JSON.stringify(partsOf(node).slice(0, 2));
    rows.push({ node, level, mark: isSame ? '' : '✎', way });
    for (const [from, to] of paired(childrenOf(old), childrenOf(node))) {
      const [a, b] = [from === null ? null : childrenOf(old)[from], to === null ? null : childrenOf(node)[to]];
      if (a != null && b != null && to !== null) visit(a, b, level + 1, [...way, to]);
      else if (b != null && to !== null) every(b, level + 1, '+', [...way, to]);
      else if (a != null) every(a, level + 1, '−', null);
    }
  };
  if (before === null) every(after, 0, '+', []);
  else visit(before, after, 0, []);
  return rows;
}

type Pair = readonly [from: number | null, to: number | null];

/** Which child became which: those that are the same first, then those with the same head, in their order. */
function paired(a: readonly Json[], b: readonly Json[]): readonly Pair[] {
  if (a.length > COMPARED_MAX || b.length > COMPARED_MAX)
    return [...a.map((_, i): Pair => [i, null]), ...b.map((_, i): Pair => [null, i])];
  const texts = [a, b].map((list) => list.map((one) => JSON.stringify(one)));
  const same = common(a.length, b.length, (i, j) => texts[0]?.[i] === texts[1]?.[j]);
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  for (const [to, at] of [...same, [a.length, b.length] as const]) {
    // Between two that stayed, what has the same head was changed.
    const [fromI, fromJ] = [i, j];
    const alike = common(
      to - fromI,
      at - fromJ,
      (x, y) => partsOf(a[fromI + x] ?? null)[0] === partsOf(b[fromJ + y] ?? null)[0],
    );
    for (const [x, y] of [...alike, [to - fromI, at - fromJ] as const]) {
      while (i < fromI + x) pairs.push([i++, null]);
      while (j < fromJ + y) pairs.push([null, j++]);
      if (i < to && j < at) pairs.push([i++, j++]);
    }
    if (to < a.length && at < b.length) pairs.push([i++, j++]);
  }
  return pairs;
}

/** The longest list of pairs, both ascending, that are alike. */
function common(
  n: number,
  m: number,
  isAlike: (i: number, j: number) => boolean,
): readonly (readonly [number, number])[] {
  const width = m + 1;
  const counts = new Uint16Array((n + 1) * width);
  const at = (i: number, j: number): number => counts[i * width + j] ?? 0;
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--)
      counts[i * width + j] = isAlike(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const pairs: (readonly [number, number])[] = [];
  let [i, j] = [0, 0];
  while (i < n && j < m)
    if (isAlike(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  return pairs;
}

/** The tree of all these lines, gone ones among them; by the expid in that tree the mark of each, and its way in the new one (none: it is gone). */
export function mergedOf(rows: readonly Row[]): {
  readonly tree: Json;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly ways: ReadonlyMap<string, Way>;
} {
  type Growing = { readonly head: string; readonly attributes: Json; readonly children: Growing[] };
  const marks = new Map<string, Mark>();
  const ways = new Map<string, Way>();
  const open: { readonly node: Growing; readonly expid: string }[] = [];
  for (const { node, level, mark, way } of rows) {
    const [head, attributes] = partsOf(node);
    const grown: Growing = { head, attributes, children: [] };
    const parent = open[level - 1];
    const expid = parent === undefined ? '0' : `${parent.expid}_${parent.node.children.length}`;
    parent?.node.children.push(grown);
    open.length = level;
    open[level] = { node: grown, expid };
    if (mark !== '') marks.set(expid, mark);
    if (way !== null) ways.set(expid, way);
  }
  const treeOf = ({ head, attributes, children }: Growing): Json => [head, attributes, children.map(treeOf)];
  const root = open[0];
  return { tree: root === undefined ? ['noop', {}, []] : treeOf(root.node), marks, ways };
}
