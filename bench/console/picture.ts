import { makeChronicle } from '../../console/picture/chronicle.ts';
import { figureOf } from '../../console/picture/figure.ts';
import { layout } from '../../console/picture/layout.ts';
import type { Entry } from '../../console/picture/standing.ts';
import type { Json } from '../../src/model/json.ts';
import { postJson, send } from '../../test/support/server.ts';
import type { PlainPage } from '../support/plain-browser.ts';
import { median, percentile } from '../support/statistics.ts';
import {
  busyMs,
  type ConsoleBench,
  heapOf,
  MB,
  ms,
  type Part,
  type Row,
  row,
  tenths,
  wait,
  withWork,
  workBetween,
} from './rows.ts';

/* The picture of one workflow: of very many branches, of as many boxes as a page has at most, and what is computed for it. */

const ROUNDS = 5;
const WIDE = 10_000;
const CROWD = "define wide\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack'";

/** Boxes side by side and below each other: 398 with those around them. */
const LANES = 12;
const STEPS = 32;
/** Steps each lane has taken, so that there is a past to be looked at. */
const TAKEN = 18;

/** Packers are people here: messages that this very process sends and takes would be what is measured. */
async function asPeople(url: string, names: readonly string[]): Promise<void> {
  for (const name of names)
    await send(url, 'PUT', `/v1/participants/${name}`, {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'person' }),
    });
}

export const wide: Part = async ({ page, at, url, launch }) => {
  await asPeople(url, ['packer']);
  const lines = Array.from({ length: WIDE }, (_, i) => i);
  const id = await launch(CROWD, { fields: { lines }, callback: undefined, callbacks: {} });
  await settled(url, id);
  const times: number[] = [];
  const work: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await page.painted('about:blank', 'body');
    const before = await busyMs(page);
    times.push(await page.painted(at(`workflows/${id}`), '.crowd'));
    work.push(workBetween(before, await busyMs(page)));
  }
  // When the history is read as well.
  const last = await lastOf(url, id);
  for (let looks = 0; (await historyShown(page)) < last; looks++) {
    if (looks > READ_SECONDS_MAX) throw new Error('The page did not read the history in time');
    await wait(1_000);
  }
  const heap = await heapOf(page);
  return [
    withWork(row(`${WIDE.toLocaleString('en')} branches, first picture`, median(times), 400, 600, ms), median(work)),
    row('boxes then', await page.evaluate<number>(`document.querySelectorAll('.place').length`), 400, 400, String),
    row(`heap with its ${last.toLocaleString('en')} entries`, heap, 50_000_000, 80_000_000, MB),
  ];
};

/** Seconds a page may take for the history of a crowd. */
const READ_SECONDS_MAX = 60;
/** How many entries a page says it has. */
export const historyShown = (page: PlainPage): Promise<number> =>
  page.evaluate<number>(
    `Number([...document.querySelectorAll('[role=tab]')].find((one) => one.textContent.startsWith('History'))?.textContent.replace(/\\D/g, '') ?? 0)`,
  );

/** Seconds a crowd may take until all its branches have begun. */
const SETTLED_SECONDS_MAX = 180;
/** Until all branches of a crowd have begun, and nothing of it is left to do. */
async function settled(url: string, id: string): Promise<void> {
  for (let last = -1, looks = 0; looks < SETTLED_SECONDS_MAX; looks++) {
    const now = await lastOf(url, id);
    if (now === last && now > WIDE) return;
    last = now;
    await wait(1_000);
  }
  throw new Error('The crowd did not come to rest in time');
}

/** The number of the last entry of a history. */
export async function lastOf(url: string, id: string): Promise<number> {
  const { history } = (await send(url, 'GET', `/v1/workflows/${id}/history?order=desc&limit=1`)).json<{
    history: readonly { readonly n: number }[];
  }>();
  return history[0]?.n ?? 0;
}

const laneWords = (head: (lane: number, step: number) => string): string =>
  Array.from({ length: LANES }, (_, lane) =>
    [
      `    sequence tag: 'lane ${lane}'`,
      ...Array.from({ length: STEPS }, (_, step) => `      ${head(lane, step)}`),
    ].join('\n'),
  ).join('\n');

/** A workflow with as many boxes as a page has, and some thousand entries behind it. */
async function manyBoxes({ url, launch }: ConsoleBench): Promise<string> {
  await asPeople(
    url,
    Array.from({ length: STEPS }, (_, step) => `p${step}`),
  );
  const id = await launch(`define boxes\n  concurrence\n${laneWords((_, step) => `p${step} task: 'step ${step}'`)}`, {
    callback: undefined,
    callbacks: {},
  });
  for (let taken = 0; taken < TAKEN; taken++) {
    const { workitems } = (await send(url, 'GET', `/v1/workflows/${id}`)).json<{
      workitems: readonly { readonly id: string }[];
    }>();
    for (const item of workitems) await postJson(url, `/v1/workflows/${id}/workitems/${item.id}/proceed`, {});
  }
  return id;
}

const FRAMES = { quick: 120, full: 480 };

/** From a picture with all folded to all its boxes, and what frames take while one looks around in place and in time. */
export const boxes: Part = async (bench) => {
  const { page, at, quick } = bench;
  const id = await manyBoxes(bench);
  await page.painted(at(`workflows/${id}`), 'input[type=range]');
  const count = await page.evaluate<number>(`document.querySelectorAll('.place').length`);
  const times: number[] = [];
  const work: number[] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    await page.evaluate(press('Fold all', `document.querySelectorAll('.place').length < ${count}`));
    const before = await busyMs(page);
    times.push(
      await page.evaluate<number>(press('Fold all', `document.querySelectorAll('.place').length >= ${count}`)),
    );
    work.push((await busyMs(page)) - before);
  }
  const frames = quick ? FRAMES.quick : FRAMES.full;
  const scrubbed = await lookedAround(page, frames, SCRUB);
  const panned = await lookedAround(page, frames, PAN);
  return [
    withWork(
      row(`${count} boxes into the page and painted`, median(times.slice(1)), 60, 120, ms),
      median(work.slice(1)),
    ),
    frameRow(`scrubbing, ${frames} moves: p99 of a frame`, scrubbed),
    frameRow(`panning, ${frames} moves: p99 of a frame`, panned),
  ];
};

/** Presses a button of the picture; resolves to the milliseconds until it shows and is painted. */
const press = (name: string, shows: string): string => `new Promise((resolve) => {
  const begun = performance.now();
  [...document.querySelectorAll('.tools button')].find((one) => one.textContent.startsWith('${name}')).click();
  const look = () => requestAnimationFrame(() => (${shows} ? requestAnimationFrame(() => resolve(performance.now() - begun)) : look()));
  look();
})`;

/** Moves the slider of moments through the whole past and back again. */
const SCRUB = `const range = document.querySelector('input[type=range]');
  const most = Number(range.max);
  return (part) => {
    range.value = String(Math.max(1, Math.round(most * Math.abs(1 - 2 * part))));
    range.dispatchEvent(new Event('input', { bubbles: true }));
  };`;
/** Drags the picture round in a circle. */
const PAN = `const canvas = document.querySelector('.canvas');
  const at = (part) => ({ bubbles: true, button: 0, pointerType: 'mouse',
    clientX: 600 + 300 * Math.cos(part * 40), clientY: 500 + 300 * Math.sin(part * 40) });
  canvas.scrollTo(400, 400);
  canvas.dispatchEvent(new PointerEvent('pointerdown', at(0)));
  return (part) => window.dispatchEvent(new PointerEvent(part >= 1 ? 'pointerup' : 'pointermove', at(part)));`;

type Frames = { readonly took: readonly number[]; readonly work: number };
/** One move in each frame. */
async function lookedAround(page: PlainPage, frames: number, body: string): Promise<Frames> {
  const before = await busyMs(page);
  const took = await page.evaluate<readonly number[]>(`new Promise((resolve) => {
    const move = (() => { ${body} })();
    const took = [];
    let last = null;
    const frame = (time) => {
      if (last !== null) took.push(time - last);
      last = time;
      if (took.length > ${frames}) { resolve(took); return; }
      move(took.length / ${frames});
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  return { took, work: ((await busyMs(page)) - before) / frames };
}
const frameRow = (what: string, { took, work }: Frames): Row => {
  const one = row(what, percentile(took, 0.99), 16, 32, tenths);
  // A frame at sixty a second takes 16.7 ms when nothing is late.
  return {
    ...one,
    goal: 'none late',
    figure: `${one.figure}, median ${tenths(median(took))} (${tenths(work)} of work)`,
  };
};

/** What is computed without a page. */
export const pure: Part = async () => {
  const lane = (i: number): Json => [
    'sequence',
    { tag: `lane ${i}` },
    Array.from({ length: STEPS }, (_, k): Json => [`p${k}`, {}, []]),
  ];
  const root = figureOf(['define', {}, [['concurrence', {}, Array.from({ length: LANES }, (_, i) => lane(i))]]]);
  if (root === null) throw new Error('The tree has a figure');
  const timed = (call: () => void): number => {
    const begun = performance.now();
    call();
    return performance.now() - begun;
  };
  const drawn = layout(root, () => true).boxes.length;
  const layouts = Array.from({ length: 20 }, () => timed(() => layout(root, () => true)));
  const entries = Array.from(
    { length: 100_000 },
    (_, i): Entry => ({
      n: i + 1,
      at: new Date(1_700_000_000_000 + i).toISOString(),
      kind: i % 2 === 0 ? 'expression.applied' : 'expression.replied',
      ...{ expid: '0_0', expression_id: `0_0!${(i >> 1).toString(16).padStart(32, '0')}`, name: 'alice' },
    }),
  );
  const folded = (all: readonly Entry[]): number =>
    median(
      Array.from({ length: 5 }, () =>
        timed(() => {
          const chronicle = makeChronicle();
          chronicle.add(all);
          chronicle.at(chronicle.last);
        }),
      ),
    );
  return [
    row(`layout of ${drawn} boxes`, median(layouts), 4, 10, tenths),
    row('fold of 100,000 entries, a loop', folded(entries), 30, 100, ms),
    row('fold of 100,000 entries, a crowd that begins and then ends', folded(inCrowd(entries)), 30, 100, ms),
  ];
};

/** The same expressions, but all begin before one of them ends. */
const inCrowd = (entries: readonly Entry[]): readonly Entry[] =>
  [...entries.filter((_, i) => i % 2 === 0), ...entries.filter((_, i) => i % 2 === 1)].map((entry, i) => ({
    ...entry,
    n: i + 1,
  }));
