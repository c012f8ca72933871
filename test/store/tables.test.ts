import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/model/fault.ts';
import { postgresPool } from '../../src/store/connections.ts';
import { openEmbedded } from '../../src/store/embedded.ts';
import { makeHosts } from '../../src/store/hosts.ts';
import { DataRefused } from '../../src/store/store.ts';
import { openOnDatabase } from '../../src/store/tables/on-database.ts';
import { fromNow, type OpenTable, type TableRows, table } from '../../src/store/tables/table.ts';
import { openInMemory } from '../simulation/tables.ts';
import { freshDatabase, hasPostgres } from '../support/postgres.ts';

/* What a table that belongs to no workflow can do, on a table made for it. */

type Thing = {
  readonly tenant: string;
  readonly id: string;
  readonly size: number;
  readonly note: string | null;
  readonly isGood: boolean;
  readonly dueAt: number | null;
  readonly leaseUntil: number | null;
};

const THING = table<Thing>()({
  name: 'thing',
  key: ['tenant', 'id'],
  columns: {
    tenant: 'text',
    id: 'text',
    size: 'integer',
    note: 'text',
    isGood: 'boolean',
    dueAt: 'bigint',
    leaseUntil: 'instant',
  },
  lists: {
    bySize: { by: ['tenant'], order: ['size', 'id'] },
    largest: { by: ['tenant'], order: ['size', 'id'], newestFirst: true },
    due: { by: [], order: ['dueAt', 'id'], present: 'dueAt' },
    leased: { by: ['tenant'], order: ['leaseUntil', 'id'], newestFirst: true, present: 'leaseUntil' },
  },
  sweep: null,
});
const CREATE = `create table thing (tenant text collate "C", id text collate "C", size integer not null, note text, is_good boolean not null,
  due_at bigint, lease_until timestamptz, primary key (tenant, id))`;

type Opened = { readonly open: OpenTable; readonly close: () => Promise<void> };

const worlds: { readonly [name: string]: (() => Promise<Opened>) | null } = {
  'the embedded database': async () => {
    const database = await openEmbedded('memory:', true);
    await database.client.query(CREATE);
    return { open: openOnDatabase(database, database), close: database.close };
  },
  Postgres: !hasPostgres()
    ? null
    : async () => {
        const database = await freshDatabase();
        await database.query(CREATE);
        const pool = postgresPool({
          hosts: makeHosts(database.url),
          name: 'things',
          max: 2,
          prepared: true,
          session: '',
          patienceMs: 10_000,
          onTrouble: () => {},
        });
        return {
          open: openOnDatabase(pool, pool),
          close: async () => {
            await pool.close();
            await database.drop();
          },
        };
      },
  'the memory of the simulation': async () => ({
    open: openInMemory({ tables: new Map(), now: Date.now }, async (_, act) => act()),
    close: async () => {},
  }),
};

for (const [name, make] of Object.entries(worlds))
  describe.runIf(make !== null)(`a table in ${name}`, () => {
    let world: Opened;
    let things: TableRows<Thing, 'tenant' | 'id', 'bySize' | 'largest' | 'due' | 'leased', never>;
    beforeAll(async () => {
      if (make === null) return;
      world = await make();
      things = world.open(THING);
    });
    afterAll(() => world?.close());

    let tenants = 0;
    const fresh = (): string => `tenant ${++tenants}`;
    const thing = (tenant: string, id: string, parts: Partial<Thing> = {}) => ({
      tenant,
      id,
      size: 1,
      note: null,
      isGood: true,
      dueAt: null,
      leaseUntil: null,
      ...parts,
    });

    test('a row comes back as it was written', async () => {
      const row = thing(fresh(), 'ä "quoted"', { size: -7, note: "it's\n", isGood: false, dueAt: 2 ** 53 - 1 });
      expect(await things.insert(row)).toBe(true);
      expect(await things.get(row)).toEqual(row);
      expect(await things.get({ ...row, id: 'another' })).toBe(null);
    });

    test('a row that is there already is not inserted, but can be put, all but what is to be kept', async () => {
      const tenant = fresh();
      await things.insert(thing(tenant, 'a', { size: 1, note: 'first' }));
      expect(await things.insert(thing(tenant, 'a', { size: 2 }))).toBe(false);
      await things.put(thing(tenant, 'a', { size: 3, note: 'second' }), ['note']);
      expect(await things.get({ tenant, id: 'a' })).toMatchObject({ size: 3, note: 'first' });
    });

    test('a change takes effect only where its conditions hold', async () => {
      const tenant = fresh();
      const key = { tenant, id: 'a' };
      await things.insert(thing(tenant, 'a', { size: 5 }));
      expect(await things.update(key, { note: 'x' }, { size: 4 })).toBe(false);
      expect(await things.update(key, { note: 'x' }, { size: { atMost: 5 }, note: null })).toBe(true);
      expect(await things.update(key, { note: 'y' }, { note: null })).toBe(false);
      expect(await things.update(key, { note: null, size: 6 })).toBe(true);
      expect(await things.get(key)).toMatchObject({ note: null, size: 6 });
      expect(await things.update({ tenant, id: 'none' }, { size: 1 })).toBe(false);
      expect(await things.delete(key, { size: 5 })).toBe(false);
      expect(await things.delete(key)).toBe(true);
      expect(await things.delete(key)).toBe(false);
    });

    test('a lease is taken by one, and by another once it has run out, on the clock of the database', async () => {
      const tenant = fresh();
      const key = { tenant, id: 'a' };
      await things.insert(thing(tenant, 'a'));
      const take = (note: string, seconds: number) =>
        things.update(key, { note, leaseUntil: fromNow(seconds) }, { leaseUntil: { atMost: fromNow(0) } });
      expect(await take('nobody: never leased', 30)).toBe(false);
      expect(await things.update(key, { note: 'first', leaseUntil: fromNow(-1) }, { leaseUntil: null })).toBe(true);
      expect(await take('second', 30)).toBe(true);
      expect(await take('third', 30)).toBe(false);
      expect((await things.get(key))?.note).toBe('second');
    });

    test('a list is walked page by page, up and down', async () => {
      const tenant = fresh();
      for (const [id, size] of Object.entries({ a: 3, b: 1, c: 2, d: 2, e: 9 }))
        await things.insert(thing(tenant, id, { size }));
      await things.insert(thing(fresh(), 'somebody else'));
      const walk = async (list: 'bySize' | 'largest'): Promise<string[]> => {
        const seen: string[] = [];
        for (let after: string | null = null; ; ) {
          const page: Awaited<ReturnType<typeof things.list>> = await things.list(list, {
            by: { tenant },
            limit: 2,
            after,
          });
          seen.push(page.items.map(({ id }) => id).join(''));
          if (page.next === null) return seen;
          after = page.next;
        }
      };
      expect(await walk('bySize')).toEqual(['bc', 'da', 'e']);
      expect(await walk('largest')).toEqual(['ea', 'dc', 'b']);
      const upTo = await things.list('bySize', { by: { tenant }, limit: 10, upTo: 2 });
      expect(upTo.items.map(({ id }) => id)).toEqual(['b', 'c', 'd']);
    });

    test('a list of times of the database is walked without losing or repeating a row', async () => {
      const tenant = fresh();
      for (let i = 0; i < 5; i++) await things.insert({ ...thing(tenant, `t${i}`), leaseUntil: fromNow(i / 1000) });
      const seen: string[] = [];
      for (let after: string | null = null, more = true; more; ) {
        const page: Awaited<ReturnType<typeof things.list>> = await things.list('leased', {
          by: { tenant },
          limit: 2,
          after,
        });
        seen.push(...page.items.map(({ id }) => id));
        after = page.next;
        more = page.next !== null;
      }
      expect(seen).toEqual(['t4', 't3', 't2', 't1', 't0']);
    });

    test('a list leaves out the rows that lack what it is about', async () => {
      const tenant = fresh();
      await things.insert(thing(tenant, 'idle'));
      await things.insert(thing(tenant, 'due', { dueAt: 5 }));
      await things.insert(thing(tenant, 'later', { dueAt: 50 }));
      const { items } = await things.list('due', { by: {}, limit: 10, upTo: 5 });
      expect(items.map(({ id }) => id)).toEqual(['due']);
    });

    test('a cursor that is none of ours is refused', async () => {
      const asked = things.list('bySize', { by: { tenant: 'x' }, limit: 1, after: 'nonsense' });
      await expect(asked).rejects.toMatchObject({ code: 'request_invalid' } satisfies Partial<Fault>);
    });

    test('what cannot be stored is refused', async () => {
      await expect(things.insert(thing(fresh(), 'a\u0000b'))).rejects.toThrow(DataRefused);
    });
  });
