import pg from 'pg';
import type { WorkflowId } from '../src/model/ids.ts';
import { DEFAULT_TENANT } from '../src/model/tenant.ts';
import { openStore, PLANNING } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { AT, changes, expression, gone, history, put, save, workflow, workitem } from '../test/store/samples.ts';

import { openPostgres, type Postgres } from './support/database.ts';

/*
 * What the store's own statements cost among very many rows: claims among a million due rows and 400,000 dead ones, the plans of the others
 * among 100,000 workflows, and how many updates stay on their page. Starts a Postgres of its own; takes about a minute. On a machine that
 * does other things look at the CPU, which Postgres' processes are charged with, rather than at the time that passes.
 */

const DUE = 1_000_000;
const DEAD = 400_000;
const WORKFLOWS = 100_000;
const CLAIMS = 50;
/** Messages that are being delivered: two busy nodes. */
const UNDER_WAY = 400;
const STEPS = 1_000;
/** A state as it is after a few steps of a small workflow. */
const STATE = JSON.stringify({ text: 'x'.repeat(1_400) });

type Sent = { readonly name: string; readonly text: string; readonly values: readonly unknown[] };
type Plan = { readonly [key: string]: unknown };

const print = (line: string): void => console.log(line);
const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const at = (sorted: readonly number[], share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
const summary = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return `p50 ${ms(at(sorted, 0.5))}, p95 ${ms(at(sorted, 0.95))}, most ${ms(at(sorted, 1))}`;
};

async function timed<Value>(work: () => Promise<Value>): Promise<readonly [number, Value]> {
  const begun = performance.now();
  const value = await work();
  return [performance.now() - begun, value];
}

/** What goes to the database while `work` runs. */
async function recorded(work: () => Promise<unknown>): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const original = pg.Client.prototype.query;
  Reflect.set(pg.Client.prototype, 'query', function (this: pg.Client, ...given: readonly unknown[]) {
    const [first] = given;
    if (typeof first === 'object' && first !== null && 'name' in first && 'text' in first && 'values' in first)
      sent.push({ name: String(first.name), text: String(first.text), values: first.values as readonly unknown[] });
    return Reflect.apply(original, this, given);
  });
  try {
    await work();
  } finally {
    Reflect.set(pg.Client.prototype, 'query', original);
  }
  return sent;
}

/** Every node of a plan, the outermost first. */
const nodesOf = (plan: Plan): readonly Plan[] => [
  plan,
  ...((plan['Plans'] as readonly Plan[] | undefined) ?? []).flatMap((below) => nodesOf(below)),
];

async function explained(client: pg.Client, { name, text, values }: Sent): Promise<void> {
  await client.query('begin');
  // As it was before it was sent the first time.
  await client.query(`delete from workflow where id = 'bench-1'`);
  await client.query(`update workflow set ver = 1 where id = 'bench-0'`);
  await client.query(`delete from history where workflow_id like 'bench-%'`);
  const { rows } = await client.query<{ 'QUERY PLAN': readonly Plan[] }>(
    `explain (analyze, buffers, format json) ${text}`,
    [...values],
  );
  await client.query('rollback');
  const whole = rows[0]?.['QUERY PLAN'][0] ?? {};
  const nodes = nodesOf(whole['Plan'] as Plan);
  const seen = nodes.flatMap((node) => {
    const where =
      node['Index Name'] ?? (node['Node Type'] === 'Seq Scan' ? `the whole of ${node['Relation Name']}` : null);
    return where === null || node['Actual Loops'] === 0 ? [] : [String(where)];
  });
  const pages = Number(nodes[0]?.['Shared Hit Blocks']) + Number(nodes[0]?.['Shared Read Blocks']);
  const took = ms(Number(whole['Execution Time']));
  print(
    `  ${name.padEnd(22)} ${took.padStart(9)} ${String(pages).padStart(6)} pages  ${[...new Set(seen)].join(', ')}`,
  );
}

async function claims(postgres: Postgres): Promise<void> {
  const { url: databaseUrl, client, drop } = await postgres.make();
  const store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true });
  /** What was claimed and is under way; the oldest is over when there is too much of it, as with TRIES_MAX. */
  const underWay: string[] = [];
  const claim = async (limit: number): Promise<number> => {
    const [took, rows] = await timed(() => store.claimDue({ now: AT, owner: 'bench', limit, leaseSeconds: 600 }));
    if (rows.length !== limit) throw new Error(`A claim of ${limit} brought ${rows.length}`);
    underWay.push(...rows.map((message) => message.workflow));
    return took;
  };
  const finish = async (): Promise<void> => {
    const over = underWay.splice(0, Math.max(0, underWay.length - UNDER_WAY));
    await client.query(
      `delete from workitem t using unnest($1::text[]) as w(id) where t.workflow_id = w.id and t.shard = substr(w.id, 2)::int % 256`,
      [over],
    );
  };
  const many = async (limit: number): Promise<string> => {
    const times: number[] = [];
    let cpu = 0;
    for (let i = 0; i < CLAIMS; i++) {
      const before = postgres.cpu();
      times.push(await claim(limit));
      cpu += postgres.cpu() - before;
      await finish();
    }
    return `${summary(times)}; CPU ${ms(cpu / CLAIMS / 1_000)}`;
  };
  await client.query('alter table workitem set (autovacuum_enabled = false)');
  await client.query(
    `insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, url, send, tries, due_at, log)
     select n % 256, 'w' || n, '0_0!' || md5(n::text), 'default', '0', 'alice', 'open', '{"some":"fields"}', '{}', n, 1,
       'http://127.0.0.1/', 'active', 0, n, '[]'
     from generate_series(1, ${DUE + DEAD}) n`,
  );
  await client.query('analyze workitem');
  print(`Claims among ${DUE + DEAD} due rows, never vacuumed`);
  await many(100);
  print(`  100 rows: ${await many(100)}`);
  print(`    1 row:  ${await many(1)}`);
  // The oldest: they lie where every claim begins to look.
  await client.query(`delete from workitem where due_at <= ${DEAD}`);
  print(`The same with the ${DEAD} oldest deleted and still there`);
  print(`  the first of all, which clears the way: ${ms(await claim(100))}`);
  print(`  100 rows: ${await many(100)}`);
  print(`    1 row:  ${await many(1)}`);
  const four: number[] = [];
  for (let i = 0; i < CLAIMS / 4; i++) {
    four.push(...(await Promise.all([50, 50, 50, 50].map(claim))));
    await finish();
  }
  print(`  four at once, 50 rows each: ${summary(four)}`);

  // Somebody reads for a long time: nothing that dies meanwhile can be cleared away.
  const reader = new pg.Client({ connectionString: databaseUrl });
  await reader.connect();
  await reader.query('begin isolation level repeatable read');
  await reader.query('select count(*) from node');
  await client.query(`delete from workitem where due_at <= ${DEAD + 100_000}`);
  print('The same beside a transaction that began before 100,000 more were deleted, and goes on');
  print(`  100 rows: ${await many(100)}`);
  await reader.query('commit');
  await reader.end();
  await claim(100);
  print(`  after it has ended: ${await many(100)}`);
  await store.close();
  await drop();
}

const FILL = `
  insert into workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, last_n, callbacks, header, state, fields)
    select n % 256, 'w' || n, 'default', 1, 'a name', 'hash ' || n % 100, 'running', n, n, 1, '""', '{}', '${STATE}', '{}'
    from generate_series(1, ${WORKFLOWS}) n;
  insert into workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, opened_at, revision, url, send, tries, due_at, log)
    select n % 256, 'w' || n, 'i', 'default', '0', 'p' || n % 100, 'open', '{}', '{}', n, 1, 'u', 'active', 0, ${AT} + n, '[]'
    from generate_series(1, ${WORKFLOWS}) n;
  insert into agenda select n % 256, 'w' || n, 'a', 'timer', ${AT} + n, null, '0', '{}' from generate_series(1, ${WORKFLOWS}) n;
  insert into history select n % 256, 'w' || n, 1, 1, n, '[]' from generate_series(1, ${WORKFLOWS}) n`;

const idOf = (i: number): WorkflowId => `bench-${i}` as WorkflowId;

/** One proceed: a workitem goes, another comes. */
async function step(store: Store, i: number, n: number): Promise<void> {
  const turn = Math.floor(n / 100);
  const [was, comes] = [expression(`0_${turn % 2}`), `0_${(turn + 1) % 2}`];
  const transaction = await store.begin([{ workflow: idOf(i), needs: [{ kind: 'workitem', id: was }] }]);
  const row = transaction.loaded.get(idOf(i))?.workflow ?? workflow(idOf(i), { state: STATE, lastN: 0, ver: 0 });
  const next = {
    ...row,
    ver: row.ver + 1,
    lastN: row.lastN + 1,
    updatedAt: AT + n,
    state: `${STATE.slice(0, -2)}${n}"}`,
  };
  const workitems = new Map([
    [was, gone],
    [expression(comes), put(workitem(comes, { dueAt: AT * 2 }))],
  ]);
  const event = { event: 'received', name: 'alice', at: AT, payload: '{}' } as const;
  await transaction.commit(
    save([changes(next, {}, { workitems, history: [history(row.lastN + 1)], events: [event] })]),
  );
}

async function plans(postgres: Postgres): Promise<void> {
  const { url: databaseUrl, client, drop } = await postgres.make();
  let store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true });
  for (const setting of PLANNING) await client.query(`set ${setting}`);
  await client.query(FILL);
  await client.query('analyze');
  await step(store, 0, 0);
  const sent = await recorded(async () => {
    const claimed = await store.claimDue({ now: AT + 500, owner: 'bench', limit: 100, leaseSeconds: 30 });
    const [first] = claimed;
    if (first !== undefined)
      await store.renewClaim({
        key: { workflow: first.workflow, workitem: first.row.id },
        claim: first.claim,
        leaseSeconds: 30,
      });
    await store.peekAgenda({ now: AT + 500, limit: 100, share: 0, shares: 2, othersAfterMs: 100 });
    await store.nextDueAt(AT + 500);
    await step(store, 0, 1);
    await step(store, 1, 0);
    await store.retire({ endedBefore: AT, now: AT, limit: 200 });
    await store.read.workflows({
      tenant: DEFAULT_TENANT,
      status: null,
      name: null,
      participant: null,
      limit: 100,
      after: null,
    });
    await store.read.counts(DEFAULT_TENANT);
  });
  print(`Plans among ${WORKFLOWS} workflows (100 messages and 100 timers looked for)`);
  for (const one of sent) await explained(client, one);

  const steps = async (from: number): Promise<string> => {
    const times: number[] = [];
    const cpu = postgres.cpu();
    for (let n = from; n < from + STEPS; n++) times.push((await timed(() => step(store, n % 100, n)))[0]);
    return `${summary(times)}; CPU ${ms((postgres.cpu() - cpu) / STEPS / 1_000)}`;
  };
  /** Sessions tell their counts when they end. */
  const again = async (): Promise<void> => {
    await store.close();
    store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true });
  };
  await steps(100);
  await again();
  const before = await rewritten(client);
  print('A step that emits an event, one at a time');
  print(`  nobody listens:             ${await steps(1_100)}`);
  await again();
  const after = await rewritten(client);
  await client.query(
    `insert into listener values (0, 'somebody', 'l', 'default', '0', 'received', 'tenant', 'nobody in particular', '{}')`,
  );
  print(`  somebody listens to others: ${await steps(2_100)}`);
  print(`Updates that stayed on their page, of ${STEPS} steps of 100 workflows`);
  for (const [table, [all, hot]] of after) {
    const [allBefore, hotBefore] = before.get(table) ?? [0, 0];
    if (all > allBefore) print(`  ${table.padEnd(10)} ${hot - hotBefore} of ${all - allBefore}`);
  }
  await store.close();
  await drop();
}

/** Updates, and those of them that needed no new index entry, by table. */
async function rewritten(client: pg.Client): Promise<ReadonlyMap<string, readonly [number, number]>> {
  const { rows } = await client.query<{ name: string; all: number; hot: number }>(
    `select relname as name, n_tup_upd::int as all, n_tup_hot_upd::int as hot from pg_stat_user_tables order by 1`,
  );
  return new Map(rows.map(({ name, all, hot }) => [name, [all, hot]]));
}

/** The same step where every statement is about one shard, and transactions are serializable. */
async function sharded(postgres: Postgres): Promise<void> {
  const { url: databaseUrl, drop } = await postgres.make();
  const store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true, profile: 'distributed' });
  const cpuOf = async (times: number, work: (n: number) => Promise<unknown>): Promise<string> => {
    const cpu = postgres.cpu();
    for (let n = 0; n < times; n++) await work(n);
    return `CPU ${ms((postgres.cpu() - cpu) / times / 1_000)}`;
  };
  for (let n = 0; n < 100; n++) await step(store, n, n);
  print('On the profile for databases that are many machines, on this one Postgres');
  print(`  a step:                     ${await cpuOf(STEPS, (n) => step(store, n % 100, n + 100))}`);
  const asked = { now: AT, limit: 100, share: 0, shares: 1, othersAfterMs: 0 };
  print(`  a look at 256 agendas:      ${await cpuOf(100, () => store.peekAgenda(asked))}`);
  print(
    `  a claim, nothing due:       ${await cpuOf(100, () => store.claimDue({ ...asked, owner: 'me', leaseSeconds: 30 }))}`,
  );
  await store.close();
  await drop();
}

const postgres = await openPostgres();
if (typeof postgres === 'string') throw new Error(postgres);
try {
  await claims(postgres);
  await plans(postgres);
  await sharded(postgres);
} finally {
  await postgres.stop();
}
