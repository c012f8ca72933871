import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { promisify } from 'node:util';
import { brotliDecompress, createBrotliDecompress, createGunzip, createInflate, gunzip, inflate } from 'node:zlib';
import type { Context } from 'koa';
import { inexactNumber } from '../../model/exact.ts';
import { isObject, type Json, type JsonObject } from '../../model/json.ts';
import { cut, shorten, shownJson } from '../../model/text.ts';
import type { RawBody } from '../operation.ts';
import { Problem } from '../problem.ts';
import { readForm } from './form.ts';
import { headerIn } from './headers.ts';
import type { Held } from './intake.ts';
import type { Spool, Spooled } from './spool.ts';
import { xmlText } from './xml-bytes.ts';

/*
 * Bytes → body. Everything that cannot be read faithfully is refused: unknown types and charsets, bytes that are no UTF-8, broken JSON,
 * lists and bare values, keys that would be dropped or mangled silently, numbers a double would change.
 */

/** Bodies may have this many bytes, counted after unpacking. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** A body that sends nothing for so long is given up. */
export const BODY_SILENT_MS_MAX = 15_000;
/** What is still read of a body that was refused, so that its sender can hear why: so many bytes, for so long. */
const DRAINED_BYTES_MAX = 16 * 1024 * 1024;
const DRAINED_MS_MAX = 1_000;

const JSON_TYPE = /^application\/(json|[\w.+-]+\+json)$/;
const FORM_TYPE = 'application/x-www-form-urlencoded';
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);
const UNPACK = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) } as const;

export type ReadBody = {
  readonly body: JsonObject;
  readonly raw: string;
  readonly isForm: boolean;
  /** The body as it came, where its media type is wanted so; null: it was read. */
  readonly document: { readonly type: string; readonly text: string } | null;
};

/**
 * Reads a JSON or form body into an object. A body without a Content-Type is a form.
 *
 * @param fixed whether it is one of the fixed v1 calls, which have words of their own for fields and workflow
 * @param documents media types that are handed on as they come, and with them a list in JSON
 * @param isData whether all of it is data: what is no object has the wrong shape then
 * @throws Problem
 */
export async function readBody(
  ctx: Context,
  held: Held,
  fixed: boolean,
  documents: readonly string[] = [],
  isData = false,
): Promise<ReadBody> {
  if (!hasBody(ctx)) return { body: {}, raw: '', isForm: false, document: null };
  const type = checkType(ctx, documents);
  const isForm = type === FORM_TYPE;
  const unpack = unpackerOf(ctx);
  if (Number(headerIn(ctx, 'content-length')) > BODY_BYTES_MAX)
    throw tooLarge(BODY_BYTES_MAX, headerIn(ctx, 'content-length'));
  goOn(ctx);
  const bytes = await unpack(await bytesOf(ctx.req, held), held);
  const raw = documents.includes(type) && XML_TYPE.test(type) ? xmlTextOf(bytes) : textOf(bytes);
  if (documents.includes(type) || (documents.length > 0 && !isForm && /^\s*\[/.test(raw)))
    return { body: {}, raw, isForm: false, document: { type, text: raw } };
  const body = isForm ? formOf(raw) : jsonOf(raw, fixed, isData ? 'request_invalid' : 'body_malformed');
  return { body, raw, isForm, document: null };
}

/** Whoever asked before they send the body is told to, now that nothing stands against it. */
function goOn({ req, res }: Context): void {
  if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
}

/** Reads a body of any type as it is. @throws Problem */
export async function readRaw(ctx: Context, held: Held, bytesMax = BODY_BYTES_MAX): Promise<RawBody> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(ctx.req.headers)) if (typeof value === 'string') headers.set(name, value);
  const type = headerIn(ctx, 'content-type').trim();
  if (!hasBody(ctx)) return { bytes: Buffer.alloc(0), type, headers };
  const unpack = unpackerOf(ctx, bytesMax);
  if (Number(headerIn(ctx, 'content-length')) > bytesMax) throw tooLarge(bytesMax, headerIn(ctx, 'content-length'));
  goOn(ctx);
  return { bytes: await unpack(await bytesOf(ctx.req, held, bytesMax), held), type, headers };
}

/**
 * Receives a body of any type that may be larger than what is held in memory.
 *
 * @param held counts what is held while it is read and worked on, at most `heldMax`
 * @param spool where it is put; whoever made it closes it
 * @throws Problem
 */
export async function readSpooled(
  ctx: Context,
  held: Held,
  spool: Spool,
  { bytesMax, heldMax }: { readonly bytesMax: number; readonly heldMax: number },
): Promise<Spooled> {
  const hash = createHash('sha256');
  if (hasBody(ctx)) {
    const encoding = encodingOf(ctx);
    if (Number(headerIn(ctx, 'content-length')) > bytesMax) throw tooLarge(bytesMax, headerIn(ctx, 'content-length'));
    goOn(ctx);
    let counted = 0;
    await takeAll(ctx.req, encoding === null ? null : UNPACKERS[encoding](), async (piece) => {
      if (spool.bytes() + piece.length > bytesMax) throw tooLarge(bytesMax);
      const more = Math.min(piece.length, heldMax - counted);
      counted += more;
      held.add(more);
      hash.update(piece);
      await spool.add(piece);
    });
  }
  return { bytes: spool.bytes(), sha256: hash.digest('hex'), pieces: spool.pieces };
}

const UNPACKERS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

/** Gives one piece after the other to `take`, and waits for it; what else comes stays with the sender meanwhile. */
function takeAll(
  request: IncomingMessage,
  unpacker: Transform | null,
  take: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const source = unpacker === null ? request : request.pipe(unpacker);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(silent()), BODY_SILENT_MS_MAX);
    let taken = Promise.resolve();
    const hear = (piece: Buffer): void => {
      timer.refresh();
      source.pause();
      taken = take(piece);
      taken.then(() => source.resume(), finish);
    };
    // The end may be told while the last piece is being taken.
    const end = (): void => void taken.then(() => finish(null), finish);
    const lost = (): void => {
      if (!request.complete) finish(cutOff());
    };
    const broken = (): void => finish(malformed('it is not packed as it says'));
    const finish = (error: unknown): void => {
      clearTimeout(timer);
      source.off('data', hear).off('end', end).off('error', broken);
      request.off('close', lost).off('error', lost);
      if (unpacker !== null) {
        request.unpipe(unpacker);
        // What is left in it may still be wrong; nobody wants to hear of it.
        unpacker.on('error', () => {}).destroy();
      }
      if (error === null) {
        resolve();
        return;
      }
      request.pause();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    request.on('close', lost).on('error', lost);
    if (unpacker !== null) source.on('error', broken);
    source.on('data', hear).on('end', end);
  });
}

/** Reads on and forgets, within bounds. @returns whether the body has ended: then its connection is good for the next request */
export function drained(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return Promise.resolve(request.complete);
  return new Promise((resolve) => {
    let bytes = 0;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done).off('error', done);
      resolve(request.complete);
    };
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > DRAINED_BYTES_MAX) done();
    };
    const timer = setTimeout(done, DRAINED_MS_MAX);
    request.on('data', count).on('end', done).on('close', done).on('error', done);
    request.resume();
  });
}

const hasBody = (ctx: Context): boolean =>
  headerIn(ctx, 'transfer-encoding') !== '' || !['', '0'].includes(headerIn(ctx, 'content-length'));

/** The media type, in small letters; that of a form where none is given. */
function checkType(ctx: Context, documents: readonly string[]): string {
  const given = headerIn(ctx, 'content-type').trim();
  if (given === '' || given === 'application/json') return given || FORM_TYPE;
  const [type = '', ...parameters] = given.split(';').map((part) => part.trim().toLowerCase());
  if (type !== FORM_TYPE && !JSON_TYPE.test(type) && !documents.includes(type))
    throw new Problem(
      'media_type_unsupported',
      `Bodies of type ${shownJson(type, 100)} are not read here; send ${['application/json', ...documents].join(', ')} or ${FORM_TYPE}`,
    );
  for (const parameter of parameters) {
    const [, charset] = /^charset\s*=\s*"?([^"]*)"?$/.exec(parameter) ?? [];
    if (charset !== undefined && !CHARSETS.has(charset.trim()))
      throw new Problem(
        'media_type_unsupported',
        `The charset ${shownJson(charset, 100)} is not read here; send UTF-8`,
      );
  }
  return type;
}

type Unpack = (bytes: Buffer, held: Held) => Promise<Buffer>;

/** How it is packed; null: it is not. @throws Problem when it is not unpacked here */
function encodingOf(ctx: Context): keyof typeof UNPACK | null {
  const encoding = headerIn(ctx, 'content-encoding').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return null;
  const known = (Object.keys(UNPACK) as (keyof typeof UNPACK)[]).find((one) => one === encoding);
  if (known !== undefined) return known;
  throw new Problem(
    'media_type_unsupported',
    `Bodies packed with ${shownJson(encoding, 100)} are not read here; there are ${Object.keys(UNPACK).join(', ')}`,
  );
}

function unpackerOf(ctx: Context, bytesMax = BODY_BYTES_MAX): Unpack {
  const encoding = encodingOf(ctx);
  if (encoding === null) return (bytes) => Promise.resolve(bytes);
  const unpack = UNPACK[encoding];
  return async (bytes, held) => {
    // What it grows to is not known before, so there has to be room for the most.
    held.add(bytesMax);
    try {
      return await unpack(bytes, { maxOutputLength: bytesMax });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
      throw malformed(`it is not packed with ${encoding}`);
    }
  };
}

function bytesOf(request: IncomingMessage, held: Held, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => finish(silent()), BODY_SILENT_MS_MAX);
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      timer.refresh();
      if (bytes > bytesMax) {
        finish(tooLarge(bytesMax));
        return;
      }
      try {
        held.add(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        finish(error);
      }
    };
    const end = (): void => finish(null);
    const lost = (): void => finish(cutOff());
    const finish = (error: unknown): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', end).off('close', lost).off('error', lost);
      if (error === null) {
        const [only] = chunks;
        resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes));
        return;
      }
      request.pause();
      chunks.length = 0;
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    request.on('data', take).on('end', end).on('close', lost).on('error', lost);
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

function xmlTextOf(bytes: Buffer): string {
  const text = xmlText(bytes);
  if (typeof text === 'string') return text;
  if (text === null) throw malformed('it is not in the encoding it says');
  throw malformed(`it is in ${shownJson(text.unknown, 100)}; UTF-8, UTF-16 and ISO-8859-1 are read here`);
}
const XML_TYPE = /xml$/;

function formOf(text: string): JsonObject {
  if (/^\s*(\{\s*["}]|\[\s*["{[\]])/.test(text))
    throw new Problem(
      'body_malformed',
      'The body looks like JSON but came as a form; send it with the header Content-Type: application/json',
    );
  return readForm(text);
}

function jsonOf(text: string, fixed: boolean, noObject: 'request_invalid' | 'body_malformed'): JsonObject {
  if (text === '') return {};
  let body: Json;
  try {
    body = JSON.parse(text) as Json;
  } catch (error) {
    throw malformed(error instanceof Error ? cut(error.message, 300) : 'it is not JSON');
  }
  if (!isObject(body)) throw new Problem(noObject, 'The body must be a JSON object, not a list or a value');
  if (MAY_SAY_PROTO.some((sign) => text.includes(sign))) refuseProto(body);
  const inexact = inexactNumber(text);
  if (inexact !== null) throw inexactProblem(inexact, fixed);
  return body;
}

/** One of these is in the text where a key is `__proto__`: `_` may be written as its number. */
const MAY_SAY_PROTO = ['__proto__', '\\u005f', '\\u005F'];

/** Walks without recursion: the value is a stranger's and may be nested a hundred thousand deep. */
function refuseProto(body: Json): void {
  const waiting: Json[] = [body];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) throw malformed('no key can be called __proto__');
    for (const child of Object.values(value)) waiting.push(child as Json);
  }
}

function inexactProblem({ path, literal }: NonNullable<ReturnType<typeof inexactNumber>>, fixed: boolean): Problem {
  const pointer = `#/${path.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const shown = shorten(literal, 60);
  const detail = `${cut(path.join('.'), 200)}: the number ${shown} would be changed to ${Number(literal)}; send it as a text`;
  const code =
    fixed && path[0] === 'fields'
      ? 'fields_invalid'
      : fixed && path[0] === 'workflow'
        ? 'workflow_invalid'
        : 'request_invalid';
  return new Problem(code, detail, { complaints: [{ detail, pointer: cut(pointer, 1_000) }] });
}

/** @param announced its size, where it was said */
const tooLarge = (bytesMax = BODY_BYTES_MAX, announced?: string): Problem =>
  new Problem(
    'body_too_large',
    announced === undefined
      ? `The body has more than ${bytesMax} bytes`
      : `The body has ${cut(announced, 20)} bytes, more than ${bytesMax}`,
  );
const silent = (): Problem =>
  new Problem('request_timeout', `Nothing came of the body for ${BODY_SILENT_MS_MAX / 1000} s`);
const cutOff = (): Problem => malformed('the connection was lost before its end');
const malformed = (why: string): Problem => new Problem('body_malformed', `The body cannot be read: ${why}`);
