import { expect, test } from 'vitest';
import { makeFairQueue } from '../../src/outbox/fair-queue.ts';

const item = (host: string, workflow: string, n = 0) => ({ host, workflow, n });

test('hosts take turns, and so do the workflows that want the same host', () => {
  const queue = makeFairQueue<ReturnType<typeof item>>(100);
  for (let n = 0; n < 3; n++) queue.push(item('a', 'w1', n));
  queue.push(item('a', 'w2'));
  queue.push(item('b', 'w3', 0));
  queue.push(item('b', 'w3', 1));
  const order = Array.from({ length: 6 }, () => queue.start()).map((one) => `${one?.host} ${one?.workflow} ${one?.n}`);
  expect(order).toEqual(['a w1 0', 'b w3 0', 'a w2 0', 'b w3 1', 'a w1 1', 'a w1 2']);
  expect(queue.start()).toBeUndefined();
  expect(queue.size).toBe(0);
});

test('a host has its share of tries under way, and is nobody’s hindrance', () => {
  const queue = makeFairQueue<ReturnType<typeof item>>(2);
  for (let n = 0; n < 5; n++) queue.push(item('slow', `w${n}`));
  queue.push(item('quick', 'w'));
  const started = [queue.start(), queue.start(), queue.start(), queue.start()].map((one) => one?.host);
  expect(started).toEqual(['slow', 'quick', 'slow', undefined]);
  expect(queue.hasStartable()).toBe(false);
  expect(queue.countOf('slow')).toBe(5);
  queue.done('slow');
  expect(queue.hasStartable()).toBe(true);
  expect(queue.start()?.host).toBe('slow');
  expect(queue.countOf('slow')).toBe(4);
  queue.done('quick');
  expect(queue.countOf('quick')).toBe(0);
});

test('what waits can be taken out again, in whatever place it waits', () => {
  const queue = makeFairQueue<ReturnType<typeof item>>(1);
  for (let n = 0; n < 4; n++) {
    queue.push(item('a', 'w1', n));
    queue.push(item('b', 'w2', n));
  }
  expect(queue.remove((one) => one.n % 2 === 0)).toHaveLength(4);
  expect(queue.size).toBe(4);
  const left: number[] = [];
  for (let one = queue.start(); one !== undefined; one = queue.start()) {
    left.push(one.n);
    queue.done(one.host);
  }
  expect(left).toEqual([1, 1, 3, 3]);
  expect(queue.countOf('a')).toBe(0);
});
