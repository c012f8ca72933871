/**
 * # concurrence
 *
 * Applies all its children at once, each with a copy of the workitem (variables are shared), and merges what comes back.
 *
 * Attributes
 * - `count` (`c`): over after this many replies; negative: all but this many; 0: replies at once.
 * - `wait_for` (`wf`): a number (as `count`), or tags (`'a, b'` or a list): over when each of them was the last that a branch left;
 *   `count` wins over it. When they never come it is over with its last branch.
 * - `over_if`, `over_unless`: a condition looked at with each replying workitem; that workitem then wins the merge.
 * - `merge` (`m`): who wins: `first` (default), `last`, `highest`, `lowest` (by position).
 * - `merge_type` (`mt`): how: `override` (default), `mix`, `isolate`, `stack`, `union`, `ignore`, `concat`, `deep`; see Merging.
 * - `remaining` (`rem`, `r`): what happens to branches that have not replied: `cancel` (default: told to stop, not waited for), `forget`
 *   (they go on by themselves), `wait` (told to stop, waited for, and merged). An `on_cancel` of a branch that is not waited for has a
 *   copy of the variables.
 *
 * Values that are none of these count as the default. Only fields are merged.
 *
 * ```radial
 * concurrence count: 2, merge_type: isolate
 *   alice
 *   bob
 *   charly
 * ```
 *
 * Replies: when enough branches have replied, with the merged fields; at once without children. Cancelled: with the merge of what has come
 * in so far. An error in one branch leaves the others running.
 *
 * Errors: a condition that cannot be read.
 *
 * # concurrent_iterator, citerator
 *
 * A concurrence over a list: every element gets a branch, which runs the children as a sequence.
 *
 * Attributes: those of `concurrence`, and the list and target attributes of `iterator` (`on`, `times`, `to`…). The element is in
 * the variable `i` (or the target), its index in `ii`; both are the branch's own. With `to_f` it is in a field of the branch's workitem.
 * A branch is known (`isolate`, `highest`, `lowest`) by the index of its element.
 *
 * ```radial
 * concurrent_iterator on_f: 'reviewers', to_v: 'who', merge_type: 'union'
 *   participant '${v:who}'
 * ```
 *
 * Replies: as concurrence; at once for an empty list.
 *
 * Errors: a condition that cannot be read.
 *
 * # add_branches, add_branch
 *
 * Adds elements, and so branches, to the enclosing concurrent_iterator, or to the one tagged `ref`.
 *
 * Attributes: `on` (also `on_v`, `on_f`) or the text: a list, or a text split at `separator` (default a comma). On an iterator over
 * `times` one number adds that many.
 *
 * ```radial
 * concurrent_iterator on: 'alice, bob', to_v: 'who'
 *   sequence
 *     participant '${v:who}'
 *     add_branches 'dora, eve', if: '${v:who} == alice'
 * ```
 *
 * Replies: at once. Without an iterator nothing happens. Errors: none of its own.
 */

import { evaluateCondition } from '../../../language/condition.ts';
import { LanguageError } from '../../../language/language-error.ts';
import { type BranchReply, mergeReplies, readMergeType } from '../../../language/merge.ts';
import type { Fields, Json, JsonObject } from '../../../model/json.ts';
import { ownValue, withKey, withoutKeys } from '../../../model/json.ts';
import {
  attribute,
  choice,
  commaList,
  compiledAttributes,
  firstAttribute,
  prefixedValue,
  targets,
  textOf,
  toText,
  treeOf,
} from '../../life/attributes.ts';
import { childIndex } from '../../life/birth.ts';
import {
  applyBranch,
  CHILDREN_PER_TURN,
  childPath,
  dropStrand,
  finishedBranches,
  refOf,
  sharedBase,
} from '../../life/branches.ts';
import { cancelBranches, cancelChildren, leftToHandlers } from '../../life/cancelling.ts';
import { leaveForgotten, leaveUnheard } from '../../life/leaving.ts';
import { end, replyToParent } from '../../life/life.ts';
import { boundValue, newScope, parentOf, visibleVariables } from '../../life/variables.ts';
import { plainReply, Tagged, type TreeRef, type Value } from '../../state/state.ts';
import type { Acting, Expression, Reply } from '../../state/world.ts';
import { determineList, splitList } from './iteration.ts';

/* Longer than other families, half of it their manual; it is one thing, for how branches are waited for decides how they are merged. */

const remainingOf = (x: Acting): Memory['remaining'] =>
  choice(x, ['remaining', 'rem', 'r'], ['cancel', 'forget', 'wait']);

const COUNT = /^-?\d{1,9}$/;

/** Reads the attributes that say when it is over and how replies are merged; `size`: how many branches there are. */
function prepare(x: Acting, size: number): void {
  const count = toText(firstAttribute(x, 'count', 'c'));
  const waitFor = COUNT.test(count) ? count : firstAttribute(x, 'wait_for', 'wf');
  const isCount = COUNT.test(toText(waitFor));
  Object.assign(x.node.data, {
    size,
    count: isCount ? Number(toText(waitFor)) : null,
    waitFor: isCount || waitFor === null ? null : commaList(waitFor),
    merge: choice(x, ['merge', 'm'], ['first', 'last', 'highest', 'lowest']),
    type: choice(x, ['merge_type', 'mt'], ['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep']),
    remaining: remainingOf(x),
    over: false,
    replies: 0,
    winner: null,
  });
}

type Memory = {
  size: number;
  count: number | null;
  waitFor: readonly string[] | null;
  readonly merge: 'first' | 'last' | 'highest' | 'lowest';
  readonly type: 'override' | 'mix' | 'isolate' | 'stack' | 'union' | 'ignore' | 'concat' | 'deep';
  readonly remaining: 'cancel' | 'forget' | 'wait';
  over: boolean;
  replies: number;
  /** Index of the branch that wins whatever `merge` says. */
  winner: number | null;
  /** With override: the one reply that will be the result so far. */
  kept?: Fields;
  keptIndex?: number;
  cancelled?: boolean;
  /** Of what waits to be merged, at most. */
  characters?: number;
};
const memoryOf = (x: Acting): Memory => x.node.data as Record<string, Json> & Memory;

/** A concurrence that may be forgotten while branches run on needs a strand of its own to stay in. */
function settle(x: Acting): Acting {
  return remainingOf(x) === 'forget' ? moveInside(x) : x;
}

function applyConcurrence(x: Acting): void {
  const { children } = treeOf(x);
  if (children.length === 0) {
    end(x, x.node.applied);
    return;
  }
  prepare(x, children.length);
  forkChildren(x, 0);
  if (memoryOf(x).count === 0) replyToSelf(x);
}

const replyToSelf = (x: Acting): void => x.world.send(plainReply(refOf(x), x.node.id, x.node.applied));

function forkChildren(x: Acting, from: number): void {
  const { node, world } = x;
  const { size } = memoryOf(x);
  const { base, fields } = sharedBase(x, size);
  const to = Math.min(size, from + CHILDREN_PER_TURN);
  for (let index = from; index < to; index++)
    applyBranch(x, {
      index,
      expid: `${node.expid}_${index}`,
      tree: childPath(node.tree, index),
      fields,
      base,
    });
  if (to < size) world.send({ kind: 'fork', to: refOf(x), from: to });
}

function isOver(x: Acting, fields: Fields, index: number): boolean {
  const memory = memoryOf(x);
  const overIf = attribute(x, 'over_if', fields);
  const overUnless = attribute(x, 'over_unless', fields);
  if ((overIf !== null && evaluateCondition(overIf)) || (overUnless !== null && !evaluateCondition(overUnless))) {
    memory.winner = index;
    return true;
  }
  if (memory.waitFor !== null) return memory.waitFor.length === 0;
  return memory.replies + 1 >= expected(memory);
}

function expected({ count, size }: Memory): number {
  if (count === null) return size;
  return count >= 0 ? Math.min(count, size) : Math.max(1, size + count);
}

function receive(x: Acting, reply: Reply): void {
  const memory = memoryOf(x);
  if (memory.size === undefined) {
    replyToParent(x, reply.fields); // a handler's command came before it had set out
    return;
  }
  const index = reply.branch?.index ?? childIndex(reply.from);
  const left = ownValue(reply.fields, '__left_tag__');
  if (memory.waitFor !== null && typeof left === 'string')
    memory.waitFor = memory.waitFor.filter((tag) => tag !== left);
  const before = { over: memory.over, replies: memory.replies };
  try {
    arrive(x, reply, index);
  } catch (error) {
    // What cannot be merged comes once more when it is replayed.
    Object.assign(memory, before);
    throw error;
  }
}

function arrive(x: Acting, reply: Reply, index: number): void {
  const { node } = x;
  const memory = memoryOf(x);
  const wasOver = memory.over;
  memory.over = wasOver || isOver(x, reply.fields, index);
  keep(x, reply, index);
  if (memory.over && (!wasOver || memory.remaining === 'wait')) replyToParent(x, reply.fields);
  else if (node.children > 0) return;
  else if (memory.over) {
    if (!node.lost) leaveUnheard(x); // forgotten, and the last branch has come back
  } else replyToParent(x, reply.fields); // every branch has replied and what was waited for never came
}

/** Keeps what the merge will need of a reply: with override the one that counts so far, else a row for each. */
function keep(x: Acting, reply: Reply, index: number): void {
  const { node, world } = x;
  const memory = memoryOf(x);
  const arrival = memory.replies;
  memory.replies++;
  x.strand.touched = true;
  if (memory.type === 'ignore' || node.forgotten) return;
  if (memory.type !== 'override') memory.characters = waitingCharacters(x, reply.fields);
  if (memory.type === 'override') {
    if (takesOver(memory, index)) {
      memory.kept = reply.fields;
      memory.keptIndex = index;
    }
    return;
  }
  const path = reply.branch?.path ?? `${x.strand.path}.${x.strand.next++}`;
  world.strands.set(path, {
    path,
    parent: x.strand.path,
    at: node.id,
    kind: 'branch',
    index,
    base: world.bases.get(reply.fields) ?? null,
    depth: 0,
    arrival,
    next: 1,
    nodes: [],
    reply: reply.fields,
    dead: false,
    touched: true,
    stored: true,
  });
}

/** Characters that wait to be merged, this reply included. Throws LimitExceeded. */
function waitingCharacters(x: Acting, fields: Fields): number {
  const { world } = x;
  const { mergeCharacters } = world.context.limits;
  const before = memoryOf(x).characters ?? 0;
  // Measured once the half is reached; until then it is enough to know that it is no more.
  const known = before > mergeCharacters / 2 ? null : world.charactersAtMost;
  const characters = before + (known ?? world.extentOf(fields).characters);
  if (characters > mergeCharacters && x.node.state === null)
    throw new LanguageError(
      'LimitExceeded',
      `the branches replied with more than ${mergeCharacters} characters of fields to be merged`,
    );
  return characters;
}

function takesOver({ merge, winner, kept, keptIndex = 0 }: Memory, index: number): boolean {
  if (winner !== null) return index === winner || kept === undefined;
  if (kept === undefined) return true;
  if (merge === 'first') return false;
  if (merge === 'last') return true;
  return merge === 'highest' ? index < keptIndex : index > keptIndex;
}

function merged(x: Acting): Fields {
  const { node, world } = x;
  const memory = memoryOf(x);
  if (memory.type === 'override') return memory.kept ?? node.applied;
  if (memory.type === 'ignore') return node.applied;
  if (memory.replies === 0) return memory.type === 'stack' ? withStackAttributes(x) : node.applied;
  const branches = finishedBranches(x);
  const replies: BranchReply[] = branches.map((branch) => ({
    index: branch.index,
    arrival: branch.arrival ?? 0,
    fields: branch.reply ?? {},
  }));
  const result = mergedReplies(x, replies);
  for (const branch of branches) dropStrand(world, branch);
  return result;
}

/** What a stack of nothing is: nobody has replied, or there was nobody. */
const withStackAttributes = (x: Acting): Fields => withKey(x.node.applied, 'stack_attributes', compiledAttributes(x));

function mergedReplies(x: Acting, replies: readonly BranchReply[]): Fields {
  const { node, world } = x;
  try {
    if (world.isBulky) for (const { fields } of replies) world.spend(world.extentOf(fields).characters);
    const result = mergeAll(x, replies);
    if (node.state === null) world.checkFields(result);
    return result;
  } catch (error) {
    // What is being cancelled has to end: with the fields it was given.
    if (node.state !== null && error instanceof LanguageError) return node.applied;
    throw error;
  }
}

function mergeAll(x: Acting, replies: readonly BranchReply[]): Fields {
  const { node } = x;
  const memory = memoryOf(x);
  return mergeReplies({
    replies,
    applied: node.applied,
    merge: memory.merge,
    type: memory.type,
    ...(memory.winner !== null && { winner: memory.winner }),
    ...(memory.type === 'stack' && { stackAttributes: compiledAttributes(x) as JsonObject }),
  });
}

function finishConcurrence(x: Acting, given: Fields): void {
  const { node, strand, world } = x;
  const memory = memoryOf(x);
  if (memory.size === undefined) {
    end(x, given);
    return;
  }
  if (node.state === null && memory.remaining === 'wait' && node.children > 0) {
    if (memory.cancelled !== true) {
      memory.cancelled = true;
      cancelChildren(x, null, 'cancel', false);
    }
    return;
  }
  const fields = merged(x);
  if (node.children < 1 || (node.lost && memory.remaining === 'forget')) {
    end(x, fields);
    return;
  }
  if (memory.remaining === 'forget' && !node.lost) {
    node.scope = newScope(visibleVariables(x));
    leaveForgotten(x, fields);
    return;
  }
  const alive = node.branches;
  const below = { path: strand.path, at: node.id, ...leftToHandlers(x) };
  end(x, fields);
  cancelBranches(world, { ...below, alive, flavour: null, cause: 'cancel', again: false, after: 0 });
}

export const concurrence: Expression = {
  names: ['concurrence'],
  settle,
  apply: applyConcurrence,
  reply: receive,
  replyToParent: finishConcurrence,
  fork: forkChildren,
};

// The same over a list.

const ADD_BRANCHES = '__add_branches__';

function applyCiterator(x: Acting): void {
  const { node } = x;
  const { list, isTimes } = determineList(x);
  if (treeOf(x).children.length === 0) {
    end(x, node.applied);
    return;
  }
  if (list.length === 0) {
    const isStack = readMergeType(firstAttribute(x, 'merge_type', 'mt')) === 'stack';
    end(x, isStack ? withStackAttributes(x) : node.applied);
    return;
  }
  const { variable, field } = targets(x);
  prepare(x, 0);
  Object.assign(node.data, { isTimes, toVariable: variable ?? (field === null ? 'i' : null), toField: field });
  addElements(x, list);
  if (memoryOf(x).count === 0) replyToSelf(x);
}

/** The elements whose branches have not been made yet wait in `list`, which begins with the element of index `listFrom`. */
function addElements(x: Acting, elements: readonly Json[]): void {
  const { data } = x.node;
  const memory = memoryOf(x);
  const waiting = (data['list'] as readonly Json[] | undefined) ?? [];
  x.world.checkList([...waiting, ...elements]);
  if (waiting.length === 0) data['listFrom'] = memory.size;
  data['list'] = [...waiting, ...elements];
  memory.size += elements.length;
  if (waiting.length === 0) forkElements(x, data['listFrom'] as number);
}

function forkElements(x: Acting, from: number): void {
  const { node, world } = x;
  const list = (node.data['list'] as readonly Json[] | undefined) ?? [];
  const listFrom = (node.data['listFrom'] as number | undefined) ?? 0;
  const toVariable = node.data['toVariable'];
  const toField = node.data['toField'];
  const several = treeOf(x).children.length > 1;
  const expid = several ? node.expid : `${node.expid}_0`;
  const tree: TreeRef = several
    ? { root: node.tree.root, path: node.tree.path === '' ? '*' : `${node.tree.path}.*` }
    : childPath(node.tree, 0);
  let to = Math.min(memoryOf(x).size, from + CHILDREN_PER_TURN);
  const born = typeof toVariable === 'string' ? sharedBase(x, list.length) : { base: null, fields: node.applied };
  for (let index = from; index < to; index++) {
    const element = list[index - listFrom] ?? null;
    const variables = new Map<string, Value>([['ii', index]]);
    if (typeof toVariable === 'string') variables.set(toVariable, element);
    const fields = typeof toVariable === 'string' ? born.fields : withKey(born.fields, toText(toField), element);
    if (typeof toVariable !== 'string') {
      // Each branch has fields of its own, which all wait in the queue: the others are made in a later turn.
      world.spendCopy(fields);
      if (world.isTired) to = index + 1;
    }
    applyBranch(x, { index, expid, tree, fields, variables, launch: true, base: born.base });
  }
  if (to < memoryOf(x).size) world.send({ kind: 'fork', to: refOf(x), from: to });
  else {
    delete node.data['list'];
    delete node.data['listFrom'];
  }
}

function receiveElement(x: Acting, reply: Reply): void {
  const added = ownValue(reply.fields, ADD_BRANCHES);
  if (added === undefined) {
    receive(x, reply);
    return;
  }
  const list = Array.isArray(added) ? (added as readonly Json[]) : [];
  addElements(x, list.length === 1 && x.node.data['isTimes'] === true ? moreIndexes(x, list[0] ?? null) : list);
  if (reply.by !== null) receive(x, { ...reply, fields: withoutKeys(reply.fields, ADD_BRANCHES) });
}

function moreIndexes(x: Acting, count: Json): Json[] {
  const more = Math.max(0, Math.trunc(Number(toText(count))) || 0);
  const { size } = memoryOf(x);
  return Array.from({ length: Math.min(more, x.world.context.limits.expressions) }, (_, at) => size + at);
}

export const citerator: Expression = {
  names: ['concurrent_iterator', 'citerator'],
  settle,
  apply: applyCiterator,
  reply: receiveElement,
  replyToParent: finishConcurrence,
  fork: forkElements,
};

function findCiterator(x: Acting): Acting | null {
  const ref = attribute(x, 'ref');
  if (ref !== null) {
    const target = boundValue(x, toText(ref));
    const found = target instanceof Tagged ? x.world.find(target.ref) : null;
    return found?.node.kind === 'concurrent_iterator' ? found : null;
  }
  for (let at = parentOf(x); at !== null; at = parentOf(at)) if (at.node.kind === 'concurrent_iterator') return at;
  return null;
}

export const addBranches: Expression = {
  names: ['add_branches', 'add_branch'],
  apply: (x) => {
    const { node, world } = x;
    const list = splitList(x, prefixedValue(x, 'on') ?? textOf(x));
    const target = findCiterator(x);
    if (target !== null) world.send(plainReply(refOf(target), node.id, withKey(node.applied, ADD_BRANCHES, list)));
    replyToParent(x, node.applied);
  },
};

/** Moves a concurrence that is just being applied to a strand of its own below its parent, unless it begins one. */
function moveInside(x: Acting): Acting {
  const { node, strand, world } = x;
  const above = parentOf(x);
  if (above === null || strand.nodes[0] === node) return x;
  const path = `${above.strand.path}.${above.strand.next}`;
  above.strand.next++;
  above.strand.touched = true;
  strand.touched = true;
  strand.nodes.pop();
  const own = {
    path,
    parent: above.strand.path,
    at: above.node.id,
    kind: 'branch' as const,
    index: 0,
    base: strand.base,
    depth: strand.depth + strand.nodes.length,
    arrival: null,
    next: 1,
    nodes: [node],
    reply: null,
    dead: false,
    touched: true,
    stored: false,
  };
  world.addStrand(own);
  above.node.child = null;
  above.node.branches++;
  return { world, strand: own, node };
}
