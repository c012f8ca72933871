import { apiRoot } from '../address/router.ts';
import { tenantHeader } from '../address/tenant.ts';
import { reached, signInWanted } from '../api/calls.ts';
import { signedIn } from '../api/session.ts';
import { againMs } from './again.ts';
import type { Heard, Source } from './line.ts';

/*
 * A stream of server-sent events, read as any answer is. A browser's own reader of them can say neither for which tenant it asks nor why it was
 * refused, and does not notice a connection that went silent.
 */

/** The server gives a sign of life every 15 s: a stream without one is dead after this, in milliseconds. */
const SILENT_MS = 40_000;
/** Characters of one event: an entry has at most the fields of a workflow in it. */
const EVENT_CHARACTERS_MAX = 16_000_000;

/** @param from the place to go on behind; null: from where the stream begins by itself */
export function openSource(path: string, heard: Heard, from: string | null = null): Source {
  let place = from;
  let isStopped = false;
  let failures = 0;
  /** The server said when to come back. */
  let retryMs: number | null = null;
  let under = new AbortController();
  let wake: (() => void) | null = null;
  const again = (): void => wake?.();
  // Whoever is back, has signed in, or has had an answer to something else does not wait for the next try.
  window.addEventListener('online', again);
  const unsubscribes = [signedIn.subscribe(again), reached.subscribe((is) => is === 'yes' && again())];

  function take(block: string): void {
    let kind = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (name === 'id') place = value;
      else if (name === 'event') kind = value;
      else if (name === 'data') data.push(value);
      else if (name === 'retry' && /^\d{1,7}$/.test(value)) retryMs = Number(value);
    }
    if (data.length > 0) heard.event(kind, data.join('\n'));
  }

  /** One connection, until it ends. @returns the status of a refusal; null: it was open, and is over */
  async function read(signal: AbortSignal): Promise<number | null> {
    const response = await fetch(new URL(path, apiRoot), {
      headers: {
        Accept: 'text/event-stream',
        ...tenantHeader(),
        ...(place === null ? {} : { 'Last-Event-ID': place }),
      },
      credentials: 'same-origin',
      cache: 'no-store',
      signal,
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      if (response.status === 401) signInWanted.value = true;
      return response.status;
    }
    failures = 0;
    heard.opened();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    let silent = setTimeout(() => under.abort(), SILENT_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        clearTimeout(silent);
        if (done) return null;
        silent = setTimeout(() => under.abort(), SILENT_MS);
        const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
        rest = blocks.pop() ?? '';
        if (rest.length > EVENT_CHARACTERS_MAX) {
          await reader.cancel();
          return null;
        }
        for (const block of blocks) if (!isStopped) take(block);
      }
    } finally {
      clearTimeout(silent);
    }
  }

  async function follow(): Promise<void> {
    while (!isStopped) {
      under = new AbortController();
      // A connection that breaks is ordinary bad luck, and told as such.
      const status = await read(under.signal).catch(() => null);
      // 204: what was followed is over.
      if (isStopped || status === 204) return;
      heard.lost(status);
      const ms = againMs(failures, retryMs, Math.random());
      failures += 1;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = null;
    }
  }
  void follow();

  return {
    place: () => place,
    again,
    stop() {
      isStopped = true;
      window.removeEventListener('online', again);
      for (const unsubscribe of unsubscribes) unsubscribe();
      under.abort();
      wake?.();
    },
  };
}
