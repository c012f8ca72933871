/*
 * What the rooms tell of their work as it happens, each with one call. Whoever wants figures of it (runtime/metrics.ts, server/minutes.ts) is a
 * meter; a call counts in memory and does nothing else. Nothing told here is an id, a URL, or a text that callers choose, but the tenant and
 * the host, which meters keep to a bounded number of.
 */

/** How a try ended. `blocked`: its URL may not be called; `dropped`: no request has left. */
export type TryOutcomeClass = '2xx' | '3xx' | '4xx' | '5xx' | 'timeout' | 'unreachable' | 'blocked' | 'dropped';

export type TryMeasured = {
  readonly tenant: string;
  readonly host: string;
  /** Which message: `active`, or which notice. */
  readonly message: string;
  readonly outcome: TryOutcomeClass;
  readonly seconds: number;
  /** How long after it was due it began. */
  readonly lateSeconds: number;
  /** 1, 2, … */
  readonly number: number;
};

export type Meter = {
  readonly launched: (tenant: string) => void;
  /** `completed`, `cancelled`, `killed`. */
  readonly ended: (tenant: string, status: string) => void;
  /** A stimulus was handled; `seconds` from its arrival until it was committed. */
  readonly step: (tenant: string, event: string, seconds: number) => void;
  /** A batch of so many entries was handled; `wrote`: in a transaction that changed something. */
  readonly batch: (entries: number, wrote: boolean) => void;
  /** What a batch changed was written, in so long. */
  readonly saved: (seconds: number) => void;
  /** `stale`: what was remembered had moved on; `lost`: the transaction was lost; `busy`: locked elsewhere. */
  readonly rerun: (reason: 'stale' | 'lost' | 'busy') => void;
  readonly tried: (one: TryMeasured) => void;
  /** The last try of a message has failed. */
  readonly exhausted: () => void;
  /** A workitem was proceeded that had been open so long. */
  readonly waited: (seconds: number) => void;
  /** A timer fired, so late. */
  readonly timer: (tenant: string, lagSeconds: number) => void;
  /** A request was answered. `operation`: its id; null: there was none. `code`: of a problem. */
  readonly request: (operation: string | null, status: number, seconds: number, code: string | null) => void;
  /** Somebody said who they are, or did not. */
  readonly authenticated: (method: string, outcome: string) => void;
  /** What came of so many items of batches. */
  readonly batchItems: (action: string, outcome: 'done' | 'failed' | 'skipped', count: number) => void;
  /** Something is larger than PAYLOAD_WARN of what it may be. */
  readonly large: (what: LargeThing) => void;
};

/** What is warned of before it is too large. */
export type LargeThing = 'body' | 'definition' | 'fields' | 'expressions';

const nothing = (): void => {};

/** For whoever wants no figures. */
export const NO_METER: Meter = {
  launched: nothing,
  ended: nothing,
  step: nothing,
  batch: nothing,
  saved: nothing,
  rerun: nothing,
  tried: nothing,
  exhausted: nothing,
  waited: nothing,
  timer: nothing,
  request: nothing,
  authenticated: nothing,
  batchItems: nothing,
  large: nothing,
};

/** The first, which takes all calls, and a second, which takes some of them. */
export function bothMeters(first: Meter, second: Partial<Meter>): Meter {
  const both: { [name: string]: unknown } = { ...first };
  for (const [name, tell] of Object.entries(second)) {
    const one = first[name as keyof Meter] as (...given: readonly unknown[]) => void;
    const other = tell as (...given: readonly unknown[]) => void;
    both[name] = (...given: readonly unknown[]) => {
      one(...given);
      other(...given);
    };
  }
  return both as Meter;
}
