import { SHARDS } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { storable } from './refusals.ts';
import type { NodeRow, SavedAnswer, Store } from './store.ts';

/* What is not part of a workflow: definitions by hash, nodes, settings, idempotency keys; and throwing away what is over. */

const definitionByHash: Statement = { name: 'definition', text: 'select stored from definition where hash = $1' };

const milliseconds = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`;
const nodeColumns = `id, role, url, version, ${milliseconds('started_at')} as started_at, ${milliseconds('seen_at')} as seen_at`;
const beat: Statement = {
  name: 'beat',
  text: `
  with mine as (
    insert into node (id, role, url, version, started_at, seen_at, lease_until)
    values ($1, $2, $3, $4, statement_timestamp(), statement_timestamp(),
      statement_timestamp() + $5::double precision * interval '1 second')
    on conflict (id) do update
    set role = excluded.role, url = excluded.url, version = excluded.version, seen_at = excluded.seen_at,
      lease_until = excluded.lease_until
    returning *
  )
  select ${nodeColumns}, true as alive from mine
  union all
  select ${nodeColumns}, lease_until > statement_timestamp() as alive from node where id <> $1
  order by started_at, id
  limit 1000`,
};
/** Nodes silent for a day are forgotten. */
const forgetNodes: Statement = {
  name: 'forget_nodes',
  text: `delete from node where lease_until < statement_timestamp() - interval '1 day'`,
};
const leave: Statement = { name: 'leave', text: 'delete from node where id = $1' };

const readSetting: Statement = { name: 'read_setting', text: 'select value from setting where name = $1' };
const writeSetting: Statement = {
  name: 'write_setting',
  text: 'insert into setting (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
};
const databaseTime: Statement = {
  name: 'database_time',
  text: `select ${milliseconds('clock_timestamp()')} as now`,
};

const savedAnswer: Statement = {
  name: 'saved_answer',
  text: 'select fingerprint, status, body, content_type from idempotency_key where scope = $1 and key = $2',
};
const reserveKey: Statement = {
  name: 'reserve_key',
  text: `
  insert into idempotency_key (scope, key, fingerprint, reserved_at) values ($1, $2, $3, $4)
  on conflict (scope, key) do nothing`,
};
const finishKey: Statement = {
  name: 'finish_key',
  text: 'update idempotency_key set fingerprint = $3, status = $4, body = $5, content_type = $6 where scope = $1 and key = $2',
};
const dropKey: Statement = { name: 'drop_key', text: 'delete from idempotency_key where scope = $1 and key = $2' };

/** One statement may throw away this many workflows; each may have thousands of rows. */
const RETIRE_MAX = 500;
const BELOW_WORKFLOW = ['branch', 'workitem', 'agenda', 'history', 'listener', 'error', 'variable'] as const;
const retireText = (locking: string, shard: string): string => `
  with doomed as materialized (
    select shard, id from workflow w
    where ended_at < $1 and status in ('completed', 'cancelled', 'killed')${shard.replace('t.', 'w.')}
      and not exists (
        select 1 from workitem t where t.shard = w.shard and t.workflow_id = w.id and t.send is not null)
    order by ended_at
    limit $2
    ${locking}
  ), ${BELOW_WORKFLOW.map(
    (table) => `${table}_gone as (
    delete from ${table} t using doomed d where t.shard = d.shard and t.workflow_id = d.id${shard})`,
  ).join(', ')},
  gone as (delete from workflow w using doomed d where w.shard = d.shard and w.id = d.id${shard.replace('t.', 'w.')} returning 1)
  select count(*) as n from gone`;
const retire: Statement = { name: 'retire', text: retireText('for update skip locked', '') };
const retireInShard: Statement = { name: 'retire_in_shard', text: retireText('', ' and t.shard = $3::smallint') };
const retireKeys: Statement = {
  name: 'retire_keys',
  text: `
  delete from idempotency_key where (scope, key) in (
    select scope, key from idempotency_key where reserved_at < $1 order by reserved_at limit $2)`,
};

/** Definitions looked at by one call, in the order of their hashes; the next call goes on behind them. */
const DEFINITIONS_LOOKED_AT = 200;
/** What was not launched for so long, and nobody refers to, goes. Longer than the day to which launches are noted (pieces.ts). */
const UNUSED = `used_at < statement_timestamp() - interval '7 days'`;
const definitionsPage = `
  select hash, used_at from definition where hash > $1 order by hash limit ${DEFINITIONS_LOOKED_AT}`;
/** The index has the first characters. */
const isOf = (hash: string): string => `left(w.definition, 8) = left(${hash}, 8) and w.definition = ${hash}`;
const retireDefinitions: Statement = {
  name: 'retire_definitions',
  text: `
  with page as materialized (${definitionsPage}),
  gone as (
    delete from definition d using page p
    where d.hash = p.hash and d.${UNUSED} and not exists (select 1 from workflow w where ${isOf('d.hash')}))
  select max(hash) as last from page`,
};

/** The same in steps where workflows are on many machines. A launch in between marks what it uses, and the last step looks at that again. */
const definitionsOfPage: Statement = {
  name: 'definitions_of_page',
  text: `
  with page as (${definitionsPage})
  select hash, ${UNUSED} as unused from page order by hash`,
};
const definitionsInUse: Statement = {
  name: 'definitions_in_use',
  text: `
  select h.hash from unnest($2::text[]) as h(hash)
  where exists (select 1 from workflow w where w.shard = $1::smallint and ${isOf('h.hash collate "C"')})`,
};
const dropDefinitions: Statement = {
  name: 'drop_definitions',
  text: `delete from definition where hash = any($1::text[]) and ${UNUSED}`,
};

const ping: Statement = { name: 'ping', text: 'select 1' };

export type Keeping = Pick<
  Store,
  | 'definition'
  | 'beat'
  | 'leave'
  | 'readSetting'
  | 'writeSetting'
  | 'databaseTime'
  | 'savedAnswer'
  | 'reserveKey'
  | 'finishKey'
  | 'dropKey'
  | 'retire'
  | 'ping'
>;

export function makeKeeping(writes: Connections, reads: Connections, namesShard: boolean): Keeping {
  /** The last definition looked at; empty to begin again. */
  let lookedAt = '';

  async function collectDefinitions(): Promise<void> {
    if (!namesShard) {
      const { rows } = await writes.run(retireDefinitions, [lookedAt]);
      lookedAt = (rows[0]?.['last'] ?? '') as string;
      return;
    }
    const { rows } = await writes.run(definitionsOfPage, [lookedAt]);
    lookedAt = (rows.at(-1)?.['hash'] ?? '') as string;
    let unused = rows.filter((record) => record['unused'] === true).map((record) => record['hash'] as string);
    for (let shard = 0; shard < SHARDS && unused.length > 0; shard++) {
      const used = await writes.run(definitionsInUse, [shard, unused]);
      const found = new Set(used.rows.map((record) => record['hash']));
      unused = unused.filter((hash) => !found.has(hash));
    }
    if (unused.length > 0) await writes.run(dropDefinitions, [unused]);
  }

  return {
    definition: async (hash) =>
      ((await writes.run(definitionByHash, [hash])).rows[0]?.['stored'] ?? null) as string | null,
    beat: async ({ id, role, url, version, leaseSeconds }) => {
      const { rows } = await writes.run(beat, [id, role, url, version, leaseSeconds]);
      await writes.run(forgetNodes);
      return rows.map(
        (record): NodeRow => ({
          id: record['id'] as string,
          role: record['role'] as string,
          url: record['url'] as string,
          version: record['version'] as string,
          startedAt: record['started_at'] as number,
          seenAt: record['seen_at'] as number,
          alive: record['alive'] as boolean,
        }),
      );
    },
    leave: async (id) => {
      await writes.run(leave, [id]);
    },
    readSetting: async (name) => ((await writes.run(readSetting, [name])).rows[0]?.['value'] ?? null) as string | null,
    writeSetting: async (name, value) => {
      await writes.run(writeSetting, [storable(name), storable(value)]);
    },
    databaseTime: async () => (await writes.run(databaseTime)).rows[0]?.['now'] as number,
    savedAnswer: async (scope, key) => {
      const record = (await writes.run(savedAnswer, [storable(scope), storable(key)])).rows[0];
      if (record === undefined) return null;
      return {
        fingerprint: record['fingerprint'] as string,
        status: record['status'] as number | null,
        body: record['body'] as string | null,
        contentType: record['content_type'] as string | null,
      } satisfies SavedAnswer;
    },
    reserveKey: async ({ scope, key, fingerprint, at }) =>
      (await writes.run(reserveKey, [storable(scope), storable(key), storable(fingerprint), at])).count === 1,
    finishKey: async ({ scope, key, fingerprint, status, body, contentType }) => {
      const texts = [scope, key, fingerprint].map(storable);
      await writes.run(finishKey, [...texts, status, body === null ? null : storable(body), contentType]);
    },
    dropKey: async (scope, key) => {
      await writes.run(dropKey, [scope, key]);
    },
    retire: async ({ endedBefore, keysBefore, limit }) => {
      const most = Math.min(limit, RETIRE_MAX);
      await writes.run(retireKeys, [keysBefore, most]);
      await collectDefinitions();
      const gone = async (statement: Statement, ...values: readonly number[]): Promise<number> =>
        ((await writes.run(statement, values)).rows[0]?.['n'] ?? 0) as number;
      if (!namesShard) return gone(retire, endedBefore, most);
      let all = 0;
      for (let shard = 0; shard < SHARDS && all < most; shard++)
        all += await gone(retireInShard, endedBefore, most - all, shard);
      return all;
    },
    ping: async () => {
      await reads.run(ping);
    },
  };
}
