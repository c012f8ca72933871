import { parseArgs } from 'node:util';
import { chaos, SHORT, WHOLE } from './chaos.ts';
import { eventsChaos } from './events.ts';

/*
 * `npm run chaos -- --seed N --runs M`: the chaos test by hand, whole or as `npm test` has it (`--short`); with `--events 10000` events on three
 * nodes of which some are killed. Exit code 1 when something went wrong.
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    events: { type: 'string' },
  },
});
for (let run = 0; run < Number(values.runs); run++) {
  const seed = Number(values.seed) + run;
  console.log(`seed ${seed}`);
  if (values.events !== undefined) {
    const told = await eventsChaos(seed, Number(values.events), (line) => console.log(line));
    console.log(JSON.stringify(told, null, 2));
    if (typeof told === 'string' || told.violations.length > 0) process.exit(1);
    continue;
  }
  const result = await chaos(seed, values.short ? SHORT : WHOLE, (line) => console.log(line));
  if (typeof result === 'string') {
    console.error(`There is no Postgres to test on: ${result}.`);
    process.exit(1);
  }
  if (result.verdict.violations.length > 0) {
    console.error(`Seed ${seed} failed:\n${result.verdict.violations.join('\n')}`);
    process.exit(1);
  }
}
