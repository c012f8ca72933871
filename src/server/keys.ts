import type { Identity } from '../identity/identity.ts';
import { randomDigits } from '../identity/key-text.ts';
import { EVERY_TENANT } from '../identity/secrets.ts';
import { randomIds } from '../runtime/ids.ts';
import { makeLog } from '../runtime/log.ts';
import { realTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';
import type { Config } from './config.ts';
import { makeDatabaseClock } from './database-clock.ts';
import { identityFor } from './identity.ts';
import { openConfigured } from './open.ts';

export { idOfKey, makeKey } from '../identity/key-text.ts';
export { statusOfKey } from '../identity/keys.ts';
export { SCOPES, type Scope } from '../identity/principal.ts';
export { readTenant } from '../model/tenant.ts';

/** Opens the keys of the database the settings name, without a server: how the first key is made. @throws as `openConfigured` */
export async function withKeys<Result>(
  config: Config,
  use: (keys: Identity['keys']) => Promise<Result>,
): Promise<Result> {
  const log = makeLog({ level: 'warn' });
  const store = await openConfigured(config, log);
  try {
    const clock = await makeDatabaseClock({ store, time: realTime, log });
    const identity = await identityFor(config, { store, clock, ids: randomIds(), log });
    try {
      return await use(recorded(identity.keys, store));
    } finally {
      await identity.stop();
      clock.stop();
    }
  } finally {
    await store.close();
  }
}

/** Keys that leave a row in the audit, as the interface does. */
function recorded(keys: Identity['keys'], { audit }: Pick<Store, 'audit'>): Identity['keys'] {
  const write = (action: string, object: string): Promise<void> =>
    audit.add({
      id: randomDigits(16),
      tenant: EVERY_TENANT,
      actor: 'cli',
      address: null,
      action,
      object,
      outcome: 'done',
      reason: null,
      details: '{}',
    });
  return {
    ...keys,
    create: async (key) => {
      const made = await keys.create(key);
      if (made !== null) await write('key.create', made.row.id);
      return made;
    },
    rotate: async (id, overlapSeconds) => {
      const rotated = await keys.rotate(id, overlapSeconds);
      if (rotated !== null) await write('key.rotate', id);
      return rotated;
    },
    revoke: async (id) => {
      const isRevoked = await keys.revoke(id);
      if (isRevoked) await write('key.revoke', id);
      return isRevoked;
    },
  };
}
