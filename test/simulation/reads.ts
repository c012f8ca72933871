import { Fault } from '../../src/model/fault.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { shardOf } from '../../src/model/ids.ts';
import type { Status, WorkflowRow, WorkitemRow } from '../../src/model/rows.ts';
import type { Tenant } from '../../src/model/tenant.ts';
import { cursorAt } from '../../src/store/page.ts';
import type {
  Attribute,
  ObjectState,
  Page,
  Reads,
  Store,
  TimeRange,
  WorkflowSummary,
  WorkflowsQuery,
} from '../../src/store/store.ts';
import { TURNS_MAX } from '../../src/store/store.ts';
import { BASE, type Database, load, type Rows } from './database.ts';

/* Reading for those who look on. Pages are walked by key; a cursor is the key of the last row shown. */

type Ask = <Result>(what: string, act: () => Result) => Promise<Result>;
type Key = readonly (string | number)[];

/** The open workitem of the root strand. */
const rootItem = ({ workitems }: Rows): WorkitemRow | null =>
  [...workitems.values()].find(({ row }) => row.path === '0' && row.state !== 'closed')?.row ?? null;

export function makeReads(database: Database, ask: Ask): Reads {
  const itemOf = (rows: Rows, row: WorkitemRow) => ({
    workflow: rows.workflow.id,
    row,
    base: rows.variables.get(`${row.inherits} ${BASE}`)?.value ?? null,
  });
  const listed = <Item>(query: WorkflowsQuery, itemOf: (rows: Rows) => Item): Promise<Page<Item>> =>
    ask('read workflows', () => {
      const by = isByEnd(query) ? 'endedAt' : 'launchedAt';
      const found = asked(query).map((rows) => ({
        item: itemOf(rows),
        key: [(query.isOldestFirst ? 1 : -1) * (rows.workflow[by] ?? 0), rows.workflow.id],
      }));
      return pageOf(found, query.limit, query.after);
    });
  const isByEnd = ({ ended }: Pick<WorkflowsQuery, 'ended'>): boolean =>
    (ended?.from ?? null) !== null || (ended?.to ?? null) !== null;
  type Asked = Omit<WorkflowsQuery, 'limit' | 'after'> & { readonly attributes?: readonly Attribute[] };
  const has = ({ workflow }: Rows, { name, value }: Attribute): boolean =>
    database.attributes.get(workflow.id)?.get(name)?.includes(value) === true;
  const asked = (query: Asked): readonly Rows[] => {
    const {
      tenant,
      status,
      name,
      participant,
      businessKey = null,
      launched,
      ended,
      updated,
      definition,
      errorClass = null,
    } = query;
    const statuses = status === null ? null : [status].flat();
    const { attributes = [] } = query;
    return [...database.workflows.values()]
      .filter((rows) => attributes.every((attribute) => has(rows, attribute)))
      .filter(({ workflow }) => workflow.tenant === tenant)
      .filter(({ workflow }) => statuses?.includes(workflow.status) ?? true)
      .filter(({ workflow }) => name === null || workflow.name === name)
      .filter(({ errors }) => errorClass === null || [...errors.values()].some((row) => row.class === errorClass))
      .filter(({ workflow }) => businessKey === null || workflow.businessKey === businessKey)
      .filter(({ workflow }) => isWithin(workflow.launchedAt, launched) && isWithin(workflow.updatedAt, updated))
      .filter(({ workflow }) => workflow.definition.startsWith(definition ?? ''))
      .filter(({ workflow }) => !isByEnd(query) || (workflow.endedAt !== null && isWithin(workflow.endedAt, ended)))
      .filter(
        ({ workitems }) =>
          participant === null ||
          [...workitems.values()].some(({ row }) => row.participant === participant && row.state !== 'closed'),
      );
  };
  const of = (tenant: Tenant, id: WorkflowId): Rows | undefined => {
    const rows = database.workflows.get(id);
    return rows?.workflow.tenant === tenant ? rows : undefined;
  };
  return {
    workflow: (tenant, id) => ask('read workflow', () => of(tenant, id)?.workflow ?? null),
    standings: (asked) =>
      ask('read standings', () => {
        const found = asked.flatMap(({ tenant, workflow }) => of(tenant, workflow)?.workflow ?? []);
        return new Map(found.map(({ id, status, lastN }) => [id, { status, lastN }]));
      }),
    whole: (tenant, id, { limit, after }) =>
      ask('read whole', () => {
        const rows = of(tenant, id);
        if (rows === undefined) return null;
        const all = load(rows, rows.workflow, [{ kind: 'everything' }]);
        const paths = [...all.strands.keys()].sort().filter((path) => path > (after ?? ''));
        const shown = paths.slice(0, limit);
        const next = paths.length > limit ? (shown.at(-1) ?? null) : null;
        const inPage = ({ path }: { readonly path: string | null }): boolean =>
          path === null ? after === null : path > (after ?? '') && (next === null || path <= next);
        const ofRoot = rootItem(rows);
        const within = <Row extends { readonly path: string | null }>(part: ReadonlyMap<string, Row>) =>
          new Map([...part].filter(([, row]) => inPage(row)));
        const open = new Map([...all.workitems].filter(([, row]) => row.state !== 'closed'));
        const timers = new Map([...all.agenda].filter(([, row]) => row.kind === 'timer'));
        return {
          workflow: rows.workflow,
          received: new Map(),
          waiters: within(all.waiters),
          strands: within(all.strands),
          workitems: new Map([...within(open), ...(ofRoot === null ? [] : [[ofRoot.id, ofRoot] as const])]),
          agenda: within(timers),
          errors: within(all.errors),
          listeners: within(all.listeners),
          variables: new Map([...all.variables].filter(([, row]) => row.name === BASE)),
          answered: new Set<string>(),
          next,
          leftOut: [],
        };
      }),
    countWorkflows: (query, most) => ask('count workflows', () => Math.min(most, asked(query).length)),
    countFound: (query, most) =>
      ask('count found', () => ({ n: Math.min(most, asked(query).length), lookedBackTo: null })),
    found: async (query) => {
      const page = await listed(query, ({ workflow }) => summaryOf(workflow));
      const last = page.items.at(-1);
      return { ...page, lookedBackTo: (isByEnd(query) ? last?.endedAt : last?.launchedAt) ?? null };
    },
    workflows: (query) => listed(query, ({ workflow }) => summaryOf(workflow)),
    workflowRows: (query) => listed(query, (rows) => ({ row: rows.workflow, workitem: rootItem(rows) })),
    workitems: ({ tenant, participant, workflow, state, overdue = null, limit, after }) =>
      ask('read workitems', () => {
        const found = [...database.workflows.values()]
          .filter((rows) => rows.workflow.tenant === tenant && (workflow === null || rows.workflow.id === workflow))
          .flatMap((rows) => [...rows.workitems.values()].map(({ row }) => itemOf(rows, row)))
          .filter(({ row }) => participant === null || row.participant === participant)
          .filter(({ row }) => state === null || row.state === state)
          .filter(
            ({ row }) =>
              overdue === null ||
              (row.state !== 'closed' && row.openedAt < (overdue.of[row.participant] ?? overdue.before)),
          )
          .map((item) => ({
            item,
            key:
              participant !== null || overdue !== null
                ? [item.row.openedAt, item.workflow, item.row.id]
                : [shardOf(item.workflow), item.workflow, item.row.id],
          }));
        const page = pageOf(found, limit, after);
        const places = new Map(found.map(({ item, key }) => [item, cursorAt(key)]));
        return { ...page, items: page.items.map((item) => ({ ...item, place: places.get(item) ?? '' })) };
      }),
    objects: ({ tenant, workflows, of: what, class: kind, participant, state, limit }) =>
      ask('read objects', () =>
        [...workflows]
          .sort()
          .flatMap((id) => {
            const rows = of(tenant, id);
            if (rows === undefined) return [];
            const at = (item: string) => rows.workitems.get(item)?.row.participant ?? null;
            const errors = [...rows.errors.values()].filter((row) => kind === null || row.class === kind);
            const items = [...rows.workitems.values()]
              .map(({ row }) => row)
              .filter((row) => row.state !== 'closed' && (state === null || standsAt(rows, row) === state));
            return (what === 'errors' ? errors : items)
              .map((row) => row.id)
              .filter((object) => participant === null || at(object) === participant)
              .sort()
              .map((object) => ({ workflow: id, object }));
          })
          .slice(0, limit),
      ),
    messages: ({ tenant, state, participant, host, message = null, workflow = null, opened, limit, after }) =>
      ask('read messages', () => {
        const found = [...database.workflows.values()]
          .filter((rows) => rows.workflow.tenant === tenant)
          .flatMap((rows) => [...rows.workitems.values()].map(({ row }) => ({ rows, row })))
          .filter(({ rows, row }) => {
            const stands = standsAt(rows, row);
            return stands !== null && row.heldAt === null && (state === null ? stands !== 'spent' : stands === state);
          })
          .filter(({ row }) => participant === null || row.participant === participant)
          .filter(({ row }) => message === null || (row.send ?? 'active') === message)
          .filter(({ rows }) => workflow === null || rows.workflow.id === workflow)
          .filter(({ row }) => isWithin(row.openedAt, opened))
          .filter(
            ({ row }) => host === null || (/\/\/([^/?#]*)/.exec(row.url ?? '')?.[1] ?? '-').toLowerCase() === host,
          )
          .map(({ rows, row }) => {
            const at = state === 'spent' ? -(rows.errors.get(row.id)?.at ?? 0) : (row.dueAt ?? 0);
            const bare = { ...row, fields: null, params: '{}', inherits: null, added: null };
            const { id, retry } = rows.workflow;
            return { item: { workflow: id, row: bare, base: null, retry }, key: [at, rows.workflow.id, row.id] };
          });
        const page = pageOf(found, limit, after);
        const places = new Map(found.map(({ item, key }) => [item, cursorAt(key)]));
        return { ...page, items: page.items.map((item) => ({ ...item, place: places.get(item) ?? '' })) };
      }),
    glance: (tenant, workflows) =>
      ask('read glance', () => {
        const found = workflows.flatMap((id) => of(tenant, id) ?? []);
        return new Map(
          found.map(({ workflow, workitems, errors }) => {
            const waiting = [...workitems.values()]
              .map(({ row }) => row)
              .filter(({ state }) => state !== 'closed')
              .sort((a, b) => a.openedAt - b.openedAt || (a.participant < b.participant ? -1 : 1));
            const turn = [...new Set(waiting.map(({ participant }) => participant))].slice(0, TURNS_MAX);
            const [error] = [...errors.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
            return [workflow.id, { turn, error: error === undefined ? null : { ...error, details: '{}' } }] as const;
          }),
        );
      }),
    timers: ({ tenant, due, workflow: of = null, limit, after }) =>
      ask('read timers', () => {
        const found = [...database.workflows.values()]
          .filter(({ workflow }) => workflow.tenant === tenant)
          .flatMap(({ workflow, agenda }) =>
            [...agenda.values()].map((row) => {
              const key = [row.dueAt, workflow.id, row.id];
              return { item: { workflow: workflow.id, name: workflow.name, row, place: cursorAt(key) }, key };
            }),
          )
          .filter(({ item: { row } }) => row.kind === 'timer' && row.heldAt === null)
          .filter(({ item: { row } }) => isWithin(row.dueAt, due))
          .filter(({ item: { workflow } }) => of === null || workflow === of);
        return pageOf(found, limit, after);
      }),
    workitem: (tenant, { workflow, workitem }) =>
      ask('read workitem', () => {
        const rows = of(tenant, workflow);
        const held = rows?.workitems.get(workitem);
        if (rows === undefined || held === undefined) return null;
        const { row, base } = itemOf(rows, held.row);
        return { row, base };
      }),
    ownerOf: ({ workflow, workitem }) =>
      ask('read owner', () => {
        const rows = database.workflows.get(workflow);
        const held = rows?.workitems.get(workitem)?.row;
        if (rows === undefined) return null;
        const { tenant, launchedAt } = rows.workflow;
        const openedAt = held === undefined || held.state === 'closed' ? null : held.openedAt;
        return { tenant, launchedAt, openedAt };
      }),
    history: (tenant, id, after, limit) =>
      ask('read history', () =>
        (of(tenant, id)?.history ?? [])
          .filter((row) => row.lastN > after)
          .sort((a, b) => a.firstN - b.firstN)
          .slice(0, limit),
      ),
    kept: (tenant, id) =>
      ask('read kept', () => {
        const rows = of(tenant, id);
        return rows === undefined ? null : { firstKept: rows.firstKept, lastN: rows.workflow.lastN };
      }),
    historyBefore: (tenant, id, before, limit) =>
      ask('read history', () =>
        (of(tenant, id)?.history ?? [])
          .filter((row) => row.firstN < before)
          .sort((a, b) => b.firstN - a.firstN)
          .slice(0, limit),
      ),
    recorded: null,
    errors: ({
      tenant,
      class: kind = null,
      participant = null,
      name = null,
      definition = null,
      place = null,
      at,
      limit,
      after,
    }) =>
      ask('read errors', () => {
        const found = [...database.workflows.values()]
          .filter(({ workflow }) => workflow.tenant === tenant && (name === null || workflow.name === name))
          .flatMap(({ workflow, errors, workitems }) =>
            [...errors.values()].map((row) => ({
              workflow: workflow.id,
              row,
              definition: workflow.definition,
              name: workflow.name,
              participant: workitems.get(row.id)?.row.participant ?? null,
              url: workitems.get(row.id)?.row.url ?? null,
              log: workitems.get(row.id)?.row.log ?? null,
            })),
          )
          .filter((one) => kind === null || one.row.class === kind)
          .filter((one) => participant === null || one.participant === participant)
          .filter((one) => one.definition.startsWith(definition ?? ''))
          .filter(({ row }) => place === null || row.id.startsWith(`${place}!`))
          .filter(({ row }) => isWithin(row.at, at))
          .map((item) => ({ item, key: [-item.row.at, item.workflow, item.row.id] }));
        return pageOf(found, limit, after);
      }),
    counts: (tenant) =>
      ask('read counts', () => {
        const counts = new Map<Status, number>();
        for (const { workflow } of [...database.workflows.values()].filter((rows) => rows.workflow.tenant === tenant))
          counts.set(workflow.status, (counts.get(workflow.status) ?? 0) + 1);
        return counts;
      }),
  };
}

/** How the message of a workitem stands. */
function standsAt(rows: Rows, row: WorkitemRow): ObjectState | null {
  if (row.send !== null) return row.tries === 0 ? 'owed' : 'failing';
  return row.state === 'failed' && rows.errors.get(row.id)?.class === 'RetriesExceeded' ? 'spent' : null;
}

const isWithin = (at: number, range: TimeRange | undefined): boolean =>
  at >= (range?.from ?? Number.NEGATIVE_INFINITY) && at < (range?.to ?? Number.POSITIVE_INFINITY);

const summaryOf = ({ callbacks, retry, header, state, fields, ...rest }: WorkflowRow): WorkflowSummary => rest;

function pageOf<Item>(
  found: readonly { readonly item: Item; readonly key: Key }[],
  limit: number,
  after: string | null,
): Page<Item> {
  const start = after === null ? null : readCursor(after);
  const rest = found
    .filter(({ key }) => start === null || compare(key, start) > 0)
    .sort((a, b) => compare(a.key, b.key));
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  const next = rest.length > limit && last !== undefined ? cursorAt(last.key) : null;
  return { items: shown.map(({ item }) => item), next };
}

function compare(a: Key, b: Key): number {
  for (const [i, part] of a.entries()) {
    const other = b[i] as string | number;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

function readCursor(cursor: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key)) return key as Key;
  } catch {
    // told below
  }
  throw new Fault('request_invalid', 'The cursor is not one of ours; start again without it', { cursor });
}

/** What workflows are found by, of those that stood before it was written with each step. */
export function makeAttributes(database: Database, ask: Ask): Store['attributes'] {
  const marks = (): Map<string, string> => database.attributeMarks;
  return {
    marks: () => ask('attribute marks', () => new Map(marks())),
    mark: (name, value) => ask('mark attribute', () => void marks().set(name, value)),
    forget: (name) => ask('forget attribute', () => void marks().delete(name)),
    isEmpty: () => ask('any workflow', () => database.workflows.size === 0),
    page: (shard, after, limit) =>
      ask('page of a shard', () => {
        const all = [...database.workflows.values()]
          .filter(({ workflow: { id } }) => shardOf(id) === shard && id > after)
          .sort((a, b) => (a.workflow.id < b.workflow.id ? -1 : 1));
        const items = all.slice(0, limit).map((rows) => ({ row: rows.workflow, workitem: rootItem(rows) }));
        return { items, isLast: all.length < limit };
      }),
    fill: (_, changes) =>
      ask('fill attributes', () => {
        const moved = new Set<WorkflowId>();
        const touched = new Set<WorkflowId>();
        const had = (id: WorkflowId): Map<string, readonly string[]> => database.attributes.get(id) ?? new Map();
        for (const { workflow, ver } of changes) {
          const own = changes.filter((change) => change.workflow === workflow);
          const isWanted = own.some(
            ({ name, values }) => values.length > 0 || (had(workflow).get(name) ?? []).length > 0,
          );
          if (isWanted && database.workflows.get(workflow)?.workflow.ver !== ver) moved.add(workflow);
          else if (isWanted) touched.add(workflow);
        }
        for (const { workflow, name, values } of changes)
          if (touched.has(workflow)) database.attributes.set(workflow, had(workflow).set(name, values));
        for (const id of touched) {
          const rows = database.workflows.get(id);
          if (rows !== undefined) rows.workflow = { ...rows.workflow, ver: rows.workflow.ver + 1 };
        }
        return moved;
      }),
  };
}
