import type { Context, Middleware } from 'koa';
import type { Identity } from '../../identity/identity.ts';
import { OPEN, type Principal } from '../../identity/principal.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { isStorable } from '../../model/storable.ts';
import { shownJson } from '../../model/text.ts';
import { REQUEST_MS } from '../../store/patience.ts';
import { audited } from '../audit.ts';
import type { Call, Operation, RawBody, Reply } from '../operation.ts';
import type { Parts } from '../parts.ts';
import { Problem } from '../problem.ts';
import { BODY_BYTES_MAX, type ReadBody, readBody, readRaw, readSpooled } from '../reading/body.ts';
import { headerIn } from '../reading/headers.ts';
import { type Held, makeIntake } from '../reading/intake.ts';
import { makeSpool, type Spool } from '../reading/spool.ts';
import type { Streams } from '../streams.ts';
import { withIdempotency } from './idempotency.ts';
import { inTime } from './in-time.ts';
import { knownOf, queryIn } from './state.ts';
import { checkQuery, makeBodyCheck } from './validate.ts';

/** A caller may ask for an answer that is held back so long until there is more to tell (`?wait=`, `Prefer: wait=`). */
const HELD_BACK_MS_MAX = 30_000;

/** How long a request may wait for its answer, in milliseconds. */
function timeOf({ query, header }: Call): number {
  const prefer = header('prefer');
  const waits = query.has('wait') || (prefer !== null && /\bwait=/.test(prefer));
  return waits ? HELD_BACK_MS_MAX + REQUEST_MS : REQUEST_MS;
}

const NOTHING: ReadBody = { body: {}, raw: '', isForm: false, document: null };

/** Reads what the operation wants to know of the request, runs it and writes its reply. */
export function run(parts: Parts, streams: Streams): Middleware {
  const intake = makeIntake();
  const ready = new Map<Operation, ReturnType<typeof prepare>>();

  /** Made when an operation is first asked for: a start needs none of it. */
  function prepare(operation: Operation) {
    return {
      takesReason: takesReason(operation),
      hasBody: operation.method === 'post' || operation.method === 'put' || operation.method === 'patch',
      checkBody: operation.body?.checked === 'here' ? makeBodyCheck(operation.body.schema) : null,
      handle:
        operation.method === 'post' && operation.unkept !== true
          ? withIdempotency(audited(operation, parts.audit), parts)
          : audited(operation, parts.audit).handle,
    };
  }

  function preparedFor(operation: Operation): ReturnType<typeof prepare> {
    const known = ready.get(operation);
    if (known !== undefined) return known;
    const made = prepare(operation);
    ready.set(operation, made);
    return made;
  }

  return async (ctx) => {
    const held = intake.begin();
    const spool = knownOf(ctx).found?.operation.body?.checked === 'spooled' ? makeSpool() : null;
    try {
      await answer(ctx, held, spool);
    } finally {
      // Such operations are patient: none of their work goes on behind the answer.
      await spool?.close();
      const { behind } = knownOf(ctx);
      // Work that goes on still holds what it was given.
      if (behind === null) held.release();
      else void behind.finally(() => held.release());
    }
  };

  async function answer(ctx: Context, held: Held, spool: Spool | null): Promise<void> {
    const { found, principal, requestId, address, span } = knownOf(ctx);
    if (found === null) throw new Error('No operation was found for this request');
    const { operation, params } = found;
    const one = preparedFor(operation);
    checkAccept(ctx, operation);
    const query = queryIn(ctx);
    checkQuery(query, operation);
    const { bytesMax = BODY_BYTES_MAX, heldMax = bytesMax } = operation.body ?? {};
    const spooled = spool === null ? null : await readSpooled(ctx, held, spool, { bytesMax, heldMax });
    const isRaw = operation.body?.checked === 'raw';
    const raw = isRaw ? await readRaw(ctx, held, bytesMax) : null;
    const whole = spooled === null ? (raw === null ? null : fingerprintOf(raw)) : spooled.sha256;
    const read =
      whole !== null
        ? { ...NOTHING, raw: whole }
        : one.hasBody
          ? await readBody(ctx, held, operation.fixed === true, operation.body?.documents, operation.body?.isData)
          : NOTHING;
    const body = one.checkBody === null || read.document !== null ? read.body : one.checkBody(read.body, read.isForm);
    const sizes = parts.large.begin((principal ?? OPEN).tenant);
    sizes.note('body', spooled?.bytes ?? raw?.bytes.length ?? read.raw.length, bytesMax);
    const call: Call = {
      principal: principal ?? OPEN,
      reason: one.takesReason ? reasonOf(body, operation) : null,
      path: ctx.path,
      params,
      query,
      raw,
      spooled,
      header: (name) => headerIn(ctx, name.toLowerCase()) || null,
      body,
      document: read.document,
      isForm: read.isForm,
      requestId,
      address,
      large: sizes.note,
      span,
      launchId: null,
    };
    const work = one.handle(call, ctx.path, read.raw);
    const reply = await (operation.patient === true ? work : inTime(work, knownOf(ctx), parts.log, timeOf(call)));
    await write(ctx, withWarning(reply, sizes.header()), streams, call.principal, parts.identity);
  }
}

/** What tells one raw request from another, for its Idempotency-Key. */
const fingerprintOf = ({ bytes, type, headers }: RawBody): string =>
  [type, ...[...headers].filter(([name]) => name.startsWith('ce-')).flat(), bytes.toString('latin1')].join('\n');

/**
 * Before anything happens: an answer that could not be read would be no answer. The fixed calls always answered whatever was accepted.
 *
 * @throws Problem
 */
function checkAccept(ctx: Context, operation: Operation): void {
  if (operation.fixed === true || operation.probe === true || headerIn(ctx, 'accept') === '') return;
  const types = Object.entries(operation.answers).flatMap(([status, { schema, type }]) =>
    status.startsWith('2') && schema !== undefined ? [type ?? 'application/json'] : [],
  );
  if (operation.alsoAs !== undefined) types.push(operation.alsoAs);
  if (types.length === 0 || ctx.accepts(...types, 'application/problem+json') !== false) return;
  throw new Problem(
    'not_acceptable',
    `The answer is ${types.join(' or ')}, which ${shownJson(ctx.get('Accept'))} leaves out`,
  );
}

/** The reply with a warning more. */
function withWarning(reply: Reply, warning: string | null): Reply {
  if (warning === null) return reply;
  const { 'Rota-Warning': other } = reply.headers;
  return {
    ...reply,
    headers: { ...reply.headers, 'Rota-Warning': other === undefined ? warning : `${other}; ${warning}` },
  };
}

async function write(
  ctx: Context,
  reply: Reply,
  streams: Streams,
  principal: Principal,
  identity: Pick<Identity, 'holds'>,
): Promise<void> {
  ctx.status = reply.status;
  if (reply.kind !== 'bytes') ctx.res.setHeader('Cache-Control', 'no-store');
  ctx.set(reply.headers);
  switch (reply.kind) {
    case 'empty':
      ctx.body = null;
      return;
    case 'text':
      ctx.type = reply.type;
      ctx.body = reply.text;
      return;
    case 'bytes':
      ctx.type = reply.type;
      ctx.set('ETag', reply.etag);
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = Buffer.from(reply.bytes);
      return;
    case 'stream':
      ctx.type = reply.type;
      if (ctx.method === 'HEAD') return;
      // Its place among the requests under way is free from here on: streams have a count of their own.
      void streams.run(ctx.res, reply, principal, () => identity.holds(principal));
      ctx.respond = false;
  }
}

/** Longest reason that is kept, in characters. */
export const REASON_LENGTH_MAX = 500;

const takesReason = (operation: Operation): boolean => {
  const properties = operation.body?.schema['properties'] as JsonObject | undefined;
  return properties !== undefined && Object.hasOwn(properties, 'reason');
};

/** Why the caller wants it. Null where nothing was said. @throws Problem when it is no text, or too long */
function reasonOf(body: JsonObject, operation: Operation): string | null {
  const reason: Json | undefined = Object.hasOwn(body, 'reason') ? body['reason'] : undefined;
  if (reason === undefined || reason === null || reason === '') return null;
  if (typeof reason === 'string' && reason.length <= REASON_LENGTH_MAX && isStorable(reason)) return reason;
  // The fixed calls have words for few complaints, and whatever is in their bodies beside was never looked at.
  if (operation.fixed === true) return null;
  throw new Problem('request_invalid', `reason must be a text of at most ${REASON_LENGTH_MAX} characters`, {
    complaints: [{ detail: `must be a text of at most ${REASON_LENGTH_MAX} characters`, pointer: '#/reason' }],
  });
}
