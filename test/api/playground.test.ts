import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Running } from '../../src/server/start.ts';
import { openEvents } from '../support/event-stream.ts';
import { postJson, send, startServer } from '../support/server.ts';

/* Participants that live in the server itself, where callers must say who they are. */

const admin = makeKey().text;
const auth = { Authorization: `Bearer ${admin}` };
let server: Running;
beforeAll(async () => {
  server = await startServer({ ADMIN_KEY: admin, PLAYGROUND: '1', TEST_CLOCK: '1', RETRY_DELAYS: '1,1,1' });
}, 60_000);
afterAll(() => server?.stop(), 60_000);

const launch = async (participant: string, headers: Record<string, string> = auth): Promise<string> => {
  const body = {
    workflow: `define play\n  ${participant}`,
    callback: `${server.url}/v1/playground/participants/${participant}`,
  };
  return (await postJson(server.url, '/v1/workflows', body, headers)).json<{ id: string }>().id;
};
const shown = async (id: string, headers: Record<string, string> = auth) =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`, { headers })).json<{ status: string; fields: object }>();
const statusOf = async (id: string): Promise<string> => (await shown(id)).status;
const clock = (advance: number) => postJson(server.url, '/v1/test/clock', { advance }, auth);
const behave = (participant: string, manner: object) =>
  send(server.url, 'PUT', `/v1/playground/participants/${participant}`, {
    headers: { ...auth, 'Content-Type': 'application/json' },
    body: JSON.stringify(manner),
  });
type Request = { readonly participant: string; readonly body: Record<string, string> };
const requestsOf = async (headers: Record<string, string> = auth): Promise<readonly Request[]> =>
  (await send(server.url, 'GET', '/v1/playground/requests', { headers })).json<{ requests: readonly Request[] }>()
    .requests;

test('a participant of the playground answers as its manner says: at once, after failed tries, or by giving up', async () => {
  expect((await behave('quick', { manner: 'at_once', fields: { by: 'quick' } })).status).toBe(200);
  expect((await behave('shaky', { manner: 'fail_first', times: 2 })).status).toBe(200);
  expect((await behave('sorry', { manner: 'give_up', class: 'NoTime', message: 'not today' })).status).toBe(200);
  const [quick, shaky, sorry] = [await launch('quick'), await launch('shaky'), await launch('sorry')];
  await expect.poll(() => statusOf(quick)).toBe('completed');
  expect((await shown(quick)).fields).toEqual({ by: 'quick' });
  await expect.poll(() => statusOf(sorry)).toBe('error');
  await clock(5);
  await expect.poll(() => statusOf(shaky)).toBe('completed');
  expect((await requestsOf()).filter(({ participant }) => participant === 'shaky')).toHaveLength(3);
  const list = (await send(server.url, 'GET', '/v1/playground/participants', { headers: auth })).json();
  expect(list).toMatchObject({ participants: [{ name: 'quick' }, { name: 'shaky', times: 2 }, { name: 'sorry' }] });
  expect((await behave('quick', { manner: 'gladly' })).status).toBe(422);
});

test('a callback whose URL asks for it is proceeded at once, and the next one waits as before', async () => {
  const url = `${server.url}/v1/playground/participants/hasty`;
  const run = async (callback: string): Promise<string> =>
    (await postJson(server.url, '/v1/workflows', { workflow: 'define play\n  hasty', callback }, auth)).json<{
      id: string;
    }>().id;
  const [echoed, waits] = [await run(`${url}?manner=at_once`), await run(url)];
  await expect.poll(() => statusOf(echoed)).toBe('completed');
  await expect
    .poll(async () => (await requestsOf()).filter(({ participant }) => participant === 'hasty').length)
    .toBe(2);
  expect(await statusOf(waits)).toBe('running');
  const refused = await postJson(server.url, '/v1/playground/participants/hasty?manner=gladly', {}, auth);
  expect([refused.status, refused.json<{ code: string }>().code]).toEqual([400, 'query_invalid']);
});

test('it takes only callbacks of this server, and shows them to their tenant alone, without the token', async () => {
  const other = (
    await postJson(
      server.url,
      '/v1/keys',
      { name: 'other', scopes: ['admin', 'launch', 'operate', 'read'], tenant: 'other' },
      auth,
    )
  ).json<{ key: string }>().key;
  const theirs = { Authorization: `Bearer ${other}` };
  const id = await launch('secretary', theirs);
  await clock(0);
  const seen = await requestsOf(theirs);
  expect(seen.map(({ body }) => body['workflow_id'])).toEqual([id]);
  expect(seen[0]?.body['proceed_url']).toMatch(/\/proceed$/);
  expect((await requestsOf()).some(({ body }) => body['workflow_id'] === id)).toBe(false);
  for (const forged of [{}, seen[0]?.body ?? {}, { workitem_id: 'none', proceed_url: 'http://x/?token=abcd.e' }])
    expect((await postJson(server.url, '/v1/playground/participants/secretary', forged)).status).toBe(401);
  expect(await requestsOf(theirs)).toHaveLength(1);
});

test('requests come as a stream, say whether their signature is good, and what was answered', async () => {
  await behave('told', { manner: 'fail_first', times: 1 });
  const id = await launch('told');
  const stream = await openEvents(server.url, '/v1/playground/requests/stream', auth);
  expect(stream.headers['content-type']).toContain('text/event-stream');
  const ofThis = async (): Promise<JsonObject> => {
    for (;;) {
      const [one] = (await stream.upTo('request')).slice(-1);
      const request = JSON.parse(one?.data ?? '{}') as JsonObject & { readonly body: JsonObject };
      if (request.body['workflow_id'] === id && request['answer'] !== null) return { ...request, id: one?.id ?? '' };
    }
  };
  const first = await ofThis();
  expect(first).toMatchObject({ participant: 'told', signature: 'good', answer: { status: 503 } });
  expect(first['id']).toBe(String(first['n']));
  const again = await openEvents(server.url, `/v1/playground/requests/stream?after=${first['n']}`, auth);
  expect((await again.upTo('live')).some(({ data }) => data.includes(`"n":${first['n']},`))).toBe(false);
  again.cut();
  await clock(2);
  expect(await ofThis()).toMatchObject({ answer: { status: 200, text: 'kept' } });
  stream.cut();
  const one = await send(server.url, 'GET', `/v1/playground/requests/${first['n']}`, { headers: auth });
  expect(one.json()).toMatchObject({ participant: 'told', headers: { 'rota-try': '1' }, answer: { status: 503 } });
  const none = await send(server.url, 'GET', '/v1/playground/requests/999999', { headers: auth });
  expect(none.status).toBe(404);
  // Somebody else's bytes under the same signature.
  const kept = one.json<{ headers: Record<string, string>; body: JsonObject }>();
  const forged = { ...kept.body, proceed_url: 'http://x/' };
  expect((await postJson(server.url, '/v1/playground/participants/told', forged, kept.headers)).status).toBe(401);
});

test('a body that is nested too deep is refused before anybody walks it', async () => {
  const body = `{"workflow_id":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
  const answer = await send(server.url, 'POST', '/v1/playground/participants/x', {
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(422);
});
