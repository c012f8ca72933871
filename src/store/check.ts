import type pg from 'pg';
import { lockDataDir } from './data-dir-lock.ts';
import { openEmbedded } from './embedded.ts';
import { makeHosts } from './hosts.ts';
import { BELOW_WORKFLOW } from './tables/of-workflow.ts';

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
};

/** Workflows that one finding names. */
const NAMED_MAX = 10;

type Check = { readonly what: string; readonly rows: string };

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
  {
    what: 'workflows that go on and whose definition is not there',
    rows: `select w.id from workflow w where w.ended_at is null and not exists (select 1 from definition d where d.hash = w.definition)`,
  },
];

/** @returns what does not fit; nothing: all is well @throws when the database cannot be reached or has no tables of ours */
export async function checkDatabase(settings: {
  readonly databaseUrl: string | null;
  readonly dataDir: string;
}): Promise<readonly Finding[]> {
  if (settings.databaseUrl !== null) {
    const client = new (makeHosts(settings.databaseUrl).Client)({ application_name: 'rota check' });
    await client.connect();
    try {
      return await findingsOf(client);
    } finally {
      await client.end();
    }
  }
  const lock = await lockDataDir(settings.dataDir);
  try {
    const database = await openEmbedded(settings.dataDir, true, { session: '' });
    try {
      return await findingsOf(database.client);
    } finally {
      await database.close();
    }
  } finally {
    lock.release();
  }
}

async function findingsOf(client: pg.ClientBase): Promise<readonly Finding[]> {
  await client.query('begin isolation level repeatable read read only');
  const findings: Finding[] = [];
  for (const { what, rows } of CHECKS) {
    const text = `with found as materialized (${rows})
      select count(*)::integer as count, (select array_agg(id) from (select distinct id from found order by id limit ${NAMED_MAX}) named) as workflows
      from found`;
    const [row] = (await client.query<{ count: number; workflows: string[] | null }>(text)).rows;
    if (row !== undefined && row.count > 0) findings.push({ what, count: row.count, workflows: row.workflows ?? [] });
  }
  await client.query('rollback');
  return findings;
}
