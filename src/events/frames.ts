import type { WorkflowId } from '../model/ids.ts';
import type { Entry } from './entry.ts';

/* What a stream of events is written in: server-sent events (WHATWG HTML, 9.2). A frame is one block of lines with the empty line behind it. */

/** One event, printed. */
export type Frame = { readonly kind: string; readonly text: string };

/** A client that lost its stream comes back after so many milliseconds. */
export const RETRY_MS = 2_000;
/** Once a node stops, its clients come back spread over this time, so that they do not come all at once. */
export const RETRY_STOPPING_MS = { from: 1_000, to: 5_000 } as const;

/** @param id where a reader is once it has seen this */
export function entryFrame(id: string, workflow: WorkflowId, entry: Entry): Frame {
  const { n, at, kind, ...rest } = entry;
  const data = JSON.stringify({ n, at, kind, workflow_id: workflow, ...rest });
  return { kind, text: `id: ${id}\nevent: ${kind}\ndata: ${data}\n\n` };
}

export const retryFrame = (ms = RETRY_MS): string => `retry: ${ms}\n\n`;

/** The reader has seen everything there is; what comes now comes as it happens. */
export const liveFrame = (id: string): string => `id: ${id}\nevent: live\ndata: {}\n\n`;

/** What the reader has seen is not what is kept: it reads its lists again, and goes on from `id`. */
export const resetFrame = (id: string, reason: 'retired' | 'restored'): string =>
  `id: ${id}\nevent: reset\ndata: ${JSON.stringify({ reason })}\n\n`;

/** How many entries of each kind there were since the last one. */
export const digestFrame = (id: string, kinds: ReadonlyMap<string, number>): string =>
  `id: ${id}\nevent: digest\ndata: ${JSON.stringify({ kinds: Object.fromEntries(kinds) })}\n\n`;

/** A sign of life, which also moves on the place of a reader whose filter lets nothing through. */
export const heartbeatFrame = (id: string): string => `id: ${id}\n\n`;

/** This node stops. @param fraction 0 ≤ f < 1, by chance */
export const shutdownFrame = (fraction: number): string => {
  const { from, to } = RETRY_STOPPING_MS;
  return `retry: ${Math.round(from + (to - from) * fraction)}\nevent: shutdown\ndata: {}\n\n`;
};
