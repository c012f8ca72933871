import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Principal } from '../identity/principal.ts';
import { type ProcessTime, pause, realTime } from '../runtime/process-time.ts';
import type { Content, Sink } from './operation.ts';
import { Problem } from './problem.ts';

/* Answers that go on: counted apart from requests under way, and ended first when the server stops. */

/** Streams that one principal may have open on this node. Where nobody is asked who calls, only all of them together are counted. */
export const STREAMS_PER_PRINCIPAL_MAX = 100;
/** Whoever takes nothing for so long is cut off. What waits for it meanwhile is one bit, and what the socket holds. */
export const SLOW_MS_MAX = 30_000;

type Stream = Pick<Extract<Content, { kind: 'stream' }>, 'open' | 'farewell'>;
type Owner = Pick<Principal, 'kind' | 'id' | 'tenant'>;

/** How often it is looked at whether the caller still may. */
export const HOLDS_EVERY_MS = 60_000;

export type Streams = {
  /**
   * Writes a stream until it is done, its client has gone, takes nothing or may not any more, or the server stops.
   *
   * @param holds whether the caller still may, asked once a minute
   * @throws Problem at once, before anything is written, when too many are open or the server stops
   */
  run(response: ServerResponse, stream: Stream, owner: Owner, holds: () => boolean): Promise<void>;
  /** Ends all of them; those that come later are refused. */
  end(): void;
  readonly open: () => number;
  /** Since the start: why streams ended that were not done. */
  readonly figures: () => {
    readonly slow: number;
    readonly gone: number;
    readonly shutdown: number;
    readonly revoked: number;
  };
};

type Running = {
  readonly ending: AbortController;
  readonly response: ServerResponse;
  readonly farewell: (() => string) | null;
};

export function makeStreams(
  onError: (error: unknown) => void,
  { most, time = realTime }: { readonly most: number; readonly time?: ProcessTime },
): Streams {
  const all = new Set<Running>();
  const ofOwner = new Map<string, number>();
  const ended = { slow: 0, gone: 0, shutdown: 0, revoked: 0 };
  let isEnding = false;

  function run(response: ServerResponse, stream: Stream, owner: Owner, holds: () => boolean): Promise<void> {
    if (isEnding) throw new Problem('not_ready', 'The server is stopping; ask another node, or again in a moment');
    if (all.size >= most)
      throw new Problem('overloaded', `More than ${most} streams are open on this node; try again in a moment`);
    const key = owner.kind === 'open' ? null : `${owner.tenant} ${owner.id}`;
    if (key !== null && (ofOwner.get(key) ?? 0) >= STREAMS_PER_PRINCIPAL_MAX)
      throw new Problem(
        'rate_limited',
        `You have ${STREAMS_PER_PRINCIPAL_MAX} streams open on this node; end some first`,
      );
    return write(response, stream, key, holds);
  }

  function count(key: string | null, by: 1 | -1): void {
    if (key === null) return;
    const n = (ofOwner.get(key) ?? 0) + by;
    if (n === 0) ofOwner.delete(key);
    else ofOwner.set(key, n);
  }

  async function write(
    response: ServerResponse,
    { open, farewell }: Stream,
    key: string | null,
    holds: () => boolean,
  ): Promise<void> {
    const ending = new AbortController();
    const { signal } = ending;
    const one: Running = { ending, response, farewell: farewell ?? null };
    const end = (): void => {
      if (!signal.aborted) ended.gone += 1;
      ending.abort();
    };
    all.add(one);
    count(key, 1);
    response.once('close', end);
    const aborted = once(signal, 'abort');
    const look = (): void => {
      if (holds()) cancelLook = time.after(HOLDS_EVERY_MS, look);
      else {
        ended.revoked += 1;
        ending.abort();
      }
    };
    let cancelLook = time.after(HOLDS_EVERY_MS, look);
    try {
      response.flushHeaders();
      await Promise.race([open(sinkOf(response, signal, tooSlow), signal), aborted]);
    } catch (error) {
      if (!signal.aborted) {
        onError(error);
        // A stream that breaks off must not look like one that is done.
        response.destroy();
      }
    } finally {
      cancelLook();
      response.off('close', end);
      ending.abort();
      all.delete(one);
      count(key, -1);
      if (!response.writableEnded) response.end();
    }

    function tooSlow(): void {
      if (signal.aborted) return;
      ended.slow += 1;
      ending.abort();
      response.destroy();
    }
  }

  /** The parting words, to those who read; for others nobody waits. */
  function stop({ ending, response, farewell }: Running): void {
    ended.shutdown += 1;
    ending.abort();
    if (response.writableNeedDrain) response.destroy();
    else response.end(farewell?.());
  }

  function sinkOf(response: ServerResponse, signal: AbortSignal, tooSlow: () => void): Sink {
    return {
      write: async (bit) => {
        if (signal.aborted || response.writableEnded) return;
        if (response.write(bit)) return;
        const drained = new AbortController();
        void pause(time, SLOW_MS_MAX, drained.signal).then(() => {
          if (!drained.signal.aborted) tooSlow();
        });
        await once(response, 'drain', { signal })
          .catch((error: unknown) => {
            if (!signal.aborted) throw error;
          })
          .finally(() => drained.abort());
      },
    };
  }

  return {
    run,
    end: () => {
      isEnding = true;
      for (const one of all) stop(one);
    },
    open: () => all.size,
    figures: () => ended,
  };
}
