import { expect, test } from 'vitest';
import type { WorkflowId } from '../../../src/model/ids.ts';
import { changes, history, workflow, workflowId } from '../samples.ts';
import { type Topic, writeTo } from '../topic.ts';

const [one, two] = ['20260101-0000-business-one', '20260101-0000-business-two'] as [WorkflowId, WorkflowId];

export const about: Topic = (store) => {
  test('a business key is of one workflow of a tenant, and can be taken from the one that has it', async () => {
    const { businessKeys, databaseTime } = store();
    expect(await businessKeys.take('a', 'order 7', one)).toBe(true);
    expect(await businessKeys.take('a', 'order 7', two)).toBe(false);
    expect(await businessKeys.take('b', 'order 7', two)).toBe(true);
    const held = await businessKeys.get('a', 'order 7');
    expect(held?.workflow).toBe(one);
    expect(Math.abs((held?.claimedAt ?? 0) - (await databaseTime()))).toBeLessThan(60_000);
    expect(await businessKeys.takeOver('a', 'order 7', two, two)).toBe(false);
    expect(await businessKeys.takeOver('a', 'order 7', one, two)).toBe(true);
    expect((await businessKeys.get('a', 'order 7'))?.workflow).toBe(two);
    expect(await businessKeys.get('a', 'order 8')).toBe(null);
  });

  test('it is handed on with the save that ends its workflow, unless somebody else has it', async () => {
    const { businessKeys } = store();
    await businessKeys.take('d', 'order', one);
    await businessKeys.take('d', 'other', two);
    const id = workflowId();
    const to = workflowId();
    const written = changes(workflow(id), {}, { history: [history(1)] });
    const handedOn = ['order', 'other', 'nobody'].map((key) => ({ tenant: 'd', key, from: one, to }));
    await writeTo(store(), [written], { handedOn });
    expect((await businessKeys.get('d', 'order'))?.workflow).toBe(to);
    expect((await businessKeys.get('d', 'other'))?.workflow).toBe(two);
    expect(await businessKeys.get('d', 'nobody')).toBe(null);
  });

  test('it is given up by the workflow that has it, or by whoever may', async () => {
    const { businessKeys } = store();
    await businessKeys.take('c', 'order', one);
    expect(await businessKeys.free('c', 'order', two)).toBe(false);
    expect(await businessKeys.free('c', 'order', one)).toBe(true);
    expect(await businessKeys.free('c', 'order', null)).toBe(false);
    await businessKeys.take('c', 'order', two);
    expect(await businessKeys.free('c', 'order', null)).toBe(true);
  });
};
