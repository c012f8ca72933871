import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { findProgram, haproxyLines, nginxLines } from './front.ts';

/* The lines of the manual for the proxies before cells, tried on the real ones with servers behind them that tell what came. */

const MADE = { haproxy: haproxyLines, nginx: nginxLines } as const;
type Kind = keyof typeof MADE;

/** What a proxy is asked, and what arrives at which cell. */
const WAYS: readonly (readonly [asked: string, arrives: string])[] = [
  ['/v1/info', 'a /v1/info'],
  ['/c/a/v1/workflows?status=running&limit=1', 'a /v1/workflows?status=running&limit=1'],
  ['/c/b/v1/workflows', 'b /v1/workflows'],
  ['/t/acme/v1/workflows', 'b /v1/workflows'],
  ['/t/globex/v1/workflows?tag=a%20b', 'b /v1/workflows?tag=a%20b'],
  ['/t/initech/v1/workflows', 'a /v1/workflows'],
  ['/t/acmes/v1/workflows', 'a /v1/workflows'],
  ['/c/b/v1/business-keys/a%2Fb%20c', 'b /v1/business-keys/a%2Fb%20c'],
  ['/c/a/v1/t/acme/', 'a /v1/t/acme/'],
  ['/c/b/', 'b /'],
];

async function startProxy(program: string, kind: Kind, ports: { readonly a: number; readonly b: number }) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `rota-${kind}-`));
  chmodSync(folder, 0o755);
  const file = join(folder, 'proxy.conf');
  const lines = MADE[kind](port, ports, ['acme', 'globex']);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (of) => `${of}_temp_path ${join(folder, of)};`,
  );
  writeFileSync(
    file,
    kind === 'haproxy'
      ? lines
      : `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr; events {}\nhttp { access_log off; ${temporary.join(' ')}\n${lines} }`,
  );
  const args = kind === 'haproxy' ? ['-db', '-f', file] : ['-c', file];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-10_000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const url = `http://127.0.0.1:${port}`;
  await until(`${kind} answers`, async () => {
    if (isOver) throw new Error(`${kind} ended: ${said}`);
    return (await fetch(url).catch(() => null))?.status === 200;
  });
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe.each(Object.keys(MADE) as readonly Kind[])('the lines for %s', (kind) => {
  const program = findProgram(kind);
  if (program === null) console.log(`no ${kind} found: its lines in docs/scaling.md are not tried`);
  const cells: Server[] = [];
  beforeAll(async () => {
    for (const name of ['a', 'b']) {
      const server = createServer((request, response) => {
        response.setHeader('Seen-For', request.headers['x-forwarded-for'] ?? 'nobody');
        request.pipe(response);
        response.setHeader('Seen', `${name} ${request.url}`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      cells.push(server);
    }
  });
  afterAll(() => {
    for (const server of cells) {
      server.close();
      server.closeAllConnections();
    }
  });

  test.runIf(program !== null)('lead each path to its cell, word for word, and say who calls', async () => {
    const [a = 0, b = 0] = cells.map((cell) => (cell.address() as AddressInfo).port);
    const proxy = await startProxy(program ?? '', kind, { a, b });
    try {
      const arrived: (readonly [string, string | null])[] = [];
      for (const [asked] of WAYS) {
        const response = await fetch(`${proxy.url}${asked}`, { method: 'POST', body: 'as it came' });
        expect(await response.text()).toBe('as it came');
        expect(response.headers.get('seen-for')).toBe('127.0.0.1');
        arrived.push([asked, response.headers.get('seen')]);
      }
      expect(arrived).toEqual(WAYS);
    } finally {
      await proxy.stop();
    }
  });
});
