/*
 * How fast the interpreter alone is: steps a second in process, rows encoded and decoded as the store keeps them. Run with
 * `npx tsx bench/interpreter.ts [part of a name]`; it ends by itself after about a minute. The last column compares with the calibration: reading
 * and writing the rows of the step as JSON, which no step can do without.
 */

import { createHash } from 'node:crypto';
import { deliveredFields } from '../src/interpreter/state/fields.ts';
import { step } from '../src/interpreter/step.ts';
import type { WorkflowId } from '../src/model/ids.ts';
import type { Fields, Json } from '../src/model/json.ts';
import type { Loaded, Stimulus } from '../src/model/stimulus.ts';
import { LIMITS } from '../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../src/model/tenant.ts';
import { makeTree, type Tree, treeToStored } from '../src/model/tree.ts';
import { makeWorld, type Step, type World } from '../test/support/world.ts';

const MEASURE_MS = 1_500;
const [only = ''] = process.argv.slice(2);

type Spent = { steps: number; ms: number; messages: number; slowest: number; calibration: number };

/** Time this process has had a processor: what others on the machine do does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The real step with a stopwatch; loading and applying rows are the store's and are not measured. */
function measured(spent: Spent): Step {
  return (loaded, stimulus, context) => {
    const start = cpuMs();
    const result = step(loaded, stimulus, { ...context, hears: false }); // as where no other workflow listens
    const ms = cpuMs() - start;
    if (result.kind === 'need') {
      spent.ms += ms;
      return result;
    }
    spent.steps++;
    spent.ms += ms;
    spent.slowest = Math.max(spent.slowest, ms);
    if (result.changes !== null) {
      const { changes } = result;
      spent.messages += changes.history.reduce((sum, row) => sum + row.lastN - row.firstN + 1, 0);
      const before = cpuMs();
      const rows = [loaded.workflow, ...loaded.strands.values(), ...loaded.workitems.values()];
      const written = [
        changes.workflow,
        ...changes.strands.values(),
        ...changes.workitems.values(),
        ...changes.agenda.values(),
      ];
      for (const row of rows) if (row !== null) for (const text of texts(row)) JSON.parse(text);
      for (const row of written)
        for (const text of texts('row' in row ? row.row : row)) JSON.stringify(JSON.parse(text));
      spent.calibration += cpuMs() - before;
    }
    return result;
  };
}

/** The texts of a row that are JSON. */
const texts = (row: object): string[] =>
  Object.entries(row).flatMap(([key, value]) =>
    ['header', 'state', 'fields', 'payload', 'params'].includes(key) && typeof value === 'string' && /^[[{]/.test(value)
      ? [value]
      : [],
  );

const fields: Fields = {
  customer: { name: 'Ada Lovelace', mail: 'ada@example.org', city: 'London' },
  order: { id: 'o-123456', total: 1_200, lines: [{ sku: 'a-1', count: 2, price: 400 }, { sku: 'b-2', count: 1, price: 400 }] },
  note: 'x'.repeat(250),
}; // biome-ignore format: half a kilobyte

let launches = 0;

function launch(world: World, tree: Tree, given: Fields): WorkflowId {
  const text = JSON.stringify(treeToStored(tree) as Json);
  const id = `20260105-1200-bench-${++launches}` as WorkflowId;
  world.stimulate(id, {
    kind: 'launch',
    launch: {
      id, tenant: DEFAULT_TENANT, tree, hash: createHash('sha256').update(text).digest('hex'), text, name: null, revision: null, fields: given,
      callbacks: 'http://participants.example/', retry: null,
    },
  }); // biome-ignore format: a list of parts
  return id;
}

function settle(world: World): void {
  for (;;) {
    const due = world.firstDue();
    if (due === null || due.row.dueAt > world.now()) return;
    world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
  }
}

/** Launches, and answers every workitem until the workflow is over. */
function run(tree: Tree, given: Fields, answer: Fields, spent: Spent): void {
  const world = makeWorld({ step: measured(spent), deliveredFields, startAt: Date.UTC(2026, 0, 5), limits: LIMITS });
  const id = launch(world, tree, given);
  settle(world);
  for (;;) {
    const open = [...world.whole(id).workitems.values()].filter((row) => row.state === 'open');
    if (open.length === 0) return;
    for (const row of open) {
      world.stimulate(id, { kind: 'proceed', workitem: row.id, fields: answer });
      settle(world);
    }
  }
}

function report(name: string, spent: Spent): void {
  const perStep = (spent.ms * 1_000) / spent.steps;
  const columns = [
    name.padEnd(46),
    Math.round((spent.steps * 1_000) / spent.ms)
      .toLocaleString('en')
      .padStart(9),
    perStep.toFixed(perStep < 1_000 ? 1 : 0).padStart(9),
    Math.round((spent.messages * 1_000) / spent.ms)
      .toLocaleString('en')
      .padStart(11),
    spent.slowest.toFixed(1).padStart(9),
    (spent.ms / spent.calibration).toFixed(1).padStart(7),
  ];
  console.log(columns.join(' '));
}

function measure(name: string, job: (spent: Spent) => void): void {
  if (!name.includes(only)) return;
  const warm = (): Spent => ({ steps: 0, ms: 0, messages: 0, slowest: 0, calibration: 0 });
  job(warm());
  const spent = warm();
  const start = performance.now();
  while (performance.now() - start < MEASURE_MS) job(spent);
  report(name, spent);
}

const define = (...children: Tree[]): Tree => makeTree('define', [], children);
const times = (count: number, child: (i: number) => Tree): Tree[] => Array.from({ length: count }, (_, i) => child(i));
const participant = (name: string): Tree => makeTree(name, [['task', 'check']]);

function nested(depth: number, inner: Tree): Tree {
  let tree = inner;
  for (let i = 0; i < depth; i++) tree = makeTree('sequence', [['tag', `level${i}`]], [tree]);
  return tree;
}

console.log(`${'workflow'.padEnd(46)}   steps/s   µs/step   entries/s  worst ms  × JSON`);

measure('launch of a sequence of 3', (spent) => {
  const world = makeWorld({ step: measured(spent), deliveredFields, startAt: Date.UTC(2026, 0, 5) });
  for (let i = 0; i < 100; i++)
    launch(world, define(participant('alice'), participant('bob'), participant('charly')), fields);
});

/** One answer in a sequence of three, again and again on the very same rows: what an ordinary step costs. */
measure('one proceed in a sequence of 3, 0.5 KB of fields', (spent) => {
  let asked: { readonly loaded: Loaded; readonly stimulus: Stimulus; readonly context: Parameters<Step>[2] } | null =
    null;
  const world = makeWorld({
    step: (loaded, stimulus, context) => {
      if (stimulus.event.kind === 'proceed') asked = { loaded, stimulus, context };
      return step(loaded, stimulus, context);
    },
    deliveredFields,
    startAt: Date.UTC(2026, 0, 5),
  });
  const id = launch(world, define(participant('alice'), participant('bob'), participant('charly')), fields);
  const [row] = world.whole(id).workitems.values();
  if (row !== undefined) world.stimulate(id, { kind: 'proceed', workitem: row.id, fields: { approved: true } });
  if (asked === null) throw new Error('nothing was asked');
  const { loaded, stimulus, context } = asked as { loaded: Loaded; stimulus: Stimulus; context: Parameters<Step>[2] };
  const watched = measured(spent);
  for (let i = 0; i < 1_000; i++) watched(loaded, stimulus, context);
});

measure('sequence of 1,000 expressions, no participants', (spent) => {
  run(
    define(
      makeTree(
        'sequence',
        [],
        times(1_000, () => makeTree('noop')),
      ),
    ),
    fields,
    {},
    spent,
  );
});

measure('sequence of 100 participants', (spent) => {
  run(define(...times(100, (i) => participant(`p${i % 7}`))), fields, { approved: true }, spent);
});

for (const type of ['override', 'mix', 'isolate', 'stack', 'union', 'ignore', 'concat', 'deep'])
  measure(`concurrence of 1,000, ${type}`, (spent) => {
    const tree = makeTree(
      'concurrence',
      [['merge_type', type]],
      times(1_000, (i) =>
        makeTree('set', [
          ['field', 'i'],
          ['value', i],
        ]),
      ),
    );
    run(define(tree), fields, {}, spent);
  });

measure('concurrence of 200 participants, union', (spent) => {
  const tree = makeTree(
    'concurrence',
    [['merge_type', 'union']],
    times(200, (i) => participant(`p${i}`)),
  );
  run(define(tree), fields, { lines: ['a', 'b'] }, spent);
});

measure('10 levels of nesting, a participant inside', (spent) => {
  run(define(nested(10, participant('alice')), nested(10, participant('bob'))), fields, { approved: true }, spent);
});

measure('substitution and conditions, 100 expressions', (spent) => {
  const tree = makeTree('iterator', [['times', 25]], [
    makeTree('set', [['field', 'text'], ['value', 'Dear ${f:customer.name}, order ${f:order.id} of ${f:order.total} is ${v:i} of ${f:order.lines.0.count}']]),
    makeTree('set', [['field', 'copy'], ['value', '$f:order'], ['if', "${f:order.total} > 1000 and ${'customer.city} == 'London'"]]),
    makeTree('if', [['test', '${f:note} is set and not (${v:i} == 3 or ${v:i} in [4, 5])']], [makeTree('noop'), makeTree('noop')]),
    makeTree('given', [['${f:customer.mail}', null]], [makeTree('of', [['/@example\\.(org|com)$/', null]], [makeTree('noop')])]),
  ]); // biome-ignore format: a definition
  run(define(tree), fields, {}, spent);
});

measure('citerator of 10,000 over 100 KB, and its cancel', (spent) => {
  const list = times(10_000, () => makeTree('noop')).map((_, i) => `item ${i}`);
  const world = makeWorld({ step: measured(spent), deliveredFields, startAt: Date.UTC(2026, 0, 5) });
  const tree = makeTree(
    'citerator',
    [
      ['on_f', 'list'],
      ['to_v', 'who'],
    ],
    [participant('alice')],
  );
  const id = launch(world, define(tree), { list });
  settle(world);
  world.stimulate(id, { kind: 'cancel' });
  settle(world);
  if (only !== '')
    console.log(
      `  heap ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB, rss ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
    );
});
