import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mainOf } from './rota.ts';

/* Another state of the code to measure against: a folder with what was built there, or a commit, which is built first. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COMMAND_MS_MAX = 600_000;

/** @returns the built server. @param what a folder, or a commit of this repository @param folder where a commit may be built */
export function builtOf(what: string, folder: string): string {
  const isCommit = !existsSync(resolve(what)) && run('git', ['cat-file', '-e', `${what}^{commit}`], ROOT);
  if (!isCommit) return mainOf(what);
  const place = join(folder, `at-${what.replaceAll(/\W/g, '')}`);
  mkdirSync(place);
  console.log(`${what} is built first.`);
  const made =
    run('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', what, place], ROOT) &&
    run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], place) &&
    run('npm', ['run', 'build'], place);
  if (!made) throw new Error(`${what} could not be built; see above`);
  return mainOf(place);
}

const run = (program: string, words: readonly string[], cwd: string): boolean =>
  spawnSync(program, words, { cwd, stdio: ['ignore', 'ignore', 'inherit'], timeout: COMMAND_MS_MAX }).status === 0;
