import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Column } from './tables/of-workflow.ts';

/*
 * Rows as the JSON text that a statement reads. A save has some rows for each step, so their text is put together directly: objects made
 * only to be printed cost twice as much.
 */

/** One row, and the shard it belongs to (a definition belongs to none: 0). */
export type RowText = { readonly s: number; readonly text: string };

/** `,"name":` of each column of a list, made once. */
const heads = new WeakMap<readonly Column[], readonly string[]>();

function headsOf(columns: readonly Column[]): readonly string[] {
  let found = heads.get(columns);
  if (found === undefined) {
    found = columns.map(({ column }) => `,"${column}":`);
    heads.set(columns, found);
  }
  return found;
}

const valueText = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : `${value}`);

/** `,"id":"…","ver":1`: the parts of a row by the names of their columns; what is null is left out. Each is a text, a number or a truth value. */
export function partsText<Row>(columns: readonly Column[], row: Row): string {
  const source = row as { readonly [key: string]: unknown };
  const names = headsOf(columns);
  let text = '';
  for (let i = 0; i < columns.length; i++) {
    const value = source[(columns[i] as Column).key];
    if (value !== null && value !== undefined) text += (names[i] as string) + valueText(value);
  }
  return text;
}

/** The same of a patch, where null is a value and what is missing is not set; as an object of its own. */
export function patchText<Row>(columns: readonly Column[], set: Partial<Row>): string {
  const source = set as { readonly [key: string]: unknown };
  const names = headsOf(columns);
  let text = '';
  for (let i = 0; i < columns.length; i++) {
    const value = source[(columns[i] as Column).key];
    if (value !== undefined) text += (names[i] as string) + valueText(value);
  }
  return `{${text.slice(1)}}`;
}

/** `,"name":"…"` of one value more; nothing for null. */
export const partText = (name: string, value: string | number | null): string =>
  value === null ? '' : `,"${name}":${valueText(value)}`;

/** Where rows of a workflow are. */
export type Place = { readonly workflow: WorkflowId; readonly s: number; readonly head: string };

export const placeOf = (workflow: WorkflowId): Place => {
  const s = shardOf(workflow);
  return { workflow, s, head: `{"s":${s},"w":${JSON.stringify(workflow)}` };
};

/** A row at its place; `parts` begin with a comma each. */
export function rowText({ s, head }: Place, ...parts: readonly string[]): RowText {
  let text = head;
  // Joined they would be copied, and some are megabytes long.
  for (const part of parts) text += part;
  return { s, text: `${text}}` };
}

/** All rows of one kind, as the parameter that its piece of the statement reads. */
export function listText(rows: readonly RowText[]): string {
  let text = '';
  for (const row of rows) text += text === '' ? row.text : `,${row.text}`;
  return `[${text}]`;
}
