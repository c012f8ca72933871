import type { Connections, Statement } from '../../src/store/connections.ts';
import { openOnDatabase, sweepStatement } from '../../src/store/tables/on-database.ts';
import { type AnyTable, type Cell, type FreeRow, fromNow, type TableRows } from '../../src/store/tables/table.ts';

/* Every statement that can be made of a table that belongs to no workflow. */

type Sent = { readonly text: string; readonly values: readonly unknown[] };

const SAMPLES = { text: 'x', bigint: 1, integer: 1, boolean: true } as const;

export async function everyStatementOf(table: AnyTable): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const run = async ({ text }: Statement, values: readonly unknown[] = []) => {
    sent.push({ text, values });
    return { rows: [], count: 0, command: '' };
  };
  const connections: Connections = { run, take: () => Promise.reject(new Error('not here')), close: async () => {} };
  const rows = openOnDatabase(connections, connections)(table as never) as unknown as TableRows<
    FreeRow,
    string,
    string,
    string
  >;
  const parts = Object.keys(table.columns);
  const sample = (part: string) => {
    const type = table.columns[part] ?? 'text';
    return type === 'instant' ? fromNow(1) : SAMPLES[type];
  };
  const written = (of: readonly string[]) => Object.fromEntries(of.map((part) => [part, sample(part)])) as FreeRow;
  const key = written(table.key);
  await rows.insert(written(parts));
  await rows.put(written(parts));
  await rows.get(key);
  for (const part of parts) {
    await rows.update(key, written([part]), { [part]: null });
    await rows.update(key, { [part]: null }, { [part]: { atMost: sample(part) } });
    await rows.delete(key, written([part]));
  }
  for (const [name, { by, order }] of Object.entries(table.lists ?? {}))
    for (const upTo of [undefined, sample(order[0] ?? '')])
      for (const after of [null, cursor(order.map((part) => (table.columns[part] === 'text' ? 'x' : 1)))])
        await rows.list(name, { by: written(by), limit: 10, after, ...(upTo === undefined ? {} : { upTo }) });
  for (const [name, text] of Object.entries(table.statements ?? {}))
    await rows.own(
      name,
      Array.from({ length: new Set(text.match(/\$\d+/g)).size }, () => null),
    );
  const sweep = sweepStatement(table);
  if (sweep !== null) await run(sweep, [1, 10]);
  return sent;
}

const cursor = (key: readonly Cell[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');
