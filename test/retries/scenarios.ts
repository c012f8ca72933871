import { expect } from 'vitest';
import { send } from '../support/server.ts';
import {
  expectNoneEarly,
  type Heard,
  launchOn,
  NOTICES_AT,
  type Stage,
  shown,
  stage,
  TRIES_AT,
  walk,
} from './schedule.ts';

/* What happens on the way through the schedules; played on both databases. */

type Settings = Readonly<Record<string, string>>;
const WEEK = 7 * 86_400;

async function staged<Result>(settings: Settings, play: (on: Stage) => Promise<Result>): Promise<Result> {
  const on = await stage(settings);
  try {
    return await play(on);
  } finally {
    await on.close();
  }
}
const triesOf = (on: Stage, participant: string, status: string) => (): readonly Heard[] =>
  on.heard.filter((one) => one.participant === participant && one.status === status);

/** Twelve tries, then the workflow is in error; the server is started anew after so many tries. */
export const twelveTriesThenError = (settings: Settings, restartAfter: number): Promise<void> =>
  staged(settings, async (on) => {
    const id = await launchOn(on, ['participant', { ref: 'alpha' }, []]);
    await on.advance(0);
    const tries = triesOf(on, 'alpha', 'active');
    expect(tries()).toHaveLength(1);
    await walk(on, tries, TRIES_AT.slice(0, restartAfter));
    await on.restart();
    await on.advance(0);
    expect(tries()).toHaveLength(restartAfter);
    await walk(on, tries, TRIES_AT, { from: restartAfter });
    await on.advance(WEEK);
    expect(on.heard).toHaveLength(TRIES_AT.length);
    const { status, errors } = await shown(on, id);
    expect(status).toBe('error');
    expect(errors).toEqual([expect.objectContaining({ expid: '0_0', class: 'RetriesExceeded' })]);
  });

/** The same in one go, and a branch for the error goes on. */
export const twelveTriesThenHandler = (settings: Settings): Promise<void> =>
  staged(settings, async (on) => {
    const id = await launchOn(on, ['participant', { ref: 'alpha', on_error: 'bravo' }, []]);
    await on.advance((TRIES_AT.at(-1) ?? 0) + WEEK);
    const tries = triesOf(on, 'alpha', 'active')();
    expect(tries.map(({ number }) => number)).toEqual(TRIES_AT.map((_, i) => i + 1));
    expectNoneEarly(tries, TRIES_AT);
    const bravo = triesOf(on, 'bravo', 'active')();
    expect(bravo).toHaveLength(1);
    expect(bravo[0]?.at).toBeGreaterThanOrEqual(tries.at(-1)?.at ?? Number.POSITIVE_INFINITY);
    expect(await shown(on, id)).toMatchObject({ status: 'running', errors: [] });
  });

/** A participant that cannot be told that it may stop: five notices, and nobody waits for them. */
export const fiveNotices = (settings: Settings, restartAfter: number | null): Promise<void> =>
  staged(settings, async (on) => {
    const id = await launchOn(on, ['participant', { ref: 'alpha' }, []]);
    await on.advance(0);
    const cancelled = await send(on.server().url, 'POST', `/v1/workflows/${id}/cancel`);
    expect(cancelled.status).toBe(201);
    expect((await shown(on, id))['status']).toBe('cancelled');
    await on.advance(0);
    const notices = triesOf(on, 'alpha', 'cancel');
    expect(notices()).toHaveLength(1);
    if (restartAfter === null) await walk(on, notices, NOTICES_AT);
    else {
      await walk(on, notices, NOTICES_AT.slice(0, restartAfter));
      await on.restart();
      await walk(on, notices, NOTICES_AT, { from: restartAfter });
    }
    await on.advance(WEEK);
    expect(notices()).toHaveLength(NOTICES_AT.length);
    // The try before the cancel was the only one that was not a notice.
    expect(on.heard.map(({ status }) => status)).toEqual(['active', ...NOTICES_AT.map(() => 'cancel')]);
  });
