import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

const row = (id: string, dueAt = 5) => ({ workflow: 'w', id, dueAt });
const LIVING = 3600;
/** A process whose lease is over is dead. */
const DEAD = -1;
const DAY_SECONDS = 86_400;

export const about: Topic = (store) => {
  const mark = (ids: readonly string[], node: string, leaseSeconds: number) =>
    store().attempts.mark(
      ids.map((id) => row(id)),
      { node, leaseSeconds },
    );
  const clear = (ids: readonly string[], node: string) =>
    store().attempts.clear(
      ids.map((id) => row(id)),
      node,
    );

  test('a row that a process died with stands again, alone with it under suspicion, and given up when another did', async () => {
    const { attempts } = store();
    const alone = (node: string, evenSuspect: boolean) =>
      attempts.markAlone(row('a'), { node, leaseSeconds: DEAD }, evenSuspect);
    expect(await mark(['a', 'b'], 'one', DEAD)).toEqual(['marked', 'marked']);
    expect(await mark(['a', 'c'], 'two', DEAD)).toEqual(['again', 'marked']);
    expect(await mark(['a'], 'two', DEAD)).toEqual(['again']);
    expect(await alone('two', false)).toBe('marked');
    // It has lived through that.
    expect(await alone('two', false)).toBe('marked');
    expect(await alone('three', false)).toBe('suspect');
    expect(await mark(['b', 'a'], 'three', DEAD)).toEqual(['again', 'suspect']);
    expect(await alone('three', true)).toBe('marked');
    expect(await alone('four', true)).toBe('given up');
    expect(await mark(['a'], 'four', DEAD)).toEqual(['given up']);
    expect(await attempts.giveUp(row('a'), 'four')).toBe(true);
    // For as long as that did not work.
    expect(await mark(['a'], 'four', LIVING)).toEqual(['given up']);
    await clear(['a'], 'four');
    await clear(['b'], 'one');
    await clear(['c'], 'two');
    expect(await mark(['a', 'b', 'c'], 'five', DEAD)).toEqual(['marked', 'marked', 'marked']);
    await clear(['a', 'b', 'c'], 'five');
    expect(await alone('six', false)).toBe('marked');
    expect(await mark(['a'], 'seven', DEAD)).toEqual(['suspect']);
    await clear(['a'], 'six');
  });

  test('a row that a living process has marked is its own', async () => {
    const { attempts } = store();
    expect(await mark(['a'], 'one', LIVING)).toEqual(['marked']);
    expect(await mark(['a'], 'two', LIVING)).toEqual(['elsewhere']);
    expect(await attempts.markAlone(row('a'), { node: 'two', leaseSeconds: LIVING }, true)).toBe('elsewhere');
    expect(await mark(['a'], 'one', LIVING)).toEqual(['marked']);
    expect(await attempts.giveUp(row('a'), 'two')).toBe(false);
    await clear(['a'], 'two');
    expect(await mark(['a'], 'two', LIVING)).toEqual(['elsewhere']);
    await clear(['a'], 'one');
    expect(await mark(['a'], 'two', LIVING)).toEqual(['marked']);
    await clear(['a'], 'two');
  });

  test('a row that is due at another time is another row', async () => {
    const { attempts } = store();
    await mark(['a'], 'one', DEAD);
    expect(await attempts.mark([row('a', 6)], { node: 'two', leaseSeconds: DEAD })).toEqual(['marked']);
    await clear(['a'], 'two');
    expect(await attempts.mark([row('a', 6)], { node: 'three', leaseSeconds: DEAD })).toEqual(['again']);
    await attempts.clear([row('a', 6)], 'two');
  });

  test('a mark that was left for a week is thrown away', async () => {
    const { retire } = store();
    await mark(['old'], 'one', -7 * DAY_SECONDS - 60);
    await mark(['young'], 'one', -7 * DAY_SECONDS + 60);
    await retire({ endedBefore: 0, now: 0, limit: 10 });
    expect(await mark(['old', 'young'], 'two', DEAD)).toEqual(['marked', 'again']);
    await clear(['old'], 'two');
    await clear(['young'], 'one');
  });
};
