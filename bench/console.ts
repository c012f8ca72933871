import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { makeChronicle } from '../console/picture/chronicle.ts';
import { figureOf } from '../console/picture/figure.ts';
import { layout } from '../console/picture/layout.ts';
import type { Entry } from '../console/picture/standing.ts';
import type { Json } from '../src/model/json.ts';
import { DEFAULT_TENANT } from '../src/model/tenant.ts';
import { buildConsole, findChromium } from '../test/console/support/browser.ts';
import { fillWithWorkflows } from '../test/support/many-workflows.ts';
import { postJson, send, startServer } from '../test/support/server.ts';
import { openPostgres } from './support/database.ts';
import { type PlainBrowser, type PlainPage, startPlainBrowser } from './support/plain-browser.ts';
import { median } from './support/statistics.ts';

/*
 * `npm run bench -- --console`: the pages against their budgets, in a real browser against a real server (embedded, in memory), beside a calibration
 * page that holds nothing but 400 boxes. The list at a million workflows is measured on a Postgres of its own, where its programs are installed; with
 * `--quick` there are a tenth of them. On a busy machine the time in which the page itself was at work says more than the clock: it stands in brackets.
 */

type Row = {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly limit: string;
  readonly holds: boolean;
};

const IDLE_SECONDS = { quick: 10, full: 30 };
/** A page is idle when it has been shown for so long, in milliseconds. */
const IDLE_AFTER_MS = 8_000;
const ROUNDS = 5;
const WIDE = 10_000;

const kB = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
const ms = (value: number): string => `${Math.round(value)} ms`;
const row = (what: string, value: number, goal: number, limit: number, say: (value: number) => string): Row => ({
  what,
  figure: say(value),
  goal: say(goal),
  limit: say(limit),
  holds: value <= limit,
});

/** Every budget as a line of a table. */
export async function consoleTable({ quick }: { readonly quick: boolean }): Promise<string> {
  const program = findChromium();
  if (program === null)
    return 'The console is not measured: there is no Chromium here (apt-get install chromium, or CHROMIUM).';
  buildConsole();
  const server = await startServer({ TEST_CLOCK: '1' });
  const browser = await startPlainBrowser(program);
  const at = (path: string): string => `${server.url}/console/${path}`;
  const launch = async (workflow: string, fields: object = {}, more: object = {}): Promise<string> =>
    (
      await postJson(server.url, '/v1/workflows', {
        workflow,
        fields,
        callback: `${server.url}/v1/playground/participants/someone`,
        ...more,
      })
    ).json<{ id: string }>().id;
  try {
    const rows: Row[] = [...sizes()];
    for (let i = 0; i < 120; i++) await launch("define listed\n  alice task: 'wait'");
    const small = await launch("define small\n  concurrence\n    alice task: 'one'\n    bob task: 'two'");

    const { page } = browser;
    await page.send('Performance.enable');
    rows.push(...(await loads(page, at, small)));
    rows.push(...(await moves(page, at)));
    // Before the wide one, whose ten thousand messages would be news for a while.
    rows.push(...(await idle(page, at('workflows'), 'list', quick)));
    rows.push(...(await idle(page, at(`workflows/${small}`), 'workflow', quick)));
    // Packers are people here: ten thousand messages that this very process sends and takes would be what is measured.
    await send(server.url, 'PUT', '/v1/participants/packer', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'person' }),
    });
    const lines = Array.from({ length: WIDE }, (_, i) => i);
    const crowd = await launch(CROWD, { lines }, { callback: undefined, callbacks: {} });
    await settled(server.url, crowd);
    rows.push(...(await wide(page, at, crowd)));
    rows.push(await boxes(page));
    rows.push(...pure());
    const many = await longList(browser, quick ? MANY / 10 : MANY, quick ? FILTER_ROUNDS.quick : FILTER_ROUNDS.full);
    return typeof many === 'string' ? `${table(rows)}\n\n${many}` : table([...rows, ...many]);
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Seconds a crowd may take until all its branches have begun. */
const SETTLED_SECONDS_MAX = 180;
/** Until all branches of a crowd have begun, and nothing of it is left to do. */
async function settled(url: string, id: string): Promise<void> {
  for (let last = -1, looks = 0; looks < SETTLED_SECONDS_MAX; looks++) {
    const { history } = (await send(url, 'GET', `/v1/workflows/${id}/history?order=desc&limit=1`)).json<{
      history: readonly { readonly n: number }[];
    }>();
    const now = history[0]?.n ?? 0;
    if (now === last && now > WIDE) return;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error('The crowd did not come to rest in time');
}

const MANY = 1_000_000;
const FILTER_ROUNDS = { quick: 5, full: 20 };

/** From a filter to its rows among very many workflows. */
async function longList({ page }: PlainBrowser, workflows: number, rounds: number): Promise<readonly Row[] | string> {
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
          const { time, painted: shown } = await page.evaluate<{ readonly time: number; readonly painted: number }>(
            `new Promise((resolve) => {
              const begun = performance.now();
              const answered = () => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/v1/workflows?')).at(-1).responseEnd;
              const done = () => { const end = performance.now(); resolve({ time: end - begun, painted: end - answered() }); };
              const look = () => requestAnimationFrame(document.querySelector('main tbody tr .chip.${look}') ? done : look);
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

const percentile95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * 0.95)] ?? 0;

/** How long the page was at work so far, in milliseconds: scripts, styles, layout and painting of its own thread. */
const busyMs = async (page: PlainPage): Promise<number> => (await metricOf(page, 'TaskDuration')) * 1_000;
async function metricOf(page: PlainPage, wanted: string): Promise<number> {
  const { metrics } = await page.send('Performance.getMetrics');
  const found = (metrics as readonly { readonly name: string; readonly value: number }[]).find(
    ({ name }) => name === wanted,
  );
  if (found === undefined) throw new Error(`The browser has no figure ${wanted}`);
  return found.value;
}
const withWork = (one: Row, work: number): Row => ({ ...one, figure: `${one.figure} (${ms(work)})` });

const CROWD = "define wide\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack'";

/** Chunks that are loaded when they are asked for, as they lie in dist. */
function sizes(): readonly Row[] {
  const folder = join(import.meta.dirname, '../dist/pages/assets');
  const of = (pattern: RegExp): number =>
    readdirSync(folder)
      .filter((file) => pattern.test(file))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0);
  return [
    row('editor, gz', of(/^codemirror-/), 140_000, 160_000, kB),
    row('worker of the rehearsal, gz', of(/^worker-/), 95_000, 110_000, kB),
  ];
}

/** Bytes of all files of the console that the page has asked for, as they were sent. */
const SENT = `performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .filter(({ name }) => name.includes('/console/')).reduce((sum, { transferSize }) => sum + transferSize, 0)`;

async function loads(page: PlainPage, at: (path: string) => string, small: string): Promise<readonly Row[]> {
  const cold = async (path: string, what: string): Promise<{ readonly bytes: number; readonly time: number }> => {
    const times: number[] = [];
    let bytes = 0;
    for (let i = 0; i < ROUNDS; i++) {
      await page.send('Network.enable', { maxTotalBufferSize: 0, maxResourceBufferSize: 0 });
      await page.send('Network.clearBrowserCache');
      await page.send('Network.disable');
      // Nothing of the page before is at work still.
      await page.painted('about:blank', 'body');
      times.push(await page.painted(at(path), what));
      bytes = await page.evaluate<number>(SENT);
    }
    return { bytes, time: median(times) };
  };
  const home = await cold('', 'main h1');
  const list = await cold('workflows', 'tbody tr');
  const one = await cold(`workflows/${small}`, '.place');
  await page.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  const slow = await cold('workflows', 'tbody tr');
  await page.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  return [
    row('first load, list, sent', Math.max(home.bytes, list.bytes), 60_000, 90_000, kB),
    row('workflow page on top of it', one.bytes - list.bytes, 40_000, 55_000, kB),
    row('list painted, cold, CPU four times slower', slow.time, 600, 1_000, ms),
  ];
}

/** From page to page, everything loaded before. */
async function moves(page: PlainPage, at: (path: string) => string): Promise<readonly Row[]> {
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
}

async function wide(page: PlainPage, at: (path: string) => string, id: string): Promise<readonly Row[]> {
  const times: number[] = [];
  const work: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await page.painted('about:blank', 'body');
    const before = await busyMs(page);
    times.push(await page.painted(at(`workflows/${id}`), '.crowd'));
    const after = await busyMs(page);
    // Some browsers count anew with each document.
    work.push(after >= before ? after - before : after);
  }
  // When the history is read as well.
  await page.evaluate(`new Promise((resolve) => {
    const look = () => document.querySelector('input[type=range]') ? resolve() : requestAnimationFrame(look);
    look();
  })`);
  await page.send('HeapProfiler.collectGarbage');
  const heap = await metricOf(page, 'JSHeapUsedSize');
  return [
    withWork(row(`${WIDE.toLocaleString('en')} branches, first picture`, median(times), 400, 600, ms), median(work)),
    row('boxes then', await page.evaluate<number>(`document.querySelectorAll('.place').length`), 400, 400, String),
    row('heap then', heap, 50_000_000, 80_000_000, (bytes) => `${(bytes / 1_000_000).toFixed(0)} MB`),
  ];
}

/** The calibration: what 400 bare boxes take. */
async function boxes(page: PlainPage): Promise<Row> {
  await page.painted('about:blank', 'body');
  const times: number[] = [];
  for (let i = 0; i < ROUNDS; i++)
    times.push(
      await page.evaluate<number>(`new Promise((resolve) => {
        document.body.replaceChildren();
        const begun = performance.now();
        for (let i = 0; i < 400; i++) {
          const box = document.createElement('div');
          box.textContent = 'box ' + i;
          box.style.cssText = 'position:absolute;width:224px;height:45px;border:1px solid;left:' + (i % 20) * 230 + 'px;top:' + Math.floor(i / 20) * 50 + 'px';
          document.body.append(box);
        }
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begun)));
      })`),
    );
  return row('calibration: 400 bare boxes painted', median(times), 60, 120, ms);
}

/** What is computed without a page. */
function pure(): readonly Row[] {
  const branch = (i: number): Json => [
    'sequence',
    {},
    Array.from({ length: 18 }, (_, k): Json => [`p${i}_${k}`, {}, []]),
  ];
  const root = figureOf(['define', {}, [['concurrence', {}, Array.from({ length: 20 }, (_, i) => branch(i))]]]);
  const timed = (call: () => void): number => {
    const begun = performance.now();
    call();
    return performance.now() - begun;
  };
  const layouts = Array.from({ length: 20 }, () => timed(() => root !== null && layout(root, () => true)));
  const entries = Array.from(
    { length: 100_000 },
    (_, i): Entry => ({
      n: i + 1,
      at: new Date(1_700_000_000_000 + i).toISOString(),
      kind: i % 2 === 0 ? 'expression.applied' : 'expression.replied',
      ...{ expid: '0_0', expression_id: `0_0!${(i >> 1).toString(16).padStart(32, '0')}`, name: 'alice' },
    }),
  );
  const folds = Array.from({ length: 3 }, () =>
    timed(() => {
      const chronicle = makeChronicle();
      chronicle.add(entries);
      chronicle.at(chronicle.last);
    }),
  );
  return [
    row('layout of 400 boxes', median(layouts), 4, 10, (value) => `${value.toFixed(1)} ms`),
    row('fold of 100,000 entries', median(folds), 30, 100, ms),
  ];
}

/** A live page that nothing happens to. */
async function idle(page: PlainPage, url: string, what: string, quick: boolean): Promise<readonly Row[]> {
  const seconds = quick ? IDLE_SECONDS.quick : IDLE_SECONDS.full;
  await page.painted(url, 'main h1');
  const wait = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));
  await wait(IDLE_AFTER_MS);
  const asked = (): Promise<number> => page.evaluate<number>(`performance.getEntriesByType('resource').length`);
  const [requests, before] = [await asked(), await busyMs(page)];
  await wait(seconds * 1_000);
  const share = ((await busyMs(page)) - before) / (seconds * 1_000);
  return [
    row(`idle ${what} page: requests in ${seconds} s`, (await asked()) - requests, 0, 0, String),
    row(`idle ${what} page: of a core`, share, 0.002, 0.01, (value) => `${(value * 100).toFixed(2)} %`),
  ];
}

const table = (rows: readonly Row[]): string =>
  [
    '| What | Measured | Goal | Limit | |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ what, figure, goal, limit, holds }) =>
        `| ${what} | ${figure} | ${goal} | ${limit} | ${holds ? 'holds' : '**over**'} |`,
    ),
  ].join('\n');
