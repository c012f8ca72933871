import { type AnyTable, columnOf } from './table.ts';

/*
 * Whether anything has changed of what nodes keep in memory: keys, secrets, stored definitions, … One question for all of them, so that a node
 * that has nothing to do asks seldom.
 */

export type ChangeMarks = {
  /**
   * A text that is another one after a row of such a table was written; every table with a column `changedAt` is one. Null: it cannot be told,
   * so read. A row may become visible after the mark has moved on for another: read once more a minute after it has moved.
   *
   * @param ageMsMax a mark that was read so lately for somebody else will do
   */
  changeMark(ageMsMax?: number): Promise<string | null>;
};

/** Where the question goes. */
type Asked = {
  readonly run: (statement: {
    readonly name: string;
    readonly text: string;
  }) => Promise<{ readonly rows: readonly { readonly [column: string]: unknown }[] }>;
};

/** Settings that nodes keep in memory. */
const SETTINGS = ['auth_since'];

export function makeChangeMarks(reads: Asked, tables: readonly Pick<AnyTable, 'name' | 'columns'>[]): ChangeMarks {
  const parts = [
    ...tables
      .filter(({ columns }) => Object.hasOwn(columns, 'changedAt'))
      .map(({ name }) => `(select max(${columnOf('changedAt')})::text from ${name})`),
    ...SETTINGS.map((name) => `(select value from setting where name = '${name}')`),
  ];
  const statement = {
    name: 'change_mark',
    text: `select jsonb_build_array(${parts.join(', ')})::text as mark`,
  };
  let latest: { readonly at: number; readonly mark: string } | null = null;
  return {
    changeMark: async (ageMsMax = 0) => {
      const at = performance.now();
      if (latest !== null && at - latest.at < ageMsMax) return latest.mark;
      const { rows } = await reads.run(statement);
      const mark = String(rows[0]?.['mark']);
      latest = { at, mark };
      return mark;
    },
  };
}
