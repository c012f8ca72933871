import { type Cell, fromNow, type OpenTable, table } from './table.ts';

/**
 * Agenda rows that a process is about to handle although they were due before it began: the process before may have died of one of them. Marks
 * count such deaths; they are set before the step and taken away after it, whatever came of it.
 */
export type Attempts = {
  /**
   * Looks at the marks of these rows and marks those that have none, on behalf of `node`, until its lease ends.
   *
   * @returns how each row stands: `marked`: just now; `again`: a process died while it and others were handled; `suspect`: one died while it
   *   was handled alone; `given up`: two have; `elsewhere`: another process, alive, is at it. Only the first kind is this node's to handle
   */
  mark(rows: readonly AttemptedRow[], by: Marking): Promise<readonly AttemptStanding[]>;
  /**
   * Marks one row that is to be handled alone, right before it is.
   *
   * @param evenSuspect also when a process died while it was handled alone
   * @returns `marked`, or why it was not, as above
   */
  markAlone(row: AttemptedRow, by: Marking, evenSuspect: boolean): Promise<AttemptStanding>;
  /** Takes over the mark of a row that stands `given up`, until it is cleared; false when somebody else was quicker. */
  giveUp(row: AttemptedRow, node: string): Promise<boolean>;
  /** Takes away the marks that this node has set on these rows. */
  clear(rows: readonly AttemptedRow[], node: string): Promise<void>;
};

export type AttemptedRow = { readonly workflow: string; readonly id: string; readonly dueAt: number };
export type Marking = { readonly node: string; readonly leaseSeconds: number };
export type AttemptStanding = 'marked' | 'again' | 'suspect' | 'given up' | 'elsewhere';

type AttemptRow = {
  readonly workflow: string;
  readonly agenda: string;
  readonly dueAt: number;
  readonly count: number;
  readonly node: string;
  readonly leaseUntil: number;
};

/** A mark that nobody took away is of a row that is gone. */
const WEEK_MS = 7 * 86_400_000;
/** Counts: a process is at it and at others; is at it alone; is at it alone for the second time; it is being given up. */
const MARKED = 1;
const ALONE = 2;
const ALONE_AGAIN = 3;
const GIVEN_UP = 4;
/** Processes that have died of a row that is given up: the one in which it became due, which sets no mark, and two that were at it alone. */
export const DEATHS_MAX = 3;

/** `$1`: the rows as JSON, `[{ "workflow", "agenda", "due_at" }, …]`. */
const GIVEN = 'json_to_recordset($1::json) as g(workflow text, agenda text, due_at bigint)';
const IS_THIS = 'a.workflow = g.workflow and a.agenda = g.agenda';

/**
 * What is looked at is as it was before the statement. Whatever this node has marked before, it has lived through. A mark of a row that was
 * due at another time is about another row.
 *
 * @param isOurs when the mark of a process that is dead is taken over
 */
const marking = (count: string, isOurs: string, next = 'excluded.count'): string => `
  with g as (select * from ${GIVEN}),
  marked as (
    insert into attempt as a (workflow, agenda, due_at, count, node, lease_until)
    select g.workflow, g.agenda, g.due_at, ${count}, $2::text, statement_timestamp() + $3::double precision * interval '1 second' from g
    order by 1, 2
    on conflict (workflow, agenda) do update set
      due_at = excluded.due_at, count = ${next}, node = excluded.node, lease_until = excluded.lease_until
    where a.due_at <> excluded.due_at or (a.node = excluded.node and a.count < ${GIVEN_UP}) or (${isOurs})
    returning workflow, agenda)
  select g.workflow as "workflow", g.agenda as "agenda", m.agenda is not null as "isMarked",
    coalesce(a.lease_until <= statement_timestamp() or a.node = $2::text, false) as "isLeft", coalesce(a.count, 0) as "count"
  from g
  left join marked m on m.workflow = g.workflow and m.agenda = g.agenda
  left join attempt a on ${IS_THIS}`;

export const ATTEMPT = table<AttemptRow>()({
  name: 'attempt',
  key: ['workflow', 'agenda'],
  columns: {
    workflow: 'text',
    agenda: 'text',
    dueAt: 'bigint',
    count: 'integer',
    node: 'text',
    leaseUntil: 'instant',
  },
  statements: {
    // What is looked at is as it was before the statement. Whatever this node has marked before, it has lived through. A mark of a row that was due at another time is about another row.
    mark: marking(`${MARKED}`, 'false'),
    // `$4`: the count from which on it is left as it is.
    mark_alone: marking(
      `${ALONE}`,
      'a.lease_until <= statement_timestamp() and a.count < $4::integer',
      `case when a.due_at <> excluded.due_at or a.node = excluded.node then ${ALONE} else greatest(a.count + 1, ${ALONE}) end`,
    ),
    clear: `
  delete from attempt a using ${GIVEN}
  where ${IS_THIS} and a.due_at = g.due_at and a.node = $2::text`,
  },
  sweep: { by: 'leaseUntil', keepMs: WEEK_MS },
});

export function openAttempts(open: OpenTable): Attempts {
  const rows = open(ATTEMPT);
  return {
    mark: async (given, { node, leaseSeconds }) => {
      const found = await rows.own('mark', [jsonOf(given), node, leaseSeconds]);
      const standings = new Map(
        found.map((record) => [`${record['workflow']} ${record['agenda']}`, standingOf(record)] as const),
      );
      return given.map(({ workflow, id }) => standings.get(`${workflow} ${id}`) ?? 'elsewhere');
    },
    markAlone: async (row, { node, leaseSeconds }, evenSuspect) => {
      const below = evenSuspect ? ALONE_AGAIN : ALONE;
      const [found] = await rows.own('mark_alone', [jsonOf([row]), node, leaseSeconds, below]);
      return found === undefined ? 'elsewhere' : standingOf(found);
    },
    giveUp: ({ workflow, id, dueAt }, node) =>
      rows.update(
        { workflow, agenda: id },
        { count: GIVEN_UP, node, leaseUntil: fromNow(0) },
        { dueAt, leaseUntil: { atMost: fromNow(0) } },
      ),
    clear: async (given, node) => void (await rows.own('clear', [jsonOf(given), node])),
  };
}

function standingOf(record: { readonly [column: string]: unknown }): AttemptStanding {
  if (record['isMarked'] === true) return 'marked';
  if (record['isLeft'] !== true) return 'elsewhere';
  const count = record['count'] as number;
  if (count >= ALONE_AGAIN) return 'given up';
  return count >= ALONE ? 'suspect' : 'again';
}

const jsonOf = (rows: readonly AttemptedRow[]): Cell =>
  JSON.stringify(rows.map(({ workflow, id, dueAt }) => ({ workflow, agenda: id, due_at: dueAt })));
