import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { apiRoot } from '../address/router.ts';
import { can, operations, part } from '../api/calls.ts';

/*
 * What changes by itself. With a stream of events a page reads again when something has happened and asks for nothing in between; without one, or
 * while it is broken, it reads again every few seconds while somebody looks.
 */

export const freshness = signal<'live' | 'catching up' | 'polling' | 'still'>('still');

/** Reads again at most so often while events come in, in milliseconds. */
const AT_MOST_EVERY_MS = 250;
const POLL_MS = 2_500;
/** How long a broken stream is waited for before polling, in milliseconds. */
const BROKEN_MS = 10_000;

/** Calls `changed` when the workflow has moved (or, without a stream, may have). `over`: nothing can change any more. */
export function useWorkflowEvents(id: string, over: boolean, changed: () => void): void {
  const known = operations.value !== null;
  useEffect(() => {
    if (!known) return;
    if (over) {
      freshness.value = 'live';
      return;
    }
    return can('GET /v1/workflows/{}/events') ? follow(`v1/workflows/${part(id)}/events`, changed) : poll(changed);
  }, [id, over, known]);
}

/** Lists and other pages without events of their own. */
export function usePolling(changed: () => void, every = POLL_MS): void {
  useEffect(() => poll(changed, every), []);
}

function poll(changed: () => void, every = POLL_MS): () => void {
  freshness.value = 'polling';
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') changed();
  }, every);
  return () => {
    clearInterval(timer);
    freshness.value = 'still';
  };
}

function follow(path: string, changed: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let stopPolling: (() => void) | null = null;
  let broken: ReturnType<typeof setTimeout> | null = null;
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      changed();
    }, AT_MOST_EVERY_MS);
  };
  const source = new EventSource(new URL(path, apiRoot), { withCredentials: true });
  freshness.value = 'catching up';
  source.onopen = () => {
    freshness.value = 'live';
    if (broken !== null) clearTimeout(broken);
    broken = null;
    stopPolling?.();
    stopPolling = null;
    freshness.value = 'live';
    later();
  };
  source.onerror = () => {
    freshness.value = 'catching up';
    broken ??= setTimeout(() => {
      stopPolling ??= poll(changed);
    }, BROKEN_MS);
  };
  source.onmessage = later;
  for (const kind of KINDS) source.addEventListener(kind, later);
  return () => {
    source.close();
    if (timer !== null) clearTimeout(timer);
    if (broken !== null) clearTimeout(broken);
    stopPolling?.();
    freshness.value = 'still';
  };
}

/** Events are named by their kind. */
const KINDS: readonly string[] = [
  ...['launched', 'paused', 'resumed', 'cancelling', 'completed', 'cancelled', 'killed'].map(
    (one) => `workflow.${one}`,
  ),
  ...['applied', 'replied', 'failed', 'cancelled', 'replayed', 'awaiting', 'cancelling', 'timing_out'].map(
    (one) => `expression.${one}`,
  ),
  ...['opened', 'proceeded', 'failed', 'closed', 'edited', 'claimed', 'released'].map((one) => `workitem.${one}`),
  ...['delivered', 'refused', 'exhausted'].map((one) => `callback.${one}`),
  ...['timer.set', 'timer.fired', 'event.received', 'reset'],
];
