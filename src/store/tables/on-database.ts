import type { Connections, Result, Statement } from '../connections.ts';
import { type Kinds, pageOf, pageSize, readCursor } from '../page.ts';
import { storable } from '../refusals.ts';
import {
  type AnyTable,
  type Cell,
  columnOf,
  type FreeColumnType,
  type FreeRow,
  type FromNow,
  isFromNow,
  type ListSpec,
  type OpenTable,
  readCondition,
  type TableRows,
} from './table.ts';

/* The tables that belong to no workflow, as SQL. A statement has one text for each set of columns it is about, made when it is first asked for. */

const SQL_TYPES: { readonly [Type in FreeColumnType]: string } = {
  text: 'text',
  bigint: 'bigint',
  integer: 'integer',
  boolean: 'boolean',
  instant: 'double precision',
};
/** Whole milliseconds, so that a time that was read is the one that is stored. */
const NOW = `date_trunc('milliseconds', statement_timestamp())`;
const quoted = (part: string): string => `"${columnOf(part)}"`;

/** A parameter that is written or compared with: a time of the database's clock travels as seconds from now. */
const parameter = (type: FreeColumnType, n: number): string =>
  type === 'instant' ? `(${NOW} + $${n}::double precision * interval '1 second')` : `$${n}::${SQL_TYPES[type]}`;
/** A parameter that was read from the table before. */
const readBefore = (type: FreeColumnType, n: number): string =>
  type === 'instant' ? `to_timestamp($${n}::double precision / 1000)` : `$${n}::${SQL_TYPES[type]}`;
const read = (type: FreeColumnType, part: string): string =>
  type === 'instant'
    ? `(extract(epoch from ${quoted(part)}) * 1000)::bigint as "${part}"`
    : `${quoted(part)} as "${part}"`;

/** A value as it travels. Throws when a time of the database's clock is given as a number: nobody knows how that clock goes. */
function travelling(type: FreeColumnType, part: string, value: Cell | FromNow): Cell {
  if (isFromNow(value)) {
    if (type !== 'instant') throw new Error(`"${part}" is no time of the database's clock`);
    return value.fromNow;
  }
  if (type === 'instant' && value !== null)
    throw new Error(`"${part}" is a time of the database's clock: say how far it is from now`);
  return typeof value === 'string' ? storable(value) : value;
}

/** Opens tables on a database. `reads`: where pages are read. */
export function openOnDatabase(writes: Connections, reads: Connections): OpenTable {
  // A table's columns are those of its rows, so what is answered is what its type says.
  return (table) => rowsOf(table as unknown as AnyTable, writes, reads) as never;
}

type Changing = { readonly [part: string]: Cell | FromNow };

function rowsOf(table: AnyTable, writes: Connections, reads: Connections): TableRows<FreeRow, string, string, string> {
  const { name, key } = table;
  const parts = Object.keys(table.columns);
  const typeOf = (part: string): FreeColumnType => {
    const type = table.columns[part];
    if (type === undefined) throw new Error(`The table ${name} has no "${part}"`);
    return type;
  };
  const all = parts.map((part) => read(typeOf(part), part)).join(', ');
  const built = new Map<string, Statement>();
  /** `sort` and `about` name a statement among those of the table. */
  const statement = (sort: string, about: string, text: () => string): Statement => {
    const known = built.get(`${sort} ${about}`);
    if (known !== undefined) return known;
    // Names end after 63 characters, so not all the columns can be told in it.
    const made = { name: about === '' ? `${name}_${sort}` : `${name}_${sort}_${built.size}`, text: text() };
    built.set(`${sort} ${about}`, made);
    return made;
  };

  const inserting = (): string => `insert into ${name} (${parts.map(quoted).join(', ')})
  values (${parts.map((part, i) => parameter(typeOf(part), i + 1)).join(', ')})
  on conflict (${key.map(quoted).join(', ')})`;
  const valuesOf = (row: Changing, of: readonly string[]): readonly Cell[] =>
    of.map((part) => travelling(typeOf(part), part, row[part] ?? null));

  /** `and …` for each condition, its parameters from `$first` on. */
  function conditions(when: { readonly [part: string]: unknown }, first: number) {
    const given = Object.keys(when).map((part) => ({ part, ...readCondition(when[part] as Cell) }));
    const values: Cell[] = [];
    const texts = given.map(({ part, operator, value }) => {
      if (value === null) return ` and ${quoted(part)} is null`;
      values.push(travelling(typeOf(part), part, value));
      return ` and ${quoted(part)} ${operator} ${parameter(typeOf(part), first + values.length - 1)}`;
    });
    const about = given.map(({ part, operator, value }) => `${part}${value === null ? ' null' : operator}`);
    return { text: texts.join(''), values, about: about.join(',') };
  }
  const isThisRow = (first: number): string =>
    key.map((part, i) => `${quoted(part)} = ${parameter(typeOf(part), first + i)}`).join(' and ');

  const rowOf = (record: Result['rows'][number]): FreeRow =>
    Object.fromEntries(parts.map((part) => [part, record[part] as Cell]));

  return {
    insert: async (row) => {
      const text = statement('insert', '', () => `${inserting()} do nothing`);
      return (await writes.run(text, valuesOf(row, parts))).count === 1;
    },
    put: async (row, keep = []) => {
      const replaced = parts.filter((part) => !key.includes(part) && !keep.includes(part));
      const text = statement(
        'put',
        keep.join(','),
        () =>
          `${inserting()} do update set ${replaced.map((part) => `${quoted(part)} = excluded.${quoted(part)}`).join(', ')}`,
      );
      await writes.run(text, valuesOf(row, parts));
    },
    get: async (of) => {
      const text = statement('get', '', () => `select ${all} from ${name} where ${isThisRow(1)}`);
      const { rows } = await writes.run(text, valuesOf(of, key));
      return rows[0] === undefined ? null : rowOf(rows[0]);
    },
    update: async (of, set, when = {}) => {
      const changed = parts.filter((part) => set[part] !== undefined);
      const { text, values, about } = conditions(when, key.length + changed.length + 1);
      const assignments = (): string =>
        changed.map((part, i) => `${quoted(part)} = ${parameter(typeOf(part), key.length + i + 1)}`).join(', ');
      const updating = statement(
        'update',
        `${changed.join(',')} when ${about}`,
        () => `update ${name} set ${assignments()} where ${isThisRow(1)}${text}`,
      );
      const given = [...valuesOf(of, key), ...valuesOf(set as Changing, changed), ...values];
      return (await writes.run(updating, given)).count === 1;
    },
    delete: async (of, when = {}) => {
      const { text, values, about } = conditions(when, key.length + 1);
      const deleting = statement('delete', about, () => `delete from ${name} where ${isThisRow(1)}${text}`);
      return (await writes.run(deleting, [...valuesOf(of, key), ...values])).count === 1;
    },
    list: async (of, { by, limit, after = null, upTo }) => {
      const list: ListSpec<FreeRow> | undefined = table.lists?.[of];
      if (list === undefined) throw new Error(`The table ${name} has no list "${of}"`);
      const { order, present, newestFirst = false } = list;
      const size = pageSize(limit);
      const values: Cell[] = [size + 1, ...valuesOf(by as Changing, list.by)];
      const texts = list.by.map((part, i) => `${quoted(part)} = ${parameter(typeOf(part), i + 2)}`);
      if (present !== undefined) texts.push(`${quoted(present)} is not null`);
      const [first = ''] = order;
      if (upTo !== undefined) {
        values.push(travelling(typeOf(first), first, upTo));
        texts.push(`${quoted(first)} <= ${parameter(typeOf(first), values.length)}`);
      }
      if (after !== null) {
        const place = readCursor(after, order.map(kindOf));
        const behind = order.map((part, i) => readBefore(typeOf(part), values.length + i + 1)).join(', ');
        values.push(...place);
        texts.push(`(${order.map(quoted).join(', ')}) ${newestFirst ? '<' : '>'} (${behind})`);
      }
      const reading = statement(
        `list_${columnOf(of)}`,
        `${upTo === undefined ? '' : 'up to'}${after === null ? '' : 'after'}`,
        () => `select ${all} from ${name}${texts.length === 0 ? '' : ` where ${texts.join(' and ')}`}
  order by ${order.map((part) => `${quoted(part)}${newestFirst ? ' desc' : ''}`).join(', ')} limit $1::integer`,
      );
      const { rows } = await reads.run(reading, values);
      return pageOf(rows.map(rowOf), size, (row) => order.map((part) => row[part] as string | number));
    },
    own: async (of, values) => {
      const text = table.statements?.[of];
      if (text === undefined) throw new Error(`The table ${name} has no statement "${of}"`);
      const given = values.map((value) => (typeof value === 'string' ? storable(value) : value));
      return (
        await writes.run(
          statement(columnOf(of), '', () => text),
          given,
        )
      ).rows;
    },
  };

  function kindOf(part: string): Kinds[number] {
    return typeOf(part) === 'text' ? 'string' : 'number';
  }
}

/** Deletes at most `$2` rows that are too old: by business time older than `$1`, or by the database's clock for more than `$1` seconds. */
export function sweepStatement(table: AnyTable): Statement | null {
  if (table.sweep === null) return null;
  const { name, key, sweep } = table;
  const keys = key.map(quoted).join(', ');
  const age =
    table.columns[sweep.by] === 'instant'
      ? `statement_timestamp() - $1::double precision * interval '1 second'`
      : '$1::bigint';
  const by = quoted(sweep.by);
  return {
    name: `sweep_${name}`,
    text: `delete from ${name} where (${keys}) in (
    select ${keys} from ${name} where ${by} < ${age} order by ${by} limit $2)`,
  };
}
