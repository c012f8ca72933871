import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { type Answer, type Participant, send, startParticipant, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/* What every node keeps in memory, on two nodes with one Postgres: what one has written the other acts on, once it is answered. */

describe.runIf(hasPostgres())('two nodes on one Postgres', { timeout: 120_000 }, () => {
  let database: Database;
  let one: Running;
  let two: Running;
  let alpha: Participant;
  let hook: Participant;
  beforeAll(async () => {
    database = await freshDatabase();
    [alpha, hook] = [await startParticipant(), await startParticipant()];
    const settings = { DATABASE_URL: database.url, ALLOW_PRIVATE_TARGETS: '1' };
    [one, two] = await Promise.all([startServer(settings), startServer(settings)]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await Promise.all([alpha.stop(), hook.stop()]);
    await database.drop();
  }, 120_000);

  const ask = (node: Running, method: string, path: string, body?: unknown): Promise<Answer> =>
    send(node.url, method, path, {
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
  /** Who is asked next; that somebody is to stop does not count. */
  const asked = async (): Promise<string> => {
    for (;;) {
      const { participant, status } = (await alpha.next()).body;
      if (status === 'active') return participant;
    }
  };
  /** A write that all nodes know of when it is answered. */
  const write = async (node: Running, method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await ask(node, method, path, body);
    expect(answer.status, answer.text).toBeLessThan(300);
    expect(answer.headers['rota-warning']).toBe(undefined);
    return answer;
  };

  test('definitions, their routes and triggers, participants and subscriptions hold at the other node as soon as they are answered', async () => {
    await until('both know each other', async () => {
      const { nodes } = (await ask(one, 'GET', '/v1/nodes')).json<{ nodes: object[] }>();
      return nodes.length === 2;
    });
    for (let round = 0; round < 3; round++) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one];
      const name = `order-${round}`;
      await write(here, 'PUT', `/v1/participants/packer-${round}`, { url: alpha.url });
      const { id: subscription } = (
        await write(here, 'POST', '/v1/subscriptions', { url: hook.url, events: ['workflow.killed'], filter: { name } })
      ).json<{ id: string }>();
      await write(here, 'PUT', `/v1/definitions/${name}`, {
        definition: `define ${name}\n  packer-${round}\n`,
        route: `POST /orders-${round}`,
        triggers: [{ type: `order.${round}` }],
      });
      const routed = await ask(there, 'POST', `/r/orders-${round}`, {});
      expect(routed.status, routed.text).toBe(202);
      expect(await asked()).toBe(`packer-${round}`);
      const event = { specversion: '1.0', id: `e${round}`, source: 'shop', type: `order.${round}` };
      const sent = await send(there.url, 'POST', '/v1/events', {
        headers: { 'Content-Type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      });
      expect(sent.json<{ started: string[] }>().started).toHaveLength(1);
      await asked();
      await ask(there, 'POST', `/v1/workflows/${routed.json<{ id: string }>().id}/kill`, {});
      expect((await hook.next()).body).toMatchObject({ type: 'rota.workflow.killed' });
      await write(here, 'DELETE', `/v1/subscriptions/${subscription}`);
      await write(here, 'DELETE', `/v1/definitions/${name}`);
      await write(here, 'DELETE', `/v1/participants/packer-${round}`);
      expect((await ask(there, 'POST', `/r/orders-${round}`, {})).status).toBe(404);
      expect((await ask(there, 'GET', `/v1/participants/packer-${round}`)).status).toBe(404);
    }
  });

  test('a time of a schedule fires once, however many nodes look at it', async () => {
    await write(one, 'PUT', '/v1/definitions/ticks', {
      definition: "define ticks\n  set 'f:at': '${v:meta.schedule.due_at}'\n",
      schedules: [{ name: 'often', every: '1s', overlap: 'allow' }],
    });
    type Fired = { readonly due_at: string; readonly workflow_id?: string };
    const fired = await until('it has fired three times', async () => {
      const { recent } = (await ask(two, 'GET', '/v1/schedules/ticks:often')).json<{ recent: Fired[] }>();
      return recent.length >= 3 ? recent : null;
    });
    await write(two, 'DELETE', '/v1/definitions/ticks');
    const { workflows } = await until('they are over', async () => {
      const found = (await ask(one, 'GET', '/v1/workflows?name=ticks')).json<{
        workflows: { id: string; status: string }[];
      }>();
      return found.workflows.every(({ status }) => status === 'completed') ? found : null;
    });
    const ids = fired.flatMap(({ workflow_id: id }) => id ?? []);
    expect(new Set(fired.map(({ due_at }) => due_at)).size).toBe(fired.length);
    expect(workflows.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    const dueAts = await Promise.all(
      workflows.map(async ({ id }) => {
        const { fields } = (await ask(one, 'GET', `/v1/workflows/${id}`)).json<{ fields: { at: string } }>();
        return fields.at;
      }),
    );
    expect(new Set(dueAts).size).toBe(workflows.length);
  });
});
