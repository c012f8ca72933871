import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { convertDefinition, convertOne, TARGET_FORMATS } from '../../../src/definition/convert.ts';
import { readDefinition } from '../../../src/definition/read.ts';
import { DEFINITIONS_MAX, looksLikeRuby, RUBY_LIMITS, readRuby } from '../../../src/definition/ruby/read.ts';
import type { ParseRuby } from '../../../src/definition/ruby/syntax.ts';
import type { Json } from '../../../src/model/json.ts';
import { treeToJson } from '../../../src/model/tree.ts';
import { loadRuby } from '../../../src/server/prism.ts';

/* Definitions as Ruote's Ruby writes them. cases.json: texts, and what the real engine's reader made of them. */

type Case = { readonly ruby: string; readonly tree?: Json; readonly refused?: true };
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'cases.json'), 'utf8')) as readonly Case[];

let parse: ParseRuby;
beforeEach(async () => {
  parse = await loadRuby();
});

function read(text: string): { readonly tree: Json } | { readonly refused: string } {
  const result = readRuby(text, parse);
  const one = result.ok ? result.found[0]?.read() : result;
  if (one === undefined) throw new Error('No definition was found');
  if (one.ok) return { tree: treeToJson(one.tree) };
  const [first] = one.errors;
  return { refused: `${first?.line}:${first?.column} ${first?.message}` };
}
const inDefine = (body: string): string => `Ruote.define do\n  ${body}\nend\n`;
const childrenOf = (body: string): Json => {
  const result = read(inDefine(body));
  if ('refused' in result) throw new Error(result.refused);
  return (result.tree as [Json, Json, Json])[2];
};
const refusalOf = (body: string): string => {
  const result = read(inDefine(body));
  return 'refused' in result ? result.refused : '';
};

test.each(cases.map((one, number) => [number, one] as const))('case %i is read as Ruote does, or refused', (_, one) => {
  const result = read(one.ruby);
  if (one.refused === true) expect('refused' in result).toBe(true);
  else {
    expect(result).toEqual({ tree: one.tree });
    expect(looksLikeRuby(one.ruby)).toBe(true);
  }
});

test.each(cases.flatMap(({ ruby, tree }, number) => (tree === undefined ? [] : [[number, ruby, tree] as const])))(
  'case %i goes to each format and back, or that format cannot say it',
  (_, ruby, tree) => {
    for (const to of TARGET_FORMATS) {
      const converted = convertOne(ruby, { from: null, to, name: null, parse });
      if (!converted.ok) {
        expect([to, converted.errors[0]?.message]).toEqual(['xml', expect.stringMatching(/^xml cannot say it: /)]);
        continue;
      }
      const back = readDefinition(converted.text);
      expect(back.ok && treeToJson(back.tree), to).toEqual(tree);
    }
  },
);

describe('what is literal', () => {
  test('is what Ruby makes of it', () => {
    expect(childrenOf(String.raw`a 1.5, 1e3, :x => -0b101, 'y' => 017, 'z' => %i[b c], 'w' => "\u{1f600}"`)).toEqual([
      ['a', { '1.5': null, '1000.0': null, x: -5, y: 15, z: ['b', 'c'], w: '😀' }, []],
    ]);
    expect(childrenOf(String.raw`a %r{x/y}mi, :r => /\//, :n => { 1 => 2, nil => [ :k => /z/ ] }`)).toEqual([
      ['a', { '/x\\/y/mi': null, r: '/\\//', n: { '': [{ k: '/z/' }], '1': 2 } }, []],
    ]);
    expect(childrenOf("a ('x'); (b; (c 'd'))")).toEqual([
      ['a', { x: null }, []],
      ['b', {}, []],
      ['c', { d: null }, []],
    ]);
  });

  test('and a list or hash where a name belongs is named as Ruby shows it', () => {
    expect(childrenOf(`a [:b, 'c"#{', nil, 1.5, :"d e", { :f => [true], 'g' => /h/ }], { [1] => 2 }`)).toEqual([
      ['a', { '[:b, "c\\"\\#{", nil, 1.5, :"d e", {:f=>[true], "g"=>/h/}]': null, '[1]': 2 }, []],
    ]);
    expect(childrenOf(String.raw`a ["\t\u2028\x7f", :+, :b?, :'c-d']`)).toEqual([
      ['a', { '["\\t\\u2028\\x7F", :+, :b?, :"c-d"]': null }, []],
    ]);
  });

  test('keeps its place among attributes: the last value counts', () => {
    expect(JSON.stringify(childrenOf("a :x => 1, :y => 2, 'x' => 3"))).toBe('[["a",{"x":3,"y":2},[]]]');
    expect(JSON.stringify(childrenOf('a :x => 1, :y => 2, :x => 3'))).toBe('[["a",{"y":2,"x":3},[]]]');
  });

  test('and stands alone is left out, and said to be', () => {
    const converted = convertOne(inDefine("'a remark'\n  alpha"), { from: null, to: 'json', name: null, parse });
    expect(converted).toMatchObject({ ok: true, tree: { children: [{ name: 'alpha' }] } });
    expect(converted.ok && converted.warnings).toMatchObject([{ line: 2, column: 3 }]);
  });

  const literal = fc.letrec<{ value: [string, Json] }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc
        .string({ unit: 'binary' })
        .filter((text) => !text.includes('\0'))
        .map((text) => [rubyText(text), text] as [string, Json]),
      fc.integer().map((n) => [String(n), n] as [string, Json]),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => [rubyFloat(n), n === 0 ? 0 : n] as [string, Json]),
      fc.constantFrom<[string, Json]>(['nil', null], ['true', true], ['false', false], [':sym', 'sym']),
      fc
        .array(tie('value'), { maxLength: 3 })
        .map(
          (items) => [`[${items.map(([text]) => text).join(', ')}]`, items.map(([, value]) => value)] as [string, Json],
        ),
      fc
        .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,6}$/), tie('value')), {
          maxLength: 3,
          selector: ([key]) => key,
        })
        .map(
          (members) =>
            [
              `{ ${members.map(([key, [text]]) => `'${key}' => ${text}`).join(', ')} }`,
              Object.fromEntries(members.map(([key, [, value]]) => [key, value])),
            ] as [string, Json],
        ),
    ),
  })).value;

  test('comes back as it is, whatever it is', () => {
    fc.assert(
      fc.property(literal, ([text, value]) => {
        expect(childrenOf(`a :x => ${text}`)).toEqual([['a', { x: value }, []]]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('other ways to write', () => {
  const file = (text: string) => read(text);
  test.each([
    ['texts over several lines', 'a "b\\\nc", :d => \'e\' \\\n  \'f\', :g => "h\ni"', { bc: null, d: 'ef', g: 'h\ni' }],
    [
      'lists of words',
      'a :x => %W[b c\\td], :y => %i(e f), :z => %w<#{g} h>',
      { x: ['b', 'c\td'], y: ['e', 'f'], z: ['#{g}', 'h'] },
    ],
    ['percent notations', 'a %(b), %q{c \'d\'}, %Q|e "f"|, %s(g)', { b: null, "c 'd'": null, 'e "f"': null, g: null }],
    ['arguments over lines, with comments', 'a(\n  :b => 1, # one\n  # none\n  :c => 2,\n)', { b: 1, c: 2 }],
    [
      'names of keys',
      "a 'b c': 1, \"d\": 2, if: '${f:x}', unless: nil, 3 => 4",
      { 'b c': 1, d: 2, if: '${f:x}', unless: null, 3: 4 },
    ],
    ['numbers', 'a :x => [1_000, +2, 0d10, 0O17, 1_2.5e-1_0], :y => -0x1F', { x: [1000, 2, 10, 15, 12.5e-10], y: -31 }],
    [
      'two heredocs in a line',
      "a :x => <<A, :y => <<-'B'\none \\t\nA\ntwo \\t #{no}\n  B",
      { x: 'one \t\n', y: 'two \\t #{no}\n' },
    ],
  ])('%s', (_, body, attributes) => {
    expect(childrenOf(body)).toEqual([['a', attributes, []]]);
  });

  test('lines that end as on Windows are lines', () => {
    expect(file('Ruote.define do\r\n  a <<X\r\nb\r\nX\r\n  c # d\r\nend\r\n')).toEqual({
      tree: [
        'define',
        {},
        [
          ['a', { 'b\n': null }, []],
          ['c', {}, []],
        ],
      ],
    });
  });

  test('what a comment says of the encoding changes nothing, nor does what follows __END__', () => {
    const tree = ['define', {}, [['größe', { ß: null }, []]]];
    expect(
      file("#!/usr/bin/ruby\n# -*- coding: iso-8859-1 -*-\nRuote.define do\n größe 'ß'\nend\n__END__\n{{"),
    ).toEqual({ tree });
    expect(file("\uFEFFRuote.define do\n größe 'ß'\nend")).toEqual({ tree });
  });

  test('names with marks and capitals are names, and so is what newer Ruby made a word of', () => {
    expect(childrenOf("ask?; Tell 'x'; do_it!; it; sequence { || it }")).toEqual([
      ['ask?', {}, []], ['Tell', { x: null }, []], ['do_it!', {}, []], ['it', {}, []], ['sequence', {}, [['it', {}, []]]],
    ]); // biome-ignore format: a list
  });

  test.each([
    "define('x') { a }",
    "define 'x' do a end",
    'define :x do # y',
    'process_definition {',
    "  define('x') { a } # y",
  ])('is known without the word Ruote: %s', (text) => {
    expect(looksLikeRuby(text)).toBe(true);
  });
  test.each([
    'define do',
    "define x: '{ y }'",
    'define x\n  a text: "do that"',
    'define x # (y) { z }',
    'define to: end',
  ])('Radial is not taken for it: %s', (text) => {
    expect(looksLikeRuby(`${text}\n`)).toBe(text === 'define do');
  });
});

test('what a launch would refuse is converted all the same, and said', () => {
  const converted = convertOne(inDefine("registerp 'x', :regex => /^y/\n  every '10m'\n  define do alpha end"), {
    ...{ from: null, to: 'json', name: null, parse },
  });
  expect(converted.ok && treeToJson(converted.tree)).toEqual([
    'define',
    {},
    [
      ['registerp', { x: null, regex: '/^y/' }, []],
      ['every', { '10m': null }, []],
      ['define', {}, [['alpha', {}, []]]],
    ],
  ]);
  expect(converted.ok && converted.warnings.map(({ line, message }) => [line, message])).toEqual(
    expect.arrayContaining([
      [2, 'a launch of this is refused: the expression "registerp" is not supported and refused'],
      [3, 'a launch of this is refused: "every" has nothing to run'],
      [4, 'a launch of this is refused: "define" inside a definition needs a name'],
    ]),
  );
});

describe('what is not literal', () => {
  test.each([
    ["a :x => ENV['X']", "2:11 ENV['X'] is a call"],
    ['a @x', '2:5 @x is a variable of Ruby'],
    ['a :x => "b#{1}"', '2:13 #{…} is what Ruby would work out'],
    ['puts "x"', '2:3 puts is a method of Ruby itself, and is no expression there: write _puts'],
    ['redo', '2:3 redo is a word of Ruby: write _redo'],
    ['a { |x| b }', '2:7 a block of a definition is given nothing'],
    ['a 99999999999999999999', '2:5 99999999999999999999 is more than a number can hold exactly'],
    ['a 1e999', '2:5 1e999 is more than a number can hold'],
    ['ä :x => 1r', '2:11 a rational number is no value of JSON'],
    [String.raw`a "\xff"`, '2:5 the text is no valid UTF-8'],
    ['while true do a end', '2:3 Ruby would run this loop when it reads the file'],
    ['4.times { a }', '2:3 Ruby would run this loop when it reads the file; use the expressions repeat'],
    ['a :x => (1..3).to_a', '2:11 a range is no value of JSON: write a list'],
    ['a :x => lambda { |w| w }', '2:11 code of Ruby is never run here'],
    ['_', '2:3 _ leaves no name for an expression'],
    ['a (', '3:0 no good Ruby: '],
  ])('is refused where it stands, with what to do: %s', (body, message) => {
    expect(refusalOf(body)).toContain(message.replace(/^3:0 /, ''));
  });

  test('is never run', () => {
    expect(refusalOf("a :x => `touch /tmp/ruby-was-run`; system 'touch /tmp/ruby-was-run'")).toContain(
      'backticks run a command',
    );
  });
});

describe('a text', () => {
  test('is bounded in bytes, expressions, depth and definitions', () => {
    expect(read('#'.repeat(RUBY_LIMITS.bytes + 1))).toMatchObject({ refused: expect.stringContaining('bigger than') });
    expect(refusalOf('a;'.repeat(RUBY_LIMITS.nodes))).toContain(`more than ${RUBY_LIMITS.nodes} expressions`);
    const nested = (depth: number): string => 'a {'.repeat(depth - 1) + '}'.repeat(depth - 1);
    expect(refusalOf(nested(RUBY_LIMITS.depth))).toBe('');
    expect(refusalOf(nested(RUBY_LIMITS.depth + 1))).toContain('nested more than 200 deep');
    expect(read('Ruote.define;'.repeat(DEFINITIONS_MAX + 1))).toMatchObject({
      refused: expect.stringContaining('in one text'),
    });
  });

  test.each([
    ['blocks', (n: number) => 'a {'.repeat(n) + '}'.repeat(n)],
    ['lists', (n: number) => `a ${'['.repeat(n)}${']'.repeat(n)}`],
    ['sums', (n: number) => `a ${'1+'.repeat(n)}1`],
    ['open brackets', (n: number) => '['.repeat(n)],
  ])('of %s far too deep for the parser is refused, and the next text is read', (_, text) => {
    for (const n of [500, 2_000, 20_000, 200_000]) {
      expect(refusalOf(text(n)), String(n)).not.toBe('');
      expect(childrenOf('alpha')).toEqual([['alpha', {}, []]]);
    }
  });

  test('may have several definitions: one is chosen by its name', () => {
    const text = "A = Ruote.define('one') { alpha }\nB = ::Ruote.process_definition(:name => 'two') { bravo }\n";
    const all = convertDefinition(text, { from: null, to: 'radial', parse });
    expect(all.ok && all.found).toEqual([
      { name: 'one', line: 1, column: 5 },
      { name: 'two', line: 2, column: 5 },
    ]);
    const one = (name: string | null) => convertOne(text, { from: 'ruby', to: 'radial', name, parse });
    expect(one('two')).toMatchObject({ ok: true, text: "define name: 'two'\n  bravo\n" });
    expect(one(null)).toMatchObject({
      ok: false,
      errors: [{ message: expect.stringContaining('one in line 1, two in line 2') }],
    });
    expect(one('three')).toMatchObject({
      ok: false,
      errors: [{ message: expect.stringContaining('no definition named "three"') }],
    });
  });

  test('that is Radial, XML or JSON is not taken for Ruby', () => {
    for (const text of ['define x\n  alpha', '<define><alpha/></define>', '["define", {}, []]', 'sequence\n  do_it'])
      expect(looksLikeRuby(text)).toBe(false);
  });
});

test('docs/from-ruote.md shows what becomes of its example', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/from-ruote.md'), 'utf8');
  const [ruby = '', radial = ''] = ['ruby', 'radial'].map(
    (kind) => new RegExp(`\`\`\`${kind}\\n([^]*?)\`\`\``).exec(page)?.[1],
  );
  const converted = convertOne(ruby, { from: null, to: 'radial', name: null, parse });
  expect(converted).toMatchObject({ ok: true, text: radial, warnings: [{ line: 7 }] });
});

const rubyText = (text: string): string =>
  `"${[...text].map((character) => (/[ -~]/.test(character) && !/["\\#]/.test(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`)).join('')}"`;

function rubyFloat(value: number): string {
  const text = String(value);
  return /[.]/.test(text) ? text : text.includes('e') ? text.replace('e', '.0e') : `${text}.0`;
}
