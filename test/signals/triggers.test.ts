import { describe, expect, test } from 'vitest';
import { judgeEvent, prepareEventCondition } from '../../src/language/event-condition.ts';
import { fits, keyOf } from '../../src/model/events.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { atPointer } from '../../src/model/pointer.ts';
import type { Tenant } from '../../src/model/tenant.ts';
import type { Incoming } from '../../src/signals/receiver.ts';
import {
  filled,
  fitsTrigger,
  type HasTriggers,
  makeStarter,
  makeTriggers,
  type Trigger,
} from '../../src/signals/triggers.ts';

/* What events fit, and what they start: decided without a database. */

const TENANT = 'tenant' as Tenant;
const EVENT: JsonObject = { type: 'order.created', subject: 'O-1', data: { order_id: 7, lines: [{ sku: 'a' }] } };
const incoming = (given: Partial<Incoming> = {}): Incoming => ({
  ...{ source: 'shop', id: '1', type: 'order.created', key: 'O-1', sort: 'event', mode: 'broadcast' },
  ...{ workflow: null, keepSeconds: null, hops: 2, event: EVENT },
  ...given,
});

describe('a key', () => {
  test.each([
    ['7', '7'],
    [7, '7'],
    [true, 'true'],
    ['', null],
    [null, null],
    [undefined, null],
    [{}, null],
    [[], null],
    ['x'.repeat(201), null],
  ])('%j is %j', (value, key) => {
    expect(keyOf(value as never)).toBe(key);
  });

  test('is looked for at a JSON pointer', () => {
    const at = (pointer: string): unknown => atPointer({ 'a/b': [{ '~': 1 }], c: null }, pointer);
    expect([at('/a~1b/0/~0'), at('/c'), at('/d'), at('/a~1b/1'), at('/a~1b/x'), at('/__proto__')]).toEqual([
      ...[1, null, undefined, undefined, undefined, undefined],
    ]);
  });
});

test.each([
  // wanted, key of the event, whether it fits
  [null, null, true],
  [null, '7', true],
  ['7', null, false],
  ['7', '7', true],
  ['7', '8', false],
])('one that waits for the key %j and an event with the key %j: %s', (wanted, key, does) => {
  const waiter = { wanted, keyFrom: null, where: null, hears: 'event' } as const;
  const event = { key, sort: 'event', workflowId: null, event: EVENT } as const;
  expect(fits(waiter, event, judgeEvent)).toBe(does);
  // A message to its workflow fits whatever the key.
  expect(fits(waiter, { ...event, sort: 'message', workflowId: 'w' }, judgeEvent)).toBe(true);
  expect(fits({ ...waiter, hears: 'message' }, event, judgeEvent)).toBe(does && wanted !== null);
  expect(fits({ ...waiter, hears: 'message' }, { ...event, sort: 'signal' }, judgeEvent)).toBe(false);
});

describe('a condition on an event', () => {
  const prepared = (written: string): string =>
    prepareEventCondition(written, (text) =>
      text.replaceAll('${f:least}', '5').replaceAll('${f:evil}', '${event.data}'),
    );
  test('has everything put in but the parts of the event', () => {
    expect(prepared("${event.data.amount} >= ${f:least} and ${'event.subject} == 'x'")).toBe(
      "${event.data.amount} >= 5 and ${'event.subject} == 'x'",
    );
    // What was put in is text.
    expect(judgeEvent(prepared("'${f:evil}' == '${event.x}'"), { data: 1, x: '${event.data}' })).toBe(true);
  });

  test.each([
    ['${event.data.order_id} == 7', true],
    ['${event.data.order_id} > 7', false],
    ['${event.data.order_id} > x', false],
    ['${r:exit}', false],
    ["${'event.subject} == 'O-1'", true],
  ])('%s: %s', (condition, holds) => {
    expect(judgeEvent(condition, EVENT)).toBe(holds);
  });
});

describe('a trigger', () => {
  test.each<[Partial<Trigger>, Partial<Incoming>, boolean]>([
    [{}, {}, true],
    [{ enabled: false }, {}, false],
    [{ source: 'shop', key: 'O-1' }, {}, true],
    [{ source: 'other' }, {}, false],
    [{ key: 'O-2' }, {}, false],
    [{ where: '${event.data.order_id} == 7' }, {}, true],
    [{ where: '${event.data.order_id} == 8' }, {}, false],
    [{}, { mode: 'direct' }, false],
    [{}, { sort: 'signal' }, false],
  ])('%j is started by %j: %s', (trigger, event, does) => {
    expect(fitsTrigger({ type: 'order.created', ...trigger }, incoming(event))).toBe(does);
  });

  test('makes fields of the event, each with its type', () => {
    const template = {
      id: '${event.data.order_id}',
      text: 'order ${event.data.order_id}',
      none: '${event.gone}',
      deep: [1],
    };
    expect(filled(template, EVENT)).toEqual({ id: 7, text: 'order 7', none: null, deep: [1] });
  });

  test('is that of the active version', () => {
    const seers: ((before: HasTriggers | null, now: HasTriggers | null) => void)[] = [];
    const triggers = makeTriggers((see) => void seers.push(see));
    const tell = (before: HasTriggers | null, now: HasTriggers | null): void => {
      for (const see of seers) see(before, now);
    };
    const version = (n: number, ...types: readonly string[]): HasTriggers => ({
      ...{ tenant: TENANT, name: 'order', version: n },
      options: { triggers: types.map((type) => ({ type })) },
    });
    tell(null, version(1, 'a', 'a', 'b'));
    expect([triggers.count(TENANT, 'a'), triggers.count(TENANT, 'b')]).toEqual([2, 1]);
    tell(version(1, 'a', 'a', 'b'), version(2, 'b'));
    expect([...triggers.of(TENANT, 'a')]).toEqual([]);
    expect([...triggers.of(TENANT, 'b')]).toEqual([{ definition: 'order', version: 2, trigger: { type: 'b' } }]);
    expect([...triggers.of('other' as Tenant, 'b')]).toEqual([]);
    tell(version(2, 'b'), null);
    expect(triggers.count(TENANT, 'b')).toBe(0);
  });

  test('starts with an id that was made before, or says why it does not', async () => {
    const triggered = [
      {
        definition: 'good',
        version: 3,
        trigger: { type: 'order.created', business_key: 'order-${event.data.order_id}' },
      },
      { definition: 'taken', version: 1, trigger: { type: 'order.created', business_key: 'held' } },
      { definition: 'bad', version: 1, trigger: { type: 'order.created', fields: { id: '${event.data.order_id}' } } },
    ];
    const starter = makeStarter({
      triggersOf: () => triggered,
      complaint: async (_, { definition }) => (definition === 'bad' ? 'input_invalid' : null),
      holder: async (_, key) => (key === 'held' ? ('w-old' as WorkflowId) : null),
      freshId: () => 'w-new' as WorkflowId,
    });
    const { starts, skipped } = await starter(TENANT, incoming(), 'evt_1');
    expect(starts.map(({ workflow, payload }) => [workflow, JSON.parse(payload)])).toEqual([
      [
        'w-new',
        {
          launch: {
            ...{ tenant: TENANT, definition: 'good', version: 3, fields: { event: EVENT }, businessKey: 'order-7' },
            ...{ hops: 2, eventId: 'evt_1' },
          },
        },
      ],
    ]);
    expect(skipped).toEqual([
      { definition: 'taken', reason: 'business_key_taken', workflowId: 'w-old' },
      { definition: 'bad', reason: 'input_invalid' },
    ]);
  });
});
