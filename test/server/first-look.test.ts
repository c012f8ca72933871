import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { readConfig } from '../../src/server/config.ts';
import { LOOKED_MS_MAX, lookForDatabase } from '../../src/server/first-look.ts';
import { until } from '../support/engine-parts.ts';
import { freePort } from '../support/free-port.ts';

/* Before the rest of the server is loaded it is looked whether anybody listens where DATABASE_URL leads. */

function look(databaseUrl: string | null) {
  const lines: { readonly sentence: string; readonly reason?: unknown }[] = [];
  const log: Log = { ...silentLog, warn: (sentence, details) => void lines.push({ sentence, ...details }) };
  const time = manualTime();
  const config = readConfig(databaseUrl === null ? { DATA_DIR: 'memory:' } : { DATABASE_URL: databaseUrl });
  return { looked: lookForDatabase(config, log, time), lines, time };
}

test('one that is down is named at once: where it is, why, what to do, and no password', async () => {
  const port = await freePort();
  const { looked, lines, time } = look(`postgres://rota:hunter2@127.0.0.1:${port}/rota`);
  await until(() => looked.named());
  expect(lines).toEqual([
    {
      sentence: `Postgres at 127.0.0.1:${port}/rota does not answer yet; it is tried again. Check DATABASE_URL and that Postgres runs`,
      event: 'database.waiting',
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    },
  ]);
  time.pass(LOOKED_MS_MAX);
  expect(lines).toHaveLength(1);
});

test('one that is silent is named when its time is over; one that is told to stop says nothing', async () => {
  // Whatever answers there, it has not by then: the time passes within this turn of the event loop.
  const port = await freePort();
  const url = `postgres://rota:hunter2@127.0.0.1:${port}/rota`;
  const { looked, lines, time } = look(url);
  time.pass(LOOKED_MS_MAX);
  await until(() => looked.named());
  expect(lines).toMatchObject([{ sentence: expect.stringContaining(`127.0.0.1:${port}/rota`) }]);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
  const other = look(url);
  other.looked.stop();
  other.time.pass(LOOKED_MS_MAX);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(other.lines).toEqual([]);
});

test('one that has answered while the process stood still is not named, though its time is over', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { looked, lines, time } = look(`postgres://rota@127.0.0.1:${port}/rota`);
  // The system takes the connection by itself; the process does nothing else until its time is over.
  time.pass(LOOKED_MS_MAX);
  await once(server, 'connection');
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect([looked.named(), lines]).toEqual([false, []]);
});

test('of several hosts one that listens is enough', async () => {
  const server = createServer();
  const seen = once(server, 'connection');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { looked, lines, time } = look(`postgres://rota@127.0.0.1:${await freePort()},127.0.0.1:${port}/rota`);
  await seen;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  time.pass(LOOKED_MS_MAX);
  expect(looked.named()).toBe(false);
  expect(lines).toEqual([]);
});

test('nothing is looked for where the database is embedded', () => {
  const { looked, lines, time } = look(null);
  time.pass(LOOKED_MS_MAX);
  expect([looked.named(), lines]).toEqual([false, []]);
});
