import { expect, test } from 'vitest';
import { makeMemory, SPREAD_MS_MAX } from '../../src/registry/memory.ts';
import { keepRows } from '../../src/registry/rows.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { NodeRow } from '../../src/store/store.ts';

/* What every node keeps in memory, and how a writer learns that all of them know. */

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Nodes on one database whose clock is `time`; hints go to all of them. */
function house() {
  const time = manualTime();
  const nodes = new Map<string, { registry: number | null; alive: boolean }>();
  const hearing = new Set<() => void>();
  let isLost = false;
  let mark: string | null = null;
  const rowOf = ([id, { registry, alive }]: [string, { registry: number | null; alive: boolean }]): NodeRow => ({
    ...{ id, name: id, role: 'all', url: '', version: '1', startedAt: 0, seenAt: 0 },
    registry,
    alive,
  });
  const store = {
    databaseTime: async () => time.now(),
    changeMark: async () => mark,
    onRegistry: async (hear: () => void) => {
      hearing.add(hear);
      return async () => void hearing.delete(hear);
    },
    tellRegistry: () => {
      if (!isLost) for (const hear of hearing) hear();
    },
    nodes: {
      beat: async () => [...nodes].map(rowOf),
      look: async () => [...nodes].map(rowOf),
      leave: async () => {},
      knows: async (id: string, at: number) => void nodes.set(id, { registry: at, alive: true }),
    },
  };
  const join = (nodeId: string, refresh: () => Promise<void>) =>
    makeMemory({ store, kept: [{ refresh }], nodeId, time, ids: randomIds(), log: silentLog });
  const lose = (): void => {
    isLost = true;
  };
  const change = (to: string): void => {
    mark = to;
  };
  const pass = async (ms: number, step = 1): Promise<void> => {
    for (let i = 0; i < ms; i += step) {
      await turn();
      time.pass(step);
    }
    await turn();
  };
  return { join, lose, change, pass, nodes };
}

test('whoever writes waits until every living node has read', async () => {
  const { join, pass, nodes } = house();
  let reads = 0;
  const one = await join('one', async () => {});
  const two = await join('two', async () => {
    reads += 1;
  });
  nodes.set('dead', { registry: 1, alive: false });
  nodes.set('old', { registry: null, alive: true });
  await pass(3);
  const before = reads;
  let everywhere: boolean | null = null;
  void one.spread().then((is) => {
    everywhere = is;
  });
  await pass(1);
  expect(everywhere).toBe(null);
  await pass(200);
  expect([everywhere, reads]).toEqual([true, before + 1]);
  await Promise.all([one.stop(), two.stop()]);
});

test('one that does not say so is waited for no longer than two seconds, and reads by itself later', async () => {
  const { join, lose, pass } = house();
  let reads = 0;
  const one = await join('one', async () => {});
  const two = await join('two', async () => {
    reads += 1;
  });
  lose();
  await pass(3);
  let everywhere: boolean | null = null;
  void one.spread().then((is) => {
    everywhere = is;
  });
  await pass(SPREAD_MS_MAX + 200);
  expect([everywhere, reads]).toEqual([false, 1]);
  await pass(20_000);
  expect(reads).toBeGreaterThan(1);
  await Promise.all([one.stop(), two.stop()]);
});

test('without a hint nothing is read again until something has changed, and a minute after that once more', async () => {
  const { join, change, pass } = house();
  change('a');
  let reads = 0;
  const one = await join('one', async () => {
    reads += 1;
  });
  await pass(50_000, 100);
  expect(reads).toBe(1);
  await pass(30_000, 100);
  expect(reads).toBe(2);
  await pass(100_000, 100);
  expect(reads).toBe(2);
  change('b');
  await pass(20_000, 100);
  expect(reads).toBe(3);
  await one.stop();
});

test('rows that change late are read again, those that are over are forgotten', async () => {
  type Row = {
    readonly key: string;
    readonly changedAt: number;
    readonly isOver: boolean;
    readonly value: number;
    readonly ver: number;
  };
  const rows = new Map<string, Row>();
  const learnt: string[] = [];
  const kept = keepRows<Row>({
    keyOf: ({ key }) => key,
    isOver: ({ isOver }) => isOver,
    changedLast: async ({ limit, after }) => {
      const sorted = [...rows.values()].sort((a, b) => b.changedAt - a.changedAt);
      const from = after === null ? 0 : Number(after);
      const items = sorted.slice(from, from + limit);
      return { items, next: from + limit < sorted.length ? String(from + limit) : null };
    },
    learn: (before, now) => learnt.push(`${before?.value ?? '-'} ${now?.value ?? '-'}`),
  });
  for (let i = 0; i < 450; i++) rows.set(`k${i}`, { key: `k${i}`, changedAt: i, isOver: false, value: i, ver: 1 });
  await kept.refresh();
  expect([...kept.all()]).toHaveLength(450);
  learnt.length = 0;
  rows.set('k3', { key: 'k3', changedAt: 500, isOver: true, value: 3, ver: 2 });
  // A slow transaction: its time lies before the latest that was seen.
  rows.set('late', { key: 'late', changedAt: 440, isOver: false, value: 7, ver: 1 });
  await kept.refresh();
  expect([kept.get('k3'), kept.get('late')?.value, learnt]).toEqual([undefined, 7, ['- 7', '3 -']]);
  rows.set('k3', { key: 'k3', changedAt: 900, isOver: false, value: 33, ver: 3 });
  await kept.refresh();
  expect([kept.get('k3')?.value, learnt.at(-1)]).toEqual([33, '- 33']);
});
