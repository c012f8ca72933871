import { expect, test } from 'vitest';
import type { Topic } from '../topic.ts';

export const about: Topic = (store) => {
  test('of one definition several texts are kept as they were posted, each once', async () => {
    const { sources } = store();
    for (const text of ['define\n  alpha\n', 'define\n  alpha  \n'])
      for (let i = 0; i < 2; i++) await sources.keep({ definition: 'of a', hash: `of ${text}`, text });
    expect(await sources.text({ definition: 'of a', hash: 'of define\n  alpha  \n' })).toBe('define\n  alpha  \n');
    expect(await sources.text({ definition: 'of b', hash: 'of define\n  alpha  \n' })).toBe(null);
  });
};
