import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { type Driver, drive } from '../properties/driver.ts';

/* A pause holds durations. Dates and cron lines are times of the clock on the wall. The driver's clock begins on 2026-01-05 at 12:00 UTC. */

const MINUTE = 60_000;
const at = (time: string): number => Date.parse(`2026-01-05T${time}:00Z`);

function run(text: string): Driver {
  const read = readDefinition(text);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return drive(read.tree);
}

function pausedFor(driver: Driver, minutes: number): void {
  driver.stimulate({ kind: 'pause' });
  driver.world.advanceTo(driver.world.now() + minutes * MINUTE);
  driver.stimulate({ kind: 'resume' });
}

const due = (driver: Driver): string | null => {
  const row = driver.world.firstDue()?.row;
  return row === undefined ? null : new Date(row.dueAt).toISOString().slice(11, 16);
};
const seen = (driver: Driver): readonly string[] => driver.delivered().map(({ participant }) => participant);

test.each([
  ['a cron line', "cron '0 14 * * *'\n    alpha", '14:00'],
  ['a date', "wait until: '2026-01-05 14:00'", '14:00'],
  ['a date of a timer', "alpha timers: '2026-01-05 14:00:00 UTC: timeout'", '14:00'],
  ['a cron line as a timeout', "alpha timeout: '0 14 * * *'", '14:00'],
  ['a duration', "wait '2h'", '14:20'],
  ['a duration of a timer', "alpha timers: '2h: timeout'", '14:20'],
  ['an interval', "cron '2h'\n    alpha", '14:20'],
])('after a pause of 20 minutes %s is due when it should be', (_, line, expected) => {
  const driver = run(`define\n  ${line}\n`);
  pausedFor(driver, 20);
  expect(due(driver)).toBe(expected);
});

test('a date that passed during a pause is due at the resume', () => {
  const driver = run("define\n  sequence\n    wait until: '2026-01-05 13:00'\n    alpha\n");
  pausedFor(driver, 90);
  driver.settle();
  expect(seen(driver)).toEqual(['alpha']);
});

test.each([
  ['a job', "cron '0 13 * * *'\n    alpha"],
  ['a wait', "sequence\n    wait '0 13 * * *'\n    alpha"],
  ['a timer', "sequence\n    zulu timers: '0 13 * * *: alpha'"],
])('the cron line of %s that passed during a pause goes on with its next time', (_, lines) => {
  const driver = run(`define\n  ${lines}\n`);
  pausedFor(driver, 90);
  driver.settle();
  expect(seen(driver)).not.toContain('alpha');
  const next = at('13:00') + 24 * 60 * MINUTE;
  expect(driver.world.firstDue()?.row.dueAt).toBe(next);
  driver.world.advanceTo(next);
  driver.settle();
  expect(seen(driver)).toContain('alpha');
});

test('a cron line that passed while nobody was there, not during the pause, counts once', () => {
  const driver = run("define\n  cron '0 13 * * *'\n    alpha\n");
  driver.world.advanceTo(at('13:05'));
  pausedFor(driver, 10);
  driver.settle();
  expect(seen(driver)).toEqual(['alpha']);
});
