import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TURN_MS_MAX } from '../../src/engine/batch.ts';
import type { TryOutcome } from '../../src/engine/engine.ts';
import { ATTEMPTS_MAX } from '../../src/engine/handle.ts';
import { DELIVERED_KEPT_MS, FAILED_KEPT_MS } from '../../src/engine/kept-outcomes.ts';
import { LOST_MAX, QUEUE_STIMULI_MAX } from '../../src/engine/make-engine.ts';
import { BUSY_MS_MAX } from '../../src/engine/parking.ts';
import type { Step } from '../../src/engine/turn.ts';
import { step as realStep } from '../../src/interpreter/step.ts';
import { type ExpressionId, expidOf, expressionId, type WorkflowId, workitemId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { openStore } from '../../src/store/open.ts';
import { DataRefused, OutcomeUnknown, type Store, StoreUnavailable } from '../../src/store/store.ts';
import { loadFrom } from '../store/topic.ts';
import {
  collectingSink,
  type EngineParts,
  engineOn,
  historyOf,
  launch,
  launchOf,
  okay,
  proceedOf,
  START,
  URL_OF_ALL,
  until,
  type Watched,
  watched,
  whole,
  workitemOf,
} from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

const TWO = 'define\n  alpha\n  beta\n';
const THREE_AT_ONCE = 'concurrence\n  alpha\n  beta\n  gamma\n';

let real: Store;
let around: Watched;
let parts: EngineParts;
let store: Store;

beforeAll(async () => {
  real = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 60_000);
afterAll(() => real.close());
beforeEach(() => {
  around = watched(real);
  store = around.store;
  parts = engineOn(store);
});
afterEach(() => {
  // Whatever a test broke is whole again for the next one.
  for (const key of ['begin', 'busy', 'commit'] as const) delete around.trouble[key];
});

/** Holds every transaction back until it is called. */
function gate(): () => void {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  around.trouble.begin = () => opened;
  return open;
}

const nobody = (n: number): { workflow: WorkflowId; workitem: ExpressionId } => ({
  workflow: `20151005-1247-nobody-${n}` as WorkflowId,
  workitem: expressionId('0_0', '0'.repeat(32)),
});

describe('group commit', () => {
  test('a lone stimulus is one transaction', async () => {
    const workflow = await launch(parts, TWO);
    expect(around.begun).toEqual([[workflow]]);
    expect(around.committed).toHaveLength(1);
  });

  test('what arrives while a transaction is under way shares the next one', async () => {
    const open = gate();
    const first = launch(parts, TWO);
    await until(() => around.begun.length === 1);
    const others = Array.from({ length: 30 }, () => launch(parts, TWO));
    open();
    await Promise.all([first, ...others]);
    expect(around.begun.map((workflows) => workflows.length)).toEqual([1, 30]);
    expect(around.committed).toHaveLength(2);
  });

  test('a transaction takes as many as the store wants, no more', async () => {
    const open = gate();
    const all = Array.from({ length: store.batchMax * 2 + 1 }, () => launch(parts, 'define\n  alpha\n'));
    open();
    await Promise.all(all);
    expect(around.begun.map((workflows) => workflows.length)).toEqual([store.batchMax, store.batchMax, 1]);
  });

  test('of fifty proceeds of one workitem one is taken, in one step', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    around.forget();
    const answers = await parts.engine.advance(Array.from({ length: 50 }, () => proceedOf(workflow, id)));
    expect(okay(answers).filter((ok) => ok)).toHaveLength(1);
    expect(answers[0]?.ok).toBe(true);
    expect(answers[1]).toMatchObject({ ok: false, code: 'workitem_not_found' });
    expect(around.committed).toHaveLength(1);
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'workitem.proceeded')).toHaveLength(1);
  });

  test('several steps of one workflow in one batch see each other and raise its version once', async () => {
    const workflow = await launch(parts, THREE_AT_ONCE);
    const { workitems } = await whole(store, workflow);
    around.forget();
    const proceeds = [...workitems.values()].map((row) => proceedOf(workflow, row.id, { [row.participant]: 1 }));
    expect(okay(await parts.engine.advance(proceeds))).toEqual([true, true, true]);
    const after = await whole(store, workflow);
    expect(after.workflow.status).toBe('completed');
    expect(after.workflow.ver).toBe(1 + around.committed.length);
    expect(around.committed.length).toBeLessThanOrEqual(2);
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'workitem.proceeded')).toHaveLength(3);
    expect(kinds.at(-1)).toBe('workflow.completed');
  });

  test('stimuli of one workflow are handled in the order they came', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    const edit = (n: number) => ({
      workflow,
      origin: SERVER,
      event: { kind: 'edit' as const, workitem: id, fields: { n }, revision: null },
    });
    await parts.engine.advance([edit(1), edit(2), edit(3)]);
    const row = await workitemOf(store, workflow, 'alpha');
    expect(JSON.parse(row.fields as string)).toMatchObject({ n: 3 });
  });

  test('steps of one workflow that take long are not handled in a row: others come between', async () => {
    const slow: Step = (...given) => {
      parts.time.pass(TURN_MS_MAX + 1);
      return realStep(...given);
    };
    parts = engineOn(store, { step: slow });
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    const edit = (n: number) => ({
      workflow,
      origin: SERVER,
      event: { kind: 'edit' as const, workitem: id, fields: { n }, revision: null },
    });
    around.forget();
    const edits = parts.engine.advance([edit(1), edit(2), edit(3)]);
    const other = await launch(parts, TWO);
    okay(await edits);
    const written = around.committed.map(({ changes }) => [...changes.keys()]);
    expect(written.filter((each) => each.includes(workflow))).toHaveLength(3);
    expect(written.findIndex((each) => each.includes(other))).toBeLessThan(2);
    const row = await workitemOf(store, workflow, 'alpha');
    expect(JSON.parse(row.fields as string)).toMatchObject({ n: 3 });
  });

  test('what has to wait for the next batch goes before what came later', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    const edit = (last: string) => ({
      workflow,
      origin: SERVER,
      event: { kind: 'edit' as const, workitem: id, fields: { last }, revision: null },
    });
    around.forget();
    const open = gate();
    // After a pause nothing of the workflow is as it was loaded: the edit behind it belongs to the next batch.
    const first = parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'pause' } }, edit('a')]);
    await until(() => around.begun.length === 1);
    const second = parts.engine.advance([edit('b')]);
    open();
    expect(okay([...(await first), ...(await second)])).toEqual([true, true, true]);
    expect(around.begun).toHaveLength(2);
    expect(JSON.parse((await workitemOf(store, workflow, 'alpha')).fields as string)).toMatchObject({ last: 'b' });
  });

  test('a fault is an answer and writes nothing', async () => {
    const workflow = await launch(parts, TWO);
    const before = await whole(store, workflow);
    around.forget();
    const { workitem } = nobody(0);
    const answers = await parts.engine.advance([
      proceedOf(workflow, workitem),
      proceedOf(nobody(1).workflow, workitem),
    ]);
    expect(answers).toMatchObject([{ ok: false, code: 'workitem_not_found' }, { ok: false }]);
    expect(around.committed).toEqual([]);
    expect((await whole(store, workflow)).workflow).toEqual(before.workflow);
  });

  test('a definition is fetched once, however many workflows run it', async () => {
    const workflows = await Promise.all([launch(parts, TWO), launch(parts, TWO)]);
    const other = engineOn(store, { nodeId: 'node-2' });
    for (const workflow of workflows) {
      const { id } = await workitemOf(store, workflow, 'alpha');
      expect(okay(await other.engine.advance([proceedOf(workflow, id)]))).toEqual([true]);
    }
    expect(around.definitions).toHaveLength(1);
  });
});

describe('a queue that is full', () => {
  test('refuses what comes then, and nothing else', async () => {
    const open = gate();
    const many = Array.from({ length: QUEUE_STIMULI_MAX }, (_, n) => proceedOf(nobody(n).workflow, nobody(n).workitem));
    const waiting = parts.engine.advance(many);
    await expect(parts.engine.advance([proceedOf(nobody(0).workflow, nobody(0).workitem)])).rejects.toMatchObject({
      code: 'overloaded',
    });
    open();
    expect(await waiting).toHaveLength(QUEUE_STIMULI_MAX);
    await launch(parts, TWO);
    expect(parts.engine.figures()).toMatchObject({ queued: 0, overloaded: 1 });
  });
});

/** The real step, but it throws where the test says so. */
const throwing =
  (when: Parameters<Step> extends [...infer All] ? (...all: All) => boolean : never): Step =>
  (loaded, stimulus, context) => {
    if (when(loaded, stimulus, context)) throw new Error('a bug');
    return realStep(loaded, stimulus, context);
  };

describe('a step that throws', () => {
  test('leaves nothing behind, and spoils no neighbour in its batch', async () => {
    const broken = engineOn(store, {
      step: throwing((_, { event }) => event.kind === 'proceed' && event.fields['boom'] === true),
    });
    const [one, two] = await Promise.all([launch(broken, TWO), launch(broken, TWO)]);
    const [first, second] = await Promise.all([workitemOf(store, one, 'alpha'), workitemOf(store, two, 'alpha')]);
    const before = await whole(store, one);
    around.forget();
    const bad = broken.engine.advance([proceedOf(one, first.id, { boom: true })]);
    const good = broken.engine.advance([proceedOf(two, second.id)]);
    await expect(bad).rejects.toMatchObject({ code: 'internal' });
    expect(okay(await good)).toEqual([true]);
    // On rows that nobody has locked a throw says nothing: the batch was run once more with them locked.
    expect(around.begun).toHaveLength(1);
    expect(around.atOnce).toBe(0);
    expect(await whole(store, one)).toEqual(before);
    // and what came behind it is handled as if it had never been
    expect(okay(await broken.engine.advance([proceedOf(one, first.id)]))).toEqual([true]);
  });

  test('for an agenda row puts its workflow in error after a few attempts, and is kept, not looped on', async () => {
    const broken = engineOn(store, { step: throwing((_, { event }) => event.kind === 'due') });
    const workflow = await launch(broken, "define\n  alpha timeout: '2d'\n");
    const agenda = [...(await whole(store, workflow)).agenda.keys()][0] as string;
    broken.clock.advanceTo(START + 3 * 86_400_000);
    const due = () => broken.engine.advance([{ workflow, origin: SERVER, event: { kind: 'due', agenda } }]);
    for (let i = 1; i < ATTEMPTS_MAX; i++) await expect(due()).rejects.toMatchObject({ code: 'internal' });
    expect((await whole(store, workflow)).workflow.status).toBe('running');
    expect(await due()).toMatchObject([{ ok: false, code: 'internal' }]);
    const after = await whole(store, workflow);
    expect(after.workflow.status).toBe('error');
    expect(after.agenda.get(agenda)?.heldAt).toBe(START + 3 * 86_400_000);
    expect([...after.errors.values()].map((error) => error.class)).toEqual(['InternalError']);
    await historyOf(store, workflow);
  });

  test('even when the step that says so throws as well, the workflow is in error', async () => {
    const broken = engineOn(store, {
      step: throwing((_, { event }) => event.kind === 'due' || event.kind === 'broken'),
    });
    const workflow = await launch(broken, "define\n  alpha timeout: '2d'\n");
    const agenda = [...(await whole(store, workflow)).agenda.keys()][0] as string;
    for (let i = 0; i < ATTEMPTS_MAX; i++)
      await broken.engine.advance([{ workflow, origin: SERVER, event: { kind: 'due', agenda } }]).catch(() => {});
    expect((await whole(store, workflow)).workflow.status).toBe('error');
  });
});

describe('what was just stepped', () => {
  test('is not loaded again: it is saved in one round trip, from the launch to the end', async () => {
    const first = await launch(parts, TWO);
    expect(around.atOnce).toBe(0); // whether anybody listens was not known
    around.forget();
    const workflow = await launch(parts, TWO);
    for (const name of ['alpha', 'beta']) {
      const { id } = await workitemOf(store, workflow, name);
      expect(okay(await parts.engine.advance([proceedOf(workflow, id, { [name]: 1 })]))).toEqual([true]);
    }
    expect(around.committed).toHaveLength(3);
    expect(around.atOnce).toBe(3);
    expect((await whole(store, workflow)).workflow).toMatchObject({ status: 'completed', ver: 3 });
    const { id } = await workitemOf(store, first, 'alpha');
    await parts.engine.advance([proceedOf(first, id)]);
    expect(around.atOnce).toBe(4);
  });

  test('and then by another node, is loaded as that one left it', async () => {
    await launch(parts, TWO);
    const other = engineOn(store, { nodeId: 'node-2' });
    const workflow = await launch(parts, TWO);
    const { id: alpha } = await workitemOf(store, workflow, 'alpha');
    expect(okay(await other.engine.advance([proceedOf(workflow, alpha)]))).toEqual([true]);
    around.forget();
    // This node remembers that alpha waits.
    expect(await parts.engine.advance([proceedOf(workflow, alpha)])).toMatchObject([
      { ok: false, code: 'workitem_not_found' },
    ]);
    expect(around.committed).toHaveLength(0);
    const { id: beta } = await workitemOf(store, workflow, 'beta');
    expect(okay(await parts.engine.advance([proceedOf(workflow, beta)]))).toEqual([true]);
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'workitem.proceeded')).toHaveLength(2);
  });

  test('or what nobody here remembers, is looked at and saved without a lock', async () => {
    const other = engineOn(store, { nodeId: 'node-2' });
    const workflow = await launch(other, THREE_AT_ONCE);
    await launch(parts, TWO);
    around.forget();
    // The last one makes the step ask for the branches that have arrived.
    for (const name of ['alpha', 'beta', 'gamma']) {
      const { id } = await workitemOf(store, workflow, name);
      expect(okay(await parts.engine.advance([proceedOf(workflow, id, { [name]: 1 })]))).toEqual([true]);
    }
    expect(around.committed).toHaveLength(3);
    expect(around.atOnce).toBe(3);
    expect((await whole(store, workflow)).workflow.status).toBe('completed');
  });

  test('and steps away between two looks, is locked and stepped as it is then', async () => {
    const other = engineOn(store, { nodeId: 'node-2' });
    const workflow = await launch(other, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    const { look } = store;
    if (look === null) throw new Error('the embedded store can look');
    let between = async (): Promise<void> => {
      between = async () => {};
      await other.engine.advance([proceedOf(workflow, id)]);
    };
    const torn = engineOn({
      ...store,
      look: async (requests) => {
        const first = await look(requests);
        await between();
        const then = await look(requests);
        return new Map([...then].map(([key, rows]) => [key, { ...rows, workflow: first.get(key)?.workflow ?? null }]));
      },
    });
    await launch(torn, TWO);
    around.forget();
    expect(okay(await torn.engine.advance([{ workflow, origin: SERVER, event: { kind: 'cancel' } }]))).toEqual([true]);
    expect((await whole(store, workflow)).workflow.status).toBe('cancelled');
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.filter((kind) => kind === 'workitem.closed')).toHaveLength(1);
    expect(await workitemOf(store, workflow, 'beta')).toMatchObject({ state: 'closed', send: 'cancel' });
  });

  test('refusals do not send their neighbours the long way, and wait for one batch at most', async () => {
    const [one, two] = await Promise.all([launch(parts, TWO), launch(parts, TWO)]);
    const third = await launch(parts, TWO);
    const { id } = await workitemOf(store, third, 'alpha');
    await parts.engine.advance([proceedOf(third, id)]);
    const [first, second] = await Promise.all([workitemOf(store, one, 'alpha'), workitemOf(store, two, 'alpha')]);
    around.forget();
    const answers = await parts.engine.advance([
      proceedOf(third, id),
      proceedOf(one, first.id),
      proceedOf(two, second.id),
    ]);
    expect(answers.map((answer) => answer.ok)).toEqual([false, true, true]);
    expect(around.committed.map((saved) => saved.changes.size)).toEqual([2]);
    expect(around.atOnce).toBe(1);
    expect(around.begun.at(-1)).toEqual([third]);
  });

  test('is not believed when nothing would be written to prove it', async () => {
    await launch(parts, TWO);
    const other = engineOn(store, { nodeId: 'node-2' });
    const workflow = await launch(parts, TWO);
    const { id: alpha } = await workitemOf(store, workflow, 'alpha');
    await other.engine.advance([proceedOf(workflow, alpha)]);
    const { id: beta } = await workitemOf(store, workflow, 'beta');
    // An edit of what this node has never heard of: it would say there is no such workitem.
    const edit = { kind: 'edit' as const, workitem: beta, fields: { seen: true }, revision: null };
    expect(okay(await parts.engine.advance([{ workflow, origin: SERVER, event: edit }]))).toEqual([true]);
    const stale = { kind: 'edit' as const, workitem: beta, fields: {}, revision: 7 };
    expect(await parts.engine.advance([{ workflow, origin: SERVER, event: stale }])).toMatchObject([{ ok: false }]);
  });

  test('is loaded as long as some workflow listens to others, so that their events are written', async () => {
    const hearer = await launch(parts, "await participant: 'alpha', global: true\n");
    await launch(parts, TWO);
    around.forget();
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    await parts.engine.advance([proceedOf(workflow, id)]);
    expect(around.committed).toHaveLength(2);
    expect(around.atOnce).toBe(0);
    expect((await loadFrom(store, hearer, { kind: 'everything' })).agenda.size).toBeGreaterThan(0);
    await parts.engine.advance([{ workflow: hearer, origin: SERVER, event: { kind: 'kill' } }]);
  });
});

describe('a transaction that is lost', () => {
  test('is run again, with the same ids, and answered once', async () => {
    const seen: string[] = [];
    around.trouble.commit = (save) => {
      seen.push(JSON.stringify([...([...save.changes.values()][0]?.workitems.keys() ?? [])]));
      return seen.length <= 3 ? 'lost' : undefined;
    };
    const launched = launch(parts, TWO);
    await until(async () => {
      parts.time.pass(1_000);
      return around.committed.length > 0;
    });
    const workflow = await launched;
    expect(new Set(seen).size).toBe(1);
    expect((await whole(store, workflow)).workflow).toMatchObject({ ver: 1, status: 'running' });
  });

  test('again and again is given up, and can be tried again', async () => {
    around.trouble.commit = () => 'lost';
    const { workflow, origin: SERVER, event } = launchOf(parts, TWO);
    const launched = expect(parts.engine.advance([{ workflow, origin: SERVER, event }])).rejects.toMatchObject({
      code: 'unavailable',
    });
    await until(() => {
      parts.time.pass(1_000);
      return around.begun.length === LOST_MAX + 1;
    });
    await launched;
    delete around.trouble.commit;
    expect(okay(await parts.engine.advance([{ workflow, origin: SERVER, event }]))).toEqual([true]);
  });

  test('gives back the places it had reserved', async () => {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    let times = 0;
    around.trouble.commit = () => (++times === 1 ? 'lost' : undefined);
    const launched = launch(parts, THREE_AT_ONCE);
    await until(() => {
      parts.time.pass(1_000);
      return state.taken.length > 0;
    });
    await launched;
    expect(state).toMatchObject({ reserved: 3, taken: { length: 3 } });
  });
});

describe('a value the database refuses', () => {
  test('costs its own stimulus only: the batch is cut until it stands alone', async () => {
    const open = gate();
    const stimuli = Array.from({ length: 20 }, () => launchOf(parts, TWO));
    const poison = stimuli[13]?.workflow as WorkflowId;
    around.trouble.commit = (save) => {
      if (save.changes.has(poison)) throw new DataRefused('no such character');
      return undefined;
    };
    const asked = stimuli.map((stimulus) => parts.engine.advance([stimulus]));
    open();
    const settled = await Promise.allSettled(asked);
    expect(settled.flatMap((one, i) => (one.status === 'rejected' ? [i] : []))).toEqual([13]);
    expect((settled[13] as PromiseRejectedResult).reason).toMatchObject({ code: 'internal' });
    await expect(whole(store, poison)).rejects.toThrow('no workflow');
    // few transactions for it, and large ones again afterwards
    expect(around.begun.length).toBeLessThanOrEqual(16);
    delete around.trouble.begin;
    around.forget();
    await Promise.all(Array.from({ length: 30 }, () => launch(parts, TWO)));
    await Promise.all(Array.from({ length: 30 }, () => launch(parts, TWO)));
    expect(around.begun.some((workflows) => workflows.length === 30)).toBe(true);
  });

  test('keeps the order of what follows it in its workflow', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    around.trouble.commit = (save) => {
      for (const { workitems } of save.changes.values())
        for (const op of workitems.values())
          if (op.kind !== 'delete' && JSON.stringify(op).includes('poison')) throw new DataRefused('poison');
      return undefined;
    };
    const edit = (value: string) =>
      parts.engine.advance([
        {
          workflow,
          origin: SERVER,
          event: { kind: 'edit', workitem: id, fields: { [value]: true, last: value }, revision: null },
        },
      ]);
    const settled = await Promise.allSettled(['a', 'b', 'poison', 'c', 'd'].map(edit));
    expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    const fields = JSON.parse((await workitemOf(store, workflow, 'alpha')).fields as string) as object;
    expect(fields).toMatchObject({ a: true, b: true, c: true, d: true, last: 'd' });
    expect(fields).not.toHaveProperty('poison');
  });
});

describe('a database that is away', () => {
  test.each([
    [
      'while beginning',
      'unavailable',
      () => (around.trouble.begin = () => Promise.reject(new StoreUnavailable('away'))),
    ],
    [
      'while committing',
      'unavailable',
      () =>
        (around.trouble.commit = () => {
          throw new StoreUnavailable('away');
        }),
    ],
    [
      'so that nobody knows what became of the commit',
      'outcome_unknown',
      () =>
        (around.trouble.commit = () => {
          throw new OutcomeUnknown('who knows');
        }),
    ],
  ])('%s: callers are told to try again, and everything goes on once it is back', async (_, code, breakIt) => {
    breakIt();
    const stimuli = Array.from({ length: 5 }, () => launchOf(parts, TWO));
    const settled = await Promise.allSettled(stimuli.map((stimulus) => parts.engine.advance([stimulus])));
    expect(settled.map((one) => one.status === 'rejected' && one.reason.code)).toEqual(Array(5).fill(code));
    delete around.trouble.begin;
    delete around.trouble.commit;
    expect(okay(await parts.engine.advance(stimuli))).toEqual(Array(5).fill(true));
  });
});

describe('a workflow that is locked elsewhere', () => {
  test('is tried again alone while the others go on, and keeps its order', async () => {
    const [locked, free] = await Promise.all([launch(parts, TWO), launch(parts, TWO)]);
    const { id } = await workitemOf(store, locked, 'alpha');
    around.trouble.busy = (workflow) => workflow === locked;
    const edit = (last: string) =>
      parts.engine.advance([
        { workflow: locked, origin: SERVER, event: { kind: 'edit', workitem: id, fields: { last }, revision: null } },
      ]);
    const edits = [edit('a'), edit('b')];
    const { id: other } = await workitemOf(store, free, 'alpha');
    expect(okay(await parts.engine.advance([proceedOf(free, other)]))).toEqual([true]);
    edits.push(edit('c'));
    parts.time.pass(5_000);
    await until(() => around.begun.at(-1)?.length === 1);
    delete around.trouble.busy;
    await until(() => {
      parts.time.pass(1_000);
      return parts.engine.figures().queued === 0;
    });
    expect(okay((await Promise.all(edits)).flat())).toEqual([true, true, true]);
    expect(JSON.parse((await workitemOf(store, locked, 'alpha')).fields as string)).toMatchObject({ last: 'c' });
  });

  test('for too long is given up', async () => {
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    around.trouble.busy = () => true;
    let fault: unknown = null;
    parts.engine.advance([proceedOf(workflow, id)]).catch((error: unknown) => {
      fault = error;
    });
    await until(() => {
      parts.time.pass(BUSY_MS_MAX / 50);
      return fault !== null;
    });
    expect(fault).toMatchObject({ code: 'unavailable' });
    delete around.trouble.busy;
    expect(okay(await parts.engine.advance([proceedOf(workflow, id)]))).toEqual([true]);
  });
});

describe('messages', () => {
  test('are claimed at birth as far as there are places; the dispatcher is told of the others', async () => {
    const { sink, state } = collectingSink(2);
    parts.engine.deliverTo(sink);
    parts.time.pass(5);
    const workflow = await launch(parts, THREE_AT_ONCE, { fields: { x: 1 } });
    expect(state.taken).toHaveLength(2);
    expect(state.wakes).toBe(1);
    const [message] = state.taken;
    expect(message).toMatchObject({ workflow, tenant: DEFAULT_TENANT, leaseEndsAt: parts.time.now() + 30_000 });
    expect(message?.row).toMatchObject({ send: 'active', tries: 0, url: URL_OF_ALL });
    expect(JSON.parse(message?.row.fields as string)).toMatchObject({ x: 1, params: {} });
    const claimable = await store.claimDue({ now: START, owner: 'other', limit: 1000, leaseSeconds: 30 });
    const claimed = state.taken.map((taken) => taken.row.id);
    expect(claimable.filter((one) => one.workflow === workflow).map((one) => claimed.includes(one.row.id))).toEqual([
      false,
    ]);
  });

  test('are born unclaimed on a node that delivers nothing', async () => {
    const workflow = await launch(parts, TWO);
    const claimable = await store.claimDue({ now: START, owner: 'other', limit: 1000, leaseSeconds: 30 });
    expect(claimable.filter((one) => one.workflow === workflow)).toHaveLength(1);
  });

  test('that wait are withdrawn when their workitem is over, or the workflow pauses', async () => {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    const workflow = await launch(parts, TWO);
    const { id } = await workitemOf(store, workflow, 'alpha');
    await parts.engine.advance([proceedOf(workflow, id)]);
    await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'pause' } }]);
    expect(state.withdrawn).toEqual([`${workflow} ${id}`, `${workflow} all`]);
  });
});

describe('ends of tries', () => {
  const outcomeOf = (message: { workflow: WorkflowId; row: { id: ExpressionId }; claim: string }): TryOutcome => ({
    workflow: message.workflow,
    workitem: message.row.id,
    claim: message.claim,
    send: 'active',
    number: 1,
    startedAt: START,
    endedAt: START,
    result: { kind: 'delivered', status: 200 },
  });
  const refused: TryOutcome['result'] = { kind: 'refused', status: 503, retryAfterSeconds: null };

  async function launched(options: Parameters<typeof launch>[2] = {}, text = TWO) {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    const workflow = await launch(parts, text, options);
    const [message] = state.taken;
    if (message === undefined) throw new Error('nothing was claimed');
    around.forget();
    return { workflow, message, state };
  }

  test('a delivery costs no transaction when the next step of its workflow comes in time', async () => {
    const { workflow, message } = await launched();
    parts.engine.outcome(outcomeOf(message));
    parts.time.pass(DELIVERED_KEPT_MS - 1);
    await parts.engine.advance([proceedOf(workflow, message.row.id)]);
    expect(around.begun).toHaveLength(1);
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.indexOf('callback.delivered')).toBe(kinds.indexOf('workitem.proceeded') - 1);
    // one row for both
    expect([...(around.committed[0]?.changes.values() ?? [])][0]?.history).toHaveLength(1);
    await parts.engine.quiet();
    expect(around.begun).toHaveLength(1);
  });

  test('without a step it is written within a second, together with others', async () => {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    await Promise.all([launch(parts, TWO), launch(parts, TWO), launch(parts, TWO)]);
    around.forget();
    for (const message of state.taken) parts.engine.outcome(outcomeOf(message));
    parts.time.pass(DELIVERED_KEPT_MS - 1);
    expect(parts.engine.figures().outcomesKept).toBe(3);
    parts.time.pass(1);
    await until(() => around.committed.length === 1);
    expect(around.begun).toHaveLength(1);
    await parts.engine.quiet();
    for (const message of state.taken) {
      const row = await workitemOf(store, message.workflow, 'alpha');
      expect(row).toMatchObject({ send: null, dueAt: null, tries: 1, state: 'open' });
      expect((await historyOf(store, message.workflow)).kinds.at(-1)).toBe('callback.delivered');
    }
  });

  test('a failure is written soon, and is due again after its delay', async () => {
    const { workflow, message } = await launched();
    const dues: number[] = [];
    parts.engine.agendaTo({ rows: () => {}, events: () => {}, dueAt: (at) => dues.push(at) });
    parts.engine.outcome({ ...outcomeOf(message), endedAt: START + 400, result: refused });
    parts.time.pass(FAILED_KEPT_MS);
    await parts.engine.quiet();
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({
      send: 'active',
      dueAt: START + 30_400,
      tries: 1,
    });
    expect(dues).toEqual([START + 30_400]);
    const { entries } = await historyOf(store, workflow);
    expect(entries.at(-1)).toMatchObject({ kind: 'callback.refused', try: 1, status: 503 });
    // and the claim is given back
    const due = await store.claimDue({ now: START + 30_400, owner: 'x', limit: 1000, leaseSeconds: 30 });
    expect(due.some((one) => one.workflow === workflow)).toBe(true);
  });

  test('spent tries are an error of the workflow', async () => {
    const { workflow, message } = await launched({ retry: { delays: [] } });
    parts.engine.outcome({ ...outcomeOf(message), result: refused });
    await parts.engine.quiet();
    const after = await whole(store, workflow);
    expect(after.workflow.status).toBe('error');
    expect([...after.errors.values()]).toMatchObject([{ class: 'RetriesExceeded', id: message.row.id }]);
    expect(after.workitems.get(message.row.id)).toMatchObject({ state: 'failed', send: null, dueAt: null, tries: 1 });
    expect(around.committed).toHaveLength(1);
    const { kinds } = await historyOf(store, workflow);
    expect(kinds.slice(-4)).toEqual(['callback.refused', 'callback.exhausted', 'workitem.failed', 'expression.failed']);
  });

  test('spent tries go where on_error leads', async () => {
    const { workflow, message } = await launched(
      { retry: { delays: [] } },
      'define\n  sequence on_error: rescue\n    alpha\n',
    );
    parts.engine.outcome({ ...outcomeOf(message), result: refused });
    await parts.engine.quiet();
    expect(await workitemOf(store, workflow, 'rescue')).toMatchObject({ state: 'open', send: 'active' });
  });

  test('a proceed that overtook its try records it, and the end of the try costs nothing', async () => {
    const { workflow, message } = await launched();
    await parts.engine.advance([proceedOf(workflow, message.row.id)]);
    parts.engine.outcome(outcomeOf(message));
    await parts.engine.quiet();
    expect(around.begun).toHaveLength(1);
    const { entries } = await historyOf(store, workflow);
    expect(entries.filter((entry) => entry['kind'] === 'callback.delivered')).toMatchObject([
      { participant: 'alpha', try: 1, overtaken: true },
    ]);
  });

  test('a message has the number of the history entry that owes it', async () => {
    const { workflow, message } = await launched();
    const numberOf = async (kind: string, participant: string) => {
      const { entries } = await historyOf(store, workflow);
      return entries.findIndex((entry) => entry['kind'] === kind && entry['participant'] === participant) + 1;
    };
    expect(message.row.entryN).toBe(await numberOf('workitem.opened', 'alpha'));
    // The step writes that the message arrived, before all else.
    await parts.engine.advance([proceedOf(workflow, message.row.id)]);
    const active = await workitemOf(store, workflow, 'beta');
    expect(active).toMatchObject({ send: 'active', entryN: await numberOf('workitem.opened', 'beta') });
    await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'cancel' } }]);
    const notice = await workitemOf(store, workflow, 'beta');
    expect(notice).toMatchObject({ send: 'cancel', entryN: await numberOf('workitem.closed', 'beta') });
  });

  test('a notice waits for the try under way, whose end is written at once and frees it', async () => {
    const { workflow, message, state } = await launched();
    await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'cancel' } }]);
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: 'cancel', state: 'closed', tries: 0 });
    const claim = () => store.claimDue({ now: START, owner: 'x', limit: 1000, leaseSeconds: 30 });
    expect((await claim()).some((one) => one.workflow === workflow)).toBe(false);
    const { wakes } = state;
    parts.engine.outcome(outcomeOf(message));
    parts.time.pass(0);
    await parts.engine.quiet();
    expect(state.wakes).toBe(wakes + 1);
    expect(await claim()).toMatchObject([{ workflow, row: { send: 'cancel', tries: 0 } }]);
    expect((await historyOf(store, workflow)).kinds).not.toContain('callback.delivered');
  });

  test('an acknowledgement never waits for a step: a busy workflow gets it later', async () => {
    const { workflow, message } = await launched();
    around.trouble.busy = () => true;
    parts.engine.outcome(outcomeOf(message));
    parts.time.pass(DELIVERED_KEPT_MS);
    await until(() => around.begun.length === 1);
    await until(() => parts.engine.figures().outcomesKept === 1);
    delete around.trouble.busy;
    parts.time.pass(DELIVERED_KEPT_MS);
    await parts.engine.quiet();
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: null, tries: 1 });
  });

  test('with the database away they are kept and written once it is back', async () => {
    const { workflow, message } = await launched();
    around.trouble.begin = () => Promise.reject(new StoreUnavailable('away'));
    parts.engine.outcome(outcomeOf(message));
    for (let i = 0; i < 3; i++) {
      parts.time.pass(DELIVERED_KEPT_MS);
      await until(() => around.begun.length === i + 1 && parts.engine.figures().queued === 0);
    }
    expect(parts.engine.figures().outcomesKept).toBe(1);
    delete around.trouble.begin;
    parts.time.pass(DELIVERED_KEPT_MS);
    await parts.engine.quiet();
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: null });
  });

  test('when failing the workitem throws every time, the try is written and the workflow put in error', async () => {
    parts = engineOn(store, { step: throwing((_, { event }) => event.kind === 'fail') });
    const { workflow, message } = await launched({ retry: { delays: [] } });
    parts.engine.outcome({ ...outcomeOf(message), result: refused });
    const quiet = parts.engine.quiet();
    await until(() => {
      parts.time.pass(FAILED_KEPT_MS);
      return around.committed.length > 0;
    });
    await quiet;
    const after = await whole(store, workflow);
    expect(after.workflow.status).toBe('error');
    expect(after.workitems.get(message.row.id)).toMatchObject({ send: null, dueAt: null, tries: 1 });
    expect((await historyOf(store, workflow)).kinds).toContain('callback.exhausted');
  });

  test('a try that never left gives its claim back', async () => {
    const { workflow, message, state } = await launched();
    parts.engine.outcome({ ...outcomeOf(message), result: { kind: 'dropped' } });
    parts.time.pass(0);
    await parts.engine.quiet();
    expect(state.wakes).toBe(1);
    const due = await store.claimDue({ now: START, owner: 'x', limit: 1000, leaseSeconds: 30 });
    expect(due.some((one) => one.workflow === workflow && one.row.tries === 0)).toBe(true);
    expect((await historyOf(store, workflow)).kinds.at(-1)).toBe('workitem.opened');
  });

  test('a message can be delivered once more, and a participant can ask to be tried again', async () => {
    const { workflow, message } = await launched();
    parts.engine.outcome(outcomeOf(message));
    const workitem = message.row.id;
    const [again] = await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'redeliver', workitem } }]);
    expect(again).toMatchObject({ ok: true });
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: 'active', dueAt: START, tries: 1 });
    expect((await historyOf(store, workflow)).entries.at(-1)).toMatchObject({
      kind: 'workitem.redelivering',
      expid: expidOf(workitem),
      workitem_id: workitemId(workitem, workflow),
      participant: 'alpha',
    });
    const [asked] = await parts.engine.advance([
      { workflow, origin: SERVER, event: { kind: 'refuse', workitem, class: 'Busy', message: 'later' } },
    ]);
    expect(asked).toMatchObject({ ok: true });
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({
      send: 'active',
      dueAt: START + 31_000,
      tries: 2,
    });
    const none = expressionId('0_9', '0'.repeat(32));
    for (const kind of ['redeliver', 'refuse'] as const)
      expect(
        await parts.engine.advance([
          { workflow, origin: SERVER, event: { kind, workitem: none, class: 'X', message: 'x' } },
        ]),
      ).toMatchObject([{ ok: false, code: 'workitem_not_found' }]);
  });
});

describe('stopping', () => {
  test('takes nothing new, finishes what is under way and writes what is kept', async () => {
    const { sink, state } = collectingSink();
    parts.engine.deliverTo(sink);
    const workflow = await launch(parts, TWO);
    const [message] = state.taken;
    const open = gate();
    const other = launch(parts, TWO);
    parts.engine.outcome({
      workflow,
      workitem: message?.row.id as ExpressionId,
      claim: message?.claim as string,
      send: 'active',
      number: 1,
      startedAt: START,
      endedAt: START,
      result: { kind: 'delivered', status: 200 },
    });
    const stopped = parts.engine.stop();
    await expect(launch(parts, TWO)).rejects.toMatchObject({ code: 'unavailable' });
    open();
    await until(() => {
      parts.time.pass(20);
      return parts.engine.figures().queued === 0;
    });
    parts.time.pass(20);
    await Promise.all([stopped, other]);
    expect(await workitemOf(store, workflow, 'alpha')).toMatchObject({ send: null });
  });
});
