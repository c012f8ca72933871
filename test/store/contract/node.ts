import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const node = { name: 'somebody', role: 'all', url: 'http://x', version: '1', leaseSeconds: 30 };
const DAY_SECONDS = 86_400;

export const about: Topic = (store) => {
  test('nodes see each other while their leases last', async () => {
    const { nodes, databaseTime } = store();
    await nodes.beat({ ...node, id: 'silent', leaseSeconds: -1 });
    const seen = await nodes.beat({ ...node, id: 'living' });
    expect(seen.map(({ id, alive }) => [id, alive]).sort()).toEqual([
      ['living', true],
      ['silent', false],
    ]);
    expect(Math.abs((seen[0]?.startedAt ?? 0) - (await databaseTime()))).toBeLessThan(60_000);
    await nodes.leave('silent');
    expect((await nodes.beat({ ...node, id: 'living' })).map(({ id }) => id)).toEqual(['living']);
    await nodes.leave('living');
  });

  test('who looks sees who is alive, and writes nothing', async () => {
    const { nodes, databaseTime } = store();
    await nodes.beat({ ...node, id: 'silent', leaseSeconds: -1 });
    await nodes.beat({ ...node, id: 'living' });
    const now = await databaseTime();
    const seen = await nodes.look(now);
    expect(seen.map(({ id, alive }) => [id, alive]).sort()).toEqual([
      ['living', true],
      ['silent', false],
    ]);
    expect((await nodes.look(now + 31_000)).map(({ alive }) => alive)).toEqual([false, false]);
    expect(await nodes.look(now)).toEqual(seen);
    for (const id of ['silent', 'living']) await nodes.leave(id);
  });

  test('a node started when it was first heard of, and is what it said last', async () => {
    const { nodes } = store();
    const [first] = await nodes.beat({ ...node, id: 'n' });
    const [second] = await nodes.beat({ ...node, id: 'n', version: '2' });
    expect(second).toMatchObject({ startedAt: first?.startedAt, version: '2' });
    expect(second?.seenAt ?? 0).toBeGreaterThanOrEqual(first?.seenAt ?? Number.NaN);
    await nodes.leave('n');
  });

  test('a node says up to when it has read the registries, and its beats leave that as it is', async () => {
    const { nodes, databaseTime } = store();
    expect((await nodes.beat({ ...node, id: 'n' })).find(({ id }) => id === 'n')?.registry).toBe(null);
    await nodes.knows('n', 7_000);
    expect((await nodes.beat({ ...node, id: 'n' })).find(({ id }) => id === 'n')?.registry).toBe(7_000);
    expect((await nodes.look(await databaseTime())).find(({ id }) => id === 'n')?.registry).toBe(7_000);
    await nodes.leave('n');
  });

  test('each beat says how busy its node is, or that nobody knows', async () => {
    const { nodes, databaseTime } = store();
    const figures = { claims: 7, tries: 3, connections: 2, loopDelayMs: 1.5 };
    const seen = await nodes.beat({ ...node, id: 'busy', figures });
    expect(seen.find(({ id }) => id === 'busy')?.figures).toEqual(figures);
    expect((await nodes.look(await databaseTime())).find(({ id }) => id === 'busy')?.figures).toEqual(figures);
    const after = await nodes.beat({ ...node, id: 'busy' });
    expect(after.find(({ id }) => id === 'busy')?.figures).toBe(null);
    await nodes.leave('busy');
  });

  test('a node that was silent for a day is forgotten', async () => {
    const { nodes, retire } = store();
    await nodes.beat({ ...node, id: 'gone', leaseSeconds: -DAY_SECONDS - 60 });
    await nodes.beat({ ...node, id: 'silent', leaseSeconds: -DAY_SECONDS + 60 });
    await retire({ endedBefore: 0, now: 0, limit: 10 });
    expect((await nodes.beat({ ...node, id: 'living' })).map(({ id }) => id).sort()).toEqual(['living', 'silent']);
    for (const id of ['silent', 'living']) await nodes.leave(id);
  });
};
