/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation that is measured */

import { evaluateCondition } from '../src/language/condition.ts';
import { nextCron, parseCron } from '../src/language/cron.ts';
import { applyFilter } from '../src/language/filter.ts';
import { lookup } from '../src/language/lookup.ts';
import { mergeReplies } from '../src/language/merge.ts';
import { compileRegex } from '../src/language/regex.ts';
import { substitute } from '../src/language/substitution.ts';

/* How often a second the parts of the language work that every expression uses. Ends by itself after a few seconds. */

const MEASURE_MS = 400;
const BATCH = 100;

const fields = { n: 12, name: 'Ada', order: { total: 1_200, lines: [{ sku: 'a-1' }] }, list: ['x', ['z']] };
const scope = {
  field: (path: string) => lookup(fields, path),
  variable: () => 'variable',
  special: () => '20300101-0000-kogadeso-gekunute',
};
const cron = parseCron('0 9 * * 1-5 Europe/Paris');
const replies = Array.from({ length: 100 }, (_, index) => ({
  index,
  arrival: index,
  fields: { ...fields, index, l: [index] },
}));

const jobs: Readonly<Record<string, () => unknown>> = {
  'substitute: no dollar': () => substitute('plain text', scope),
  'substitute: $f:order': () => substitute('$f:order', scope),
  'substitute: two fields': () => substitute('hello ${f:name}, ${f:order.total} please', scope),
  'substitute: nested': () => substitute('${v:${f:name}} ${wfid}', scope),
  'condition: a == b': () => evaluateCondition('approved == approved'),
  'condition: numbers': () => evaluateCondition('1200 > 1000'),
  'condition: and, is set': () => evaluateCondition('1200 > 1000 and Ada Lovelace is set and not false'),
  'condition: parentheses': () => evaluateCondition("(a == b or 'c d' == c d) && x in [a, x]"),
  'regex: cached': () => compileRegex('^(\\w+)@(\\w+)\\.org$').test('ada@example.org'),
  'cron: next, with a zone': () => cron !== null && nextCron(cron, Date.UTC(2030, 0)),
  'filter: three rules': () =>
    applyFilter({
      rules: [
        { f: 'n', type: 'number' },
        { f: 'name', size: [1, 9] },
        { f: 'order.vat', set: 19 },
      ],
      fields,
      base: fields,
    }),
  'merge: concat of 100 branches': () => mergeReplies({ replies, applied: fields, merge: 'first', type: 'concat' }),
};

for (const [name, job] of Object.entries(jobs)) {
  for (let i = 0; i < BATCH; i++) job();
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < MEASURE_MS) {
    for (let i = 0; i < BATCH; i++) job();
    count += BATCH;
  }
  const perSecond = (count * 1_000) / (performance.now() - start);
  process.stdout.write(`${name.padEnd(34)}${Math.round(perSecond).toLocaleString('en').padStart(12)} per second\n`);
}
