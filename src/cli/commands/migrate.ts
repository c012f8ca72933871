import { makeLog } from '../../runtime/log.ts';
import { readConfig } from '../../server/config.ts';
import { openConfigured } from '../../server/open.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** Brings the schema up to date and exits. `serve` does the same; this is for those who want it done beforehand. */
export async function migrate(_words: readonly string[], flags: Flags): Promise<number> {
  const config = readConfig(process.env, sourcesOf(flags));
  const store = await openConfigured(config, makeLog({ level: config.logLevel }));
  await store.close();
  console.log('The database schema is up to date.');
  return 0;
}
