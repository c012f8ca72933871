/* W3C Trace Context: which larger story a request belongs to. What is wrong with it is no error; then it belongs to none. */

export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the caller's span: 16. */
  readonly spanId: string;
  /** Two: the last bit says that somebody records it. */
  readonly flags: string;
  /** What vendors have added, or null. */
  readonly state: string | null;
};

/** Longest `tracestate` that is passed on. */
const STATE_LENGTH_MAX = 512;
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const STATE = /^[\x20-\x7e\t]*$/;

/** Reads the two headers. Null: there is none, or none that means anything. */
export function readTraceContext(parent: string | null, state: string | null): TraceContext | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = PARENT.exec(parent?.trim() ?? '') ?? [];
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  // Of a version to come only what this one has is read; of this one there is no more.
  if (version === '00' && more !== undefined) return null;
  const kept = state !== null && state !== '' && state.length <= STATE_LENGTH_MAX && STATE.test(state) ? state : null;
  return { traceId, spanId, flags, state: kept };
}

/** As it is kept with a workflow: `traceparent`, and behind a blank `tracestate`. */
export const keptTrace = ({ traceId, spanId, flags, state }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags}${state === null ? '' : ` ${state}`}`;

/** What was kept. Null: nothing. */
export function readKeptTrace(kept: string | null): TraceContext | null {
  if (kept === null) return null;
  const blank = kept.indexOf(' ');
  return blank < 0 ? readTraceContext(kept, null) : readTraceContext(kept.slice(0, blank), kept.slice(blank + 1));
}

/** The headers of a request that belongs to the same trace, from a span of its own. */
export function traceHeaders(context: TraceContext, spanId: string): { readonly [name: string]: string } {
  const { traceId, flags, state } = context;
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state === null ? {} : { tracestate: state }) };
}
