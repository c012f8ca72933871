import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';
import {
  axe,
  buildConsole,
  findChromium,
  openPage,
  scrollsSideways,
  startBrowser,
  type Watched,
} from './support/browser.ts';

/* Walks through home and the page of one workflow, with a server and a browser of their own; walks.test.ts has the others. */

const program = findChromium();

describe.runIf(program !== null)('one workflow in a browser', { timeout: 120_000 }, () => {
  let server: Running;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    buildConsole();
    server = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '1,1,1,1,1,1' });
    browser = await startBrowser(program ?? '');
    watched = await openPage(browser);
    page = watched.page;
    page.setDefaultTimeout(60_000);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, 60_000);

  const open = async (path: string): Promise<void> => {
    await page.goto(`${server.url}/console/${path}`);
    await page.locator('h1').waitFor();
    await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
  };
  const isWell = async (): Promise<void> => {
    expect((await axe(page)).join('\n')).toBe('');
    expect(await scrollsSideways(page)).toBe(false);
    expect(watched.troubles.splice(0)).toEqual([]);
  };
  const advance = (seconds: number) => postJson(server.url, '/v1/test/clock', { advance: seconds });
  const launch = async (workflow: string, fields: object = {}): Promise<string> => {
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow,
      callback: `${server.url}/v1/playground/participants/someone`,
      fields,
    });
    await advance(0);
    return answer.json<{ id: string }>().id;
  };
  type Item = { readonly id: string; readonly participant: string };
  const items = async (id: string): Promise<readonly Item[]> =>
    (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${id}`)).json<{ workitems: readonly Item[] }>()
      .workitems;
  const proceed = async (id: string, participant: string, fields: object = {}): Promise<void> => {
    const item = (await items(id)).find((one) => one.participant === participant);
    await postJson(server.url, `/v1/workflows/${id}/workitems/${item?.id}/proceed`, { fields });
  };

  test('home has a line of the last hour at each figure that the server keeps minutes of', async () => {
    await launch('define small\n  alice');
    await open('');
    for (const [figure, line] of [
      [/messages failing so far/, /^\d+ tries that failed$/],
      [/timers and messages/, /late at most/],
    ] as const)
      await page.locator('a.figure', { hasText: figure }).locator('.figure-line', { hasText: line }).waitFor();
    expect(await page.locator('a.figure .figure-line polyline').count()).toBe(2);
    await isWell();
  });

  test('where two branches met it is told who gave which value, and what the merge made of them', async () => {
    const id = await launch("define met\n  concurrence merge_type: 'mix'\n    alice\n    bob\n  carol", { price: 1 });
    await proceed(id, 'bob', { price: 3, box: 'B7' });
    await proceed(id, 'alice', { price: 2 });
    await open(`workflows/${id}?view=fields`);
    const met = page.getByRole('region', { name: 'Where branches met' });
    await met.getByText('2 of 2 replied').waitFor();
    // The first to reply is on top: what the other gave later does not go on.
    await met.getByRole('row', { name: /^price 2 #\d+ alice 3 #\d+ bob 3$/ }).waitFor();
    await met.getByRole('row', { name: /^box – "B7" #\d+ bob "B7"$/ }).waitFor();
    await isWell();
    await page.getByLabel('Compare with').selectOption('launch');
    await page.waitForURL(/than=launch/);
    await page.locator('.told-line.gone', { hasText: 'price: 1' }).waitFor();
    await page.locator('.told-line.added', { hasText: 'price: 2' }).getByText('alice').waitFor();
    await isWell();
    // The same stands beside the picture, and between any two moments.
    await open(`workflows/${id}?sel=0_0&tab=fields`);
    await page.getByRole('tabpanel', { name: 'fields' }).getByText('merge_type: mix').waitFor();
    // A box that is chosen does not hide what is inside of it.
    await page.locator('.place.leaf', { hasText: 'bob' }).locator('.head').click();
    await page.waitForURL(/sel=0_0_1/);
    await open(`workflows/${id}/compare?a=1`);
    await page
      .getByRole('region', { name: 'Fields that differ' })
      .getByRole('row', { name: /price 1 2/ })
      .waitFor();
    await isWell();
  });

  test('a line of time has a band for a pause and a row for each branch; a story opens, a moment of the past acts on nothing', async () => {
    const id = await launch(
      "define crowd\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack'",
      {
        lines: Array.from({ length: 30 }, (_, i) => `line ${i + 1}`),
      },
    );
    await advance(60);
    await postJson(server.url, `/v1/workflows/${id}/pause`, {});
    await advance(600);
    await postJson(server.url, `/v1/workflows/${id}/resume`, {});
    await advance(60);
    await proceed(id, 'packer');
    await open(`workflows/${id}?view=timeline`);
    await page.getByRole('img', { name: /^paused for 10 m/ }).waitFor();
    await page.getByRole('img', { name: /^packer: 30 expressions, 1 over/ }).waitFor();
    await page.getByRole('button', { name: 'A row for each of the 30 expressions of packer' }).click();
    await page.waitForURL(/rows=0_0_0/);
    await page.getByRole('img', { name: /^line 30: 1 expression/ }).waitFor();
    await isWell();
    await page.keyboard.press('h');
    const step = page.locator('.entry', { hasText: 'launched as crowd' });
    await step.getByRole('button', { name: /entries of this step/ }).click();
    await page.waitForURL(/steps=1(&|$)/);
    await page.locator('.entry.part', { hasText: 'workflow.launched' }).waitFor();
    await isWell();
    await open(`workflows/${id}?at=3`);
    expect(await page.getByRole('button', { name: '‖ Pause' }).getAttribute('aria-disabled')).toBe('true');
    expect(await page.getByRole('button', { name: '⊘ Cancel…' }).getAttribute('aria-disabled')).toBe('true');
    await isWell();
  });

  test('Shift on a mark of a crowd puts its branch beside the one that is shown; a chip leads to what it is about', async () => {
    const id = await launch(
      "define crowd\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack'",
      {
        lines: Array.from({ length: 20 }, (_, i) => `line ${i + 1}`),
      },
    );
    await open(`workflows/${id}`);
    await page.locator('.marks').click({ position: { x: 45, y: 4 }, modifiers: ['Shift'] });
    await page.waitForURL(/lanes=/);
    expect(await page.locator('.place.leaf', { hasText: 'packer' }).count()).toBe(2);
    await isWell();
    await page
      .getByRole('button', { name: /asked since .*look at the fields of packer/ })
      .first()
      .click();
    await page.waitForURL(/tab=fields/);
    await isWell();
  });

  test('on paper a workflow is its sentence, its outline, its fields and its history, and nothing that is to be pressed', async () => {
    const id = await launch("define paper\n  sequence\n    alice task: 'read it'\n    bob", { order: 17 });
    await proceed(id, 'alice', { read: true });
    await open(`workflows/${id}`);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(`dispatchEvent(new Event('beforeprint'))`);
    // It is there at once: a browser that prints waits for nothing.
    expect(await page.locator('.printed h2').allTextContents()).toEqual(['Outline', 'Fields', 'History']);
    const paper = await page.locator('.printed').innerText();
    for (const text of ["alice task: 'read it'", 'order', '17', 'alice proceeded']) expect(paper).toContain(text);
    expect(await page.locator('.sentence').isVisible()).toBe(true);
    for (const gone of ['.rail', '.top', '.tabs-row', '.scrubber', '.drawing', 'main .button'])
      expect(await page.locator(gone).first().isVisible(), gone).toBe(false);
    expect(await scrollsSideways(page)).toBe(false);
    await page.evaluate(`dispatchEvent(new Event('afterprint'))`);
    expect(await page.locator('.printed').count()).toBe(0);
    await page.emulateMedia({ media: 'screen' });
    await isWell();
  });

  test('what is known of a place is a drawer where there is little room, and a page of its own on a telephone', async () => {
    const id = await launch("define small\n  sequence\n    alice task: 'read it'\n    bob");
    const narrow = await openPage(browser, { viewport: { width: 900, height: 700 } });
    await narrow.page.goto(`${server.url}/console/workflows/${id}`);
    const inspector = narrow.page.getByRole('complementary', { name: 'The chosen place' });
    await narrow.page.locator('.place.leaf', { hasText: 'alice' }).waitFor();
    expect(await inspector.isVisible()).toBe(false);
    await narrow.page.locator('.place.leaf', { hasText: 'alice' }).locator('.head').click();
    await inspector.getByRole('button', { name: 'Proceed for it…' }).waitFor();
    expect(await narrow.page.locator('.canvas').isVisible()).toBe(true);
    expect((await axe(narrow.page)).join('\n')).toBe('');
    await inspector.getByRole('button', { name: /Back to the/ }).click();
    await expect.poll(() => inspector.isVisible()).toBe(false);
    await narrow.page.setViewportSize({ width: 390, height: 700 });
    await narrow.page.goto(`${server.url}/console/workflows/${id}`);
    await narrow.page.getByRole('row', { name: /alice/ }).click();
    await inspector.getByRole('button', { name: 'Proceed for it…' }).waitFor();
    expect(await narrow.page.getByRole('treegrid').isVisible()).toBe(false);
    // The focus comes along, and goes back to where it was.
    expect(await narrow.page.evaluate('document.activeElement?.textContent')).toContain('alice');
    expect((await axe(narrow.page)).join('\n')).toBe('');
    expect(await scrollsSideways(narrow.page)).toBe(false);
    await inspector.getByRole('button', { name: /Back to the/ }).click();
    await expect.poll(() => narrow.page.evaluate('document.activeElement?.getAttribute("role")')).toBe('row');
    expect(narrow.troubles).toEqual([]);
    await narrow.page.context().close();
  });

  test('fields that somebody else has changed meanwhile are chosen one by one, and nothing that was typed is lost', async () => {
    const id = await launch("define fields\n  alice task: 'read it'", { price: 1, box: 'A1' });
    await open(`workflows/${id}?sel=0_0`);
    await page.getByRole('button', { name: 'Edit fields…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Fields').fill('{"price":2,"box":"A1"}');
    const [item] = await items(id);
    const path = `/v1/workflows/${id}/workitems/${item?.id}`;
    await send(server.url, 'PATCH', path, {
      headers: { 'content-type': 'application/json', 'if-match': '"1"' },
      body: JSON.stringify({ fields: { price: 3, box: 'B7' } }),
    });
    watched.expect(412);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Nothing of yours is lost').waitFor();
    await isWell();
    await dialog.getByRole('radio', { name: 'price: mine' }).check();
    await dialog.getByRole('button', { name: 'Go on with these' }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    const { fields } = (await send(server.url, 'GET', path)).json<{ fields: object }>();
    expect(fields).toMatchObject({ price: 2, box: 'B7' });
  });

  test('of a history that is too long to be read its end is there, and more is read when somebody wants it', async () => {
    const id = await launch('define long\n  alice');
    const last = 60_000;
    const entry = (n: number) => ({
      n,
      at: '2026-01-05T12:00:00.000Z',
      kind: 'workitem.edited',
      expid: '0_0',
      step: n,
    });
    await page.route('**/history?*', async (route) => {
      const search = new URL(route.request().url()).searchParams;
      const after = Number(search.get('after') ?? 0);
      const limit = Number(search.get('limit'));
      const from = search.get('order') === 'desc' ? last - limit : after;
      const history = Array.from({ length: Math.min(limit, last - from) }, (_, i) => entry(from + 1 + i));
      await route.fulfill({
        json: {
          history: search.get('order') === 'desc' ? history.reverse() : history,
          next_after: from + limit < last ? from + limit : null,
        },
      });
    });
    await open(`workflows/${id}?view=history&show=all`);
    await page
      .getByText('Only the first 50,000 entries of the history were read into this page, and the last 200')
      .waitFor();
    await page.getByText('#60000').waitFor();
    await page.getByText('between #50,000 and #59,801').waitFor();
    await isWell();
    await page.getByRole('button', { name: 'Read 50,000 more' }).click();
    await page.getByText('Only the first').waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'History 60,000' }).waitFor();
    await page.unroute('**/history?*');
  });

  test('a workflow that is not there says how long those that are over are kept', async () => {
    watched.expect(404);
    await open('workflows/20261130-0000-bababa-bababa');
    await page.getByText('kept no longer (RETAIN_ENDED 30 days)').waitFor();
    await isWell();
  });

  test('what is done without a question says so, with a link to what came of it', async () => {
    const id = await launch("define told\n  alice task: 'read it'");
    await open(`workflows/${id}`);
    await page.getByRole('button', { name: '‖ Pause' }).click();
    const toast = page.locator('.toast');
    await toast.getByText('Paused').waitFor();
    await isWell();
    await toast.getByRole('link', { name: 'What came of it' }).click();
    await page.waitForURL(/view=history/);
    await page.getByText('workflow paused').waitFor();
    await toast.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: '▶ Resume' }).click();
    await toast.getByText('Resumed').waitFor();
    await toast.getByRole('button', { name: 'Close' }).click();
    await toast.waitFor({ state: 'detached' });
  });
});
