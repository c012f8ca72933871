import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { numberOf } from '../../src/interpreter/life/branches.ts';
import { CONTINUATION } from '../../src/interpreter/queue.ts';
import { decodeQueue } from '../../src/interpreter/state/messages.ts';
import { step } from '../../src/interpreter/step.ts';
import type { StrandRow } from '../../src/model/rows.ts';
import type { Limits, Loaded, Need, StepResult } from '../../src/model/stimulus.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* What is asked for with a limit is asked for until nothing is left: in the same step, or by a message that waits for the next turn. */

type Paged = Extract<Need, { readonly limit: number }>;

/**
 * How much each kind of need can bring: one row and its like, pages (they go on below), all there is within a bound that has a name (kept
 * below), or all there is, which no step may ask for. The compiler asks for a new kind to be entered here.
 */
const BRINGS: {
  readonly [kind in Need['kind']]: kind extends Paged['kind']
    ? 'paged'
    : 'one' | { readonly within: keyof Limits } | 'all';
} = {
  strand: 'one',
  find: 'one',
  children: 'paged',
  workitem: 'one',
  agenda: 'one',
  agenda_kind: { within: 'answers' },
  error: 'one',
  listeners: { within: 'listeners' },
  waiters: { within: 'listeners' },
  event: 'one',
  variable: 'one',
  variables: { within: 'variablesCharacters' },
  definition: 'one',
  everything: 'all',
  open_workitems: { within: 'expressions' },
};
const isPaged = (need: Need): need is Paged => BRINGS[need.kind] === 'paged';

/** The number of the last row of a page that is full; null when it is not. */
function endOfFullPage({ path, at, after, limit, finished }: Paged, loaded: Loaded): number | null {
  const isMeant = (row: StrandRow): boolean =>
    row.parent === path && row.at === at && row.path !== '0' && (row.arrival !== null) === finished;
  const numbers = [...loaded.strands.values()]
    .filter(isMeant)
    .map((row) => numberOf(row.path))
    .filter((number) => number > after)
    .sort((a, b) => a - b);
  return numbers[limit - 1] ?? null;
}

/** Pages that were full and not followed by another. */
function lost(needs: readonly Paged[], loaded: Loaded, result: StepResult): readonly string[] {
  if (result.kind !== 'stepped') return [];
  const put = result.changes?.agenda.get(CONTINUATION);
  const waiting = put?.kind === 'put' ? decodeQueue(put.row.payload, () => ({})) : [];
  return needs.flatMap((need) => {
    const end = endOfFullPage(need, loaded);
    const isFollowed =
      end === null ||
      needs.some(
        (other) =>
          other.path === need.path && other.at === need.at && other.finished === need.finished && other.after === end,
      ) ||
      waiting.some(
        (message) =>
          (message.kind === 'cancel_children' &&
            message.to.path === need.path &&
            message.to.id === need.at &&
            message.after <= end) ||
          (message.kind === 'cancel_process' && need.path === '' && message.after <= end),
      );
    return isFollowed
      ? []
      : [`after ${need.after} of ${need.path} ${need.at}, ${need.limit} at a time, ends at ${end}`];
  });
}

function run(
  text: string,
  limits: Partial<Limits> = {},
): {
  readonly driver: Driver;
  readonly pages: () => number;
  readonly lost: readonly string[];
} {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const gone: string[] = [];
  let pages = 0;
  let asked: Paged[] = [];
  const driver = drive(read.tree, {
    limits: { finishedPerLoad: 7, ...limits },
    firings: 1_000,
    step: (loaded, stimulus, context) => {
      const result = step(loaded, stimulus, context);
      if (result.kind === 'need') asked.push(...result.needs.filter(isPaged));
      else {
        gone.push(...lost(asked, loaded, result));
        pages += asked.length;
        asked = [];
      }
      return result;
    },
  });
  return { driver, pages: () => pages, lost: gone };
}

function answer(driver: Driver, participant: string): void {
  const row = driver.open().find((each) => each.participant === participant);
  if (row === undefined) throw new Error(`${participant} is not open`);
  driver.stimulate({ kind: 'proceed', workitem: row.id, fields: {} });
  driver.settle();
}

const losers = (count: number): string => '    alpha\n'.repeat(count);
const wide: readonly (readonly [what: string, text: string, act: (driver: Driver) => void])[] = [
  ['a race whose first branch wins', `concurrence count: 1\n    go\n${losers(230)}`, (d) => answer(d, 'go')],
  [
    'a race whose winner is in the middle',
    `concurrence count: 1\n${losers(150)}    go\n${losers(150)}`,
    (d) => answer(d, 'go'),
  ],
  ['a race whose last branch wins', `concurrence count: 1\n${losers(230)}    go\n`, (d) => answer(d, 'go')],
  ['a concurrence that is cancelled', `concurrence\n${losers(230)}`, (d) => d.stimulate({ kind: 'cancel' })],
  [
    'forgotten parts that are cancelled',
    `sequence\n${'    alpha forget: true\n'.repeat(230)}    bravo\n`,
    (d) => d.stimulate({ kind: 'cancel' }),
  ],
  ['a merge', `concurrence merge_type: 'stack'\n${'    noop\n'.repeat(45)}    go\n`, (d) => answer(d, 'go')],
  ['side activities', `sequence\n${'    alpha flank: true\n'.repeat(30)}    go\n`, (d) => answer(d, 'go')],
];

test.each(wide)('%s: every full page has a next one, and nothing is left over', (_, text, act) => {
  const { driver, pages, lost: gone } = run(`define\n  ${text}`);
  act(driver);
  driver.settle();
  expect(gone).toEqual([]);
  expect(pages()).toBeGreaterThan(1);
  expect(driver.open()).toEqual([]);
  expect(driver.world.whole(driver.id).strands.size).toBe(0);
});

/** What goes beyond a bound, told as an error of an expression or as an answer. */
const BEYOND: { readonly [bound in keyof Limits]?: (most: number) => string } = {
  answers: (most) => {
    const { driver } = run(`define\n  concurrence\n${losers(most + 1)}`, { answers: most });
    driver.stimulate({ kind: 'pause' });
    const items = driver.open().map(({ id }) => id);
    const told = items.map((workitem) => driver.stimulate({ kind: 'proceed', workitem, fields: {} }));
    expect(told.slice(0, most).every(({ ok }) => ok)).toBe(true);
    const last = told.at(-1);
    // Nothing is lost: it is answered again once the workflow goes on.
    driver.stimulate({ kind: 'resume' });
    driver.settle();
    expect(driver.open()).toHaveLength(1);
    return last?.ok === false ? `${last.code}: ${last.message}` : 'taken';
  },
  listeners: (most) => errorOf(`concurrence\n${"    await in_tag: 'x'\n".repeat(most + 1)}`, { listeners: most }),
  // Small values are not measured.
  variablesCharacters: (most) =>
    errorOf(`sequence\n    set 'v:a': '${'x'.repeat(most * 1_500)}'\n    set 'v:b': 'y'\n    alpha\n`, {
      variablesCharacters: most * 1_500,
    }),
  expressions: (most) => errorOf(`concurrence\n${losers(most + 1)}`, { expressions: most }),
};

function errorOf(text: string, limits: Partial<Limits>): string {
  const { driver } = run(`define\n  ${text}`, limits);
  driver.settle();
  const [error] = [...driver.world.whole(driver.id).errors.values()];
  return error === undefined ? 'none' : `${error.class}: ${error.message}`;
}

test('what a need brings whole has a bound with a name, and beyond it there is an error that says so', () => {
  const bounds = Object.values(BRINGS).flatMap((brings) => (typeof brings === 'object' ? [brings.within] : []));
  const told = bounds.map((bound) => BEYOND[bound]?.(20) ?? `${bound} is held by nothing`);
  expect(told).toEqual([
    expect.stringMatching(/^overloaded: the workflow is paused/),
    expect.stringMatching(/^LimitExceeded: more than 20 expressions .* listen/),
    // Those that wait for events are counted by the same bound.
    expect.stringMatching(/^LimitExceeded: more than 20 expressions .* listen/),
    expect.stringMatching(/^LimitExceeded: the variables of one scope would be more than 30000 /),
    expect.stringMatching(/^LimitExceeded: the workflow has more than 20 live expressions/),
  ]);
});

test('no step asks for all there is', () => {
  const sources = (folder: string): readonly string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(folder, file), 'utf8'));
  const asking = [...sources('src/interpreter'), ...sources('src/engine')].filter((text) =>
    /(want\(|: Need = )\{ kind: 'everything' \}/.test(text),
  );
  expect(asking).toEqual([]);
});
