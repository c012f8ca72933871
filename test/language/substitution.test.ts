// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the notation under test

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LanguageError } from '../../src/language/language-error.ts';
import { lookup } from '../../src/language/lookup.ts';
import {
  MAX_SUBSTITUTED_LENGTH,
  type SubstitutionScope,
  substitute,
  substituteDeep,
} from '../../src/language/substitution.ts';
import type { Json } from '../../src/model/json.ts';

const fields = {
  n: 12,
  s: 'str',
  a: ['x', ['z']],
  h: { k: 'v', q: 'say "hi"' },
  t: true,
  f: false,
  nul: null,
  x: 's',
  tricky: '${s}',
  trickier: '$s',
  'sp ace': 'spaced',
  ü: 'umlaut',
  wfid: 'a field',
  5: 'five',
};
const special: Readonly<Record<string, Json>> = { wfid: 'w-1', tags: ['a', 'b'], full_tag: 'a/b' };
const scope: SubstitutionScope = {
  field: (path) => lookup(fields, path),
  variable: (path) => ({ vx: 'VX', '/vx': 'VX', '//e': 'engine', s: 'variable', l: [1] })[path],
  special: (name) => special[name],
};

test.each<[string, Json]>([
  ['plain', 'plain'],
  ['${s}', 'str'],
  ['${f:s}', 'str'],
  ['${field:s}', 'str'],
  ['${foo:s}', 'str'],
  ['${v:vx}', 'VX'],
  ['${vx:vx}', 'VX'],
  ['${v:/vx}', 'VX'],
  ['${v://e}', 'engine'],
  ['${fv:vx}', 'VX'],
  ['${fv:s}', 'str'],
  ['${vf:s}', 'variable'],
  ['${vf:n}', '12'],
  ['${n}', '12'],
  ['${t}${f}', 'truefalse'],
  ['${nul}', ''],
  ['${nada}', ''],
  ['[${nada}]', '[]'],
  ['${a}', '["x",["z"]]'],
  ['${h}', '{"k":"v","q":"say \\"hi\\""}'],
  ['${a.0}${a.-1}${a.1.0}', 'x["z"]z'],
  ['${h.k}', 'v'],
  ['${h.nada.x}${s.x}', ''],
  ["${'s}", '"str"'],
  ['${"n}', '"12"'],
  ["${'nada}", '""'],
  ["${'s'}", '""'],
  ['${"h.q}', '"say \\"hi\\""'],
  ['pre-${s}-${n}', 'pre-str-12'],
  ['${${x}}', 'str'],
  ['${v:v${x}}', ''],
  ['\\${s} ${n}', '${s} 12'],
  ['${s} \\${s}', 'str ${s}'],
  ['${', '${'],
  ['${s', '${s'],
  ['${x ${s}', '${x str'],
  ['${s}}', 'str}'],
  ['{${s}}', '{str}'],
  ['${{f:s}}', ''],
  ['${a{b}c}', ''],
  ['$ {s}', '$ {s}'],
  ['${ s }', ''],
  ['${sp ace}', 'spaced'],
  ['${a||b}', ''],
  ['${}', ''],
  ['${f:}', ''],
  ['${q:s}', ''],
  ['${:s}', ''],
  ['${wfid}', 'w-1'],
  ['${f:wfid}', 'a field'],
  ['${tags}', '["a","b"]'],
  ['${full_tag}', 'a/b'],
  ['${tag}', ''],
  ['$${s}', '$str'],
])('the text %j becomes %j', (text, result) => {
  expect(substitute(text, scope)).toEqual(result);
});

test.each<[string, Json]>([
  ['$a', fields.a],
  ['$f:a', fields.a],
  ['$fld:a.1', ['z']],
  ['$field:a', fields.a],
  ['$n', 12],
  ['$t', true],
  ['$f', false],
  ['$v:vx', 'VX'],
  ['$var:l', [1]],
  ['$variable:/vx', 'VX'],
  ['$nada', null],
  ['$v:nada', null],
  ['$h.k', 'v'],
  ['$ü', 'umlaut'],
  ['$wfid', 'a field'],
  ['$tags', null],
  [' $a', ' $a'],
  ['$a ', '$a '],
  ['$$a', '$$a'],
  ['$', '$'],
  ['$a$b', '$a$b'],
  ['$x:a', '$x:a'],
  ['$r:a', '$r:a'],
  ['$f:', '$f:'],
  ['$f:sp ace', '$f:sp ace'],
  ['$(f:n)', '$(f:n)'],
  ['$f:a}', '$f:a}'],
  ['$5', '$5'],
  ['$10', '$10'],
  ['$1,000.50', '$1,000.50'],
])('the whole text %j is the value %j', (text, result) => {
  expect(substitute(text, scope)).toEqual(result);
});

describe('data that came in is not read again', () => {
  test.each<[string, Json]>([
    ['${tricky}', '${s}'],
    ['$tricky', '${s}'],
    ['${trickier}', '$s'],
    ['x ${tricky} ${s}', 'x ${s} str'],
  ])('%j becomes %j', (text, result) => {
    expect(substitute(text, scope)).toBe(result);
  });
});

test.each(['${r:1+1}', '${ruby:workitem.fields}', 'x ${${x}} ${r:x}'])('%j is refused', (text) => {
  expect(() => substitute(text, scope)).toThrow(/'ruby_eval_allowed' is set to false, cannot evaluate >/);
});

test('values and keys inside lists and objects are substituted', () => {
  expect(substituteDeep({ '${s}': ['$n', { k: '${n}' }, 1, null], $n: true }, scope)).toEqual({
    str: [12, { k: '12' }, 1, null],
    12: true,
  });
});

test('a key __proto__ stays an ordinary key', () => {
  const result = substituteDeep(JSON.parse('{"__proto__":{"${s}":1}}') as Json, scope);
  expect(JSON.stringify(result)).toBe('{"__proto__":{"str":1}}');
});

test('a text that would grow without end is refused, and so are many of them together', () => {
  const large: SubstitutionScope = { ...scope, field: () => 'x'.repeat(1_000_000) };
  expect(substitute('${a}${a}', large)).toHaveLength(2_000_000);
  expect(() => substitute('${a}'.repeat(MAX_SUBSTITUTED_LENGTH / 1_000_000 + 1), large)).toThrow(LanguageError);
  expect(() => substituteDeep(Array<string>(5).fill('${a}'), large)).toThrow(LanguageError);
});

test('ten thousand open braces are no trouble', () => {
  expect(substitute('${'.repeat(10_000), scope)).toBe('${'.repeat(10_000));
  expect(substitute('${'.repeat(10_000) + '}'.repeat(10_000), scope)).toBe('');
});

test('whatever is written, the answer is a value or an error of the language', () => {
  const piece = fc.constantFrom('${', '}', '{', '\\${', '$', 'f:', 'v:', 'r:', "'", '"', 's', 'a.0', ' ', 'tags', '.');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        expect(substitute(pieces.join(''), scope)).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(LanguageError);
      }
    }),
  );
});
