import { createPrivateKey, X509Certificate } from 'node:crypto';
import { plainRetry } from '../engine/retry-rules.ts';
import { parseDuration } from '../language/duration.ts';
import { LanguageError } from '../language/language-error.ts';
import { compileRegex, literalRegex } from '../language/regex.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import { isPattern, type ParticipantKind, type Registered } from '../model/participants.ts';
import { isPointer } from '../model/pointer.ts';
import { HEADER_VALUE_MAX, piecesOf, urlTemplateComplaint, withoutTemplates } from '../model/templates.ts';
import { urlOf } from '../model/url.ts';

/* What is said of a participant: checked when it is written, made ready when it is read. */

/** What a text of a secret is shown as; sent back, it means the secret that is there. */
export const HIDDEN = '***';

/** What of a spec is a secret. */
export type Secrets = {
  readonly secret?: string;
  readonly tlsKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Complaint = { readonly detail: string; readonly pointer: string };

/** Names that paths need for themselves (docs/api-v1.md, Stored definitions). */
const RESERVED: ReadonlySet<string> = new Set(
  'versions run activate stats validate convert places diff edit'.split(' '),
);
const NAME_PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** What is wrong with the name of an entry, in words that fit behind "the name", or null. */
export function nameComplaint(name: string): string | null {
  if (isPattern(name)) {
    const literal = literalRegex(name);
    if (literal === null) return 'is a pattern that does not end with / and flags of i, m, x';
    try {
      compileRegex(literal.source, literal.flags);
      return null;
    } catch (error) {
      if (error instanceof LanguageError) return `is a pattern that cannot be used: ${error.message}`;
      throw error;
    }
  }
  const parts = name.split('/');
  if (parts.length > 2 || !parts.every((part) => NAME_PART.test(part)))
    return 'must be name or namespace/name, of letters, digits, _ . and -, at most 64 each; or /pattern/';
  return parts.some((part) => RESERVED.has(part.toLowerCase())) ? 'is a word that addresses need for themselves' : null;
}

/** Whether `name` fits the pattern. */
export function fits(pattern: string, name: string): boolean {
  const literal = literalRegex(pattern);
  if (literal === null) return false;
  try {
    return compileRegex(literal.source, literal.flags).test(name);
  } catch (error) {
    if (error instanceof LanguageError) return false;
    throw error;
  }
}

/** Headers that are the server's, or the connection's. */
const OWN_HEADERS =
  /^(?:host|content-length|transfer-encoding|connection|te|upgrade|expect|keep-alive|trailer|proxy-.*|webhook-.*|rota-.*)$/;
const HEADERS_MAX = 20;
const MAPPINGS_MAX = 100;

/** Milliseconds of a duration: a text of the language, or a number of seconds. Null: it is none, or not above zero. */
export function durationMs(value: Json): number | null {
  const ms =
    typeof value === 'number' ? Math.round(value * 1000) : typeof value === 'string' ? parseDuration(value) : null;
  return ms !== null && Number.isSafeInteger(ms) && ms > 0 ? ms : null;
}

/**
 * What is wrong with a spec whose shape was checked (api/resources/participants/schemas.ts).
 *
 * @param targetComplaint whether a URL may be called, in words behind "the URL" (outbox/targets.ts)
 */
export function specComplaints(
  spec: JsonObject,
  targetComplaint: (url: string) => string | null,
): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (pointer: string, detail: string): void => void complaints.push({ pointer: `#/${pointer}`, detail });
  const kind = (ownValue(spec, 'kind') ?? 'callback') as ParticipantKind;
  const url = ownValue(spec, 'url');
  if (kind === 'person') {
    if (url !== undefined) complain('url', 'a person has no url: its work waits in the worklist');
  } else if (typeof url !== 'string') complain('url', `a participant of kind ${kind} needs a url`);
  else {
    const wrong = urlTemplateComplaint(url) ?? targetComplaint(withoutTemplates(url));
    if (wrong !== null) complain('url', `the URL ${wrong}`);
    else if (kind === 'service' && /[?#{]/.test(url))
      complain('url', 'the URL of a service is a base: no query, fragment or template');
  }
  if (kind !== 'person' && ownValue(spec, 'in_process') === true)
    complain(
      'in_process',
      'in_process is for participants of kind person: functions take their work from the worklist',
    );
  for (const key of ['method', 'query', 'body', 'expect', 'result', 'errors'])
    if (kind !== 'http' && ownValue(spec, key) !== undefined) complain(key, `${key} is for participants of kind http`);
  complaints.push(...headersComplaints(objectIn(spec, 'headers'), true));
  complaints.push(...tlsComplaints(objectIn(spec, 'tls')));
  for (const key of ['deadline', 'heartbeat']) {
    const value = ownValue(spec, key);
    if (value !== undefined && durationMs(value) === null)
      complain(key, `${key} must be a duration such as "2h", or a number of seconds, above zero`);
  }
  const retry = plainRetry(ownValue(spec, 'retry') ?? null);
  if ('complaint' in retry) complain('retry', retry.complaint);
  for (const key of ['input', 'output'])
    for (const [name, from] of Object.entries(objectIn(spec, key)))
      if (name === 'params') complain(`${key}/params`, 'params are ours and delivered anyway');
      else if (key === 'output' && typeof from !== 'string')
        complain(`output/${name}`, "must say where it comes from, such as 'f:answer.decision'");
  for (const [name, pointer] of Object.entries(objectIn(spec, 'result')))
    if (!isPointer(String(pointer))) complain(`result/${name}`, 'must be a JSON pointer, such as /status, or empty');
  for (const [name, value] of Object.entries(objectIn(spec, 'query'))) {
    const pieces = piecesOf(String(value));
    if (typeof pieces === 'string') complain(`query/${name}`, pieces);
  }
  for (const status of Object.keys(objectIn(spec, 'errors')))
    if (!/^[3-5]\d\d$/.test(status)) complain(`errors/${status}`, 'must be a status from 300 to 599');
  for (const key of ['input', 'output', 'result', 'query', 'errors'])
    if (Object.keys(objectIn(spec, key)).length > MAPPINGS_MAX)
      complain(key, `${key} may have at most ${MAPPINGS_MAX} members`);
  return complaints;
}

/** A certificate and its key belong together, and each can be read. */
function tlsComplaints(tls: JsonObject): readonly Complaint[] {
  const { cert, key } = tls;
  if (cert !== undefined && key === undefined)
    return [{ pointer: '#/tls/key', detail: 'tls: a certificate needs its key' }];
  if (cert === undefined && key !== undefined)
    return [{ pointer: '#/tls/cert', detail: 'tls: a key needs its certificate' }];
  return ['cert', 'ca', 'key'].flatMap((part) => {
    const pem = ownValue(tls, part);
    if (typeof pem !== 'string' || pem === HIDDEN) return [];
    try {
      if (part === 'key') createPrivateKey(pem);
      else new X509Certificate(pem);
      return [];
    } catch {
      // What the library says of it may quote it.
      return [{ pointer: `#/tls/${part}`, detail: `tls: ${part} cannot be read as PEM` }];
    }
  });
}

/** @param hasTemplates whether values may hold templates; else braces mean themselves */
export function headersComplaints(headers: JsonObject, hasTemplates: boolean): readonly Complaint[] {
  const all = Object.entries(headers);
  if (all.length > HEADERS_MAX)
    return [{ pointer: '#/headers', detail: `there may be at most ${HEADERS_MAX} headers` }];
  return all.flatMap(([name, value]) => {
    const detail = headerComplaint(name, String(value), hasTemplates);
    return detail === null ? [] : [{ pointer: `#/headers/${name}`, detail }];
  });
}

function headerComplaint(name: string, value: string, hasTemplates: boolean): string | null {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name)) return 'is no name of a header';
  if (OWN_HEADERS.test(name.toLowerCase())) return 'is a header that only the server sets';
  const pieces = hasTemplates ? piecesOf(value) : [];
  if (typeof pieces === 'string') return pieces;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) && value.length <= HEADER_VALUE_MAX
    ? null
    : `a value has no control characters, and at most ${HEADER_VALUE_MAX} characters`;
}

const objectIn = (spec: JsonObject, key: string): JsonObject => {
  const value = ownValue(spec, key);
  return isObject(value) ? value : {};
};

/** Where requests to a URL go, for the rule that secrets stay with it. */
export const originOf = (url: Json | undefined): string =>
  typeof url === 'string' ? (urlOf(withoutTemplates(url))?.origin ?? '') : '';

/**
 * A spec as it is stored: what is secret apart. `***` stands for what was there before, unless the origin of the URL is another now.
 *
 * @param before what is there; null: nothing
 */
export function parted(
  given: JsonObject,
  before: { readonly spec: JsonObject; readonly secrets: Secrets } | null,
): { readonly spec: JsonObject; readonly secrets: Secrets } {
  const isSame = before !== null && originOf(given['url']) === originOf(before.spec['url']);
  const known: Secrets = isSame ? before.secrets : {};
  const spec: { [key: string]: Json } = { ...given };
  const secrets: { secret?: string; tlsKey?: string; headers?: Record<string, string> } = {};
  const secret = meant(given['secret'], known.secret);
  delete spec['secret'];
  if (secret !== undefined) {
    secrets.secret = secret;
    spec['secret'] = HIDDEN;
  }
  const tls = given['tls'];
  if (isObject(tls)) {
    const { key, ...others } = tls;
    const text = meant(key, known.tlsKey);
    if (text !== undefined) secrets.tlsKey = text;
    spec['tls'] = { ...others, ...(text === undefined ? {} : { key: HIDDEN }) };
  }
  if (isObject(given['headers'])) {
    const kept = Object.entries(given['headers']).flatMap(([name, value]) => {
      const old = known.headers !== undefined && Object.hasOwn(known.headers, name) ? known.headers[name] : undefined;
      const text = meant(value, old);
      return text === undefined ? [] : [[name, text] as const];
    });
    secrets.headers = Object.fromEntries(kept);
    spec['headers'] = Object.fromEntries(kept.map(([name]) => [name, HIDDEN]));
  }
  return { spec, secrets };
}

const meant = (given: Json | undefined, known: string | undefined): string | undefined =>
  given === HIDDEN ? known : typeof given === 'string' ? given : undefined;

const texts = (value: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));

/** An entry, ready to work with. */
export function registered(entry: string, spec: JsonObject, secrets: Secrets): Registered {
  const kind = (ownValue(spec, 'kind') ?? 'callback') as ParticipantKind;
  const retry = plainRetry(ownValue(spec, 'retry') ?? null);
  const tls = ownValue(spec, 'tls');
  const text = (key: string): string | null => {
    const value = ownValue(spec, key);
    return typeof value === 'string' ? value : null;
  };
  const object = (key: string): JsonObject | null => {
    const value = ownValue(spec, key);
    return isObject(value) ? value : null;
  };
  const duration = (key: string): number | null => {
    const value = ownValue(spec, key);
    return value === undefined ? null : durationMs(value);
  };
  return {
    entry,
    kind,
    url: text('url'),
    headers: secrets.headers ?? {},
    secret: secrets.secret ?? null,
    tls: isObject(tls)
      ? { ...texts({ ...tls }), ...(secrets.tlsKey === undefined ? {} : { key: secrets.tlsKey }) }
      : null,
    retry: 'retry' in retry ? retry.retry : null,
    places: (ownValue(spec, 'places') as number | undefined) ?? null,
    deadlineMs: duration('deadline'),
    heartbeatMs: duration('heartbeat'),
    replies: ownValue(spec, 'replies') === true,
    input: object('input'),
    output: object('output'),
    undo: text('undo'),
    inProcess: kind === 'person' && ownValue(spec, 'in_process') === true,
    form: ownValue(spec, 'form') ?? null,
    enabled: ownValue(spec, 'enabled') !== false,
    request:
      kind === 'http'
        ? {
            method: text('method') ?? 'GET',
            query: texts(object('query') ?? {}),
            body: ownValue(spec, 'body'),
            expect: (ownValue(spec, 'expect') as readonly number[] | undefined) ?? null,
            result: texts(object('result') ?? {}),
            errors: texts(object('errors') ?? {}),
          }
        : null,
  };
}
