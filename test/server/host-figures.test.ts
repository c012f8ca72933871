import { expect, test } from 'vitest';
import { makeHosts } from '../../src/server/hosts.ts';

test('a host is told with how many tries it had in a minute, how long they took, and since when it fails', () => {
  let now = 1_000_000;
  const hosts = makeHosts({ now: () => now });
  const tried = (host: string, seconds: number, outcome: '2xx' | '5xx'): void =>
    hosts.meter.tried({ tenant: 't', host, message: 'active', outcome, seconds, lateSeconds: 0, number: 1 });
  tried('once', 0.5, '2xx');
  for (let i = 1; i <= 40; i++) {
    now += 6_000;
    tried('often', i / 1_000, i > 30 ? '5xx' : '2xx');
  }
  const failingSince = now - 9 * 6_000;
  expect(hosts.worst(10)).toEqual([
    { host: 'often', tries: 40, failingSince, perMinute: 10.3, p50Ms: 21, p95Ms: 39 },
    { host: 'once', tries: 1, failingSince: null, perMinute: null, p50Ms: 500, p95Ms: 500 },
  ]);
});
