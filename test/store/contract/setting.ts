import { expect, test } from 'vitest';
import { DataRefused } from '../../../src/store/store.ts';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('a setting keeps its last value', async () => {
    const { settings } = store();
    expect(await settings.read('offset')).toBe(null);
    await settings.write('offset', '1');
    await settings.write('offset', '2');
    expect(await settings.read('offset')).toBe('2');
  });

  test('a setting that is written once keeps its first value', async () => {
    const { settings } = store();
    expect(await settings.writeOnce('first', '1')).toBe('1');
    expect(await settings.writeOnce('first', '2')).toBe('1');
    expect(await settings.read('first')).toBe('1');
  });

  test('a value that cannot be stored is refused', async () => {
    await expect(store().settings.write('odd', 'a\u0000b')).rejects.toThrow(DataRefused);
    expect(await store().settings.read('odd')).toBe(null);
  });
};
