import { pageOf, pageSize, readCursor } from '../../src/store/page.ts';
import { storable } from '../../src/store/refusals.ts';
import {
  type AnyTable,
  type Cell,
  type FreeRow,
  type FromNow,
  isFromNow,
  type OpenTable,
  readCondition,
  type TableRows,
} from '../../src/store/tables/table.ts';

/* The tables that belong to no workflow, in the simulated database: each a map by key. A new table costs nothing here. */

/** Rows of one table by the text of their key. */
export type StoredRows = Map<string, FreeRow>;
export type StoredTables = Map<string, StoredRows>;

/** What statements of a table's own (`Table.statements`) do, by `table.statement`. */
const OWN: {
  readonly [statement: string]: (
    rows: StoredRows,
    values: readonly Cell[],
    now: number,
    tables: StoredTables,
  ) => readonly FreeRow[];
} = {
  'node.beat': (rows, [id, role, url, version, name, leaseSeconds, attributes = null, figures = null], now) => {
    const key = keyText({ key: ['id'] }, { id: id ?? null });
    const before = rows.get(key);
    rows.set(key, {
      ...{
        id,
        role,
        url,
        version,
        name,
        attributes,
        figures,
        seenAt: now,
        leaseUntil: now + Number(leaseSeconds) * 1000,
      },
      startedAt: before?.['startedAt'] ?? now,
      registry: before?.['registry'] ?? null,
    } as FreeRow);
    return [...rows.values()].sort(
      (a, b) => Number(a['startedAt']) - Number(b['startedAt']) || (String(a['id']) < String(b['id']) ? -1 : 1),
    );
  },
  'attempt.mark': (rows, [given, node = null, leaseSeconds], now) =>
    mark(rows, { given, node, leaseUntil: now + Number(leaseSeconds) * 1000, now, takes: () => false, next: () => 1 }),
  'attempt.mark_alone': (rows, [given, node = null, leaseSeconds, below], now) =>
    mark(rows, {
      ...{ given, node, leaseUntil: now + Number(leaseSeconds) * 1000, now },
      takes: (before) => Number(before['leaseUntil']) <= now && Number(before['count']) < Number(below),
      next: (before) => Math.max(Number(before['count']) + 1, 2),
    }),
  'delivery.claim': (rows, [dueBy, limit, claim = null, leaseSeconds, skip], now) => {
    const isOwed = (row: FreeRow): boolean => row['dueAt'] !== null;
    const isFirst = (row: FreeRow): boolean =>
      row['ordered'] !== true ||
      [...rows.values()].every(
        (other) =>
          !isOwed(other) ||
          other['subscription'] !== row['subscription'] ||
          other['workflowId'] !== row['workflowId'] ||
          Number(other['n']) >= Number(row['n']),
      );
    const due = [...rows]
      .filter(([, row]) => isOwed(row) && Number(row['dueAt']) <= Number(dueBy))
      .filter(([, row]) => row['leaseUntil'] === null || Number(row['leaseUntil']) < now)
      .filter(
        ([, row]) =>
          !(JSON.parse(String(skip)) as readonly Cell[]).includes(row['target'] ?? row['subscription'] ?? null),
      )
      .filter(([, row]) => isFirst(row))
      .sort(([, a], [, b]) => Number(a['dueAt']) - Number(b['dueAt']))
      .slice(0, Number(limit));
    return due.map(([key, row]) => {
      const mine = { ...row, claim, leaseUntil: now + Number(leaseSeconds) * 1000 };
      rows.set(key, mine);
      return mine;
    });
  },
  'delivery.hasten': (rows, [subscription, now = null, limit]) => {
    const later = [...rows]
      .filter(([, row]) => row['subscription'] === subscription && row['dueAt'] !== null)
      .filter(([, row]) => Number(row['dueAt']) > Number(now))
      .slice(0, Number(limit));
    for (const [key, row] of later) rows.set(key, { ...row, dueAt: now });
    return later.map(([, { id = null }]) => ({ id }));
  },
  'delivery.renew': (rows, [id, claim, leaseSeconds], now) => {
    const key = keyText({ key: ['id'] }, { id: id ?? null });
    const row = rows.get(key);
    if (row === undefined || row['claim'] !== claim || Number(row['leaseUntil']) <= now || row['dueAt'] === null)
      return [];
    rows.set(key, { ...row, leaseUntil: now + Number(leaseSeconds) * 1000 });
    return [{ id: row['id'] ?? null }];
  },
  'delivery.next_due': (rows, [after]) => {
    const times = [...rows.values()].flatMap(({ dueAt }) =>
      dueAt !== null && Number(dueAt) > Number(after) ? [Number(dueAt)] : [],
    );
    return times.length === 0 ? [] : [{ dueAt: Math.min(...times) }];
  },
  'delivery.owed': (rows, [subscription, most]) => {
    const count = [...rows.values()].filter(
      (row) => row['subscription'] === subscription && row['dueAt'] !== null,
    ).length;
    return [{ owed: Math.min(count, Number(most)) }];
  },
  'event.find': (rows, [tenant, at, id, state, type, key, source, from, to, now, limit]) => {
    const stateOf = (row: FreeRow): Cell =>
      row['state'] === 'kept' && Number(row['expiresAt']) <= Number(now) ? 'expired' : (row['state'] ?? null);
    const isBehind = (row: FreeRow): boolean =>
      Number(row['receivedAt']) < Number(at) || (row['receivedAt'] === at && String(row['eventId']) < String(id));
    const is = (wanted: Cell | undefined, value: Cell | undefined): boolean => wanted === null || wanted === value;
    return [...rows.values()]
      .filter((row) => row['tenant'] === tenant && isBehind(row) && is(state, stateOf(row)) && is(type, row['type']))
      .filter((row) => is(key, row['key']) && is(source, row['source']))
      .filter((row) => from === null || Number(row['receivedAt']) >= Number(from))
      .filter((row) => to === null || Number(row['receivedAt']) <= Number(to))
      .sort((a, b) =>
        a['receivedAt'] === b['receivedAt']
          ? String(a['eventId']) < String(b['eventId'])
            ? 1
            : -1
          : Number(b['receivedAt']) - Number(a['receivedAt']),
      )
      .slice(0, Number(limit));
  },
  'event.kept_count': (rows, [tenant, now, most]) => {
    const kept = [...rows.values()].filter(
      (row) => row['tenant'] === tenant && row['state'] === 'kept' && Number(row['expiresAt']) > Number(now),
    );
    return [{ n: Math.min(kept.length, Number(most)) }];
  },
  'event.due': (rows, [limit]) =>
    [...rows.values()]
      .filter((row) => row['due'] === true)
      .sort((a, b) => Number(a['receivedAt']) - Number(b['receivedAt']))
      .slice(0, Number(limit))
      .map((row) => ({ eventId: row['eventId'] ?? null, tenant: row['tenant'] ?? null })),
  'attempt.clear': (rows, [given, node]) => {
    for (const { workflow, agenda, due_at } of attemptsIn(given)) {
      const key = keyText({ key: ['workflow', 'agenda'] }, { workflow, agenda });
      const known = rows.get(key);
      if (known?.['dueAt'] === due_at && known['node'] === node) rows.delete(key);
    }
    return [];
  },
  'batch.unfinished': (rows, [tenant]) => [
    { n: [...rows.values()].filter((row) => row['tenant'] === tenant && isOpen(row)).length },
  ],
  'batch.waiting': (rows, [limit], now) =>
    [...rows.values()]
      .filter((row) => (isOpen(row) || row['owner'] !== null) && Number(row['leaseUntil']) <= now)
      .sort((a, b) => Number(a['nextAt']) - Number(b['nextAt']))
      .slice(0, Number(limit))
      .map((row) => ({
        id: row['id'] ?? null,
        tenant: row['tenant'] ?? null,
        waitSeconds: Math.max(0, (Number(row['nextAt']) - now) / 1000),
      })),
  'figure.oldest': (rows, [minute]) =>
    [...rows.values()]
      .filter((row) => Number(row['minute']) < Number(minute) && row['node'] !== 'hour')
      .sort((a, b) => Number(a['minute']) - Number(b['minute']) || (String(a['tenant']) < String(b['tenant']) ? -1 : 1))
      .slice(0, 1)
      .map((row) => ({ tenant: row['tenant'] ?? null, minute: row['minute'] ?? null })),
  'figure.between': (rows, [tenant, from, to]) =>
    [...rows.values()]
      .filter(
        (row) =>
          row['tenant'] === tenant && Number(row['minute']) >= Number(from) && Number(row['minute']) < Number(to),
      )
      .map((row) => ({ figures: row['figures'] ?? null })),
  'figure.clear': (rows, [tenant = null, from = null, to]) => {
    for (const [key, row] of rows)
      if (
        row['tenant'] === tenant &&
        row['node'] !== 'hour' &&
        Number(row['minute']) >= Number(from) &&
        Number(row['minute']) < Number(to)
      )
        rows.delete(key);
    return [];
  },
  'batch_item.collect': (rows, [id = null, from, next = null, isLast, given], now, tables) => {
    const [key, batch] = batchOf(tables, id);
    if (batch?.['state'] !== 'collecting' || batch['place'] !== from) return [];
    const found = JSON.parse(String(given)) as readonly { readonly w: string; readonly o: string | null }[];
    const before = Number(batch['total']);
    const total = before + found.length;
    const state = isLast !== true ? 'collecting' : total === 0 ? 'completed' : 'running';
    rowsOfTable(tables, 'batch').set(key, {
      ...{ ...batch, place: next, total, state },
      endedAt: state === 'completed' ? now : null,
    });
    for (const [i, { w, o }] of found.entries()) {
      const item = { batchId: id, seq: before + i + 1, workflow: w, object: o, taken: false, lastN: null };
      const key = keyText({ key: ['batchId', 'seq'] }, item);
      rows.set(key, { ...item, state: 'left', code: null, message: null, createdAt: now });
    }
    return [{ total }];
  },
  'batch_item.take': (rows, [id = null, given]) =>
    (JSON.parse(String(given)) as readonly { readonly seq: number; readonly last_n: number }[]).flatMap((one) => {
      const key = keyText({ key: ['batchId', 'seq'] }, { batchId: id, seq: one.seq });
      const row = rows.get(key);
      if (row?.['state'] !== 'left') return [];
      const lastN = row['lastN'] ?? one.last_n;
      rows.set(key, { ...row, taken: true, lastN });
      return [{ seq: one.seq, lastN }];
    }),
  'batch_item.settle': (rows, [id = null, given], now, tables) => {
    const [key, batch] = batchOf(tables, id);
    const counts = { done: 0, failed: 0, skipped: 0, left: 0 };
    for (const { seq, ...told } of JSON.parse(String(given)) as readonly FreeRow[]) {
      const of = keyText({ key: ['batchId', 'seq'] }, { batchId: id, seq: seq ?? null });
      const row = rows.get(of);
      if (row?.['state'] !== 'left') continue;
      rows.set(of, { ...row, ...told, taken: false });
      counts[told['state'] as keyof typeof counts] += 1;
    }
    if (batch === undefined) return [];
    const [done, failed, skipped] = (['done', 'failed', 'skipped'] as const).map(
      (name) => Number(batch[name]) + counts[name],
    ) as [number, number, number];
    const isOver = batch['state'] === 'running' && done + failed + skipped >= Number(batch['total']);
    rowsOfTable(tables, 'batch').set(key, {
      ...{ ...batch, done, failed, skipped },
      ...(isOver ? { state: 'completed', endedAt: now } : {}),
    });
    return [];
  },
  'batch_item.problems': (rows, [id]) => {
    const counts = new Map<string, number>();
    for (const row of rows.values())
      if (row['batchId'] === id && (row['state'] === 'failed' || row['state'] === 'skipped')) {
        const code = String(row['code'] ?? 'internal');
        counts.set(code, (counts.get(code) ?? 0) + 1);
      }
    return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([code, n]) => ({ code, n }));
  },
  'definition_name.change': (rows, values, now, tables) => rename(rows, values, now, tables),
  'definition_name.add': (rows, values, now, tables) => {
    const named = rename(rows, values, now, tables);
    if (named.length === 0) return [];
    const [tenant, name, , version, , hash, source, sha256, format, options] = values as readonly Cell[];
    const [text = null, stored = null, note = null, createdBy = null] = values.slice(14);
    const put = (table: string, key: readonly string[], row: FreeRow): void => {
      rowsOfTable(tables, table).set(keyText({ key }, row), row);
    };
    put('definition_source', ['hash'], { hash: source, text } as FreeRow);
    put('definition', ['hash'], { hash, stored } as FreeRow);
    put('definition_version', ['tenant', 'name', 'version'], {
      ...{ tenant, name, version, hash, source, sha256, format, options },
      ...{ note, createdAt: now, createdBy },
    } as FreeRow);
    return named;
  },
};

const isOpen = (row: FreeRow): boolean => row['state'] === 'collecting' || row['state'] === 'running';

function batchOf(tables: StoredTables, id: Cell): readonly [string, FreeRow | undefined] {
  const key = keyText({ key: ['id'] }, { id });
  return [key, rowsOfTable(tables, 'batch').get(key)];
}

/** The row of a name, where it is the one that was read, and no other row has its route. */
function rename(rows: StoredRows, values: readonly Cell[], now: number, tables: StoredTables): readonly FreeRow[] {
  const parts = ['tenant', 'name', 'active', 'last', 'ver', 'hash', 'source', 'sha256', 'format', 'options'];
  const all = [...parts, 'routeMethod', 'routeShape', 'routePublic'];
  const row: FreeRow = { ...Object.fromEntries(all.map((part, i) => [part, values[i] ?? null])), changedAt: now };
  const key = keyText({ key: ['tenant', 'name'] }, row);
  if ((rows.get(key)?.['ver'] ?? 0) !== Number(row['ver']) - 1) return [];
  const isSame = (other: FreeRow): boolean =>
    other['active'] !== null &&
    other['routeMethod'] === row['routeMethod'] &&
    other['routeShape'] === row['routeShape'] &&
    (other['tenant'] === row['tenant'] || (other['routePublic'] === true && row['routePublic'] === true));
  if (row['active'] !== null && row['routeShape'] !== null)
    for (const [at, other] of rows)
      if (at !== key && isSame(other)) throw Object.assign(new Error('the route is taken'), { code: '23505' });
  rows.set(key, row);
  reschedule(rowsOfTable(tables, 'schedule'), row, String(values[13]));
  return [row];
}

/** The schedules of a definition are these from now on; those that are as they were stay so. */
function reschedule(rows: StoredRows, { tenant, name, active }: FreeRow, given: string): void {
  const wanted = JSON.parse(given) as readonly { readonly [part: string]: Cell }[];
  const keyOf = (id: Cell | undefined): string => keyText({ key: ['tenant', 'id'] }, { tenant, id } as FreeRow);
  for (const [key, row] of rows)
    if (row['tenant'] === tenant && row['definition'] === name && !wanted.some(({ id }) => id === row['id']))
      rows.delete(key);
  for (const { id, spec, since, due_at, wake_at, paused } of wanted) {
    const before = rows.get(keyOf(id));
    const fresh = { tenant, id, definition: name, version: active ?? 0, spec } as FreeRow;
    const times = { since, dueAt: due_at, wakeAt: wake_at, paused } as FreeRow;
    if (before === undefined)
      rows.set(keyOf(id), { ...fresh, ...times, firing: '[]', queued: '[]', recent: '[]', ver: 1 });
    else
      rows.set(keyOf(id), {
        ...before,
        ...fresh,
        ...(before['spec'] === spec ? {} : times),
        ver: Number(before['ver']) + 1,
      });
  }
}

function mark(
  rows: StoredRows,
  by: {
    readonly given: Cell | undefined;
    readonly node: Cell;
    readonly leaseUntil: number;
    readonly now: number;
    readonly takes: (before: FreeRow) => boolean;
    readonly next: (before: FreeRow) => number;
  },
): FreeRow[] {
  return attemptsIn(by.given).map(({ workflow, agenda, due_at }) => {
    const key = keyText({ key: ['workflow', 'agenda'] }, { workflow, agenda });
    const before = rows.get(key);
    const isOther = before === undefined || before['dueAt'] !== due_at;
    const isOwn = before?.['node'] === by.node;
    const isMarked = isOther || (isOwn && Number(before['count']) < 4) || by.takes(before);
    const count = isOther || isOwn ? by.next({ count: 0 }) : by.next(before);
    if (isMarked) rows.set(key, { workflow, agenda, dueAt: due_at, count, node: by.node, leaseUntil: by.leaseUntil });
    const isLeft = before !== undefined && (Number(before['leaseUntil']) <= by.now || isOwn);
    return { workflow, agenda, isMarked, isLeft, count: before?.['count'] ?? 0 };
  });
}

const attemptsIn = (given: Cell | undefined) =>
  JSON.parse(String(given)) as readonly {
    readonly workflow: string;
    readonly agenda: string;
    readonly due_at: number;
  }[];

export const rowsOfTable = (tables: StoredTables, name: string): StoredRows => {
  const known = tables.get(name) ?? new Map<string, FreeRow>();
  tables.set(name, known);
  return known;
};

export const keyText = (table: Pick<AnyTable, 'key'>, row: FreeRow): string =>
  JSON.stringify(table.key.map((part) => row[part]));

/** `ask`: one question over the link and its answer. */
export function openInMemory(
  database: { readonly tables: StoredTables; readonly now: () => number },
  ask: <Result>(what: string, act: () => Result) => Promise<Result>,
): OpenTable {
  // A table's columns are those of its rows, so what is answered is what its type says.
  return (table) => rowsOf(table as unknown as AnyTable) as never;

  function rowsOf(table: AnyTable): TableRows<FreeRow, string, string, string> {
    const rows = rowsOfTable(database.tables, table.name);
    const parts = Object.keys(table.columns);
    const cell = (value: Cell | FromNow | undefined): Cell => {
      if (isFromNow(value)) return database.now() + value.fromNow * 1000;
      return typeof value === 'string' ? storable(value) : (value ?? null);
    };
    const written = (row: { readonly [part: string]: Cell | FromNow | undefined }, of: readonly string[]): FreeRow =>
      Object.fromEntries(of.map((part) => [part, cell(row[part])]));
    const holds = (row: FreeRow, when: { readonly [part: string]: unknown }): boolean =>
      Object.entries(when).every(([part, condition]) => {
        const { operator, value } = readCondition(condition as Cell);
        const [here = null, there] = [row[part], cell(value)];
        return operator === '=' ? here === there : here !== null && there !== null && here <= there;
      });
    const found = (of: FreeRow): readonly [string, FreeRow | undefined] => {
      const key = keyText(table, of);
      return [key, rows.get(key)];
    };
    const say = <Result>(what: string, act: () => Result): Promise<Result> => ask(`${what} ${table.name}`, act);

    return {
      insert: (row) =>
        say('insert', () => {
          const stored = written(row, parts);
          const [key, known] = found(stored);
          if (known === undefined) rows.set(key, stored);
          return known === undefined;
        }),
      put: (row, keep = []) =>
        say('put', () => {
          const stored = written(row, parts);
          const [key, known] = found(stored);
          rows.set(key, known === undefined ? stored : { ...stored, ...written(known, keep) });
        }),
      get: (of) => say('get', () => found(of)[1] ?? null),
      update: (of, set, when = {}) =>
        say('update', () => {
          const [key, known] = found(of);
          if (known === undefined || !holds(known, when)) return false;
          const changed = parts.filter((part) => set[part] !== undefined);
          rows.set(key, { ...known, ...written(set, changed) });
          return true;
        }),
      delete: (of, when = {}) =>
        say('delete', () => {
          const [key, known] = found(of);
          return known !== undefined && holds(known, when) && rows.delete(key);
        }),
      list: (of, { by, limit, after = null, upTo }) =>
        say('list', () => {
          const list = table.lists?.[of];
          if (list === undefined) throw new Error(`The table ${table.name} has no list "${of}"`);
          const { order, present, newestFirst = false } = list;
          const [first = ''] = order;
          const place = (row: FreeRow): readonly (string | number)[] =>
            order.map((part) => row[part] as string | number);
          const from =
            after === null
              ? null
              : readCursor(
                  after,
                  order.map((part) => (table.columns[part] === 'text' ? 'string' : 'number')),
                );
          const compared = (a: readonly (string | number)[], b: readonly (string | number)[]): number => {
            const i = a.findIndex((value, at) => value !== b[at]);
            if (i === -1) return 0;
            return ((a[i] as Cell) ?? '') < ((b[i] as Cell) ?? '') !== newestFirst ? -1 : 1;
          };
          const all = [...rows.values()]
            .filter((row) => holds(row, written(by, list.by)))
            .filter((row) => present === undefined || row[present] !== null)
            .filter((row) => upTo === undefined || holds(row, { [first]: { atMost: upTo } }))
            .filter((row) => from === null || compared(place(row), from) > 0)
            .sort((a, b) => compared(place(a), place(b)));
          const size = pageSize(limit);
          return pageOf(all.slice(0, size + 1), size, place);
        }),
      own: (of, values) =>
        say(of, () => {
          const act = OWN[`${table.name}.${of}`];
          if (act === undefined)
            throw new Error(`The simulation does not know ${table.name}.${of}: tell it in tables.ts`);
          return act(rows, values, database.now(), database.tables);
        }),
    };
  }
}

/** What `Store.retire` does to a table: at most `limit` of its oldest rows go that are too old. */
export function sweepInMemory(
  table: AnyTable,
  database: { readonly tables: StoredTables; readonly now: () => number },
  request: { readonly now: number; readonly limit: number; readonly keepMs?: { readonly [table: string]: number } },
): void {
  const { sweep, name } = table;
  if (sweep === null) return;
  const rows = rowsOfTable(database.tables, name);
  const now = table.columns[sweep.by] === 'instant' ? database.now() : request.now;
  const oldest = now - (request.keepMs?.[name] ?? sweep.keepMs);
  const age = (row: FreeRow): number => (row[sweep.by] as number | null) ?? Number.POSITIVE_INFINITY;
  const old = [...rows].filter(([, row]) => age(row) < oldest).sort(([, a], [, b]) => age(a) - age(b));
  for (const [key] of old.slice(0, request.limit)) rows.delete(key);
}
