import type { Statement } from './connections.ts';

/*
 * The profile `distributed`: databases that keep each shard on one machine and send a statement there when it says which. So there every
 * statement about workflows is about one shard and says so, and changes a table once.
 */

const named = new Map<string, Statement>();

/**
 * The same statement with the shard as a parameter: every `… = r.s` also `= $n`, a parameter behind the others.
 *
 * @returns the statement and the values that complete it
 */
export function inShard(
  statement: Statement,
  values: readonly unknown[],
  shard: number,
): { readonly statement: Statement; readonly values: readonly unknown[] } {
  let found = named.get(statement.name);
  if (found === undefined) {
    const parameter = `$${values.length + 1}::smallint`;
    const text = statement.text.replaceAll(/\b((?:\w+\.)?shard) = r\.s\b/g, `$1 = r.s and $1 = ${parameter}`);
    found = { name: `${statement.name}_in_shard`, text };
    named.set(statement.name, found);
  }
  // A statement that only inserts compares no shard; it is in the rows.
  return { statement: found, values: found.text === statement.text ? values : [...values, shard] };
}

/** Rows or requests by the shard `s` they name. */
export function byShard<Row extends { readonly s?: unknown }>(
  rows: readonly Row[],
): readonly (readonly [number, readonly Row[]])[] {
  const shards = new Map<number, Row[]>();
  for (const row of rows) {
    const shard = typeof row.s === 'number' ? row.s : 0;
    const known = shards.get(shard);
    if (known === undefined) shards.set(shard, [row]);
    else known.push(row);
  }
  return [...shards].sort(([a], [b]) => a - b);
}
