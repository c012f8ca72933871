import type { Page } from '../page.ts';

/*
 * A table of rows that belong to no workflow, as data. Each such table is one file of this folder: what its columns are, in which orders its
 * rows are listed, when a row is too old to keep; and the small type through which the rest of the server uses it. The statements follow from
 * that (on-database.ts), and so do the rows of the simulated store (test/simulation/tables.ts).
 */

/**
 * `bigint`, `integer`: numbers. `instant`: a time of the database's own clock (`timestamptz`), read as milliseconds since 1970 and only ever
 * written as so many seconds from now (`fromNow`).
 */
export type FreeColumnType = 'text' | 'bigint' | 'integer' | 'boolean' | 'instant';

/** What a column can hold. */
export type Cell = string | number | boolean | null;
export type FreeRow = { readonly [column: string]: Cell };

/** A time of the database's clock, so many seconds from the moment at which the statement runs; negative: before it. */
export type FromNow = { readonly fromNow: number };
export const fromNow = (seconds: number): FromNow => ({ fromNow: seconds });

/** A row, or some parts of it, as they are written. */
export type Written<Row> = { readonly [Column in keyof Row]: Row[Column] | FromNow };

/** What a part of a row has to be for a change to take effect: equal to a value, or at most as large (null never is). */
export type Condition<Value> = Value | FromNow | { readonly atMost: Value | FromNow };
export type Conditions<Row> = { readonly [Column in keyof Row]?: Condition<Row[Column]> };

/** An order in which rows are walked, and what they have in common. Needs an index over `by`, then `order`. */
export type ListSpec<Row> = {
  /** Columns that are asked for by value. */
  readonly by: readonly (keyof Row & string)[];
  /** The last of them makes the order total. None of them is ever null in a row of the list. */
  readonly order: readonly (keyof Row & string)[];
  /** All of `order` descending. */
  readonly newestFirst?: boolean;
  /** Only rows in which this column is not null. */
  readonly present?: keyof Row & string;
};

export type Table<Row, Key extends keyof Row & string, List extends string, Own extends string> = {
  readonly name: string;
  readonly key: readonly Key[];
  /** The column of a part is its name with underscores: `openedAt`, `opened_at`. */
  readonly columns: { readonly [Column in keyof Row & string]: FreeColumnType };
  readonly lists?: { readonly [Name in List]: ListSpec<Row> };
  /** What cannot be said by columns: SQL by name, with parameters `$1` and so on. The simulated store has to say the same in its way. */
  readonly statements?: { readonly [Name in Own]: string };
  /** Rows whose `by` lies so far back are thrown away by house-keeping; a `bigint` counts as business time. Null: never. Needs an index. */
  readonly sweep: { readonly by: keyof Row & string; readonly keepMs: number } | null;
};

/** A table of whatever rows. */
export type AnyTable = {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: { readonly [column: string]: FreeColumnType };
  readonly lists?: { readonly [name: string]: ListSpec<FreeRow> };
  readonly statements?: { readonly [name: string]: string };
  readonly sweep: { readonly by: string; readonly keepMs: number } | null;
};

/** `table<Row>()({ … })`: the rest of the types follows from what is written there. */
export const table =
  <Row>() =>
  <const Key extends keyof Row & string, const List extends string = never, const Own extends string = never>(
    spec: Table<Row, Key, List, Own>,
  ): Table<Row, Key, List, Own> =>
    spec;

/** The rows of a table. Each call is one statement, which takes effect whole or not at all. Throws DataRefused, StoreUnavailable. */
export type TableRows<Row, Key extends keyof Row & string, List extends string, Own extends string> = {
  /** False, and nothing has changed, when there is a row of this key already. */
  insert(row: Written<Row>): Promise<boolean>;
  /** Inserts the row or replaces it, all but the columns to `keep` as they are. */
  put(row: Written<Row>, keep?: readonly (keyof Row & string)[]): Promise<void>;
  get(key: Pick<Row, Key>): Promise<Row | null>;
  /** Sets some columns of the row where it is there and `when` holds; whether it did. */
  update(key: Pick<Row, Key>, set: Partial<Written<Row>>, when?: Conditions<Row>): Promise<boolean>;
  /** Whether there was such a row, and `when` held. */
  delete(key: Pick<Row, Key>, when?: Conditions<Row>): Promise<boolean>;
  /**
   * One page of a list. `by`: the values it asks for; `upTo`: only rows whose first column of the order is at most this; `after`: the `next` of
   * the page before (Fault request_invalid when it is none of ours).
   */
  list(
    name: List,
    query: {
      readonly by: Partial<Row>;
      readonly limit: number;
      readonly after?: string | null;
      readonly upTo?: Cell | FromNow;
    },
  ): Promise<Page<Row>>;
  /** Runs a statement of the table's own; the rows it answers, keyed by the names of their columns. */
  own(statement: Own, values: readonly Cell[]): Promise<readonly { readonly [column: string]: unknown }[]>;
};

/** How a table of a store is opened: on a database, or in the memory of the simulation. */
export type OpenTable = <Row, Key extends keyof Row & string, List extends string, Own extends string>(
  table: Table<Row, Key, List, Own>,
) => TableRows<Row, Key, List, Own>;

/** `openedAt` is the column `opened_at`. */
export const columnOf = (part: string): string => part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const isFromNow = (value: unknown): value is FromNow =>
  typeof value === 'object' && value !== null && 'fromNow' in value;

/** A condition as its operator and what it compares with. */
export function readCondition(condition: Condition<Cell>): {
  readonly operator: '=' | '<=';
  readonly value: Cell | FromNow;
} {
  if (typeof condition === 'object' && condition !== null && 'atMost' in condition)
    return { operator: '<=', value: condition.atMost };
  return { operator: '=', value: condition };
}
