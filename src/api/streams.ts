import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Content, Sink } from './operation.ts';
import { Problem } from './problem.ts';

/* Answers that go on: counted apart from requests under way, and ended first when the server stops. */

/** Streams that may be open at once on this node. */
export const STREAMS_MAX = 500;

type Open = Extract<Content, { kind: 'stream' }>['open'];

export type Streams = {
  /**
   * Writes a stream until it is done, its client has gone, or the server stops.
   *
   * @throws Problem at once, before anything is written, when too many are open or the server stops
   */
  run(response: ServerResponse, open: Open): Promise<void>;
  /** Ends all of them; those that come later end at once. */
  end(): void;
  readonly open: () => number;
};

export function makeStreams(onError: (error: unknown) => void, most = STREAMS_MAX): Streams {
  const all = new Set<AbortController>();
  let isEnding = false;

  function run(response: ServerResponse, open: Open): Promise<void> {
    if (isEnding) throw new Problem('not_ready', 'The server is stopping; ask another node, or again in a moment');
    if (all.size >= most)
      throw new Problem('overloaded', `More than ${most} streams are open on this node; try again in a moment`);
    return write(response, open);
  }

  async function write(response: ServerResponse, open: Open): Promise<void> {
    const ending = new AbortController();
    const { signal } = ending;
    const end = (): void => ending.abort();
    all.add(ending);
    response.once('close', end);
    const ended = once(signal, 'abort');
    try {
      response.flushHeaders();
      await Promise.race([open(sinkOf(response, signal), signal), ended]);
    } catch (error) {
      if (!signal.aborted) {
        onError(error);
        // A stream that breaks off must not look like one that is done.
        response.destroy();
      }
    } finally {
      ending.abort();
      all.delete(ending);
      response.off('close', end);
      if (!response.writableEnded) response.end();
    }
  }

  return {
    run,
    end: () => {
      isEnding = true;
      for (const ending of all) ending.abort();
    },
    open: () => all.size,
  };
}

function sinkOf(response: ServerResponse, signal: AbortSignal): Sink {
  return {
    write: async (bit) => {
      if (signal.aborted || response.writableEnded) return;
      if (response.write(bit)) return;
      await once(response, 'drain', { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
  };
}
