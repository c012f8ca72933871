import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/*
 * A TCP proxy before Postgres that loses the connection exactly where it hurts: around a commit.
 */

/**
 * What to do with the next `commit` that passes.
 *
 * - `before`: it never reaches the server; the connection is cut
 * - `after`: it takes effect, and the connection is cut before the answer passes
 * - `limbo`: the client is cut off; the server goes on waiting in the middle of the transaction and gets the commit only once somebody
 *   has asked what became of it
 */
export type Cut = 'before' | 'after' | 'limbo';

export type Proxy = {
  /** The address to connect to instead of the one given. */
  readonly url: string;
  readonly cutNextCommit: (how: Cut) => void;
  /** Ends all connections; `refuse`: takes no new ones either, until `accept`. */
  readonly refuse: () => void;
  readonly accept: () => void;
  readonly close: () => Promise<void>;
};

/** A simple query "commit" as it goes over the wire: kind, length, text, zero. */
const COMMIT = Buffer.from('Q\u0000\u0000\u0000\u000bcommit\u0000');
const COMMITTED = Buffer.from('COMMIT\u0000');
const QUESTION = Buffer.from('transaction_status');

export async function startProxy(target: string): Promise<Proxy> {
  const upstreamUrl = new URL(target);
  const sockets = new Set<Socket>();
  let cut: Cut | null = null;
  let refusing = false;
  /** Delivers the commit that is kept back. */
  let deliver: (() => void) | null = null;

  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = tcpConnect(Number(upstreamUrl.port), upstreamUrl.hostname);
    let swallow = false;
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
      if (deliver !== null && data.includes(QUESTION)) {
        deliver();
        deliver = null;
      }
      const at = cut === null ? -1 : data.indexOf(COMMIT);
      if (at === -1) {
        upstream.write(data);
        return;
      }
      const how = cut;
      cut = null;
      if (how === 'after') {
        swallow = true;
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
      if (!swallow) client.write(data);
      else if (data.includes(COMMITTED)) end();
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
