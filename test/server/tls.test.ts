import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { checkFiles } from '../../src/server/check-files.ts';
import { ConfigError, readConfig } from '../../src/server/config.ts';
import { healthComplaint } from '../../src/server/health.ts';
import { start } from '../../src/server/start.ts';
import { LOOK_EVERY_MS, readTls, reloadTls, tlsAtStart } from '../../src/server/tls.ts';

/* The server speaks https itself, and takes another certificate without losing a connection. Pairs of a hundred years lie in tls/. */

const given = (name: string): string => fileURLToPath(new URL(`tls/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'rota-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const files = { cert: join(folder, 'crt'), key: join(folder, 'key'), clientCa: null, clientAuth: 'off' } as const;
let changes = 0;
function put(cert: string, key = cert): void {
  copyFileSync(given(`${cert}.crt`), files.cert);
  copyFileSync(given(`${key}.key`), files.key);
  changes += 1;
  for (const path of [files.cert, files.key]) utimesSync(path, changes, changes);
}

/** Connects, and says whose certificate was shown. */
const opened = (port: number): Promise<{ readonly socket: TLSSocket; readonly name: string }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost' }, () =>
      resolve({ socket, name: String(socket.getPeerCertificate().subject.CN) }),
    ).on('error', reject);
  });
const asked = (socket: Socket, path = '/'): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const read = (part: Buffer): void => {
      text += String(part);
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', read);
      resolve(text);
    };
    socket.on('data', read);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  });

describe('files that are replaced', () => {
  const time = manualTime();
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });
  async function serving() {
    put('one');
    const server = createServer({ ...readTls(files, Date.now()).options }, (_request, response) =>
      response.end('hello'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tls = reloadTls(server, files, { time, log: silentLog, endsAt: 1 });
    closing.push(() => {
      tls.stop();
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const nameNow = async (): Promise<string> => {
      const { socket, name } = await opened(port);
      socket.destroy();
      return name;
    };
    return { tls, port, nameNow };
  }

  test('serve new connections within half a minute, or at once when told; those that are open live on', async () => {
    const { tls, port, nameNow } = await serving();
    const kept = await opened(port);
    expect(kept.name).toBe('one');
    put('two');
    expect(await nameNow()).toBe('one');
    time.pass(LOOK_EVERY_MS);
    expect(await nameNow()).toBe('two');
    expect(await asked(kept.socket)).toMatch(/^HTTP\/1.1 200/);
    kept.socket.destroy();
    put('one');
    expect(tls.reload()).toBe(true);
    expect(await nameNow()).toBe('one');
    expect(tls.figures()).toEqual({ endsAt: readTls(files, Date.now()).endsAt, failures: 0 });
  });

  test('change nothing when they cannot serve, and are tried again when they change again', async () => {
    const { tls, nameNow } = await serving();
    put('two', 'one');
    time.pass(LOOK_EVERY_MS);
    expect(await nameNow()).toBe('one');
    writeFileSync(files.key, 'half of a ke');
    rmSync(files.cert);
    expect(tls.reload()).toBe(false);
    expect(tls.figures()).toEqual({ endsAt: 1, failures: 2 });
    time.pass(LOOK_EVERY_MS);
    expect(await nameNow()).toBe('one');
    put('two');
    time.pass(LOOK_EVERY_MS);
    expect(await nameNow()).toBe('two');
  });
});

test.each<[string, () => void, number]>([
  ['a key of another', () => put('one', 'two'), Date.now()],
  [
    'no certificate',
    () => {
      put('one');
      writeFileSync(files.cert, 'x');
    },
    Date.now(),
  ],
  [
    'no key',
    () => {
      put('one');
      writeFileSync(files.key, 'x');
    },
    Date.now(),
  ],
  [
    'no file',
    () => {
      put('one');
      rmSync(files.cert);
    },
    Date.now(),
  ],
  ['an end that has passed', () => put('one'), Date.UTC(2200, 0)],
])('a certificate with %s is not taken, in words that name the file', (_, prepare, now) => {
  prepare();
  expect(() => readTls(files, now)).toThrow(files.cert.slice(0, -3));
});

test('a start with what cannot serve is a wrong setting', () => {
  put('one', 'two');
  expect(() => tlsAtStart(files)).toThrow(ConfigError);
  for (const wrong of [
    { TLS_CERT: files.cert },
    { TLS_KEY: files.key },
    { TLS_CLIENT_AUTH: 'required' },
    { TLS_CERT: files.cert, TLS_KEY: files.key, TLS_CLIENT_AUTH: 'optional' },
  ])
    expect(() => readConfig(wrong as Record<string, string>)).toThrow(ConfigError);
});

test('roots of clients without a certificate among them are a wrong setting, for nobody could connect', () => {
  put('one');
  expect(() => tlsAtStart({ ...files, clientCa: given('one.key'), clientAuth: 'required' })).toThrow(
    /one\.key cannot be/,
  );
  expect(() => tlsAtStart({ ...files, clientCa: given('two.crt'), clientAuth: 'required' })).not.toThrow();
});

test('files that settings name are looked at without a start, and every complaint is told', () => {
  put('one');
  const jwks = join(folder, 'jwks.json');
  const settings = {
    ...{
      TLS_CERT: files.cert,
      TLS_KEY: files.key,
      JWT_ISSUER: 'https://id.test',
      JWT_AUDIENCE: 'rota',
      JWT_JWKS: jwks,
    },
  };
  writeFileSync(jwks, '{"keys":[{"kty":"EC"}]}');
  expect(() => checkFiles(readConfig(settings))).not.toThrow();
  put('one', 'two');
  writeFileSync(jwks, '{}');
  expect(() => checkFiles(readConfig(settings))).toThrow(/is not the key of[\s\S]*has no list of keys/);
});

test('a whole server: https alone, its own address, clients that show who they are', { timeout: 180_000 }, async () => {
  put('one');
  const settings = {
    TLS_CERT: files.cert,
    TLS_KEY: files.key,
    TLS_CLIENT_CA: given('two.crt'),
    TLS_CLIENT_AUTH: 'required',
  };
  const config = readConfig({
    ...{ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent', ADMIN_KEY: makeKey().text },
    ...{ METRICS_LISTEN: '127.0.0.1:0', ...settings },
  });
  const server = await start(config);
  try {
    expect(server.url).toMatch(/^https:/);
    // A container that asks whether it lives has no certificate of a client, but another address, or its own.
    const metricsListen = new URL(server.metricsUrl ?? '').host;
    expect(await healthComplaint({ ...config, port: server.port, metricsListen })).toBe(null);
    const own = { ...config, port: server.port, metricsListen: null };
    expect(await healthComplaint(own)).toMatch(/cannot be asked.*METRICS_LISTEN/);
    expect(await healthComplaint({ ...own, tlsCert: given('two.crt'), tlsKey: given('two.key') })).toBe(null);
    const shown = await new Promise<TLSSocket>((resolve, reject) => {
      const socket: TLSSocket = connect(
        {
          port: server.port,
          host: '127.0.0.1',
          ca: readFileSync(given('one.crt')),
          cert: readFileSync(given('two.crt')),
          key: readFileSync(given('two.key')),
        },
        () => resolve(socket),
      ).on('error', reject);
    });
    expect(shown.authorized).toBe(true);
    expect(await asked(shown, '/livez')).toMatch(/^HTTP\/1.1 200/);
    shown.destroy();
    const { socket } = await opened(server.port);
    await new Promise<void>((resolve) => {
      socket.once('error', () => resolve());
      socket.once('close', () => resolve());
    });
  } finally {
    await server.stop();
  }
});
