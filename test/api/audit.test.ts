import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GATHER_MS, GATHERED_MAX, makeAuditing } from '../../src/api/audit.ts';
import type { Audited, Call, Operation } from '../../src/api/operation.ts';
import { operationsOf } from '../../src/api/operations.ts';
import type { Parts } from '../../src/api/parts.ts';
import { makeKey } from '../../src/identity/key-text.ts';
import { OPEN } from '../../src/identity/principal.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Running } from '../../src/server/start.ts';
import type { Store } from '../../src/store/store.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/* What was done to the server, and by whom. */

type Entry = {
  readonly id: string;
  readonly at: string;
  readonly tenant: string;
  readonly actor: string | null;
  readonly address: string | null;
  readonly action: string;
  readonly object: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly details: Record<string, unknown>;
};

describe('a server with keys', () => {
  const admin = makeKey().text;
  const adminId = admin.split('_')[1] ?? '';
  let server: Running;
  beforeAll(async () => {
    server = await startServer({ ADMIN_KEY: admin, TRUST_PROXY: '127.0.0.1', LOG_LEVEL: 'silent' });
  }, 180_000);
  afterAll(() => server.stop(), 60_000);

  const as = (key: string): Record<string, string> => ({
    Authorization: `Bearer ${key}`,
    'X-Forwarded-For': '192.0.2.7',
  });
  const post = (path: string, body: unknown, key = admin): Promise<Answer> => postJson(server.url, path, body, as(key));
  const listed = async (query = '', key = admin): Promise<readonly Entry[]> => {
    const answer = await send(server.url, 'GET', `/v1/audit${query}`, { headers: as(key) });
    expect(answer.status, answer.text).toBe(200);
    return answer.json<{ audit: Entry[] }>().audit;
  };

  test('each thing that is done leaves one row, with who, from where, why, and what came of it; never a secret', async () => {
    const secrets: string[] = [admin];
    const shown = (answer: Answer): { id: string } => {
      const { id, key, secret } = answer.json<{ id: string; key?: string; secret?: string }>();
      for (const one of [key, secret]) if (typeof one === 'string') secrets.push(one);
      return { id };
    };
    const key = shown(await post('/v1/keys', { name: 'a key', scopes: ['read', 'admin'] }));
    shown(await post(`/v1/keys/${key.id}/rotate`, { overlap_seconds: 0, reason: 'it was in a mail' }));
    await post(`/v1/keys/${key.id}/revoke`, { reason: 'it leaked' });
    await post(`/v1/keys/${key.id}/revoke`, {});
    await post('/v1/keys/Nobody000000/rotate', {});
    const secret = shown(await post('/v1/secrets', { kind: 'webhook', match: 'https://a.test/' }));
    shown(await post(`/v1/secrets/${secret.id}/reveal`, {}));
    shown(await post(`/v1/secrets/${secret.id}/rotate`, {}));
    await post(`/v1/secrets/${secret.id}/revoke`, {});
    await postJson(server.url, '/v1/session', { key: admin }, { 'X-Forwarded-For': '192.0.2.8' });
    // Asked again with the same key of idempotency it is answered again, and not done.
    for (let i = 0; i < 2; i++)
      await postJson(
        server.url,
        '/v1/keys',
        { name: 'twice', scopes: ['read'] },
        { ...as(admin), 'Idempotency-Key': 'k' },
      );

    const all = (await listed()).filter(({ action }) => !action.startsWith('server.')).toReversed();
    expect(
      all.map(({ action, object, outcome }) => [
        action,
        object === key.id ? 'key' : object === secret.id ? 'secret' : object,
        outcome,
      ]),
    ).toEqual([
      ['key.create', 'key', 'done'],
      ['key.rotate', 'key', 'done'],
      ['key.revoke', 'key', 'done'],
      ['key.revoke', 'key', 'conflict'],
      ['key.rotate', 'Nobody000000', 'key_not_found'],
      ['secret.create', 'secret', 'done'],
      ['secret.reveal', 'secret', 'done'],
      ['secret.rotate', 'secret', 'done'],
      ['secret.revoke', 'secret', 'done'],
      ['session.begin', adminId, 'done'],
      ['key.create', expect.any(String), 'done'],
    ]);
    expect(all[0]).toMatchObject({
      tenant: 'default',
      actor: `key:${adminId}`,
      address: '192.0.2.7',
      reason: null,
      details: { name: 'a key', scopes: ['read', 'admin'] },
    });
    expect(all[2]).toMatchObject({ reason: 'it leaked' });
    expect(all[9]).toMatchObject({ tenant: '*', address: '192.0.2.8' });
    const text = JSON.stringify(await listed());
    for (const one of secrets) expect(text).not.toContain(one.slice(18, 40));
    expect(secrets.length).toBeGreaterThan(4);
  });

  test('the start says which settings are not as usual, by name alone', async () => {
    const [start] = await listed('?action=server.*');
    expect(start).toMatchObject({ action: 'server.start', tenant: '*', actor: null, details: { admin_key: 'new' } });
    expect(start?.details['settings']).toEqual(['DATA_DIR', 'PORT', 'ADMIN_KEY', 'TRUST_PROXY', 'LOG_LEVEL']);
    expect(JSON.stringify(start)).not.toContain('127.0.0.1');
  });

  test('a tenant sees its own; whoever administers all sees all, or the one it names', async () => {
    const made = await postJson(server.url, '/v1/keys', { name: 'acme', scopes: ['admin'], tenant: 'acme' }, as(admin));
    const { key } = made.json<{ key: string }>();
    await post('/v1/keys', { name: 'own', scopes: ['read'] }, key);
    const own = await listed('', key);
    expect(own.map(({ tenant, action }) => [tenant, action])).toEqual([['acme', 'key.create']]);
    const named = await send(server.url, 'GET', '/v1/audit', { headers: { ...as(admin), 'Rota-Tenant': 'acme' } });
    expect(named.json<{ audit: Entry[] }>().audit).toEqual(own);
    expect((await send(server.url, 'GET', '/v1/audit', { headers: as(made.json<{ id: string }>().id) })).status).toBe(
      401,
    );
  });

  test('it is filtered by what, who and when, walked by page, and had whole as lines', async () => {
    const all = await listed('?limit=1000');
    const middle = all[Math.floor(all.length / 2)] as Entry;
    expect(await listed('?limit=1000&action=key.revoke')).toEqual(all.filter(({ action }) => action === 'key.revoke'));
    expect(await listed(`?limit=1000&actor=key:${adminId}`)).toEqual(
      all.filter(({ actor }) => actor === `key:${adminId}`),
    );
    expect(await listed(`?limit=1000&from=${middle.at}`)).toEqual(all.filter(({ at }) => at >= middle.at));
    expect(await listed(`?limit=1000&to=${middle.at}`)).toEqual(all.filter(({ at }) => at < middle.at));
    const walked: Entry[] = [];
    for (let cursor = ''; ; ) {
      const answer = await send(server.url, 'GET', `/v1/audit?limit=4${cursor}`, { headers: as(admin) });
      const { audit, next_cursor: next } = answer.json<{ audit: Entry[]; next_cursor: string | null }>();
      walked.push(...audit);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(walked).toEqual(all);
    const lines = await send(server.url, 'GET', '/v1/audit', {
      headers: { ...as(admin), Accept: 'application/x-ndjson' },
    });
    expect(lines.headers['content-type']).toBe('application/x-ndjson');
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Entry),
    ).toEqual(all);
    for (const bad of ['from=yesterday', 'to=1', 'cursor=x'])
      expect((await send(server.url, 'GET', `/v1/audit?${bad}`, { headers: as(admin) })).json(), bad).toMatchObject({
        status: 400,
      });
  });

  test('the history of a workflow says which key did it, and how that key is called', async () => {
    const made = await post('/v1/keys', { name: 'night shift', scopes: ['read', 'launch', 'operate'] });
    const { id, key } = made.json<{ id: string; key: string }>();
    const launched = await post('/v1/workflows', { workflow: 'define\n  wait for: "1h"\n', callbacks: {} }, key);
    const workflow = launched.json<{ id: string }>().id;
    expect((await post(`/v1/workflows/${workflow}/pause`, {}, key)).status).toBe(201);
    const history = await send(server.url, 'GET', `/v1/workflows/${workflow}/history?kinds=workflow.paused`, {
      headers: as(admin),
    });
    expect(history.json()).toMatchObject({ history: [{ actor: `key:${id}`, actor_name: 'night shift' }] });
  });
});

/** What is written, without a database. */
function auditing() {
  const time = manualTime();
  const rows: Parameters<Store['audit']['add']>[0][] = [];
  const settled: (readonly [string, unknown])[] = [];
  const store = {
    audit: {
      add: async (row: (typeof rows)[number]) => void rows.push(row),
      settle: async (id: string, told: unknown) => void settled.push([id, told]),
      newest: () => Promise.reject(new Error('nobody reads here')),
    },
  };
  return { time, rows, settled, audit: makeAuditing({ store, time, log: silentLog }) };
}
const refused = (address: string) => ({
  ...{ tenant: '*', actor: null, address, action: 'login.refused', object: null, details: {} },
});

test('what strangers are refused is gathered: a row for each address and minute, and one for those beyond', async () => {
  const { audit, rows, time } = auditing();
  for (let i = 0; i < 1_000; i++) audit.gather(refused('192.0.2.1'), i % 2 === 0 ? 'no such key' : 'revoked');
  for (let i = 0; i < GATHERED_MAX + 50; i++) audit.gather(refused(`192.0.2.${i + 2}`), 'no such key');
  time.pass(GATHER_MS - 1);
  expect(rows).toEqual([]);
  time.pass(1);
  await audit.stop();
  expect(rows).toHaveLength(GATHERED_MAX + 1);
  expect(rows[0]).toMatchObject({ address: '192.0.2.1', outcome: 'refused' });
  expect(JSON.parse(rows[0]?.details ?? '')).toEqual({ times: 1_000, reasons: ['no such key', 'revoked'] });
  expect(rows.at(-1)).toMatchObject({ action: 'others', address: null });
  expect(JSON.parse(rows.at(-1)?.details ?? '')).toMatchObject({ times: 51 });
  audit.gather(refused('192.0.2.1'), 'revoked');
  await audit.stop();
  expect(rows).toHaveLength(GATHERED_MAX + 2);
});

test('a row is there before the thing is done, and stays so when nobody lives to tell', async () => {
  const { audit, rows, settled } = auditing();
  const action: Audited = { action: 'key.create' };
  const call = {
    principal: OPEN,
    address: '192.0.2.1',
    reason: 'x',
    params: {},
    body: {},
    requestId: 'r',
  } as unknown as Call;
  let seen = 0;
  await expect(
    audit.record(action, call, () => {
      seen = rows.length;
      throw new Error('the table is gone');
    }),
  ).rejects.toThrow('the table is gone');
  expect([seen, rows[0]?.outcome, settled]).toEqual([
    1,
    'asked',
    [[rows[0]?.id, { object: null, outcome: 'internal' }]],
  ]);
});

test('whatever wants the scope admin and changes something is told', () => {
  const parts = {
    role: 'all',
    testClock: null,
    playground: true,
    identity: {},
    events: {},
    registry: {},
    store: {},
    routes: {},
  } as unknown as Parts;
  const untold = operationsOf(parts).filter(
    ({ access, method, audit }: Operation) => access === 'admin' && method !== 'get' && audit === undefined,
  );
  expect(untold.map(({ id }) => id)).toEqual([]);
});
