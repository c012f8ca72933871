import { createHash } from 'node:crypto';
import type { Fields, Json, JsonObject } from '../model/json.ts';

/*
 * Fields where many are shown at once: a large one is told by its size and hash, and shown whole where its workitem is asked for alone.
 */

/** A field whose JSON has more bytes than this is told by size and hash in lists and in the view of a workflow. */
export const FIELD_SHOWN_BYTES_MAX = 64 * 1024;

/** `sha256`: of the field's JSON in UTF-8, as it is printed where it is shown whole. */
export type Large = { readonly bytes: number; readonly sha256: string };

export type Abridged = {
  readonly fields: Fields;
  /** By name; none of them is among `fields`. */
  readonly large: ReadonlyMap<string, Large>;
};

export function abridged(fields: Fields): Abridged {
  const small: [string, Json][] = [];
  const large = new Map<string, Large>();
  for (const [name, value] of Object.entries(fields)) {
    const measured = largeOf(value);
    if (measured === null) small.push([name, value]);
    else large.set(name, measured);
  }
  return { fields: large.size === 0 ? fields : Object.fromEntries(small), large };
}

function largeOf(value: Json): Large | null {
  if (typeof value !== 'object' && typeof value !== 'string') return null;
  // A text has at least as many bytes as units.
  if (value === null || (typeof value === 'string' && value.length * 6 + 2 <= FIELD_SHOWN_BYTES_MAX)) return null;
  const json = JSON.stringify(value);
  if (json.length * 3 <= FIELD_SHOWN_BYTES_MAX) return null;
  const bytes = Buffer.byteLength(json);
  return bytes <= FIELD_SHOWN_BYTES_MAX ? null : { bytes, sha256: createHash('sha256').update(json).digest('hex') };
}

/** `own` over `shared`, without the names of `shared` that are left out. */
export function over(shared: Abridged, own: Abridged, isShown: (name: string) => boolean): Abridged {
  if (shared.large.size === 0 && Object.keys(shared.fields).length === 0) return own;
  const fields: [string, Json][] = [];
  const large = new Map<string, Large>();
  for (const [name, value] of Object.entries(shared.fields))
    if (isShown(name) && !own.large.has(name)) fields.push([name, value]);
  for (const [name, value] of shared.large)
    if (isShown(name) && !Object.hasOwn(own.fields, name)) large.set(name, value);
  for (const [name, value] of own.large) large.set(name, value);
  return { fields: { ...Object.fromEntries(fields), ...own.fields }, large };
}

/** Beside `fields`, where there are any. */
export const largeView = (large: Abridged['large']): JsonObject =>
  large.size === 0
    ? {}
    : { large_fields: Object.fromEntries([...large].map(([name, { bytes, sha256 }]) => [name, { bytes, sha256 }])) };
