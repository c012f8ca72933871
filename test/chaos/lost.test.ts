import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { ask, countOf, historyOf, inSequence, isOver, launch, proceed } from '../race/proceeds.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { aroundSaving } from '../support/saving.ts';
import { type Answer, type Participant, postJson, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';

/* A server whose database goes away, or takes nothing more: it says so, claims nothing that is not true, and goes on by itself. */

const cluster: Cluster | string = await startCluster();
if (typeof cluster === 'string') console.warn(`The tests of a lost database do not run: ${cluster}.`);

describe.runIf(typeof cluster !== 'string')('a server on Postgres', { timeout: 180_000 }, () => {
  let server: Running;
  let participant: Participant;
  /** Whom nobody should call. */
  let stray: Participant;
  const database = cluster as Cluster;
  beforeAll(async () => {
    server = await start(
      readConfig({
        DATABASE_URL: database.url,
        PORT: '0',
        LOG_LEVEL: 'silent',
        RETRY_DELAYS: Array(50).fill('1').join(),
      }),
    );
    stray = await startParticipant();
    participant = await startParticipant(({ body }) => (isDown(body.participant) ? 500 : 200));
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await participant.stop();
    await stray.stop();
    await database.stop();
  });

  let down: string | null = null;
  const isDown = (name: string): boolean => name === down;

  const unavailable = (answer: Answer): void => {
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'unavailable', retryable: true });
  };

  test('without its database it answers 503, stays alive, and goes on by itself', async () => {
    const waiting = await launch(server, inSequence(ask('alpha'), ask('bravo')), participant.url);
    const alpha = await participant.next();
    // Both fall due while the database is away.
    const timed = await launch(server, inSequence(['wait', { for: '1s' }, []], ask('charly')), participant.url);
    down = 'delta';
    const retried = await launch(server, inSequence(ask('delta')), participant.url);
    expect((await participant.next()).headers['rota-try']).toBe('1');

    await database.halt('fast');
    down = null;
    const answers = await Promise.all([
      postJson(server.url, '/v1/workflows', { workflow: inSequence(ask('alpha')), callback: participant.url }),
      proceed(server, alpha),
      send(server.url, 'POST', `/v1/workflows/${waiting}/cancel`),
      send(server.url, 'GET', `/v1/workflows/${waiting}`),
      send(server.url, 'GET', '/v1/workflows'),
      send(server.url, 'GET', `/v1/workflows/${waiting}/history`),
      send(server.url, 'GET', '/v1/workitems'),
      send(server.url, 'GET', '/v1/nodes'),
      postJson(server.url, '/v1/workflows', { workflow: '', callback: participant.url }, { 'Idempotency-Key': 'k' }),
    ]);
    for (const answer of answers) unavailable(answer);
    expect((await send(server.url, 'GET', '/readyz')).status).toBe(503);
    expect((await send(server.url, 'GET', '/livez')).status).toBe(200);
    expect((await send(server.url, 'GET', '/v1/ping')).status).toBe(200);

    await database.start();
    await until('it is ready', async () => (await send(server.url, 'GET', '/readyz')).status === 200);
    const arrived = [await participant.next(), await participant.next()];
    expect(arrived.map(({ body }) => body.participant).sort()).toEqual(['charly', 'delta']);
    for (const one of arrived) expect((await proceed(server, one)).status).toBe(201);
    expect((await proceed(server, alpha)).status).toBe(201);
    const bravo = await participant.next();
    expect(bravo.body.participant).toBe('bravo');
    expect((await proceed(server, bravo)).status).toBe(201);
    for (const id of [waiting, timed, retried]) await isOver(server, id);
    expect(countOf(await historyOf(server, timed), 'timer.fired')).toBe(1);
    const listed = await send(server.url, 'GET', '/v1/workflows');
    expect(listed.json<{ workflows: unknown[] }>().workflows).toHaveLength(3);
  });

  test.each([
    [
      'is read-only',
      ['alter database postgres set default_transaction_read_only = on'],
      ['set default_transaction_read_only = off', 'alter database postgres reset default_transaction_read_only'],
    ],
    [
      // A constraint that is looked at when everything else of the transaction is done: the commit itself fails.
      'has no room left at the commit',
      [
        `create function full_disk() returns trigger language plpgsql as $$ begin
           raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
         end $$`,
        `create constraint trigger full_disk after insert or update on workflow
           deferrable initially deferred for each row execute function full_disk()`,
      ],
      ['drop function full_disk cascade'],
    ],
  ])('while the database %s, nothing is answered 201; afterwards all goes on', async (_, break_, mend) => {
    const id = await launch(server, inSequence(ask('alpha'), ask('bravo')), participant.url);
    const alpha = await participant.next();
    await query(break_);
    const launched = await postJson(server.url, '/v1/workflows', {
      workflow: inSequence(ask('stray')),
      callback: stray.url,
    });
    unavailable(launched);
    unavailable(await proceed(server, alpha));
    unavailable(await send(server.url, 'POST', `/v1/workflows/${id}/cancel`));
    expect((await send(server.url, 'GET', '/livez')).status).toBe(200);
    expect(countOf(await historyOf(server, id), 'workitem.proceeded')).toBe(0);

    await query(mend);
    await until('it takes the step', async () => (await proceed(server, alpha)).status === 201);
    const bravo = await participant.next();
    expect(bravo.body).toMatchObject({ participant: 'bravo', workflow_id: id });
    expect((await proceed(server, bravo)).status).toBe(201);
    await isOver(server, id);
    expect(participant.waiting()).toBe(0);
    // One that gave up waiting says that it may still come, if a connection broke without a word of the database.
    if (!launched.json<{ detail: string }>().detail.includes('may still be done')) expect(stray.waiting()).toBe(0);
  });

  /** Statements of an operator; afterwards all sessions of the server are new ones. */
  async function query(statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1', [
      'rota %',
    ]);
    await client.end();
  }
});

test('when a commit fails that nobody foresaw, nothing is answered 201', { timeout: 60_000 }, async () => {
  let failing = false;
  const server = await start(readConfig({ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent' }), {
    store: (store) =>
      aroundSaving(store, async ({ go, undo }) => {
        if (!failing) return go();
        await undo();
        throw new Error('The disk is on fire');
      }),
  });
  const participant = await startParticipant();
  try {
    const id = await launch(server, inSequence(ask('alpha')), participant.url);
    const alpha = await participant.next();
    failing = true;
    const answers = await Promise.all([
      postJson(server.url, '/v1/workflows', { workflow: inSequence(ask('alpha')), callback: participant.url }),
      proceed(server, alpha),
      send(server.url, 'POST', `/v1/workflows/${id}/cancel`),
    ]);
    for (const answer of answers) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([500, '1']);
      expect(answer.text).not.toContain('fire');
    }
    failing = false;
    expect((await proceed(server, alpha)).status).toBe(201);
    await isOver(server, id);
    expect((await send(server.url, 'GET', '/v1/workflows')).json<{ workflows: unknown[] }>().workflows).toHaveLength(1);
    expect(participant.waiting()).toBe(0);
  } finally {
    await server.stop();
    await participant.stop();
  }
});
