import { afterAll, beforeAll, expect, test } from 'vitest';
import { ABANDONED_AFTER_MS, launchUnder } from '../../src/api/resources/workflows/business-key.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Running } from '../../src/server/start.ts';
import type { Store } from '../../src/store/store.ts';
import {
  type Answer,
  type Participant,
  postForm,
  postJson,
  send,
  startParticipant,
  startServer,
} from '../support/server.ts';

/* Workflows by what their launchers know them by; and the trace a launch belongs to, up to the participant. */

let server: Running;
let alpha: Participant;
beforeAll(async () => {
  alpha = await startParticipant();
  server = await startServer();
}, 180_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

const launch = (body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  postJson(server.url, '/v1/workflows', { workflow: 'define\n  alpha\n', callback: alpha.url, ...body }, headers);
const idOf = (answer: Answer): string => answer.json<{ id: string }>().id;

test('of one key there is one workflow; whoever comes second is told which, or handed it', async () => {
  const first = await launch({ business_key: 'order 7' });
  expect(first.status, first.text).toBe(201);
  const id = idOf(first);
  const second = await launch({ business_key: 'order 7' });
  expect(second.json()).toMatchObject({
    status: 409,
    code: 'business_key_taken',
    workflow_id: id,
    workflow_status: 'running',
  });
  const handed = await launch({ business_key: 'order 7', business_key_conflict: 'return_existing' });
  expect([handed.status, handed.json()]).toEqual([200, { id, existing: true }]);
  expect(handed.headers['location']).toBe(`/v1/workflows/${id}`);
  expect((await launch({ business_key: 'order 7', business_key_conflict: 'allow_if_ended' })).status).toBe(409);
  expect((await launch({ business_key: 'order 8' })).status).toBe(201);
  // Form, list and view know it as well.
  const form = `workflow=define%0A%20%20alpha%0A&callback=${encodeURIComponent(alpha.url)}&business_key=order%207`;
  expect((await postForm(server.url, '/v1/workflows', form)).status).toBe(409);
  const listed = await send(server.url, 'GET', '/v1/workflows?business_key=order%207');
  expect(listed.json<{ workflows: object[] }>().workflows).toMatchObject([{ id, business_key: 'order 7' }]);
  // In error it is alive; over, it makes room for those who allow that.
  expect((await send(server.url, 'POST', `/v1/workflows/${id}/kill`)).status).toBe(201);
  expect((await launch({ business_key: 'order 7' })).status).toBe(409);
  const again = await launch({ business_key: 'order 7', business_key_conflict: 'allow_if_ended' });
  expect(again.status).toBe(201);
  expect(idOf(again)).not.toBe(id);
  expect(idOf(await launch({ business_key: 'order 7', business_key_conflict: 'return_existing' }))).toBe(idOf(again));
});

test('fifty at once make one workflow', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => launch({ business_key: 'at once', business_key_conflict: 'return_existing' })),
  );
  expect(new Set(answers.map(idOf)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  const { workflows } = (await send(server.url, 'GET', '/v1/workflows?business_key=at%20once')).json<{
    workflows: [];
  }>();
  expect(workflows).toHaveLength(1);
});

test('a key is free again once somebody says so, or when its launch was refused', async () => {
  expect((await launch({ business_key: 'freed/7' })).status).toBe(201);
  const free = (): Promise<Answer> => send(server.url, 'DELETE', '/v1/business-keys/freed%2F7');
  expect((await free()).status).toBe(204);
  expect((await free()).json()).toMatchObject({ status: 404, code: 'business_key_not_found' });
  expect((await launch({ business_key: 'freed/7' })).status).toBe(201);
  expect((await launch({ business_key: 'refused', workflow: '<define' })).status).toBe(400);
  expect((await launch({ business_key: 'refused' })).status).toBe(201);
});

test('the answer to an Idempotency-Key comes first', async () => {
  const headers = { 'Idempotency-Key': 'idem' };
  const [one, two] = [await launch({ business_key: 'idem' }, headers), await launch({ business_key: 'idem' }, headers)];
  expect([one.status, two.status]).toEqual([201, 201]);
  expect(idOf(two)).toBe(idOf(one));
});

test.each([
  [{ business_key: '' }],
  [{ business_key: 7 }],
  [{ business_key: 'x'.repeat(256) }],
  [{ business_key: 'a\u0000b' }],
  [{ business_key: 'a', business_key_conflict: 'replace' }],
])('%j is refused in words that do not change', async (body) => {
  expect((await launch(body)).json()).toMatchObject({ status: 400, error: 'business_key is invalid' });
});

const [mine, theirs] = ['20260101-0000-mine', '20260101-0000-theirs'] as [WorkflowId, WorkflowId];
/** A store in which `theirs` took a key so long ago, and is there or not. */
function storeWith({ agoMs, status }: { readonly agoMs: number; readonly status: 'running' | 'completed' | null }) {
  let holder: WorkflowId = theirs;
  const freed: unknown[] = [];
  const store = {
    read: { workflow: async (_: unknown, id: WorkflowId) => (id === theirs && status !== null ? { status } : null) },
    businessKeys: {
      take: async () => false,
      get: async () => ({ workflow: holder, claimedAt: 0 }),
      takeOver: async (_: string, __: string, from: WorkflowId, to: WorkflowId) => {
        if (from !== holder) return false;
        holder = to;
        return true;
      },
      free: async (...given: unknown[]) => freed.push(given) > 0,
    },
    databaseTime: async () => agoMs,
  } as unknown as Store;
  return { store, freed };
}

test.each([
  ['a launch that is under way', { agoMs: ABANDONED_AFTER_MS, status: null }, 'reject', 'business_key_taken'],
  ['one whose node died', { agoMs: ABANDONED_AFTER_MS + 1, status: null }, 'reject', 'launched'],
  ['one whose node died', { agoMs: ABANDONED_AFTER_MS + 1, status: null }, 'return_existing', 'launched'],
  ['a launch that is under way', { agoMs: 0, status: null }, 'return_existing', theirs],
  ['one that runs', { agoMs: 1e9, status: 'running' }, 'allow_if_ended', 'business_key_taken'],
  ['one that is over', { agoMs: 0, status: 'completed' }, 'allow_if_ended', 'launched'],
  ['one that is over', { agoMs: 0, status: 'completed' }, 'reject', 'business_key_taken'],
] as const)('a key of %s (%j) with %s: %s', async (_, standing, conflict, expected) => {
  let launched = 0;
  const { store } = storeWith(standing);
  const came = await launchUnder({ store }, DEFAULT_TENANT, { key: 'k', conflict }, mine, async () => {
    launched += 1;
  }).catch((error: unknown) => (error as { readonly code: string }).code);
  expect(came ?? 'launched').toBe(expected);
  expect(launched).toBe(expected === 'launched' ? 1 : 0);
});

test('a launch that came to nothing gives its key up', async () => {
  const { store, freed } = storeWith({ agoMs: 1e9, status: null });
  const refused = launchUnder({ store }, DEFAULT_TENANT, { key: 'k', conflict: 'reject' }, mine, () =>
    Promise.reject(new Error('no')),
  );
  await expect(refused).rejects.toThrow('no');
  expect(freed).toEqual([[DEFAULT_TENANT, 'k', mine]]);
});

test('the trace of a launch is kept, shown, and sent with every try as a span of its own', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const of = async (id: string) => {
    for (;;) {
      const received = await alpha.next();
      if (received.body.workflow_id === id) return received.headers;
    }
  };
  const id = idOf(await launch({}, { traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'a=1' }));
  const first = await of(id);
  expect(first).toMatchObject({
    traceparent: expect.stringMatching(`^00-${trace}-[0-9a-f]{16}-01$`),
    tracestate: 'a=1',
  });
  expect((await send(server.url, 'GET', `/v1/workflows/${id}`)).json()).toMatchObject({ trace_id: trace });
  const item = (await send(server.url, 'GET', `/v1/workitems?workflow_id=${id}`)).json<{
    workitems: { id: string }[];
  }>();
  const path = `/v1/workflows/${id}/workitems/${item.workitems[0]?.id}/redeliver`;
  expect((await send(server.url, 'POST', path)).status).toBe(201);
  const { history } = (await send(server.url, 'GET', `/v1/workflows/${id}/history?kinds=workitem.redelivering`)).json<{
    history: readonly { readonly workitem_id: string; readonly participant: string }[];
  }>();
  expect(history).toMatchObject([{ workitem_id: item.workitems[0]?.id, participant: expect.any(String) }]);
  const second = await of(id);
  expect(String(second['traceparent'])).toContain(trace);
  expect(second['traceparent']).not.toBe(first['traceparent']);
  const without = idOf(await launch({}, { traceparent: 'nonsense' }));
  expect((await of(without))['traceparent']).toBe(undefined);
}, 60_000);
