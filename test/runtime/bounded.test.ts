import { expect, test } from 'vitest';
import { makeBoundedMap, makeQueue } from '../../src/runtime/bounded.ts';

test('a bounded map keeps at least the half that was used last, and never more than fits', () => {
  const map = makeBoundedMap<number>(100);
  for (let i = 0; i < 1_000; i++) {
    map.set(`key ${i}`, i);
    expect(map.size).toBeLessThanOrEqual(100);
    // Used all the time, so never forgotten.
    expect(map.get('key 0')).toBe(0);
    for (let last = Math.max(0, i - 30); last <= i; last++) expect(map.get(`key ${last}`)).toBe(last);
  }
  expect(map.get('key 800')).toBeUndefined();
  map.delete('key 999');
  expect(map.get('key 999')).toBeUndefined();
});

test('a bounded map counts weights, and never keeps an entry heavier than itself', () => {
  const map = makeBoundedMap<string>(10);
  map.set('a', 'A', 6);
  map.set('b', 'B', 4);
  map.set('b', 'B2', 3);
  expect([map.get('a'), map.get('b')]).toEqual(['A', 'B2']);
  map.set('c', 'C', 9);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, undefined, 'C']);
  map.set('d', 'D', 11);
  expect([map.get('c'), map.get('d')]).toEqual(['C', undefined]);
  map.set('c', 'none', 11);
  expect([map.get('c'), map.size]).toEqual([undefined, 0]);
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
