import fs, { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Between } from '../../src/server/build.ts';
import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import type { Save } from '../../src/store/store.ts';
import { aroundSaving } from '../support/saving.ts';

/*
 * A whole server in a process of its own that can be told to die at a planted point: on the n-th passage from then on it kills itself
 * in the hardest way there is. Nothing of it is in the server; the points lie between its parts.
 */

/**
 * - `before commit`: the steps are done, nothing has been sent to be written
 * - `in commit`: everything has been sent and nothing was answered
 * - `after commit`: the steps are saved, nobody was answered and nothing posted
 * - `after 2xx`: a participant has said that it got its callback, and that is not written yet
 */
export type Point = 'before commit' | 'in commit' | 'after commit' | 'after 2xx';

export type ToChild =
  | { readonly kind: 'arm'; readonly point: Point; readonly passages: number }
  /** Whatever it is that loops (LOOP_IN) has been mended. */
  | { readonly kind: 'mend' }
  /** From now on nothing reaches the disk any more: it is full. */
  | { readonly kind: 'fill the disk' };
export type FromChild =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Said at once and past the log when it begins to loop for ever: in the middle of a step of a timer of the workflow named LOOP_IN. */
const LOOPS = 'loops for ever';
let loopIn = process.env['LOOP_IN'];

function loop(save: Save): void {
  const isIt = [...save.changes.values()].some(
    ({ workflow, agenda }) => workflow.name === loopIn && [...agenda.values()].some(({ kind }) => kind === 'delete'),
  );
  if (!isIt) return;
  writeSync(2, `${LOOPS}\n`);
  for (;;);
}

function fillTheDisk(): void {
  const full = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', errno: -28 });
  };
  const { writeSync: write } = fs;
  // Its log still reaches whoever reads it.
  const writing = (fd: number, ...rest: [Buffer]): number => (fd <= 2 ? write(fd, ...rest) : full());
  Object.assign(fs, { fsyncSync: full, writeSync: writing });
  syncBuiltinESMExports();
  hurry();
}

/** So many times as fast as it is: the database is opened again and again for half a minute before its server gives up. */
const HURRY = 5;

/** From now on time passes faster for this process. */
function hurry(): void {
  const { setTimeout: later } = globalThis;
  const since = performance.now();
  const now = performance.now.bind(performance);
  performance.now = () => since + (now() - since) * HURRY;
  const sooner = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): NodeJS.Timeout =>
    later(run, ms / HURRY, ...given);
  globalThis.setTimeout = sooner as typeof setTimeout;
}

let armed: { readonly point: Point; left: number } | null = null;

function pass(point: Point): void {
  if (armed?.point !== point) return;
  armed.left -= 1;
  if (armed.left <= 0) process.kill(process.pid, 'SIGKILL');
}

const between: Between = {
  store: (store) =>
    aroundSaving(store, async ({ save, go }) => {
      if (loopIn !== undefined) loop(save);
      pass('before commit');
      const saved = go();
      // A connection is taken first; then everything is sent, before the event loop goes round.
      setImmediate(() => pass('in commit'));
      const outcome = await saved;
      if (outcome === 'committed') pass('after commit');
      return outcome;
    }),
  post: (post) => ({
    ...post,
    send: async (request, timeoutMs) => {
      const result = await post.send(request, timeoutMs);
      if (result.kind === 'delivered') pass('after 2xx');
      return result;
    },
  }),
};

const say = (message: FromChild): void => {
  process.send?.(message);
};

process.on('message', (message: ToChild) => {
  if (message.kind === 'fill the disk') return fillTheDisk();
  if (message.kind === 'mend') {
    loopIn = undefined;
    return;
  }
  armed = { point: message.point, left: message.passages };
});
// The test is gone, and nobody is left to kill us.
process.on('disconnect', () => process.exit(1));

try {
  const running = await start(readConfig(process.env), between);
  process.on('SIGTERM', () => void running.stop().then(() => process.exit(0)));
  say({ kind: 'ready', url: running.url });
} catch (error) {
  say({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.disconnect();
}
