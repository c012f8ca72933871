import { buildConsole, findChromium } from '../test/console/support/browser.ts';
import { postJson, startServer } from '../test/support/server.ts';
import { loads, moves, sizes } from './console/first.ts';
import { longList } from './console/list.ts';
import { consoles, growth, idle, stream } from './console/live.ts';
import { minute } from './console/minute.ts';
import { boxes, pure, wide } from './console/picture.ts';
import { bareBoxes, type ConsoleBench, type Part, type Row, table } from './console/rows.ts';
import { startPlainBrowser } from './support/plain-browser.ts';

/*
 * `npm run bench -- --console`: the pages against their budgets, in a real browser against a real server (embedded, in memory). Each line stands beside
 * what a calibration page that holds nothing but 400 boxes took when it was measured. The list at a million workflows is measured on a Postgres of its
 * own, where its programs are installed; with `--quick` there are a tenth of them. On a busy machine the time in which the page itself was at work says
 * more than the clock: it stands in brackets.
 */

/** In this order: a crowd's ten thousand messages would be news for a while for whoever comes after it. */
const PARTS: { readonly [name: string]: Part } = {
  ...{ sizes, pure, minute, loads, moves, idle, growth, boxes, stream, wide, list: longList, consoles },
};
export const CONSOLE_PARTS: readonly string[] = Object.keys(PARTS);

/** Workflows that the first list shows. */
const LISTED = 120;

/** Every budget as a line of a table. @param parts which of CONSOLE_PARTS; none: all of them */
export async function consoleTable({
  quick,
  parts,
}: {
  readonly quick: boolean;
  readonly parts: readonly string[];
}): Promise<string> {
  const program = findChromium();
  if (program === null)
    return 'The console is not measured: there is no Chromium here (apt-get install chromium, or CHROMIUM).';
  buildConsole();
  const server = await startServer({ TEST_CLOCK: '1' });
  const browser = await startPlainBrowser(program);
  try {
    const { page } = browser;
    // Times of work are CPU of the page's own thread: what others do on the machine is not in them.
    await page.send('Performance.enable', { timeDomain: 'threadTicks' });
    const bench: ConsoleBench = {
      page,
      another: () => startPlainBrowser(program),
      quick,
      url: server.url,
      at: (path) => `${server.url}/console/${path}`,
      launch: async (workflow, more = {}) => {
        const callback = `${server.url}/v1/playground/participants/someone`;
        const launched = await postJson(server.url, '/v1/workflows', { workflow, callback, ...more });
        if (launched.status !== 201) throw new Error(`Nothing was launched: ${launched.text.slice(0, 500)}`);
        return launched.json<{ id: string }>().id;
      },
    };
    for (let i = 0; i < LISTED; i++) await bench.launch("define listed\n  alice task: 'wait'");
    const rows: (Row & { readonly calibration: number })[] = [];
    const missing: string[] = [];
    for (const [name, part] of Object.entries(PARTS)) {
      if (parts.length > 0 && !parts.includes(name)) continue;
      const calibration = await bareBoxes(page);
      const found = await part(bench);
      if (typeof found === 'string') missing.push(found);
      else rows.push(...found.map((one) => ({ ...one, calibration })));
    }
    return [table(rows), ...missing].join('\n\n');
  } finally {
    await browser.close();
    await server.stop();
  }
}
