import { parseArgs } from 'node:util';
import { openStore } from '../src/store/open.ts';
import { fillWithWorkflows, LARGE, MIDDLE, questionsOf, SINGLE } from '../test/support/many-workflows.ts';
import { openPostgres } from './support/database.ts';

/*
 * What lists and counts cost among very many workflows of three tenants: nine in ten of one, nearly all others of the second, one of the
 * third. Each filter, and each pair of filters, from its beginning and from far behind it. Goal: p99 < 50 ms. Starts a Postgres of its own.
 *
 * `npx tsx bench/lists.ts --workflows 1000000`; `--only tag` measures those whose name says so
 */

const { values } = parseArgs({
  options: { workflows: { type: 'string', default: '1000000' }, only: { type: 'string', default: '' } },
});
const WORKFLOWS = Number(values.workflows);
const GOAL_MS = 50;
const RUNS = 20;
const print = (line: string): void => console.log(line);
const ms = (value: number): string => `${value.toFixed(1)} ms`.padStart(10);
const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? 0;

const postgres = await openPostgres();
if (typeof postgres === 'string') {
  print(postgres);
  process.exit(1);
}
const { url: databaseUrl, client, drop } = await postgres.make();
const store = await openStore({ databaseUrl, dataDir: 'memory:', prepared: true });
try {
  await fillWithWorkflows(client, WORKFLOWS);
  print(`${WORKFLOWS.toLocaleString('en')} workflows; Postgres ${postgres.version}; ${RUNS} runs each\n`);

  let isGood = true;
  async function measure(name: string, run: () => Promise<unknown>): Promise<void> {
    if (!name.includes(values.only)) return;
    const times: number[] = [];
    await run();
    for (let i = 0; i < RUNS; i++) {
      const since = performance.now();
      await run();
      times.push(performance.now() - since);
    }
    const sorted = times.toSorted((a, b) => a - b);
    const p99 = percentile(sorted, 0.99);
    isGood &&= p99 < GOAL_MS;
    print(
      `  ${name.padEnd(44)} p50 ${ms(percentile(sorted, 0.5))}   p99 ${ms(p99)}${p99 < GOAL_MS ? '' : '   TOO SLOW'}`,
    );
  }

  for (const tenant of [LARGE, MIDDLE, SINGLE]) {
    print(`tenant ${tenant}`);
    for (const { name, ask } of questionsOf(store, tenant, WORKFLOWS)) await measure(name, ask);
  }
  print(`\n${isGood ? 'All' : 'Not all'} within ${GOAL_MS} ms`);
} finally {
  await store.close();
  await drop();
  await postgres.stop();
}
