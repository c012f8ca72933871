import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BODY_EXAMPLES } from '../../src/api/openapi-examples.ts';
import type { Operation } from '../../src/api/operation.ts';
import type { Running } from '../../src/server/start.ts';
import { everyOperation } from '../support/described.ts';
import { type Answer, send, startServer } from '../support/server.ts';

/*
 * Each operation is asked for what its description says that it answers: with the example of its body, with one that is wrong, of what is not there,
 * with an ETag of before. The operations are those there are, so a new one is asked, too. Whatever comes is held against the description
 * (support/described.ts).
 */

const NOWHERE = 'http://127.0.0.1:1/callback';
const BPMN =
  '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true"><startEvent id="s"/><userTask id="Check"/>' +
  '<userTask id="Pack"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="Check"/><sequenceFlow id="f2" sourceRef="Check" targetRef="Pack"/>' +
  '<sequenceFlow id="f3" sourceRef="Pack" targetRef="e"/></process></definitions>';

type Ids = Readonly<Record<string, string>>;
const NONE = { workflow: '20151005-1247-nobody-nothing', expression: `0_9!${'0'.repeat(32)}` };
const NOBODYS: Ids = {
  workflow_id: NONE.workflow,
  workitem_id: `${NONE.expression}!${NONE.workflow}`,
  expression_id: NONE.expression,
  key_id: 'Nobody000000',
  secret_id: 'Nobody000000',
  participant: 'nobody',
  subscription_id: 'sub_00000000',
  batch_id: 'Nothing000000000',
  message_id: `msg_${NONE.expression}!${NONE.workflow}_active`,
  definition_name: 'no-such-definition',
  version: '1',
  schedule_id: 'no-such-schedule:0',
  name: 'paid',
  event_id: `evt_${'0'.repeat(32)}`,
  key: 'nobody',
  file: 'nothing.html',
};

let server: Running;
/** A workflow that waits for alpha and is in error beside; a definition, a participant and all else that has an id. */
let ours: Ids = {};
/** One that is over. */
let over: Ids = {};
/** A diagram with a token at Check. */
let drawn: Ids = {};
const operations = everyOperation();
const byId = (id: string): Operation => {
  const found = operations.find((operation) => operation.id === id);
  if (found === undefined) throw new Error(`There is no operation ${id}`);
  return found;
};

type More = {
  readonly body?: unknown;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** As it is, where it is no JSON. */
  readonly raw?: string;
};
function ask(id: string, ids: Ids = ours, { body, query = '', headers = {}, raw }: More = {}): Promise<Answer> {
  const { method, path } = byId(id);
  const at = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(ids[name] ?? NOBODYS[name] ?? name));
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return send(server.url, method.toUpperCase(), `${at}${query}`, {
    headers: { ...(text === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
}
async function expectStatus(status: number, id: string, ids: Ids = ours, more: More = {}): Promise<Answer> {
  const answer = await ask(id, ids, more);
  expect([id, answer.status], answer.text.slice(0, 500)).toEqual([id, status]);
  return answer;
}
const example = (id: string): unknown => BODY_EXAMPLES[id];

/** Something the playground was sent, by its number. */
async function requestOf(workitem: string): Promise<string> {
  await expectStatus(200, 'playParticipant', { name: 'someone' }, { body: { workitem_id: workitem } });
  const { requests } = (await expectStatus(200, 'listPlaygroundRequests', {})).json<{ requests: { n: number }[] }>();
  return String(requests[0]?.n);
}

async function launched(workflow: string): Promise<Ids> {
  const { id } = (
    await expectStatus(
      201,
      'launch',
      {},
      { body: { workflow, callback: NOWHERE, business_key: workflow.slice(0, 200) } },
    )
  ).json<{ id: string }>();
  const seen = (await ask('getWorkflow', { workflow_id: id })).json<{
    workitems: { id: string; expression_id: string }[];
    errors: { expression_id: string }[];
  }>();
  const [item] = seen.workitems;
  return {
    workflow_id: id,
    workitem_id: item?.id ?? '',
    message_id: `msg_${item?.id ?? ''}_active`,
    expression_id: item?.expression_id ?? '',
    error_id: seen.errors[0]?.expression_id ?? '',
  };
}

beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1', AWF_PATHS: '1', MCP: '1', EVENTS_AT_ROOT: '1' });
  const one = await launched('define one\n  concurrence\n    alpha tag: "t"\n    error "broken"\n');
  over = await launched('define two\n  set "f:a": 1\n');
  drawn = await launched(BPMN);
  const definition = {
    definition: 'define shop\n  alpha\n',
    callback: NOWHERE,
    schedules: [{ every: '1d' }],
    mcp: true,
  };
  await expectStatus(201, 'putDefinition', { definition_name: 'shop' }, { body: definition });
  await expectStatus(
    201,
    'putParticipant',
    { participant: 'clerk' },
    { body: { kind: 'person', form: { title: 'x' } } },
  );
  const idOf = async (id: string, status: number, body: unknown, ids: Ids = {}): Promise<string> => {
    const made = (await expectStatus(status, id, ids, { body })).json<{ id?: string; event_id?: string }>();
    return made.event_id ?? made.id ?? '';
  };
  ours = {
    ...one,
    key: 'define one\n  concurrence\n    alpha tag: "t"\n    error "broken"\n',
    definition_name: 'shop',
    version: '1',
    schedule_id: 'shop:0',
    participant: 'clerk',
    name: 'paid',
    file: 'index.html',
    subscription_id: await idOf('createSubscription', 201, example('createSubscription')),
    secret_id: await idOf('createSecret', 201, example('createSecret')),
    event_id: await idOf('sendMessageToOne', 202, { key: 'K', fields: { a: 1 } }, { name: 'paid' }),
    n: await requestOf(one['workitem_id'] ?? ''),
    batch_id: await idOf('createBatch', 202, { action: 'pause', ids: [over['workflow_id']] }),
  };
}, 60_000);
afterAll(() => server.stop(), 60_000);

/** Participants say more of a failure than is kept; or all of the body is data, or what is patched is held against the rules as a whole; a definition may be looked at with the body of its launch. */
const ANYTHING_GOES: ReadonlySet<string> = new Set([
  'sendMessage',
  'throwSignal',
  'patchSubscription',
  'validateDefinition',
  'failWorkitem',
]);

/** What changes nothing, and does not go on by itself. */
const isRead = ({ method, answers }: Operation): boolean =>
  method === 'get' && answers[200]?.type !== 'text/event-stream';
const answersTo = (status: number): readonly Operation[] =>
  operations.filter(({ answers }) => answers[status] !== undefined);

describe('each operation', () => {
  test('that looks gives what is there, and says so to who has it already', async () => {
    for (const operation of operations.filter(isRead)) {
      const { id, answers } = operation;
      // The manual is there once it was built; an export is a file; there is no key yet.
      const ids = id.startsWith('getDiagram') ? drawn : ours;
      if (['docsFile', 'docsManual', 'exportWorkflow', 'getKey'].includes(id)) continue;
      const answer = await expectStatus(200, id, ids);
      const etag = answer.headers['etag'];
      if (answers[304] !== undefined) await expectStatus(304, id, ids, { headers: { 'If-None-Match': String(etag) } });
    }
    await expectStatus(200, 'docsFile', { file: 'start.js' });
    await expectStatus(308, 'docsFile', { file: 'manual' });
    for (const id of ['getWorkflow', 'awfGetExecution'])
      await expectStatus(303, id, ours, { headers: { Accept: 'text/html' } });
    await expectStatus(406, 'getDefinitionText', ours, { headers: { Accept: 'image/png' } });
  });

  test('that has filters refuses others', async () => {
    const lists = answersTo(400).filter(({ method, query }) => method === 'get' && query !== undefined);
    expect(lists.length).toBeGreaterThan(25);
    for (const { id } of lists) await expectStatus(400, id, ours, { query: '?junk=1' });
    for (const { id, method } of answersTo(400))
      if (
        method !== 'get' &&
        !['proceed', 'eraseValue', 'putDefinition', 'runDefinition', 'awfRun', 'importWorkflows'].includes(id)
      )
        expect((await ask(id, NOBODYS, { raw: '{' })).status, id).toBe(400);
  });

  test('says of what is not there that it is not there', async () => {
    const named = answersTo(404).filter(({ path }) => path.includes(':'));
    expect(named.length).toBeGreaterThan(60);
    for (const { id, method } of named)
      await expectStatus(404, id, NOBODYS, {
        ...(method === 'get' || method === 'delete' ? {} : { body: example(id) ?? {} }),
        headers: { 'If-Match': '*' },
      });
  });

  test('refuses a body that is none of its own', async () => {
    const odd = (schema: object): unknown => {
      const { properties = {} } = schema as { properties?: Record<string, { type?: string; anyOf?: unknown }> };
      const [name] =
        Object.entries(properties).find(([key]) => key === 'reason') ??
        Object.entries(properties).find(([, one]) => one.type === 'string') ??
        Object.entries(properties)[0] ??
        [];
      return name === undefined ? [] : { [name]: [[7]] };
    };
    const checked = answersTo(422).filter(({ body, id }) => body?.checked === 'here' && id !== 'patchSubscription');
    expect(checked.length).toBeGreaterThan(40);
    const wrong: string[] = [];
    for (const { id, body } of checked) {
      const { status } = await ask(id, NOBODYS, { body: odd(body?.schema ?? {}), headers: { 'If-Match': '*' } });
      if (status !== 422) wrong.push(`${id}: ${status}`);
    }
    expect(wrong).toEqual([]);
    // It is held against what is there.
    await expectStatus(422, 'patchSubscription', ours, { body: { url: 7 }, headers: { 'If-Match': '*' } });
  });

  test('refuses a body with a member it does not know, and names what was probably meant', async () => {
    const fixed = operations.filter(({ body, id }) => body?.checked === 'here' && !ANYTHING_GOES.has(id));
    expect(fixed.length).toBeGreaterThan(45);
    for (const { id } of fixed) {
      const body = { ...((example(id) ?? {}) as object), 'dry-ryn': true };
      const answer = await expectStatus(422, id, NOBODYS, { body, headers: { 'If-Match': '*' } });
      expect(answer.json(), id).toMatchObject({ errors: [{ pointer: '#/dry-ryn' }] });
    }
    const slip = await expectStatus(422, 'kill', ours, { body: { dryrun: true } });
    expect(slip.json()).toMatchObject({ detail: 'The body has no "dryrun"; did you mean dry_run?' });
    expect((await ask('getWorkflow')).json()).toMatchObject({ status: 'error' });
  });

  test('that heeds an ETag refuses an old one', async () => {
    const heeding = answersTo(412);
    expect(heeding.length).toBeGreaterThan(8);
    for (const { id, method } of heeding)
      await expectStatus(412, id, ours, {
        ...(method === 'delete'
          ? {}
          : {
              body:
                id === 'postDefinition' || id === 'awfPostWorkflow'
                  ? { name: 'shop', definition: 'define shop\n  bravo\n' }
                  : (example(id) ?? {}),
            }),
        headers: { 'If-Match': '"old"' },
      });
    await expectStatus(428, 'editWorkitem', ours, { body: example('editWorkitem') });
  });

  test('that steps into a workflow does so, tells before what would happen, and conflicts where there is nothing to do', async () => {
    const dry = (id: string): More => ({ body: { ...(example(id) as object), dry_run: true } });
    const held = { breakpoint: '0_0_0' };
    for (const id of ['cancel', 'kill', 'pause', 'cancelExpression', 'killExpression', 'reapplyExpression'])
      await expectStatus(200, id, ours, dry(id));
    await expectStatus(200, 'pauseExpression', ours, { body: { dry_run: true } });
    await expectStatus(200, 'replyExpression', ours, dry('replyExpression'));
    await expectStatus(200, 'retryWorkflow', ours, { body: { from: '0_0', dry_run: true } });
    await expectStatus(200, 'replayError', { ...ours, expression_id: ours['error_id'] ?? '' }, dry('replayError'));
    await expectStatus(201, 'pauseExpression', ours, { body: held });
    await expectStatus(201, 'resumeExpression', ours, { body: held });
    await expectStatus(201, 'pauseExpression');
    await expectStatus(200, 'resumeExpression', ours, { body: { dry_run: true } });
    await expectStatus(201, 'resumeExpression');
    await expectStatus(201, 'pause', ours, { body: example('pause') });
    await expectStatus(200, 'resume', ours, dry('resume'));
    await expectStatus(201, 'resume');
    await expectStatus(404, 'replayError');
    for (const id of ['getDiagram', 'getDiagramData']) await expectStatus(409, id);
    await expectStatus(409, 'moveToken', ours, { body: example('moveToken') });
    await expectStatus(409, 'addToken', ours, { body: example('addToken') });
    const { expressions } = (await expectStatus(200, 'listExpressions', drawn)).json<{
      expressions: { id: string; expid: string }[];
    }>();
    const root = { ...drawn, expression_id: expressions.find(({ expid }) => expid === '0')?.id ?? '' };
    for (const [id, ids, body] of [
      ['addToken', root, { at: 'Check' }],
      ['moveToken', drawn, { to: 'Pack' }],
    ] as const) {
      await expectStatus(200, id, ids, { body: { ...body, dry_run: true } });
      await expectStatus(201, id, ids, { body });
    }
    await expectStatus(202, 'throwSignal', drawn, { body: {} });
  });

  test('that is over takes no more', async () => {
    for (const id of ['pause', 'resume', 'kill', 'retryWorkflow']) await expectStatus(409, id, over);
    await expectStatus(404, 'deleteWorkflow', over);
    await expectStatus(400, 'cancel', over);
    await expectStatus(404, 'awfCancel', over);
    await expectStatus(409, 'eraseWorkflow');
    await expectStatus(200, 'eraseValue', {}, { body: example('eraseValue') });
    const { history } = (await expectStatus(200, 'getHistory', over)).json<{ history: { n: number }[] }>();
    const last = { query: `?after=${history.at(-1)?.n}` };
    for (const id of ['watchWorkflow', 'awfLogs']) await expectStatus(204, id, over, last);
    await expectStatus(200, 'eraseWorkflow', over);
  });

  test('of a workitem holds those who have it apart', async () => {
    const claimed = await expectStatus(200, 'claimWorkitem', ours, { body: example('claimWorkitem') });
    expect(claimed.json()).toMatchObject({ claim: { assignee: 'ann' } });
    await expectStatus(409, 'claimWorkitem', ours, { body: { assignee: 'ben' } });
    await expectStatus(409, 'releaseWorkitem', ours, { body: { assignee: 'ben' } });
    await expectStatus(409, 'respond', ours, { body: {} });
    await expectStatus(409, 'failWorkitem', ours, { body: example('failWorkitem') });
    await expectStatus(200, 'releaseWorkitem', ours, { body: example('releaseWorkitem') });
    await expectStatus(200, 'heartbeat', ours, { body: example('heartbeat') });
    await expectStatus(201, 'redeliver');
    const crossed = { ...ours, workflow_id: drawn['workflow_id'] ?? '' };
    for (const id of [
      'heartbeat',
      'claimWorkitem',
      'releaseWorkitem',
      'redeliver',
      'listDeliveries',
      'getWorkitem',
      'editWorkitem',
      'failWorkitem',
    ])
      await expectStatus(409, id, crossed, {
        ...(byId(id).method === 'get' ? {} : { body: example(id) }),
        headers: { 'If-Match': '*' },
      });
    await expectStatus(201, 'respond', ours, { body: example('respond') });
    await expectStatus(409, 'respond', ours, { body: {} });
  });

  test('of definitions and schedules does what its example says', async () => {
    await expectStatus(201, 'postDefinition', {}, { body: example('postDefinition') });
    await expectStatus(200, 'postDefinition', {}, { body: example('postDefinition') });
    await expectStatus(201, 'awfPostWorkflow', {}, { body: example('awfPostWorkflow') });
    await expectStatus(200, 'awfPostWorkflow', {}, { body: example('awfPostWorkflow') });
    await expectStatus(400, 'putDefinition', ours, { body: { definition: '<broken' } });
    for (const id of ['postDefinition', 'awfPostWorkflow'])
      await expectStatus(400, id, ours, { body: { name: 'shop', definition: '<broken' } });
    await expectStatus(200, 'activateDefinition', ours, { body: example('activateDefinition') });
    for (const id of ['runDefinition', 'awfRun']) await expectStatus(201, id, ours, { body: example(id) });
    for (const id of ['pauseSchedule', 'resumeSchedule']) await expectStatus(200, id, ours, { body: example(id) });
    await expectStatus(201, 'runSchedule', ours, { body: example('runSchedule') });
    await expectStatus(202, 'backfillSchedule', ours, { body: example('backfillSchedule') });
    await expectStatus(200, 'validateDefinition', {}, { body: example('validateDefinition') });
    await expectStatus(200, 'convertDefinition', {}, { body: example('convertDefinition') });
    await expectStatus(400, 'convertDefinition', {}, { body: { definition: '<broken', to: 'xml' } });
  });

  test('of definitions is told that a route leads to another already', async () => {
    const routed = { definition: 'define routed\n  alpha\n', callback: NOWHERE, route: 'GET /routed' };
    const plain = { definition: 'define routed\n  alpha\n  bravo\n', callback: NOWHERE };
    const any = { headers: { 'If-Match': '*' } };
    await expectStatus(201, 'putDefinition', { definition_name: 'routed' }, { body: routed });
    await expectStatus(201, 'putDefinition', { definition_name: 'routed' }, { body: plain, ...any });
    await expectStatus(201, 'putDefinition', { definition_name: 'taker' }, { body: routed });
    await expectStatus(409, 'activateDefinition', { definition_name: 'routed', version: '1' }, { body: {}, ...any });
    for (const id of ['postDefinition', 'awfPostWorkflow'])
      await expectStatus(409, id, {}, { body: { name: 'third', ...routed } });
    await expectStatus(400, 'awfRun', ours, { body: { callback: 'nowhere' } });
  });

  test('of what came in and goes out does what its example says', async () => {
    const event = { headers: { 'Content-Type': 'application/cloudevents+json' } };
    for (const id of ['sendEvents', 'sendEventsAtRoot']) {
      await expectStatus(202, id, {}, { body: example(id), ...event });
      await expectStatus(415, id, {}, { raw: 'x', headers: { 'Content-Type': 'application/cloudevents+avro' } });
      await expectStatus(413, id, {}, { raw: ' '.repeat(4_200_000), ...event });
    }
    for (const id of ['sendMessageToOne', 'sendSignal', 'sendMessage'])
      await expectStatus(202, id, drawn, { body: example(id) });
    await expectStatus(202, 'redeliverEvent', ours, { body: example('redeliverEvent') });
    await expectStatus(202, 'testSubscription');
    await expectStatus(202, 'redeliverEvents', ours, { body: example('redeliverEvents') });
    await expectStatus(200, 'patchSubscription', ours, {
      body: example('patchSubscription'),
      headers: { 'If-Match': '*' },
    });
    await expectStatus(204, 'deleteSubscription', ours, { headers: { 'If-Match': '*' } });
    await expectStatus(200, 'putParticipant', ours, { body: { kind: 'person' }, headers: { 'If-Match': '*' } });
    await expectStatus(204, 'deleteParticipant', ours, { headers: { 'If-Match': '*' } });
    for (const id of ['playParticipant', 'setPlaygroundManner', 'advanceClock', 'mcp'])
      await expectStatus(200, id, ours, { body: example(id) });
    await expectStatus(202, 'mcp', {}, { body: { jsonrpc: '2.0', method: 'notifications/initialized' } });
    await expectStatus(204, 'freeBusinessKey');
  });

  test('of batches and secrets does what its example says', async () => {
    await expectStatus(200, 'createBatch', {}, { body: { action: 'pause', filter: { name: 'one' }, dry_run: true } });
    await expectStatus(409, 'createSecret', {}, { body: example('createSecret') });
    await expectStatus(200, 'revealSecret', ours, { body: example('revealSecret') });
    await expectStatus(200, 'rotateSecret', ours, { body: example('rotateSecret') });
    await expectStatus(201, 'revokeSecret', ours, { body: example('revokeSecret') });
    for (const id of ['rotateSecret', 'revokeSecret']) await expectStatus(409, id);
  });

  test('is answered in further ways where that is asked for', async () => {
    const started = await launched('define three\n  alpha\n');
    await expectStatus(201, 'replyExpression', started, { body: example('replyExpression') });
    const running = await launched('define four\n  alpha\n');
    const lines = { headers: { 'Content-Type': 'application/x-ndjson' } };
    const exported = await expectStatus(200, 'exportWorkflow', running);
    await expectStatus(200, 'importWorkflows', {}, { raw: exported.text, query: '?new_ids=1', ...lines });
    await expectStatus(400, 'importWorkflows', {}, { raw: 'nothing of the kind', ...lines });
    await expectStatus(201, 'awfCancel', running);
    for (const id of ['runDefinition', 'awfRun']) {
      const once = { business_key: id };
      await expectStatus(201, id, ours, { body: once });
      await expectStatus(409, id, ours, { body: once });
      await expectStatus(200, id, ours, { body: { ...once, business_key_conflict: 'return_existing' } });
    }
    const { headers } = await expectStatus(200, 'docsFile', { file: 'rota.css' });
    await expectStatus(
      304,
      'docsFile',
      { file: 'rota.css' },
      { headers: { 'If-None-Match': String(headers['etag']) } },
    );
  });

  // The first key closes the door.
  test('of keys and sessions does what its example says', async () => {
    const { id, key } = (await expectStatus(201, 'createKey', {}, { body: { name: 'all', scopes: ['admin'] } })).json<{
      id: string;
      key: string;
    }>();
    const headers = { Authorization: `Bearer ${key}` };
    const made = (await expectStatus(201, 'createKey', {}, { body: example('createKey'), headers })).json<{
      id: string;
      key: string;
    }>();
    const small = { Authorization: `Bearer ${made.key}` };
    await expectStatus(403, 'createKey', {}, { body: example('createKey'), headers: small });
    for (const all of ['getMetrics', 'listNodes']) await expectStatus(403, all, {}, { headers: small });
    await expectStatus(200, 'getKey', { key_id: id }, { headers });
    await expectStatus(200, 'rotateKey', { key_id: made.id }, { body: example('rotateKey'), headers });
    await expectStatus(201, 'revokeKey', { key_id: made.id }, { body: example('revokeKey'), headers });
    for (const what of ['rotateKey', 'revokeKey']) await expectStatus(409, what, { key_id: made.id }, { headers });
    await expectStatus(201, 'createTicket', {}, { headers });
    await expectStatus(201, 'signIn', {}, { body: { key } });
    await expectStatus(401, 'signIn', {}, { body: example('signIn') });
    await expectStatus(403, 'signIn', {}, { body: { key }, headers: { Origin: 'https://evil.example' } });
    await expectStatus(
      415,
      'signIn',
      {},
      { raw: 'key=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    );
    await expectStatus(409, 'signIn', {}, { body: { key }, headers: { Host: 'rota.example' } });
    await expectStatus(204, 'signOut');
    await expectStatus(403, 'signOut', {}, { headers: { Origin: 'https://evil.example' } });
  });
});
