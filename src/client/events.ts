import { RotaError } from './error.ts';
import { type CallOptions, onTheWay, pause, type Sender } from './send.ts';
import type { HistoryEntry } from './types.ts';

/** An entry of a history as a stream brings it: what its `kind` tells stands beside the parts all have. */
export type Entry = HistoryEntry & { readonly workflow_id: string; readonly [name: string]: unknown };

/** `after`: of one workflow an entry's `n`, of all an id that the stream gave, or 0 for all that is kept. */
export type Watching = {
  readonly after?: number | string | undefined;
  /** Only these kinds; `workflow.*` is a family. */
  readonly kinds?: string | readonly string[] | undefined;
};

const ENDS: ReadonlySet<string> = new Set(['workflow.completed', 'workflow.cancelled', 'workflow.killed']);
/** Until the server says how long to wait before coming back. */
const RETRY_MS = 2_000;
/** Characters of one event; an entry has at most the fields of a workflow, 4 MB, in it. */
const EVENT_CHARACTERS_MAX = 16 * 1024 * 1024;

/**
 * What happens, as it happens. When the connection is cut it comes back behind the last entry, so that nothing is missed and nothing
 * comes twice. Of one workflow it ends with it; of all it goes on until the caller stops.
 *
 * @throws RotaError when the server refuses, or cannot be reached for as many times in a row as calls have tries
 */
export async function* eventsOf(
  sender: Sender,
  workflow: string | null,
  { after, kinds }: Watching,
  options: CallOptions,
): AsyncGenerator<Entry, void, undefined> {
  const path = workflow === null ? '/v1/events/stream' : `/v1/workflows/${encodeURIComponent(workflow)}/events`;
  let place = after === undefined ? null : String(after);
  let retryMs = RETRY_MS;
  let failures = 0;
  let isOver = false;
  while (!isOver) {
    try {
      const response = await sender.open(
        {
          method: 'GET',
          path,
          query: { kinds: typeof kinds === 'string' ? kinds : kinds?.join(',') },
          headers: { Accept: 'text/event-stream', ...(place === null ? {} : { 'Last-Event-ID': place }) },
        },
        options,
      );
      if (response.status === 204 || response.body === null) return;
      for await (const frame of framesOf(response.body, path, options.signal)) {
        failures = 0;
        if (frame.id !== null) place = frame.id;
        if (frame.retryMs !== null) retryMs = frame.retryMs;
        const entry = entryOf(frame.data);
        if (entry === null) continue;
        if (workflow !== null && ENDS.has(entry.kind)) isOver = true;
        yield entry;
      }
    } catch (error) {
      if (!(error instanceof RotaError) || !error.retryable) throw error;
      failures += 1;
      if (failures >= sender.retry.tries) throw error;
      // What was cut off may hold more; whoever is over is answered 204 then.
      isOver = false;
      if (error.retryAfter !== undefined) retryMs = Math.max(retryMs, error.retryAfter * 1000);
    }
    if (!isOver) await pause(retryMs, options.signal);
  }
}

type Frame = { readonly id: string | null; readonly retryMs: number | null; readonly data: string | null };

/** Blocks of lines with an empty line behind them (WHATWG HTML, 9.2). */
async function* framesOf(
  body: ReadableStream<Uint8Array>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      const blocks = rest.replaceAll('\r\n', '\n').split('\n\n');
      rest = blocks.pop() ?? '';
      if (rest.length > EVENT_CHARACTERS_MAX)
        throw new RotaError(`${what}: an event has more than ${EVENT_CHARACTERS_MAX} characters`, {
          ...{ code: 'answer_too_large', retryable: false },
        });
      for (const block of blocks) yield frameOf(block);
    }
  } catch (error) {
    throw onTheWay(what, 'answer_cut', 'the stream was cut off', error, signal);
  }
}

function frameOf(block: string): Frame {
  let id: string | null = null;
  let retryMs: number | null = null;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'id') id = value;
    else if (name === 'data') data.push(value);
    else if (name === 'retry' && /^\d{1,7}$/.test(value)) retryMs = Number(value);
  }
  return { id, retryMs, data: data.length === 0 ? null : data.join('\n') };
}

/** An entry; null: the frame is about the stream itself (`live`, `reset`, `digest`, `shutdown`). */
function entryOf(data: string | null): Entry | null {
  if (data === null) return null;
  const value: unknown = JSON.parse(data);
  return typeof value === 'object' && value !== null && 'n' in value && 'kind' in value ? (value as Entry) : null;
}
