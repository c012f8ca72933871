import { randomBytes } from 'node:crypto';
import { makeWorkflowId, type WorkflowId } from '../model/ids.ts';

/** Where chance comes in: fresh ids, tokens and jitter. Handed in everywhere, so that a simulation can repeat itself. */
export type Ids = {
  /** 32 hexadecimal digits: the seed of a step, a claim's token, a batch's token, a subid. */
  readonly hex: () => string;
  /** A fresh workflow id for a launch at `atMs` (milliseconds since 1970). */
  readonly workflow: (atMs: number) => WorkflowId;
  /** 0 ≤ fraction < 1, for jitter. */
  readonly fraction: () => number;
};

/** Bytes drawn from the system at once: a draw costs more than the bytes. */
const POOL_BYTES = 4096;

/** Ids nobody can guess, from the system's random source. */
export function randomIds(): Ids {
  let pool = '';
  let used = 0;
  const take = (digits: number): string => {
    if (used + digits > pool.length) {
      pool = randomBytes(POOL_BYTES).toString('hex');
      used = 0;
    }
    used += digits;
    return pool.slice(used - digits, used);
  };
  return idsFrom({ hex: () => take(32), uint24: () => Number.parseInt(take(6), 16) });
}

/** Ids that are the same for the same seed, for tests and the simulation. Not for anything a stranger may guess at. */
export function seededIds(seed: number): Ids {
  let state = seed >>> 0;
  // Mulberry32: 32 bits of state are plenty for ids that only have to differ within one run.
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const word = (): string => uint32().toString(16).padStart(8, '0');
  return idsFrom({ hex: () => word() + word() + word() + word(), uint24: () => uint32() >>> 8 });
}

const idsFrom = (source: { readonly hex: () => string; readonly uint24: () => number }): Ids => ({
  hex: source.hex,
  // 0 would be an empty word (model/ids.ts, mnemo).
  workflow: (atMs) => makeWorkflowId(atMs, [source.uint24() || 1, source.uint24() || 1]),
  fraction: () => source.uint24() / 2 ** 24,
});
