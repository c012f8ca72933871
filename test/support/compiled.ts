import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptOf, put } from './kept.ts';

/*
 * What tests start as processes of their own (test/crash/tsconfig.json), compiled once for all of them: they start often, and compiling
 * takes longer than starting.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folder with `src` and `test` in JavaScript. */
export function compiled(): string {
  const kept = keptOf('compiled', ['tsconfig.json', 'src', 'test/crash', 'test/store', 'test/support']);
  if (kept.isThere) return kept.folder;
  const fresh = kept.fresh();
  execFileSync(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(root, 'test/crash/tsconfig.json'), '--noCheck', '--sourceMap', 'false', '--outDir', fresh],
  ]);
  writeFileSync(join(fresh, 'package.json'), '{ "type": "module", "version": "0.0.0" }');
  put(fresh, kept);
  return kept.folder;
}
