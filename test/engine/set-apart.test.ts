import { beforeEach, describe, expect, test } from 'vitest';
import { ATTEMPTS_MAX } from '../../src/engine/handle.ts';
import { step as realStep } from '../../src/interpreter/step.ts';
import { expressionId, type WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import type { Store } from '../../src/store/store.ts';
import { type Database, makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { engineOn, historyOf, launch, proceedOf, START, whole, workitemOf } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

/* Workflows whose rows no step can work with: they are kept, listed, and can be killed; nobody else notices. */

let database: Database;
let store: Store;
let lines: string[];
const log: Log = { ...silentLog, error: (_, { event, workflow_id }) => void lines.push(`${event} ${workflow_id}`) };
const freshEngine = () => engineOn(store, { log }).engine;

beforeEach(() => {
  lines = [];
  database = makeDatabase(Date.now);
  store = openSimulated(database, { link: perfectLink, ids: randomIds() });
});

const TWO = 'define\n  alpha\n  beta\n';
const errorsOf = async (workflow: WorkflowId) =>
  (await store.read.errors({ tenant: DEFAULT_TENANT, limit: 10, after: null })).items.filter(
    (item) => item.workflow === workflow,
  );

/** Ways in which the rows of a workflow can be such that nothing can be made of them. */
const ruins: { readonly [what: string]: (rows: { workflow: { state: string; header: string } }) => object } = {
  'a state that is no JSON': () => ({ state: '{"nodes' }),
  'a state that is something else': () => ({ state: '[null,7,{"x":[]}]' }),
  'a header that is no JSON': () => ({ header: 'x' }),
};

describe.each(Object.entries(ruins))('%s', (_, ruin) => {
  let workflow: WorkflowId;
  beforeEach(async () => {
    workflow = await launch(engineOn(store), TWO);
    const rows = database.workflows.get(workflow);
    if (rows === undefined) throw new Error('It was launched');
    rows.workflow = { ...rows.workflow, ...ruin(rows) };
  });

  test('sets the workflow apart: in error, listed, named in the log, once', async () => {
    const workitem = expressionId('0_0', '0'.repeat(32));
    const id = database.workflows.get(workflow)?.workitems.keys().next().value ?? workitem;
    const engine = freshEngine();
    for (let i = 0; i < 3; i++)
      await expect(engine.advance([proceedOf(workflow, id as typeof workitem)])).rejects.toMatchObject({
        code: 'internal',
      });
    expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.status).toBe('error');
    expect((await errorsOf(workflow)).map(({ row }) => row.class)).toEqual(['InternalError']);
    expect(lines.filter((line) => line.startsWith('workflow.set_apart'))).toEqual([`workflow.set_apart ${workflow}`]);
    expect(database.workflows.get(workflow)?.history.length).toBe(2);
  });

  test('does not keep it from being killed, and its participant is told', async () => {
    const engine = freshEngine();
    const [killed] = await engine.advance([{ workflow, origin: SERVER, event: { kind: 'kill' } }]);
    expect(killed?.ok).toBe(true);
    expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.status).toBe('killed');
    const owed = [...(database.workflows.get(workflow)?.workitems.values() ?? [])].map(({ row }) => row.send);
    expect(owed).toEqual(['cancel']);
    expect(await errorsOf(workflow)).toEqual([]);
  });

  test('harms no other workflow of the same batch', async () => {
    const engine = freshEngine();
    const other = await launch(engineOn(store), TWO);
    const { id } = await workitemOf(store, other, 'alpha');
    const bad = engine.advance([{ workflow, origin: SERVER, event: { kind: 'pause' } }]);
    const good = engine.advance([proceedOf(other, id)]);
    await expect(bad).rejects.toMatchObject({ code: 'internal' });
    expect((await good)[0]?.ok).toBe(true);
  });
});

test('rows that can be stepped are not set apart by a stimulus whose step throws', async () => {
  const parts = engineOn(store, {
    log,
    step: (loaded, stimulus, context) => {
      if (stimulus.event.kind === 'pause') throw new Error('a bug');
      return realStep(loaded, stimulus, context);
    },
  });
  const workflow = await launch(parts, TWO);
  await expect(parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'pause' } }])).rejects.toThrow();
  expect((await whole(store, workflow)).workflow.status).toBe('running');
  expect(lines.some((line) => line.startsWith('workflow.set_apart'))).toBe(false);
});

test('what the server itself has to do with such rows ends in an error that is listed, not in a loop', async () => {
  const workflow = await launch(engineOn(store), "define\n  alpha timeout: '2d'\n");
  const rows = database.workflows.get(workflow);
  if (rows === undefined) throw new Error('It was launched');
  rows.workflow = { ...rows.workflow, state: 'x' };
  const [agenda = ''] = rows.agenda.keys();
  const { engine, clock } = engineOn(store, { log });
  clock.advanceTo(START + 3 * 86_400_000);
  for (let i = 0; i < ATTEMPTS_MAX; i++)
    await engine.advance([{ workflow, origin: SERVER, event: { kind: 'due', agenda } }]).catch(() => {});
  expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.status).toBe('error');
  expect((await errorsOf(workflow)).map(({ row }) => row.class)).toEqual(['InternalError']);
  expect(database.workflows.get(workflow)?.agenda.get(agenda)?.heldAt).not.toBe(null);
  expect((await historyOf(store, workflow)).kinds.at(-1)).toBe('expression.failed');
});
