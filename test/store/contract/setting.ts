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

  test('a value that cannot be stored is refused', async () => {
    await expect(store().settings.write('odd', 'a\u0000b')).rejects.toThrow(DataRefused);
    expect(await store().settings.read('odd')).toBe(null);
  });
};
