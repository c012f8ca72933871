import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import { parseWorkitemId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type { Case } from './cases.ts';
import { fake } from './fake.ts';
import { playOverHttp } from './harness.ts';
import type { Listener, Target } from './http.ts';
import { findTarget, listen } from './http.ts';
import type { InProcess } from './in-process.ts';
import { inProcess } from './in-process.ts';

/* The player that speaks HTTP, against a toy server around the toy interpreter of fake.ts: ids, rounds, rest, and the end. */

const one: Case = {
  group: 'example',
  name: 'example',
  about: 'three participants',
  kind: 'same',
  format: 'radial',
  order: 'total',
  definition: 'alpha bravo alpha',
  fields: { x: 0 },
  participants: { alpha: [{ reply: { a: 1 } }, { reply: { a: 2 } }], bravo: [{ hold: true }] },
  script: [{ after_dispatch: 'bravo', do: 'proceed', fields: { b: 2 } }],
  expect: {
    dispatches: [
      { participant: 'alpha', expid: '0_0', fields: { x: 0, params: { ref: 'alpha' } } },
      { participant: 'bravo', expid: '0_1', fields: { x: 0, a: 1, params: { ref: 'bravo' } } },
      { participant: 'alpha', expid: '0_2', fields: { x: 0, a: 1, b: 2, params: { ref: 'alpha' } } },
    ],
    cancels: [],
    outcome: 'terminated',
    final_fields: { x: 0, a: 2, b: 2 },
    errors: [],
    remaining: [],
  },
};

let toy: Server;
let url: string;
let listener: Listener;

async function bodyOf(request: IncomingMessage): Promise<{ readonly [key: string]: Json }> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as { [key: string]: Json });
}

/** Posts what the engine owes, one after the other. */
async function deliver(engine: InProcess, callback: string): Promise<void> {
  for (const message of await engine.rest())
    await fetch(callback, {
      method: 'POST',
      body: JSON.stringify({
        workflow_id: message.workflow,
        workitem_id: `${message.workitem}!${message.workflow}`,
        participant: message.participant,
        status: message.status,
        fields: message.fields,
        proceed_url: '',
      }),
    });
}

beforeAll(async () => {
  const engine = inProcess(one, fake);
  let callback = '';
  let under = Promise.resolve();
  const answer = async (request: IncomingMessage): Promise<readonly [number, Json]> => {
    const [, , resource = '', workflow = '', , workitem = ''] = (request.url ?? '').split('/');
    const body = await bodyOf(request);
    if (resource === 'ping') return [200, { ping: 'pong' }];
    if (resource === 'test') return [404, {}];
    if (request.method === 'POST' && workflow === '') {
      callback = String(body['callback']);
      const id = await engine.launch(String(body['workflow']), body['fields'] as Fields);
      return id === null ? [400, { error: 'workflow is invalid' }] : [201, { id }];
    }
    if (request.method === 'POST') {
      const expression = parseWorkitemId(workitem)?.expression ?? ('' as ExpressionId);
      const to = { workflow: workflow as WorkflowId, workitem: expression };
      await engine.proceed({ ...to, participant: '', status: 'active', fields: {} }, body['fields'] as Fields);
      return [201, 'OK'];
    }
    const ending = await engine.ending(workflow as WorkflowId);
    const workitems = [...engine.world.whole(workflow as WorkflowId).workitems.keys()];
    return [
      200,
      {
        status: ending.outcome === 'terminated' ? 'completed' : 'running',
        fields: ending.fields,
        expressions: ending.remaining.map((expid) => ({ expid })),
        workitems: workitems.map((id) => ({ id: `${id}!${workflow}`, status: 'open' })),
        timers: [],
        errors: [],
      },
    ];
  };
  toy = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status).end(JSON.stringify(body));
      under = under.then(() => deliver(engine, callback));
    });
  });
  await new Promise<void>((resolve) => toy.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(toy.address() as AddressInfo).port}`;
  listener = await listen();
});

afterAll(async () => {
  toy.closeAllConnections();
  await Promise.all([new Promise((resolve) => toy.close(resolve)), listener.close()]);
});

test('a case played over HTTP is judged as in process', async () => {
  const target: Target = await findTarget(url);
  expect(target.testClock).toBe(false);
  expect((await playOverHttp(one, target, listener)).differences).toEqual([]);
  const wrong = { ...one, expect: { ...one.expect, final_fields: {} } };
  expect((await playOverHttp(wrong, target, listener)).differences[0]).toContain('final fields');
});

test('a launch that is refused ends as launch_error', async () => {
  const verdict = await playOverHttp({ ...one, definition: 'rubbish' }, { url, testClock: false, ahead: 0 }, listener);
  expect(verdict.result.outcome).toBe('launch_error');
});
