import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { median } from '../support/statistics.ts';
import { busyMs, type ConsoleBench, kB, ms, type Part, type Row, row, spread, withWork, workBetween } from './rows.ts';

/* What is sent before anything is seen, how long that takes, and from page to page. */

const ROUNDS = 5;
/** Cold loads of one page: the first fills the caches of the server and is left out. */
const COLD_ROUNDS = { quick: 4, full: 10 };
const ROOT = join(import.meta.dirname, '../..');

/** Chunks that are loaded when they are asked for, as they lie in dist. */
export const sizes: Part = async () => {
  const folder = join(ROOT, 'dist/pages/assets');
  const of = (pattern: RegExp): number =>
    readdirSync(folder)
      .filter((file) => pattern.test(file))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0);
  return [
    row('editor, gz', of(/^codemirror-/), 140_000, 160_000, kB),
    row('worker of the rehearsal, gz', of(/^worker-/), 95_000, 110_000, kB),
    built(),
  ];
};

/** The pages are built into a folder of their own by a process of its own, as `npm start` does it first. */
function built(): Row {
  const into = mkdtempSync(join(tmpdir(), 'rota-pages-'));
  try {
    const script = `import(${JSON.stringify(pathToFileURL(join(ROOT, 'scripts/console.mjs')).href)}).then(async ({ buildConsole }) => {
      await buildConsole(${JSON.stringify(into)});
      const { user, system } = process.cpuUsage();
      console.log((user + system) / 1000);
    })`;
    const begun = performance.now();
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Error(`The pages could not be built: ${stderr}`);
    return withWork(row('build of the pages', performance.now() - begun, 1_000, 3_000, ms), Number(stdout));
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

/** Bytes of all files of the console that the page has asked for, as they were sent. */
const SENT = `performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .filter(({ name }) => name.includes('/console/')).reduce((sum, { transferSize }) => sum + transferSize, 0)`;

export const loads: Part = async ({ page, at, launch, quick }) => {
  const small = await launch("define loaded\n  concurrence\n    alice task: 'one'\n    bob task: 'two'");
  const cold = async (path: string, what: string, rounds: number) => {
    const times: number[] = [];
    const work: number[] = [];
    let bytes = 0;
    for (let i = 0; i < rounds; i++) {
      await page.send('Network.enable', { maxTotalBufferSize: 0, maxResourceBufferSize: 0 });
      await page.send('Network.clearBrowserCache');
      await page.send('Network.disable');
      // Nothing of the page before is at work still.
      await page.painted('about:blank', 'body');
      const before = await busyMs(page);
      times.push(await page.painted(at(path), what));
      work.push(workBetween(before, await busyMs(page)));
      bytes = await page.evaluate<number>(SENT);
    }
    return { bytes, times: times.slice(1), work: median(work.slice(1)) };
  };
  const home = await cold('', 'main h1', 2);
  const list = await cold('workflows', 'tbody tr', 2);
  const one = await cold(`workflows/${small}`, '.place', 2);
  await page.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const slow = await cold('workflows', 'tbody tr', quick ? COLD_ROUNDS.quick : COLD_ROUNDS.full);
  await page.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  const what = `list painted, cold, CPU four times slower, median of ${slow.times.length}: ${spread(slow.times)}`;
  return [
    row('first load, list, sent', Math.max(home.bytes, list.bytes), 60_000, 90_000, kB),
    row('workflow page on top of it', one.bytes - list.bytes, 40_000, 55_000, kB),
    withWork(row(what, median(slow.times), 600, 1_000, ms), slow.work),
  ];
};

/** From page to page, everything loaded before. */
export const moves: Part = async ({ page, at }: ConsoleBench) => {
  const times: number[] = [];
  for (let i = 0; i < ROUNDS + 1; i++) {
    await page.painted(at('workflows'), 'tbody tr');
    times.push(
      await page.evaluate<number>(`new Promise((resolve) => {
        const begun = performance.now();
        document.querySelector('.rail a[href$="/worklist"]').click();
        const look = () => document.querySelector('main tbody tr a[href*="/worklist/"]') ? resolve(performance.now() - begun) : requestAnimationFrame(look);
        look();
      })`),
    );
  }
  return [row('page to page, warm', median(times.slice(1)), 100, 200, ms)];
};
