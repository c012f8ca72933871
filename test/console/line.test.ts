import { expect, test } from 'vitest';
import { againMs } from '../../console/live/again.ts';
import {
  BROKEN_MS,
  EVERYTHING,
  GAP_MS,
  GATHERED_MS,
  type Happened,
  type Heard,
  makeLine,
  POLL_MS,
} from '../../console/live/line.ts';
import { manualTime } from '../../src/runtime/process-time.ts';

/** A line whose streams are opened, lost and heard by hand. */
function byHand() {
  const time = manualTime();
  const told: Happened[] = [];
  const states: string[] = [];
  const opened: { readonly path: string; readonly from: string | null; readonly heard: Heard; stopped: boolean }[] = [];
  const line = makeLine({
    tell: (happened) => told.push(happened),
    state: (state) => states.push(state),
    after: time.after,
    openSource: (path, heard, from) => {
      const one = { path, from, heard, stopped: false };
      opened.push(one);
      return {
        place: () => `place ${opened.indexOf(one)}`,
        again: () => {},
        stop: () => {
          one.stopped = true;
        },
      };
    },
  });
  return { time, told, states, opened, line };
}
const event = (id: string): string => JSON.stringify({ n: 1, workflow_id: id });

test('what comes together is told together, with what may have been missed before the stream was open', () => {
  const { time, told, states, opened, line } = byHand();
  line.open('all');
  opened[0]?.heard.opened();
  expect(states).toEqual(['catching up', 'live']);
  time.pass(GAP_MS);
  expect(told.splice(0)).toEqual([EVERYTHING]);
  opened[0]?.heard.event('workitem.opened', event('a'));
  opened[0]?.heard.event('workitem.opened', event('b'));
  opened[0]?.heard.event('digest', '{}');
  opened[0]?.heard.event('live', '{}');
  expect(told).toEqual([]);
  time.pass(GATHERED_MS);
  expect(told).toEqual([{ ids: ['a', 'b'], digest: true, polled: false }]);
});

test('a stream that is cut is caught up with; one that is away for long is read around, until it is back', () => {
  const { time, told, states, opened, line } = byHand();
  line.open('all');
  opened[0]?.heard.opened();
  time.pass(GAP_MS);
  told.splice(0);
  opened[0]?.heard.lost(null);
  expect(states.at(-1)).toBe('catching up');
  opened[0]?.heard.opened();
  expect(states.at(-1)).toBe('live');
  // It goes on behind its last place; what was lost with it is read again.
  expect(told.splice(0)).toEqual([EVERYTHING]);

  opened[0]?.heard.lost(null);
  time.pass(BROKEN_MS - 1);
  expect(states.at(-1)).toBe('catching up');
  time.pass(1);
  expect(states.at(-1)).toBe('polling');
  expect(told).toEqual([]);
  time.pass(3 * POLL_MS);
  expect(told.splice(0)).toEqual(Array(3).fill({ ...EVERYTHING, polled: true }));
  opened[0]?.heard.lost(503);
  expect(states.at(-1)).toBe('polling');
  opened[0]?.heard.opened();
  expect(states.at(-1)).toBe('live');
  told.splice(0);
  time.pass(10 * POLL_MS);
  expect(told).toEqual([]);
});

test('what is followed in addition goes on behind the place of the stream before; a reset is everything; who leaves hears nothing', () => {
  const { time, told, opened, line } = byHand();
  line.open('a');
  opened[0]?.heard.opened();
  time.pass(GAP_MS);
  told.splice(0);
  line.open('a,b', ['b']);
  expect(opened[0]?.stopped).toBe(true);
  expect(opened[1]).toMatchObject({ path: 'a,b', from: 'place 0' });
  opened[1]?.heard.opened();
  time.pass(GAP_MS);
  expect(told.splice(0)).toEqual([{ ids: ['b'], digest: false, polled: false }]);
  opened[1]?.heard.event('reset', '{}');
  expect(told.splice(0)).toEqual([EVERYTHING]);
  opened[1]?.heard.event('workitem.opened', event('a'));
  line.close();
  time.pass(60_000);
  expect(told).toEqual([]);
});

test('a stream is opened again when the server said so, and then after longer and longer, by chance a quarter more', () => {
  const ms = (failures: number, told: number | null = null, fraction = 0): number => againMs(failures, told, fraction);
  expect([0, 1, 2, 3, 4, 5, 50].map((failures) => ms(failures))).toEqual([
    1_000, 2_000, 5_000, 10_000, 30_000, 30_000, 30_000,
  ]);
  expect([0, 1, 4].map((failures) => ms(failures, 4_200))).toEqual([4_200, 2_000, 30_000]);
  expect(ms(0, null, 0.999)).toBeLessThan(1_250);
  expect(ms(4, null, 0.5)).toBe(33_750);
});
