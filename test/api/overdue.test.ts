import { expect, test } from 'vitest';
import { postJson, send, startParticipant, startServer } from '../support/server.ts';

test('a workitem that waits for longer than it should says so, and is listed, the oldest first', async () => {
  const anybody = await startParticipant();
  const server = await startServer({ TEST_CLOCK: '1', OVERDUE: '{"boss":604800}' });
  const advance = (seconds: number) => postJson(server.url, '/v1/test/clock', { advance: seconds });
  const launch = async (participant: string): Promise<string> =>
    (
      await postJson(server.url, '/v1/workflows', { workflow: `define\n  ${participant}\n`, callback: anybody.url })
    ).json<{ id: string }>().id;
  type Item = { readonly id: string; readonly workflow_id: string; readonly overdue?: true };
  const listed = async (query = 'overdue=1'): Promise<readonly Item[]> => {
    const answer = await send(server.url, 'GET', `/v1/workitems?${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.json<{ workitems: Item[] }>().workitems;
  };
  try {
    const [boss, first] = [await launch('boss'), await launch('alice')];
    await advance(3_600);
    const second = await launch('bob');
    // Business time goes on by itself as well: some minutes either way tell nothing.
    await advance(82_000);
    expect(await listed()).toEqual([]);
    await advance(1_000);
    const [item] = await listed();
    expect(item).toMatchObject({ workflow_id: first, overdue: true });
    await advance(3_600);
    expect((await listed()).map((one) => one.workflow_id)).toEqual([first, second]);
    // The list of all, the workflow and the workitem say the same; the boss has a week.
    expect((await listed('limit=100')).map((one) => [one.workflow_id, one.overdue])).toEqual(
      expect.arrayContaining([
        [first, true],
        [second, true],
        [boss, undefined],
      ]),
    );
    const shown = await send(server.url, 'GET', `/v1/workflows/${first}`);
    expect(shown.json()).toMatchObject({ workitems: [{ overdue: true }] });
    const alone = await send(server.url, 'GET', `/v1/workflows/${first}/workitems/${item?.id}`);
    expect(alone.json()).toMatchObject({ overdue: true });
    const page = (await send(server.url, 'GET', '/v1/workitems?overdue=1&limit=1')).json<{ next_cursor: string }>();
    expect((await listed(`overdue=1&limit=1&cursor=${page.next_cursor}`)).map((one) => one.workflow_id)).toEqual([
      second,
    ]);
    await advance(604_800);
    expect((await listed()).map((one) => one.workflow_id)).toEqual([boss, first, second]);
    expect((await listed('overdue=1&participant=bob')).map((one) => one.workflow_id)).toEqual([second]);
    await send(server.url, 'POST', `/v1/workflows/${first}/kill`);
    expect((await listed()).map((one) => one.workflow_id)).toEqual([boss, second]);
    for (const query of ['overdue=2', `cursor=${page.next_cursor}`])
      expect((await send(server.url, 'GET', `/v1/workitems?${query}`)).status, query).toBe(400);
  } finally {
    await server.stop();
    await anybody.stop();
  }
}, 240_000);
