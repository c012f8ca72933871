import { createHash } from 'node:crypto';
import { Fault } from '../../model/fault.ts';
import type { WorkflowId } from '../../model/ids.ts';
import { isObject, type Json } from '../../model/json.ts';
import type { SavedAnswer } from '../../store/store.ts';
import type { Call, Operation, Reply } from '../operation.ts';
import { type Parts, TENANT } from '../parts.ts';
import { HttpProblem, problemFor } from '../problem.ts';

/*
 * `Idempotency-Key` on any POST: the same key with the same body repeats the first answer.
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
  const scope = `${TENANT} ${operation.method} ${operation.path}`;
  const underWay = new Set<string>();

  return async (call, path, raw) => {
    const key = keyOf(call.header('idempotency-key'));
    if (key === null) return operation.handle(call);

    const hash = createHash('sha256').update(`${operation.method} ${path}\n${raw}`).digest('hex');
    if (underWay.has(key)) throw await clash(key, hash);
    underWay.add(key);
    try {
      return await holding(key, hash, call);
    } finally {
      underWay.delete(key);
    }
  };

  async function holding(key: string, hash: string, call: Call): Promise<Reply> {
    const launch = ids.workflow(clock.now());
    const claim: Claim = { hash, node: nodeId, at: Date.now(), launch };
    const isFirst = await store.reserveKey({ scope, key, fingerprint: JSON.stringify(claim), at: clock.now() });
    if (isFirst) return finish(key, claim, call);

    const saved = await store.savedAnswer(scope, key);
    // Retired between the two statements: a day has passed, so it is a new request.
    if (saved === null) throw inUse();
    const first = readClaim(saved.fingerprint);
    if (first.hash !== hash) throw reused();
    if (saved.status !== null) return replayed(saved);
    if (first.node !== nodeId && Date.now() - first.at < ABANDONED_AFTER_MS) throw inUse();
    return finish(key, first, call);
  }

  async function finish(key: string, claim: Claim, call: Call): Promise<Reply> {
    const reply = await answerOf(claim, call, key);
    await store.finishKey({
      scope,
      key,
      fingerprint: JSON.stringify(claim),
      status: reply.status,
      body: JSON.stringify({ text: reply.text, headers: reply.headers }),
      contentType: reply.contentType,
    });
    return reply;
  }

  /** The reply, complaints included: a refusal is as much an answer as a success. */
  async function answerOf(claim: Claim, call: Call, key: string): Promise<Reply> {
    try {
      return await operation.handle({ ...call, launchId: claim.launch });
    } catch (thrown) {
      const problem = problemFor(thrown, call.requestId, operation.fixed === true);
      if (problem.status < 500)
        return {
          status: problem.status,
          contentType: 'application/problem+json',
          text: JSON.stringify(problem.body),
          headers: problem.headers,
        };
      // Answers that pass by themselves are not kept. Where nothing can have happened the key is free again; where something
      // may have, it stays claimed, so that the next request takes it over with the id that was fixed.
      if (thrown instanceof Fault && thrown.code === 'overloaded') await store.dropKey(scope, key);
      throw thrown;
    }
  }

  /** Another request here holds the key: which complaint fits depends on whether it is the same request. */
  async function clash(key: string, hash: string): Promise<HttpProblem> {
    const saved = await store.savedAnswer(scope, key);
    return saved !== null && readClaim(saved.fingerprint).hash !== hash ? reused() : inUse();
  }
}

const replayed = (saved: SavedAnswer): Reply => {
  const kept = JSON.parse(saved.body ?? '{}') as { text: string; headers: Record<string, string> };
  return {
    status: saved.status ?? 500,
    contentType: saved.contentType as Reply['contentType'],
    text: kept.text,
    headers: { ...kept.headers, 'Idempotent-Replayed': 'true' },
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

/** The key, with or without the quotes of a structured-field string; null when there is none. */
function keyOf(header: string | null): string | null {
  if (header === null) return null;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (!KEY.test(key))
    throw new HttpProblem(
      'idempotency_key_invalid',
      'An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID',
    );
  return key;
}

const inUse = (): HttpProblem =>
  new HttpProblem(
    'idempotency_key_in_use',
    'The first request with this Idempotency-Key is under way; ask again in a second for its answer',
    { headers: { 'Retry-After': '1' } },
  );

const reused = (): HttpProblem =>
  new HttpProblem(
    'idempotency_key_reused',
    'This Idempotency-Key was used with another request; use a new key for a new request',
  );
