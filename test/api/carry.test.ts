import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IMPORT_BYTES_MAX } from '../../src/api/resources/workflows/carry.ts';
import { CARRIED_CHARACTERS_MAX } from '../../src/engine/carried-check.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Workflows that go from one server to another, as lines of JSON. */

let from: Running;
let to: Running;
let alpha: Participant;
beforeAll(async () => {
  alpha = await startParticipant();
  [from, to] = await Promise.all([startServer({ TEST_CLOCK: '1' }), startServer({ TEST_CLOCK: '1' })]);
}, 120_000);
afterAll(async () => {
  await Promise.all([from.stop(), to.stop(), alpha.stop()]);
}, 60_000);

const WORKFLOW = `define order
  set 'v:large': '\${f:text}'
  concurrence
    sequence
      alpha
      set 'f:was': '\${v:large}'
    sequence
      wait '1h'
      set 'f:waited': true
    await event: 'paid', key: '\${f:order}', to: 'payment'
    broken
`;

const launch = async (body: object): Promise<string> => {
  const answer = await postJson(from.url, '/v1/workflows', body);
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
};
const exported = async (id: string): Promise<string> => {
  const answer = await send(from.url, 'GET', `/v1/workflows/${id}/export`);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  return answer.text;
};
const imported = (text: string, query = '', url = to.url): Promise<Answer> =>
  send(url, 'POST', `/v1/import${query}`, { headers: { 'Content-Type': 'application/x-ndjson' }, body: text });
const settle = (url: string, advance = 0): Promise<Answer> => postJson(url, '/v1/test/clock', { advance });
type Shown = {
  readonly status: string;
  readonly fields: Record<string, unknown>;
  readonly errors: readonly { readonly expression_id: string }[];
  readonly workitems: readonly { readonly id: string }[];
};
const shown = async (url: string, id: string): Promise<Shown> =>
  (await send(url, 'GET', `/v1/workflows/${id}`)).json<Shown>();

test('a workflow goes on elsewhere where it was: its workitem, its timer, its event and its error', async () => {
  const id = await launch({
    workflow: WORKFLOW,
    callbacks: { alpha: alpha.url },
    fields: { order: '7', text: 'x'.repeat(3_000) },
    business_key: 'order-7',
    notify: { url: alpha.url, events: ['workflow.killed'], headers: { 'x-key': 'hush' } },
  });
  const first = await alpha.next();
  await settle(from.url);
  await postJson(from.url, `/v1/workflows/${id}/pause`, {});
  const text = await exported(id);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines[0]).toMatchObject({ rota_export: 1, ids: [id] });
  expect(lines.at(-1)).toMatchObject({ kind: 'end', lines: lines.length - 1 });
  expect(text).not.toContain('hush');
  expect(text).not.toContain('"tenant"');

  // Nothing of it is taken where it was cut or changed.
  const changed = text.replace('"order-7"', '"order-8"');
  for (const bad of [text.slice(0, -100), changed, text.replace('alpha', 'alphb'), '{"rota_export":1}\n', 'x', ''])
    expect((await imported(bad)).json(), bad.slice(0, 40)).toMatchObject({ status: 400, code: 'body_malformed' });
  expect((await send(to.url, 'POST', '/v1/import', { body: text })).status).toBe(415);
  expect((await imported(text, '?dry_run=1')).json()).toMatchObject({ imported: [{ id }], definitions: 1 });
  expect((await send(to.url, 'GET', `/v1/workflows/${id}`)).status).toBe(404);

  const answer = await imported(text);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json()).toEqual({ imported: [{ id }], definitions: 1 });
  expect((await imported(text)).json()).toMatchObject({ status: 409, code: 'workflow_exists' });
  const before = await shown(to.url, id);
  expect(before).toMatchObject({ status: 'error', business_key: 'order-7' });
  expect((await send(to.url, 'GET', `/v1/workflows/${id}/definition`)).text).toBe(WORKFLOW);
  const historyOf = async (url: string): Promise<object[]> =>
    (await send(url, 'GET', `/v1/workflows/${id}/history`)).json<{ history: object[] }>().history;
  expect(await historyOf(to.url)).toEqual(await historyOf(from.url));

  await postJson(to.url, `/v1/workflows/${id}/resume`, {});
  const path = new URL(first.body.proceed_url).pathname;
  expect((await postJson(to.url, path, { fields: { done: true } })).status).toBe(201);
  await postJson(to.url, '/v1/messages/paid', { key: '7', fields: { amount: 9 } });
  const [error] = (await shown(to.url, id)).errors;
  await postJson(to.url, `/v1/workflows/${id}/errors/${error?.expression_id}/replay`, { tree: ['noop', {}, []] });
  await settle(to.url, 3_601);
  const over = await until(`${id} is over`, async () => {
    const now = await shown(to.url, id);
    return now.status === 'completed' ? now : null;
  });
  expect(over.fields).toMatchObject({ order: '7' });
  expect((await send(to.url, 'GET', `/v1/workflows?business_key=order-7`)).text).toContain(id);
}, 60_000);

test('a copy has an id of its own, and what was owed is owed again', async () => {
  const id = await launch({ workflow: 'define x\n  alpha\n', callback: alpha.url, business_key: 'copied' });
  await alpha.next();
  const text = await exported(id);
  const answer = await imported(text, '?new_ids=1', from.url);
  const [copy] = answer.json<{ imported: { id: string; was: string }[] }>().imported;
  expect(copy?.was).toBe(id);
  expect(copy?.id).not.toBe(id);
  const [workitem] = (await shown(from.url, copy?.id ?? '')).workitems;
  expect(workitem?.id.endsWith(`!${copy?.id}`)).toBe(true);
  await postJson(from.url, `/v1/workflows/${copy?.id}/workitems/${workitem?.id}/proceed`, {});
  expect((await shown(from.url, copy?.id ?? '')).status).toBe('completed');
  expect((await shown(from.url, id)).status).toBe('running');

  // A message nobody has taken yet is sent by whoever has it.
  const owed = await launch({ workflow: 'define x\n  alpha\n', callback: `http://127.0.0.1:9/` });
  await settle(from.url);
  const moved = await exported(owed);
  expect((await imported(moved.replaceAll('http://127.0.0.1:9/', alpha.url))).status).toBe(400);
  expect((await imported(moved)).status).toBe(200);
  expect((await shown(to.url, owed)).workitems).toHaveLength(1);
  expect((await send(from.url, 'GET', '/v1/workflows/20151005-1247-kogadeso-gekunute/export')).status).toBe(404);
}, 60_000);

test('of a file with something wrong in it nothing is taken, whatever stands before that', async () => {
  const ids = await Promise.all([1, 2].map(() => launch({ workflow: 'define x\n  alpha\n', callback: alpha.url })));
  for (const _ of ids) await alpha.next();
  const [first = '', second = ''] = await Promise.all(ids.map(exported));
  const isThere = async (id = ''): Promise<boolean> =>
    (await send(to.url, 'GET', `/v1/workflows/${id}`)).status === 200;
  for (const [bad, why] of [
    [first + second.replace('"running"', '"paused"'), `line ${(first + second).trimEnd().split('\n').length}: `],
    [first + second.slice(0, -300), 'it was cut'],
    [first + second + first, 'in them twice'],
  ] as const)
    expect((await imported(bad)).json()).toMatchObject({
      ...{ status: 400, code: 'body_malformed', detail: expect.stringContaining(why) },
    });
  expect(await Promise.all(ids.map(isThere))).toEqual([false, false]);
  expect((await imported(second)).status).toBe(200);
  expect((await imported(first + second)).json()).toMatchObject({ status: 409, code: 'workflow_exists' });
  expect(await isThere(ids[0])).toBe(false);
});

test('rows that were changed with the check sum made anew are refused, or are a workflow that can be looked at and ended', async () => {
  const id = await launch({ workflow: WORKFLOW, callbacks: { alpha: alpha.url }, fields: { order: '8', text: 'y' } });
  await alpha.next();
  await settle(from.url);
  const lines = (await exported(id)).trimEnd().split('\n').slice(0, -1);
  const answers = new Map<number, number>();
  for (const changed of changesOf(lines)) {
    const end = { kind: 'end', lines: lines.length, sha256: sumOf(changed) };
    const answer = await imported(`${changed.join('\n')}\n${JSON.stringify(end)}\n`, '?new_ids=1');
    expect([200, 400], `${answer.text}\n${changed.filter((line) => !lines.includes(line))}`).toContain(answer.status);
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    if (answer.status !== 200) continue;
    const [copy] = answer.json<{ imported: { id: string }[] }>().imported;
    expect((await send(to.url, 'GET', `/v1/workflows/${copy?.id}`)).status, answer.text).toBe(200);
    expect((await postJson(to.url, `/v1/workflows/${copy?.id}/kill`, {})).status, answer.text).toBe(201);
  }
  expect(answers.get(400)).toBeGreaterThan(20);
  expect((await send(to.url, 'GET', '/livez')).status).toBe(200);
}, 60_000);

const sumOf = (lines: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
};

/** The lines with one value of one row left out, or another in its place: which of them goes round. */
function* changesOf(lines: readonly string[]): Generator<readonly string[], void, undefined> {
  let turn = 0;
  for (const [i, line] of lines.entries()) {
    const { kind, row } = JSON.parse(line) as { kind?: string; row?: Record<string, unknown> };
    if (kind === undefined || row === undefined) continue;
    for (const [key, value] of Object.entries(row)) {
      const others = typeof value === 'string' ? [undefined, '{"a":[]}', 'x\0', '[]'] : [undefined, -1, 'x'];
      const other = others[turn++ % others.length];
      yield lines.with(i, JSON.stringify({ kind, row: { ...row, [key]: other } }));
    }
  }
}

test('an import may be larger than other bodies, up to a bound that is told before it is sent', async () => {
  expect((await imported('x'.repeat(5_000_000))).json()).toMatchObject({ status: 400, code: 'body_malformed' });
  // Several workflows are together larger than one may be.
  const id = await launch({ workflow: `# ${'z'.repeat(900_000)}\ndefine x\n  wait "1h"\n`, callback: alpha.url });
  const one = await exported(id);
  const times = Math.ceil((CARRIED_CHARACTERS_MAX + 1) / one.length);
  const packed = gzipSync(one.repeat(times), { level: 1 });
  const dry = (body: Buffer): Promise<Answer> =>
    send(to.url, 'POST', '/v1/import?new_ids=1&dry_run=1', {
      headers: { 'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'gzip' },
      body,
    });
  const all = await dry(packed);
  expect(all.status, all.text.slice(0, 300)).toBe(200);
  expect(all.json<{ imported: object[] }>().imported).toHaveLength(times);
  for (const body of [packed.subarray(0, 1_000), Buffer.from('no gzip')])
    expect((await dry(body)).json()).toMatchObject({ status: 400, code: 'body_malformed' });
  const headers = { 'Content-Type': 'application/x-ndjson', 'Content-Length': String(IMPORT_BYTES_MAX + 1) };
  const refusal = await new Promise<string>((resolve, reject) => {
    const sending = request(`${to.url}/v1/import`, { method: 'POST', headers }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString('utf8'));
      sending.destroy();
    });
    sending.once('error', reject).flushHeaders();
  });
  expect(JSON.parse(refusal)).toMatchObject({ status: 413, code: 'body_too_large' });
});
