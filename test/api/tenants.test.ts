import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeApp } from '../../src/api/app.ts';
import { makeAuditing } from '../../src/api/audit.ts';
import { makeRates } from '../../src/api/middleware/rate.ts';
import type { Operation } from '../../src/api/operation.ts';
import { operationsOf } from '../../src/api/operations.ts';
import type { Parts } from '../../src/api/parts.ts';
import { attributedBy } from '../../src/engine/attributes.ts';
import { makeSearch } from '../../src/engine/search.ts';
import { makeTrees } from '../../src/engine/trees.ts';
import { makeEventsOfAll } from '../../src/events/of-all.ts';
import { makeEventsOfWorkflows } from '../../src/events/of-workflow.ts';
import { type Principal, SCOPES } from '../../src/identity/principal.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT, readTenant, type Tenant } from '../../src/model/tenant.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { EVENT_SETTINGS } from '../../src/server/compose.ts';
import { makeDefinitions } from '../../src/server/definitions.ts';
import { makeReceiver } from '../../src/signals/receiver.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { engineOn } from '../support/engine-parts.ts';
import { identityOn } from '../support/identity.ts';
import { registryOn } from '../support/registry.ts';
import { type Answer, send } from '../support/server.ts';

/*
 * Two tenants on one server. For every operation there is: what one tenant has is to the other as if it never was. The operations are
 * found by asking for them, so a new one that takes an id is tried here, or this test says that it has no example.
 */

const [A, B] = ['tenant-a', 'tenant-b'] as [Tenant, Tenant];
const SECRET = 'word-of-a';
/** The business key of A's workflow. */
const KEY = 'key-of-a';
const principalOf = (tenant: Tenant): Principal => ({
  kind: 'key',
  id: `key-of-${tenant}`,
  tenant,
  scopes: new Set(SCOPES),
  actor: `key:${tenant}`,
});

let store: Store;
let parts: Parts;
let server: Server;
let url = '';
/** A workflow of A that waits for one participant and is in error at another. */
let ofA: {
  readonly key: string;
  readonly secret: string;
  readonly subscription: string;
  readonly batch: string;
  readonly workflow: string;
  readonly workitem: string;
  readonly expression: string;
  readonly error: string;
  readonly event: string;
};
const nobodys = { workflow: '20151005-1247-nobody-nothing', expression: `0_9!${'0'.repeat(32)}` };

beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
  const { engine, clock, ids, nodeId, time } = engineOn(store);
  parts = {
    store,
    search: makeSearch(store, attributedBy([])),
    engine,
    events: {
      ofWorkflows: makeEventsOfWorkflows({ store, engine, time, ids, log: silentLog, pollSeconds: 1 }),
      ofAll: makeEventsOfAll({
        recorded: store.read.recorded as NonNullable<Store['read']['recorded']>,
        retired: async () => 0,
        ...{ engine, time, ids, log: silentLog, pollSeconds: 1, ringBytes: 100_000 },
      }),
    },
    streamsMax: 10,
    large: { begin: () => ({ note: () => {}, header: () => null }) },
    about: {
      version: '1',
      commit: null,
      auth: () => 'open' as const,
      retainDays: { ended: 30, audit: 400, batches: 30 },
      limits: {},
      warnings: async () => [],
    },
    clock,
    ids,
    nodeId,
    log: silentLog,
    role: 'all',
    trees: makeTrees((hash) => store.definitions.text(hash)),
    definitions: makeDefinitions(),
    routes: { prefix: '/r', headers: [], hasAwfPaths: true },
    mcp: true,
    identity: await identityOn(store, clock),
    pages: { hosts: [], origins: [], own: null, scheme: 'http' },
    rates: makeRates({ key: null, address: null, failures: { count: 30, seconds: 60 } }, { nodes: () => 1, time }),
    audit: makeAuditing({ store, time, log: silentLog }),
    registry: await registryOn(store, nodeId),
    basePath: () => '',
    baseUrl: () => url,
    owed: () => {},
    targetComplaint: () => null,
    requestOf: (_tenant, workflow) => ({ url: 'http://there.test/', headers: {}, body: workflow }),
    nodes: async () => [],
    overdue: { seconds: 86_400, of: {} },
    testClock: { advance: async () => {} },
    asYaml: String,
    docs: true,
    receiver: makeReceiver({
      ...{ store, engine, clock, time, ids, log: silentLog, settings: EVENT_SETTINGS },
      untilUsed: () => () => {},
    }),
    eventsAtRoot: true,
    isStopping: () => false,
  };
  const app = makeApp(parts, (header) => principalOf(readTenant(header('x-tenant') ?? '') ?? DEFAULT_TENANT));
  server = createServer(app.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const launched = await ask(A, 'POST', '/v1/workflows', {
    workflow: `define ${SECRET}\n  concurrence\n    alpha tag: '${SECRET}'\n    error '${SECRET}'\n`,
    callback: `http://${SECRET}.test/`,
    fields: { [SECRET]: SECRET },
    business_key: KEY,
  });
  const { id } = launched.json<{ id: string }>();
  const stored = await send(url, 'PUT', `/v1/definitions/${SECRET}`, {
    headers: { 'X-Tenant': A, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      definition: `define ${SECRET}\n  alpha\n`,
      callback: `http://${SECRET}.test/`,
      schedules: [{ every: '1d' }],
      mcp: true,
    }),
  });
  expect(stored.status, stored.text).toBe(201);
  const seen = (await ask(A, 'GET', `/v1/workflows/${id}`)).json<{
    workitems: { id: string; expression_id: string }[];
    errors: { expression_id: string }[];
  }>();
  // Not by a PUT: `ask` says If-Match, and there is none yet.
  await parts.registry.participants.put(A, SECRET, { kind: 'person', form: { title: SECRET } }, null);
  await parts.registry.memory.refresh();
  ofA = {
    workflow: id,
    workitem: seen.workitems[0]?.id ?? '',
    expression: seen.workitems[0]?.expression_id ?? '',
    error: seen.errors[0]?.expression_id ?? '',
    secret: (await ask(A, 'POST', '/v1/secrets', { kind: 'webhook', match: `http://${SECRET}.test/` })).json<{
      id: string;
    }>().id,
    subscription: (await ask(A, 'POST', '/v1/subscriptions', { url: `http://${SECRET}.test/` })).json<{ id: string }>()
      .id,
    event: (await ask(A, 'POST', '/v1/messages/paid', { key: SECRET, fields: { [SECRET]: SECRET } })).json<{
      event_id: string;
    }>().event_id,
    batch: (await ask(A, 'POST', '/v1/batches', { action: 'pause', ids: [id], reason: SECRET })).json<{ id: string }>()
      .id,
    key: (await ask(A, 'POST', '/v1/keys', { name: SECRET, scopes: ['read'] })).json<{ id: string }>().id,
  };
}, 120_000);
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await store.close();
}, 60_000);

function ask(tenant: Tenant, method: string, path: string, body?: unknown): Promise<Answer> {
  const headers = { 'X-Tenant': tenant, 'If-Match': '*', 'Content-Type': 'application/json' };
  return send(url, method, path, { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Streams never end: of those only the head is asked for. */
const methodOf = (operation: Operation): string =>
  operation.answers[200]?.type === 'text/event-stream' ? 'HEAD' : operation.method.toUpperCase();

/** A body each operation takes; those that want none are not named. */
const BODIES: { readonly [operation: string]: object } = {
  failWorkitem: { message: 'no' },
  editWorkitem: { fields: { a: 1 } },
  createSecret: { kind: 'webhook' },
  createKey: { name: 'k', scopes: ['read'] },
  createBatch: { action: 'pause', filter: { all: true } },
  validateDefinition: { workflow: 'define' },
  convertDefinition: { definition: 'define', to: 'xml' },
  advanceClock: { advance: 0 },
  claimWorkitem: { assignee: 'ada' },
  eraseValue: { value: 'what nobody has' },
  putParticipant: { kind: 'person' },
  createSubscription: { url: 'http://b.test/' },
  redeliverEvents: { state: 'spent' },
  backfillSchedule: { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' },
};

/** Their names are of what the caller sends, not of what somebody has. */
const OF_THE_CALLER: ReadonlySet<string> = new Set(['sendMessageToOne', 'sendSignal']);

/** They count what the caller's own tenant has under a name; nothing is there under those of others. */
const COUNTED_FOR_THE_CALLER: ReadonlySet<string> = new Set(['getParticipantFigures']);

/** The path of an operation with these ids in it. */
function filled(operation: Operation, ids: { readonly [parameter: string]: string }): string {
  return operation.path.replaceAll(/:(\w+)/g, (_all, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`No example for :${name} of ${operation.id}`);
    return encodeURIComponent(id);
  });
}
const idsOf = (operation: Operation, from: 'A' | 'nobody'): { readonly [parameter: string]: string } =>
  from === 'A'
    ? {
        workflow_id: ofA.workflow,
        workitem_id: ofA.workitem,
        key_id: ofA.key,
        secret_id: ofA.secret,
        participant: SECRET,
        subscription_id: ofA.subscription,
        batch_id: ofA.batch,
        message_id: `msg_${ofA.workitem}_active`,
        expression_id: operation.path.includes('/errors/') ? ofA.error : ofA.expression,
        definition_name: SECRET,
        version: '1',
        schedule_id: `${SECRET}:0`,
        name: 'paid',
        event_id: ofA.event,
        key: KEY,
      }
    : {
        workflow_id: nobodys.workflow,
        workitem_id: `${nobodys.expression}!${nobodys.workflow}`,
        key_id: 'Nobody000000',
        secret_id: 'Nobody000000',
        participant: 'nobody',
        subscription_id: 'sub_00000000',
        batch_id: 'Nothing000000000',
        message_id: `msg_${nobodys.expression}!${nobodys.workflow}_active`,
        expression_id: nobodys.expression,
        definition_name: 'no-such-definition',
        version: '1',
        schedule_id: 'no-such-schedule:0',
        name: 'paid',
        event_id: `evt_${'0'.repeat(32)}`,
        key: 'nobody',
      };

/** All rows of A's workflow. */
const rowsOfA = async (): Promise<string> => {
  const whole = await store.read.whole(A, ofA.workflow as WorkflowId, { limit: 100, after: null });
  const history = await store.read.history(A, ofA.workflow as WorkflowId, 0, 1000);
  const key = await store.apiKeys.get(ofA.key);
  const secret = await store.secrets.get(ofA.secret);
  const event = await store.receivedEvents.get(ofA.event);
  const batch = await store.batches.get(A, ofA.batch);
  return JSON.stringify([whole, history, key, secret, event, batch], (_key, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
};

describe('what belongs to another tenant', () => {
  test('is there for its own tenant', async () => {
    expect(Object.values(ofA).every((id) => id !== '')).toBe(true);
    for (const operation of operationsOf(parts))
      if (operation.method === 'get' && operation.path.includes(':'))
        // Only a workflow of BPMN has a diagram.
        expect((await ask(A, methodOf(operation), filled(operation, idsOf(operation, 'A')))).status, operation.id).toBe(
          operation.id === 'getDiagram' || operation.id === 'getDiagramData' ? 409 : 200,
        );
  });

  test('looks like what never was, whatever is asked of it', async () => {
    const asked = operationsOf(parts).filter(({ id, path }) => path.includes(':') && !OF_THE_CALLER.has(id));
    expect(asked.length).toBeGreaterThan(15);
    const before = await rowsOfA();
    for (const operation of asked) {
      const answers: { status: number; said: string }[] = [];
      for (const from of ['A', 'nobody'] as const) {
        const ids = idsOf(operation, from);
        const body = operation.method === 'get' ? undefined : (BODIES[operation.id] ?? {});
        const answer = await ask(B, operation.method.toUpperCase(), filled(operation, ids), body);
        // Its own words are those of the id that was asked for.
        let said = answer.text.replace(/"request_id":"[^"]*"/, '');
        // The longest first, for one may be a part of another; the number of a version stands in others, too.
        const named = Object.values(ids).filter((id) => id.length > 1);
        for (const id of named.sort((a, b) => b.length - a.length)) said = said.replaceAll(id, 'ID');
        answers.push({ status: answer.status, said });
      }
      const [other, none] = answers;
      if (!COUNTED_FOR_THE_CALLER.has(operation.id)) expect(other?.status, operation.id).toBeGreaterThanOrEqual(400);
      expect(other, operation.id).toEqual(none);
      expect(other?.said, operation.id).not.toContain(SECRET);
      expect(await rowsOfA(), operation.id).toBe(before);
    }
  });

  test('is in no list, whatever it is filtered by', async () => {
    const lists = operationsOf(parts).filter(
      // The audit of a tenant tells what its own callers have asked for, by whatever id.
      ({ id, method, path, query }) => method === 'get' && query && !path.includes(':') && id !== 'listAudit',
    );
    expect(lists.length).toBeGreaterThan(3);
    for (const list of lists)
      for (const { name } of [{ name: '' }, ...(list.query ?? [])]) {
        const values: { readonly [filter: string]: string } = {
          workflow_id: ofA.workflow,
          participant: 'alpha',
          name: SECRET,
          tag: SECRET,
          'field.': SECRET,
          limit: '1000',
        };
        const value = values[name];
        const query = value === undefined ? '' : `?${name === 'field.' ? `field.${SECRET}` : name}=${value}`;
        const answer = await ask(B, methodOf(list), `${list.path}${query}`);
        expect(answer.status, list.id).toBe(200);
        for (const id of Object.values(ofA)) expect(answer.text, list.id).not.toContain(id);
        if (!query.includes(SECRET)) expect(answer.text, list.id).not.toContain(SECRET);
        expect(answer.text, list.id).not.toContain(KEY);
      }
    expect((await ask(A, 'GET', '/v1/definitions')).text).toContain(SECRET);
  });

  test('is no tool of it, either', async () => {
    const call = async (tenant: Tenant, method: string, params: object = {}): Promise<string> =>
      (await ask(tenant, 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method, params })).text;
    for (const method of ['tools/list', 'resources/list']) {
      expect(await call(A, method)).toContain(SECRET);
      expect(await call(B, method)).not.toContain(SECRET);
    }
    const { result } = JSON.parse(await call(A, 'tools/list')) as { result: { tools: { name: string }[] } };
    expect(result.tools.length).toBeGreaterThan(3);
    for (const { name } of result.tools) {
      const called = await call(B, 'tools/call', { name, arguments: { workflow_id: ofA.workflow } });
      expect(called.replaceAll(name, '')).toBe((await call(B, 'tools/call', { name: 'none' })).replaceAll('none', ''));
    }
  });

  test('is not found by its ids and names in bodies and filters', async () => {
    const pairs: readonly (readonly [string, string, (id: string) => object, string, string])[] = [
      ...['cancel', 'kill', 'pause', 'resume', 'replay', 'redeliver', 'proceed'].map(
        (action) =>
          [
            'POST',
            '/v1/batches',
            (id: string) => ({ action, ids: [id], dry_run: true }),
            ofA.workflow,
            nobodys.workflow,
          ] as const,
      ),
      ['POST', '/v1/workflows', (id) => ({ definition: id }), SECRET, 'no-such-definition'],
      ['POST', '/v1/workflows', (id) => ({ definition: `${id}@1` }), SECRET, 'no-such-definition'],
      ['POST', '/v1/messages/paid', (id) => ({ key: id }), SECRET, 'nothing'],
    ];
    const before = await rowsOfA();
    for (const [method, path, body, theirs, nobodysOwn] of pairs) {
      const answers = [];
      for (const id of [theirs, nobodysOwn]) {
        const { status, text } = await ask(B, method, path, body(id));
        const said = text.replace(/"(?:request_id|event_id|id)":"[^"]*"/g, '').replaceAll(id, 'ID');
        answers.push([status, said]);
      }
      expect(answers[0], `${path} ${JSON.stringify(body(''))}`).toEqual(answers[1]);
    }
    expect(await rowsOfA()).toBe(before);
  });

  test('is not named where a workitem is sought in the wrong workflow', async () => {
    const own = (
      await ask(B, 'POST', '/v1/workflows', { workflow: 'define\n  alpha\n', callback: 'http://b.test/' })
    ).json<{ id: string }>().id;
    const answer = await ask(B, 'POST', `/v1/workflows/${own}/workitems/${ofA.workitem}/proceed`, {});
    expect(answer.json()).toMatchObject({ status: 400, code: 'workitem_not_found' });
  });
});

test('an idempotency key belongs to who sent it', async () => {
  const launch = (tenant: Tenant): Promise<Answer> =>
    send(url, 'POST', '/v1/workflows', {
      headers: { 'X-Tenant': tenant, 'Idempotency-Key': 'the-same', 'Content-Type': 'application/json' },
      body: JSON.stringify({ workflow: 'define\n  alpha\n', callback: 'http://c.test/' }),
    });
  const first = (await launch(A)).json<{ id: string }>().id;
  expect((await launch(A)).json<{ id: string }>().id).toBe(first);
  expect((await launch(B)).json<{ id: string }>().id).not.toBe(first);
});

test('a caller without the scope an operation asks for is refused', async () => {
  const app = makeApp(parts, () => ({ ...principalOf(A), scopes: new Set(['read'] as const) }));
  const limited = createServer(app.handle);
  await new Promise<void>((resolve) => limited.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(limited.address() as AddressInfo).port}`;
  for (const operation of operationsOf(parts)) {
    const path = operation.path.includes(':') ? filled(operation, idsOf(operation, 'nobody')) : operation.path;
    const { status } = await send(base, methodOf(operation), path);
    // What is told of the whole installation is for principals of all tenants.
    const isOfOne = operation.id !== 'listNodes';
    if (isOfOne && ['open', 'any', 'read'].includes(operation.access)) expect(status, operation.id).not.toBe(403);
    else expect(status, operation.id).toBe(403);
  }
  limited.closeAllConnections();
  limited.close();
});

test('history keeps who stepped in, and why', async () => {
  const { id } = (
    await ask(A, 'POST', '/v1/workflows', { workflow: 'define\n  alpha\n', callback: 'http://d.test/' })
  ).json<{ id: string }>();
  for (const what of ['pause', 'resume', 'kill'])
    await ask(A, 'POST', `/v1/workflows/${id}/${what}`, { reason: `to ${what}` });
  const { history } = (await ask(A, 'GET', `/v1/workflows/${id}/history`)).json<{
    history: { kind: string; actor?: string; reason?: string }[];
  }>();
  // The first entry of what a caller made happen says so.
  for (const reason of ['to pause', 'to resume', 'to kill'])
    expect(history.find((entry) => entry.reason === reason)).toMatchObject({ actor: 'key:tenant-a' });
  expect((await ask(A, 'POST', `/v1/workflows/${id}/kill`, { reason: 7 })).json()).toMatchObject({
    code: 'request_invalid',
    errors: [{ pointer: '#/reason' }],
  });
});
