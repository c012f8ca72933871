import type { Limits } from '../../src/model/stimulus.ts';
import type { Case } from './cases.ts';
import type { Result } from './compare.ts';
import { differences } from './compare.ts';
import type { Listener, Target } from './http.ts';
import { overHttp, readsTheClock, sideBySide, wantsToBeAlone } from './http.ts';
import type { InProcess, Parts } from './in-process.ts';
import { inProcess } from './in-process.ts';
import { replay } from './replay.ts';

export type Verdict = {
  readonly one: Case;
  readonly result: Result;
  readonly differences: readonly string[];
  /** How often it was played; more than once only over HTTP, where time does not stand still. */
  readonly tries: number;
};

/** Plays one case in process and judges it. @param watch is given its world first, such as for an audit of each step */
export async function playInProcess(
  one: Case,
  parts: Parts,
  limits?: Limits,
  watch: (world: InProcess['world']) => void = () => {},
): Promise<Verdict> {
  const player = inProcess(one, parts, limits);
  watch(player.world);
  const result = await replay(one, player);
  return { one, result, differences: differences(one, result), tries: 1 };
}

let inboxes = 0;

/**
 * A server's clock goes on while we speak to it, and a busy machine is late. Without a test clock every case is played so often
 * before it fails; with one, only the cases that call their own result timing dependent.
 */
const TIMING_TRIES = 3;

/** Plays one case against a running server and judges it. */
export async function playOverHttp(one: Case, target: Target, listener: Listener): Promise<Verdict> {
  const isTimed = !target.testClock || one.notes?.includes('timing dependent') === true;
  for (let tries = 1; ; tries++) {
    const player = overHttp(one, target, listener.hear(`case-${++inboxes}`));
    const result = await replay(one, player);
    if (result.troubles.length === 0) await player.leave();
    const verdict = { one, result, differences: differences(one, result), tries };
    if (verdict.differences.length === 0 || tries === (isTimed ? TIMING_TRIES : 1)) return verdict;
  }
}

/**
 * Plays cases against a server whose clock can be moved: those that are about time or about other workflows one after the other, the others
 * side by side.
 *
 * @returns the cases that failed, each with its differences
 */
export async function playTogether(
  cases: readonly Case[],
  target: Target,
  listener: Listener,
): Promise<readonly string[]> {
  const failed: string[] = [];
  const isApart = (one: Case): boolean => readsTheClock(one) || wantsToBeAlone(one);
  await sideBySide(cases, isApart, async (one) => {
    const { differences } = await playOverHttp(one, target, listener);
    if (differences.length > 0) failed.push(`${one.group}/${one.name}: ${differences.join('\n  ')}`);
  });
  return failed;
}
