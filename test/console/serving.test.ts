import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConsole } from '../../src/console/files.ts';
import { POLICY, withConsole } from '../../src/console/serve.ts';
import { send, startServer } from '../support/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'rota-console-'));
let server: Server;
let url = '';

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><base href="/console/"><title>Rota</title>');
  writeFileSync(join(folder, 'assets/index-AbCd1234.js'), 'export {};');
  writeFileSync(join(folder, 'secret.key'), 'not a page');
  const files = readConsole(folder, '/rota');
  if (files === null) throw new Error('There is a console');
  server = createServer(withConsole(files, '/rota', (_, response) => response.writeHead(418).end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const page = { Accept: 'text/html' };

test('a browser that opens / is sent to the console below the public path; all others are answered as ever', async () => {
  const sent = await send(url, 'GET', '/', { headers: page });
  expect([sent.status, sent.headers['location']]).toEqual([302, '/rota/console/']);
  expect((await send(url, 'GET', '/')).status).toBe(418);
  expect((await send(url, 'GET', '/v1/ping', { headers: page })).status).toBe(418);
});

test('every address of a page gives the document, whose base is the public path, with the policy', async () => {
  for (const path of ['/console/', '/console/workflows/2015?view=outline']) {
    const answer = await send(url, 'GET', path, { headers: page });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('<base href="/rota/console/"');
    expect(answer.headers['content-security-policy']).toBe(POLICY);
    expect(answer.headers['cache-control']).toBe('no-cache');
    const again = await send(url, 'GET', path, {
      headers: { ...page, 'If-None-Match': String(answer.headers['etag']) },
    });
    expect(again.status).toBe(304);
  }
});

test('files with a hash in their name are kept for a year, a missing one is 404, and no path reaches the disk', async () => {
  const asset = await send(url, 'GET', '/console/assets/index-AbCd1234.js');
  expect(asset.headers['cache-control']).toContain('immutable');
  const small = await send(url, 'GET', '/console/assets/index-AbCd1234.js', { headers: { 'Accept-Encoding': 'br' } });
  expect(small.headers['content-encoding']).toBe('br');
  for (const path of [
    '/console/assets/gone-12345678.js',
    '/console/secret.key',
    '/console/../secret.key',
    '/console/%2e%2e/secret.key',
  ])
    expect((await send(url, 'GET', path)).status).not.toBe(200);
  expect((await send(url, 'GET', '/console/assets/gone-12345678.js', { headers: page })).status).toBe(404);
  expect((await send(url, 'POST', '/console/')).status).toBe(405);
});

test('a folder without a built console is none', () => {
  expect(readConsole(join(folder, 'assets'), '')).toBe(null);
});

test('with CONSOLE=0 nothing is below /console/, a browser is sent nowhere, and all else answers as ever', async () => {
  const without = await startServer({ CONSOLE: '0' });
  try {
    for (const path of ['/', '/console', '/console/', '/console/workflows', '/console/assets/index-AbCd1234.js'])
      expect((await send(without.url, 'GET', path, { headers: page })).status, path).toBeGreaterThanOrEqual(404);
    expect((await send(without.url, 'GET', '/v1/workflows')).status).toBe(200);
  } finally {
    await without.stop();
  }
});
