import pg from 'pg';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { fillWithWorkflows, LARGE, questionsOf } from '../support/many-workflows.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';

/*
 * The plans of lists and counts: an index leads to what they show, whatever is asked for together. Looked at as the database makes them for a
 * statement that comes often: without knowing its parameters.
 */

const WORKFLOWS = 20_000;
/** Rows one node of a plan may read, with those it throws away: what is counted exactly, and some. */
const READ_MAX = 12_000;
/** Rows of a table one may walk through: all that is there of small ones. */
const WALKED_MAX = 5_000;
/** Rows one sort may be given. */
const SORTED_MAX = 10_000;
const TABLES = ['workflow', 'workitem', 'attribute', 'error'];

type Node = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
};

/** What is wrong with a plan; none: nothing. */
function faultsOf(node: Node): readonly string[] {
  const loops = node['Actual Loops'];
  const read = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * loops;
  const table = node['Relation Name'];
  const faults = (node.Plans ?? []).flatMap(faultsOf);
  if (node['Node Type'] === 'Seq Scan' && read > WALKED_MAX && TABLES.includes(table ?? ''))
    return [...faults, `walks through ${table}`];
  if (node['Node Type'] === 'Sort' && read > SORTED_MAX) return [...faults, `sorts ${read} rows`];
  return read > READ_MAX ? [...faults, `${node['Node Type']} on ${table} reads ${read} rows`] : faults;
}

describe.runIf(hasPostgres())('of lists and counts among very many', () => {
  let database: Database | undefined;
  let store: Store | undefined;
  const all = { tenant: LARGE, status: null, name: null, participant: null, attributes: [] } as const;
  afterAll(async () => {
    await store?.close();
    await database?.drop();
  });

  test('an index leads to all of it, whatever is asked for together', async () => {
    database = await freshDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await fillWithWorkflows(client, WORKFLOWS);
      store = await openStore({ databaseUrl: database.url, dataDir: 'memory:', prepared: true });
      await client.query('set plan_cache_mode = force_generic_plan');
      const literal = (value: unknown): string =>
        value === null || value === undefined
          ? 'null'
          : client.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value));
      const prepared = new Map<string, string>();
      const explained = async (text: string, values: readonly unknown[]): Promise<readonly string[]> => {
        const name = prepared.get(text) ?? `asked_${prepared.size}`;
        if (!prepared.has(text)) await client.query(`prepare ${name} as ${text}`);
        prepared.set(text, name);
        const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Node }] }>(
          `explain (analyze, timing off, format json) execute ${name}${values.length === 0 ? '' : `(${values.map(literal).join(', ')})`}`,
        );
        return faultsOf((rows[0] as (typeof rows)[number])['QUERY PLAN'][0].Plan);
      };

      // What has no index is found.
      expect(await explained('select * from workflow where updated_at = $1', [1])).toEqual(['walks through workflow']);
      expect(
        (await explained('select id from workflow where tenant = $1 order by updated_at, id', [LARGE])).join(),
      ).toMatch(/walks through workflow|sorts 18000 rows/);

      const faults: string[] = [];
      let looked = 0;
      const sent = vi.spyOn(pg.Client.prototype, 'query');
      for (const { name, ask } of questionsOf(store, LARGE, WORKFLOWS)) {
        sent.mockClear();
        await ask();
        const seen: readonly (readonly unknown[])[] = sent.mock.calls;
        const calls = seen.flatMap(([first]) =>
          typeof first === 'object' && first !== null && 'text' in first && 'values' in first
            ? [{ text: String(first.text), values: first.values as readonly unknown[] }]
            : [],
        );
        for (const { text, values } of calls) {
          looked += 1;
          for (const fault of await explained(text, values)) faults.push(`${name}: ${fault}`);
        }
      }
      vi.restoreAllMocks();
      expect(looked).toBeGreaterThan(200);
      expect(faults).toEqual([]);
    } finally {
      vi.restoreAllMocks();
      await client.end();
    }
  });

  test('a count by filters that each have many looks at the newest alone, and says how far back', async () => {
    const read = (store as Store).read;
    const ended = { from: 0, to: null };
    const newest = (await read.workflows({ ...all, ended, limit: 100, after: null })).items;
    const named = newest.filter(({ name }) => name === 'name 8').length;
    expect(await read.countFound({ ...all, name: 'name 8', ended }, 100)).toEqual({
      n: named,
      lookedBackTo: newest.at(-1)?.endedAt,
    });
    expect(named).toBeGreaterThan(0);
    // One of the filters has fewer than may be looked at.
    const few = { from: 0, to: newest.at(-1)?.endedAt ?? 0 };
    const both = { ...all, name: 'name 8', launched: few, ended };
    const exact = await read.countWorkflows(both, 10_000);
    expect(exact).toBeGreaterThan(100);
    expect(await read.countFound(both, exact + 50)).toEqual({ n: exact, lookedBackTo: null });
  });
});
