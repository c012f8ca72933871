import { type AnyTable, columnOf } from './table.ts';

/*
 * What a node that has nothing to do wants to know, in one statement: whether anything has changed of what it keeps in memory (keys, secrets,
 * stored definitions, …), when something is due next, and whether there is any of what most installations have none of.
 */

export type ChangeMarks = {
  /**
   * A text that is another one after a row of such a table was written; every table with a column `changedAt` is one. Null: it cannot be told,
   * so read. A row may become visible after the mark has moved on for another: read once more a minute after it has moved.
   *
   * @param ageMsMax a mark that was read so lately for somebody else will do
   */
  changeMark(ageMsMax?: number): Promise<string | null>;
  /** Calls `hear` with what each question for the mark has told besides. Returns how to stop. */
  onGlance(hear: (glance: Glance) => void): () => void;
};

export type Glance = {
  /**
   * The earliest due time of any agenda row, or owed message, that is not held and that nobody is at; null: there is none. Left out where it takes many
   * questions.
   */
  readonly dueAt?: number | null;
  readonly inUse: Readonly<Record<Occasional, boolean>>;
};

/** Of these most installations have none. */
export type Occasional = keyof typeof OCCASIONAL;
const OCCASIONAL = {
  batches: "select from batch where state in ('collecting', 'running') or owner is not null",
  deliveries: 'select from delivery where due_at is not null',
  events: 'select from event where due',
  schedules: 'select from schedule where wake_at is not null',
} as const;
const occasional = Object.keys(OCCASIONAL) as readonly Occasional[];

/** Where the question goes. */
type Asked = {
  readonly run: (statement: {
    readonly name: string;
    readonly text: string;
  }) => Promise<{ readonly rows: readonly { readonly [column: string]: unknown }[] }>;
};

/** Settings that nodes keep in memory. */
const SETTINGS = ['auth_since'];

/** @param nextDue an expression for the earliest due time; null: it is not asked for here */
export function makeChangeMarks(
  reads: Asked,
  tables: readonly Pick<AnyTable, 'name' | 'columns'>[],
  nextDue: string | null,
): ChangeMarks {
  const parts = [
    ...tables
      .filter(({ columns }) => Object.hasOwn(columns, 'changedAt'))
      .map(({ name }) => `(select max(${columnOf('changedAt')})::text from ${name})`),
    ...SETTINGS.map((name) => `(select value from setting where name = '${name}')`),
  ];
  const statement = {
    name: 'change_mark',
    text: `select jsonb_build_array(${parts.join(', ')})::text as mark${nextDue === null ? '' : `, ${nextDue} as due_at`},
    ${occasional.map((kind) => `exists (${OCCASIONAL[kind]}) as ${kind}`).join(', ')}`,
  };
  const listeners = new Set<(glance: Glance) => void>();
  let latest: { readonly at: number; readonly mark: string } | null = null;
  return {
    changeMark: async (ageMsMax = 0) => {
      const at = performance.now();
      if (latest !== null && at - latest.at < ageMsMax) return latest.mark;
      const [row] = (await reads.run(statement)).rows;
      const mark = String(row?.['mark']);
      latest = { at, mark };
      const inUse = Object.fromEntries(occasional.map((kind) => [kind, row?.[kind] === true]));
      const due = nextDue === null ? {} : { dueAt: (row?.['due_at'] ?? null) as number | null };
      for (const hear of listeners) hear({ ...due, inUse: inUse as Glance['inUse'] });
      return mark;
    },
    onGlance: (hear) => {
      listeners.add(hear);
      return () => void listeners.delete(hear);
    },
  };
}
