import { afterEach, expect, test } from 'vitest';
import { type Connections, postgresPool } from '../../src/store/connections.ts';
import { makeHosts } from '../../src/store/hosts.ts';
import * as patience from '../../src/store/patience.ts';
import { OutcomeUnknown } from '../../src/store/store.ts';
import { makeWriteHealth } from '../../src/store/write-health.ts';
import { type FakePostgres, startFakePostgres } from '../support/fake-postgres.ts';

const PATIENCE_MS = 100;
const opened: { readonly pool: Connections; readonly server: FakePostgres }[] = [];
/** Several times within the patience. */
const QUIET_MS = 30;
const told: number[] = [];
let quiet = 0;

async function open(): Promise<{ readonly pool: Connections; readonly server: FakePostgres }> {
  const server = await startFakePostgres();
  const pool = postgresPool({
    hosts: makeHosts(`postgres://u@127.0.0.1:${server.port}/x`),
    name: 'silence',
    max: 4,
    prepared: false,
    session: '',
    patienceMs: PATIENCE_MS,
    onTrouble: () => {},
    onSilence: (connections) => told.push(connections),
    onQuiet: () => {
      quiet += 1;
    },
    quietMs: QUIET_MS,
  });
  opened.push({ pool, server });
  return { pool, server };
}
afterEach(async () => {
  told.length = 0;
  quiet = 0;
  for (const { pool, server } of opened.splice(0)) {
    await pool.close();
    await server.close();
  }
});

test('the limits lie in each other: lock, statement, client, request', () => {
  const { LOCK_MS, STATEMENT_MS, CLIENT_MS, REQUEST_MS } = patience;
  const limits = [LOCK_MS, STATEMENT_MS, CLIENT_MS, REQUEST_MS];
  expect(limits).toEqual([...new Set(limits)].sort((a, b) => a - b));
  expect(patience.LONG_STATEMENT_MS).toBeLessThan(patience.LONG_CLIENT_MS);
  expect(patience.CONNECT_MS).toBeLessThan(patience.CONNECT_ALL_MS);
  expect(patience.CONNECT_ALL_MS).toBeLessThan(REQUEST_MS);
});

test('when one statement is given up, silent neighbours end with it, and idle ones are asked before they are used', async () => {
  const { pool, server } = await open();
  const [one, other, idle] = [await pool.take(), await pool.take(), await pool.take()];
  await Promise.all([one, other, idle].map((connection) => connection.say('begin')));
  idle.giveBack();
  server.set({ silent: true });
  const asked = await Promise.allSettled([one.say('select 1'), other.say('select 1')]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([one.isLost(), other.isLost()]).toEqual([true, true]);
  expect(told).toHaveLength(1);
  one.giveBack(true);
  other.giveBack(true);
  // The server answers whoever comes anew; the connection that was idle is still silent.
  server.set({ silent: false });
  const made = server.made();
  const fresh = await pool.take();
  await fresh.say('select 1');
  expect(server.made()).toBe(made + 1);
  fresh.giveBack();
});

test('a server that answers nothing is told of before a statement is given up', async () => {
  const { pool, server } = await open();
  const one = await pool.take();
  server.set({ silent: true });
  const asked = one.say('select 1').then(
    () => 'answered',
    () => quiet,
  );
  // Told while it was still waited for.
  expect(await asked).toBeGreaterThan(0);
  one.giveBack(true);
});

test('an answer that came without the standby is no success, and its connection is thrown away', async () => {
  const { pool, server } = await open();
  const before = await pool.take();
  expect(before.isUnreplicated()).toBe(false);
  server.set({ unreplicated: true });
  await before.say('commit');
  expect(before.isUnreplicated()).toBe(true);
  before.giveBack(true);
  const made = server.made();
  await expect(pool.run({ name: '', text: 'update thing' })).rejects.toThrow(OutcomeUnknown);
  server.set({ unreplicated: false });
  await pool.run({ name: '', text: 'update thing' });
  expect(server.made()).toBe(made + 2);
});

test('a server that takes no write is not well, however many it refuses; one that takes some is', async () => {
  let now = 0;
  const health = makeWriteHealth(() => now);
  const fail = (): Promise<void> => health.watch(() => Promise.reject(new Error('away'))).catch(() => {});
  expect(health.isGood()).toBe(true);
  await fail();
  now = patience.UNWRITTEN_MS_MAX - 1;
  await fail();
  expect(health.isGood()).toBe(true);
  now += 1;
  expect(health.isGood()).toBe(false);
  await health.watch(
    async () => 'stale',
    (answer) => answer === 'committed',
  );
  expect(health.isGood()).toBe(false);
  await health.watch(async () => 'committed');
  expect(health.isGood()).toBe(true);
  // One that hangs for as long counts, and no longer once another has succeeded.
  let end = (): void => {};
  const hanging = health.watch(() => new Promise<void>((resolve) => (end = resolve)));
  now += patience.UNWRITTEN_MS_MAX;
  expect(health.isGood()).toBe(false);
  await health.watch(async () => 'committed');
  expect(health.isGood()).toBe(true);
  end();
  await hanging;
});
