import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printJson, printRadial, printXml } from '../../src/definition/print.ts';
import { readDefinition, readTree } from '../../src/definition/read.ts';
import { type Tree, treeToJson, treeToStored } from '../../src/model/tree.ts';
import { anyTree, radialTree, xmlTree } from '../support/trees.ts';

const SEED = Number(process.env['SEED'] ?? 20261121);
const RUNS = { numRuns: 1_000, seed: SEED };
console.log(`round trips: SEED=${SEED}`);

function expectSame(text: string, tree: Tree, format: string): void {
  const result = readDefinition(text);
  if (!result.ok) throw new Error(`not read: ${JSON.stringify(result.errors)}\n${text}`);
  expect(result.format).toBe(format);
  // The stored form keeps the order of attributes.
  expect(treeToStored(result.tree)).toEqual(treeToStored(tree));
}

test('any legal tree survives printing and reading as JSON, the order of its attributes included', () => {
  fc.assert(
    fc.property(anyTree, (tree) => expectSame(printJson(tree), tree, 'json')),
    RUNS,
  );
});

test('any tree that Radial can say survives printing and reading as Radial', () => {
  fc.assert(
    fc.property(radialTree, (tree) => {
      const printed = printRadial(tree);
      if (!printed.ok) throw new Error(printed.message);
      expectSame(printed.text, tree, 'radial');
    }),
    RUNS,
  );
});

test('any tree that XML can say survives printing and reading as XML', () => {
  fc.assert(
    fc.property(xmlTree, (tree) => {
      const printed = printXml(tree);
      if (!printed.ok) throw new Error(printed.message);
      expectSame(printed.text, tree, 'xml');
    }),
    RUNS,
  );
});

test('whatever a format agrees to print, it reads back as it was', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      const radial = printRadial(tree);
      if (radial.ok) expectSame(radial.text, tree, 'radial');
      else expect(radial.message).not.toBe('');
      const xml = printXml(tree);
      if (xml.ok) expectSame(xml.text, textsLast(tree), 'xml');
      else expect(xml.message).not.toBe('');
    }),
    RUNS,
  );
});

test('a tree given as data is the tree given as text', () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      const result = readTree(JSON.parse(JSON.stringify(treeToJson(tree))));
      if (!result.ok) throw new Error(JSON.stringify(result.errors));
      expect(treeToJson(result.tree)).toEqual(treeToJson(tree));
    }),
    RUNS,
  );
});

function textsLast(tree: Tree): Tree {
  const pairs = [...tree.attributes];
  return {
    name: tree.name,
    attributes: new Map([
      ...pairs.filter(([, value]) => value !== null),
      ...pairs.filter(([, value]) => value === null),
    ]),
    children: tree.children.map(textsLast),
  };
}
