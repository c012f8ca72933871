import { expect, test } from 'vitest';
import { workflowId } from '../samples.ts';
import type { Topic } from '../topic.ts';

const DAY_MS = 86_400_000;

export const about: Topic = (store) => {
  test('a key is reserved once, finished, dropped', async () => {
    const { answers } = store();
    const row = { scope: 's', key: workflowId(), fingerprint: 'f', at: 1_000 };
    expect(await answers.reserve(row)).toBe(true);
    expect(await answers.reserve(row)).toBe(false);
    expect(await answers.saved('s', row.key)).toEqual({
      fingerprint: 'f',
      status: null,
      body: null,
      contentType: null,
    });
    await answers.finish({ ...row, status: 201, body: 'OK', contentType: 'text/plain' });
    expect(await answers.saved('s', row.key)).toEqual({
      fingerprint: 'f',
      status: 201,
      body: 'OK',
      contentType: 'text/plain',
    });
    await answers.drop('s', row.key);
    expect(await answers.saved('s', row.key)).toBe(null);
  });

  test('a key goes after a day', async () => {
    const { answers, retire } = store();
    const keys = { old: workflowId(), young: workflowId() };
    await answers.reserve({ scope: 's', key: keys.old, fingerprint: 'f', at: 1_000 });
    await answers.reserve({ scope: 's', key: keys.young, fingerprint: 'f', at: 3_000 });
    await retire({ endedBefore: 0, now: 2_000 + DAY_MS, limit: 100 });
    expect(await answers.saved('s', keys.old)).toBe(null);
    expect(await answers.saved('s', keys.young)).not.toBe(null);
    await answers.drop('s', keys.young);
  });

  test('of a key of the same name in another scope nothing is told', async () => {
    const { answers } = store();
    const key = workflowId();
    await answers.reserve({ scope: 'mine', key, fingerprint: 'f', at: 1 });
    expect(await answers.saved('yours', key)).toBe(null);
    expect(await answers.reserve({ scope: 'yours', key, fingerprint: 'g', at: 1 })).toBe(true);
    for (const scope of ['mine', 'yours']) await answers.drop(scope, key);
  });
};
