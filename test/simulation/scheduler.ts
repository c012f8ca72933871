import { createHash } from 'node:crypto';

/*
 * Virtual time and chance. Everything that happens in a simulated world is an event of this scheduler: it takes the one that is due
 * first, runs it, lets every promise it resolved run to its end, and takes the next. With the same seed the same world happens again.
 */

/** Everything that is left to chance, from one seed. */
export type Random = {
  /** 0 ≤ x < 1 */
  fraction(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** Milliseconds: mostly short, sometimes long, so that everything overtakes everything now and then. */
  delay(): number;
};

export function makeRandom(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(fraction() * (high - low + 1));
  return {
    fraction,
    between,
    chance: (probability) => fraction() < probability,
    pick: (items) => items[Math.floor(fraction() * items.length)] as (typeof items)[number],
    delay: () => {
      const kind = fraction();
      if (kind < 0.75) return fraction() * 2;
      return kind < 0.97 ? fraction() * 30 : fraction() * 600;
    },
  };
}

export type Scheduler = {
  /** Virtual milliseconds since the world began. */
  readonly now: () => number;
  /** Runs `run` after so many virtual milliseconds. Returns how to call it off. */
  after(ms: number, what: string, run: () => void): () => void;
  /** A line of the trace; the hash of the run is made of them. */
  note(line: string): void;
  /** Lets the world go on until `done` says so or nothing is left to happen. Answers how many events happened. */
  run(done: () => boolean): Promise<number>;
  hash(): string;
  tail(lines: number): readonly string[];
};

type Event = { readonly at: number; readonly order: number; readonly what: string; run: (() => void) | null };

/** Events of one run; a world that goes on longer never rests. */
export const EVENTS_MAX = 400_000;
/** Lines of the trace that are kept. */
const TRACE_LINES_MAX = 20_000;

export function makeScheduler(): Scheduler {
  const heap: Event[] = [];
  const hash = createHash('sha1');
  let lines: string[] = [];
  let now = 0;
  let made = 0;
  let happened = 0;

  const earlier = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(event: Event): void {
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!earlier(event, heap[above] as Event)) break;
      heap[at] = heap[above] as Event;
      at = above;
    }
    heap[at] = event;
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && earlier(heap[below + 1] as Event, heap[below] as Event)) below += 1;
      if (!earlier(heap[below] as Event, last)) break;
      heap[at] = heap[below] as Event;
      at = below;
    }
    heap[at] = last;
    return first;
  }

  const note = (line: string): void => {
    const told = `${now.toFixed(2)} ${line}`;
    hash.update(told);
    lines.push(told);
    if (lines.length > TRACE_LINES_MAX * 2) lines = lines.slice(-TRACE_LINES_MAX);
  };

  return {
    now: () => now,
    after: (ms, what, run) => {
      const event: Event = { at: now + Math.max(0, ms), order: ++made, what, run };
      push(event);
      return () => {
        event.run = null;
      };
    },
    note,
    run: (done) =>
      new Promise((resolve, reject) => {
        const turn = (): void => {
          try {
            if (done()) {
              resolve(happened);
              return;
            }
            let event = pop();
            while (event !== undefined && event.run === null) event = pop();
            if (event === undefined) {
              resolve(happened);
              return;
            }
            happened += 1;
            if (happened > EVENTS_MAX) throw new Error(`The world did not rest within ${EVENTS_MAX} events`);
            now = event.at;
            if (event.what !== '') note(event.what);
            event.run?.();
            // Whatever was resolved by this runs to its end before the next turn.
            setImmediate(turn);
          } catch (error) {
            reject(error);
          }
        };
        setImmediate(turn);
      }),
    hash: () => hash.copy().digest('hex'),
    tail: (count) => lines.slice(-count),
  };
}
