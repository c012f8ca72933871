import { bareView } from '../model/changes.ts';
import { equalJson, isObject, type Json, ownValue } from '../model/json.ts';
import type { WorkflowRow, WorkitemRow } from '../model/rows.ts';
import type { Page, Reads, WorkflowSummary, WorkflowsQuery } from '../store/store.ts';
import { showWorkflow } from './show.ts';

/* Finding workflows by what only their texts tell: tags and fields. */

/** What is looked for inside: a tag that is entered, values at paths of the root's fields. */
export type Inside = {
  readonly tag: string | null;
  readonly fields: readonly (readonly [readonly string[], string])[];
};

/** Workflows are looked into one by one: at most so many, or so much text, at once, then the cursor goes on. */
const LOOKED_INTO_MAX = 500;
const LOOKED_INTO_CHARACTERS_MAX = 10_000_000;
/** Fetched at once to be looked into: their fields may be large. */
const LOOKED_INTO_AT_ONCE = 10;

/**
 * Workflows one after the other, in the order of their list, until enough fit or enough was looked into.
 *
 * @returns `lookedBackTo`: when the last one that was looked at was launched (or ended, where that is the order); null: none was
 */
export async function lookInside(
  read: Pick<Reads, 'workflowRows'>,
  query: WorkflowsQuery,
  inside: Inside,
): Promise<Page<WorkflowSummary> & { readonly lookedBackTo: number | null }> {
  const { limit, after, ...asked } = query;
  const byEnd = (asked.ended?.from ?? null) !== null || (asked.ended?.to ?? null) !== null;
  const items: WorkflowRow[] = [];
  let next = after;
  let looked = 0;
  let characters = 0;
  let lookedBackTo: number | null = null;
  do {
    const page = await read.workflowRows({
      ...asked,
      limit: Math.min(limit - items.length, LOOKED_INTO_MAX - looked, LOOKED_INTO_AT_ONCE),
      after: next,
    });
    for (const { row, workitem } of page.items) {
      if (fits(row, workitem, inside)) items.push(row);
      looked += 1;
      characters += row.state.length + row.fields.length;
      lookedBackTo = byEnd ? row.endedAt : row.launchedAt;
      // Others want to be served between two large ones.
      await new Promise((resolve) => setImmediate(resolve));
    }
    next = page.next;
  } while (
    next !== null &&
    items.length < limit &&
    looked < LOOKED_INTO_MAX &&
    characters < LOOKED_INTO_CHARACTERS_MAX
  );
  return { items, next, lookedBackTo };
}

/** Tags and the root's fields lie in the workflow's own row and in the workitem it may wait for. */
function fits(row: WorkflowRow, workitem: WorkitemRow | null, { tag, fields }: Inside): boolean {
  const workitems = new Map(workitem === null ? [] : [[workitem.id, workitem]]);
  const shown = showWorkflow({ ...bareView(row), workitems }, null);
  if (tag !== null && !shown.tags.includes(tag)) return false;
  return fields.every(([path, wanted]) => isSame(valueAt(shown.fields, path), wanted));
}

function valueAt(fields: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = fields;
  for (const key of path) {
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
    else value = isObject(value) ? ownValue(value, key) : undefined;
  }
  return value;
}

/** A query holds texts only: `5` fits 5 and "5", `true` fits true and "true", `{"a":1}` fits that object. */
function isSame(value: Json | undefined, wanted: string): boolean {
  if (value === undefined) return false;
  if (value === wanted) return true;
  try {
    return equalJson(value, JSON.parse(wanted) as Json);
  } catch {
    return false;
  }
}
