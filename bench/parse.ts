/*
 * How fast definitions are read: megabytes and definitions a second for each format, for a definition of everyday size
 * and for the biggest one allowed. Run with `npx tsx bench/parse.ts`; it ends by itself after some ten seconds.
 */
import { printJson, printRadial, printXml } from '../src/definition/print.ts';
import { readDefinition } from '../src/definition/read.ts';
import { makeTree, type Tree } from '../src/model/tree.ts';

const MEASURE_MS = 1_000;

const step = (i: number): Tree =>
  makeTree(
    'sequence',
    [['tag', `step ${i}`]],
    [
      makeTree('participant', [
        ['ref', `person ${i % 7}`],
        ['task', "check the customer's papers & sign them"],
        ['timeout', '2d12h'],
      ]),
      makeTree(
        'if',
        [['test', '${f:approved} == true']],
        [makeTree('alpha', [['level', String(i)]]), makeTree('bravo')],
      ),
    ],
  );
const workflow = (steps: number): Tree =>
  makeTree(
    'define',
    [['name', 'bench']],
    Array.from({ length: steps }, (_, i) => step(i)),
  );

function textOf(tree: Tree, format: 'radial' | 'xml' | 'json'): string {
  if (format === 'json') return printJson(tree);
  const printed = format === 'radial' ? printRadial(tree) : printXml(tree);
  if (!printed.ok) throw new Error(printed.message);
  return printed.text;
}

function measure(format: string, text: string): void {
  const megabytes = Buffer.byteLength(text) / 1e6;
  let runs = 0;
  let slowest = 0;
  const started = performance.now();
  while (performance.now() - started < MEASURE_MS) {
    const before = performance.now();
    const result = readDefinition(text);
    if (!result.ok) throw new Error(result.errors[0]?.message ?? 'not read');
    slowest = Math.max(slowest, performance.now() - before);
    runs += 1;
  }
  const seconds = (performance.now() - started) / 1_000;
  console.log(
    `${format.padEnd(7)} ${(megabytes * 1e3).toFixed(1).padStart(7)} kB  ${((megabytes * runs) / seconds).toFixed(1).padStart(6)} MB/s  ` +
      `${(runs / seconds).toFixed(0).padStart(7)} definitions/s  slowest ${slowest.toFixed(1)} ms`,
  );
}

for (const format of ['radial', 'xml', 'json'] as const) {
  measure(format, textOf(workflow(3), format));
  let steps = 4_000;
  while (Buffer.byteLength(textOf(workflow(steps), format)) > 1_048_576) steps -= 100;
  measure(format, textOf(workflow(steps), format));
}
