import { fieldsAtHand, mayHaveTags, retryOf, tagsOf } from '../interpreter/inspect.ts';
import { bareView } from '../model/changes.ts';
import { isObject, type Json, ownValue } from '../model/json.ts';
import type { WorkflowRow, WorkitemRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import type { AttributeChange } from '../store/store.ts';

/*
 * What workflows can be found by that is inside of them, by index: the tags they are in, and fields of the root that INDEXED_FIELDS names. The rows
 * before and after a step tell what there is to write; mostly nothing, and then nothing is.
 */

export const TAG = 'tag';
/** Of another try of a workflow: which one. It is written at the launch and never again, so there is nothing to fill in. */
export const RETRY = 'retry_of';
const FIELD = 'field.';
/** Longer texts have no attribute. */
export const VALUE_CHARACTERS_MAX = 255;

/** Which attributes are written: tags always, and fields by their paths. */
export type Attributed = {
  /** Their names, as rows have them. */
  readonly names: readonly string[];
  readonly fields: readonly AttributedField[];
};
export type AttributedField = {
  readonly name: string;
  readonly path: readonly string[];
  /** The first part of the path as it stands in JSON: fields without this text have no such value. */
  readonly key: string;
};

/** @param paths such as `customer.id` */
export function attributedBy(paths: readonly string[]): Attributed {
  const fields = [...new Set(paths)].map((text) => {
    const path = text.split('.');
    return { name: nameOfField(path), path, key: JSON.stringify(path[0]) };
  });
  return { names: [TAG, ...fields.map(({ name }) => name)], fields };
}
export const nameOfField = (path: readonly string[]): string => `${FIELD}${path.join('.')}`;

/** What lies at a path of fields; undefined: nothing. Parts that are numbers lead into lists. */
export function valueAt(fields: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = fields;
  for (const key of path) {
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined;
    else value = isObject(value) ? ownValue(value, key) : undefined;
  }
  return value;
}

/** A value as its attribute has it; null: it has none. */
function textOf(value: Json | undefined): string | null {
  if (typeof value === 'string') return isShort(value) ? value : null;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : null;
}
/** What is looked for in queries, as attributes have it; null: some values that fit have no attribute, or another one. */
export function wantedText(wanted: string): string | null {
  let value: Json = wanted;
  try {
    value = JSON.parse(wanted) as Json;
  } catch {
    // A text, then.
  }
  return textOf(value) === wanted ? wanted : null;
}

/** Counted as the database counts. */
const isShort = (text: string): boolean =>
  text.length <= VALUE_CHARACTERS_MAX ||
  (text.length <= 2 * VALUE_CHARACTERS_MAX && [...text].length <= VALUE_CHARACTERS_MAX);

/** A workflow as its attributes are read from it: its row, and whatever workitems are at hand. */
type View = Pick<Loaded, 'workitems'> & { readonly workflow: WorkflowRow };

const tagsIn = (row: WorkflowRow): readonly string[] =>
  mayHaveTags(row) ? [...new Set(tagsOf(row).filter(isShort))].sort() : [];

/** Whether a field may be there at all, without reading the texts. */
const mentions = ({ workflow, workitems }: View, key: string): boolean =>
  workflow.state.includes(key) ||
  workflow.fields.includes(key) ||
  [...workitems.values()].some(({ fields }) => fields?.includes(key) === true);

/** Whether the workitem is here that may hold the fields of the root. */
const isAtHand = ({ workitems }: View): boolean =>
  [...workitems.values()].some(({ path, state }) => path === '0' && state !== 'closed');

/** The values of fields; null: they are in a workitem that is not at hand. */
function valuesIn(view: View, fields: readonly AttributedField[]): ReadonlyMap<string, readonly string[]> | null {
  const found = fieldsAtHand({ ...bareView(view.workflow), workitems: view.workitems });
  if (found === null) return null;
  return new Map(
    fields.map(({ name, path }) => {
      const text = textOf(valueAt(found, path));
      return [name, text === null ? [] : [text]];
    }),
  );
}

/** All attributes of a workflow, for those names. */
export function attributesOf(
  row: WorkflowRow,
  workitem: WorkitemRow | null,
  { fields }: Attributed,
): ReadonlyMap<string, readonly string[]> {
  const workitems = new Map(workitem === null ? [] : [[workitem.id, workitem]]);
  const values = fields.length === 0 ? new Map() : (valuesIn({ workflow: row, workitems }, fields) ?? new Map());
  return new Map([[TAG, tagsIn(row)], ...values]);
}

/**
 * What steps have changed of the attributes of a workflow.
 *
 * @param before the rows as they were, as far as they were loaded; its workflow is null before the launch
 * @param after the same rows as they are now
 */
export function attributeChanges(before: Loaded, after: View, { fields }: Attributed): readonly AttributeChange[] {
  const { workflow } = after;
  const changes: AttributeChange[] = [];
  const change = (name: string, values: readonly string[]): void => {
    changes.push({
      ...{ workflow: workflow.id, tenant: workflow.tenant, launchedAt: workflow.launchedAt },
      ...{ name, values },
    });
  };
  const tags = tagsIn(workflow);
  const tagged = before.workflow === null ? [] : tagsIn(before.workflow);
  if (!isSame(tagged, tags)) change(TAG, tags);
  const first = before.workflow === null ? retryOf(workflow) : null;
  if (first !== null) change(RETRY, [first]);
  if (fields.length === 0) return changes;
  const was = before.workflow === null ? null : { workflow: before.workflow, workitems: before.workitems };
  const isMentioned = fields.some(({ key }) => mentions(after, key) || (was !== null && mentions(was, key)));
  if (!isMentioned && (was === null || isAtHand(was) || was.workflow.state === workflow.state)) return changes;
  // Fields that are not at hand are in a workitem that nobody has touched.
  const values = valuesIn(after, fields);
  if (values === null) return changes;
  const had = was === null ? NONE : valuesIn(was, fields);
  for (const { name } of fields) {
    const now = values.get(name) ?? [];
    if (had === null || !isSame(had.get(name) ?? [], now)) change(name, now);
  }
  return changes;
}
const NONE: ReadonlyMap<string, readonly string[]> = new Map();

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((value, i) => value === other[i]);
