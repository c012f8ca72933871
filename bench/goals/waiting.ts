import { shardOf } from '../../src/model/ids.ts';
import {
  type Bench,
  type Cost,
  fine,
  goOn,
  measured,
  onFreshServer,
  type Place,
  type Result,
  whole,
} from '../support/bench.ts';
import type { Database } from '../support/database.ts';
import type { Held } from '../support/outside.ts';
import { wait } from '../support/processes.ts';
import { type Rota, startRota } from '../support/rota.ts';
import { median } from '../support/statistics.ts';

/* Goals 7 and 8: many workflows that wait, what they cost while nothing happens, and what a step of one of them costs. */

const LOOP = '<repeat><participant ref="hold" timeout="30d"/></repeat>';
const FEW = 1_000;
const MANY = 100_000;
const IN_FLIGHT = 32;
/** Launching through the API may take so long; what is missing then is copied by SQL. */
const LAUNCH_SECONDS_MAX = 100;
const OWED_MS_MAX = 15_000;
const COPIED_AT_ONCE = 20_000;
/** For so long after its start V8 still compiles and tidies up what the start left behind; that happens once and is not what waiting costs. */
const SETTLE_MS = { quick: 20_000, full: 40_000 };
const IDLE_SECONDS = { quick: 15, full: 60 };

export async function waitingResults(bench: Bench): Promise<readonly Result[]> {
  return onFreshServer(bench, async (place) => {
    const { rota, database } = place;
    const { outside } = bench;
    if (database === null) throw new Error('Rows are copied by SQL, which the embedded database offers to nobody');
    await launchMany(bench, FEW, 60);
    const few = await stepsAmong(bench, rota, database);

    const before = rota.residentMb();
    const wanted = MANY - FEW;
    const launched = bench.quick ? { count: 0, ms: 0 } : await launchMany(bench, wanted, LAUNCH_SECONDS_MAX);
    await allDelivered(database);
    const copied = await copy(bench, database, wanted - launched.count);
    await database.client.query('vacuum (analyze)');
    await database.client.query('checkpoint');
    const many = await stepsAmong(bench, rota, database);
    await allDelivered(database);
    const after = rota.residentMb();
    const idle = await idleOf(bench, place);

    await outside.ask('meet', { servers: [rota.url] });
    const costs = [few, many].map((rounds) => median(rounds.map((cost) => cost.serverUs + cost.databaseUs)));
    const grown = (costs[1] ?? Number.NaN) / (costs[0] ?? Number.NaN);
    const databases = [few, many].map((rounds) => median(rounds.map((cost) => cost.databaseUs)));
    return [
      {
        goal: 7,
        what: `${whole(MANY)} waiting workflows, each with a timeout`,
        figure: `idle ${fine(idle.server, 2)} % of a core, ${whole(idle.residentMb)} MB`,
        wanted: '≤ 0.3 %, ≤ 150 MB',
        met: idle.server <= 0.3 && idle.residentMb <= 150,
        note:
          `a server started anew on them; Postgres ${fine(idle.database, 2)} %; the one that made them went from ${whole(before)} to ${whole(after)} MB; ` +
          `${whole(FEW + launched.count)} launched over HTTP${launched.count > 0 ? ` in ${whole(launched.ms / 1000)} s` : ''}, ${whole(copied)} copied by SQL`,
      },
      {
        goal: 8,
        what: 'step cost, 1,000 → 100,000 live workflows',
        figure: `CPU × ${fine(grown)}`,
        wanted: '≤ 1.25',
        met: grown <= 1.25,
        note: `${whole(costs[0] ?? 0)} → ${whole(costs[1] ?? 0)} µs, of them Postgres ${whole(databases[0] ?? 0)} → ${whole(databases[1] ?? 0)} µs; workflows chosen at random`,
      },
    ];
  });
}

async function launchMany(bench: Bench, count: number, seconds: number): Promise<{ count: number; ms: number }> {
  const { ids, ms } = await bench.outside.ask<{ ids: readonly string[]; ms: number }>('launch', {
    definition: LOOP,
    count,
    inFlight: 64,
    withinMs: seconds * 1000,
  });
  await bench.outside.ask('held', { count: ids.length, withinMs: OWED_MS_MAX });
  return { count: ids.length, ms };
}

async function stepsAmong(bench: Bench, rota: Rota, database: Database): Promise<readonly Cost[]> {
  await bench.outside.ask('beginTurning', { inFlight: IN_FLIGHT });
  await goOn(bench, bench.quick ? 3_000 : 20_000, bench.quick ? 3 : 40);
  const costs: Cost[] = [];
  for (let i = 0; i < (bench.quick ? 1 : 3); i++)
    costs.push(
      await measured(
        bench,
        [rota],
        database,
        bench.quick ? { steps: 2_500, secondsMax: 3 } : { steps: 6_000, secondsMax: 10 },
      ),
    );
  await bench.outside.ask('stopTurning');
  return costs;
}

/** Waits until the outcome of every try has been written. */
async function allDelivered(database: Database): Promise<void> {
  const end = performance.now() + OWED_MS_MAX;
  for (;;) {
    const { rows } = await database.client.query(
      `select count(*)::integer as owed from workitem where send is not null`,
    );
    if (rows[0]?.['owed'] === 0 || performance.now() > end) return;
    await wait(100);
  }
}

/** Copies the rows of live workflows under new ids, and tells the participants about them. */
async function copy(bench: Bench, database: Database, count: number): Promise<number> {
  const { client } = database;
  const { rows } = await client.query<{ id: string }>(`select id from workflow where status = 'running' limit ${FEW}`);
  for (let done = 0; done < count; done += COPIED_AT_ONCE) {
    const pairs = Array.from({ length: Math.min(COPIED_AT_ONCE, count - done) }, (_, i) => {
      const id = `20300101-0000-copy-n${(done + i).toString(36)}`;
      return { old: rows[i % rows.length]?.id, id, shard: shardOf(id) };
    });
    await client.query('begin');
    await client.query(
      'create temporary table pair (old text collate "C", id text collate "C", shard smallint) on commit drop',
    );
    await client.query(
      'insert into pair select old, id, shard from jsonb_to_recordset($1::jsonb) as r(old text, id text, shard smallint)',
      [JSON.stringify(pairs)],
    );
    for (const table of ['workflow', 'workitem', 'branch', 'agenda', 'variable', 'history'])
      await client.query(await copying(database, table));
    const items = await client.query<Held>(
      'select p.id as workflow, t.id as workitem from pair p join workitem t on t.shard = p.shard and t.workflow_id = p.id',
    );
    await client.query('commit');
    await bench.outside.ask('adopt', {
      items: items.rows.map(({ workflow, workitem }) => ({ workflow, workitem: `${workitem}!${workflow}` })),
    });
  }
  return count;
}

async function copying({ client }: Database, table: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
  const id = table === 'workflow' ? 'id' : 'workflow_id';
  const columns = rows.map(({ name }) => `"${name}"`).join(', ');
  const values = rows.map(({ name }) => (name === id ? 'p.id' : name === 'shard' ? 'p.shard' : `t."${name}"`));
  return `insert into ${table} (${columns}) select ${values.join(', ')} from pair p join ${table} t on t.${id} = p.old`;
}

/** What a server costs that was started on all of them and has settled, while nothing happens, in percent of a core. */
async function idleOf(bench: Bench, { rota, environment }: Place) {
  await rota.child.stop();
  const fresh = await startRota(environment);
  try {
    await wait(bench.quick ? SETTLE_MS.quick : SETTLE_MS.full);
    const seconds = bench.quick ? IDLE_SECONDS.quick : IDLE_SECONDS.full;
    const [server, database] = [fresh.cpu(), bench.postgres?.cpu() ?? 0];
    await wait(seconds * 1000);
    const percent = (us: number): number => us / seconds / 10_000;
    return {
      server: percent(fresh.cpu() - server),
      database: percent((bench.postgres?.cpu() ?? 0) - database),
      residentMb: fresh.residentMb(),
    };
  } finally {
    await fresh.child.stop();
  }
}
