import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printJson, printRadial, printXml } from '../../src/definition/print.ts';
import { readDefinition } from '../../src/definition/read.ts';
import { fewOrAll } from '../support/all.ts';
import { radialTree, xmlTree } from '../support/trees.ts';

const SEED = Number(process.env['SEED'] ?? 20261121);
/** With the same seed they are the same each time; `SEED=… INPUTS=1000000 npx vitest run test/definition/fuzz.test.ts` looks for more. */
const INPUTS = Number(process.env['INPUTS'] ?? fewOrAll(20_000, 200_000));
/** Nothing of a few kilobytes may take this long; what does, backtracks. */
const SLOWEST_MS = 1_000;

/** Milliseconds this process has computed for: what others do on the machine meanwhile does not count. */
function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** What the grammars are made of: put in, they tend to hit something. */
const SNIPPETS = [
  ...[
    '\n',
    '\n  ',
    '\r\n',
    ' ',
    '\t',
    ', ',
    ',',
    ': ',
    ' => ',
    '#',
    '# c\n',
    '"',
    "'",
    '/',
    '\\',
    '\\u00e9',
    '\\n',
    '[',
    ']',
    '{',
    '}',
  ],
  ...[
    '[ 1, 2 ]',
    '{ a: b }',
    'null',
    'nil',
    'true',
    '-1.5e3',
    '${f:x}',
    'define',
    'sequence',
    'read',
    'name: x',
    '<',
    '>',
    '</',
    '/>',
  ],
  ...[
    '<a>',
    '</a>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '<!DOCTYPE a>',
    '&',
    '&amp;',
    '&#65;',
    ';',
    '=',
    'a="b"',
    "a='b'",
  ],
  ...[
    '["a",{},[]]',
    '{}',
    '[]',
    '"a":1',
    '\0',
    '\uFEFF',
    '\uD83C',
    '🎉',
    '\u00a0',
    '-',
    '_',
    '__proto__',
    'Ruote.define',
  ],
];

/** A generator of numbers that a seed tells: mulberry32. */
function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutated(text: string, below: (n: number) => number, corpus: readonly string[]): string {
  const at = below(text.length + 1);
  const end = Math.min(text.length, at + 1 + below(6));
  switch (below(8)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + SNIPPETS[below(SNIPPETS.length)] + text.slice(at);
    case 2:
      return text.slice(0, at) + SNIPPETS[below(SNIPPETS.length)] + text.slice(end);
    case 3:
      return text.slice(0, end) + text.slice(at);
    case 4:
    case 7: {
      // A letter becomes another letter: the sort of change that leaves a definition readable.
      const letter = at + text.slice(at).search(/[a-z]/);
      return letter < at
        ? text
        : `${text.slice(0, letter)}${String.fromCharCode(97 + below(26))}${text.slice(letter + 1)}`;
    }
    case 5: {
      const lines = text.split('\n');
      const line = below(lines.length);
      return [...lines.slice(0, line), lines[below(lines.length)] ?? '', ...lines.slice(line)].join('\n');
    }
    default: {
      const other = corpus[below(corpus.length)] ?? '';
      const from = below(other.length + 1);
      return text.slice(0, at) + other.slice(from, from + 1 + below(20)) + text.slice(at);
    }
  }
}

function readCorpus(): string[] {
  const cases = fileURLToPath(new URL('../conformance/cases/', import.meta.url));
  const recorded = readdirSync(cases, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): string => JSON.parse(readFileSync(`${cases}/${file}`, 'utf8')).definition);
  const printed = fc.sample(radialTree, { seed: SEED, numRuns: 300 }).flatMap((tree) => {
    const radial = printRadial(tree);
    return [printJson(tree), ...(radial.ok ? [radial.text] : [])];
  });
  const elements = fc.sample(xmlTree, { seed: SEED, numRuns: 300 }).flatMap((tree) => {
    const xml = printXml(tree);
    return xml.ok ? [xml.text] : [];
  });
  return [...recorded, ...printed, ...elements];
}

test('no change to a definition makes a reader crash or dawdle', { timeout: 60_000 }, () => {
  const corpus = readCorpus();
  const below = chance(SEED);
  const counts = { xml: 0, json: 0, radial: 0, bpmn: 0, refused: 0 };
  let slowest = { milliseconds: 0, text: '' };

  for (let i = 0; i < INPUTS; i += 1) {
    let text = corpus[below(corpus.length)] ?? '';
    for (let changes = 1 + Math.floor(below(5) / 2); changes > 0; changes -= 1) text = mutated(text, below, corpus);
    const started = computed();
    const result = readDefinition(text);
    const milliseconds = computed() - started;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, text };
    counts[result.ok ? result.format : 'refused'] += 1;
    if (result.ok) continue;
    const lines = text.split('\n').length;
    for (const { line, column, message } of result.errors)
      if (line < 1 || line > lines || column < 1 || message === '')
        throw new Error(`SEED=${SEED}: no such place in ${JSON.stringify(text)}`);
  }

  const readable = INPUTS - counts.refused;
  console.log(
    `fuzz: SEED=${SEED}, ${INPUTS} inputs, ${readable} readable (xml ${counts.xml}, json ${counts.json}, radial ${counts.radial}), ` +
      `${counts.refused} refused, slowest ${slowest.milliseconds.toFixed(1)} ms`,
  );
  expect(readable / INPUTS).toBeGreaterThanOrEqual(0.3);
  expect(slowest.milliseconds, JSON.stringify(slowest.text.slice(0, 500))).toBeLessThan(SLOWEST_MS);
});

test('texts made to make a reader go back and forth are read or refused in one go', { timeout: 60_000 }, () => {
  const size = fewOrAll(100_000, 250_000);
  const fill = (unit: string): string => unit.repeat(Math.floor(size / unit.length));
  const started = computed();
  const hostile = [
    ...["a b: '", 'a b: "', 'a b: /', 'a b: [', 'a b: {', 'a '].flatMap((start) =>
      [
        '[',
        '{',
        '{a:',
        '[{a:',
        '{a:[',
        '["',
        "'",
        '"',
        '/',
        '\\',
        '\\"',
        '\\/',
        '"\\',
        ' ',
        '\n',
        '\n ',
        '#\n',
        ' #',
        '\t',
        ',',
        ',\n',
        'a,',
        "'a',",
        'a:',
        'a: b,',
        '1',
        '1,',
        '-',
        '{a,',
        '{"a,',
      ].map((unit) => start + fill(unit)),
    ),
    ...['a', ' a\n', 'a\n', 'a #\n', '\r', '\r\n', '-'].map((unit) => `define\n${fill(unit)}`),
    ...[
      '<',
      '<a',
      '<a ',
      '<a>',
      '</a>',
      ' a="',
      "'",
      '&',
      '&amp;',
      '&#1',
      ']]>',
      '<!--',
      '-->',
      '<![CDATA[',
      '<?a',
      '<!',
      ' ',
      '\n',
      'a:',
      'a="b" ',
    ].flatMap((unit) => [`<a>${fill(unit)}`, `<a ${fill(unit)}`, `<a b="${fill(unit)}`, `<a>${fill(unit)}</a>`]),
    ...['[', '{', '"', '\\', '"a",', '{"a":', '["a",{},[', ' ', '1', '-', ',', 'null,'].flatMap((unit) => [
      `[${fill(unit)}`,
      `["a",{"b":${fill(unit)}`,
      `["a",{},[${fill(unit)}`,
    ]),
  ];
  let slowest = { milliseconds: 0, text: '' };
  for (const text of hostile) {
    const before = computed();
    readDefinition(text);
    const milliseconds = computed() - before;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, text };
  }
  console.log(
    `hostile: ${hostile.length} texts of ${size} characters in ${(computed() - started).toFixed(0)} ms, ` +
      `slowest ${slowest.milliseconds.toFixed(1)} ms: ${JSON.stringify(slowest.text.slice(0, 40))}`,
  );
  expect(slowest.milliseconds).toBeLessThan(SLOWEST_MS);
});
