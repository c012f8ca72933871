import { signal } from '@preact/signals';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { apiRoot } from '../address/router.ts';
import { tenantHeader } from '../address/tenant.ts';
import { IDS } from './operations.ts';

/* All calls go through here: problems are values, every POST carries an Idempotency-Key, and how the server can be reached is known. */

export type Problem = {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;
  readonly errors: readonly JsonObject[];
};
export type Answer =
  | {
      readonly ok: true;
      readonly value: Json;
      /** The value as it came: the same text is the same value. */
      readonly text: string;
      readonly etag: string | null;
    }
  | { readonly ok: false; readonly problem: Problem };

/** Nobody waits longer for an answer. */
const WAIT_MS = 30_000;
/** Answers that are larger are not read into the page. */
export const ANSWER_MAX_BYTES = 50_000_000;

/** When the last answer came; null before the first. */
export const reached = signal<'yes' | 'no' | 'unknown'>('unknown');
export const unreachableSince = signal<number | null>(null);
/** Somebody has to say (again) who they are. */
export const signInWanted = signal(false);
/** Counts the sessions that began in this page. */
let sessions = 0;
export function sessionBegan(): void {
  sessions += 1;
  begun.clear();
  signInWanted.value = false;
}
export const serverVersion = signal<string | null>(null);
export const newerVersion = signal(false);

export type Request = {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly body?: Json;
  readonly key?: string;
  readonly ifMatch?: string;
  /** For whom it is asked, where somebody has claimed a workitem. */
  readonly assignee?: string;
  readonly signal?: AbortSignal;
};

/** What was asked for before the page that shows it was there, each for the first who asks. */
const begun = new Map<string, Promise<Answer>>();
/** Asks for what the page that is being loaded will ask for first. */
export function begin(path: string): void {
  begun.set(path, call(path));
}
/** What the page of a workflow asks for: who wants the fields of a workitem asks for that one. */
export const workflowPath = (id: string): string => `v1/workflows/${part(id)}?omit=workitem_fields`;

export async function call(path: string, request: Request = {}): Promise<Answer> {
  const { method = 'GET', body } = request;
  const early = method === 'GET' ? begun.get(path) : undefined;
  if (early !== undefined) {
    begun.delete(path);
    return early;
  }
  const headers: { [name: string]: string } = { Accept: 'application/json', ...tenantHeader() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method === 'POST') headers['Idempotency-Key'] = request.key ?? newKey();
  // With a cookie alone nothing is changed: our own pages say that it is they who ask.
  if (method !== 'GET') headers['Rota-Console'] = '1';
  if (request.ifMatch !== undefined) headers['If-Match'] = request.ifMatch;
  if (request.assignee !== undefined) headers['Rota-Assignee'] = request.assignee;
  const ended = AbortSignal.timeout(WAIT_MS);
  const session = sessions;
  try {
    const response = await fetch(new URL(path.replace(/^\//, ''), apiRoot), {
      method,
      headers,
      credentials: 'same-origin',
      signal: request.signal ? AbortSignal.any([request.signal, ended]) : ended,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    reached.value = 'yes';
    unreachableSince.value = null;
    noteVersion(response.headers.get('Rota-Version'));
    const length = Number(response.headers.get('Content-Length') ?? 0);
    if (length > ANSWER_MAX_BYTES)
      return refused(response.status, 'too_large', `The answer has ${length} bytes; take it with curl`);
    const text = await response.text();
    const value = parsed(text);
    if (response.ok) return { ok: true, value, text, etag: response.headers.get('ETag') };
    if (response.status === 401 && !path.startsWith('v1/session')) {
      // Somebody has signed in while it was under way: it was refused for the session before.
      if (session !== sessions) return call(path, request);
      signInWanted.value = true;
    }
    return { ok: false, problem: problemOf(response, value) };
  } catch (error) {
    if (request.signal?.aborted) return refused(0, 'given_up', 'Not needed any more');
    reached.value = 'no';
    unreachableSince.value ??= Date.now();
    return refused(
      0,
      'unreachable',
      `No answer from the server (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}

function noteVersion(version: string | null): void {
  if (version === null) return;
  if (serverVersion.value !== null && serverVersion.value !== version) newerVersion.value = true;
  serverVersion.value ??= version;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

const refused = (status: number, code: string, detail: string): Answer => ({
  ok: false,
  problem: { status, code, detail, requestId: null, retryAfterSeconds: null, errors: [] },
});

function problemOf(response: Response, value: Json): Problem {
  const body = isObject(value) ? value : {};
  const after = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return {
    status: response.status,
    code: typeof body['code'] === 'string' ? body['code'] : `http_${response.status}`,
    detail: typeof body['detail'] === 'string' ? body['detail'] : response.statusText,
    requestId: typeof body['request_id'] === 'string' ? body['request_id'] : null,
    retryAfterSeconds: Number.isFinite(after) ? after : null,
    errors: Array.isArray(body['errors']) ? (body['errors'] as readonly Json[]).filter(isObject) : [],
  };
}

/** 32 hexadecimal digits. (`crypto.randomUUID` is not there on plain http.) */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Part of a path; `!` stays, for both are the same to the server. */
export const part = (text: string): string => encodeURIComponent(text).replaceAll('%21', '!');

/* What this server can do, as it says itself: a page that needs more says so. */

/** Ids of its operations; null while they are not known. */
export const operations = signal<ReadonlySet<string> | null>(null);
let asked: Promise<void> | null = null;

/** Reads once what the server can do. */
export function learnOperations(): Promise<void> {
  asked ??= call('v1/info').then(async (answer) => {
    const features = answer.ok && isObject(answer.value) ? answer.value['features'] : undefined;
    const found = Array.isArray(features) ? (features as readonly Json[]).map(String) : await described();
    if (found.length > 0) operations.value = new Set(found);
    else asked = null;
  });
  return asked;
}

/** Who may not read is told less: then from the description of the interface, which is open to all. */
async function described(): Promise<readonly string[]> {
  const answer = await call('openapi.json');
  if (!answer.ok || !isObject(answer.value) || !isObject(answer.value['paths'])) return [];
  return Object.values(answer.value['paths']).flatMap((methods) =>
    Object.values(isObject(methods) ? methods : {}).flatMap((one) =>
      isObject(one) && typeof one['operationId'] === 'string' ? [one['operationId']] : [],
    ),
  );
}

/** `can('GET /v1/deliveries')`; parameters are written `{}`. False while it is not known. */
export function can(operation: string): boolean {
  const id = IDS[operation];
  return operations.value !== null && (id === undefined || operations.value.has(id));
}
