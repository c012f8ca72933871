import type { ProcessTime } from '../runtime/process-time.ts';
import type { UntilUsed } from '../runtime/until-used.ts';
import type { Occasional, Store } from '../store/store.ts';

/** Waits for what most installations have none of, without a question for each: what the node asks anyway tells of all of them. */
export type InUse = {
  of(kind: Occasional): UntilUsed;
  stop(): void;
};

/** Where nothing was told for so long, whoever waits looks for itself. */
export const UNTOLD_MS_MAX = 30_000;

export function makeInUse({
  store,
  time,
}: {
  readonly store: Pick<Store, 'onGlance'>;
  readonly time: ProcessTime;
}): InUse {
  const waiting = new Set<{ readonly kind: Occasional; readonly go: () => void }>();
  let toldAt = Number.NEGATIVE_INFINITY;
  const stop = store.onGlance(({ inUse }) => {
    toldAt = time.now();
    for (const { kind, go } of [...waiting]) if (inUse[kind]) go();
  });
  return {
    stop,
    of: (kind) => (wake) => {
      let cancel = (): void => {};
      const end = (): void => {
        cancel();
        waiting.delete(one);
      };
      const one = {
        kind,
        go: () => {
          end();
          wake();
        },
      };
      const look = (): void => {
        const quietMs = time.now() - toldAt;
        if (quietMs >= UNTOLD_MS_MAX) one.go();
        else cancel = time.after(UNTOLD_MS_MAX - quietMs, look);
      };
      cancel = time.after(UNTOLD_MS_MAX, look);
      waiting.add(one);
      return end;
    },
  };
}
