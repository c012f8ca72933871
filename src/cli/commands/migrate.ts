import { makeLog } from '../../runtime/log.ts';
import { readConfig } from '../../server/config.ts';
import { migrationSql, openConfigured } from '../../server/open.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/**
 * Brings the schema up to date and exits. `serve` does the same; this is for those who want it done beforehand. With `--dump-sql` it prints what is to be
 * done and changes nothing: of the database in `DATABASE_URL`, without one of an empty database.
 */
export async function migrate(_words: readonly string[], flags: Flags): Promise<number> {
  const config = readConfig(process.env, sourcesOf(flags));
  if (flags['dump-sql'] === true) {
    process.stdout.write(await migrationSql(config.databaseUrl));
    return 0;
  }
  const store = await openConfigured({ ...config, migrate: true }, makeLog({ level: config.logLevel }));
  await store.close();
  console.log('The database schema is up to date.');
  return 0;
}
