import { type EventMode, keyOf, TYPE_MAX } from '../../../model/events.ts';
import { inexactNumber } from '../../../model/exact.ts';
import type { WorkflowId } from '../../../model/ids.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../../../model/json.ts';
import { atPointer } from '../../../model/pointer.ts';
import { isStorable, valueComplaint } from '../../../model/storable.ts';
import type { Incoming } from '../../../signals/receiver.ts';
import type { RawBody } from '../../operation.ts';
import { type Complaint, Problem } from '../../problem.ts';

/*
 * CloudEvents 1.0.2 over HTTP, in its three modes: structured (one JSON object), binary (attributes are headers, the body is the data), batch (a
 * JSON list). A body is read whole before anything of it counts.
 */

/** Events of one body, bytes of one event, characters of an attribute and of its name. */
export const EVENTS_MAX = 1_000;
const EVENT_BYTES_MAX = 256 * 1024;
const ATTRIBUTE_MAX = 4 * 1024;
const NAME = /^[a-z0-9]{1,64}$/;
/** Complaints that are told. */
const COMPLAINTS_MAX = 20;
const REQUIRED = ['id', 'source', 'type', 'specversion'] as const;
/** RFC 3339. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)$/;

export type ReadEvents = { readonly isBatch: boolean; readonly events: readonly JsonObject[] };

/** The events of a body. @throws Problem */
export function readEvents(raw: RawBody): ReadEvents {
  const type = (raw.type.split(';')[0] ?? '').trim().toLowerCase();
  checkCharset(raw.type);
  if (type.startsWith('application/cloudevents-batch')) {
    if (type !== 'application/cloudevents-batch+json') throw unsupported(type);
    return { isBatch: true, events: batchOf(raw) };
  }
  if (type.startsWith('application/cloudevents')) {
    if (type !== 'application/cloudevents+json') throw unsupported(type);
    const event = jsonOf(raw.bytes);
    if (!isObject(event)) throw invalid([{ detail: 'an event is a JSON object', pointer: '#' }]);
    checkSize(raw.bytes.length, '#');
    return { isBatch: false, events: [checked(event, '#')] };
  }
  checkSize(raw.bytes.length, '#');
  return { isBatch: false, events: [checked(binary(raw, type), '#')] };
}

function batchOf(raw: RawBody): readonly JsonObject[] {
  const list = jsonOf(raw.bytes);
  if (!Array.isArray(list)) throw invalid([{ detail: 'a batch is a JSON list of events', pointer: '#' }]);
  const events = list as readonly Json[];
  if (events.length > EVENTS_MAX)
    throw new Problem(
      'body_too_large',
      `The body has ${events.length} events; at most ${EVENTS_MAX} are taken at once`,
    );
  const complaints = events.flatMap((event, i) => complaintsOf(event, `#/${i}`)).slice(0, COMPLAINTS_MAX);
  if (complaints.length > 0) throw invalid(complaints);
  // Only one that could be too large is measured.
  if (raw.bytes.length > EVENT_BYTES_MAX)
    for (const [i, event] of events.entries()) checkSize(Buffer.byteLength(JSON.stringify(event)), `#/${i}`);
  return events as readonly JsonObject[];
}

function checkSize(bytes: number, pointer: string): void {
  if (bytes > EVENT_BYTES_MAX)
    throw new Problem('body_too_large', `The event has ${bytes} bytes, more than ${EVENT_BYTES_MAX}`, {
      complaints: [{ detail: `has more than ${EVENT_BYTES_MAX} bytes`, pointer }],
    });
}

function checked(event: JsonObject, pointer: string): JsonObject {
  const complaints = complaintsOf(event, pointer).slice(0, COMPLAINTS_MAX);
  if (complaints.length > 0) throw invalid(complaints);
  return event;
}

function complaintsOf(event: Json, pointer: string): readonly Complaint[] {
  if (!isObject(event)) return [{ detail: 'an event is a JSON object', pointer }];
  const complaints: Complaint[] = [];
  const complain = (name: string, detail: string): void => {
    complaints.push({ detail: `${name} ${detail}`, pointer: `${pointer}/${name}` });
  };
  for (const name of REQUIRED) {
    const value = ownValue(event, name);
    if (value === undefined || value === null || value === '') complain(name, 'is missing');
    else if (typeof value !== 'string') complain(name, 'must be a text');
  }
  const version = ownValue(event, 'specversion');
  if (typeof version === 'string' && version !== '' && version !== '1.0') complain('specversion', 'must be 1.0');
  if (Object.hasOwn(event, 'data') && Object.hasOwn(event, 'data_base64'))
    complain('data_base64', 'and data are both there');
  const base64 = ownValue(event, 'data_base64');
  if (base64 !== undefined && (typeof base64 !== 'string' || !isBase64(base64)))
    complain('data_base64', 'must be base64 text');
  for (const [name, value] of Object.entries(event)) {
    if (name === 'data' || name === 'data_base64') continue;
    if (!NAME.test(name)) complain(name.slice(0, 64), 'is no name of an attribute: a to z and digits, at most 64');
    else if (value === null) continue;
    else if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      complain(name, 'must be a text, a number or true or false');
    else if (Buffer.byteLength(String(value)) > ATTRIBUTE_MAX) complain(name, `has more than ${ATTRIBUTE_MAX} bytes`);
  }
  const type = ownValue(event, 'type');
  if (typeof type === 'string' && type.length > TYPE_MAX) complain('type', `has more than ${TYPE_MAX} characters`);
  const time = ownValue(event, 'time');
  if (
    time !== undefined &&
    time !== null &&
    !(typeof time === 'string' && TIME.test(time) && !Number.isNaN(Date.parse(time)))
  )
    complain('time', 'must be a time of RFC 3339');
  const mode = ownValue(event, 'rotamode');
  if (mode !== undefined && mode !== null && mode !== 'broadcast' && mode !== 'competing')
    complain('rotamode', 'must be broadcast or competing');
  for (const name of ['rotattl', 'rotahops']) {
    const value = ownValue(event, name);
    if (value !== undefined && value !== null && !/^\d{1,9}$/.test(String(value)))
      complain(name, 'must be a whole number');
  }
  const unfit = valueComplaint(event);
  if (unfit !== null) complaints.push({ detail: `the event ${unfit}`, pointer });
  return complaints;
}

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0;

/** Attributes in headers, the data in the body. */
function binary(raw: RawBody, type: string): JsonObject {
  const attributes = new Map<string, Json>();
  const complaints: Complaint[] = [];
  for (const [header, value] of raw.headers) {
    if (!header.startsWith('ce-')) continue;
    const name = header.slice('ce-'.length);
    if (name === 'datacontenttype') {
      complaints.push({
        detail: 'ce-datacontenttype must not be there: Content-Type says it',
        pointer: '#/datacontenttype',
      });
      continue;
    }
    const decoded = decodedHeader(value);
    if (decoded === null) complaints.push({ detail: `${name} is not UTF-8`, pointer: `#/${name.slice(0, 64)}` });
    else attributes.set(name, decoded);
  }
  if (complaints.length > 0) throw invalid(complaints);
  const event: Record<string, Json> = Object.fromEntries(attributes);
  if (!('specversion' in event) && !('id' in event) && !('type' in event) && type !== '')
    throw invalid([
      {
        detail: `the body is ${type} and there are no headers ce-…: send application/cloudevents+json, or ce-id, ce-source, ce-type and ce-specversion`,
        pointer: '#',
      },
      ...REQUIRED.map((name) => ({ detail: `${name} is missing`, pointer: `#/${name}` })),
    ]);
  if (raw.type !== '') event['datacontenttype'] = raw.type;
  if (raw.bytes.length === 0) return event;
  if (type === 'application/json' || type.endsWith('+json')) event['data'] = jsonOf(raw.bytes);
  else if (type.startsWith('text/')) event['data'] = textOf(raw.bytes);
  else event['data_base64'] = raw.bytes.toString('base64');
  return event;
}

/** A header's value: node reads bytes as Latin-1. Quotes go, then what is percent-encoded is decoded once. Null: no UTF-8. */
function decodedHeader(value: string): string | null {
  const quoted = /^"(.*)"$/s.exec(value.trim());
  const bare = quoted === null ? value.trim() : (quoted[1] ?? '').replaceAll(/\\(.)/gs, '$1');
  const bytes: number[] = [];
  for (let i = 0; i < bare.length; i++) {
    const hex = bare[i] === '%' ? /^[0-9A-Fa-f]{2}$/.exec(bare.slice(i + 1, i + 3)) : null;
    if (hex === null) bytes.push(bare.charCodeAt(i) & 0xff);
    else {
      bytes.push(Number.parseInt(hex[0], 16));
      i += 2;
    }
  }
  try {
    return utf8.decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid([{ detail: 'the body is not UTF-8', pointer: '#/data' }]);
  }
}

function jsonOf(bytes: Uint8Array): Json {
  const text = textOf(bytes);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw invalid([{ detail: 'the body cannot be read as JSON', pointer: '#/data' }]);
  }
  const inexact = inexactNumber(text);
  if (inexact !== null)
    throw invalid([
      { detail: `the number ${inexact.literal.slice(0, 60)} would be changed; send it as a text`, pointer: '#/data' },
    ]);
  return value;
}

function checkCharset(type: string): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase();
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset))
    throw new Problem('media_type_unsupported', `The charset ${charset.slice(0, 100)} is not read here; send UTF-8`);
}

const unsupported = (type: string): Problem =>
  new Problem(
    'media_type_unsupported',
    `Events as ${type.slice(0, 100)} are not read here; send application/cloudevents+json, application/cloudevents-batch+json, or binary with headers ce-…`,
  );

function invalid(complaints: readonly Complaint[]): Problem {
  const [first] = complaints;
  return new Problem('event_invalid', `The event cannot be taken: ${first?.detail ?? 'it has the wrong shape'}`, {
    complaints,
  });
}

/** An event as the server takes it in. `hops`: what a header says. */
export function incomingOf(event: JsonObject, hops: number): Incoming {
  const text = (name: string): string => {
    const value = ownValue(event, name);
    return value === undefined || value === null ? '' : String(value);
  };
  const workflow = text('rotaworkflowid') || text('romancyinstanceid');
  const mode = text('rotamode');
  const ttl = text('rotattl');
  return {
    source: text('source'),
    id: text('id'),
    type: text('type'),
    key: keyOf(atPointer(event, '/correlationkey') ?? null) ?? keyOf(atPointer(event, '/subject') ?? null),
    sort: 'event',
    mode: workflow !== '' ? 'direct' : ((mode || 'broadcast') as EventMode),
    workflow: workflow === '' ? null : (workflow as WorkflowId),
    keepSeconds: ttl === '' ? null : Number(ttl),
    hops: Math.max(hops, Number(text('rotahops') || 0)),
    event,
  };
}

export const isGoodText = (text: string): boolean => isStorable(text);
