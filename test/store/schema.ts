type Query = (text: string) => Promise<readonly { readonly [column: string]: unknown }[]>;

/** Lines of definitions, each of a table, in the order in which they are shown. */
const LINES = `
  select c.relname as name, 1 as kind, a.attnum::int as position,
    format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attcollation not in (0, t.typcollation) then format(' collate "%s"', l.collname) else '' end,
      case when a.attnotnull then ' not null' else '' end,
      case when d.adbin is null then '' else ' default ' || pg_get_expr(d.adbin, d.adrelid) end) as line
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_collation l on l.oid = a.attcollation
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and c.relname <> 'migration'
  union all
  -- Newer versions list "not null" here too.
  select c.relname, 2, 0, format('  constraint %s %s', n.conname, pg_get_constraintdef(n.oid))
  from pg_class c join pg_constraint n on n.conrelid = c.oid and n.contype in ('p', 'u', 'c', 'f', 'x')
  where c.relnamespace = 'public'::regnamespace and c.relname <> 'migration'
  union all
  select c.relname, 3, 0, option from pg_class c cross join unnest(c.reloptions) as option
  where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and c.relname <> 'migration'
  union all
  select c.relname, 4, 0, pg_get_indexdef(i.indexrelid) || ';'
  from pg_index i join pg_class c on c.oid = i.indrelid
  where c.relnamespace = 'public'::regnamespace and c.relname <> 'migration'
    and not exists (select 1 from pg_constraint n where n.conindid = i.indexrelid)
  union all
  select c.relname, 5, 0, format('-- also there: %s %s', c.relkind, c.relname) from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind not in ('r', 'p', 'i', 't', 'I') and c.relname not like 'migration%'`;

/** What the migrations have made, as SQL that is the same on every version of Postgres. */
export async function schemaOf(query: Query): Promise<string> {
  const rows = await query(
    `select * from (${LINES}) lines order by name collate "C", kind, position, line collate "C"`,
  );
  const names = [...new Set(rows.map(({ name }) => String(name)))];
  const texts = names.map((name) => {
    const lines = (...kinds: readonly number[]): readonly string[] =>
      rows.filter((row) => row['name'] === name && kinds.includes(Number(row['kind']))).map(({ line }) => String(line));
    const options = lines(3);
    const table = `create table ${name} (\n${lines(1, 2).join(',\n')}\n)`;
    return [`${table}${options.length > 0 ? ` with (${options.join(', ')})` : ''};`, ...lines(4), ...lines(5)].join(
      '\n',
    );
  });
  return `${texts.join('\n\n')}\n`;
}
