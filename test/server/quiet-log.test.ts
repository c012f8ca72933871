import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { makeLog } from '../../src/runtime/log.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { type Participant, postForm, postJson, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';

/* What a server writes into its log at the finest level, while secrets and the things of callers go through it in every way there is. */

const MARKER = 'mark3r-of-a-secret';
const admin = makeKey().text;
let lines = '';
let server: Running;
let alpha: Participant;
beforeAll(async () => {
  alpha = await startParticipant(({ body }) => (body.participant === 'bravo' ? 204 : 503));
  const log = makeLog({
    level: 'trace',
    sink: {
      write: (bytes) => {
        lines += Buffer.from(bytes).toString();
        return bytes.length;
      },
    },
  });
  server = await start(readConfig({ DATA_DIR: 'memory:', PORT: '0', TEST_CLOCK: '1', ADMIN_KEY: admin }), { log });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

test('holds no key, token, field, query, header or cookie, however they come, and tells of each request and each try', async () => {
  const { url } = server;
  const signed = { Authorization: `Bearer ${admin}` };
  const made = await postJson(url, '/v1/keys', { name: 'shop', scopes: ['launch'] }, signed);
  const { key } = made.json<{ key: string }>();
  const session = await postJson(url, '/v1/session', { key: admin });
  const cookie = String(session.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  const body = {
    workflow: `define\n  alpha note: "${MARKER}"\n  bravo\n`,
    callback: `${alpha.url}?secret=${MARKER}`,
    fields: { name: MARKER },
  };
  const launched = await postJson(url, `/v1/workflows?mark=${MARKER}`, body, {
    Authorization: `Bearer ${key}`,
    'X-Marker': MARKER,
    Cookie: `a=${MARKER}`,
    'Idempotency-Key': MARKER,
  });
  const { id } = launched.json<{ id: string }>();
  const called = await alpha.next();
  const token = new URL(called.body.proceed_url).searchParams.get('token') ?? '';
  expect(token).not.toBe('');
  // The try has ended and is told.
  expect((await postJson(url, '/v1/test/clock', { advance: 0 }, signed)).status).toBe(200);
  // Refused ones, too: a key with a character changed, a token of nothing, a form, a password in an address.
  await send(url, 'GET', '/v1/workflows', { headers: { 'X-API-Key': `${key.slice(0, -1)}_` } });
  await send(url, 'GET', `/v1/workflows?tag=${MARKER}`, { headers: { Cookie: cookie } });
  await send(url, 'GET', '/v1/me', { headers: { Authorization: `Bearer ${MARKER}.${MARKER}.${MARKER}` } });
  await send(url, 'GET', `/v1/events/stream?ticket=${MARKER}`);
  await postForm(url, '/v1/workflows', `workflow=${MARKER}&callback=http://u:${MARKER}@127.0.0.1/`, signed);
  await send(url, 'POST', `${new URL(called.body.proceed_url).pathname}?token=${MARKER}`);
  const { pathname, search } = new URL(called.body.proceed_url);
  expect((await send(url, 'POST', pathname + search, { headers: { 'X-Marker': MARKER } })).status).toBe(201);
  const bravo = await alpha.next();
  expect((await postJson(url, '/v1/test/clock', { advance: 0 }, signed)).status).toBe(200);

  // A probe is told of where it brings an id, and else at a level that is not read every day.
  for (const headers of [{ 'X-Request-Id': 'mine-7' }, {}] as const) await send(url, 'GET', '/v1/ping', { headers });
  const pings = await until('both are told of', () => {
    const found = lines.split('\n').filter((line) => line.includes('"route":"/v1/ping"'));
    return found.length === 2 ? found : null;
  });
  expect(pings.map((line) => (JSON.parse(line) as { level: number }).level)).toEqual([30, 20]);
  expect(pings[0]).toContain('"request_id":"mine-7"');

  const keys = [admin, key].map((text) => text.split('_').at(-1) ?? '');
  for (const secret of [MARKER, ...keys, token, cookie.split('=').at(-1) ?? ''])
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, ''), encodeURIComponent(secret)])
      expect(lines.includes(form), `${form.slice(0, 12)}… stands in the log`).toBe(false);
  const told = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told.find(({ event, workflow_id }) => event === 'try.failed' && workflow_id === id)).toMatchObject({
    host: `127.0.0.1:${alpha.port}`,
    status: 503,
  });
  expect(told.find(({ event, workflow_id }) => event === 'try.delivered' && workflow_id === id)).toMatchObject({
    workitem_id: bravo.body.workitem_id,
    participant: 'bravo',
    host: `127.0.0.1:${alpha.port}`,
  });
  const proceeded = told.find(({ route, status }) => String(route).endsWith('/proceed') && status === 201);
  expect(proceeded).toMatchObject({ workflow_id: id, bytes_out: 2 });
});
