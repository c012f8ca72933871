import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as ask, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IDS } from '../../console/api/operations.ts';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { readyFolder } from '../support/ready-folder.ts';
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

/* Walks through the console in a real browser, against a real server: one of each for all of them. */

const program = findChromium();
if (program === null)
  test('the walks through the console want a Chromium, which this machine has not (apt-get install chromium, or CHROMIUM)', () => {
    expect(program).toBe(null);
  });

/** One browser for all walks. */
let started: Promise<Browser> | null = null;
const sharedBrowser = (): Promise<Browser> => {
  started ??= startBrowser(program ?? '');
  return started;
};
afterAll(async () => {
  await (await started)?.close();
}, 60_000);

const order = readFileSync(join(import.meta.dirname, '../../examples/order.xml'), 'utf8');

describe.runIf(program !== null)('in a browser', { timeout: 120_000 }, () => {
  let server: Running;
  let browser: Browser;
  let watched: Watched;
  let page: Page;

  beforeAll(async () => {
    buildConsole();
    server = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '1,1,1,1,1,1' });
    browser = await sharedBrowser();
    watched = await openPage(browser);
    page = watched.page;
    page.setDefaultTimeout(60_000);
  }, 180_000);
  afterAll(async () => {
    await page?.context().close();
    await server?.stop();
  }, 60_000);

  const open = (path: string): Promise<void> => visit(page, server.url, path);
  /** What every stop of a walk has to be. */
  const isWell = async (): Promise<void> => {
    expect((await axe(page)).join('\n')).toBe('');
    expect(await scrollsSideways(page)).toBe(false);
    expect(watched.troubles.splice(0)).toEqual([]);
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

  const act = (id: string, item: Item | undefined, verb: string, body: object = {}) =>
    postJson(server.url, `/v1/workflows/${id}/workitems/${item?.id}/${verb}`, body);
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
  /** Writes over all that stands in the editor, as somebody at a keyboard does. */
  const rewrite = async (text: string): Promise<void> => {
    const editor = page.getByRole('textbox', { name: /^Definition/ });
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  };
  test('what a page asks whether the server can do it is known by the name the server gives it', async () => {
    const { paths } = (await send(server.url, 'GET', '/openapi.json')).json<{
      paths: { readonly [path: string]: { readonly [method: string]: { readonly operationId?: string } } };
    }>();
    const named = new Map(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, one]) => [
          `${method.toUpperCase()} ${path.replace(/\{[^}]*\}/g, '{}')}`,
          one.operationId,
        ]),
      ),
    );
    for (const [call, id] of Object.entries(IDS)) expect(named.get(call), call).toBe(id);
  });

  test('the first workflow of an empty server is completed with five clicks, and then with keys alone', async () => {
    let clicks = 0;
    const click = async (role: 'link' | 'button', name: string, within = page.locator('main')): Promise<void> => {
      await within.getByRole(role, { name, exact: true }).first().click();
      clicks += 1;
    };
    await open('');
    await isWell();
    await click('link', 'Open the playground');
    await click('button', 'Run the order example');
    for (const participant of ['stock', 'credit', 'shipping']) {
      const card = page.getByRole('article', { name: `${participant} is asked` });
      await asked(card);
      await click('button', 'Proceed', card);
    }
    await page.getByRole('heading', { name: 'What you have seen' }).waitFor();
    expect(clicks).toBe(5);
    await isWell();
    const first = new URL(page.url()).searchParams.get('workflow') ?? '';
    expect(await statusOf(first)).toBe('completed');

    await open(`playground?workflow=${first}`);
    const asked0 = page.getByRole('article', { name: 'stock is asked' });
    await asked0.getByText('The request as it came').click();
    await asked0.getByText('200 kept').waitFor();
    await open('playground');
    await tabTo(page, /^Run the order example$/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/workflow=/);
    const second = new URL(page.url()).searchParams.get('workflow') ?? '';
    const standing = async (): Promise<string> =>
      [await statusOf(second), ...(await items(second)).map(({ participant }) => participant)].join(' ');
    for (let answered = 0; answered < 3; answered++) {
      await asked(page.getByText('waits for you').first());
      const before = await standing();
      await page.locator('h1').focus();
      await tabTo(page, /^Proceed$/);
      await page.keyboard.press('Enter');
      await expect.poll(standing, { timeout: 20_000 }).not.toBe(before);
    }
    await expect.poll(() => statusOf(second)).toBe('completed');
  });

  test('the list keeps its filters in the address: reload and back give the same rows', async () => {
    const id = await launch('define kept\n  alice task: "wait"');
    await open('workflows');
    await page.getByLabel('Name').fill('kept');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.waitForURL(/name=kept/);
    await page.getByRole('link', { name: 'kept' }).waitFor();
    expect(await page.locator('tbody tr').count()).toBe(1);
    await page.reload();
    await page.getByRole('link', { name: 'kept' }).click();
    await page.waitForURL(new RegExp(id));
    await expect.poll(() => page.evaluate('document.activeElement?.tagName')).toBe('H1');
    await page.goBack();
    await page.waitForURL(/name=kept/);
    await page.getByRole('link', { name: 'kept' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 chosen').waitFor();
    await isWell();
    // Columns and order stand in the address, too, and a question can be kept under a name.
    await page.getByLabel('Columns', { exact: true }).click();
    await page.getByRole('checkbox', { name: 'Definition' }).check();
    await page.getByRole('columnheader', { name: 'Definition' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Newest first' }).click();
    await page.waitForURL(/order=oldest/);
    await page.getByText(/oldest first/).waitFor();
    await page.getByRole('button', { name: 'Keep as a view…' }).click();
    await page.getByLabel('Name of the view').fill('mine');
    await page.keyboard.press('Enter');
    const link = page.url();
    await isWell();
    await open('workflows');
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'mine' }).click();
    await expect.poll(() => page.url()).toBe(link);
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
    const [first, second] = await items(id);
    for (const item of [first, second]) await act(id, item, 'fail', { message: 'no box left', class: 'NoBox' });
    await open('errors');
    await page.getByRole('button', { name: '2 errors of NoBox: show' }).click();
    await page.getByRole('img', { name: '2 in the last 24 hours, 2 in the last' }).first().waitFor();
    await page
      .getByRole('region', { name: 'The same place in all versions' })
      .getByText('that of the error above')
      .waitFor();
    // All of a group at once: the server counts what is confirmed, and the batch has a page of its own.
    await page.getByRole('button', { name: '↻ Replay all…' }).click();
    await page.getByRole('dialog').getByText('2 errors').waitFor();
    await page.getByRole('dialog').getByLabel('Reason').fill('boxes have come');
    await isWell();
    await page.getByRole('button', { name: 'Replay 2' }).click();
    await page.waitForURL(/\/batches\//);
    await page.locator('h1', { hasText: 'completed' }).waitFor();
    await page.getByText('2 in all: 2 done').waitFor();
    await isWell();
    await act(id, first, 'fail', { message: 'no box left', class: 'NoBox' });
    await open('errors');
    await page.getByRole('button', { name: '1 errors of NoBox: show' }).click();
    await isWell();
    await page.getByRole('region', { name: 'The errors of this group' }).getByRole('link').last().click();
    await page.getByText('40 branches', { exact: true }).waitFor();
    await page.getByText('NoBox: no box left').first().waitFor();
    await isWell();
    // Failed ones are found among the others, and two lanes compared place by place.
    const place = page.url();
    await page.locator('[data-expid="0_0"]').first().click();
    const branches = page.getByRole('region', { name: 'Branches' });
    await branches.getByLabel('State of branches').selectOption('failed');
    await branches.getByText('1 of 40 branches').waitFor();
    await branches.getByRole('checkbox').first().check();
    await branches.getByLabel('State of branches').selectOption('waits');
    await branches.getByRole('checkbox').first().check();
    await branches.getByRole('row', { name: /packer.*failed.*waits/ }).waitFor();
    await isWell();
    await page.goto(place);
    await page.getByRole('button', { name: 'Replay with…' }).click();
    await page.getByRole('dialog').getByLabel('Fields').fill('{"box":"B7"}');
    await page.getByRole('dialog').getByText('Asked anew: packer').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay', exact: true }).click();
    await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('running');
    await page.locator('h1', { hasText: 'running' }).waitFor();
    await isWell();
  });

  test('pause, resume, cancel with a reason and kill do what their dialogs say', async () => {
    const id = await launch(
      "define held\n  sequence on_cancel: 'tidy'\n    first\n    alice task: 'wait'\n  define 'tidy'\n    broom",
    );
    await open(`workflows/${id}`);
    await page.getByRole('button', { name: 'Pause' }).first().click();
    await page.locator('h1', { hasText: 'paused' }).waitFor();
    // What is answered meanwhile is kept.
    await act(id, (await items(id))[0], 'proceed');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('h1', { hasText: 'running' }).waitFor();
    await expect.poll(async () => (await items(id))[0]?.participant).toBe('alice');
    await page.getByRole('button', { name: '⊘ Cancel…' }).click();
    await page.getByRole('dialog').getByText('Handlers that run: on_cancel').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
    await page.getByLabel('More about this workflow').click();
    await page.getByRole('button', { name: 'Kill…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Told to stop: alice').waitFor();
    expect(await dialog.getByRole('button', { name: 'Kill it' }).getAttribute('aria-disabled')).toBe('true');
    await isWell();
    await dialog.getByLabel('Reason').fill('a walk');
    await dialog.getByRole('button', { name: 'Kill it' }).click();
    await page.locator('h1', { hasText: 'killed' }).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).first().getAttribute('aria-disabled')).toBe('true');
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
    await page.locator('dialog.palette').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page
      .getByRole('option', { name: /^Workitem .*lately$/ })
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.waitForURL(/\/errors$/);
  });

  test('times are shown in the zone that was chosen, everywhere', async () => {
    const elsewhere = await openPage(browser, { timezoneId: 'Asia/Tokyo' });
    const id = await launch('define zoned\n  alice');
    await elsewhere.page.goto(`${server.url}/console/workflows/${id}?view=history`);
    const shown = elsewhere.page.locator('.entry time').last();
    await shown.waitFor();
    const tokyo = await shown.textContent();
    await elsewhere.page.getByRole('button', { name: /^Times are shown in/ }).click();
    await expect.poll(() => shown.textContent()).not.toBe(tokyo);
    const at = (await shown.getAttribute('datetime')) ?? '';
    expect(await shown.textContent()).toBe(at.slice(11, 19));
    // What is taken away, the axis and the list say the same time.
    const [taken] = await Promise.all([
      elsewhere.page.waitForEvent('download'),
      elsewhere.page.getByRole('button', { name: 'Take away as NDJSON' }).click(),
    ]);
    const lines = readFileSync(await taken.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { at: string }).at)).toContain(at);
    await elsewhere.page.keyboard.press('t');
    const axis = elsewhere.page.locator('.gantt .axis time').first();
    expect([await axis.getAttribute('datetime'), await axis.textContent()]).toEqual([at, at.slice(11, 19)]);
    await elsewhere.page.goto(`${server.url}/console/workflows?name=zoned`);
    const listed = elsewhere.page.locator('tbody time').first();
    expect(await listed.getAttribute('datetime')).toBe(at);
    await listed.hover();
    expect(await listed.getAttribute('title')).toContain(at.slice(11, 19));
    await elsewhere.page.context().close();
  });

  test('a workflow is looked at in all its views, at any moment of its past, and its cursor goes round', async () => {
    const id = await launch(
      "define rounds\n  cursor\n    author task: 'write'\n    rewind unless: '${ok} == yes'\n  reader",
    );
    for (const ok of ['no', 'no', 'yes']) await act(id, (await items(id))[0], 'proceed', { fields: { ok } });
    await open(`workflows/${id}`);
    await page.getByText('3 times').first().waitFor();
    // Any round can be looked at, and stands in the address.
    await page.getByRole('button', { name: 'The round before' }).click();
    await page.getByText('round 2 of 3').waitFor();
    await page.waitForURL(/sel=0_0_0!/);
    await page.getByRole('button', { name: 'The next round' }).click();
    await page.getByText('round 3', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Speed of playing: 1×' }).click();
    await page.getByRole('button', { name: 'Speed of playing: 10×' }).waitFor();
    await page.getByRole('button', { name: /^by entry/ }).click();
    await page.waitForURL(/axis=time/);
    await isWell();
    await page.getByRole('tab', { name: 'JSON' }).click();
    const json = page.getByRole('region', { name: 'The workflow as JSON' });
    await json.getByRole('searchbox').fill('author');
    await json.getByText(/^1 of \d/).waitFor();
    await json.getByRole('button', { name: 'ok', exact: true }).click();
    await json.getByRole('button', { name: 'Copy path as ${ok}' }).waitFor();
    await isWell();
    await page.getByRole('tab', { name: 'Diagram' }).click();
    await page.keyboard.press('o');
    await page.getByRole('treegrid').waitFor();
    await isWell();
    await page.keyboard.press('t');
    await page.getByRole('img', { name: /^author: 3 expressions, 3 over/ }).waitFor();
    await isWell();
    await page.keyboard.press('h');
    await page.getByText('author proceeded').first().waitFor();
    await isWell();
    // A moment of the past by keys: the picture is of then, what acts is off, and the address says which.
    await page.keyboard.press('d');
    for (let back = 0; back < 4; back++) await page.keyboard.press('[');
    await page.getByText('Actions act on now.').waitFor();
    // Of moves that come fast the address names the last one, a moment later.
    const numbers = async () => (/#(\d+) of (\d+)/.exec(await page.locator('.scrubber').innerText()) ?? []).map(Number);
    await expect.poll(async () => (await numbers()).slice(1).reduce((n, last) => last - n)).toBe(4);
    await page.waitForURL(new RegExp(`at=${(await numbers())[1]}(&|$)`));
    await isWell();
    const link = page.url();
    // What happens meanwhile is counted, and moves nobody who looks at the past.
    await act(id, (await items(id))[0], 'proceed');
    await page.getByRole('button', { name: /^Live \+\d/ }).waitFor();
    expect(page.url()).toBe(link);
    await page.reload();
    await page.getByText('Actions act on now.').waitFor();
    await page.getByRole('link', { name: 'Launch again…' }).first().waitFor();
    await page.keyboard.press('l');
    await page.locator('h1', { hasText: 'completed' }).waitFor();
  });

  test('an order is seen alive: two lanes at once, a merge, one road of two, and the end', async () => {
    const id = await launch(order, { customer: 'Ada', in_stock: true, creditworthy: true });
    const at = (participant: string, state: string) =>
      page.locator(`.place.${state}`, { has: page.locator('.head b', { hasText: participant }) }).last();
    const proceed = async (participant: string): Promise<void> => {
      await act(
        id,
        (await items(id)).find((one) => one.participant === participant),
        'proceed',
      );
    };
    await open(`workflows/${id}`);
    await page.getByText('0 of 2 have replied').waitFor();
    await at('stock', 'waits').waitFor();
    await at('credit', 'waits').waitFor();
    // Whoever is asked has a pin with how long it has been.
    await at('stock', 'waits').locator('.pin').first().waitFor();
    await proceed('stock');
    await page.getByText('1 of 2 have replied').waitFor();
    await at('stock', 'done').waitFor();
    await act(id, (await items(id))[0], 'proceed', { fields: { limit: 500 } });
    await at('shipping', 'waits').waitFor();
    await at('sales', 'skipped').waitFor();
    await isWell();
    await proceed('shipping');
    await page.locator('h1', { hasText: 'completed' }).waitFor();
    await at('shipping', 'done').waitFor();
    // Who set each field: the launch, and one of the two that were asked at once.
    await page.getByRole('tab', { name: 'Fields' }).first().click();
    const line = (name: string) => page.locator('.told-line', { hasText: name });
    await line('limit: 500').getByText('credit').waitFor();
    await line('customer: "Ada"').getByText('launch').waitFor();
  });

  test('what has run is run again from a moment of its past; what is over is launched again with what it had', async () => {
    const id = await launch("define back\n  sequence tag: 'all'\n    alice task: 'first'\n    bob task: 'second'", {
      order: 17,
    });
    await act(id, (await items(id))[0], 'proceed');
    const { history } = (await send(server.url, 'GET', `/v1/workflows/${id}/history`)).json<{
      history: readonly { readonly n: number; readonly kind: string }[];
    }>();
    const asked = history.find(({ kind }) => kind === 'workitem.opened')?.n;
    await open(`workflows/${id}?at=${asked}&sel=0_0`);
    await page.getByText('Actions act on now.').waitFor();
    await page.getByRole('button', { name: '↻ Replay from here…' }).click();
    await page.getByRole('dialog').getByText('Told to stop: bob').waitFor();
    await isWell();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay', exact: true }).click();
    await expect.poll(async () => (await items(id)).map(({ participant }) => participant)).toEqual(['alice']);
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a walk' });
    await open(`workflows/${id}`);
    await page.getByRole('link', { name: 'Launch again…' }).first().click();
    await expect.poll(() => page.getByLabel('Fields').inputValue()).toContain('17');
    await page.getByRole('button', { name: 'Launch', exact: true }).click();
    await page.locator('h1', { hasText: 'running' }).waitFor();
    expect(page.url()).not.toContain(id);
    // Or from any of its places: with the same callbacks, and linked to what it is another try of.
    await open(`workflows/${id}?at=${asked}&sel=0_0`);
    await page.getByRole('button', { name: 'Launch again from here…' }).click();
    await expect.poll(() => page.getByRole('dialog').getByLabel('Fields').inputValue()).toContain('17');
    await page.getByRole('dialog').getByRole('button', { name: 'Launch', exact: true }).click();
    await page.getByText('another try of').waitFor();
    const other = page.url().split('/').at(-1) ?? '';
    expect((await items(other)).map(({ participant }) => participant)).toEqual(['alice']);
    await open(`workflows/${id}`);
    await page.getByText('launched again as').waitFor();
    await page.locator(`a[title="${other}"]`).click();
    await page.getByText('another try of').waitFor();
  });

  test('who waits for which event is listed with when it gives up, and leads to its place', async () => {
    const id = await launch("define paid\n  await event: 'payment.completed', key: 'ORD-1', timeout: '5m'");
    await launch("define sent\n  await event: 'parcel.sent'");
    await open('');
    await page.getByRole('link', { name: 'Waiting', exact: true }).click();
    await page.getByRole('row', { name: /parcel\.sent.*any.*never/ }).waitFor();
    await page.getByRole('row', { name: /payment\.completed.*ORD-1.*in [45] m/ }).waitFor();
    await isWell();
    await page.getByLabel('Event').fill('payment.completed');
    await page.getByLabel('Event').press('Enter');
    await page.waitForURL(/type=payment\.completed/);
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
    await page.locator('tbody tr').getByRole('link', { name: '0_0', exact: true }).click();
    await page.waitForURL(new RegExp(`${id}.*sel=0_0`));
  });

  test('a list of a thousand is read page by page, says how many there are, and lets new ones wait', async () => {
    const MANY = 1_050;
    const [BAD, WORSE] = [500, 8];
    const many = {
      workflow:
        "define many\n  error 'no box left', if: '${bad} == yes'\n  error 'none has come', if: '${worse} == yes'\n",
      callback: `${server.url}/v1/playground/participants/someone`,
    };
    for (let from = 0; from < MANY; from += 150)
      await Promise.all(
        Array.from({ length: 150 }, (_, i) =>
          postJson(server.url, '/v1/workflows', {
            ...many,
            fields: { bad: from + i < BAD ? 'yes' : 'no', worse: from + i < WORSE ? 'yes' : 'no' },
          }),
        ),
      );
    await open('workflows?name=many');
    await page.getByText('1,050 match').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(100);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(200);
    await isWell();
    await postJson(server.url, '/v1/workflows', many);
    await page.getByRole('button', { name: '▲ 1 new: show' }).click();
    await page.getByText('1,051 match').waitFor();

    // Five hundred of them are repaired at once; a reload in between changes nothing, and what came back is told.
    await open('errors?name=many');
    await page.getByRole('button', { name: /^500 errors of .*: show$/ }).click();
    await page.getByRole('button', { name: '↻ Replay all…' }).click();
    await page.getByRole('dialog').getByText('500 errors').waitFor();
    const replay = page.getByRole('dialog').getByRole('button', { name: 'Replay 500' });
    expect(await replay.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('dialog').getByLabel('Type 500 to go on').fill('500');
    await replay.click();
    await page.waitForURL(/\/batches\//);
    await page.reload();
    await page.getByText('500 in all: 500 done').waitFor();
    await page.getByText('8 of 500 done are in error now').waitFor();
    // One that goes slowly is stopped half-way: what is done stays done.
    await open('errors?name=many');
    await page.getByRole('button', { name: /^8 errors of .*: show$/ }).click();
    await page.getByRole('button', { name: '↻ Replay all…' }).click();
    await page.getByRole('dialog').getByLabel('Spread over minutes').fill('5');
    await page.getByRole('dialog').getByText('At most 1 in a second.').waitFor();
    await page.getByRole('button', { name: 'Replay 8' }).click();
    await page.getByText(/8 in all: [1-7] done/).waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('h1', { hasText: 'stopped' }).waitFor();
    await page.getByText(/8 in all: [1-7] done · 0 failed · 0 skipped · [1-7] left/).waitFor();
    await isWell();
  });

  test('two moments of a workflow stand side by side, with what differs between them', async () => {
    const id = await launch('define twice\n  alice\n  bob');
    await act(id, (await items(id))[0], 'proceed');
    await open(`workflows/${id}/compare?a=4`);
    await page.getByRole('row', { name: /alice.*done/ }).waitFor();
    await page.getByRole('row', { name: /bob.*to come.*waits/ }).waitFor();
    await isWell();
  });

  test('what is tried in vain shows its tries, and a place is run again with another tree', async () => {
    // Whoever is asked says why it cannot, until it can.
    const shut = createServer((_, to) => to.writeHead(503, { 'Content-Type': 'text/plain' }).end('closed for lunch'));
    await new Promise<void>((resolve) => shut.listen(0, '127.0.0.1', resolve));
    const answer = await postJson(server.url, '/v1/workflows', {
      workflow: "define vain\n  alice task: 'never reached'",
      callback: `http://127.0.0.1:${(shut.address() as AddressInfo).port}/nobody`,
      // Only the clock of the test, and a hand, lead from try to try.
      retry: { delays: [600, 600, 600, 600, 600, 600] },
    });
    const { id } = answer.json<{ id: string }>();
    await open('deliveries?participant=alice&answer=5xx');
    await expect.poll(() => page.getByRole('link', { name: 'alice' }).count()).toBe(1);
    // Whatever the filters show can be tried at once.
    await page.getByRole('button', { name: 'Try all that match now…' }).click();
    await page.getByRole('dialog').getByText('1 workitems').waitFor();
    await isWell();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('link', { name: 'alice' }).click();
    await page.getByRole('heading', { name: 'Tries 1' }).waitFor();
    await page.getByRole('img', { name: /^1 tries over .*, 1 of them failed; the next in/ }).waitFor();
    await page.getByText('closed for lunch').waitFor();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByRole('heading', { name: 'Tries 2' }).waitFor();
    await expect
      .poll(
        async () => {
          await postJson(server.url, '/v1/test/clock', { advance: 900 });
          return statusOf(id);
        },
        { timeout: 60_000 },
      )
      .toBe('error');
    await open('deliveries?state=spent');
    await page.getByRole('link', { name: 'alice' }).click();
    await page.getByRole('heading', { name: 'Tries 7' }).waitFor();
    await page.getByRole('button', { name: 'Copy as curl (unsigned)' }).waitFor();
    await isWell();
    shut.closeAllConnections();
    shut.close();
    await open(`workflows/${id}?sel=0_0&tab=tries`);
    await page.getByRole('cell', { name: '7' }).first().waitFor();
    await page.getByRole('tab', { name: 'What' }).click();
    await page.getByRole('button', { name: '✎ Edit tree', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.getByLabel('Tree', { exact: true }).inputValue()).toContain('alice');
    await dialog.getByLabel('Tree', { exact: true }).fill("set 'f:repaired': true");
    await dialog.getByText('Changed: it runs with this tree').waitFor();
    // What comes of it is computed by the server, with the tree that would be sent.
    await dialog.getByText(/then the workflow is/).waitFor();
    await isWell();
    // What changes is told place by place, and can be undone.
    await dialog.getByText('changed').first().waitFor({ state: 'attached' });
    await dialog.getByRole('button', { name: 'Undo', exact: true }).click();
    await expect.poll(() => dialog.getByLabel('Tree', { exact: true }).inputValue()).toContain('alice');
    await dialog.getByRole('button', { name: 'Redo', exact: true }).click();
    await expect.poll(() => dialog.getByLabel('Tree', { exact: true }).inputValue()).toContain('repaired');
    await dialog.getByLabel('Reason').fill('nobody is there');
    await expect.poll(() => dialog.getByRole('button', { name: 'Reapply' }).getAttribute('aria-disabled')).toBe(null);
    await dialog.getByRole('button', { name: 'Reapply' }).click();
    await page.locator('h1', { hasText: 'completed' }).waitFor();
    const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ fields: object }>();
    expect(shown.fields).toMatchObject({ repaired: true });
  });

  test('one branch is paused while the other goes on, a place is stopped at, and an edit outlives what it was of', async () => {
    const id = await launch('define lanes\n  concurrence\n    sequence\n      alice\n      carol\n      erin\n    bob');
    const place = (name: string, expid: string) => page.locator(`.place [data-expid="${expid}"]`, { hasText: name });
    await open(`workflows/${id}?sel=0_0_0_1`);
    await page.getByRole('button', { name: '‖ Stop here' }).click();
    await page.getByRole('button', { name: 'Lift the stop' }).waitFor();
    await act(
      id,
      (await items(id)).find(({ participant }) => participant === 'alice'),
      'proceed',
    );
    await page.getByRole('button', { name: '▶ Go on' }).waitFor();
    await isWell();
    expect((await items(id)).map(({ participant }) => participant)).toEqual(['bob']);
    await page.getByRole('button', { name: '▶ Go on' }).click();
    await expect.poll(async () => (await items(id)).length).toBe(2);
    // Its edit is kept when it moves on meanwhile, and is offered to what is around it.
    await place('carol', '0_0_0_1').click();
    await page.getByRole('button', { name: '✎ Edit tree', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await expect.poll(() => dialog.getByLabel('Tree', { exact: true }).inputValue()).toContain('carol');
    await dialog.getByLabel('Tree', { exact: true }).fill("dave task: 'instead'");
    await expect.poll(() => dialog.getByRole('button', { name: 'Reapply' }).getAttribute('aria-disabled')).toBe(null);
    watched.expect(404);
    await act(
      id,
      (await items(id)).find(({ participant }) => participant === 'carol'),
      'proceed',
    );
    await dialog.getByRole('button', { name: 'Reapply' }).click();
    await dialog.getByText(/^It moved on at #\d+; your edit is kept\./).waitFor();
    await isWell();
    await dialog.getByRole('button', { name: 'Apply it to sequence instead' }).click();
    await expect.poll(() => dialog.getByLabel('Tree', { exact: true }).inputValue()).toContain("dave task: 'instead'");
    await dialog.getByText('Told to stop: erin').waitFor();
    await dialog.getByRole('button', { name: 'Reapply' }).click();
    const asked = async (): Promise<readonly string[]> =>
      (await items(id)).map(({ participant }) => participant).sort();
    await expect.poll(asked).toEqual(['alice', 'bob']);
    // One place is cancelled: who is told stands in the dialog.
    await place('bob', '0_0_1').click();
    await page.getByLabel('More about bob').click();
    await page.getByRole('button', { name: 'Cancel this…' }).click();
    await dialog.getByText('Told to stop: bob').waitFor();
    await dialog.getByRole('button', { name: 'Cancel it' }).click();
    await expect.poll(asked).toEqual(['alice']);
  });

  test('a form is made of a schema, says what is wrong where it is, and sends what its fields mean', async () => {
    const form = {
      type: 'object',
      required: ['amount', 'verdict'],
      properties: {
        amount: { type: 'integer', title: 'Amount', minimum: 1 },
        verdict: {
          oneOf: [
            { const: 'y', title: 'Yes' },
            { const: 'n', title: 'No' },
          ],
        },
        lines: { type: 'array', title: 'Lines', items: { type: 'string' } },
        odd: { type: 'string', contentEncoding: 'base64' },
      },
    };
    const id = await launch(
      JSON.stringify(['define', { name: 'formed' }, [['clerk2', { task: 'fill in', form }, []]]]),
    );
    await open('worklist?participant=clerk2');
    await page.getByRole('link', { name: 'clerk2' }).click();
    await page.getByLabel('Amount').fill('0');
    await page.getByText('for a form has no field for “contentEncoding”').waitFor();
    await isWell();
    await page.getByRole('button', { name: 'Proceed' }).click();
    await page.getByText(/things? (is|are) not right yet/).waitFor();
    await isWell();
    await page.getByLabel('Amount').fill('7');
    await page.getByLabel('verdict').selectOption({ label: 'Yes' });
    await page.getByRole('button', { name: 'Add one' }).click();
    await page.getByLabel('Lines 1').fill('a lamp');
    // Somebody else changes it meanwhile: what is mine and what is theirs stand beside each other.
    const [item] = await items(id);
    await send(server.url, 'PATCH', `/v1/workflows/${id}/workitems/${item?.id}`, {
      headers: { 'Content-Type': 'application/json', 'If-Match': '*' },
      body: JSON.stringify({ fields: { amount: 99 } }),
    });
    await page.getByText('Somebody else has changed this workitem').waitFor();
    await page.getByLabel('amount: mine').check();
    await isWell();
    await page.getByRole('button', { name: 'Go on with these' }).click();
    await page.getByRole('button', { name: 'Proceed' }).click();
    await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('completed');
    const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ fields: object }>();
    expect(shown.fields).toMatchObject({ amount: 7, verdict: 'y', lines: ['a lamp'] });
  });

  test('a person has the form that is registered, claims the workitem, and hands it back', async () => {
    const form = { type: 'object', properties: { verdict: { type: 'string', title: 'Verdict' } } };
    await send(server.url, 'PUT', '/v1/participants/judge', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'person', form }),
    });
    const launched = await postJson(server.url, '/v1/workflows', { workflow: 'define judged\n  judge', callbacks: {} });
    const { id } = launched.json<{ id: string }>();
    await open('worklist?participant=judge');
    await page.getByRole('link', { name: 'judge' }).click();
    await page.getByLabel('Verdict').fill('guilty');
    await page.getByRole('button', { name: 'Claim it' }).click();
    await page.getByText('Claimed by console').waitFor();
    await isWell();
    await page.getByRole('button', { name: 'Proceed' }).click();
    await expect.poll(() => statusOf(id), { timeout: 30_000 }).toBe('completed');
    const shown = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{ fields: object }>();
    expect(shown.fields).toMatchObject({ verdict: 'guilty' });
    await open('participants');
    await page.getByRole('link', { name: 'judge' }).last().click();
    await page.getByRole('button', { name: 'Edit…' }).click();
    const keys = page.getByRole('dialog').getByLabel('Its keys');
    await keys.fill(JSON.stringify({ kind: 'person', form, description: 'decides' }));
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('decides').waitFor();
    await isWell();
    // A workitem that is cancelled while it is open says so at once.
    const other = (
      await postJson(server.url, '/v1/workflows', { workflow: 'define judged\n  judge', callbacks: {} })
    ).json<{ id: string }>().id;
    watched.expect(400);
    watched.expect(404);
    await open(`worklist/${(await items(other))[0]?.id}`);
    await page.getByLabel('Verdict').fill('half a word');
    await postJson(server.url, `/v1/workflows/${other}/kill`, { reason: 'a walk' });
    await page.getByText('This workitem is gone').waitFor();
    await page.getByText('half a word').waitFor();
    await isWell();
  });

  test('the editor complains at the line, says one tree in three formats, reads Ruby, and begins with recipes', async () => {
    await open('definitions/edit');
    const text = page.getByRole('textbox', { name: /^Definition/ });
    await text.waitFor();
    const written = (): Promise<string> => text.innerText();
    await rewrite('define x\n  alice');
    await page.getByText('Participants: alice').waitFor();
    await isWell();
    await page.getByRole('button', { name: 'XML', exact: true }).click();
    await expect.poll(written).toContain('<alice');
    await page.getByRole('button', { name: 'JSON', exact: true }).click();
    await expect.poll(written).toContain('"alice"');
    await page.getByRole('button', { name: 'Radial', exact: true }).click();
    await expect.poll(written).toMatch(/^define/);
    await page.getByRole('button', { name: 'XML', exact: true }).click();
    await expect.poll(written).toContain('<alice');
    // What a format cannot say it says, and the text stays.
    watched.expect(400);
    await rewrite('["define", {}, [["two words", {}, []]]]');
    await page.getByText('Participants: two words').waitFor();
    await page.getByRole('button', { name: 'Radial', exact: true }).click();
    await page.getByText(/radial cannot say it/).waitFor();
    expect(await written()).toContain('two words');
    await rewrite('<define><alice></define>');
    await page
      .getByRole('button', { name: /^line 1, column/ })
      .first()
      .waitFor();
    await isWell();
    await rewrite("Ruote.define :name => 'old' do\n  bob :task => 'read it'\nend");
    await page.getByRole('button', { name: 'Convert to Radial' }).click();
    await expect.poll(written).toMatch(/^define/);
    expect(await written()).not.toContain('Ruote');
    await page.getByLabel('Begin with a template').selectOption({ index: 3 });
    await page.waitForURL(/recipe=/);
    await expect.poll(written).toContain('docs/cookbook.md');
  });

  test('a version that is saved in the editor keeps what is stored beside its text', async () => {
    const callbacks = { alice: `${server.url}/v1/playground/participants/alice` };
    await send(server.url, 'PUT', '/v1/definitions/shop/kept', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ definition: 'define kept\n  alice', callbacks }),
    });
    await open('definitions/shop/kept');
    await page.getByRole('link', { name: 'Edit…' }).click();
    await page.getByText('Participants: alice').waitFor();
    await rewrite('define kept\n  alice\n  alice');
    // Somebody else saves one meanwhile.
    await send(server.url, 'PUT', '/v1/definitions/shop/kept', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ definition: 'define kept\n  alice\n  bob', callbacks }),
    });
    watched.expect(412);
    await page.keyboard.press('Control+s');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/^Somebody else saved a version since/).waitFor();
    await isWell();
    await page.getByLabel('Save mine as the newest all the same').check();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForURL(/version=3/);
    await whole(page);
    await isWell();
    const stored = (await send(server.url, 'GET', '/v1/definitions/shop/kept')).json();
    expect(stored).toMatchObject({ version: 3, callbacks, definition: 'define kept\n  alice\n  alice' });
  });

  test('two versions are compared line by line; which definitions are busy, and whose turn it is, is told', async () => {
    const put = (text: string) =>
      send(server.url, 'PUT', '/v1/definitions/compared', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ definition: text }),
      });
    await put('define compared\n  alice');
    await put('define compared\n  alice\n  carol');
    await open('definitions/compared');
    await page.getByRole('link', { name: 'Compare' }).click();
    const changes = page.getByRole('region', { name: 'From version 1 to version 2' });
    await changes.getByText('1 lines added, 0 gone').waitFor();
    expect(await changes.locator('.diff-added').innerText()).toBe('+   carol');
    await changes.getByRole('button', { name: /carol, added/ }).waitFor();
    await isWell();
    await page.reload();
    await changes.waitFor();
    await changes.getByRole('button', { name: 'Text alone' }).click();
    await page.getByText('define compared').waitFor();

    const id = await launch('define compared\n  alice', { order: 17 });
    const stored = await postJson(server.url, '/v1/workflows', {
      workflow: 'define compared\n  alice\n  carol',
      callback: `${server.url}/v1/playground/participants/someone`,
    });
    expect(stored.status).toBe(201);
    await open('definitions/compared');
    await page.getByText(/1 live workflow of the active version stands/).waitFor();
    await page.locator('.place.leaf.live', { hasText: 'alice' }).waitFor();
    await isWell();
    await page.goto(`${server.url}/console/definitions/compared?a=1&b=2`);
    await changes.getByRole('link', { name: '1 live workflow runs version 2' }).waitFor();
    await postJson(server.url, `/v1/workflows/${stored.json<{ id: string }>().id}/kill`, { reason: 'a walk' });
    await open('');
    await page.getByRole('region', { name: 'Busiest definitions' }).getByRole('link', { name: 'compared' }).click();
    await page.getByRole('cell', { name: 'alice' }).waitFor();
    await page.getByRole('button', { name: 'More filters' }).click();
    await page.getByLabel('Field').fill('order=17');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByText(/^Looked into workflows back to .*, found 1\.$/).waitFor();
    await isWell();
    await page.getByRole('link', { name: 'compared' }).click();
    await page.waitForURL(new RegExp(id));
  });

  test('a workflow of BPMN is a diagram with its tokens, and a list that says the same', async () => {
    const diagram = readFileSync(
      join(import.meta.dirname, '../bpmn/cases/lib-bpmn-engine/ordering-items-workflow.bpmn'),
      'utf8',
    );
    const id = await launch(diagram);
    await open(`workflows/${id}`);
    const where = page.getByRole('list', { name: 'Where tokens are' });
    const { shapes } = (await send(server.url, 'GET', `/v1/workflows/${id}/diagram.json`)).json<{
      shapes: readonly { readonly id: string; readonly label: string }[];
    }>();
    const called = (one: Item | undefined): string =>
      shapes.find((shape) => shape.id === one?.participant)?.label ?? '';
    const [item] = await items(id);
    await where.getByRole('button', { name: `${called(item)} 1 live` }).waitFor();
    const picture = page.getByRole('img', { name: /^Diagram\. / });
    await expect
      .poll(() => picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 300))
      .toBe(true);
    await isWell();
    await act(id, item, 'proceed', {});
    await where.getByRole('button', { name: `${called(item)} 1 done` }).waitFor();
    const [next] = await items(id);
    // An element is chosen in the picture.
    await page.locator(`.bpmn-shape[aria-label^="${called(next)},"]`).click();
    await page.waitForURL(/sel=/);
    await page.getByRole('complementary').getByText('active').first().waitFor();
    await isWell();
  });

  test('a rehearsal runs in the browser alone: its participants are played, its clock is moved', async () => {
    await open('definitions/edit');
    await rewrite("define late\n  alice task: 'answer', timeout: '2d', on_timeout: 'boss'\n  clerk");
    await page.getByText('Participants: alice').waitFor();
    await page.getByRole('button', { name: 'Rehearse' }).click();
    await page.getByRole('button', { name: 'Begin', exact: true }).click();
    await page.getByRole('article', { name: 'alice is asked' }).waitFor();
    await isWell();
    await page.getByRole('button', { name: /^To the next timer \(2 d/ }).click();
    await page.getByRole('article', { name: 'boss is asked' }).getByRole('button', { name: 'Proceed' }).click();
    await page.getByRole('article', { name: 'clerk is asked' }).getByRole('button', { name: 'Proceed' }).click();
    await page.getByText('It is over: completed.').waitFor();
    await isWell();
    // Who is in the script answers without a hand, when it is time; the rest is still played.
    await page.getByText('Fields and answers to begin with').click();
    await page.getByLabel('Scripted answers').fill('{"alice":[{"proceed":{},"after":3600}]}');
    await page.getByRole('button', { name: 'Begin again' }).click();
    await page.getByRole('button', { name: 'To the next timer (1 h)' }).click();
    await page.getByRole('article', { name: 'clerk is asked' }).waitFor();
    await isWell();
  });

  test('texts of strangers are only ever texts, wherever they are shown', async () => {
    const HOSTILE = [
      '<img src=x onerror=alert(1)>',
      'javascript:alert(1)',
      '\u202egnp.exe',
      '\u001b[2J',
      `'"\`$(id)`,
      '@/etc/passwd',
    ];
    const fields = { ...Object.fromEntries(HOSTILE.map((one, i) => [one, HOSTILE[i]])), long: 'x'.repeat(300_000) };
    const tree = [
      'define',
      { name: HOSTILE[0] },
      [['participant', { ref: HOSTILE[1], task: HOSTILE[2], tag: HOSTILE[4] }, []]],
    ];
    const id = await launch(JSON.stringify(tree), fields);
    const [item] = await items(id);
    await act(id, item, 'fail', { message: HOSTILE[0], class: 'Hostile' });
    watched.expect(404);
    let dialogs = 0;
    page.on('dialog', (dialog) => {
      dialogs += 1;
      void dialog.dismiss();
    });
    for (const path of [
      `workflows/${id}`,
      `workflows/${id}?view=fields`,
      `workflows/${id}?view=json`,
      `workflows/${id}?view=history&show=all`,
      'workflows',
      'errors?class=Hostile',
      `worklist/${item?.id}`,
      'deliveries',
      `deliveries/msg_${item?.id}_active`,
      'participants',
      `participants/${encodeURIComponent(HOSTILE[1] ?? '')}`,
      'definitions',
      `workflows/${id}?view=outline`,
      'errors?by=participant',
      `workflows/${id}?view=timeline`,
      `batches`,
      `workflows/${id}/compare?a=1&b=5`,
      'timers',
      `workflows/new?from=${id}`,
    ]) {
      await open(path);
      expect(await page.locator('main img, main script').count(), path).toBe(0);
      expect(await page.locator('a[href^="javascript:" i]').count(), path).toBe(0);
    }
    await open(`workflows/${id}`);
    await page.getByText('‹202E›').first().waitFor();
    expect(dialogs).toBe(0);
    await isWell();
  });

  test('a stream is taken over by another tab, and a newer version is told', async () => {
    const { page: one, ...rest } = await openPage(browser);
    const context = one.context();
    await one.clock.install();
    const other = await context.newPage();
    for (const tab of [one, other]) {
      await tab.goto(`${server.url}/console/workflows?name=streamed`);
      await whole(tab);
      await tab.getByText('● Live').waitFor();
    }
    // A page that nothing happens to asks for nothing.
    // (What happened before its stream was open is read a second later.)
    await one.clock.runFor(2_000);
    const asked: string[] = [];
    one.on('request', (request) => asked.push(request.url()));
    await one.clock.runFor(30_000);
    expect(asked).toEqual([]);
    await one.close();
    await launch('define streamed\n  alice');
    await other.getByRole('button', { name: /1 new: show/ }).click();
    await other.getByRole('link', { name: 'streamed' }).waitFor();
    await other.route('**/v1/workflows?*', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, headers: { ...answer.headers(), 'rota-version': '99.0.0' } });
    });
    await launch('define streamed\n  bob');
    await other.getByText('A newer version runs here.').waitFor();
    expect(rest.troubles.filter((trouble) => trouble.startsWith('policy'))).toEqual([]);
    await context.close();
  });
});

describe.runIf(program !== null)(
  'where callers are asked who they are, behind a proxy with a path',
  { timeout: 120_000 },
  () => {
    const admin = makeKey().text;
    let server: Running;
    let proxy: Server;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let root = '';
    let watched: Watched;
    let folder = '';
    const begin = (): Promise<Running> => startServer({ ADMIN_KEY: admin, BASE_URL: root, DATA_DIR: folder });
    /** The way to the server is cut: the proxy says so to whoever asks. */
    let isCut = false;
    beforeAll(async () => {
      buildConsole();
      proxy = createServer((from, to) => {
        if (isCut) {
          to.writeHead(503).end();
          return;
        }
        const path = (from.url ?? '').replace(/^\/rota/, '');
        const onward = ask(new URL(path, server.url), { method: from.method, headers: from.headers }, (answer) => {
          to.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(to);
        });
        onward.on('error', () => to.destroy());
        to.on('close', () => onward.destroy());
        from.pipe(onward);
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      root = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/rota`;
      folder = mkdtempSync(join(tmpdir(), 'rota-walks-'));
      readyFolder(folder);
      server = await begin();
      browser = await sharedBrowser();
      watched = await openPage(browser);
      page = watched.page;
      context = page.context();
      page.setDefaultTimeout(60_000);
    }, 180_000);
    afterAll(async () => {
      await context?.close();
      proxy?.closeAllConnections();
      proxy?.close();
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    }, 60_000);

    const auth = { Authorization: `Bearer ${admin}` };
    const keyWith = async (...scopes: readonly string[]): Promise<{ readonly id: string; readonly key: string }> =>
      (await postJson(server.url, '/v1/keys', { name: scopes.join(' '), scopes }, auth)).json();
    const signIn = async (key: string): Promise<void> => {
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    };
    const isWell = async (): Promise<void> => {
      expect((await axe(page)).join('\n')).toBe('');
      expect(watched.troubles.filter((trouble) => !trouble.startsWith('401'))).toEqual([]);
    };

    test('one signs in with a key, does what its scopes allow, and loses nothing that was typed when the session ends', async () => {
      watched.expect(401);
      const launched = await postJson(
        server.url,
        '/v1/workflows',
        { workflow: "define desk\n  clerk task: 'decide'", callback: 'http://127.0.0.1:9/', fields: { note: 'first' } },
        auth,
      );
      const { id } = launched.json<{ id: string }>();
      const operator = await keyWith('operate');
      await page.goto(`${root}/console/worklist?participant=clerk`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await isWell();
      await signIn(`${operator.key.slice(0, -1)}x`);
      await page.getByText('credentials_invalid').waitFor();
      await signIn(operator.key);
      await page.waitForURL(/\/rota\/console\/worklist\?participant=clerk/);
      await page.getByRole('link', { name: 'clerk' }).click();
      await page.getByLabel('note').fill('typed before the end');
      await isWell();
      expect(await context.cookies()).toMatchObject([{ name: 'rota', httpOnly: true, sameSite: 'Strict' }]);
      expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(operator.key);

      await postJson(server.url, `/v1/keys/${operator.id}/revoke`, {}, auth);
      // Pressed past what may lie over it: the page looks for news by itself, and may have been asked who it is before.
      await page.getByRole('button', { name: 'Proceed' }).dispatchEvent('click');
      await page.getByRole('dialog', { name: 'Sign in again' }).waitFor();
      await isWell();
      await signIn((await keyWith('operate')).key);
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
      expect(await page.getByLabel('note').inputValue()).toBe('typed before the end');
      await page.getByRole('button', { name: 'Proceed' }).click();
      await expect
        .poll(async () => (await send(server.url, 'GET', `/v1/workflows/${id}`, { headers: auth })).json()['status'])
        .toBe('completed');
    });

    test('who only reads sees every action with what it needs; who administers makes keys and sees who did what', async () => {
      const { id } = (
        await postJson(
          server.url,
          '/v1/workflows',
          { workflow: 'define seen\n  alice', callback: 'http://127.0.0.1:9/' },
          auth,
        )
      ).json<{ id: string }>();
      // What was typed here and not sent goes with the session: that is asked first, and nothing is where nothing goes.
      await page.evaluate(`localStorage.setItem('rota.draft.open.default.item.note', Date.now() + ' half a sentence')`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      const parting = page.getByRole('dialog', { name: 'Sign out of this device' });
      await parting.getByText(/text that was not sent|texts that were not sent/).waitFor();
      await isWell();
      await parting.getByRole('button', { name: 'Stay' }).click();
      expect(await page.evaluate(`localStorage.getItem('rota.draft.open.default.item.note')`)).toContain('half');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await parting.getByRole('button', { name: 'Sign out and forget' }).click();
      await signIn((await keyWith('read')).key);
      expect(await page.evaluate(`localStorage.getItem('rota.draft.open.default.item.note')`)).toBeNull();
      await page.goto(`${root}/console/workflows/${id}`);
      const pause = page.getByRole('button', { name: 'Pause' });
      expect(await pause.getAttribute('aria-disabled')).toBe('true');
      expect(await pause.getAttribute('title')).toBe('needs the scope operate');
      await page.goto(`${root}/console/workflows/new?example=order`);
      const start = page.getByRole('button', { name: 'Launch', exact: true });
      await expect.poll(() => start.getAttribute('title')).toBe('needs the scope launch');
      watched.expect(403);
      await page.goto(`${root}/console/settings/keys`);
      await page.getByText('scope_missing').waitFor();
      await isWell();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await signIn(admin);
      await page.goto(`${root}/console/settings/keys`);
      await page.getByRole('button', { name: 'New key…' }).click();
      await page.getByRole('dialog').getByLabel('Name').fill('made here');
      await isWell();
      await page.getByRole('button', { name: 'Make it' }).click();
      await page
        .getByRole('dialog', { name: 'The new key' })
        .getByText(/^rota_/)
        .waitFor();
      await page.getByRole('button', { name: 'It is stored' }).click();
      const row = page.getByRole('row', { name: /made here/ });
      await row.getByRole('button', { name: 'Revoke…' }).click();
      await page.getByLabel('Type made here to go on').fill('made here');
      await page.getByRole('button', { name: 'Revoke it' }).click();
      await row.getByText('revoked').waitFor();
      await page.getByRole('link', { name: 'Audit' }).click();
      await page.getByRole('cell', { name: 'key.revoke' }).first().waitFor();
      await isWell();
    });

    test('a stream that is cut is told, and what was missed meanwhile is there when it is back', async () => {
      const launch = (name: string) =>
        postJson(
          server.url,
          '/v1/workflows',
          { workflow: `define ${name}\n  alice`, callback: `${server.url}/` },
          auth,
        );
      await page.clock.install();
      await page.goto(`${root}/console/workflows?name=missed`);
      if ((await page.getByLabel('API key').count()) > 0) await signIn(admin);
      await page.getByText('● Live').waitFor();
      // A moment is caught up with on the stream: nothing is missed, and nothing is asked every few seconds.
      proxy.closeAllConnections();
      await page.getByText(/Catching up/).waitFor();
      await launch('missed');
      await page.clock.fastForward(5_000);
      await page.getByText('● Live').waitFor();
      await page.getByRole('button', { name: /1 new: show/ }).click();
      await expect.poll(() => page.getByRole('link', { name: 'missed' }).count()).toBe(1);
      watched.expect(503);
      isCut = true;
      proxy.closeAllConnections();
      await page.getByText(/Catching up|Offline since/).waitFor();
      // After a minute it asks every few seconds instead, until the stream is back.
      await page.clock.fastForward(60_000);
      await page.getByText('○ Every 5 s').waitFor();
      await launch('missed');
      isCut = false;
      await page.getByRole('button', { name: /1 new: show/ }).click();
      await expect.poll(() => page.getByRole('link', { name: 'missed' }).count()).toBe(2);
      await page.getByText('● Live').waitFor();

      // A node that is gone is told, and another one in its place goes on with the page.
      proxy.closeAllConnections();
      await server.stop();
      await page.getByText(/Catching up|Offline since|Every 5 s/).waitFor();
      server = await begin();
      await launch('missed');
      await page.getByRole('button', { name: /1 new: show/ }).click();
      await expect.poll(() => page.getByRole('link', { name: 'missed' }).count()).toBe(3);
      await page.getByText('● Live').waitFor();
    });
  },
);
