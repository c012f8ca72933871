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

/* Walks through the picture of a workflow: what hangs at boxes, what is drawn inside them, and how it is moved. */

const program = findChromium();

describe.runIf(program !== null)('the picture in a browser', { timeout: 120_000 }, () => {
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
  const act = async (id: string, participant: string, what: 'proceed' | 'fail', body: object = {}): Promise<void> => {
    const { workitems } = (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${id}`)).json<{
      workitems: readonly Item[];
    }>();
    const item = workitems.find((one) => one.participant === participant);
    await postJson(server.url, `/v1/workflows/${id}/workitems/${item?.id}/${what}`, body);
  };
  const place = (title: string) => page.locator('.place', { has: page.locator('.head b', { hasText: title }) });

  test('a handler hangs at the edge of its box, and says when it runs; the bar says how many are waited for', async () => {
    const id = await launch(`define handled
  concurrence count: 1, merge_type: 'mix'
    alice task: 'write', on_error: 'boss', on_timeout: 'clerk'
    bob`);
    await open(`workflows/${id}`);
    await page.locator('.wire-words', { hasText: '1 of 2, merge mix' }).waitFor();
    expect(await page.locator('.hanging').count()).toBe(2);
    expect(await page.locator('.hanging.runs').count()).toBe(0);
    await isWell();
    await act(id, 'alice', 'fail', { class: 'NoTime', message: 'not today' });
    await page.locator('.hanging.runs', { hasText: 'boss' }).waitFor();
    await place('alice').getByText('on error runs in its place').first().waitFor({ state: 'attached' });
    await isWell();
  });

  test('without colours each state still differs from each other one, in its glyph and in its border or its ground', async () => {
    const id = await launch('define states\n  alice');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await open(`workflows/${id}`);
      await place('alice').waitFor();
      // What can be seen of a border and a ground in grey: kinds of lines, how thick they are, and lightness in steps.
      const looks = (await page.evaluate(`(() => {
        const sheet = document.querySelector('.sheet > div');
        const one = document.querySelector('.place.leaf');
        const grey = (colour) => {
          const [r = 0, g = 0, b = 0, a = 1] = (colour.match(/[\\d.]+/g) ?? []).map(Number);
          return a === 0 ? 'none' : Math.round((0.3 * r + 0.59 * g + 0.11 * b) / 16);
        };
        return ['todo', 'live', 'waits', 'failed', 'cancelling', 'done', 'cancelled', 'skipped'].map((look) => {
          const box = one.cloneNode(true);
          box.className = 'place leaf ' + look;
          sheet.append(box);
          const { borderTopStyle, borderTopWidth, borderLeftStyle, borderLeftWidth, backgroundImage, backgroundColor } = getComputedStyle(box);
          const seen = [borderTopStyle, borderTopWidth, borderLeftStyle, borderLeftWidth, backgroundImage === 'none', grey(backgroundColor)];
          box.remove();
          return look + ': ' + seen.join(' ');
        });
      })()`)) as readonly string[];
      const borders = looks.map((one) => one.replace(/^\w+: /, ''));
      expect(new Set(borders).size, looks.join('\n')).toBe(looks.length);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    const drawn = readFileSync(join(import.meta.dirname, '../../console/parts/glyph.tsx'), 'utf8');
    const paths = ['to come', 'live', 'waits', 'failed', 'cancelling', 'done', 'cancelled', 'skipped'].map(
      (state) => new RegExp(`^  '?${state}'?: '(.*)',$`, 'm').exec(drawn)?.[1],
    );
    expect(paths).not.toContain(undefined);
    expect(new Set(paths).size).toBe(paths.length);
  });

  test('the arrow of a command is there while somebody looks at it, and once it was obeyed', async () => {
    const id = await launch("define again\n  cursor\n    alice\n    rewind if: '${f:again}'\n    bob");
    await open(`workflows/${id}`);
    const arrow = page.locator('[data-jump="0_0_1"]');
    await place('rewind').waitFor();
    expect(await arrow.count()).toBe(0);
    await place('rewind').hover();
    await arrow.waitFor();
    await page.locator('h1').hover();
    await arrow.waitFor({ state: 'detached' });
    // With the keys, too.
    await place('rewind').locator('.head').focus();
    await arrow.waitFor();
    await act(id, 'alice', 'proceed', { fields: { again: true } });
    await page.locator('h1').hover();
    await page.locator('[data-jump="0_0_1"]:not(.todo)').waitFor();
    await isWell();
  });

  test('what is called is shown inside its call, for that call, in the picture and in the outline', async () => {
    const id = await launch(`define main
  define review
    author task: 'write for \${v:who}'
    reviewer
  concurrence
    review who: 'alice'
    review who: 'bob'
  review who: 'carol'`);
    await open(`workflows/${id}`);
    // Both that live are open by themselves, and say for whom.
    await place('author').nth(1).waitFor();
    expect(await place('author').locator('.second, .caption').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringContaining('write for alice'), expect.stringContaining('write for bob')]),
    );
    await isWell();
    await page.getByRole('button', { name: 'Open review' }).click();
    await page.waitForURL(/open=0_2/);
    await page.locator('[data-expid="0_2_c0"]').waitFor();
    await act(id, 'author', 'proceed');
    await expect.poll(() => page.locator('.place.done', { hasText: 'author' }).count()).toBe(1);
    // A box of a body is chosen by its expression: a link to it leads to the same box.
    await page.locator('[data-expid="0_1_1_c0"]').click();
    await page.waitForURL(/sel=0_0_0!/);
    await expect.poll(() => page.locator('[data-expid="0_1_1_c0"]').getAttribute('aria-pressed')).toBe('true');
    const inspector = page.getByRole('complementary', { name: 'The chosen place' });
    await inspector.getByText('write for bob').waitFor();
    expect(await inspector.locator('[title="write for ${v:who}"]').count()).toBe(1);
    await inspector.getByText('In the call').waitFor();
    // Of the entries at its place only those of its own call are told: two to five, by whose turn it was first, of at least seven.
    await page.getByRole('tab', { name: /^History [2-5]$/ }).waitFor();
    await inspector.getByRole('button', { name: '0_1_1' }).waitFor();
    await isWell();
    await page.getByRole('button', { name: 'Fold review' }).first().click();
    await page.waitForURL(/fold=0_1_0/);
    await page.locator('[data-expid="0_1_0_c0"]').waitFor({ state: 'detached' });
    await page.keyboard.press('o');
    await page.locator('[data-row="0_1_1_c0"]').waitFor();
    expect(await page.locator('[data-row="0_1_0"]').getAttribute('aria-expanded')).toBe('false');
    await page.locator('[data-row="0_1_0"]').focus();
    await page.locator('[data-row="0_1_0"]').press('Enter');
    await page.locator('[data-row="0_1_0"]').click();
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-row="0_1_0_c0"]').waitFor();
    await isWell();
  });

  test('a sub-process that is a tree of its own is drawn in its call, and takes no place of the workflow', async () => {
    const id = await launch(`define main
  alice
  set 'v:other': [ 'define', {}, [ [ 'bob', {}, [] ], [ 'carol', {}, [] ] ] ]
  subprocess ref: 'other'
  dora`);
    await act(id, 'alice', 'proceed');
    await open(`workflows/${id}`);
    await page.locator('[data-expid="0_2_c0"]', { hasText: 'bob' }).waitFor();
    for (const [title, look] of [
      ['alice', 'done'],
      ['bob', 'waits'],
      ['carol', 'todo'],
      ['dora', 'todo'],
    ] as const)
      await expect.poll(() => place(title).getAttribute('class')).toContain(look);
    await isWell();
    await act(id, 'bob', 'proceed');
    await page.locator('.place.waits', { hasText: 'carol' }).waitFor();
    // One that is stored has its tree asked for.
    await send(server.url, 'PUT', '/v1/definitions/inner', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ definition: "define\n  emil task: 'look for ${v:what}'\n  fred\n" }),
    });
    const stored = await launch("define outer\n  subprocess ref: 'inner', what: 'lamps'\n  gina");
    await open(`workflows/${stored}`);
    await page.locator('[data-expid="0_0_c0"]', { hasText: 'look for lamps' }).waitFor();
    await page.locator('.place.waits', { hasText: 'emil' }).waitFor();
    await page.locator('.place.todo', { hasText: 'gina' }).waitFor();
    await act(stored, 'emil', 'proceed');
    await page.locator('.place.waits', { hasText: 'fred' }).waitFor();
    await act(stored, 'fred', 'proceed');
    await page.locator('.place.waits', { hasText: 'gina' }).waitFor();
    await page.locator('.place.done', { hasText: 'fred' }).waitFor();
    await isWell();
  });

  test('a concurrence of many branches is a crowd: one is shown, others by their marks, some side by side', async () => {
    const id = await launch(
      `define wide\n  concurrence\n${Array.from({ length: 15 }, (_, i) => `    sequence\n      first${i + 1}\n      then${i + 1}`).join('\n')}`,
    );
    await act(id, 'first9', 'fail', { class: 'NoTime', message: 'not today' });
    await open(`workflows/${id}`);
    await page.getByText('15 branches').waitFor();
    // The one that needs somebody is the one that is shown.
    await place('first9').waitFor();
    expect(await page.locator('.place.leaf').count()).toBe(2);
    await isWell();
    await page.locator('.marks').click({ position: { x: 5, y: 4 } });
    await place('first1').first().waitFor();
    await place('first9').waitFor({ state: 'detached' });
    await page.locator('.marks').click({ position: { x: 15, y: 4 }, modifiers: ['Shift'] });
    await page.waitForURL(/lanes=/);
    await place('first2').waitFor();
    expect(await page.locator('.place.leaf').count()).toBe(4);
    await isWell();
  });

  test('beside the picture stand the fields of the moment that is looked at, and of what is over those it ended with', async () => {
    const id = await launch('define past\n  alice\n  bob', { price: 1 });
    await act(id, 'alice', 'proceed', { fields: { price: 2 } });
    await open(`workflows/${id}?sel=0_0&tab=fields`);
    const told = page.getByRole('tabpanel', { name: 'fields' });
    await told.getByText(/What had been given by #\d+, when it was over/).waitFor();
    await told.locator('.told-line', { hasText: 'price: 2' }).waitFor();
    await isWell();
    // Alice had not answered yet.
    await open(`workflows/${id}?sel=0_0&tab=fields&at=4`);
    await told.getByText('What had been given by #4').waitFor();
    await told.locator('.told-line', { hasText: 'price: 1' }).waitFor();
    await open(`workflows/${id}?sel=0_1&tab=fields&at=4`);
    await told.getByText('Nothing had come here by then').waitFor();
    await isWell();
  });

  test('the field in which a tree is edited comes with its picture when a batch wants another tree', async () => {
    const id = await launch("define broken\n  sequence\n    alice task: 'write'\n    bob");
    await act(id, 'alice', 'fail', { class: 'NoPaper', message: 'none is left' });
    await open('errors?class=NoPaper');
    await page.getByRole('button', { name: /^1 error.*: show$/ }).click();
    await page.getByRole('button', { name: 'Replay with another tree…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('By structure, with what changes').waitFor();
    expect(await dialog.locator('textarea').first().inputValue()).toContain('alice');
    await isWell();
  });

  test('an iterator says in its strip whose turn it is, and what failed', async () => {
    const id = await launch(
      "define each\n  iterator on: 'ann, bob, cid', to_v: 'who'\n    packer task: 'pack for ${v:who}'",
    );
    await act(id, 'packer', 'proceed');
    await open(`workflows/${id}`);
    await page.locator('.strip', { hasText: 'element 2 of 3 · who = bob' }).waitFor();
    await place('packer').getByText('pack for bob').first().waitFor();
    await act(id, 'packer', 'fail', { class: 'NoTime', message: 'not today' });
    await page.locator('.strip .bad', { hasText: '1 failed' }).waitFor();
    await isWell();
  });

  test('a picture is moved without a drag: by buttons, and by the keys of its overview, in which a frame follows', async () => {
    const id = await launch(
      `define tall\n  sequence\n${Array.from({ length: 40 }, (_, i) => `    step${i}`).join('\n')}`,
    );
    await open(`workflows/${id}`);
    const top = (): Promise<number> => page.locator('.canvas').evaluate((canvas) => canvas.scrollTop);
    const frame = (): Promise<number> => page.locator('.map .frame').evaluate((one) => Number(one.getAttribute('y')));
    await page.locator('.map .frame[visibility="visible"]').waitFor();
    expect([await top(), await frame()]).toEqual([0, 0]);
    await page.getByRole('button', { name: 'Look further down' }).click();
    await expect.poll(top).toBeGreaterThan(100);
    const before = await top();
    await expect.poll(frame).toBeGreaterThan(50);
    await page.getByRole('button', { name: /^Overview of the picture/ }).focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(top).toBeGreaterThan(before);
    await page.getByRole('button', { name: 'Look further up' }).click();
    await page.getByRole('button', { name: 'Look further up' }).click();
    await expect.poll(top).toBeLessThan(before);
    // By a drag along the small picture.
    const map = await page.locator('.map svg').boundingBox();
    if (map === null) throw new Error('There is an overview');
    await page.mouse.move(map.x + map.width / 2, map.y + 5);
    await page.mouse.down();
    await page.mouse.move(map.x + map.width / 2, map.y + map.height - 2);
    await page.mouse.up();
    await expect.poll(top).toBeGreaterThan(before);
    await isWell();
  });
});
