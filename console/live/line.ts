/* One line to the server: streams that follow each other, what is told of how fresh the page is, and, while none is to be had, time itself. */

export type Freshness = 'live' | 'catching up' | 'polling' | 'still';

/** Without a stream what is shown is read again so often, in milliseconds. */
export const POLL_MS = 5_000;
/** How long a broken stream is waited for before polling, in milliseconds. */
export const BROKEN_MS = 10_000;

export type Heard = {
  event(kind: string, data: string): void;
  opened(): void;
  /** It is tried again by itself. `status` of a refusal; null: it was cut. */
  lost(status: number | null): void;
};
export type Source = {
  /** The last place the stream has told; null before the first. */
  readonly place: () => string | null;
  /** Tries at once, where it is waiting to. */
  again(): void;
  stop(): void;
};

/** What has happened. `ids` null: everything may have changed. `digest`: something did, somewhere. `polled`: that is a guess. */
export type Happened = {
  readonly ids: readonly string[] | null;
  readonly digest: boolean;
  readonly polled: boolean;
};
export const EVERYTHING: Happened = { ids: null, digest: true, polled: false };

/** Events that come together are told together, in milliseconds. */
export const GATHERED_MS = 50;
/** What happened between the reading a page began with and the opening of its stream is read so much later, when that page is painted, in milliseconds. */
export const GAP_MS = 1_000;

export type Line = {
  /** `added`: workflows that were not followed before; left out: it is all new. */
  open(path: string, added?: readonly string[], refused?: (status: number) => void): void;
  close(): void;
};

/** One stream after the other, with what is told of how fresh it is; while it is lost for long, time itself is what happens. */
export function makeLine({
  tell,
  state,
  openSource,
  after,
}: {
  readonly tell: (happened: Happened) => void;
  readonly state: (state: Freshness) => void;
  readonly openSource: (path: string, heard: Heard, from: string | null) => Source;
  /** Runs something after so many milliseconds. @returns calls it off */
  readonly after: (ms: number, run: () => void) => () => void;
}): Line {
  let source: Source | null = null;
  let broken: (() => void) | null = null;
  let polling: (() => void) | null = null;
  let gathering: (() => void) | null = null;
  let ids = new Set<string>();
  let isDigest = false;
  /** What may have been missed before a stream was open; null: it was open before, and all of it may have been. */
  let first: Happened | null = EVERYTHING;
  let gap: (() => void) | null = null;
  let isRefused: ((status: number) => void) | null = null;

  const whole = (): void => {
    broken?.();
    polling?.();
    broken = null;
    polling = null;
  };
  function gather(id: string | null): void {
    if (id === null) isDigest = true;
    else ids.add(id);
    gathering ??= after(GATHERED_MS, () => {
      gathering = null;
      const happened = { ids: [...ids], digest: isDigest, polled: false };
      ids = new Set();
      isDigest = false;
      tell(happened);
    });
  }
  function poll(): void {
    polling = after(POLL_MS, () => {
      poll();
      tell({ ...EVERYTHING, polled: true });
    });
  }
  return {
    open(path, added, refused) {
      const place = source?.place() ?? null;
      const isNew = source === null;
      isRefused = refused ?? null;
      source?.stop();
      // What was not told yet of the one before is told with everything else.
      const isAll = isNew || added === undefined || gap !== null;
      first = isAll ? EVERYTHING : { ids: added, digest: false, polled: false };
      gap?.();
      gap = null;
      if (isNew) state('catching up');
      source = openSource(
        path,
        {
          opened() {
            whole();
            state('live');
            const missed = first;
            first = null;
            if (missed === null) tell(EVERYTHING);
            else
              gap ??= after(GAP_MS, () => {
                gap = null;
                tell(missed);
              });
          },
          lost(status) {
            first = null;
            if (status !== null) isRefused?.(status);
            // Whoever was told may have given it up.
            if (source === null) return;
            if (polling === null) state('catching up');
            broken ??= after(BROKEN_MS, () => {
              state('polling');
              if (polling === null) poll();
            });
          },
          event(kind, data) {
            if (kind === 'digest') gather(null);
            else if (kind === 'reset') tell(EVERYTHING);
            else if (kind !== 'live' && kind !== 'shutdown') gather(/"workflow_id":"([\w-]+)"/.exec(data)?.[1] ?? null);
          },
        },
        place,
      );
    },
    close() {
      source?.stop();
      source = null;
      whole();
      for (const callOff of [gathering, gap]) callOff?.();
      gathering = null;
      gap = null;
    },
  };
}
