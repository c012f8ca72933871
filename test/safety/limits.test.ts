import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { step } from '../../src/interpreter/step.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type { Limits, Need } from '../../src/model/stimulus.ts';
import { readConfig } from '../../src/server/config.ts';
import { BOUNDS, boundsOf } from '../../src/server/settings/bounds.ts';
import { TABLE } from '../../src/server/settings/table.ts';
import { type Driver, drive, type Options } from '../properties/driver.ts';

/* Each bound of a step is reached by a workflow, and what happens then is what docs/operating.md says of it. */

function run(text: string, limits: Partial<Limits>, options: Options = {}): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree, { firings: 400, ...options, limits });
}
/** The complaint of the one error. */
function complaint(driver: Driver): string {
  const [row] = driver.world.whole(driver.id).errors.values();
  expect(row?.class).toBe('LimitExceeded');
  return row?.message ?? '';
}
/** It has stopped in the middle, and the rest waits for its turn. */
const isLeftOver = (driver: Driver): boolean => driver.world.firstDue()?.row.kind === 'continue';
/** What the participant alpha is given with its work. */
function paramsOf(driver: Driver): { readonly [name: string]: Json } {
  const [row] = driver.world.whole(driver.id).workitems.values();
  return JSON.parse(row?.params ?? '{}');
}
const big: Fields = { a: 'x'.repeat(30_000) };
const PAST = "define\n  iterator times: 30\n    noop tag: 't${v:i}'\n  alpha past: '$v:/__past_tags__'\n";

const REACHED: { readonly [Name in Exclude<keyof Limits, 'flowEntries' | 'givenCharacters'>]: () => void } = {
  messages: () => {
    const text = 'define\n  iterator times: 30\n    noop\n';
    expect(isLeftOver(run(text, { messages: 20 }, { firings: 0 }))).toBe(true);
    expect(isLeftOver(run(text, { messages: 2_000 }, { firings: 0 }))).toBe(false);
  },
  work: () => {
    const text = "define\n  iterator times: 10\n    set 'f:b': '${f:a}'\n";
    expect(isLeftOver(run(text, { work: 50_000 }, { firings: 0, fields: big }))).toBe(true);
    expect(isLeftOver(run(text, { work: 5_000_000 }, { firings: 0, fields: big }))).toBe(false);
  },
  messageWork: () => {
    const text = "define\n  set 'f:b': '${f:a}${f:a}'\n";
    const said = complaint(run(text, { messageWork: 20_000 }, { fields: big }));
    expect(said).toContain('more than 20000 characters and elements');
  },
  expressions: () => {
    const said = complaint(run('define\n  citerator times: 40\n    alpha\n', { expressions: 20 }));
    expect(said).toContain('more than 20 live expressions');
  },
  listeners: () => {
    const listen = "define\n  citerator times: 5\n    listen to: 'nobody'\n";
    expect(complaint(run(listen, { listeners: 3 }))).toContain('more than 3 expressions of the workflow would listen');
    const wait = "define\n  citerator times: 5\n    await event: 'nothing'\n";
    expect(complaint(run(wait, { listeners: 3 }))).toContain('more than 3 expressions of the workflow would wait');
  },
  answers: () => {
    const driver = run('define\n  citerator times: 5\n    alpha\n', { answers: 2 });
    driver.stimulate({ kind: 'pause' });
    const proceed = () =>
      driver.open().map(({ id }) => driver.stimulate({ kind: 'proceed', workitem: id, fields: {} }).ok);
    expect(proceed()).toEqual([true, true, false, false, false]);
    driver.stimulate({ kind: 'resume' });
    driver.settle();
    proceed();
    driver.settle();
    expect(driver.status()).toBe('completed');
  },
  fieldsCharacters: () => {
    const said = complaint(
      run("define\n  set 'f:b': '${f:a}'\n  alpha\n", { fieldsCharacters: 50_000 }, { fields: big }),
    );
    expect(said).toContain('more than 50000');
  },
  variablesCharacters: () => {
    const text = "define\n  set 'v:b': '$f:a'\n  set 'v:c': '$f:a'\n";
    expect(complaint(run(text, { variablesCharacters: 50_000 }, { fields: big }))).toContain('more than 50000');
  },
  mergeCharacters: () => {
    const text = "define\n  citerator times: 5, merge_type: 'isolate'\n    set 'f:b': '${f:a}${v:i}'\n";
    expect(complaint(run(text, { mergeCharacters: 100_000 }, { fields: big }))).toContain('more than 100000');
  },
  keptCharacters: () => {
    const text = "define\n  citerator times: 20\n    sequence\n      set 'f:b': '${f:a}${v:i}'\n      alpha\n";
    expect(complaint(run(text, { keptCharacters: 200_000 }, { fields: big }))).toContain('keeps more than 200000');
  },
  valueDepth: () => {
    const said = complaint(
      run("define\n  repeat\n    set 'f:a': ['$f:a']\n", { valueDepth: 20 }, { fields: { a: 1 } }),
    );
    expect(said).toContain('more than 20 deep');
  },
  finishedPerLoad: () => {
    const asked: Need[] = [];
    const driver = run(
      "define\n  citerator times: 10, merge_type: 'stack'\n    alpha\n  bravo\n",
      { finishedPerLoad: 3 },
      {
        step: (loaded, stimulus, context) => {
          const result = step(loaded, stimulus, context);
          if (result.kind === 'need') asked.push(...result.needs);
          return result;
        },
      },
    );
    for (const { id } of driver.open()) driver.stimulate({ kind: 'proceed', workitem: id, fields: {} });
    driver.settle();
    expect(driver.open().map(({ participant }) => participant)).toEqual(['bravo']);
    const limits = asked.flatMap((need) => ('limit' in need ? [need.limit] : []));
    expect(limits.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...limits)).toBe(3);
  },
  depth: () => {
    const text = 'define\n  define again\n    again\n  again\n';
    expect(complaint(run(text, { depth: 30, messages: 10_000 }))).toContain('more than 30 deep');
  },
  nameBytes: () => {
    const said = complaint(
      run("define\n  set 'v:${f:a}': 1\n", { nameBytes: 100 }, { fields: { a: 'n'.repeat(101) } }),
    );
    expect(said).toContain('longer than 100 bytes');
  },
  errorCharacters: () => {
    const driver = run("define\n  error '${f:a}'\n", { errorCharacters: 100 }, { fields: big });
    const [row] = driver.world.whole(driver.id).errors.values();
    expect(row?.message.length).toBeLessThanOrEqual(101);
  },
  hops: () => {
    expect(complaint(run("define\n  signal name: 'x'\n", { hops: 0 }))).toContain('more than 0 are taken for a loop');
  },
  pastTags: () => {
    expect(paramsOf(run(PAST, { pastTags: 10, messages: 10_000 }))['past']).toHaveLength(10);
  },
  pastTagsCharacters: () => {
    const text = PAST.replace("'t$", "'${f:long}$");
    const fields = { long: 'l'.repeat(1_500) };
    const { past } = paramsOf(run(text, { pastTagsCharacters: 20_000, messages: 10_000 }, { fields }));
    expect(JSON.stringify(past).length).toBeLessThanOrEqual(20_500);
    expect(JSON.stringify(past)).toContain('l29"');
    expect(JSON.stringify(past)).not.toContain('l10"');
  },
};

test.each(Object.entries(REACHED))('the bound %s is kept, and told', (_, reached) => reached());

test('bounds of single expressions are kept, and told', () => {
  const bpmn = readFileSync(
    new URL('../bpmn/cases/camunda7/MultiInstanceTest.testParallelUserTasks.bpmn', import.meta.url),
    'utf8',
  );
  const many = run(bpmn.replace('=5 - 2', '=10001'), {});
  expect(complaint(many)).toContain('10001 instances are more than 10000');

  const kept = run('define\n  alpha\n', {}, { audit: false });
  const message = () => kept.stimulate({ kind: 'message', name: 'm', fields: {}, keep: true });
  for (let i = 0; i < 1_000; i++) expect(message().ok).toBe(true);
  expect(message()).toMatchObject({ ok: false, code: 'messages_full' });
  expect(kept.status()).toBe('running');

  const undone = run(
    "define\n  citerator times: 1001\n    alpha undo: 'bravo'\n",
    { messages: 10_000 },
    { audit: false },
  );
  const answers = undone.open().map(({ id }) => undone.stimulate({ kind: 'proceed', workitem: id, fields: {} }));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1_000);
  expect(answers.at(-1)).toMatchObject({ ok: false, code: 'limit_exceeded' });
});

test('each bound that is a setting is set by it', () => {
  for (const [name, { setting }] of Object.entries(BOUNDS)) {
    if (setting === undefined) continue;
    const variable = TABLE[setting].name;
    const config = readConfig({ [variable]: String(SET[setting] ?? 123) });
    expect(boundsOf(config)[name as keyof Limits], variable).toBe(SET[setting] ?? 123);
  }
});
/** What suits a setting that does not go down to 123. */
const SET: { readonly [setting: string]: number } = {
  stepWorkMax: 12_345,
  fieldsCharactersMax: 23_456,
  variablesCharactersMax: 23_456,
  mergeCharactersMax: 23_456,
  keptCharactersMax: 23_456,
};

test('a message has room for fields that may be larger', () => {
  expect(boundsOf(readConfig({})).messageWork).toBe(16_000_000);
  expect(boundsOf(readConfig({ FIELDS_CHARACTERS_MAX: '16000000' })).messageWork).toBe(64_000_000);
});

test('a workitem that opens says which fields are others than the participant before had, where the history keeps what was given', () => {
  const text = "define\n  set 'f:a': 1\n  set 'f:b': 2\n  alpha\n  beta\n  set 'f:b': 2\n  unset 'f:gone'\n  gamma\n";
  const opened = (givenCharacters: number): readonly object[] => {
    const driver = run(text, { givenCharacters }, { fields: { a: 1, gone: 'x' } });
    const proceed = (fields: Fields): void => {
      const [open] = [...driver.world.whole(driver.id).workitems.values()];
      driver.stimulate({ kind: 'proceed', workitem: open?.id as ExpressionId, fields });
    };
    proceed({});
    proceed({ a: 5, c: { d: 1 } });
    return driver.world
      .history(driver.id)
      .flatMap(({ entries }) => unpackHistory(entries, driver.id))
      .filter(({ kind }) => kind === 'workitem.opened');
  };
  const [alpha, beta, gamma] = opened(8_192);
  expect(alpha).toMatchObject({ participant: 'alpha', changed: ['b'] });
  expect(beta).not.toHaveProperty('changed');
  expect(gamma).toMatchObject({ participant: 'gamma', changed: ['a', 'c', 'gone'] });
  expect(opened(2).at(-1)).toMatchObject({ changed_count: 3 });
  for (const entry of opened(0)) expect(entry).not.toHaveProperty('changed');
});

test('what a launch gave stands in the history where it is kept: up to the bound the fields, beyond it their size', () => {
  const launched = (givenCharacters: number): object => {
    const driver = run('define\n  alpha\n', { givenCharacters }, { fields: big });
    const [first] = driver.world.history(driver.id);
    const [entry] = unpackHistory(first?.entries ?? '[]', driver.id);
    return entry ?? {};
  };
  expect(launched(0)).not.toHaveProperty('given');
  expect(launched(100_000)).toMatchObject({ kind: 'workflow.launched', given: big });
  expect(launched(8_192)).toMatchObject({ given_size: expect.closeTo(30_000, -2) });
  expect(launched(8_192)).not.toHaveProperty('given');
  const hashOf = (fields: Fields): unknown => {
    const driver = run('define\n  alpha\n', { givenCharacters: 10 }, { fields });
    const [first] = driver.world.history(driver.id);
    const [entry] = unpackHistory(first?.entries ?? '[]', driver.id);
    return (entry as { readonly given_hash?: string } | undefined)?.given_hash;
  };
  expect(hashOf({ ...big, b: 1 })).toMatch(/^[0-9a-f]{16}$/);
  expect(hashOf({ ...big, b: 1 })).toBe(hashOf({ b: 1, ...big }));
  expect(hashOf({ ...big, b: 1 })).not.toBe(hashOf({ ...big, b: 2 }));
  const config = (environment: Record<string, string>): number => boundsOf(readConfig(environment)).givenCharacters;
  expect([config({}), config({ HISTORY_FIELDS: 'none' })]).toEqual([8_192, 0]);
  expect(config({ DATABASE_URL: 'postgres://127.0.0.1/rota' })).toBe(0);
  expect([config({ HOST: '0.0.0.0' }), config({ HOST: '0.0.0.0', HISTORY_FIELDS: 'given' })]).toEqual([0, 8_192]);
});
