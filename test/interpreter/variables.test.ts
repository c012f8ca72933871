import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { isStorable } from '../../src/model/storable.ts';
import type { Tree } from '../../src/model/tree.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* Scopes with more variables than fit into a strand, when their expression gives its place to another. */

const MANY = 90;

function tree(text: string): Tree {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.tree;
}

function params(driver: Driver, participant: string): unknown {
  const row = [...driver.world.whole(driver.id).workitems.values()].find((each) => each.participant === participant);
  return JSON.parse(row?.params ?? 'null');
}

const setMany = `iterator times: ${MANY}\n      set 'v:n\${v:i}': '\${v:i}'`;

test('a handler sees all variables of the expression whose place it takes', () => {
  const driver = drive(
    tree(
      `define\n  sequence scope: true, on_error: fix\n    ${setMany}\n    error 'x'\n  define fix\n    alpha first: '\${v:n0}', last: '\${v:n${MANY - 1}}'\n`,
    ),
  );
  expect(params(driver, 'alpha')).toMatchObject({ first: '0', last: `${MANY - 1}` });
  driver.act({ do: 'proceed', pick: 0, fields: {} });
  expect(driver.status()).toBe('completed');
});

test('an expression that runs again has them, too, and leaves none behind', () => {
  const driver = drive(
    tree(`define\n  sequence scope: true, timers: '1m: redo'\n    ${setMany}\n    alpha last: '\${v:n${MANY - 1}}'\n`),
  );
  driver.act({ do: 'time', pick: 0, fields: {} });
  expect(params(driver, 'alpha')).toMatchObject({ last: `${MANY - 1}` });
  driver.act({ do: 'proceed', pick: 0, fields: {} });
  expect(driver.status()).toBe('completed');
});

test('a workflow that regenerates keeps them', () => {
  const driver = drive(
    tree(
      `define on_terminate: regenerate\n  alpha last: '\${v:n${MANY - 1}}'\n  iterator times: ${MANY}\n    set 'v:n\${v:i}': '\${v:i}'\n`,
    ),
  );
  expect(params(driver, 'alpha')).toMatchObject({ last: '' });
  driver.act({ do: 'proceed', pick: 0, fields: {} });
  expect(params(driver, 'alpha')).toMatchObject({ last: `${MANY - 1}` });
  driver.stimulate({ kind: 'cancel' });
  expect(driver.status()).toBe('cancelled');
});

test.each(['', 'x'])('an error that quotes a long text is one a database can hold (%j before it)', (before) => {
  const text = before + '\u{1F600}'.repeat(500);
  for (const line of [`set 'v:t': '${text}'\n  restore from_variable: 't'`, `subprocess '${text}'`]) {
    const driver = drive(tree(`define\n  ${line}\n`));
    const messages = [...driver.world.whole(driver.id).errors.values()].map(({ message }) => message);
    expect(messages).toHaveLength(1);
    expect(messages.every(isStorable)).toBe(true);
  }
});
