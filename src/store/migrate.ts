import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type pg from 'pg';

/** How far above this file the folder of migrations may lie: it is beside `src` and beside what is built from it. */
const LEVELS_MAX = 5;

/** The folder `migrations` of this package. */
export function ownMigrations(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < LEVELS_MAX; level++) {
    const candidate = join(folder, 'migrations');
    if (existsSync(join(candidate, '0001_tables.sql'))) return candidate;
    folder = dirname(folder);
  }
  throw new Error('The folder "migrations" is missing beside the program; install the package again');
}

/**
 * Brings the tables to the newest state. Servers that start together wait for each other.
 *
 * @param locks false where the database has no advisory locks; then only one server may migrate at a time
 */
export async function migrate(client: pg.ClientBase, dir: string, locks = true): Promise<void> {
  await runner({
    dbClient: client,
    dir,
    direction: 'up',
    migrationsTable: 'migration',
    ...(locks ? { advisoryLockMode: 'wait' as const } : { noLock: true }),
    log: () => {},
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
}
