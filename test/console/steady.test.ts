import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';
import { buildConsole, findChromium, openPage, startBrowser, whole } from './support/browser.ts';

/* What stands in a page stays where it is when what is being read arrives: what holds its place until then has its size. */

const program = findChromium();

/** Counts what moves without anybody's doing, as browsers do: how much of the window it takes, times how far it goes. */
const WATCH = `{
    const moved = [];
    const note = (entries) => {
      for (const { value, sources } of entries)
        moved.push({ value, what: sources.map(({ node, previousRect: from, currentRect: to }) =>
          (node?.outerHTML ?? node?.textContent ?? '').slice(0, 90) + ' ' + [from.x, from.y, to.x, to.y].map(Math.round)) });
    };
    const watch = new PerformanceObserver((list) => note(list.getEntries()));
    watch.observe({ type: 'layout-shift', buffered: true });
    window.moved = () => {
      note(watch.takeRecords());
      return moved.splice(0);
    };
  }`;
type Moved = { readonly value: number; readonly what: readonly string[] };
/** Less is nothing that anybody sees: a word in a line that becomes another one. */
const MOVED_MAX = 0.01;

describe.runIf(program !== null)('while it is read', { timeout: 240_000 }, () => {
  let server: Running;
  let browser: Browser;
  let addresses: readonly string[] = [];

  beforeAll(async () => {
    buildConsole();
    server = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '600' });
    browser = await startBrowser(program ?? '');
    const launch = async (workflow: string, more: object = {}): Promise<string> => {
      const callback = `${server.url}/v1/playground/participants/someone`;
      return (await postJson(server.url, '/v1/workflows', { workflow, callback, ...more })).json<{ id: string }>().id;
    };
    for (let i = 0; i < 30; i++) await launch(`define listed\n  alice task: 'number ${i}', timeout: '2d'`);
    for (let i = 0; i < 5; i++)
      await launch("define owed\n  bob task: 'never reached'", { callback: 'http://127.0.0.1:9/' });
    const id = await launch(
      "define order\n  concurrence\n    alice task: 'one', timeout: '2d'\n    bob task: 'two'\n  cursor\n    author\n    reviewer",
      { fields: { customer: 'Ada' } },
    );
    const { workitems } = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<{
      workitems: readonly { readonly id: string }[];
    }>();
    await postJson(server.url, `/v1/workflows/${id}/workitems/${workitems[0]?.id}/fail`, {
      message: 'no box is left',
      class: 'NoBox',
    });
    await send(server.url, 'PUT', '/v1/definitions/orders', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        definition: 'define orders\n  alice\n  bob',
        description: 'From the basket to the parcel',
      }),
    });
    addresses = [
      ...['', 'workflows', 'worklist', 'errors', 'deliveries', 'timers', 'definitions', 'definitions/orders'],
      ...['participants', 'participants/alice', 'nodes', 'batches', 'playground', 'settings/keys', 'settings/audit'],
      ...['diagram', 'outline', 'timeline', 'history', 'fields', 'json'].map((view) => `workflows/${id}?view=${view}`),
      `worklist/${workitems[1]?.id}`,
      `playground?workflow=${id}`,
    ];
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, 60_000);

  /** Opens a page whose answers are held back until what holds their place is painted. */
  async function read(page: Page, address: string): Promise<readonly string[]> {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.unrouteAll({ behavior: 'wait' });
    await page.route(/\/v1\/(?!me|info|events)/, async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(`${server.url}/console/${address}`);
    await page.locator('h1').waitFor();
    await painted(page);
    release();
    await whole(page);
    await painted(page);
    const moved = (await page.evaluate('window.moved()')) as readonly Moved[];
    const sum = moved.reduce((all, { value }) => all + value, 0);
    return sum <= MOVED_MAX
      ? []
      : [
          `${address}: ${sum.toFixed(3)}\n${moved.map((one) => `  ${one.value.toFixed(3)} ${one.what.join('\n        ')}`).join('\n')}`,
        ];
  }

  test('nothing that is there already moves when the rest arrives', async () => {
    const { page } = await openPage(browser);
    await page.addInitScript(WATCH);
    const wrong: string[] = [];
    for (const address of addresses) wrong.push(...(await read(page, address)));
    expect(wrong.join('\n')).toBe('');
    await page.context().close();
  });
});

/** Until what is there is on the screen. */
const painted = (page: Page): Promise<unknown> =>
  page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
