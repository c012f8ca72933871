import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { tenant } from '../address/tenant.ts';
import { can, newKey, operations, part } from '../api/calls.ts';
import { me } from '../api/session.ts';
import { type Freshness, type Happened, makeLine, POLL_MS } from './line.ts';
import { openSource } from './source.ts';

/*
 * What changes by itself. With a stream of events a page reads again when something has happened and asks for nothing in between; without one, or
 * while it is broken, it reads again every few seconds while somebody looks. All pages of all tabs of one key and tenant share one stream: it brings the
 * events of the workflows they show, and says once a second whether anything happened at all, which is what lists want to know.
 */

export const freshness = signal<Freshness>('still');

/** Reads again at most so often while events come in, in milliseconds; where they do not cease for so many readings, less often. */
const AT_MOST_EVERY_MS = 250;
const BUSY_AFTER = 8;
const BUSY_EVERY_MS = 1_000;
const LIST_AT_MOST_EVERY_MS = 1_000;
/** How long nobody looks before a page gives its stream up: a browser has six connections for all its pages. */
const HIDDEN_MS = 60_000;

/** Calls `changed` when the workflow has moved (or, without a stream, may have). `over`: nothing can change any more. */
export function useWorkflowEvents(id: string, over: boolean, changed: () => void): void {
  const known = operations.value !== null;
  useEffect(() => {
    if (!known || over) return;
    if (can('GET /v1/events/stream')) return whileLooked(changed, () => share([id], false, AT_MOST_EVERY_MS, changed));
    if (can('GET /v1/workflows/{}/events')) return whileLooked(changed, () => alone(id, changed));
    return poll(changed, POLL_MS);
  }, [id, over, known]);
}

/**
 * Lists and other pages. `every`: how often without a stream, and at most with one, in milliseconds. `ids`: workflows that are shown: they are among those
 * whose events come.
 */
export function usePolling(changed: () => void, every?: number, ids: readonly string[] = []): void {
  const latest = useRef(changed);
  latest.current = changed;
  const known = operations.value !== null;
  const shown = ids.join();
  useEffect(() => {
    if (!known) return;
    const call = (): void => latest.current();
    if (!can('GET /v1/events/stream')) return poll(call, every ?? POLL_MS);
    const most = every ?? LIST_AT_MOST_EVERY_MS;
    return whileLooked(call, () => share(shown === '' ? [] : shown.split(','), true, most, call));
  }, [known, shown]);
}

/** Takes what a stream of its own brings, and that it was `lost`; it is opened again by itself. `path` null: there is nothing to be heard. */
export function useSource(path: string | null, take: (kind: string, data: string) => void): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (path === null) return;
    // It begins with all that is kept.
    const missed = (): void => {};
    return whileLooked(missed, () => {
      const source = openSource(path, {
        event: (kind, data) => latest.current(kind, data),
        opened: () => {},
        lost: () => latest.current('lost', ''),
      });
      return source.stop;
    });
  }, [path]);
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

/** At most one call in `ms`, the first at once, the last never lost; one in a second where it is wanted again and again. */
function atMostEvery(ms: number, call: () => void): { now(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let last = 0;
  /** Calls in a row, each wanted soon after the one before. */
  let inRow = 0;
  return {
    now() {
      if (timer !== null) return;
      const quiet = Date.now() - last;
      inRow = quiet < ms ? inRow + 1 : 0;
      const every = inRow > BUSY_AFTER ? Math.max(ms, BUSY_EVERY_MS) : ms;
      timer = setTimeout(
        () => {
          timer = null;
          last = Date.now();
          call();
        },
        Math.max(0, every - quiet),
      );
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** A stream of one workflow, for servers whose store has no order of all. */
function alone(id: string, changed: () => void): () => void {
  const soon = atMostEvery(AT_MOST_EVERY_MS, changed);
  const line = lineOf((happened) => {
    if (happened.polled && document.visibilityState !== 'visible') return;
    soon.now();
  }, setFreshness);
  line.open(`v1/workflows/${part(id)}/events`);
  return () => {
    soon.stop();
    line.close();
    freshness.value = 'still';
  };
}

/** By the clock of this page. */
const lineOf = (tell: (happened: Happened) => void, state: (state: Freshness) => void) =>
  makeLine({ tell, state, openSource, after });
function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

const setFreshness = (state: Freshness): void => {
  freshness.value = state;
};

/* One stream for all tabs of one key and tenant: the tab that has the lock holds it and tells the others. */

/** Workflows that one stream follows; those beyond are told by the counts of each second. */
const FOLLOWED_MAX = 100;
/** Tabs whose wishes the one that holds the stream knows. */
const TABS_MAX = 100;

type Reader = {
  readonly ids: readonly string[];
  /** Whether it wants to know when anything happens at all. */
  readonly lists: boolean;
  readonly told: () => void;
  /** What it has instead where there is no stream of all. */
  own: (() => void) | null;
};
/** Those of this tab. */
const readers = new Set<Reader>();
let membership: { changed(): void; leave(): void } | null = null;
/** Some stores have no order of all: then each workflow has a stream of its own, and lists are read again and again. */
let isOrdered = true;

function share(ids: readonly string[], lists: boolean, every: number, changed: () => void): () => void {
  const soon = atMostEvery(every, changed);
  const reader: Reader = { ids, lists, told: soon.now, own: null };
  readers.add(reader);
  if (!isOrdered) standAlone(reader);
  else if (membership === null) membership = join();
  else membership.changed();
  return () => {
    soon.stop();
    readers.delete(reader);
    reader.own?.();
    if (readers.size > 0) {
      membership?.changed();
      return;
    }
    membership?.leave();
    membership = null;
    freshness.value = 'still';
  };
}

function standAlone(reader: Reader): void {
  const [id] = reader.ids;
  reader.own ??= id !== undefined && !reader.lists ? alone(id, reader.told) : poll(reader.told, POLL_MS);
}

function tellReaders({ ids, digest, polled }: Happened): void {
  // Nobody looks: what may have happened is read when somebody does.
  if (polled && document.visibilityState !== 'visible') return;
  const moved = ids === null ? null : new Set(ids);
  for (const { ids: wanted, lists, told } of readers)
    if ((lists && digest) || moved === null || wanted.some((id) => moved.has(id))) told();
    // What is followed by nobody is told by the counts.
    else if (digest && wanted.some((id) => isBeyond(id))) told();
}
/** Workflows of this tab that the stream has no room for. */
let beyond: ReadonlySet<string> = new Set();
const isBeyond = (id: string): boolean => beyond.has(id);

/** What tabs say to each other. */
type Said =
  | { readonly kind: 'who' }
  | { readonly kind: 'wants'; readonly tab: string; readonly ids: readonly string[] }
  | { readonly kind: 'follows'; readonly ids: readonly string[] }
  | { readonly kind: 'happened'; readonly happened: Happened }
  | { readonly kind: 'state'; readonly state: Freshness }
  | { readonly kind: 'unordered' };

type Holder = { follow(): void; wants(from: string, ids: readonly string[]): void; stop(): void };

function join(): { changed(): void; leave(): void } {
  const tab = newKey();
  const wanted = (): readonly string[] => [...new Set([...readers].flatMap((one) => one.ids))].slice(0, FOLLOWED_MAX);
  const name = `rota.stream.${me.value?.id ?? 'open'}.${tenant.value ?? me.value?.tenant ?? ''}`;
  // Over plain http from elsewhere there are no locks: then each tab has a stream of its own.
  const hasLocks = navigator.locks !== undefined;
  const channel = hasLocks ? new BroadcastChannel(name) : null;
  const post = (said: Said): void => channel?.postMessage(said);
  const ended = new AbortController();
  let holder: Holder | null = null;

  function unordered(): void {
    isOrdered = false;
    holder?.stop();
    holder = null;
    for (const reader of readers) standAlone(reader);
  }
  const followed = (ids: readonly string[]): void => {
    const all = new Set(ids);
    beyond = new Set(wanted().filter((id) => !all.has(id)));
  };

  /** Holds the stream for all tabs. */
  function hold(): Holder {
    const others = new Map<string, readonly string[]>();
    let asked: readonly string[] | null = null;
    let state: Freshness = 'catching up';
    const line = lineOf(
      (happened) => {
        tellReaders(happened);
        post({ kind: 'happened', happened });
      },
      (next) => {
        state = next;
        freshness.value = next;
        post({ kind: 'state', state: next });
      },
    );
    function follow(): void {
      // Of the tabs those that said so last come first: others may have gone without a word.
      const all = new Set([...wanted(), ...[...others.values()].reverse().flat()]);
      const ids = [...all].slice(0, FOLLOWED_MAX);
      const before = asked === null ? null : new Set(asked);
      const added = before === null ? [] : ids.filter((id) => !before.has(id));
      followed(ids);
      post({ kind: 'follows', ids });
      // What nobody wants any more does no harm until something else is wanted.
      if (before !== null && added.length === 0) return;
      asked = ids;
      const query = ids.length === 0 ? 'none' : ids.map(part).join(',');
      line.open(`v1/events/stream?digest=1&workflow_id=${query}`, before === null ? undefined : added, (status) => {
        if (status !== 501) return;
        post({ kind: 'unordered' });
        unordered();
      });
    }
    return {
      follow,
      wants(from: string, ids: readonly string[]) {
        others.delete(from);
        if (ids.length > 0 && others.size < TABS_MAX) others.set(from, ids);
        post({ kind: 'state', state });
        follow();
      },
      stop: () => line.close(),
    };
  }

  const listen = ({ data }: MessageEvent<Said>): void => {
    switch (data.kind) {
      case 'who':
        post({ kind: 'wants', tab, ids: wanted() });
        return;
      case 'wants':
        holder?.wants(data.tab, data.ids);
        return;
      case 'follows':
        followed(data.ids);
        return;
      case 'happened':
        tellReaders(data.happened);
        return;
      case 'state':
        freshness.value = data.state;
        return;
      case 'unordered':
        unordered();
    }
  };
  const begin = (): void => {
    holder = hold();
    holder.follow();
    post({ kind: 'who' });
  };
  if (channel === null) begin();
  else {
    channel.onmessage = listen;
    freshness.value = 'live';
    post({ kind: 'wants', tab, ids: wanted() });
    navigator.locks
      .request(name, { signal: ended.signal }, async () => {
        begin();
        await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
        holder?.stop();
      })
      .catch((error: unknown) => {
        // Given up before its turn came.
        if (!ended.signal.aborted) throw error;
      });
  }
  return {
    changed() {
      if (holder === null) post({ kind: 'wants', tab, ids: wanted() });
      else holder.follow();
    },
    leave() {
      post({ kind: 'wants', tab, ids: [] });
      ended.abort();
      if (channel === null) holder?.stop();
      channel?.close();
    },
  };
}
