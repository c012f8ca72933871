import type pg from 'pg';
import { SEND_ID } from '../model/events.ts';
import { CHILDREN, type ChildKind, eachChild, type Rows, type WorkflowRow } from '../model/rows.ts';
import type { Loaded } from '../model/stimulus.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { openEmbedded } from './embedded.ts';
import { makeHosts } from './hosts.ts';
import {
  BELOW_WORKFLOW,
  CHILD_TABLES,
  type DatabaseRow,
  rowOf,
  selected,
  type Table,
  WORKFLOW,
} from './tables/of-workflow.ts';

/*
 * Whether the rows of a database fit together, as each step leaves them: for one that was restored, copied or repaired. It only reads, in one
 * snapshot, and looks at every row.
 */

export type Finding = {
  /** What does not fit. */
  readonly what: string;
  /** How many rows. */
  readonly count: number;
  /** The workflows of some of them. */
  readonly workflows: readonly string[];
  /** Of some, more closely; left out: there is nothing more to say. */
  readonly lines?: readonly string[];
};

/** What does not add up in the rows of one workflow, all of which are given; a line each. */
export type Audit = (rows: Loaded) => readonly string[];

/** Workflows that one finding names. */
const NAMED_MAX = 10;
/** Lines that are said of workflows, in all and of one. */
const LINES_MAX = 100;
const LINES_OF_ONE_MAX = 5;
/** Workflows whose rows are looked at in one go. */
const PAGE_WORKFLOWS = 20;
/** What other workflows have sent to one that is over meanwhile goes when it is due, as does what it has sent itself. */
const GOES_BY_ITSELF = ['event ', 'signal ', SEND_ID];

type Check = { readonly what: string; readonly rows: string };

/** Which rows must not be left; those of the kinds that are not here: none. */
const LEFT: { readonly [Kind in ChildKind]?: string } = {
  agenda: `not (${GOES_BY_ITSELF.map((beginning) => `starts_with(t.id, '${beginning}')`).join(' or ')})`,
  // The base of a fork is needed by the notices that are still owed; what the workflow itself has kept (its scope has no digits) goes with it.
  variables: `t.name <> '^' and right(t.scope, 1) <> '!'`,
};

/** Each selects the workflow of a row that does not fit, as `id`. */
const CHECKS: readonly Check[] = [
  ...BELOW_WORKFLOW.map(({ name }) => ({
    what: `rows of ${name} that belong to no workflow`,
    rows: `select t.workflow_id as id from ${name} t
      where not exists (select 1 from workflow w where w.shard = t.shard and w.id = t.workflow_id)`,
  })),
  {
    what: 'workflows whose history does not end with their last entry',
    rows: `select w.id from workflow w
      where w.last_n <> coalesce((select max(h.last_n) from history h where h.shard = w.shard and h.workflow_id = w.id), 0)`,
  },
  {
    // What lies before `history_first` was folded away in parts.
    what: 'gaps in histories',
    rows: `select h.workflow_id as id from (
        select shard, workflow_id, first_n, lag(last_n, 1, 0) over (partition by shard, workflow_id order by first_n) as before from history
      ) h join workflow w on w.shard = h.shard and w.id = h.workflow_id
      where h.first_n <> h.before + 1 and h.first_n > coalesce(w.history_first, 0)`,
  },
  {
    what: 'workitems that wait at an expression whose strand is not there',
    rows: `select t.workflow_id as id from workitem t where t.state <> 'closed' and t.path <> '0'
      and not exists (select 1 from branch b where b.shard = t.shard and b.workflow_id = t.workflow_id and b.path = t.path)`,
  },
  {
    what: 'workitems that wait in a workflow that is over',
    rows: `select t.workflow_id as id from workitem t join workflow w on w.shard = t.shard and w.id = t.workflow_id
      where t.state <> 'closed' and w.ended_at is not null`,
  },
  ...CHILDREN.filter((kind) => kind !== 'workitems').map((kind) => ({
    what: `rows of ${CHILD_TABLES[kind].name} that are left of workflows that are over`,
    rows: `select t.workflow_id as id from ${CHILD_TABLES[kind].name} t join workflow w on w.shard = t.shard and w.id = t.workflow_id
      where w.ended_at is not null and ${LEFT[kind] ?? 'true'}`,
  })),
  {
    what: 'workflows that go on and whose definition is not there',
    rows: `select w.id from workflow w where w.ended_at is null and not exists (select 1 from definition d where d.hash = w.definition)`,
  },
];

/**
 * @param audit looks at all rows of a workflow that is not over: only it can read what the expressions say
 * @returns what does not fit; nothing: all is well
 * @throws when the database cannot be reached or has no tables of ours
 */
export async function checkRows(
  settings: { readonly databaseUrl: string | null; readonly dataDir: string },
  audit: Audit,
): Promise<readonly Finding[]> {
  if (settings.databaseUrl !== null) {
    const client = new (makeHosts(settings.databaseUrl).Client)({ application_name: 'rota check' });
    await client.connect();
    try {
      return await findingsOf(client, audit);
    } finally {
      await client.end();
    }
  }
  const lock = await lockDataDir(settings.dataDir);
  try {
    const database = await openEmbedded(settings.dataDir, true, { session: '' });
    try {
      return await findingsOf(database.client, audit);
    } finally {
      await database.close();
    }
  } finally {
    lock.release();
  }
}

async function findingsOf(client: pg.ClientBase, audit: Audit): Promise<readonly Finding[]> {
  await client.query('begin isolation level repeatable read read only');
  const findings: Finding[] = [];
  for (const { what, rows } of CHECKS) {
    const text = `with found as materialized (${rows})
      select count(*)::integer as count, (select array_agg(id) from (select distinct id from found order by id limit ${NAMED_MAX}) named) as workflows
      from found`;
    const [row] = (await client.query<{ count: number; workflows: string[] | null }>(text)).rows;
    if (row !== undefined && row.count > 0) findings.push({ what, count: row.count, workflows: row.workflows ?? [] });
  }
  const audited = await auditAll(client, audit);
  if (audited.count > 0) findings.push(audited);
  await client.query('rollback');
  return findings;
}

/** All workflows that are not over, some at a time. */
async function auditAll(client: pg.ClientBase, audit: Audit): Promise<Finding> {
  const workflows: string[] = [];
  const lines: string[] = [];
  let count = 0;
  let after: Placed = { shard: -1, id: '' };
  for (;;) {
    const page = await client.query<DatabaseRow & Placed>(PAGE, [after.shard, after.id]);
    const last = page.rows.at(-1);
    if (last === undefined) break;
    after = last;
    for (const rows of await loadedOf(client, page.rows)) {
      const wrong = auditedOf(audit, rows);
      if (wrong.length === 0) continue;
      count += 1;
      if (workflows.length < NAMED_MAX) workflows.push(rows.workflow.id);
      const most = Math.min(LINES_OF_ONE_MAX, LINES_MAX - lines.length);
      lines.push(...wrong.slice(0, most).map((line) => `${rows.workflow.id}: ${line}`));
    }
  }
  return { what: 'workflows whose rows do not fit their expressions', count, workflows, lines };
}

type Placed = { readonly shard: number; readonly id: string };

const PAGE = `select w.shard, ${selected(WORKFLOW, 'w')} from workflow w
  where w.ended_at is null and (w.shard, w.id) > ($1::integer, $2::text) order by w.shard, w.id limit ${PAGE_WORKFLOWS}`;

const TABLES = CHILD_TABLES as { readonly [Kind in ChildKind]: Table<never> };
const BELOW = eachChild(
  (kind) => `select t.workflow_id as "of", ${selected(TABLES[kind], 't')} from ${TABLES[kind].name} t
    where t.shard = any($1::integer[]) and t.workflow_id = any($2::text[])`,
);

type Whole = Loaded & { readonly workflow: WorkflowRow };

async function loadedOf(client: pg.ClientBase, page: readonly (DatabaseRow & Placed)[]): Promise<readonly Whole[]> {
  const place = [page.map(({ shard }) => shard), page.map(({ id }) => id)];
  const below: { [Kind in ChildKind]?: readonly DatabaseRow[] } = {};
  for (const kind of CHILDREN) below[kind] = (await client.query<DatabaseRow>(BELOW[kind], place)).rows;
  return page.map((record): Whole => {
    const rows = eachChild((kind) => {
      const own = (below[kind] ?? []).filter((row) => row['of'] === record.id);
      return new Map(own.map((row) => rowOf(TABLES[kind], row)).map((row) => [TABLES[kind].keyOf(row), row]));
    }) as Rows; // each kind by its own table
    return { ...rows, workflow: rowOf(WORKFLOW, record), answered: new Set(), received: new Map() };
  });
}

function auditedOf(audit: Audit, rows: Loaded): readonly string[] {
  try {
    return audit(rows);
  } catch (error) {
    return [`no step can work with its rows: ${error instanceof Error ? error.message : String(error)}`];
  }
}
