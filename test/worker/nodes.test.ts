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
  time.pass(10_000);
  expect(beats).toBe(2);
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
