import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/* Walks through the console in a real browser, against a real server: one of each for all of them. */

const program = findChromium();
if (program === null)
  test('the walks through the console want a Chromium, which this machine has not (apt-get install chromium, or CHROMIUM)', () => {
    expect(program).toBe(null);
  });

const order = readFileSync(join(import.meta.dirname, '../../examples/order.xml'), 'utf8');

describe.runIf(program !== null)('in a browser', { timeout: 120_000 }, () => {
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
  };
  /** What every stop of a walk has to be. */
  const isWell = async (): Promise<void> => {
    expect((await axe(page)).join('\n')).toBe('');
    expect(await scrollsSideways(page)).toBe(false);
    expect(watched.troubles).toEqual([]);
  };
  const launch = async (workflow: string, fields: object = {}): Promise<string> => {
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow,
      callback: `${server.url}/v1/playground/participants/someone`,
      fields,
    });
    await postJson(server.url, '/v1/test/clock', { advance: 0 });
    return answer.json<{ id: string }>().id;
  };
  type Item = { readonly id: string; readonly participant: string };
  const items = async (id: string): Promise<readonly Item[]> =>
    (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${id}`)).json<{ workitems: readonly Item[] }>()
      .workitems;
  const statusOf = async (id: string): Promise<string> =>
    (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ status: string }>().status;

  test('the list keeps its filters in the address: reload and back give the same rows', async () => {
    const id = await launch('define kept\n  alice task: "wait"');
    await open('workflows');
    await page.getByLabel('Name').fill('kept');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.waitForURL(/name=kept/);
    await page.getByRole('link', { name: 'kept' }).waitFor();
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.reload();
    await page.getByRole('link', { name: 'kept' }).click();
    await page.waitForURL(new RegExp(id));
    expect(await page.evaluate('document.activeElement?.tagName')).toBe('H1');
    await page.goBack();
    await page.waitForURL(/name=kept/);
    await isWell();
    await page.goto(`${server.url}/console/workflows?statsu=error`);
    await page.getByText('`statsu` is no filter of this page: ignored').waitFor();
  });

  test('a crowd of branches is a field of marks; what failed is found, replayed and stays repaired', async () => {
    const id = await launch(
      "define crowd\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack'",
      {
        lines: Array.from({ length: 40 }, (_, i) => i),
      },
    );
    const [first] = await items(id);
    await postJson(server.url, `/v1/workflows/${id}/workitems/${first?.id}/fail`, {
      message: 'no box left',
      class: 'NoBox',
    });
    await open('errors');
    await page.getByRole('button', { name: '1 errors of NoBox: show' }).click();
    await isWell();
    await page.getByRole('region', { name: 'The errors of this group' }).getByRole('link').last().click();
    await page.getByText('40 branches').waitFor();
    await page.getByText('NoBox: no box left').first().waitFor();
    await isWell();
    await page.getByRole('button', { name: '↻ Replay' }).click();
    await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('running');
    await page.locator('h1', { hasText: 'running' }).waitFor();
    await isWell();
  });

  test('pause, resume, cancel with a reason and kill do what their dialogs say', async () => {
    const id = await launch('define held\n  alice task: "wait"');
    await open(`workflows/${id}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('h1', { hasText: 'paused' }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('h1', { hasText: 'running' }).waitFor();
    await page.getByRole('button', { name: 'Kill…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Told to stop: alice').waitFor();
    expect(await dialog.getByRole('button', { name: 'Kill it' }).getAttribute('aria-disabled')).toBe('true');
    await isWell();
    await dialog.getByLabel('Reason').fill('a walk');
    await dialog.getByRole('button', { name: 'Kill it' }).click();
    await page.locator('h1', { hasText: 'killed' }).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).getAttribute('aria-disabled')).toBe('true');
    await isWell();
  });

  test('a workitem is done in the worklist; what was typed survives a reload', async () => {
    const id = await launch('define desk\n  clerk task: "decide"', { amount: 12, note: 'first', urgent: false });
    await open('worklist?participant=clerk');
    await page.getByRole('link', { name: 'clerk' }).click();
    await page.getByLabel('note').fill('typed by hand');
    await page.reload();
    await expect.poll(() => page.getByLabel('note').inputValue()).toBe('typed by hand');
    await isWell();
    await page.getByLabel('note').press('Enter');
    expect(await statusOf(id)).toBe('running');
    await page.getByRole('button', { name: 'Proceed' }).click();
    await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('completed');
    const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ fields: object }>();
    expect(shown.fields).toMatchObject({ amount: 12, note: 'typed by hand', urgent: false });
  });

  test('the palette takes any id and every page by its name', async () => {
    const id = await launch('define found\n  alice');
    await open('');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill((await items(id))[0]?.id ?? '');
    await isWell();
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`${id}\\?sel=`));
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForURL(/\/errors$/);
  });

  test('pages are whole at 320 px, in the dark and with forced colours', async () => {
    const id = await launch(order);
    const narrow = await openPage(browser, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
    for (const path of [
      '',
      'workflows',
      `workflows/${id}?view=outline`,
      `workflows/${id}`,
      'workflows/new?example=order',
      'worklist',
      'errors',
      'nodes',
      'settings',
      'timers',
      'deliveries',
    ]) {
      await narrow.page.goto(`${server.url}/console/${path}`);
      await narrow.page.locator('h1').waitFor();
      await narrow.page.waitForLoadState('networkidle');
      expect(await scrollsSideways(narrow.page), path).toBe(false);
      expect(await axe(narrow.page), path).toEqual([]);
    }
    await narrow.page.emulateMedia({ forcedColors: 'active' });
    expect(await axe(narrow.page)).toEqual([]);
    expect(narrow.troubles).toEqual([]);
    await narrow.page.context().close();
  });

  test('times are shown in the zone that was chosen, everywhere', async () => {
    const elsewhere = await openPage(browser, { timezoneId: 'Asia/Tokyo' });
    const id = await launch('define zoned\n  alice');
    await elsewhere.page.goto(`${server.url}/console/workflows/${id}?view=history`);
    const shown = elsewhere.page.locator('.entry time').first();
    const tokyo = await shown.textContent();
    await elsewhere.page.getByRole('button', { name: /^Times are shown in/ }).click();
    await expect.poll(() => shown.textContent()).not.toBe(tokyo);
    const at = (await shown.getAttribute('datetime')) ?? '';
    expect(await shown.textContent()).toBe(at.slice(11, 19));
    await elsewhere.page.context().close();
  });
});
