import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../runtime/log.ts';
import { type ProcessTime, realTime } from '../runtime/process-time.ts';
import { openStore, type PoolMeter, pendingSql } from '../store/open.ts';
import { type Store, WronglySet } from '../store/store.ts';
import { type Config, ConfigError } from './config.ts';
import type { FirstLook } from './first-look.ts';
import { sayWaiting } from './waiting.ts';

/** As the runner of migrations makes it, which looks there for what was done. */
const MIGRATIONS =
  'create table if not exists public.migration (id serial primary key, name varchar(255) not null, run_on timestamp not null);\n\n';

/** What brings a database up to date, as SQL; null: an empty one. */
export const migrationSql = async (databaseUrl: string | null): Promise<string> =>
  MIGRATIONS + (await pendingSql(databaseUrl));

/** Starting failed for a reason an operator can see to; the message says all there is to say. */
export class StartError extends Error {}

/**
 * A Postgres that has not answered is named after the first of these, and again after each of the second. An embedded database only takes its time, which
 * is told after each of the second.
 */
export const NAMED_MS_FIRST = 1_000;
export const NAMED_MS_AGAIN = 5_000;

/** What the process ends with when its embedded database cannot go on (EX_IOERR of sysexits.h). */
export const DATABASE_ENDED = 74;

/** Opens the store that the settings name; says so while it waits. @throws StartError, or what the store throws */
export async function openConfigured(
  config: Config,
  log: Log,
  open: typeof openStore = openStore,
  time: ProcessTime = realTime,
  meter?: PoolMeter,
  looked: Pick<FirstLook, 'named'> = { named: () => false },
): Promise<Store> {
  let trouble: Error | null = null;
  let named = false;
  const say = (): void => {
    // Who looked before has said it.
    const isSaid = !named && looked.named();
    named = true;
    cancel();
    cancel = time.after(NAMED_MS_AGAIN, say);
    if (!isSaid) sayWaiting(config, log, trouble);
  };
  let cancel = time.after(config.databaseUrl === null ? NAMED_MS_AGAIN : NAMED_MS_FIRST, say);
  try {
    if (config.databaseUrl === null && config.dataDir !== 'memory:') makeFolder(config.dataDir);
    return await open({
      databaseUrl: config.databaseUrl,
      dataDir: config.dataDir,
      prepared: config.databasePrepared,
      profile: config.databaseProfile,
      connectionsMax: config.connectionsMax,
      durable: config.durable,
      warn: (event, message) => log.warn(message, { event }),
      migrates: config.migrate,
      ...(meter === undefined ? {} : { meter }),
      onEnd: (err) => {
        log.error(err.message, { event: 'database.ended', err });
        // The log writes its rest when the process exits.
        process.exit(DATABASE_ENDED);
      },
      onWaiting: (error) => {
        trouble = error;
        // On a busy machine a process takes seconds to come so far: whoever started it has waited long enough.
        if (!named && !looked.named() && time.now() >= NAMED_MS_FIRST) say();
      },
      log: (message, err) => log.warn(message, { event: 'database.trouble', err }),
    });
  } catch (error) {
    if (error instanceof WronglySet) throw new ConfigError([error.message]);
    throw config.databaseUrl === null ? explained(error, config.dataDir) : error;
  } finally {
    cancel();
  }
}

/** One level after the other: Node's own way of making several at once never ends below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) {
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(`${folder} is a file`), { code: 'EEXIST' });
    return;
  }
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another server that starts at the same moment was quicker.
    if (!existsSync(folder)) throw error;
  }
}

/** What to do about the reasons for which a folder cannot be used. */
const FOLDER_TROUBLE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there; give the folder to the user the server runs as, or use another folder',
  EPERM: 'this user may not write there; give the folder to the user the server runs as, or use another folder',
  EROFS: 'it is on a read-only file system; use a folder that can be written to',
  EEXIST: 'it is a file; name a folder',
  ENOTDIR: 'a part of the path is a file; name a folder',
  ENOENT: 'it cannot be made there; name a folder that exists or can be made',
  ENOSPC: 'the disk is full; make room',
  EDQUOT: 'the quota is used up; make room',
};

function explained(error: unknown, dataDir: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = FOLDER_TROUBLE[code];
  return what === undefined
    ? error
    : new StartError(`DATA_DIR ${dataDir} cannot be used: ${what} (${code})`, { cause: error });
}
