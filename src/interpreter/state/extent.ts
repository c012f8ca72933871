import type { Json } from '../../model/json.ts';
import { Bound, Tagged, type Value } from './state.ts';

/*
 * How large values are. Values share their parts, so that ten doublings of a field are ten small lists in memory and a thousand copies as
 * text: what counts here is the text. What was measured is remembered by its object, for values are never changed in place.
 */

/** `characters`: about those of its JSON. `depth`: lists and objects around its innermost part. */
export type Extent = { readonly characters: number; readonly depth: number };

const LITERAL: Extent = { characters: 5, depth: 0 };
/** A name and a path in a tree. */
const REFERENCE: Extent = { characters: 100, depth: 0 };
/** Quotes, colon and comma around a key and its value. */
const PUNCTUATION = 4;

export type Extents = WeakMap<object, Extent>;

/**
 * Measures a value.
 *
 * @param known what was measured before; null: nothing is remembered, which is cheaper for what is small
 * @param spend is told how many elements are looked at, and may throw to end the work
 * @param tooDeep is called (and throws) where a value is nested deeper than `depthMax`: nothing here recurs deeper than that
 */
export function measure(
  value: Value,
  known: Extents | null,
  spend: (elements: number) => void,
  depthMax: number,
  tooDeep: () => never,
): Extent {
  const sizeOf = (json: Json, level: number): Extent => {
    if (typeof json === 'string') return { characters: json.length + 2, depth: 0 };
    if (typeof json !== 'object' || json === null) return LITERAL;
    const before = known?.get(json);
    if (before !== undefined) {
      if (level + before.depth > depthMax) tooDeep();
      return before;
    }
    if (level >= depthMax) tooDeep();
    let characters = 2;
    let depth = 0;
    const keys = Array.isArray(json) ? null : Object.keys(json);
    const items = keys === null ? (json as readonly Json[]) : null;
    const count = keys?.length ?? items?.length ?? 0;
    spend(count);
    for (let i = 0; i < count; i++) {
      const key = keys?.[i];
      const item = (key === undefined ? items?.[i] : (json as { readonly [key: string]: Json })[key]) as Json;
      characters += key === undefined ? 1 : key.length + PUNCTUATION;
      if (typeof item === 'string') characters += item.length + 2;
      else if (typeof item !== 'object' || item === null) characters += LITERAL.characters;
      else {
        const extent = sizeOf(item, level + 1);
        characters += extent.characters;
        if (extent.depth > depth) depth = extent.depth;
      }
    }
    const extent = { characters, depth: depth + 1 };
    known?.set(json, extent);
    return extent;
  };
  return value instanceof Bound || value instanceof Tagged ? REFERENCE : sizeOf(value, 0);
}
