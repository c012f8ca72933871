import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withIdempotency } from '../../src/api/middleware/idempotency.ts';
import { type Call, jsonReply, type Operation } from '../../src/api/operation.ts';
import { OPEN } from '../../src/identity/principal.ts';
import { Fault } from '../../src/model/fault.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

/*
 * What happens to a key when a node dies, or the database is lost, between the effect and its answer. The store is real; the
 * operation tells which id it was given.
 */

const PATH = '/v1/workflows';
const SCOPE = `default post ${PATH}`;
const BODY = '{"workflow":"define"}';

let store: Store;
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 60_000);
afterAll(() => store.close(), 60_000);

const callWith = (key: string, query = ''): Call => ({
  principal: OPEN,
  reason: null,
  path: PATH,
  params: {},
  query: new URLSearchParams(query),
  header: (name) => (name === 'idempotency-key' ? key : null),
  body: {},
  isForm: false,
  document: null,
  requestId: 'request-1',
  launchId: null,
  large: () => {},
  address: null,
  raw: null,
});

/** A launch whose outcome is decided by the test, and the ids it was to launch under. */
function launching(handle: (id: string) => void = () => {}, more: Partial<Operation> = {}) {
  const ids: string[] = [];
  const operation: Operation = {
    id: 'launch',
    method: 'post',
    path: PATH,
    summary: '',
    access: 'launch',
    answers: {},
    handle: (call) => {
      const id = String(call.launchId);
      ids.push(id);
      handle(id);
      return jsonReply(201, { id }, { Location: `${PATH}/${id}` });
    },
    ...more,
  };
  const run = withIdempotency(operation, { store, nodeId: 'this-node', clock: systemClock, ids: randomIds() });
  return { ids, ask: (key: string, query?: string) => run(callWith(key, query), PATH, BODY) };
}

/** The key as another node leaves it when it dies before it could give its answer. */
const claimedElsewhere = (key: string, agoMs: number): Promise<boolean> =>
  store.answers.reserve({
    scope: SCOPE,
    key,
    at: Date.now(),
    fingerprint: JSON.stringify({
      hash: createHash('sha256').update(`post ${PATH}\n${BODY}`).digest('hex'),
      node: 'another-node',
      at: Date.now() - agoMs,
      launch: '20151005-1247-kogadeso-gekunute',
    }),
  });

describe('an Idempotency-Key', () => {
  test('that another node has claimed just now is under way', async () => {
    await claimedElsewhere('just-now', 0);
    const { ask, ids } = launching();
    await expect(ask('just-now')).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
    expect(ids).toEqual([]);
  });

  test('of a node that died is taken over with the id that node had fixed', async () => {
    await claimedElsewhere('long-ago', 61_000);
    const { ask, ids } = launching();
    const reply = await ask('long-ago');
    expect(reply.status).toBe(201);
    expect(ids).toEqual(['20151005-1247-kogadeso-gekunute']);
    expect(await ask('long-ago')).toMatchObject({
      status: 201,
      text: reply.kind === 'text' ? reply.text : null,
      headers: { ...reply.headers, 'Idempotent-Replayed': 'true' },
    });
    expect(ids).toHaveLength(1);
  });

  test('whose launch may or may not have been committed is tried again under the same id', async () => {
    let isReachable = false;
    const { ask, ids } = launching(() => {
      if (!isReachable) throw new Fault('unavailable', 'The database cannot be reached');
    });
    await expect(ask('unknown')).rejects.toMatchObject({ code: 'unavailable' });
    isReachable = true;
    expect((await ask('unknown')).status).toBe(201);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });

  test('tells a rehearsal from the thing itself, and does not mind how long an answer may take', async () => {
    const { ask, ids } = launching(() => {}, { query: [{ name: 'dry_run', description: '' }] });
    expect((await ask('rehearsed', 'dry_run=1')).status).toBe(201);
    await expect(ask('rehearsed')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect((await ask('rehearsed', 'wait=correlated&dry_run=1&token=a')).status).toBe(201);
    expect(ids).toHaveLength(1);
  });

  test('tells data in a query apart where there can be some, and looks at no query elsewhere', async () => {
    const { ask, ids } = launching(() => {}, { queryIsData: true });
    await ask('data', 'amount=5');
    await expect(ask('data', 'amount=6')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    const plain = launching();
    await plain.ask('plain', '_=1');
    expect((await plain.ask('plain', '_=2')).status).toBe(201);
    expect([ids.length, plain.ids.length]).toEqual([1, 1]);
  });

  test('whose request was certainly not begun is free again', async () => {
    let isBusy = true;
    const { ask, ids } = launching(() => {
      if (isBusy) throw new Fault('overloaded', 'Too much to do');
    });
    await expect(ask('busy')).rejects.toMatchObject({ code: 'overloaded' });
    expect(await store.answers.saved(SCOPE, 'busy')).toBeNull();
    isBusy = false;
    expect((await ask('busy')).status).toBe(201);
    expect(ids).toHaveLength(2);
  });
});
