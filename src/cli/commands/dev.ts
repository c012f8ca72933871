import { makeLog } from '../../runtime/log.ts';
import { readConfig } from '../../server/config.ts';
import { endWithLastLine } from '../../server/last-line.ts';
import { type Flags, sourcesOf } from '../settings.ts';
import { runUntilTold } from './serve.ts';

/**
 * `rota dev`: a server to try things with, its console and its playground. It keeps nothing unless `DATA_DIR` or a database is named,
 * and says one line: the address to click.
 */
export async function dev(_words: readonly string[], flags: Flags): Promise<null> {
  const sources = sourcesOf(flags);
  const given = new Set(readConfig(process.env, sources).given);
  const defaults = {
    ...(given.has('LOG_LEVEL') ? {} : { LOG_LEVEL: 'warn' }),
    ...(given.has('PLAYGROUND') ? {} : { PLAYGROUND: '1' }),
    ...(given.has('DATA_DIR') || given.has('DATABASE_URL') ? {} : { DATA_DIR: 'memory:' }),
  };
  const config = readConfig({ ...process.env, ...defaults }, sources);
  const log = makeLog({ level: config.logLevel });
  endWithLastLine(log);
  const { url } = await runUntilTold(config, log);
  console.log(`Rota is at ${url}${config.console ? '/console/' : ''}`);
  return null;
}
