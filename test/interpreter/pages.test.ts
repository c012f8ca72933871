import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import type { ExpressionId } from '../../src/model/ids.ts';
import type { Json } from '../../src/model/json.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* Whatever is loaded in pages is loaded to its end. Pages are small here. */

function run(text: string): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, { limits: { finishedPerLoad: 7, messages: 20 }, firings: 1_000 });
}

test.each([6, 7, 8, 14, 45])('a merge of %d branches loses none of them, whatever fits into a page', (count) => {
  const driver = run(
    `define\n  citerator times: ${count}, merge_type: 'stack'\n    sequence\n      set 'f:n': '\${v:i}'\n`,
  );
  expect(driver.status()).toBe('completed');
  const stack = driver.result()['stack'] as readonly { readonly n: Json }[];
  expect(stack.map(({ n }) => Number(n)).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(driver.world.whole(driver.id).strands.size).toBe(0);
});

test('every side activity is told to stop with its expression, whatever fits into a page', () => {
  const flanks = '    alpha flank: true\n'.repeat(20);
  const driver = run(`define\n  sequence\n${flanks}    bravo\n  charly\n`);
  const bravo = driver.open().find(({ participant }) => participant === 'bravo');
  driver.stimulate({ kind: 'proceed', workitem: bravo?.id as ExpressionId, fields: {} });
  driver.settle();
  expect(driver.open().map(({ participant }) => participant)).toEqual(['charly']);
});

test('an expression is found however many forgotten parts carry its tag along', () => {
  const forgotten = '    noop_forever forget: true\n'.repeat(12);
  const driver = run(
    `define\n  concurrence\n    sequence\n      sequence tag: 'x'\n${forgotten.replaceAll('    ', '        ')}        alpha\n    bravo\n`,
  );
  const strands = [...driver.world.whole(driver.id).strands.values()];
  const held = /"i":"(0_0_0_0![0-9a-f]{32})"/.exec(strands.map(({ state }) => state).join('\n'));
  const tagged = held?.[1] as ExpressionId;
  expect(strands.filter(({ state }) => state.includes(tagged)).length).toBeGreaterThan(8);
  expect(driver.stimulate({ kind: 'cancel_expression', expression: tagged })).toMatchObject({ ok: true });
});
