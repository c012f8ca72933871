import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* The registry of participants, over HTTP: one server, and one that plays all participants. */

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

let rota: Running;
let others: Server;
let there = '';
const asked: Asked[] = [];
/** By path; 200 without a body where nothing is said. */
const says = new Map<string, { readonly status: number; readonly body?: unknown }>();

beforeAll(async () => {
  others = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
      const { status, body } = says.get(url.split('?')[0] ?? '') ?? { status: 200 };
      response.writeHead(status).end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => others.listen(0, '127.0.0.1', resolve));
  there = `http://127.0.0.1:${(others.address() as AddressInfo).port}`;
  rota = await startServer({
    TEST_CLOCK: '1',
    RETRY_DELAYS: '10',
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
  });
}, 120_000);
afterAll(async () => {
  await rota.stop();
  others.closeAllConnections();
  others.close();
}, 60_000);

const put = (name: string, spec: object, headers: Record<string, string> = {}): Promise<Answer> =>
  send(rota.url, 'PUT', `/v1/participants/${encodeURIComponent(name)}`, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(spec),
  });
const launch = async (workflow: string, more: object = { callbacks: {} }): Promise<string> =>
  (await postJson(rota.url, '/v1/workflows', { workflow, ...more })).json<{ id: string }>().id;
type Doing = { readonly answers: readonly object[]; readonly delivered: object | null };
type Shown = {
  readonly status: string;
  readonly fields: Record<string, unknown>;
  readonly workitems: readonly { readonly id: string; readonly fields: Record<string, unknown> }[];
  readonly errors: readonly { readonly class: string; readonly message: string }[];
};
const show = async (id: string): Promise<Shown> => (await send(rota.url, 'GET', `/v1/workflows/${id}`)).json<Shown>();
const is = (id: string, status: string): Promise<Shown> =>
  until(`${id} is ${status}`, async () => {
    const shown = await show(id);
    return shown.status === status ? shown : null;
  });
const at = (path: string): Promise<Asked> =>
  until(`a request to ${path}`, () => asked.find(({ url }) => url.split('?')[0] === path));
const advance = (seconds: number): Promise<Answer> => postJson(rota.url, '/v1/test/clock', { advance: seconds });

test('an entry is made, shown without its secrets, changed by whoever has seen it, and deleted', async () => {
  const spec = { url: `${there}/a`, headers: { 'x-key': 'hush' }, secret: 'whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=' };
  const made = await put('shown', spec);
  expect(made.status).toBe(201);
  expect(made.headers['location']).toBe('/v1/participants/shown');
  expect(made.json()).toMatchObject({ name: 'shown', kind: 'callback', secret: '***', headers: { 'x-key': '***' } });
  const got = await send(rota.url, 'GET', '/v1/participants/shown');
  expect(got.text).not.toContain('hush');
  const again = { ...spec, headers: { 'x-key': '***' }, secret: '***' };
  expect((await put('shown', again, { 'If-Match': '"9"' })).status).toBe(412);
  expect((await put('shown', again, { 'If-Match': String(got.headers['etag']) })).status).toBe(200);
  expect((await put('shown', again, { 'If-None-Match': '*' })).status).toBe(412);
  const id = await launch('define\n  shown');
  expect((await at('/a')).headers).toMatchObject({ 'x-key': 'hush' });
  // Another origin is somebody else: nothing of what was secret goes there.
  const moved = await put('shown', { ...again, url: `${there.replace('127.0.0.1', 'localhost')}/a` });
  expect(moved.json()).not.toHaveProperty('secret');
  expect(moved.json()).toMatchObject({ headers: {} });
  expect((await send(rota.url, 'GET', '/v1/participants')).text).toContain('"shown"');
  // How it is doing: what waits for it now, and what it answered lately.
  const figures = { open: 1, failed: 0, failing: 0, hosts: [new URL(there).host] };
  const doing = await until('its answer is counted', async () => {
    const { figures: found } = (await send(rota.url, 'GET', '/v1/participants/shown')).json<{ figures: Doing }>();
    return found.answers.length > 0 ? found : null;
  });
  expect(doing).toMatchObject({ ...figures, definitions: [{ workitems: 1 }], answers: [{ '2xx': 1, none: 0 }] });
  expect(doing.delivered).toMatchObject({ n: 1 });
  expect(
    (await send(rota.url, 'GET', '/v1/participants')).json<{ participants: object[] }>().participants[0],
  ).toMatchObject({
    name: 'shown',
    figures,
  });
  expect((await send(rota.url, 'GET', '/v1/stats/participants/nobody')).json()).toMatchObject({
    name: 'nobody',
    figures: { open: 0, oldest_at: null, urls: [], proceeded: null },
  });
  expect((await send(rota.url, 'DELETE', '/v1/participants/shown')).status).toBe(204);
  expect((await send(rota.url, 'GET', '/v1/participants/shown')).json()).toMatchObject({
    code: 'participant_not_found',
  });
  expect((await send(rota.url, 'DELETE', '/v1/participants/shown')).status).toBe(404);
  await postJson(rota.url, `/v1/workflows/${id}/kill`, {});
});

test('what cannot be asked of a participant is refused with its place', async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ url: 'http://{f:host}/' }, '#/url'],
    [{ url: `${there}/{nobody}` }, '#/url'],
    [{ url: 'ftp://a.test/' }, '#/url'],
    [{ url: there, headers: { Host: 'a' } }, '#/headers/Host'],
    [{ url: there, headers: { 'x-a': 'a\r\nb: c' } }, '#/headers/x-a'],
    [{ url: there, method: 'GET' }, '#/method'],
    [{ kind: 'person', url: there }, '#/url'],
    [{ url: there, deadline: 'soon' }, '#/deadline'],
    [{ url: there, retry: { delays: 'x' } }, '#/retry'],
  ];
  for (const [spec, pointer] of wrong) {
    const answer = await put('wrong', spec);
    expect(answer.status, pointer).toBe(422);
    expect(answer.json<{ errors: { pointer: string }[] }>().errors[0]?.pointer).toBe(pointer);
  }
  expect((await put('wrong', { url: there, colour: 'red' })).status).toBe(422);
  for (const name of ['a b', 'run', 'a/b/c', '/(/']) expect((await put(name, { url: there })).status, name).toBe(422);
});

test('the launch goes before the registry, exact names before patterns, and the longest pattern first', async () => {
  await put('/^fax_/', { url: `${there}/pattern` });
  await put('/^fax_long_/', { url: `${there}/longer` });
  await put('fax_one', { url: `${there}/exact` });
  const ids = [
    await launch('define\n  concurrence\n    fax_one\n    fax_two\n    fax_long_three'),
    await launch('define\n  concurrence\n    fax_four\n    fax_five', {
      callbacks: { fax_four: `${there}/launch`, '/^fax_f/': `${there}/launched-pattern` },
    }),
  ];
  for (const path of ['/exact', '/pattern', '/longer', '/launch', '/launched-pattern']) await at(path);
  for (const id of ids) await postJson(rota.url, `/v1/workflows/${id}/kill`, {});
});

test('an HTTP participant is asked, and its answer is the proceed', async () => {
  says.set('/items/a%20b', { status: 200, body: { status: 'there', more: [1] } });
  await put('stock', {
    kind: 'http',
    url: `${there}/items/{f:id}`,
    query: { x: '1' },
    headers: { 'X-Tenant': '{workflow.tenant}' },
    secret: 'a secret of its own',
    result: { state: '/status', all: '', none: '/nothing' },
  });
  const id = await launch('define shop\n  stock', { callbacks: {}, fields: { id: 'a b', kept: true } });
  const { fields } = await is(id, 'completed');
  expect(fields).toMatchObject({ state: 'there', all: { status: 'there', more: [1] }, none: null, kept: true });
  const request = await at('/items/a%20b');
  expect(request).toMatchObject({ method: 'GET', url: '/items/a%20b?x=1', body: '' });
  expect(request.headers).toMatchObject({ 'x-tenant': 'default', 'idempotency-key': request.headers['webhook-id'] });
  const { 'webhook-id': message, 'webhook-timestamp': seconds, 'webhook-signature': signature } = request.headers;
  const digest = createHmac('sha256', 'a secret of its own')
    .update(`${String(message)}.${String(seconds)}.`)
    .digest('base64');
  expect(signature).toBe(`v1,${digest}`);
});

test('a body is made of templates, and a status can be an error', async () => {
  says.set('/orders', { status: 409 });
  await put('order', {
    kind: 'http',
    method: 'POST',
    url: `${there}/orders`,
    body: { qty: '{f:qty}', note: 'for {participant}', none: '{f:nothing}' },
    errors: { '409': 'Taken' },
  });
  const id = await launch('define\n  order', { callbacks: {}, fields: { qty: 3 } });
  expect((await is(id, 'error')).errors).toMatchObject([{ class: 'Taken' }]);
  expect(JSON.parse((await at('/orders')).body)).toEqual({ qty: 3, note: 'for order', none: null });
});

test('a template that cannot be filled fails the workitem, and nothing is sent', async () => {
  await put('lost', { url: `${there}/lost/{f:where}` });
  const id = await launch('define\n  lost', { callbacks: {}, fields: { where: '..' } });
  const other = await launch('define\n  lost', { callbacks: {} });
  for (const one of [id, other])
    expect((await is(one, 'error')).errors).toMatchObject([
      { class: 'ArgumentError', message: expect.stringContaining('nothing was sent') },
    ]);
  expect(asked.some(({ url }) => url.startsWith('/lost'))).toBe(false);
});

test('a service is looked up at each try, and nothing leads out of it', async () => {
  await put('billing', { kind: 'service', url: `${there}/base` });
  const id = await launch('define\n  alpha', { callback: 'svc:billing/hooks?x=1' });
  expect((await at('/base/hooks')).body).toContain(id);
  for (const way of ['%2e%2e/x', 'a/..%2fx', '.%2E%5Cx']) {
    const out = await postJson(rota.url, '/v1/workflows', {
      workflow: 'define\n  alpha',
      callback: `svc:billing/${way}`,
    });
    expect(out.json()).toMatchObject({ status: 400, error: 'callback is invalid' });
  }
});

test('an answer at once is the proceed where that was agreed', async () => {
  says.set('/quick', { status: 200, body: { proceed: true, fields: { fast: 1 } } });
  await put('quick', { url: `${there}/quick`, replies: true });
  expect((await is(await launch('define\n  quick'), 'completed')).fields).toMatchObject({ fast: 1 });
  const own = await launch('define\n  somebody', { callback: `${there}/quick`, replies: true });
  expect((await is(own, 'completed')).fields).toMatchObject({ fast: 1 });
});

test('an answer that cannot be kept as it is is a failed try, and only what is named of it counts', async () => {
  const once = { retry: { delays: [] }, callbacks: {} };
  const big = '12345678901234567890';
  for (const [name, text] of Object.entries({
    number: `{"a":{"n":${big}}}`,
    half: '{"a":{"n":"\\ud83d"}}',
    zero: '{"a":{"n":"\\u0000"}}',
  })) {
    says.set(`/${name}`, { status: 200, body: text });
    await put(name, { kind: 'http', url: `${there}/${name}`, result: { n: '/a/n' } });
    const failed = await is(await launch(`define\n  ${name}`, once), 'error');
    expect(failed.errors).toMatchObject([{ class: 'RetriesExceeded' }]);
  }
  says.set('/beside', { status: 200, body: `{"a":{"n":1},"id":${big}}` });
  await put('beside', { kind: 'http', url: `${there}/beside`, result: { n: '/a/n' } });
  expect((await is(await launch('define\n  beside', once), 'completed')).fields).toMatchObject({ n: 1 });
  says.set('/at-once', { status: 200, body: `{"proceed":true,"fields":{"n":${big}}}` });
  await put('at-once', { url: `${there}/at-once`, replies: true });
  expect((await is(await launch("define\n  participant 'at-once'", once), 'error')).errors).toMatchObject([
    { class: 'RetriesExceeded' },
  ]);
});

test('what is mapped is all that goes out and comes in', async () => {
  await put('mapped', { kind: 'person', input: { to: 'f:from', kind: 'text', sum: '${f:sum}', gone: 'f:nothing' } });
  const id = await launch("define\n  mapped output: { 'decision': 'f:answer.decision' }", {
    callbacks: {},
    fields: { from: { a: 1 }, sum: 2, hidden: 3 },
  });
  const [workitem] = (await show(id)).workitems;
  const { params: _params, ...fields } = workitem?.fields ?? {};
  expect(fields).toEqual({ to: { a: 1 }, kind: 'text', sum: 2 });
  await postJson(rota.url, `/v1/workflows/${id}/workitems/${workitem?.id}/proceed`, {
    fields: { answer: { decision: 'yes' }, other: 1 },
  });
  expect((await is(id, 'completed')).fields).toEqual({ from: { a: 1 }, sum: 2, hidden: 3, decision: 'yes' });
});

test('a person waits in the worklist, with a form, and can be claimed by one at a time', async () => {
  await put('clerk', { kind: 'person', form: { type: 'object' } });
  expect((await send(rota.url, 'GET', '/v1/forms/clerk')).json()).toEqual({ name: 'clerk', form: { type: 'object' } });
  const id = await launch('define\n  clerk');
  const path = `/v1/workflows/${id}/workitems/${(await show(id)).workitems[0]?.id}`;
  const claimed = await postJson(rota.url, `${path}/claim`, { assignee: 'ada' });
  expect(claimed.json()).toMatchObject({ claim: { assignee: 'ada' }, callback: { url: null, owed: null } });
  expect((await postJson(rota.url, `${path}/claim`, { assignee: 'ada', ttl: '2h' })).status).toBe(200);
  expect((await postJson(rota.url, `${path}/claim`, { assignee: 'bob' })).json()).toMatchObject({
    status: 409,
    code: 'workitem_claimed',
  });
  expect((await postJson(rota.url, `${path}/proceed`, {})).status).toBe(409);
  expect((await postJson(rota.url, `${path}/fail`, { message: 'no' })).status).toBe(409);
  const list = async (query: string): Promise<number> =>
    (await send(rota.url, 'GET', `/v1/workitems?workflow_id=${id}&${query}`)).json<{ workitems: unknown[] }>().workitems
      .length;
  expect([
    await list('claimed=1'),
    await list('claimed=0'),
    await list('assignee=ada'),
    await list('assignee=bob'),
  ]).toEqual([1, 0, 1, 0]);
  expect((await postJson(rota.url, `${path}/release`, {}, { 'Rota-Assignee': 'ada' })).status).toBe(200);
  expect(await list('claimed=0')).toBe(1);
  await postJson(rota.url, `${path}/claim`, { assignee: 'bob', ttl: 60 });
  expect((await postJson(rota.url, `${path}/proceed`, {}, { 'Rota-Assignee': 'bob' })).status).toBe(201);
  await is(id, 'completed');
});

test('messages of a participant that is not enabled wait, and no try is counted', async () => {
  await put('asleep', { url: `${there}/asleep`, enabled: false });
  const id = await launch('define\n  asleep');
  await advance(100);
  expect(asked.some(({ url }) => url === '/asleep')).toBe(false);
  await put('asleep', { url: `${there}/asleep` });
  await advance(100);
  expect((await at('/asleep')).headers['rota-try']).toBe('1');
  await postJson(rota.url, `/v1/workflows/${id}/kill`, {});
});

test('a registered participant has retry rules and a deadline of its own', async () => {
  says.set('/slow', { status: 500 });
  await put('slow', { url: `${there}/slow`, retry: { max: 2, initial: 1 }, deadline: '1h' });
  await is(
    await launch('define\n  slow').then(async (id) => {
      await advance(5);
      return id;
    }),
    'error',
  );
  expect(asked.filter(({ url }) => url === '/slow').length).toBe(2);
  says.set('/slow', { status: 200 });
  const id = await launch('define\n  slow');
  await advance(3_700);
  await is(id, 'completed');
});

test('a participant that gives no sign of life times out, and one that does goes on', async () => {
  const id = await launch("define\n  worker heartbeat: '5m', timeout: '1d'", { callback: `${there}/worker` });
  await advance(0);
  const path = `/v1/workflows/${id}/workitems/${(await show(id)).workitems[0]?.id}`;
  await advance(200);
  const told = await postJson(rota.url, `${path}/heartbeat`, { progress: { percent: 40 }, extend: '1h' });
  expect(told.status).toBe(200);
  const { heartbeat_due_at: due, deadline_at: deadline } = told.json<{
    heartbeat_due_at: string;
    deadline_at: string;
  }>();
  expect(Date.parse(deadline) - Date.parse(due)).toBe(55 * 60_000);
  await advance(200);
  expect((await send(rota.url, 'GET', path)).json()).toMatchObject({
    progress: { percent: 40 },
    heartbeat_due_at: due,
  });
  await advance(200);
  await is(id, 'completed');
  expect((await send(rota.url, 'GET', `/v1/workflows/${id}/history`)).text).toContain('"reason":"heartbeat"');
});

/** Who was asked to undo what, in order, for one workflow. */
const undone = (id: string): readonly unknown[] =>
  asked
    .filter(({ url, body }) => url === '/undo' && body.includes(id))
    .map(({ body }) => {
      const { participant, fields } = JSON.parse(body) as { participant: string; fields: Record<string, unknown> };
      return [participant, fields['__undo__'], fields['booked']];
    });
const callbacks = (): object => ({ '/^book_/': `${there}/book`, '/^undo_/': `${there}/undo` });

test('what was done is undone, the latest first: by an error nobody handles, by a cancel, and where the definition says so', async () => {
  says.set('/book', { status: 200, body: { proceed: true, fields: { booked: true } } });
  says.set('/undo', { status: 200, body: { proceed: true, fields: { dropped: true } } });
  const trip = "define trip\n  sequence\n    book_a undo: 'undo_a'\n    book_b undo: 'undo_b'\n";
  const failed = await launch(`${trip}    error 'sold out'\n`, {
    callbacks: callbacks(),
    replies: true,
    compensate: true,
  });
  expect(await is(failed, 'cancelled')).toMatchObject({ reason: 'sold out' });
  expect(undone(failed)).toEqual([
    ['undo_b', { participant: 'book_b', expid: '0_0_1' }, true],
    ['undo_a', { participant: 'book_a', expid: '0_0_0' }, true],
  ]);
  expect((await send(rota.url, 'GET', `/v1/workflows/${failed}/history`)).text).toContain('"reason":"sold out"');

  const cancelled = await launch(`${trip}    stall\n`, { callbacks: callbacks(), replies: true });
  await advance(0);
  await postJson(rota.url, `/v1/workflows/${cancelled}/cancel`, { compensate: true });
  await is(cancelled, 'cancelled');
  expect(undone(cancelled)).toHaveLength(2);

  const tagged =
    "define\n  sequence\n    sequence tag: 'trip'\n      book_a undo: 'undo_a'\n    book_b undo: 'undo_b'\n    compensate tag: 'trip'\n";
  const said = await launch(tagged, { callbacks: callbacks(), replies: true });
  const { fields } = await is(said, 'completed');
  expect(undone(said)).toMatchObject([['undo_a', {}, true]]);
  expect(fields).toMatchObject({ booked: true });
  expect(fields).not.toHaveProperty('dropped');
});

test.each([
  ['replayed, goes on', 'replay', 2],
  ['cancelled, is skipped', 'cancel', 1],
])('an undoing that fails waits as an error; %s', async (_told, way, times) => {
  says.set('/book', { status: 200, body: { proceed: true } });
  says.set('/undo', { status: 200, body: { proceed: true } });
  says.set('/undo-b', { status: 503 });
  const workflow =
    "define\n  sequence\n    book_a undo: 'undo_a'\n    book_b undo: 'broken_undo'\n    compensate all: true\n";
  const id = await launch(workflow, {
    callbacks: { ...callbacks(), broken_undo: `${there}/undo-b` },
    replies: true,
    retry: { delays: [] },
  });
  const { errors } = await is(id, 'error');
  expect(undone(id)).toHaveLength(0);
  const [{ expression_id: failed } = { expression_id: '' }] = errors as unknown as { expression_id: string }[];
  says.set('/undo-b', { status: 200, body: { proceed: true } });
  const path = way === 'replay' ? `errors/${failed}/replay` : `expressions/${failed}/cancel`;
  const answer = await postJson(rota.url, `/v1/workflows/${id}/${path}`, {});
  expect(answer.status, answer.text).toBe(201);
  await is(id, 'completed');
  expect(undone(id)).toMatchObject([['undo_a', {}, undefined]]);
  expect(
    asked.filter(({ url, body }) => url === '/undo-b' && body.includes(id) && body.includes('"active"')),
  ).toHaveLength(times);
});

test('a definition brings participants along: whole entries, before the registry, for its own workflows', async () => {
  const store = (name: string, body: object | string): Promise<Answer> =>
    send(rota.url, 'PUT', `/v1/definitions/${name}`, {
      headers: { 'Content-Type': typeof body === 'string' ? 'text/plain' : 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  await put('owned', { url: `${there}/registry` });
  says.set('/own-stock', { status: 200, body: { state: 'plenty' } });
  says.set('/own-fax', { status: 503 });
  const made = await store('owner', {
    definition: 'define\n  stock\n  owned\n',
    participants: {
      stock: { kind: 'http', url: `${there}/own-stock?id={f:id}`, result: { state: '/state' } },
      owned: { url: `${there}/own`, headers: { 'x-key': 'hush' }, secret: 'whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=' },
      '/^own_fax/': { url: `${there}/own-fax`, retry: { delays: [1] } },
    },
  });
  expect(made.status, made.text).toBe(201);
  expect(made.json()).toMatchObject({ warnings: [] });
  const got = await send(rota.url, 'GET', '/v1/definitions/owner');
  expect(got.text).not.toContain('hush');
  expect(got.text).not.toContain('sealed');
  expect(got.json()).toMatchObject({ participants: { owned: { secret: '***', headers: { 'x-key': '***' } } } });
  // A text alone keeps them, and what is sent back as it is shown is no other version.
  const again = await store('owner', 'define\n  stock\n  owned\n  own_fax_1\n');
  expect(again.json()).toMatchObject({ version: 2 });
  const { definition, participants } = (await send(rota.url, 'GET', '/v1/definitions/owner')).json();
  expect((await store('owner', { definition, participants } as object)).json()).toMatchObject({ version: 2 });

  const run = await postJson(rota.url, '/v1/definitions/owner/run', { fields: { id: 'a b' }, strict: true });
  expect(run.status, run.text).toBe(201);
  expect((await at('/own-stock')).url).toBe('/own-stock?id=a%20b');
  expect((await at('/own')).headers).toMatchObject({ 'x-key': 'hush' });
  const { id } = run.json<{ id: string }>();
  // Its workflows keep them when the name is gone.
  await send(rota.url, 'DELETE', '/v1/definitions/owner');
  const [workitem] = (await show(id)).workitems;
  expect(workitem?.fields).toMatchObject({ state: 'plenty' });
  await postJson(rota.url, `/v1/workflows/${id}/workitems/${workitem?.id}/proceed`, {});
  await advance(5);
  await is(id, 'error');
  expect(asked.filter(({ url }) => url === '/own-fax')).toHaveLength(2);
  expect(asked.some(({ url }) => url === '/registry')).toBe(false);

  const wrong = await store('owner', {
    definition: 'define',
    participants: { a: { url: 'ftp://x/' }, b: { kind: 'http' } },
  });
  expect(wrong.status).toBe(422);
  expect(wrong.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer)).toEqual([
    '#/participants/a/url',
    '#/participants/b/url',
  ]);
});

test('a person that a definition brings along has its form, and a function in the process goes before it', async () => {
  const form = { type: 'object', properties: { ok: { type: 'boolean' } } };
  const made = await send(rota.url, 'PUT', '/v1/definitions/asks', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ definition: 'define\n  asked\n', participants: { asked: { kind: 'person', form } } }),
  });
  expect(made.status, made.text).toBe(201);
  const formNow = async (): Promise<unknown> => {
    const { id } = (await postJson(rota.url, '/v1/definitions/asks/run', {})).json<{ id: string }>();
    const path = `/v1/workflows/${id}/workitems/${(await show(id)).workitems[0]?.id}`;
    return (await send(rota.url, 'GET', path)).json<{ form?: unknown }>().form;
  };
  expect(await formNow()).toEqual(form);
  // As rota.participant writes it (server/in-process.ts); an entry like any other goes behind.
  await put('asked', { kind: 'person', form: { type: 'array' } });
  expect(await formNow()).toEqual(form);
  await put('asked', { kind: 'person', in_process: true, form: { type: 'string' } });
  expect(await formNow()).toEqual({ type: 'string' });
  const wrong = await put('asked', { url: `${there}/a`, in_process: true });
  expect(wrong.json<{ errors: { pointer: string }[] }>().errors.map(({ pointer }) => pointer)).toEqual([
    '#/in_process',
  ]);
});

test('messages of a stored definition are held to their schemas', async () => {
  await send(rota.url, 'PUT', '/v1/definitions/paid', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      definition: "define\n  await event: 'payment', to: 'payment'\n",
      messages: { payment: { type: 'object', required: ['amount'], properties: { amount: { exclusiveMinimum: 0 } } } },
    }),
  });
  const { id } = (await postJson(rota.url, '/v1/definitions/paid/run', {})).json<{ id: string }>();
  const message = (body: object): Promise<Answer> => postJson(rota.url, `/v1/workflows/${id}/messages/payment`, body);
  expect((await message({ amount: -1 })).json()).toMatchObject({
    ...{ status: 422, code: 'input_invalid', errors: [{ pointer: '#/amount', detail: 'must be > 0' }] },
  });
  expect((await message({})).json()).toMatchObject({ errors: [{ pointer: '#/amount' }] });
  expect((await show(id)).status).toBe('running');
  expect((await message({ amount: 5 })).json()).toMatchObject({ delivered: true });
  expect((await is(id, 'completed')).fields).toMatchObject({ payment: { amount: 5 } });
});

test('a participant that wants a certificate is shown the one of its entry, and is believed by its roots alone', async () => {
  const pem = (name: string): string => readFileSync(new URL(`../server/tls/${name}`, import.meta.url), 'utf8');
  const seen: string[] = [];
  const strict = createSecureServer(
    { cert: pem('one.crt'), key: pem('one.key'), ca: pem('two.crt'), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
      request.resume().on('end', () => response.writeHead(200).end());
    },
  );
  await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve));
  try {
    const url = `https://localhost:${(strict.address() as AddressInfo).port}/`;
    const made = await put('certified', {
      url,
      tls: { cert: pem('two.crt'), key: pem('two.key'), ca: pem('one.crt') },
    });
    expect(made.json()).toMatchObject({ tls: { cert: pem('two.crt'), key: '***' } });
    await put('stranger', { url, tls: { ca: pem('one.crt') }, retry: { delays: [] } });
    await put('unbelieved', { url, tls: { cert: pem('two.crt'), key: pem('two.key') }, retry: { delays: [] } });
    await launch('define\n  certified');
    await until('it is asked', () => seen.length === 1);
    expect(seen).toEqual(['two']);
    for (const name of ['stranger', 'unbelieved']) await is(await launch(`define\n  ${name}`), 'error');
    expect(seen).toHaveLength(1);
    const broken = await put('broken', { url, tls: { cert: 'x', key: 'y' } });
    expect(broken.json()).toMatchObject({ status: 422, errors: [{ pointer: '#/tls/cert' }, { pointer: '#/tls/key' }] });
  } finally {
    strict.closeAllConnections();
    strict.close();
  }
});
