import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BREAKPOINTS_MAX } from '../../src/interpreter/life/holding.ts';
import type { Running } from '../../src/server/start.ts';
import type { Store } from '../../src/store/store.ts';
import { openEvents } from '../support/event-stream.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/*
 * Answers that the description of the interface has and that come seldom: where there is no room, where something is in the way for a moment,
 * where the database is away. What is in the way stands in calls of the store. Each is held against the description (support/described.ts).
 */

const NOWHERE = 'http://127.0.0.1:1/callback';
const NOBODY = '20151005-1247-nobody-nothing';
const STRUCTURED = { 'Content-Type': 'application/cloudevents+json' };
const LINES = { 'Content-Type': 'application/x-ndjson' };
const BPMN =
  '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true"><startEvent id="s"/>' +
  '<userTask id="Check"/><sequenceFlow id="f" sourceRef="s" targetRef="Check"/></process></definitions>';

/** What is in the way just now. */
let trouble: 'none' | 'away' | 'moving' | 'spreading' | 'huge' | 'rotating' = 'none';
const troubled = (store: Store): Store => ({
  ...store,
  ping: () => (trouble === 'away' ? Promise.reject(new Error('The database is away')) : store.ping()),
  begin: async (needs) => {
    const transaction = await store.begin(needs);
    return trouble === 'moving' ? { ...transaction, loaded: new Map() } : transaction;
  },
  meeting: {
    ...store.meeting,
    again: (...asked) => (trouble === 'spreading' ? Promise.resolve(null) : store.meeting.again(...asked)),
  },
  secrets: {
    ...store.secrets,
    rotate: (...asked) => (trouble === 'rotating' ? Promise.resolve(false) : store.secrets.rotate(...asked)),
  },
  definitions: {
    ...store.definitions,
    text: (hash) => (trouble === 'huge' ? Promise.resolve('x'.repeat(64 * 1024 * 1024)) : store.definitions.text(hash)),
  },
});

let server: Running;
beforeAll(async () => {
  server = await startServer({ EVENTS_KEPT_MAX: '2', EVENTS_AT_ROOT: '1', AWF_PATHS: '1' }, { store: troubled });
}, 60_000);
afterAll(() => server.stop(), 60_000);

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  postJson(server.url, path, body, headers);
const get = (path: string): Promise<Answer> => send(server.url, 'GET', path);
async function launched(workflow: string): Promise<string> {
  const answer = await post('/v1/workflows', { workflow, callback: NOWHERE });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
}
const told = ({ status, text }: Answer): readonly [number, unknown] => [
  status,
  (JSON.parse(text) as { readonly code?: unknown }).code,
];
async function during<Value>(what: typeof trouble, work: () => Promise<Value>): Promise<Value> {
  trouble = what;
  try {
    return await work();
  } finally {
    trouble = 'none';
  }
}

test('while the database is away no requests should come here', async () => {
  for (const path of ['/readyz', '/health/ready']) {
    expect((await during('away', () => get(path))).status, path).toBe(503);
    expect((await get(path)).status, path).toBe(200);
  }
});

describe('an event', () => {
  const event = (more: object = {}) => ({ specversion: '1.0', source: 'shop', type: 'paid', id: 'e-1', ...more });
  test('at the root is refused for what it is refused elsewhere', async () => {
    expect((await post('/', event({ rotaworkflowid: NOBODY }), STRUCTURED)).status).toBe(404);
    expect(told(await post('/', event({ rotahops: 17 }), STRUCTURED))).toEqual([422, 'event_loop']);
  });

  /** One that waits for somebody: with the one that was refused before there is room for no other. */
  let kept = '';
  test('is refused while as many wait for somebody as may, whichever way it comes', async () => {
    const answer = await post('/v1/events', event(), STRUCTURED);
    expect(answer.status, answer.text).toBe(202);
    kept = answer.json<{ event_id: string }>().event_id;
    for (const path of ['/v1/events', '/'])
      expect(told(await post(path, event({ id: 'e-2' }), STRUCTURED)), path).toEqual([429, 'events_full']);
    for (const path of ['/v1/messages/paid', '/v1/signals/paid'])
      expect(told(await post(path, {})), path).toEqual([429, 'events_full']);
  });

  test('that is being handed on is not received anew', async () => {
    const again = await during('spreading', () => post(`/v1/events/${kept}/redeliver`, {}));
    expect(told(again)).toEqual([409, 'conflict']);
  });
});

test('a workflow that keeps as many messages as it may takes no more', async () => {
  const id = await launched(BPMN);
  const send1 = (): Promise<Answer> => post(`/v1/workflows/${id}/messages/note`, { text: 'x'.repeat(1_500_000) });
  expect([(await send1()).status, (await send1()).status]).toEqual([202, 202]);
  expect(told(await send1())).toEqual([409, 'messages_full']);
});

test('a schedule whose workflow has the business key of another launches none', async () => {
  const definition = {
    definition: 'define daily\n  alpha\n',
    ...{ callback: NOWHERE, business_key: 'the-only-one', schedules: [{ every: '1d' }] },
  };
  expect((await send(server.url, 'PUT', '/v1/definitions/daily', json(definition))).status).toBe(201);
  expect((await post('/v1/schedules/daily:0/run', {})).status).toBe(201);
  expect(told(await post('/v1/schedules/daily:0/run', {}))).toEqual([409, 'business_key_taken']);
});

test('an expression has a hundred breakpoints and no more', async () => {
  const id = await launched('define held\n  alpha\n');
  const { expressions } = (await get(`/v1/workflows/${id}`)).json<{ expressions: { id: string; expid: string }[] }>();
  const root = expressions.find(({ expid }) => expid === '0')?.id ?? '';
  const stop = (n: number): Promise<Answer> =>
    post(`/v1/workflows/${id}/expressions/${root}/pause`, { breakpoint: `0_${n}` });
  for (let n = 0; n < BREAKPOINTS_MAX; n++) expect((await stop(n)).status).toBe(201);
  expect(told(await stop(BREAKPOINTS_MAX))).toEqual([409, 'conflict']);
});

describe('an export', () => {
  test('of a workflow that never stands still, or has too much, is refused', async () => {
    const id = await launched('define carried\n  alpha\n');
    const path = `/v1/workflows/${id}/export`;
    expect(told(await during('moving', () => get(path)))).toEqual([409, 'conflict']);
    expect(told(await during('huge', () => get(path)))).toEqual([422, 'limit_exceeded']);
    expect((await get(path)).status).toBe(200);
  });

  test('that is larger than an import may be is refused before it came, and its key is good for one file', async () => {
    const announced = { ...LINES, 'Content-Length': String(2 ** 31), Expect: '100-continue' };
    expect(told(await send(server.url, 'POST', '/v1/import', { headers: announced }))).toEqual([413, 'body_too_large']);
    const id = await launched('define twice\n  alpha\n');
    const { text } = await get(`/v1/workflows/${id}/export`);
    const headers = { ...LINES, 'Idempotency-Key': 'an-import' };
    const rehearsed = await send(server.url, 'POST', '/v1/import?new_ids=1&dry_run=1', { headers, body: text });
    expect(rehearsed.status, rehearsed.text).toBe(200);
    const done = await send(server.url, 'POST', '/v1/import?new_ids=1', { headers, body: text });
    expect(told(done)).toEqual([422, 'idempotency_key_reused']);
  });
});

test('of secrets for the same URLs that are made at once there is one; one that others rotate again and again is left', async () => {
  const secret = { kind: 'webhook', match: 'https://hooks.test/a' };
  const made = await Promise.all(Array.from({ length: 8 }, () => post('/v1/secrets', secret)));
  expect(made.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
  const id = made.find(({ status }) => status === 201)?.json<{ id: string }>().id;
  const rotated = await during('rotating', () => post(`/v1/secrets/${id}/rotate`, {}));
  expect(told(rotated)).toEqual([503, 'overloaded']);
});

test('the logs of an execution are a stream', async () => {
  const id = await launched('define logged\n  alpha\n');
  const reader = await openEvents(server.url, `/executions/${id}/logs`);
  expect(reader.status).toBe(200);
  expect((await reader.upTo('live')).map(({ event }) => event)).toContain('workflow.launched');
  reader.cut();
});

function json(body: unknown): { readonly headers: Record<string, string>; readonly body: string } {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
