import { startWorker } from '../parts/worker.ts';
import type { Move, Played } from './play.ts';
import type { Told } from './worker.ts';
import address from './worker.ts?worker&url';

/* The page's end of a rehearsal. */

/** How long one move may take before its worker is ended, in milliseconds. */
const MOVE_MS = 5_000;

export type Stage = {
  /** What came of a move; a text when the rehearsal is over because of it. */
  move(move: Move): Promise<Played | string>;
  leave(): void;
};

export function openStage(startAt: number): Stage {
  const worker = startWorker(address);
  let n = 0;
  return {
    move: (move) =>
      new Promise((resolve) => {
        const mine = ++n;
        const end = (with_: Played | string): void => {
          clearTimeout(timer);
          worker.removeEventListener('message', listen);
          worker.removeEventListener('error', failed);
          resolve(with_);
        };
        const listen = ({ data }: MessageEvent<Told>): void => {
          if (data.n === mine) end('played' in data ? data.played : data.broken);
        };
        const failed = (event: ErrorEvent): void => end(event.message || 'The rehearsal could not be loaded');
        const timer = setTimeout(() => {
          worker.terminate();
          end(`A move took longer than ${MOVE_MS / 1_000} s: the rehearsal was ended`);
        }, MOVE_MS);
        worker.addEventListener('message', listen);
        worker.addEventListener('error', failed);
        worker.postMessage({ n: mine, startAt, move });
      }),
    leave: () => worker.terminate(),
  };
}
