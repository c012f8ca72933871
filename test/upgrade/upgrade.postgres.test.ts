import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { isOver, proceed } from '../race/proceeds.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Participant, postJson, type Received, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';
import { PARTICIPANT, WORKFLOWS } from './workflows.ts';

/* Databases as earlier versions left them (record.ts) are opened by this one, and what waited in them goes on. */

const recordings = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.sql'));

describe.runIf(hasPostgres()).each(recordings)('the recorded database %s', { timeout: 120_000 }, (recording) => {
  let database: Database;
  let server: Running;
  let participant: Participant;
  const ids = new Map<string, string>();
  /** What has arrived and was not asked for yet, by participant. */
  const arrived: Received[] = [];

  beforeAll(async () => {
    database = await freshDatabase({ empty: true });
    participant = await startParticipant();
    const text = readFileSync(new URL(recording, import.meta.url), 'utf8');
    await database.query(text.replaceAll(PARTICIPANT, participant.url));
    server = await start(readConfig({ DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent' }));
    const { workflows } = (await send(server.url, 'GET', '/v1/workflows')).json<{
      readonly workflows: readonly { readonly id: string; readonly name: string }[];
    }>();
    for (const { id, name } of workflows) ids.set(name, id);
  });
  afterAll(async () => {
    await server.stop();
    await participant.stop();
    await database.drop();
  });

  const idOf = (title: string): string => ids.get(title) ?? `no workflow ${title}`;
  const shown = async (title: string): Promise<Record<string, unknown>> =>
    (await send(server.url, 'GET', `/v1/workflows/${idOf(title)}`)).json();

  async function next(who: string, status = 'active'): Promise<Received> {
    for (;;) {
      const at = arrived.findIndex(({ body }) => body.participant === who && body.status === status);
      if (at >= 0) return arrived.splice(at, 1)[0] as Received;
      arrived.push(await participant.next());
    }
  }
  const answered = async (who: string): Promise<Received> => {
    const received = await next(who);
    expect((await proceed(server, received)).status).toBe(201);
    return received;
  };
  /** For workitems whose callback went out before the recording. */
  async function waiting(title: string, who: string): Promise<string> {
    const { workitems } = await shown(title);
    const found = (workitems as readonly { readonly id: string; readonly participant: string }[]).find(
      (workitem) => workitem.participant === who,
    );
    return `/v1/workflows/${idOf(title)}/workitems/${found?.id}/proceed`;
  }

  test('holds every workflow of the recording', () => {
    expect([...ids.keys()].sort()).toEqual(Object.keys(WORKFLOWS).sort());
  });

  test('an open workitem can be handed back', async () => {
    expect((await postJson(server.url, await waiting('open', 'first'), { fields: { first: 'done' } })).status).toBe(
      201,
    );
    expect((await answered('second')).body.fields).toMatchObject({ of: 'open', first: 'done' });
    await isOver(server, idOf('open'));
  });

  test('a timer that fell due meanwhile fires, one that did not waits on', async () => {
    await answered('waker');
    await isOver(server, idOf('timer'));
    expect(await shown('future')).toMatchObject({
      status: 'running',
      timers: [expect.objectContaining({ due_at: '2999-12-31T00:00:00.000Z' })],
    });
    expect((await send(server.url, 'POST', `/v1/workflows/${idOf('future')}/cancel`)).status).toBe(201);
    expect((await shown('future'))['status']).toBe('cancelled');
  });

  test('a participant that timed out meanwhile is told so', async () => {
    await next('sleeper', 'timeout');
    await answered('successor');
    await isOver(server, idOf('timeout'));
  });

  test('branches meet, one from before and one from after', async () => {
    const right = await postJson(server.url, await waiting('branches', 'right'), { fields: { right: 'done' } });
    expect(right.status).toBe(201);
    expect((await answered('join')).body.fields).toMatchObject({ left: 'done', right: 'done' });
    await isOver(server, idOf('branches'));
  });

  test('a list goes on where it was, with its variables', async () => {
    expect((await postJson(server.url, await waiting('list', 'picker'), {})).status).toBe(201);
    const { fields } = (await answered('painter')).body;
    expect(fields).toMatchObject({ picked: 'first', params: { colour: 'green' } });
    await isOver(server, idOf('list'));
  });

  test('what was paused stays so, and its kept answer counts once it is resumed', async () => {
    expect((await shown('paused'))['status']).toBe('paused');
    expect((await send(server.url, 'POST', `/v1/workflows/${idOf('paused')}/resume`)).status).toBe(201);
    expect((await answered('after')).body.fields).toMatchObject({ before: 'done' });
    await isOver(server, idOf('paused'));
  });

  test('what was in error can be replayed', async () => {
    const { status, errors } = await shown('failed');
    expect([status, errors]).toEqual(['error', [expect.objectContaining({ class: 'RetriesExceeded' })]]);
    const [error] = errors as readonly [{ readonly expression_id: string }];
    const path = `/v1/workflows/${idOf('failed')}/errors/${error.expression_id}/replay`;
    expect((await postJson(server.url, path, {})).status).toBe(201);
    await answered('broken');
    await answered('mended');
    await isOver(server, idOf('failed'));
  });

  test('a try that fell due is made, with its number', async () => {
    const flaky = await answered('flaky');
    expect(Number(flaky.headers['rota-try'])).toBeGreaterThan(1);
    await isOver(server, idOf('retried'));
  });

  test('a notice that was owed is sent', async () => {
    expect(Number((await next('stubborn', 'cancel')).headers['rota-try'])).toBeGreaterThan(1);
    await until('nothing is owed any more', async () => {
      const owed = await database.query('select 1 from workitem where send is not null');
      return owed.length === 0;
    });
    expect((await shown('cancelled'))['status']).toBe('cancelled');
  });
});
