import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VIEWS } from '../../console/address/pages.ts';
import { SETTINGS } from '../../console/address/routes.ts';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, send, startServer } from '../support/server.ts';
import {
  axe,
  buildConsole,
  findChromium,
  openPage,
  scrollsSideways,
  startBrowser,
  visit,
  type Watched,
  whole,
} from './support/browser.ts';

/*
 * Where callers are asked who they are: texts of strangers in every field that is shown and in every line for a shell, and whoever may look at
 * several tenants.
 */

const program = findChromium();

/** Each of them holds this, so that it is found wherever it is shown. */
const MARK = 'ZQ';
const [MARKUP, SCRIPT, TURNED, ESCAPES, QUOTES, FILE, HEBREW] = [
  `<img src=x onerror=alert(1)>${MARK}`,
  `javascript:alert("${MARK}")`,
  `${MARK}\u202egnp.exe`,
  `\u001b[2J${MARK}\u0007`,
  `'"\`$(id)\\${MARK}; id'`,
  `@/etc/passwd ${MARK}`,
  `${MARK} \u05e9\u05dc\u05d5\u05dd`,
] as const;

/** A participant is registered by a name or by what names are like. */
const PATTERN = `/${MARK}<b>\u202e/`;

/** What of them is more than a text: painted outside of what keeps its direction to itself, with letters that cannot be seen, or as markup. */
const MORE_THAN_TEXTS = `(() => {
  const unseen = /[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]/;
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const around = node.parentElement;
    if (unseen.test(node.data)) found.push('cannot be seen: ' + around.outerHTML.slice(0, 200));
    if (node.data.includes('${MARK}') && around.closest('bdi, pre, option, textarea, svg, .unseen, .menu-list') === null)
      found.push('turns what is beside it: ' + around.outerHTML.slice(0, 200));
  }
  for (const one of document.querySelectorAll('[title], [aria-label], [placeholder], [alt]'))
    for (const name of ['title', 'aria-label', 'placeholder', 'alt'])
      if (unseen.test(one.getAttribute(name) ?? '')) found.push(name + ' cannot be seen: ' + one.outerHTML.slice(0, 200));
  if (unseen.test(document.title)) found.push('title of the window: ' + document.title);
  for (const one of document.querySelectorAll('main img, main script, main iframe, dialog img')) found.push('markup: ' + one.outerHTML.slice(0, 200));
  for (const one of document.querySelectorAll('a[href]'))
    if (!/^https?:$/.test(one.protocol)) found.push('link: ' + one.outerHTML.slice(0, 200));
  return [...new Set(found)];
})()`;
/** Presses whatever copies a line for a shell; the texts it would copy are gathered. */
const COPIED = `(async () => {
  for (const one of document.querySelectorAll('details.menu')) one.open = true;
  await new Promise((resolve) => setTimeout(resolve));
  window.copied = [];
  for (const one of document.querySelectorAll('button')) if (/as curl|^Copy$/.test(one.textContent)) one.click();
  return window.copied.splice(0);
})()`;
const CATCH = `window.copied = [];
Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied.push(text); } } });`;

describe.runIf(program !== null)('where strangers write', { timeout: 240_000 }, () => {
  const admin = makeKey().text;
  const auth = { Authorization: `Bearer ${admin}` };
  let server: Running;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  let shut: Server;
  let alerts = 0;

  const ask = async (method: string, path: string, body?: object, headers: object = {}): Promise<Answer> => {
    const answer = await send(server.url, method, path, {
      headers: { 'Content-Type': 'application/json', ...auth, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status, `${method} ${path} ${answer.text}`).toBeLessThan(300);
    return answer;
  };
  const idOf = (answer: Answer): string => answer.json<{ id: string }>().id;
  const open = (path: string): Promise<void> => visit(page, server.url, path);
  const signIn = async (key: string): Promise<void> => {
    await page.goto(`${server.url}/console/signin`);
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('navigation', { name: 'Pages', exact: true }).waitFor();
    await whole(page);
  };

  beforeAll(async () => {
    buildConsole();
    server = await startServer({ ADMIN_KEY: admin, TEST_CLOCK: '1', RETRY_DELAYS: '600,600', PLAYGROUND: '1' });
    browser = await startBrowser(program ?? '');
    watched = await openPage(browser);
    page = watched.page;
    page.setDefaultTimeout(20_000);
    await page.addInitScript(CATCH);
    page.on('dialog', (dialog) => {
      alerts += 1;
      void dialog.dismiss();
    });
    watched.expect(401);
    watched.expect(404);
    // An address of a stranger names no workflow.
    watched.expect(400);
    shut = createServer((_, to) => to.writeHead(503, { 'Content-Type': 'text/plain' }).end(`${MARKUP}${ESCAPES}`));
    await new Promise<void>((resolve) => shut.listen(0, '127.0.0.1', resolve));
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    shut?.closeAllConnections();
    shut?.close();
    await server?.stop();
  }, 60_000);

  test('their texts are only ever texts on every page, and every line for a shell means what it says', async () => {
    const away = `http://127.0.0.1:${(shut.address() as AddressInfo).port}/%ff/${encodeURIComponent(QUOTES)}?q=[${MARK}]`;
    const form = {
      type: 'object',
      title: MARKUP,
      properties: {
        [QUOTES]: { type: 'string', title: TURNED, description: ESCAPES },
        kind: { oneOf: [{ const: MARKUP, title: TURNED }] },
        lines: { type: 'array', title: HEBREW, items: { type: 'string' } },
      },
    };
    const fields = {
      ...Object.fromEntries([MARKUP, SCRIPT, TURNED, ESCAPES, QUOTES, FILE, HEBREW].map((one) => [one, one])),
      lines: [TURNED],
      long: `${MARK}${'x'.repeat(300_000)}`,
    };
    const tree = [
      'define',
      { name: TURNED },
      [
        ['set', { [`v:${MARK}<b>`]: ESCAPES }, []],
        [
          'concurrence',
          {},
          [
            ['participant', { ref: SCRIPT, task: TURNED, tag: QUOTES, form, [MARKUP]: HEBREW, timeout: '2d' }, []],
            ['participant', { ref: TURNED, task: MARKUP }, []],
            ['participant', { ref: HEBREW, task: QUOTES }, []],
            ['await', { event: MARKUP, key: TURNED }, []],
          ],
        ],
      ],
    ];
    const id = idOf(
      await ask('POST', '/v1/workflows', {
        workflow: JSON.stringify(tree),
        callback: away,
        fields,
        business_key: TURNED,
        tags: [QUOTES],
      }),
    );
    const { workitems } = (await ask('GET', `/v1/workitems?workflow_id=${id}`)).json<{
      workitems: readonly { readonly id: string; readonly participant: string }[];
    }>();
    const itemOf = (participant: string): string =>
      workitems.find((one) => one.participant === participant)?.id ?? participant;
    const of = (item: string): string => `/v1/workflows/${id}/workitems/${encodeURIComponent(item)}`;
    await ask('POST', `${of(itemOf(TURNED))}/fail`, { message: MARKUP, class: TURNED });
    await ask('POST', `${of(itemOf(SCRIPT))}/claim`, { assignee: `<i>${MARK}` });
    const killed = idOf(await ask('POST', '/v1/workflows', { workflow: 'define killed\n  alice', callback: away }));
    await ask('POST', `/v1/workflows/${killed}/kill`, { reason: TURNED });
    await ask('PUT', '/v1/definitions/strange', {
      definition: `define strange\n  alice task: '${MARK}<b>'`,
      description: TURNED,
      note: MARKUP,
      triggers: [{ type: MARKUP, source: QUOTES, key: HEBREW }],
    });
    await ask('PUT', `/v1/participants/${encodeURIComponent(PATTERN)}`, { url: away, description: TURNED });
    await ask('POST', '/v1/secrets', { kind: 'webhook', type: 'v1', match: `http://x/${MARK}<b>` });
    await ask('POST', '/v1/subscriptions', { url: away, events: ['workflow.*'], description: TURNED });
    const batch = idOf(
      await ask('POST', '/v1/batches', { action: 'pause', filter: { name: TURNED }, reason: ESCAPES }),
    );
    const revoked = (await ask('POST', '/v1/keys', { name: TURNED, scopes: ['read'] })).json<{ id: string }>();
    await ask('POST', `/v1/keys/${revoked.id}/revoke`, { reason: `${TURNED}${MARKUP}` });
    const named = (
      await ask('POST', '/v1/keys', {
        name: `${HEBREW}\u202e`,
        scopes: ['admin', 'operate', 'launch', 'read'],
        tenant: '*',
      })
    ).json<{ key: string }>();
    await ask(
      'POST',
      '/v1/workflows',
      { workflow: 'define by\n  alice', callback: away },
      {
        Authorization: `Bearer ${named.key}`,
      },
    );
    await ask('POST', '/v1/test/clock', { advance: 0 });

    await signIn(named.key);
    const found: string[] = [];
    for (const path of [
      '',
      'workflows',
      `workflows?name=${encodeURIComponent(TURNED)}&${encodeURIComponent(TURNED)}=1&cols=turn,error,key,definition`,
      ...VIEWS.map((view) => `workflows/${id}?view=${view}&show=all`),
      ...['what', 'fields', 'tries', 'tree', 'history'].map(
        (tab) => `workflows/${id}?view=diagram&sel=0_1_0&tab=${tab}`,
      ),
      `workflows/${id}?view=diagram&sel=0_1_1`,
      `workflows/${id}?view=diagram&at=4`,
      `workflows/${killed}?view=history&show=all`,
      `workflows/${id}/compare?a=1&b=5`,
      `workflows/new?from=${id}`,
      'worklist',
      ...[SCRIPT, TURNED, HEBREW].map((one) => `worklist/${encodeURIComponent(itemOf(one))}`),
      `worklist?participant=${encodeURIComponent(TURNED)}`,
      ...['message', 'class', 'participant', 'definition'].map((by) => `errors?by=${by}`),
      'deliveries',
      `deliveries/${encodeURIComponent(`msg_${itemOf(SCRIPT)}_active`)}`,
      'timers',
      'waiting',
      'batches',
      `batches/${batch}`,
      'definitions',
      'definitions/strange',
      `definitions/${encodeURIComponent(TURNED)}`,
      'definitions/edit?name=strange',
      'participants',
      ...[SCRIPT, TURNED, PATTERN].map((one) => `participants/${encodeURIComponent(one)}`),
      'playground',
      'nodes',
      ...SETTINGS.map((part) => `settings/${part}`),
      encodeURIComponent(TURNED),
      `workflows/${encodeURIComponent(TURNED)}`,
    ]) {
      await open(path);
      const more = (await page.evaluate(MORE_THAN_TEXTS)) as readonly string[];
      const curls = (await page.evaluate(COPIED)) as readonly string[];
      found.push(
        ...[...more, ...curls.flatMap(wrongIn), ...watched.troubles.splice(0)].map((one) => `${path}: ${one}`),
      );
    }
    expect(found).toEqual([]);
    expect(alerts).toBe(0);
    await open(`workflows/${id}?view=diagram`);
    await page.getByText('‹202E›').first().waitFor();
    expect((await axe(page)).join('\n')).toBe('');
    expect(await scrollsSideways(page)).toBe(false);
  });

  /** What a shell makes of lines that were copied: nothing of them is run, each asks one address, and the key is that of whoever pastes them. */
  function wrongIn(text: string): readonly string[] {
    if (!text.startsWith('curl ')) return [];
    const told = execFileSync('sh', ['-s'], {
      input: `curl() { printf '%s\\0' "$@"; case " $* " in *' @- '*) cat;; esac; printf '\\0\\0'; }\n${text}\n`,
      env: { PATH: process.env['PATH'] ?? '', ROTA_API_KEY: 'of-whoever' },
      maxBuffer: 10_000_000,
    }).toString('utf8');
    return told
      .split('\0\0')
      .slice(0, -1)
      .flatMap((line) => {
        const words = line.split('\0');
        const isSent = words.some((one) => /^rota-try:/i.test(one));
        const isLong = words.includes('--data-binary');
        const body = isLong ? (words.at(-1) ?? '') : (words[words.indexOf('--data-raw') + 1] ?? '');
        const said = [
          [words.includes('--globoff'), 'brackets mean something'],
          [words.filter((one) => /^https?:/.test(one)).length === 1, 'not one address'],
          [!/[^ -~\n]/.test(words.join(' ')), 'letters that are no ASCII'],
          [!words.some((one) => one.startsWith('@') && !(isLong && one === '@-')), 'reads a file'],
          [!line.includes('uid='), 'runs something'],
          [!words.some((one) => one.startsWith('--data')) || body.startsWith('{'), 'no body'],
          [isSent || words.includes('Authorization: Bearer of-whoever'), 'without a key'],
          [!line.includes('rota_'), 'with a key in it'],
        ] as const;
        return said.filter(([isGood]) => !isGood).map(([, wrong]) => `${wrong}: ${line.slice(0, 300)}`);
      });
  }

  test('whoever may look at all tenants chooses one, which is part of every address and call from then on', async () => {
    const launch = (name: string, tenant: string): Promise<Answer> =>
      ask(
        'POST',
        '/v1/workflows',
        { workflow: `define ${name}\n  alice`, callback: 'http://127.0.0.1:9/' },
        { 'Rota-Tenant': tenant },
      );
    await launch('theirs', 'acme');
    await launch('ours', 'default');
    await signIn(admin);
    await open('workflows');
    await page.getByRole('link', { name: /^ours/ }).waitFor();
    expect(await page.getByRole('link', { name: /^theirs/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'Tenant: default: change' }).click();
    const field = page.getByLabel('Tenant; empty: default');
    await expect.poll(() => field.evaluate((one) => one === one.ownerDocument.activeElement)).toBe(true);
    await field.fill('Acme!');
    const button = page.getByRole('button', { name: 'Go there' });
    expect(await button.getAttribute('title')).toBe('small letters, digits and dashes');
    await field.fill('acme');
    await field.press('Enter');
    await page.waitForURL(/tenant=acme/);
    await page.getByRole('link', { name: /^theirs/ }).waitFor();
    expect(await page.getByRole('link', { name: /^ours/ }).count()).toBe(0);
    expect((await axe(page)).join('\n')).toBe('');
    const curls = (await page.evaluate(COPIED)) as readonly string[];
    expect(curls.filter((one) => !one.includes("-H 'Rota-Tenant: acme'"))).toEqual([]);
    // It goes along wherever one goes, and a reload stays there.
    await page.getByRole('link', { name: /^theirs/ }).click();
    await page.waitForURL(/workflows\/.*tenant=acme/);
    await page.reload();
    await page.locator('h1', { hasText: 'theirs' }).waitFor();
    await page.getByRole('link', { name: 'Worklist' }).first().click();
    await page.waitForURL(/worklist\?tenant=acme/);
    await page.getByRole('button', { name: 'Tenant: acme: change' }).click();
    await field.fill('');
    await field.press('Enter');
    await expect.poll(() => page.url()).not.toContain('tenant');
    await page.getByRole('button', { name: 'Tenant: default: change' }).waitFor();
    // On a telephone the same stands behind More.
    await page.setViewportSize({ width: 390, height: 820 });
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('button', { name: 'Tenant: default: change' }).last().click();
    await page.getByLabel('Tenant; empty: default').last().fill('acme');
    await page.keyboard.press('Enter');
    await page.waitForURL(/tenant=acme/);
    expect(await scrollsSideways(page)).toBe(false);
    await page.setViewportSize({ width: 1280, height: 860 });
    expect(watched.troubles.splice(0)).toEqual([]);
  });
});
