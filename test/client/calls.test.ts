import { describe, expect, test } from 'vitest';
import { type Middleware, Rota, RotaError, type RotaOptions } from '../../src/client/index.ts';

/* How calls are tried, what their errors say, how lists and streams go on: against answers that are written down here, so no time passes. */

type Scripted = Response | Error;

/** A server that gives these answers, one a request. */
function scripted(answers: readonly (Scripted | ((request: Request) => Scripted))[], options: RotaOptions = {}) {
  const requests: Request[] = [];
  const rota = new Rota({
    url: 'http://rota.test',
    key: 'rota_key',
    fetch: (async (request: Request) => {
      const next = answers[requests.length];
      requests.push(request.clone());
      const answer = typeof next === 'function' ? next(request) : next;
      if (answer === undefined) throw new Error('nobody expected this request');
      if (answer instanceof Error) throw answer;
      return answer;
    }) as typeof fetch,
    retry: { tries: 3, maxDelay: 0 },
    ...options,
  });
  return { rota, requests };
}

const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json', ...headers } });
const problem = (status: number, value: object, headers: Record<string, string> = {}): Response =>
  json(value, status, { 'Content-Type': 'application/problem+json', ...headers });
const errorOf = (promise: Promise<unknown>): Promise<RotaError> =>
  promise.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(RotaError);
      return error as RotaError;
    },
  );
async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}
const stream = (...blocks: readonly string[]): Response =>
  new Response(blocks.map((block) => `${block}\n\n`).join(''), { headers: { 'Content-Type': 'text/event-stream' } });

describe('tries', () => {
  test('what passes is tried again, a POST with the same Idempotency-Key each time', async () => {
    const { rota, requests } = scripted([
      new Response('', { status: 503 }),
      new TypeError('fetch failed'),
      json({ id: 'w1' }, 201),
    ]);
    expect(await rota.launch({ workflow: 'define x', callback: 'http://a' })).toEqual({ id: 'w1' });
    const keys = requests.map((request) => request.headers.get('idempotency-key'));
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[\w-]{36}$/);
    expect(await requests[2]?.json()).toEqual({ workflow: 'define x', callback: 'http://a' });
  });

  test('the last try throws; a key of the caller is kept', async () => {
    const answers = [429, 425, 500].map((status) => new Response('', { status }));
    const { rota, requests } = scripted(answers);
    const error = await errorOf(rota.cancel('w1', {}, { idempotencyKey: 'mine' }));
    expect(error).toMatchObject({ status: 500, code: 'http_500', retryable: true });
    expect(requests.map((request) => request.headers.get('idempotency-key'))).toEqual(['mine', 'mine', 'mine']);
  });

  test.each([400, 401, 404, 409, 422, 501])('a %i is told at once', async (status) => {
    const { rota, requests } = scripted([new Response('', { status })]);
    expect(await errorOf(rota.show('w1'))).toMatchObject({ status, retryable: false });
    expect(requests.length).toBe(1);
  });

  test('a Retry-After beyond what the caller waits for ends the tries', async () => {
    const { rota, requests } = scripted([new Response('', { status: 503, headers: { 'Retry-After': '60' } })]);
    expect(await errorOf(rota.show('w1'))).toMatchObject({ code: 'service_unavailable', retryAfter: 60 });
    expect(requests.length).toBe(1);
  });

  test('with retry: false there is one try', async () => {
    const { rota, requests } = scripted([new TypeError('fetch failed')], { retry: false });
    expect(await errorOf(rota.ping())).toMatchObject({ code: 'unreachable', retryable: true, status: undefined });
    expect(requests.length).toBe(1);
  });

  test('a signal ends a call that waits for its next try', async () => {
    const controller = new AbortController();
    const { rota } = scripted(
      [
        () => {
          setTimeout(() => controller.abort(), 0);
          return new Response('', { status: 503, headers: { 'Retry-After': '3600' } });
        },
      ],
      { retry: { tries: 3, maxDelay: 7200 } },
    );
    expect(await errorOf(rota.show('w1', { signal: controller.signal }))).toMatchObject({ code: 'aborted' });
  });

  test('a middleware stands around each try and may change it', async () => {
    const seen: string[] = [];
    const middleware: Middleware = async (request, next) => {
      const response = await next(
        new Request(request, { headers: { ...Object.fromEntries(request.headers), 'x-a': 'b' } }),
      );
      seen.push(`${request.method} ${response.status}`);
      return response;
    };
    const { rota, requests } = scripted([new Response('', { status: 500 }), json({ ping: 'pong' })], {
      middlewares: [middleware],
    });
    expect(await rota.ping()).toEqual({ ping: 'pong' });
    expect(seen).toEqual(['GET 500', 'GET 200']);
    expect(requests.map((request) => request.headers.get('x-a'))).toEqual(['b', 'b']);
  });
});

describe('errors', () => {
  test('a problem is told by its code, with all it says', async () => {
    const errors = [{ detail: 'must be > 0', pointer: '#/amount' }];
    const said = { code: 'input_invalid', detail: 'The input is wrong', retryable: false, request_id: 'r1', errors };
    const { rota } = scripted([problem(422, said)]);
    const error = await errorOf(rota.run('order', { inputs: { amount: -1 } }));
    expect(error).toMatchObject({ status: 422, code: 'input_invalid', requestId: 'r1', errors, retryable: false });
    expect(error.message).toBe('The input is wrong');
  });

  test.each([
    [502, 'bad_gateway'],
    [503, 'service_unavailable'],
    [504, 'gateway_timeout'],
    [418, 'http_418'],
  ])('a page with %i that is no problem is %s', async (status, code) => {
    const { rota } = scripted([new Response('<h1>no</h1>'.repeat(500), { status })], { retry: false });
    const error = await errorOf(rota.show('w1'));
    expect(error.code).toBe(code);
    expect(error.body?.length).toBe(1_000);
  });

  test('JSON that ends too early is an answer that was cut, and tried again', async () => {
    const cut = new Response('{"id":"w', { headers: { 'Content-Type': 'application/json' } });
    const { rota } = scripted([cut], { retry: false });
    expect(await errorOf(rota.show('w1'))).toMatchObject({ code: 'answer_cut', retryable: true });
  });
});

describe('what is asked', () => {
  test('the key goes to the server alone: not elsewhere, not beside the token of a proceed_url', async () => {
    const ok = (): Response => new Response('OK', { status: 201 });
    const { rota, requests } = scripted([ok, ok, ok, ok]);
    await rota.proceed('http://rota.test/v1/workflows/w/workitems/0_0!s!w/proceed?token=t', { fields: { a: 1 } });
    await rota.fail('http://other.test/p/v1/workflows/w/workitems/0_0!s!w/proceed', { message: 'no' });
    await rota.proceed('0_0!s!w');
    await rota.heartbeat({ id: '0_1!s!w', workflow_id: 'w' }, { extend: '1h' });
    expect(requests.map(({ url, headers }) => [url, headers.get('authorization')])).toEqual([
      ['http://rota.test/v1/workflows/w/workitems/0_0!s!w/proceed?token=t', null],
      ['http://other.test/p/v1/workflows/w/workitems/0_0!s!w/fail', null],
      ['http://rota.test/v1/workflows/w/workitems/0_0!s!w/proceed', 'Bearer rota_key'],
      ['http://rota.test/v1/workflows/w/workitems/0_1!s!w/heartbeat', 'Bearer rota_key'],
    ]);
  });

  test('events are sent as CloudEvents, one or a batch; what they lack is added', async () => {
    const { rota, requests } = scripted([json({ status: 'accepted' }, 202), json([], 202)]);
    await rota.send({ source: 's', type: 't' });
    await rota.send([{ source: 's', type: 't', id: 'e1' }]);
    expect(requests.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ]);
    expect(await requests[0]?.json()).toMatchObject({ specversion: '1.0', id: expect.any(String), type: 't' });
    expect(await requests[1]?.json()).toEqual([{ specversion: '1.0', id: 'e1', source: 's', type: 't' }]);
  });

  test('names of definitions keep their slash inside one part; a version may stand behind the name', async () => {
    const { rota, requests } = scripted([json({}), json({ id: 'w' }, 201)]);
    await rota.definitions.put('shop/order', '<define name="x"/>');
    await rota.run('shop/order@3', { inputs: {} });
    expect(requests[0]?.url).toBe('http://rota.test/v1/definitions/shop%2Forder');
    expect(requests[0]?.headers.get('content-type')).toBe('application/xml');
    expect(requests[1]?.url).toBe('http://rota.test/v1/definitions/shop%2Forder/run');
    expect(await requests[1]?.json()).toEqual({ version: 3, inputs: {} });
  });
});

describe('lists and streams', () => {
  test('the lists of several servers are one, by time, and no other call goes to several', async () => {
    const kept: Readonly<Record<string, readonly (readonly [id: string, at: string])[]>> = {
      'http://a.test': [
        ['a3', '2026-01-03T00:00:00.000Z'],
        ['a1', '2026-01-01T00:00:00.000Z'],
      ],
      'http://b.test': [
        ['b4', '2026-01-04T00:00:00.000Z'],
        ['b2', '2026-01-02T00:00:00.000Z'],
      ],
    };
    // A page has one item.
    const page = (request: Request): Response => {
      const { origin, pathname, searchParams } = new URL(request.url);
      const at = Number(searchParams.get('cursor') ?? 0);
      const [id, time] = kept[origin]?.[at] ?? [];
      const items = pathname.endsWith('/definitions') ? [{ name: id }] : [{ id, launched_at: time }];
      const next = kept[origin]?.[at + 1] === undefined ? null : String(at + 1);
      return json({ [pathname.slice(4)]: items, next_cursor: next });
    };
    const { rota, requests } = scripted(Array(20).fill(page), { url: ['http://a.test/', 'http://b.test'] });
    expect((await all(rota.list())).map(({ id }) => id)).toEqual(['b4', 'a3', 'b2', 'a1']);
    expect((await all(rota.definitions.list())).map(({ name }) => name)).toEqual(['a3', 'a1', 'b4', 'b2']);
    const asked = requests.length;
    for await (const { id } of rota.list()) {
      expect(id).toBe('b4');
      break;
    }
    expect(requests.length - asked).toBe(2);
    expect(await errorOf(rota.show('w1'))).toMatchObject({ code: 'several_servers', retryable: false });
  });

  test('a list goes over all its pages, and asks for a page when it is wanted', async () => {
    const { rota, requests } = scripted([
      json({ workflows: [{ id: 'a' }, { id: 'b' }], next_cursor: 'c1' }),
      json({ workflows: [{ id: 'c' }], next_cursor: null }),
    ]);
    expect((await all(rota.list({ status: 'error', limit: 2 }))).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '?status=error&limit=2',
      '?status=error&limit=2&cursor=c1',
    ]);
  });

  test('a history leads on by number, in both orders', async () => {
    const { rota, requests } = scripted([
      json({ history: [{ n: 1 }], next_after: 1 }),
      json({ history: [{ n: 2 }], next_after: null }),
      json({ history: [{ n: 2 }], next_after: null, next_before: 2 }),
      json({ history: [{ n: 1 }], next_after: null, next_before: null }),
    ]);
    expect((await all(rota.history('w'))).map(({ n }) => n)).toEqual([1, 2]);
    expect((await all(rota.history('w', { order: 'desc' }))).map(({ n }) => n)).toEqual([2, 1]);
    expect(requests.map(({ url }) => new URL(url).search)).toEqual([
      '',
      '?after=1',
      '?order=desc',
      '?order=desc&before=2',
    ]);
  });

  const entry = (n: number, kind: string): string => `id: ${n}\nevent: ${kind}\ndata: ${JSON.stringify({ n, kind })}`;

  test('a stream that is cut goes on behind the last entry, and ends with the workflow', async () => {
    const { rota, requests } = scripted([
      stream('retry: 0', entry(1, 'workflow.launched'), 'id: 1\nevent: live\ndata: {}'),
      new TypeError('fetch failed'),
      stream(entry(2, 'workflow.completed')),
    ]);
    expect((await all(rota.events('w', { kinds: ['workflow.*'] }))).map(({ n }) => n)).toEqual([1, 2]);
    expect(requests.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, '1', '1']);
    expect(requests[0]?.url).toContain('kinds=workflow');
  });

  test('a stream of a workflow that was seen to its end is over at once', async () => {
    const { rota } = scripted([new Response(null, { status: 204 })]);
    expect(await all(rota.events('w', { after: 7 }))).toEqual([]);
  });

  test('a stream that is refused throws, one that stays away too', async () => {
    const gone = scripted([problem(404, { code: 'workflow_not_found', detail: 'no', retryable: false })]);
    expect(await errorOf(all(gone.rota.events('w')))).toMatchObject({ code: 'workflow_not_found' });
    const away = scripted([stream('retry: 0'), ...Array<Error>(3).fill(new TypeError('fetch failed'))]);
    expect(await errorOf(all(away.rota.events('w')))).toMatchObject({ code: 'unreachable' });
  });
});
