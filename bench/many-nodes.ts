import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../src/server/config.ts';
import { type Running, start } from '../src/server/start.ts';
import { postJson } from '../test/support/server.ts';
import { openPostgres } from './support/database.ts';
import { countStatements } from './support/statements.ts';

/*
 * What the same work costs the database when more nodes share it.
 *
 *   npx tsx bench/many-nodes.ts [rounds]
 *
 * 300 workflows of three steps, launched and answered at all nodes in turn, by two nodes and by eight, one after the other, several times. The time of the
 * database is what Postgres says its sessions were busy, and the CPU of its processes, which does not grow when others use the machine; all nodes run in
 * this process, so that their statements can be counted. What each session pays once (it reads the catalogue and plans its
 * statements) is paid by a first round that does not count. The goal: eight cost at most half as much again as two.
 */

const GOAL = 1.5;
const WORKFLOWS = 300;
const AT_ONCE = 16;
const SETTLE_MS = 3_000;
const ROUNDS = Number(process.argv[2] ?? 3);

/** Statements that are shown. */
const SHOWN_MAX = 16;

type Cost = {
  readonly activeMs: number;
  readonly cpuMs: number;
  readonly commits: number;
  readonly statements: ReadonlyMap<string, number>;
  /** From the first launch to the last answer. */
  readonly tookMs: number;
};

const postgres = await openPostgres();
if (typeof postgres === 'string') throw new Error(postgres);
const sent = countStatements();
const costs = new Map<number, Cost[]>([
  [2, []],
  [8, []],
]);
try {
  for (let round = 0; round < ROUNDS; round++) for (const [nodes, all] of costs) all.push(await measured(nodes));
} finally {
  sent.stop();
  await postgres.stop();
}
const median = (nodes: number, of: (cost: Cost) => number): number =>
  (costs.get(nodes) ?? []).map(of).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
const two = (of: (cost: Cost) => number): string => (median(8, of) / median(2, of)).toFixed(2);
for (const nodes of costs.keys())
  console.log(
    `${nodes} nodes: ${median(nodes, (cost) => cost.activeMs).toFixed(0)} ms of the database, ${median(nodes, (cost) => cost.cpuMs).toFixed(0)} ms of CPU, ` +
      `${median(nodes, (cost) => cost.commits)} transactions, for ${WORKFLOWS} workflows in ${median(nodes, (cost) => cost.tookMs).toFixed(0)} ms`,
  );
console.log(
  `eight cost ${two((cost) => cost.activeMs)} times what two do (goal: ${GOAL}), ${two((cost) => cost.cpuMs)} times the CPU, ` +
    `${two((cost) => cost.commits)} times the transactions`,
);
const names = [...new Set([...costs.values()].flat().flatMap(({ statements }) => [...statements.keys()]))];
const rows = names.map((name) => ({
  name,
  of2: median(2, ({ statements }) => statements.get(name) ?? 0),
  of8: median(8, ({ statements }) => statements.get(name) ?? 0),
}));
console.log('statements, by two and by eight');
for (const { name, of2, of8 } of rows.sort((a, b) => b.of8 - a.of8).slice(0, SHOWN_MAX))
  console.log(`  ${name.padEnd(24)} ${String(of2).padStart(6)} ${String(of8).padStart(6)}`);

async function measured(count: number): Promise<Cost> {
  if (typeof postgres === 'string') throw new Error(postgres);
  const database = await postgres.make();
  const nodes: Running[] = [];
  let turn = 0;
  const at = (): string => (nodes[turn++ % nodes.length] as Running).url;
  let answered = 0;
  const participant = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      response.writeHead(204).end();
      const { proceed_url } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly proceed_url: string };
      const { status } = await postJson(at(), new URL(proceed_url).pathname, {});
      if (status === 201) answered += 1;
    });
  });
  await new Promise<void>((resolve) => participant.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve));
  const callback = `http://127.0.0.1:${(participant.address() as AddressInfo).port}/`;
  try {
    for (let n = 0; n < count; n++)
      nodes.push(
        await start(readConfig({ DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', NODE_NAME: `n${n}` })),
      );
    await wait(SETTLE_MS);
    await work();
    const before = await said();
    sent.taken();
    const cpu = postgres.cpu();
    const tookMs = await work();
    const cpuMs = (postgres.cpu() - cpu) / 1_000;
    const statements = sent.taken();
    const now = await said();
    return {
      activeMs: now.activeMs - before.activeMs,
      cpuMs,
      commits: now.commits - before.commits,
      statements,
      tookMs,
    };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    participant.close();
    participant.closeAllConnections();
    await database.drop();
  }

  async function work(): Promise<number> {
    const startedAt = performance.now();
    answered = 0;
    let launched = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (launched < WORKFLOWS) {
          launched += 1;
          await postJson(at(), '/v1/workflows', { workflow: 'define\n  one\n  two\n  three', callback });
        }
      }),
    );
    while (answered < WORKFLOWS * 3) await wait(20);
    const tookMs = performance.now() - startedAt;
    // Sessions tell their counters when they have been idle for a moment.
    await wait(1_500);
    return tookMs;
  }

  async function said(): Promise<{ readonly activeMs: number; readonly commits: number }> {
    const { rows } = await database.client.query<{ active: number; commits: string }>(
      'select active_time as active, xact_commit as commits from pg_stat_database where datname = current_database()',
    );
    return { activeMs: rows[0]?.active ?? 0, commits: Number(rows[0]?.commits) };
  }
}
