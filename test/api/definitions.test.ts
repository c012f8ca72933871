import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import {
  type Answer,
  type Participant,
  postForm,
  postJson,
  send,
  startParticipant,
  startServer,
} from '../support/server.ts';

/* Definitions under names: stored in versions, run by name. */

let server: Running;
let alpha: Participant;
beforeAll(async () => {
  alpha = await startParticipant();
  server = await startServer({ TEST_CLOCK: '1' });
}, 180_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  send(server.url, method, path, {
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': typeof body === 'string' ? 'text/plain' : 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const put = (name: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask('PUT', `/v1/definitions/${name}`, body, headers);
const run = (name: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  ask('POST', `/v1/definitions/${name}/run`, body, headers);
const version = (answer: Answer): unknown => answer.json<{ version: number }>().version;
const AMOUNT = { type: 'object', properties: { amount: { type: 'integer' } } };
const AT_ONCE = "define\n  set 'f:result': '${f:amount}'\n";

describe('versions', () => {
  test('a text is stored, is the same when it comes again, and is another version when it differs', async () => {
    const first = await put('order', 'define order\n  alpha\n');
    expect([first.status, version(first)], first.text).toEqual([201, 1]);
    expect(first.json()).toMatchObject({
      name: 'order',
      format: 'radial',
      active: true,
      participants: ['alpha'],
      starts: [],
    });
    expect(first.headers['location']).toBe('/v1/definitions/order/versions/1');
    expect(first.headers['etag']).toBe(`"${first.json<{ sha256: string }>().sha256}"`);
    const again = await put('order', 'define order\n  alpha\n');
    expect([again.status, version(again)]).toEqual([200, 1]);
    const keyed = await put('order', {
      workflow: 'define order\n  alpha\n',
      description: 'of a shop',
      callback: alpha.url,
    });
    expect([keyed.status, version(keyed)], keyed.text).toEqual([201, 2]);
    // A text alone keeps the other keys.
    const third = await put('order', '<define name="order"><alpha/></define>', { 'Content-Type': 'application/xml' });
    expect([third.status, version(third)], third.text).toEqual([201, 3]);
    expect((await ask('GET', '/v1/definitions/order')).json()).toMatchObject({
      ...{ name: 'order', version: 3, active: true, format: 'xml', description: 'of a shop', callback: alpha.url },
      ...{ definition: '<define name="order"><alpha/></define>', created_by: null },
    });
    const list = await put('order', '["define",{"order":null},[["alpha",{},[]]]]', {
      'Content-Type': 'application/json',
    });
    expect([list.status, list.json<{ format: string }>().format], list.text).toEqual([201, 'json']);
    const old = await ask('GET', '/v1/definitions/order?version=1');
    expect(old.json()).toMatchObject({ version: 1, active: false, definition: 'define order\n  alpha\n' });
    const versions = (await ask('GET', '/v1/definitions/order/versions')).json<{
      versions: { version: number; active: boolean }[];
    }>();
    expect(versions.versions.map((one) => [one.version, one.active])).toEqual([
      [4, true],
      [3, false],
      [2, false],
      [1, false],
    ]);
  });

  test('the text comes byte for byte, or in the format that is asked for', async () => {
    const text = 'define text   # a comment\n\n  alpha task: "ä"\n';
    await put('shop/text', { definition: text });
    const own = await ask('GET', '/v1/definitions/shop/text/versions/1');
    expect([own.status, own.text, own.headers['content-type']]).toEqual([200, text, 'text/plain; charset=utf-8']);
    expect(own.headers['content-disposition']).toBe('attachment; filename="shop-text-1.radial"');
    const xml = await ask('GET', '/v1/definitions/shop%2Ftext/versions/1', undefined, { Accept: 'application/xml' });
    expect(xml.text).toContain('<alpha task="ä"');
    const json = await ask('GET', '/v1/definitions/shop/text/versions/1', undefined, { Accept: 'application/json' });
    expect(json.json()).toEqual(['define', { text: null }, [['alpha', { task: 'ä' }, []]]]);
    expect((await ask('GET', '/v1/definitions/shop/text/versions/1', undefined, { Accept: 'image/png' })).status).toBe(
      406,
    );
    expect((await ask('GET', '/v1/definitions/shop/text/versions/2')).json()).toMatchObject({
      status: 404,
      code: 'definition_not_found',
    });
  });

  test('an older version is made active, and the name is ended and brought back', async () => {
    await put('turn', { definition: AT_ONCE });
    await put('turn', { definition: `${AT_ONCE}  beta\n` });
    const back = await ask('POST', '/v1/definitions/turn/versions/1/activate');
    expect([back.status, version(back)], back.text).toEqual([200, 1]);
    expect((await run('turn')).json()).toMatchObject({ definition: { name: 'turn', version: 1 } });
    expect((await run('turn', { version: 2 })).json()).toMatchObject({ definition: { name: 'turn', version: 2 } });
    expect((await ask('POST', '/v1/definitions/turn/versions/9/activate')).status).toBe(404);
    expect((await ask('DELETE', '/v1/definitions/turn')).status).toBe(204);
    for (const [method, path] of [
      ['GET', '/v1/definitions/turn'],
      ['GET', '/v1/definitions/turn/versions'],
      ['GET', '/v1/definitions/turn/versions/1'],
      ['DELETE', '/v1/definitions/turn'],
      ['POST', '/v1/definitions/turn/run'],
      ['POST', '/v1/definitions/turn/versions/1/activate'],
    ] as const)
      expect((await ask(method, path)).json(), path).toMatchObject({ status: 404, code: 'definition_not_found' });
    expect(version(await put('turn', { definition: AT_ONCE }))).toBe(3);
  });

  test('whoever says what is there is heard', async () => {
    const made = await put('careful', { definition: AT_ONCE }, { 'If-None-Match': '*' });
    expect(made.status).toBe(201);
    const tag = String(made.headers['etag']);
    expect((await put('careful', { definition: AT_ONCE }, { 'If-None-Match': '*' })).status).toBe(412);
    expect((await put('careful', { definition: `${AT_ONCE}# b` }, { 'If-Match': '"other"' })).json()).toMatchObject({
      ...{ status: 412, code: 'precondition_failed' },
    });
    expect((await put('careful', { definition: `${AT_ONCE}# b` }, { 'If-Match': tag })).status).toBe(201);
    expect((await put('never', { definition: AT_ONCE }, { 'If-Match': '*' })).status).toBe(412);
    const both = await Promise.all([1, 2, 3, 4].map((i) => put('race', { definition: `${AT_ONCE}# ${i}` })));
    expect(both.map(version).sort()).toEqual([1, 2, 3, 4]);
  });

  test('names are two parts at most, and no words of addresses', async () => {
    for (const name of ['Run', 'shop%2Fversions', '.hidden', 'a%2Fb%2Fc', 'x'.repeat(65), 'with%20blank'])
      expect((await put(name, { definition: AT_ONCE })).json(), name).toMatchObject({
        status: 422,
        code: 'request_invalid',
      });
    expect((await ask('GET', '/v1/definitions/.hidden')).status).toBe(404);
    const posted = await ask('POST', '/v1/definitions', { name: 'shop/posted', definition: AT_ONCE });
    expect([posted.status, posted.headers['location']]).toEqual([201, '/v1/definitions/shop/posted/versions/1']);
    expect((await put('Shop/posted', { definition: AT_ONCE })).json()).toMatchObject({ version: 1 });
    const listed = (await ask('GET', '/v1/definitions?prefix=shop/&limit=1')).json<{
      definitions: { name: string }[];
      next_cursor: string | null;
    }>();
    expect(listed.definitions.map(({ name }) => name)).toEqual(['shop/posted']);
    const rest = await ask('GET', `/v1/definitions?prefix=shop/&cursor=${listed.next_cursor}`);
    expect(rest.json<{ definitions: { name: string }[] }>().definitions.map(({ name }) => name)).toEqual(['shop/text']);
  });

  test('what cannot be read or used is refused with its place', async () => {
    expect((await put('bad', '<define><alpha></define>', { 'Content-Type': 'application/xml' })).json()).toMatchObject({
      ...{ status: 400, code: 'workflow_invalid', errors: [{ line: 1 }] },
    });
    const ruby = await put('bad', 'Ruote.define do\n  alpha\nend\n');
    expect(ruby.json<{ detail: string }>().detail).toContain('convert');
    const wrong = async (keys: object): Promise<unknown> => {
      const { status, errors } = (await put('bad', { definition: AT_ONCE, ...keys })).json<{
        status: number;
        errors: { pointer: string }[];
      }>();
      return [status, errors[0]?.pointer];
    };
    expect(await wrong({ colour: 'red' })).toEqual([422, '#/colour']);
    expect(await wrong({ callback: 'ftp://x' })).toEqual([422, '#/callback']);
    expect(await wrong({ input_schema: { type: 'object', propertys: {} } })).toEqual([422, '#/input_schema/propertys']);
    expect(await wrong({ messages: { a: { $ref: 'http://elsewhere.test/' } } })).toEqual([422, '#/messages/a/$ref']);
    expect(await wrong({ inputs: { a: { in: 'cookie' } } })).toEqual([422, '#/inputs/a/in']);
    expect(await wrong({ schedules: [{ cron: '0 0 30 2 *' }] })).toEqual([422, '#/schedules/0/cron']);
    expect(await wrong({ schedules: [{ every: '1h', zone: 'Atlantis/Poseidonis' }] })).toEqual([
      422,
      '#/schedules/0/zone',
    ]);
    expect(await wrong({ route: 'FETCH /a' })).toEqual([422, '#/route']);
    expect(await wrong({ timeout: 'soon' })).toEqual([422, '#/timeout']);
    expect((await ask('GET', '/v1/definitions/bad')).status).toBe(404);
    expect((await put('bad', {})).json()).toMatchObject({ status: 422, errors: [{ pointer: '#/definition' }] });
  });
});

describe('a run', () => {
  test('launches the active version, and answers where to look', async () => {
    await put('shown', { definition: 'define shown\n  alpha\n', callback: alpha.url });
    const ran = await run('shown', { inputs: { order_id: 'ORD-1' } });
    expect(ran.status, ran.text).toBe(201);
    const { id, links, ...answer } = ran.json<{ id: string; links: Record<string, string>; started_at: string }>();
    expect(answer).toMatchObject({ status: 'running', definition: { name: 'shown', version: 1 } });
    expect(Date.parse(answer.started_at)).not.toBeNaN();
    expect(links).toEqual({
      self: `/v1/workflows/${id}`,
      events: `/v1/workflows/${id}/events`,
      history: `/v1/workflows/${id}/history`,
      console: `/console/workflows/${id}`,
    });
    expect(ran.headers['location']).toBe(`/v1/workflows/${id}`);
    const { body } = await alpha.next();
    expect([body.workflow_id, body.fields['order_id']]).toEqual([id, 'ORD-1']);
    expect((await ask('GET', `/v1/workflows/${id}`)).json()).toMatchObject({
      ...{ definition: { name: 'shown', version: 1 }, meta: { started_by: 'run' } },
    });
    expect((await run('unknown')).json()).toMatchObject({ status: 404, code: 'definition_not_found' });
    expect((await run('shown', { colour: 1 })).status).toBe(422);
    expect((await run('shown', { fields: {}, inputs: {} })).status).toBe(422);
  });

  test('is answered at once, whatever its participant takes', async () => {
    // It never answers.
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const asked = new Promise((resolve) => silent.once('request', resolve));
    await put('patient', { definition: 'define patient\n  alpha\n', callback: `http://127.0.0.1:${port}/` });
    const { id, status } = (await run('patient')).json<{ id: string; status: string }>();
    expect(status).toBe('running');
    await asked;
    await ask('POST', `/v1/workflows/${id}/kill`, {});
    silent.closeAllConnections();
    silent.close();
  });

  test('a launch names a stored definition instead of a text, and may pin its version', async () => {
    await put('named', { definition: 'define named\n  alpha\n', callback: 'http://127.0.0.1:9/' });
    await put('named', { definition: AT_ONCE });
    const pinned = await postJson(server.url, '/v1/workflows', {
      definition: 'named@1',
      callbacks: { alpha: alpha.url },
    });
    expect([pinned.status, pinned.json<{ definition: unknown }>().definition]).toEqual([
      201,
      { name: 'named', version: 1 },
    ]);
    expect((await alpha.next()).body.participant).toBe('alpha');
    const form = await postForm(server.url, '/v1/workflows', 'definition=named&fields[amount]=7');
    expect([form.status, form.json<{ status: string }>().status]).toEqual([201, 'completed']);
    expect((await postJson(server.url, '/v1/workflows', { definition: 'named@7' })).json()).toMatchObject({
      code: 'definition_not_found',
    });
    const plain = await postJson(server.url, '/v1/workflows', { workflow: AT_ONCE, callbacks: {} });
    expect(Object.keys(plain.json())).toEqual(['id']);
  });

  test('inputs are held against the schema, with defaults; nothing starts where they do not fit', async () => {
    await put('checked', {
      definition: AT_ONCE,
      input_schema: {
        type: 'object',
        required: ['order_id'],
        properties: {
          order_id: { type: 'string' },
          amount: { type: 'number', exclusiveMinimum: 0, default: 5 },
        },
      },
    });
    const bad = await run('checked', { inputs: { order_id: '1', amount: -1 } });
    expect(bad.json()).toMatchObject({
      ...{ status: 422, code: 'input_invalid', errors: [{ pointer: '#/amount', detail: 'must be > 0' }] },
    });
    expect((await run('checked', { inputs: {} })).json()).toMatchObject({ errors: [{ pointer: '#/order_id' }] });
    const { workflows } = (await ask('GET', '/v1/workflows?name=checked')).json<{ workflows: unknown[] }>();
    expect(workflows).toEqual([]);
    const good = await run('checked', { inputs: { order_id: '1' } }, { Prefer: 'wait=5' });
    expect([good.status, good.json(), good.headers['preference-applied']], good.text).toEqual([
      200,
      { order_id: '1', amount: 5, result: '5', __result__: '5' },
      'wait=5',
    ]);
  });

  test('options of the definition hold where the launch says nothing', async () => {
    await put('keyed', {
      definition: 'define keyed\n  alpha\n  beta\n',
      callbacks: { '/^al/': alpha.url },
      business_key: { key: 'order ${f:order_id}', conflict: 'return_existing' },
      timeout: '2h',
    });
    const ran = await run('keyed', { fields: { order_id: 7 } });
    expect(ran.json<{ warnings: unknown[] }>().warnings).toMatchObject([{ participant: 'beta' }]);
    const { id } = ran.json<{ id: string }>();
    expect((await alpha.next()).body.workflow_id).toBe(id);
    const again = await run('keyed', { fields: { order_id: 7 } });
    expect([again.status, again.json()]).toEqual([200, { id, existing: true }]);
    const shown = (await ask('GET', `/v1/workflows/${id}`)).json<{ timers: { action: string }[] }>();
    expect(shown).toMatchObject({ business_key: 'order 7', timers: [{ action: 'timeout' }] });
    const strict = await run('keyed', { fields: { order_id: 8 }, strict: true });
    expect(strict.json()).toMatchObject({ status: 400, code: 'participants_missing' });
    expect(strict.json<{ detail: string }>().detail).toContain('beta');
  });

  test('whoever waits is answered with the end, or with what became of it', async () => {
    await put('answered', {
      definition: "define\n  set 'f:code': 201\n  set 'f:result': ['a', 1]\n",
      answer: 'f:result',
      status_from: 'f:code',
    });
    const over = await run('answered', {}, { Prefer: 'respond-async, wait=5' });
    expect([over.status, over.json()]).toEqual([201, ['a', 1]]);
    await put('failing', { definition: "define\n  error 'no such thing'\n", errors: { ForcedError: 404 } });
    const failed = await run('failing', {}, { Prefer: 'wait=5' });
    expect(failed.json()).toMatchObject({ status: 404, code: 'workflow_failed', class: 'Ruote::ForcedError' });
    await put('slow', { definition: 'define\n  alpha\n', callback: alpha.url });
    const held = run('slow', {}, { Prefer: 'wait=20' });
    const { body } = await alpha.next();
    await postForm(server.url, new URL(body.proceed_url).pathname, 'fields[done]=yes');
    const slow = await held;
    expect([slow.status, slow.json()]).toEqual([200, { done: 'yes' }]);
    const cancelled = run('slow', {}, { Prefer: 'wait=20' });
    const other = await alpha.next();
    await ask('POST', `/v1/workflows/${other.body.workflow_id}/kill`);
    expect((await cancelled).json()).toMatchObject({ status: 409, code: 'workflow_cancelled' });
  });
});

describe('in the language', () => {
  test('a stored definition runs as a branch, in the version that is written', async () => {
    await put('part', { definition: "define\n  set 'f:from': 1\n" });
    await put('part', { definition: "define\n  set 'f:from': 2\n" });
    await put('whole', {
      definition: "define\n  subprocess ref: 'part@1'\n  set 'f:first': '${f:from}'\n  subprocess ref: 'part'\n",
    });
    const over = await run('whole', {}, { Prefer: 'wait=5' });
    expect(over.json(), over.text).toMatchObject({ first: '1', from: 2 });
    await put('none', { definition: "define\n  subprocess ref: 'part@9'\n" });
    const failed = await run('none', {}, { Prefer: 'wait=5' });
    expect(failed.json<{ detail: string }>().detail).toContain("no subprocess named 'part@9'");
  });

  test('an expression in a stored definition that runs as a branch tells its tree in that', async () => {
    await put('inner', { definition: "define\n  bob task: 'look'\n  carol\n" });
    await put('outer', { definition: "define\n  subprocess ref: 'inner'\n  alice\n" });
    const { id } = (await run('outer', {})).json<{ id: string }>();
    type Live = { readonly id: string; readonly expid: string; readonly parent_id: string | null };
    const { expressions } = (await ask('GET', `/v1/workflows/${id}`)).json<{ expressions: readonly Live[] }>();
    const root = expressions.find(({ expid, parent_id }) => expid === '0' && parent_id !== null);
    expect(root).toBeDefined();
    const told = (await ask('GET', `/v1/workflows/${id}/expressions/${root?.id}`)).json();
    expect(told).toMatchObject({
      tree: [
        'define',
        {},
        [
          ['bob', { task: 'look' }, []],
          ['carol', {}, []],
        ],
      ],
    });
    const call = (await ask('GET', `/v1/workflows/${id}/expressions/${root?.parent_id}`)).json();
    expect(call).toMatchObject({ tree: ['subprocess', { ref: 'inner' }, []] });
  });

  test('a stored definition is launched as a workflow of its own, once, with the fields that are named', async () => {
    await put('invoice', { definition: "define\n  set 'f:sent': '${v:meta.started_by}'\n", input_schema: AMOUNT });
    const parent = await run(
      'order-of-all',
      await put('order-of-all', {
        definition:
          "define\n  launch definition: 'invoice@1', fields: 'amount, gone', to: 'child'\n  launch definition: 'invoice', fields: { 'amount': 2 }\n",
      }).then(() => ({ inputs: { amount: 9, secret: 1 } })),
      { Prefer: 'wait=5' },
    );
    const { child } = parent.json<{ child: string }>();
    expect(child, parent.text).toMatch(/^\d{8}-\d{4}-[a-z]+-[a-z]+$/);
    await ask('POST', '/v1/test/clock', { advance: 0 });
    expect((await ask('GET', `/v1/workflows/${child}`)).json()).toMatchObject({
      ...{ status: 'completed', fields: { amount: 9, gone: null, sent: 'workflow' } },
      ...{ definition: { name: 'invoice', version: 1 }, meta: { started_by: 'workflow' } },
    });
    expect((await ask('GET', '/v1/workflows/count?name=nothing')).status).toBe(200);
    await put('orphan', { definition: "define\n  launch definition: 'no-such'\n" });
    const failed = await run('orphan', {}, { Prefer: 'wait=5' });
    expect(failed.json()).toMatchObject({ code: 'workflow_failed', class: 'ArgumentError' });
    // What it does not take is an error where it stands, and goes on from there once it is repaired.
    await put('picky', {
      definition: "define\n  launch definition: 'invoice', fields: 'amount', to: 'child'\n",
    });
    const { id: picky } = (await run('picky', { inputs: { amount: 'much' } })).json<{ id: string }>();
    const [refused] = (await ask('GET', `/v1/workflows/${picky}`)).json<{
      errors: { class: string; message: string; expression_id: string }[];
    }>().errors;
    expect(refused).toMatchObject({ class: 'ArgumentError', message: expect.stringContaining('#/amount') });
    await ask('POST', `/v1/workflows/${picky}/errors/${refused?.expression_id}/replay`, { fields: { amount: 3 } });
    await ask('POST', '/v1/test/clock', { advance: 0 });
    const repaired = (await ask('GET', `/v1/workflows/${picky}`)).json<{ status: string; fields: { child: string } }>();
    expect(repaired.status).toBe('completed');
    expect((await ask('GET', `/v1/workflows/${repaired.fields.child}`)).json()).toMatchObject({
      fields: { amount: 3 },
    });
    // In place of itself, under the same business key.
    await put('watch', {
      definition: "define\n  alpha\n  continue_as_new definition: 'invoice', fields: 'amount'\n",
      callback: alpha.url,
    });
    const { id: watched } = (await run('watch', { inputs: { amount: 4, b: 1 }, business_key: 'machine 7' })).json<{
      id: string;
    }>();
    const [asked] = (await ask('GET', `/v1/workitems?workflow_id=${watched}`)).json<{ workitems: { id: string }[] }>()
      .workitems;
    await ask('POST', `/v1/workitems/${asked?.id}/respond`, { fields: { amount: 5 } });
    const over = (await ask('GET', `/v1/workflows/${watched}`)).json<{ continued_as: string }>();
    expect(over).toMatchObject({ status: 'completed', fields: { amount: 5 } });
    expect((await ask('GET', `/v1/workflows/${over.continued_as}`)).json()).toMatchObject({
      ...{ status: 'completed', fields: { amount: 5 }, continued_from: watched, business_key: 'machine 7' },
      ...{ definition: { name: 'invoice', version: 1 } },
    });
    expect((await run('watch', { business_key: 'machine 7' })).json()).toMatchObject({
      code: 'business_key_taken',
      workflow_id: over.continued_as,
    });
    // In a circle they launch each other only so often.
    await put('circle', { definition: "define\n  launch definition: 'circle', to: 'next'\n" });
    await run('circle');
    await ask('POST', '/v1/test/clock', { advance: 0 });
    const { errors } = (await ask('GET', '/v1/errors?class=LimitExceeded')).json<{ errors: object[] }>();
    expect(errors).toHaveLength(1);
    // Without the attribute, and where somebody is called so, it is a participant.
    await put('launcher', {
      definition: "define\n  launch definition: 'invoice'\n",
      participants: { launch: { url: alpha.url } },
    });
    await run('launcher');
    const { workitems } = (await ask('GET', '/v1/workitems?participant=launch')).json<{ workitems: object[] }>();
    expect(workitems).toHaveLength(1);
  });
});
