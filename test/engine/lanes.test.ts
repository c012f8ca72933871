import { expect, test } from 'vitest';
import type { Waiting } from '../../src/engine/entry.ts';
import { GATHER_MS_MAX, makeLanes } from '../../src/engine/lanes.ts';
import { CONTINUATION } from '../../src/interpreter/queue.ts';
import { type ExpressionId, shardOf, type WorkflowId } from '../../src/model/ids.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

const waiting = (workflow: string, agenda = ''): Waiting => ({
  entry: {
    kind: 'stimulus',
    workflow: workflow as WorkflowId,
    stimulus: { workflow: workflow as WorkflowId, origin: { by: 'server' }, event: { kind: 'due', agenda } },
    seed: '',
    at: 0,
  },
  caller: null,
});

type Batch = readonly string[];

const endOfTry = (workflow: string): Waiting => ({
  entry: {
    kind: 'outcome',
    workflow: workflow as WorkflowId,
    outcome: {
      workflow: workflow as WorkflowId,
      workitem: '0' as ExpressionId,
      claim: '',
      send: 'active',
      number: 1,
      startedAt: 0,
      endedAt: 0,
      result: { kind: 'delivered', status: 200 },
    },
    seed: '',
  },
  caller: null,
});

/** Lanes whose batches are kept, each handled as `then` says; `rested` resolves when there is nothing left. */
function lanes(
  given: {
    parked?: ReadonlyMap<string, Waiting[]>;
    then?: (batch: Batch, n: number) => void;
    count?: number;
    nodes?: () => number;
    time?: ReturnType<typeof manualTime>;
  } = {},
) {
  const batches: Batch[] = [];
  let rest = (): void => {};
  const rested = new Promise<void>((resolve) => {
    rest = resolve;
  });
  const made = makeLanes({
    count: given.count ?? 1,
    canJoin: true,
    nodes: given.nodes ?? (() => 1),
    time: given.time ?? manualTime(),
    batchMax: 4,
    parking: {
      gather: (one) => given.parked?.get(one.entry.workflow)?.push(one) !== undefined,
      take: (workflow, limit) => given.parked?.get(workflow)?.splice(0, limit) ?? [],
    },
    alongWith: (workflow) => (workflow === 'with an outcome' ? [waiting('an outcome')] : []),
    handle: async (_lane, batch) => {
      batches.push(batch.map(({ entry }) => entry.workflow));
      given.then?.(batches.at(-1) ?? [], batches.length);
    },
    onIdle: () => rest(),
  });
  return { ...made, batches, rested };
}

test('what has gathered is taken together, at most a batch of it, in order', async () => {
  const { add, batches, rested, areIdle } = lanes();
  for (const name of ['a', 'b', 'c', 'd', 'e']) add(waiting(name));
  expect(areIdle()).toBe(false);
  await rested;
  expect(batches).toEqual([['a', 'b', 'c', 'd'], ['e']]);
  expect(areIdle()).toBe(true);
});

test('an outcome that waits for the next step of its workflow goes before it', async () => {
  const { add, batches, rested } = lanes();
  add(waiting('with an outcome'));
  await rested;
  expect(batches).toEqual([['an outcome', 'with an outcome']]);
});

test('a batch that is refused is put back and taken in halves, and what is written widens them again', async () => {
  const lane = lanes({
    then: (batch, n) => {
      const of = lane.of('a' as WorkflowId);
      if (n > 1) return lane.widen(of);
      lane.narrow(of, batch.length);
      lane.putBack(
        of,
        batch.map((name) => waiting(name)),
      );
    },
  });
  for (const name of ['a', 'b', 'c', 'd']) lane.add(waiting(name));
  await lane.rested;
  expect(lane.batches).toEqual([
    ['a', 'b', 'c', 'd'],
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('parked workflows and the others take turns, and what comes for a parked one gathers with it', async () => {
  const parked = new Map([['p', [waiting('p')]]]);
  const { add, takeAlone, batches, rested } = lanes({ parked });
  for (const name of ['a', 'b', 'c', 'd', 'e']) add(waiting(name));
  add(waiting('p'));
  takeAlone('p' as WorkflowId);
  await rested;
  expect(batches).toEqual([['a', 'b', 'c', 'd'], ['p', 'p'], ['e']]);
});

test('who comes waits for one batch of ends of tries at most, however many there are', async () => {
  const lane = lanes({ then: (_batch, n) => n === 1 && lane.add(waiting('caller')) });
  for (let n = 0; n < 20; n++) lane.add(endOfTry('wide'));
  lane.add(waiting('caller'));
  await lane.rested;
  expect(lane.batches.map(([first, ...others]) => `${first} ${others.length + 1}`)).toEqual([
    'wide 4',
    'caller 2',
    'wide 4',
    'wide 4',
    'wide 4',
    'wide 4',
  ]);
});

test('the rest of a long step shares no batch with those who come, and they wait for one of them at most', async () => {
  const wide = waiting('wide', CONTINUATION);
  const lane = lanes({
    then: (batch, n) => {
      // It goes on and on, and others come meanwhile.
      if (batch.includes('wide') && n < 7) lane.add(wide);
      if (n < 5) lane.add(waiting(`caller ${n}`));
    },
  });
  lane.add(wide);
  lane.add(waiting('caller 0'));
  await lane.rested;
  expect(lane.batches.slice(0, 6)).toEqual([
    ['wide'],
    ['caller 0', 'caller 1'],
    ['wide'],
    ['caller 2', 'caller 3'],
    ['wide'],
    ['caller 4'],
  ]);
});

/** Two names of which each lane of two would take one. */
const [even, odd] = [0, 1].map((lane) => {
  for (let n = 0; ; n++) if (shardOf(`w${n}` as WorkflowId) % 2 === lane) return `w${n}`;
}) as [string, string];
const loopsRound = () => new Promise((resolve) => setImmediate(resolve));

test('of many nodes each takes in one transaction what has come while it paused after the last one', async () => {
  const time = manualTime();
  const lane = lanes({ count: 2, nodes: () => 100, time });
  lane.add(waiting(even));
  await loopsRound();
  expect(lane.batches).toEqual([[even]]);
  await loopsRound();
  lane.add(waiting(odd));
  lane.add(waiting(even));
  time.pass(GATHER_MS_MAX - 1);
  await loopsRound();
  expect(lane.batches).toEqual([[even]]);
  time.pass(1);
  await loopsRound();
  expect(lane.batches).toEqual([[even], [odd, even]]);
});

test('two nodes pause for nobody, and each has all its lanes', async () => {
  const lane = lanes({ count: 2, nodes: () => 2 });
  lane.add(waiting(even));
  lane.add(waiting(odd));
  await loopsRound();
  await loopsRound();
  lane.add(waiting(odd));
  await loopsRound();
  expect(lane.batches).toEqual([[even], [odd], [odd]]);
});

test('what came for one lane is handled there when nodes join', async () => {
  let nodes = 1;
  const lane = lanes({ count: 2, nodes: () => nodes });
  lane.add(waiting(odd));
  nodes = 3;
  lane.add(waiting(odd));
  await loopsRound();
  expect(lane.batches).toEqual([[odd], [odd]]);
});

/** A bomb whose parts take `ms` each and go on as they end, until the clock has reached `until`; beside it others step `every` so often. */
async function beside(given: { ms: number; every: number | null; until: number }): Promise<readonly number[]> {
  const time = manualTime();
  const bombs: number[] = [];
  const lane = lanes({
    time,
    then: (batch) => {
      if (!batch.includes('bomb')) return;
      bombs.push(time.now());
      time.pass(given.ms);
      lane.add(waiting('bomb', CONTINUATION));
    },
  });
  lane.add(waiting('bystander'));
  lane.add(waiting('bomb', CONTINUATION));
  while (time.now() < given.until) {
    for (let turn = 0; turn < 4; turn++) await loopsRound();
    time.pass(given.every ?? 50);
    if (given.every !== null) lane.add(waiting('bystander'));
  }
  return bombs;
}

test('a workflow whose parts hold everybody up pauses the longer while others are at work', async () => {
  const taken = async (ms: number) => {
    const bombs = await beside({ ms, every: 5, until: 20_000 });
    return bombs.slice(1).map((at, i) => Math.round((at - (bombs[i] as number)) / 10) * 10);
  };
  // Sixteen times as long, but five seconds at most, however long a part took.
  expect(new Set(await taken(400))).toEqual(new Set([5_400]));
  expect(new Set(await taken(300))).toEqual(new Set([5_100]));
  expect(Math.max(...(await taken(8_000)))).toBe(13_000);
  expect(new Set(await taken(50))).toEqual(new Set([300]));
  expect((await taken(10)).every((ms) => ms <= 20)).toBe(true);
});

test('alone it goes on at once', async () => {
  const bombs = await beside({ ms: 400, every: null, until: 8_000 });
  // Only at first was there somebody else.
  expect(
    bombs
      .slice(2)
      .map((at, i) => at - (bombs[i + 1] as number))
      .every((ms) => ms <= 450),
  ).toBe(true);
  expect(bombs.length).toBeGreaterThan(3);
});

test('an engine that stops waits for no pause', async () => {
  const time = manualTime();
  const lane = lanes({ time, then: (batch) => void (batch.includes('bomb') && time.pass(400)) });
  lane.add(waiting('bystander'));
  lane.add(waiting('bomb', CONTINUATION));
  for (let turn = 0; turn < 4; turn++) await loopsRound();
  lane.add(waiting('bomb', CONTINUATION));
  for (let turn = 0; turn < 4; turn++) await loopsRound();
  expect(lane.batches.length).toBe(2);
  lane.hurry();
  for (let turn = 0; turn < 4; turn++) await loopsRound();
  expect(lane.batches.at(-1)).toEqual(['bomb']);
});
