import type { Identity } from '../identity/identity.ts';
import { randomIds } from '../runtime/ids.ts';
import { makeLog } from '../runtime/log.ts';
import { realTime } from '../runtime/process-time.ts';
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
      return await use(identity.keys);
    } finally {
      await identity.stop();
      clock.stop();
    }
  } finally {
    await store.close();
  }
}
