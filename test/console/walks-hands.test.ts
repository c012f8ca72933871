import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Locator, Page } from 'playwright-core';
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
  tabTo,
  visit,
  type Watched,
  whole,
} from './support/browser.ts';

/* What people do with their hands in the console: with keys alone, with several branches at once, with the forms of definitions and workitems. */

const program = findChromium();

describe.runIf(program !== null)('by hand', { timeout: 120_000 }, () => {
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
    page.setDefaultTimeout(30_000);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, 60_000);

  const open = (path: string): Promise<void> => visit(page, server.url, path);
  const isWell = async (): Promise<void> => {
    expect((await axe(page)).join('\n')).toBe('');
    expect(await scrollsSideways(page)).toBe(false);
    expect(watched.troubles.splice(0)).toEqual([]);
  };
  const launch = async (workflow: string, fields: object = {}): Promise<string> => {
    const callback = `${server.url}/v1/playground/participants/someone`;
    return (await postJson(server.url, '/v1/workflows', { workflow, callback, fields })).json<{ id: string }>().id;
  };
  type Item = { readonly id: string; readonly participant: string };
  const items = async (id: string): Promise<readonly Item[]> =>
    (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${id}`)).json<{ workitems: readonly Item[] }>()
      .workitems;
  const statusOf = async (id: string): Promise<string> =>
    (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ status: string }>().status;
  /** A request has reached the playground; a busy machine may want a second try, which waits for the clock. */
  const asked = (card: Locator): Promise<void> =>
    expect
      .poll(
        async () => {
          await postJson(server.url, '/v1/test/clock', { advance: 1 });
          return card.count();
        },
        { timeout: 60_000, interval: 100 },
      )
      .toBe(1);
  const focused = (): Promise<string> =>
    page.evaluate(
      `document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''`,
    ) as Promise<string>;

  test('with keys alone the first workflow is launched and completed; the focus is never lost on the way', async () => {
    let pressed = 0;
    const press = async (name: RegExp): Promise<void> => {
      await tabTo(page, name);
      await page.keyboard.press('Enter');
      pressed += 1;
    };
    await open('');
    // The first stop of Tab leads past the rail.
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement?.id')).toBe('main');
    await press(/^Open the playground$/);
    await expect.poll(focused).toBe('Playground');
    await press(/^Run the order example$/);
    await page.waitForURL(/workflow=/);
    const id = new URL(page.url()).searchParams.get('workflow') ?? '';
    const card = (participant: string): Locator => page.getByRole('article', { name: `${participant} is asked` });
    for (const those of [['stock', 'credit'], [], ['shipping']]) {
      for (const participant of those) await asked(card(participant));
      await press(/^Proceed$/);
      await expect.poll(focused).toMatch(/ is asked$/);
    }
    expect(pressed).toBe(5);
    await page.getByRole('heading', { name: 'What you have seen' }).waitFor();
    expect(await statusOf(id)).toBe('completed');
    await isWell();
  });

  test('what is ignored in the playground stays without an answer, over a reload, too, until it is answered after all', async () => {
    await open('playground');
    await page.getByRole('button', { name: 'Run the order example' }).click();
    await page.waitForURL(/workflow=/);
    const id = new URL(page.url()).searchParams.get('workflow') ?? '';
    const card = page.getByRole('article', { name: 'credit is asked' });
    await asked(card);
    await card.getByRole('button', { name: 'Ignore' }).click();
    await card.getByText('It gets no answer, and the workflow waits.').waitFor();
    expect(await card.getByRole('button', { name: 'Proceed' }).count()).toBe(0);
    await isWell();
    await page.reload();
    await whole(page);
    await card.getByText('ignored', { exact: true }).waitFor();
    // Nothing was told to the server, which waits on.
    expect((await items(id)).map(({ participant }) => participant).sort()).toEqual(['credit', 'stock']);
    await card.getByRole('button', { name: 'Answer it after all' }).click();
    await card.getByRole('button', { name: 'Proceed' }).click();
    await card.getByText('answered', { exact: true }).waitFor();
    expect((await items(id)).map(({ participant }) => participant)).toEqual(['stock']);
  });

  test('branches of a crowd that are chosen stand side by side in the picture, and in the address', async () => {
    const id = await launch(
      "define wide\n  concurrent_iterator on_f: 'lines', to_v: 'line'\n    packer task: 'pack ${v:line}'",
      { lines: Array.from({ length: 20 }, (_, i) => `lamp ${i + 1}`) },
    );
    await open(`workflows/${id}?view=diagram&sel=0_0`);
    const lanes = page.locator('.place.leaf', { hasText: /^\s*packer/ });
    await expect.poll(() => lanes.count()).toBe(1);
    const branches = page.getByRole('region', { name: 'Branches' });
    await branches.getByRole('checkbox', { name: 'Compare branch 3', exact: true }).check();
    await branches.getByRole('checkbox', { name: 'Compare branch 7', exact: true }).check();
    await expect.poll(() => lanes.count()).toBe(2);
    await page.getByText('pack lamp 3').first().waitFor();
    await page.getByText('pack lamp 7').first().waitFor();
    const sideBySide = async (): Promise<void> => {
      const boxes = await Promise.all((await lanes.all()).map((one) => one.boundingBox()));
      expect(new Set(boxes.map((one) => one?.y)).size).toBe(1);
      for (const [i, one] of boxes.entries())
        for (const other of boxes.slice(i + 1))
          expect(Math.abs((one?.x ?? 0) - (other?.x ?? 0))).toBeGreaterThanOrEqual(one?.width ?? 0);
    };
    await sideBySide();
    await isWell();
    // A mark that is pressed with Shift comes beside them; there is room for four.
    const marks = page.getByRole('img', { name: /^20 branches/ });
    await marks.click({ position: { x: 3, y: 4 }, modifiers: ['Shift'] });
    await expect.poll(() => lanes.count()).toBe(3);
    await branches.getByRole('checkbox', { name: 'Compare branch 20', exact: true }).check();
    await expect.poll(() => lanes.count()).toBe(4);
    expect(await branches.getByRole('checkbox', { name: 'Compare branch 12', exact: true }).isDisabled()).toBe(true);
    await sideBySide();
    await page.reload();
    await whole(page);
    await expect.poll(() => lanes.count()).toBe(4);
    await branches.getByRole('button', { name: 'Compare none' }).click();
    await expect.poll(() => lanes.count()).toBe(1);
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a walk' });
  });

  test('what starts a definition is filled into a form; what the server refuses is said there, and what was typed is kept', async () => {
    const callbacks = { alice: `${server.url}/v1/playground/participants/alice` };
    const definition = "define placed\n  alice task: 'look at ${order}'";
    await send(server.url, 'PUT', '/v1/definitions/placed', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ definition, callbacks, description: 'is kept' }),
    });
    await open('definitions/placed');
    await page.getByRole('button', { name: 'Events and times…' }).click();
    const dialog = page.getByRole('dialog');
    const events = dialog.getByRole('group', { name: 'Events', exact: true });
    const times = dialog.getByRole('group', { name: 'Times', exact: true });
    await events.getByRole('button', { name: 'Add one' }).click();
    await events.getByLabel('Type').fill('order.placed');
    await events.getByLabel('Key', { exact: true }).fill('web');
    await times.getByRole('button', { name: 'Add one' }).click();
    await times.getByLabel('Cron line').fill('every now and then');
    await isWell();
    watched.expect(422);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(await events.getByLabel('Type').inputValue()).toBe('order.placed');
    await isWell();
    await times.getByLabel('Cron line').fill('0 9 * * 1-5');
    await times.getByLabel('Paused').check();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => dialog.count()).toBe(0);
    await page.getByRole('region', { name: 'What starts it' }).getByRole('cell', { name: 'order.placed' }).waitFor();
    await isWell();
    expect((await send(server.url, 'GET', '/v1/definitions/placed')).json()).toMatchObject({
      version: 2,
      ...{ definition, callbacks, description: 'is kept' },
      triggers: [{ type: 'order.placed', key: 'web' }],
      schedules: [{ cron: '0 9 * * 1-5', paused: true }],
    });
    // And it does start it.
    const event = { specversion: '1.0', id: 'e1', source: '/shop', type: 'order.placed', subject: 'web', data: {} };
    const taken = await send(server.url, 'POST', '/v1/events', {
      headers: { 'Content-Type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
    });
    expect(taken.status, taken.text).toBeLessThan(300);
    await open('workflows?name=placed');
    await expect
      .poll(async () => {
        await postJson(server.url, '/v1/test/clock', { advance: 1 });
        return (await send(server.url, 'GET', '/v1/workflows?name=placed')).json<{ workflows: object[] }>().workflows
          .length;
      })
      .toBe(1);
  });

  test('what somebody else has claimed is left alone until one says so, and is handed back', async () => {
    const id = await launch("define taken\n  clerk3 task: 'decide'", { note: '' });
    const item = (await items(id))[0]?.id;
    await open(`worklist/${item}`);
    await page.getByRole('button', { name: 'Claim it' }).click();
    await page.getByText('Claimed by console').waitFor();
    await page.getByRole('button', { name: 'Release it' }).click();
    await page.getByText('Nobody has claimed it.').waitFor();
    await postJson(server.url, `/v1/workflows/${id}/workitems/${item}/claim`, { assignee: 'ada' });
    await page.getByText('Claimed by ada').waitFor();
    const proceed = page.getByRole('button', { name: 'Proceed' });
    expect(await proceed.getAttribute('aria-disabled')).toBe('true');
    expect(await proceed.getAttribute('title')).toBe('ada has claimed it');
    await isWell();
    // What only I have claimed is another list.
    await page.getByRole('checkbox', { name: 'Mine' }).check();
    await page.waitForURL(/mine=1/);
    await page.getByText('No workitem matches').waitFor();
    await page.getByRole('checkbox', { name: 'Mine' }).uncheck();
    await page.getByLabel('Act on it all the same: ada has it').check();
    await proceed.click();
    await expect.poll(() => statusOf(id)).toBe('completed');
    await isWell();
  });

  test('every kind of id that is pasted leads to its place', async () => {
    const id = await launch('define pasted\n  alice');
    const item = (await items(id))[0]?.id ?? '';
    const [expid, subid] = item.split('!');
    const place = new RegExp(`/workflows/${id}\\?sel=${expid}!${subid}$`);
    for (const [pasted, to] of [
      [id, new RegExp(`/workflows/${id}$`)],
      [item, place],
      [`${server.url}/v1/workflows/${id}/workitems/${item}/proceed`, place],
      [`${server.url}/v1/workflows/${id}/expressions/${expid}!${subid}`, place],
      [`msg_${item}_active`, new RegExp(`/deliveries/msg_${item}_active$`)],
    ] as const) {
      await open('nodes');
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill(pasted);
      await page.getByRole('option').first().waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => decodeURIComponent(page.url()), { message: pasted }).toMatch(to);
    }
    await whole(page);
    await isWell();
  });

  test('a cancel tells who is told and which handlers run, and then they do', async () => {
    const id = await launch(
      "define held\n  sequence on_cancel: 'tidy'\n    alice task: 'wait'\n  define 'tidy'\n    broom task: 'sweep'",
    );
    await open(`workflows/${id}?view=diagram`);
    await page.getByRole('button', { name: '⊘ Cancel…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Told to stop: alice').waitFor();
    await dialog.getByText('Handlers that run: on_cancel').waitFor();
    await dialog.getByLabel(/^Reason/).fill('nobody wants it');
    await isWell();
    await dialog.getByRole('button', { name: /^Cancel/ }).click();
    await page.locator('h1', { hasText: 'cancelling' }).waitFor();
    await expect.poll(async () => (await items(id)).map(({ participant }) => participant)).toEqual(['broom']);
    await postJson(server.url, `/v1/workflows/${id}/workitems/${(await items(id))[0]?.id}/proceed`, {});
    await page.locator('h1', { hasText: 'cancelled' }).waitFor();
    await open(`workflows/${id}?view=history&show=all`);
    await page.getByText('nobody wants it').first().waitFor();
    await isWell();
  });

  test('what is tried in vain is a row of ticks in the timeline, with the next try right of now', async () => {
    const shut = createServer((_, to) => to.writeHead(503).end());
    await new Promise<void>((resolve) => shut.listen(0, '127.0.0.1', resolve));
    const { id } = (
      await postJson(server.url, '/v1/workflows', {
        workflow: "define ticks\n  alice task: 'never reached'",
        callback: `http://127.0.0.1:${(shut.address() as AddressInfo).port}/`,
        retry: { delays: [600, 600, 600] },
      })
    ).json<{ id: string }>();
    await open(`workflows/${id}?view=timeline`);
    const ticks = page.locator('.gantt .tick.bad');
    for (const tries of [1, 2]) {
      // The entry of a try is written within a second of it, and then the page is told.
      await expect.poll(() => ticks.count(), { timeout: 30_000 }).toBe(tries);
      expect(await ticks.last().getAttribute('title')).toBe(`try ${tries}: 503`);
      await page.locator('.gantt .due[title*=" in "]').first().waitFor();
      await isWell();
      await postJson(server.url, '/v1/test/clock', { advance: 601 });
    }
    shut.closeAllConnections();
    shut.close();
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a walk' });
  });

  test('what destroys asks first, says what is lost, and does nothing until it is told which it is', async () => {
    const made = await postJson(server.url, '/v1/subscriptions', {
      url: 'http://127.0.0.1:9/hook',
      events: ['workflow.*'],
      retry: { delays: [6_000] },
    });
    const { id: hook } = made.json<{ id: string }>();
    const isThere = async (): Promise<boolean> =>
      (await send(server.url, 'GET', `/v1/subscriptions/${hook}`)).status === 200;
    const told = await launch('define told\n  alice');
    await open('settings/subscriptions');
    const row = page.getByRole('row', { name: /127\.0\.0\.1:9/ });
    await row.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete the subscription' });
    await dialog.getByText('1 event is owed to it and will not be sent.').waitFor();
    await dialog.getByText('It has not taken anything of late.').waitFor();
    await isWell();
    const sure = dialog.getByRole('button', { name: 'Delete it' });
    expect(await sure.getAttribute('title')).toBe('type 127.0.0.1:9 first');
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    await expect.poll(() => dialog.count()).toBe(0);
    expect(await isThere()).toBe(true);
    await row.getByRole('button', { name: 'Delete…' }).click();
    await dialog.getByLabel('Type 127.0.0.1:9 to go on').fill('127.0.0.1:9');
    await sure.click();
    await row.waitFor({ state: 'detached' });
    expect(await isThere()).toBe(false);
    await postJson(server.url, `/v1/workflows/${told}/kill`, { reason: 'a walk' });

    const { id } = (
      await postJson(server.url, '/v1/workflows', {
        workflow: "define stopped\n  alice task: 'never reached'",
        callback: 'http://127.0.0.1:9/',
        retry: { delays: [600] },
      })
    ).json<{ id: string }>();
    const [item] = await items(id);
    await open(`deliveries/msg_${item?.id}_active`);
    await page.getByRole('button', { name: 'Stop trying…' }).click();
    const stop = page.getByRole('dialog', { name: 'Try alice no more' });
    await stop.getByText(/on_error handler/).waitFor();
    await isWell();
    expect(await stop.getByRole('button', { name: 'Stop trying' }).getAttribute('title')).toBe('say why');
    expect(await statusOf(id)).toBe('running');
    await stop.getByLabel('Reason').fill('alice has moved');
    await stop.getByRole('button', { name: 'Stop trying' }).click();
    await expect.poll(() => statusOf(id)).toBe('error');
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a walk' });

    await open('workflows?name=stopped');
    await page.getByRole('button', { name: 'Keep as a view…' }).click();
    await page.getByLabel('Name of the view').fill('mine');
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByRole('button', { name: 'Forget this view' }).click();
    await expect.poll(() => page.getByRole('link', { name: 'mine' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'mine' }).waitFor();
    await page.getByRole('button', { name: 'Forget this view' }).click();
    watched.troubles.splice(0);
  });

  test('of a crowd that is told in several pages few boxes are shown, what failed is found and said, and a link shows the same', async () => {
    const id = await launch("define masses\n  concurrent_iterator times: 1200\n    packer task: 'pack'");
    // Its branches are begun some at a time.
    const pages = async (): Promise<readonly Item[][]> => {
      const read: Item[][] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const asked: string = `/v1/workflows/${id}${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`;
        const shown: { readonly workitems: Item[]; readonly expressions_cursor: string | null } = (
          await send(server.url, 'GET', asked)
        ).json();
        read.push(shown.workitems);
        cursor = shown.expressions_cursor;
      }
      return read;
    };
    await expect.poll(async () => (await pages()).flat().length, { timeout: 90_000, interval: 500 }).toBe(1_200);
    // One that is behind the first page.
    const second = (await pages()).at(-1)?.at(-1);
    await postJson(server.url, `/v1/workflows/${id}/workitems/${second?.id}/fail`, {
      message: 'no box',
      class: 'NoBox',
    });
    await open(`workflows/${id}?view=diagram&sel=0_0`);
    await page.getByText('1,200 branches', { exact: true }).waitFor();
    await page.locator('.sentence', { hasText: '1 of 1,200 branches of packer failed with NoBox' }).waitFor();
    expect(await page.locator('.place').count()).toBeLessThanOrEqual(400);
    const branches = page.getByRole('region', { name: 'Branches' });
    await branches.getByLabel('State of branches').selectOption('failed');
    await branches.getByText('1 of 1,200 branches').waitFor();
    await branches.getByRole('checkbox').first().check();
    await branches.getByLabel('State of branches').selectOption('');
    await branches.getByLabel('Number or text of a branch').fill('1199');
    await branches.getByRole('checkbox', { name: 'Compare branch 1199', exact: true }).check();
    await branches.getByRole('row', { name: /packer.*failed.*waits/ }).waitFor();
    await isWell();
    const link = page.url();
    const other = await openPage(browser);
    await other.page.goto(link);
    await other.page
      .getByRole('region', { name: 'Branches' })
      .getByRole('row', { name: /packer.*failed.*waits/ })
      .waitFor();
    await other.page.context().close();
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a walk' });
  });

  test('a part of the console that is gone, since a newer version runs, is told with a way on', async () => {
    const { page: one } = await openPage(browser);
    await one.goto(`${server.url}/console/`);
    await whole(one);
    await one.route(/\/assets\/nodes-/, (route) => route.fulfill({ status: 404 }));
    await one.getByRole('link', { name: 'Nodes' }).first().click();
    await one.getByRole('alert').getByText('a newer version may run here').waitFor();
    await one.unroute(/\/assets\/nodes-/);
    await one.getByRole('button', { name: 'Reload' }).click();
    await one.getByRole('heading', { name: 'Nodes', level: 1 }).waitFor();
    await one.context().close();
  });
});
