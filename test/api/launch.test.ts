import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postForm, postJson, send, startParticipant, startServer } from '../support/server.ts';

const GOOD = 'define\n  alpha';
const URL = 'http://127.0.0.1:1/callback';
const MISSING = 'callback, callbacks are missing, exactly one parameter must be provided';
const BOTH = 'callback, callbacks are mutually exclusive';

let server: Running;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server.stop(), 60_000);

const launch = (body: unknown): Promise<Answer> => postJson(server.url, '/v1/workflows', body);

/** What every refused launch has to look like. */
function expectRefused(answer: Answer, error: string): void {
  expect(answer.json()).toMatchObject({ status: 400, error, retryable: false });
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const body = answer.json();
  for (const key of ['type', 'title', 'detail', 'code', 'request_id'])
    expect(body[key], key).toEqual(expect.any(String));
  expect(body['request_id']).toBe(answer.headers['x-request-id']);
}

describe('a launch is refused with the words of the contract', () => {
  test.each<[string, unknown, string]>([
    ['without anything', {}, `workflow is missing, ${MISSING}`],
    ['without workflow', { callback: URL }, 'workflow is missing'],
    ['kept for too long', { workflow: GOOD, callback: URL, retain_days: 3_651 }, 'retain_days is invalid'],
    ['kept for a part of a day', { workflow: GOOD, callback: URL, retain_days: 0.5 }, 'retain_days is invalid'],
    ['with a tag that is none', { workflow: GOOD, callback: URL, tags: ['a', ''] }, 'tags is invalid'],
    ['with too many tags', { workflow: GOOD, callback: URL, tags: Array(21).fill('a') }, 'tags is invalid'],
    ['with an empty workflow', { workflow: '', callback: URL }, 'workflow is invalid'],
    ['with a blank workflow', { workflow: ' \n ', callback: URL }, 'workflow is invalid'],
    ['with a workflow of null', { workflow: null, callback: URL }, 'workflow is invalid'],
    ['with a number for a workflow', { workflow: 7, callback: URL }, 'workflow is invalid'],
    ['with an object for a workflow', { workflow: { name: 'a' }, callback: URL }, 'workflow is invalid'],
    ['with a list that is no tree', { workflow: ['a', {}], callback: URL }, 'workflow is invalid'],
    [
      'with a tree that is none further down',
      { workflow: ['define', {}, [['a']]], callback: URL },
      'workflow is invalid',
    ],
    ['with a lone unknown word', { workflow: 'invalid', callback: URL }, 'workflow is invalid'],
    ['with broken XML', { workflow: '<define><alpha></define>', callback: URL }, 'workflow is invalid'],
    ['with a DOCTYPE', { workflow: '<!DOCTYPE a [<!ENTITY b "c">]><define/>', callback: URL }, 'workflow is invalid'],
    ['with NUL in the workflow', { workflow: 'define\n  alpha "\u0000"', callback: URL }, 'workflow is invalid'],
    [
      'with a workflow of more than 1 MB',
      { workflow: `define\n# ${'x'.repeat(1_048_577)}`, callback: URL },
      'workflow is invalid',
    ],
    ['with too short a history', { workflow: GOOD, callback: URL, history_max: 10 }, 'history_max is invalid'],
    ['without a callback', { workflow: GOOD }, MISSING],
    ['with both', { workflow: GOOD, callback: URL, callbacks: { alpha: URL } }, BOTH],
    ['with both, one of them bad', { workflow: GOOD, callback: 7, callbacks: { alpha: URL } }, BOTH],
    ['with a callback that is no text', { workflow: GOOD, callback: { alpha: URL } }, 'callback is invalid'],
    ['with an empty callback', { workflow: GOOD, callback: '' }, 'callback is invalid'],
    ['with a callback that is no URL', { workflow: GOOD, callback: 'alpha' }, 'callback is invalid'],
    ['with a callback over ftp', { workflow: GOOD, callback: 'ftp://example.org/' }, 'callback is invalid'],
    ['with a callback that runs', { workflow: GOOD, callback: 'javascript:alert(1)' }, 'callback is invalid'],
    ['with a callback that reads files', { workflow: GOOD, callback: 'file:///etc/passwd' }, 'callback is invalid'],
    [
      'with a callback to the metadata of a cloud',
      { workflow: GOOD, callback: 'http://169.254.169.254/' },
      'callback is invalid',
    ],
    [
      'with a callback that is too long',
      { workflow: GOOD, callback: `${URL}?${'x'.repeat(9000)}` },
      'callback is invalid',
    ],
    ['with NUL in the callback', { workflow: GOOD, callback: `${URL}\u0000` }, 'callback is invalid'],
    ['with one URL as callbacks', { workflow: GOOD, callbacks: URL }, 'callbacks is invalid'],
    ['with a list of callbacks', { workflow: GOOD, callbacks: [URL] }, 'callbacks is invalid'],
    ['with null for callbacks', { workflow: GOOD, callbacks: null }, 'callbacks is invalid'],
    [
      'with a number among the callbacks',
      { workflow: GOOD, callbacks: { alpha: URL, 'a\nb': 7 } },
      'callbacks is invalid',
    ],
    [
      'with a bad URL among the callbacks',
      { workflow: GOOD, callbacks: { alpha: URL, bravo: 'gopher://x' } },
      'callbacks is invalid',
    ],
    [
      'with NUL in the name of a participant',
      { workflow: GOOD, callbacks: { 'al\u0000pha': URL } },
      'callbacks is invalid',
    ],
    ['with fields that are a text', { workflow: GOOD, callback: URL, fields: 'a=b' }, 'fields is invalid'],
    ['with fields that are a list', { workflow: GOOD, callback: URL, fields: [1] }, 'fields is invalid'],
    ['with fields of null', { workflow: GOOD, callback: URL, fields: null }, 'fields is invalid'],
    ['with NUL in a field', { workflow: GOOD, callback: URL, fields: { a: ['\u0000'] } }, 'fields is invalid'],
    [
      'with half a surrogate pair in a field name',
      { workflow: GOOD, callback: URL, fields: { '\ud800': 1 } },
      'fields is invalid',
    ],
    [
      'with everything wrong',
      { workflow: 7, callback: 7, fields: 7 },
      'workflow is invalid, callback is invalid, fields is invalid',
    ],
    [
      'with a bad definition and no callback',
      { workflow: '<a>', fields: [] },
      `workflow is invalid, ${MISSING}, fields is invalid`,
    ],
    [
      'without workflow and with both',
      { callback: 'x', callbacks: 'x', fields: '' },
      `workflow is missing, ${BOTH}, fields is invalid`,
    ],
    ['with unknown rules for retries', { workflow: GOOD, callback: URL, retry: { forever: true } }, 'retry is invalid'],
  ])('%s', async (_name, body, error) => {
    expectRefused(await launch(body), error);
  });

  test('with fields that are nested too deep', async () => {
    const deep = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
    expectRefused(
      await launch(`{"workflow":"${GOOD.replace('\n', '\\n')}","callback":"${URL}","fields":${deep}}`),
      'fields is invalid',
    );
  });

  test('with a number no database can hold', async () => {
    expectRefused(await launch(`{"workflow":"define","callback":"${URL}","fields":{"a":1e999}}`), 'fields is invalid');
  });

  test.each([
    ['nothing', '', `workflow is missing, ${MISSING}`],
    ['an empty workflow', 'workflow=&callback=x', 'workflow is invalid, callback is invalid'],
    ['one URL as callbacks', `workflow=define&callbacks=${URL}`, 'callbacks is invalid'],
    ['several callback', `workflow=define&callback=${URL}&callback=${URL}`, 'callback is invalid'],
    ['a list of callbacks', `workflow=define&callbacks[]=${URL}`, 'callbacks is invalid'],
    ['fields that are a text', `workflow=define&callback=${URL}&fields=a`, 'fields is invalid'],
  ])('as a form with %s', async (_name, body, error) => {
    expectRefused(await postForm(server.url, '/v1/workflows', body), error);
    // A body without a Content-Type is a form.
    if (body !== '') expectRefused(await send(server.url, 'POST', '/v1/workflows', { body }), error);
  });

  test('telling line and column of what is wrong with the definition', async () => {
    const answer = await launch({ workflow: '<define>\n  <alpha>\n</define>', callback: URL });
    const [first] = answer.json<{ errors: readonly Record<string, unknown>[] }>().errors;
    expect(first).toMatchObject({
      pointer: '#/workflow',
      line: expect.any(Number),
      column: expect.any(Number),
      detail: expect.any(String),
    });
  });

  test('leaving nothing behind', async () => {
    const { workflows } = (await send(server.url, 'GET', '/v1/workflows')).json<{ workflows: readonly unknown[] }>();
    expect(workflows).toEqual([]);
  });
});

describe('a conversion', () => {
  const convert = (body: object): Promise<Answer> => postJson(server.url, '/v1/definitions/convert', body);

  test('makes Radial of Ruby, and says what it found', async () => {
    const answer = await convert({ definition: "x = Ruote.define('one') { alpha :on => %w[a] }", to: 'radial' });
    expect([answer.status, answer.json()]).toEqual([
      200,
      {
        definition: "define 'one'\n  alpha on: ['a']\n",
        format: 'radial',
        from: 'ruby',
        tree: ['define', { one: null }, [['alpha', { on: ['a'] }, []]]],
        name: 'one',
        names: [{ name: 'one', line: 1, column: 5 }],
        warnings: [],
      },
    ]);
  });

  test('is refused by line and column', async () => {
    const answer = await convert({ definition: 'Ruote.define do\n  alpha if true\nend', to: 'xml' });
    expect(answer.json()).toMatchObject({
      status: 400,
      error: 'workflow is invalid',
      errors: [{ line: 2, column: 3, message: expect.stringContaining("if: '…'") }],
    });
    expect((await convert({ definition: 'define x', to: 'yaml' })).status).toBe(422);
  });
});

test('a launch may have tags of its own, and its cancel a reason, which participants and readers are told', async () => {
  const alpha = await startParticipant();
  const launched = await launch({
    workflow: "sequence\n  alpha tag: 'inner'",
    callback: alpha.url,
    tags: ['vip', 'vip', 'eu'],
    retain_days: 3_650,
  });
  const { id } = launched.json<{ id: string }>();
  const first = await alpha.next();
  expect(Object.keys(first.body)).toHaveLength(6);
  const seen = async (): Promise<{ tags: string[]; reason?: string; status: string }> =>
    (await send(server.url, 'GET', `/v1/workflows/${id}`)).json();
  expect(await seen()).toMatchObject({ tags: ['vip', 'eu', 'inner'], status: 'running' });
  const found = await send(server.url, 'GET', '/v1/workflows?tag=eu');
  expect(found.json<{ workflows: { id: string }[] }>().workflows.map((one) => one.id)).toEqual([id]);

  await postJson(server.url, `/v1/workflows/${id}/cancel`, { reason: 'the "customer" changed their mind' });
  const notice = await alpha.next();
  expect(notice.body).toMatchObject({ status: 'cancel', reason: 'the "customer" changed their mind' });
  expect(notice.body.fields).toEqual(first.body.fields);
  expect(Object.keys(notice.body)).toHaveLength(7);
  expect(await seen()).toMatchObject({
    status: 'cancelled',
    tags: ['vip', 'eu'],
    reason: expect.stringMatching(/mind$/),
  });

  const other = await launch({ workflow: GOOD, callback: alpha.url });
  await alpha.next();
  await postJson(server.url, `/v1/workflows/${other.json<{ id: string }>().id}/cancel`, {});
  expect(Object.keys((await alpha.next()).body)).toHaveLength(6);
  await alpha.stop();
});
