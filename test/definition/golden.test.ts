import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import type { Tree } from '../../src/model/tree.ts';

type Case = {
  readonly definition: string;
  readonly kind: 'same' | 'better';
  readonly format: string;
  readonly script: readonly { readonly definition?: string }[];
  readonly expect: {
    readonly outcome: string;
    readonly dispatches: readonly {
      readonly expid: string;
      readonly workflow?: number;
      readonly participant: string;
      readonly fields: { readonly params?: JsonObject };
    }[];
  };
};

const CASES = fileURLToPath(new URL('../conformance/cases/', import.meta.url));

// No directory, no corpus, no test: readdirSync throws and the file fails.
const cases = new Map<string, Case>();
for (const group of readdirSync(CASES, { withFileTypes: true })) {
  if (!group.isDirectory()) continue;
  for (const file of readdirSync(`${CASES}/${group.name}`)) {
    if (file.endsWith('.json'))
      cases.set(
        `${group.name}/${file.slice(0, -5)}`,
        JSON.parse(readFileSync(`${CASES}/${group.name}/${file}`, 'utf8')),
      );
  }
}

test('the corpus is there', () => expect(cases.size).toBeGreaterThan(900));

describe('every recorded definition', () => {
  const refused = [...cases].filter(([, found]) => found.expect.outcome === 'launch_error');
  const read = [...cases].filter(([, found]) => found.expect.outcome !== 'launch_error');

  test.each(refused)('%s is refused with a place', (_name, found) => {
    const result = readDefinition(found.definition);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.errors.length).toBeGreaterThan(0);
    for (const { message, line, column } of result.errors) {
      expect(message).not.toBe('');
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(found.definition.split('\n').length);
      expect(column).toBeGreaterThan(0);
    }
  });

  test('is read unless its launch is refused', () => {
    for (const [name, found] of read) {
      for (const text of [found.definition, ...found.script.flatMap((step) => step.definition ?? [])]) {
        const result = readDefinition(text);
        expect(result, name).toMatchObject({ ok: true });
      }
    }
  });

  test('gives its participants the attributes that were recorded', () => {
    let compared = 0;
    for (const [name, found] of read) {
      const result = readDefinition(found.definition);
      if (!result.ok) continue;
      const { tree } = reorganise(result.tree);
      for (const { expid, participant, workflow, fields } of found.expect.dispatches) {
        const node = workflow === 2 ? undefined : nodeAt(tree, expid);
        if (node?.name !== participant) continue;
        for (const [key, value] of node.attributes) {
          // Substituted ones come with their value, and a handler's list of retries gets shorter with every use.
          if (key === 'on_error' || JSON.stringify([key, value]).includes('$')) continue;
          compared += 1;
          expect(fields.params?.[key], `${name}: ${expid} ${key}`).toEqual(value);
        }
      }
    }
    expect(compared).toBeGreaterThan(500);
  });
});

test('an XML twin of a recorded definition has the same tree, but that its values are texts', () => {
  let compared = 0;
  for (const [name, found] of cases) {
    // That one names its participant by an attribute in one format and by its head in the other.
    if (!name.startsWith('xml-flows/') || name === 'xml-flows/cancel--workflow-root-participant') continue;
    const twin = cases.get(name.slice('xml-flows/'.length).replace('--', '/'));
    if (twin === undefined || found.format !== 'xml') continue;
    const xml = readDefinition(found.definition);
    const other = readDefinition(twin.definition);
    if (!xml.ok || !other.ok || xml.format !== 'xml') continue;
    compared += 1;
    expect(asTexts(xml.tree), name).toEqual(asTexts(other.tree));
  }
  expect(compared).toBeGreaterThan(200);
});

function nodeAt(tree: Tree, expid: string): Tree | undefined {
  return expid
    .split('_')
    .slice(1)
    .reduce<Tree | undefined>((node, index) => node?.children[Number(index)], tree);
}

/** The tree with attributes as texts in the order of their names. */
function asTexts(tree: Tree): Json {
  const attributes = [...tree.attributes].map(([key, value]): [string, Json] => [
    key,
    value === null ? null : String(value),
  ]);
  return [tree.name, Object.fromEntries(attributes.sort()), tree.children.map(asTexts)];
}
