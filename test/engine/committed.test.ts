import { beforeEach, describe, expect, test } from 'vitest';
import type { Committed } from '../../src/engine/committed.ts';
import type { AgendaSink, MessageSink } from '../../src/engine/engine.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { type Log, type LogDetails, silentLog } from '../../src/runtime/log.ts';
import type { Store } from '../../src/store/store.ts';
import { makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import {
  collectingSink,
  type EngineParts,
  engineOn,
  launch,
  okay,
  proceedOf,
  workitemOf,
} from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

let store: Store;

const TWO = 'define\n  alpha\n  beta\n';
let errors: LogDetails[];
let parts: EngineParts;
beforeEach(() => {
  store = openSimulated(makeDatabase(Date.now), { link: perfectLink, ids: randomIds() });
  errors = [];
  const log: Log = { ...silentLog, error: (_, details) => void errors.push(details) };
  parts = engineOn(store, { log });
});

const broken = (what: string) => (): never => {
  throw new Error(`${what} is broken`);
};
const idle: AgendaSink = { rows: () => {}, events: () => {}, dueAt: () => {} };

describe('those who look on', () => {
  test('hear after the commit what it brought, with the numbers of the history entries', async () => {
    const heard: Committed[] = [];
    const stored: Promise<string | undefined>[] = [];
    parts.engine.watch('a test', (batch) => {
      heard.push(...batch);
      for (const { workflow } of batch)
        stored.push(store.read.workflow(DEFAULT_TENANT, workflow).then((row) => row?.status));
    });
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    await parts.engine.advance([proceedOf(workflow, id)]);
    await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'kill' } }]);
    expect(await Promise.all(stored)).toHaveLength(3);
    expect((await Promise.all(stored))[0]).toBeDefined();
    expect(heard.map(({ before, after }) => [before, after])).toEqual([
      [null, 'running'],
      ['running', 'running'],
      ['running', 'killed'],
    ]);
    expect(heard.every((one) => one.workflow === workflow && one.tenant === DEFAULT_TENANT)).toBe(true);
    const history = await store.read.history(DEFAULT_TENANT, workflow, 0, 100);
    expect(heard.map(({ firstN, lastN }) => [firstN, lastN])).toEqual(
      history.map(({ firstN, lastN }) => [firstN, lastN]),
    );
    expect(heard[0]?.changes.workitems.size).toBe(1);
  });

  test('are many, and each hears everything until it stops', async () => {
    const [first, second]: [string[], string[]] = [[], []];
    const stop = parts.engine.watch('first', (batch) => first.push(...batch.map(({ after }) => after)));
    parts.engine.watch('second', (batch) => second.push(...batch.map(({ after }) => after)));
    await launch(parts, TWO);
    stop();
    await launch(parts, TWO);
    expect(first).toEqual(['running']);
    expect(second).toEqual(['running', 'running']);
  });

  test('cannot break a step: what one of them throws is logged with its name, and the others hear', async () => {
    const heard: string[] = [];
    parts.engine.watch('the broken one', broken('the watcher'));
    parts.engine.watch('the other one', (batch) => heard.push(...batch.map(({ workflow }) => workflow)));
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    expect(okay(await parts.engine.advance([proceedOf(workflow, id)]))).toEqual([true]);
    expect(heard).toEqual([workflow, workflow]);
    expect(errors.map(({ part }) => part)).toEqual(['the broken one', 'the broken one']);
  });

  test('hear nothing of what changed nothing', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    const heard: Committed[] = [];
    parts.engine.watch('a test', (batch) => void heard.push(...batch));
    await parts.engine.advance([proceedOf(workflow, id)]);
    const [late] = await parts.engine.advance([proceedOf(workflow, id)]);
    expect(late).toMatchObject({ ok: false, code: 'workitem_not_found' });
    expect(heard).toHaveLength(1);
  });
});

describe('those who do what a committed step left to do', () => {
  test.each(['take', 'wake', 'withdraw'] as const)(
    'cannot break a step either: messages that throw at "%s"',
    async (method) => {
      const { sink } = collectingSink(1);
      const odd: MessageSink = { ...sink, [method]: broken(method) };
      parts.engine.deliverTo(odd);
      parts.engine.agendaTo(idle);
      const workflow = await launch(parts, 'concurrence\n  alpha\n  beta\n');
      const { id } = await workitemOf(store, workflow, 'alpha');
      expect(okay(await parts.engine.advance([proceedOf(workflow, id)]))).toEqual([true]);
      expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.ver).toBe(2);
      expect(errors.length).toBeGreaterThan(0);
    },
  );

  test('cannot break a step either: an agenda that throws', async () => {
    parts.engine.agendaTo({ ...idle, rows: broken('rows') });
    const workflow = await launch(parts, 'sequence\n  wait 10s\n');
    expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.status).toBe('running');
    expect(errors.map(({ part }) => part)).toEqual(['agenda']);
  });

  test('are one of each: a second one is told so instead of switching off the first', () => {
    const { sink } = collectingSink();
    parts.engine.deliverTo(sink);
    parts.engine.agendaTo(idle);
    expect(() => parts.engine.deliverTo(sink)).toThrow('already');
    expect(() => parts.engine.agendaTo(idle)).toThrow('already');
  });

  test('are told of all workitems of a workflow that are over in one call', async () => {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    const workflow = await launch(parts, 'concurrence\n  alpha\n  beta\n  gamma\n');
    await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'cancel' } }]);
    expect(state.withdrawn.map((text) => text.split(' ').length)).toEqual([4]);
  });
});
