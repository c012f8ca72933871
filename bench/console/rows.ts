import type { PlainBrowser, PlainPage } from '../support/plain-browser.ts';
import { median } from '../support/statistics.ts';

/* What the parts of the bench of the console have in common: lines of its table, and what a page says of itself. */

export type Row = {
  readonly what: string;
  readonly figure: string;
  readonly goal: string;
  readonly limit: string;
  readonly holds: boolean;
};

/** What a part measures with: a browser, and the pages of a server whose database is inside. */
export type ConsoleBench = {
  readonly page: PlainPage;
  /** Another browser: for who leaves one behind that nobody measures with any more. */
  readonly another: () => Promise<PlainBrowser>;
  readonly url: string;
  /** An address below the console. */
  readonly at: (path: string) => string;
  readonly launch: (workflow: string, more?: object) => Promise<string>;
  readonly quick: boolean;
};
/** Lines; or why there are none. */
export type Part = (bench: ConsoleBench) => Promise<readonly Row[] | string>;

export const kB = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
export const MB = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
export const ms = (value: number): string => `${Math.round(value)} ms`;
export const tenths = (value: number): string => `${value.toFixed(1)} ms`;
export const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;

export const row = (what: string, value: number, goal: number, limit: number, say: (value: number) => string): Row => ({
  what,
  figure: say(value),
  goal: say(goal),
  limit: say(limit),
  holds: value <= limit,
});

/** With the time in which the page itself was at work, in brackets: on a busy machine it says more than the clock. */
export const withWork = (one: Row, work: number): Row => ({ ...one, figure: `${one.figure} (${ms(work)})` });

export const percentile95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * 0.95)] ?? 0;

/** `690–1,382` */
export const spread = (values: readonly number[]): string =>
  `${Math.round(Math.min(...values)).toLocaleString('en')}–${Math.round(Math.max(...values)).toLocaleString('en')}`;

export const wait = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

/** How long the page was at work so far, in milliseconds: scripts, styles, layout and painting of its own thread. */
export const busyMs = async (page: PlainPage): Promise<number> => (await metricOf(page, 'TaskDuration')) * 1_000;
export async function metricOf(page: PlainPage, wanted: string): Promise<number> {
  const { metrics } = await page.send('Performance.getMetrics');
  const found = (metrics as readonly { readonly name: string; readonly value: number }[]).find(
    ({ name }) => name === wanted,
  );
  if (found === undefined) throw new Error(`The browser has no figure ${wanted}`);
  return found.value;
}
/** The work between two looks; some browsers count anew with each document. */
export const workBetween = (before: number, after: number): number => (after >= before ? after - before : after);

/** What nobody refers to any more is gone then. */
export async function heapOf(page: PlainPage): Promise<number> {
  await page.send('HeapProfiler.collectGarbage');
  return metricOf(page, 'JSHeapUsedSize');
}

const BOXES_ROUNDS = 5;
/** The calibration: what 400 bare boxes in a page of their own take, in milliseconds. */
export async function bareBoxes(page: PlainPage): Promise<number> {
  await page.painted('about:blank', 'body');
  const times: number[] = [];
  for (let i = 0; i < BOXES_ROUNDS; i++)
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
  return median(times);
}

/** Each line with what the calibration page took when it was measured. */
export const table = (rows: readonly (Row & { readonly calibration: number })[]): string =>
  [
    '| What | Measured | Goal | Limit | | 400 bare boxes then |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ what, figure, goal, limit, holds, calibration }) =>
        `| ${what} | ${figure} | ${goal} | ${limit} | ${holds ? 'holds' : '**over**'} | ${ms(calibration)} |`,
    ),
  ].join('\n');
