/** One of several things that are wrong with a request. */
export type Complaint = {
  readonly detail: string;
  /** Where in the body, a JSON pointer as a fragment, such as `#/amount`. */
  readonly pointer?: string;
  /** Where in a definition. */
  readonly line?: number;
  readonly column?: number;
};

type Known = {
  readonly status?: number | undefined;
  readonly code: string;
  readonly retryable: boolean;
  readonly requestId?: string | undefined;
  readonly errors?: readonly Complaint[] | undefined;
  readonly retryAfter?: number | undefined;
  readonly body?: string | undefined;
  readonly cause?: unknown;
};

/**
 * What every call of the client throws when it does not succeed. Tell one from another by `code`:
 *
 * - of the server: the `code` of its problem, such as `workflow_not_found` (docs/api-v1.md lists them);
 * - of something between: `bad_gateway`, `service_unavailable`, `gateway_timeout`, else `http_<status>`;
 * - of the way there: `unreachable`, `answer_cut` (it began and did not end), `aborted` (by the caller's signal), `timeout` (of `wait`).
 */
export class RotaError extends Error {
  override readonly name = 'RotaError';
  /** The HTTP status; absent where there was no answer. */
  readonly status: number | undefined;
  readonly code: string;
  /** The same call may succeed later, without anybody changing anything. */
  readonly retryable: boolean;
  /** Finds the request in the log of the server. */
  readonly requestId: string | undefined;
  readonly errors: readonly Complaint[] | undefined;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;
  /** The first kB of the answer, as text. */
  readonly body: string | undefined;

  constructor(message: string, known: Known) {
    super(message, known.cause === undefined ? undefined : { cause: known.cause });
    this.status = known.status;
    this.code = known.code;
    this.retryable = known.retryable;
    this.requestId = known.requestId;
    this.errors = known.errors;
    this.retryAfter = known.retryAfter;
    this.body = known.body;
  }
}

/** Statuses after which the same request may succeed: 408, 425, 429, and 5xx but 501, which never will. */
export const isPassing = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501);

const GATEWAY_CODES: ReadonlyMap<number, string> = new Map([
  [502, 'bad_gateway'],
  [503, 'service_unavailable'],
  [504, 'gateway_timeout'],
]);
/** Characters of an answer that an error keeps. */
const BODY_MAX = 1_000;

/** The error an answer says that is not 2xx. @param what the call in words, such as `GET /v1/ping` */
export function errorOfAnswer(what: string, response: Response, text: string): RotaError {
  const { status } = response;
  const problem = problemIn(response.headers.get('content-type'), text);
  const known = {
    status,
    requestId: textOf(problem?.['request_id']) ?? response.headers.get('x-request-id') ?? undefined,
    retryAfter: secondsOf(response.headers.get('retry-after')),
    body: text.slice(0, BODY_MAX),
  };
  const code = textOf(problem?.['code']);
  if (problem === null || code === undefined)
    return new RotaError(
      `${what} was answered ${status}${response.statusText === '' ? '' : ` ${response.statusText}`}`,
      {
        ...known,
        code: GATEWAY_CODES.get(status) ?? `http_${status}`,
        retryable: isPassing(status),
      },
    );
  const { retryable, errors } = problem;
  return new RotaError(textOf(problem['detail']) ?? textOf(problem['title']) ?? code, {
    ...known,
    code,
    retryable: typeof retryable === 'boolean' ? retryable : isPassing(status),
    errors: Array.isArray(errors) ? (errors as readonly Complaint[]) : undefined,
  });
}

function problemIn(type: string | null, text: string): { readonly [name: string]: unknown } | null {
  if (type === null || !/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as { readonly [name: string]: unknown }) : null;
  } catch {
    // Whoever is between says JSON and sends something else: it is told by its status.
    return null;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Seconds in a `Retry-After`: a number, or a date. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}
