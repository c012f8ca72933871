import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Batches over HTTP: what they take, what they show while they run and afterwards. */

let server: Running;
let alpha: Participant;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' });
  alpha = await startParticipant();
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

type Batch = {
  readonly id: string;
  readonly state: string;
  readonly total: number | null;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly left: number | null;
  readonly came_back: number;
  readonly problems: readonly { readonly code: string; readonly count: number }[];
};

const get = async <Shape = Record<string, unknown>>(path: string): Promise<Shape> => {
  const answer = await send(server.url, 'GET', path);
  expect(answer.status, answer.text).toBe(200);
  return answer.json<Shape>();
};
const launch = async (workflow: string, more: object = {}): Promise<string> => {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: alpha.url, ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
};
const begin = async (body: object): Promise<Batch> => {
  const answer = await postJson(server.url, '/v1/batches', body);
  expect(answer.status, answer.text).toBe(202);
  const batch = answer.json<Batch>();
  expect(answer.headers['location']).toBe(`/v1/batches/${batch.id}`);
  return batch;
};
const over = (id: string): Promise<Batch> =>
  until('the batch is over', async () => {
    const batch = await get<Batch>(`/v1/batches/${id}`);
    return ['collecting', 'running'].includes(batch.state) ? null : batch;
  });

test('a dry run tells how many there are, and nothing happens; the batch then does it to each of them', async () => {
  const ids = [await launch('define fleet\n  alpha\n'), await launch('define fleet\n  alpha\n')];
  await launch('define others\n  alpha\n');
  const asked = { action: 'cancel', filter: { name: 'fleet' }, reason: 'sold' };
  const dry = await postJson(server.url, '/v1/batches', { ...asked, dry_run: true });
  expect([dry.status, dry.json()]).toEqual([
    200,
    { matches: 2, sample: [...ids].reverse().map((workflow_id) => ({ workflow_id, object: null })) },
  ]);
  expect((await get<{ batches: unknown[] }>('/v1/batches')).batches).toEqual([]);

  const { id } = await begin(asked);
  expect(await over(id)).toMatchObject({
    ...{ action: 'cancel', filter: { name: 'fleet' }, reason: 'sold', actor: null, rate: null, params: {} },
    ...{ state: 'completed', total: 2, done: 2, failed: 0, skipped: 0, left: 0, problems: [], came_back: 0 },
  });
  for (const one of ids) {
    expect((await get<{ status: string }>(`/v1/workflows/${one}`)).status).toBe('cancelled');
    const { history } = await get<{ history: { reason?: string; batch?: string }[] }>(`/v1/workflows/${one}/history`);
    expect(history.find(({ batch }) => batch === id)?.reason).toBe('sold');
  }
  const { items } = await get<{ items: object[] }>(`/v1/batches/${id}/items?outcome=done`);
  expect(items).toHaveLength(2);
  expect(items[0]).toEqual({ workflow_id: ids[1], object: null, outcome: 'done', code: null, message: null });
  expect(await get(`/v1/batches/${id}/items?outcome=left`)).toEqual({ items: [], next_cursor: null });
  expect((await get<{ batches: Batch[] }>('/v1/batches?state=completed')).batches.map((one) => one.id)).toEqual([id]);
});

test('errors are replayed with other fields, and those that are in error again have come back', async () => {
  const broken = "define broken\n  sequence\n    error 'no', unless: '${fix} == true'\n    alpha\n";
  const ids = [await launch(broken), await launch(broken), await launch(broken)];
  const filter = { name: 'broken', error_class: 'Ruote::ForcedError' };
  const { id } = await begin({ action: 'replay', filter, params: { fields: { fix: true } } });
  expect(await over(id)).toMatchObject({ total: 3, done: 3, came_back: 0, params: { fields: { fix: true } } });
  for (const one of ids) expect((await get<{ status: string }>(`/v1/workflows/${one}`)).status).toBe('running');
  // A replayed `error` lets go on; the one behind it does not.
  await launch("define worse\n  sequence\n    error 'no'\n    error 'never'\n");
  const again = await begin({ action: 'replay', filter: { name: 'worse' } });
  expect(await over(again.id)).toMatchObject({ total: 1, done: 1, came_back: 1 });
  expect(await get(`/v1/batches/${again.id}`)).toMatchObject({
    came_back_as: [{ class: 'Ruote::ForcedError', count: 1 }],
  });
});

test('fields of a replay take the place of those of each, or are merged over them where that is asked for', async () => {
  const stuck = "define stuck\n  sequence\n    error 'no', unless: '${fix} == true'\n    alpha\n";
  const fieldsAfter = async (params: object): Promise<object> => {
    const workflow = await launch(stuck, { fields: { mine: 1, fix: false } });
    const { id } = await begin({ action: 'replay', ids: [workflow], params });
    expect(await over(id)).toMatchObject({ total: 1, done: 1, params });
    const { workitems } = await get<{ workitems: { fields: { params: unknown } }[] }>(
      `/v1/workitems?workflow_id=${workflow}`,
    );
    const { params: _, ...fields } = workitems[0]?.fields ?? { params: null };
    return fields;
  };
  expect(await fieldsAfter({ fields: { fix: true }, merge: true })).toMatchObject({ mine: 1, fix: true });
  expect(await fieldsAfter({ fields: { fix: true } })).not.toHaveProperty('mine');
  for (const body of [
    { action: 'replay', params: { merge: true } },
    { action: 'proceed', params: { fields: {}, merge: true } },
  ])
    expect((await postJson(server.url, '/v1/batches', { ...body, filter: { name: 'stuck' } })).status).toBe(422);
});

test('ids name workflows, errors and workitems; one that is not there is skipped', async () => {
  const id = await launch('define\n  concurrence\n    alpha\n    alpha\n');
  const { workitems } = await get<{ workitems: { id: string }[] }>(`/v1/workflows/${id}`);
  const redelivery = await begin({ action: 'redeliver', ids: [id, workitems[0]?.id, 'nobody'] });
  expect(await over(redelivery.id)).toMatchObject({
    ...{ ids: 3, filter: null, total: 3, done: 2, skipped: 1 },
    problems: [{ code: 'workflow_not_found', count: 1 }],
  });
  const nothing = await begin({ action: 'replay', ids: [id] });
  expect(await over(nothing.id)).toMatchObject({
    total: 1,
    skipped: 1,
    problems: [{ code: 'error_not_found', count: 1 }],
  });
});

test('a batch is stopped, and what is done stays', async () => {
  for (let i = 0; i < 3; i++) await launch('define slow\n  alpha\n');
  const { id } = await begin({ action: 'pause', filter: { name: 'slow', status: 'running' }, rate: 1 });
  await until('the first is done', async () => (await get<Batch>(`/v1/batches/${id}`)).done > 0);
  expect(await postJson(server.url, `/v1/batches/${id}/stop`, { reason: 'enough' })).toMatchObject({
    ...{ status: 201, text: 'OK' },
  });
  const batch = await over(id);
  expect(batch).toMatchObject({ state: 'stopped', total: 3, done: 1, left: 2 });
  expect((await postJson(server.url, `/v1/batches/${id}/stop`, {})).json()).toMatchObject({
    status: 409,
    code: 'conflict',
  });
});

test.each([
  ['no action', { filter: { name: 'x' } }, '#'],
  ['nothing that says of what', { action: 'cancel' }, '#'],
  ['two things that do', { action: 'cancel', ids: ['a'], all: true }, '#'],
  ['a filter there is not', { action: 'cancel', filter: { nmae: 'x' } }, '#/filter/nmae'],
  ['a filter of another action', { action: 'cancel', filter: { error_class: 'x' } }, '#/filter/error_class'],
  ['a status there is not', { action: 'cancel', filter: { status: 'gone' } }, '#/filter'],
  ['an id that is none', { action: 'cancel', ids: ['a b'] }, '#/ids/0'],
  ['parameters of another action', { action: 'cancel', all: true, params: { fields: {} } }, '#/params'],
  ['a rate beyond all bounds', { action: 'cancel', all: true, rate: 1_001 }, '#/rate'],
  ['a tree that is none', { action: 'replay', all: true, params: { tree: ['x', {}, ['y']] } }, '#/params/tree'],
])('%s is refused, and the place in the body is named', async (_what, body, pointer) => {
  const answer = await postJson(server.url, '/v1/batches', body);
  expect([answer.status, answer.json<{ code: string }>().code], answer.text).toEqual([422, 'request_invalid']);
  expect(answer.json<{ errors: { pointer: string }[] }>().errors[0]?.pointer).toBe(pointer);
});
