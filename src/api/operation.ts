import type { WorkflowId } from '../model/ids.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { Schema } from './schema.ts';

/** A request in our words: what a handler may look at. */
export type Call = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** One header, by its lower-case name. */
  readonly header: (name: string) => string | null;
  /** An object, empty when there was no body. */
  readonly body: JsonObject;
  /** Whether the body was a form: then every leaf is a text. */
  readonly isForm: boolean;
  readonly requestId: string;
  /** The id a launch has to use, when it was fixed beforehand (idempotency.ts). */
  readonly launchId: WorkflowId | null;
};

export type Reply = {
  readonly status: number;
  readonly contentType: 'application/json' | 'application/problem+json' | 'text/plain' | null;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
};

export const jsonReply = (status: number, value: Json, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  contentType: 'application/json',
  text: JSON.stringify(value),
  headers,
});

/** What every call answers that only makes something happen. */
export const OK: Reply = { status: 201, contentType: 'text/plain', text: 'OK', headers: {} };

export type AnswerSpec = {
  readonly description: string;
  readonly schema?: Schema;
  readonly headers?: readonly string[];
};
export type QuerySpec = { readonly name: string; readonly description: string; readonly schema?: Schema };

/**
 * One thing the API can do. The router, the checks of requests and /openapi.json are all made from these, so that they
 * cannot drift apart.
 */
export type Operation = {
  readonly id: string;
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** As @koa/router wants it: `/v1/workflows/:workflow_id`. */
  readonly path: string;
  readonly summary: string;
  /** One of the four fixed v1 calls: faults are 400 with the contract's words. */
  readonly fixed?: true;
  /** The body; `checked: 'by handler'` where the contract wants complaints of its own. */
  readonly body?: { readonly schema: Schema; readonly checked: 'here' | 'by handler' };
  /** Names of query parameters; others are refused. `field.` stands for every name that begins so. */
  readonly query?: readonly QuerySpec[];
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  /** Polled by machines: logged at debug level only. */
  readonly quiet?: true;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
};
