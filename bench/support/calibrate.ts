import http from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import got from 'got';
import pg from 'pg';
import { takeOrders } from './processes.ts';

/*
 * What this machine can do at this moment, in a process of its own: the least a step must cost. Figures of the server are read
 * against these, for they move together when the machine is busy or slow.
 */

const PROCESSES = 20_000;
const STATE_BYTES = 1_500;
const BODY_BYTES = 1_024;

/** Times are microseconds of CPU of this process, for one turn of the loop. */
export type Loop = { readonly perSecond: number; readonly us: number };

/** The smallest step there is: one row changed, one deleted, two inserted, in one statement. */
const STEP = {
  name: 'step',
  text: `
  with stepped as (update proc set ver = ver + 1, state = $2 where id = $1 returning id),
    gone as (delete from item where proc = $1),
    born as (insert into item (proc, id, fields, due_at) select $1::integer, $3::text, $4::text, $5::bigint from stepped)
  insert into told (proc, n, entry) values ($1, $5, $6)`,
};

const TABLES = `
  create table proc (id integer primary key, ver integer not null, state text not null) with (fillfactor = 80);
  create table item (proc integer not null, id text not null, fields text not null, due_at bigint, primary key (proc, id));
  create index item_due on item (due_at);
  create table told (proc integer not null, n bigint not null, entry text not null, primary key (proc, n));
  insert into proc select n, 1, repeat('s', ${STATE_BYTES}) from generate_series(1, ${PROCESSES}) n;
  analyze`;

/** Turns before anything is measured, so that the code is compiled. */
const WARM_TURNS = 2_000;

async function warm(inFlight: number, turn: () => Promise<unknown>): Promise<void> {
  let turns = 0;
  const worker = async (): Promise<void> => {
    while (turns++ < WARM_TURNS) await turn();
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function timed(seconds: number, inFlight: number, turn: () => Promise<unknown>): Promise<Loop> {
  const until = performance.now() + seconds * 1000;
  const begun = performance.now();
  const cpu = process.cpuUsage();
  let turns = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      await turn();
      turns += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (turns * 1000) / (performance.now() - begun), us: (user + system) / turns };
}

let pool: pg.Pool | null = null;
let n = 0;
let isPostWarm = false;

async function step(): Promise<unknown> {
  n += 1;
  const state = String(n).padEnd(STATE_BYTES, 'state ');
  const id = 1 + Math.floor(Math.random() * PROCESSES);
  return pool?.query({ ...STEP, values: [id, state, `item ${n}`, state.slice(0, 500), n, state.slice(0, 200)] });
}

/** As in probe.mjs, so that the two can be compared. */
const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

takeOrders({
  /** How long a process that has nothing to do is kept from running: that is the machine's part of any delay. */
  watch: () => {
    delay.reset();
    delay.enable();
  },
  watched: () => {
    delay.disable();
    return Math.max(0, delay.max / 1e6 - RESOLUTION_MS);
  },
  prepare: async (order: { readonly url: string }) => {
    const client = new pg.Client({ connectionString: order.url });
    await client.connect();
    await client.query(TABLES);
    await client.end();
    pool = new pg.Pool({ connectionString: order.url, max: 4 });
    await warm(4, step);
  },
  step: (order: { readonly seconds: number; readonly inFlight: number }) => timed(order.seconds, order.inFlight, step),
  close: () => pool?.end(),
  /** POSTs to whoever listens there, with the client the server uses. */
  post: async (order: { readonly seconds: number; readonly inFlight: number; readonly url: string }) => {
    const agent = { http: new http.Agent({ keepAlive: true, maxSockets: 64 }) };
    const client = got.extend({ agent, retry: { limit: 0 }, followRedirect: false, throwHttpErrors: false });
    const body = JSON.stringify({ status: 'none', text: 'x'.repeat(BODY_BYTES - 30) });
    const headers = { 'Content-Type': 'application/json' };
    const send = (): Promise<unknown> => client.post(order.url, { body, headers, timeout: { request: 15_000 } });
    if (!isPostWarm) await warm(order.inFlight, send);
    isPostWarm = true;
    const loop = await timed(order.seconds, order.inFlight, send);
    agent.http.destroy();
    return loop;
  },
  /** Prints and reads 1 KB of JSON. */
  json: (order: { readonly seconds: number }) => {
    const value = { id: 'x', list: Array.from({ length: 20 }, (_, i) => ({ name: `name ${i}`, value: i, on: true })) };
    const until = performance.now() + order.seconds * 1000;
    const cpu = process.cpuUsage();
    let turns = 0;
    for (; performance.now() < until; turns += 100) for (let i = 0; i < 100; i++) JSON.parse(JSON.stringify(value));
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: turns / order.seconds, us: (user + system) / turns };
  },
});
