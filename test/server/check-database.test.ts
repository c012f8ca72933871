import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import { checkDatabase } from '../../src/server/check-database.ts';
import { openEmbedded } from '../../src/store/embedded.ts';
import { openStore } from '../../src/store/open.ts';
import { engineOn, launch } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { readyFolder } from '../support/ready-folder.ts';

/* `rota check-database` finds each kind of row that somebody deleted, or that was left. */

/** Something of each kind: a wide fork keeps what its branches are born with in a variable, and one of more than 64 variables others. */
const ALL_KINDS = [
  'concurrence',
  "  alpha timeout: '2d'",
  '  sequence',
  '    beta',
  "  await event: 'paid'",
  "  listen to: 'alpha', upon: 'reply', wfid: 'same'",
  "  error 'broken'",
  "  concurrent_iterator times: 64, to_v: 'n'",
  '    gamma',
  '',
].join('\n');
const FIELDS = { large: 'x'.repeat(5_000) };
const NOBODY = `0_9!${'0'.repeat(32)}`;

type Query = (text: string) => Promise<unknown>;
type Case = {
  readonly what: string;
  readonly spoil: (query: Query, id: WorkflowId) => Promise<unknown>;
  /** What is said of its workflow. */
  readonly said: RegExp;
  /** The workflow is over before. */
  readonly over?: true;
};

const of = (id: WorkflowId): string => `t.shard = ${shardOf(id)} and t.workflow_id = '${id}'`;
const missing =
  (table: string, which: string): Case['spoil'] =>
  (query, id) =>
    query(`delete from ${table} t where ${of(id)} and ${which}`);
/** A row like one that is there, beside it. */
const leftOver =
  (table: string, other: object, which = 'true'): Case['spoil'] =>
  (query, id) =>
    query(`insert into ${table} select (jsonb_populate_record(t, '${JSON.stringify(other)}')).*
      from ${table} t where ${of(id)} and ${which} limit 1`);
/** A row of another workflow, which now belongs to this one. */
const handedOver =
  (table: string, from: () => WorkflowId): Case['spoil'] =>
  (query, id) =>
    query(`insert into ${table} select (jsonb_populate_record(t, '${JSON.stringify({ shard: shardOf(id), workflow_id: id })}')).*
      from ${table} t where ${of(from())} and ${table === 'variable' ? "t.name <> '^'" : 'true'} limit 1`);

let whole = '' as WorkflowId;
const CASES: readonly Case[] = [
  { what: 'a workitem is missing', spoil: missing('workitem', "participant = 'alpha'"), said: /holds a workitem that is not open/ },
  { what: 'a branch is missing', spoil: missing('branch', "path = (select w.path from workitem w where w.workflow_id = t.workflow_id and w.participant = 'beta')"), said: /branches counted 6, held 5/ },
  { what: 'a timer is missing', spoil: missing('agenda', "kind = 'timer'"), said: /has a timer .* that is not there/ },
  { what: 'an error is missing', spoil: missing('error', 'true'), said: /has an error that is not there/ },
  { what: 'a listener is missing', spoil: missing('listener', 'true'), said: /has a listener .* that is not there/ },
  { what: 'a waiter is missing', spoil: missing('waiter', 'true'), said: /header.waiters: counted 1, held 0/ },
  { what: 'the base of a fork is missing', spoil: missing('variable', "name = '^'"), said: /the base of .* is missing/ },
  { what: 'a workitem is left over', spoil: leftOver('workitem', { id: NOBODY }), said: /workitem of 0_9!0+, which is not alive/ },
  { what: 'a branch is left over', spoil: leftOver('branch', { path: '0.99' }), said: /two expressions of one id/ },
  { what: 'a timer is left over', spoil: leftOver('agenda', { id: 'other' }), said: /timer of .*, which does not know of it/ },
  { what: 'an error is left over', spoil: leftOver('error', { id: NOBODY }), said: /error of 0_9!0+, which is not alive/ },
  { what: 'a listener is left over', spoil: leftOver('listener', { id: NOBODY }), said: /listener of 0_9!0+, which is not alive/ },
  { what: 'a waiter is left over', spoil: leftOver('waiter', { id: NOBODY }), said: /waiter of 0_9!0+, which is not alive/ },
  { what: 'a variable is left over', spoil: leftOver('variable', { scope: NOBODY, name: 'v' }), said: /variable v of 0_9!0+, which is not alive/ },
  { what: 'a state cannot be read', spoil: (query, id) => query(`update workflow t set state = '{"broken' where t.id = '${id}' and t.shard = ${shardOf(id)}`), said: /no step can work with its rows/ },
  ...['branch', 'agenda', 'error', 'listener', 'waiter'].map((table): Case => ({ what: `a row of ${table} is left of a workflow that is over`, spoil: handedOver(table, () => whole), said: new RegExp(`rows of ${table} that are left`), over: true })),
]; // biome-ignore format: a table

describe.each([['embedded'], ...(hasPostgres() ? [['Postgres']] : [])])('on %s', (where) => {
  let folder: string;
  let database: Database | null = null;
  let settings: Parameters<typeof checkDatabase>[0];
  const ids = new Map<string, WorkflowId>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rota-check-'));
    if (where === 'Postgres') database = await freshDatabase();
    settings = { databaseUrl: database?.url ?? null, dataDir: readyFolder(join(folder, 'data')) };
    const store = await openStore({ ...settings, prepared: true });
    const parts = engineOn(store);
    whole = await launch(parts, ALL_KINDS, { fields: FIELDS });
    for (const { what, over } of CASES) {
      const id = await launch(parts, over === true ? 'define\n  alpha\n' : ALL_KINDS, { fields: FIELDS });
      ids.set(what, id);
      if (over === true) await parts.engine.advance([{ workflow: id, origin: SERVER, event: { kind: 'kill' } }]);
    }
    await parts.engine.stop();
    await store.close();
  }, 60_000);
  afterAll(async () => {
    await database?.drop();
    await rm(folder, { recursive: true });
  });

  /** Statements by hand, as an administrator makes them. */
  async function byHand(work: (query: Query) => Promise<void>): Promise<void> {
    if (database !== null) return work(database.query);
    const opened = await openEmbedded(settings.dataDir, true, { session: '' });
    try {
      await work((text) => opened.client.query(text));
    } finally {
      await opened.close();
    }
  }

  test('what steps have left is in order', async () => {
    expect(await checkDatabase(settings)).toEqual([]);
  });

  test('each kind of row that is missing or left over is found, in its workflow', async () => {
    await byHand(async (query) => {
      for (const { what, spoil } of CASES) await spoil(query, ids.get(what) as WorkflowId);
    });
    const findings = await checkDatabase(settings);
    for (const { what, said } of CASES) {
      const id = ids.get(what) as WorkflowId;
      const told = findings.flatMap(({ what: text, workflows, lines = [] }) => [
        ...workflows.map((workflow) => `${workflow}: ${text}`),
        ...lines,
      ]);
      expect(
        told.filter((line) => line.startsWith(id)).join('\n'),
        `${what} in ${id}: ${JSON.stringify(findings)}`,
      ).toMatch(said);
    }
    expect(JSON.stringify(findings)).not.toContain(whole);
  });
});
