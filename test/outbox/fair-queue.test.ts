import { expect, test } from 'vitest';
import { makeFairQueue } from '../../src/outbox/fair-queue.ts';
import {
  makeStandings,
  PLACES_FIRST,
  PLACES_SILENT,
  SILENT_IN_ROW,
  UNDER_WAY_CHARACTERS_MAX,
} from '../../src/outbox/standing.ts';

const item = (host: string, line: string, n = 0, tenant = 't') => ({ host, line, n, tenant });
type Item = ReturnType<typeof item>;
const queueOf = (triesPerHostMax: number, triesMax = 1_000) =>
  makeFairQueue<Item>(makeStandings({ triesMax, triesPerHostMax }));

test('hosts take turns, and so do the workflows that want the same host', () => {
  const queue = queueOf(100);
  for (let n = 0; n < 3; n++) queue.push(item('a', 'w1', n));
  queue.push(item('a', 'w2'));
  queue.push(item('b', 'w3', 0));
  queue.push(item('b', 'w3', 1));
  const order = Array.from({ length: 6 }, () => queue.start()).map((one) => `${one?.host} ${one?.line} ${one?.n}`);
  expect(order).toEqual(['a w1 0', 'b w3 0', 'a w2 0', 'b w3 1', 'a w1 1', 'a w1 2']);
  expect(queue.start()).toBeUndefined();
  expect(queue.size).toBe(0);
});

test('tenants that want the same host take turns, whatever the number of their workflows', () => {
  const queue = queueOf(100);
  for (let n = 0; n < 4; n++) queue.push(item('a', `w${n}`, n, 'busy'));
  queue.push(item('a', 'w9', 9, 'modest'));
  queue.push(item('a', 'w9', 10, 'modest'));
  const order = Array.from({ length: 6 }, () => queue.start()?.n);
  expect(order).toEqual([0, 9, 1, 10, 2, 3]);
});

test('a host has its share of tries under way, and is nobody’s hindrance', () => {
  const queue = queueOf(2);
  for (let n = 0; n < 5; n++) queue.push(item('slow', `w${n}`));
  queue.push(item('quick', 'w'));
  const started = [queue.start(), queue.start(), queue.start(), queue.start()].map((one) => one?.host);
  expect(started).toEqual(['slow', 'quick', 'slow', undefined]);
  expect(queue.hasStartable()).toBe(false);
  expect(queue.countOf('slow')).toBe(5);
  expect(queue.waitingOf('slow')).toBe(3);
  queue.done(item('slow', 'w'));
  expect(queue.hasStartable()).toBe(true);
  expect(queue.start()?.host).toBe('slow');
  expect(queue.countOf('slow')).toBe(4);
  queue.done(item('quick', 'w'));
  expect(queue.countOf('quick')).toBe(0);
});

test('what waits can be taken out again, in whatever place it waits', () => {
  const queue = queueOf(1);
  const items: Item[] = [];
  for (let n = 0; n < 4; n++) items.push(item('a', 'w1', n), item('b', 'w2', n));
  for (const one of items) queue.push(one);
  expect(items.filter((one) => one.n % 2 === 0 && queue.remove(one))).toHaveLength(4);
  expect(queue.remove(items[0] as Item)).toBe(false);
  expect(queue.size).toBe(4);
  const left: number[] = [];
  for (let one = queue.start(); one !== undefined; one = queue.start()) {
    left.push(one.n);
    queue.done(one);
  }
  expect(left).toEqual([1, 1, 3, 3]);
  expect(queue.countOf('a')).toBe(0);
});

test('a host nobody has heard of has a few places, and one more with each answer', () => {
  const standings = makeStandings({ triesMax: 200, triesPerHostMax: 50 });
  expect(standings.placesOf('h')).toBe(PLACES_FIRST);
  for (let i = 0; i < 100; i++) standings.heard('h', 'answered');
  expect(standings.placesOf('h')).toBe(50);
  expect(standings.of('h')).toBe('answers');
});

test('a host that is only silent has very few places until it answers; one that answers between keeps its own', () => {
  const standings = makeStandings({ triesMax: 200, triesPerHostMax: 50 });
  for (let i = 0; i < 100; i++) standings.heard('h', 'answered');
  for (let i = 1; i < SILENT_IN_ROW; i++) standings.heard('h', 'silent');
  standings.heard('h', 'answered');
  expect(standings.placesOf('h')).toBe(50);
  for (let i = 0; i < SILENT_IN_ROW; i++) standings.heard('h', 'silent');
  expect([standings.of('h'), standings.placesOf('h')]).toEqual(['silent', PLACES_SILENT]);
  standings.heard('h', 'nothing');
  expect(standings.of('h')).toBe('silent');
  standings.heard('h', 'answered');
  expect([standings.of('h'), standings.placesOf('h')]).toEqual(['answers', PLACES_FIRST]);
});

test('any number of hosts that have not answered leaves places for those that do', () => {
  const standings = makeStandings({ triesMax: 20, triesPerHostMax: 10 });
  const queue = makeFairQueue<Item>(standings);
  standings.heard('good', 'answered');
  for (let h = 0; h < 40; h++) {
    if (h % 2 === 0) for (let i = 0; i < SILENT_IN_ROW; i++) standings.heard(`h${h}`, 'silent');
    for (let n = 0; n < 10; n++) queue.push(item(`h${h}`, 'w', n));
  }
  const started: string[] = [];
  for (let one = queue.start(); one !== undefined; one = queue.start()) started.push(one.host);
  expect(started).toHaveLength(15);
  expect(started.filter((host) => standings.of(host) === 'silent')).toHaveLength(5);
  for (let n = 0; n < 5; n++) queue.push(item('good', 'w', n));
  const good: (string | undefined)[] = Array.from({ length: 5 }, () => queue.start()?.host);
  expect(good).toEqual(['good', 'good', 'good', 'good', 'good']);
});

test('large bodies that nobody takes leave room for those of hosts that answer', () => {
  const standings = makeStandings({ triesMax: 200, triesPerHostMax: 50 });
  const queue = makeFairQueue<Item & { readonly weight: number }>(standings);
  const weight = UNDER_WAY_CHARACTERS_MAX / 8;
  const large = (host: string, n: number) => ({ ...item(host, 'w', n), weight });
  standings.heard('good', 'answered');
  for (let h = 0; h < 5; h++) {
    for (let i = 0; i < SILENT_IN_ROW; i++) standings.heard(`silent${h}`, 'silent');
    for (let n = 0; n < 3; n++) queue.push(large(`silent${h}`, n));
    for (let n = 0; n < 3; n++) queue.push(large(`stranger${h}`, n));
  }
  const started: string[] = [];
  for (let one = queue.start(); one !== undefined; one = queue.start()) started.push(one.host);
  expect(started.filter((host) => host.startsWith('silent'))).toHaveLength(2);
  expect(started.filter((host) => host.startsWith('stranger'))).toHaveLength(4);
  // One host has a quarter of all.
  for (let n = 0; n < 3; n++) queue.push(large('good', n));
  expect(Array.from({ length: 3 }, () => queue.start()?.host)).toEqual(['good', 'good', undefined]);
  queue.done(large('good', 0));
  expect(queue.start()?.host).toBe('good');
});

test('one body that is larger than any share goes alone', () => {
  const queue = makeFairQueue<Item & { readonly weight: number }>(
    makeStandings({ triesMax: 200, triesPerHostMax: 50 }),
  );
  const huge = { ...item('a', 'w'), weight: UNDER_WAY_CHARACTERS_MAX * 2 };
  queue.push(huge);
  queue.push({ ...item('a', 'w', 1), weight: 1 });
  expect(queue.start()).toBe(huge);
  expect(queue.start()).toBeUndefined();
  queue.done(huge);
  expect(queue.start()?.n).toBe(1);
});

test('taking out what waits costs the same whatever the number of those that wait beside it', () => {
  const readsFor = (count: number): number => {
    let reads = 0;
    const queue = makeFairQueue<Item>(makeStandings({ triesMax: 10, triesPerHostMax: 5 }));
    const items = Array.from({ length: count }, (_, n) => ({
      ...item('a', `w${n % 7}`, n),
      get host() {
        reads += 1;
        return 'a';
      },
    }));
    for (const one of items) queue.push(one);
    reads = 0;
    for (const one of items) queue.remove(one);
    expect(queue.size).toBe(0);
    return reads;
  };
  expect(readsFor(4_000)).toBeLessThanOrEqual(readsFor(1_000) * 4 + 10);
});
