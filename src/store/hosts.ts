import { Duplex } from 'node:stream';
import pg from 'pg';
import { urlOf } from '../model/url.ts';
import { CONNECT_MS, KEEP_ALIVE_MS } from './patience.ts';

/*
 * Several servers in one DATABASE_URL, of which one can write: `postgres://user:password@db1,db2:5433/rota`. The driver knows one host only, so
 * each client is made for the host that was good last, and moves on when that one cannot be used.
 */

/** More hosts than a group of servers that follow each other has. */
export const HOSTS_MAX = 16;
const ATTRIBUTE = 'target_session_attrs';
/** What `target_session_attrs` may be; the first two mean the same here. */
const ATTRIBUTES = ['read-write', 'primary', 'any'];

/** What DATABASE_URL has to be. */
export const URL_WANTED =
  `like postgres://user:password@host:5432/database; several hosts are separated by commas, ${HOSTS_MAX} at most, ` +
  `and ${ATTRIBUTE} is ${ATTRIBUTES.join(', ')}`;

export type DatabaseHosts = {
  /** One address for each host. */
  readonly urls: readonly string[];
  /** Whether a server that only reads is passed over. */
  readonly writes: boolean;
};

/** Reads DATABASE_URL; null when it cannot be used. */
export function readHosts(given: string): DatabaseHosts | null {
  const scheme = /^postgres(?:ql)?:\/\//i.exec(given)?.[0];
  if (scheme === undefined) return null;
  const rest = given.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const behind = end < 0 ? '' : rest.slice(end);
  const at = authority.lastIndexOf('@') + 1;
  const names = authority.slice(at).split(',');
  if (names.length > HOSTS_MAX || (names.length > 1 && names.includes(''))) return null;
  const urls: string[] = [];
  let writes = names.length > 1;
  for (const name of names) {
    const text = `${scheme}${authority.slice(0, at)}${name}${behind}`;
    const url = urlOf(text);
    if (url === null) return null;
    const attributes = url.searchParams.getAll(ATTRIBUTE);
    const [attribute] = attributes;
    if (attribute === undefined) {
      // As it was given: the driver knows spellings that come out differently here.
      urls.push(text);
      continue;
    }
    if (attributes.length > 1 || !ATTRIBUTES.includes(attribute)) return null;
    writes = attribute !== 'any';
    url.searchParams.delete(ATTRIBUTE);
    urls.push(url.href);
  }
  return { urls, writes };
}

/** Where the database is, for people: `db1:5432, db2:5433/rota`. Never how one gets in. */
export function shownHosts(given: string): string {
  const urls = (readHosts(given)?.urls ?? []).map((url) => new URL(url));
  const names = urls.map(({ hostname, port, searchParams }) => {
    const host = hostname === '' ? (searchParams.get('host') ?? 'localhost') : hostname;
    return `${host}:${port === '' ? '5432' : port}`;
  });
  return `${names.join(', ')}${urls[0]?.pathname ?? ''}`;
}

/** A server that was reached and can only be read: a standby, or one that was told to be. */
class OnlyReads extends Error {
  readonly code = '25006';
}

/** The hosts of one database, as all connections of this process know them. */
export type Hosts = {
  readonly count: number;
  /** Makes connections to the host that was good last. One that fails to connect has moved on to the next host. */
  readonly Client: new (
    config?: pg.ClientConfig,
  ) => pg.Client;
};

/** @throws when the address cannot be used; the settings were checked with `readHosts` before */
export function makeHosts(databaseUrl: string): Hosts {
  const read = readHosts(databaseUrl);
  if (read === null) throw new Error(`DATABASE_URL must be ${URL_WANTED}`);
  const { urls, writes } = read;
  /** The host that was good last, or is to be tried next. */
  let good = 0;

  class HostClient extends pg.Client {
    readonly #host = good;
    /** What the server announces at the start of a session; a pooler, or one that is too old, announces nothing. */
    readonly #announced = new Map<string, string>();

    constructor(config?: pg.ClientConfig) {
      super({
        ...config,
        connectionString: urls[good],
        connectionTimeoutMillis: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      });
      if (writes)
        connectionOf(this)?.on('parameterStatus', (said: { parameterName: string; parameterValue: string }) =>
          this.#announced.set(said.parameterName, said.parameterValue),
        );
    }

    /** The pool calls it with a callback, we without. */
    override connect(): Promise<pg.Client>;
    override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
    override connect(callback?: unknown): Promise<pg.Client> | undefined {
      if (typeof callback !== 'function')
        return new Promise((resolve, reject) =>
          this.#connect((error) => (error === null ? resolve(this) : reject(error))),
        );
      this.#connect((error) => (error === null ? callback(null, this) : callback(error)));
      return undefined;
    }

    #connect(done: (error: Error | null) => void): void {
      super.connect((error: Error | null) => {
        const refused = error ?? this.#complaint();
        if (refused !== null) {
          // Somebody else may have moved on meanwhile.
          if (good === this.#host) good = (good + 1) % urls.length;
          // One that answered and is of no use is not waited for, and its end is no news.
          if (error === null) hangUp(this);
        }
        done(refused);
      });
    }

    #complaint(): Error | null {
      const isStandby = this.#announced.get('in_hot_standby') === 'on';
      if (!isStandby && this.#announced.get('default_transaction_read_only') !== 'on') return null;
      return new OnlyReads(
        `the server at ${this.host}:${this.port} ${isStandby ? 'is a standby' : 'takes no writes (default_transaction_read_only is on)'}`,
      );
    }
  }
  return { count: urls.length, Client: HostClient };
}

/* What the driver has and its types do not tell. */

type Emitter = { readonly on: (event: string, hear: (said: never) => void) => unknown };

function connectionOf(client: pg.ClientBase): (Emitter & { readonly stream: unknown }) | null {
  const connection: unknown = 'connection' in client ? client.connection : null;
  return typeof connection === 'object' && connection !== null && 'stream' in connection && 'on' in connection
    ? (connection as Emitter & { readonly stream: unknown })
    : null;
}

/** The socket below a client; null where there is none. */
export function streamOf(client: pg.ClientBase): Duplex | null {
  const stream = connectionOf(client)?.stream;
  return stream instanceof Duplex ? stream : null;
}

/** Ends a connection without waiting for the other side to agree: one that is silent never would. */
export function hangUp(client: pg.ClientBase): void {
  // From here on the end of its socket is what we wanted, and no error. What it resolves to is the same end once more.
  if (client instanceof pg.Client) void client.end().catch(() => {});
  streamOf(client)?.destroy();
}
