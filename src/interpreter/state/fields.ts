import type { Fields, Json, JsonObject } from '../../model/json.ts';
import { withKey, withoutKeys } from '../../model/json.ts';
import { REASON, type WorkitemRow } from '../../model/rows.ts';

/** Fields a participant is never given from before: they are about somebody else's turn (docs/definitions.md, participant). */
export const NOT_DELIVERED: readonly string[] = ['t', '__result__'];

/** Fields that are ours; a participant or a launch cannot set them (docs/api-v1.md, Launch). */
export const OURS: readonly string[] = ['params', 'dispatched_at'];

/**
 * The fields of a workitem as its participant is given them.
 *
 * @param base the value of the base row the workitem inherits from (`row.inherits`), or null when it has its own
 */
export function deliveredFields(row: WorkitemRow, base: string | null): Fields {
  const added = addedTo(row);
  if (row.fields !== null) {
    const fields = JSON.parse(row.fields) as Fields;
    return row.added === null ? fields : { ...fields, ...added };
  }
  const inherited = base === null ? {} : baseFields(base);
  return { ...withKey(withoutKeys(inherited, ...NOT_DELIVERED), 'params', JSON.parse(row.params) as Json), ...added };
}

/** What is merged over the fields. */
export const addedTo = ({ added }: Pick<WorkitemRow, 'added'>): JsonObject =>
  added === null ? NOTHING_ADDED : withoutKeys(JSON.parse(added) as JsonObject, REASON);
const NOTHING_ADDED: JsonObject = {};

/** JSON of a workitem's fields as its participant is given them, in two parts, one behind the other. */
export type DeliveredText = {
  /** The same text for all workitems that inherit from one base; empty for others. */
  readonly shared: string;
  readonly own: string;
};

/** As `deliveredFields`, as text: of what the many workitems of a wide fork have in common it is made once. */
export function deliveredText(row: WorkitemRow, base: string | null): DeliveredText {
  if (row.fields !== null && row.added === null) return { shared: '', own: row.fields };
  if (row.fields === null && base !== null) {
    const opened = openedBase(base);
    const added = addedTo(row);
    if (['params', ...Object.keys(added)].every((key) => !Object.hasOwn(opened.delivered, key))) {
      opened.text ??= JSON.stringify(opened.delivered).slice(0, -1);
      const own = JSON.stringify({ params: JSON.parse(row.params) as Json, ...added });
      return { shared: opened.text, own: `${opened.text === '{' ? '' : ','}${own.slice(1)}` };
    }
  }
  return { shared: '', own: JSON.stringify(deliveredFields(row, base)) };
}

/** The fields kept in a base row (its value is encoded as any variable's). */
export const baseFields = (value: string): Fields => openedBase(value).fields;

type OpenedBase = { value: string; readonly fields: Fields; readonly delivered: Fields; text: string | null };

/** The last one is remembered: the many workitems of a wide fork come one after the other, and all refer to the same large text. */
let lastBase: OpenedBase | null = null;

function openedBase(value: string): OpenedBase {
  if (lastBase?.value === value) {
    // Compared in full only once: the next time it is the very same text.
    lastBase.value = value;
    return lastBase;
  }
  const [, table, packed] = JSON.parse(value) as [unknown, Json[], { o: number }];
  const fields = table[packed.o] as Fields;
  lastBase = { value, fields, delivered: withoutKeys(fields, ...NOT_DELIVERED), text: null };
  return lastBase;
}

/** What is merged over a workitem's fields when its participant proceeds: given keys win, one level deep; ours are ignored. */
export const mergeGiven = (fields: Fields, given: Fields): Fields => ({
  ...withoutKeys(fields, ...OURS),
  ...withoutKeys(given, ...OURS),
});
