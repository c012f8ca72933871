import { Fault, type FaultCode } from '../model/fault.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { StoreUnavailable } from '../store/store.ts';
import { faultStatus, fixedWords, type HttpCode } from './fault-status.ts';

/** One thing that is wrong with a request: where (a JSON pointer as a fragment, a line and column of a text) and what. */
export type Complaint = {
  readonly detail: string;
  readonly pointer?: string;
  readonly line?: number;
  readonly column?: number;
};

/** A complaint about the request as HTTP; faults of the workflow world are `Fault`. */
export class HttpProblem extends Error {
  readonly code: HttpCode | FaultCode;
  readonly complaints: readonly Complaint[];
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    code: HttpCode | FaultCode,
    message: string,
    more: { readonly complaints?: readonly Complaint[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.name = 'HttpProblem';
    this.code = code;
    this.complaints = more.complaints ?? [];
    this.headers = more.headers ?? {};
  }
}

/** A fault of one of the four fixed v1 calls: `words` is the contract's text, to the letter. */
export class FixedFault extends Error {
  readonly code: FaultCode;
  readonly words: string;
  readonly complaints: readonly Complaint[];
  constructor(code: FaultCode, words: string, detail: string, complaints: readonly Complaint[]) {
    super(detail);
    this.name = 'FixedFault';
    this.code = code;
    this.words = words;
    this.complaints = complaints;
  }
}

export type ProblemAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
};

/**
 * The answer to whatever was thrown while a request was handled (RFC 9457).
 *
 * @param fixed whether the request was one of the fixed v1 calls: their faults are 400 with the contract's words in `error`
 * @returns never says more about an unforeseen error than that it happened: the log has the rest, found by `requestId`
 */
export function problemFor(thrown: unknown, requestId: string, fixed: boolean): ProblemAnswer {
  if (thrown instanceof FixedFault)
    return answer(thrown.code, 400, thrown.message, requestId, thrown.complaints, thrown.words);
  if (thrown instanceof Fault) {
    const words = fixedWords[thrown.code];
    const status = fixed && words !== undefined ? 400 : faultStatus[thrown.code].status;
    return answer(thrown.code, status, thrown.message, requestId, [], words ?? thrown.message);
  }
  if (thrown instanceof HttpProblem)
    return answer(
      thrown.code,
      faultStatus[thrown.code].status,
      thrown.message,
      requestId,
      thrown.complaints,
      thrown.message,
      thrown.headers,
    );
  // Steps come with a fault of the engine; this is for whatever only reads, and for idempotency keys.
  if (thrown instanceof StoreUnavailable)
    return problemFor(new Fault('unavailable', 'The database cannot be reached; try again'), requestId, fixed);
  const message = 'Something went wrong on our side; the log of the server has more under this request_id';
  return answer('internal', 500, message, requestId, [], message);
}

function answer(
  code: FaultCode | HttpCode,
  status: number,
  detail: string,
  requestId: string,
  complaints: readonly Complaint[],
  error: string,
  headers: Readonly<Record<string, string>> = {},
): ProblemAnswer {
  const { title, retryable } = faultStatus[code];
  const body: Record<string, Json> = {
    type: `urn:rota:problem:${code.replaceAll('_', '-')}`,
    title,
    status,
    detail,
    code,
    retryable,
    request_id: requestId,
    error,
  };
  if (complaints.length > 0) body['errors'] = complaints.map((complaint) => ({ ...complaint }));
  // Retry-After tells well-behaved clients that the fault passes by itself.
  return { status, headers: retryable && status >= 500 ? { 'Retry-After': '1', ...headers } : headers, body };
}
