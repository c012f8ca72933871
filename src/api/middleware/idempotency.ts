import { createHash } from 'node:crypto';
import type { WorkflowId } from '../../model/ids.ts';
import { isObject, type Json } from '../../model/json.ts';
import type { SavedAnswer } from '../../store/store.ts';
import type { Call, Operation, Reply } from '../operation.ts';
import type { Parts } from '../parts.ts';
import { Problem, problemFor } from '../problem.ts';
import { type Code, problems } from '../problems.ts';

/*
 * `Idempotency-Key` on any POST: the same key with the same body and query repeats the first answer.
 *
 * The key is claimed in a transaction before the effect and finished in one after it, so a node can die in between. What is
 * kept with the key then decides:
 *
 * - A launch fixes the workflow's id when it claims the key. Whoever takes the key over launches under that very id: either
 *   nothing was launched and it is launched now, or it is there already and its id is the answer. Never two.
 * - Every other effect is one the engine refuses a second time (the workitem is gone, the error was replayed), or one that
 *   changes nothing the second time (pause, kill). It is made again, and its answer is kept.
 *
 * A key can be taken over when the node that claimed it is this one and no request here holds it, or when it was claimed so
 * long ago that no request can still be at it.
 */

/** No request takes this long; a key that is not finished by then was abandoned by a node that died. */
const ABANDONED_AFTER_MS = 60_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** A key and whose it is: the caller's, for one operation. */
type Owned = { readonly scope: string; readonly key: string };

/** What is remembered from claiming a key on, in the store's `fingerprint`. */
type Claim = {
  readonly hash: string;
  readonly node: string;
  /** The clock of the machine, in milliseconds: business time may be moved by tests. */
  readonly at: number;
  readonly launch: WorkflowId;
};

export function withIdempotency(
  operation: Operation,
  parts: Pick<Parts, 'store' | 'nodeId' | 'clock' | 'ids'>,
): (call: Call, path: string, raw: string) => Promise<Reply> {
  const { store, nodeId, clock, ids } = parts;
  const underWay = new Set<string>();

  return async (call, path, raw) => {
    const key = keyOf(call.header('idempotency-key'));
    if (key === null) return operation.handle(call);

    const asked = `${operation.method} ${path}${queryAsked(operation, call)}\n${raw}`;
    const hash = createHash('sha256').update(asked).digest('hex');
    const owned: Owned = { scope: scopeOf(call), key };
    const name = `${owned.scope} ${key}`;
    if (underWay.has(name)) throw await clash(owned, hash);
    underWay.add(name);
    try {
      return await holding(owned, hash, call);
    } finally {
      underWay.delete(name);
    }
  };

  /** An open server keeps the scopes it had before there were principals, so that a day's keys hold across an update. */
  function scopeOf({ principal }: Call): string {
    const who = principal.kind === 'open' ? principal.tenant : `${principal.tenant} ${principal.id}`;
    return `${who} ${operation.method} ${operation.path}`;
  }

  async function holding(owned: Owned, hash: string, call: Call): Promise<Reply> {
    const launch = ids.workflow(clock.now());
    const claim: Claim = { hash, node: nodeId, at: Date.now(), launch };
    const isFirst = await store.answers.reserve({ ...owned, fingerprint: JSON.stringify(claim), at: clock.now() });
    if (isFirst) return finish(owned, claim, call);

    const saved = await store.answers.saved(owned.scope, owned.key);
    // Retired between the two statements: a day has passed, so it is a new request.
    if (saved === null) throw inUse();
    const first = readClaim(saved.fingerprint);
    if (first.hash !== hash) throw reused();
    if (saved.status !== null) return replayed(saved);
    if (first.node !== nodeId && Date.now() - first.at < ABANDONED_AFTER_MS) throw inUse();
    return finish(owned, first, call);
  }

  async function finish(owned: Owned, claim: Claim, call: Call): Promise<Reply> {
    const reply = await answerOf(claim, call, owned);
    // What goes on, and files, are never kept: they can be asked for again.
    if (reply.kind === 'stream' || reply.kind === 'bytes') {
      await store.answers.drop(owned.scope, owned.key);
      return reply;
    }
    await store.answers.finish({
      ...owned,
      fingerprint: JSON.stringify(claim),
      status: reply.status,
      body: JSON.stringify({ text: reply.kind === 'text' ? keepable(reply.text) : '', headers: reply.headers }),
      contentType: reply.kind === 'text' ? reply.type : null,
    });
    return reply;
  }

  /** An answer without what is shown once. */
  function keepable(text: string): string {
    const { once } = operation;
    if (once === undefined) return text;
    const body = JSON.parse(text) as Json;
    if (!isObject(body)) throw new Error('What is shown once stands in an object');
    const hidden = once.filter((name) => Object.hasOwn(body, name)).map((name) => [name, null] as const);
    return JSON.stringify({ ...body, ...Object.fromEntries(hidden) });
  }

  /** The reply, complaints included: a refusal is as much an answer as a success. */
  async function answerOf(claim: Claim, call: Call, owned: Owned): Promise<Reply> {
    try {
      return await operation.handle({ ...call, launchId: claim.launch });
    } catch (thrown) {
      const problem = problemFor(thrown, call.requestId, operation.fixed === true);
      const code = problem.body['code'] as Code;
      if (!problems[code].retryable)
        return {
          kind: 'text',
          status: problem.status,
          type: 'application/problem+json',
          text: JSON.stringify(problem.body),
          headers: problem.headers,
        };
      // Answers that pass by themselves are not kept. Where nothing can have happened the key is free again; where something
      // may have, it stays claimed, so that the next request takes it over with the id that was fixed.
      if (!MAY_HAVE_HAPPENED.has(code)) await store.answers.drop(owned.scope, owned.key);
      throw thrown;
    }
  }

  /** Another request here holds the key: which complaint fits depends on whether it is the same request. */
  async function clash({ scope, key }: Owned, hash: string): Promise<Problem> {
    const saved = await store.answers.saved(scope, key);
    return saved !== null && readClaim(saved.fingerprint).hash !== hash ? reused() : inUse();
  }
}

/** After these nobody can tell whether something happened. */
const MAY_HAVE_HAPPENED: ReadonlySet<Code> = new Set(['unavailable', 'outcome_unknown', 'internal']);

const replayed = (saved: SavedAnswer): Reply => {
  const kept = JSON.parse(saved.body ?? '{}') as { text: string; headers: Record<string, string> };
  return {
    status: saved.status ?? 500,
    headers: { ...kept.headers, 'Idempotent-Replayed': 'true' },
    ...(saved.contentType === null ? { kind: 'empty' } : { kind: 'text', type: saved.contentType, text: kept.text }),
  };
};

function readClaim(fingerprint: string): Claim {
  const claim = JSON.parse(fingerprint) as Json;
  if (!isObject(claim)) throw new Error('The stored fingerprint of an idempotency key is not ours');
  return {
    hash: String(claim['hash']),
    node: String(claim['node']),
    at: Number(claim['at']),
    launch: String(claim['launch']) as WorkflowId,
  };
}

/** Parameters that tell who asks, or how long an answer may take: without them the request is the same. */
const NOT_ASKED: ReadonlySet<string> = new Set(['token', 'ticket', 'wait']);

/** The query as far as it is a part of the request: a rehearsal (`dry_run=1`) is not the thing itself. Elsewhere nobody looks at it. */
function queryAsked({ query: named = [], queryIsData }: Operation, { query }: Call): string {
  if (queryIsData !== true && named.length === 0) return '';
  const asked = [...query].filter(([name]) => !NOT_ASKED.has(name));
  return asked.length === 0 ? '' : `?${new URLSearchParams(asked)}`;
}

/** The key, with or without the quotes of a structured-field string; null when there is none. */
function keyOf(header: string | null): string | null {
  if (header === null) return null;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (!KEY.test(key))
    throw new Problem(
      'idempotency_key_invalid',
      'An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID',
    );
  return key;
}

const inUse = (): Problem =>
  new Problem(
    'idempotency_key_in_use',
    'The first request with this Idempotency-Key is under way; ask again in a second for its answer',
    { headers: { 'Retry-After': '1' } },
  );

const reused = (): Problem =>
  new Problem(
    'idempotency_key_reused',
    'This Idempotency-Key was used with another request; use a new key for a new request',
  );
