import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { painted } from '../../src/cli/colour.ts';
import { fitsOrder } from '../../src/cli/conformance/play.ts';
import { run } from '../../src/cli/run.ts';
import type { Running } from '../../src/server/start.ts';
import { type Participant, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* Each verb about what a server keeps, called once against a server: what it asks for is there, and what it prints is what was answered. */

let server: Running;
let alpha: Participant;
/** Who is told of events. */
let hook: Participant;
let folder = '';
beforeAll(async () => {
  [alpha, hook] = [await startParticipant(), await startParticipant()];
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'rota-verbs-'));
}, 60_000);
afterAll(async () => {
  await Promise.all([alpha.stop(), hook.stop()]);
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a call printed on standard output. @param code how it has to end */
async function rota(code: number, ...args: readonly string[]): Promise<string> {
  const [out, err]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text) => out.push(`${text}\n`)),
    vi.spyOn(console, 'error').mockImplementation((text) => err.push(`${text}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0),
  ];
  try {
    const ended = await run([...args, '--url', server.url]);
    expect({ code: ended, args, err: err.join('') }).toMatchObject({ code });
    return out.join('');
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
const json = async <Shape = Record<string, unknown>>(...args: readonly string[]): Promise<Shape> =>
  JSON.parse(await rota(0, ...args, '--json')) as Shape;

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('rota', { timeout: 120_000 }, () => {
  test('openapi: the description of the server, as JSON and as YAML', async () => {
    const printed = JSON.parse(await rota(0, 'openapi')) as { openapi: string };
    expect(printed).toEqual((await send(server.url, 'GET', '/openapi.json')).json());
    expect(parse(await rota(0, 'openapi', '--yaml'))).toEqual(printed);
  });

  test('definitions and schedules: stored, compared, launched by name, started again', async () => {
    const name = 'shop/order';
    const [first, second] = ['define order\n  alpha\n', 'define order\n  alpha task: "pack"\n'];
    const option = file('option.json', {
      callbacks: { alpha: alpha.url },
      schedules: [{ name: 'nightly', cron: '0 3 * * *' }],
    });
    expect(await rota(0, 'definitions', 'put', name, file('1', first), '--option', option)).toBe('shop/order@1\n');
    expect(await rota(0, 'definitions', 'put', name, file('2', second), '--note', 'more')).toBe('shop/order@2\n');
    expect(await json('definitions', 'get', name)).toMatchObject({ note: 'more', callbacks: { alpha: alpha.url } });
    expect(await rota(0, 'definitions', 'get', `${name}@1`)).toBe(first);
    expect(await rota(0, 'definitions', 'list', '--prefix', 'shop/')).toContain('shop/order  2  radial');
    // Two cells, which happen to be the same: a list is that of both, and anything else has to say which.
    const ofBoth = await rota(0, 'definitions', 'list', '--prefix', 'shop/', '--url', server.url);
    expect(ofBoth.match(/shop\/order/g)).toHaveLength(2);
    await rota(2, 'definitions', 'get', name, '--url', server.url);
    expect(await rota(0, 'definitions', 'versions', name)).toMatch(/^2 {2}active .*more\n1 {2}- /);
    expect(await rota(0, 'definitions', 'diff', name, '1', '2')).toMatch(/^--- shop\/order@1\n[\s\S]*\+ .*pack/);
    expect(await rota(0, 'definitions', 'activate', name, '1')).toBe('shop/order@1\n');
    const tree = '["define", {"name":"tree"},  [["alpha", {}, []]]]\n';
    expect(await rota(0, 'definitions', 'put', 'tree', file('tree.json', tree))).toBe('tree@1\n');
    expect(await rota(0, 'definitions', 'get', 'tree')).toBe(tree);
    expect(await rota(0, 'definitions', 'delete', 'tree')).toBe('OK\n');
    await rota(4, 'definitions', 'get', 'tree');

    const id = (await rota(0, 'launch', `${name}@2`, '--field', 'who=Ada')).trim();
    expect((await alpha.next()).body).toMatchObject({ workflow_id: id, fields: { who: 'Ada' } });

    const schedule = 'shop/order:nightly';
    expect(await rota(0, 'schedules', '--definition', name)).toMatch(
      /^shop\/order:nightly {2}\d{4}-.* shop\/order {2}1/,
    );
    expect(await json('schedules', 'show', schedule)).toMatchObject({ cron: '0 3 * * *', paused: false });
    expect(await rota(0, 'schedules', 'pause', schedule, '--reason', 'audit')).toBe('OK\n');
    expect(await json('schedules', 'show', schedule)).toMatchObject({ paused: true });
    expect(await rota(0, 'schedules', 'resume', schedule)).toBe('OK\n');
    const started = (await rota(0, 'schedules', 'run', schedule)).trim();
    expect((await alpha.next()).body.workflow_id).toBe(started);
    const [from, to] = ['2020-01-01T00:00:00Z', '2020-01-01T12:00:00Z'];
    expect(await rota(0, 'schedules', 'backfill', schedule, '--from', from, '--to', to)).toBe('1 are started\n');
    await alpha.next();
    await rota(4, 'schedules', 'show', 'shop/order:daily');
    // The slash of a name may stand in an address as it is.
    expect((await send(server.url, 'GET', `/v1/schedules/${schedule}`)).status).toBe(200);
  });

  test('what a launch and its definition say together keeps a participant that is called like an expression', async () => {
    const option = file('signal.json', { callbacks: { signal: alpha.url } });
    await rota(0, 'definitions', 'put', 'hailer', file('3', "define hailer\n  signal name: 'x'\n"), '--option', option);
    await rota(0, 'launch', 'hailer', '--callback', `/^other/=${hook.url}`);
    expect((await alpha.next()).body.participant).toBe('signal');
  });

  test('participants are registered under names with a namespace', async () => {
    const name = 'shop/pay';
    expect(JSON.parse(await rota(0, 'participants', 'put', name, '--callback', alpha.url))).toMatchObject({ name });
    await rota(
      0,
      'participants',
      'put',
      'shop/clerk',
      '--file',
      file('p.json', { kind: 'person', form: { type: 'object' } }),
    );
    expect(await rota(0, 'participants')).toContain(`shop/pay  callback  true  ${alpha.url}`);
    expect(await json('participants', 'show', name)).toMatchObject({ name, url: alpha.url });
    expect((await send(server.url, 'GET', `/v1/participants/${name}`)).json()).toMatchObject({ name });
    expect((await send(server.url, 'GET', '/v1/forms/shop/clerk')).json()).toMatchObject({ form: { type: 'object' } });
    expect(await rota(0, 'participants', 'delete', name)).toBe('OK\n');
    await rota(4, 'participants', 'show', name);
  });

  test('subscriptions: made, changed, tried, and what is owed to them', async () => {
    const id = (
      await rota(0, 'subscriptions', 'create', '--target', hook.url, '--events', 'workflow.completed')
    ).trim();
    expect(id).toMatch(/^sub_/);
    expect(await rota(0, 'subscriptions')).toContain(`${id}  true  ${hook.url}  ["workflow.completed"]  -`);
    expect(await json('subscriptions', 'update', id, '--disable')).toMatchObject({ enabled: false });
    expect(await json('subscriptions', 'update', id, '--enable', '--events', 'workflow.*')).toMatchObject({
      ...{ enabled: true, events: ['workflow.*'] },
    });
    expect(await json('subscriptions', 'show', id)).toMatchObject({ id });
    expect(await rota(0, 'subscriptions', 'test', id)).toBe('OK\n');
    await hook.next();
    const delivered = await until('the delivery', async () => {
      const line = await rota(0, 'subscriptions', 'deliveries', id, '--state', 'delivered', '--json');
      return line === '' ? null : (JSON.parse(line) as { readonly id: string });
    });
    expect(await rota(0, 'subscriptions', 'redeliver', id)).toBe('0 are sent again\n');
    const ids = file('ids.json', { ids: [delivered.id] });
    expect(await rota(0, 'subscriptions', 'redeliver', id, '--file', ids)).toBe('1 are sent again\n');
    await hook.next();
    expect(await rota(0, 'subscriptions', 'delete', id)).toBe('OK\n');
    await rota(4, 'subscriptions', 'show', id);
  });

  test('events, who waits for them, and messages', async () => {
    const sent = ['--type', 'paid', '--source', 'shop', '--id', 'e1', '--data', '{"amount":3}'];
    const answer = await json<{ readonly event_id: string }>('events', 'send', ...sent);
    expect(answer).toMatchObject({ id: 'e1', kept: true });
    const batch = [
      { type: 'b1', source: 's' },
      { type: 'b2', source: 's' },
    ];
    expect((await rota(0, 'events', 'send', '--file', file('events.json', batch))).trim().split('\n').length).toBe(2);
    expect(await rota(0, 'events', 'list', '--type', 'paid', '--state', 'kept')).toContain(`${answer.event_id}  kept`);
    expect(await json('events', 'show', answer.event_id)).toMatchObject({ event: { data: { amount: 3 } } });
    expect(await json('events', 'redeliver', answer.event_id, '--start')).toMatchObject({ event_id: answer.event_id });
    await rota(4, 'events', 'show', 'evt_00');

    const waiting = file('w', "define waiter\n  await event: 'shipped'\n");
    const id = (await rota(0, 'launch', waiting)).trim();
    expect(await rota(0, 'waits', '--type', 'shipped', '--workflow', id)).toContain(`${id}  0_0  shipped`);
    const taken = await json('message', id, 'shipped', '--data', '{"n":1}', '--field', 'by=ship');
    expect(taken).toMatchObject({ delivered: true, resumed: [id] });
    expect(await rota(0, 'wait', id)).toMatch(/^completed/);
  });

  test('batches: what they would be about, what came of them', async () => {
    const id = (await rota(0, 'launch', file('b', 'define many\n  alpha\n'), '--callback', alpha.url)).trim();
    await alpha.next();
    expect(await rota(0, 'batch', 'pause', '--filter', 'name=many', '--dry-run')).toBe('1 match\n');
    expect(await rota(0, 'batch', 'cancel', '--all', '--dry-run')).toMatch(/^\d+ match\n$/);
    const shown = await rota(0, 'batch', 'pause', '--filter', 'name=many', '--reason', 'lunch', '--follow');
    const [, batch = ''] = /^(\w{16}) {2}/.exec(shown) ?? [];
    expect(shown.trim().split('\n').at(-1)).toBe(`${batch}  completed  total 1  done 1  failed 0  skipped 0  left 0`);
    expect(await rota(0, 'batch', 'list')).toContain(`${batch}  completed  pause  1  1  0`);
    expect(await json('batch', 'show', batch)).toMatchObject({ reason: 'lunch' });
    expect(await rota(0, 'batch', 'items', batch)).toContain(`${id}  -  done`);
    await rota(1, 'batch', 'stop', batch);
    expect(await json('show', id)).toMatchObject({ status: 'paused' });
  });

  test('workflows and definitions go out as lines and come in again', async () => {
    await rota(0, 'definitions', 'put', 'carried', file('carried', 'define carried\n  alpha\n'));
    const id = (await rota(0, 'launch', file('c', 'define x\n  alpha\n'), '--callback', alpha.url)).trim();
    await alpha.next();
    const lines = await rota(0, 'export', id, '--definitions');
    expect(lines.split('\n').some((line) => line.startsWith('{"rota_definition":1,"name":"carried"'))).toBe(true);
    await rota(0, 'definitions', 'delete', 'carried');
    const carried = file('carried.ndjson', lines);
    expect(await rota(0, 'import', carried, '--new-ids', '--dry-run')).toContain('1 workflows');
    const { imported } = await json<{ imported: { id: string; was: string }[] }>('import', carried, '--new-ids');
    expect(imported).toMatchObject([{ was: id }]);
    expect(await rota(0, 'definitions', 'get', 'carried')).toBe('define carried\n  alpha\n');
    expect(await json('show', imported[0]?.id ?? '')).toMatchObject({ status: 'running' });
    await rota(1, 'import', carried);
    await rota(1, 'import', file('cut', lines.slice(0, -20)));
    await rota(2, 'export');
    await rota(4, 'export', '20151005-1247-kogadeso-gekunute');
  });

  test('conformance: packaged cases, each told, and exit code 1 where one fails', async () => {
    const told = await rota(0, 'conformance', server.url, '--only', 'e');
    expect(told.match(/^passed/gm)?.length).toBeGreaterThan(15);
    expect(JSON.parse(await rota(0, 'conformance', '--only', 'call/ping', '--json'))).toEqual({
      ...{ case: 'call/ping', passed: true },
    });
    await rota(2, 'conformance', '--only', 'no such case');
  });
});

test.each([
  ['{a b} c', 'b a c', true],
  ['{a b} c', 'a c b', false],
  ['a b', 'a', false],
  ['a', 'a b', false],
  ['a a', 'a a', true],
])('%s is the order of %s: %s', (wanted, asked, does) => {
  expect(fitsOrder(asked.split(' '), wanted)).toBe(does);
});

test('colour is for terminals, and for nobody who says NO_COLOR', () => {
  const terminal = { isTTY: true, hasColors: () => true };
  expect(painted('x', 'red', terminal, {})).toBe('\u001b[31mx\u001b[39m');
  expect(painted('x', 'red', terminal, { NO_COLOR: '1' })).toBe('x');
  expect(painted('x', 'red', { isTTY: true, hasColors: () => false }, {})).toBe('x');
  expect(painted('x', 'red', {}, {})).toBe('x');
});
