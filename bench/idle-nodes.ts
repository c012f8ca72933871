import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../src/server/config.ts';
import { type Running, start } from '../src/server/start.ts';
import { postJson } from '../test/support/server.ts';
import { openPostgres } from './support/database.ts';
import { countStatements } from './support/statements.ts';

/*
 * What nodes cost that have nothing to do, and how late timers are when the node that took the launch is seldom the one that fires them.
 *
 *   npx tsx bench/idle-nodes.ts [nodes]
 *
 * All nodes run in this process, each with connections of its own; the numbers of transactions are those of Postgres.
 */

/** Transactions a second that idle nodes may cost together, and the lateness of a timer. */
const IDLE_GOAL = 5;
const LATE_GOAL_MS = 200;

const NODES = Number(process.argv[2] ?? 10);
const SETTLE_MS = 10_000;
const IDLE_MS = 30_000;
const TIMERS = 40;
const TIMER_MS = 2_000;
/** Statements that are shown. */
const SHOWN_MAX = 10;

const postgres = await openPostgres();
if (typeof postgres === 'string') throw new Error(postgres);
const database = await postgres.make();
const nodes: Running[] = [];
const sent = countStatements();
const calledAt: (() => void)[] = [];
const participant = createServer((request, response) => {
  calledAt.shift()?.();
  request.resume();
  response.writeHead(204).end();
});
await new Promise<void>((resolve) => participant.listen(0, '127.0.0.1', resolve));
const callback = `http://127.0.0.1:${(participant.address() as AddressInfo).port}/`;

try {
  for (let n = 0; n < NODES; n++)
    nodes.push(
      await start(
        readConfig({
          DATABASE_URL: database.url,
          PORT: '0',
          LOG_LEVEL: 'silent',
          CONNECTIONS_MAX: '4',
          NODE_NAME: `n${n}`,
        }),
      ),
    );
  await wait(SETTLE_MS);
  const before = await commits();
  const startedAt = performance.now();
  await wait(IDLE_MS);
  const perSecond = ((await commits()) - before) / ((performance.now() - startedAt) / 1000);

  const late: number[] = [];
  /** From the answer to the launch; the rest is the launch itself. */
  const afterwards: number[] = [];
  sent.taken();
  for (let n = 0; n < TIMERS; n++) {
    const url = (nodes[n % NODES] as Running).url;
    const called = new Promise<void>((resolve) => calledAt.push(resolve));
    const launchedAt = performance.now();
    const workflow = `define\n  sequence\n    wait '${TIMER_MS / 1000}s'\n    alpha`;
    const { status } = await postJson(url, '/v1/workflows', { workflow, callback });
    if (status !== 201) throw new Error(`a launch was answered with ${status}`);
    const answeredAt = performance.now();
    await called;
    late.push(performance.now() - launchedAt - TIMER_MS);
    afterwards.push(performance.now() - answeredAt - TIMER_MS);
  }
  const statements = [...sent.taken()].sort(([, a], [, b]) => b - a).slice(0, SHOWN_MAX);
  const at = (part: number, of = late): number =>
    Math.round(of.toSorted((a, b) => a - b)[Math.floor(part * (of.length - 1))] as number);
  console.log(`${NODES} idle nodes: ${perSecond.toFixed(1)} transactions a second (goal: fewer than ${IDLE_GOAL})`);
  console.log(
    `${TIMERS} timers of ${TIMER_MS / 1000} s, from the launch to the callback: ${at(0.5)} ms late at p50, ${at(0.95)} at p95, ${at(1)} at most (goal: ${LATE_GOAL_MS}); ` +
      `from the answer to the launch ${at(0.5, afterwards)}, ${at(0.95, afterwards)} and ${at(1, afterwards)} ms`,
  );
  console.log(
    `statements of all nodes for one timer: ${statements.map(([name, n]) => `${name} ${(n / TIMERS).toFixed(1)}`).join(', ')}`,
  );
} finally {
  sent.stop();
  await Promise.all(nodes.map((node) => node.stop()));
  participant.close();
  participant.closeAllConnections();
  await database.drop();
  await postgres.stop();
}

async function commits(): Promise<number> {
  const { rows } = await database.client.query<{ n: string }>(
    'select xact_commit as n from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]?.n);
}
