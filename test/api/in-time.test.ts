import { expect, test } from 'vitest';
import { inTime } from '../../src/api/middleware/in-time.ts';
import type { Known } from '../../src/api/middleware/state.ts';
import { makeLog } from '../../src/runtime/log.ts';

const log = makeLog({ level: 'silent' });
const known = (): Known => ({
  requestId: 'r',
  address: null,
  found: null,
  principal: null,
  waitedMs: 0,
  behind: null,
  query: null,
  span: null,
});

test('a request whose work goes on for too long is answered 503, and its work goes on', async () => {
  const request = known();
  let end = (_answer: string): void => {};
  const work = new Promise<string>((resolve) => (end = resolve));
  await expect(inTime(work, request, log, 1)).rejects.toMatchObject({ code: 'unavailable' });
  let isOver = false;
  void request.behind?.then(() => (isOver = true));
  expect(request.behind).not.toBeNull();
  expect(isOver).toBe(false);
  end('done');
  await request.behind;
  expect(await work).toBe('done');
});

test('one whose work ends in time is answered with it, or with what it threw, and leaves nothing behind', async () => {
  const request = known();
  expect(await inTime(Promise.resolve('done'), request, log)).toBe('done');
  await expect(inTime(Promise.reject(new Error('broken')), request, log)).rejects.toThrow('broken');
  expect(await inTime('at once', request, log)).toBe('at once');
  expect(request.behind).toBeNull();
});

test('what was waited for before counts', async () => {
  const request = { ...known(), waitedMs: 60_000 };
  await expect(inTime(new Promise(() => {}), request, log)).rejects.toMatchObject({ code: 'unavailable' });
});
