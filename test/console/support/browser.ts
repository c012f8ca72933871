import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/* A real browser for walks through the console. A machine without one says so in a line. */

/** The shell first: the same engine without windows starts and paints at a fraction of the cost. */
const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The program, or null when the machine has none. CHROMIUM names another. */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return existsSync(named) ? named : null;
  return PLACES.find((one) => existsSync(one)) ?? null;
}

export const startBrowser = (program: string): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

const root = join(import.meta.dirname, '../../..');

/** Builds the console when its sources are newer than what is there. */
export function buildConsole(): void {
  execFileSync(process.execPath, [join(root, 'scripts/console.mjs')], { stdio: 'inherit' });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What has gone wrong in a page so far: violations of the policy, messages of errors, requests that failed and were not `expected`. */
export type Watched = { readonly page: Page; readonly troubles: string[]; expect(status: number): void };

export async function openPage(browser: Browser, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  const expected = new Set<number>();
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    // The browser tells of each answer that is no 2xx; those are judged below.
    if (/^Failed to load resource/.test(message.text())) return;
    troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`error: ${error.stack ?? error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 400 && !expected.has(response.status()))
      troubles.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  // Violations of the policy become errors of the console, which the walks look at.
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (event) =>
    console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile + ':' + event.lineNumber))`);
  return { page, troubles, expect: (status) => expected.add(status) };
}

type Violation = {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

/**
 * What axe finds, a line each. Its source is evaluated by the debugger, past the policy of the page. It fetches nothing: the only rule that would want
 * files is about sounds that play by themselves. Of a long table it looks at the first rows, for the others are made alike.
 */
export async function axe(page: Page): Promise<readonly string[]> {
  if (await page.evaluate(`typeof axe === 'undefined'`)) await page.evaluate(axeSource);
  const violations = (await page.evaluate(
    `axe.run({ include: [['html']], exclude: [['tbody > tr:nth-child(n+25)']] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'], preload: false }).then((found) => found.violations)`,
  )) as readonly Violation[];
  return violations.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 3)
      .map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary.replace(/\s+/g, ' ').slice(0, 220)}`),
  );
}

/** What a machine can see of a page's looks: words cut in chips and buttons, letters under 11 px, and, on a telephone, what a thumb cannot hit. */
export async function uglyIn(page: Page, isTouched: boolean): Promise<readonly string[]> {
  const found = async (what: string, script: string): Promise<readonly string[]> =>
    ((await page.evaluate(script)) as readonly string[]).map((one) => `${what}: ${one}`);
  return [
    ...((await scrollsSideways(page)) ? ['can be scrolled sideways'] : []),
    ...(await found('clipped', CLIPPED)),
    ...(await found('under 11 px', TINY)),
    ...(isTouched ? await found('too small for a thumb', SMALL_FOR_THUMBS) : []),
  ];
}
const CLIPPED = `[...document.querySelectorAll('.chip, .button, .tabs [role=tab]')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.getClientRects().length > 0).map((one) => one.textContent.trim().slice(0, 40))`;
const TINY = `[...new Set([...document.querySelectorAll('main *, nav *, header *')]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '') && one.getClientRects().length > 0)
  .filter((one) => parseFloat(getComputedStyle(one).fontSize) < 11).map((one) => one.className + ': ' + one.textContent.trim().slice(0, 30)))]`;
/** Links inside a text are as high as its lines. */
const SMALL_FOR_THUMBS = `[...document.querySelectorAll('main .button, main select, main input, nav a, summary')]
  .filter((one) => !one.closest('.drawing, .unseen') && one.getClientRects().length > 0)
  .filter((one) => one.getBoundingClientRect().height < 24 && !one.closest('label'))
  .map((one) => (one.textContent || one.name || one.type).trim().slice(0, 30))`;

/** Whether the page can be scrolled sideways. */
export const scrollsSideways = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1');

/** A page with its head, and nothing in it that is still to come. */
export async function whole(page: Page): Promise<void> {
  await page.locator('h1').waitFor();
  await page
    .locator('.skeleton:visible')
    .first()
    .waitFor({ state: 'detached' })
    .catch((error: unknown) => {
      throw new Error(`${page.url()} is never read to its end`, { cause: error });
    });
}

/** Goes there as a link does, without loading everything anew, where another kind of page is shown; else, and at first, the whole page is loaded. */
export async function visit(page: Page, root: string, path: string): Promise<void> {
  const url = `${root}/console/${path}`;
  const kindOf = (address: string): string => address.slice(`${root}/console/`.length).split(/[/?#]/)[0] ?? '';
  if (page.url().startsWith(`${root}/console/`) && kindOf(page.url()) !== kindOf(url)) {
    await page.evaluate(
      `document.querySelector('h1')?.setAttribute('data-before', ''); history.pushState(null, '', ${JSON.stringify(url)}); dispatchEvent(new PopStateEvent('popstate'));`,
    );
    await page.locator('h1:not([data-before])').waitFor();
  } else await page.goto(url);
  await whole(page);
}

/** Presses Tab until what has the focus is called so. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < TABS_MAX; presses++) {
    const text = await page.evaluate('document.activeElement?.textContent ?? ""');
    if (name.test(String(text).trim())) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Nothing called ${name} was reached with Tab`);
}
/** Stops of Tab on one page. */
const TABS_MAX = 80;
