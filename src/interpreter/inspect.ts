import { invariant } from '../model/fault.ts';
import { compareExpids, type ExpressionId, expidOf } from '../model/ids.ts';
import { type Fields, isObject, type Json, type JsonObject } from '../model/json.ts';
import type { StrandRow, WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { type Tree, treeToJson } from '../model/tree.ts';
import { decodeHeader, decodeStrand, decodeValue } from './state/encoding.ts';
import { baseFields, deliveredFields } from './state/fields.ts';
import { heldIn } from './state/held.ts';
import type { HeldOf, Node, Strand } from './state/state.ts';
import { ROOT } from './state/state.ts';
import { hasFields } from './state/world.ts';

/** When the pause of a workflow began; null when it is not paused. Its status does not tell: an error comes before a pause. */
export const pausedSince = (workflow: WorkflowRow): number | null => decodeHeader(workflow.header).pausedAt;

/** The tags that are entered. */
export const tagsOf = (workflow: WorkflowRow): readonly string[] => Object.keys(decodeHeader(workflow.header).tags);

/** The fields of a workflow as `inspect` has them, from whatever rows are at hand; null: they are in a workitem that is not. */
export function fieldsAtHand(loaded: Loaded): Fields | null {
  const { workflow } = loaded;
  if (workflow === null) return null;
  let isMissing = false;
  const root = rootOf(workflow, (id) => {
    const row = loaded.workitems.get(id);
    if (row !== undefined && hasFields(row)) return heldIn(row, deliveredFields(row, null));
    isMissing = true;
    return { applied: {}, participant: null, params: {} };
  });
  const fields = currentFields(root, loaded);
  return isMissing ? null : fields;
}

const rootOf = (workflow: WorkflowRow, heldOf: HeldOf): Strand =>
  decodeStrand(
    {
      path: ROOT,
      parent: '',
      at: '' as ExpressionId,
      kind: 'branch',
      index: 0,
      arrival: null,
      base: null,
      state: workflow.state,
      fields: workflow.fields,
    },
    null,
    heldOf,
  );

/** A live expression as an administrator sees it. */
export type LiveExpression = {
  readonly id: ExpressionId;
  readonly expid: string;
  readonly name: string;
  /** What stands in `state`: `active`, or cancelling, dying, timing_out, failing, awaiting, failed. */
  readonly state: string;
  readonly tag: string | null;
  /** Of BPMN: the id of its element. */
  readonly element: string | null;
};

/** What is live in a workflow, read from its rows. */
export type Inspection = {
  readonly tags: readonly string[];
  readonly expressions: readonly LiveExpression[];
  readonly timers: readonly {
    readonly expression_id: ExpressionId;
    readonly due_at: number;
    readonly action: string;
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
  }[];
  readonly process: string;
  /** What is listened for, oldest first. */
  readonly waits: readonly {
    readonly element: string;
    readonly message?: string;
    readonly signal?: string;
    readonly key: string | null;
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
    return { tags: [], expressions: [], timers: [], errors: [], fields: {}, tree: null, bpmn: null };
  const root = rootOf(workflow, (id) => {
    const row = loaded.workitems.get(id);
    invariant(row !== undefined && hasFields(row), `the workitem of ${id} was loaded with its workflow`);
    return heldIn(row, deliveredFields(row, null));
  });
  const strands = [
    root,
    ...[...loaded.strands.values()].filter((row) => row.arrival === null).map((row) => decoded(loaded, row)),
  ];
  const nodes = strands.flatMap((strand) => strand.nodes);
  const tree = definition(workflow.definition);
  return {
    tags: Object.keys(decodeHeader(workflow.header).tags),
    expressions: nodes
      .map((node) => liveExpression(node, definition))
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
        ? { ...bpmnOf(nodes, definition), process: String(tree.attributes.get('id')), waits: waitsOf(loaded) }
        : null,
  };
}

function decoded(loaded: Loaded, row: StrandRow): Strand {
  const value = row.base === null ? undefined : loaded.variables.get(`${row.base} ^`)?.value;
  return decodeStrand(
    { ...row, parent: row.parent ?? '', at: row.at ?? ('' as ExpressionId) },
    value === undefined ? {} : baseFields(value),
  );
}

const liveExpression = (node: Node, definition: Definition): LiveExpression => ({
  id: node.id,
  expid: node.expid,
  name: node.name,
  state: node.state ?? (node.hasError ? 'failed' : 'active'),
  tag: node.tag,
  element: elementOf(node, definition),
});

function timer(row: {
  readonly id: string;
  readonly dueAt: number;
  readonly payload: string;
}): Inspection['timers'][number] {
  const payload = JSON.parse(row.payload) as {
    readonly id: ExpressionId;
    readonly wake: { readonly do: string; readonly name?: string };
  };
  return { expression_id: payload.id, due_at: row.dueAt, action: payload.wake.name ?? payload.wake.do };
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
      const { element, key, seq } = JSON.parse(spec) as {
        readonly element: string;
        readonly key: string | null;
        readonly seq: number;
      };
      return [{ element, [event]: name ?? '', key, seq }];
    })
    .sort((a, b) => a.seq - b.seq);
}

function bpmnOf(nodes: readonly Node[], definition: Definition): Pick<BpmnInspection, 'elements' | 'stuck'> {
  const found = new Map<string, { live: number; waiting: number; failed: number }>();
  const at = (id: string): { live: number; waiting: number; failed: number } => {
    const known = found.get(id) ?? { live: 0, waiting: 0, failed: 0 };
    found.set(id, known);
    return known;
  };
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
