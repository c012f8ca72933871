import { connect, createServer, type Socket } from 'node:net';

/* An address that follows the server that writes, as a name, a virtual address or a proxy does. */

export type Address = {
  /** Postgres by this address. */
  readonly url: string;
  /** New connections go there from now on; null: they are taken and nothing comes of them. */
  readonly point: (port: number | null) => void;
  /** What becomes of the connections there are: they are reset, or stay open and are silent for ever. */
  readonly leave: (how: 'reset' | 'silent') => void;
  readonly close: () => Promise<void>;
};

export async function startAddress(port: number): Promise<Address> {
  let target: number | null = port;
  const sockets = new Set<Socket>();
  let pairs = new Set<readonly [Socket, Socket]>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // What a socket dies of is told by its end.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (target === null) return;
    const upstream = connect(target, '127.0.0.1');
    keep(upstream);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [socket, other] of [pair, [upstream, client] as const])
      socket.on('close', () => {
        // One that was left silent stays open.
        if (pairs.delete(pair)) other.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address();
  return {
    url: `postgres://rota@127.0.0.1:${typeof own === 'object' && own !== null ? own.port : 0}/postgres`,
    point: (next) => {
      target = next;
    },
    leave: (how) => {
      const left = pairs;
      pairs = new Set();
      for (const [client, upstream] of left) {
        client.unpipe();
        upstream.unpipe();
        upstream.destroy();
        if (how === 'reset') client.resetAndDestroy();
        else client.resume();
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
