import type { Log } from '../runtime/log.ts';
import { shownHosts } from '../store/hosts.ts';
import type { Config } from './config.ts';

/** Says what is waited for, where it is, why, and what can be done; never how one gets in. */
export function sayWaiting(config: Config, log: Log, trouble: Error | null): void {
  const reason =
    trouble === null
      ? null
      : trouble.message === ''
        ? String((trouble as NodeJS.ErrnoException).code)
        : trouble.message;
  log.warn(waitingOf(config), { event: 'database.waiting', ...(reason === null ? {} : { reason }) });
}

function waitingOf({ databaseUrl, dataDir }: Config): string {
  if (databaseUrl !== null)
    return `Postgres at ${shownHosts(databaseUrl)} does not answer yet; it is tried again. Check DATABASE_URL and that Postgres runs`;
  return `The embedded database ${dataDir === 'memory:' ? 'in memory' : `in ${dataDir}`} is still being opened`;
}
