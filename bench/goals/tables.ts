import { openStore } from '../../src/store/open.ts';
import { type Bench, type Cost, fine, goOn, measured, onFreshServer, type Result, whole } from '../support/bench.ts';
import type { Database } from '../support/database.ts';
import { median, percentile } from '../support/statistics.ts';

/* Goal 11: what is left in the tables after many steps, and claims among very many rows, many of them dead. */

const LOOP = '<repeat><participant ref="hold"/></repeat>';
const LIVE = 1_000;
const IN_FLIGHT = 32;
const MILLION = 1_000_000;
const MILLION_SECONDS_MAX = 480;
const CLAIMS = 40;
const CLAIMED_AT_ONCE = 100;
const CLAIM_MS_MAX = 5;
const MB = 2 ** 20;

export async function tableResults(bench: Bench): Promise<readonly Result[]> {
  const { postgres } = bench;
  if (postgres === null) return [];
  const sizes = await onFreshServer(bench, async ({ rota, database }) => {
    if (database === null) throw new Error('Sizes are read by SQL');
    const { outside } = bench;
    const order = { definition: LOOP, count: LIVE, inFlight: 32, withinMs: 60_000 };
    await outside.ask('launch', order);
    await outside.ask('held', { count: LIVE, withinMs: 30_000 });
    await outside.ask('beginTurning', { inFlight: IN_FLIGHT });
    const extent = bench.quick ? { steps: 1_500, secondsMax: 2 } : { steps: 8_000, secondsMax: 10 };
    await goOn(bench, extent.steps, extent.secondsMax);
    const reads = (): Promise<number> => outside.ask<number>('get', { path: '/v1/workflows?limit=100', times: 15 });
    const sizesFirst = await sizesOf(database);
    const first = await measured(bench, [rota], database, extent);
    const readBefore = await reads();
    const seen = await goOn(bench, bench.quick ? 8_000 : MILLION, bench.quick ? 6 : MILLION_SECONDS_MAX);
    const last = await measured(bench, [rota], database, extent);
    const readAfter = await reads();
    await outside.ask('stopTurning');
    const steps = seen.steps + first.seen.steps + last.seen.steps;
    const used = await sizesOf(database);
    await database.client.query('vacuum full');
    return { steps, used, sizesFirst, live: await sizesOf(database), first, last, readBefore, readAfter };
  });
  const claims = await claimTimes(bench);
  const { used, live, steps, sizesFirst } = sizes;
  const sum = (list: ReadonlyMap<string, number>): number =>
    [...list.values()].reduce((total, size) => total + size, 0);
  const ratio = sum(used) / sum(live);
  const us = ({ serverUs, databaseUs }: Cost): number => serverUs + databaseUs;
  const shown = ['workflow', 'workitem', 'history']
    .map((table) => `${table} ${fine((used.get(table) ?? 0) / MB, 1)} of ${fine((live.get(table) ?? 0) / MB, 1)}`)
    .join(', ');
  return [
    {
      goal: 11,
      what: `tables after ${whole(steps)} steps of ${whole(LIVE)} workflows`,
      figure: `× ${fine(ratio)} of the live data`,
      wanted: '≤ 2 ×',
      met: ratio <= 2,
      note:
        `MB: ${shown}; ${whole((sum(used) - sum(sizesFirst)) / steps)} bytes grow with each step, nearly all of it history; ` +
        `step ${whole(us(sizes.first))} → ${whole(us(sizes.last))} µs, list of 100 ${fine(sizes.readBefore, 1)} → ${fine(sizes.readAfter, 1)} ms`,
    },
    {
      goal: 11,
      what: `claim among ${whole(claims.due)} due rows and ${whole(claims.dead)} dead ones`,
      figure: `p50 ${fine(claims.p50, 1)} ms, p99 ${fine(claims.p99, 1)} ms`,
      wanted: `< ${CLAIM_MS_MAX} ms`,
      met: claims.p50 < CLAIM_MS_MAX,
      note: `${CLAIMED_AT_ONCE} rows each; the very first, which finds the dead ones in its way, ${fine(claims.first, 1)} ms; a claim of 1 row ${fine(claims.one, 1)} ms`,
    },
  ];
}

async function sizesOf({ client }: Database): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ name: string; size: string }>(
    `select relname as name, pg_total_relation_size(oid) as size from pg_class
     where relkind = 'r' and relnamespace = current_schema::regnamespace`,
  );
  return new Map(rows.map(({ name, size }) => [name, Number(size)]));
}

/** The store's own claim, on rows that were made by SQL. The dead ones were due first: they lie where every claim begins to look. */
async function claimTimes(bench: Bench) {
  const database = await bench.postgres?.make();
  if (database === undefined) throw new Error('There is no Postgres');
  const due = bench.quick ? MILLION / 10 : MILLION;
  const dead = (due * 4) / 10;
  const store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true });
  try {
    const { client } = database;
    await client.query('alter table workitem set (autovacuum_enabled = false)');
    await client.query(
      `insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, url, send, tries, due_at, log)
       select n % 256, 'w' || n, '0_0!' || md5(n::text), 'default', '0', 'alice', 'open', '{"some":"fields"}', '{}', n, 1,
         'http://127.0.0.1/', 'active', 0, n, '[]'
       from generate_series(1, ${due + dead}) n`,
    );
    await client.query('analyze workitem');
    await client.query(`delete from workitem where due_at <= ${dead}`);
    await client.query('checkpoint');
    const claim = async (limit: number): Promise<number> => {
      const begun = performance.now();
      const rows = await store.claimDue({ now: Date.now(), owner: 'bench', limit, leaseSeconds: 600 });
      const ms = performance.now() - begun;
      if (rows.length !== limit) throw new Error(`A claim of ${limit} got ${rows.length} rows`);
      // They are delivered before the next claim comes, as they would be: more dead entries where it begins to look.
      await client.query(
        `update workitem t set send = null, due_at = null, claim = null, owner = null, lease_until = null
         from unnest($1::smallint[], $2::text[], $3::text[]) as r(s, w, k)
         where t.shard = r.s and t.workflow_id = r.w and t.id = r.k`,
        [
          rows.map(({ row }) => Number(row.openedAt) % 256),
          rows.map(({ workflow }) => workflow),
          rows.map(({ row }) => row.id),
        ],
      );
      return ms;
    };
    const first = await claim(CLAIMED_AT_ONCE);
    for (let i = 0; i < 5; i++) await claim(CLAIMED_AT_ONCE);
    const took: number[] = [];
    for (let i = 0; i < CLAIMS; i++) took.push(await claim(CLAIMED_AT_ONCE));
    const ones: number[] = [];
    for (let i = 0; i < CLAIMS; i++) ones.push(await claim(1));
    return { due, dead, first, p50: median(took), p99: percentile(took, 0.99), one: median(ones) };
  } finally {
    await store.close();
    await database.drop();
  }
}
