import { parseArgs } from 'node:util';
import type { Case } from './cases.ts';
import { mentions, readCases } from './cases.ts';
import type { Verdict } from './harness.ts';
import { playInProcess, playOverHttp } from './harness.ts';
import { findTarget, listen, wantsToBeAlone } from './http.ts';
import { NOT_YET } from './not-yet.ts';
import { describe, passed, table } from './report.ts';

const HELP = `Replays the cases of test/conformance/cases.

  npm run conformance -- [options]

  --group <name>     only this group
  --case <name>      only the case(s) of this name
  --verbose, -v      show each failed case whole
  --without <names>  leave out cases that mention these expressions (comma-separated)
  --url <url>        against a running server instead of in process
  --parallel <n>     with --url: cases at a time (default 8; always 1 when the server runs with TEST_CLOCK=1)
`;

const { values } = parseArgs({
  options: {
    group: { type: 'string' },
    case: { type: 'string' },
    verbose: { type: 'boolean', short: 'v', default: false },
    without: { type: 'string' },
    url: { type: 'string' },
    parallel: { type: 'string', default: '8' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function inProcessVerdicts(cases: readonly Case[]): Promise<readonly Verdict[]> {
  const { parts } = await import('./parts.ts');
  const verdicts: Verdict[] = [];
  for (const one of cases) verdicts.push(await playInProcess(one, parts));
  return verdicts;
}

async function httpVerdicts(cases: readonly Case[], url: string, parallel: number): Promise<readonly Verdict[]> {
  const target = await findTarget(url.replace(/\/$/, ''));
  const listener = await listen();
  try {
    const verdicts = new Map<Case, Verdict>();
    const play = async (one: Case): Promise<void> => {
      verdicts.set(one, await playOverHttp(one, target, listener));
    };
    const together = target.testClock ? [] : cases.filter((one) => !wantsToBeAlone(one));
    const queue = [...together];
    const worker = async (): Promise<void> => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) await play(one);
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    for (const one of cases) if (!verdicts.has(one)) await play(one);
    return cases.flatMap((one) => verdicts.get(one) ?? []);
  } finally {
    await listener.close();
  }
}

if (values.help) console.log(HELP);
else {
  const names = values.without?.split(',') ?? NOT_YET;
  const all = readCases(values.group ?? null, values.case ?? null);
  if (all.length === 0) {
    console.error('No case has this group and name. The groups are the folders of test/conformance/cases.');
    process.exit(2);
  }
  const leftOut = all.filter((one) => mentions(one, names));
  const cases = all.filter((one) => !leftOut.includes(one));
  const verdicts =
    values.url === undefined
      ? await inProcessVerdicts(cases)
      : await httpVerdicts(cases, values.url, Math.max(1, Number(values.parallel) || 1));
  if (values.verbose) for (const verdict of verdicts) if (!passed(verdict)) console.log(`${describe(verdict)}\n`);
  console.log(table({ verdicts, leftOut, names }));
  process.exitCode = verdicts.every(passed) ? 0 : 1;
}
