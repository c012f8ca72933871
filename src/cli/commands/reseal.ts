import { readConfig } from '../../server/config.ts';
import { resealAll } from '../../server/reseal.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** `rota secrets reseal`: seals whatever secrets the database has with the first of SECRETS_KEY. On Postgres servers may run meanwhile. */
export async function reseal(_words: readonly string[], flags: Flags): Promise<number> {
  const count = await resealAll(readConfig(process.env, sourcesOf(flags)));
  console.log(flags['json'] === true ? JSON.stringify({ sealed: count }) : `${count} secrets are sealed anew.`);
  return 0;
}
