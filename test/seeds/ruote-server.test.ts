import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { curl, hostOf, type Names } from './curl.ts';

/*
 * The first server of this interface, a Ruote behind HTTP: its page prints a launch, the callback that follows, a proceed and a cancel. They
 * are asked here as they are printed, but for hosts and ids.
 */

let server: Running;
let alpha: Participant;
/** `http://core.dev` is where the page has its server, `localhost:1234` where it has alpha. */
let hosts: { readonly core: Names; readonly alpha: Names };
beforeAll(async () => {
  alpha = await startParticipant();
  server = await startServer({ BASE_URL: 'http://core.dev', ALLOW_PRIVATE_TARGETS: '1', TEST_CLOCK: '1' });
  hosts = { core: { 'core.dev': hostOf(server.url) }, alpha: { 'localhost:1234': `127.0.0.1:${alpha.port}` } };
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

const ID = '20151005-1247-kogadeso-gekunute';
const WORKITEM = '0_0!023abf5d398319b1c8fcbfaf70e7c780';
const AN_ID = /^\d{8}-\d{4}-[a-z]+-[a-z]+$/;

const LAUNCH = String.raw`
curl http://core.dev/v1/workflows \
-d "workflow=<process-definition name=\"aaa\"><participant ref=\"alpha\" /></process-definition>" \
-d "callbacks[alpha]=http://localhost:1234/callbacks/alpha"
`;
async function launch(): Promise<string> {
  const answer = await curl(LAUNCH, { ...hosts.core, ...hosts.alpha });
  expect(answer.status, answer.text).toBe(201);
  expect(answer.json()).toEqual({ id: expect.stringMatching(AN_ID) });
  return answer.json<{ id: string }>().id;
}

/** The proceed of the page; the workitem it names is that of a workflow of the same id. */
const proceed = (id: string, workitemId: string) =>
  curl(
    `curl http://core.dev/v1/workflows/${ID}/workitems/${WORKITEM}!${ID}/proceed \\
-d "fields[status]=successful"`,
    { ...hosts.core, [`${WORKITEM}!${ID}`]: workitemId, [ID]: id },
  );

test('a launch calls alpha, whose proceed ends it', async () => {
  const id = await launch();
  const { path, body, headers } = await alpha.next();
  expect(path).toBe('/callbacks/alpha');
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(body).toEqual({
    workflow_id: id,
    workitem_id: expect.stringMatching(new RegExp(`^0_0![0-9a-f]{32}!${id}$`)),
    participant: 'alpha',
    status: 'active',
    fields: { params: { ref: 'alpha' } },
    proceed_url: `http://core.dev/v1/workflows/${id}/workitems/${body.workitem_id}/proceed`,
  });

  const proceeded = await proceed(id, body.workitem_id);
  expect([proceeded.status, proceeded.text]).toEqual([201, 'OK']);
  expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({
    status: 'completed',
    fields: { status: 'successful' },
  });
  const again = await proceed(id, body.workitem_id);
  expect([again.status, again.json()]).toEqual([400, expect.objectContaining({ error: 'workitem_id not found' })]);
});

test('a workitem of another workflow is told so', async () => {
  const [one, other] = [await launch(), await launch()];
  const items = [(await alpha.next()).body, (await alpha.next()).body];
  const item = items.find(({ workflow_id }) => workflow_id === one)?.workitem_id ?? '';
  expect((await proceed(other, item)).json()).toMatchObject({ status: 400, error: 'workflow_id is mismatched' });
  expect((await proceed(one, item)).status).toBe(201);
});

test('what is no definition, and callbacks that are missing or twofold, are refused', async () => {
  const form = (line: string) => curl(line, hosts.core);
  for (const [line, error] of [
    [
      'curl http://core.dev/v1/workflows -d "workflow=<nothing" -d "callback=http://localhost:1/"',
      'workflow is invalid',
    ],
    [
      'curl http://core.dev/v1/workflows -d "workflow=<define/>"',
      'callback, callbacks are missing, exactly one parameter must be provided',
    ],
    [
      'curl http://core.dev/v1/workflows -d "workflow=<define/>" -d "callback=http://localhost:1/" -d "callbacks[a]=http://localhost:1/"',
      'callback, callbacks are mutually exclusive',
    ],
  ] as const)
    expect((await form(line)).json(), line).toMatchObject({ status: 400, error });
});

test('a participant without a URL halts its workflow', async () => {
  const line = LAUNCH.replaceAll('ref=\\"alpha\\"', 'ref=\\"bravo\\"');
  const { id } = (await curl(line, { ...hosts.core, ...hosts.alpha })).json<{ id: string }>();
  expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({ status: 'error' });
});

test('a cancel calls alpha again with that status, and happens once', async () => {
  const id = await launch();
  const { body } = await alpha.next();
  // The page says POST above its line, and prints a line that is a GET: pages of others could send one by an image.
  const cancel = (line: string) => curl(line, { ...hosts.core, [ID]: id });
  const printed = await cancel(`curl http://core.dev/v1/workflows/${ID}/cancel`);
  expect([printed.status, printed.headers['allow']]).toEqual([405, 'OPTIONS, POST']);
  const cancelled = await cancel(`curl -X POST http://core.dev/v1/workflows/${ID}/cancel`);
  expect([cancelled.status, cancelled.text]).toEqual([201, 'OK']);
  expect((await alpha.next()).body).toMatchObject({ workitem_id: body.workitem_id, status: 'cancel' });
  await postJson(server.url, '/v1/test/clock', { advance: 0 });
  expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({ status: 'cancelled' });
  const again = await cancel(`curl -X POST http://core.dev/v1/workflows/${ID}/cancel`);
  expect(again.json()).toMatchObject({ status: 400, error: 'workflow_id not found' });
});

/*
 * The client that was published for it posts forms, with every bracket and blank encoded, looks at nothing but statuses and the id, and takes a
 * `proceed_url` as it was given. It knows of no keys.
 */
describe('the published client', () => {
  const admin = makeKey().text;
  let closed: Running;
  beforeAll(async () => {
    closed = await startServer({ ADMIN_KEY: admin });
  }, 120_000);
  afterAll(() => closed.stop(), 60_000);

  type Form = { readonly [name: string]: string };
  const post = (base: string, path: string, form: Form | null, more: Record<string, string> = {}): Promise<Answer> => {
    const body = Object.entries(form ?? {})
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .join('&');
    const headers = {
      ...{ 'User-Agent': 'ScriptoriaCore::Client 2.0.1', Accept: '*/*' },
      ...{ 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': String(body.length) },
    };
    return send(base, 'POST', path, { headers: { ...headers, ...more }, body });
  };
  const proceedAt = (url: string, form: Form | null): Promise<Answer> =>
    post(new URL(url).origin, url.slice(new URL(url).origin.length), form);
  const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;
  const definition = 'define sale\n  alpha task: \'reserve & "wrap" + 1\'\n';
  const one = (): Form => ({ workflow: definition, callback: alpha.url, 'fields[a][b]': 'x & y' });
  const many = (): Form => ({ workflow: definition, 'callbacks[alpha]': `${alpha.url}/alpha?a=1&b=2` });

  test('starts, proceeds and cancels at a server that asks nobody', async () => {
    const ping = await send(server.url, 'GET', '/v1/ping', { headers: { Accept: '*/*' } });
    expect([ping.status, ping.json()]).toEqual([200, { ping: 'pong' }]);
    const started = await post(server.url, '/v1/workflows', one());
    expect([started.status, started.json()]).toEqual([201, { id: expect.stringMatching(AN_ID) }]);
    const { body } = await alpha.next();
    const params = { ref: 'alpha', task: 'reserve & "wrap" + 1' };
    expect(body.fields).toMatchObject({ a: { b: 'x & y' }, params });
    const at = body.proceed_url.replace('http://core.dev', server.url);
    expect(isSuccess(await proceedAt(at, { 'fields[status]': 'done', 'fields[list][]': '1' }))).toBe(true);
    const over = await send(server.url, 'GET', `/v1/workflows/${body.workflow_id}`);
    expect(over.json()).toMatchObject({ status: 'completed', fields: { status: 'done', list: ['1'] } });
    // An error to the client, as every status is that is none of success.
    expect((await proceedAt(at, null)).status).toBe(400);

    const other = (await post(server.url, '/v1/workflows', many())).json<{ id: string }>().id;
    expect((await alpha.next()).path).toBe('/callbacks/alpha?a=1&b=2');
    expect(isSuccess(await post(server.url, `/v1/workflows/${other}/cancel`, null))).toBe(true);
    expect((await alpha.next()).body).toMatchObject({ workflow_id: other, status: 'cancel' });
    expect((await post(server.url, '/v1/workflows/nothing/cancel', null)).status).toBe(400);
  });

  test('proceeds by the proceed_url as it was given at a server that asks for keys, and does nothing else there', async () => {
    expect((await post(closed.url, '/v1/workflows', one())).status).toBe(401);
    // Whoever launches has learned of keys.
    const asked = [one(), many()].map((form) =>
      post(closed.url, '/v1/workflows', form, { Authorization: `Bearer ${admin}` }),
    );
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([201, 201]);
    for (const form of [{ 'fields[status]': 'done' }, null]) {
      const { body } = await alpha.next();
      expect(Object.keys(body)).toHaveLength(6);
      expect((await post(closed.url, `/v1/workflows/${body.workflow_id}/cancel`, null)).status).toBe(401);
      const [first, second] = [await proceedAt(body.proceed_url, form), await proceedAt(body.proceed_url, form)];
      expect([first.status, first.text]).toEqual([201, 'OK']);
      expect([second.status, second.json()]).toEqual([
        400,
        expect.objectContaining({ error: 'workitem_id not found' }),
      ]);
    }
    const { workflows } = (
      await send(closed.url, 'GET', '/v1/workflows', { headers: { Authorization: `Bearer ${admin}` } })
    ).json<{ workflows: { status: string }[] }>();
    expect(workflows.map(({ status }) => status)).toEqual(['completed', 'completed']);
  });
});
