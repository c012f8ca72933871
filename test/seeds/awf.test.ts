import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { openEvents } from '../support/event-stream.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { curl, hostOf, type Names, requestOf } from './curl.ts';

/*
 * AWF's interface as its plan F025 prints it (AWF_PATHS): a workflow is uploaded, run, looked at, listened to and cancelled at the addresses
 * of that plan and in its words. An execution's id is that of a workflow.
 */

let server: Running;
let analyst: Participant;
beforeAll(async () => {
  analyst = await startParticipant();
  server = await startServer({ AWF_PATHS: '1', TEST_CLOCK: '1' });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await analyst.stop();
}, 60_000);

const EXECUTION = 'analyze-code-20231209-143022';
/** Whatever it is, a server that asks nobody who they are does not look at it. */
let token = 'some-token';
const ask = (line: string, names: Names = {}): Promise<Answer> =>
  curl(line, { 'localhost:8080': hostOf(server.url), ...names }, { TOKEN: token });

const RUN = String.raw`
curl -X POST http://localhost:8080/workflows/analyze-code/run \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{"inputs": {"file_path": "app.py"}}'
`;
const STATUS = 'curl http://localhost:8080/executions/analyze-code-20231209-143022';
const LOGS = 'curl http://localhost:8080/executions/analyze-code-20231209-143022/logs';

type Execution = { readonly execution_id: string; readonly status: string; readonly started_at: string };
async function run(): Promise<Execution> {
  const answer = await ask(RUN);
  expect(answer.status, answer.text).toBe(201);
  const { execution_id, status, started_at } = answer.json<Execution>();
  return { execution_id, status, started_at };
}
const statusOf = async (id: string): Promise<Answer> => ask(STATUS, { [EXECUTION]: id });
const done = async (fields = {}): Promise<void> => {
  const { body } = await analyst.next();
  expect((await postJson(server.url, new URL(body.proceed_url).pathname, { fields })).status).toBe(201);
};

test('a workflow is uploaded, listed and shown', async () => {
  const inputs = { type: 'object', required: ['file_path'], properties: { file_path: { type: 'string' } } };
  const uploaded = await postJson(server.url, '/workflows', {
    name: 'analyze-code',
    definition: "define analyze-code\n  analyst task: 'read ${f:file_path}'\n",
    description: 'Reads a file and says what it thinks of it',
    input_schema: inputs,
    callbacks: { analyst: analyst.url },
  });
  expect(uploaded.status, uploaded.text).toBe(201);
  expect(uploaded.json()).toMatchObject({ name: 'analyze-code', version: 1, participants: ['analyst'] });

  expect((await ask('curl http://localhost:8080/workflows')).json()).toMatchObject({
    workflows: [
      { name: 'analyze-code', version: 1, description: expect.stringMatching(/^Reads/), input_schema: inputs },
    ],
  });
  const shown = await ask('curl http://localhost:8080/workflows/analyze-code');
  expect(shown.status, shown.text).toBe(200);
  expect(shown.json()).toMatchObject({
    ...{ name: 'analyze-code', version: 1, input_schema: inputs },
    definition: expect.stringContaining('analyst task'),
  });
  expect((await ask('curl http://localhost:8080/workflows/nothing')).status).toBe(404);

  const broken = await postJson(server.url, '/workflows', { name: 'broken', definition: '<define' });
  expect(broken.json()).toMatchObject({ status: 400, code: 'workflow_invalid' });
});

test('it is run, looked at, and its log streamed while it goes on', async () => {
  const started = await run();
  expect(started).toMatchObject({
    execution_id: expect.stringMatching(/^\d{8}-\d{4}-[a-z]+-[a-z]+$/),
    status: 'running',
    started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
  });
  const { execution_id: id } = started;
  const status = await statusOf(id);
  expect([status.status, status.json()]).toEqual([200, expect.objectContaining(started)]);
  expect(status.json()).toMatchObject({ fields: { file_path: 'app.py' } });

  const { base, path, headers } = requestOf(LOGS, { 'localhost:8080': hostOf(server.url), [EXECUTION]: id });
  const logs = await openEvents(base, path, headers);
  expect([logs.status, logs.headers['content-type']]).toEqual([200, expect.stringContaining('text/event-stream')]);
  const before = await logs.upTo('workitem.opened');
  expect(before.map(({ event }) => event)).toContain('workflow.launched');
  await done({ verdict: 'fine' });
  const after = await logs.upTo('workflow.completed');
  expect(after.map(({ event }) => event)).toContain('workitem.proceeded');
  logs.cut();
  expect((await statusOf(id)).json()).toMatchObject({
    ...{ execution_id: id, status: 'completed', started_at: started.started_at },
    fields: { file_path: 'app.py', verdict: 'fine' },
  });
});

test('inputs it does not want start nothing, and neither does a name nobody has uploaded', async () => {
  const refused = await ask(RUN.replace('"file_path": "app.py"', '"file_path": 7'));
  expect(refused.json()).toMatchObject({
    status: 422,
    code: 'input_invalid',
    errors: [{ pointer: '#/file_path' }],
  });
  expect((await ask(RUN.replace('analyze-code', 'nothing'))).json()).toMatchObject({ status: 404 });
  expect(
    (await ask('curl http://localhost:8080/executions')).json<{ executions: Execution[] }>().executions.length,
  ).toBe(1);
});

test('it is cancelled, and all executions are listed in the same words', async () => {
  const { execution_id: id, started_at } = await run();
  await analyst.next();
  const cancel = (): Promise<Answer> =>
    ask(`curl -X DELETE http://localhost:8080/executions/${EXECUTION}`, { [EXECUTION]: id });
  const cancelled = await cancel();
  expect([cancelled.status, cancelled.text]).toEqual([201, 'OK']);
  expect((await analyst.next()).body.status).toBe('cancel');
  await postJson(server.url, '/v1/test/clock', { advance: 0 });
  expect((await statusOf(id)).json()).toMatchObject({ execution_id: id, status: 'cancelled' });
  const listed = (await ask('curl http://localhost:8080/executions')).json<{ executions: Execution[] }>();
  expect(listed.executions).toMatchObject([
    { execution_id: id, status: 'cancelled', started_at },
    { execution_id: expect.any(String), status: 'completed' },
  ]);
  // Nothing is there to be cancelled any more; of what never was nothing is told either.
  expect((await cancel()).status).toBe(404);
  expect((await ask('curl -X DELETE http://localhost:8080/executions/nothing')).status).toBe(404);
  for (const line of [STATUS, LOGS]) expect((await ask(line)).status).toBe(404);
});

test('a workflow of a pack has the scope in its name', async () => {
  const definition = "define noop\n  set 'f:seen': 1\n";
  expect((await postJson(server.url, '/workflows', { name: 'pack/noop', definition })).status).toBe(201);
  expect((await ask('curl http://localhost:8080/workflows/pack/noop')).json()).toMatchObject({ name: 'pack/noop' });
  const started = await ask('curl -X POST http://localhost:8080/workflows/pack/noop/run');
  expect([started.status, started.json()]).toEqual([201, expect.objectContaining({ status: 'completed' })]);
});

test('the interface is described', async () => {
  const { paths } = (await send(server.url, 'GET', '/openapi.json')).json<{ paths: Record<string, object> }>();
  const methods = (path: string): readonly string[] => Object.keys(paths[path] ?? {}).sort();
  expect(methods('/workflows')).toEqual(['get', 'post']);
  expect(methods('/executions')).toEqual(['get']);
  expect(methods('/workflows/{definition_name}/run')).toEqual(['post']);
  expect(methods('/workflows/{definition_name}')).toEqual(['get']);
  expect(methods('/executions/{workflow_id}')).toEqual(['delete', 'get']);
  expect(methods('/executions/{workflow_id}/logs')).toEqual(['get']);
});

// The last one: from here on nobody gets in without a token.
test('the token of the run is asked for as soon as there is one', async () => {
  const made = await postJson(server.url, '/v1/keys', { name: 'awf', scopes: ['admin'] });
  expect((await ask(RUN)).status).toBe(401);
  token = made.json<{ key: string }>().key;
  expect((await run()).status).toBe('running');
});
