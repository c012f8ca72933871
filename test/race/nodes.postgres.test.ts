import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Between } from '../../src/server/build.ts';
import { readConfig } from '../../src/server/config.ts';
import { type Running, start } from '../../src/server/start.ts';
import { judge } from '../support/journal-verdict.ts';
import { startCrew } from '../support/participant-crew.ts';
import { startLoad } from '../support/participant-load.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Cut, startProxy } from '../support/proxy.ts';
import { type Participant, send, startParticipant } from '../support/server.ts';
import { until } from '../support/until.ts';
import {
  ask,
  countOf,
  historyOf,
  inSequence,
  isOver,
  launch,
  manyProceedOne,
  manyProceedTogether,
  proceed,
} from './proceeds.ts';

const LIMIT_MS = 180_000;
const cleanUp: (() => Promise<unknown>)[] = [];

describe.runIf(hasPostgres())('several nodes on one Postgres', { timeout: LIMIT_MS }, () => {
  let database: Database;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterEach(async () => {
    for (const end of cleanUp.splice(0).reverse()) await end();
  });
  afterAll(() => database.drop());

  async function node(settings: Record<string, string> = {}, between: Between = {}): Promise<Running> {
    const environment = { DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', ...settings };
    const running = await start(readConfig(environment), between);
    cleanUp.push(() => running.stop());
    return running;
  }
  /** What a node says to the others when something is due: they look at once, not when they next do so by themselves. */
  const lookNow = () => database.query(`select pg_notify('rota_wake', 'somebody')`);
  async function participants(): Promise<Participant> {
    const participant = await startParticipant();
    cleanUp.push(() => participant.stop());
    return participant;
  }

  test('of two sessions that proceed one workitem at two nodes, one is told that it is gone', async () => {
    await manyProceedOne([await node(), await node()], await participants(), 2);
  });

  test('of fifty sessions at two nodes that proceed one workitem, one is let through', async () => {
    await manyProceedOne([await node(), await node()], await participants(), 50);
  });

  test('fifty branches of one concurrence are proceeded at once, at two nodes', async () => {
    await manyProceedTogether([await node(), await node()], await participants(), 50);
  });

  test('a cancel at one node while the try of another hangs: the notice waits for its end, and nothing active follows', async () => {
    const arrived: string[] = [];
    let letGo = (): void => {};
    const hanging = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      request.on('end', () => {
        const { status } = JSON.parse(body) as { readonly status: string };
        arrived.push(status);
        if (status !== 'active') response.writeHead(200).end();
        else
          letGo = () => {
            arrived.push('answered');
            response.writeHead(200).end();
          };
      });
    });
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => hanging.close(resolve)));
    const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/`;

    const looks = [lookCounter(), lookCounter()] as const;
    const [one, two] = [await node({}, looks[0].between), await node({}, looks[1].between)];
    const everybodyLooks = async (): Promise<void> => {
      const before = looks.map(({ count }) => count());
      await until('both nodes look twice for messages', async () => {
        await lookNow();
        return looks.every(({ count }, i) => count() >= (before[i] ?? 0) + 2);
      });
    };
    const id = await launch(one, inSequence(ask('alpha')), url);
    await until('the try', () => arrived.length === 1);
    expect((await send(two.url, 'POST', `/v1/workflows/${id}/cancel`)).status).toBe(201);
    await everybodyLooks();
    expect(arrived).toEqual(['active']);
    letGo();
    await until('the notice', () => arrived.length >= 3);
    await everybodyLooks();
    expect(arrived).toEqual(['active', 'answered', 'cancel']);
  });

  test('a participant slower than the lease is tried by another node, and its workflow takes one step', async () => {
    const participant = await participants();
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let held = 0;
    let frozenNow = true;
    // As if the process stood still between the answer of the participant and whatever it does with it.
    const frozen = await node(
      { CALLBACK_TIMEOUT: '0.5', LEASE_SECONDS: '10.5' },
      {
        store: (store) => ({
          ...store,
          claimDue: async (request) => (frozenNow && held > 0 ? [] : store.claimDue(request)),
        }),
        post: (post) => ({
          ...post,
          send: async (request, timeoutMs) => {
            const result = await post.send(request, timeoutMs);
            held += 1;
            await gate;
            return result;
          },
        }),
      },
    );
    const id = await launch(frozen, inSequence(ask('alpha'), ask('bravo')), participant.url);
    const first = await participant.next();
    await until('the first try is held up', () => held === 1);
    const other = await node();
    await until('the lease has run out, and the other looks', async () => {
      await lookNow();
      return participant.waiting() > 0;
    });
    const second = await participant.next();
    expect(second.body).toEqual({ ...first.body, proceed_url: second.body.proceed_url });
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);

    expect((await proceed(other, second)).status).toBe(201);
    expect((await proceed(other, first)).status).toBe(400);
    const bravo = await participant.next();
    expect(bravo.body.participant).toBe('bravo');
    // The late end of the first try finds nothing of its own any more.
    frozenNow = false;
    release();
    expect((await proceed(frozen, bravo)).status).toBe(201);
    await isOver(other, id);
    const history = await historyOf(other, id);
    expect(countOf(history, 'workitem.opened')).toBe(2);
    expect(countOf(history, 'workitem.proceeded')).toBe(2);
    expect(participant.waiting()).toBe(0);
  });

  test.each<Cut>(['before', 'after', 'limbo'])(
    'the connection is cut exactly at a commit (%s): the caller gets the true answer, and nothing runs twice',
    async (how) => {
      const proxy = await startProxy(database.url);
      cleanUp.push(() => proxy.close());
      const participant = await participants();
      const server = await node({ DATABASE_URL: proxy.url });
      const acknowledged = (id: string, participantName: string): Promise<true> =>
        until('the acknowledgement is written', async () => {
          const history = await historyOf(server, id);
          return countOf(history, 'callback.delivered', participantName) === 1;
        });

      proxy.cutNextCommit(how);
      const id = await launch(server, inSequence(ask('alpha'), ask('bravo')), participant.url);
      expect(proxy.cuts()).toBe(1);
      const alpha = await participant.next();
      expect(alpha.body.workflow_id).toBe(id);
      // So that the next commit is that of the step.
      await acknowledged(id, 'alpha');

      proxy.cutNextCommit(how);
      expect((await proceed(server, alpha, { handed: 'back' })).status).toBe(201);
      expect(proxy.cuts()).toBe(2);
      expect((await proceed(server, alpha)).status).toBe(400);
      const bravo = await participant.next();
      expect(bravo.body.fields['handed']).toBe('back');
      await acknowledged(id, 'bravo');
      expect((await proceed(server, bravo)).status).toBe(201);
      await isOver(server, id);
      const history = await historyOf(server, id);
      expect(countOf(history, 'workflow.launched')).toBe(1);
      expect(countOf(history, 'workitem.opened')).toBe(2);
      expect(history.map(({ n }) => n)).toEqual(history.map((_, i) => i + 1));
      expect(participant.waiting()).toBe(0);
    },
  );

  test.each([
    ['one that answers and one that works', ['api', 'worker']],
    ['two that do everything', ['all', 'all']],
  ] as const)('%s: every callback is delivered once, every timer fires once', async (_, roles) => {
    // A database of their own, so that the judge sees their workflows alone.
    const own = await freshDatabase();
    cleanUp.push(() => own.drop());
    const first = await node({ DATABASE_URL: own.url, ROLE: roles[0] });
    const second = await node({ DATABASE_URL: own.url, ROLE: roles[1], BASE_URL: first.url });
    const urls = roles[1] === 'worker' ? [first.url] : [first.url, second.url];
    let asked = 0;
    const serverUrl = (): string => urls[asked++ % urls.length] ?? first.url;
    const crew = await startCrew(serverUrl);
    cleanUp.push(() => crew.stop());
    const load = startLoad({ crew, serverUrl, inFlight: 30, most: 60, seed: 1 });
    await load.done;
    const verdict = await judge(crew.journal, first.url);
    expect(verdict.violations).toEqual([]);
    expect(verdict.workflows).toBe(60);
    for (const story of crew.journal.stories()) {
      const statuses = story.arrivals.map(({ status }) => status);
      expect(statuses).toEqual(story.participant === 'sleeper' ? ['active', 'timeout'] : ['active']);
    }
    for (const [id, shape] of load.shapes) {
      const fired = countOf(await historyOf(first, id), 'timer.fired');
      expect(fired).toBe(shape === 'timer' || shape === 'diagram' ? 2 : shape === 'timeout' ? 1 : 0);
    }
    // The second one joined last, so its last beat has seen both.
    const { nodes } = (await send(second.url, 'GET', '/v1/nodes')).json<{
      nodes: readonly { readonly role: string; readonly alive: boolean; readonly url: string }[];
    }>();
    expect(nodes.filter(({ alive }) => alive).map(({ role }) => role)).toEqual(roles);
  });
});

/** How often a node has looked whether messages are due. */
function lookCounter(): { readonly between: Between; readonly count: () => number } {
  let looks = 0;
  return {
    count: () => looks,
    between: {
      store: (store) => ({
        ...store,
        claimDue: async (request) => {
          const claimed = await store.claimDue(request);
          looks += 1;
          return claimed;
        },
        nextDueAt: async (after) => {
          const next = await store.nextDueAt(after);
          looks += 1;
          return next;
        },
      }),
    },
  };
}
