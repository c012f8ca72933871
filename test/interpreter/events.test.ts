import { expect, test } from 'vitest';
import { readDefinition } from '../../src/definition/read.ts';
import { step } from '../../src/interpreter/step.ts';
import { bareView } from '../../src/model/changes.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { EmittedEvent } from '../../src/model/rows.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';

/** What a workflow that goes straight to a participant emits. */
function emitted(context: { readonly hears?: boolean }): readonly EmittedEvent[] {
  const read = readDefinition('define\n  alpha');
  if (!read.ok) throw new Error('The definition is good');
  const result = step(
    bareView(null),
    {
      now: 1,
      seed: '0'.repeat(32),
      event: {
        kind: 'launch',
        launch: {
          id: '20300101-0000-kogadeso-gekunute' as WorkflowId,
          tenant: DEFAULT_TENANT,
          tree: read.tree,
          hash: 'hash',
          text: '[]',
          name: null,
          revision: null,
          fields: { a: 1 },
          callbacks: 'http://participants.example/',
          retry: null,
        },
      },
    },
    { limits: LIMITS, definition: () => read.tree, ...context },
  );
  if (result.kind !== 'stepped' || result.changes === null) throw new Error('The step changes something');
  return result.changes.events;
}

test('events are told to other workflows, with the fields', () => {
  const [event, ...others] = emitted({ hears: true });
  expect(event).toMatchObject({ event: 'dispatched', name: 'alpha', at: 1 });
  expect(event?.payload).toContain('"a":1');
  expect(others).toEqual([]);
  expect(emitted({})).toEqual(emitted({ hears: true }));
});

test('no event is made ready where no workflow listens to others', () => {
  expect(emitted({ hears: false })).toEqual([]);
});
