/** A map that forgets what was not used for long once it weighs too much. */
export type BoundedMap<Value> = {
  get(key: string): Value | undefined;
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
  readonly size: number;
};

/**
 * Makes a map of at most `weightMax`; an entry weighs 1 unless told otherwise. An entry heavier than the whole map is not kept.
 *
 * It is two maps, a young one and an old one. What is used moves to the young one; when that has taken up half the weight it becomes the
 * old one, and what was left in the old one is forgotten. So at least the half used last is always there, and forgetting costs
 * nothing. (One map whose first entry is deleted again and again has to step over all that were deleted before.)
 */
export function makeBoundedMap<Value>(weightMax: number): BoundedMap<Value> {
  type Entry = { readonly value: Value; readonly weight: number };
  type Generation = { readonly entries: Map<string, Entry>; weight: number };
  const generation = (): Generation => ({ entries: new Map(), weight: 0 });
  let young = generation();
  let old = generation();
  const removeFrom = (from: Generation, key: string): void => {
    const entry = from.entries.get(key);
    if (entry === undefined) return;
    from.entries.delete(key);
    from.weight -= entry.weight;
  };
  const remove = (key: string): void => {
    removeFrom(young, key);
    removeFrom(old, key);
  };
  const add = (key: string, entry: Entry): void => {
    if (young.weight + entry.weight > weightMax / 2 && young.weight > 0) {
      old = young;
      young = generation();
    }
    if (old.weight + young.weight + entry.weight > weightMax) old = generation();
    young.entries.set(key, entry);
    young.weight += entry.weight;
  };
  return {
    get: (key) => {
      const entry = young.entries.get(key);
      if (entry !== undefined) return entry.value;
      const older = old.entries.get(key);
      if (older === undefined) return undefined;
      removeFrom(old, key);
      add(key, older);
      return older.value;
    },
    set: (key, value, weight = 1) => {
      remove(key);
      if (weight <= weightMax) add(key, { value, weight });
    },
    delete: remove,
    get size() {
      return young.entries.size + old.entries.size;
    },
  };
}

/** First in, first out, without the cost of moving what stays behind. */
export type Queue<Item> = {
  readonly size: number;
  push(item: Item): void;
  /** Puts items back where they came from, before everything else. */
  unshift(items: readonly Item[]): void;
  shift(): Item | undefined;
  /** The one that `shift` would take. */
  first(): Item | undefined;
};

export function makeQueue<Item>(): Queue<Item> {
  let items: (Item | undefined)[] = [];
  let head = 0;
  return {
    get size() {
      return items.length - head;
    },
    push: (item) => {
      items.push(item);
    },
    unshift: (back) => {
      if (back.length === 0) return;
      items = [...back, ...items.slice(head)];
      head = 0;
    },
    first: () => items[head],
    shift: () => {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head++] = undefined;
      // Half of it used up: moving the rest costs no more than it took to get here.
      if (head > 64 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
  };
}
