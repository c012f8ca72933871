import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { healthComplaint } from '../../src/server/health.ts';

/* What a container asks to learn whether its server lives. */

async function serving(
  status: number,
): Promise<{ readonly server: Server; readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, asked };
}

test('a server lives when its /livez answers 200, wherever it listens; else it is said why not', async () => {
  const good = await serving(200);
  const bad = await serving(503);
  const { port } = good;
  for (const host of ['127.0.0.1', '0.0.0.0', '::', ''])
    expect(await healthComplaint({ host, port, tlsCert: null }), host).toBe(null);
  expect(new Set(good.asked)).toEqual(new Set(['GET /livez']));
  expect(await healthComplaint({ host: '127.0.0.1', port: bad.port, tlsCert: null })).toBe('/livez answered 503');
  good.server.close();
  good.server.closeAllConnections();
  expect(await healthComplaint({ host: '127.0.0.1', port, tlsCert: null })).toMatch(/cannot be asked: .*ECONNREFUSED/);
  // One that speaks no TLS where TLS is set does not live.
  expect(await healthComplaint({ host: '127.0.0.1', port: bad.port, tlsCert: 'cert.pem' })).toMatch(/cannot be asked/);
  bad.server.close();
  bad.server.closeAllConnections();
});

test('rota health ends with 0 where it does, and with 1 and the reason where it does not', async () => {
  const { server, port } = await serving(200);
  const told: string[] = [];
  // The test runner has one of its own.
  vi.stubEnv('BASE_URL', '');
  const spy = vi.spyOn(console, 'error').mockImplementation((text: string) => void told.push(text));
  try {
    expect(await run(['health', '--port', String(port)])).toBe(0);
    expect(told).toEqual([]);
    server.close();
    server.closeAllConnections();
    expect(await run(['health', '--port', String(port)])).toBe(1);
    expect(told.join()).toContain(`127.0.0.1:${port} cannot be asked`);
  } finally {
    vi.unstubAllEnvs();
    spy.mockRestore();
  }
});
