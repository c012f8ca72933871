import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* What is cancelled and not waited for: its on_cancel finds what it would find under every other cancel. */

function run(text: string, messages = LIMITS.messages): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, { limits: { messages }, firings: 500 });
}

function answer(driver: Driver, participant: string): void {
  const row = driver.open().find((each) => each.participant === participant);
  if (row === undefined) throw new Error(`${participant} is not open`);
  driver.stimulate({ kind: 'proceed', workitem: row.id, fields: {} });
  driver.settle();
}

const delivered = (driver: Driver): readonly string[] =>
  driver.delivered().map(({ status, participant, fields }) => {
    const { q } = (fields['params'] ?? {}) as { readonly q?: string };
    return `${status} ${participant}${q === undefined ? '' : ` ${q}`}`;
  });

const RELEASE = "  define 'release'\n    inner q: '${v:x}'\n";

test.each([
  ['on the branch', "    sequence on_cancel: 'release'\n      alpha\n"],
  ['below it', "    sequence\n      alpha on_cancel: 'release'\n"],
  ['in a concurrence below it', "    concurrence\n      alpha on_cancel: 'release'\n"],
])('the loser of a race releases by a sub-process: on_cancel %s', (_, branch) => {
  for (const messages of [LIMITS.messages, 1]) {
    const driver = run(`define\n  set 'v:x': 7\n  concurrence count: 1\n${branch}    go\n  last\n${RELEASE}`, messages);
    answer(driver, 'go');
    expect(delivered(driver)).toContain('active last');
    expect(delivered(driver)).toContain('active inner 7');
    answer(driver, 'last');
    answer(driver, 'inner');
    expect(driver.status()).toBe('completed');
  }
});

test('the variables are there even when the race was the last thing of the workflow', () => {
  const driver = run(
    `define\n  set 'v:x': 7\n  concurrence count: 1\n    alpha on_cancel: 'release'\n    go\n${RELEASE}`,
  );
  answer(driver, 'go');
  expect(delivered(driver)).toContain('active inner 7');
  expect(driver.status()).toBe('running');
  answer(driver, 'inner');
  expect(driver.status()).toBe('completed');
});

test('each of many losers releases, those told in a later turn included', () => {
  const driver = run(
    `define\n  set 'v:x': 7\n  concurrence count: 1\n    go\n${"    alpha on_cancel: 'release'\n".repeat(230)}  last\n${RELEASE}`,
  );
  answer(driver, 'go');
  expect(delivered(driver).filter((line) => line === 'active inner 7')).toHaveLength(230);
});

test('a side activity that ends with its expression releases by a sub-process', () => {
  const driver = run(
    `define\n  sequence\n    set 'v:x': 7\n    watcher flank: true, on_cancel: 'release'\n    go\n${RELEASE}`,
  );
  answer(driver, 'go');
  expect(delivered(driver)).toContain('active inner 7');
});

test("a branch's own variable comes before the one further out", () => {
  const driver = run(
    `define\n  set 'v:x': 7\n  concurrence count: 1\n    sequence scope: true, on_cancel: 'release'\n      set 'v:x': 8\n      alpha\n    go\n${RELEASE}`,
  );
  answer(driver, 'go');
  expect(delivered(driver)).toContain('active inner 8');
});

test('what failed and is forgotten before its handler runs keeps its error, for somebody to see', () => {
  const text = `define on_error: 'help'
  sequence
    sequence
      concurrence count: 1, remaining: 'forget'
        error 'odd'
        sequence
          noop
`;
  for (const messages of [LIMITS.messages, 1]) {
    const driver = run(text, messages);
    driver.settle();
    expect(delivered(driver)).toEqual(['active help']);
    const kept = [...driver.world.whole(driver.id).errors.values()].map(({ id, message }) => [
      id.split('!')[0],
      message,
    ]);
    expect(kept).toEqual([['0_0_0_0_0', 'odd']]);
    answer(driver, 'help');
    expect(driver.status()).toBe('error');
    driver.stimulate({ kind: 'cancel' });
    driver.settle();
    expect(driver.status()).toBe('cancelled');
  }
});
