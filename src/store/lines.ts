import { setImmediate as roundOfLoop } from 'node:timers/promises';
import type pg from 'pg';
import { hangUp, streamOf } from './hosts.ts';
import { PROBE_MS, QUIET_MS } from './patience.ts';

/*
 * The connections of one pool, each with what is known of the other side: when it was heard last, and whether it may be believed. One that
 * went silent is seldom alone: what it had in common with its neighbours, an address or a server, is gone.
 */

export type Lines = {
  /** A connection was made. */
  add(client: pg.ClientBase): void;
  isDead(client: pg.ClientBase): boolean;
  /** A commit over it was told done whose wait for a standby had been cancelled. */
  isUnreplicated(client: pg.ClientBase): boolean;
  /** It lives, and nothing speaks against it. */
  isGood(client: pg.ClientBase): boolean;
  /** False when it is in doubt, was asked, and did not answer in time. */
  works(client: pg.ClientBase): Promise<boolean>;
  /** The same connection, listened to. */
  watched<Given extends Talk>(client: pg.ClientBase, connection: Given): Given;
  /** Ends it without waiting for the other side. */
  cut(client: pg.ClientBase): void;
  /** Ends those that have not ended by themselves. */
  close(): void;
};

/** What is listened to of a connection: each answers once the other side has. */
type Talk = {
  readonly run: (...given: never[]) => Promise<unknown>;
  readonly say: (...given: never[]) => Promise<unknown>;
};

type Line = {
  /** Statements that were sent and not answered. */
  asked: number;
  heardAt: number;
  dead: boolean;
  doubted: boolean;
  unreplicated: boolean;
};

/** The function of the server that waits for a standby; the words of its notice are translated. */
const WAIT_FOR_STANDBY = 'SyncRepWaitForLSN';
/** The driver's words for a statement that it gave up. */
const GIVEN_UP = 'Query read timeout';
/** A neighbour that was heard within this part of the patience is not suspected. */
const SUSPECT_PART = 0.75;
/** A goodbye takes no longer. */
const GOODBYE_MS = 500;

export function makeLines(parts: {
  readonly patienceMs: number;
  readonly onSilence: (connections: number) => void;
  /** Told when nothing was answered over any of them for `quietMs`, though something was asked. */
  readonly onQuiet?: () => void;
  readonly quietMs?: number;
}): Lines {
  const { onQuiet, quietMs = QUIET_MS } = parts;
  let looking: NodeJS.Timeout | null = null;
  /** What is known of one stays known while somebody holds it: a server may say why it goes just before it goes. */
  const lines = new WeakMap<pg.ClientBase, Line>();
  const living = new Set<pg.ClientBase>();
  const lineOf = (client: pg.ClientBase): Line => {
    const line = lines.get(client);
    if (line === undefined) throw new Error('A connection came from nowhere');
    return line;
  };

  /** One statement was given up: neighbours that owe an answer for as long are ended, idle ones are asked before they are used. */
  function suspect(): void {
    const before = performance.now() - parts.patienceMs * SUSPECT_PART;
    let suspects = 1;
    for (const client of living) {
      const line = lineOf(client);
      if (line.dead || line.doubted || line.heardAt > before) continue;
      suspects += 1;
      line.doubted = true;
      if (line.asked > 0) streamOf(client)?.destroy();
    }
    parts.onSilence(suspects);
  }

  /** From now on it is looked whether anything is answered, as long as something is asked. */
  function look(): void {
    looking = setTimeout(() => void lookAround(), quietMs);
    looking.unref();
  }
  async function lookAround(): Promise<void> {
    // A process that stood still itself has answers that nobody has read yet.
    await roundOfLoop();
    await roundOfLoop();
    looking = null;
    const all = [...living].map(lineOf);
    if (all.every(({ asked }) => asked === 0)) return;
    const since = performance.now() - quietMs;
    if (all.every(({ heardAt }) => heardAt <= since)) onQuiet?.();
    look();
  }

  async function listened<T>(line: Line, answer: Promise<T>): Promise<T> {
    // A connection over which nothing was asked for long has been silent since now.
    if (line.asked === 0) line.heardAt = performance.now();
    line.asked += 1;
    if (looking === null && onQuiet !== undefined) look();
    try {
      const heard = await answer;
      line.heardAt = performance.now();
      return heard;
    } catch (error) {
      if (error instanceof Error && error.message === GIVEN_UP) {
        // One that is doubted already was found silent with a neighbour: several that are given up together are told once.
        const isFirst = !line.dead && !line.doubted;
        line.dead = true;
        if (isFirst) suspect();
      } else line.heardAt = performance.now();
      throw error;
    } finally {
      line.asked -= 1;
    }
  }

  return {
    add: (client) => {
      const line: Line = { asked: 0, heardAt: performance.now(), dead: false, doubted: false, unreplicated: false };
      lines.set(client, line);
      living.add(client);
      client.on('error', () => {
        line.dead = true;
      });
      client.on('end', () => {
        line.dead = true;
        living.delete(client);
      });
      client.on('notice', (notice) => {
        if (notice.routine === WAIT_FOR_STANDBY) line.unreplicated = true;
      });
    },
    isDead: (client) => lineOf(client).dead,
    isUnreplicated: (client) => lineOf(client).unreplicated,
    isGood: (client) => {
      const { dead, doubted } = lineOf(client);
      return !dead && !doubted;
    },
    works: async (client) => {
      const line = lineOf(client);
      if (line.dead) return false;
      if (!line.doubted) return true;
      try {
        await client.query(Object.assign({ text: 'select 1' }, { query_timeout: PROBE_MS }));
        line.doubted = false;
        line.heardAt = performance.now();
        return true;
      } catch {
        // Why does not matter: another one is taken. Those that are in doubt as well are not asked one by one.
        for (const other of living) {
          const its = lineOf(other);
          if (other !== client && !(its.doubted && its.asked === 0)) continue;
          its.dead = true;
          hangUp(other);
        }
        return false;
      }
    },
    watched: (client, connection) => {
      const line = lineOf(client);
      return {
        ...connection,
        run: (...given: never[]) => listened(line, connection.run(...given)),
        say: (...given: never[]) => listened(line, connection.say(...given)),
      };
    },
    cut: (client) => {
      lineOf(client).dead = true;
      streamOf(client)?.destroy();
    },
    close: () => {
      if (looking !== null) clearTimeout(looking);
      const timer = setTimeout(() => {
        for (const client of living) hangUp(client);
      }, GOODBYE_MS);
      timer.unref();
    },
  };
}
