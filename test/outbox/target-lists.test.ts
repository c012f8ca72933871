import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { makeLookups } from '../../src/outbox/lookups.ts';
import { makePost, type Resolve } from '../../src/outbox/post.ts';
import { BAD_PORTS, makeTargetList, readPorts, readTarget } from '../../src/outbox/target-lists.ts';
import { addressComplaint, type TargetPolicy, targetComplaint } from '../../src/outbox/targets.ts';
import { makeAddressList } from '../../src/runtime/addresses.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { readConfig } from '../../src/server/config.ts';
import { targetPolicy } from '../../src/server/targets.ts';

const policy = (settings: Record<string, string>): TargetPolicy =>
  targetPolicy(readConfig({ ALLOW_PRIVATE_TARGETS: '0', ...settings }));
const list = (...entries: string[]) => makeTargetList(entries);

describe('where callbacks may go', () => {
  test.each<[Record<string, string>, string, string | null]>([
    [{}, 'http://hooks.test:25/', 'port 25'],
    [{}, 'https://hooks.test:6667/', 'port 6667'],
    [{ ALLOW_PRIVATE_TARGETS: '10.0.0.0/8' }, 'http://10.0.0.1:22/', 'port 22'],
    [{ ALLOW_PRIVATE_TARGETS: '1' }, 'http://127.0.0.1:22/', null],
    [{}, 'http://hooks.test/', null],
    [{ DENY_PORTS: '+6379,443' }, 'http://hooks.test:25/', null],
    [{ DENY_PORTS: '+6379' }, 'http://hooks.test:25/', 'port 25'],
    [{ DENY_PORTS: '+6379' }, 'http://hooks.test:6379/', 'port 6379'],
    [{ DENY_PORTS: '443' }, 'https://hooks.test/', 'port 443'],
    [{ DENY_PORTS: 'none' }, 'http://hooks.test:25/', null],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://hooks.test/', null],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://HOOKS.test./', null],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://a.b.example.org/', null],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://example.org/', 'ALLOW_TARGETS'],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://evilexample.org/', 'ALLOW_TARGETS'],
    [{ ALLOW_TARGETS: 'hooks.test,*.example.org' }, 'http://8.8.8.8/', 'ALLOW_TARGETS'],
    [{ ALLOW_TARGETS: '8.8.8.0/24' }, 'http://8.8.8.8/', null],
    [{ ALLOW_TARGETS: '8.8.8.0/24' }, 'http://134744072/', null],
    [{ ALLOW_TARGETS: '8.8.8.0/24' }, 'http://8.8.9.8/', 'ALLOW_TARGETS'],
    // What it leads to is for the try to see.
    [{ ALLOW_TARGETS: '8.8.8.0/24' }, 'http://hooks.test/', null],
    [{ ALLOW_TARGETS: '169.254.169.254' }, 'http://169.254.169.254/', 'never called'],
    [{ DENY_TARGETS: '*.evil.test,9.9.9.9' }, 'http://a.evil.test/', 'DENY_TARGETS'],
    [{ DENY_TARGETS: '*.evil.test,9.9.9.9' }, 'http://9.9.9.9/', 'DENY_TARGETS'],
    [{ DENY_TARGETS: '9.9.9.9' }, 'http://[::ffff:9.9.9.9]/', 'DENY_TARGETS'],
    [{ DENY_TARGETS: '9.9.9.9' }, 'http://[64:ff9b::9.9.9.9]/', 'DENY_TARGETS'],
    [{ DENY_TARGETS: '9.9.9.9' }, 'http://[2002:909:909::1]/', 'DENY_TARGETS'],
    [{ ALLOW_TARGETS: 'hooks.test', DENY_TARGETS: 'hooks.test' }, 'http://hooks.test/', 'DENY_TARGETS'],
    [{ HOST: '0.0.0.0' }, 'http://10.1.2.3/', 'private'],
    [{ ALLOW_PRIVATE_TARGETS: '10.1.0.0/16' }, 'http://10.1.2.3/', null],
    [{ ALLOW_PRIVATE_TARGETS: '10.1.0.0/16' }, 'http://10.2.2.3/', 'private'],
    [{ ALLOW_PRIVATE_TARGETS: '10.1.0.0/16' }, 'http://127.0.0.1/', 'private'],
    [{ ALLOW_PRIVATE_TARGETS: '10.1.0.0/16,127.0.0.1' }, 'http://localhost/', null],
  ])('with %j to %s: %s', (settings, url, why) => {
    const complaint = targetComplaint(url, policy(settings));
    if (why === null) expect(complaint).toBe(null);
    else expect(complaint).toContain(why);
  });

  test('is judged by the address, too, once a name has one; a name that is allowed may lead anywhere but where nothing does', () => {
    const named = { allowPrivate: false, allow: list('hooks.test', '8.8.8.0/24') };
    expect(addressComplaint('9.9.9.9', named, 'hooks.test')).toBe(null);
    expect(addressComplaint('9.9.9.9', named, 'other.test')).toContain('ALLOW_TARGETS');
    expect(addressComplaint('8.8.8.8', named, 'other.test')).toBe(null);
    expect(addressComplaint('10.0.0.1', named, 'hooks.test')).toContain('private');
    expect(addressComplaint('169.254.169.254', named, 'hooks.test')).toContain('never');
    expect(addressComplaint('10.0.0.1', { allowPrivate: false, privateRanges: makeAddressList(['10.0.0.0/8']) })).toBe(
      null,
    );
    expect(addressComplaint('8.8.8.8', { allowPrivate: false, deny: list('8.8.8.8') }, 'hooks.test')).toContain('DENY');
  });

  test('a name that turned to another address since the launch is not called there', async () => {
    const resolve: Resolve = (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    const post = makePost({ policy: { allowPrivate: true, deny: list('127.0.0.0/8') }, socketsPerHostMax: 1, resolve });
    const result = await post.send({ url: 'http://hooks.test:8080/', headers: {}, body: '{}' }, 5_000);
    post.close();
    expect(result).toMatchObject({ kind: 'unreachable', reason: expect.stringContaining('must not be called') });
  });

  test.each([
    ['hooks.test', 'hooks.test'],
    ['*.Hooks.test.', '*.hooks.test'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['fd00::/8', 'fd00::/8'],
    ['*', null],
    ['a.*.test', null],
    ['http://hooks.test', null],
    ['hooks.test:80', null],
    ['10.0.0.0/33', null],
    ['', null],
  ])('the entry %s is %s', (text, entry) => {
    expect(readTarget(text)).toBe(entry);
  });

  test.each([
    ['22', [22]],
    ['+1', [...BAD_PORTS, 1]],
    ['22,+1', [22, 1]],
    ['none', []],
    ['65536', null],
    ['http', null],
    ['', null],
  ])('the ports %s', (text, ports) => {
    expect(readPorts(text)).toEqual(ports);
  });
});

describe('names', () => {
  const options = { all: true, family: 0, hints: 0 } as const;
  function looking(most = 3) {
    const time = manualTime();
    const begun: { readonly host: string; readonly answer: (error: Error | null) => void }[] = [];
    const told: string[] = [];
    const lookups = makeLookups({
      resolve: (host, _options, done) => {
        const found: LookupAddress[] = [{ address: '192.0.2.1', family: 4 }];
        begun.push({ host, answer: (error) => done(error, error === null ? found : []) });
      },
      most,
      seconds: 5,
      time,
    });
    const ask = (host: string): void =>
      lookups(
        host,
        options,
        (error) => void told.push(`${host} ${(error as { code?: string } | null)?.code ?? 'found'}`),
      );
    return { time, begun, told, ask };
  }

  test('are looked up so many at once, the same only once, and remembered for five seconds', () => {
    const { time, begun, told, ask } = looking(2);
    for (const host of ['a', 'a', 'b', 'c', 'a']) ask(host);
    expect(begun.map(({ host }) => host)).toEqual(['a', 'b']);
    begun[0]?.answer(null);
    expect(told).toEqual(['a found', 'a found', 'a found']);
    expect(begun.map(({ host }) => host)).toEqual(['a', 'b', 'c']);
    time.pass(4_999);
    ask('a');
    expect([told.length, begun.length]).toEqual([4, 3]);
    time.pass(1);
    begun[1]?.answer(null);
    ask('a');
    expect(begun.map(({ host }) => host)).toEqual(['a', 'b', 'c', 'a']);
  });

  test('that take too long hold a place, but nobody who waits; what nobody waits for is not looked up', () => {
    const { time, begun, told, ask } = looking(1);
    ask('slow');
    ask('behind');
    time.pass(5_000);
    expect(told).toEqual(['slow ELOOKUP', 'behind ELOOKUP']);
    begun[0]?.answer(null);
    expect(begun).toHaveLength(1);
    ask('behind');
    expect(begun).toHaveLength(2);
    begun[1]?.answer(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
    expect(told.at(-1)).toBe('behind ENOTFOUND');
    // What was not found is asked for anew.
    ask('behind');
    expect(begun).toHaveLength(3);
  });
});
