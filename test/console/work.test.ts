import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';
import { buildConsole, findChromium, openPage, startBrowser } from './support/browser.ts';

/* How much a page does: what it changes, writes and asks for. It is counted, not timed; the times are in bench/console. */

const program = findChromium();

describe.runIf(program !== null)('in a browser', { timeout: 120_000 }, () => {
  let server: Running;
  let browser: Browser;

  beforeAll(async () => {
    buildConsole();
    server = await startServer();
    browser = await startBrowser(program ?? '');
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  }, 60_000);

  const at = (path: string): string => `${server.url}/console/${path}`;
  /** Whose participants are people: nothing happens until somebody proceeds. */
  const launch = async (workflow: string): Promise<string> => {
    for (const name of ['alice', 'bob'])
      await send(server.url, 'PUT', `/v1/participants/${name}`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ kind: 'person' }),
      });
    const launched = await postJson(server.url, '/v1/workflows', { workflow, callbacks: {} });
    expect(launched.status).toBe(201);
    return launched.json<{ id: string }>().id;
  };
  const proceed = async (id: string): Promise<void> => {
    const { workitems } = (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<{
      workitems: readonly { readonly id: string }[];
    }>();
    for (const item of workitems) await postJson(server.url, `/v1/workflows/${id}/workitems/${item.id}/proceed`, {});
  };

  test('as time goes by the letters of ages change and nothing else does', async () => {
    const id = await launch("define aged\n  concurrence\n    alice task: 'one'\n    bob task: 'two'");
    const { page, troubles } = await openPage(browser);
    await page.clock.install();
    let read = 0;
    page.on('response', (answer) => {
      if (/\/v1\/workflows(\/[\w-]+)?\?/.test(answer.url()) && !answer.url().includes('/count?')) read += 1;
    });
    for (const path of [`workflows/${id}`, 'workflows']) {
      read = 0;
      await page.goto(at(path));
      await page.locator('main time').first().waitFor();
      await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
      // What may have been missed before the stream was open is read before anything is counted.
      await page.locator('.top').getByText('● Live').waitFor();
      await page.clock.runFor(5_000);
      await expect.poll(() => read).toBeGreaterThanOrEqual(2);
      const before = await page.locator('main time').allTextContents();
      await page.evaluate(`window.changed = [];
        new MutationObserver((all) => window.changed.push(...all.map(({ type, target }) =>
          type + ' ' + (target.parentElement?.closest('time, .counted') === null ? target.parentElement.outerHTML.slice(0, 200) : 'age'))))
          .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })`);
      // Less than a stream may be silent.
      await page.clock.runFor(30_000);
      expect(await page.locator('main time').allTextContents()).not.toEqual(before);
      const changed = (await page.evaluate('window.changed')) as readonly string[];
      expect([...new Set(changed)]).toEqual(['characterData age']);
    }
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test('the first picture of a list has as many rows as a screen shows, and the others follow', async () => {
    for (let i = 0; i < 60; i++) await launch("define listed\n  alice task: 'wait'");
    const { page, troubles } = await openPage(browser);
    await page.addInitScript(`window.counts = [];
      new MutationObserver(() => {
        const count = document.querySelectorAll('main tbody tr').length;
        if (count > 0 && window.counts.at(-1) !== count) window.counts.push(count);
      }).observe(document, { subtree: true, childList: true })`);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(at('workflows?name=listed'));
    await expect.poll(() => page.locator('main tbody tr').count()).toBe(60);
    expect(await page.evaluate('window.counts')).toEqual([40, 60]);
    expect(asked.filter((path) => path === '/v1/me')).toHaveLength(1);
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test('a workflow is asked for before its page is there, and once', async () => {
    const id = await launch("define early\n  alice task: 'wait'");
    const { page, troubles } = await openPage(browser);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(at(`workflows/${id}`));
    await page.locator('.sentence').waitFor();
    const path = `/v1/workflows/${id}`;
    // Its history is asked for once it has been answered.
    expect(asked.slice(0, asked.indexOf(`${path}/history`)).filter((one) => one === path)).toHaveLength(1);
    expect(asked.indexOf(path)).toBeLessThan(asked.indexOf('/v1/info'));
    expect(troubles).toEqual([]);
    await page.context().close();
  });

  test('boxes far from what is in sight are empty, but have their names, and are whole when one comes near', async () => {
    const lane = Array.from({ length: 30 }, (_, i) => `      alice task: 'step ${i}'`).join('\n');
    const lanes = Array.from({ length: 10 }, (_, i) => `    sequence tag: 'lane ${i}'\n${lane}`).join('\n');
    const id = await launch(`define large\n  concurrence\n${lanes}`);
    const { page, troubles } = await openPage(browser);
    await page.goto(at(`workflows/${id}?view=diagram`));
    const last = page.locator('.place [data-expid="0_0_9_29"]');
    await last.waitFor({ state: 'attached' });
    const empty = page.locator('.place > .head:empty');
    expect(await page.locator('.place').count()).toBeGreaterThan(300);
    expect(await empty.count()).toBeGreaterThan(150);
    expect(await last.getAttribute('aria-label')).toBe('alice, step 29, to come');
    // What is in sight is whole.
    const bare = (await page.evaluate(`(() => {
      const room = document.querySelector('.canvas').getBoundingClientRect();
      return [...document.querySelectorAll('.place > .head:empty')].filter((one) => {
        const at = one.getBoundingClientRect();
        return at.right > room.left && at.left < room.right && at.bottom > room.top && at.top < room.bottom;
      }).length;
    })()`)) as number;
    expect(bare).toBe(0);
    await last.focus();
    await expect.poll(() => last.textContent()).toContain('alice');
    expect(await last.getAttribute('aria-label')).toBeNull();
    expect(troubles).toEqual([]);
    await page.context().close();
    await postJson(server.url, `/v1/workflows/${id}/kill`, { reason: 'a test' });
  });

  test('who drags through the past writes the address seldom, and it says where one came to', async () => {
    const id = await launch("define dragged\n  repeat\n    alice task: 'again'");
    for (let i = 0; i < 10; i++) await proceed(id);
    const { page, troubles } = await openPage(browser);
    await page.addInitScript(`window.written = 0;
      const replace = history.replaceState;
      history.replaceState = function (...all) { window.written++; return replace.apply(this, all); };`);
    await page.goto(at(`workflows/${id}`));
    const slider = page.getByRole('slider', { name: 'Entry of the history' });
    await slider.waitFor();
    await page.clock.install();
    await page.evaluate(`(async () => {
      window.written = 0;
      const range = document.querySelector('input[type=range]');
      for (let i = 0; i < 100; i++) {
        range.value = String(2 + (i % 20));
        range.dispatchEvent(new Event('input', { bubbles: true }));
        await Promise.resolve();
      }
      range.value = '7';
      range.dispatchEvent(new Event('input', { bubbles: true }));
    })()`);
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toContain('entry 7 of');
    await page.clock.runFor(2_000);
    expect(new URL(page.url()).searchParams.get('at')).toBe('7');
    expect(await page.evaluate('window.written')).toBeLessThan(20);
    expect(troubles).toEqual([]);
    await page.context().close();
  });
});
