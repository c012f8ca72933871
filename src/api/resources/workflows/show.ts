import { showWorkflow } from '../../../engine/show.ts';
import { continuedAs, continuedFrom, retryOf } from '../../../interpreter/inspect.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { StrandRow, WorkflowRow, WorkitemRow } from '../../../model/rows.ts';
import type { Loaded } from '../../../model/stimulus.ts';
import type { Tree } from '../../../model/tree.ts';
import { noSuchWorkflow, workflowIdOf } from '../../ids.ts';
import { type Call, jsonReply, printedReply, type Reply, textReply } from '../../operation.ts';
import { overdueNow } from '../../overdue.ts';
import { cursorFor, cursorOf, PAGE_BYTES_MAX } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { bpmnView, stateWord } from '../bpmn/view.ts';
import { errorView } from '../errors/view.ts';
import { triesMaxOf } from '../workitems/tries.ts';
import { makeItemTexts } from '../workitems/view.ts';
import { expressionView, summaryView } from './view.ts';

/** Types of an `Accept` that are looked at. */
const ACCEPTED_MAX = 20;

/** Whether a page is what an `Accept` wants most; of several that it wants as much, the first. */
export function wantsPage(accept: string | null): boolean {
  let most = { type: '', quality: 0 };
  for (const part of (accept ?? '').split(',', ACCEPTED_MAX)) {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = given === undefined ? 1 : Number(given.slice('q='.length));
    if (quality > most.quality) most = { type, quality };
  }
  return most.type === 'text/html';
}

/** Where the page of a workflow is. */
export const pageAt = (parts: Pick<Parts, 'basePath'>, id: WorkflowId): { readonly Location: string } => ({
  Location: `${parts.basePath()}/console/workflows/${encodeURIComponent(id)}`,
});

async function pageOf(parts: Parts, call: Call, id: WorkflowId): Promise<Reply> {
  if ((await parts.store.read.workflow(call.principal.tenant, id)) === null) throw noSuchWorkflow(id);
  return textReply(303, id, pageAt(parts, id));
}

/** Live expressions (and workitems) shown of one workflow at once; a strand is shown whole. */
const EXPRESSIONS_MAX = 1_000;

/**
 * One workflow as it stands, a page of its strands.
 *
 * What the database gave fits in memory (store/page.ts), but may print to more than an answer holds, for workitems that inherit from one
 * base are printed each with all of it: so strands are printed one after the other until the page is full, and the next one begins there.
 */
export async function show(parts: Parts, call: Call): Promise<Reply> {
  const id = workflowIdOf(call);
  const view = call.query.get('view');
  if (view !== null && view !== 'summary') throw new Problem('query_invalid', 'view must be summary');
  const omit = call.query.get('omit');
  if (omit !== null && omit !== 'workitem_fields') throw new Problem('query_invalid', 'omit must be workitem_fields');
  if (view === 'summary') return summary(parts, call, id);
  if (wantsPage(call.header('accept'))) return pageOf(parts, call, id);
  const list = `expressions of ${id}`;
  const after = cursorOf(list, call.query);
  const read = await parts.store.read.whole(call.principal.tenant, id, { limit: EXPRESSIONS_MAX, after });
  if (read?.workflow == null) throw noSuchWorkflow(id);
  const row = read.workflow;
  const definition = await parts.trees.tree(row.definition);

  const print = makeItemTexts(overdueNow(parts), parts.clock.now(), {
    bare: omit !== null,
    triesMax: triesMaxOf(parts, row),
  });
  const printed = (item: WorkitemRow): string =>
    print(id, item, item.inherits === null ? null : (read.variables.get(`${item.inherits} ^`)?.value ?? null));
  const items = byPath([...read.workitems.values()]);
  const isFirst = after === null;
  // The root strand lies in the workflow's row and comes with every page; it belongs to the first.
  const ofRoot = isFirst ? (items.get('0') ?? []).map(printed) : [];
  let bytes = bytesOf(ofRoot);
  let page: Printed[] = [];
  let next = read.next;
  for (const strand of [...read.strands.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const texts = (items.get(strand.path) ?? []).map(printed);
    bytes += bytesOf(texts);
    if (page.length > 0 && bytes > PAGE_BYTES_MAX) {
      next = lastPath(page);
      break;
    }
    page.push({ strand, texts });
    // Others want to be served in between.
    if (page.length % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  let shown = showPart(read, page, next, definition);
  // Strands are what the store counts; each holds some expressions.
  while (shown.expressions.length > EXPRESSIONS_MAX && page.length > 1) {
    page = page.slice(0, Math.ceil(page.length / 2));
    next = lastPath(page);
    shown = showPart(read, page, next, definition);
  }
  const workitems = [...ofRoot, ...page.flatMap(({ texts }) => texts)];
  const root = isFirst ? [] : showPart(read, [], null, null).expressions;
  const rootIds = new Set(root.map((expression) => expression.id));
  const head = {
    ...summaryView(row),
    ...(row.meta == null ? {} : { meta: JSON.parse(row.meta) as JsonObject }),
    ...chainView(row),
    fields: shown.fields,
    tags: shown.tags,
    ...(shown.reason === null ? {} : { reason: shown.reason }),
    tree: shown.tree,
    expressions: shown.expressions.filter((expression) => !rootIds.has(expression.id)).map(expressionView),
    expressions_cursor: next === null ? null : cursorFor(list, next),
  };
  const tail = {
    timers: shown.timers.map((timer) => ({ ...timer, due_at: timeView(timer.due_at) })),
    errors: [...read.errors.values()]
      .filter(upTo(next))
      .map((error) => ({ ...errorView(id, error), ...elementIn(shown, error.id) })),
    ...bpmnView(shown),
    ...(read.leftOut.length === 0 ? {} : { left_out: read.leftOut }),
  };
  const [front, back] = [JSON.stringify(head).slice(0, -1), JSON.stringify(tail).slice(1)];
  return printedReply(200, `${front},"workitems":[${workitems.join(',')}],${back}`);
}

/** Of workflows that go on for each other (continue_as_new): the one before, and the one after. And the one it is another try of. */
function chainView(row: WorkflowRow): JsonObject {
  const from = continuedFrom(row);
  const as = continuedAs(row);
  const first = retryOf(row);
  return {
    ...(from !== null && { continued_from: from }),
    ...(as !== null && { continued_as: as }),
    ...(first !== null && { retry_of: first }),
  };
}

/** The four words of other engines. */
async function summary(parts: Parts, call: Call, id: WorkflowId): Promise<Reply> {
  const row = await parts.store.read.workflow(call.principal.tenant, id);
  if (row === null) throw noSuchWorkflow(id);
  return jsonReply(200, { id, state: stateWord(row.status), created_at: timeView(row.launchedAt) });
}

const elementIn = ({ errors }: ReturnType<typeof showWorkflow>, id: string): { readonly element?: string } => {
  const element = errors.find((each) => each.expression_id === id)?.element ?? null;
  return element === null ? {} : { element };
};

type Printed = { readonly strand: StrandRow; readonly texts: readonly string[] };
const lastPath = (page: readonly Printed[]): string | null => page.at(-1)?.strand.path ?? null;
const bytesOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);

/** Rows of strands up to this path; those of no strand are in the first page. */
const upTo =
  (next: string | null) =>
  ({ path }: { readonly path: string | null }): boolean =>
    path === null || next === null || path <= next;

const showPart = (read: Loaded, page: readonly Printed[], next: string | null, definition: Tree | null) =>
  showWorkflow(
    {
      ...read,
      strands: new Map(page.map(({ strand }) => [strand.path, strand])),
      agenda: new Map([...read.agenda].filter(([, timer]) => upTo(next)(timer))),
      errors: new Map([...read.errors].filter(([, error]) => upTo(next)(error))),
    },
    definition,
  );

function byPath(items: readonly WorkitemRow[]): ReadonlyMap<string, readonly WorkitemRow[]> {
  const paths = new Map<string, WorkitemRow[]>();
  for (const item of items) {
    const own = paths.get(item.path);
    if (own === undefined) paths.set(item.path, [item]);
    else own.push(item);
  }
  return paths;
}
