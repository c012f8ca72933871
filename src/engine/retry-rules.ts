import { isObject, type Json } from '../model/json.ts';
import type { Send } from '../model/rows.ts';

/** Seconds to wait after each failed try; one try more than there are delays. */
export type Schedule = { readonly active: readonly number[]; readonly notice: readonly number[] };

/**
 * What a launch can opt into (`retry`); absent parts are as the settings say.
 *
 * - `delays`, `notice_delays`: seconds between tries, instead of RETRY_DELAYS and NOTICE_DELAYS
 * - `jitter`: each delay grows by up to this part of itself (0.2: by up to a fifth), so that many tries do not come at once
 * - `retry_after`: a `Retry-After` of the participant is heeded when it asks for more than the delay, up to a day
 * - `gone_ends`: the status 410 ends the tries at once
 */
export type RetryRules = {
  readonly delays: readonly number[] | null;
  readonly noticeDelays: readonly number[] | null;
  readonly jitter: number;
  readonly retryAfter: boolean;
  readonly goneEnds: boolean;
};

export const NO_RULES: RetryRules = {
  delays: null,
  noticeDelays: null,
  jitter: 0,
  retryAfter: false,
  goneEnds: false,
};

/** Most tries a launch can ask for, less one. */
export const RETRY_DELAYS_MAX = 100;
/** Longest single delay: a year. */
export const RETRY_DELAY_SECONDS_MAX = 366 * 86_400;
/** Longest `Retry-After` we heed. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** What is wrong with the `retry` of a launch, in a sentence, or null. */
export function retryComplaint(retry: Json): string | null {
  if (retry === null) return null;
  if (!isObject(retry)) return 'retry must be an object';
  for (const [key, value] of Object.entries(retry)) {
    switch (key) {
      case 'delays':
      case 'notice_delays':
        if (!isDelays(value))
          return `${key} must be a list of at most ${RETRY_DELAYS_MAX} numbers of seconds from 0 to ${RETRY_DELAY_SECONDS_MAX}`;
        break;
      case 'jitter':
        if (typeof value !== 'number' || value < 0 || value > 1) return 'jitter must be a number from 0 to 1';
        break;
      case 'retry_after':
      case 'gone_ends':
        if (typeof value !== 'boolean') return `${key} must be true or false`;
        break;
      default:
        return `retry knows no ${key}; it knows delays, notice_delays, jitter, retry_after and gone_ends`;
    }
  }
  return null;
}

/** Reads the stored rules of a workflow. What does not fit counts as absent: the border has refused it before it was stored. */
export function readRetryRules(stored: string | null): RetryRules {
  if (stored === null) return NO_RULES;
  const rules = JSON.parse(stored) as Json;
  if (!isObject(rules) || retryComplaint(rules) !== null) return NO_RULES;
  return {
    delays: (rules['delays'] as readonly number[] | undefined) ?? null,
    noticeDelays: (rules['notice_delays'] as readonly number[] | undefined) ?? null,
    jitter: (rules['jitter'] as number | undefined) ?? 0,
    retryAfter: rules['retry_after'] === true,
    goneEnds: rules['gone_ends'] === true,
  };
}

/**
 * Milliseconds from the end of a failed try to the next one, or null when it was the last.
 *
 * @param tries tries that have ended, this one included
 * @param fraction 0 ≤ f < 1, decides about the jitter
 */
export function retryDelayMs(failure: {
  readonly send: Send;
  readonly tries: number;
  readonly status: number | null;
  readonly retryAfterSeconds: number | null;
  readonly schedule: Schedule;
  readonly rules: RetryRules;
  readonly fraction: number;
}): number | null {
  const { rules, schedule } = failure;
  const delays =
    failure.send === 'active' ? (rules.delays ?? schedule.active) : (rules.noticeDelays ?? schedule.notice);
  const delay = delays[failure.tries - 1];
  if (delay === undefined || (rules.goneEnds && failure.status === 410)) return null;
  const asked = rules.retryAfter ? Math.min(failure.retryAfterSeconds ?? 0, RETRY_AFTER_SECONDS_MAX) : 0;
  return Math.round(Math.max(delay * (1 + rules.jitter * failure.fraction), asked) * 1000);
}

const isDelays = (value: Json): boolean =>
  Array.isArray(value) &&
  value.length <= RETRY_DELAYS_MAX &&
  value.every((delay: Json) => typeof delay === 'number' && delay >= 0 && delay <= RETRY_DELAY_SECONDS_MAX);
