import { hostname } from 'node:os';
import type { PagePolicy } from '../api/middleware/pages.ts';
import { type Identity, type IdentityParts, openIdentity } from '../identity/identity.ts';
import { statusOfKey } from '../identity/keys.ts';
import { SealedShut } from '../identity/secrets.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { type ProcessTime, realTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';
import { type Config, ConfigError, isLoopback } from './config.ts';
import { isOpenToAll, isPlain, isReadable, NOBODY_ASKED, OPEN_TO_ALL, PLAIN_SECRETS, READABLE } from './warnings.ts';

/* Whether callers are asked who they are, as the settings want it, and what the start has to say about that. */

type Around = {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly time?: ProcessTime;
  readonly wall?: () => number;
};

/** Opens keys and secrets, registers ADMIN_KEY. @throws ConfigError when a secret is sealed with a key that is not there */
export async function identityFor(config: Config, around: Around): Promise<Identity> {
  const settings: IdentityParts['settings'] = {
    mode: config.auth,
    proceedTokens: config.proceedTokens,
    sealingKeys: config.secretsKey,
    ticketSeconds: config.eventsTicketSeconds,
    issuers: config.issuers,
    tokenLifeSecondsMax: config.jwtLifeMax,
    keysStaleSeconds: config.jwksStaleSeconds,
  };
  const { store, clock, ids, log, time = realTime, wall = Date.now } = around;
  try {
    return await openIdentity({ store, clock, ids, log, time, wall, settings });
  } catch (error) {
    throw error instanceof SealedShut
      ? new ConfigError([`${error.message}; set SECRETS_KEY to all keys that were used, the newest first`])
      : error;
  }
}

/**
 * For a server that is about to answer: registers ADMIN_KEY, and refuses to be open to strangers.
 *
 * @returns what came of ADMIN_KEY; null: it is not set @throws ConfigError
 */
export async function openDoor(
  config: Config,
  identity: Identity,
  log: Log,
): Promise<'new' | 'known' | 'ended' | null> {
  let came: 'new' | 'known' | 'ended' | null = null;
  if (config.adminKey !== null) {
    came = await identity.keys.register(config.adminKey);
    if (came === 'ended') log.warn('ADMIN_KEY is a key that was ended: it is not taken', { event: 'admin_key.ended' });
    if (came === 'new') log.info('ADMIN_KEY is registered', { event: 'admin_key.registered' });
  }
  // Whoever names an issuer means callers to be asked.
  if (config.issuers.length > 0 && identity.since() === null) await identity.close();
  const { host, auth } = config;
  if (identity.isOpen() && auth !== 'none' && !isLoopback(host))
    throw new ConfigError([
      `HOST is "${host}", but there is no API key yet, and without one everybody who reaches this address may do everything. ` +
        'Make one (rota keys create), or set ADMIN_KEY to one made by rota keys generate, or JWT_ISSUER, or say AUTH=none to have it open',
    ]);
  if (isPlain(config, identity)) log.warn(PLAIN_SECRETS, { event: 'secrets.plain' });
  if (auth === 'none') log.warn(NOBODY_ASKED, { event: 'auth.none' });
  if (isOpenToAll(config, identity)) log.warn(OPEN_TO_ALL, { event: 'auth.open' });
  if (isReadable(config, identity)) log.warn(READABLE, { event: 'auth.plain' });
  return came;
}

/** Which names and pages an open server answers to. @param origins asked each time: they may change */
export function pagePolicy(config: Config, origins: () => readonly string[] = () => config.corsOrigins): PagePolicy {
  const { baseUrl, host, allowedHosts } = config;
  const base = baseUrl === null ? null : new URL(baseUrl);
  return {
    hosts: [...allowedHosts, host, hostname(), ...(base === null ? [] : [base.hostname])].map((name) =>
      name.toLowerCase(),
    ),
    get origins() {
      return origins();
    },
    own: base?.origin ?? null,
    scheme: config.tlsCert === null ? 'http' : 'https',
  };
}

/** Why nothing more may be done in the name of a caller: its key has ended since; null: it may, as far as is known here. */
export function keyComplaint({ keys }: Identity, actor: string | null, wall: () => number = Date.now): string | null {
  const row = actor?.startsWith('key:') ? keys.held(actor.slice('key:'.length)) : null;
  if (row === null) return null;
  const status = statusOfKey(row, wall());
  return status === 'active' ? null : `key_${status}: the key it was made with is ${status}`;
}
