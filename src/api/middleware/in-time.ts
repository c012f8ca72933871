import { Fault } from '../../model/fault.ts';
import type { Log } from '../../runtime/log.ts';
import { REQUEST_MS } from '../../store/patience.ts';
import { Problem } from '../problem.ts';
import type { Known } from './state.ts';

/**
 * What a request waits for, for as long as a request may take altogether: then it is answered 503, and its work goes on. Whoever sent an
 * Idempotency-Key gets the outcome by sending the same again.
 *
 * @throws Problem `unavailable`, or what the work throws
 */
export function inTime<T>(work: T | Promise<T>, known: Known, log: Log, mostMs = REQUEST_MS): T | Promise<T> {
  return work instanceof Promise ? waited(work, known, log, mostMs) : work;
}

/** One promise and one timer: each request waits here. */
function waited<T>(work: Promise<T>, known: Known, log: Log, mostMs: number): Promise<T> {
  const since = performance.now();
  return new Promise((resolve, reject) => {
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      known.waitedMs += performance.now() - since;
    };
    const late = (): void => {
      over();
      known.behind = work.then(
        () => {},
        (err: unknown) => {
          if (!(err instanceof Fault || err instanceof Problem))
            log.error('a request failed after it was answered', { request_id: known.requestId, event: 'late', err });
        },
      );
      reject(
        new Problem(
          'unavailable',
          `The database did not answer within ${mostMs / 1000} s. What was asked for may still be done: look, or send it again ` +
            '(with the same Idempotency-Key, if there was one)',
        ),
      );
    };
    const timer = setTimeout(late, Math.max(0, mostMs - known.waitedMs));
    work.then(
      (answer) => {
        over();
        resolve(answer);
      },
      (error: unknown) => {
        over();
        reject(error);
      },
    );
  });
}
