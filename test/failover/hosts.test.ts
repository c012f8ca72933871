import { afterEach, describe, expect, test } from 'vitest';
import { persist } from '../../src/store/connections.ts';
import { HOSTS_MAX, type Hosts, makeHosts, readHosts, shownHosts } from '../../src/store/hosts.ts';
import { openStore } from '../../src/store/open.ts';
import { FULL_MS } from '../../src/store/patience.ts';
import { StoreUnavailable, WronglySet } from '../../src/store/store.ts';
import { type Behaviour, type FakePostgres, startFakePostgres } from '../support/fake-postgres.ts';
import { freePort } from '../support/free-port.ts';

describe('the hosts of DATABASE_URL', () => {
  test.each([
    ['postgres://db/x', ['postgres://db/x'], false],
    ['postgres://u:p@db:1/x?sslmode=require', ['postgres://u:p@db:1/x?sslmode=require'], false],
    ['postgresql:///x?host=/run', ['postgresql:///x?host=/run'], false],
    ['postgres://u:p,q@a,b:2/x', ['postgres://u:p,q@a/x', 'postgres://u:p,q@b:2/x'], true],
    [
      'postgres://u@[::1]:1,[::2]/x?target_session_attrs=read-write&a=b',
      ['postgres://u@[::1]:1/x?a=b', 'postgres://u@[::2]/x?a=b'],
      true,
    ],
    ['postgres://db/x?target_session_attrs=primary', ['postgres://db/x'], true],
    ['postgres://a,b/x?target_session_attrs=any', ['postgres://a/x', 'postgres://b/x'], false],
  ])('%s', (given, urls, writes) => {
    expect(readHosts(given)).toEqual({ urls, writes });
  });

  test.each([
    'mysql://db/x',
    'postgres://a,,b/x',
    'postgres://a:1:2,b/x',
    'postgres://a,b/x?target_session_attrs=standby',
    'postgres://a,b/x?target_session_attrs=any&target_session_attrs=primary',
    `postgres://${Array.from({ length: HOSTS_MAX + 1 }, (_, n) => `h${n}`).join(',')}/x`,
  ])('%s cannot be used', (given) => {
    expect(readHosts(given)).toBeNull();
  });

  test('are shown without what lets one in', () => {
    expect(shownHosts('postgres://u:secret@a,b:2/x?password=secret')).toBe('a:5432, b:2/x');
  });
});

describe('a connection', () => {
  const servers: FakePostgres[] = [];
  const server = async (how: Partial<Behaviour> = {}): Promise<FakePostgres> => {
    const made = await startFakePostgres(how);
    servers.push(made);
    return made;
  };
  const urlOf = (ports: readonly number[]): string =>
    `postgres://u@${ports.map((port) => `127.0.0.1:${port}`).join(',')}/x`;
  /** The port that was connected to. */
  const connect = async (hosts: Hosts, retries = 0): Promise<number> => {
    const client = await persist(
      async () => {
        const one = new hosts.Client();
        await one.connect();
        return one;
      },
      { hosts: hosts.count, retries },
    );
    await client.end();
    return client.port;
  };
  afterEach(async () => {
    for (const one of servers.splice(0)) await one.close();
  });

  test('goes to the first host that can be written to, and later goes there at once', async () => {
    const gone = await freePort();
    const standby = await server({ standby: true });
    const readOnly = await server({ readOnly: true });
    const primary = await server();
    const hosts = makeHosts(urlOf([gone, standby.port, readOnly.port, primary.port]));
    expect(await connect(hosts)).toBe(primary.port);
    expect([standby.made(), readOnly.made(), primary.made()]).toEqual([1, 1, 1]);
    expect(await connect(hosts)).toBe(primary.port);
    expect([standby.made(), readOnly.made(), primary.made()]).toEqual([1, 1, 2]);
    expect(standby.open()).toBe(0);
  });

  test('follows when the hosts change places', async () => {
    const [one, other] = [await server(), await server({ standby: true })];
    const hosts = makeHosts(urlOf([one.port, other.port]));
    expect(await connect(hosts)).toBe(one.port);
    one.set({ standby: true });
    other.set({ standby: false });
    expect(await connect(hosts)).toBe(other.port);
  });

  test('passes over a host that takes connections and never answers, and a name that leads nowhere', async () => {
    const silent = await server({ silent: true });
    const primary = await server();
    const named = urlOf([silent.port, primary.port]).replace('u@', 'u@nowhere.invalid,');
    expect(await connect(makeHosts(named))).toBe(primary.port);
  });

  test('is not to be had while all hosts only read, and is once one is promoted', async () => {
    const [one, other] = [await server({ standby: true }), await server({ standby: true })];
    const hosts = makeHosts(urlOf([one.port, other.port]));
    await expect(connect(hosts)).rejects.toThrow(StoreUnavailable);
    await expect(connect(hosts)).rejects.toThrow(/is a standby/);
    other.set({ standby: false });
    expect(await connect(hosts)).toBe(other.port);
  });

  test('goes to a host that only reads where any will do', async () => {
    const standby = await server({ standby: true });
    expect(await connect(makeHosts(`${urlOf([standby.port])}?target_session_attrs=any`))).toBe(standby.port);
  });

  test('that a full server refuses is asked for again after a second', async () => {
    const full = await server({ refuses: '53300' });
    const pauses: number[] = [];
    const connecting = persist(
      async () => {
        const client = new (makeHosts(urlOf([full.port])).Client)();
        await client.connect();
        await client.end();
      },
      {
        pause: async (ms) => {
          pauses.push(ms);
          full.set({ refuses: null });
        },
      },
    );
    await connecting;
    expect(pauses).toEqual([FULL_MS]);
  });

  test('that is refused for its password is not tried elsewhere, and the start says that the setting is wrong', async () => {
    const [one, other] = [await server({ refuses: '28P01' }), await server()];
    const databaseUrl = urlOf([one.port, other.port]);
    await expect(openStore({ databaseUrl, dataDir: 'memory:', prepared: true })).rejects.toThrow(WronglySet);
    expect(other.made()).toBe(0);
  });
});
