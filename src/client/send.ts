import { errorOfAnswer, isPassing, RotaError } from './error.ts';

/* One call over HTTP: its tries, the waits between them, and what its answer says. */

/** What the last argument of each call may say. */
export type CallOptions = {
  /** Ends the call when it is aborted; it throws `aborted` then. */
  readonly signal?: AbortSignal | undefined;
  /** Of a POST: the same for all its tries; made by the client when it is left out. */
  readonly idempotencyKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** Stands around each try of each request; it may change the request, the answer, or answer by itself. */
export type Middleware = (request: Request, next: (request: Request) => Promise<Response>) => Promise<Response>;

export type Retry = {
  /** Tries of a call in all, at least 1. */
  readonly tries: number;
  /** Seconds between two tries, at most; a server that asks for more patience is not waited for. */
  readonly maxDelay: number;
};

export type Asked = {
  readonly method: string;
  /** A path, or a whole address. */
  readonly path: string;
  readonly query?: Query | undefined;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** An answer, read to its end. `value`: of JSON what it says, else the text; null when there is none. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly value: unknown };

export type Sender = {
  readonly send: (asked: Asked, options?: CallOptions) => Promise<Answer>;
  /** For answers that are read while they come: one try, and no look at the body of a good answer. */
  readonly open: (asked: Asked, options?: CallOptions) => Promise<Response>;
  readonly retry: Retry;
};

/** Bytes of one answer. Lists end their pages at 4 MB; only an export is larger, and it is read as it comes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const FIRST_DELAY_SECONDS = 0.2;
/** Beyond this exponent the delay is longer than any `maxDelay`. */
const EXPONENT_MAX = 20;

export function makeSender(made: {
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  readonly retry: Retry;
  readonly middlewares: readonly Middleware[];
}): Sender {
  const { base, retry } = made;
  const { origin } = new URL(base);

  function requestOf(asked: Asked, key: string | null, options: CallOptions): Request {
    const url = /^https?:\/\//i.test(asked.path) ? new URL(asked.path) : new URL(base + asked.path);
    for (const [name, value] of Object.entries(asked.query ?? {}))
      if (value !== undefined && value !== null)
        url.searchParams.set(name, Array.isArray(value) ? value.join(',') : String(value));
    // What is sent elsewhere, or to an address that has a token of its own, says nothing of our key.
    const isOurs = url.origin === origin && !url.searchParams.has('token');
    const isText = typeof asked.body === 'string';
    const headers = new Headers(isOurs ? made.headers : {});
    if (asked.body !== undefined) headers.set('Content-Type', isText ? 'text/plain' : 'application/json');
    if (key !== null) headers.set('Idempotency-Key', key);
    for (const [name, value] of Object.entries({ ...asked.headers, ...options.headers })) headers.set(name, value);
    return new Request(url, {
      method: asked.method,
      headers,
      redirect: 'manual',
      ...(asked.body === undefined ? {} : { body: isText ? asked.body : JSON.stringify(asked.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  const through = (index: number, request: Request): Promise<Response> => {
    const middleware = made.middlewares[index];
    return middleware === undefined
      ? made.fetch(request)
      : middleware(request, (changed) => through(index + 1, changed));
  };

  async function open(asked: Asked, options: CallOptions = {}, key: string | null = null): Promise<Response> {
    const request = requestOf(asked, key, options);
    const what = `${asked.method} ${new URL(request.url).pathname}`;
    let response: Response;
    try {
      response = await through(0, request);
    } catch (error) {
      throw onTheWay(what, 'unreachable', `${origin} cannot be reached`, error, options.signal);
    }
    if (response.ok) return response;
    const text = await textOf(response, what, options.signal);
    throw errorOfAnswer(what, response, text);
  }

  async function once(asked: Asked, options: CallOptions, key: string | null): Promise<Answer> {
    const response = await open(asked, options, key);
    const { status, headers } = response;
    const what = `${asked.method} ${asked.path}`;
    const text = await textOf(response, what, options.signal);
    if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? ''))
      return { status, headers, value: text === '' ? null : text };
    try {
      return { status, headers, value: text === '' ? null : (JSON.parse(text) as unknown) };
    } catch (cause) {
      throw new RotaError(`${what}: the answer ends before its end`, {
        ...{ status, code: 'answer_cut', retryable: true, cause },
        body: text.slice(0, 1_000),
      });
    }
  }

  return {
    retry,
    open: (asked, options) => open(asked, options),
    send: async (asked, options = {}) => {
      // One key for all tries: an answer that was lost is given again, and nothing happens twice.
      const key = asked.method === 'POST' ? (options.idempotencyKey ?? crypto.randomUUID()) : null;
      for (let k = 0; ; k++) {
        try {
          return await once(asked, options, key);
        } catch (error) {
          const seconds = k + 1 < retry.tries ? delayBefore(error, k, retry.maxDelay) : null;
          if (seconds === null) throw error;
          await pause(seconds * 1000, options.signal);
        }
      }
    },
  };
}

/** Seconds until the next try; null: there is none. @param k tries before this one */
function delayBefore(error: unknown, k: number, maxDelay: number): number | null {
  if (!(error instanceof RotaError) || !mayTryAgain(error)) return null;
  const own = FIRST_DELAY_SECONDS * 2 ** Math.min(k, EXPONENT_MAX) * (0.5 + Math.random());
  const asked = error.retryAfter ?? 0;
  if (asked > maxDelay) return null;
  return Math.max(Math.min(own, maxDelay), asked);
}

function mayTryAgain({ status, code }: RotaError): boolean {
  if (code === 'unreachable' || code === 'answer_cut') return true;
  // An earlier try of this very call, whose answer was lost, is still under way.
  if (code === 'idempotency_key_in_use') return true;
  return status !== undefined && isPassing(status);
}

/** Resolves after so long. @throws RotaError `aborted` */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted(signal));
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(aborted(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const aborted = (signal: AbortSignal | undefined): RotaError =>
  new RotaError('The call was aborted', { code: 'aborted', retryable: false, cause: signal?.reason });

async function textOf(response: Response, what: string, signal: AbortSignal | undefined): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX)
        throw new RotaError(`${what}: the answer has more than ${ANSWER_BYTES_MAX} bytes`, {
          ...{ status: response.status, code: 'answer_too_large', retryable: false },
        });
      chunks.push(chunk);
    }
  } catch (error) {
    throw onTheWay(what, 'answer_cut', 'the answer was cut off', error, signal);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return new TextDecoder().decode(all);
}

/** What went wrong between us and the server; what a middleware threw on purpose stays as it is. */
export function onTheWay(
  what: string,
  code: 'unreachable' | 'answer_cut',
  detail: string,
  error: unknown,
  signal: AbortSignal | undefined,
): unknown {
  if (error instanceof RotaError) return error;
  if (signal?.aborted === true) return aborted(signal);
  return new RotaError(`${what}: ${detail}${reasonOf(error)}`, { code, retryable: true, cause: error });
}

/** `fetch` says "fetch failed" and keeps what happened as the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return '';
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  return ` (${code ?? cause.message})`;
}
