import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WorkflowId } from '../../src/model/ids.ts';
import { LIMITS, type Limits } from '../../src/model/stimulus.ts';
import { settings, timeout } from '../properties/driver.ts';
import type { Case } from './cases.ts';
import { bpmnInProcess } from './in-process.ts';
import type { BpmnReceived } from './replay.ts';
import {
  type Draft,
  type Graph,
  graphText,
  type Kind,
  type Marking,
  makeGraph,
  TokenGame,
  Undecided,
} from './token-game.ts';

/* Diagrams at random, structured or not, with loops or without: after every answer the tokens stand where an independent game says. */

const ANSWERS = 14;
const RUNS = 80;

const draft = (kinds: readonly Kind[], loops: boolean): fc.Arbitrary<Draft> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    targets: fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
    back: loops ? fc.option(fc.nat(12), { freq: 2 }) : fc.constant(null),
  });

const played = (kinds: readonly Kind[], loops: boolean) =>
  fc.record({
    drafts: fc.array(draft(kinds, loops), { minLength: 2, maxLength: 14 }),
    choices: fc.array(fc.nat(7), { minLength: 14, maxLength: 14 }),
    picks: fc.array(fc.nat(50), { minLength: ANSWERS, maxLength: ANSWERS }),
    single: fc.boolean(),
  });

type Played = { drafts: readonly Draft[]; choices: readonly number[]; picks: readonly number[]; single: boolean };

/** The engine's own marking. */
type Table = {
  readonly marking: () => Promise<Marking>;
  readonly answer: (task: string) => Promise<void>;
  readonly outcome: () => Promise<string>;
};

async function launched(graph: Graph, choices: { readonly [field: string]: number }, limits: Limits): Promise<Table> {
  const player = bpmnInProcess(limits);
  const one = {
    name: 'random',
    text: graphText(graph),
    also: [],
    process: null,
    validate: false,
    fields: choices,
    callbacks: null,
  };
  const id = await player.launch(one as unknown as Case);
  if (typeof id !== 'string') throw new Error(`refused: ${JSON.stringify(id)}`);
  const open: BpmnReceived[] = [];
  const take = async (): Promise<void> => {
    open.push(...(await player.rest()));
  };
  await take();
  return {
    marking: async () => {
      const ending = await player.ending(id as WorkflowId);
      expect(ending.errors).toEqual([]);
      const tasks = open.map(({ element }) => element).sort();
      const elsewhere = new Set(ending.remaining);
      for (const task of tasks) elsewhere.delete(task);
      return { open: tasks, ended: ending.ends.length, joining: [...elsewhere].sort() };
    },
    answer: async (task) => {
      const at = open.findIndex(({ element }) => element === task);
      const [workitem] = open.splice(at, 1);
      await player.proceed(workitem as BpmnReceived, {});
      await take();
    },
    outcome: async () => (await player.ending(id as WorkflowId)).outcome,
  };
}

async function compare({ drafts, choices, picks, single }: Played): Promise<'compared' | 'undecided'> {
  const graph = makeGraph(drafts);
  const fields = Object.fromEntries(drafts.map((_, i) => [`c${i}`, choices[i] ?? 0]));
  try {
    const game = new TokenGame(graph, fields);
    const table = await launched(graph, fields, single ? { ...LIMITS, messages: 1 } : LIMITS);
    expect(await table.marking()).toEqual(game.marking());
    for (const pick of picks) {
      const { open } = game.marking();
      const task = open[pick % Math.max(1, open.length)];
      if (task === undefined) break;
      game.answer(task);
      await table.answer(task);
      expect(await table.marking()).toEqual(game.marking());
    }
    const { open, joining } = game.marking();
    expect(await table.outcome()).toBe(open.length + joining.length === 0 ? 'completed' : 'running');
    return 'compared';
  } catch (error) {
    if (error instanceof Undecided) return 'undecided';
    throw error;
  }
}

test.each([
  ['forks, joins and choices', ['task', 'task', 'parallel', 'exclusive'], false],
  ['loops', ['task', 'task', 'exclusive', 'parallel'], true],
  ['inclusive gateways', ['task', 'task', 'inclusive', 'exclusive', 'parallel'], false],
] as const)(
  'tokens stand where the game says: %s',
  async (_, kinds, loops) => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(played(kinds, loops), async (given) => {
        if ((await compare(given)) === 'compared') compared++;
      }),
      settings(RUNS),
    );
    // Most of what is drawn is worth looking at.
    expect(compared).toBeGreaterThan(settings(RUNS).numRuns / 2);
  },
  timeout(RUNS),
);
