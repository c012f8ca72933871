import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import { readTold } from '../patterns/cases.ts';
import { playedOn, type Side } from '../support/halves.ts';
import { type Case, kindsOf, readCases } from './cases.ts';
import { playTogether } from './harness.ts';
import { findTarget, listen } from './http.ts';

/** So many cases over HTTP, one after the other, on a machine that does other things too. */
export const ALL_CASES_MS_MAX = 600_000;

/** Patterns move the clock by days, so they come first: what cases leave waiting would fire again and again meanwhile. */
export const playedOverHttp = (): readonly Case[] => [...readTold(), ...readCases()];

/**
 * Plays the cases of a side against a whole server with a clock that can be moved: HTTP, engine, dispatcher, a real database.
 *
 * @returns the cases that failed, each with its differences
 */
export async function playSide(
  side: Side,
  environment: { readonly [name: string]: string },
): Promise<readonly string[]> {
  const running = await start(
    readConfig({ PORT: '0', TEST_CLOCK: '1', LOG_LEVEL: 'silent', RETAIN_ENDED: '36500', ...environment }),
  );
  const listener = await listen();
  try {
    const target = await findTarget(running.url);
    if (!target.testClock) throw new Error('The server was started with TEST_CLOCK=1, but its clock cannot be moved');
    return await playTogether(playedOn(playedOverHttp(), side, kindsOf), target, listener);
  } finally {
    await running.stop();
    await listener.close();
  }
}
