import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Lists over HTTP: several states, times, counts, history in both orders, errors in groups. */

const NOWHERE = 'http://127.0.0.1:1/callback';

let server: Running;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1', NODE_NAME: 'list-node', INDEXED_FIELDS: 'order.kind,order.n' });
}, 120_000);
afterAll(() => server.stop(), 60_000);

const get = async <Shape = Record<string, unknown>>(path: string): Promise<Shape> => {
  const answer = await send(server.url, 'GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.json<Shape>();
};
const launch = async (workflow: unknown): Promise<string> => {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
};
const advance = async (seconds: number): Promise<string> =>
  (await postJson(server.url, '/v1/test/clock', { advance: seconds })).json<{ now: string }>().now;
type List = { readonly workflows: readonly { readonly id: string }[]; readonly next_cursor: string | null };
const idsOf = async (query: string): Promise<readonly string[]> =>
  (await get<List>(`/v1/workflows?${query}`)).workflows.map(({ id }) => id);

test('workflows are listed and counted by several states and by times', async () => {
  const t0 = await advance(10);
  const first = await launch('define one\n  alpha\n');
  const t1 = await advance(10);
  const second = await launch('define two\n  alpha\n');
  const third = await launch('define\n  error "broken"\n');
  const t2 = await advance(10);
  await postJson(server.url, `/v1/workflows/${first}/kill`, {});
  const t3 = await advance(10);
  await postJson(server.url, `/v1/workflows/${second}/kill`, {});

  expect(await idsOf('status=error,killed')).toHaveLength(3);
  expect(await idsOf('status=error')).toEqual([third]);
  expect(await idsOf(`launched_from=${t0}&launched_to=${t1}`)).toEqual([first]);
  expect(await idsOf(`launched_from=${t1}`)).toHaveLength(2);
  expect(await idsOf(`ended_from=${t2}`)).toEqual([second, first]);
  expect(await idsOf(`ended_from=${t2}&ended_to=${t3}&status=killed,completed`)).toEqual([first]);
  for (const [query, count] of [
    ['', 3],
    ['status=error,killed', 3],
    ['status=killed&name=one', 1],
    [`ended_from=${t3}`, 1],
    ['participant=alpha', 0],
  ] as const)
    expect(await get(`/v1/workflows/count?${query}`), query).toEqual({ count });

  // A page by one order leads on in that order only.
  const page = await get<List>(`/v1/workflows?ended_from=${t2}&limit=1`);
  expect(page.workflows.map(({ id }) => id)).toEqual([second]);
  expect(await idsOf(`ended_from=${t2}&limit=1&cursor=${page.next_cursor}`)).toEqual([first]);
  expect((await send(server.url, 'GET', `/v1/workflows?cursor=${page.next_cursor}`)).status).toBe(400);
  for (const bad of [
    'status=error,odd',
    'status=',
    'launched_from=yesterday',
    'ended_to=2015-10-05',
    'launched_to=1e12',
  ])
    for (const path of ['/v1/workflows', '/v1/workflows/count'])
      expect((await send(server.url, 'GET', `${path}?${bad}`)).json(), bad).toMatchObject({
        status: 400,
        code: 'query_invalid',
      });
  expect((await send(server.url, 'GET', '/v1/workflows/count?colour=x')).status).toBe(400);
}, 60_000);

test('a history is read in both orders, and by kind and place', async () => {
  const id = await launch(
    "define\n  sequence\n    set field: 'a', value: 1\n    set field: 'b', value: 2\n    alpha\n",
  );
  // The first try has failed, and the history says so.
  await advance(0);
  type Page = {
    readonly history: readonly { readonly n: number; readonly kind: string; readonly expid?: string }[];
    readonly next_after: number | null;
    readonly next_before?: number | null;
  };
  const path = `/v1/workflows/${id}/history`;
  const all = (await get<Page>(path)).history.map(({ n }) => n);
  expect(all.length).toBeGreaterThan(4);
  const back: number[] = [];
  for (let before: number | null = null, more = true; more; ) {
    const page: Page = await get<Page>(`${path}?order=desc&limit=2${before === null ? '' : `&before=${before}`}`);
    back.push(...page.history.map(({ n }) => n));
    before = page.next_before ?? null;
    more = before !== null;
  }
  expect(back).toEqual([...all].reverse());
  expect((await get<Page>(`${path}?before=3`)).history.map(({ n }) => n)).toEqual([1, 2]);
  expect((await get<Page>(`${path}?order=desc&after=2&before=5`)).history.map(({ n }) => n)).toEqual([4, 3]);
  const kinds = await get<Page>(`${path}?kinds=workitem.*,workflow.launched`);
  expect(kinds.history.map(({ kind }) => kind)).toEqual(['workflow.launched', 'workitem.opened']);
  expect(kinds.next_after).toBe(null);
  const first = await get<Page>(`${path}?kinds=workflow.launched,workitem.opened&limit=1`);
  expect(first.history).toHaveLength(1);
  expect((await get<Page>(`${path}?kinds=workitem.opened&after=${first.next_after}`)).history).toHaveLength(1);
  const place = await get<Page>(`${path}?expid=0_0_0`);
  expect(new Set(place.history.map(({ expid }) => expid))).toEqual(new Set(['0_0_0']));
  for (const bad of ['order=up', 'kinds=odd', 'before=x', 'after=-1'])
    expect((await send(server.url, 'GET', `${path}?${bad}`)).status, bad).toBe(400);
}, 60_000);

test('errors are found by what they are, and gathered into groups', async () => {
  for (const n of [1, 2, 3]) await launch(`define many\n  error "order ${n} is odd"\n`);
  await launch('define single\n  error "something else"\n');
  type Errors = {
    readonly errors: readonly {
      readonly class: string;
      readonly message: string;
      readonly fingerprint: string;
      readonly name: string;
    }[];
    readonly groups?: readonly {
      readonly key: string;
      readonly count: number;
      readonly workflows: number;
      readonly hours: readonly number[];
      readonly example: { readonly message: string };
    }[];
    readonly complete?: boolean;
  };
  const many = await get<Errors>('/v1/errors?name=many');
  expect(many.errors).toHaveLength(3);
  expect(new Set(many.errors.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  const kind = many.errors[0]?.class ?? '';
  expect((await get<Errors>(`/v1/errors?class=${kind}`)).errors.length).toBeGreaterThanOrEqual(4);
  expect((await get<Errors>('/v1/errors?class=Nothing')).errors).toEqual([]);
  expect((await get<Errors>('/v1/errors?participant=alpha')).errors).toEqual([]);
  expect((await get<Errors>('/v1/errors?to=2001-01-01T00:00:00Z')).errors).toEqual([]);
  const groups = await get<Errors>('/v1/errors?group_by=fingerprint');
  expect(groups.groups?.[0]).toMatchObject({ key: many.errors[0]?.fingerprint, count: 3, workflows: 3 });
  // Each of the last 24 hours has its number; an hour later they stand one before the last.
  const hoursOf = async (): Promise<readonly number[]> =>
    (await get<Errors>('/v1/errors?group_by=fingerprint&name=many')).groups?.[0]?.hours ?? [];
  expect(await hoursOf()).toEqual([...Array.from({ length: 23 }, () => 0), 3]);
  await advance(3_600);
  expect((await hoursOf()).slice(-2)).toEqual([3, 0]);
  // The same message at another place, or of another definition, is another problem.
  await launch('define many\n  noop\n  error "order 4 is odd"\n');
  await launch('define few\n  error "order 5 is odd"\n');
  const apart = await get<Errors>('/v1/errors?group_by=fingerprint');
  const alike = apart.groups?.filter(({ example }) => example.message.includes('is odd')) ?? [];
  expect(alike.map(({ count }) => count)).toEqual([3, 1, 1]);
  expect(groups.complete).toBe(true);
  expect((await get<Errors>('/v1/errors?group_by=class&name=many')).groups).toMatchObject([{ key: kind, count: 4 }]);
  expect((await send(server.url, 'GET', '/v1/errors?group_by=odd')).status).toBe(400);
}, 60_000);

test('a count takes tags and fields, and says how far the look into workflows went', async () => {
  const fields = { order: { kind: 'large' } };
  for (let i = 0; i < 2; i++)
    await postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha tag: "t"\n', callback: NOWHERE, fields });
  expect(await get('/v1/workflows/count?field.order.kind=large')).toEqual({ count: 2 });
  expect((await send(server.url, 'GET', '/v1/workflows/count?field.=large')).status).toBe(400);
  expect(await get('/v1/workflows/count?field.order.kind=large&tag=t&status=running')).toEqual({ count: 2 });
  expect(await get('/v1/workflows/count?field.order.kind=small')).toEqual({ count: 0 });
  // One that has no index is looked for one by one, and finds the same.
  expect(await get('/v1/workflows/count?field.order.kind=large&field.order={"kind":"large"}')).toEqual({ count: 2 });
  const page = await get<List & { readonly looked_back_to: string }>('/v1/workflows?tag=t&limit=1');
  expect(Date.parse(page.looked_back_to)).toBeGreaterThan(0);
});

type Message = {
  readonly message_id: string;
  readonly workflow_id: string;
  readonly state: string;
  readonly tries: number;
  readonly host: string;
  readonly last: { readonly try: number; readonly error: string } | null;
};

test('messages are listed by how they stand, and each shows its request and its tries', async () => {
  const of = async (query: string): Promise<readonly Message[]> =>
    (await get<{ deliveries: readonly Message[] }>(`/v1/deliveries?participant=late&${query}`)).deliveries;
  const trying = await launch('define\n  late\n');
  await advance(1);
  const [failing] = await of('state=failing');
  expect(failing).toMatchObject({
    ...{
      workflow_id: trying,
      state: 'failing',
      tries: 1,
      tries_max: expect.any(Number),
      host: '127.0.0.1:1',
      message: 'active',
      participant: 'late',
    },
    last: { try: 1, status: null },
  });
  expect(await of('state=owed')).toEqual([]);
  expect(await of('host=elsewhere')).toEqual([]);
  await postJson(server.url, '/v1/workflows', {
    ...{ workflow: 'define\n  late\n', callback: NOWHERE, retry: { delays: [] } },
  });
  await advance(1);
  expect(await of('state=spent')).toMatchObject([{ state: 'spent', tries: 1, tries_max: 1 }]);
  const { errors } = await get<{ errors: { host: string; last_try: object | null }[] }>('/v1/errors?participant=late');
  expect(errors.map(({ host }) => host)).toEqual(['127.0.0.1:1']);
  expect(errors.map(({ last_try }) => last_try)).toMatchObject([{ message: 'active', try: 1, status: null }]);
  expect((await of('')).map(({ state }) => state)).toEqual(['failing', 'spent']);
  const first = await get<{ deliveries: Message[]; next_cursor: string }>('/v1/deliveries?participant=late&limit=1');
  const second = await get<{ deliveries: Message[] }>(
    `/v1/deliveries?participant=late&limit=1&cursor=${first.next_cursor}`,
  );
  expect([...first.deliveries, ...second.deliveries].map(({ state }) => state)).toEqual(['failing', 'spent']);

  // Each filter is the server's.
  expect((await of('message=active')).map(({ state }) => state)).toEqual(['failing', 'spent']);
  expect(await of('message=timeout')).toEqual([]);
  expect((await of(`workflow_id=${trying}`)).map(({ workflow_id }) => workflow_id)).toEqual([trying]);
  const opened = (failing as Message & { readonly opened_at: string }).opened_at;
  expect((await of(`opened_to=${opened}`)).map(({ state }) => state)).toEqual([]);
  expect((await of(`opened_from=${opened}`)).map(({ state }) => state)).toEqual(['failing', 'spent']);
  expect(await of('answer=5xx')).toEqual([]);
  const unanswered = '/v1/deliveries?participant=late&answer=none&limit=1';
  const firstOf = await get<{ deliveries: Message[]; next_cursor: string; looked_at: number }>(unanswered);
  expect([firstOf.deliveries.map(({ state }) => state), firstOf.looked_at]).toEqual([['failing'], 1]);
  const two = await get<{ deliveries: Message[]; next_cursor: null }>(`${unanswered}&cursor=${firstOf.next_cursor}`);
  expect([two.deliveries.map(({ state }) => state), two.next_cursor]).toEqual([['spent'], null]);
  for (const bad of ['message=loud', 'answer=9xx', 'opened_from=yesterday'])
    expect((await send(server.url, 'GET', `/v1/deliveries?${bad}`)).status, bad).toBe(400);

  const one = await get<Message & { request: { body: string; headers: object }; deliveries: object[] }>(
    `/v1/deliveries/${encodeURIComponent(failing?.message_id ?? '')}`,
  );
  expect(one).toMatchObject({ ...failing, edited: false, request: { method: 'POST', url: NOWHERE } });
  const item = (failing as Message & { readonly workitem_id: string }).workitem_id;
  const path = `/v1/workflows/${trying}/workitems/${encodeURIComponent(item)}`;
  const { etag } = (await send(server.url, 'GET', path)).headers;
  const patched = await send(server.url, 'PATCH', path, {
    headers: { 'Content-Type': 'application/json', 'If-Match': String(etag) },
    body: JSON.stringify({ fields: { other: true } }),
  });
  expect(patched.status, patched.text).toBe(200);
  expect(await get(`/v1/deliveries/${encodeURIComponent(failing?.message_id ?? '')}`)).toMatchObject({ edited: true });
  expect(one.deliveries).toMatchObject([{ by: 'list-node' }]);
  expect(one.request.headers).toMatchObject({ 'webhook-id': failing?.message_id, 'rota-try': '2' });
  expect(JSON.parse(one.request.body)).toMatchObject({ workflow_id: trying, participant: 'late', status: 'active' });
  expect((await send(server.url, 'GET', '/v1/deliveries/msg_nothing_active')).status).toBe(404);
  expect((await send(server.url, 'GET', '/v1/deliveries?state=lost')).status).toBe(400);
});

test('timers of all workflows are listed, those due next first', async () => {
  const later = await launch('define later\n  wait for: "2h"\n');
  const sooner = await launch('define sooner\n  wait for: "1h"\n');
  const { timers } = await get<{ timers: { workflow_id: string; due_at: string }[] }>('/v1/timers');
  const ours = timers.filter(({ workflow_id }) => [later, sooner].includes(workflow_id));
  expect(ours.map(({ workflow_id }) => workflow_id)).toEqual([sooner, later]);
  expect(ours[0]).toMatchObject({ name: 'sooner', expid: '0_0', expression_id: expect.stringContaining('0_0!') });
  const before = await get<{ timers: object[] }>(`/v1/timers?due_before=${ours[1]?.due_at}`);
  expect(before.timers).toContainEqual(ours[0]);
  expect(before.timers).not.toContainEqual(ours[1]);
  const of = async (query: string): Promise<readonly object[]> =>
    (await get<{ timers: object[] }>(`/v1/timers?${query}`)).timers;
  expect(await of(`workflow_id=${later}`)).toEqual([ours[1]]);
  expect(await of(`workflow_id=${later}&due_before=${ours[1]?.due_at}`)).toEqual([]);
  expect(await of(`workflow_id=${later}&due_from=${ours[1]?.due_at}`)).toEqual([ours[1]]);
  const action = (ours[0] as { readonly action?: string } | undefined)?.action ?? '';
  expect(await of(`workflow_id=${sooner}&action=${action}`)).toEqual([ours[0]]);
  expect(await get(`/v1/timers?workflow_id=${sooner}&action=nothing`)).toMatchObject({ timers: [], looked_at: 1 });
  const paged: object[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const page: { timers: object[]; next_cursor: string | null } = await get(
      `/v1/timers?action=${action}&limit=1${from}`,
    );
    paged.push(...page.timers);
    cursor = page.next_cursor;
  }
  expect(paged).toEqual(await of(`action=${action}`));
});

test('definitions that were launched lately are told by hash and name, with how many of their workflows live', async () => {
  const id = await launch('define seen\n  wait for: "1h"\n');
  await launch('define seen\n  wait for: "1h"\n');
  await launch('define seen\n  noop\n');
  const { definitions } = await get<{ definitions: { name: string; hash: string }[] }>('/v1/stats/definitions');
  const ours = definitions.filter(({ name }) => name === 'seen');
  expect(ours).toMatchObject([
    { launched: 1, live: 0, failed: 0, stored: null },
    { launched: 2, live: 2, failed: 0, stored: null },
  ]);
  const { definition_hash: hash } = await get<{ definition_hash: string }>(`/v1/workflows/${id}`);
  expect(ours[1]?.hash).toBe(hash);
  const places = await get<{ places: object[] }>(`/v1/definitions/${hash}/places`);
  expect(places).toMatchObject({ definition: hash, workflows: 2, complete: true });
  expect(places.places).toContainEqual({ expid: '0_0', live: 2, failed: 0, workitems: 0 });
});

test('of a stored definition it is told at which places its workflows are, and have failed', async () => {
  const put = await send(server.url, 'PUT', '/v1/definitions/counted', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ definition: "define counted\n  nobody if: '${f:ask}'\n  wait for: '1h'\n" }),
  });
  expect(put.status, put.text).toBe(201);
  for (const ask of [false, false, true])
    expect((await postJson(server.url, '/v1/definitions/counted/run', { fields: { ask } })).status).toBe(201);
  expect(await get('/v1/definitions/counted/stats')).toEqual({
    ...{ name: 'counted', version: 1, workflows: 3, complete: true },
    elements: [
      { id: '0', live: 3, waiting: 0, failed: 0 },
      { id: '0_0', live: 1, waiting: 0, failed: 1 },
      { id: '0_1', live: 2, waiting: 0, failed: 0 },
    ],
  });
});

test('a stored definition is told with how many of its workflows live, are in error, and were launched in a day', async () => {
  const put = await send(server.url, 'PUT', '/v1/definitions/kept', {
    body: 'define kept\n  wait for: "1h"\n',
    headers: { 'Content-Type': 'text/plain' },
  });
  expect(put.status, put.text).toBe(201);
  const run = async (): Promise<string> => {
    const answer = await postJson(server.url, '/v1/workflows', { definition: 'kept' });
    expect(answer.status, answer.text).toBe(201);
    return answer.json<{ id: string }>().id;
  };
  await run();
  await postJson(server.url, `/v1/workflows/${await run()}/kill`, {});
  type Told = { stored: { name: string; launched_in_a_day: number }[]; stored_complete: boolean };
  // What was counted a moment ago is told once more.
  const [told, isWhole] = await until('both launches are counted', async () => {
    const { stored, stored_complete } = await get<Told>('/v1/stats/definitions');
    const found = stored.find((one) => one.name === 'kept');
    return found?.launched_in_a_day === 2 && ([found, stored_complete] as const);
  });
  expect(told).toEqual({ name: 'kept', live: 1, failed: 0, launched_in_a_day: 2 });
  expect(isWhole).toBe(true);
});

type Expression = {
  readonly id: string;
  readonly expid: string;
  readonly parent_id: string | null;
  readonly state: string;
  readonly branch?: object;
  readonly progress?: object;
};

test('a loop tells which round it is in, an iterator which element also after a leap', async () => {
  const id = await launch(
    "define\n  concurrence\n    loop\n      noop\n      alpha\n    iterator on: 'a, b, c'\n      beta\n",
  );
  const roundsOf = async () =>
    (await get<{ expressions: readonly Expression[] }>(`/v1/workflows/${id}`)).expressions
      .filter(({ expid }) => expid === '0_0_0' || expid === '0_0_1')
      .map(({ progress }) => progress);
  const proceed = async (participant: string, fields: object = {}) => {
    const { workitems } = await get<{ workitems: { id: string }[] }>(
      `/v1/workitems?workflow_id=${id}&participant=${participant}`,
    );
    await postJson(server.url, `/v1/workflows/${id}/workitems/${workitems[0]?.id}/proceed`, { fields });
  };
  expect(await roundsOf()).toEqual([
    { at: 1, of: 2, round: 1 },
    { at: 0, of: 3, round: 1, element: 'a' },
  ]);
  await proceed('alpha');
  await proceed('beta');
  await proceed('beta', { __command__: ['rewind', null] });
  expect(await roundsOf()).toEqual([
    { at: 1, of: 2, round: 2 },
    { at: 0, of: 3, round: 3, element: 'a' },
  ]);
});

test('expressions tell whom they reply to, which branch they are, and how far they have got', async () => {
  const id = await launch(
    "define\n  sequence\n    concurrence\n      alpha\n      error 'no'\n      sequence\n        noop\n        alpha\n    alpha\n",
  );
  const { expressions } = await get<{ expressions: readonly Expression[] }>(`/v1/workflows/${id}`);
  const at = (expid: string): Expression => {
    const found = expressions.find((one) => one.expid === expid);
    if (found === undefined) throw new Error(`nothing lives at ${expid}`);
    return found;
  };
  expect(at('0')).toMatchObject({ parent_id: null, progress: { at: 0, of: 1 } });
  expect(at('0_0')).toMatchObject({ parent_id: at('0').id, progress: { at: 0, of: 2 } });
  expect(at('0_0_0')).toMatchObject({ parent_id: at('0_0').id, progress: { of: 3, live: 3, done: 0, failed: 1 } });
  expect(at('0_0_0_1')).toMatchObject({ parent_id: at('0_0_0').id, state: 'failed', branch: { index: 1 } });
  expect(at('0_0_0_2')).toMatchObject({ branch: { kind: 'branch', index: 2 }, progress: { at: 1, of: 2 } });
  expect(at('0_0_0_2_1').branch).toBe(undefined);

  const children = await get<{ expressions: readonly Expression[] }>(
    `/v1/workflows/${id}/expressions?parent=${encodeURIComponent(at('0_0_0').id)}`,
  );
  expect(children.expressions.map(({ expid }) => expid)).toEqual(['0_0_0_0', '0_0_0_1', '0_0_0_2']);
  const failed = await get<{ expressions: readonly Expression[] }>(`/v1/workflows/${id}/expressions?state=failed`);
  expect(failed.expressions.map(({ expid }) => expid)).toEqual(['0_0_0_1']);
  const seen: string[] = [];
  let cursor: string | null = '';
  do {
    const page: { expressions: Expression[]; next_cursor: string | null } = await get(
      `/v1/workflows/${id}/expressions?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...page.expressions.map(({ expid }) => expid));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen.toSorted()).toEqual(expressions.map(({ expid }) => expid).toSorted());
});

test('one expression shows its fields, variables, timers, tree and handlers', async () => {
  const id = await launch(
    "define\n  set 'v:a': 7\n  concurrent_iterator on: 'x, y', to: 'v:who'\n    alpha task: '${v:who}', timeout: '2h', on_error: 'undo'\n",
  );
  const { expressions } = await get<{ expressions: readonly Expression[] }>(`/v1/workflows/${id}`);
  const second = expressions.find(
    ({ expid, branch }) => expid === '0_1_0' && (branch as { index: number }).index === 1,
  );
  expect(second?.branch).toMatchObject({ kind: 'branch', index: 1, element: 'y' });
  const one = await get(`/v1/workflows/${id}/expressions/${encodeURIComponent(second?.id ?? '')}`);
  expect(one).toMatchObject({
    ...second,
    ...{ variables: { who: 'y', ii: 1 }, handlers: { on_error: 'undo' }, differs: false },
    timers: [{ action: 'timeout', expression_id: second?.id }],
    tree: ['alpha', { task: '${v:who}', timeout: '2h', on_error: 'undo' }, []],
  });
  const root = await get<{ variables: object }>(
    `/v1/workflows/${id}/expressions/${encodeURIComponent(expressions[0]?.id ?? '')}`,
  );
  expect(root.variables).toEqual({ a: 7 });
  expect((await send(server.url, 'GET', `/v1/workflows/${id}/expressions/0_9!${'0'.repeat(32)}`)).json()).toMatchObject(
    {
      ...{ status: 404, code: 'expression_not_found' },
    },
  );
});

test('a dry run of a cancel, a kill, a replay or a reapply says what would happen, and nothing does', async () => {
  const id = await launch(
    "define\n  concurrence\n    alpha\n    sequence on_cancel: 'handler'\n      bob\n    error 'no'\n  define 'handler'\n    carol\n",
  );
  type Shown = { status: string; expressions: Expression[]; errors: { expression_id: string }[]; updated_at: string };
  const before = await get<Shown>(`/v1/workflows/${id}`);
  const dry = async (path: string): Promise<unknown> => {
    const answer = await postJson(server.url, `/v1/workflows/${id}${path}`, { dry_run: true });
    expect(answer.status, answer.text).toBe(200);
    return answer.json();
  };
  expect(await dry('/cancel')).toMatchObject({
    told: [
      { participant: 'alpha', status: 'cancel' },
      { participant: 'bob', status: 'cancel' },
    ],
    opened: [{ participant: 'carol' }],
    handlers: [{ expid: '0_1_1', handler: 'on_cancel' }],
    complete: true,
  });
  expect(await dry('/kill')).toMatchObject({
    told: [{ participant: 'alpha' }, { participant: 'bob' }],
    status: 'killed',
  });
  const error = before.errors[0]?.expression_id ?? '';
  expect(await dry(`/errors/${encodeURIComponent(error)}/replay`)).toMatchObject({ told: [], status: 'running' });
  const fork = before.expressions.find(({ expid }) => expid === '0_1')?.id ?? '';
  expect(await dry(`/expressions/${encodeURIComponent(fork)}/reapply`)).toMatchObject({
    told: [{ participant: 'alpha' }, { participant: 'bob' }],
  });
  // Callbacks are tried meanwhile; nothing else has happened.
  const after = await get<Shown>(`/v1/workflows/${id}`);
  expect([after.status, after.expressions, after.errors]).toEqual([before.status, before.expressions, before.errors]);
  const form = await send(server.url, 'POST', `/v1/workflows/${id}/cancel`, {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'dry_run=true',
  });
  expect(form.status).toBe(200);
  expect((await postJson(server.url, '/v1/workflows/nobody/kill', { dry_run: true })).status).toBe(404);
});

test('a proceed or a fail with If-Match is refused when the workitem was edited since it was seen', async () => {
  const id = await launch('define\n  alpha\n');
  const { workitems } = await get<{ workitems: { id: string }[] }>(`/v1/workflows/${id}`);
  const path = `/v1/workflows/${id}/workitems/${workitems[0]?.id}`;
  const seen = String((await send(server.url, 'GET', path)).headers['etag']);
  const patched = await send(server.url, 'PATCH', path, {
    headers: { 'If-Match': seen, 'Content-Type': 'application/json' },
    body: '{"fields":{"a":1}}',
  });
  expect(patched.status).toBe(200);
  for (const [what, body] of [
    ['proceed', {}],
    ['fail', { message: 'no' }],
  ] as const)
    expect((await postJson(server.url, `${path}/${what}`, body, { 'If-Match': seen })).json()).toMatchObject({
      ...{ status: 412, code: 'precondition_failed' },
    });
  const now = String(patched.headers['etag']);
  expect((await postJson(server.url, `${path}/proceed`, {}, { 'If-Match': now })).status).toBe(201);
});

test('a definition is given back as it was posted, byte for byte', async () => {
  const texts = [
    ['define\n  alpha  # a word\n', 'text/plain'],
    ['define\n  alpha\n', 'text/plain'],
    ['<process-definition>\n\t<participant ref="alpha"/> </process-definition>', 'application/xml'],
    ['["define", {}, [ ["alpha", {}, []] ] ]', 'application/json'],
  ] as const;
  for (const [text, type] of texts) {
    const id = await launch(text);
    const answer = await send(server.url, 'GET', `/v1/workflows/${id}/definition`);
    expect(answer.text).toBe(text);
    expect(answer.headers['content-type']).toContain(type);
    expect(answer.headers['content-disposition']).toContain(`attachment; filename="${id}.`);
  }
  const posted = await postJson(server.url, '/v1/workflows', {
    ...{ workflow: ['define', {}, [['alpha', {}, []]]], callback: NOWHERE },
  });
  const { id } = posted.json<{ id: string }>();
  expect(await get(`/v1/workflows/${id}/definition`)).toEqual(['define', {}, [['alpha', {}, []]]]);
  expect(await get(`/v1/workflows/${id}/tree`)).toMatchObject({
    ...{ id, tree: ['define', {}, [['alpha', {}, []]]] },
    expressions: [{ expid: '0' }, { expid: '0_0' }],
  });
});

test('a list tells whose turn it is and the newest error, where it is asked to', async () => {
  const id = await launch("define glance\n  concurrence\n    zoe\n    alpha\n    error 'no'\n");
  const { workflows } = await get<{ workflows: object[] }>('/v1/workflows?name=glance&include=turn,error');
  expect(workflows).toMatchObject([
    { id, turn: ['alpha', 'zoe'], error: { class: 'Ruote::ForcedError', expid: '0_0_2' } },
  ]);
  const hash = (await get<{ errors: { definition: string }[] }>('/v1/errors?name=glance')).errors[0]?.definition ?? '';
  const moved = (await get<{ updated_at: string }>(`/v1/workflows/${id}`)).updated_at;
  expect(await idsOf(`definition=${hash.slice(0, 10)}&updated_from=${moved}`)).toEqual([id]);
  expect(await idsOf(`definition=${hash}&updated_to=${moved}`)).toEqual([]);
  expect((await send(server.url, 'GET', '/v1/workflows?definition=abc')).status).toBe(400);
  const plain = await get<{ workflows: object[] }>('/v1/workflows?name=glance');
  expect(plain.workflows[0]).not.toHaveProperty('turn');
  expect((await send(server.url, 'GET', '/v1/workflows?include=fields')).status).toBe(400);
});

test('one branch is held and let go on, a place is stopped at, and an expression is replied for', async () => {
  type Shown = { status: string; fields: object; expressions: (Expression & { state: string; since: string })[] };
  const id = await launch('define held\n  concurrence\n    sequence\n      alpha\n      bravo\n    charly\n');
  const path = `/v1/workflows/${id}`;
  const at = async (expid: string) => {
    const { expressions } = await get<Shown>(path);
    return expressions.find((one) => one.expid === expid);
  };
  const act = async (expid: string, verb: string, body: object = {}) => {
    const answer = await postJson(server.url, `${path}/expressions/${(await at(expid))?.id}/${verb}`, body);
    return [answer.status, answer.text];
  };
  const turn = async () =>
    (await get<{ workitems: { id: string; participant: string }[] }>(`/v1/workitems?workflow_id=${id}&order=oldest`))
      .workitems;
  const proceed = async (participant: string) => {
    const item = (await turn()).find((one) => one.participant === participant);
    expect((await postJson(server.url, `${path}/workitems/${item?.id}/proceed`, {})).status).toBe(201);
  };
  expect(Date.parse((await at('0_0'))?.since ?? '')).toBeGreaterThan(0);
  expect(await act('0_0_0', 'pause', { reason: 'to be looked at' })).toEqual([201, 'OK']);
  expect((await at('0_0_0'))?.state).toBe('paused');
  await proceed('alpha');
  expect((await turn()).map(({ participant }) => participant)).toEqual(['charly']);
  expect(await act('0_0_0', 'pause', { breakpoint: '0_0_0_1' })).toEqual([201, 'OK']);
  expect(await act('0_0_0', 'pause', { breakpoint: 'nowhere' })).toEqual([422, expect.any(String)]);
  expect(await act('0_0_0', 'resume', { dry_run: true })).toEqual([200, expect.any(String)]);
  expect(await act('0_0_0', 'resume', { breakpoint: '0_0_0_1' })).toEqual([201, 'OK']);
  expect(await act('0_0_0', 'resume')).toEqual([201, 'OK']);
  expect((await turn()).map(({ participant }) => participant).sort()).toEqual(['bravo', 'charly']);
  expect(await act('0_0', 'reply', { fields: { said: 'on the telephone' } })).toEqual([201, 'OK']);
  const ended = await get<Shown>(path);
  expect([ended.status, ended.fields]).toEqual(['completed', { said: 'on the telephone' }]);
  const { history } = await get<{ history: { kind: string; reason?: string; definition?: string }[] }>(
    `${path}/history`,
  );
  expect(history[0]?.definition).toMatch(/^[0-9a-f]{64}$/);
  expect(history.find(({ kind }) => kind === 'expression.paused')?.reason).toBe('to be looked at');
});

test('workflows are found by the class of an error and listed the oldest first; a definition shows where they stand', async () => {
  type Definition = { definition_hash: string };
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push(await launch('define stood\n  sequence\n    stander\n'));
  const [first = '', ...others] = ids;
  const { workitems } = await get<{ workitems: { id: string }[] }>(`/v1/workitems?workflow_id=${first}`);
  await postJson(server.url, `/v1/workflows/${first}/workitems/${workitems[0]?.id}/fail`, {
    message: 'no',
    class: 'NoPaper',
  });
  expect(await idsOf('error=NoPaper')).toEqual([first]);
  expect(await get('/v1/workflows/count?error=NoPaper&participant=stander')).toEqual({ count: 1 });
  expect(await idsOf('error=Other')).toEqual([]);
  const oldest = await get<List>('/v1/workflows?name=stood&order=asc&limit=2');
  expect(oldest.workflows.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect(await idsOf(`name=stood&order=asc&limit=2&cursor=${oldest.next_cursor}`)).toEqual(ids.slice(2));
  expect(await idsOf('participant=stander&order=asc')).toEqual(ids);
  expect(await idsOf('participant=stander')).toEqual([...ids].reverse());
  expect((await send(server.url, 'GET', `/v1/workflows?cursor=${oldest.next_cursor}`)).status).toBe(400);
  expect((await send(server.url, 'GET', '/v1/workflows?order=asc&tag=x')).status).toBe(400);
  const { definition_hash: hash } = await get<Definition>(`/v1/workflows/${first}`);
  const errors = async (query: string) =>
    (await get<{ errors: { workflow_id: string }[] }>(`/v1/errors?${query}`)).errors.map((one) => one.workflow_id);
  expect(await errors(`definition=${hash.slice(0, 12)}&place=0_0_0`)).toEqual([first]);
  expect(await errors(`definition=${hash}&place=0_0`)).toEqual([]);
  expect(await get(`/v1/definitions/${hash}/places`)).toMatchObject({
    ...{ definition: hash, workflows: 3, complete: true },
    places: [
      { expid: '0', live: 3, failed: 0 },
      { expid: '0_0', live: 3, failed: 0 },
      { expid: '0_0_0', live: 2, failed: 1, workitems: 2 },
    ],
  });
  expect((await send(server.url, 'GET', '/v1/definitions/nobody-knows/places')).status).toBe(404);
  // All that wait are proceeded for at once.
  const made = await postJson(server.url, '/v1/batches', {
    ...{ action: 'proceed', filter: { name: 'stood' }, params: { fields: { by: 'all' } } },
  });
  expect(made.status, made.text).toBe(202);
  await expect
    .poll(async () => (await get<{ done: number }>(`/v1/batches/${made.json<{ id: string }>().id}`)).done)
    .toBe(3);
  for (const id of [first, ...others])
    expect(await get(`/v1/workflows/${id}`)).toMatchObject({ status: 'completed', fields: { by: 'all' } });
});
