import { describe, expect, test } from 'vitest';
import { printJson, printRadial, printXml } from '../../src/definition/print.ts';
import { makeTree, type Tree } from '../../src/model/tree.ts';

const review: Tree = makeTree(
  'define',
  [['name', 'review']],
  [
    makeTree(
      'concurrence',
      [['merge_type', 'mix']],
      [
        makeTree('participant', [
          ['alice', null],
          ['task', "it's"],
        ]),
        makeTree('bob', [['if', '${x} < 1']]),
      ],
    ),
  ],
);

describe('a printed definition', () => {
  test('is pleasant Radial', () => {
    expect(printRadial(review)).toEqual({
      ok: true,
      text: "define name: 'review'\n  concurrence merge_type: 'mix'\n    participant 'alice', task: 'it\\'s'\n    bob if: '${x} < 1'\n",
    });
  });

  test('is pleasant XML', () => {
    expect(printXml(review)).toEqual({
      ok: true,
      text: `<define name="review">\n  <concurrence merge_type="mix">\n    <participant task="it's">alice</participant>\n    <bob if="\${x} &lt; 1"/>\n  </concurrence>\n</define>\n`,
    });
  });

  test('is pleasant JSON', () => {
    expect(printJson(review)).toBe(
      '["define", { "name": "review" }, [\n  ["concurrence", { "merge_type": "mix" }, [\n' +
        '    ["participant", { "alice": null, "task": "it\'s" }, []],\n    ["bob", { "if": "${x} < 1" }, []]\n  ]]\n]]\n',
    );
  });
});

describe('what a format cannot say is answered with a reason', () => {
  test.each<[string, Tree, RegExp]>([
    ['a blank in a head', makeTree('a b', [['x', null]]), /cannot begin a line/],
    ['an empty head', makeTree('', [['x', null]]), /cannot begin a line/],
    ['a head that would lose its dash', makeTree('a-b', [['x', null]]), /cannot begin a line/],
    ['an attribute that would lose its dash', makeTree('a', [['x-y', 1]]), /dash/],
    ['a lone unknown word', makeTree('a'), /single word/],
    ['a root like XML', makeTree('<a', [['x', null]]), /not taken for Radial/],
    ['a root like JSON', makeTree('[a', [['x', null]]), /not taken for Radial/],
    ['a deep node', makeTree('a', [], [makeTree('b', [], [makeTree('c d')])]), /\$\[2\]\[0\]\[2\]\[0\]/],
  ])('Radial: %s', (_name, tree, message) => {
    expect(printRadial(tree)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });

  test.each<[string, Tree, RegExp]>([
    ['a number', makeTree('a', [['x', 1]]), /no text/],
    ['a list', makeTree('a', [['x', ['y']]]), /no text/],
    ['an empty text', makeTree('a', [['', null]]), /empty text/],
    ['a name that is none', makeTree('1a'), /element/],
    ['a head with a dash', makeTree('a-b'), /element/],
    ['a head with a colon', makeTree('a:b'), /element/],
    ['an attribute with a dash', makeTree('a', [['x-y', 'z']]), /attribute/],
    ['an attribute like a namespace', makeTree('a', [['xmlns:y', 'z']]), /attribute/],
    ['a control character', makeTree('a', [['x', '\u0001']]), /character/],
  ])('XML: %s', (_name, tree, message) => {
    expect(printXml(tree)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});
