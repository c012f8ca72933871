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

/** Plays one case against a running server and judges it. */
export async function playOverHttp(one: Case, target: Target, listener: Listener): Promise<Verdict> {
  const result = await replay(one, overHttp(one, target, listener.hear(`case-${++inboxes}`)));
  return { one, result, differences: differences(one, result) };
}
