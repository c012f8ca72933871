import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to connections that go out (from 32768, or 49152, on): one of those may have a port for as long as it likes while
 * its server is down, and then the server cannot come back.
 */
const FIRST = 15_000;
const LAST = 32_000;
const TRIES_MAX = 100;

/** A port of loopback that is free now, for servers that must come back where they were. */
export async function freePort(): Promise<number> {
  for (let n = 0; n < TRIES_MAX; n++) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`Of ${TRIES_MAX} ports from ${FIRST} to ${LAST} none was free`);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
