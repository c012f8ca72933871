import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { TestProject } from 'vitest/node';
import { openStore } from '../../src/store/open.ts';

/*
 * Runs once before all tests: makes an embedded database with all tables, of which each database that keeps nothing begins with a copy
 * (embedded-template.ts), and one in a folder where a test wants no other (ready-folder.ts). To make one anew takes seconds, and many
 * files want one.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'rota-embedded-'));
  const dataDir = join(folder, 'data');
  const store = await openStore({ databaseUrl: null, dataDir, prepared: true });
  await store.close();
  const database = await PGlite.create({ dataDir: join(dataDir, 'database') });
  const archive = join(folder, 'template.tar');
  writeFileSync(archive, Buffer.from(await (await database.dumpDataDir('none')).arrayBuffer()));
  await database.close();
  project.provide('embedded', { archive, dataDir });
  return () => rmSync(folder, { recursive: true, force: true });
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The paths of the archive, and of a DATA_DIR with the same database. */
    embedded: { readonly archive: string; readonly dataDir: string };
  }
}
