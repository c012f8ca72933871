import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { postJson, send, startServer } from '../support/server.ts';

/* Lists over HTTP: several states, times, counts, history in both orders, errors in groups. */

const NOWHERE = 'http://127.0.0.1:1/callback';

let server: Running;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' });
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
  expect((await send(server.url, 'GET', '/v1/workflows/count?tag=x')).status).toBe(400);
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
  expect(groups.groups?.[0]).toMatchObject({ key: many.errors[0]?.fingerprint, count: 3 });
  expect(groups.complete).toBe(true);
  expect((await get<Errors>('/v1/errors?group_by=class&name=many')).groups).toMatchObject([{ key: kind, count: 3 }]);
  expect((await send(server.url, 'GET', '/v1/errors?group_by=odd')).status).toBe(400);
}, 60_000);
