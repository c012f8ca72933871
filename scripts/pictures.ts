/*
 * `npm run pictures`: the pictures of the console in docs/pictures, taken of a real server in a real browser. With `-- --all <folder>` every page is
 * taken as well, light, dark and narrow, to be looked at.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildConsole, findChromium, openPage, startBrowser } from '../test/console/support/browser.ts';
import { postJson, send, startServer } from '../test/support/server.ts';

/** A picture in README.md may have so many bytes. */
const PICTURE_BYTES_MAX = 300_000;

const program = findChromium();
if (program === null) throw new Error('No Chromium here: apt-get install chromium, or set CHROMIUM');
buildConsole();
const root = join(import.meta.dirname, '..');
const server = await startServer({ TEST_CLOCK: '1' });
const browser = await startBrowser(program);

const launch = async (workflow: string, fields: object): Promise<string> => {
  const callback = `${server.url}/v1/playground/participants/someone`;
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback, fields });
  await postJson(server.url, '/v1/test/clock', { advance: 0 });
  return answer.json<{ id: string }>().id;
};
type Item = { readonly id: string; readonly participant: string };
const act = (workflow: string, item: Item, verb: string, body: object) =>
  postJson(server.url, `/v1/workflows/${workflow}/workitems/${item.id}/${verb}`, body);

const parcels = await launch(
  `define parcels
  concurrence merge_type: mix
    sequence
      stock task: 'reserve the goods'
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
  { customer: 'Ada', lines: Array.from({ length: 120 }, (_, i) => `lamp ${i + 1}`) },
);
const { workitems } = (await send(server.url, 'GET', `/v1/workitems?limit=1000&workflow_id=${parcels}`)).json<{
  workitems: readonly Item[];
}>();
for (const [i, item] of workitems.entries())
  if (item.participant === 'stock') await act(parcels, item, 'proceed', {});
  else if (item.participant === 'packer' && i % 20 === 7)
    await act(parcels, item, 'fail', { message: 'no box is large enough', class: 'NoBox' });
  else if (item.participant === 'packer' && i % 3 !== 0) await act(parcels, item, 'proceed', {});
const order = await launch(readFileSync(join(root, 'examples/order.xml'), 'utf8'), { customer: 'Ada', in_stock: true });

const diagram = await launch(
  readFileSync(join(root, 'test/bpmn/cases/lib-bpmn-engine/ordering-items-workflow.bpmn'), 'utf8'),
  { customer: 'Ada' },
);
{
  const [first] = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${diagram}`)).json<{
    workitems: readonly Item[];
  }>().workitems;
  if (first !== undefined) await act(diagram, first, 'proceed', {});
}
for (const definition of ['define letters\n  author', 'define letters\n  author\n  reviewer'])
  await send(server.url, 'PUT', '/v1/definitions/letters', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ definition, description: 'Letters, written and read' }),
  });

async function take(path: string, file: string, options: Parameters<typeof openPage>[1]): Promise<void> {
  const { page, troubles } = await openPage(browser, options);
  await page.goto(`${server.url}/console/${path}`);
  await page.locator('h1').waitFor();
  await page.waitForFunction('document.querySelector(".skeleton, [aria-busy=true]") === null');
  // What is read a moment later, such as counts in the rail, belongs to the picture.
  await page.waitForTimeout(700);
  await page.screenshot({ path: file });
  // A page about what is not there asks for it in vain.
  if (troubles.some((one) => !one.startsWith('404 '))) throw new Error(`${path}: ${troubles.join('\n')}`);
  await page.context().close();
  console.log(`${file} ${statSync(file).size} bytes`);
}

const folder = join(root, 'docs/pictures');
mkdirSync(folder, { recursive: true });
const wide = { viewport: { width: 1280, height: 820 } };
for (const [name, path, options] of [
  ['workflow', `workflows/${parcels}?sel=0_0_1_0`, wide],
  ['playground', `playground?workflow=${order}`, { ...wide, colorScheme: 'dark' as const }],
] as const) {
  const file = join(folder, `${name}.png`);
  await take(path, file, options);
  if (statSync(file).size > PICTURE_BYTES_MAX) throw new Error(`${file} is larger than ${PICTURE_BYTES_MAX} bytes`);
}

const all = process.argv[process.argv.indexOf('--all') + 1];
if (process.argv.includes('--all') && all !== undefined) {
  mkdirSync(all, { recursive: true });
  const pages = [
    '',
    'workflows',
    `workflows/${parcels}`,
    `workflows/${parcels}?view=outline`,
    `workflows/${parcels}?view=timeline`,
    'workflows/new?example=order',
    'worklist',
    'errors',
    'deliveries',
    'timers',
    'definitions',
    'definitions/edit',
    'participants',
    `playground?workflow=${order}`,
    'nodes',
    'settings',
    'settings/keys',
    'settings/about',
    'batches',
    `workflows/${parcels}?view=history`,
    `workflows/${parcels}?view=fields`,
    `workflows/${parcels}?at=20`,
    `workflows/${diagram}`,
    'definitions/letters?a=1&b=2',
    'workflows?name=none',
    'workflows/no-such-workflow',
  ];
  const files: string[] = [];
  for (const path of pages)
    for (const [look, options] of [
      ['light', wide],
      ['dark', { ...wide, colorScheme: 'dark' as const }],
      ['narrow', { viewport: { width: 390, height: 820 } }],
      ['narrowest', { viewport: { width: 320, height: 820 } }],
    ] as const) {
      const file = join(all, `${path.replace(/\W+/g, '-').slice(0, 80) || 'home'}-${look}.png`);
      await take(path, file, options);
      files.push(file);
    }
  await contactSheet(files, join(all, 'contact-sheet.png'));
}

/** All pictures small, one below the other in rows of four. */
async function contactSheet(files: readonly string[], to: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1640, height: 400 } });
  const cells = files.map(
    (file) =>
      `<img src="data:image/png;base64,${readFileSync(file).toString('base64')}" style="height:260px;border:1px solid #999">`,
  );
  await page.setContent(
    `<body style="margin:8px;display:grid;grid-template-columns:repeat(4,auto);gap:8px;justify-items:start">${cells.join('')}`,
  );
  await page.screenshot({ path: to, fullPage: true });
  await page.close();
}
await browser.close();
await server.stop();
