import { RotaError } from './error.ts';
import { Rota } from './rota.ts';
import type { Callback } from './types.ts';
import { type HeadersLike, headerOf, verify } from './verify.ts';

/*
 * A participant as a handler of HTTP requests: it checks who sent a message, answers it at once, does the work after, and hands the
 * workitem back. Written against the shapes of node:http, koa and express, so that none of them has to be here.
 */

/** What a participant is sent: `participant`, `fields`, and where to hand it back. */
export type Delivered = Callback;

export type Fields = Readonly<Record<string, unknown>>;

export type Around = {
  /** Aborted when a notice says to stop (`reason.status` is `cancel`, `timeout` or `error`). */
  readonly signal: AbortSignal;
  readonly rota: Rota;
  /** Which try of this message this is, from 1. */
  readonly try: number;
};

/**
 * Does the work. The fields it resolves to are merged over the workitem's (nothing: they stay); null says that somebody hands it back
 * later. What it throws fails the workitem: `name` is the class of the error, `retry: true` on it counts as one failed try.
 */
export type Handler = (workitem: Delivered, around: Around) => Outcome | Promise<Outcome>;
type Outcome = Fields | null | undefined | Nothing;
/** What a function without a `return` has. */
type Nothing = ReturnType<() => void>;

export type ParticipantOptions = {
  /** What messages are signed with: `whsec_…`, a list of them, or null: anybody may send. Absent: `ROTA_WEBHOOK_SECRET`. */
  readonly secret?: string | readonly string[] | null | undefined;
  /** By participant; `*` is for all others. */
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** Runs before the message is answered, for a queue of one's own: what it throws is a failed try, which comes again. */
  readonly accept?: ((workitem: Delivered) => unknown) | undefined;
  /** A workitem is gone, `status` says why. */
  readonly onNotice?: ((workitem: Delivered) => unknown) | undefined;
  /** What could not be handed back, and why; written to standard error unless this is given. */
  readonly onError?: ((error: unknown, workitem: Delivered) => void) | undefined;
  readonly rota?: Rota | undefined;
};

/** The shapes of requests and answers of node:http, which those of express have, too. */
type NodeRequest = AsyncIterable<unknown> & {
  readonly method?: string | undefined;
  readonly headers: HeadersLike;
  readonly readableEnded?: boolean;
  readonly rawBody?: string | Uint8Array | undefined;
};
type NodeResponse = {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(text?: string): unknown;
};
type KoaContext = {
  readonly method: string;
  readonly req: NodeRequest;
  readonly request: object;
  status: number;
  body: unknown;
  set(name: string, value: string): unknown;
};

export type Participant = {
  readonly node: (request: NodeRequest, response: NodeResponse) => Promise<void>;
  readonly express: (request: NodeRequest, response: NodeResponse, next?: (error?: unknown) => void) => Promise<void>;
  readonly koa: (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Resolves when no handler is at work any more. */
  readonly idle: () => Promise<void>;
};

/** Bytes of one message; a server's fields have at most 4 MB, and letters beyond ASCII may be written longer. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Messages are known again for a day: no schedule of tries begins a message anew after that. */
const KNOWN_MS = 24 * 3_600_000;
const KNOWN_MAX = 10_000;
/** Characters the server takes as the class and the message of an error. */
const CLASS_MAX = 200;
const MESSAGE_MAX = 10_000;

type Reply = { readonly status: number; readonly text: string };
const TOO_LARGE: Reply = { status: 413, text: `A message has at most ${BODY_BYTES_MAX} bytes` };
const NOTHING: Reply = { status: 204, text: '' };
const NOT_POST: Reply = { status: 405, text: 'Messages are posted' };
const GONE: ReadonlySet<string> = new Set(['workitem_not_found', 'already_proceeded', 'workflow_not_found']);

/** @throws Error when no secret is given or set: say `secret: null` to take messages from anybody */
export function participant(options: ParticipantOptions): Participant {
  const { handlers = {}, accept, onNotice } = options;
  const secret = secretOf(options.secret);
  const rota = options.rota ?? new Rota();
  const report =
    options.onError ??
    ((error: unknown, { workitem_id }: Delivered): void =>
      console.error(`workitem ${workitem_id} could not be handed back:`, error));
  const known = makeKnown();
  /** Messages that are being accepted: a repeat waits for what becomes of the first. */
  const accepting = new Map<string, Promise<Reply>>();
  const atWork = new Map<string, AbortController>();
  const works = new Set<Promise<void>>();

  const handlerOf = (name: string): Handler | undefined => {
    const own = Object.hasOwn(handlers, name) ? name : '*';
    return Object.hasOwn(handlers, own) ? handlers[own] : undefined;
  };

  async function take(headers: HeadersLike, body: string | Uint8Array): Promise<Reply> {
    if (secret !== null && !verify({ headers, body, secret }))
      return { status: 401, text: 'The signature is not good, or older than 300 s' };
    const workitem = readMessage(body);
    if (workitem === null) return { status: 400, text: 'This is no message of a workflow server' };
    const handler = handlerOf(workitem.participant);
    if (handler === undefined && accept === undefined)
      return { status: 404, text: `Nobody here is ${JSON.stringify(workitem.participant)}` };
    const message = headerOf(headers, 'webhook-id');
    if (message === null) return receive(workitem, handler, headers);
    if (known.has(message)) return NOTHING;
    const before = accepting.get(message);
    if (before !== undefined) return before;
    const receiving = receive(workitem, handler, headers).finally(() => accepting.delete(message));
    accepting.set(message, receiving);
    const reply = await receiving;
    if (reply === NOTHING) known.add(message);
    return reply;
  }

  async function receive(workitem: Delivered, handler: Handler | undefined, headers: HeadersLike): Promise<Reply> {
    const isNotice = workitem.status !== 'active';
    if (isNotice) atWork.get(workitem.workitem_id)?.abort(goneBecause(workitem.status));
    try {
      await (isNotice ? onNotice : accept)?.(workitem);
    } catch (error) {
      report(error, workitem);
      return { status: 500, text: 'It could not be accepted' };
    }
    if (!isNotice && handler !== undefined) begin(workitem, handler, Number(headerOf(headers, 'rota-try') ?? 1));
    return NOTHING;
  }

  function begin(workitem: Delivered, handler: Handler, number: number): void {
    const controller = new AbortController();
    atWork.set(workitem.workitem_id, controller);
    // The answer goes out first.
    const work = new Promise((resolve) => setTimeout(resolve, 0))
      .then(() => perform(workitem, handler, { signal: controller.signal, rota, try: number }))
      .catch((error: unknown) => report(error, workitem))
      .finally(() => {
        works.delete(work);
        if (atWork.get(workitem.workitem_id) === controller) atWork.delete(workitem.workitem_id);
      });
    works.add(work);
  }

  async function respond(headers: HeadersLike, read: () => Promise<string | Uint8Array | null>): Promise<Reply> {
    const body = await read();
    return body === null ? TOO_LARGE : take(headers, body);
  }

  return {
    node: async (request, response) => {
      const reply =
        request.method === 'POST'
          ? await respond(request.headers, () => bytesOfNode(request)).catch(unreadable)
          : NOT_POST;
      response.writeHead(reply.status, headersOf(reply));
      response.end(reply.text);
    },
    express: async (request, response, next) => {
      if (request.method !== 'POST' && next !== undefined) return next();
      try {
        const reply = request.method === 'POST' ? await respond(request.headers, () => bytesOfNode(request)) : NOT_POST;
        response.writeHead(reply.status, headersOf(reply));
        response.end(reply.text);
      } catch (error) {
        if (next === undefined) throw error;
        next(error);
      }
    },
    koa: async (context, next) => {
      if (context.method !== 'POST') {
        await next();
        return;
      }
      const { rawBody } = context.request as { readonly rawBody?: string | Uint8Array };
      const reply = await respond(context.req.headers, async () => rawBody ?? bytesOfNode(context.req));
      context.status = reply.status;
      for (const [name, value] of Object.entries(headersOf(reply))) context.set(name, value);
      if (reply.text !== '') context.body = reply.text;
    },
    fetch: async (request) => {
      const reply =
        request.method === 'POST'
          ? await respond(request.headers, () => bytesOf(request.body ?? [])).catch(unreadable)
          : NOT_POST;
      return new Response(reply.text === '' ? null : reply.text, { status: reply.status, headers: headersOf(reply) });
    },
    idle: async () => {
      while (works.size > 0) await Promise.all(works);
    },
  };
}

async function perform(workitem: Delivered, handler: Handler, around: Around): Promise<void> {
  const { signal, rota } = around;
  let handBack: () => Promise<unknown>;
  try {
    const fields = await handler(workitem, around);
    if (fields === null) return;
    handBack = () => rota.proceed(workitem, typeof fields === 'object' ? { fields } : {});
  } catch (error) {
    handBack = () => rota.fail(workitem, failureOf(error));
  }
  if (signal.aborted) return;
  try {
    await handBack();
  } catch (error) {
    // It was cancelled, or handed back by somebody else: there is nothing left to say.
    if (!(error instanceof RotaError && GONE.has(error.code))) throw error;
  }
}

function failureOf(error: unknown): { message: string; class: string; retry?: true } {
  const isError = error instanceof Error;
  const message = (isError ? error.message : String(error)).slice(0, MESSAGE_MAX);
  const name = isError && error.name !== '' ? error.name.slice(0, CLASS_MAX) : 'Error';
  const retry = typeof error === 'object' && error !== null && 'retry' in error && error.retry === true;
  return { message: message === '' ? name : message, class: name, ...(retry ? { retry: true } : {}) };
}

const goneBecause = (status: string): Error =>
  Object.assign(new Error(`The workitem is gone: ${status}`), { name: 'AbortError', status });

function secretOf(given: ParticipantOptions['secret']): readonly string[] | null {
  if (given === null) return null;
  const secret = given ?? globalThis.process?.env['ROTA_WEBHOOK_SECRET'];
  const all = (typeof secret === 'string' ? [secret] : (secret ?? [])).filter((one) => one !== '');
  if (all.length > 0) return all;
  throw new Error(
    'A participant needs the secret its messages are signed with: say secret, or set ROTA_WEBHOOK_SECRET; secret: null takes messages from anybody',
  );
}

function readMessage(body: string | Uint8Array): Delivered | null {
  let value: unknown;
  try {
    value = JSON.parse(typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Somebody else's request; the sender is told.
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { workflow_id, workitem_id, participant: name, status, fields, proceed_url } = value as Record<string, unknown>;
  const areTexts = [workflow_id, workitem_id, name, status, proceed_url].every((one) => typeof one === 'string');
  return areTexts && typeof fields === 'object' && fields !== null ? (value as Delivered) : null;
}

/** The bytes of a body; null: there are too many. */
async function bytesOf(chunks: AsyncIterable<unknown> | Iterable<unknown>): Promise<Uint8Array | null> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const part = chunk instanceof Uint8Array ? chunk : encoder.encode(String(chunk));
    bytes += part.byteLength;
    if (bytes > BODY_BYTES_MAX) return null;
    parts.push(part);
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

async function bytesOfNode(request: NodeRequest): Promise<string | Uint8Array | null> {
  if (request.rawBody !== undefined) return request.rawBody;
  if (request.readableEnded === true)
    throw new Error('The body was read before it came here: let the body parser leave its bytes in req.rawBody');
  return bytesOf(request);
}

const unreadable = (error: unknown): Reply => ({
  status: 500,
  text: error instanceof Error ? error.message : String(error),
});

const headersOf = ({ status, text }: Reply): Record<string, string> => ({
  ...(text === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }),
  ...(status === 405 ? { Allow: 'POST' } : {}),
});

/** Messages that came before. The oldest are forgotten first. */
function makeKnown(): { has(message: string): boolean; add(message: string): void } {
  const times = new Map<string, number>();
  return {
    has: (message) => {
      const at = times.get(message);
      return at !== undefined && Date.now() - at < KNOWN_MS;
    },
    add: (message) => {
      times.delete(message);
      times.set(message, Date.now());
      const [oldest] = times.keys();
      if (times.size > KNOWN_MAX && oldest !== undefined) times.delete(oldest);
    },
  };
}
