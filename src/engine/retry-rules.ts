import { isObject, type Json, type JsonObject } from '../model/json.ts';
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
 * - `max_seconds`: no try begins later than so long after the first
 * - `participants`: rules of single participants, each instead of all others
 */
export type RetryRules = {
  readonly delays: readonly number[] | null;
  readonly noticeDelays: readonly number[] | null;
  readonly jitter: number;
  readonly retryAfter: boolean;
  readonly goneEnds: boolean;
  readonly maxSeconds: number | null;
  /** By name; absent where there are none. */
  readonly participants?: ReadonlyMap<string, RetryRules>;
};

export const NO_RULES: RetryRules = {
  delays: null,
  noticeDelays: null,
  jitter: 0,
  retryAfter: false,
  goneEnds: false,
  maxSeconds: null,
};

/** Most tries a launch can ask for, less one. */
export const RETRY_DELAYS_MAX = 100;
/** Longest delay, alone and all of them together: a year. */
export const RETRY_DELAY_SECONDS_MAX = 366 * 86_400;
/** Longest `Retry-After` we heed. */
export const RETRY_AFTER_SECONDS_MAX = 86_400;

/** Participants that may have rules of their own in one launch. */
export const RETRY_PARTICIPANTS_MAX = 200;
/** Factors of delays that grow, at most. */
const FACTOR_MAX = 100;

/** Rules that have a name. `default`: as the settings say. */
const NAMED: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['default', null],
  [
    'standard-webhooks',
    {
      delays: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
      jitter: 0.1,
      retry_after: true,
      gone_ends: true,
    },
  ],
]);

/**
 * The `retry` of a launch in the one form that is kept: rules with a name and delays that grow become `delays`.
 *
 * @returns `complaint`: what is wrong with it, in a sentence
 */
export function plainRetry(retry: Json): { readonly retry: Json } | { readonly complaint: string } {
  if (typeof retry === 'string') {
    const named = NAMED.get(retry);
    return named === undefined
      ? { complaint: `retry knows no rules of that name; it knows ${[...NAMED.keys()].join(' and ')}` }
      : { retry: named };
  }
  if (!isObject(retry)) return checked(retry);
  const { participants, ...own } = retry;
  const grown = withGrownDelays(own);
  if ('complaint' in grown || participants === undefined) return 'complaint' in grown ? grown : checked(grown.retry);
  if (!isObject(participants)) return { complaint: 'participants must hold rules by the names of participants' };
  const plain: [string, Json][] = [];
  for (const [name, rules] of Object.entries(participants)) {
    const one = isObject(rules) && rules['participants'] !== undefined ? NESTED : plainRetry(rules);
    if ('complaint' in one)
      return { complaint: `of the participant ${JSON.stringify(name.slice(0, 100))}: ${one.complaint}` };
    plain.push([name, one.retry]);
  }
  return checked({ ...(grown.retry as JsonObject), participants: Object.fromEntries(plain) });
}

const NESTED = { complaint: 'participants cannot be given once more' };

function checked(retry: Json): { readonly retry: Json } | { readonly complaint: string } {
  const complaint = retryComplaint(retry) ?? lengthComplaint(retry);
  return complaint === null ? { retry } : { complaint };
}

/** Whether the tries go on for longer than any may: at the border alone, for what was kept before goes on as it was. */
function lengthComplaint(retry: Json): string | null {
  if (!isObject(retry)) return null;
  for (const key of ['delays', 'notice_delays']) {
    const delays = (retry[key] ?? []) as readonly number[];
    if (delays.reduce((sum, delay) => sum + delay, 0) > RETRY_DELAY_SECONDS_MAX)
      return `${key} are longer than ${RETRY_DELAY_SECONDS_MAX} seconds in all`;
  }
  return null;
}

/** `max` tries in all, the first delay `initial` seconds, each `factor` times the one before, none above `cap`. */
function withGrownDelays(retry: JsonObject): { readonly retry: Json } | { readonly complaint: string } {
  const { max, initial: first, factor = 2, cap = RETRY_DELAY_SECONDS_MAX, ...others } = retry;
  // Where there is no second try nobody waits for it.
  const initial = first ?? (max === 1 ? 0 : undefined);
  if (['max', 'initial', 'factor', 'cap'].every((key) => retry[key] === undefined)) return { retry };
  if (others['delays'] !== undefined)
    return { complaint: 'delays and max are two ways to say the same; give one of them' };
  if (!isBetween(max, 1, RETRY_DELAYS_MAX + 1) || !Number.isInteger(max))
    return { complaint: `max must be a whole number of tries from 1 to ${RETRY_DELAYS_MAX + 1}` };
  if (!isBetween(initial, 0, RETRY_DELAY_SECONDS_MAX))
    return { complaint: `initial must be a number of seconds from 0 to ${RETRY_DELAY_SECONDS_MAX}` };
  if (!isBetween(factor, 1, FACTOR_MAX)) return { complaint: `factor must be a number from 1 to ${FACTOR_MAX}` };
  if (!isBetween(cap, 0, RETRY_DELAY_SECONDS_MAX))
    return { complaint: `cap must be a number of seconds from 0 to ${RETRY_DELAY_SECONDS_MAX}` };
  const delays = Array.from({ length: max - 1 }, (_, i) => Math.min(cap, initial * factor ** i));
  if (delays.reduce((sum, delay) => sum + delay, 0) > RETRY_DELAY_SECONDS_MAX)
    return {
      complaint: `the delays are longer than ${RETRY_DELAY_SECONDS_MAX} seconds in all: give a smaller max, factor or cap`,
    };
  return { retry: { ...others, delays } };
}

const isBetween = (value: Json | undefined, least: number, most: number): value is number =>
  typeof value === 'number' && value >= least && value <= most;

/** What is wrong with rules that are kept, in a sentence, or null. */
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
      case 'max_seconds':
        if (!isBetween(value, 0, RETRY_DELAY_SECONDS_MAX))
          return `max_seconds must be a number of seconds from 0 to ${RETRY_DELAY_SECONDS_MAX}`;
        break;
      case 'participants': {
        if (!isObject(value) || Object.keys(value).length > RETRY_PARTICIPANTS_MAX)
          return `participants must hold rules for at most ${RETRY_PARTICIPANTS_MAX} participants`;
        const wrong = Object.values(value)
          .map((rules) =>
            isObject(rules) && rules['participants'] !== undefined ? NESTED.complaint : retryComplaint(rules),
          )
          .find((complaint) => complaint !== null);
        if (wrong !== undefined) return wrong;
        break;
      }
      case 'retry_after':
      case 'gone_ends':
        if (typeof value !== 'boolean') return `${key} must be true or false`;
        break;
      default:
        return `retry knows no ${key}; it knows delays, max, initial, factor, cap, notice_delays, jitter, retry_after, gone_ends, max_seconds and participants`;
    }
  }
  return null;
}

/** Reads the stored rules of a workflow. What does not fit counts as absent: the border has refused it before it was stored. */
export function readRetryRules(stored: string | null): RetryRules {
  if (stored === null) return NO_RULES;
  const rules = JSON.parse(stored) as Json;
  return retryComplaint(rules) === null ? rulesIn(rules) : NO_RULES;
}

function rulesIn(rules: Json): RetryRules {
  if (!isObject(rules)) return NO_RULES;
  const { participants } = rules;
  return {
    delays: (rules['delays'] as readonly number[] | undefined) ?? null,
    noticeDelays: (rules['notice_delays'] as readonly number[] | undefined) ?? null,
    jitter: (rules['jitter'] as number | undefined) ?? 0,
    retryAfter: rules['retry_after'] === true,
    goneEnds: rules['gone_ends'] === true,
    maxSeconds: (rules['max_seconds'] as number | undefined) ?? null,
    ...(isObject(participants)
      ? { participants: new Map(Object.entries(participants).map(([name, own]) => [name, rulesIn(own)] as const)) }
      : {}),
  };
}

/** Whether there are rules beside those of single participants. */
export const saysSomething = (rules: RetryRules): boolean =>
  rules.delays !== null ||
  rules.noticeDelays !== null ||
  rules.jitter !== 0 ||
  rules.retryAfter ||
  rules.goneEnds ||
  rules.maxSeconds !== null;

/** The rules for one participant. */
export const rulesFor = (rules: RetryRules, participant: string): RetryRules =>
  rules.participants?.get(participant) ?? rules;

/** How many tries a message has at most, where nothing ends them sooner. */
export const triesMax = (rules: RetryRules, schedule: Schedule, send: Send): number =>
  (send === 'active' ? (rules.delays ?? schedule.active) : (rules.noticeDelays ?? schedule.notice)).length + 1;

/**
 * Milliseconds from the end of a failed try to the next one, or null when it was the last.
 *
 * @param tries tries that have ended, this one included
 * @param sinceFirstMs from the beginning of the first try to the end of this one
 * @param fraction 0 ≤ f < 1, decides about the jitter
 */
export function retryDelayMs(failure: {
  readonly send: Send;
  readonly tries: number;
  readonly sinceFirstMs: number;
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
  const delayMs = Math.round(Math.max(delay * (1 + rules.jitter * failure.fraction), asked) * 1000);
  return rules.maxSeconds !== null && failure.sinceFirstMs + delayMs > rules.maxSeconds * 1000 ? null : delayMs;
}

const isDelays = (value: Json): boolean =>
  Array.isArray(value) &&
  value.length <= RETRY_DELAYS_MAX &&
  value.every((delay: Json) => typeof delay === 'number' && delay >= 0 && delay <= RETRY_DELAY_SECONDS_MAX);
