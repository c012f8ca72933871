import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { fillWithWorkflows } from '../../test/support/many-workflows.ts';
import { startServer } from '../../test/support/server.ts';
import { openPostgres } from '../support/database.ts';
import { median } from '../support/statistics.ts';
import { busyMs, type ConsoleBench, ms, percentile95, type Row, row, withWork } from './rows.ts';

/* From a filter to its rows among very many workflows, on a Postgres of its own. */

const MANY = { quick: 100_000, full: 1_000_000 };
const FILTER_ROUNDS = { quick: 5, full: 20 };

export async function longList({ page, quick }: ConsoleBench): Promise<readonly Row[] | string> {
  const workflows = quick ? MANY.quick : MANY.full;
  const rounds = quick ? FILTER_ROUNDS.quick : FILTER_ROUNDS.full;
  const postgres = await openPostgres();
  if (typeof postgres === 'string')
    return `The list at ${workflows.toLocaleString('en')} rows is not measured: ${postgres}`;
  const { url: databaseUrl, client, drop } = await postgres.make();
  try {
    const server = await startServer({ DATABASE_URL: databaseUrl, TEST_CLOCK: '1', RETAIN_ENDED: '36500' });
    try {
      await fillWithWorkflows(client, workflows, [DEFAULT_TENANT, DEFAULT_TENANT, DEFAULT_TENANT]);
      const filters = [
        ['in error', 'In error', 'failed', 'running'],
        ['stuck', 'Stuck', 'live', 'error'],
      ] as const;
      const rows: Row[] = [];
      for (const [what, link, look, before] of filters) {
        const times: number[] = [];
        const painting: number[] = [];
        const work: number[] = [];
        for (let i = 0; i <= rounds; i++) {
          await page.painted(`${server.url}/console/workflows?status=${before}`, 'tbody tr');
          const begun = await busyMs(page);
          // All hundred are there, the first of them of what was asked for.
          const { time, painted: shown } = await page.evaluate<{ readonly time: number; readonly painted: number }>(
            `new Promise((resolve) => {
              const begun = performance.now();
              const answered = () => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/v1/workflows?')).at(-1).responseEnd;
              const done = () => { const end = performance.now(); resolve({ time: end - begun, painted: end - answered() }); };
              const look = () => requestAnimationFrame(
                document.querySelector('main tbody tr .chip.${look}') && document.querySelectorAll('main tbody tr').length >= 100 ? done : look);
              [...document.querySelectorAll('nav[aria-label=Views] a')].find((one) => one.textContent === '${link}').click();
              look();
            })`,
          );
          times.push(time);
          painting.push(shown);
          work.push((await busyMs(page)) - begun);
        }
        const name = `from a filter (${what}) to its rows at ${workflows.toLocaleString('en')}, p95`;
        rows.push(
          withWork(row(name, percentile95(times.slice(1)), 200, 300, ms), median(work.slice(1))),
          row(`of that from the answer to 100 rows painted, median`, median(painting.slice(1)), 30, 50, ms),
        );
      }
      return rows;
    } finally {
      await server.stop();
    }
  } finally {
    await drop();
    await postgres.stop();
  }
}
