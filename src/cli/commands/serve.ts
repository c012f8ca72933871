import { type Log, makeLog } from '../../runtime/log.ts';
import { type Config, readConfig, settingWarnings } from '../../server/config.ts';
import { lookForDatabase } from '../../server/first-look.ts';
import { endWithLastLine } from '../../server/last-line.ts';
import type { Running } from '../../server/start.ts';
import { type Flags, sourcesOf } from '../settings.ts';

/** Starts the server and stops it in order when told to; a second signal ends the process at once. SIGHUP: it reads its settings anew. */
export async function serve(_words: readonly string[], flags: Flags): Promise<null> {
  const sources = sourcesOf(flags);
  const config = readConfig(process.env, sources);
  const log = makeLog({ level: config.logLevel });
  endWithLastLine(log);
  for (const warning of settingWarnings({ ...sources.dotenv, ...process.env }))
    log.warn(warning, { event: 'setting.unknown' });
  await runUntilTold(config, log, () => {
    // As they are now in the file; the environment of a process stays what it was.
    const next = readConfig(process.env, sourcesOf(flags));
    log.setLevel(next.logLevel);
    return next;
  });
  return null;
}

/** Resolves once the server is ready; it goes on until a signal ends the process. @param readAgain the settings as they are upon SIGHUP */
export async function runUntilTold(config: Config, log: Log, readAgain: () => Config = () => config): Promise<Running> {
  let running: Running | null = null;
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    // While it still starts there is nothing to finish: what was begun is rolled back by the database.
    if (signals > 1 || running === null) process.exit(running === null ? 0 : 1);
    // Not everything finished in time is no failure: what was claimed is given back and done by the next process.
    void running.stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  process.on('SIGHUP', () => {
    try {
      running?.reload(readAgain());
    } catch (err) {
      log.error('the settings cannot be read anew; those before hold on', { event: 'settings.reload_failed', err });
    }
  });
  const looked = lookForDatabase(config, log);
  // Loaded while it looks.
  const { start } = await import('../../server/start.ts');
  running = await start(config, { log, looked });
  return running;
}
