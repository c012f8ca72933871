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

  test('minutes are folded into their hour, again and again, and those of others stay', async () => {
    const { figureRows } = store();
    const add = (tenant: string, minute: number, node: string) =>
      figureRows.add({ tenant, minute, node, figures: `${tenant} ${minute} ${node}` });
    for (const minute of [-7_200_000, -7_140_000, -3_600_000]) await add('folded', minute, 'a');
    await add('folded', -7_200_000, 'b');
    await add('other', -7_140_000, 'a');
    expect(await figureRows.oldest(-7_200_000)).toBe(null);
    expect(await figureRows.oldest(-3_600_000)).toEqual({ tenant: 'folded', minute: -7_200_000 });
    expect(await figureRows.between('folded', -7_200_000, -3_600_000)).toHaveLength(3);
    await figureRows.fold('folded', -7_200_000, -3_600_000, 'sum');
    expect(await figureRows.oldest(-3_600_000)).toEqual({ tenant: 'other', minute: -7_140_000 });
    expect(await figureRows.between('folded', -7_200_000, -3_600_000)).toEqual(['sum']);
    await add('folded', -7_199_000, 'late');
    await figureRows.fold('folded', -7_200_000, -3_600_000, 'sum of all');
    expect((await figureRows.since('folded', -8_000_000, 10)).map(({ minute, figures }) => [minute, figures])).toEqual([
      [-3_600_000, 'folded -3600000 a'],
      [-7_200_000, 'sum of all'],
    ]);
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
