import type { Limits } from '../../src/model/stimulus.ts';
import type { Case } from './cases.ts';
import type { Result } from './compare.ts';
import { differences } from './compare.ts';
import type { Listener, Target } from './http.ts';
import { overHttp } from './http.ts';
import type { Parts } from './in-process.ts';
import { inProcess } from './in-process.ts';
import { replay } from './replay.ts';

export type Verdict = { readonly one: Case; readonly result: Result; readonly differences: readonly string[] };

/** Plays one case in process and judges it. */
export async function playInProcess(one: Case, parts: Parts, limits?: Limits): Promise<Verdict> {
  const result = await replay(one, inProcess(one, parts, limits));
  return { one, result, differences: differences(one, result) };
}

let inboxes = 0;

/** A server's clock goes on while we speak to it: cases that say their result depends on it are played so often before they fail. */
const TIMING_TRIES = 3;

/** Plays one case against a running server and judges it. */
export async function playOverHttp(one: Case, target: Target, listener: Listener): Promise<Verdict> {
  const tries = one.notes?.includes('timing dependent') === true ? TIMING_TRIES : 1;
  for (let n = 1; ; n++) {
    const result = await replay(one, overHttp(one, target, listener.hear(`case-${++inboxes}`)));
    const verdict = { one, result, differences: differences(one, result) };
    if (verdict.differences.length === 0 || n === tries) return verdict;
  }
}
