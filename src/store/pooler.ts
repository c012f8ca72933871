import type pg from 'pg';

/*
 * Something between this server and Postgres that gives sessions out anew for each transaction, such as PgBouncer. It is known by the number of
 * the process that answers: a pooler hands out numbers of its own.
 */

/** What such a pooler makes of named statements: one that is there already, for another client made it; or is not, for this one has none. */
const MIXED_UP: ReadonlySet<string> = new Set(['42P05', '26000']);
const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : null;

export const isMixedUp = (error: unknown): boolean => {
  const code = codeOf(error);
  return typeof code === 'string' && MIXED_UP.has(code);
};

export const MIXED_UP_WORDS =
  'A pooler between this server and Postgres does not keep named statements: set DATABASE_PREPARED=0, or use PgBouncer 1.21 or later with ' +
  'max_prepared_statements and give the planner settings to the role (docs/operating.md, PgBouncer)';

/** Whether somebody else answers than the session was made with. */
export async function isPooled(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const told: unknown = 'processID' in client ? client.processID : null;
  return typeof told === 'number' && told !== rows[0]?.pid;
}
