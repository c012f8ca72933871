import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../model/json.ts';
import { Problem, Refusal } from './problem.ts';

/*
 * What an application that holds this server in its process may look at and refuse: a request once it is known who asks, and a launch once
 * it was read. A hook only ever stands before a step, never in one.
 */

/** A request, before its body is read. */
export type HookRequest = {
  readonly method: string;
  /** Without the query, which may hold a token. */
  readonly path: string;
  /** The `operationId` of what is asked for. */
  readonly operation: string;
  readonly header: (name: string) => string | null;
  readonly tenant: string;
  /** Who asks, such as `key:<id>`; null: nobody to name. */
  readonly actor: string | null;
  readonly address: string | null;
  readonly requestId: string;
};

/** A launch that was read and found good. */
export type HookLaunch = {
  readonly id: string;
  readonly tenant: string;
  readonly actor: string | null;
  /** The name the definition gives itself. */
  readonly name: string | null;
  readonly fields: JsonObject;
};

/** What they throw is the answer: its `status`, `code` and `message`; without a status it is a failure of ours. */
export type Hooks = {
  readonly onRequest?: ((request: HookRequest) => unknown) | undefined;
  readonly onLaunch?: ((launch: HookLaunch) => unknown) | undefined;
};

/** Seconds one hook may take. */
export const HOOK_SECONDS_MAX = 5;

/** @throws Refusal as the hook wants it; Problem when it takes too long; else what the hook threw */
export async function runHook<Seen>(hook: ((seen: Seen) => unknown) | undefined, seen: Seen): Promise<void> {
  if (hook === undefined) return;
  const stop = new AbortController();
  const late = pause(HOOK_SECONDS_MAX * 1000, undefined, { signal: stop.signal, ref: false }).then(() => {
    throw new Problem('unavailable', `A hook of this server took longer than ${HOOK_SECONDS_MAX} s; try again`);
  });
  try {
    await Promise.race([Promise.resolve().then(() => hook(seen)), late]);
  } catch (error) {
    throw refusalOf(error) ?? error;
  } finally {
    // Nobody waits for it any more; that it was ended is no news.
    late.catch(() => {});
    stop.abort();
  }
}

function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Error)) return null;
  const { status, code } = error as { readonly status?: unknown; readonly code?: unknown };
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599) return null;
  const word = typeof code === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(code) ? code : 'refused';
  return new Refusal(status, word, error.message === '' ? 'It was refused' : error.message);
}
