import { invariant } from '../model/fault.ts';
import { compareExpids, type ExpressionId, expidOf } from '../model/ids.ts';
import type { Fields, Json, JsonObject } from '../model/json.ts';
import type { StrandRow, WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { type Tree, treeToJson } from '../model/tree.ts';
import { decodeHeader, decodeStrand } from './state/encoding.ts';
import { baseFields, deliveredFields } from './state/fields.ts';
import { heldIn } from './state/held.ts';
import type { Node, Strand } from './state/state.ts';
import { ROOT } from './state/state.ts';
import { hasFields } from './state/world.ts';

/** When the pause of a workflow began; null when it is not paused. Its status does not tell: an error comes before a pause. */
export const pausedSince = (workflow: WorkflowRow): number | null => decodeHeader(workflow.header).pausedAt;

/** A live expression as an administrator sees it. */
export type LiveExpression = {
  readonly id: ExpressionId;
  readonly expid: string;
  readonly name: string;
  /** language.md 3.1: `active`, or cancelling, dying, timing_out, failing, awaiting, failed. */
  readonly state: string;
  readonly tag: string | null;
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
    readonly deviations: Json;
    readonly fields: Fields;
  }[];
  /** The root's reply once the root has ended, before that the root's workitem as it stands. */
  readonly fields: Fields;
  readonly tree: Json;
};

/**
 * What is live in a workflow.
 *
 * @param loaded its row, the open workitem of its root strand, and whatever of its other rows is to be shown; nothing more is asked for
 */
export function inspect(loaded: Loaded, definition: (hash: string) => Tree | undefined): Inspection {
  const { workflow } = loaded;
  if (workflow === null) return { tags: [], expressions: [], timers: [], errors: [], fields: {}, tree: null };
  const root = decodeStrand(
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
    (id) => {
      const row = loaded.workitems.get(id);
      invariant(row !== undefined && hasFields(row), `the workitem of ${id} was loaded with its workflow`);
      return heldIn(row, deliveredFields(row, null));
    },
  );
  const strands = [
    root,
    ...[...loaded.strands.values()].filter((row) => row.arrival === null).map((row) => decoded(loaded, row)),
  ];
  const nodes = strands.flatMap((strand) => strand.nodes);
  const tree = definition(workflow.definition);
  return {
    tags: Object.keys(decodeHeader(workflow.header).tags),
    expressions: nodes.map(liveExpression).sort((a, b) => compareExpids(a.expid, b.expid) || (a.id < b.id ? -1 : 1)),
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
        deviations: details['deviations'] ?? null,
        fields: (details['fields'] ?? {}) as Fields,
      };
    }),
    fields: currentFields(root),
    tree: tree === undefined ? null : treeToJson(tree),
  };
}

function decoded(loaded: Loaded, row: StrandRow): Strand {
  const value = row.base === null ? undefined : loaded.variables.get(`${row.base} ^`)?.value;
  return decodeStrand(
    { ...row, parent: row.parent ?? '', at: row.at ?? ('' as ExpressionId) },
    value === undefined ? {} : baseFields(value),
  );
}

const liveExpression = (node: Node): LiveExpression => ({
  id: node.id,
  expid: node.expid,
  name: node.name,
  state: node.state ?? (node.hasError ? 'failed' : 'active'),
  tag: node.tag,
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

/** The fields where the root strand has got to. */
function currentFields(root: Strand): Fields {
  if (root.reply !== null) return root.reply;
  return root.nodes.at(-1)?.applied ?? {};
}
