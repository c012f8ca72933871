import { expect, test } from 'vitest';
import { isRange, makeAddressList, networkOf, plainAddress } from '../../src/runtime/addresses.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeWindows, readRate } from '../../src/runtime/windows.ts';

const counting = (count: number, seconds: number, most = 1000) => {
  const time = manualTime();
  return { time, windows: makeWindows({ rate: () => ({ count, seconds }), most, time }) };
};

test('the 61st of 60 in a minute is one too many, for that one alone; a window begins with the first', () => {
  const { time, windows } = counting(60, 60);
  time.pass(30_000);
  for (let i = 0; i < 60; i++) expect(windows.take('a')).toEqual({ isAllowed: true, left: 59 - i, seconds: 60 });
  expect(windows.isSpent('a')).toBe(true);
  time.pass(59_000);
  expect(windows.take('a')).toEqual({ isAllowed: false, left: 0, seconds: 1 });
  expect(windows.take('b').isAllowed).toBe(true);
  time.pass(1_000);
  expect(windows.isSpent('a')).toBe(false);
  expect(windows.take('a')).toEqual({ isAllowed: true, left: 59, seconds: 60 });
});

test('as many windows are kept as are told; those beyond share one until there is room', () => {
  const { time, windows } = counting(10, 60, 50);
  for (let i = 0; i < 50; i++) windows.take(`own ${i}`);
  for (let i = 0; i < 10; i++) expect(windows.take(`beyond ${i}`).isAllowed).toBe(true);
  expect(windows.take('beyond all').isAllowed).toBe(false);
  expect(windows.take('own 1').isAllowed).toBe(true);
  expect(windows.size).toBe(50);
  time.pass(60_000);
  expect(windows.take('beyond all')).toMatchObject({ isAllowed: true, left: 9 });
  expect(windows.size).toBe(1);
});

test('a share of a rate is read each time', () => {
  const time = manualTime();
  let nodes = 1;
  const windows = makeWindows({ rate: () => ({ count: Math.ceil(9 / nodes), seconds: 60 }), most: 10, time });
  for (let i = 0; i < 5; i++) windows.take('a');
  nodes = 2;
  expect(windows.take('a').isAllowed).toBe(false);
  nodes = 1;
  expect(windows.take('a').isAllowed).toBe(true);
});

test.each([
  ['600/60', { count: 600, seconds: 60 }],
  ['1/1', { count: 1, seconds: 1 }],
  ['0/60', null],
  ['60', null],
  ['60/0', null],
  ['60/m', null],
  ['-1/60', null],
  ['12345678/60', null],
])('the rate %s', (text, rate) => {
  expect(readRate(text)).toEqual(rate);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ['unix', 'unix'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('lists of addresses', () => {
  for (const good of ['10.0.0.0/8', '192.0.2.1', '::1', 'fd00::/8', '0.0.0.0/0'])
    expect(isRange(good), good).toBe(true);
  for (const bad of [
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '::/129',
    'localhost',
    '10.0.0.0/8/8',
    'fe80::1%eth0/64',
    '',
  ])
    expect(isRange(bad), bad).toBe(false);
  const list = makeAddressList(['10.0.0.0/8', 'fd00::/8', '192.0.2.1']);
  for (const inside of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.0.2.1']) expect(list(inside), inside).toBe(true);
  for (const outside of ['11.0.0.1', 'fe00::1', '192.0.2.2', 'nonsense', ''])
    expect(list(outside), outside).toBe(false);
  expect(makeAddressList([])('10.0.0.1')).toBe(false);
  expect(plainAddress('::FFFF:10.0.0.1')).toBe('10.0.0.1');
});
