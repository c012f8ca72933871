import type { WorkflowId } from '../model/ids.ts';
import type { Connections, Statement } from './connections.ts';
import { withoutLock } from './meeting-place.ts';
import { foundIn, pageSize, weighed } from './page.ts';
import { INSIDE_BYTES, insideColumns, rootItem, withRootItem } from './reads.ts';
import { listText, partText } from './row-text.ts';
import type { Attributes } from './store.ts';
import type { Settings } from './tables/setting.ts';
import { attributeText } from './write.ts';

/* Filling in what workflows are found by, for those that stood before it was written with each step. */

const MARK = 'attribute:';

const marksOf: Statement = {
  name: 'attribute_marks',
  text: `select name, value from setting where name >= '${MARK}' and name < 'attribute;'`,
};
const isEmpty: Statement = {
  name: 'attribute_none',
  text: 'select not exists (select 1 from workflow) as "isEmpty"',
};
const pageOfShard: Statement = {
  name: 'attribute_page',
  text: weighed(
    `
    select w.*, item.* from (
      select * from workflow where shard = $1::smallint and id > $2 order by id limit $3) w ${rootItem.replace('t.shard = w.shard', 't.shard = $1::smallint')}
    order by w.id`,
    insideColumns,
    't.id',
    INSIDE_BYTES,
  ),
};
const GIVEN = `
  with r as materialized (
    select * from jsonb_to_recordset($2::jsonb)
      as r(s smallint, w text, ver integer, name text, tenant text, launched_at bigint, "values" jsonb))`;
/**
 * The `ver` makes whoever has looked at the workflow before look again: else a step under way would not see what is written here, and leave it. In
 * two statements, for what the one deletes the other may not write.
 */
const clear: Statement = {
  name: 'attribute_clear',
  text: `${GIVEN},
  wanted as (
    select r.w, r.ver from r group by r.w, r.ver
    having bool_or(jsonb_array_length(r."values") > 0)
      or exists (select 1 from attribute t where t.shard = $1::smallint and t.workflow_id = r.w and t.name = any(array_agg(r.name)))),
  sure as (
    update workflow t set ver = t.ver + 1 from wanted
    where t.shard = $1::smallint and t.id = wanted.w and t.ver = wanted.ver returning t.id),
  gone as (
    delete from attribute t using r join sure on sure.id = r.w
    where t.shard = $1::smallint and t.workflow_id = r.w and t.name = r.name and not (r."values" ? t.value))
  select wanted.w as moved from wanted where not exists (select 1 from sure where sure.id = wanted.w)`,
};
/** Only of workflows that nobody has stepped since. */
const fill: Statement = {
  name: 'attribute_fill',
  text: `${GIVEN},
  same as materialized (
    select w.id from (select distinct r.w, r.ver from r where jsonb_array_length(r."values") > 0) given
    cross join lateral (
      select id from workflow where shard = $1::smallint and id = given.w and ver = given.ver + 1 for share) w),
  made as (
    insert into attribute (shard, workflow_id, name, value, tenant, launched_at)
    select $1::smallint, r.w, r.name, v.value, r.tenant, r.launched_at
    from r join same on same.id = r.w cross join lateral jsonb_array_elements_text(r."values") as v(value)
    on conflict (shard, workflow_id, name, value) do nothing)
  select distinct r.w as moved from r
  where jsonb_array_length(r."values") > 0 and not exists (select 1 from same where same.id = r.w)`,
};

/**
 * @param house where statements may take longer than a step
 * @param locks false where the isolation of transactions finds conflicts by itself
 */
export function makeAttributes(house: Connections, settings: Settings, locks: boolean): Attributes {
  const fillSuited = locks ? fill : withoutLock(fill);
  return {
    marks: async () => {
      const { rows } = await house.run(marksOf, []);
      return new Map(rows.map(({ name, value }) => [(name as string).slice(MARK.length), value as string]));
    },
    mark: (name, value) => settings.write(`${MARK}${name}`, value),
    forget: (name) => settings.forget(`${MARK}${name}`),
    isEmpty: async () => (await house.run(isEmpty, [])).rows[0]?.['isEmpty'] === true,
    page: async (shard, after, limit) => {
      const size = pageSize(limit);
      const { rows } = await house.run(pageOfShard, [shard, after, size]);
      return { items: rows.map(withRootItem), isLast: foundIn(rows) < size && foundIn(rows) === rows.length };
    },
    fill: async (shard, changes) => {
      if (changes.length === 0) return new Set();
      const given = changes.map(({ ver, ...change }) => {
        const { s, text } = attributeText(change);
        return { s, text: `${text.slice(0, -1)}${partText('ver', ver)}}` };
      });
      const values = [shard, listText(given)];
      const moved = [...(await house.run(clear, values)).rows, ...(await house.run(fillSuited, values)).rows];
      return new Set(moved.map((row) => row['moved'] as WorkflowId));
    },
  };
}
