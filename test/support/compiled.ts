import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * What tests start as processes of their own (test/crash/tsconfig.json), compiled once for all of them: they start often, and compiling
 * takes longer than starting.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the project, so that packages and migrations are found; and where nobody looks. */
const kept = join(root, 'node_modules');
const PREFIX = '.rota-';
/** What was compiled from other sources is thrown away after a day: somebody may still run it. */
const KEPT_MS_MAX = 86_400_000;

/** The folder with `src` and `test` in JavaScript. */
export function compiled(): string {
  const folder = join(kept, `${PREFIX}${fingerprint()}`);
  if (existsSync(folder)) return folder;
  for (const name of readdirSync(kept).filter((name) => name.startsWith(PREFIX)))
    if (Date.now() - statSync(join(kept, name)).mtimeMs > KEPT_MS_MAX)
      rmSync(join(kept, name), { recursive: true, force: true });
  const fresh = mkdtempSync(join(kept, `${PREFIX}new-`));
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(root, 'test/crash/tsconfig.json'), '--noCheck', '--sourceMap', 'false', '--outDir', fresh],
  ]);
  writeFileSync(join(fresh, 'package.json'), '{ "type": "module", "version": "0.0.0" }');
  try {
    renameSync(fresh, folder);
  } catch (error) {
    // Another process was quicker, with the same.
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  const sources = ['src', 'test/crash', 'test/store', 'test/support'].flatMap((below) =>
    readdirSync(join(root, below), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|json)$/.test(name))
      .map((name) => join(below, name))
      .sort(),
  );
  for (const file of ['tsconfig.json', 'package-lock.json', ...sources])
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 32);
}
