import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KNOWN_MS } from '../../src/api/middleware/elsewhere.ts';
import { makeKey } from '../../src/identity/key-text.ts';
import { checkDatabase } from '../../src/server/check-database.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { moveTenant } from '../../src/store/moving.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { startProxy } from '../support/proxy.ts';
import { pause, until } from '../support/until.ts';
import { type Front, makeFront } from './front.ts';

/* Two cells behind a proxy: a tenant moves from one to the other under load, and one goes on when the other's database is away. */

const ADMIN = makeKey().text;
/** An answer that was on its way when its proceed came is no second question. */
const LATE_MS = 2_000;
const AGAIN_MS = 50;
const TRIES_MAX = 10;
/** Launches while a cell is away. */
const [ROUNDS, AT_ONCE] = [10, 10];

describe.runIf(hasPostgres())('two cells', { timeout: 60_000 }, () => {
  const cells = new Map<string, { readonly node: Running; readonly database: Database }>();
  let wire: Awaited<ReturnType<typeof startProxy>>;
  let front: Front;
  let participant: Server;
  let url = '';
  let callback = '';
  const answeredAt = new Map<string, number>();
  const doubled: string[] = [];
  /** Answers are given at once, but for workflows that are to wait. */
  const waiting: string[] = [];

  beforeAll(async () => {
    front = await makeFront();
    url = front.url;
    participant = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(200).end();
        void answer(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      });
    });
    await new Promise<void>((resolve) => participant.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve));
    callback = `http://127.0.0.1:${(participant.address() as AddressInfo).port}/`;
    for (const name of ['a', 'b']) {
      const database = await freshDatabase();
      if (name === 'a') wire = await startProxy(database.url);
      const config = readConfig({
        ...{ DATABASE_URL: name === 'a' ? wire.url : database.url, PORT: '0', LOG_LEVEL: 'silent', ADMIN_KEY: ADMIN },
        ...{ CELL: name, BASE_URL: `${url}/c/${name}`, ALLOW_PRIVATE_TARGETS: '1' },
      });
      cells.set(name, { node: await start(config), database });
    }
    const portOf = (name: string): number => Number(new URL(cells.get(name)?.node.url ?? '').port);
    front.send('initech', 'b');
    await front.open({ a: portOf('a'), b: portOf('b') });
  });
  afterAll(async () => {
    for (const { node } of cells.values()) await node.stop();
    await wire.close();
    for (const { database } of cells.values()) await database.drop();
    await front.close();
    participant.close();
    participant.closeAllConnections();
  });

  type Sent = {
    readonly workitem_id: string;
    readonly participant: string;
    readonly proceed_url: string;
    readonly status: string;
  };
  async function answer({ workitem_id, participant: who, proceed_url, status }: Sent): Promise<void> {
    if (status !== 'active') return;
    const before = answeredAt.get(workitem_id);
    if (before !== undefined) {
      if (performance.now() - before > LATE_MS) doubled.push(workitem_id);
      return;
    }
    if (who === 'waiter') {
      waiting.push(proceed_url);
      return;
    }
    for (;;) {
      const answered = await fetch(proceed_url, { method: 'POST' }).catch(() => null);
      if (answered?.status === 201 || answered?.status === 400) break;
      await pause(AGAIN_MS);
    }
    answeredAt.set(workitem_id, performance.now());
  }
  const as = (tenant: string) => ({
    Authorization: `Bearer ${ADMIN}`,
    'Rota-Tenant': tenant,
    'Content-Type': 'application/json',
  });
  /** A proxy that reads its settings anew ends connections, one of which may have been taken just then: as a client does, it is asked again. */
  async function ask(address: string, init: RequestInit): Promise<Response> {
    for (let left = TRIES_MAX; ; left--)
      try {
        return await fetch(address, init);
      } catch (error) {
        if (left === 1) throw error;
        await pause(AGAIN_MS);
      }
  }
  const launch = (tenant: string, workflow: string, more: object = {}): Promise<Response> =>
    ask(`${url}/t/${tenant}/v1/workflows`, {
      method: 'POST',
      headers: { ...as(tenant), 'Idempotency-Key': randomUUID() },
      body: JSON.stringify({ workflow, callback, ...more }),
    });
  const idOf = async (response: Response): Promise<string> => ((await response.json()) as { readonly id: string }).id;
  const shown = async (tenant: string, id: string, cell = 'a'): Promise<string> => {
    const response = await ask(`${url}/c/${cell}/v1/workflows/${id}`, { headers: as(tenant) });
    return response.ok ? ((await response.json()) as { readonly status: string }).status : String(response.status);
  };
  const move = (tenant: string, from: string, to: string, say: (text: string) => void = () => {}) =>
    moveTenant({
      ...{ tenant, from: cells.get(from)?.database.url ?? '', to: cells.get(to)?.database.url ?? '' },
      ...{ say, knownAfterMs: KNOWN_MS + 100 },
    });

  test('a tenant moves under load: nothing is lost, nobody is asked twice, and URLs of before lead on', async () => {
    const ids = new Map<string, string[]>([
      ['acme', []],
      ['globex', []],
    ]);
    const refused: string[] = [];
    const [waits, later] = [
      await idOf(await launch('acme', 'define w\n  waiter\n  two', { business_key: 'order-1' })),
      await idOf(await launch('acme', "define l\n  wait '3s'\n  two")),
    ];
    await until('the waiter is asked', () => waiting.length > 0);
    let isLoading = true;
    const loads = [...ids].map(async ([tenant, launched]) => {
      while (isLoading) {
        const response = await launch(tenant, 'define load\n  one\n  concurrence\n    two\n    three\n  four');
        if (response.status === 201) launched.push(await idOf(response));
        else if (tenant === 'acme' && response.status === 503 && response.headers.has('retry-after'))
          await pause(AGAIN_MS);
        else refused.push(`${tenant}: ${response.status} ${await response.text()}`);
        await pause(AGAIN_MS);
      }
    });
    await until('there is load', () => (ids.get('acme')?.length ?? 0) > 10);
    const moved = await move('acme', 'a', 'b');
    front.send('acme', 'b');
    expect(moved.workflows).toBeGreaterThan(10);
    const more = (ids.get('acme')?.length ?? 0) + 5;
    await until('there is load over there', () => (ids.get('acme')?.length ?? 0) > more);
    isLoading = false;
    await Promise.all(loads);
    expect(refused).toEqual([]);

    const passes = await ask(waiting[0] ?? '', { method: 'POST', redirect: 'manual' });
    expect([passes.status, passes.headers.get('location')]).toEqual([
      308,
      (waiting[0] ?? '').replace('/c/a/', '/c/b/'),
    ]);
    expect((await ask(waiting[0] ?? '', { method: 'POST' })).status).toBe(201);
    for (const [tenant, launched] of [...ids, ['acme', [waits, later]] as const])
      for (const id of launched)
        await until(`${id} of ${tenant} ends`, async () => (await shown(tenant, id)) === 'completed', 30_000);
    expect(doubled).toEqual([]);
    // A key of before is known there, and what is there is whole.
    expect((await launch('acme', 'define again\n  one', { business_key: 'order-1' })).status).toBe(409);
    for (const { database } of cells.values())
      expect(await checkDatabase({ databaseUrl: database.url, dataDir: '' })).toEqual([]);
    const left = await cells.get('a')?.database.query(`select 1 from workflow where tenant = 'acme'`);
    expect(left).toEqual([]);
  });

  test('a move that was broken off leaves the tenant nowhere at work, and goes on when it is called again', async () => {
    const id = await idOf(await launch('acme', 'define w\n  waiter'));
    await until('the waiter is asked', () => waiting.length > 1);
    const broken = move('acme', 'b', 'a', (text) => {
      if (text.startsWith('its rows have left')) throw new Error('the power is gone');
    });
    await expect(broken).rejects.toThrow('the power is gone');
    expect(await shown('acme', id, 'b')).toBe('503');
    expect((await launch('acme', 'define w\n  one')).status).toBe(503);
    await move('acme', 'b', 'a');
    front.send('acme', 'a');
    expect((await ask(waiting[1] ?? '', { method: 'POST' })).status).toBe(201);
    await until('it ends', async () => (await shown('acme', id, 'b')) === 'completed');
    await expect(move('acme', 'a', 'a')).rejects.toThrow('the same database');
  });

  test('a cell goes on while the database of the other is away', async () => {
    wire.refuse();
    const ids: string[] = [];
    for (let n = 0; n < ROUNDS; n++) {
      const responses = await Promise.all(
        Array.from({ length: AT_ONCE }, () => launch('initech', 'define load\n  one\n  two')),
      );
      expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 201));
      ids.push(...(await Promise.all(responses.map(idOf))));
    }
    for (const id of ids) await until(`${id} ends`, async () => (await shown('initech', id, 'b')) === 'completed');
    wire.accept();
    await until('the other is back', async () => (await launch('globex', 'define x\n  one')).status === 201, 30_000);
  });
});
