import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Log } from '../runtime/log.ts';
import type { LargeThing, Meter } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';

/*
 * What is near to being refused for its size is said before it is: in the answer, in the log, in a figure. Whoever builds something that grows
 * hears of it while it still works.
 */

/** Of one tenant and kind the log has a line this often. */
const LINE_MS = 60_000;
/** Pairs of tenant and kind whose last line is remembered. */
const REMEMBERED_MAX = 10_000;

/** Says how large something is, of how much it may be. */
export type NoteSize = (what: LargeThing, size: number, most: number) => void;

export type LargeNotes = {
  /** For one request. */
  begin(tenant: Tenant): { readonly note: NoteSize; readonly header: () => string | null };
};

/** @param share of what may be, from which on it is told (PAYLOAD_WARN); 1: never */
export function makeLargeNotes(parts: {
  readonly share: number;
  readonly meter: Pick<Meter, 'large'>;
  readonly log: Log;
  readonly time: Pick<ProcessTime, 'now'>;
}): LargeNotes {
  const { share, meter, log, time } = parts;
  const toldAt = makeBoundedMap<number>(REMEMBERED_MAX);

  function tell(tenant: Tenant, what: LargeThing, words: string): void {
    meter.large(what);
    const key = `${tenant} ${what}`;
    if (time.now() - (toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < LINE_MS) return;
    toldAt.set(key, time.now());
    log.warn(`something is near to the size it may have: ${words}`, { event: 'payload.large', tenant, what });
  }

  return {
    begin: (tenant) => {
      let told: Map<LargeThing, string> | null = null;
      return {
        note: (what, size, most) => {
          if (share >= 1 || size < most * share || told?.has(what) === true) return;
          const words = `${what} ${shown(what, size, most)} of ${shown(what, most, most)}`;
          told ??= new Map();
          told.set(what, words);
          tell(tenant, what, words);
        },
        header: () => (told === null ? null : [...told.values()].join('; ')),
      };
    },
  };
}

const MEGABYTE = 1_000_000;
const KILOBYTE = 1_000;
/** In the unit of what there may be: bounds may be set far below a megabyte. */
function shown(what: LargeThing, size: number, most: number): string {
  if (what === 'expressions') return String(size);
  return most < MEGABYTE ? `${(size / KILOBYTE).toFixed(1)} kB` : `${(size / MEGABYTE).toFixed(1)} MB`;
}
