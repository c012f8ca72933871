import { isOver } from '../model/rows.ts';
import type { Connection, Connections, Statement } from './connections.ts';
import { noted } from './retire.ts';
import type { Erased, ErasedWorkflow, Erasing } from './store.ts';
import {
  AGENDA,
  BELOW_WORKFLOW,
  BRANCH,
  ERROR,
  HISTORY,
  LISTENER,
  VARIABLE,
  WAITER,
  WORKFLOW,
  WORKITEM,
} from './tables/of-workflow.ts';

/*
 * Erasing: a workflow that is over, with everything of it; and a value, such as the address of a person, wherever it stands in what workflows keep. States are
 * JSON in columns of text, and JSON again within that where a message waits to be sent, so a value is looked for as JSON writes it, and as JSON
 * writes that.
 *
 * What is changed here is changed behind the back of nodes that remember rows: each workflow is locked first and gets another `ver`, so that what they remember
 * proves stale.
 */

/** JSON within JSON within JSON: a message that is owed holds the fields of a workitem, which may hold what a service was sent. */
const LEVELS = 3;

/** The columns in which values of users stand, by table. Names of workflows, participants, tags and keys are not among them. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  [WORKFLOW.name]: ['fields', 'header', 'state', 'callbacks', 'options', 'meta'],
  [BRANCH.name]: ['state', 'fields'],
  [WORKITEM.name]: ['fields', 'params', 'added', 'send', 'then_send', 'log', 'terms', 'progress'],
  [AGENDA.name]: ['payload'],
  [ERROR.name]: ['message', 'details'],
  [LISTENER.name]: ['spec'],
  [VARIABLE.name]: ['value'],
  [WAITER.name]: ['wanted', 'condition', 'hears'],
  [HISTORY.name]: ['entries'],
};

/** The same of tables that belong to no workflow; how their rows are known to be of tenant `$1`. */
const BESIDE: Readonly<Record<string, { readonly columns: readonly string[]; readonly isOf: string }>> = {
  event: { columns: ['body'], isOf: 't.tenant = $1' },
  delivery: { columns: ['event', 'log'], isOf: 't.tenant = $1' },
  idempotency_key: { columns: ['body'], isOf: `(t.scope like $1 || ' %')` },
};

/** What is found and left, for it is what things are known by: the table, and the column. */
const KEPT: readonly (readonly [string, string])[] = [
  ['business_key', 'key'],
  ['event', 'key'],
  ['correlation', 'key'],
  ['definition_version', 'note'],
  ['participant', 'spec'],
  ['schedule', 'spec'],
  ['subscription', 'spec'],
];

type Needles = { readonly from: readonly string[]; readonly to: readonly string[] };

/** How a value stands in JSON, and in JSON within it; with `within` also as a part of longer texts. */
function needlesOf(value: string, replacement: string, within: boolean): Needles {
  const from: string[] = [];
  const to: string[] = [];
  let [old, fresh] = [value, replacement];
  for (let level = 0; level < LEVELS; level++) {
    [old, fresh] = [JSON.stringify(old), JSON.stringify(fresh)];
    // The quotes of the outermost level are those of the column itself where the value is the whole of it.
    const inner = level === 0 ? old : old.slice(1, -1);
    const innerFresh = level === 0 ? fresh : fresh.slice(1, -1);
    [old, fresh] = [inner, innerFresh];
    const [needle, thread] = within ? [stripped(inner, level), stripped(innerFresh, level)] : [inner, innerFresh];
    if (!from.includes(needle)) {
      from.push(needle);
      to.push(thread);
    }
  }
  return { from, to };
}

/** Without the quotes around it, which at each level have one more generation of backslashes. */
const stripped = (text: string, level: number): string => {
  const quote = 2 ** level;
  return text.slice(quote, -quote);
};

/** `$n` and `$n + 1` are the lists of a value's forms and of what takes their place. */
const replaced = (column: string, n: number): string =>
  Array.from({ length: LEVELS }).reduce<string>(
    (text, _, i) =>
      `replace(${text}, coalesce(($${n}::text[])[${i + 1}], chr(1)), coalesce(($${n + 1}::text[])[${i + 1}], chr(1)))`,
    column,
  );
const holds = (columns: readonly string[], n: number): string =>
  `exists (select 1 from unnest($${n}::text[]) as needle where ${columns.map((column) => `position(needle in t.${column}) > 0`).join(' or ')})`;

const ofWorkflow = (table: string): string => (table === WORKFLOW.name ? 't.id' : 't.workflow_id');

/** Workflows of the page that hold it. `$1` tenant, `$2` and `$3` where the page begins, `$4` the forms, `$5` its length. */
const find: Statement = {
  name: 'erase_find',
  text: `
  with page as materialized (
    select shard, id from workflow where tenant = $1 and (shard, id) > ($2::smallint, $3::text) order by shard, id limit $5::integer),
  holders as (${Object.entries(TEXTS)
    .map(
      ([table, columns]) =>
        `select p.shard, p.id, '${table}' as place from page p join ${table} t on t.shard = p.shard and ${ofWorkflow(table)} = p.id where ${holds(columns, 4)}`,
    )
    .join(' union all ')})
  select (select count(*) from page) as looked, (select shard from page order by shard desc, id desc limit 1) as shard,
    (select id from page order by shard desc, id desc limit 1) as id,
    coalesce((select json_agg(json_build_object('shard', shard, 'id', id, 'place', place, 'rows', n) order by shard, id)
      from (select shard, id, place, count(*) as n from holders group by 1, 2, 3) h), '[]')::text as holders`,
};

const lock: Statement = {
  name: 'erase_lock',
  text: 'select 1 from workflow t where t.shard = $1::smallint and t.id = $2 for update',
};
const change = Object.entries(TEXTS).map(
  ([table, columns]): Statement => ({
    name: `erase_in_${table}`,
    text: `update ${table} t set ${columns.map((column) => `${column} = ${replaced(`t.${column}`, 3)}`).join(', ')}
      where t.shard = $1::smallint and ${ofWorkflow(table)} = $2 and ${holds(columns, 3)}`,
  }),
);
/** What workflows are found by, as it stands and not as JSON; tags are names. One that would be too long has none. `$5`: whether within longer texts. */
const attributes: Statement = {
  name: 'erase_in_attribute',
  text: `
  with held as (
    select t.name, t.value, replace(t.value, $3::text, $4::text) as fresh from attribute t
    where t.shard = $1::smallint and t.workflow_id = $2 and t.name <> 'tag'
      and case when $5::boolean then position($3 in t.value) > 0 else t.value = $3 end),
  gone as (
    delete from attribute t using held h
    where t.shard = $1::smallint and t.workflow_id = $2 and t.name = h.name and t.value = h.value and length(h.fresh) > 255)
  update attribute t set value = h.fresh from held h
  where t.shard = $1::smallint and t.workflow_id = $2 and t.name = h.name and t.value = h.value and length(h.fresh) <= 255`,
};
const touch: Statement = {
  name: 'erase_touch',
  text: 'update workflow set ver = ver + 1 where shard = $1::smallint and id = $2',
};

const beside = Object.entries(BESIDE).map(([table, { columns, isOf }]) => ({
  table,
  count: {
    name: `erase_count_${table}`,
    text: `select count(*) as n from ${table} t where ${isOf} and ${holds(columns, 2)}`,
  } as Statement,
  change: {
    name: `erase_beside_${table}`,
    text: `with changed as (update ${table} t set ${columns.map((column) => `${column} = ${replaced(`t.${column}`, 2)}`).join(', ')}
      where ${isOf} and ${holds(columns, 2)} returning 1) select count(*) as n from changed`,
  } as Statement,
}));
const kept: Statement = {
  name: 'erase_kept',
  text: KEPT.map(
    ([table, column]) =>
      `select '${table}.${column}' as place, count(*) as n from ${table} where tenant = $1 and position($2 in ${column}) > 0`,
  ).join(' union all '),
};

const gone = (table: string): Statement => ({
  name: `erase_${table}`,
  text:
    table === HISTORY.name
      ? `with history_gone as (delete from history t where t.shard = $1::smallint and t.workflow_id = $2 returning t.position),${noted}
         done as (select 1) select count(*) as n from history_gone`
      : `with gone as (delete from ${table} t where t.shard = $1::smallint and ${ofWorkflow(table)} = $2 returning 1) select count(*) as n from gone`,
});
const ALONGSIDE: readonly Statement[] = [
  ['delivery', 'workflow_id'],
  ['event', 'workflow_id'],
  ['business_key', 'workflow'],
  ['attempt', 'workflow'],
  ['batch_item', 'workflow'],
].map(([table, column]) => ({
  name: `erase_with_${table}`,
  text: `with gone as (delete from ${table} t where t.${column} = $1 returning 1) select count(*) as n from gone`,
}));
const standing: Statement = {
  name: 'erase_standing',
  text: 'select t.status from workflow t where t.shard = $1::smallint and t.id = $2 and t.tenant = $3 for update',
};

export function makeErasing(connections: Connections, shardOf: (workflow: string) => number): Erasing {
  async function inTransaction<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await connections.take();
    let broken = true;
    try {
      await connection.say('begin');
      const result = await run(connection);
      await connection.say('commit');
      broken = false;
      return result;
    } catch (error) {
      if (!connection.isLost()) await connection.say('rollback').then(() => (broken = false));
      throw error;
    } finally {
      connection.giveBack(broken);
    }
  }
  const counted = async (
    on: Pick<Connection, 'run'>,
    statement: Statement,
    values: readonly unknown[],
  ): Promise<number> => Number((await on.run(statement, values)).rows[0]?.['n'] ?? 0);

  return {
    workflow: (tenant, workflow) =>
      inTransaction<ErasedWorkflow>(async (connection) => {
        const shard = shardOf(workflow);
        const [row] = (await connection.run(standing, [shard, workflow, tenant])).rows;
        if (row === undefined) return 'unknown';
        if (!isOver(row['status'] as Parameters<typeof isOver>[0])) return 'running';
        const rows = new Map<string, number>();
        const count = (table: string, n: number): void => {
          if (n > 0) rows.set(table, n);
        };
        for (const { name } of [...BELOW_WORKFLOW, WORKFLOW])
          count(name, await counted(connection, gone(name), [shard, workflow]));
        for (const statement of ALONGSIDE)
          count(statement.name.replace('erase_with_', ''), await counted(connection, statement, [workflow]));
        return { counts: Object.fromEntries(rows) };
      }),

    value: async ({ tenant, value, replacement, within, isRehearsal, limit, after }) => {
      const { from, to } = needlesOf(value, replacement, within);
      const [shard, id] = after === null ? [-1, ''] : [after.shard, after.id];
      const [page] = (await connections.run(find, [tenant, shard, id, from, limit])).rows;
      const holders = JSON.parse(page?.['holders'] as string) as readonly {
        readonly shard: number;
        readonly id: string;
        readonly place: string;
        readonly rows: number;
      }[];
      const rows = new Map<string, number>();
      for (const { place, rows: n } of holders) rows.set(place, (rows.get(place) ?? 0) + n);
      const workflows = new Map(holders.map((one) => [one.id, one.shard]));
      if (!isRehearsal)
        for (const [workflow, at] of workflows)
          await inTransaction(async (connection) => {
            await connection.run(lock, [at, workflow]);
            for (const statement of change) await connection.run(statement, [at, workflow, from, to]);
            await connection.run(attributes, [at, workflow, value, replacement, within]);
            await connection.run(touch, [at, workflow]);
          });
      const next =
        Number(page?.['looked']) === limit ? { shard: Number(page?.['shard']), id: page?.['id'] as string } : null;
      const erased: Erased = { workflows: [...workflows.keys()], counts: Object.fromEntries(rows), next, kept: {} };
      if (next !== null) return erased;
      for (const { table, count, change: made } of beside) {
        const n = isRehearsal
          ? await counted(connections, count, [tenant, from])
          : await counted(connections, made, [tenant, from, to]);
        if (n > 0) rows.set(table, n);
      }
      const found = (await connections.run(kept, [tenant, value])).rows.filter((row) => Number(row['n']) > 0);
      return {
        ...erased,
        counts: Object.fromEntries(rows),
        kept: Object.fromEntries(found.map((row) => [row['place'] as string, Number(row['n'])])),
      };
    },
  };
}
