import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { CallbackRequest, PostResult, TryEnd, Unsent } from './message.ts';
import type { Post } from './post.ts';
import type { Held } from './waiting.ts';

/** Before a try there must be so much lease left besides the time the try may take; or it is claimed again. */
export const LEASE_SPARE_MS = 5_000;
/** The end of a lease is kept clear of: a try is cut off that much earlier. */
export const LEASE_MARGIN_MS = 1_000;
/** A message that waited longer for its turn is looked at once more before it is sent: it may be over. */
export const LOOK_AGAIN_MS = 500;

/** A try of one message, from the look at its lease to its end. Never rejects. */
export type Attempt = (item: Held, cuttable: (cut: () => void) => void) => Promise<TryEnd | null>;

/**
 * Makes what tries a message once.
 *
 * @returns of a try: how it ended; `dropped` when no request has left and the claim is to be given back; null when nobody knows whose the
 *   message is, and its lease ends by itself
 */
export function makeAttempt(parts: {
  readonly post: Post;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly log: Log;
  readonly settings: { readonly callbackTimeoutSeconds: number; readonly leaseSeconds: number };
  /** No try begins any more. */
  readonly isStopped: () => boolean;
}): Attempt {
  const { post, clock, time, log, settings } = parts;

  /** Whether the message may be sent: it has not waited long, and its lease lasts for a whole try; else the database is asked. */
  async function isStillOurs(item: Held): Promise<boolean> {
    const now = time.now();
    const enough = settings.callbackTimeoutSeconds * 1000 + LEASE_SPARE_MS;
    if (item.leaseEndsAt - now >= enough && now - item.since < LOOK_AGAIN_MS) return true;
    const renewed = await item.renew(settings.leaseSeconds);
    // Counted from before the question was asked: never later than the database does.
    if (renewed) item.leaseEndsAt = now + settings.leaseSeconds * 1000;
    return renewed && !parts.isStopped();
  }

  async function tryOnce(item: Held, cuttable: (cut: () => void) => void): Promise<TryEnd | null> {
    const leaseMs = item.leaseEndsAt - time.now() - LEASE_MARGIN_MS;
    const timeoutMs = Math.min(settings.callbackTimeoutSeconds * 1000, leaseMs);
    if (timeoutMs <= 0) return null;
    const startedAt = clock.now();
    const request = made(item);
    if (request !== null && 'unsent' in request) return { startedAt, endedAt: clock.now(), result: request.unsent };
    const result: PostResult =
      request === null
        ? { kind: 'unreachable', reason: 'the request could not be made; the log of the server tells more' }
        : await post.send(request, timeoutMs, cuttable);
    return { startedAt, endedAt: clock.now(), result };
  }

  /** Null when it cannot be made: a failed try, or it would be made again and again for ever. */
  function made(item: Held): CallbackRequest | Unsent | null {
    try {
      return item.request();
    } catch (err) {
      log.error('the request of a message could not be made', { event: 'message.unmakable', ...item.about, err });
      return null;
    }
  }

  return async (item, cuttable) => {
    try {
      if (await isStillOurs(item)) return await tryOnce(item, cuttable);
      const at = clock.now();
      return { startedAt: at, endedAt: at, result: { kind: 'dropped' } };
    } catch (err) {
      // With the database away nobody knows whose it is.
      log.warn('a message could not be checked before it was sent', {
        event: 'message.unchecked',
        ...item.about,
        err,
      });
      return null;
    }
  };
}
