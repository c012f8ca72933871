import { parseArgs } from 'node:util';
import { judgeEvent } from '../src/language/event-condition.ts';
import type { EventRow } from '../src/model/events.ts';
import { shardOf, type WorkflowId } from '../src/model/ids.ts';
import { readTenant, type Tenant } from '../src/model/tenant.ts';
import { openStore } from '../src/store/open.ts';
import { EVENTS_AT_ONCE } from '../src/store/store.ts';
import { openPostgres } from './support/database.ts';

/*
 * What it costs to receive an event for one workflow among ten that wait, and among very many; and how many events a second are received in
 * batches. Goals: among 100,000 at most 1.3 times as much as among ten; 2,000 events a second. Starts a Postgres of its own.
 *
 * `npx tsx bench/events.ts --waiting 100000 --events 4000`
 */

const { values } = parseArgs({
  options: { waiting: { type: 'string', default: '100000' }, events: { type: 'string', default: '4000' } },
});
const FEW = 10;
const MANY = Number(values.waiting);
const EVENTS = Number(values.events);
const SINGLE = 300;
const RATIO_GOAL = 1.3;
const RATE_GOAL = 2_000;
const AT = Date.parse('2026-01-01T00:00:00Z');
const [few, many] = ['few', 'many'].map((name) => readTenant(name) as Tenant) as [Tenant, Tenant];

const print = (line: string): void => console.log(line);
const postgres = await openPostgres();
if (typeof postgres === 'string') {
  print(postgres);
  process.exit(1);
}
const { url: databaseUrl, client, drop } = await postgres.make();
const store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true });
let made = 0;

/** One workflow for each `n`, waiting for the key `k<n>`. */
async function wait(tenant: Tenant, count: number): Promise<void> {
  for (let from = 0; from < count; from += 10_000) {
    const rows = Array.from({ length: Math.min(10_000, count - from) }, (_, i) => {
      const w = `w-${tenant}-${from + i}` as WorkflowId;
      return { s: shardOf(w), w, key: `k${from + i}` };
    });
    await client.query(
      `insert into workflow (shard, id, tenant, name, definition, launched_at, callbacks, retry, fields, status, header, state, updated_at, ver, last_n)
       select s, w, $2, null, 'd', ${AT}, '""', null, '{}', 'running', '{}', '{}', ${AT}, 1, 1 from jsonb_to_recordset($1::jsonb) as r(s smallint, w text, key text)`,
      [JSON.stringify(rows), tenant],
    );
    await client.query(
      `insert into waiter (shard, workflow_id, id, tenant, path, type, wanted, hears, once, since, key, seq)
       select s, w, '0_0', $2, '0', 'paid', key, 'event', false, ${AT}, key, 1 from jsonb_to_recordset($1::jsonb) as r(s smallint, w text, key text)`,
      [JSON.stringify(rows), tenant],
    );
  }
}

function coming(tenant: Tenant, key: string) {
  const id = `e${++made}`;
  const row: EventRow = {
    ...{
      eventId: `evt_${id}`,
      tenant,
      digest: id,
      source: 's',
      id,
      type: 'paid',
      key,
      sort: 'event',
      mode: 'broadcast',
    },
    ...{ workflowId: null, receivedAt: AT, expiresAt: AT + 1e6, goneAt: AT + 1e6, state: 'kept', hops: 0, hits: 0 },
    ...{ misses: 0, resumed: '[]', started: '[]', due: false, spread: null, body: '{"data":{"amount":1}}' },
  };
  return { row, event: {}, starts: [] };
}

/** Milliseconds of the median. */
async function single(tenant: Tenant, count: number): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < SINGLE; i++) {
    const since = performance.now();
    await store.meeting.receive(tenant, [coming(tenant, `k${(i * 7919) % count}`)], judgeEvent, AT);
    took.push(performance.now() - since);
  }
  return took.sort((a, b) => a - b)[SINGLE / 2] ?? 0;
}

try {
  await wait(few, FEW);
  await wait(many, MANY);
  await client.query('analyze waiter');
  // In turns, so that the machine is the same for both.
  await single(few, FEW);
  await single(many, MANY);
  const rounds: { readonly few: number; readonly many: number }[] = [];
  for (let round = 0; round < 4; round++) rounds.push({ few: await single(few, FEW), many: await single(many, MANY) });
  const best = (of: 'few' | 'many'): number => Math.min(...rounds.map((round) => round[of]));
  const ratio = best('many') / best('few');
  print(`among ${FEW}: ${best('few').toFixed(2)} ms, among ${MANY}: ${best('many').toFixed(2)} ms`);
  print(`${ratio <= RATIO_GOAL ? 'holds' : 'MISSED'}: ${ratio.toFixed(2)} times as much (goal ${RATIO_GOAL})`);

  const since = performance.now();
  for (let n = 0; n < EVENTS; n += EVENTS_AT_ONCE)
    await store.meeting.receive(
      many,
      Array.from({ length: EVENTS_AT_ONCE }, (_, i) => coming(many, `k${(n + i) % MANY}`)),
      judgeEvent,
      AT,
    );
  const rate = EVENTS / ((performance.now() - since) / 1_000);
  print(
    `${rate >= RATE_GOAL ? 'holds' : 'MISSED'}: ${Math.round(rate)} events a second in batches (goal ${RATE_GOAL})`,
  );
} finally {
  await store.close();
  await drop();
  await postgres.stop();
}
