import { type Frame, heartbeatFrame, liveFrame, resetFrame, retryFrame } from '../../../events/frames.ts';
import { HEARTBEAT_MS } from '../../../events/reading.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { pause, realTime } from '../../../runtime/process-time.ts';
import type { Sink } from '../../operation.ts';
import { type Playground, type PlaygroundRequest, REQUESTS_KEPT_MAX } from './requests.ts';
import { requestView } from './view.ts';

/** A request as an event. Its id is its number; the one that comes when it was answered has the same. */
function frameOf(request: PlaygroundRequest): Frame {
  const data = JSON.stringify(requestView(request));
  return { kind: 'request', text: `id: ${request.n}\nevent: request\ndata: ${data}\n\n` };
}

/**
 * Writes the requests of a tenant as they come, until its reader has gone. Whoever is slow misses none of those that are still kept: at most so many wait
 * for it, each as it is last known.
 *
 * @param after the number of the last one it has seen; 0: none
 */
export async function followRequests(
  playground: Playground,
  { tenant, after }: { readonly tenant: Tenant; readonly after: number },
  sink: Sink,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Map<number, PlaygroundRequest>();
  let wake = (): void => {};
  const unwatch = playground.watch(tenant, (request) => {
    waiting.set(request.n, request);
    if (waiting.size > REQUESTS_KEPT_MAX) waiting.delete(waiting.keys().next().value ?? 0);
    wake();
  });
  try {
    await sink.write(retryFrame());
    let n = after;
    if (n > playground.last()) {
      // The server has started anew, and counts from 1.
      n = 0;
      await sink.write(resetFrame('0', 'restored'));
    }
    for (const request of playground.since(tenant, n)) {
      if (signal.aborted) return;
      waiting.delete(request.n);
      n = request.n;
      await sink.write(frameOf(request).text);
    }
    await sink.write(liveFrame(String(n)));
    while (!signal.aborted) {
      for (const [number, request] of waiting) {
        waiting.delete(number);
        n = Math.max(n, number);
        await sink.write(frameOf(request).text);
      }
      if (waiting.size > 0) continue;
      const rest = new AbortController();
      wake = () => rest.abort();
      signal.addEventListener('abort', wake, { once: true });
      await pause(realTime, HEARTBEAT_MS, rest.signal);
      signal.removeEventListener('abort', wake);
      if (!rest.signal.aborted) await sink.write(heartbeatFrame(String(n)));
    }
  } finally {
    unwatch();
  }
}
