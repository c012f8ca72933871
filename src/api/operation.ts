import type { Principal, Scope } from '../identity/principal.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { TraceContext } from '../runtime/trace-context.ts';
import type { NoteSize } from './large.ts';
import type { Spooled } from './reading/spool.ts';
import type { Schema } from './schema.ts';

/** A request in our words: what a handler may look at. */
export type Call = {
  /** Who calls. */
  readonly principal: Principal;
  /** Why, in the caller's words (`reason` of the body, where the operation takes one); null: nothing was said. */
  readonly reason: string | null;
  /** What was asked for, as it was written; empty: nobody asked over HTTP. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** One header, by its lower-case name. */
  readonly header: (name: string) => string | null;
  /** The body as it came, where the operation reads it itself; else null. */
  readonly raw: RawBody | null;
  /** The body where it may be larger than what is held in memory; left out, or null: it is no such operation. */
  readonly spooled?: Spooled | null;
  /** An object, empty when there was no body. */
  readonly body: JsonObject;
  /** A body in one of the media types of `body.documents`, as it came; null: it was none. Then `body` is empty. */
  readonly document: { readonly type: string; readonly text: string } | null;
  /** Whether the body was a form: then every leaf is a text. */
  readonly isForm: boolean;
  readonly requestId: string;
  /** Where the request comes from; null: its connection is gone. */
  readonly address: string | null;
  /** Says how large something is: what is near to its bound is told in the answer. */
  readonly large: NoteSize;
  /** The id a launch has to use, when it was fixed beforehand (idempotency.ts). */
  readonly launchId: WorkflowId | null;
  /** Its span; left out, or null: nobody records traces. */
  readonly span?: TraceContext | null;
};

/** A body nobody has read yet. `headers`: by lower-case name. */
export type RawBody = {
  readonly bytes: Buffer;
  /** Content-Type, or empty. */
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
};

/** What an operation answers. */
export type Reply = { readonly status: number; readonly headers: Readonly<Record<string, string>> } & Content;

export type Content =
  | { readonly kind: 'empty' }
  | { readonly kind: 'text'; readonly type: string; readonly text: string }
  /** A file. `etag` is its strong tag, quotes included: who has it already is answered 304. */
  | { readonly kind: 'bytes'; readonly type: string; readonly bytes: Uint8Array; readonly etag: string }
  /**
   * Written bit by bit. `open` resolves when there is nothing more to write. `signal` is aborted when the client has gone or the server
   * stops: then the answer is ended, and what `open` still writes goes nowhere. `farewell` is written last where the server stops.
   */
  | {
      readonly kind: 'stream';
      readonly type: string;
      readonly open: (sink: Sink, signal: AbortSignal) => Promise<void>;
      readonly farewell?: () => string;
    };

/** Where a stream writes to. */
export type Sink = {
  /** Resolves when there is room for more; a stream that waits for it holds no more than one bit at a time. */
  readonly write: (bit: string | Uint8Array) => Promise<void>;
};

/** JSON that is printed already. */
export const printedReply = (status: number, text: string): Reply => ({
  kind: 'text',
  status,
  type: 'application/json',
  text,
  headers: {},
});

export const jsonReply = (status: number, value: Json, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: 'text',
  status,
  type: 'application/json',
  text: JSON.stringify(value),
  headers,
});

export const textReply = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: 'text',
  status,
  type: 'text/plain',
  text,
  headers,
});

/** What every call answers that only makes something happen. */
export const OK: Reply = textReply(201, 'OK');

export type AnswerSpec = {
  readonly description: string;
  /** Of an answer in JSON; without one it is text. */
  readonly schema?: Schema;
  /** The media type where it is none of these, such as `text/event-stream`. */
  readonly type?: string;
  /** Further media types it may come in. */
  readonly also?: readonly string[];
};
/** `schema`: of the value as text; a text of any kind where it is left out. */
export type QuerySpec = { readonly name: string; readonly description: string; readonly schema?: Schema };

/** What an operation is called in the audit, and what of its body is told beside the caller's reason. Never a secret. */
export type Audited = {
  readonly action: string;
  readonly details?: (call: Call) => JsonObject;
};

/**
 * One thing the API can do, in all that is to be said about it. The router, the checks of requests, who is let in and /openapi.json are
 * all made from these, so that they cannot drift apart.
 */
export type Operation = {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As @koa/router wants it: `/v1/workflows/:workflow_id`. */
  readonly path: string;
  readonly summary: string;
  /** Who may call it: everybody, whoever says who they are (`any`), or principals with this scope. */
  readonly access: 'open' | 'any' | Scope;
  /** Whoever holds a workitem may call it for that workitem, whatever its scopes are. */
  readonly capability?: 'workitem';
  /** Whoever holds a ticket may call it. */
  readonly ticket?: true;
  /** Pages of other origins may not call it, whatever CORS_ORIGINS says. */
  readonly ownPages?: true;
  /** It changes something although it is a GET. */
  readonly changes?: true;
  /** Its answer is kept for no Idempotency-Key: its headers hold a secret. */
  readonly unkept?: true;
  /** Members of its answer that are shown once: what is kept for an Idempotency-Key has null in their place. */
  readonly once?: readonly string[];
  /** It leaves a row in the audit each time it is called; whatever wants `admin` and changes something does. */
  readonly audit?: Audited;
  /** A media type in which its answer can be had beside JSON. */
  readonly alsoAs?: string;
  /** Asked by machines all the time: answered when the house is full, logged at debug level only unless they bring an id. */
  readonly probe?: true;
  /** Asked by machines all the time, but let in as others are: logged at debug level only, and not counted by rates. */
  readonly routine?: true;
  /** It answers for a workflow that is over, with whatever that says. */
  readonly answersItself?: true;
  /** It may take longer than a request's time, for it waits for something else than the database. */
  readonly patient?: true;
  /** One of the four fixed v1 calls: faults are 400 with the contract's words. */
  readonly fixed?: true;
  /** The body; `checked: 'by handler'` where the contract wants complaints of its own; `raw`: of any type, read by the handler; `spooled`: the same, and larger than memory. */
  readonly body?: {
    readonly schema: Schema;
    readonly checked: 'here' | 'by handler' | 'raw' | 'spooled';
    /** Media types that are taken as they come (`call.document`); a JSON list is one of them where there are any. */
    readonly documents?: readonly string[];
    /** All of it is data: what is no object is data of the wrong shape (422), and no body that cannot be read (400). */
    readonly isData?: true;
    /** Of `raw` and `spooled`: bytes it may have; left out: as many as every body. */
    readonly bytesMax?: number;
    /** Of `spooled`: bytes that the handler holds of it at a time. */
    readonly heldMax?: number;
  };
  /** Names of query parameters; others are refused. `field.` stands for every name that begins so. */
  readonly query?: readonly QuerySpec[];
  /** Its query is data, whose names it does not know beforehand. */
  readonly queryIsData?: true;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
};
