import { expect, test } from 'vitest';
import { changes, workflow, workflowId } from '../samples.ts';
import { type Topic, writeTo } from '../topic.ts';

export const about: Topic = (store) => {
  test('a definition is stored by the step that launches it, and found by its hash', async () => {
    const id = workflowId();
    const hash = `hash of ${id}`;
    expect(await store().definitions.text(hash)).toBe(null);
    const definitions = new Map([[hash, '["define",{},[]]']]);
    await writeTo(store(), [changes(workflow(id, { definition: hash }), {}, { definitions })]);
    expect(await store().definitions.text(hash)).toBe('["define",{},[]]');
  });
};
