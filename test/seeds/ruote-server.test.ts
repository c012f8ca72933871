import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
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
