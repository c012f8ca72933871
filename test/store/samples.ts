import { judgeEvent } from '../../src/language/event-condition.ts';
import { type ExpressionId, expressionId, type WorkflowId } from '../../src/model/ids.ts';
import type {
  AgendaRow,
  Changes,
  ErrorRow,
  HistoryRow,
  ListenerRow,
  Op,
  StrandRow,
  VariableRow,
  WaiterRow,
  WorkflowRow,
  WorkitemRow,
} from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Save } from '../../src/store/store.ts';

/** Rows as an engine would write them, for tests that care about a part of them only. */

export const AT = Date.UTC(2030, 0, 1);
let count = 0;
export const workflowId = (): WorkflowId => `20300101-0000-${process.pid.toString(36)}-${++count}` as WorkflowId;
export const expression = (expid: string): ExpressionId => expressionId(expid, 'a'.repeat(32));

export const workflow = (id: WorkflowId, given: Partial<WorkflowRow> = {}): WorkflowRow => ({
  id,
  tenant: DEFAULT_TENANT,
  ver: 1,
  name: 'a name',
  definition: 'hash',
  status: 'running',
  launchedAt: AT,
  updatedAt: AT,
  endedAt: null,
  lastN: 1,
  callbacks: '"http://127.0.0.1:9/"',
  retry: null,
  trace: null,
  options: null,
  businessKey: null,
  source: null,
  definitionName: null,
  definitionVersion: null,
  retainDays: null,
  meta: null,
  header: '{}',
  state: '{"root":1}',
  fields: '{"a":1}',
  ...given,
});

export const strand = (path: string, given: Partial<StrandRow> = {}): StrandRow => ({
  path,
  parent: path.startsWith('f') ? null : path.slice(0, path.lastIndexOf('.')),
  at: path.startsWith('f') ? null : expression('0'),
  kind: path.startsWith('f') ? 'forgotten' : 'branch',
  index: 0,
  arrival: null,
  base: null,
  state: `{"of":"${path}"}`,
  fields: `{"fields of":"${path}"}`,
  ...given,
});

export const workitem = (expid: string, given: Partial<WorkitemRow> = {}): WorkitemRow => ({
  id: expression(expid),
  path: '0',
  participant: 'alice',
  state: 'open',
  fields: '{"params":{}}',
  params: '{}',
  inherits: null,
  added: null,
  openedAt: AT,
  revision: 1,
  url: 'http://127.0.0.1:9/',
  send: 'active',
  then: null,
  tries: 0,
  dueAt: AT,
  heldAt: null,
  log: '[]',
  terms: null,
  claimBy: null,
  claimUntil: null,
  heartbeatAt: null,
  progress: null,
  entryN: null,
  ...given,
});

/** A notice behind the first message. */
export const NOTICE_LATER: Pick<WorkitemRow, 'then'> = { then: 'error' };

export const agenda = (id: string, given: Partial<AgendaRow> = {}): AgendaRow => ({
  id,
  kind: 'timer',
  dueAt: AT,
  heldAt: null,
  path: '0',
  payload: '{}',
  ...given,
});

export const error = (expid: string, given: Partial<ErrorRow> = {}): ErrorRow => ({
  id: expression(expid),
  path: '0',
  workitem: true,
  class: 'RuntimeError',
  message: 'broke',
  at: AT,
  details: '{}',
  ...given,
});

export const listener = (expid: string, given: Partial<ListenerRow> = {}): ListenerRow => ({
  id: expression(expid),
  path: '0',
  event: 'received',
  reach: 'tenant',
  name: 'alice',
  spec: '{}',
  ...given,
});

export const waiter = (expid: string, given: Partial<WaiterRow> = {}): WaiterRow => ({
  id: expression(expid),
  path: '0',
  type: 'payment',
  wanted: null,
  keyFrom: null,
  where: null,
  hears: 'event',
  once: true,
  since: AT,
  element: null,
  ...given,
});

export const variable = (scope: string, name: string, value = '1'): VariableRow => ({
  scope: expression(scope),
  name,
  value,
});

export const history = (firstN: number, lastN = firstN): HistoryRow => ({ firstN, lastN, at: AT, entries: '[]' });

export const put = <Row>(row: Row): Op<Row> => ({ kind: 'put', row });
export const patch = <Row>(set: Partial<Row>): Op<Row> => ({ kind: 'patch', set });
export const gone: Op<never> = { kind: 'delete' };

type Rows = {
  readonly strands?: readonly StrandRow[];
  readonly workitems?: readonly WorkitemRow[];
  readonly agenda?: readonly AgendaRow[];
  readonly errors?: readonly ErrorRow[];
  readonly listeners?: readonly ListenerRow[];
  readonly variables?: readonly VariableRow[];
  readonly waiters?: readonly WaiterRow[];
};

/** Changes that write the given rows; whatever else is given replaces what they would be. */
export function changes(row: WorkflowRow, rows: Rows = {}, given: Partial<Changes> = {}): Changes {
  const puts = <Row>(list: readonly Row[] | undefined, keyOf: (row: Row) => string): ReadonlyMap<string, Op<Row>> =>
    new Map((list ?? []).map((one) => [keyOf(one), put(one)]));
  return {
    workflow: row,
    strands: puts(rows.strands, ({ path }) => path),
    workitems: puts(rows.workitems, ({ id }) => id),
    agenda: puts(rows.agenda, ({ id }) => id),
    errors: puts(rows.errors, ({ id }) => id),
    listeners: puts(rows.listeners, ({ id }) => id),
    variables: puts(rows.variables, ({ scope, name }) => `${scope} ${name}`),
    waiters: puts(rows.waiters, ({ id }) => id),
    definitions: new Map(),
    history: [],
    events: [],
    hold: null,
    shift: null,
    sweep: false,
    missed: [],
    waited: false,
    ...given,
  };
}

export function save(list: readonly Changes[], given: Partial<Save> = {}): Save {
  const byWorkflow = new Map(list.map((change) => [change.workflow.id, change]));
  if (byWorkflow.size < list.length) throw new Error('Changes of one workflow are joined before they are saved');
  return {
    token: `token ${++count}`,
    changes: byWorkflow,
    claims: [],
    owner: 'node',
    leaseSeconds: 30,
    releases: [],
    judge: judgeEvent,
    ...given,
  };
}
