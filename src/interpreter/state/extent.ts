import type { Json } from '../../model/json.ts';
import { Bound, Tagged, type Value } from './state.ts';

/*
 * How large values are. Values share their parts, so that ten doublings of a field are ten small lists in memory and a thousand copies as
 * text: what counts here is the text. What was measured is remembered by its object, for values are never changed in place.
 */

/** `characters`: about those of its JSON. `depth`: lists and objects around its innermost part. */
export type Extent = { readonly characters: number; readonly depth: number };

const LITERAL_CHARACTERS = 5;
/** A name and a path in a tree. */
const REFERENCE: Extent = { characters: 100, depth: 0 };
/** Quotes, colon and comma around a key and its value. */
const PUNCTUATION = 4;

/** What has fewer characters is measured again rather than remembered: that is quicker. */
const REMEMBERED_CHARACTERS_MIN = 500;

export type Extents = WeakMap<object, Extent>;

type Measuring = {
  readonly known: Extents | null;
  readonly spend: (elements: number) => void;
  readonly depthMax: number;
  readonly tooDeep: () => never;
  /** Of what was measured last. */
  depth: number;
};

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
  if (value instanceof Bound || value instanceof Tagged) return REFERENCE;
  const measuring = { known, spend, depthMax, tooDeep, depth: 0 };
  const characters = charactersOf(measuring, value, 0);
  return { characters, depth: measuring.depth };
}

function charactersOf(measuring: Measuring, json: Json, level: number): number {
  if (typeof json === 'string' || typeof json !== 'object' || json === null) {
    measuring.depth = 0;
    return typeof json === 'string' ? json.length + 2 : LITERAL_CHARACTERS;
  }
  const before = measuring.known?.get(json);
  if (before !== undefined) {
    if (level + before.depth > measuring.depthMax) measuring.tooDeep();
    measuring.depth = before.depth;
    return before.characters;
  }
  if (level >= measuring.depthMax) measuring.tooDeep();
  let characters = 2;
  let depth = 0;
  if (Array.isArray(json)) {
    measuring.spend(json.length);
    for (const item of json as readonly Json[]) {
      characters += charactersOf(measuring, item, level + 1) + 1;
      if (measuring.depth > depth) depth = measuring.depth;
    }
  } else {
    const keys = Object.keys(json);
    measuring.spend(keys.length);
    for (const key of keys) {
      const item = (json as { readonly [key: string]: Json })[key] as Json;
      characters += charactersOf(measuring, item, level + 1) + key.length + PUNCTUATION;
      if (measuring.depth > depth) depth = measuring.depth;
    }
  }
  depth += 1;
  measuring.depth = depth;
  if (characters >= REMEMBERED_CHARACTERS_MIN) measuring.known?.set(json, { characters, depth });
  return characters;
}
