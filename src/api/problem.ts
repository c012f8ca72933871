import { Fault } from '../model/fault.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { OutcomeUnknown, StoreUnavailable } from '../store/store.ts';
import { type Code, problems } from './problems.ts';

/** One thing that is wrong with a request: where (a JSON pointer as a fragment, a line and column of a text) and what. */
export type Complaint = {
  readonly detail: string;
  /** The same, where a definition is complained about: validate calls it so. */
  readonly message?: string;
  readonly pointer?: string;
  readonly line?: number;
  readonly column?: number;
  /** Of BPMN: the id of the element. */
  readonly element?: string;
};

type More = {
  readonly complaints?: readonly Complaint[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the answer beside the usual ones. */
  readonly told?: JsonObject;
  /** Of one of the fixed v1 calls: the contract's text in `error`, to the letter; the status is 400. */
  readonly words?: string;
  /** For the figures, never answered: what of a credential was not good. */
  readonly why?: string;
  /** Another status than the usual one of the code. */
  readonly status?: number;
};

/** What this room throws. Faults of the workflow world are `Fault` until they are answered. */
export class Problem extends Error {
  readonly code: Code;
  readonly complaints: readonly Complaint[];
  readonly headers: Readonly<Record<string, string>>;
  readonly words: string | null;
  readonly why: string | null;
  readonly told: JsonObject;
  readonly status: number | null;
  constructor(code: Code, message: string, more: More = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.complaints = more.complaints ?? [];
    this.headers = more.headers ?? {};
    this.words = more.words ?? null;
    this.why = more.why ?? null;
    this.told = more.told ?? {};
    this.status = more.status ?? null;
  }
}

/** A refusal in words of the application this server is part of (hooks.ts). */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
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
  if (thrown instanceof Refusal) return refusalAnswer(thrown, requestId);
  const problem = problemOf(thrown);
  const { status, title, retryable, words } = problems[problem.code];
  const said = problem.words ?? words;
  const answered = problem.words !== null || (fixed && words !== undefined) ? 400 : (problem.status ?? status);
  const body: Record<string, Json> = {
    type: `urn:rota:problem:${problem.code.replaceAll('_', '-')}`,
    title,
    status: answered,
    detail: problem.message,
    code: problem.code,
    retryable,
    request_id: requestId,
    error: said ?? problem.message,
    ...problem.told,
  };
  if (problem.complaints.length > 0) body['errors'] = problem.complaints.map((complaint) => ({ ...complaint }));
  // Retry-After tells well-behaved clients that the fault passes by itself.
  const headers = retryable && answered >= 500 ? { 'Retry-After': '1', ...problem.headers } : problem.headers;
  return { status: answered, headers, body };
}

const refusalAnswer = ({ status, code, message }: Refusal, requestId: string): ProblemAnswer => ({
  status,
  headers: {},
  body: {
    type: `urn:rota:problem:${code.replaceAll('_', '-')}`,
    title: 'The application refuses this',
    ...{ status, detail: message, code, retryable: status >= 500, request_id: requestId, error: message },
  },
});

function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof Fault) return new Problem(thrown.code, thrown.message);
  // Steps come with a fault of the engine; this is for whatever only reads, and for idempotency keys.
  if (thrown instanceof StoreUnavailable)
    return new Problem('unavailable', 'The database cannot be reached; try again');
  if (thrown instanceof OutcomeUnknown)
    return new Problem(
      'outcome_unknown',
      'It could not be learnt whether the database has kept this; look, or send it again',
    );
  return new Problem(
    'internal',
    'Something went wrong on our side; the log of the server has more under this request_id',
  );
}
