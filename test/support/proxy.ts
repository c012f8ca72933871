import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/*
 * A TCP proxy before Postgres that loses the connection exactly where it hurts: around a commit.
 */

/**
 * What to do with the next commit that passes: the word, or a statement that saves and is a transaction by itself.
 *
 * - `before`: it never reaches the server; the connection is cut
 * - `after`: it takes effect, and the connection is cut before the answer passes
 * - `limbo`: the client is cut off; the server goes on waiting in the middle of the transaction and gets the commit only once somebody
 *   has asked what became of it
 * - `conflict` (of the word only): nothing is cut; the server is told to roll back, the client that its transaction could not be serialized
 */
export type Cut = 'before' | 'after' | 'limbo' | 'conflict';

export type Proxy = {
  /** The address to connect to instead of the one given. */
  readonly url: string;
  readonly cutNextCommit: (how: Cut) => void;
  /** Commits that were cut so far. */
  readonly cuts: () => number;
  /** Every so many commits one is a `conflict`; 0: none. */
  readonly conflictEvery: (n: number) => void;
  /** Conflicts injected so far. */
  readonly injected: () => number;
  /** Ends all connections; `refuse`: takes no new ones either, until `accept`. */
  readonly refuse: () => void;
  readonly accept: () => void;
  readonly close: () => Promise<void>;
};

/** A simple query "commit" as it goes over the wire: kind, length, text, zero. */
const COMMIT = Buffer.from('Q\u0000\u0000\u0000\u000bcommit\u0000');
/** The name of a statement that saves. */
const SAVE = Buffer.from('save_');
/** What the server says when it has committed; after a statement that is alone, anything is the answer. */
const COMMITTED = Buffer.from('COMMIT\u0000');
const ANYTHING = Buffer.alloc(0);
const QUESTIONS = [Buffer.from('transaction_status'), Buffer.from('history_token'), SAVE];
const ROLLBACK = Buffer.from('Q\u0000\u0000\u0000\u000drollback\u0000');
const ROLLED_BACK = Buffer.from('C\u0000\u0000\u0000\u000dROLLBACK\u0000');
/** An error as the server would send it: severity twice, SQLSTATE, message. */
const CONFLICT = ((): Buffer => {
  const fields = Buffer.from(
    'SERROR\u0000VERROR\u0000C40001\u0000Mcould not serialize access (injected by a test)\u0000\u0000',
  );
  const head = Buffer.from('E\u0000\u0000\u0000\u0000');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
})();

export async function startProxy(target: string): Promise<Proxy> {
  const upstreamUrl = new URL(target);
  const sockets = new Set<Socket>();
  let cut: Cut | null = null;
  let cuts = 0;
  let refusing = false;
  let conflictEvery = 0;
  let commits = 0;
  let injected = 0;
  /** Delivers the commit that is kept back. */
  let deliver: (() => void) | null = null;

  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = tcpConnect(Number(upstreamUrl.port), upstreamUrl.hostname);
    let swallow: Buffer | null = null;
    let conflict = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.setNoDelay(true);
    }
    upstream.on('error', end);
    upstream.on('close', () => client.destroy());
    client.on('error', () => {});
    client.on('close', () => {
      if (deliver === null) upstream.destroy();
    });
    client.on('data', (data) => {
      if (deliver !== null && QUESTIONS.some((question) => data.includes(question))) {
        deliver();
        deliver = null;
      }
      const word = data.indexOf(COMMIT);
      if (word !== -1) {
        commits += 1;
        if (conflictEvery > 0 && commits % conflictEvery === 0) cut = 'conflict';
      }
      // A statement alone goes whole or not at all.
      const at = word === -1 && data.includes(SAVE) ? 0 : word;
      if (at === -1 || cut === null || (word === -1 && cut === 'conflict')) {
        upstream.write(data);
        return;
      }
      const how = cut;
      cut = null;
      cuts += 1;
      if (how === 'conflict') {
        conflict = true;
        injected += 1;
        upstream.write(Buffer.concat([data.subarray(0, at), ROLLBACK, data.subarray(at + COMMIT.length)]));
        return;
      }
      if (how === 'after') {
        swallow = word === -1 ? ANYTHING : COMMITTED;
        upstream.write(data);
        return;
      }
      upstream.write(data.subarray(0, at), () => {
        if (how === 'before') {
          end();
          return;
        }
        deliver = () => upstream.write(data.subarray(at));
        client.destroy();
      });
    });
    upstream.on('data', (data) => {
      const at = conflict ? data.indexOf(ROLLED_BACK) : -1;
      if (at !== -1) {
        conflict = false;
        client.write(Buffer.concat([data.subarray(0, at), CONFLICT, data.subarray(at + ROLLED_BACK.length)]));
      } else if (swallow === null) client.write(data);
      else if (data.includes(swallow)) end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(target);
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: url.href,
    cutNextCommit: (how) => {
      cut = how;
    },
    cuts: () => cuts,
    conflictEvery: (n) => {
      conflictEvery = n;
    },
    injected: () => injected,
    refuse: () => {
      refusing = true;
      for (const socket of sockets) socket.destroy();
    },
    accept: () => {
      refusing = false;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
