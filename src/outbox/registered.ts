import { inexactNumber } from '../model/exact.ts';
import type { Fields, Json, JsonObject } from '../model/json.ts';
import { isDeeperThan, isObject, ownValue } from '../model/json.ts';
import {
  type FindOwnParticipant,
  type HttpRequest,
  type Registered,
  readReferenceText,
  readTerms,
  type StoredReference,
  serviceOf,
} from '../model/participants.ts';
import { atPointer, pathOf } from '../model/pointer.ts';
import type { Send } from '../model/rows.ts';
import { valueComplaint } from '../model/storable.ts';
import { filledBody, filledHeader, filledUrl, TemplateError, type TemplateScope } from '../model/templates.ts';
import { cut } from '../model/text.ts';
import { urlOf } from '../model/url.ts';
import type { CallbackRequest, Failing, PostResult, TryEnd, Unsent } from './message.ts';

/*
 * What a registered participant is asked, and what its answer means (docs/api-v1.md, Participants). The entry is looked up at each try: a
 * change of it reaches the next one.
 */

/** Bytes of an answer that is the proceed, and how deep it may be. */
export const ANSWER_BYTES_MAX = 1_000_000;
const ANSWER_DEPTH_MAX = 100;
/** A message of a participant that is not enabled is looked at again after a tenth of its age, within these bounds. */
const POSTPONED_MS_MIN = 2_000;
const POSTPONED_MS_MAX = 60_000;
/** So long after the version of a definition that is not at hand was asked for. */
const LOADING_MS = 250;

export type Asked = {
  readonly tenant: string;
  readonly workflow: string;
  readonly participant: string;
  readonly send: Send;
  readonly url: string;
  readonly terms: string | null | undefined;
  /** How long it has waited, in milliseconds. */
  readonly ageMs: number;
  /** As it is delivered. */
  readonly fields: () => Fields;
};

export type Lookups = {
  readonly find: (tenant: string, participant: string) => Registered | null;
  readonly entry: (tenant: string, name: string) => Registered | null;
  /** Entries that stored definitions bring along; left out: they bring none. */
  readonly own?: {
    readonly find: FindOwnParticipant;
    /** Loads a version in the background; what goes wrong is in the log. */
    readonly begin: (tenant: string, of: StoredReference) => void;
  };
};

/** How a callback of the contract goes to whom it is registered for; `entry`: by what it was found. */
export type Directed = { readonly request: CallbackRequest; readonly entry: Registered | null };

/** @returns `entry` null: the launch has named the URL, and nothing of it changes */
export function directed(asked: Asked, request: CallbackRequest, lookups: Lookups): Directed | Unsent {
  const service = serviceOf(asked.url);
  if (service !== null) return toService(asked, request, service, lookups);
  const { entry: found, of, replies } = readTerms(asked.terms);
  if (found === undefined) return { request: replies === true ? withAnswer(asked, request) : request, entry: null };
  const entry = of === undefined ? lookups.find(asked.tenant, asked.participant) : brought(asked, of, lookups);
  if (entry === undefined) return { unsent: { kind: 'postponed', ms: LOADING_MS } };
  if (entry === null || entry.url === null)
    return unreachable('the participant is registered no more, or has no URL any more');
  return ready(asked, request, entry, entry.url);
}

/** The entry by which a message is sent, where there is one and it is at hand. */
export function entryOf(
  { tenant, url, participant, terms }: Pick<Asked, 'tenant' | 'url' | 'participant' | 'terms'>,
  lookups: Lookups,
): Registered | null {
  const service = serviceOf(url);
  if (service !== null) return lookups.entry(tenant, service.name);
  const { entry, of } = readTerms(terms);
  if (entry === undefined) return null;
  return of === undefined
    ? lookups.find(tenant, participant)
    : (lookups.own?.find(tenant, readReferenceText(of), participant) ?? null);
}

/** The entry of the version the workflow is of; undefined: it is being loaded. */
function brought(asked: Asked, of: string, { own }: Lookups): Registered | null | undefined {
  if (own === undefined) return null;
  const reference = readReferenceText(of);
  const known = own.find(asked.tenant, reference, asked.participant);
  // A load that fails is begun again by the next try.
  if (known === undefined) own.begin(asked.tenant, reference);
  return known;
}

function toService(
  asked: Asked,
  request: CallbackRequest,
  { name, rest }: NonNullable<ReturnType<typeof serviceOf>>,
  lookups: Lookups,
): Directed | Unsent {
  const entry = lookups.entry(asked.tenant, name);
  if (entry === null || entry.kind !== 'service' || entry.url === null)
    return unreachable(`no service ${JSON.stringify(name.slice(0, 100))} is registered`);
  const url = `${entry.url.replace(/\/+$/, '')}${rest}`;
  // Whatever the way to say it: nothing leaves the base.
  const [asOne, base] = [urlOf(url), urlOf(entry.url)];
  if (asOne === null || base === null || !under(asOne, base)) return unreachable('the URL leads out of its service');
  return ready(asked, request, entry, url);
}

const under = (url: URL, base: URL): boolean =>
  url.origin === base.origin && `${url.pathname}/`.startsWith(`${base.pathname.replace(/\/+$/, '')}/`);

function ready(asked: Asked, request: CallbackRequest, entry: Registered, url: string): Directed | Unsent {
  if (!entry.enabled)
    return {
      unsent: {
        kind: 'postponed',
        ms: Math.round(Math.min(Math.max(asked.ageMs / 10, POSTPONED_MS_MIN), POSTPONED_MS_MAX)),
      },
    };
  const scope = scopeOf(asked);
  try {
    const headers = Object.fromEntries(
      Object.entries(entry.headers).map(([name, value]) => [name.toLowerCase(), filledHeader(value, scope)]),
    );
    let directed: CallbackRequest = {
      ...request,
      url: filledUrl(url, scope),
      headers: { ...request.headers, ...headers },
      ...(entry.tls === null ? {} : { tls: entry.tls }),
    };
    if (entry.replies || readTerms(asked.terms).replies === true) directed = withAnswer(asked, directed);
    return { request: entry.request === null ? directed : asHttp(asked, directed, entry.request, scope), entry };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const fails = { class: 'ArgumentError', message: `nothing was sent to ${asked.participant}: ${error.message}` };
    return { unsent: { kind: 'unreachable', reason: error.message, fails } };
  }
}

const withAnswer = (asked: Asked, request: CallbackRequest): CallbackRequest =>
  asked.send === 'active' ? { ...request, answerBytesMax: ANSWER_BYTES_MAX } : request;

const unreachable = (reason: string): Unsent => ({ unsent: { kind: 'unreachable', reason } });

function scopeOf({ tenant, workflow, participant, terms, fields }: Asked): TemplateScope {
  let all: Fields | null = null;
  return (name) => {
    switch (name) {
      case 'workflow.tenant':
        return tenant;
      case 'workflow.id':
        return workflow;
      case 'workflow.name':
        return readTerms(terms).name;
      case 'participant':
        return participant;
      default:
        all ??= fields();
        return fieldAt(all, name.slice('f:'.length));
    }
  };
}

/** `customer.id`, `lines.0`. */
function fieldAt(fields: Fields, path: string): Json | undefined {
  let current: Json | undefined = fields;
  for (const key of path.split('.')) {
    if (Array.isArray(current))
      current = /^\d{1,9}$/.test(key) ? (current as readonly Json[]).at(Number(key)) : undefined;
    else current = isObject(current) ? ownValue(current, key) : undefined;
    if (current === undefined) return undefined;
  }
  return current;
}

const BODILESS: ReadonlySet<string> = new Set(['GET', 'DELETE']);

function asHttp(asked: Asked, request: CallbackRequest, http: HttpRequest, scope: TemplateScope): CallbackRequest {
  const { method, query, body } = http;
  const url = new URL(request.url);
  const pairs = Object.entries(query).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(filledBody(value, scope) ?? ''))}`,
  );
  if (pairs.length > 0) url.search = [url.search.slice(1), ...pairs].filter((one) => one !== '').join('&');
  const sent = body === undefined ? (BODILESS.has(method) ? null : asked.fields()) : filledBody(body, scope);
  const hasBody = body !== undefined || sent !== null;
  const { 'content-type': type = 'application/json', ...headers } = request.headers;
  return {
    ...request,
    url: url.href,
    method,
    headers: {
      ...headers,
      accept: headers['accept'] ?? 'application/json',
      ...(hasBody ? { 'content-type': type } : {}),
      'idempotency-key': request.headers['webhook-id'] ?? '',
    },
    body: hasBody ? JSON.stringify(sent) : '',
    answerBytesMax: ANSWER_BYTES_MAX,
  };
}

/** What the end of a request means for the workitem: the fields of its proceed, or the error it fails with. */
export type Meaning = {
  readonly result: TryEnd['result'];
  readonly fields?: Fields;
  readonly fails?: Failing;
};

export function meaningOf(entry: Registered | null, result: TryEnd['result']): Meaning {
  if (result.kind === 'dropped' || result.kind === 'postponed') return { result };
  if (result.kind === 'unreachable') return { result, ...(result.fails && { fails: result.fails }) };
  if (entry?.request != null) return ofHttp(entry.request, result);
  if (result.kind !== 'delivered' || result.answer === undefined) return { result };
  const { text, value: answer } = jsonIn(result.answer);
  if (!isObject(answer) || ownValue(answer, 'proceed') !== true) return { result };
  const fields = ownValue(answer, 'fields');
  if (!isObject(fields)) return { result, fields: {} };
  // Who answers so has done its work. What it says is neither changed nor thrown away without a word: the try has failed.
  const complaint = complaintOf(text, [['fields']]) ?? valueComplaint(fields);
  return complaint === null ? { result, fields } : { result: unfit(complaint) };
}

function ofHttp(http: HttpRequest, result: Exclude<PostResult, { kind: 'unreachable' }>): Meaning {
  const { status } = result;
  const named = Object.hasOwn(http.errors, String(status)) ? http.errors[String(status)] : undefined;
  const isExpected = http.expect === null ? result.kind === 'delivered' : http.expect.includes(status);
  if (named !== undefined && !isExpected)
    return { result: refused(result), fails: { class: named, message: `it answered with status ${status}` } };
  if (!isExpected) return { result: refused(result) };
  const answer = result.kind === 'delivered' ? result.answer : null;
  if (answer === null && Object.keys(http.result).length > 0)
    return {
      result: { kind: 'unreachable', reason: `the answer was longer than ${ANSWER_BYTES_MAX} bytes, or did not end` },
    };
  const { text, value } = jsonIn(answer);
  const entries = Object.entries(http.result).map(([field, pointer]) => [
    field,
    value === undefined ? null : (atPointer(value, pointer) ?? null),
  ]);
  const fields = Object.fromEntries(entries) as JsonObject;
  const complaint = complaintOf(text, Object.values(http.result).map(pathOf)) ?? valueComplaint(fields);
  return complaint === null ? { result: { kind: 'delivered', status }, fields } : { result: unfit(complaint) };
}

const refused = (result: Exclude<PostResult, { kind: 'unreachable' }>): PostResult =>
  result.kind === 'refused' ? result : { kind: 'refused', status: result.status, retryAfterSeconds: null };

const unfit = (complaint: string): PostResult => ({ kind: 'unreachable', reason: `the answer ${complaint}` });

/** What keeps the numbers at these places of an answer from being kept as they are, without its subject. */
function complaintOf(text: string, places: readonly (readonly string[])[]): string | null {
  const isAt = (path: readonly (string | number)[]): boolean =>
    places.some((place) => place.every((part, i) => i < path.length && String(path[i]) === part));
  const inexact = inexactNumber(text, isAt);
  return inexact === null ? null : `has a number that would be changed: ${cut(inexact.literal, 60)}`;
}

const NO_JSON = { text: '', value: undefined };
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** `value` undefined: it is no JSON, or deeper than we look. */
function jsonIn(answer: Buffer | null | undefined): { readonly text: string; readonly value: Json | undefined } {
  if (answer === null || answer === undefined || answer.length === 0) return NO_JSON;
  try {
    const text = UTF_8.decode(answer);
    const value = JSON.parse(text) as Json;
    return isDeeperThan(value, ANSWER_DEPTH_MAX) ? NO_JSON : { text, value };
  } catch {
    // An answer that is no JSON names nothing.
    return NO_JSON;
  }
}
