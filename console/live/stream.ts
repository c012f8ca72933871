import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { HISTORY_KINDS } from '../../src/model/history-kinds.ts';
import { apiRoot } from '../address/router.ts';
import { can, operations, part } from '../api/calls.ts';
import { me } from '../api/session.ts';

/*
 * What changes by itself. With a stream of events a page reads again when something has happened and asks for nothing in between; without one, or
 * while it is broken, it reads again every few seconds while somebody looks. A page of one workflow has a stream of its own; all lists of all
 * tabs share one, which tells once a second whether anything happened at all.
 */

export const freshness = signal<'live' | 'catching up' | 'polling' | 'still'>('still');

/** Reads again at most so often while events come in, in milliseconds. */
const AT_MOST_EVERY_MS = 250;
const LIST_AT_MOST_EVERY_MS = 1_000;
const POLL_MS = 2_500;
/** How long a broken stream is waited for before polling, in milliseconds. */
const BROKEN_MS = 10_000;
/** How long nobody looks before a page gives its stream up: a browser has six connections for all its pages. */
const HIDDEN_MS = 60_000;

/** Calls `changed` when the workflow has moved (or, without a stream, may have). `over`: nothing can change any more. */
export function useWorkflowEvents(id: string, over: boolean, changed: () => void): void {
  const known = operations.value !== null;
  useEffect(() => {
    if (!known) return;
    if (over) {
      freshness.value = 'live';
      return () => {
        freshness.value = 'still';
      };
    }
    if (!can('GET /v1/workflows/{}/events')) return poll(changed, POLL_MS);
    return whileLooked(changed, () =>
      follow(`v1/workflows/${part(id)}/events`, HISTORY_KINDS, AT_MOST_EVERY_MS, changed),
    );
  }, [id, over, known]);
}

/** Lists and other pages without events of their own. `every`: how often without a stream, and at most with one, in milliseconds. */
export function usePolling(changed: () => void, every = POLL_MS): void {
  const latest = useRef(changed);
  latest.current = changed;
  const known = operations.value !== null;
  useEffect(() => {
    if (!known) return;
    const call = (): void => latest.current();
    if (!can('GET /v1/events/stream')) return poll(call, every);
    return whileLooked(call, () => share(call, every === POLL_MS ? LIST_AT_MOST_EVERY_MS : every));
  }, [known]);
}

function poll(changed: () => void, every: number): () => void {
  freshness.value = 'polling';
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') changed();
  }, every);
  return () => {
    clearInterval(timer);
    freshness.value = 'still';
  };
}

/** Begins something again when somebody looks, after telling what was missed, and ends it when nobody has looked for a while. */
function whileLooked(missed: () => void, begin: () => () => void): () => void {
  let end: (() => void) | null = begin();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (document.visibilityState === 'visible') {
      if (end !== null) return;
      missed();
      end = begin();
    } else
      timer = setTimeout(() => {
        end?.();
        end = null;
      }, HIDDEN_MS);
  };
  document.addEventListener('visibilitychange', look);
  return () => {
    document.removeEventListener('visibilitychange', look);
    if (timer !== null) clearTimeout(timer);
    end?.();
  };
}

/** At most one call in `ms`, the first at once, the last never lost. */
function atMostEvery(ms: number, call: () => void): { now(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let last = 0;
  return {
    now() {
      timer ??= setTimeout(
        () => {
          timer = null;
          last = Date.now();
          call();
        },
        Math.max(0, last + ms - Date.now()),
      );
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** A stream that the server, or a proxy before it, has refused is opened again after this, and after longer each time, in milliseconds. */
const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 30_000;

/** What happened between the reading a page began with and the opening of its stream is read so much later, when that page is painted, in milliseconds. */
const GAP_MS = 1_000;

function follow(path: string, kinds: readonly string[], every: number, changed: () => void): () => void {
  const soon = atMostEvery(every, changed);
  let isFirst = true;
  let gap: ReturnType<typeof setTimeout> | null = null;
  const tell = (): void => {
    if (gap !== null) clearTimeout(gap);
    gap = null;
    soon.now();
  };
  let stopPolling: (() => void) | null = null;
  let broken: ReturnType<typeof setTimeout> | null = null;
  let again: ReturnType<typeof setTimeout> | null = null;
  let refused = 0;
  let source = open();

  function open(): EventSource {
    const opened = new EventSource(new URL(path, apiRoot), { withCredentials: true });
    freshness.value = stopPolling === null ? 'catching up' : 'polling';
    opened.onopen = () => {
      if (broken !== null) clearTimeout(broken);
      broken = null;
      refused = 0;
      stopPolling?.();
      stopPolling = null;
      freshness.value = 'live';
      if (isFirst) gap = setTimeout(tell, GAP_MS);
      else tell();
      isFirst = false;
    };
    opened.onerror = () => {
      if (stopPolling === null) freshness.value = 'catching up';
      broken ??= setTimeout(() => {
        stopPolling ??= poll(changed, POLL_MS);
      }, BROKEN_MS);
      // A connection that is lost the browser opens again by itself, one that was refused never.
      if (opened.readyState === EventSource.CLOSED)
        again ??= setTimeout(reopen, Math.min(AGAIN_MS * 2 ** refused++, AGAIN_MS_MAX));
    };
    opened.onmessage = tell;
    for (const kind of [...kinds, 'reset']) opened.addEventListener(kind, tell);
    return opened;
  }
  function reopen(): void {
    if (again !== null) clearTimeout(again);
    again = null;
    source.close();
    source = open();
  }
  // Whoever is back does not wait for the browser's next try.
  const online = (): void => {
    if (source.readyState !== EventSource.OPEN) reopen();
  };
  window.addEventListener('online', online);
  return () => {
    window.removeEventListener('online', online);
    if (again !== null) clearTimeout(again);
    source.close();
    if (gap !== null) clearTimeout(gap);
    soon.stop();
    if (broken !== null) clearTimeout(broken);
    stopPolling?.();
    freshness.value = 'still';
  };
}

/* One stream for the lists of all tabs of one key and tenant: the tab that has the lock holds it and tells the others. */

/** Events of no workflow, so that only the counts of each second come. */
const DIGESTS = 'v1/events/stream?digest=1&workflow_id=none';

/** The lists of this tab; all of them are told. */
const lists = new Set<() => void>();
let leave: (() => void) | null = null;

function share(changed: () => void, every: number): () => void {
  const soon = atMostEvery(every, changed);
  lists.add(soon.now);
  leave ??= join();
  return () => {
    soon.stop();
    lists.delete(soon.now);
    if (lists.size > 0) return;
    leave?.();
    leave = null;
    freshness.value = 'still';
  };
}

const tellLists = (): void => {
  for (const one of lists) one();
};

function join(): () => void {
  // Over plain http from elsewhere there are no locks: then each tab has a stream of its own.
  if (navigator.locks === undefined) return follow(DIGESTS, ['digest'], LIST_AT_MOST_EVERY_MS, tellLists);
  const name = `rota.stream.${me.value?.id ?? 'open'}.${me.value?.tenant ?? ''}`;
  const channel = new BroadcastChannel(name);
  const ended = new AbortController();
  freshness.value = 'live';
  channel.onmessage = tellLists;
  navigator.locks
    .request(name, { signal: ended.signal }, async () => {
      // Whoever held it before may have gone with something untold: all are told when the stream is open.
      const stop = follow(DIGESTS, ['digest'], LIST_AT_MOST_EVERY_MS, () => {
        tellLists();
        channel.postMessage('changed');
      });
      await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
      stop();
    })
    .catch((error: unknown) => {
      // Given up before its turn came.
      if (!ended.signal.aborted) throw error;
    });
  return () => {
    ended.abort();
    channel.close();
  };
}
