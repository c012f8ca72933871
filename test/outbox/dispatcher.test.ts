import { expect, test } from 'vitest';
import { BEGUN_CHARACTERS_MAX, makeDispatcher } from '../../src/outbox/dispatcher.ts';
import type { HostLimit } from '../../src/outbox/host-limits.ts';
import type { ClaimRequest, Message, PostResult, TryEnd } from '../../src/outbox/message.ts';
import { CROWDED_PER_HOST } from '../../src/outbox/places.ts';
import { WAITING_PER_SHARE } from '../../src/outbox/shares.ts';
import { PLACES_FIRST, UNDER_WAY_CHARACTERS_MAX } from '../../src/outbox/standing.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { until } from '../support/engine-parts.ts';

/** Everything around a dispatcher made by hand: an owner whose claims are told, and a post whose tries end when the test says so. */
function around(
  settings: {
    triesMax?: number;
    triesPerHostMax?: number;
    skipsNobody?: boolean;
    breaker?: { failures: number; seconds: number };
    hosts?: readonly HostLimit[];
    nodes?: number;
  } = {},
) {
  const time = manualTime();
  const clock = { now: () => 0 };
  const due: Message[] = [];
  const claims: ClaimRequest[] = [];
  const ends: { readonly name: string; readonly end: TryEnd }[] = [];
  const tries: { readonly url: string; readonly end: (result: PostResult) => void; cut: boolean }[] = [];
  const dispatcher = makeDispatcher({
    owners: [
      {
        claim: async (request) => {
          claims.push(request);
          const found = due.filter((one) => !request.skip.includes(one.host)).slice(0, request.limit);
          for (const one of found) due.splice(due.indexOf(one), 1);
          return found;
        },
      },
    ],
    post: {
      send: (request, _, cuttable) =>
        new Promise((resolve) => {
          const one = { url: request.url, end: resolve, cut: false };
          tries.push(one);
          cuttable?.(() => {
            one.cut = true;
            resolve({ kind: 'unreachable', reason: 'cut' });
          });
        }),
      close: () => {},
    },
    clock,
    time,
    ids: randomIds(),
    log: silentLog,
    settings: {
      nodeId: 'node',
      baseUrl: () => 'http://rota.test',
      userAgent: 'rota',
      callbackTimeoutSeconds: 15,
      leaseSeconds: 30,
      triesMax: settings.triesMax ?? 200,
      triesPerHostMax: settings.triesPerHostMax ?? 50,
      ...(settings.breaker === undefined ? {} : { breaker: settings.breaker }),
      ...(settings.hosts === undefined ? {} : { hosts: settings.hosts }),
      nodes: () => settings.nodes ?? 1,
    },
  });
  let made = 0;
  const message = (more: Partial<Message> = {}): Message => {
    const name = more.name ?? `m${++made}`;
    const host = more.host ?? 'h';
    return {
      about: { workflow_id: 'w', expression_id: name },
      tenant: 'default',
      host,
      line: 'w',
      name,
      life: 1,
      leaseEndsAt: 1e9,
      characters: 10,
      shared: null,
      request: () => ({ url: `http://${host}/${name}`, headers: {}, body: '{}' }),
      renew: async () => true,
      ended: (end) => void ends.push({ name, end }),
      ...more,
    };
  };
  /** As the engine does with what it commits. */
  const born = (...messages: Message[]): number => {
    const kept = messages.filter((one) => dispatcher.reserve(one.host));
    dispatcher.take(kept);
    return kept.length;
  };
  return { dispatcher, time, due, claims, ends, tries, message, born };
}

const DELIVERED: PostResult = { kind: 'delivered', status: 200 };

test('a node that stops does not wait for its grace when what was being saved comes in after the last try', async () => {
  const { dispatcher, message, born, tries } = around();
  born(message());
  await until(() => tries.length === 1);
  expect(dispatcher.reserve('h')).toBe(true);
  let isStopped = false;
  const stopped = dispatcher.stop(20).then(() => {
    isStopped = true;
  });
  await until(() => dispatcher.figures().underWay === 1);
  tries[0]?.end(DELIVERED);
  await until(() => dispatcher.figures().underWay === 0);
  expect(isStopped).toBe(false);
  dispatcher.take([message()]);
  await stopped;
  expect(tries).toHaveLength(1);
});

test('a message that takes the place of one whose try hangs ends that try, and is sent when it has ended', async () => {
  const { message, born, tries, ends } = around();
  born(message({ name: 'alpha', life: 1 }));
  await until(() => tries.length === 1);
  born(message({ name: 'alpha', life: 2 }));
  await until(() => tries.length === 2);
  expect(tries[0]?.cut).toBe(true);
  expect(ends).toHaveLength(1);
  tries[1]?.end(DELIVERED);
  await until(() => ends.length === 2);
});

test('the same message once more, while its try is under way, is not sent beside it', async () => {
  const { dispatcher, message, born, tries, ends } = around();
  born(message({ name: 'alpha' }));
  await until(() => tries.length === 1);
  born(message({ name: 'alpha' }));
  expect(dispatcher.figures()).toMatchObject({ waiting: 0, underWay: 1 });
  tries[0]?.end(DELIVERED);
  await until(() => ends.length === 1);
  await dispatcher.quiet();
  expect(tries).toHaveLength(1);
});

test('a message of which is known how its try ended is not sent; one that comes during the try is asked when it has ended', async () => {
  const { dispatcher, message, due, born, tries, ends } = around();
  due.push(message({ name: 'known', isKnown: () => true }));
  born(message({ name: 'alpha' }));
  await until(() => tries.length === 1);
  let asked = 0;
  const isKnown = (): boolean => {
    asked += 1;
    return ends.length === 1;
  };
  due.push(message({ name: 'alpha', isKnown }));
  dispatcher.wake();
  await until(() => due.length === 0);
  expect(asked).toBe(0);
  tries[0]?.end(DELIVERED);
  await dispatcher.quiet();
  expect(asked).toBe(1);
  expect(tries).toHaveLength(1);
});

test('one that comes during a try of which nobody knows how it ended is sent afterwards', async () => {
  const { dispatcher, message, due, born, tries } = around();
  born(message({ name: 'alpha' }));
  await until(() => tries.length === 1);
  due.push(message({ name: 'alpha', isKnown: () => false }));
  dispatcher.wake();
  await until(() => due.length === 0);
  tries[0]?.end(DELIVERED);
  await until(() => tries.length === 2);
});

test('a request that cannot be made is a failed try, and its place is free', async () => {
  const { dispatcher, message, born, ends, tries } = around({ triesMax: 1 });
  const request = (): never => {
    throw new RangeError('Invalid string length');
  };
  born(message({ name: 'bad', request }), message({ name: 'good' }));
  await until(() => tries.length === 1);
  expect(ends.map(({ name, end }) => [name, end.result.kind])).toEqual([['bad', 'unreachable']]);
  tries[0]?.end(DELIVERED);
  await until(() => dispatcher.figures().underWay === 0);
});

test('five silent hosts leave room for a stranger', async () => {
  const { dispatcher, message, born, tries } = around();
  for (let h = 0; h < 5; h++) for (let n = 0; n < 50; n++) born(message({ host: `silent${h}` }));
  await until(() => tries.length === 5 * PLACES_FIRST);
  born(message({ host: 'stranger' }));
  await until(() => tries.some(({ url }) => url.startsWith('http://stranger/')));
  expect(dispatcher.figures().underWay).toBe(5 * PLACES_FIRST + 1);
});

test('with every place taken a stranger’s message still gets its place in the row, but only a few of one host', () => {
  const { message, born } = around({ triesMax: 4, triesPerHostMax: 4 });
  expect(born(...Array.from({ length: 20 }, () => message({ host: 'wide' })))).toBe(CROWDED_PER_HOST);
  expect(born(...Array.from({ length: 20 }, () => message({ host: 'stranger' })))).toBe(CROWDED_PER_HOST);
});

test('a host that has enough waiting is left out of claims until it has less', async () => {
  const { dispatcher, message, due, claims, tries } = around({ triesMax: 8, triesPerHostMax: 2 });
  for (let n = 0; n < 300; n++) due.push(message({ host: 'wide' }));
  dispatcher.wake();
  await until(() => tries.length === 2 && (claims.at(-1)?.skip.length ?? 0) > 0);
  expect(claims.at(-1)?.skip).toEqual(['wide']);
  due.push(message({ host: 'stranger' }));
  dispatcher.wake();
  await until(() => tries.length === 3);
  expect(tries[2]?.url).toContain('stranger');
  let ended = 0;
  await until(() => {
    for (; ended < tries.length; ended++) tries[ended]?.end(DELIVERED);
    return tries.length === 301;
  });
});

test('bodies under way are bounded in characters, not only in number; one that is larger goes alone', async () => {
  const { message, born, tries, ends } = around();
  const large = { characters: UNDER_WAY_CHARACTERS_MAX / 8 };
  born(...Array.from({ length: 4 }, () => message(large)), message({ characters: UNDER_WAY_CHARACTERS_MAX * 2 }));
  await until(() => tries.length === 2);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(tries).toHaveLength(2);
  for (let n = 0; n < 5; n++) {
    await until(() => tries.length > n);
    tries[n]?.end(DELIVERED);
  }
  await until(() => ends.length === 5);
});

test('large bodies are made one at a time, and the event loop goes round between them', async () => {
  const { message, born } = around();
  const madeInTurn: number[] = [];
  let turn = 0;
  const go = (): void => {
    turn += 1;
    if (madeInTurn.length < 3) setImmediate(go);
  };
  const large = (n: number) => ({
    host: `h${n}`,
    characters: BEGUN_CHARACTERS_MAX,
    request: () => {
      madeInTurn.push(turn);
      return { url: `http://h${n}/`, headers: {}, body: '{}' };
    },
  });
  go();
  born(...Array.from({ length: 3 }, (_, n) => message(large(n))));
  await until(() => madeInTurn.length === 3);
  expect(new Set(madeInTurn).size).toBe(3);
});

test('what waits of a workflow that is over is let go, each with one look', async () => {
  const { dispatcher, message, born, tries, ends } = around({ triesMax: 1 });
  born(message({ host: 'first' }));
  await until(() => tries.length === 1);
  const names = ['a', 'b', 'c', 'd'];
  born(
    ...names.map((name, n) => message({ name, host: `h${n}`, line: 'over' })),
    message({ line: 'stays', host: 'x' }),
  );
  dispatcher.withdraw('over', ['a', 'unknown']);
  dispatcher.withdraw('over', 'all');
  expect(ends.map(({ name, end }) => [name, end.result.kind])).toEqual(names.map((name) => [name, 'dropped']));
  expect(dispatcher.figures().waiting).toBe(1);
});

test('a message that waits is given back before its lease ends, and claimed anew when it can be sent', async () => {
  const { message, born, tries, ends, time } = around({ triesPerHostMax: 1 });
  const kept = born(message({ name: 'first' }), message({ name: 'second', leaseEndsAt: 30_000 }));
  expect(kept).toBe(2);
  await until(() => tries.length === 1);
  time.pass(14_000);
  expect(ends).toEqual([]);
  time.pass(2_000);
  expect(ends.map(({ name, end }) => [name, end.result.kind])).toEqual([['second', 'dropped']]);
  tries[0]?.end(DELIVERED);
  await until(() => ends.length === 2);
  expect(tries).toHaveLength(1);
});

test('a host that fails again and again is left alone, what waits for it stays due, and one try decides; others go on', async () => {
  const { dispatcher, message, born, due, claims, ends, tries, time } = around({
    triesPerHostMax: 1,
    breaker: { failures: 1, seconds: 30 },
  });
  expect(born(message(), message({ name: 'waits' }))).toBe(2);
  await until(() => tries.length === 1);
  tries[0]?.end({ kind: 'refused', status: 503, retryAfterSeconds: null });
  await until(() => ends.length === 2);
  expect(ends.find(({ name }) => name === 'waits')?.end.result).toEqual({ kind: 'dropped' });
  expect(dispatcher.breakers()).toMatchObject([{ host: 'h', state: 'open' }]);
  expect(born(message())).toBe(0);
  due.push(message(), message());
  expect(born(message({ host: 'good' }))).toBe(1);
  await until(() => tries.length === 2);
  tries[1]?.end(DELIVERED);
  await dispatcher.quiet();
  expect(claims.at(-1)?.skip).toContain('h');
  expect(due).toHaveLength(2);
  time.pass(36_000);
  await until(() => tries.length === 3);
  expect(dispatcher.figures()).toMatchObject({ underWay: 1, waiting: 1 });
  expect(dispatcher.breakers()).toMatchObject([{ host: 'h', state: 'half-open' }]);
  tries[2]?.end(DELIVERED);
  await until(() => tries.length === 4);
  expect(dispatcher.breakers()).toEqual([]);
  tries[3]?.end(DELIVERED);
  await dispatcher.quiet();
});

test('a host is sent no more at once, and no faster, than was promised to it, for all nodes together', async () => {
  const { dispatcher, message, born, due, tries, time } = around({
    hosts: [
      { host: 'slow.test', triesMax: 6, perSecond: null },
      { host: '*.paced.test', triesMax: null, perSecond: 4 },
    ],
    nodes: 2,
  });
  const to = (host: string): number => tries.filter(({ url }) => url.includes(`//${host}/`)).length;
  for (let i = 0; i < 8; i++) {
    born(message({ host: 'slow.test' }));
    due.push(message({ host: 'a.paced.test', line: `w${i}` }));
    born(message({ host: 'others.test' }));
  }
  dispatcher.wake();
  await until(() => to('others.test') === 8 && to('a.paced.test') > 0);
  expect([to('slow.test'), to('a.paced.test')]).toEqual([3, 1]);
  // Four in a second, by two nodes: one in each half of a second.
  time.pass(499);
  await until(() => to('slow.test') === 3);
  expect(to('a.paced.test')).toBe(1);
  for (let seconds = 1; seconds < 4; seconds++) {
    time.pass(500);
    await until(() => to('a.paced.test') === seconds + 1);
  }
  tries.find(({ url }) => url.includes('//slow.test/'))?.end(DELIVERED);
  await until(() => to('slow.test') === 4);
});

test('a participant has no more tries at once than it has places; others of its host pass it, and what waits goes on one by one', async () => {
  const { dispatcher, message, born, tries, ends } = around();
  let most = 2;
  const share = () => ({ key: 'default alpha', most });
  const shared = (name: string) => message({ name, share });
  born(...['a', 'b', 'c', 'd', 'e'].map(shared), message({ name: 'x' }), message({ name: 'y' }));
  const begun = (): string => tries.map(({ url }) => url.slice(-1)).join('');
  await until(() => tries.length === 4);
  expect([begun(), dispatcher.figures().waiting]).toEqual(['abxy', 3]);
  // One that waits is over meanwhile.
  dispatcher.withdraw('w', ['d']);
  expect(ends).toMatchObject([{ name: 'd', end: { result: { kind: 'dropped' } } }]);
  tries[0]?.end(DELIVERED);
  await until(() => tries.length === 5);
  expect(begun()).toBe('abxyc');
  // Its entry was changed.
  most = 3;
  tries[1]?.end(DELIVERED);
  await until(() => tries.length === 6);
  for (const one of tries) one.end(DELIVERED);
  await dispatcher.quiet();
  expect(begun()).toBe('abxyce');
  expect(dispatcher.figures()).toMatchObject({ waiting: 0, underWay: 0, delivered: 6, dropped: 1 });
});

test('what a participant has neither places nor room for is put off, without a try', async () => {
  const { dispatcher, message, due, tries, ends } = around();
  const share = () => ({ key: 'default alpha', most: 1 });
  for (let i = 0; i < WAITING_PER_SHARE + 3; i++) due.push(message({ line: `w${i}`, share }));
  dispatcher.wake();
  await until(() => ends.length === 2);
  expect(ends.map(({ end }) => end.result)).toEqual([
    { kind: 'postponed', ms: 1_000 },
    { kind: 'postponed', ms: 1_000 },
  ]);
  expect(tries).toHaveLength(1);
});
