import { createServer, type Socket } from 'node:net';

/* As much of Postgres as a client needs to connect and to ask something; what it answers is the test's to say. */

export type FakePostgres = {
  readonly port: number;
  /** Connections that were made so far. */
  readonly made: () => number;
  /** Connections that are open. */
  readonly open: () => number;
  /** Changes how it behaves from now on. */
  readonly set: (how: Partial<Behaviour>) => void;
  readonly close: () => Promise<void>;
};

export type Behaviour = {
  /** Answers nothing on connections that are made, nor, for ever, on those there are. */
  readonly silent: boolean;
  readonly standby: boolean;
  readonly readOnly: boolean;
  /** Refuses whoever comes, with this SQLSTATE. */
  readonly refuses: string | null;
  /** Tells with each answer that the wait for the standby was cancelled. */
  readonly unreplicated: boolean;
};

function message(kind: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const int = (n: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(n);
  return buffer;
};
const END = Buffer.from([0]);
const READY = message('Z', Buffer.from('I'));
const refusal = (code: string): Buffer => message('E', 'SFATAL', 'VFATAL', `C${code}`, 'Mnot let in by a test', END);
const UNREPLICATED = message(
  'N',
  ...['SWARNUNG', 'VWARNING', 'C01000', 'Mder Test wartet nicht', 'RSyncRepWaitForLSN'],
  END,
);

export async function startFakePostgres(how: Partial<Behaviour> = {}): Promise<FakePostgres> {
  let behaviour: Behaviour = {
    ...{ silent: false, standby: false, readOnly: false, refuses: null, unreplicated: false },
    ...how,
  };
  let made = 0;
  const sockets = new Set<Socket>();
  /** Once silent, always. */
  const muted = new WeakSet<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let begun = false;
    if (behaviour.silent) muted.add(socket);
    socket.on('data', (data) => {
      if (muted.has(socket)) return;
      if (!begun) {
        begun = true;
        made += 1;
        if (behaviour.refuses !== null) {
          socket.end(refusal(behaviour.refuses));
          return;
        }
        socket.write(
          Buffer.concat([
            message('R', int(0)),
            message('S', 'in_hot_standby', behaviour.standby ? 'on' : 'off'),
            message('S', 'default_transaction_read_only', behaviour.readOnly ? 'on' : 'off'),
            message('K', int(1), int(2)),
            READY,
          ]),
        );
        return;
      }
      if (data[0] === 'X'.charCodeAt(0)) return void socket.end();
      // Simple queries only, each answered with a command that touched nothing.
      for (let at = 0; at < data.length; at += 1 + data.readInt32BE(at + 1))
        socket.write(
          Buffer.concat([...(behaviour.unreplicated ? [UNREPLICATED] : []), message('C', 'UPDATE 0'), READY]),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    made: () => made,
    open: () => sockets.size,
    set: (change) => {
      behaviour = { ...behaviour, ...change };
      if (behaviour.silent) for (const socket of sockets) muted.add(socket);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
