import { describe, expect, test } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeBaseUrl, ownUrl } from '../../src/server/base-url.ts';
import type { NodeRow } from '../../src/store/store.ts';

const node = (url: string, role: string, alive = true): NodeRow => ({
  name: null,
  id: url,
  role,
  url,
  version: '1',
  startedAt: 0,
  seenAt: 0,
  registry: null,
  alive,
});

describe('where a node can be called', () => {
  test.each([
    ['127.0.0.1', 'http://127.0.0.1:80'],
    ['rota.example', 'http://rota.example:80'],
    ['::1', 'http://[::1]:80'],
    ['0.0.0.0', 'http://10.0.0.7:80'],
    ['::', 'http://10.0.0.7:80'],
  ])('that listens at %s: %s', (host, url) => {
    expect(ownUrl(host, 80, ['10.0.0.7', 'fd00::7'])).toBe(url);
  });

  test('is never an address that only means all of them', () => {
    for (const host of ['0.0.0.0', '::', '[::]']) {
      expect(ownUrl(host, 80, [])).toBe('http://127.0.0.1:80');
      expect(ownUrl(host, 80)).not.toMatch(/0\.0\.0\.0|\[::\]/);
    }
    expect(ownUrl('0.0.0.0', 80, ['fd00::7'])).toBe('http://[fd00::7]:80');
  });
});

describe('the address participants answer to', () => {
  const parts = { own: 'http://127.0.0.1:1', time: manualTime(), log: silentLog };

  test('is BASE_URL where it is set, and else the own one of nodes that answer requests', async () => {
    for (const role of ['all', 'api', 'worker'] as const) {
      const base = makeBaseUrl({ ...parts, given: 'https://rota.example', role });
      base.learn([node('http://10.0.0.1', 'api')]);
      await base.known(() => Promise.reject(new Error('nobody asks')));
      expect(base.current()).toBe('https://rota.example');
    }
    const own = makeBaseUrl({ ...parts, given: null, role: 'all' });
    own.learn([node('http://10.0.0.1', 'api')]);
    expect(own.current()).toBe('http://127.0.0.1:1');
  });

  test('is for a worker that of a live node that answers requests, as soon as there is one', async () => {
    const time = manualTime();
    const base = makeBaseUrl({ ...parts, time, given: null, role: 'worker' });
    let there: readonly NodeRow[] = [node('http://10.0.0.9', 'worker'), node('http://10.0.0.8', 'api', false)];
    base.learn(there);
    let looks = 0;
    let isKnown = false;
    const known = base
      .known(async () => {
        looks += 1;
        if (looks === 1) throw new Error('the database is away');
        base.learn(there);
      })
      .then(() => {
        isKnown = true;
      });
    const second = async (): Promise<void> => {
      time.pass(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await second();
    await second();
    expect([looks, isKnown]).toEqual([2, false]);
    there = [...there, node('http://127.0.0.1:8', 'all'), node('http://10.0.0.1', 'api')];
    await second();
    await known;
    // One that others may reach comes before one that only this machine can.
    expect(base.current()).toBe('http://10.0.0.1');
    // It follows when that node goes, and keeps the last when all are gone.
    base.learn([node('http://127.0.0.1:8', 'all')]);
    base.learn([]);
    expect(base.current()).toBe('http://127.0.0.1:8');
  });
});
