import { DEFAULT_TENANT, readTenant } from '../model/tenant.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Store } from '../store/store.ts';
import { type Capabilities, makeCapabilities } from './capabilities.ts';
import type { Issuer } from './issuers.ts';
import { makeTokens, type Tokens } from './jwt.ts';
import { type Keys, makeKeys, statusOfKey } from './keys.ts';
import { makeMirror } from './mirror.ts';
import type { Principal } from './principal.ts';
import { makeSealing } from './sealing.ts';
import { makeSecrets, type Secrets } from './secrets.ts';
import { makeSessions, type Sessions } from './sessions.ts';
import { makeTickets, type Tickets } from './tickets.ts';

/*
 * Keys and secrets as this node knows them. All of them are in memory, read at the start, again every few seconds, and when another node
 * says that something has changed; so a request is checked without the database.
 */

export type AuthMode = 'auto' | 'required' | 'none';

export type Identity = {
  /** Nobody is asked who they are. */
  readonly isOpen: () => boolean;
  /** Since when callers are asked, in business time; null: they never were. */
  readonly since: () => number | null;
  /** False when the database was away for so long that what is known here may be wrong. */
  readonly isFresh: () => boolean;
  readonly keys: Keys;
  readonly secrets: Secrets;
  readonly capabilities: Capabilities;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly tickets: Tickets;
  /** Whether somebody who was let in before still would be: for answers that go on. */
  holds(principal: Principal): boolean;
  /** From now on callers are asked who they are, on all nodes, for good. */
  close(): Promise<void>;
  /** Reads what has changed, for something nobody here has heard of; false: it was asked too often just now. */
  lookAgain(): Promise<boolean>;
  /** Reads what has changed. */
  refresh(): Promise<void>;
  stop(): Promise<void>;
};

export const REFRESH_EVERY_MS = 10_000;
/** A change may become visible so much later than one that bears a later time: so long after any, all is read once more. */
const LATE_MS_MAX = 60_000;
/** With the database away, what is known here serves for so long. */
export const STALE_MS_MAX = 300_000;
/** Looks for a key nobody here has heard of: so many in a second. */
export const LOOKS_PER_SECOND_MAX = 10;
/** The row of `setting` that says since when callers are asked. */
const AUTH_SINCE = 'auth_since';

export type IdentityParts = {
  readonly store: Pick<Store, 'apiKeys' | 'secrets' | 'settings' | 'onKeys' | 'tellKeys' | 'changeMark'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  /** The machine's clock, in milliseconds since 1970: keys and secrets end by it. */
  readonly wall: () => number;
  readonly settings: {
    readonly mode: AuthMode;
    /** Whether URLs of workitems are given a token. */
    readonly proceedTokens: 'auto' | 'required' | 'off';
    /** Each of 32 bytes; see sealing.ts. */
    readonly sealingKeys: readonly Buffer[];
    /** How long a ticket opens streams. */
    readonly ticketSeconds: number;
    /** Who issues tokens that are taken. */
    readonly issuers: readonly Issuer[];
    /** Longest life of a token, in seconds. */
    readonly tokenLifeSecondsMax: number;
    /** How long an issuer's keys serve that cannot be read any more. */
    readonly keysStaleSeconds: number;
  };
};

/** @throws SealedShut, or what the store throws */
export async function openIdentity(parts: IdentityParts): Promise<Identity> {
  const { store, clock, time, ids, log, wall, settings } = parts;
  const keyMirror = makeMirror({ ...store.apiKeys, wall });
  const secretMirror = makeMirror({ ...store.secrets, wall });
  const secrets = makeSecrets({ store, mirror: secretMirror, sealing: makeSealing(settings.sealingKeys), log, wall });
  const keys = makeKeys({ store, mirror: keyMirror, lookAgain, wall });
  const capabilities = makeCapabilities({ ring: secrets.ring, wall, mints: settings.proceedTokens !== 'off' });
  const sessions = makeSessions({ keys, ring: secrets.ring, lookAgain, wall });
  const tickets = makeTickets({ ring: secrets.ring, seconds: settings.ticketSeconds, wall });
  const tokens = makeTokens({
    issuers: settings.issuers,
    lifeSecondsMax: settings.tokenLifeSecondsMax,
    staleSeconds: settings.keysStaleSeconds,
    ...{ time, wall, log },
  });
  let since: number | null = null;
  let readAt = Number.NEGATIVE_INFINITY;

  /** As of the last reading; null: it cannot be told whether something has changed. */
  let mark: string | null = null;
  let lateUntil = Number.NEGATIVE_INFINITY;
  /** Whether all was read once more after the last change. */
  let isLateRead = false;
  let hinted = false;

  async function read(strict: boolean): Promise<void> {
    const startedAt = time.now();
    const now = await store.changeMark();
    await keyMirror.refresh();
    await secretMirror.refresh();
    secrets.reopen(strict);
    if (since === null) {
      const said = await store.settings.read(AUTH_SINCE);
      // A node that died between the first key and this row has left the rest to us.
      if (said !== null || [...keyMirror.all()].length > 0) await close();
    }
    if (now !== mark) lateUntil = startedAt + LATE_MS_MAX;
    isLateRead = startedAt >= lateUntil;
    mark = now;
    readAt = startedAt;
  }

  async function close(): Promise<void> {
    since = Number(await store.settings.writeOnce(AUTH_SINCE, String(clock.now())));
    await secrets.ensureRing();
    store.tellKeys();
  }

  let reading: Promise<void> | null = null;
  const refresh = (): Promise<void> => {
    reading ??= read(false).finally(() => {
      reading = null;
    });
    return reading;
  };

  let looks = 0;
  let second = Number.NEGATIVE_INFINITY;
  /** Reads once more for something unknown. A read under way may have passed it by, so its end is not enough. */
  async function lookAgain(): Promise<boolean> {
    if (time.now() - second >= 1000) {
      second = time.now();
      looks = 0;
    }
    looks += 1;
    if (looks > LOOKS_PER_SECOND_MAX) return false;
    // The look that is under way may be older than what is asked for; whoever began it hears of its failure.
    await reading?.catch(() => {});
    await refresh();
    return true;
  }

  await read(true);
  if (settings.mode === 'required' && since === null) await close();

  let cancel = (): void => {};
  const again = (): void => {
    cancel();
    cancel = time.after(REFRESH_EVERY_MS, loop.wake);
  };
  const loop = makeLoop({
    name: 'keys',
    work: async () => {
      const looked = time.now();
      const isSettled = !hinted && mark !== null && (isLateRead || looked < lateUntil);
      hinted = false;
      if (isSettled && (await store.changeMark()) === mark) readAt = looked;
      else await refresh();
      await keys.tellUsed();
      await secrets.tellUsed();
      again();
      return false;
    },
    time,
    ids,
    log,
  });
  again();
  const stopHearing = await store.onKeys(() => {
    hinted = true;
    loop.wake();
  });

  const isOpen = (): boolean => settings.mode === 'none' || (settings.mode === 'auto' && since === null);

  function holds({ kind, id, until, generation }: Principal): boolean {
    if (kind === 'open') return isOpen();
    if (until !== undefined && until <= wall()) return false;
    if (!id.startsWith('key:')) return true;
    const key = keys.held(id.slice('key:'.length));
    if (key === null || statusOfKey(key, wall()) !== 'active') return false;
    return generation === undefined || generation === key.generation;
  }

  return {
    isOpen,
    since: () => since,
    isFresh: () => time.now() - readAt <= STALE_MS_MAX,
    keys: {
      ...keys,
      create: async (key) => {
        const made = await keys.create(key);
        if (made !== null && since === null) await close();
        if (made !== null) await secrets.ensureDefault(readTenant(key.tenant) ?? DEFAULT_TENANT);
        return made;
      },
      register: async (text) => {
        const came = await keys.register(text);
        if (since === null) await close();
        await secrets.ensureDefault(DEFAULT_TENANT);
        return came;
      },
    },
    secrets,
    capabilities,
    sessions,
    tokens,
    tickets,
    holds,
    close,
    lookAgain,
    refresh,
    stop: async () => {
      cancel();
      await stopHearing();
      await loop.stop();
    },
  };
}
