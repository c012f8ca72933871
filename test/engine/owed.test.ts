import { expect, test } from 'vitest';
import { owedBy } from '../../src/engine/owed.ts';
import { encodeHeader } from '../../src/interpreter/state/encoding.ts';
import { newHeader } from '../../src/interpreter/state/state.ts';
import { packHistory } from '../../src/model/history.ts';
import type { Loaded } from '../../src/model/stimulus.ts';
import { AT, workflow, workflowId } from '../store/samples.ts';

const id = workflowId();
const subscriber = (filter: object) => ({
  id: 'sub_1',
  events: ['rota.workflow.*'],
  filter,
  ordered: false,
  fields: false,
  target: '{}',
});

function told(filter: object): readonly { readonly rotahops?: number }[] {
  const row = workflow(id, {
    header: encodeHeader({ ...newHeader(), hops: 3 }),
    definitionName: 'order',
    lastN: 7,
  });
  const history = [
    { firstN: 7, lastN: 7, at: AT, entries: packHistory([{ kind: 'workflow.completed' }], id), token: null },
  ];
  const subscribers = { of: () => [subscriber(filter)], baseUrl: () => 'http://rota.test' };
  return owedBy(subscribers, { workflow: row } as Loaded, history as never).map(({ event }) => JSON.parse(event));
}

test('an event says that it came of one more than the workflow that tells it', () => {
  expect(told({})).toMatchObject([{ rotahops: 4, data: { definition: 'order' } }]);
});

test('who subscribes to one definition is told of workflows that were launched from it, and of no others', () => {
  expect(told({ definition: 'order' })).toHaveLength(1);
  expect(told({ definition: 'other' })).toEqual([]);
});
