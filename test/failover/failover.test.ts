import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { openStore } from '../../src/store/open.ts';
import { WronglySet } from '../../src/store/store.ts';
import { send } from '../support/server.ts';
import { pause, until } from '../support/until.ts';
import { type Address, startAddress } from './address.ts';
import { judge } from './judge.ts';
import { type Crew, startCrew } from './load.ts';
import { type Instance, type Pair, startPair } from './pair.ts';
import { type Bouncer, startBouncer } from './pgbouncer.ts';

/*
 * One server of Postgres takes over from another, under load. The pair is made once, and what happens to it happens to all ways at once: a node
 * each reaches the database by an address that follows and resets, by one whose old connections are silent for ever, by a list of hosts, and
 * by PgBouncer where that is on the machine.
 */

const begun = await startPair();
if (typeof begun === 'string') console.warn(`The failover does not run: ${begun}.`);

/** No request takes longer. */
const LONGEST_MS = 10_000;
/** From the promotion to the first success. */
const BACK_MS = 20_000;
/** Load before the first server dies, and the time until the second is promoted. */
const BEFORE_MS = 700;
const DOWN_MS = 1_500;

describe.runIf(typeof begun !== 'string')('a pair of servers', { timeout: 120_000 }, () => {
  const pair = begun as Pair;
  const { first, second } = pair;
  const nodes = new Map<string, Running>();
  let addresses: readonly Address[] = [];
  let crew: Crew;
  let bouncer: Bouncer | null = null;
  const urlOf = (node: string): string => nodes.get(node)?.url ?? '';
  const node = async (name: string, databaseUrl: string, more: Record<string, string> = {}): Promise<void> => {
    const config = readConfig({
      DATABASE_URL: databaseUrl,
      PORT: '0',
      LOG_LEVEL: 'silent',
      NODE_NAME: name,
      CONNECTIONS_MAX: '6',
      // What a node had claimed when the answer to its commit was lost is due again when its lease ends.
      CALLBACK_TIMEOUT: '1',
      LEASE_SECONDS: '11',
      ...more,
    });
    nodes.set(name, await start(config));
  };
  const statuses = async (instance: Instance): Promise<ReadonlyMap<string, string>> =>
    new Map(
      (await instance.query('select id, status from workflow')).map((row) => [
        String(row['id']),
        String(row['status']),
      ]),
    );
  const hosts = `postgres://rota@127.0.0.1:${second.port},127.0.0.1:${first.port}/postgres?target_session_attrs=read-write`;

  beforeAll(async () => {
    crew = await startCrew();
    addresses = [await startAddress(first.port), await startAddress(first.port)];
    await node('hosts', hosts);
    await node('address', addresses[0]?.url ?? '');
    await node('silent', addresses[1]?.url ?? '');
    const port = Number(new URL(addresses[0]?.url ?? '').port);
    const made = await startBouncer(port);
    if (typeof made === 'string') console.warn(`The failover does not go through PgBouncer: ${made}.`);
    else {
      bouncer = made;
      await until('PgBouncer answers', () =>
        node('pgbouncer', made.url('postgres'), { DATABASE_PREPARED: '0' }).then(() => true),
      );
    }
    await pair.waitForFollower(first);
  });
  afterAll(async () => {
    await crew.stop();
    await Promise.all(addresses.map((address) => address.close()));
    await Promise.all([...nodes.values()].map((running) => running.stop()));
    await bouncer?.stop();
    await pair.stop();
  });

  test('a server that waits for its standby is durable', async () => {
    const warned: string[] = [];
    const store = await openStore({
      ...{ databaseUrl: first.url, dataDir: 'memory:', prepared: true, durable: true },
      warn: (event) => warned.push(event),
    });
    await store.close();
    expect(warned).toEqual([]);
  });

  test('a pooler that mixes up named statements, or is in the way of a migration, is told at the start', async () => {
    if (bouncer === null) return;
    const open = (database: string) =>
      openStore({ databaseUrl: bouncer?.url(database) ?? '', dataDir: 'memory:', prepared: true });
    const warned: string[] = [];
    const asking = await openStore({
      databaseUrl: `${bouncer.url('postgres')}?target_session_attrs=read-write`,
      ...{ dataDir: 'memory:', prepared: false, warn: (_event, message) => warned.push(message) },
    });
    await asking.close();
    expect(warned).toEqual([expect.stringMatching(/leave target_session_attrs out of DATABASE_URL/)]);
    await first.query('create database empty');
    await expect(open('empty')).rejects.toThrow(/rota migrate/);
    const store = await open('postgres');
    // Asked once: another time the pooler may give a server that knows none of the names yet.
    const refusal: unknown = await open('postgres').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(WronglySet);
    expect(String(refusal)).toMatch(/DATABASE_PREPARED=0/);
    await store.close();
  });

  test('the standby is away: requests are answered in time, /readyz says so, a cancelled wait is no success, and nothing is lost', async () => {
    await second.stop('fast');
    const waiting = (): Promise<readonly { readonly [column: string]: unknown }[]> =>
      first.query(`select pid from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'rota engine'`);
    const cancelled = crew.launch('hosts', urlOf('hosts'));
    const [waiter] = await until('a commit waits for the standby', async () => {
      const found = await waiting();
      return found.length > 0 ? found : null;
    });
    await first.query(`select pg_cancel_backend(${String(waiter?.['pid'])})`);
    expect(await cancelled).toMatchObject({ status: 503, retryAfter: true });

    const key = { 'Idempotency-Key': 'while-away' };
    const held = await crew.launch('hosts', urlOf('hosts'), key);
    expect(held).toMatchObject({ status: 503, retryAfter: true });
    expect(held.ms).toBeLessThan(LONGEST_MS);
    const readiness = async (): Promise<number> => (await send(urlOf('hosts'), 'GET', '/readyz')).status;
    await until('/readyz says that nothing can be written', async () => (await readiness()) === 503);
    expect((await send(urlOf('hosts'), 'GET', '/livez')).status).toBe(200);

    await second.start();
    const same = await until('the same key is answered', async () => {
      const again = await crew.launch('hosts', urlOf('hosts'), key);
      return again.status === 201 ? again : null;
    });
    await until('/readyz says that all is well', async () => (await readiness()) === 200);
    const there = await until('what was launched is over', async () => {
      const found = await statuses(first);
      return [...found.values()].every((status) => status === 'completed') ? found : null;
    });
    // A launch may wait more than once: cancelled at its own commit it was written all the same, cancelled before that it was not.
    expect([1, 2]).toContain(there.size);
    expect(there.has(same.workflow ?? '')).toBe(true);
    expect(
      judge({
        launches: crew.launches.filter(({ status }) => status !== 409),
        asked: crew.asked,
        statuses: there,
        promotedAt: 0,
      }),
    ).toMatchObject({
      lost: [],
      doubled: [],
      wrong: [],
    });
  });

  test('the second takes over: nothing is lost or doubled, every request is answered in time, and all nodes are back by themselves', async () => {
    const from = crew.launches.length;
    for (const [name, { url }] of nodes) crew.press(name, url);
    await pause(BEFORE_MS);
    for (const address of addresses) address.point(null);
    addresses[1]?.leave('silent');
    await first.stop('immediate');
    addresses[0]?.leave('reset');
    await pause(DOWN_MS);
    await second.promote();
    const promotedAt = performance.now();
    for (const address of addresses) address.point(second.port);
    const ours = (): Crew['launches'] => crew.launches.slice(from);
    for (const name of nodes.keys())
      await until(`${name} is back`, () =>
        ours().some((launch) => launch.node === name && launch.status === 201 && launch.at >= promotedAt),
      );
    await crew.rest();
    const acknowledged = ours().flatMap(({ workflow }) => workflow ?? []);
    await until(
      'what was acknowledged is over',
      async () => {
        const there = await statuses(second);
        return acknowledged.every((id) => there.get(id) === 'completed');
      },
      25_000,
    ).catch(() => {
      // The verdict says which are not.
    });
    const verdict = judge({ launches: ours(), asked: crew.asked, statuses: await statuses(second), promotedAt });
    expect(verdict).toMatchObject({ lost: [], doubled: [], wrong: [] });
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(verdict.longestMs).toBeLessThan(LONGEST_MS);
    expect([...verdict.backMs.keys()].sort()).toEqual([...nodes.keys()].sort());
    for (const back of verdict.backMs.values()) expect(back).toBeLessThan(BACK_MS);
    console.info(
      `failover: ${acknowledged.length} acknowledged, longest ${Math.round(verdict.longestMs)} ms, back after ${[...verdict.backMs].map(([name, ms]) => `${name} ${Math.round(ms)}`).join(', ')} ms`,
    );
  });

  test('a standby that stopped receiving takes over: the loss is seen, whichever way it was launched', async () => {
    await pair.follow(first, second);
    await first.query(`alter system set primary_conninfo = ''`);
    await first.query('select pg_reload_conf()');
    await until(
      'nothing is received any more',
      async () => (await second.query('select 1 from pg_stat_replication')).length === 0,
    );
    const from = crew.launches.length;
    for (const [name, { url }] of nodes) expect(await crew.launch(name, url)).toMatchObject({ status: 201 });
    await second.stop('immediate');
    await first.promote();
    const launches = crew.launches.slice(from);
    const verdict = judge({ launches, asked: [], statuses: await statuses(first), promotedAt: 0 });
    expect(verdict.lost).toEqual(launches.map(({ workflow }) => `${workflow} is gone`));
    expect(launches.length).toBe(nodes.size);
  });
});
