import { describe, expect, test } from 'vitest';
import { makeLog } from '../../src/runtime/log.ts';
import { makeLines } from '../../src/runtime/log-lines.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

/** A reader that takes as many bytes as the test allows it. */
function reader(bytesMax = 2_000) {
  let room = Number.POSITIVE_INFINITY;
  let text = '';
  let failure: Error | null = null;
  const time = manualTime(1_000);
  const sink = {
    write: (bytes: Uint8Array): number => {
      if (failure !== null) throw failure;
      const taken = bytes.subarray(0, Math.min(room, bytes.length));
      room -= taken.length;
      text += Buffer.from(taken).toString('latin1');
      return taken.length;
    },
  };
  const lines = makeLines({ sink, time, dropped: (count) => `dropped ${count}\n`, bytesMax });
  return {
    lines,
    time,
    sink,
    allow: (bytes: number) => {
      room = bytes;
    },
    fail: (error: Error | null) => {
      failure = error;
    },
    /** Whole lines, and what may follow the last of them. */
    read: () => Buffer.from(text, 'latin1').toString().split('\n'),
  };
}

const line = (name: string): string => `${name.padEnd(99, '.')}\n`;
const names = (read: readonly string[]): string[] =>
  read.filter((one) => one !== '').map((one) => one.replace(/\.+$/, ''));

describe('while nobody reads the log', () => {
  test('lines wait, and come whole and in order once somebody reads again', () => {
    const { lines, time, allow, read } = reader();
    allow(150);
    for (const name of ['a', 'b', 'c', 'd']) lines.add(line(name), name === 'c');
    time.pass(10_000);
    expect(read().join('\n')).toHaveLength(150);
    allow(75);
    time.pass(100);
    expect(read().join('\n')).toHaveLength(225);
    allow(10_000);
    time.pass(100);
    expect(names(read())).toEqual(['a', 'b', 'c', 'd']);
    lines.add(line('e'), true);
    expect(names(read()).at(-1)).toBe('e');
  });

  test('the oldest are dropped beyond the bound, and it is said how many', () => {
    const { lines, time, allow, read } = reader(1_000);
    allow(0);
    for (let i = 0; i < 25; i++) lines.add(line(`n${i}`), false);
    allow(1_000_000);
    time.pass(100);
    // The first was on its way already; ten more have room.
    expect(names(read())).toEqual(['n0', 'dropped 14', ...Array.from({ length: 10 }, (_, i) => `n${i + 15}`)]);
  });

  test('warnings and errors are dropped last', () => {
    const { lines, time, allow, read } = reader(1_000);
    allow(0);
    lines.add(line('first'), false);
    for (let i = 0; i < 40; i++) lines.add(line(`${i % 10 === 0 ? 'warning' : 'info'}${i}`), i % 10 === 0);
    allow(1_000_000);
    time.pass(100);
    const seen = names(read());
    for (const warning of ['warning0', 'warning10', 'warning20', 'warning30']) expect(seen).toContain(warning);
    expect(seen).toContain('dropped 30');
    expect(seen.at(-1)).toBe('info39');
  });

  test('what waits never takes more than the bound, whatever is logged', () => {
    const { lines, time, allow, read } = reader(1_000);
    allow(0);
    lines.add(line('first'), false);
    for (let i = 0; i < 200; i++) lines.add(line(`w${i}`), true);
    lines.add(`${'é'.repeat(2_000)}\n`, true);
    allow(1_000_000);
    time.pass(100);
    expect(read().join('\n').length).toBeLessThanOrEqual(1_200);
    expect(names(read()).at(-1)).toBe('dropped 201');
  });

  test('a reader that is gone costs the lines, and they are counted once there is one again', () => {
    const { lines, time, fail, read } = reader();
    fail(new Error('EPIPE'));
    lines.add(line('lost'), true);
    lines.add(line('kept'), false);
    time.pass(1_000);
    fail(null);
    time.pass(1_000);
    lines.add(line('new'), true);
    expect(names(read()).at(-1)).toBe('new');
    expect(names(read())[0]).toMatch(/^dropped \d$/);
  });

  test('the end of the process writes what is gathered, and waits no longer than it may', () => {
    const { lines, allow, read } = reader();
    lines.add(line('a'), false);
    lines.add(line('b'), false);
    lines.flush(0);
    expect(names(read())).toEqual(['a', 'b']);
    allow(0);
    lines.add(line('c'), true);
    lines.flush(20);
    expect(names(read())).toEqual(['a', 'b']);
  });

  test('the line about dropped ones is a line of the log', () => {
    const { sink, allow, time, read } = reader();
    const log = makeLog({ level: 'info', sink, time, bytesMax: 300 });
    allow(0);
    for (let i = 0; i < 20; i++) log.warn('something', { event: 'something', i });
    allow(1_000_000);
    time.pass(100);
    const dropped = read()
      .filter((one) => one.includes('log.dropped'))
      .map((one) => JSON.parse(one) as object);
    expect(dropped).toEqual([expect.objectContaining({ level: 40, event: 'log.dropped', lines: expect.any(Number) })]);
  });
});
