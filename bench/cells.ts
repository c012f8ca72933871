import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { readConfig } from '../src/server/config.ts';
import { type Running, start } from '../src/server/start.ts';
import { startProxy } from '../test/support/proxy.ts';
import { postJson } from '../test/support/server.ts';
import { type Database, openPostgres } from './support/database.ts';

/*
 * What a cell has of another whose database is away: nothing.
 *
 *   npx tsx bench/cells.ts [rounds]
 *
 * Two cells in this process, each with its database; both are launched at without end. In turns the database of the first is there, and away. Told is how
 * long the second took from a launch to its answer, and what it did not answer with 201.
 */

const ROUNDS = Number(process.argv[2] ?? 6);
const WORKFLOWS = 150;
const AT_ONCE = 4;
const SETTLE_MS = 1_000;

const postgres = await openPostgres();
if (typeof postgres === 'string') throw new Error(postgres);
const databases: readonly Database[] = [await postgres.make(), await postgres.make()];
const wire = await startProxy(databases[0]?.url ?? '');
const participant = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(204).end();
    const { proceed_url } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly proceed_url: string };
    const { origin, pathname } = new URL(proceed_url);
    // Of the cell whose database is away nothing is expected.
    postJson(origin, pathname, {}).catch(() => {});
  });
});
await new Promise<void>((resolve) => participant.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, resolve));
const callback = `http://127.0.0.1:${(participant.address() as AddressInfo).port}/`;
const nodes: Running[] = [];
for (const [n, url] of [wire.url, databases[1]?.url ?? ''].entries())
  nodes.push(await start(readConfig({ DATABASE_URL: url, PORT: '0', LOG_LEVEL: 'silent', NODE_NAME: `c${n}` })));
const [first, second] = nodes as [Running, Running];

const seen = { there: [] as number[], away: [] as number[] };
const failed = { there: 0, away: 0 };
try {
  for (let round = -1; round < ROUNDS; round++)
    for (const how of ['there', 'away'] as const) {
      if (how === 'away') wire.refuse();
      else wire.accept();
      await wait(SETTLE_MS);
      const took = await launches(how);
      if (round >= 0) seen[how].push(...took);
    }
} finally {
  wire.accept();
  await Promise.all(nodes.map((node) => node.stop()));
  participant.close();
  participant.closeAllConnections();
  await wire.close();
  for (const database of databases) await database.drop();
  await postgres.stop();
}
for (const how of ['there', 'away'] as const) {
  const sorted = seen[how].toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  console.log(
    `the database of the other cell is ${how}: ${sorted.length} launches, ${failed[how]} not answered with 201, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

/** Milliseconds of each launch at the second cell, while the first is launched at as well. */
async function launches(how: keyof typeof failed): Promise<readonly number[]> {
  const took: number[] = [];
  const launch = (node: Running) => postJson(node.url, '/v1/workflows', { workflow: 'define\n  one\n  two', callback });
  let isOver = false;
  const beside = Array.from({ length: AT_ONCE }, async () => {
    while (!isOver) await launch(first);
  });
  let begun = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun < WORKFLOWS) {
        begun += 1;
        const at = performance.now();
        const { status } = await launch(second);
        if (status === 201) took.push(performance.now() - at);
        else failed[how] += 1;
      }
    }),
  );
  isOver = true;
  await Promise.all(beside);
  return took;
}
