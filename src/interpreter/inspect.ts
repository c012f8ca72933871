import { invariant } from '../model/fault.ts';
import { compareExpids, type ExpressionId, expidOf } from '../model/ids.ts';
import { type Fields, isObject, type Json, type JsonObject } from '../model/json.ts';
import type { StrandRow, WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { DEFINE_NAMES, type Tree, treeFromJson, treeToJson } from '../model/tree.ts';
import { breakpointsIn } from './life/holding.ts';
import { decodeHeader, decodeRoot, decodeRow, decodeValue } from './state/encoding.ts';
import { baseFields, deliveredFields } from './state/fields.ts';
import { heldIn } from './state/held.ts';
import {
  Bound,
  elementIn,
  elementText,
  type Header,
  type HeldOf,
  type Node,
  ROOT,
  type Strand,
  Tagged,
  type Value,
} from './state/state.ts';
import { hasFields } from './state/world.ts';

/*
 * What a view shows of a workflow: its strands, expressions, tags, timers and elements as plain values. It is one thing, for all of it is read from
 * the same decoded strands.
 */

/** One live expression, looked at closely. */
export type ExpressionInspection = LiveExpression & {
  /** With which fields it was applied. */
  readonly fields: Fields;
  /** Those of its own; names of sub-processes and expressions that are bound there are shown as text. */
  readonly variables: JsonObject;
  /** What is done, and at what: on_error and so on, as they were given. */
  readonly handlers: { readonly [trigger: string]: Json };
  readonly timers: Inspection['timers'];
  /** Its part of the tree, as it runs now. */
  readonly tree: Json;
  /** The tree is not that of the definition: it was given at run time, by a reapply or a variable. */
  readonly differs: boolean;
};

/** When the pause of a workflow began; null when it is not paused. Its status does not tell: an error comes before a pause. */
export const pausedSince = (workflow: WorkflowRow): number | null => decodeHeader(workflow.header).pausedAt;

/** The tags that are entered, and those of its launch. */
export const tagsOf = (workflow: WorkflowRow): readonly string[] => tagsIn(decodeHeader(workflow.header));

/** Whether there may be any tag; told from the text, for most have none. */
export const mayHaveTags = ({ header }: WorkflowRow): boolean =>
  header.includes('"tags":') || header.includes('"labels":');

/** Those of the launch stand first. */
function tagsIn({ labels, tags }: Header): readonly string[] {
  const entered = Object.keys(tags);
  return labels === null ? entered : [...new Set([...labels, ...entered])];
}

/** The workflow that goes on for one that is over (continue_as_new), or null. */
export const continuedAs = (workflow: WorkflowRow): string | null => decodeHeader(workflow.header).continuedAs;

/** The workflow that one goes on for, or null. */
export const continuedFrom = (workflow: WorkflowRow): string | null => textOfMeta(workflow, 'continued_from');

/** The workflow that one is another try of, or null. */
export const retryOf = (workflow: WorkflowRow): string | null => textOfMeta(workflow, 'retry_of');

function textOfMeta({ meta }: WorkflowRow, key: string): string | null {
  const value = meta == null ? undefined : (JSON.parse(meta) as JsonObject)[key];
  return typeof value === 'string' ? value : null;
}

/** What its launch said that stands nowhere but in what the workflow remembers. */
export const launchedWith = ({ header }: WorkflowRow): Pick<Header, 'revision' | 'historyMax' | 'labels' | 'hops'> =>
  decodeHeader(header);

/** How many events led to the workflow, one by way of the next. */
export const hopsOf = (workflow: WorkflowRow): number => decodeHeader(workflow.header).hops;

/** The fields of a workflow as `inspect` has them, from whatever rows are at hand; null: they are in a workitem that is not. */
export function fieldsAtHand(loaded: Loaded): Fields | null {
  const { workflow } = loaded;
  if (workflow === null) return null;
  let isMissing = false;
  const root = decodeRoot(workflow, (id) => {
    const row = loaded.workitems.get(id);
    if (row !== undefined && hasFields(row)) return heldIn(row, deliveredFields(row, null));
    isMissing = true;
    return { applied: {}, participant: null, params: {} };
  });
  const fields = currentFields(root, loaded);
  return isMissing ? null : fields;
}

/** How many expressions are live. */
export const liveExpressions = (workflow: WorkflowRow): number =>
  workflow.endedAt === null ? decodeHeader(workflow.header).expressions : 0;

/** A stored tree as it is shown; null: it is none. */
function wireOf(stored: readonly Json[]): Json {
  const tree = treeFromJson([...stored]);
  return tree === null ? null : treeToJson(tree);
}

/** A live expression as an administrator sees it. */
export type LiveExpression = {
  readonly id: ExpressionId;
  readonly expid: string;
  readonly name: string;
  /** What stands in `state`: `active`, or paused, cancelling, dying, timing_out, failing, awaiting, failed. */
  readonly state: string;
  /** When it was applied, in milliseconds since 1970; null: that was not written down. */
  readonly since: number | null;
  /** Places below it at which whatever comes there is paused; empty: none. */
  readonly breakpoints: readonly string[];
  /** Where it was given another tree than that of the definition: that; else null. */
  readonly ownTree: Json;
  readonly tag: string | null;
  /** Of BPMN: the id of its element. */
  readonly element: string | null;
  /** The expression it replies to; null: it is the root, or nobody waits for it. */
  readonly parent_id: ExpressionId | null;
  /** Of the first expression of a branch, flank or forgotten branch: which one it is. */
  readonly branch: LiveBranch | null;
  readonly progress: Progress | null;
};
export type LiveBranch = {
  readonly kind: 'branch' | 'flank' | 'forgotten';
  /** 0, 1, … among the branches of its parent. */
  readonly index: number;
  /** Of an iterator: the beginning of the element it is about, as text. */
  readonly element?: string;
};
/**
 * How far it is. `at`: the index of the child, or element, whose turn it is, `of` how many there are (null: not to be told), `round` which pass of a loop
 * or element it is, 1 for the first, `element` of an iterator the beginning of the element. Of a fork: the branches it has, those that have not
 * replied, those that have, and those that are in error as far as they were loaded.
 */
export type Progress =
  | { readonly at: number; readonly of: number | null; readonly round?: number; readonly element?: string }
  | { readonly of: number; readonly live: number; readonly done: number; readonly failed: number };

/** What is live in a workflow, read from its rows. */
export type Inspection = {
  readonly tags: readonly string[];
  /** Why it is being cancelled, or was cancelled or killed; null: nothing was said. */
  readonly reason: string | null;
  readonly expressions: readonly LiveExpression[];
  readonly timers: readonly {
    readonly expression_id: ExpressionId;
    readonly due_at: number;
    readonly action: string;
    /** Of BPMN: the id of the event. */
    readonly element?: string;
  }[];
  readonly errors: readonly {
    readonly expression_id: ExpressionId;
    readonly expid: string;
    readonly workitem: boolean;
    readonly class: string;
    readonly message: string;
    readonly at: number;
    /** Of BPMN: the id of the element it happened at. */
    readonly element: string | null;
    readonly deviations: Json;
    readonly fields: Fields;
  }[];
  /** The root's reply once the root has ended, before that the root's workitem as it stands. */
  readonly fields: Fields;
  readonly tree: Json;
  /** Of BPMN; null for other definitions. */
  readonly bpmn: BpmnInspection | null;
};

/** Where the tokens of a BPMN workflow are. */
export type BpmnInspection = {
  readonly elements: readonly {
    readonly id: string;
    readonly live: number;
    /** Tokens that wait at a gateway for others. */
    readonly waiting: number;
    readonly failed: number;
    /** Tokens that have left it. */
    readonly done: number;
  }[];
  readonly process: string;
  /** What is listened for, oldest first. */
  readonly waits: readonly {
    readonly element: string;
    readonly message?: string;
    readonly signal?: string;
    /** The beginning of a condition. */
    readonly condition?: string;
    readonly key: string | null;
    /** Since when, in milliseconds; null: it was not written down. */
    readonly since: number | null;
    readonly seq: number;
  }[];
  /** Gateways whose tokens nothing can ever set free. */
  readonly stuck: readonly string[];
};

/**
 * What is live in a workflow.
 *
 * @param loaded its row, the open workitem of its root strand, and whatever of its other rows is to be shown; nothing more is asked for
 */
export function inspect(loaded: Loaded, definition: (hash: string) => Tree | undefined): Inspection {
  const { workflow } = loaded;
  if (workflow === null)
    return { tags: [], reason: null, expressions: [], timers: [], errors: [], fields: {}, tree: null, bpmn: null };
  const root = decodeRoot(workflow, heldOf(loaded));
  const strands = [
    root,
    ...[...loaded.strands.values()].filter((row) => row.arrival === null).map((row) => decoded(loaded, row)),
  ];
  const nodes = strands.flatMap((strand) => strand.nodes);
  const tree = definition(workflow.definition);
  const failed = failedBelow(strands);
  const header = decodeHeader(workflow.header);
  return {
    tags: tagsIn(header),
    reason: header.reason,
    expressions: strands
      .flatMap((strand) => liveIn(strand, failed, definition, workflow.launchedAt))
      .sort((a, b) => compareExpids(a.expid, b.expid) || (a.id < b.id ? -1 : 1)),
    timers: [...loaded.agenda.values()]
      .filter((row) => row.kind === 'timer')
      .map(timer)
      .sort((a, b) => a.due_at - b.due_at),
    errors: [...loaded.errors.values()].map((row) => {
      const details = JSON.parse(row.details) as JsonObject;
      return {
        expression_id: row.id,
        expid: expidOf(row.id),
        workitem: row.workitem,
        class: row.class,
        message: row.message,
        at: row.at,
        element: elementOfError(row.id, nodes, definition),
        deviations: details['deviations'] ?? null,
        fields: (details['fields'] ?? {}) as Fields,
      };
    }),
    fields: currentFields(root, loaded),
    tree: tree === undefined ? null : treeToJson(withoutDrawing(tree)),
    bpmn:
      tree?.name === 'bpmn:process'
        ? {
            ...bpmnOf(nodes, definition, passedIn(workflow, tree)),
            process: String(tree.attributes.get('id')),
            waits: [...waitsOf(loaded), ...conditionsOf(header, nodes)],
          }
        : null,
  };
}

/** The strands of a workflow that can be told of, as far as their rows are loaded. */
const strandsOf = (loaded: Loaded, workflow: WorkflowRow): readonly Strand[] => [
  decodeRoot(workflow, heldOf(loaded)),
  ...[...loaded.strands.values()].filter((row) => row.arrival === null).map((row) => decoded(loaded, row)),
];

/** The hash of the definition an expression is of, which is another one in a sub-process that is stored; null: of none, or it is not live there. */
export function definitionHashOf(loaded: Loaded, id: ExpressionId): string | null {
  const { workflow } = loaded;
  if (workflow === null) return null;
  const node = strandsOf(loaded, workflow)
    .flatMap(({ nodes }) => nodes)
    .find((each) => each.id === id);
  return typeof node?.tree.root === 'string' ? node.tree.root : null;
}

/** @param loaded the row of the workflow, and of its other rows those about the expression; null: it is not live there */
export function inspectExpression(
  loaded: Loaded,
  id: ExpressionId,
  definition: (hash: string) => Tree | undefined,
): ExpressionInspection | null {
  const { workflow } = loaded;
  if (workflow === null) return null;
  const strands = strandsOf(loaded, workflow);
  const strand = strands.find(({ nodes }) => nodes.some((node) => node.id === id));
  const node = strand?.nodes.find((each) => each.id === id);
  if (strand === undefined || node === undefined) return null;
  const live = liveIn(strand, failedBelow(strands), definition, workflow.launchedAt).find((each) => each.id === id);
  invariant(live !== undefined, `${id} is live`);
  const handlers = { on_error: node.onError, on_cancel: node.onCancel, on_timeout: node.onTimeout };
  const tree = treeOf(node, definition) ?? bornTree(node);
  return {
    ...live,
    fields: node.applied,
    variables: shownVariables(node, loaded),
    handlers: Object.fromEntries(Object.entries(handlers).filter(([, handler]) => handler !== null)),
    timers: [...loaded.agenda.values()]
      .filter((row) => row.kind === 'timer')
      .map(timer)
      .filter(({ expression_id }) => expression_id === id)
      .sort((a, b) => a.due_at - b.due_at),
    tree: tree === null ? null : treeToJson(withoutDrawing(tree)),
    differs: typeof node.tree.root !== 'string' || node.updated,
  };
}

/** A tree that was made at run time. */
function bornTree({ tree: { root, path } }: Node): Tree | null {
  if (typeof root === 'string') return null;
  let tree = treeFromJson(root as Json) ?? undefined;
  if (path !== '') for (const index of path.split('.')) tree = tree?.children[Number(index)];
  return tree ?? null;
}

function shownVariables(node: Node, loaded: Loaded): JsonObject {
  return Object.fromEntries(
    Object.entries(variablesOf(node, loaded) as { readonly [name: string]: Value }).map(([name, value]) => [
      name,
      value instanceof Bound
        ? `sub-process at ${value.expid}`
        : value instanceof Tagged
          ? `expression ${value.ref.id}`
          : value,
    ]),
  );
}

const heldOf =
  ({ workitems }: Loaded): HeldOf =>
  (id) => {
    const row = workitems.get(id);
    invariant(row !== undefined && hasFields(row), `the workitem of ${id} was loaded with its workflow`);
    return heldIn(row, deliveredFields(row, null));
  };

function decoded(loaded: Loaded, row: StrandRow): Strand {
  const value = row.base === null ? undefined : loaded.variables.get(`${row.base} ^`)?.value;
  return decodeRow(row, value === undefined ? {} : baseFields(value));
}

const liveIn = (
  strand: Strand,
  failed: ReadonlyMap<ExpressionId, number>,
  definition: Definition,
  launchedAt: number,
): readonly LiveExpression[] =>
  strand.nodes.map((node, i) => {
    const above = strand.nodes[i - 1];
    return {
      id: node.id,
      expid: node.expid,
      name: node.name,
      state: node.state ?? (node.hasError ? 'failed' : node.ownData['paused'] === undefined ? 'active' : 'paused'),
      since: node.since < 0 ? null : launchedAt + node.since,
      breakpoints: breakpointsIn(node),
      // What is below it is a part of that.
      ownTree: typeof node.tree.root === 'string' || node.tree.path !== '' ? null : wireOf(node.tree.root),
      tag: node.tag,
      element: elementOf(node, definition),
      parent_id: above?.id ?? (strand.kind === 'forgotten' || strand.at === '' ? null : strand.at),
      branch: above === undefined && strand.path !== ROOT ? branchOf(strand, node) : null,
      progress: progressOf(node, strand.nodes[i + 1], failed.get(node.id) ?? 0, definition),
    };
  });

function branchOf({ kind, index }: Strand, node: Node): LiveBranch {
  const element = elementIn(node);
  return element === undefined ? { kind, index } : { kind, index, element };
}

/** Of each fork the branches in which something is in error, among these strands. */
function failedBelow(strands: readonly Strand[]): ReadonlyMap<ExpressionId, number> {
  const found = new Map<ExpressionId, number>();
  const broken = new Set<string>();
  for (const { nodes, path } of strands)
    if (nodes.some(({ hasError }) => hasError))
      for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) broken.add(path.slice(0, end));
  for (const { path, at, kind } of strands)
    if (kind === 'branch' && broken.has(path)) found.set(at, (found.get(at) ?? 0) + 1);
  return found;
}

/** Expressions whose children have their turns one after the other. */
const IN_TURN: ReadonlySet<string> = new Set([...DEFINE_NAMES, 'sequence', 'let', 'cursor', 'loop', 'repeat']);
/** Those of them that go through them more than once. */
const IN_ROUNDS: ReadonlySet<string> = new Set(['cursor', 'loop', 'repeat']);

function progressOf(node: Node, child: Node | undefined, failed: number, definition: Definition): Progress | null {
  const { size, replies, list, position, round, leapt } = node.ownData;
  if (typeof size === 'number' && typeof replies === 'number')
    return { of: size, live: Math.max(0, size - replies), done: replies, failed };
  if (typeof position === 'number' && Array.isArray(list)) {
    const at = Math.max(0, position);
    const element = (list as readonly Json[])[at];
    return {
      ...{ at, of: list.length, round: at + 1 + Number(leapt ?? 0) },
      ...(element !== undefined && { element: elementText(element) }),
    };
  }
  if (!IN_TURN.has(node.kind) || child === undefined) return null;
  return {
    at: Number(child.expid.slice(child.expid.lastIndexOf('_') + 1)),
    of: treeOf(node, definition)?.children.length ?? null,
    ...(IN_ROUNDS.has(node.kind) && { round: Number(round ?? 1) }),
  };
}

/** A timer as it lies in the agenda. */
export function timer(row: {
  readonly id: string;
  readonly dueAt: number;
  readonly payload: string;
}): Inspection['timers'][number] {
  const payload = JSON.parse(row.payload) as {
    readonly id: ExpressionId;
    readonly wake: { readonly do: string; readonly name?: string; readonly element?: string };
  };
  const { wake } = payload;
  return {
    expression_id: payload.id,
    due_at: row.dueAt,
    action: wake.name ?? wake.do,
    ...(wake.element !== undefined && { element: wake.element }),
  };
}

/** The variables of a process that can be shown: rows of their own where they were loaded. */
function variablesOf({ id, scope }: Node, loaded: Loaded): Fields {
  const found = new Map<string, Json>();
  for (const [name, value] of scope?.own ?? []) found.set(name, value as Json);
  for (const row of loaded.variables.values())
    if (row.scope === id) found.set(row.name, decodeValue(row.value) as Json);
  return Object.fromEntries(found);
}

type Definition = (hash: string) => Tree | undefined;

function treeOf({ tree: { root, path } }: Pick<Node, 'tree'>, definition: Definition): Tree | null {
  let tree = typeof root === 'string' ? definition(root) : undefined;
  if (path === '') return tree ?? null;
  for (const index of path.split('.')) tree = tree?.children[Number(index)];
  return tree ?? null;
}

function elementOf(node: Node, definition: Definition): string | null {
  if (!node.kind.startsWith('bpmn:')) return null;
  const id = treeOf(node, definition)?.attributes.get('id');
  return typeof id === 'string' ? id : null;
}

function elementOfError(id: ExpressionId, nodes: readonly Node[], definition: Definition): string | null {
  const node = nodes.find((each) => each.id === id);
  if (node === undefined) return null;
  // An event behind an event-based gateway is named itself.
  const at = node.kind === 'bpmn:gateway' ? node.data['at'] : undefined;
  return typeof at === 'string' ? at : elementOf(node, definition);
}

/** How it is drawn is asked for by itself. */
const withoutDrawing = (tree: Tree): Tree =>
  tree.attributes.has('drawing')
    ? { ...tree, attributes: new Map([...tree.attributes].filter(([key]) => key !== 'drawing')) }
    : tree;

function waitsOf({ listeners }: Loaded): BpmnInspection['waits'] {
  return [...listeners.values()]
    .flatMap(({ event, name, spec }) => {
      if (event !== 'message' && event !== 'signal') return [];
      const {
        element,
        key,
        since = null,
        seq,
      } = JSON.parse(spec) as {
        readonly element: string;
        readonly key: string | null;
        readonly since?: number;
        readonly seq: number;
      };
      return [{ element, [event]: name ?? '', key, since, seq }];
    })
    .sort((a, b) => a.seq - b.seq);
}

const conditionsOf = ({ conditions }: Header, nodes: readonly Node[]): BpmnInspection['waits'] =>
  (conditions ?? [])
    .filter(({ id }) => nodes.some((node) => node.id === id))
    .map(({ element, text, since }) => ({ element, condition: text, key: null, since, seq: 0 }));

/** How often tokens have left the elements of the definition. */
function passedIn(workflow: WorkflowRow, tree: Tree): readonly (readonly [string, number])[] {
  return Object.entries(decodeHeader(workflow.header).passed ?? {}).flatMap(([path, count]) => {
    let at: Tree | undefined = tree;
    for (const index of path.split('.')) at = at?.children[Number(index)];
    const id = at?.attributes.get('id');
    return typeof id === 'string' ? [[id, count] as const] : [];
  });
}

type Counts = { live: number; waiting: number; failed: number; done: number };

function bpmnOf(
  nodes: readonly Node[],
  definition: Definition,
  passed: readonly (readonly [string, number])[],
): Pick<BpmnInspection, 'elements' | 'stuck'> {
  const found = new Map<string, Counts>();
  const at = (id: string): Counts => {
    const known = found.get(id) ?? { live: 0, waiting: 0, failed: 0, done: 0 };
    found.set(id, known);
    return known;
  };
  for (const [id, count] of passed) at(id).done += count;
  const stuck: string[] = [];
  for (const node of nodes) {
    const element = elementOf(node, definition);
    if (element === null) continue;
    if (node.kind !== 'bpmn:process') {
      at(element).live++;
      if (node.hasError) at(element).failed++;
    }
    const { arrived } = node.data;
    if (!isObject(arrived)) continue;
    const tree = treeOf(node, definition);
    for (const [index, flows] of Object.entries(arrived)) {
      const id = tree?.children[Number(index)]?.attributes.get('id');
      if (typeof id !== 'string' || !isObject(flows)) continue;
      at(id).waiting += Object.values(flows).reduce<number>((sum, count) => sum + Number(count), 0);
      if (node.children === 0) stuck.push(id);
    }
  }
  return { elements: [...found].map(([id, counts]) => ({ id, ...counts })), stuck };
}

/** The fields where the root strand has got to. */
function currentFields(root: Strand, loaded: Loaded): Fields {
  if (root.reply !== null) return root.reply;
  const [first] = root.nodes;
  if (first?.kind === 'bpmn:process') return variablesOf(first, loaded);
  return root.nodes.at(-1)?.applied ?? {};
}
