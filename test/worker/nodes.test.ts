import { expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { joinNodes } from '../../src/worker/nodes.ts';

test('looking at the nodes writes nothing: it is a read', async () => {
  let beats = 0;
  const time = manualTime();
  const node = { id: 'a', name: 'a', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 7_000,
      nodes: {
        beat: async () => {
          beats += 1;
          return [{ ...node, startedAt: beats, seenAt: beats, registry: null, alive: true }];
        },
        look: async (now) => [{ ...node, startedAt: 1, seenAt: now, registry: null, alive: true }],
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: silentLog,
  });
  for (let i = 0; i < 150; i++) expect(await membership.nodes()).toMatchObject([{ id: 'a', seenAt: 7_000 }]);
  expect(beats).toBe(1);
  await membership.leave();
});

test('the first beats come sooner, so that nodes that start together soon know of each other', async () => {
  const time = manualTime();
  const at: number[] = [];
  const node = { id: 'a', name: 'a', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  const row = { ...node, startedAt: 1, seenAt: 1, registry: null, alive: true };
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 0,
      nodes: {
        beat: async () => {
          at.push(time.now());
          return at.length < 3 ? [row] : [row, { ...row, id: 'b', name: 'b' }, { ...row, id: 'c', alive: false }];
        },
        look: async () => [],
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: silentLog,
  });
  expect(membership.living()).toBe(1);
  for (let s = 0; s < 40; s++) {
    time.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(at).toEqual([0, 1_000, 3_000, 7_000, 15_000, 25_000, 35_000]);
  expect(membership.living()).toBe(2);
  await membership.leave();
});

test('two living nodes of one name are told in the log', async () => {
  const lines: string[] = [];
  const time = manualTime();
  const node = { id: 'a', name: 'twin', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  const others = [
    { ...node, id: 'b', alive: true },
    { ...node, id: 'dead', alive: false },
    { ...node, id: 'c', name: 'somebody else', alive: true },
  ];
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 0,
      nodes: {
        look: async () => [],
        beat: async () =>
          [{ ...node, alive: true }, ...others].map((row) => ({
            ...row,
            ...{ startedAt: 1, seenAt: 1, registry: null },
          })),
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: { ...silentLog, warn: (message, details) => lines.push(`${message} ${JSON.stringify(details)}`) },
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"nodes":["b"]');
  await membership.leave();
});

test('the eldest of the living nodes knows that it is, and another one once that has gone', async () => {
  const time = manualTime();
  const node = { id: 'b', name: 'b', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  let isOther = true;
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 0,
      nodes: {
        look: async () => [],
        beat: async () =>
          [
            { id: 'a', alive: isOther },
            { id: 'b', alive: true },
          ].map((row) => ({
            ...node,
            ...row,
            ...{ startedAt: 1, seenAt: 1, registry: null },
          })),
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: silentLog,
  });
  expect(membership.isEldest()).toBe(false);
  isOther = false;
  time.pass(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(membership.isEldest()).toBe(true);
  await membership.leave();
});

test('a beat that could not be written is tried again after two seconds', async () => {
  const time = manualTime();
  const node = { id: 'a', name: 'a', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  let beats = 0;
  let isAway = false;
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 0,
      nodes: {
        look: async () => [],
        beat: async () => {
          beats += 1;
          if (isAway) throw new Error('away');
          return [{ ...node, startedAt: 1, seenAt: 1, registry: null, alive: true }];
        },
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: silentLog,
  });
  const pass = async (ms: number): Promise<number> => {
    time.pass(ms);
    await new Promise((resolve) => setImmediate(resolve));
    return beats;
  };
  isAway = true;
  expect(await pass(10_000)).toBe(2);
  isAway = false;
  expect([await pass(1_999), await pass(1)]).toEqual([2, 3]);
  // The second pause of the first ones.
  expect([await pass(1_999), await pass(1)]).toEqual([3, 4]);
  await membership.leave();
});

test('nodes that may open more connections than the database takes say so once', async () => {
  const time = manualTime();
  const warned: unknown[] = [];
  const node = { id: 'a', name: 'a', role: 'all', url: 'http://a.test', version: '1', leaseSeconds: 30 };
  let nodes = 7;
  const membership = await joinNodes({
    store: {
      databaseTime: async () => 0,
      connectionRoom: { own: 12, most: 97 },
      nodes: {
        look: async () => [],
        beat: async () =>
          Array.from({ length: nodes }, (_, n) => ({
            ...node,
            ...{ id: `n${n}`, name: `n${n}`, startedAt: 1, seenAt: 1, registry: null, alive: true },
          })),
        knows: async () => {},
        leave: async () => {},
      },
    },
    node,
    time,
    log: { ...silentLog, warn: (_, details) => warned.push(details) },
  });
  const beat = async (): Promise<number> => {
    time.pass(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    return warned.length;
  };
  expect(warned).toEqual([]);
  nodes = 8;
  expect([await beat(), await beat()]).toEqual([1, 1]);
  expect(warned[0]).toMatchObject({ event: 'database.crowded', nodes: 8, wanted: 104, most: 97 });
  await membership.leave();
});
