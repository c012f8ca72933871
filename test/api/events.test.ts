import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type EventReader, openEvents, type StreamEvent } from '../support/event-stream.ts';
import { postJson, send, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Those who watch one workflow, over real HTTP. */

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 120_000);
afterAll(() => server.stop(), 60_000);

const NOWHERE = 'http://127.0.0.1:1/nobody';
async function launch(workflow: string): Promise<string> {
  const answer = await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE });
  return answer.json<{ id: string }>().id;
}
const act = (id: string, what: string): Promise<unknown> => postJson(server.url, `/v1/workflows/${id}/${what}`, '');
const watch = (id: string, query = '', headers = {}): Promise<EventReader> =>
  openEvents(server.url, `/v1/workflows/${id}/events${query}`, headers);
type Told = { readonly n: number; readonly kind: string; readonly definition?: string };
/** The entries of a history, without the definition that is told to those who ask for it only. */
const historyOf = async (id: string): Promise<readonly Told[]> =>
  (await send(server.url, 'GET', `/v1/workflows/${id}/history`))
    .json<{ history: Told[] }>()
    .history.map(({ definition: _, ...entry }) => entry);
const isEntry = ({ event }: StreamEvent): boolean => event.includes('.');
const entryOf = (event: StreamEvent): unknown => {
  const { workflow_id, ...entry } = JSON.parse(event.data) as Record<string, unknown>;
  return entry;
};

describe('the events of a workflow', () => {
  test('are its history from the beginning, then live, then what happens', async () => {
    const id = await launch('define\n  alpha\n');
    const reader = await watch(id);
    expect(reader.status).toBe(200);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const before = await reader.upTo('live');
    expect(reader.retry()).toBe(2_000);
    const history = await historyOf(id);
    expect(before.slice(0, -1).map(entryOf)).toEqual(history.slice(0, before.length - 1));
    expect(before[0]).toMatchObject({ id: '1', event: 'workflow.launched' });
    expect(JSON.parse(before[0]?.data ?? '')).toMatchObject({ n: 1, kind: 'workflow.launched', workflow_id: id });
    await act(id, 'kill');
    const after = await reader.upTo('workflow.killed');
    expect([...before, ...after].filter(isEntry).map(entryOf)).toEqual(
      (await historyOf(id)).slice(0, Number(after.at(-1)?.id)),
    );
    reader.cut();
  });

  test('go on behind the last id without gap or repeat, which wins over after', async () => {
    const id = await launch('define\n  alpha\n');
    const first = await watch(id);
    await first.upTo('workitem.opened');
    const seen = Number(first.lastId());
    first.cut();
    await act(id, 'pause');
    const second = await watch(id, '?after=1', { 'Last-Event-ID': String(seen) });
    const events = await second.upTo('workflow.paused');
    expect(events.filter(isEntry).map((event) => Number(event.id))).toEqual(
      Array.from({ length: events.filter(isEntry).length }, (_, i) => seen + 1 + i),
    );
    second.cut();
    const third = await watch(id, `?after=${seen}`);
    expect((await third.next())?.id).toBe(String(seen + 1));
    third.cut();
  });

  test('of some kinds only come with the places of all', async () => {
    const id = await launch('define\n  alpha\n');
    const reader = await watch(id, '?kinds=workflow.*,workitem.opened');
    const events = await reader.upTo('live');
    expect([...new Set(events.map(({ event }) => event))]).toEqual(['workflow.launched', 'workitem.opened', 'live']);
    // Entries that were left out in between move the place on all the same.
    expect(Number(events.at(-1)?.id)).toBeGreaterThan(events.length);
    reader.cut();
  });

  test('of a workflow that is over and was seen to its end are a 204, which tells an EventSource to stay away', async () => {
    const id = await launch('define\n  noop\n');
    const reader = await watch(id);
    const events = await reader.upTo('live');
    expect(events.at(-2)?.event).toBe('workflow.completed');
    reader.cut();
    const again = await send(server.url, 'GET', `/v1/workflows/${id}/events`, {
      headers: { 'Last-Event-ID': reader.lastId() },
    });
    expect([again.status, again.text]).toEqual([204, '']);
  });

  test('say reset to a reader who has seen more than there is, and go on from there', async () => {
    const id = await launch('define\n  alpha\n');
    const reader = await watch(id, '?after=100000');
    const [reset] = await reader.upTo('reset');
    expect(JSON.parse(reset?.data ?? '')).toEqual({ reason: 'restored' });
    const { length } = await historyOf(id);
    expect(Number(reset?.id)).toBeLessThanOrEqual(length);
    reader.cut();
  });

  test.each([
    ['?after=x', 400, 'query_invalid'],
    ['?after=-1', 400, 'query_invalid'],
    ['?kinds=workflow.begun', 400, 'query_invalid'],
    ['?kinds=', 400, 'query_invalid'],
    ['?other=1', 400, 'query_invalid'],
  ])('with %s are refused before they begin', async (query, status, code) => {
    const id = await launch('define\n  alpha\n');
    const answer = await send(server.url, 'GET', `/v1/workflows/${id}/events${query}`);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ code });
  });

  test('of a workflow that is not there are a 404', async () => {
    const answer = await send(server.url, 'GET', '/v1/workflows/20151005-1247-a-b/events');
    expect(answer.json()).toMatchObject({ status: 404, code: 'workflow_not_found' });
  });
});

/** Readers that one server has at once. */
const CROWD = 500;
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

test('five hundred readers hear the same; a server that stops says so to each, and when to come back', async () => {
  const own = await startServer();
  const body = { workflow: 'define\n  alpha\n', callback: NOWHERE };
  const { id } = (await postJson(own.url, '/v1/workflows', body)).json<{ id: string }>();
  const before = sockets();
  const path = `/v1/workflows/${id}/events`;
  const readers = await Promise.all(Array.from({ length: CROWD }, () => openEvents(own.url, path)));
  await Promise.all(readers.map((reader) => reader.upTo('live')));
  // One that takes nothing keeps no other waiting.
  const [silent, ...others] = readers;
  silent?.stall();
  await postJson(own.url, `/v1/workflows/${id}/pause`, '');
  const heard = await Promise.all(others.map((reader) => reader.upTo('workflow.paused')));
  expect(new Set(heard.map((events) => JSON.stringify(events.at(-1)))).size).toBe(1);
  const metrics = (await send(own.url, 'GET', '/metrics')).text;
  expect(metrics).toContain(`rota_events_readers{kind="workflow"} ${CROWD}`);
  silent?.cut();
  const stopped = own.stop();
  expect(new Set(await Promise.all(others.map(async (reader) => (await reader.rest()).at(-1)?.event)))).toEqual(
    new Set(['shutdown']),
  );
  const retries = others.map((reader) => reader.retry() ?? 0);
  expect(Math.min(...retries)).toBeGreaterThanOrEqual(1_000);
  expect(Math.max(...retries)).toBeLessThanOrEqual(5_000);
  // So that they do not come back all at once.
  expect(new Set(retries).size).toBeGreaterThan(10);
  expect(await stopped).toBe(true);
  await until('no connection is left', () => sockets() <= before);
}, 60_000);
