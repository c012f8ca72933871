import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import type { Json } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import { treeToJson } from '../../src/model/tree.ts';

function reorganised(text: string): { tree: Json; name: string | null; revision: string | null } {
  const result = readDefinition(text);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const { tree, name, revision } = reorganise(result.tree);
  return { tree: treeToJson(tree), name, revision };
}

describe('a launch', () => {
  test('moves definitions to the front of a definition, in their order, and again inside them', () => {
    const text =
      'process-definition main\n  s\n  workflow-definition t\n    alpha\n    define u\n      bravo\n  define s\n    charly';
    expect(reorganised(text)).toEqual({
      name: 'main',
      revision: null,
      tree: [
        'define',
        { main: null },
        [
          [
            'define',
            { t: null },
            [
              ['define', { u: null }, [['bravo', {}, []]]],
              ['alpha', {}, []],
            ],
          ],
          ['define', { s: null }, [['charly', {}, []]]],
          ['s', {}, []],
        ],
      ],
    });
  });

  test('leaves the definitions of other expressions where they are', () => {
    const text = 'define\n  sequence\n    s\n    workflow-definition s\n      alpha';
    expect(reorganised(text).tree).toEqual([
      'define',
      {},
      [
        [
          'sequence',
          {},
          [
            ['s', {}, []],
            ['workflow_definition', { s: null }, [['alpha', {}, []]]],
          ],
        ],
      ],
    ]);
  });

  test('takes a root that is no definition as it is, without a name', () => {
    expect(reorganised('sequence name: x, revision: 1\n  s\n  define s')).toEqual({
      name: null,
      revision: null,
      tree: [
        'sequence',
        { name: 'x', revision: 1 },
        [
          ['s', {}, []],
          ['define', { s: null }, []],
        ],
      ],
    });
  });

  test.each([
    ['define', null, null],
    ['define main', 'main', null],
    ['define main, name: other', 'other', null],
    ["define name: ''", null, null],
    ['define name: 12, revision: 1.5', '12', '1.5'],
    ["define x, revision: '2', rev: '3'", 'x', '2'],
    ['define x, rev: 3', 'x', '3'],
    ['define name: [ a ]', null, null],
  ])('%s is named so', (text, name, revision) => {
    expect(reorganised(text)).toMatchObject({ name, revision });
  });
});
