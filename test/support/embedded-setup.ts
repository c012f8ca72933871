import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openStore } from '../../src/store/open.ts';
import { keptOf, put } from './kept.ts';

/**
 * Before all tests: makes an embedded database with all tables, of which each database that keeps nothing begins with a copy
 * (embedded-template.ts), and one in a folder where a test wants no other (ready-folder.ts). To make one anew takes seconds, and many
 * files want one.
 */
export async function setupEmbedded(project: TestProject): Promise<void> {
  const kept = keptOf('embedded', ['migrations', 'src/store', 'test/support/embedded-setup.ts']);
  if (!kept.isThere) {
    const fresh = kept.fresh();
    const store = await openStore({ databaseUrl: null, dataDir: join(fresh, DATA), prepared: true });
    await store.close();
    archiveOf(join(fresh, DATA, 'database'), join(fresh, 'small'), join(fresh, ARCHIVE));
    rmSync(join(fresh, 'small'), { recursive: true });
    put(fresh, kept);
  }
  project.provide('embedded', { archive: join(kept.folder, ARCHIVE), dataDir: join(kept.folder, DATA) });
}

const DATA = 'data';
const ARCHIVE = 'template.tar';

/** The databases template1 and template0, of which nobody here makes another. */
const UNUSED = [join('base', '1') + sep, join('base', '4') + sep];
const PAGE_BYTES = 8_192;

/**
 * Packs a database that was closed, without what nobody reads: two databases of three, and the zeros at the end of the log. A quarter is left,
 * and a server starts twice as fast with it.
 */
function archiveOf(database: string, small: string, archive: string): void {
  const isUsed = (path: string): boolean =>
    !UNUSED.some((unused) => path.startsWith(join(database, unused))) || path.endsWith('PG_VERSION');
  cpSync(database, small, { recursive: true, filter: isUsed });
  const log = join(small, 'pg_wal');
  for (const name of readdirSync(log).filter((one) => /^[0-9A-F]{24}$/.test(one))) {
    const bytes = readFileSync(join(log, name));
    let used = bytes.length;
    while (used > 0 && bytes[used - 1] === 0) used--;
    if (used === 0) rmSync(join(log, name));
    else truncateSync(join(log, name), Math.ceil(used / PAGE_BYTES) * PAGE_BYTES);
  }
  execFileSync('tar', ['--format=ustar', '-cf', archive, '-C', small, ...readdirSync(small)]);
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The paths of the archive, and of a DATA_DIR with the same database. */
    embedded: { readonly archive: string; readonly dataDir: string };
  }
}
