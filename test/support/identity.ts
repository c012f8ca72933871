import { type Identity, type IdentityParts, openIdentity } from '../../src/identity/identity.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { realTime } from '../../src/runtime/process-time.ts';
import type { Store } from '../../src/store/store.ts';

/** Keys and secrets on a store, as a server has them. */
export const identityOn = (
  store: Store,
  clock: Clock,
  more: Partial<Omit<IdentityParts, 'settings'>> & { readonly settings?: Partial<IdentityParts['settings']> } = {},
): Promise<Identity> =>
  openIdentity({
    store,
    clock,
    time: realTime,
    ids: randomIds(),
    log: silentLog,
    wall: Date.now,
    ...more,
    settings: {
      mode: 'auto',
      proceedTokens: 'auto',
      sealingKeys: [],
      ticketSeconds: 60,
      issuers: [],
      tokenLifeSecondsMax: 86_400,
      keysStaleSeconds: 86_400,
      ...more.settings,
    },
  });
