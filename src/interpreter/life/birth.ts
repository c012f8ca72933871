import { LanguageError } from '../../language/language-error.ts';
import { type ExpressionId, expidOf } from '../../model/ids.ts';
import { type Fields, isObject, type Json } from '../../model/json.ts';
import { DEFINE_NAMES, type Tree, textKey } from '../../model/tree.ts';
import { Bound, type Message, newNode, type Place, type Strand, type TreeRef, type Value } from '../state/state.ts';
import type { Acting, Expression, World } from '../state/world.ts';
import { toText, treeOf } from './attributes.ts';
import { childPath, dropStrand, refOf } from './branches.ts';
import { ownEntry } from './participants.ts';
import { newScope, spendVariables, visibleVariables } from './variables.ts';

/*
 * How expressions come to be: what a message to apply says, and the expression it makes.
 */

export type Of<Kind extends Message['kind']> = Extract<Message, { readonly kind: Kind }>;

export function expressionOf(x: Acting): Expression {
  const expression = x.world.registry.get(x.node.kind);
  if (expression === undefined) throw new LanguageError('NotYet', `expression "${x.node.kind}" is not there yet`);
  return expression;
}

/** Applies child `index` with these fields; the child is the next of this strand. `enter`: where in it (`Place`). */
export function applyChild(x: Acting, index: number, fields: Fields, enter: readonly number[] = []): void {
  const { node, world } = x;
  applyNext(x, {
    id: world.freshId(`${node.expid}_${index}`),
    tree: childPath(node.tree, index),
    fields,
    variables: null,
    launch: false,
    ...(enter.length > 0 && { place: freshPlace({ enter }) }),
  });
}

/** The place of an expression that takes that of no other. */
export const freshPlace = (more: Partial<Pick<Place, 'added' | 'enter'>>): Place => ({
  ...{ added: [], trigger: null, scope: null, onReply: null, supplanted: null, kind: null, from: '' as ExpressionId },
  ...{ tagFollows: false, forgotten: false, updated: false },
  ...more,
});

/** Applies a tree from elsewhere (a sub-process, a block) as the child of this expression, in a scope of its own. */
export function launchTree(
  x: Acting,
  launch: {
    readonly expid: string;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly variables: ReadonlyMap<string, Value>;
  },
): void {
  applyNext(x, {
    id: x.world.freshId(launch.expid),
    tree: launch.tree,
    fields: launch.fields,
    variables: launch.variables,
    launch: true,
  });
}

function applyNext(
  x: Acting,
  next: {
    readonly id: ExpressionId;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly variables: ReadonlyMap<string, Value> | null;
    readonly launch: boolean;
    readonly place?: Place;
  },
): void {
  const { node, strand, world } = x;
  strand.touched = true;
  node.children++;
  node.child = next.id;
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path: strand.path,
    fresh: null,
    flanking: false,
    place: null,
    ...next,
  });
}

/** Applies a tree in a forgotten strand: nobody waits for it, and it takes a copy of all variables along. */
export function launchForgotten(
  x: Acting,
  launch: {
    readonly expid: string;
    readonly tree: TreeRef;
    readonly fields: Fields;
    readonly launch: boolean;
    readonly variables?: ReadonlyMap<string, Value>;
  },
): void {
  const { world } = x;
  const variables = new Map([...visibleVariables(x), ...(launch.variables ?? [])]);
  spendVariables(world, variables);
  world.header.forgotten++;
  world.send({
    kind: 'apply',
    parent: null,
    path: `f${world.header.forgotten}`,
    fresh: { strandKind: 'forgotten', index: 0, base: null },
    id: world.freshId(launch.expid),
    tree: launch.tree,
    fields: launch.fields,
    variables,
    launch: launch.launch,
    flanking: false,
    place: null,
  });
}

export const newStrand = (
  path: string,
  parent: string,
  at: ExpressionId,
  kind: Strand['kind'],
  index: number,
  depth: number,
  base: ExpressionId | null,
): Strand => ({
  path,
  parent,
  at,
  kind,
  index,
  base,
  depth,
  arrival: null,
  next: 1,
  nodes: [],
  reply: null,
  dead: false,
  touched: true,
  stored: false,
});

/** Makes the expression an apply message asks for. Null when what it belongs to is gone. */
export function createExpression(world: World, message: Of<'apply'>): Acting | null {
  const parent = message.parent === null ? null : world.find(message.parent);
  if (message.parent !== null && parent === null) {
    // A handler that comes too late: the strand it was to go on in holds nothing any more.
    const left = message.fresh === null ? world.strand(message.path) : null;
    if (left !== null && left.nodes.length === 0 && left.path !== '0') dropStrand(world, left);
    return null;
  }
  let strand: Strand | null;
  if (message.fresh === null) strand = world.strand(message.path);
  else {
    const { strandKind, index, base } = message.fresh;
    const depth = parent === null ? 0 : parent.strand.depth + parent.strand.nodes.length;
    strand = newStrand(
      message.path,
      message.parent?.path ?? '',
      message.parent?.id ?? ('' as ExpressionId),
      strandKind,
      index,
      depth,
      base,
    );
    world.addStrand(strand);
  }
  if (strand === null) return null;
  strand.touched = true;
  // Fields that the expression above has too are stored once; those of a launch have been let in at the door.
  const isShared =
    (message.launch && message.parent === null) ||
    (message.fresh === null ? parent?.node.applied === message.fields : message.fresh.base !== null);
  if (!isShared) world.spendCopy(message.fields);
  const node = newNode(message.id, expidOf(message.id), message.tree, message.fields);
  node.since = world.now - world.row.launchedAt;
  strand.nodes.push(node);
  world.header.expressions++;
  const x: Acting = { world, strand, node };
  const tree = treeOf(x);
  node.name = tree.name;
  const { place } = message;
  if (message.variables !== null) node.scope = newScope(message.variables);
  if (place !== null) takePlace(x, place);
  const runsBody = message.launch && DEFINE_NAMES.has(tree.name);
  node.kind = place?.kind ?? (runsBody ? 'sequence' : headOf(world, tree, message.tree));
  if (runsBody && node.scope !== null) {
    const name = definitionName(tree);
    if (name !== null) node.scope.own.set(name, new Bound('0', message.tree));
  }
  return x;
}

/** Expressions of another language stand in stored definitions only: a tree that came as data cannot name them. */
function headOf(world: World, { name, attributes }: Tree, { root }: TreeRef): string {
  const known = world.registry.get(name);
  // Names that came later may be those of participants.
  const only = known?.onlyWith;
  if (only !== undefined && !only.some((key) => attributes.has(key))) return 'ref';
  if ((only !== undefined || known?.yields === true) && isCalledBack(world, name)) return 'ref';
  if (known === undefined || (known.family !== undefined && typeof root !== 'string')) return 'ref';
  return known.names[0] ?? 'ref';
}

/** Whether the launch itself, or the stored definition it is of, names a participant so. */
function isCalledBack(world: World, name: string): boolean {
  const callbacks = JSON.parse(world.row.callbacks) as Json;
  const layers: readonly Json[] = Array.isArray(callbacks) ? callbacks : [callbacks];
  return (
    layers.some((layer) => isObject(layer) && Object.hasOwn(layer, name)) || ownEntry(world, name)?.entry.entry === name
  );
}

export const definitionName = (tree: Tree): string | null => {
  const name = tree.attributes.get('name');
  return name === undefined || name === null ? (textKey(tree) ?? null) : toText(name);
};

function takePlace({ node }: Acting, place: Place): void {
  node.added = place.added;
  if (place.scope !== null) node.scope = newScope(place.scope);
  node.trigger = place.trigger;
  node.onReply = place.onReply;
  node.supplanted = place.supplanted;
  node.forgotten = place.forgotten;
  node.updated = place.updated;
  if (place.enter !== undefined && place.enter.length > 0) node.data['enter'] = place.enter;
}

export const childIndex = (id: ExpressionId): number => {
  const expid = expidOf(id);
  return Number(expid.slice(expid.lastIndexOf('_') + 1));
};

/** Whether `id` is a direct child of the expression, by its expid. */
export const isDirectChild = (x: Acting, id: ExpressionId): boolean => {
  const expid = expidOf(id);
  return expid.slice(0, Math.max(0, expid.lastIndexOf('_'))) === x.node.expid;
};
