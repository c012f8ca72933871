import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import type { Running } from '../../src/server/start.ts';
import type { Store } from '../../src/store/store.ts';
import { readCases } from '../conformance/cases.ts';
import { playTogether } from '../conformance/harness.ts';
import { findTarget, type Listener, listen, type Target } from '../conformance/http.ts';
import { fewOrAll } from '../support/all.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Proxy as CuttingProxy, startProxy } from '../support/proxy.ts';
import { type Answer, type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';
import { inPartitions } from './partitions.ts';

/*
 * A whole server on the profile for databases that are many machines: tables in parts by shard, serializable transactions, and every few
 * commits one that is refused as a conflict.
 */

/** One case of so many is played. */
const EVERY = fewOrAll(36, 18);
/** One commit of so many is refused. */
const CONFLICT_EVERY = 5;

/** So many requests are under way at once: each conflict holds up all behind it, and who waits for longer than eight seconds is answered 503. */
const AT_ONCE = 20;

async function atOnce<One, Answered>(
  list: readonly One[],
  ask: (one: One) => Promise<Answered>,
): Promise<readonly Answered[]> {
  const answers: Answered[] = [];
  for (let from = 0; from < list.length; from += AT_ONCE)
    answers.push(...(await Promise.all(list.slice(from, from + AT_ONCE).map(ask))));
  return answers;
}

describe.runIf(hasPostgres())('a server on a database that is many', { timeout: 240_000 }, () => {
  let database: Database;
  let proxy: CuttingProxy;
  let running: Running;
  let target: Target;
  let listener: Listener;
  let participant: Participant;
  /** How many shards each transaction was about. */
  const spans = new Set<number>();
  let saves = 0;

  const watched = (store: Store): Store => ({
    ...store,
    begin: async (requests) => {
      spans.add(shardsOf(requests.map(({ workflow }) => workflow)));
      const transaction = await store.begin(requests);
      return {
        ...transaction,
        commit: (save) => {
          saves += 1;
          spans.add(shardsOf([...save.changes.keys()]) || 1);
          return transaction.commit(save);
        },
      };
    },
  });
  const shardsOf = (workflows: readonly WorkflowId[]): number => new Set(workflows.map(shardOf)).size;

  beforeAll(async () => {
    database = await freshDatabase();
    await inPartitions(database);
    proxy = await startProxy(database.url);
    running = await startServer(
      { DATABASE_URL: proxy.url, DATABASE_PROFILE: 'distributed', TEST_CLOCK: '1' },
      { store: watched },
    );
    target = await findTarget(running.url);
    listener = await listen();
    participant = await startParticipant();
    proxy.conflictEvery(CONFLICT_EVERY);
  });
  afterAll(async () => {
    proxy.conflictEvery(0);
    await running.stop();
    await listener.close();
    await participant.stop();
    await proxy.close();
    await database.drop();
  });

  const quiet = (): Promise<Answer> => postJson(running.url, '/v1/test/clock', { advance: 0 });
  const get = async <Shape>(path: string): Promise<Shape> => (await send(running.url, 'GET', path)).json<Shape>();

  test('plays some cases of the corpus, conflicts or not', async () => {
    const cases = readCases().filter((_, i) => i % EVERY === 0);
    expect(cases.length).toBeGreaterThan(25);
    expect(await playTogether(cases, target, listener)).toEqual([]);
    expect(proxy.injected()).toBeGreaterThan(12);
  });

  test('says what it cannot do: events of all in one order, and erasing', async () => {
    const { id } = (
      await postJson(running.url, '/v1/workflows', { workflow: 'define\n  noop\n', callback: participant.url })
    ).json<{ id: string }>();
    for (const answer of [
      await send(running.url, 'GET', '/v1/events/stream'),
      await postJson(running.url, '/v1/erasures', { value: 'x' }),
      await postJson(running.url, `/v1/workflows/${id}/erase`, {}),
    ])
      expect(answer.json()).toMatchObject({ status: 501, code: 'not_supported' });
  });

  test('takes many launches and proceeds at once, each exactly once, each transaction within one shard', async () => {
    const before = { saves, injected: proxy.injected() };
    const workflow = JSON.stringify([
      'define',
      { name: 'many' },
      [
        [
          'concurrence',
          {},
          [
            ['alpha', {}, []],
            ['bravo', {}, []],
          ],
        ],
        ['charly', {}, []],
      ],
    ]);
    const ids = await atOnce(Array.from({ length: 60 }), async () => {
      const launched = await postJson(running.url, '/v1/workflows', { workflow, callback: participant.url });
      expect(launched.status, launched.text).toBe(201);
      return launched.json<{ readonly id: string }>().id;
    });
    for (const expected of [2, 1]) {
      await quiet();
      const path = '/v1/workitems?limit=1000';
      const { workitems } = await get<{ workitems: { readonly id: string; readonly workflow_id: string }[] }>(path);
      const ours = workitems.filter((workitem) => ids.includes(workitem.workflow_id));
      expect(ours.length).toBe(ids.length * expected);
      const answers = await atOnce(ours, ({ id, workflow_id }) =>
        postJson(running.url, `/v1/workflows/${workflow_id}/workitems/${encodeURIComponent(id)}/proceed`, {}),
      );
      expect(answers.filter(({ status }) => status !== 201).map(({ text }) => text)).toEqual([]);
    }
    await quiet();
    for (const id of ids) {
      expect((await get<{ status: string }>(`/v1/workflows/${id}`)).status).toBe('completed');
      const { history } = await get<{ history: { readonly n: number; readonly kind: string }[] }>(
        `/v1/workflows/${id}/history`,
      );
      expect(history.map(({ n }) => n)).toEqual(history.map((_, i) => i + 1));
      expect(history.filter(({ kind }) => kind === 'workitem.proceeded').length).toBe(3);
    }
    expect(saves).toBeGreaterThan(before.saves + 60);
    expect(proxy.injected()).toBeGreaterThan(before.injected + 10);
    expect([...spans]).toEqual([1]);
  });

  test('tells an event to a workflow that listens in another shard', async () => {
    const launch = async (definition: unknown): Promise<string> =>
      (
        await postJson(running.url, '/v1/workflows', {
          workflow: JSON.stringify(definition),
          callback: participant.url,
        })
      ).json<{ readonly id: string }>().id;
    const ear = await launch(['define', { name: 'ear' }, [['await', { participant: 'alpha', global: true }, []]]]);
    await quiet();
    const mouths = await Promise.all(
      Array.from({ length: 5 }, () => launch(['define', { name: 'mouth' }, [['alpha', {}, []]]])),
    );
    await quiet();
    expect(shardsOf([ear, ...mouths] as WorkflowId[])).toBeGreaterThan(1);
    expect((await get<{ status: string }>(`/v1/workflows/${ear}`)).status).toBe('completed');
  });
});
