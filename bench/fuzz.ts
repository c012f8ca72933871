/*
 * How long what reads the text of strangers takes for a text of ten kilobytes made of pieces that readers trip over: a megabyte for each reader.
 * Run with `npx tsx bench/fuzz.ts [seed]`; a text that took longer than the goal is printed, and the exit code is 1.
 *
 * That none of them is worse than linear is held by tests (test/safety); this tells how long it takes.
 */
import { readForm } from '../src/api/reading/form.ts';
import { readDefinition } from '../src/definition/read.ts';
import { evaluateCondition } from '../src/language/condition.ts';
import { readCron } from '../src/language/cron.ts';
import { parseDuration } from '../src/language/duration.ts';
import { parseFeel } from '../src/language/feel/feel.ts';
import { lookup } from '../src/language/lookup.ts';
import { compileRegex } from '../src/language/regex.ts';
import { substitute } from '../src/language/substitution.ts';
import { parseSchedule, parseWhen } from '../src/language/when.ts';

const GOAL_MS = 50;
const TEXT_CHARACTERS = 10_000;
const TEXTS = 100;
const AGAIN_MAX = 4;
const seed = Number(process.argv[2] ?? 20261129);

const PIECES = [
  ...['\n', '\n  a', '\n    b', '\t', ' ', ', ', ': ', ' => ', '#', '"', "'", '/', '\\', '\\/', '[', ']', '{', '}', '(', ')'],
  ...['1', '1.', '.', '1h', '1x', '9'.repeat(30), '-', '*', '* ', '*/5 ', '&', '%41', '%', '+', '=', '[]', '[a]', 'a', 'a.b', '_'],
  ...['${', '${f:a}', '${${', '$', ' and ', ' or ', ' not ', '!', ' == ', ' =~ /', ' in [', ' is ', ' set', '|', '*?', '{2,9}', '(?:', '\\d+'],
  ...['<', '<a>', '</a>', '<a b="', '/>', '<!--', '-->', '<![CDATA[', ']]>', '&amp;', '&#65;', '<!DOCTYPE a>', '\u{1F600}', '\0', 'define', 'sequence'],
]; // biome-ignore format: a list

const scope = { field: (path: string) => lookup({ a: 'text' }, path), variable: () => undefined, special: () => 'x' };
const READERS: { readonly [name: string]: (text: string) => unknown } = {
  'definition, whatever it is': (text) => readDefinition(text),
  'definition, Radial': (text) => readDefinition(`define\n  ${text}`),
  'definition, XML': (text) => readDefinition(`<define>${text}</define>`),
  'definition, JSON': (text) => readDefinition(`["define", {"a": "${text}`),
  FEEL: (text) => parseFeel(text.slice(0, 4_000)),
  'definition, BPMN': (text) =>
    readDefinition(`<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">${text}`),
  form: readForm,
  duration: parseDuration,
  time: (text) => parseWhen(text, 0),
  schedule: parseSchedule,
  cron: readCron,
  condition: evaluateCondition,
  substitution: (text) => substitute(text, scope),
  'regular expression': (text) => compileRegex(text),
};

/** Numbers that a seed tells (mulberry32). */
let state = seed >>> 0;
function below(n: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
}

/** Pieces at random, or one or two of them over and over: the second is what algorithms that go back and forth trip over. */
function hostile(): string {
  const some = Array.from(
    { length: below(2) === 0 ? 1 + below(2) : PIECES.length },
    () => PIECES[below(PIECES.length)],
  );
  let text = '';
  for (let i = 0; text.length < TEXT_CHARACTERS; i++)
    text += some.length > 2 ? some[below(some.length)] : some[i % some.length];
  return text;
}

function timed(read: (text: string) => unknown, text: string): number {
  const startedAt = performance.now();
  try {
    read(text);
  } catch (error) {
    // Refused, which is the usual answer; a reader that breaks is something else.
    if (error instanceof RangeError || error instanceof SyntaxError) throw error;
  }
  return performance.now() - startedAt;
}

let isSlow = false;
for (const [name, read] of Object.entries(READERS)) {
  const took: { readonly ms: number; readonly text: string }[] = [];
  for (let n = 0; n < TEXTS; n++) {
    const text = hostile();
    let ms = timed(read, text);
    // Others run on this machine, too, and code is compiled when it is used: what is slow by itself is slow again.
    for (let again = 0; again < AGAIN_MAX && ms > GOAL_MS / 5; again++) ms = Math.min(ms, timed(read, text));
    took.push({ ms, text });
  }
  took.sort((a, b) => a.ms - b.ms);
  const [middle, last] = [took[took.length >> 1], took.at(-1)];
  const slowest = last?.ms ?? 0;
  console.log(
    `${name.padEnd(28)} ${(middle?.ms ?? 0).toFixed(1).padStart(6)} ms at p50, ${slowest.toFixed(1).padStart(6)} at most`,
  );
  if (slowest <= GOAL_MS) continue;
  isSlow = true;
  console.log(`  seed ${seed}: ${JSON.stringify(last?.text.slice(0, 200))}…`);
}
process.exitCode = isSlow ? 1 : 0;
