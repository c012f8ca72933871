import { parseArgs } from 'node:util';
import { FLAWS, type Flaw, HEARD_FLAWS } from './flaws.ts';
import { simulateHeard } from './heard.ts';
import { simulate } from './world.ts';

/*
 * npm run simulate -- --seed N --runs M [--flaw "drop an ack"] [--trace] [--heard]
 *
 * Runs M worlds, from seed N on; stops at the first that breaks a promise, and prints how to see it again.
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100' },
    flaw: { type: 'string' },
    trace: { type: 'boolean', default: false },
    /** Worlds of events and schedules (heard.ts). */
    heard: { type: 'boolean', default: false },
    /** Goes on after a failure. */
    keep: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const runs = Number(values.runs);
if (!Number.isInteger(first) || !Number.isInteger(runs) || runs < 1) {
  process.stderr.write('Give whole numbers: --seed N --runs M\n');
  process.exit(2);
}
const flaw = (values.flaw ?? null) as Flaw | null;
const flaws: readonly Flaw[] = values.heard ? HEARD_FLAWS : FLAWS;
if (flaw !== null && !flaws.includes(flaw)) {
  process.stderr.write(`--flaw is one of: ${flaws.join(', ')}\n`);
  process.exit(2);
}

const began = performance.now();
let ran = 0;
const totals = { events: 0, steps: 0, commits: 0, workflows: 0, tries: 0, notices: 0, proceeds: 0, seconds: 0 };
let failed = 0;
for (let seed = first; seed < first + runs; seed++) {
  const outcome = await (values.heard ? simulateHeard : simulate)({ seed, flaw });
  for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += outcome[key];
  ran += 1;
  if (outcome.problems.length > 0) {
    failed += 1;
    process.stdout.write(`seed ${seed} fails\n`);
    if (!values.keep || values.trace) process.stdout.write(`${outcome.tail.join('\n')}\n`);
    process.stdout.write(`${outcome.problems.slice(0, 10).join('\n')}\n`);
    process.stdout.write(
      `again: npm run simulate --${values.heard ? ' --heard' : ''} --seed ${seed} --runs 1${flaw === null ? '' : ` --flaw '${flaw}'`}\n`,
    );
    if (!values.keep) break;
  } else if (values.trace) process.stdout.write(`${outcome.tail.join('\n')}\n`);
  if ((seed - first + 1) % 500 === 0) process.stdout.write(`${seed - first + 1} seeds, ${failed} failed\n`);
}
const ms = performance.now() - began;
process.stdout.write(
  `${ran} seeds from ${first}: ${failed} failed; ${totals.workflows} workflows, ${totals.steps} steps, ${totals.commits} commits, ` +
    `${totals.tries} tries (${totals.notices} of notices), ${totals.proceeds} proceeds, ${Math.round(totals.seconds / 3600)} h of virtual time ` +
    `in ${(ms / 1000).toFixed(1)} s: ${Math.round((totals.steps / ms) * 1000)} steps and ${Math.round((totals.events / ms) * 1000)} events per second\n`,
);
process.exit(failed > 0 ? 1 : 0);
