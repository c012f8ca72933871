import type { ExpressionId } from '../../model/ids.ts';
import type { Fields } from '../../model/json.ts';
import type { StrandRow } from '../../model/rows.ts';
import { encodeValue } from '../state/encoding.ts';
import { awaitedIn, type Ref, type Strand, type TreeRef, type Value } from '../state/state.ts';
import type { Acting, World } from '../state/world.ts';

/*
 * Forks: where an expression has several children at once, each gets a strand of its own. Forks keep counters, never lists; the
 * children of one are found by (strand, expression).
 */

/** A fork or a cancel goes on with this many children at a time; a wider one takes turns. */
export const CHILDREN_PER_TURN = 100;

/** From this width on, and for fields this large (characters of JSON), the children of a fork share one stored copy of their fields. */
const SHARED_BASE_CHILDREN = 64;
const SHARED_BASE_CHARACTERS = 2_048;

export const refOf = (x: Acting): Ref => ({ path: x.strand.path, id: x.node.id });
export const childPath = (tree: TreeRef, index: number): TreeRef => ({
  root: tree.root,
  path: tree.path === '' ? `${index}` : `${tree.path}.${index}`,
});

/** The number of a strand among those below the same strand: the last part of its path. */
export const numberOf = (path: string): number => Number(path.slice(path.lastIndexOf('.') + 1).replace('f', ''));

/** The fields the children of a fork are born with, and where they are kept when all of them share one copy. */
type Inheritance = { readonly base: ExpressionId | null; readonly fields: Fields };

/** Whether the children of a fork of this width should share one copy of its fields; makes that copy, in the first turn of the fork. */
export function sharedBase(x: Acting, width: number): Inheritance {
  const { node, strand, world } = x;
  const fields = node.applied;
  const known = world.bases.get(fields);
  if (known !== undefined) return { base: known, fields };
  // The very object that others of this step refer to: an equal one would be stored with each child.
  if (node.data['shared'] === true) return { base: node.id, fields: world.baseOf(node.id) };
  if (width < SHARED_BASE_CHILDREN) return { base: null, fields };
  const value = encodeValue(fields);
  if (value.length < SHARED_BASE_CHARACTERS) return { base: null, fields };
  world.variables.set(`${node.id} ^`, { kind: 'put', row: { scope: node.id, name: '^', value } });
  world.rememberBase(node.id, fields);
  node.data['shared'] = true;
  strand.touched = true;
  return { base: node.id, fields };
}

/** Applies a child in a strand of its own. */
export function applyBranch(
  x: Acting,
  branch: {
    readonly index: number;
    readonly expid: string;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly variables?: ReadonlyMap<string, Value>;
    readonly launch?: boolean;
    readonly base?: ExpressionId | null;
  },
): void {
  const { node, strand, world } = x;
  strand.touched = true;
  const path = `${strand.path}.${strand.next}`;
  strand.next++;
  node.children++;
  node.branches++;
  // While it waits for its turn it is stored with the others; the same fields once for all of them.
  if (branch.fields !== node.applied && branch.base === undefined) world.spendCopy(branch.fields);
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path,
    fresh: { strandKind: 'branch', index: branch.index, base: branch.base ?? null },
    id: world.freshId(branch.expid),
    tree: branch.tree,
    fields: branch.fields,
    variables: branch.variables ?? null,
    launch: branch.launch ?? false,
    flanking: false,
    place: null,
  });
}

type Kin = { readonly path: string; readonly number: number; readonly kind: Strand['kind'] };

/** Live strands below an expression of which something is known without loading: decoded, loaded, or about to be applied. */
function knownStrands(world: World, parent: string, at: string): Kin[] {
  const known = new Map<string, Kin>();
  const add = (path: string, kind: Strand['kind']): void => {
    known.set(path, { path, number: numberOf(path), kind });
  };
  for (const row of world.loaded.strands.values())
    if ((row.parent ?? '') === parent && (row.at ?? '') === at && row.arrival === null && row.path !== '0')
      add(row.path, row.kind);
  for (const [path, strand] of world.strands) {
    if (strand === null || strand.dead) known.delete(path);
    else if (strand.parent === parent && strand.at === at && path !== '0') {
      if (strand.arrival === null) add(path, strand.kind);
      else known.delete(path);
    } else known.delete(path); // let go of in this step: its row still says what it hung below
  }
  for (const waiting of world.queue)
    for (const { parent: above, path, fresh } of awaitedIn(waiting))
      if (fresh !== null && (above?.path ?? '') === parent && (above?.id ?? '') === at) add(path, fresh.strandKind);
  return [...known.values()];
}

/** Some of the strands below an expression, in the order they were made, and the number of the last one looked at when there may be
 * more behind it. */
export type KinPage = { readonly paths: readonly string[]; readonly next: number | null };

/**
 * The next live strands of one kind below an expression.
 *
 * @param alive how many there are as far as the counters know; when fewer are known here, rows are loaded
 */
export function strandsBelow(
  world: World,
  below: {
    readonly path: string;
    readonly at: ExpressionId;
    readonly kind: Strand['kind'];
    readonly alive: number;
    readonly after: number;
    readonly limit: number;
  },
): KinPage {
  const { path, at, kind, after, limit } = below;
  const known = knownStrands(world, path, at).filter((kin) => kin.kind === kind);
  if (known.length < below.alive) world.want({ kind: 'children', path, at, after, limit, finished: false });
  // Rows as they were loaded: of those some may have gone in this very step, and still a full page has more behind it.
  const stored = [...world.loaded.strands.values()]
    .filter((row) => (row.parent ?? '') === path && (row.at ?? '') === at && row.arrival === null && row.path !== '0')
    .map((row) => numberOf(row.path))
    .filter((number) => number > after)
    .sort((a, b) => a - b);
  const seenTo = stored[limit - 1];
  const page = knownStrands(world, path, at)
    .filter((kin) => kin.number > after && (seenTo === undefined || kin.number <= seenTo))
    .sort((a, b) => a.number - b.number)
    .slice(0, limit);
  const last = page.at(-1);
  return {
    paths: page.filter((kin) => kin.kind === kind).map((kin) => kin.path),
    next: seenTo ?? (last !== undefined && page.length >= limit ? last.number : null),
  };
}

/** The strands of an expression's finished branches: what they replied with waits there to be merged. */
export function finishedBranches(x: Acting): Strand[] {
  const { node, strand, world } = x;
  const stored = (): StrandRow[] =>
    [...world.loaded.strands.values()].filter(
      (row) => row.parent === strand.path && row.at === node.id && row.arrival !== null,
    );
  const isHere = (candidate: Strand | null): candidate is Strand =>
    candidate !== null &&
    !candidate.dead &&
    candidate.parent === strand.path &&
    candidate.at === node.id &&
    candidate.arrival !== null;
  const limit = world.context.limits.finishedPerLoad;
  for (let after: number | undefined = -1; after !== undefined; ) {
    world.want({ kind: 'children', path: strand.path, at: node.id, after, limit, finished: true });
    const from: number = after;
    const numbers = stored()
      .map((row) => numberOf(row.path))
      .filter((number) => number > from)
      .sort((a, b) => a - b);
    // As many as were asked for: there may be more behind the last of them.
    after = numbers.length < limit ? undefined : numbers[limit - 1];
  }
  for (const row of stored()) world.strand(row.path);
  return [...world.strands.values()].filter(isHere);
}

/** Takes a strand out of the world, with the counters of what it hung below. */
export function dropStrand(world: World, strand: Strand): void {
  strand.dead = true;
  strand.touched = true;
  if (strand.arrival !== null) return; // a finished branch was uncounted when it finished
  world.header.strands--;
  if (strand.kind === 'forgotten') world.header.roots--;
  uncount(world, strand);
}

/** A branch whose expressions are gone is no longer alive for the expression it hangs below. */
export function uncount(world: World, strand: Strand): void {
  if (strand.at === '' || strand.path === '0') return;
  const above = world.find({ path: strand.parent, id: strand.at });
  if (above === null) return;
  above.strand.touched = true;
  if (strand.kind === 'flank') above.node.flanks--;
  else above.node.branches--;
}
