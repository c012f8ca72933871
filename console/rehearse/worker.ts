import { loadPatterns, PatternsNeeded } from './patterns.ts';
import { type Move, makeRehearsal, type Played, type Rehearsal } from './play.ts';

/* The worker a rehearsal runs in: it has no page and no network, and the page ends it when it takes too long. */

type Ask = { readonly n: number; readonly startAt: number; readonly move: Move };
export type Told = { readonly n: number } & ({ readonly played: Played } | { readonly broken: string });

let rehearsal: Rehearsal | null = null;

self.onmessage = ({ data }: MessageEvent<Ask>): void => {
  void answer(data).then((told) => self.postMessage(told));
};

async function answer(ask: Ask): Promise<Told> {
  const { n, startAt, move } = ask;
  // Texts that look as if they had patterns.
  if (/[~/]|match|split|replace/.test(JSON.stringify(move))) await loadPatterns();
  if (move.kind === 'launch' || rehearsal === null)
    rehearsal = makeRehearsal(startAt, () => crypto.getRandomValues(new Uint8Array(16)));
  try {
    return { n, played: rehearsal.play(move) };
  } catch (error) {
    if (error instanceof PatternsNeeded) {
      // The step that threw has changed nothing.
      await loadPatterns();
      return answer(ask);
    }
    return { n, broken: error instanceof Error ? error.message : String(error) };
  }
}
