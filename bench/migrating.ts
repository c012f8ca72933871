import { parseArgs } from 'node:util';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { migrate, ownMigrations } from '../src/store/migrate.ts';
import { startCluster } from '../test/support/cluster.ts';

/*
 * `npx tsx bench/migrating.ts [--workflows 300000]`: all migrations since 0.1.0 on tables that are full, while two writers step workflows in turns. Prints how
 * long the slowest of their transactions took before and meanwhile: the promise is 200 ms more at most (docs/upgrading.md).
 */

const { values } = parseArgs({ options: { workflows: { type: 'string', default: '300000' } } });
const workflows = Number(values.workflows);
const STOPPED_MS_MAX = 200;
const QUIET_MS = 10_000;

const cluster = await startCluster();
if (typeof cluster === 'string') throw new Error(cluster);
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  return client;
};
try {
  const client = await connect();
  const options = { dbClient: client, dir: ownMigrations(), migrationsTable: 'migration', log: () => {} };
  await runner({ ...options, direction: 'up', count: 3 });
  const series = `generate_series(1, ${workflows}) as n`;
  await client.query(`insert into workflow
    select n % 256, 'w' || n, 'default', 'order', md5('d'), n, '{}', null, repeat('f', 200), case when n % 2 = 0 then 'running' else 'completed' end,
      '{}', repeat('s', 300), n, case when n % 2 = 0 then null else n end, 1, 2 from ${series}`);
  await client.query(`insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, url, send,
      tries, due_at, log)
    select n % 256, 'w' || n, '0_0!' || md5(n::text), 'default', '0', 'alpha', 'open', repeat('f', 200), '{}', n, 1,
      'http://host' || n % 100 || '.example/', 'active', 0, n, '[]' from ${series}`);
  await client.query(`insert into history (shard, workflow_id, first_n, last_n, at, entries, transaction_id)
    select n % 256, 'w' || n, part, part, n, repeat('h', 300), n from ${series}, generate_series(1, 3) as part`);
  await client.query(`insert into error (shard, workflow_id, id, tenant, path, workitem, class, message, at, details)
    select n % 256, 'w' || n, '0_0!' || md5(n::text), 'default', '0', false, 'RuntimeError', 'no', n, '{}' from ${series}`);
  await client.query('vacuum analyze');

  let isOver = false;
  let times: number[] = [];
  const writer = async (first: number): Promise<void> => {
    const own = await connect();
    for (let round = 0, n = first; !isOver; round++, n = ((n + 7_919) % workflows) + 1) {
      const began = performance.now();
      await own.query(`with moved as (
          update workflow set state = repeat('t', 300), ver = ver + 1, last_n = last_n + 1 where shard = ${n % 256} and id = 'w${n}' returning 1),
        gone as (update workitem set revision = revision + 1 where shard = ${n % 256} and workflow_id = 'w${n}' returning 1)
        insert into history (shard, workflow_id, first_n, last_n, at, entries)
        select ${n % 256}, 'w${n}', ${round + 1_000 + first}, ${round + 1_000 + first}, 1, 'x' from moved`);
      times.push(performance.now() - began);
    }
    await own.end();
  };
  const writing = Promise.all([writer(1), writer(2)]);
  const told = (when: string): number => {
    const slowest = Math.max(...times);
    console.log(`${when}: ${times.length} steps, the slowest ${slowest.toFixed(0)} ms`);
    times = [];
    return slowest;
  };
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const before = told('before');
  const began = performance.now();
  await migrate(client, ownMigrations());
  console.log(`${workflows} workflows: all migrations in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  const meanwhile = told('meanwhile');
  isOver = true;
  await writing;
  await client.end();
  if (meanwhile - before > STOPPED_MS_MAX) throw new Error(`A step was stopped for more than ${STOPPED_MS_MAX} ms`);
} finally {
  await cluster.stop();
}
