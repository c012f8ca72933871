import { setTimeout as wait } from 'node:timers/promises';
import pRetry from 'p-retry';
import pg from 'pg';
import { makeQueue } from '../runtime/bounded.ts';
import { type Hosts, streamOf } from './hosts.ts';
import { makeLines } from './lines.ts';
import { CONNECT_ALL_MS, CONNECT_MS, FULL_MS, IDLE_MS, LIFETIME_SECONDS } from './patience.ts';
import { isCollision, isFull, isHopeless, isLoss, told } from './refusals.ts';
import { OutcomeUnknown, StoreUnavailable } from './store.ts';
import type { DatabaseRow } from './tables/of-workflow.ts';

/** A statement with a name is prepared once per connection; the same name always has the same text. `jsonb`: that is what all its parameters are. */
export type Statement = { readonly name: string; readonly text: string; readonly jsonb?: true };
/** A statement with its values, to be sent. */
export type Sent = { readonly statement: Statement; readonly values: readonly unknown[] };
export type Result = { readonly rows: readonly DatabaseRow[]; readonly count: number; readonly command: string };

/** One connection, held by one caller. Statements may be sent before earlier ones were answered; they run in order. */
export type Connection = {
  run(statement: Statement, values?: readonly unknown[]): Promise<Result>;
  /** Text that is sent as it is, without preparing: begin, commit, rollback. */
  say(text: string): Promise<Result>;
  /** What `send` runs goes to the database in one piece: one packet for a whole pipeline. */
  together<T>(send: () => T): T;
  /** True once the connection is known to be dead; nothing sent after that reaches the database. */
  isLost(): boolean;
  /** True once a commit over it was told done that no standby has: a promotion would lose it. Such a server cannot tell whether it will. */
  isUnreplicated(): boolean;
  /** Ends the holding, once; `broken`: the connection is thrown away. */
  giveBack(broken?: boolean): void;
};

export type PoolFigures = { readonly used: number; readonly idle: number; readonly waiting: number };

/** Where connections come from: a pool of Postgres, or the one connection there is to the embedded database. */
export type Connections = {
  take(): Promise<Connection>;
  /** One statement outside of any transaction; sent again on another connection when the first turns out to be dead. */
  run(statement: Statement, values?: readonly unknown[]): Promise<Result>;
  close(): Promise<void>;
  /** Connections that are held, and that wait to be; callers that wait for one. */
  readonly figures?: () => PoolFigures;
};

/** Numbers for int8: our times and counts fit (2^53 milliseconds are 285,000 years). */
const INT8_OID = 20;
const toNumber = (text: string): number => Number(text);
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8_OID
      ? toNumber
      : format === 'binary'
        ? pg.types.getTypeParser(oid, 'binary')
        : pg.types.getTypeParser(oid, 'text')) as typeof pg.types.getTypeParser,
};

/**
 * The same connections, of which at most `max` are held at once through this door. Callers beyond `max` wait in order, and are told
 * at once when the database turns out to be away.
 *
 * The number of those who wait is bounded by the number of lanes.
 */
export function inTurn(connections: Connections, max: number): Pick<Connections, 'take'> {
  const waiting = makeQueue<{ readonly go: () => void; readonly fail: (error: unknown) => void }>();
  let holding = 0;
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) holding -= 1;
    else next.go();
  };
  return {
    take: async () => {
      if (holding >= max) await new Promise<void>((go, fail) => waiting.push({ go, fail }));
      else holding += 1;
      try {
        const connection = await connections.take();
        let given = false;
        return {
          ...connection,
          giveBack: (broken) => {
            connection.giveBack(broken);
            if (!given) leave();
            given = true;
          },
        };
      } catch (error) {
        holding -= 1;
        for (let other = waiting.shift(); other !== undefined; other = waiting.shift()) other.fail(error);
        throw error;
      }
    },
  };
}

/** A statement outside a transaction meets at most this many dead connections before we say so. */
const RUN_TRIES_MAX = 3;
/** And collides with others, where transactions are serializable, at most this often. */
const COLLISIONS_MAX = 20;

/**
 * A statement as a query of the driver's own. Given as a plain object it would be copied, property by property with all that describes it, which
 * costs as much as sending it.
 */
function asked(
  client: pg.ClientBase,
  text: string,
  values: unknown[],
  name: string | undefined,
): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    const query: pg.Query & { name?: string } = new pg.Query(text, values, (error, result) => {
      if (error) reject(error);
      else resolve(result as unknown as pg.QueryResult);
    });
    if (name !== undefined) query.name = name;
    client.query(query);
  });
}

/** `prepared` false: statements go without names, for poolers that cannot keep them. `asGiven`: how the driver is given a text that is jsonb. */
export function held(
  client: pg.ClientBase,
  prepared: boolean,
  lost: () => boolean,
  release: (broken: boolean) => void,
  isUnreplicated: () => boolean = () => false,
  asGiven: ((jsonb: string) => unknown) | null = null,
): Connection {
  let given = false;
  const resultOf = (result: pg.QueryResult): Result => ({
    rows: result.rows,
    count: result.rowCount ?? 0,
    command: result.command,
  });
  return {
    run: (statement, values = []) => {
      const given =
        asGiven !== null && statement.jsonb === true ? values.map((value) => asGiven(value as string)) : [...values];
      return asked(client, statement.text, given, prepared ? statement.name : undefined).then(resultOf);
    },
    say: async (text) => {
      const answer: pg.QueryResult | readonly pg.QueryResult[] = await client.query(text);
      const last = Array.isArray(answer) ? answer.at(-1) : answer;
      return resultOf(last as pg.QueryResult);
    },
    together: (send) => {
      const stream = streamOf(client);
      stream?.cork();
      try {
        return send();
      } finally {
        stream?.uncork();
      }
    },
    isLost: lost,
    isUnreplicated,
    giveBack: (broken = false) => {
      if (given) return;
      given = true;
      release(broken || lost());
    },
  };
}

/** The wait of a commit for its standby was cancelled: it is there, and may be gone after a promotion. Nobody here can tell. */
export const unreplicated = (doing: string, cause?: unknown): OutcomeUnknown =>
  new OutcomeUnknown(
    `The wait for the standby was cancelled while ${doing}: it is written on this server, and may be lost when another one takes over`,
    { cause },
  );

export function runOn(take: () => Promise<Connection>): Connections['run'] {
  return async (statement, values) => {
    for (let attempt = 1; ; attempt++) {
      const connection = await take();
      try {
        const result = await connection.run(statement, values);
        if (connection.isUnreplicated()) throw unreplicated(`running "${statement.name}"`);
        connection.giveBack();
        return result;
      } catch (error) {
        if (connection.isUnreplicated()) {
          connection.giveBack(true);
          throw unreplicated(`running "${statement.name}"`, error);
        }
        connection.giveBack(isLoss(error));
        const again = isCollision(error) ? attempt < COLLISIONS_MAX : isLoss(error) && attempt < RUN_TRIES_MAX;
        if (!again) throw told(error, `running "${statement.name}"`);
      }
    }
  };
}

/**
 * One statement that only reads, with each of the values, sent in one go over one connection; answers the rows of each, in order. Sent
 * again as a whole when the connection turns out to be dead, or one of them met a change in a serializable database.
 */
export async function runAll(
  connections: Pick<Connections, 'take'>,
  statement: Statement,
  values: readonly (readonly unknown[])[],
): Promise<readonly Result['rows'][]> {
  for (let attempt = 1; ; attempt++) {
    const connection = await connections.take();
    const answers = await Promise.allSettled(
      connection.together(() => values.map((given) => connection.run(statement, given))),
    );
    const failed = answers.find((answer) => answer.status === 'rejected');
    connection.giveBack(failed !== undefined && isLoss(failed.reason));
    if (failed === undefined) return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.rows : []));
    if (!(isCollision(failed.reason) || isLoss(failed.reason)) || attempt === RUN_TRIES_MAX)
      throw told(failed.reason, `running "${statement.name}"`);
  }
}

/** Connecting is tried this often, waiting 50, 100, 200, 400 and 800 ms between: a restart of Postgres goes by unnoticed. */
const CONNECT_RETRIES = 5;

/** What tries to connect may take; `hosts`: so many are tried at once, one after the other, before there is a wait. */
type Persistence = {
  readonly retries?: number;
  readonly withinMs?: number;
  readonly hosts?: number;
  readonly onFailure?: (error: Error) => void;
  /** Waits, in milliseconds. */
  readonly pause?: (ms: number) => Promise<unknown>;
};

const passes = (error: unknown): boolean =>
  !isHopeless(error) && (isLoss(error) || (error instanceof Error && error.message.startsWith('getaddrinfo')));

/** Tries again while connecting fails for reasons that pass; then says StoreUnavailable. */
export async function persist<T>(connect: () => Promise<T>, persistence: Persistence = {}): Promise<T> {
  const { retries = CONNECT_RETRIES, withinMs = CONNECT_ALL_MS, hosts = 1 } = persistence;
  const { onFailure = () => {}, pause = wait } = persistence;
  // The last try may take as long as any.
  const lastMs = Math.max(1, withinMs - CONNECT_MS);
  const startedAt = performance.now();
  const round = async (): Promise<T> => {
    for (let host = 1; ; host++)
      try {
        return await connect();
      } catch (error) {
        if (isFull(error)) await pause(FULL_MS);
        if (host >= hosts || !passes(error) || performance.now() - startedAt > lastMs) throw error;
      }
  };
  const first = round();
  let isFirst = true;
  try {
    // A connection is nearly always there: what is needed to try again is made when it is not.
    return await first;
  } catch {
    // It counts as the first of the tries.
  }
  try {
    const again = (): Promise<T> => {
      const tried = isFirst ? first : round();
      isFirst = false;
      return tried;
    };
    return await pRetry(again, {
      retries,
      minTimeout: 50,
      maxTimeout: 2_000,
      maxRetryTime: Math.max(0, lastMs - (performance.now() - startedAt)),
      factor: 2,
      onFailedAttempt: ({ error }) => onFailure(error),
      shouldRetry: ({ error }) => passes(error),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
    throw new StoreUnavailable(`Cannot connect to the database: ${reason}. Check DATABASE_URL and that Postgres runs`, {
      cause: error,
    });
  }
}

export type PoolSettings = {
  readonly hosts: Hosts;
  readonly name: string;
  readonly max: number;
  readonly prepared: boolean;
  /** Sent once on every new connection; empty for none. */
  readonly session: string;
  /** The client's own patience with one statement, beyond the server's: it ends connections that went silent. */
  readonly patienceMs: number;
  readonly onTrouble: (error: Error) => void;
  /** Told how long somebody waited for a connection. */
  readonly onTaken?: (seconds: number) => void;
  /** Told how many connections were ended, or are in doubt, because one of them was silent for too long. */
  readonly onSilence?: (connections: number) => void;
  /** Told when nothing was answered for some time (QUIET_MS), though something was asked. */
  readonly onQuiet?: () => void;
  readonly quietMs?: number;
};

/** Times a connection is taken whose server turns out to be silent; then connecting is what is tried. */
const SILENT_MAX = 50;

/** A pool of connections to Postgres. A lost connection is reported and replaced; it never brings the process down. */
export function postgresPool(settings: PoolSettings): Connections {
  const pool = new pg.Pool({
    // The pool hands its options to the constructor; its types do not tell.
    Client: settings.hosts.Client as new () => pg.ClientBase,
    application_name: settings.name,
    max: settings.max,
    pipeline: true,
    types,
    query_timeout: settings.patienceMs,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    onConnect: (async (client: pg.ClientBase) => {
      if (settings.session !== '') await client.query(settings.session);
    }) as (client: pg.ClientBase) => void,
  });
  const lines = makeLines({ ...settings, onSilence: settings.onSilence ?? (() => {}) });
  // Both: the pool listens to idle clients only, and an 'error' nobody listens to ends the process.
  pool.on('error', settings.onTrouble);
  pool.on('connect', lines.add);
  const one = async (): Promise<pg.PoolClient> => {
    for (let silent = 0; ; silent++) {
      const client = await pool.connect();
      if (silent >= SILENT_MAX || lines.isGood(client) || (await lines.works(client))) return client;
      client.release(true);
    }
  };
  const take = async (): Promise<Connection> => {
    const since = performance.now();
    const client = await persist(one, { hosts: settings.hosts.count });
    settings.onTaken?.((performance.now() - since) / 1000);
    return lines.watched(
      client,
      held(
        client,
        settings.prepared,
        () => lines.isDead(client),
        (broken) => {
          // The other side need not agree: one that is silent never would, and the pool waits for it.
          if (broken) lines.cut(client);
          client.release(broken);
        },
        () => lines.isUnreplicated(client),
      ),
    );
  };
  let closing: Promise<void> | null = null;
  return {
    take,
    run: runOn(take),
    close: () => {
      closing ??= pool.end().then(lines.close);
      return closing;
    },
    figures: () => ({
      used: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
  };
}
