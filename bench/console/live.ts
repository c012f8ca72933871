import { get } from 'node:http';
import { postJson, send } from '../../test/support/server.ts';
import { build, type Rota, startRota } from '../support/rota.ts';
import { historyShown, lastOf } from './picture.ts';
import { busyMs, type ConsoleBench, heapOf, MB, type Part, percent, type Row, row, wait } from './rows.ts';

/* Pages that stay open: what they take while nothing happens and while very much does, and what they cost the server. */

const IDLE_SECONDS = { quick: 10, full: 30 };
/** A page is idle when it has been shown for so long, in milliseconds, and nothing it shows is younger than a minute. */
const IDLE_AFTER_MS = 8_000;
const OLD_MS = 61_000;

/** A live page that nothing happens to. */
async function idleAt({ page, at, quick }: ConsoleBench, path: string, what: string): Promise<readonly Row[]> {
  const seconds = quick ? IDLE_SECONDS.quick : IDLE_SECONDS.full;
  await page.painted(at(path), 'main h1');
  await wait(IDLE_AFTER_MS);
  const asked = (): Promise<number> => page.evaluate<number>(`performance.getEntriesByType('resource').length`);
  const [requests, before] = [await asked(), await busyMs(page)];
  await wait(seconds * 1_000);
  const share = ((await busyMs(page)) - before) / (seconds * 1_000);
  return [
    row(`idle ${what} page: requests in ${seconds} s`, (await asked()) - requests, 0, 0, String),
    row(`idle ${what} page: of a core`, share, 0.002, 0.01, percent),
  ];
}

export const idle: Part = async (bench) => {
  const id = await bench.launch("define small\n  concurrence\n    alice task: 'one'\n    bob task: 'two'");
  await wait(OLD_MS);
  return [...(await idleAt(bench, 'workflows', 'list')), ...(await idleAt(bench, `workflows/${id}`, 'workflow'))];
};

/** Steps that reply at once behind each answer: each is two entries of the history. */
const NOOPS = 30;
const EVENTS_A_SECOND = 1_000;
const STREAM_SECONDS = { quick: 10, full: 30 };
/** How long a page may take to show the last of what has happened, in milliseconds. */
const CAUGHT_UP_MS_MAX = 15_000;
const CAUGHT_UP_LOOK_MS = 250;

/** A workflow that is looked at while very much happens to it. */
export const stream: Part = async ({ page, at, url, launch, quick }) => {
  const seconds = quick ? STREAM_SECONDS.quick : STREAM_SECONDS.full;
  await send(url, 'PUT', '/v1/participants/ticker', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'person' }),
  });
  const id = await launch(`define busy\n  repeat\n    ticker task: 'next'\n${'    noop\n'.repeat(NOOPS)}`, {
    callback: undefined,
    callbacks: {},
    history_max: 1_000_000,
  });
  const step = async (): Promise<void> => {
    const { workitems } = (await send(url, 'GET', `/v1/workflows/${id}`)).json<{
      workitems: readonly { readonly id: string }[];
    }>();
    for (const item of workitems) await postJson(url, `/v1/workflows/${id}/workitems/${item.id}/proceed`, {});
  };
  const first = await lastOf(url, id);
  await step();
  const each = (await lastOf(url, id)) - first;
  await page.painted(at(`workflows/${id}`), '.place');
  await wait(IDLE_AFTER_MS);

  const from = await lastOf(url, id);
  const before = await busyMs(page);
  const begun = performance.now();
  for (let steps = 1; performance.now() - begun < seconds * 1_000; steps++) {
    await step();
    await wait(Math.max(0, begun + (steps * each * 1_000) / EVENTS_A_SECOND - performance.now()));
  }
  const took = performance.now() - begun;
  const share = ((await busyMs(page)) - before) / took;
  const last = await lastOf(url, id);
  const rate = Math.round((last - from) / (took / 1_000));
  const until = performance.now() + CAUGHT_UP_MS_MAX;
  while ((await historyShown(page)) < last && performance.now() < until) await wait(CAUGHT_UP_LOOK_MS);
  return [
    row(
      `${rate.toLocaleString('en')} events a second of a workflow that is looked at: of a core`,
      share,
      0.1,
      0.2,
      percent,
    ),
    row(
      `entries of ${(last - from).toLocaleString('en')} that the page has not got then`,
      last - (await historyShown(page)),
      0,
      0,
      String,
    ),
  ];
};

/** A workday of an open page, in the browser's own fast motion. */
const DAY_MS = 8 * 3_600_000;
const DAY_LOOK_MS = 250;
const DAY_MS_MAX = 120_000;

/** How much more an open page holds after a day in which its clock ticks and its stream is lost again and again. */
export const growth: Part = async ({ another, at }) => {
  // Fast motion cannot be ended: a page would go on jumping from timer to timer while it waits for an answer, and give up after a minute of its own.
  const { page, close } = await another();
  try {
    await page.send('Performance.enable');
    await page.painted(at('workflows'), 'tbody tr');
    await wait(IDLE_AFTER_MS);
    const before = await heapOf(page);
    const clock = (): Promise<number> => page.evaluate<number>('Date.now()');
    const begun = await clock();
    const until = performance.now() + DAY_MS_MAX;
    await page.send('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: DAY_MS });
    while ((await clock()) - begun < DAY_MS * 0.99 && performance.now() < until) await wait(DAY_LOOK_MS);
    const passed = (await clock()) - begun;
    const grown = (await heapOf(page)) - before;
    const hours = (passed / 3_600_000).toFixed(1);
    return [row(`heap of an open list page, ${hours} h later by its own clock: more by`, grown, 0, 20_000_000, MB)];
  } finally {
    await close();
  }
};

const CONSOLES = 50;
const SERVER_SECONDS = { quick: 10, full: 30 };
/** A server that has just begun still tidies up, in milliseconds. */
const SERVER_SETTLES_MS = 10_000;

/** What open pages cost the server while nothing happens: each holds its stream and asks for nothing. */
export const consoles: Part = async ({ quick }) => {
  build();
  const seconds = quick ? SERVER_SECONDS.quick : SERVER_SECONDS.full;
  const rota: Rota = await startRota({ DATA_DIR: 'memory:', LOG_LEVEL: 'silent', EVENTS_READERS_MAX: '100' });
  const share = async (): Promise<number> => {
    const before = rota.cpu();
    const begun = performance.now();
    await wait(seconds * 1_000);
    return (rota.cpu() - before) / 1_000 / (performance.now() - begun);
  };
  try {
    await wait(SERVER_SETTLES_MS);
    const alone = await share();
    const streams = await Promise.all(Array.from({ length: CONSOLES }, () => openStream(rota.url)));
    await wait(IDLE_AFTER_MS);
    const watched = await share();
    for (const close of streams) close();
    const what = `${CONSOLES} open idle pages, what they cost the server (${percent(alone)} without them): of a core`;
    return [row(what, Math.max(0, watched - alone), 0.005, 0.01, percent)];
  } finally {
    await rota.child.stop();
  }
};

/** The stream of one page with a list. @returns ends it */
const openStream = (url: string): Promise<() => void> =>
  new Promise((resolve, reject) => {
    const asked = get(`${url}/v1/events/stream?digest=1&workflow_id=none`, { agent: false }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`The stream was refused with ${answer.statusCode}`));
      answer.on('error', () => {}).resume();
      resolve(() => asked.destroy());
    });
    asked.on('error', reject);
  });
