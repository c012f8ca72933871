import { retryOf } from '../interpreter/inspect.ts';
import { bareView } from '../model/changes.ts';
import { equalJson, type Json } from '../model/json.ts';
import type { WorkflowRow, WorkitemRow } from '../model/rows.ts';
import { isCountedByFinding, isOfParticipantAnd } from '../store/read-attributes.ts';
import {
  type Attribute,
  FILLED,
  type Page,
  type Reads,
  type Store,
  type WorkflowSummary,
  type WorkflowsQuery,
} from '../store/store.ts';
import { type Attributed, nameOfField, RETRY, TAG, VALUE_CHARACTERS_MAX, valueAt, wantedText } from './attributes.ts';
import { showWorkflow } from './show.ts';

/* Finding workflows by what is inside of them, tags and fields: by index where all that is asked for has one, else by looking into them. */

/** What is looked for inside: a tag that is entered, values at paths of the root's fields, which workflow it is another try of. */
export type Inside = {
  readonly tag: string | null;
  readonly fields: readonly (readonly [readonly string[], string])[];
  readonly retryOf?: string | null;
};

/** Workflows are looked into one by one: at most so many, or so much text, at once, then the cursor goes on. */
const LOOKED_INTO_MAX = 500;
const LOOKED_INTO_CHARACTERS_MAX = 10_000_000;
/** Fetched at once to be looked into: their fields may be large. */
const LOOKED_INTO_AT_ONCE = 10;

export type Found = Page<WorkflowSummary> & {
  /** When the last one that was looked at was launched (or ended, where that is the order); null: none was; undefined: no other than these. */
  readonly lookedBackTo: number | null | undefined;
};
export type Search = {
  /** What workflows can be found by. */
  readonly attributed: Attributed;
  /** A page can hold fewer than `limit` while there are more. `inside` null: nothing is sought inside of them. */
  list(query: WorkflowsQuery, inside: Inside | null): Promise<Found>;
  /** Counted to `most`. `lookedBackTo`: there may be more behind that; null: these are all. */
  count(
    query: Omit<WorkflowsQuery, 'limit' | 'after'>,
    inside: Inside | null,
    most: number,
  ): Promise<{ readonly n: number; readonly lookedBackTo: number | null }>;
};

export function makeSearch(
  { read, attributes }: { readonly read: Reads; readonly attributes: Pick<Store['attributes'], 'marks'> },
  attributed: Attributed,
): Search {
  /** What is asked for, as attributes; null: not all of that has an index, or not yet. */
  async function attributesOf({ tag, fields, retryOf: first = null }: Inside): Promise<readonly Attribute[] | null> {
    const wanted = [
      ...(tag === null ? [] : [{ name: TAG, value: tag.length <= VALUE_CHARACTERS_MAX ? tag : null }]),
      ...fields.map(([path, value]) => ({ name: nameOfField(path), value: wantedText(value) })),
    ];
    const found: Attribute[] = first === null ? [] : [{ name: RETRY, value: first }];
    for (const { name, value } of wanted) {
      if (value === null || !attributed.names.includes(name)) return null;
      found.push({ name, value });
    }
    // Asked for each time: another node may have given one up, or filled it.
    const marks = await attributes.marks();
    return found.every(({ name }) => name === RETRY || marks.get(name) === FILLED) ? found : null;
  }

  return {
    attributed,
    list: async (query, inside) => {
      if (inside === null) {
        // What leads to those of a participant has no other order than the newest first.
        if (query.participant === null || query.isOldestFirst === true)
          return { ...(await read.workflows(query)), lookedBackTo: undefined };
        const page = await read.found({ ...query, attributes: [] });
        return isOfParticipantAnd(query) ? page : { ...page, lookedBackTo: undefined };
      }
      const wanted = await attributesOf(inside);
      return wanted === null ? lookInside(read, query, inside) : read.found({ ...query, attributes: wanted });
    },
    count: async (query, inside, most) => {
      if (inside === null && isCountedByFinding(query)) return read.countFound({ ...query, attributes: [] }, most);
      if (inside === null) return { n: await read.countWorkflows(query, most), lookedBackTo: null };
      const wanted = await attributesOf(inside);
      if (wanted !== null) return read.countFound({ ...query, attributes: wanted }, most);
      const { items, next, lookedBackTo } = await lookInside(read, { ...query, limit: most, after: null }, inside);
      return { n: items.length, lookedBackTo: next === null ? null : (lookedBackTo ?? 0) };
    },
  };
}
/**
 * Workflows one after the other, in the order of their list, until enough fit or enough was looked into.
 */
async function lookInside(read: Pick<Reads, 'workflowRows'>, query: WorkflowsQuery, inside: Inside): Promise<Found> {
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
function fits(row: WorkflowRow, workitem: WorkitemRow | null, { tag, fields, retryOf: first = null }: Inside): boolean {
  if (first !== null && retryOf(row) !== first) return false;
  const workitems = new Map(workitem === null ? [] : [[workitem.id, workitem]]);
  const shown = showWorkflow({ ...bareView(row), workitems }, null);
  if (tag !== null && !shown.tags.includes(tag)) return false;
  return fields.every(([path, wanted]) => isSame(valueAt(shown.fields, path), wanted));
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
