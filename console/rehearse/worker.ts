import { type Move, makeRehearsal, type Played, type Rehearsal } from './play.ts';

/* The worker a rehearsal runs in: it has no page and no network, and the page ends it when it takes too long. */

type Ask = { readonly n: number; readonly startAt: number; readonly move: Move };
export type Told = { readonly n: number } & ({ readonly played: Played } | { readonly broken: string });

let rehearsal: Rehearsal | null = null;

self.onmessage = ({ data }: MessageEvent<Ask>): void => {
  const { n, startAt, move } = data;
  if (move.kind === 'launch' || rehearsal === null)
    rehearsal = makeRehearsal(startAt, () => crypto.getRandomValues(new Uint8Array(16)));
  let told: Told;
  try {
    told = { n, played: rehearsal.play(move) };
  } catch (error) {
    told = { n, broken: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(told);
};
