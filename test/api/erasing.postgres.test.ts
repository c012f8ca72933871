import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkDatabase } from '../../src/server/check-database.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/* Erasing a workflow, and a value wherever workflows keep it. */

const ADA = 'ada "the first" @example.org';

type Told = {
  readonly workflows: readonly string[];
  readonly erased: Readonly<Record<string, number>>;
  readonly kept: Readonly<Record<string, number>>;
  readonly not_reached: readonly string[];
  readonly next_cursor: string | null;
};

describe.each([['embedded'], ...(hasPostgres() ? [['Postgres']] : [])])('on %s', (where) => {
  let server: Running;
  let participant: Participant;
  let database: Database | null = null;
  let isDown = true;
  beforeAll(async () => {
    participant = await startParticipant(() => (isDown ? 503 : 200));
    if (where === 'embedded') server = await startServer({ TEST_CLOCK: '1' });
    else {
      database = await freshDatabase();
      server = await start(readConfig({ DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', TEST_CLOCK: '1' }));
    }
  });
  afterAll(async () => {
    await server.stop();
    await participant.stop();
    await database?.drop();
  });

  const post = (path: string, body: unknown): Promise<Answer> => postJson(server.url, path, body);
  const get = async (path: string): Promise<string> => (await send(server.url, 'GET', path)).text;
  const erase = async (body: object): Promise<Told> => {
    const answer = await post('/v1/erasures', body);
    expect(answer.status, answer.text).toBe(200);
    return answer.json<Told>();
  };
  async function launch(workflow: string, more: object = {}): Promise<string> {
    const answer = await post('/v1/workflows', { workflow, callback: participant.url, ...more });
    expect(answer.status, answer.text).toBe(201);
    return answer.json<{ id: string }>().id;
  }
  /** Every text in every table in which it stands, but for those named. */
  async function standing(value: string): Promise<readonly string[]> {
    if (database === null) return [];
    const columns = await database.query(
      `select table_name as t, column_name as c from information_schema.columns where table_schema = 'public' and data_type = 'text'`,
    );
    const asked = columns.map(
      ({ t, c }) =>
        `select '${t}.${c}' as place where exists (select 1 from ${t} where position($1 in replace("${c}", '\\', '')) > 0)`,
    );
    return (await database.query(asked.join(' union all '), [value])).map(({ place }) => String(place)).sort();
  }

  test('a value is gone from fields, variables, histories and what is owed, and the workflow goes on with what takes its place', async () => {
    const workflow =
      "define order\n  set 'v:who': '${f:customer.mail}'\n  set 'f:copy': '${f:customer.mail}'\n  clerk mail: '${v:who}'\n  shipping";
    const id = await launch(workflow, { fields: { customer: { mail: ADA }, list: [ADA, `for ${ADA}`], mail: 'ada' } });
    const other = await launch('define other\n  clerk', { fields: { mail: 'bob@example.org' } });
    // It was refused, so that a message with it is owed.
    await participant.next();
    await post('/v1/test/clock', { advance: 1 });
    const rehearsed = await erase({ value: ADA, dry_run: true });
    expect(rehearsed.workflows).toEqual([id]);
    expect(await get(`/v1/workflows/${id}`)).toContain('the first');
    const erased = await erase({ value: ADA, reason: 'she asked for it' });
    expect(erased).toEqual(rehearsed);
    expect(erased.erased).toMatchObject({ workflow: 1, workitem: 1 });
    expect(erased.not_reached.length).toBeGreaterThan(5);
    expect(await erase({ value: ADA })).toMatchObject({ workflows: [], erased: {} });
    // What is a part of a longer text is left unless it is asked for.
    expect(await get(`/v1/workflows/${id}`)).toContain('the first');
    expect((await erase({ value: ADA, within: true, replacement: 'somebody' })).workflows).toEqual([id]);
    expect(await standing('the first')).toEqual([]);
    isDown = false;
    await post('/v1/test/clock', { advance: 60 });
    for (let received = await participant.next(); ; received = await participant.next()) {
      if (received.body.workflow_id !== id) continue;
      expect(received.body.fields).toMatchObject({
        ...{ customer: { mail: '[erased]' }, copy: '[erased]', list: ['[erased]', 'for somebody'], mail: 'ada' },
        params: { mail: '[erased]' },
      });
      const { workitem_id } = received.body;
      expect((await post(`/v1/workflows/${id}/workitems/${workitem_id}/proceed`, {})).status).toBe(201);
      break;
    }
    expect(await get(`/v1/workflows/${id}/history`)).not.toContain('the first');
    expect(await get(`/v1/workflows/${other}`)).toContain('bob@example.org');
    const { audit } = JSON.parse(await get('/v1/audit?action=value.erase')) as { audit: readonly object[] };
    expect(audit).toContainEqual(expect.objectContaining({ outcome: 'done', reason: 'she asked for it' }));
    expect(JSON.stringify(audit)).not.toContain('the first');
  });

  test('a value by which things are known is counted and left', async () => {
    await launch('define keyed\n  clerk', { business_key: 'carl@example.org', fields: { mail: 'carl@example.org' } });
    expect(await erase({ value: 'carl@example.org' })).toMatchObject({
      kept: { 'business_key.key': 1 },
      erased: { workitem: 1 },
    });
  });

  test('a workflow that is over goes with everything of it, one that is not stays', async () => {
    const id = await launch('define gone\n  clerk', { fields: { mail: 'dora@example.org' }, business_key: 'dora' });
    expect((await post(`/v1/workflows/${id}/erase`, {})).status).toBe(409);
    expect((await post(`/v1/workflows/${id}/kill`, {})).status).toBe(201);
    const erased = await post(`/v1/workflows/${id}/erase`, { reason: 'asked for' });
    expect(erased.json()).toMatchObject({
      workflow_id: id,
      erased: { workflow: 1, business_key: 1, history: expect.any(Number) },
    });
    for (const path of ['', '/history'])
      expect((await send(server.url, 'GET', `/v1/workflows/${id}${path}`)).status).toBe(404);
    expect((await post(`/v1/workflows/${id}/erase`, {})).status).toBe(404);
    expect((await standing('dora')).filter((place) => !/^(?:audit|idempotency_key)\./.test(place))).toEqual([]);
    if (database !== null) expect(await checkDatabase({ databaseUrl: database.url, dataDir: 'memory:' })).toEqual([]);
  });

  test('more workflows than one call looks through are gone through by its cursor', async () => {
    for (let n = 0; n < 5; n++) await launch('define many\n  noop', { fields: { mail: 'eve@example.org' } });
    let count = 0;
    let told = await erase({ value: 'eve@example.org', limit: 2 });
    for (
      ;
      told.next_cursor !== null;
      told = await erase({ value: 'eve@example.org', limit: 2, cursor: told.next_cursor })
    ) {
      count += told.workflows.length;
      expect(told.not_reached).toEqual([]);
    }
    expect(count + told.workflows.length).toBe(5);
    expect((await post('/v1/erasures', { value: 'x', cursor: 'made-up' })).status).toBe(400);
    expect((await post('/v1/erasures', { value: '' })).status).toBe(422);
  });
});
