import type { Fields, Json, JsonObject } from '../model/json.ts';
import { withKey, withoutKeys } from '../model/json.ts';
import type { WorkitemRow } from '../model/rows.ts';

/** Fields a participant is never given from before: they are about somebody else's turn (language.md 8). */
export const NOT_DELIVERED: readonly string[] = ['t', '__result__'];

/** Fields that are ours; a participant or a launch cannot set them (contract.md). */
export const OURS: readonly string[] = ['params', 'dispatched_at'];

/**
 * The fields of a workitem as its participant is given them.
 *
 * @param base the value of the base row the workitem inherits from (`row.inherits`), or null when it has its own
 */
export function deliveredFields(row: WorkitemRow, base: string | null): Fields {
  const added = row.added === null ? {} : (JSON.parse(row.added) as JsonObject);
  if (row.fields !== null) {
    const fields = JSON.parse(row.fields) as Fields;
    return row.added === null ? fields : { ...fields, ...added };
  }
  const inherited = base === null ? {} : baseFields(base);
  return { ...withKey(withoutKeys(inherited, ...NOT_DELIVERED), 'params', JSON.parse(row.params) as Json), ...added };
}

/**
 * The fields kept in a base row (its value is encoded as any variable's).
 *
 * The last one is remembered: the many workitems of a wide fork come one after the other, and all refer to the same large text.
 */
export function baseFields(value: string): Fields {
  if (lastBase?.value === value) return lastBase.fields;
  const [, table, packed] = JSON.parse(value) as [unknown, Json[], { o: number }];
  const fields = table[packed.o] as Fields;
  lastBase = { value, fields };
  return fields;
}
let lastBase: { readonly value: string; readonly fields: Fields } | null = null;

/** What is merged over a workitem's fields when its participant proceeds: given keys win, one level deep; ours are ignored. */
export const mergeGiven = (fields: Fields, given: Fields): Fields => ({
  ...withoutKeys(fields, ...OURS),
  ...withoutKeys(given, ...OURS),
});
