import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABS, VIEWS } from '../../console/address/pages.ts';
import { type PageName, pageAt, SETTINGS } from '../../console/address/routes.ts';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';
import {
  axe,
  buildConsole,
  findChromium,
  openPage,
  scrollsSideways,
  startBrowser,
  uglyIn,
  visit,
  type Watched,
} from './support/browser.ts';

/* Every page of the list of pages in every look: a new one does not compile before it has an address here, and is looked at from then on. */

const program = findChromium();

/** Chips and buttons in sight without a border: where the system gives the colours they would be bare words. */
const BARE = `[...document.querySelectorAll('main .chip, main .button')]
  .filter((one) => one.checkVisibility() && getComputedStyle(one).borderTopStyle === 'none').map((one) => one.outerHTML.slice(0, 80))`;
/** Places of the picture and their states: where no hue is left, each has a sign. */
const SIGNLESS = `[...document.querySelectorAll('main .place .head')]
  .filter((one) => one.checkVisibility() && one.querySelector('svg') === null).map((one) => one.textContent.slice(0, 40))`;

describe.runIf(program !== null)('each page', { timeout: 240_000 }, () => {
  let server: Running;
  let browser: Browser;
  let addresses: readonly string[] = [];
  const ids = { crowd: '', done: '', paused: '', diagram: '', item: '', batch: '' };

  const launch = async (workflow: string, fields: object = {}): Promise<string> => {
    const callback = `${server.url}/v1/playground/participants/someone`;
    return (await postJson(server.url, '/v1/workflows', { workflow, callback, fields })).json<{ id: string }>().id;
  };
  const items = async (id: string): Promise<readonly { readonly id: string }[]> =>
    (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<{
      workitems: readonly { readonly id: string }[];
    }>().workitems;
  const act = (workflow: string, item: string, verb: string, body: object = {}) =>
    postJson(server.url, `/v1/workflows/${workflow}/workitems/${item}/${verb}`, body);
  const put = async (path: string, body: object): Promise<void> => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await send(server.url, 'PUT', path, { headers, body: JSON.stringify(body) });
    expect(answer.status, answer.text).toBeLessThan(300);
  };

  beforeAll(async () => {
    buildConsole();
    server = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '1,1' });
    browser = await startBrowser(program ?? '');
    const lines = Array.from({ length: 20 }, (_, i) => `lamp ${i + 1}`);
    ids.crowd = await launch(
      `define crowd\n  concurrence\n    alice task: 'look', timeout: '2d'\n    concurrent_iterator on_f: 'lines', to_v: 'line'\n      packer task: 'pack \${v:line}'\n  cursor\n    author\n    rewind unless: '\${ok} == yes'`,
      { lines, customer: 'Ada', order: { number: 17 } },
    );
    for (const { id } of (await items(ids.crowd)).slice(3, 5))
      await act(ids.crowd, id, 'fail', { message: 'no box is left', class: 'NoBox' });
    ids.done = await launch('define done\n  alice');
    await act(ids.done, (await items(ids.done))[0]?.id ?? '', 'proceed', { fields: { said: 'yes' } });
    ids.paused = await launch("define paused\n  await event: 'payment', key: 'ORD-1', timeout: '5d'");
    await postJson(server.url, `/v1/workflows/${ids.paused}/pause`, {});
    ids.diagram = await launch(
      readFileSync(join(import.meta.dirname, '../bpmn/cases/lib-bpmn-engine/ordering-items-workflow.bpmn'), 'utf8'),
    );
    const properties = {
      verdict: { title: 'Your verdict', enum: ['accept', 'refuse'] },
      by: { type: 'string', format: 'date', title: 'To be paid by' },
      lines: { type: 'array', title: 'Lines', items: { type: 'string' } },
      urgent: { type: 'boolean', title: 'It is urgent' },
    };
    const form = { type: 'object', required: ['verdict'], properties };
    const desk = await launch(JSON.stringify(['define', { name: 'desk' }, [['clerk', { task: 'decide', form }, []]]]), {
      lines: ['a lamp'],
    });
    ids.item = (await items(desk))[0]?.id ?? '';
    for (const definition of ['define orders\n  alice', 'define orders\n  alice\n  bob'])
      await put('/v1/definitions/shop/orders', {
        definition,
        description: 'From the basket to the parcel',
        triggers: [{ type: 'order.placed', key: 'web' }],
        schedules: [{ cron: '0 9 * * 1-5', paused: true }],
      });
    await put('/v1/participants/bank', { url: 'https://bank.example/rota', description: 'Collects money' });
    await postJson(server.url, '/v1/subscriptions', { url: 'https://hooks.example/rota', events: ['workflow.*'] });
    await postJson(server.url, '/v1/secrets', { kind: 'webhook', type: 'v1' });
    ids.batch = (
      await postJson(server.url, '/v1/batches', { action: 'pause', filter: { name: 'none' }, reason: 'closed' })
    ).json<{ id: string }>().id;
    await postJson(server.url, '/v1/test/clock', { advance: 0 });
    const of: { readonly [Name in PageName]: readonly string[] } = {
      home: [''],
      workflows: ['workflows', 'workflows?status=error', 'workflows?name=none', 'workflows?statsu=error'],
      launch: ['workflows/new', 'workflows/new?example=order', `workflows/new?from=${ids.crowd}`],
      compare: [`workflows/${ids.crowd}/compare?a=3`, `workflows/${ids.crowd}/compare?with=${ids.done}`],
      workflow: [
        ...VIEWS.map((view) => `workflows/${ids.crowd}?view=${view}`),
        ...TABS.map((tab) => `workflows/${ids.crowd}?view=diagram&sel=0_0_1&tab=${tab}`),
        `workflows/${ids.crowd}?view=diagram&at=5`,
        ...[ids.done, ids.paused, ids.diagram].map((id) => `workflows/${id}?view=diagram`),
        'workflows/20300101-0000-nosuch-workflow',
      ],
      worklist: ['worklist', `worklist/${ids.item}`, 'worklist?participant=nobody'],
      errors: ['errors', 'errors?by=class', 'errors?class=None'],
      deliveries: ['deliveries', `deliveries/msg_${ids.item}_active`, 'deliveries?state=spent'],
      timers: ['timers', 'timers?workflow=none'],
      waiting: ['waiting', 'waiting?type=none'],
      editor: ['definitions/edit', 'definitions/edit?name=shop/orders'],
      definition: ['definitions/shop/orders', 'definitions/shop/orders/diff?a=1&b=2', 'definitions/none'],
      definitions: ['definitions'],
      participants: ['participants'],
      participant: ['participants/bank', 'participants/packer'],
      playground: ['playground', `playground?workflow=${ids.crowd}`, 'playground/requests/1'],
      nodes: ['nodes'],
      batches: ['batches', `batches/${ids.batch}`],
      rehearse: ['rehearse'],
      signin: ['signin'],
      settings: ['settings', ...SETTINGS.map((part) => `settings/${part}`)],
    };
    for (const [name, all] of Object.entries(of))
      for (const one of all) expect(pageAt(`/${one.split('?')[0]}`), one).toBe(name);
    addresses = [...Object.values(of).flat(), 'nowhere'];
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, 60_000);

  const opened = async (options: Parameters<typeof openPage>[1]): Promise<Watched> => {
    const watched = await openPage(browser, options);
    watched.page.setDefaultTimeout(20_000);
    // What is asked for in vain on purpose.
    for (const status of [400, 404]) watched.expect(status);
    return watched;
  };
  /** What is wrong with each page, after its address. */
  const wrongIn = async (
    { page, troubles }: Watched,
    look: (page: Page) => Promise<readonly string[]>,
  ): Promise<readonly string[]> => {
    const wrong: string[] = [];
    for (const address of addresses) {
      await visit(page, server.url, address);
      const found = [...(await look(page)), ...troubles.splice(0)];
      wrong.push(...found.map((one) => `${address}: ${one}`));
    }
    return wrong;
  };

  test('has nothing that axe finds, in light and in dark, and no word that is cut or too small', async () => {
    const watched = await opened({});
    const wrong = await wrongIn(watched, async (page) => {
      await page.emulateMedia({ colorScheme: 'light' });
      const light = await axe(page);
      await page.emulateMedia({ colorScheme: 'dark' });
      const dark = await axe(page);
      return [...light, ...dark.map((one) => `in the dark: ${one}`), ...(await uglyIn(page, false))];
    });
    expect(wrong).toEqual([]);
    await watched.page.context().close();
  });

  // 320 px is what is left of 1,280 at 400 %.
  test('is whole on a telephone and at 320 px, without motion, and where the system gives the colours', async () => {
    const watched = await opened({ viewport: { width: 390, height: 820 }, hasTouch: true, isMobile: true });
    const wrong = await wrongIn(watched, async (page) => {
      const found = [...(await axe(page)), ...(await uglyIn(page, true))];
      const moving = Number(await page.evaluate('document.getAnimations().length'));
      if (moving > 0) found.push(`${moving} things move`);
      await page.setViewportSize({ width: 320, height: 640 });
      if (await scrollsSideways(page)) found.push('can be scrolled sideways at 320 px');
      await page.emulateMedia({ forcedColors: 'active' });
      if (await scrollsSideways(page)) found.push('can be scrolled sideways with forced colours');
      for (const script of [BARE, SIGNLESS])
        found.push(...((await page.evaluate(script)) as readonly string[]).map((one) => `bare: ${one}`));
      await page.emulateMedia({ forcedColors: 'none' });
      await page.setViewportSize({ width: 390, height: 820 });
      return found;
    });
    expect(wrong).toEqual([]);
    await watched.page.context().close();
  });

  test('opens dialogs that are whole, too, wide and on a telephone', async () => {
    const ways: readonly (readonly [address: string, button: string | RegExp])[] = [
      ['settings/keys', 'New key…'],
      ['settings/secrets', 'New secret…'],
      ['settings/secrets', 'Revoke…'],
      ['settings/subscriptions', 'New subscription…'],
      ['settings/subscriptions', 'Delete…'],
      ['definitions/shop/orders', 'Events and times…'],
      ['definitions/shop/orders', 'Delete…'],
      ['participants/bank', 'Edit…'],
      ['participants/bank', 'Delete…'],
      [`worklist/${ids.item}`, 'Give up…'],
      [`workflows/${ids.crowd}?view=outline`, '⊘ Cancel…'],
      [`workflows/${ids.crowd}?view=outline&sel=0_0_0`, '✎ Edit tree'],
      ['workflows', /^Find or paste/],
    ];
    const telephone = { viewport: { width: 390, height: 820 }, hasTouch: true, isMobile: true };
    for (const options of [{ colorScheme: 'dark' as const }, telephone]) {
      const watched = await opened(options);
      const { page } = watched;
      for (const [address, button] of ways) {
        const exact = typeof button === 'string';
        await visit(page, server.url, address);
        await page.getByRole('button', { name: button, exact }).first().click();
        await expect.poll(() => page.getByRole('dialog').count(), { message: `${address} ${button}` }).toBe(1);
        const wrong = [...(await axe(page)), ...(await uglyIn(page, false)), ...watched.troubles.splice(0)];
        expect(wrong, `${address} ${button}`).toEqual([]);
        await page.keyboard.press('Escape');
        await expect.poll(() => page.getByRole('dialog').count(), { message: `${address} ${button}` }).toBe(0);
      }
      await page.context().close();
    }
  });
});
