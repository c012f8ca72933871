import { makeSealing, type Sealing } from '../identity/sealing.ts';
import { idOf } from '../registry/participants.ts';
import { makeLog } from '../runtime/log.ts';
import type { Page, Store } from '../store/store.ts';
import { type Config, ConfigError } from './config.ts';
import { openConfigured } from './open.ts';

const PAGE = 200;
/** Rows of one table; more than this many there cannot be. */
const ROWS_MAX = 1_000_000;

/**
 * Seals with the first of SECRETS_KEY whatever secrets the database has, those that were not sealed so far among them. Each row is written
 * once, where nobody else has changed it meanwhile; servers that run and know that key go on.
 *
 * @returns how many were sealed @throws ConfigError when there is no key, or one is sealed with a key that is not there
 */
export async function resealAll(config: Config): Promise<number> {
  if (config.secretsKey.length === 0) throw new ConfigError(['SECRETS_KEY must be set: there is nothing to seal with']);
  const store = await openConfigured(config, makeLog({ level: 'warn' }));
  try {
    return await resealIn(store, makeSealing(config.secretsKey));
  } finally {
    await store.close();
  }
}

/** The same in a database that is open. @throws ConfigError */
export async function resealIn(store: Store, sealing: Sealing): Promise<number> {
  const counts = [
    await ofSecrets(store, sealing),
    await ofParticipants(store, sealing),
    await ofSubscriptions(store, sealing),
  ];
  store.tellKeys();
  store.tellRegistry();
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A sealed text, sealed anew. @throws ConfigError */
function again(sealing: Sealing, id: string, stored: string, what: string): string {
  const text = sealing.open(id, stored);
  if (text === null)
    throw new ConfigError([
      `The ${what} is sealed with a key that SECRETS_KEY does not have; set it to all keys that were used, the newest first`,
    ]);
  return sealing.seal(id, text);
}

async function walk<Row>(
  page: (after: string | null) => Promise<Page<Row>>,
  seal: (row: Row) => Promise<boolean>,
): Promise<number> {
  // All rows first: what is written moves to the front of the order in which they are read.
  const rows: Row[] = [];
  let after: string | null = null;
  do {
    const found: Page<Row> = await page(after);
    rows.push(...found.items);
    after = found.next;
  } while (after !== null && rows.length < ROWS_MAX);
  let count = 0;
  for (const row of rows) if (await seal(row)) count += 1;
  return count;
}

const ofSecrets = ({ secrets }: Store, sealing: Sealing): Promise<number> =>
  walk(
    (after) => secrets.newest({ tenant: null, limit: PAGE, after }),
    async (row) => {
      const what = `secret ${row.id}`;
      const value = again(sealing, row.id, row.value, what);
      const previous = row.previous === null ? null : again(sealing, row.id, row.previous, what);
      return secrets.reseal(row, { value, previous });
    },
  );

const ofParticipants = ({ participants }: Store, sealing: Sealing): Promise<number> =>
  walk(
    (after) => participants.changedLast({ limit: PAGE, after }),
    async (row) => {
      if (row.sealed === null || row.deletedAt !== null) return false;
      const sealed = again(sealing, idOf(row), row.sealed, `secret of the participant ${row.name}`);
      return participants.put({ ...row, sealed }, row.ver);
    },
  );

const ofSubscriptions = ({ subscriptions }: Store, sealing: Sealing): Promise<number> =>
  walk(
    (after) => subscriptions.changedLast({ limit: PAGE, after }),
    async (row) => {
      if (row.sealed === null || row.deletedAt !== null) return false;
      const sealed = again(sealing, row.id, row.sealed, `secret of the subscription ${row.id}`);
      return subscriptions.change(row.id, row.ver, { sealed });
    },
  );
