import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathOf, readTold } from '../patterns/cases.ts';
import type { Case } from './cases.ts';
import { mentions, readCases } from './cases.ts';
import type { SeenMessage } from './compare.ts';
import type { Verdict } from './harness.ts';
import { playInProcess, playOverHttp } from './harness.ts';
import { findTarget, listen, wantsToBeAlone } from './http.ts';
import { NOT_YET } from './not-yet.ts';
import { describe, passed, table } from './report.ts';

const HELP = `Replays the cases of test/conformance/cases, and the patterns and recipes of test/patterns.

  npm run conformance -- [options]

  --group <name>     only this group
  --case <name>      only the case(s) of this name
  --record <name>    play this pattern or recipe in process and write what was seen into its file, to be read and committed
  --verbose, -v      show each failed case whole
  --without <names>  leave out cases that mention these expressions (comma-separated)
  --url <url>        against a running server instead of in process
  --parallel <n>     with --url: cases at a time (default 8; always 1 when the server runs with TEST_CLOCK=1)
`;

const { values } = parseArgs({
  options: {
    group: { type: 'string' },
    case: { type: 'string' },
    record: { type: 'string' },
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

/** What a new pattern or recipe does becomes what it has to do. */
async function record(name: string): Promise<void> {
  const one = readTold().find((told) => told.name === name);
  if (one === undefined) {
    console.error(`There is no test/patterns/recipes/${name}.json, nor one in test/patterns/patterns.`);
    process.exit(2);
  }
  const { parts } = await import('./parts.ts');
  const { result } = await playInProcess({ ...one, expect: NOTHING }, parts);
  const written = JSON.parse(readFileSync(pathOf(one), 'utf8')) as object;
  const message = ({ participant, expid, workflow, fields }: SeenMessage): object => ({
    participant,
    expid,
    ...(workflow === 1 ? {} : { workflow }),
    fields,
  });
  const expect = {
    dispatches: result.dispatches.map(message),
    cancels: result.notices.map((notice) => ({ ...message(notice), status: notice.status })),
    outcome: result.outcome,
    status: result.status,
    final_fields: result.fields,
    errors: result.errors,
    remaining: result.remaining,
  };
  writeFileSync(pathOf(one), `${JSON.stringify({ ...written, expect }, null, 1)}\n`);
  for (const trouble of result.troubles) console.error(trouble);
  console.log(`Recorded in ${pathOf(one)}: read it before you commit it.`);
}

const NOTHING: Case['expect'] = {
  dispatches: [],
  cancels: [],
  outcome: 'terminated',
  final_fields: null,
  errors: [],
  remaining: [],
};

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
else if (values.record !== undefined) await record(values.record);
else {
  const names = values.without?.split(',') ?? NOT_YET;
  const all = [
    // Patterns move the clock of a server by days, so they come first.
    ...readTold().filter(
      ({ group, name }) =>
        (values.group === undefined || group === values.group) && (values.case === undefined || name === values.case),
    ),
    ...readCases(values.group ?? null, values.case ?? null),
  ];
  if (all.length === 0) {
    console.error(
      'No case has this group and name. The groups are the folders of test/conformance/cases and test/patterns.',
    );
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
