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
/** Members it may have. One that is none makes the whole worthless. */
const STATE_MEMBERS_MAX = 32;
/** `vendor=value` or `tenant@vendor=value`. */
const STATE_MEMBER =
  /^(?:[a-z][a-z\d_\-*/]{0,255}|[a-z\d][a-z\d_\-*/]{0,240}@[a-z][a-z\d_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Reads the two headers. Null: there is none, or none that means anything. */
export function readTraceContext(parent: string | null, state: string | null): TraceContext | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = PARENT.exec(parent?.trim() ?? '') ?? [];
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  // Of a version to come only what this one has is read; of this one there is no more.
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, flags, state: isState(state) ? state : null };
}

/** Whether it is a `tracestate` that others can read, too; members may be empty, and none comes twice. */
function isState(state: string | null): state is string {
  if (state === null || state.length > STATE_LENGTH_MAX) return false;
  const members = state
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const vendors = new Set(members.map((member) => member.slice(0, member.indexOf('='))));
  return (
    members.length > 0 &&
    members.length <= STATE_MEMBERS_MAX &&
    vendors.size === members.length &&
    members.every((member) => STATE_MEMBER.test(member))
  );
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
