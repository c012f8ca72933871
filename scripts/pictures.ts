/*
 * `npm run pictures`: the pictures of README.md in docs/pictures, taken of a real server in a real browser. With `-- --all [folder]` every page is taken
 * as well, light, dark and narrow, into a folder that is not committed (dist/looks), with one sheet of all of them for each of the three, to be looked
 * at. `--only <expression>` and `--look <word>` take those whose names and looks match; `--fast` leaves axe out. What a machine can see is checked on
 * each: nothing to be scrolled sideways, no clipped word in chips and buttons, no letter under 11 px, nothing on a telephone that a thumb cannot hit,
 * nothing that axe finds.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { makeKey } from '../src/identity/key-text.ts';
import { axe, buildConsole, findChromium, openPage, startBrowser, uglyIn } from '../test/console/support/browser.ts';
import { postJson, send, startServer } from '../test/support/server.ts';
import { writeSite } from './site.mjs';

/** A picture in README.md may have so many bytes. */
const PICTURE_BYTES_MAX = 300_000;

const named = (flag: string): string | null => {
  const at = process.argv.indexOf(flag);
  return at === -1 ? null : (process.argv[at + 1] ?? null);
};
const root = join(import.meta.dirname, '..');
const folderOfAll = named('--all');
const all = process.argv.includes('--all')
  ? folderOfAll === null || folderOfAll.startsWith('--')
    ? join(root, 'dist/looks')
    : folderOfAll
  : null;
const only = new RegExp(named('--only') ?? '');
const onlyLook = named('--look') ?? '';
const isFast = process.argv.includes('--fast');
/** README's pictures are taken when nothing was chosen. */
const isWhole = !process.argv.includes('--only') && onlyLook === '';

const program = findChromium();
if (program === null) throw new Error('No Chromium here: apt-get install chromium, or set CHROMIUM');
buildConsole();
await writeSite(join(root, 'dist/docs/manual'));
const browser = await startBrowser(program);
const wide = { viewport: { width: 1280, height: 820 } };
const wrong: string[] = [];

/** A page as it is after everything has been read; `before` does something to it first. */
type Shot = {
  readonly name: string;
  readonly url: string;
  readonly before?: (page: Page) => Promise<void>;
  /** What has to be there first; the heading of the page when nothing else is said. */
  readonly head?: string;
  /** A page that is not ours in all its parts: it is looked at by people alone. */
  readonly isForeign?: boolean;
};

/** How often a page is looked at until everything of it has been read. */
const LOOKS_MAX = 200;

async function take(
  shot: Shot,
  file: string,
  options: Parameters<typeof openPage>[1],
  isNarrow: boolean,
): Promise<void> {
  const { name, url, before, head = 'h1', isForeign = false } = shot;
  const { page, troubles } = await openPage(browser, options);
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  await page.locator(head).first().waitFor();
  for (let looks = 0; (await page.locator('.skeleton').count()) > 0 && looks < LOOKS_MAX; looks++)
    await page.waitForTimeout(50);
  await before?.(page);
  // How its zone is called a browser that is here for the first time says after a second (console/app/settings.ts).
  await page.locator('.top .zone', { hasText: /^UTC[+−]/ }).waitFor({ state: 'detached' });
  // What is read a moment later, such as counts in the rail, belongs to the picture.
  await page.waitForTimeout(500);
  // On a telephone one scrolls: the whole of it is looked at, to a bound.
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
  if (isNarrow)
    await page.setViewportSize({ width: NARROW.width, height: Math.min(Math.max(height, NARROW.height), 2_400) });
  await page.screenshot({ path: file });
  for (const one of await uglyIn(page, isNarrow)) wrong.push(`${file}: ${one}`);
  if (!isFast && !isForeign) for (const complaint of await axe(page)) wrong.push(`${file}: ${complaint}`);
  // A page about what is not there asks for it in vain, and one that wants a key is refused.
  for (const trouble of troubles) if (!/^40[134] /.test(trouble)) wrong.push(`${name}: ${trouble}`);
  await page.context().close();
  console.log(`${file} ${statSync(file).size} bytes`);
}

const NARROW = { width: 390, height: 820 };
const LOOKS = [
  ['light', wide],
  ['dark', { ...wide, colorScheme: 'dark' as const }],
  ['narrow', { viewport: NARROW, hasTouch: true, isMobile: true }],
] as const;
/** What was taken, by its look. */
const taken = new Map<string, string[]>();

/** Every page of the list in each look. */
async function takeAll(shots: readonly Shot[]): Promise<void> {
  if (all === null) return;
  mkdirSync(all, { recursive: true });
  for (const [look, options] of LOOKS)
    for (const shot of shots)
      if (only.test(shot.name) && look.includes(onlyLook)) {
        const file = `${shot.name}-${look}.png`;
        await take(shot, join(all, file), options, look === 'narrow');
        taken.set(look, [...(taken.get(look) ?? []), file]);
      }
}

/** All pictures of a look, small, on one sheet: a page beside them, and a picture of that page. */
async function contactSheets(folder: string): Promise<void> {
  for (const [look, files] of taken) {
    const width = look === 'narrow' ? 195 : 384;
    const cells = files.map(
      (file) =>
        `<a href="${file}"><img src="${file}" width="${width}" alt=""><span>${file.replace(`-${look}.png`, '')}</span></a>`,
    );
    const sheet = join(folder, `sheet-${look}.html`);
    writeFileSync(
      sheet,
      `<!doctype html><meta charset="utf-8"><title>${look}</title><style>
body { margin: 12px; background: #888; display: grid; gap: 12px; align-items: start; grid-template-columns: repeat(auto-fill, ${width}px); font: 12px sans-serif }
a { display: grid; gap: 2px; color: #fff; text-decoration: none } img { display: block; max-height: 640px; object-fit: cover; object-position: top }
</style>${cells.join('\n')}`,
    );
    const page = await browser.newPage({ viewport: { width: 2_000, height: 600 } });
    await page.goto(pathToFileURL(sheet).href);
    await page.screenshot({ path: join(folder, `sheet-${look}.png`), fullPage: true });
    await page.close();
    console.log(join(folder, `sheet-${look}.png`));
  }
}

// The participants of the pictures: some packers have no box, and credit is down.
const down = new Set(['credit']);
const fails = new Set(['lamp 68', 'lamp 103', 'lamp 140', 'lamp 141', 'lamp 160', 'lamp 231']);
const host = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => {
    body += String(part);
  });
  request.on('end', () => {
    const workitem = JSON.parse(body) as { participant: string; fields: { params?: { task?: string } } };
    const task = workitem.fields.params?.task ?? '';
    const isWrong = down.has(workitem.participant) || fails.has(task.replace('pack ', ''));
    response.writeHead(isWrong ? 503 : 200, { 'Content-Type': 'text/plain' });
    response.end(isWrong ? 'no box is free' : 'taken');
  });
});
await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
const away = `http://127.0.0.1:${(host.address() as AddressInfo).port}/rota`;

const server = await startServer({ TEST_CLOCK: '1', RETRY_DELAYS: '1,1,20' });
const at = (path: string): string => `${server.url}/console/${path}`;
await takeAll([
  { name: 'home-empty', url: at('') },
  { name: 'workflows-empty', url: at('workflows') },
  { name: 'worklist-empty', url: at('worklist') },
  { name: 'errors-empty', url: at('errors') },
  { name: 'deliveries-empty', url: at('deliveries') },
  { name: 'timers-empty', url: at('timers') },
  { name: 'waiting-empty', url: at('waiting') },
  { name: 'definitions-empty', url: at('definitions') },
  { name: 'participants-empty', url: at('participants') },
  { name: 'batches-empty', url: at('batches') },
  { name: 'playground-empty', url: at('playground') },
]);

type Item = { readonly id: string; readonly participant: string; readonly workflow_id: string };
const launch = async (workflow: string, fields: object, more: object = {}): Promise<string> => {
  const callback = `${server.url}/v1/playground/participants/someone`;
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback, fields, ...more });
  return answer.json<{ id: string }>().id;
};
const clock = (advance: number) => postJson(server.url, '/v1/test/clock', { advance });
const items = async (workflow: string): Promise<readonly Item[]> =>
  (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${workflow}`)).json<{
    workitems: readonly Item[];
  }>().workitems;
const act = (item: Item | undefined, verb: string, body: object = {}) =>
  postJson(server.url, `/v1/workflows/${item?.workflow_id}/workitems/${item?.id}/${verb}`, body);
const put = (path: string, body: object) =>
  send(server.url, 'PUT', path, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

const parcels = await launch(
  `define parcels
  concurrence merge_type: mix
    sequence
      stock task: 'reserve the goods'
      fraud task: 'is the customer known?'
      credit task: 'look at the account', timeout: '2d'
    concurrent_iterator on_f: 'lines', to_v: 'line'
      packer task: 'pack \${v:line}'
  cursor
    author task: 'write the letter'
    reviewer task: 'read it'
    rewind unless: '\${verdict} == accept'
  if test: '\${in_stock}'
    shipping task: 'send the goods'
    sales task: 'tell \${customer} why not'
`,
  { customer: 'Ada', order: 'ORD-17', lines: Array.from({ length: 240 }, (_, i) => `lamp ${i + 1}`) },
  { callback: away, business_key: 'ORD-17', tags: ['packing'] },
);
await clock(0);
await clock(2);
await clock(21);
for (const [i, item] of (await items(parcels)).entries())
  if (item.participant === 'packer' && i % 12 !== 5) {
    const shown = await send(server.url, 'GET', `/v1/workflows/${parcels}/workitems/${item.id}`);
    if (shown.json<{ status: string }>().status === 'open') await act(item, 'proceed');
  }
for (const participant of ['stock', 'fraud'])
  await act(
    (await items(parcels)).find((one) => one.participant === participant),
    'proceed',
  );
await clock(0);
await clock(2);

const orderText = readFileSync(join(root, 'examples/order.xml'), 'utf8');
const order = (customer: string) => launch(orderText, { customer, in_stock: true, creditworthy: true });
const playing = async (name: string): Promise<string> => {
  const at = (participant: string): string => `${server.url}/v1/playground/participants/${participant}`;
  const callbacks = Object.fromEntries(['stock', 'credit', 'shipping', 'sales'].map((one) => [one, at(one)]));
  return launch(orderText, { customer: name, in_stock: true, creditworthy: true }, { callback: undefined, callbacks });
};
const finish = async (workflow: string): Promise<void> => {
  for (let round = 0; round < 5; round++) for (const item of await items(workflow)) await act(item, 'proceed');
};
const done = await playing('Grace');
await finish(done);
for (const customer of ['Edsger', 'Barbara', 'Tony']) await finish(await order(customer));
const paused = await order('Niklaus');
await postJson(server.url, `/v1/workflows/${paused}/pause`, {});
const killed = await order('Donald');
await postJson(server.url, `/v1/workflows/${killed}/kill`, { reason: 'ordered twice' });
const cancelled = await order('Frances');
await postJson(server.url, `/v1/workflows/${cancelled}/cancel`, { reason: 'the customer changed her mind' });
const rounds = await launch(
  `define letters
  cursor
    author task: 'write it', timeout: '3d', on_timeout: 'boss'
    reviewer task: 'read it', timeout: '1d'
    rewind unless: '\${verdict} == accept'
  printer
`,
  { subject: 'spring' },
);
for (const verdict of ['no', 'no', 'no', 'no']) await act((await items(rounds))[0], 'proceed', { fields: { verdict } });
for (const customer of ['Ada', 'Alan', 'Kurt'])
  await act(
    (await items(await launch("define invoice\n  bank task: 'collect the money'", { customer, amount: 120 })))[0],
    'fail',
    {
      message: `account ${customer.length * 4711} is closed`,
      class: 'AccountClosed',
    },
  );
const form = {
  type: 'object',
  title: 'Decision',
  required: ['verdict', 'amount'],
  properties: {
    verdict: {
      title: 'Your verdict',
      oneOf: [
        { const: 'accept', title: 'Accept it' },
        { const: 'refuse', title: 'Refuse it' },
      ],
    },
    amount: { type: 'number', title: 'Amount', description: 'In euros, at most 5,000', maximum: 5000 },
    by: { type: 'string', format: 'date', title: 'To be paid by' },
    remarks: { type: 'array', title: 'Remarks', items: { type: 'string' } },
    urgent: { type: 'boolean', title: 'It is urgent' },
  },
};
const desk = await launch(
  JSON.stringify(['define', { name: 'claim' }, [['clerk', { task: 'decide the claim of ${customer}', form }, []]]]),
  { customer: 'Ada', amount: 1200, remarks: ['the first in three years'], urgent: false },
);
const [deskItem] = await items(desk);
const playground = await playing('Ada');
await clock(0);

const awaits = await launch(
  `define paid
  sequence on_cancel: 'tidy'
    concurrence
      await event: 'payment.completed', key: 'ORD-17', timeout: '5d'
      sequence
        wait '2h'
        reminder task: 'remind \${customer}'
      collector task: 'call \${customer}', timeout: '1d', on_timeout: 'boss'
  define 'tidy'
    broom
`,
  { customer: 'Ada' },
);
const diagram = await launch(
  readFileSync(join(root, 'test/bpmn/cases/lib-bpmn-engine/ordering-items-workflow.bpmn'), 'utf8'),
  { customer: 'Ada' },
);
await act((await items(diagram))[0], 'proceed');
for (const [definition, note] of [
  ['define letters\n  author task: "write it"', 'the first one'],
  [
    'define letters\n  cursor\n    author task: "write it"\n    reviewer task: "read it"\n    rewind unless: "${verdict} == accept"',
    'it is read before it is sent',
  ],
])
  await put('/v1/definitions/letters', { definition, note, description: 'Letters, written and read' });
await put('/v1/definitions/shop/orders', {
  definition: orderText,
  description: 'From the basket to the parcel',
  triggers: [{ type: 'order.placed', key: 'web' }],
  schedules: [{ cron: '0 9 * * 1-5', zone: 'Europe/Rome', paused: true }],
});
await put('/v1/participants/bank', {
  url: 'https://bank.example/rota',
  description: 'Collects money',
  retry: undefined,
});
await put('/v1/participants/clerk', { kind: 'person', description: 'Decides claims', form });
await postJson(server.url, '/v1/subscriptions', {
  url: 'https://hooks.example/rota',
  events: ['workflow.*', 'error'],
  description: 'the wall in the office',
  enabled: false,
});
await postJson(server.url, '/v1/secrets', { kind: 'webhook', type: 'v1', match: 'https://bank.example/' });
const batch = (
  await postJson(server.url, '/v1/batches', {
    action: 'pause',
    filter: { name: 'invoice' },
    reason: 'the bank is closed today',
  })
).json<{ id: string }>().id;
await clock(0);
const { deliveries } = (await send(server.url, 'GET', '/v1/deliveries?participant=credit')).json<{
  deliveries: readonly { readonly message_id: string }[];
}>();

const folder = join(root, 'docs/pictures');
mkdirSync(folder, { recursive: true });
if (isWhole)
  for (const [name, path, options] of [
    ['workflow', `workflows/${parcels}?sel=0_0_1_0`, wide],
    ['playground', `playground?workflow=${playground}`, { ...wide, colorScheme: 'dark' as const }],
    ['workflows', 'workflows', wide],
  ] as const) {
    const file = join(folder, `${name}.png`);
    await take({ name, url: at(path) }, file, options, false);
    if (statSync(file).size > PICTURE_BYTES_MAX) throw new Error(`${file} is larger than ${PICTURE_BYTES_MAX} bytes`);
  }

const huge = await launch(
  `define census
  concurrent_iterator on_f: 'people', to_v: 'person'
    sequence
      clerk task: 'write to \${v:person}'
      archive
`,
  { people: Array.from({ length: 3_000 }, (_, i) => `person ${i + 1}`) },
  // The playground keeps the last five hundred requests.
  { callback: away },
);

const called = await launch(
  `define books
  define review
    author task: 'write about \${v:book}', on_error: 'editor', on_timeout: 'boss'
    reviewer timeout: '2d'
    cursor
      corrector
      rewind unless: '\${good} == yes'
  concurrence count: 2, merge_type: 'mix'
    review book: 'lamps'
    review book: 'chairs'
    iterator on: 'Ann, Bob, Cid, Dora', to_v: 'reader'
      mailer task: 'send it to \${v:reader}'
  review book: 'tables'
`,
  {},
  { callback: away },
);
const departments = await launch(
  `define departments
  concurrence merge_type: 'isolate'
${Array.from({ length: 14 }, (_, i) => `    sequence\n      department${i + 1} task: 'say what is needed'\n      counter${i + 1}`).join('\n')}
  bookkeeper
`,
  {},
  { callback: away },
);
const [writer, ...writers] = (await items(called)).filter(({ participant }) => participant !== 'mailer');
await act(writer, 'fail', { class: 'NoTime', message: 'not before spring' });
for (const one of writers) await act(one, 'proceed');
for (const one of await items(called)) if (one.participant === 'mailer') await act(one, 'proceed');
for (const [i, item] of (await items(departments)).entries()) if (i % 3 === 0) await act(item, 'proceed');

const key = (keys: string) => async (page: Page) => {
  await page.keyboard.press(keys);
};
await takeAll([
  { name: 'home', url: at('') },
  { name: 'workflows', url: at('workflows') },
  { name: 'workflows-error', url: at('workflows?status=error&name=invoice') },
  { name: 'workflows-none', url: at('workflows?name=none') },
  { name: 'workflow', url: at(`workflows/${parcels}?sel=0_0_1_0`) },
  { name: 'workflow-credit', url: at(`workflows/${parcels}?sel=0_0_0_2&tab=tries`) },
  { name: 'workflow-outline', url: at(`workflows/${parcels}?view=outline&sel=0_0_0_2`) },
  { name: 'workflow-timeline', url: at(`workflows/${parcels}?view=timeline`) },
  { name: 'workflow-history', url: at(`workflows/${parcels}?view=history`) },
  { name: 'workflow-fields', url: at(`workflows/${parcels}?view=fields`) },
  { name: 'workflow-json', url: at(`workflows/${parcels}?view=json`) },
  { name: 'workflow-past', url: at(`workflows/${parcels}?view=diagram&at=120`) },
  {
    name: 'workflow-lanes',
    url: at(`workflows/${parcels}?view=diagram&sel=0_0_1`),
    before: async (page) => {
      for (const n of [68, 103, 7]) {
        await page.getByLabel('Number or text of a branch').fill(String(n));
        await page.getByRole('checkbox', { name: `Compare branch ${n}`, exact: true }).press('Space');
      }
    },
  },
  { name: 'workflow-called', url: at(`workflows/${called}?view=diagram`) },
  { name: 'workflow-called-outline', url: at(`workflows/${called}?view=outline`) },
  { name: 'workflow-wide', url: at(`workflows/${departments}?view=diagram`) },
  { name: 'workflow-huge', url: at(`workflows/${huge}`) },
  { name: 'workflow-huge-outline', url: at(`workflows/${huge}?view=outline`) },
  { name: 'workflow-awaits', url: at(`workflows/${awaits}?view=diagram`) },
  { name: 'workflow-rounds', url: at(`workflows/${rounds}`) },
  { name: 'workflow-rounds-timeline', url: at(`workflows/${rounds}?view=timeline`) },
  { name: 'workflow-paused', url: at(`workflows/${paused}?view=diagram`) },
  { name: 'workflow-done', url: at(`workflows/${done}?view=diagram`) },
  { name: 'workflow-killed', url: at(`workflows/${killed}?view=diagram`) },
  { name: 'workflow-bpmn', url: at(`workflows/${diagram}?view=diagram`) },
  {
    name: 'workflow-kill-dialog',
    url: at(`workflows/${parcels}`),
    before: async (page) => {
      await page.getByLabel('More about this workflow').click();
      await page.getByRole('button', { name: 'Kill…' }).click();
      await page.getByText(/expressions end/).waitFor();
    },
  },
  { name: 'workflow-compare', url: at(`workflows/${rounds}/compare?a=8`) },
  { name: 'launch', url: at('workflows/new?example=order') },
  { name: 'worklist', url: at('worklist') },
  { name: 'worklist-form', url: at(`worklist/${deskItem?.id}`) },
  { name: 'errors', url: at('errors') },
  {
    name: 'errors-group',
    url: at('errors'),
    before: async (page) => {
      await page.getByRole('button', { name: /errors of AccountClosed/ }).click();
      await page.getByRole('region', { name: 'The errors of this group' }).locator('table').last().waitFor();
    },
  },
  { name: 'batches', url: at('batches') },
  { name: 'batch', url: at(`batches/${batch}`) },
  { name: 'deliveries', url: at('deliveries') },
  { name: 'delivery', url: at(`deliveries/${deliveries[0]?.message_id}`) },
  { name: 'timers', url: at('timers') },
  { name: 'waiting', url: at('waiting') },
  { name: 'definitions', url: at('definitions') },
  { name: 'definition', url: at('definitions/letters') },
  {
    name: 'definition-starts',
    url: at('definitions/shop/orders'),
    before: async (page) => {
      await page.getByRole('button', { name: 'Events and times…' }).click();
      await page.getByRole('dialog').getByLabel('Type').waitFor();
    },
  },
  { name: 'definition-diff', url: at('definitions/letters?a=1&b=2') },
  { name: 'editor', url: at('definitions/edit') },
  { name: 'rehearse', url: at('definitions/edit'), before: rehearse },
  { name: 'participants', url: at('participants') },
  { name: 'participant', url: at('participants/bank') },
  { name: 'playground', url: at(`playground?workflow=${playground}`) },
  { name: 'playground-done', url: at(`playground?workflow=${done}`) },
  { name: 'nodes', url: at('nodes') },
  { name: 'settings-display', url: at('settings') },
  { name: 'settings-keys', url: at('settings/keys') },
  { name: 'settings-secrets', url: at('settings/secrets') },
  { name: 'settings-subscriptions', url: at('settings/subscriptions') },
  { name: 'settings-audit', url: at('settings/audit') },
  { name: 'settings-about', url: at('settings/about') },
  { name: 'palette', url: at('workflows'), before: key('Control+k') },
  { name: 'keys', url: at('workflows'), before: key('?') },
  { name: 'no-such-workflow', url: at('workflows/20300101-0000-nosuch-workflow') },
  { name: 'no-such-page', url: at('nowhere') },
  { name: 'docs', url: `${server.url}/docs`, head: '.opblock', isForeign: true },
  { name: 'manual', url: `${server.url}/docs/manual/index.html` },
  { name: 'manual-definitions', url: `${server.url}/docs/manual/definitions.html` },
]);

async function rehearse(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Rehearse' }).click();
  await page.getByRole('button', { name: 'Begin', exact: true }).click();
  await page.getByRole('article', { name: 'alice is asked' }).waitFor();
}
await server.stop();

const admin = makeKey().text;
const closed = await startServer({ ADMIN_KEY: admin });
await takeAll([{ name: 'signin', url: `${closed.url}/console/` }]);
await closed.stop();
if (all !== null) await contactSheets(all);
await browser.close();
host.closeAllConnections();
host.close();
if (wrong.length > 0) {
  console.error(`What is wrong with them:\n${wrong.join('\n')}`);
  process.exitCode = 1;
}
