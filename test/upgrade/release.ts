import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/* A release in a folder of its own, with what was built of it: started as people start it. */

export type Started = {
  readonly url: string;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
  readonly output: () => string;
};

const OUTPUT_MAX = 100_000;
const READY_MS_MAX = 180_000;

/** @param folder where `dist` and `node_modules` lie @throws with what it said when it ends before it is ready */
export async function startRelease(
  folder: string,
  settings: Readonly<Record<string, string>>,
  hook: readonly string[] = [],
): Promise<Started> {
  const main = join(folder, 'dist/cli/main.js');
  if (!existsSync(main)) throw new Error(`${main} is not there: run npm ci && npm run build in ${folder}`);
  const child = spawn(process.execPath, [...hook, main, 'serve'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`Not ready in time:\n${output}`));
    }, READY_MS_MAX);
    const hear = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_MAX);
      const found = /^\{.*"msg":"rota is ready".*$/m.exec(output)?.[0];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve((JSON.parse(found) as { readonly url: string }).url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => {
      clearTimeout(timer);
      reject(new Error(`It ended:\n${output}`));
    });
  });
  const end = (signal: 'SIGTERM' | 'SIGKILL') => async (): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { url, stop: end('SIGTERM'), kill: end('SIGKILL'), output: () => output };
}
