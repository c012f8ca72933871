/** A map that forgets what was not used for longest once it weighs too much. */
export type BoundedMap<Value> = {
  get(key: string): Value | undefined;
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
  readonly size: number;
};

/**
 * Makes a map of at most `weightMax`; an entry weighs 1 unless told otherwise. An entry heavier than the whole map is not kept.
 */
export function makeBoundedMap<Value>(weightMax: number): BoundedMap<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  let weightNow = 0;
  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    weightNow -= entry.weight;
  };
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // A Map keeps the order of insertion: the least recently used entry is the first. While there is room, nobody asks for the order.
      if (weightNow > weightMax / 2) {
        entries.delete(key);
        entries.set(key, entry);
      }
      return entry.value;
    },
    set: (key, value, weight = 1) => {
      remove(key);
      if (weight > weightMax) return;
      entries.set(key, { value, weight });
      weightNow += weight;
      for (const oldest of entries.keys()) {
        if (weightNow <= weightMax) break;
        remove(oldest);
      }
    },
    delete: remove,
    get size() {
      return entries.size;
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
      items = [...back, ...items.slice(head)];
      head = 0;
    },
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
