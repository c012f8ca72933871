import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, cpuOf, freePort, residentMb, startNode, wait } from './processes.ts';

/* The server under measurement: the built one, in a process of its own, with default settings. */

const ROOT = new URL('../../', import.meta.url);
export const MAIN = fileURLToPath(new URL('dist/cli/main.js', ROOT));
const PROBE = new URL('probe.mjs', import.meta.url).href;
const READY_MS_MAX = 60_000;
const READY_LOOK_MS = 10;
const BUILD_MS_MAX = 180_000;

export type Rota = {
  readonly url: string;
  readonly child: Child;
  /** From the start of the process until it was ready, in milliseconds. */
  readonly startedInMs: number;
  readonly cpu: () => number;
  readonly residentMb: () => number;
  /** Asks the probe. */
  ask<Answer>(what: string, order?: object): Promise<Answer>;
};

/** Builds the server when that is needed, as `npm start` does. */
export function build(): void {
  const built = spawnSync(process.execPath, ['scripts/start.mjs', '--version'], {
    cwd: fileURLToPath(ROOT),
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILD_MS_MAX,
  });
  if (built.status !== 0 || !existsSync(MAIN)) throw new Error('The server could not be built; see above');
}

/** The built server of another checkout. @throws Error when it has none */
export function mainOf(folder: string): string {
  const main = resolve(folder, 'dist/cli/main.js');
  if (!existsSync(main)) throw new Error(`${folder} has no built server (${main}): run npm ci && npm run build there`);
  return main;
}

/** Starts a server and waits until it is ready. */
export async function startRota(environment: { readonly [name: string]: string }, main = MAIN): Promise<Rota> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  const child = startNode({
    file: main,
    args: ['serve'],
    nodeArgs: ['--import', PROBE],
    environment: { PORT: String(port), ...environment },
  });
  let over: number | null | undefined;
  void child.exited.then((code) => {
    over = code;
  });
  while (!(await isReady(url))) {
    if (over !== undefined) throw new Error(`The server ended at once (${over}): ${child.complaints()}`);
    if (performance.now() - begun > READY_MS_MAX) {
      await child.kill();
      throw new Error(`The server was not ready within ${READY_MS_MAX / 1000} s: ${child.complaints()}`);
    }
    await wait(READY_LOOK_MS);
  }
  const startedInMs = performance.now() - begun;

  const waiting = new Map<number, (answer: { readonly answer?: unknown; readonly error?: string }) => void>();
  let last = 0;
  child.onMessage((message) => {
    const reply = message as { readonly id: number; readonly answer?: unknown; readonly error?: string };
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  return {
    url,
    child,
    startedInMs,
    cpu: () => cpuOf(child.pid),
    residentMb: () => residentMb(child.pid),
    ask: <Answer>(what: string, order: object = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++last;
        void child.exited.then(() => reject(new Error(`The server is gone: ${child.complaints()}`)));
        waiting.set(id, ({ answer, error }) =>
          error === undefined ? resolve(answer as Answer) : reject(new Error(error)),
        );
        child.send({ id, what, order });
      }),
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
