import { expect, test } from 'vitest';
import { makeBoundedMap, makeQueue } from '../../src/runtime/bounded.ts';

test('a bounded map forgets what was not used for longest', () => {
  const map = makeBoundedMap<number>(3);
  for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i);
  expect(map.get('a')).toBe(0);
  map.set('d', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.get('d')]).toEqual([0, undefined, 2, 3]);
  expect(map.size).toBe(3);
});

test('a bounded map counts weights, and never keeps an entry heavier than itself', () => {
  const map = makeBoundedMap<string>(10);
  map.set('a', 'A', 6);
  map.set('b', 'B', 4);
  map.set('b', 'B2', 3);
  expect([map.get('a'), map.get('b')]).toEqual(['A', 'B2']);
  map.set('c', 'C', 5);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, 'B2', 'C']);
  map.set('d', 'D', 11);
  expect([map.get('b'), map.get('c'), map.get('d')]).toEqual(['B2', 'C', undefined]);
});

test('a queue gives back in order what was put in, also what was put back', () => {
  const queue = makeQueue<number>();
  for (let i = 0; i < 1000; i++) queue.push(i);
  const taken = Array.from({ length: 600 }, () => queue.shift() as number);
  expect(taken).toEqual(Array.from({ length: 600 }, (_, i) => i));
  queue.unshift([598, 599]);
  expect(queue.size).toBe(402);
  expect(Array.from({ length: 402 }, () => queue.shift())).toEqual(Array.from({ length: 402 }, (_, i) => i + 598));
  expect(queue.shift()).toBeUndefined();
  expect(queue.size).toBe(0);
});
