import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptOf, put } from './kept.ts';

/*
 * What tests start as processes of their own, compiled once for all of them and put together in a few files with the packages it uses: they start
 * often, and a start from a thousand files takes three times as long.
 */

const ENTRIES = [
  'test/crash/child.ts',
  'test/support/embedded-child.ts',
  'src/server/last-line.ts',
  'src/runtime/log.ts',
];

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The folder with `src` and `test` in JavaScript. */
export function compiled(): string {
  const kept = keptOf('compiled', ['package-lock.json', 'src', 'test/crash', 'test/store', 'test/support']);
  if (kept.isThere) return kept.folder;
  const fresh = kept.fresh();
  execFileSync(process.execPath, [join(root, 'test/support/compile.mjs'), root, fresh, ...ENTRIES]);
  writeFileSync(join(fresh, 'package.json'), '{ "type": "module", "version": "0.0.0" }');
  put(fresh, kept);
  return kept.folder;
}
