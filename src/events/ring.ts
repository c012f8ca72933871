import type { WorkflowId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Frame } from './frames.ts';
import { atPosition, isBehind, type Place } from './place.ts';

/** One history row, printed. */
export type RingItem = {
  /** Of its last entry. */
  readonly place: Place;
  readonly tenant: Tenant;
  readonly workflow: WorkflowId;
  readonly frames: readonly (Frame & { readonly place: Place })[];
  readonly characters: number;
};

/** The last rows of all, in their order. */
export type Ring = {
  push(items: readonly RingItem[]): void;
  /** Whether everything behind `place` that was pushed is still there. */
  has(place: Place): boolean;
  /** What comes behind `place`, the first items up to about so many characters. */
  behind(place: Place, charactersMax: number): readonly RingItem[];
  /** Throws everything away; what comes next follows `start`. */
  clear(start: Place): void;
  readonly bytes: () => number;
};

/** Beside its text an item has objects. */
const ITEM_BYTES = 300;
/** Texts of characters below 256 take a byte each. */
const bytesOf = ({ characters }: RingItem): number => characters + ITEM_BYTES;

/** @param bytesMax what the ring may take up, about */
export function makeRing(bytesMax: number): Ring {
  let items: RingItem[] = [];
  let start = atPosition(0);
  let bytes = 0;
  return {
    push: (more) => {
      for (const item of more) {
        items.push(item);
        bytes += bytesOf(item);
      }
      let gone = 0;
      while (bytes > bytesMax && gone < items.length) {
        const item = items[gone++] as RingItem;
        bytes -= bytesOf(item);
        start = item.place;
      }
      if (gone > 0) items = items.slice(gone);
    },
    has: (place) => !isBehind(place, start),
    behind: (place, charactersMax) => {
      let [low, high] = [0, items.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (isBehind(place, (items[middle] as RingItem).place)) high = middle;
        else low = middle + 1;
      }
      let end = low;
      for (let characters = 0; end < items.length && characters < charactersMax; end++)
        characters += (items[end] as RingItem).characters;
      return items.slice(low, end);
    },
    clear: (from) => {
      items = [];
      bytes = 0;
      start = from;
    },
    bytes: () => bytes,
  };
}
