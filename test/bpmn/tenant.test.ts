import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/* Diagrams among each other: what starts them, what they send, and what somebody does to their tokens by hand. */

let server: Running;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1' });
}, 120_000);
afterAll(() => server.stop(), 60_000);

const file = (inside: string): string =>
  `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><message id="m" name="ordered"/><message id="k" name="paid"><extensionElements><zeebe:subscription correlationKey="=order"/></extensionElements></message><signal id="s" name="alarm"/><process id="p" isExecutable="true">${inside}</process></definitions>`;
let flows = 0;
const path = (...ids: readonly string[]): string =>
  ids
    .slice(1)
    .map((to, i) => `<sequenceFlow id="f${++flows}" sourceRef="${ids[i]}" targetRef="${to}"/>`)
    .join('');
const event = (type: string, id: string, inside: string): string => `<${type} id="${id}">${inside}</${type}>`;
const message = (id: string): string => `<messageEventDefinition messageRef="${id}"/>`;
const SIGNAL = '<signalEventDefinition signalRef="s"/>';
const settle = (advance = 0): Promise<Answer> => postJson(server.url, '/v1/test/clock', { advance });

type Shown = {
  readonly status: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly expressions: readonly { readonly id: string; readonly element?: string; readonly name: string }[];
  readonly elements: readonly { readonly id: string; readonly live: number; readonly done: number }[];
  readonly workitems: readonly { readonly id: string; readonly element?: string }[];
  readonly timers: readonly { readonly element?: string }[];
  readonly waits: readonly { readonly element: string; readonly since: string | null }[];
};
const shown = async (id: string): Promise<Shown> =>
  (await send(server.url, 'GET', `/v1/workflows/${id}`)).json<Shown>();

async function launch(inside: string, fields = {}): Promise<string> {
  const answer = await postJson(server.url, '/v1/workflows', { workflow: file(inside), callbacks: PEOPLE, fields });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
}
const PEOPLE = { a: 'http://127.0.0.1:9/', b: 'http://127.0.0.1:9/', c: 'http://127.0.0.1:9/' };

async function store(name: string, inside: string): Promise<Answer> {
  const answer = await send(server.url, 'PUT', `/v1/definitions/${name}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ workflow: file(inside) }),
  });
  expect(answer.status, answer.text).toBe(201);
  return answer;
}
const launchedFrom = async (name: string): Promise<readonly { readonly id: string; readonly status: string }[]> => {
  const { workflows } = (await send(server.url, 'GET', '/v1/workflows?limit=1000')).json<{
    workflows: readonly { id: string; status: string; definition?: { name: string } }[];
  }>();
  return workflows.filter(({ definition }) => definition?.name === name);
};

describe('a stored definition', () => {
  test('is started by the messages and signals its start events wait for, and by none after the next version', async () => {
    const ends = path('st', 'e') + path('sg', 'x');
    const starts = `${event('startEvent', 'st', message('m'))}${event('startEvent', 'sg', SIGNAL)}`;
    const stored = await store('orders', `${starts}<endEvent id="e"/><endEvent id="x"/>${ends}`);
    expect(stored.json()).toMatchObject({
      starts: [
        { element: 'st', message: 'ordered' },
        { element: 'sg', signal: 'alarm' },
      ],
    });
    const sent = await postJson(server.url, '/v1/messages/ordered', { key: 'o1', fields: { order: 'o1' } });
    const { started } = sent.json<{ started: readonly string[] }>();
    expect(started).toHaveLength(1);
    await postJson(server.url, '/v1/signals/alarm', { fields: { loud: true } });
    await settle();
    const runs = await launchedFrom('orders');
    expect(runs).toHaveLength(2);
    const fields = await Promise.all(runs.map(async ({ id }) => (await shown(id)).fields));
    expect(fields).toEqual(expect.arrayContaining([{ order: 'o1' }, { loud: true }]));

    const choice = await postJson(server.url, '/v1/definitions/orders/run', {});
    expect(choice.status).toBe(422);
    expect(choice.text).toContain('name one in \\"start\\": st, sg');
    expect((await postJson(server.url, '/v1/definitions/orders/run', { start: 'sg' })).status).toBe(201);

    await store('orders', `<startEvent id="st"/><endEvent id="e"/>${path('st', 'e')}`);
    await postJson(server.url, '/v1/messages/ordered', { key: 'o2', ttl: 0 });
    await settle();
    expect(await launchedFrom('orders')).toHaveLength(3);
  });

  test('is started by its timer, as often as that comes', async () => {
    const cycle = '<timerEventDefinition><timeCycle>R2/PT10M</timeCycle></timerEventDefinition>';
    await store('hourly', `${event('startEvent', 'st', cycle)}<endEvent id="e"/>${path('st', 'e')}`);
    for (let i = 0; i < 4; i++) await settle(601);
    expect(await launchedFrom('hourly')).toHaveLength(2);
  });
});

describe('what a diagram throws', () => {
  test('reaches whoever waits for it in other workflows: a message by its key one, a signal all', async () => {
    const waiting = `<startEvent id="st"/>${event('intermediateCatchEvent', 'c', message('k'))}<endEvent id="e"/>${path('st', 'c', 'e')}`;
    const [one, two] = [await launch(waiting, { order: 1 }), await launch(waiting, { order: 2 })];
    const input = `<extensionElements><zeebe:ioMapping><zeebe:input source="=order * 10" target="amount"/></zeebe:ioMapping></extensionElements>`;
    await launch(`<startEvent id="st"/>${event('endEvent', 'e', `${input}${message('k')}`)}${path('st', 'e')}`, {
      order: 2,
    });
    await settle();
    expect((await shown(one)).status).toBe('running');
    expect(await shown(two)).toMatchObject({ status: 'completed', fields: { order: 2, amount: 20 } });

    const hears = `<startEvent id="st"/>${event('intermediateCatchEvent', 'c', SIGNAL)}<endEvent id="e"/>${path('st', 'c', 'e')}`;
    const all = [await launch(hears), await launch(hears)];
    await launch(`<startEvent id="st"/>${event('endEvent', 'e', SIGNAL)}${path('st', 'e')}`);
    await settle();
    for (const id of all) expect((await shown(id)).status).toBe('completed');
  });

  test('is heard once by its own workflow, also by what stays armed', async () => {
    const sub = `<subProcess id="sub" triggeredByEvent="true"><startEvent id="ss" isInterrupting="false">${SIGNAL}</startEvent><endEvent id="se"/>${path('ss', 'se')}</subProcess>`;
    const id = await launch(
      `${sub}<startEvent id="st"/>${event('intermediateThrowEvent', 'th', SIGNAL)}<userTask id="a"/><endEvent id="e"/>${path('st', 'th', 'a', 'e')}`,
    );
    await settle();
    await settle();
    expect((await shown(id)).elements).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'se', done: 1 })]),
    );
  });
});

test('a message is kept for a workflow as long as it says', async () => {
  const inside = `<startEvent id="st"/><userTask id="a"/>${event('intermediateCatchEvent', 'c', message('m'))}<endEvent id="e"/>${path('st', 'a', 'c', 'e')}`;
  const over = async (ttl: string, seconds: number) => {
    const id = await launch(inside);
    await settle();
    const sent = await postJson(server.url, `/v1/workflows/${id}/messages/ordered${ttl}`, { amount: 1 });
    expect(sent.status, sent.text).toBe(202);
    await settle(seconds);
    const { workitems } = await shown(id);
    const at = `/v1/workflows/${id}/workitems/${encodeURIComponent(workitems[0]?.id ?? '')}/proceed`;
    expect((await postJson(server.url, at, {})).status).toBe(201);
    await settle();
    const until = sent.json<{ kept_until: string | null }>().kept_until;
    return { kept: sent.json<{ kept: boolean }>().kept, until: until !== null, status: (await shown(id)).status };
  };
  expect(await over('', 120)).toEqual({ kept: true, until: false, status: 'completed' });
  expect(await over('?ttl=180', 120)).toEqual({ kept: true, until: true, status: 'completed' });
  expect(await over('?ttl=60', 120)).toEqual({ kept: true, until: true, status: 'running' });
  expect(await over('?ttl=0', 120)).toEqual({ kept: false, until: false, status: 'running' });
});

test('what a message brings is an object', async () => {
  const id = await launch(`<startEvent id="st"/><userTask id="a"/>${path('st', 'a')}`);
  for (const body of ['[1]', '"text"', '7', 'null'])
    expect(
      (
        await send(server.url, 'POST', `/v1/workflows/${id}/messages/ordered`, {
          headers: { 'Content-Type': 'application/json' },
          body,
        })
      ).status,
    ).toBe(422);
});

describe('by hand', () => {
  const TASKS = `<startEvent id="st"/><userTask id="a"/><userTask id="b"><documentation/></userTask><boundaryEvent id="bt" attachedToRef="b"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent><endEvent id="e"/>${path('st', 'a', 'b', 'e')}${path('bt', 'e')}`;

  test('a token is moved within its scope, and one more is added; what is passed, live and due says its element', async () => {
    const id = await launch(TASKS);
    await settle();
    const before = await shown(id);
    const a = before.expressions.find(({ element }) => element === 'a')?.id ?? '';
    const root = before.expressions.find(({ name }) => name === 'bpmn:process')?.id ?? '';
    const at = (expression: string, what: string): string =>
      `/v1/workflows/${id}/expressions/${encodeURIComponent(expression)}/${what}`;
    expect(before.workitems).toMatchObject([{ element: 'a' }]);
    for (const [to, why] of [
      ['bt', 'bt is a boundary event'],
      ['gone', 'gone is no element'],
    ] as const) {
      const refused = await postJson(server.url, at(a, 'move'), { to });
      expect(refused.status).toBe(409);
      expect(refused.text).toContain(why);
    }
    expect((await postJson(server.url, at(a, 'move'), { to: 'b', reason: 'skipped' })).status).toBe(201);
    expect((await postJson(server.url, at(a, 'tokens'), { at: 'a' })).status).toBe(404);
    expect((await postJson(server.url, at(root, 'tokens'), { at: 'a' })).status).toBe(201);
    await settle();
    const after = await shown(id);
    expect(after.workitems.map(({ element }) => element).sort()).toEqual(['a', 'b']);
    expect(after.timers).toMatchObject([{ element: 'bt' }]);
    expect(after.elements).toEqual(
      expect.arrayContaining([
        { id: 'st', live: 0, waiting: 0, failed: 0, done: 1 },
        { id: 'a', live: 1, waiting: 0, failed: 0, done: 0 },
      ]),
    );
    const { history } = (await send(server.url, 'GET', `/v1/workflows/${id}/history?kinds=workitem.opened`)).json<{
      history: readonly { element?: string }[];
    }>();
    expect(history.map(({ element }) => element)).toEqual(['a', 'b', 'a']);
  });

  test('where the tokens are is had as a picture, as data, and over all workflows of a definition', async () => {
    await store('tasks', TASKS);
    for (let i = 0; i < 2; i++)
      expect((await postJson(server.url, '/v1/definitions/tasks/run', { callbacks: PEOPLE })).status).toBe(201);
    await settle();
    const [run] = await launchedFrom('tasks');
    const drawn = await send(server.url, 'GET', `/v1/workflows/${run?.id}/diagram.svg`);
    expect(drawn.text).toContain('data-element="a" class="userTask live"');
    const etag = String(drawn.headers['etag']);
    expect(
      (await send(server.url, 'GET', `/v1/workflows/${run?.id}/diagram.svg`, { headers: { 'If-None-Match': etag } }))
        .status,
    ).toBe(304);
    const data = (await send(server.url, 'GET', `/v1/workflows/${run?.id}/diagram.json`)).json<{
      shapes: readonly { id: string }[];
    }>();
    expect(data.shapes.map(({ id }) => id)).toEqual(['st', 'a', 'b', 'bt', 'e']);
    expect((await send(server.url, 'GET', '/v1/definitions/tasks/stats')).json()).toMatchObject({
      ...{ name: 'tasks', version: 1, workflows: 2, complete: true },
      elements: [{ id: 'a', live: 2, waiting: 0, failed: 0 }],
    });
  });

  test('workflows that began with a start event of their choice are counted with the others', async () => {
    const [one, two] = [event('startEvent', 'st', message('m')), event('startEvent', 'sg', SIGNAL)];
    await store('chosen', `${one}${two}<userTask id="a"/><userTask id="b"/>${path('st', 'a')}${path('sg', 'b')}`);
    for (const start of ['st', 'sg', 'sg'])
      expect((await postJson(server.url, '/v1/definitions/chosen/run', { start, callbacks: PEOPLE })).status).toBe(201);
    await settle();
    expect((await send(server.url, 'GET', '/v1/definitions/chosen/stats')).json()).toMatchObject({
      ...{ workflows: 3, complete: true },
      elements: expect.arrayContaining([
        expect.objectContaining({ id: 'a', live: 1 }),
        expect.objectContaining({ id: 'b', live: 2 }),
      ]),
    });
  });

  test('a join that nothing can complete is listed among the errors that are stuck', async () => {
    const id = await launch(
      `<startEvent id="st"/><exclusiveGateway id="x" default="d"/><parallelGateway id="j"/><endEvent id="e"/>${path('st', 'x')}<sequenceFlow id="d" sourceRef="x" targetRef="j"/><sequenceFlow id="o" sourceRef="x" targetRef="j"><conditionExpression>false</conditionExpression></sequenceFlow>${path('j', 'e')}`,
    );
    await settle();
    expect((await send(server.url, 'GET', '/v1/errors?stuck=1')).json()).toMatchObject({
      errors: [{ workflow_id: id, element: 'j', class: 'Stuck' }],
    });
  });
});

test('a look at a file tells whom its tasks ask, what is not run, and what is not heeded', async () => {
  const look = async (inside: string) =>
    (await postJson(server.url, '/v1/definitions/validate', { workflow: file(inside) })).json();
  expect(
    await look(
      `<startEvent id="st"/><serviceTask id="a"><extensionElements><zeebe:taskDefinition type="bill" retries="3"/></extensionElements></serviceTask><task id="lost"/>${path('st', 'a')}`,
    ),
  ).toMatchObject({
    ...{ valid: true, format: 'bpmn', unsupported: [] },
    participants: [{ element: 'a', type: 'serviceTask', candidates: ['a', 'bill'] }],
    warnings: [
      { code: 'attribute_ignored', element: 'a' },
      { code: 'element_unreachable', element: 'lost' },
    ],
  });
  expect(await look('<startEvent id="st"/><complexGateway id="g"/>')).toMatchObject({
    ...{ valid: false, format: 'bpmn' },
    unsupported: [{ element: 'g', type: 'complexGateway' }],
  });
});

test.each([
  ['UTF-16', (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])],
  ['ISO-8859-1', (text: string) => Buffer.from(text, 'latin1')],
])('a file that is put may be in %s', async (encoding, bytesOf) => {
  const text = `<?xml version="1.0" encoding="${encoding}"?>${file(`<startEvent id="st" name="Größe"/>`)}`;
  const put = await send(server.url, 'PUT', `/v1/definitions/in-${encoding.toLowerCase()}`, {
    headers: { 'Content-Type': 'application/bpmn+xml' },
    body: bytesOf(text),
  });
  expect(put.status, put.text).toBe(201);
  expect((await send(server.url, 'GET', `/v1/definitions/in-${encoding.toLowerCase()}/versions/1`)).text).toContain(
    'name="Größe"',
  );
});
