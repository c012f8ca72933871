import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const DAY_MS = 86_400_000;

export const about: Topic = (store) => {
  test('figures of minutes are answered newest first, of one tenant, from a minute on', async () => {
    const { figureRows } = store();
    const row = (tenant: string, minute: number, node: string) => ({ tenant, minute, node, figures: `${minute}` });
    for (const one of [row('t', 60, 'a'), row('t', 120, 'a'), row('t', 120, 'b'), row('u', 180, 'a')])
      await figureRows.add(one);
    const seen = async (minute: number, most: number) =>
      (await figureRows.since('t', minute, most)).map(({ minute: at, node }) => `${at} ${node}`);
    expect(await seen(120, 10)).toEqual(['120 b', '120 a']);
    expect(await seen(0, 10)).toEqual(['120 b', '120 a', '60 a']);
    expect(await seen(0, 2)).toEqual(['120 b', '120 a']);
    expect(await figureRows.since('nobody', 0, 10)).toEqual([]);
    await figureRows.add({ ...row('t', 120, 'b'), figures: 'other' });
    expect((await figureRows.since('t', 120, 1))[0]?.figures).toBe('other');
  });

  test('a minute is forgotten after eight days', async () => {
    const { figureRows, retire } = store();
    const now = 100 * DAY_MS;
    for (const minute of [now - 9 * DAY_MS, now - 7 * DAY_MS])
      await figureRows.add({ tenant: 'swept', minute, node: 'n', figures: '' });
    await retire({ endedBefore: 0, now, limit: 100 });
    expect((await figureRows.since('swept', 0, 10)).map(({ minute }) => minute)).toEqual([now - 7 * DAY_MS]);
  });
};
