import type { Database } from '../support/postgres.ts';

/** So many parts stand for machines. */
export const PARTITIONS = 8;

/**
 * Makes of every table that is keyed by shard one that lies in parts, by shard: the nearest thing to a database of many machines that one
 * Postgres offers. Unique keys must hold the shard, or this fails; and a plan tells which parts a statement needs.
 */
export async function inPartitions(database: Database): Promise<void> {
  const tables = await database.query(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'shard' order by 1`,
  );
  const parts = Array.from({ length: PARTITIONS }, (_, part) => part);
  const statements = tables.flatMap(({ name }) => [
    `alter table ${name} rename to ${name}_whole`,
    `create table ${name} (like ${name}_whole including all) partition by hash (shard)`,
    ...parts.map(
      (part) =>
        `create table ${name}_part_${part} partition of ${name} for values with (modulus ${PARTITIONS}, remainder ${part})`,
    ),
    `drop table ${name}_whole`,
  ]);
  // In one go: a connection for each of hundreds of statements takes longer than the statements.
  await database.query(statements.join(';\n'));
}
