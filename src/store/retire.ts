import { SHARDS } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { RETIRED } from './positions.ts';
import type { Store } from './store.ts';
import { FREE_TABLES } from './tables/all.ts';
import { BELOW_WORKFLOW } from './tables/of-workflow.ts';
import { sweepStatement } from './tables/on-database.ts';

/* Throwing away what is over: workflows with everything of them, definitions nobody refers to, rows of other tables that are too old. */

/** One statement may throw away this many workflows; each may have thousands of rows. */
const RETIRE_MAX = 500;
/** One statement may throw away this many rows of each kind of one workflow. */
const PORTION_MAX = 100_000;
/** Readers of all events that come back from below this position have missed something. */
export const noted = `
  noted as (
    insert into setting (name, value)
    select '${RETIRED}', max(position)::text from history_gone having max(position) is not null
    on conflict (name) do update set value = greatest(setting.value::bigint, excluded.value::bigint)::text),`;
const keysFreed = `
  keys_freed as (
    delete from business_key b using doomed d, workflow w
    where w.shard = d.shard and w.id = d.id and w.business_key is not null
      and b.tenant = w.tenant and b.key = w.business_key and b.workflow = w.id),
  events_gone as (
    delete from event e using doomed d where e.workflow_id = d.id and e.gone_at is null),`;
/** Which of those that are over go, and in which order: `$1` is when the usual ones must have ended, or now. */
const USUAL = { over: 'ended_at < $1 and retain_days is null', by: 'ended_at' } as const;
const KEPT_UNTIL = 'ended_at + retain_days::bigint * 86400000';
const OWN = {
  over: `${KEPT_UNTIL} < $1 and retain_days is not null and ended_at is not null`,
  by: KEPT_UNTIL,
} as const;
type Which = typeof USUAL | typeof OWN;
const doomed = (limit: string, locking: string, shard: string, { over, by }: Which): string => `
  doomed as materialized (
    select shard, id from workflow w
    where ${over} and status in ('completed', 'cancelled', 'killed')${shard.replace('t.', 'w.')}
      and not exists (
        select 1 from workitem t where t.shard = w.shard and t.workflow_id = w.id and t.send is not null)
    order by ${by}
    limit ${limit}
    ${locking}
  )`;
const retireText = (locking: string, shard: string, which: Which): string => `
  with ${doomed('$2', locking, shard, which)}, ${BELOW_WORKFLOW.map(
    ({ name: table }) => `${table}_gone as (
    delete from ${table} t using doomed d where t.shard = d.shard and t.workflow_id = d.id${shard}${
      table === 'history' && shard === '' ? ' returning t.position' : ''
    })`,
  ).join(', ')},${shard === '' ? noted + keysFreed : ''}
  gone as (delete from workflow w using doomed d where w.shard = d.shard and w.id = d.id${shard.replace('t.', 'w.')} returning 1)
  select count(*) as n from gone`;
const LOCKED = 'for update skip locked';
const retire: Statement = { name: 'retire', text: retireText(LOCKED, '', USUAL) };
const retireOwn: Statement = { name: 'retire_own', text: retireText(LOCKED, '', OWN) };
const IN_SHARD = ' and t.shard = $3::smallint';
const retireInShard: Statement = { name: 'retire_in_shard', text: retireText('', IN_SHARD, USUAL) };
const retireOwnInShard: Statement = { name: 'retire_own_in_shard', text: retireText('', IN_SHARD, OWN) };
/** Some rows of the workflow that would go first, which stays; its history from the beginning, so that what is left of it has no gap. */
const portionText = (locking: string, shard: string, which: Which): string => `
  with ${doomed('1', locking, shard, which)}, ${BELOW_WORKFLOW.map(
    ({ name: table }) => `${table}_gone as (
    delete from ${table} t where t.ctid = any(array(
      select t.ctid from ${table} t, doomed d where t.shard = d.shard and t.workflow_id = d.id${shard}
      ${table === 'history' ? 'order by t.first_n ' : ''}limit $2))${shard}
    returning ${table !== 'history' ? '1' : shard === '' ? 't.last_n, t.position' : 't.last_n'})`,
  ).join(', ')},${shard === '' ? noted : ''}
  begun as (
    update workflow w set history_first = greatest(w.history_first, (select max(last_n) + 1 from history_gone))
    from doomed d where w.shard = d.shard and w.id = d.id${shard.replace('t.', 'w.')} and exists (select 1 from history_gone))
  select ${BELOW_WORKFLOW.map(({ name: table }) => `(select count(*) from ${table}_gone)`).join(' + ')} as n`;
const portion: Statement = { name: 'retire_portion', text: portionText(LOCKED, '', USUAL) };
const portionOwn: Statement = { name: 'retire_portion_own', text: portionText(LOCKED, '', OWN) };
const portionInShard: Statement = { name: 'retire_portion_in_shard', text: portionText('', IN_SHARD, USUAL) };
const portionOwnInShard: Statement = { name: 'retire_portion_own_in_shard', text: portionText('', IN_SHARD, OWN) };
/** Definitions looked at by one call, in the order of their hashes; the next call goes on behind them. */
const DEFINITIONS_LOOKED_AT = 200;
/** What was not launched for so long, and nobody refers to, goes. Longer than the day to which launches are noted (save-statements.ts). */
const UNUSED = `used_at < statement_timestamp() - interval '7 days'`;
const storedUnder = (hash: string): string => `exists (select 1 from definition_version v where v.hash = ${hash})`;
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
    where d.hash = p.hash and d.${UNUSED} and not exists (select 1 from workflow w where ${isOf('d.hash')})
        and not ${storedUnder('d.hash')}
    returning d.hash),
  sources_gone as (delete from source s using gone g where s.definition = g.hash)
  select max(hash) as last from page`,
};

/** The same in steps where workflows are on many machines. A launch in between marks what it uses, and the last step looks at that again. */
const definitionsOfPage: Statement = {
  name: 'definitions_of_page',
  text: `
  with page as (${definitionsPage})
  select hash, ${UNUSED} and not ${storedUnder('page.hash')} as unused from page order by hash`,
};
const definitionsInUse: Statement = {
  name: 'definitions_in_use',
  text: `
  select h.hash from unnest($2::text[]) as h(hash)
  where exists (select 1 from workflow w where w.shard = $1::smallint and ${isOf('h.hash collate "C"')})`,
};
const dropDefinitions: Statement = {
  name: 'drop_definitions',
  text: `
  with gone as (
    delete from definition
    where hash = any($1::text[]) and ${UNUSED} and not ${storedUnder('definition.hash')} returning hash)
  delete from source s using gone g where s.definition = g.hash`,
};

const sweeps = FREE_TABLES.flatMap((table) => {
  const statement = sweepStatement(table);
  if (table.sweep === null || statement === null) return [];
  return [{ statement, ...table.sweep, name: table.name, byDatabase: table.columns[table.sweep.by] === 'instant' }];
});

export function makeRetire(writes: Connections, namesShard: boolean): Pick<Store, 'retire' | 'retirePortion'> {
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

  const gone = async (statement: Statement, ...values: readonly number[]): Promise<number> =>
    Number((await writes.run(statement, values)).rows[0]?.['n'] ?? 0);

  return {
    retirePortion: async ({ endedBefore, now, rows }) => {
      const most = Math.min(rows, PORTION_MAX);
      if (!namesShard) return (await gone(portion, endedBefore, most)) || gone(portionOwn, now, most);
      for (let shard = 0; shard < SHARDS; shard++) {
        const some =
          (await gone(portionInShard, endedBefore, most, shard)) || (await gone(portionOwnInShard, now, most, shard));
        if (some > 0) return some;
      }
      return 0;
    },
    retire: async ({ endedBefore, now, limit, keepMs = {} }) => {
      const most = Math.min(limit, RETIRE_MAX);
      for (const sweep of sweeps) {
        const kept = keepMs[sweep.name] ?? sweep.keepMs;
        await writes.run(sweep.statement, [sweep.byDatabase ? kept / 1000 : now - kept, most]);
      }
      await collectDefinitions();
      if (!namesShard) {
        const usual = await gone(retire, endedBefore, most);
        return usual === most ? usual : usual + (await gone(retireOwn, now, most - usual));
      }
      let all = 0;
      for (let shard = 0; shard < SHARDS && all < most; shard++) {
        all += await gone(retireInShard, endedBefore, most - all, shard);
        if (all < most) all += await gone(retireOwnInShard, now, most - all, shard);
      }
      return all;
    },
  };
}
