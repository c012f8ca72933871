import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { send, startServer } from '../support/server.ts';

/* What the pages of the console are made of: each call with its parameters, and what of its answer and body is described. Everything is there for every client. */

let server: Running;
let document: Described;
beforeAll(async () => {
  server = await startServer({ TEST_CLOCK: '1', PLAYGROUND: '1' });
  document = (await send(server.url, 'GET', '/openapi.json')).json<Described>();
}, 120_000);
afterAll(() => server.stop(), 60_000);

type Schema = { readonly [word: string]: unknown };
type Content = { readonly content?: { readonly [type: string]: { readonly schema?: Schema } } };
type Described = {
  readonly paths: {
    readonly [path: string]: {
      readonly [method: string]: {
        readonly parameters?: readonly { readonly name: string; readonly in: string }[];
        readonly requestBody?: Content;
        readonly responses: { readonly [status: string]: Content };
      };
    };
  };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
};

const ROUNDS_MAX = 20;
/** Every name that a schema has, anywhere in it, with what is around it: `errors.host`. */
function namesIn(schema: Schema, around: readonly string[] = [], found = new Set<string>()): ReadonlySet<string> {
  if (around.length > ROUNDS_MAX) return found;
  const { $ref, properties, items, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === 'string') {
    const named = document.components.schemas[$ref.slice('#/components/schemas/'.length)];
    // One that holds itself is looked into once.
    if (named !== undefined && !around.includes($ref)) namesIn(named, [...around, $ref], found);
  }
  for (const part of [anyOf, oneOf, allOf, [items]].flat())
    if (typeof part === 'object' && part !== null) namesIn(part as Schema, around, found);
  for (const [name, part] of Object.entries((properties ?? {}) as { readonly [name: string]: unknown })) {
    const path = [...around.filter((one) => !one.startsWith('#')), name];
    found.add(path.join('.'));
    if (typeof part === 'object' && part !== null) namesIn(part as Schema, [...around, name], found);
  }
  return found;
}

const namesOf = (of: Content | undefined): ReadonlySet<string> => {
  const found = new Set<string>();
  for (const { schema } of Object.values(of?.content ?? {})) if (schema !== undefined) namesIn(schema, [], found);
  return found;
};

/** `asked`: parameters of the query; `sent`: names in the body; `told`: names in the answer. */
type Need = { readonly asked?: string; readonly sent?: string; readonly told?: string };
const WORKFLOW = '/v1/workflows/{workflow_id}';
const EXPRESSION = `${WORKFLOW}/expressions/{expression_id}`;
const WORKITEM = `${WORKFLOW}/workitems/{workitem_id}`;
const FORETOLD = { sent: 'dry_run reason', told: 'told opened' } as const;
const NEEDS: { readonly [page: string]: { readonly [call: string]: Need } } = {
  diagram: {
    [`GET ${WORKFLOW}`]: {
      told: 'expressions.parent_id expressions.since expressions.branch.index expressions.branch.element expressions.progress.at expressions.progress.of expressions.progress.round expressions.progress.live expressions.progress.done expressions.progress.failed expressions.tree',
    },
  },
  crowds: {
    [`GET ${WORKFLOW}/expressions`]: { asked: 'parent state cursor' },
    [`GET ${EXPRESSION}`]: { told: 'fields variables timers tree handlers' },
  },
  live: {
    [`GET ${WORKFLOW}/events`]: { asked: 'kinds' },
    'GET /v1/events/stream': { asked: 'workflow_id kinds digest' },
  },
  list: {
    'GET /v1/workflows': {
      asked:
        'status launched_from launched_to ended_from ended_to updated_from updated_to error definition include retry_of',
      told: 'workflows.turn workflows.error looked_back_to',
    },
    'GET /v1/workflows/count': { asked: 'status name', told: 'count at_least' },
  },
  history: { [`GET ${WORKFLOW}/history`]: { asked: 'before after order expid kinds' } },
  'honest dialogs': {
    [`POST ${WORKFLOW}/cancel`]: FORETOLD,
    [`POST ${WORKFLOW}/kill`]: FORETOLD,
    [`POST ${WORKFLOW}/errors/{expression_id}/replay`]: FORETOLD,
    [`POST ${EXPRESSION}/reapply`]: FORETOLD,
  },
  'acting for another': {
    [`POST ${EXPRESSION}/reply`]: { sent: 'fields reason dry_run' },
    [`POST ${WORKITEM}/proceed`]: { sent: 'fields reason' },
  },
  branches: {
    [`POST ${EXPRESSION}/pause`]: { sent: 'breakpoint reason' },
    [`POST ${EXPRESSION}/resume`]: { sent: 'breakpoint reason' },
  },
  batches: {
    'POST /v1/batches': { sent: 'action filter ids params.fields params.tree params.merge reason rate dry_run' },
    'GET /v1/batches': { asked: 'state cursor' },
    'GET /v1/batches/{batch_id}': {
      told: 'total done failed skipped left problems.code problems.count came_back came_back_as.class came_back_as.count',
    },
    'GET /v1/batches/{batch_id}/items': { asked: 'outcome cursor' },
    'POST /v1/batches/{batch_id}/stop': {},
  },
  errors: {
    'GET /v1/errors': {
      asked: 'class participant name definition place from to group_by cursor',
      told: 'errors.fingerprint errors.definition errors.participant errors.host errors.last_try groups.count groups.workflows groups.hours groups.first_at groups.last_at groups.example',
    },
  },
  deliveries: {
    'GET /v1/deliveries': {
      asked: 'state participant host message workflow_id opened_from opened_to answer cursor',
      told: 'deliveries.host deliveries.tries deliveries.tries_max deliveries.next_at looked_at',
    },
    'GET /v1/deliveries/{message_id}': {
      told: 'edited request.method request.url request.headers request.body deliveries.status deliveries.milliseconds deliveries.error deliveries.answer.content_type deliveries.answer.size deliveries.answer.excerpt',
    },
  },
  'timers and participants': {
    'GET /v1/timers': { asked: 'due_from due_before workflow_id action', told: 'timers.action looked_at' },
    'GET /v1/participants': {},
    'GET /v1/stats/participants/{participant}': { told: 'figures' },
  },
  definitions: {
    [`GET ${WORKFLOW}/definition`]: {},
    'GET /v1/definitions': { told: 'definitions.name definitions.version definitions.updated_at' },
    'GET /v1/definitions/{definition_name}/versions': {
      told: 'versions.version versions.hash versions.note versions.created_by',
    },
    'GET /v1/stats/definitions': { told: 'definitions.hash stored.live stored.failed stored.launched_in_a_day' },
    'GET /v1/definitions/{definition_name}/places': { told: 'places.expid places.live places.failed' },
  },
  worklist: {
    'GET /v1/workitems': { asked: 'participant status assignee claimed overdue order cursor' },
    [`POST ${WORKITEM}/claim`]: { sent: 'assignee' },
    [`POST ${WORKITEM}/release`]: {},
    'GET /v1/forms/{participant}': {},
  },
  figures: {
    'GET /v1/stats': {
      asked: 'minutes',
      told: 'minutes.steps minutes.launched minutes.ended minutes.timer_lag_ms minutes.claim_lag_ms',
    },
    'GET /v1/info': { told: 'version now limits retention features auth' },
    'GET /v1/nodes': { told: 'nodes.claims nodes.tries nodes.loop_delay_ms nodes.seen_at nodes.alive' },
  },
  'signing in, administration': {
    'POST /v1/session': {},
    'DELETE /v1/session': {},
    'GET /v1/keys': { told: 'keys.last_used_at keys.scopes' },
    'GET /v1/secrets': {},
    'GET /v1/audit': { asked: 'action actor from to cursor' },
  },
  playground: {
    'POST /v1/playground/participants/{name}': {},
    'PUT /v1/playground/participants/{name}': { sent: 'manner' },
    'GET /v1/playground/requests': { asked: 'after' },
    'GET /v1/playground/requests/{n}': {},
    'GET /v1/playground/requests/stream': {},
  },
};

for (const [page, calls] of Object.entries(NEEDS))
  test(`${page}: what its pages ask for is in the interface`, () => {
    const missing: string[] = [];
    for (const [call, { asked, sent, told }] of Object.entries(calls)) {
      const [method = '', path = ''] = call.split(' ');
      const found = document.paths[path]?.[method.toLowerCase()];
      if (found === undefined) {
        missing.push(call);
        continue;
      }
      const query = new Set(found.parameters?.filter((one) => one.in === 'query').map(({ name }) => name));
      const body = namesOf(found.requestBody);
      const answer = new Set(
        Object.entries(found.responses).flatMap(([status, one]) => (status.startsWith('2') ? [...namesOf(one)] : [])),
      );
      const look = (words: string | undefined, there: ReadonlySet<string>, where: string): void => {
        for (const word of words?.split(' ') ?? []) if (!there.has(word)) missing.push(`${call}: ${word} ${where}`);
      };
      look(asked, query, 'in its query');
      look(sent, body, 'in its body');
      look(told, answer, 'in its answer');
    }
    expect(missing).toEqual([]);
  });

test('each answer says which version gave it', async () => {
  for (const path of ['/v1/info', '/v1/nothing'])
    expect((await send(server.url, 'GET', path)).headers['rota-version'], path).toMatch(/^\d+\.\d+\.\d+/);
});
