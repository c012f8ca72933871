import { table } from './table.ts';

/** What a batch is about, one by one (batch.ts, which uses this table with its own). */
export type BatchItemRow = {
  readonly batchId: string;
  /** 1, 2, … as they were found. */
  readonly seq: number;
  readonly workflow: string;
  /** The error or workitem, as the id of its expression; null: it is about the workflow. */
  readonly object: string | null;
  /** Somebody may be at it: what its workflow's history has above `lastN` tells. */
  readonly taken: boolean;
  readonly lastN: number | null;
  readonly state: 'left' | 'done' | 'failed' | 'skipped';
  readonly code: string | null;
  readonly message: string | null;
  readonly createdAt: number;
};
export type FoundItem = { readonly workflow: string; readonly object: string | null };

/** Items that did not go well and are grouped by why, at most. */
export const ITEMS_GROUPED_MAX = 100_000;
/** Kinds of problems that are told of one batch. */
export const PROBLEMS_MAX = 20;

/** Longer than those of a batch that takes a month are needed, which is kept for another one. */
const KEEP_MS = 60 * 86_400_000;

export const BATCH_ITEM = table<BatchItemRow>()({
  name: 'batch_item',
  key: ['batchId', 'seq'],
  columns: {
    batchId: 'text',
    seq: 'integer',
    workflow: 'text',
    object: 'text',
    taken: 'boolean',
    lastN: 'integer',
    state: 'text',
    code: 'text',
    message: 'text',
    createdAt: 'instant',
  },
  lists: {
    all: { by: ['batchId'], order: ['seq'] },
    byState: { by: ['batchId', 'state'], order: ['seq'] },
  },
  statements: {
    // `$2`: where the page began, `$3`: where the next does, `$4`: whether there is none. Items are counted where they are added.
    collect: `
  with g as (
    select i, w, o from json_to_recordset($5::json) as g(i integer, w text, o text)
  ), b as (
    update batch set place = $3::text, total = total + (select count(*) from g)::integer,
      state = case when $4::boolean then case when total = 0 and not exists (select 1 from g) then 'completed' else 'running' end else state end,
      ended_at = case when $4::boolean and total = 0 and not exists (select 1 from g) then statement_timestamp() end
    where id = $1::text and state = 'collecting' and place is not distinct from $2::text
    returning id, total
  ), added as (
    insert into batch_item (batch_id, seq, workflow, object, taken, state, created_at)
    select b.id, b.total - (select count(*) from g)::integer + g.i, g.w, g.o, false, 'left', statement_timestamp() from b cross join g
  )
  select total as "total" from b`,
    take: `
  update batch_item i set taken = true, last_n = coalesce(i.last_n, g.last_n)
  from json_to_recordset($2::json) as g(seq integer, last_n integer)
  where i.batch_id = $1::text and i.seq = g.seq and i.state = 'left'
  returning i.seq as "seq", i.last_n as "lastN"`,
    // What another node has settled meanwhile is not settled again, and so not counted again.
    settle: `
  with s as (
    update batch_item i set state = g.state, code = g.code, message = g.message, taken = false
    from json_to_recordset($2::json) as g(seq integer, state text, code text, message text)
    where i.batch_id = $1::text and i.seq = g.seq and i.state = 'left'
    returning i.state
  ), n as (
    select count(*) filter (where state = 'done')::integer as done, count(*) filter (where state = 'failed')::integer as failed,
      count(*) filter (where state = 'skipped')::integer as skipped, count(*) filter (where state <> 'left')::integer as settled from s
  )
  update batch b set done = b.done + n.done, failed = b.failed + n.failed, skipped = b.skipped + n.skipped,
    state = case when b.state = 'running' and b.done + b.failed + b.skipped + n.settled >= b.total then 'completed' else b.state end,
    ended_at = case when b.state = 'running' and b.done + b.failed + b.skipped + n.settled >= b.total then statement_timestamp()
      else b.ended_at end
  from n where b.id = $1::text`,
    problems: `
  select code as "code", count(*)::integer as "n" from (
    select coalesce(code, 'internal') as code from batch_item
    where batch_id = $1::text and state in ('failed', 'skipped') limit ${ITEMS_GROUPED_MAX}) of_batch
  group by code order by 2 desc, 1 limit ${PROBLEMS_MAX}`,
  },
  sweep: { by: 'createdAt', keepMs: KEEP_MS },
});
