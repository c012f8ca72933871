import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { type Hosts, hangUp } from './hosts.ts';
import { CLIENT_MS } from './patience.ts';
import type { Store } from './store.ts';

/*
 * Telling other nodes that something waits for them, over a connection of its own. Nothing depends on it: polls lie beneath, so a
 * message that is lost while the connection is away costs time only.
 */

const CHANNEL = 'rota_wake';
/** Keys or secrets have changed. */
const KEYS_CHANNEL = 'rota_keys';
/** What lies in the memory of every node has changed: stored definitions, participants, subscriptions. */
const REGISTRY_CHANNEL = 'rota_registry';
/** At most one NOTIFY in this many milliseconds; what is asked for meanwhile goes with the next. */
const PAUSE_MS = 50;
/** Waits between the tries to connect again, in milliseconds; the last repeats. */
const RECONNECT_MS: readonly number[] = [100, 500, 2_000, 5_000];

export type Waking = Pick<
  Store,
  'onWake' | 'hearsWakes' | 'wakeOthers' | 'onKeys' | 'tellKeys' | 'onRegistry' | 'tellRegistry'
> & {
  readonly close: () => Promise<void>;
};

/** @param isAlone there are no other nodes that could tell anything */
export const noWaking = (isAlone: boolean): Waking => ({
  onWake: async () => async () => {},
  hearsWakes: () => isAlone,
  wakeOthers: () => {},
  onKeys: async () => async () => {},
  tellKeys: () => {},
  onRegistry: async () => async () => {},
  tellRegistry: () => {},
  close: async () => {},
});

export function makeWaking(hosts: Pick<Hosts, 'Client'>, onTrouble: (error: Error) => void): Waking {
  /** Our own messages come back to us; they are known by this. */
  const self = randomUUID();
  const listeners = new Set<() => void>();
  const keysListeners = new Set<() => void>();
  const registryListeners = new Set<() => void>();
  const listenersOf = (channel: string): Set<() => void> =>
    channel === KEYS_CHANNEL ? keysListeners : channel === REGISTRY_CHANNEL ? registryListeners : listeners;
  const all = function* (): Iterable<() => void> {
    yield* listeners;
    yield* keysListeners;
    yield* registryListeners;
  };
  let client: pg.Client | null = null;
  let connecting: Promise<void> | null = null;
  let reconnect: NodeJS.Timeout | null = null;
  let attempt = 0;
  let closed = false;

  const lost = (which: pg.Client): void => {
    if (client === which) client = null;
    hangUp(which);
    if (closed || reconnect !== null) return;
    const wait = RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)] ?? PAUSE_MS;
    attempt += 1;
    reconnect = setTimeout(() => {
      reconnect = null;
      void connected();
    }, wait);
    reconnect.unref();
  };

  /** Resolves once a try to connect has ended, well or not. */
  const connected = async (): Promise<void> => {
    if (client !== null || closed) return;
    connecting ??= (async () => {
      const fresh = new hosts.Client({ application_name: 'rota wake', query_timeout: CLIENT_MS });
      fresh.on('error', (error) => {
        onTrouble(error);
        lost(fresh);
      });
      fresh.on('notification', ({ channel, payload }) => {
        if (payload === self) return;
        for (const hear of listenersOf(channel)) hear();
      });
      try {
        await fresh.connect();
        await fresh.query(`listen ${CHANNEL}; listen ${KEYS_CHANNEL}; listen ${REGISTRY_CHANNEL}`);
        if (closed) {
          hangUp(fresh);
          return;
        }
        client = fresh;
        // What was said while we were away was not heard.
        if (attempt > 0) for (const hear of all()) hear();
        attempt = 0;
      } catch (error) {
        onTrouble(error instanceof Error ? error : new Error(String(error)));
        lost(fresh);
      }
    })().finally(() => {
      connecting = null;
    });
    await connecting;
  };

  /** What is told seldom goes by itself. */
  const say = (channel: string): void => {
    void connected().then(async () => {
      const over = client;
      try {
        await over?.query('select pg_notify($1, $2)', [channel, self]);
      } catch (error) {
        onTrouble(error instanceof Error ? error : new Error(String(error)));
        // Whatever it was: a connection over which nothing can be said hears nothing either.
        if (over !== null) lost(over);
      }
    });
  };

  let asked = false;
  let pause: NodeJS.Timeout | null = null;
  const tell = (): void => {
    asked = false;
    pause = setTimeout(() => {
      pause = null;
      if (asked) tell();
    }, PAUSE_MS);
    pause.unref();
    say(CHANNEL);
  };

  const hearing =
    (of: Set<() => void>) =>
    async (hear: () => void): Promise<() => Promise<void>> => {
      of.add(hear);
      await connected();
      return async () => {
        of.delete(hear);
      };
    };

  return {
    onWake: hearing(listeners),
    hearsWakes: () => client !== null,
    onKeys: hearing(keysListeners),
    tellKeys: () => say(KEYS_CHANNEL),
    onRegistry: hearing(registryListeners),
    tellRegistry: () => say(REGISTRY_CHANNEL),
    wakeOthers: () => {
      if (closed) return;
      asked = true;
      if (pause === null) tell();
    },
    close: async () => {
      closed = true;
      if (reconnect !== null) clearTimeout(reconnect);
      if (pause !== null) clearTimeout(pause);
      await connecting;
      if (client !== null) hangUp(client);
      client = null;
    },
  };
}
