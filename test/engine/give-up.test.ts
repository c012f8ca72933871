import { beforeEach, expect, test } from 'vitest';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import type { Store } from '../../src/store/store.ts';
import { type Database, makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { type EngineParts, engineOn, launch, START, whole, workitemOf } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

/* An agenda row that processes have died of is put aside without its step being tried; the workflow waits for a person. */

let database: Database;
let store: Store;
let parts: EngineParts;

beforeEach(() => {
  database = makeDatabase(Date.now);
  store = openSimulated(database, { link: perfectLink, ids: randomIds() });
  parts = engineOn(store);
});

const giveUp = (workflow: WorkflowId, agenda: string) =>
  parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'give_up', agenda, deaths: 3 } }]);
const tell = async (workflow: WorkflowId, kind: 'kill' | 'resume' | 'pause') =>
  (await parts.engine.advance([{ workflow, origin: SERVER, event: { kind } }]))[0];
const errorsOf = async (workflow: WorkflowId) =>
  (await store.read.errors({ tenant: DEFAULT_TENANT, limit: 10, after: null })).items.filter(
    (item) => item.workflow === workflow,
  );
const agendaOf = (workflow: WorkflowId) => [...(database.workflows.get(workflow)?.agenda.values() ?? [])];
const statusOf = async (workflow: WorkflowId) => (await store.read.workflow(DEFAULT_TENANT, workflow))?.status;

const TIMED = "define\n  alpha timeout: '2d'\n  beta\n";
/** More than one step may handle: the rest waits on the agenda. */
const LONG = "define\n  repeat\n    set 'f:x': 1\n";

async function timed(): Promise<readonly [WorkflowId, string]> {
  const workflow = await launch(parts, TIMED);
  parts.clock.advanceTo(START + 3 * 86_400_000);
  return [workflow, agendaOf(workflow)[0]?.id ?? ''];
}

test('a timer that is given up is held, and its workflow is in error with one that is listed', async () => {
  const [workflow, agenda] = await timed();
  expect(await giveUp(workflow, agenda)).toEqual([{ ok: true, value: null }]);
  expect(await statusOf(workflow)).toBe('error');
  const [error, ...more] = await errorsOf(workflow);
  expect(more).toEqual([]);
  expect(error?.row.class).toBe('InternalError');
  expect(error?.row.message).toContain('ended 3 times');
  expect(agendaOf(workflow).map(({ heldAt }) => heldAt)).toEqual([parts.clock.now()]);
  // Once more is nothing more.
  await giveUp(workflow, agenda);
  expect(await errorsOf(workflow)).toHaveLength(1);
});

test('a row that has fired in the meantime is not given up', async () => {
  const [workflow, agenda] = await timed();
  await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'due', agenda } }]);
  expect(await giveUp(workflow, agenda)).toEqual([{ ok: true, value: null }]);
  expect(await statusOf(workflow)).toBe('running');
  expect(await errorsOf(workflow)).toEqual([]);
});

test('a workflow whose timer was given up can be killed', async () => {
  const [workflow, agenda] = await timed();
  await giveUp(workflow, agenda);
  expect((await tell(workflow, 'kill'))?.ok).toBe(true);
  expect(await statusOf(workflow)).toBe('killed');
});

test('a workflow whose timer was given up begins anew when its error is replayed', async () => {
  const [workflow, agenda] = await timed();
  const before = await workitemOf(store, workflow, 'alpha');
  await giveUp(workflow, agenda);
  const [error] = await errorsOf(workflow);
  if (error === undefined) throw new Error('It is in error');
  const event = { kind: 'replay', expression: error.row.id, fields: null, tree: null } as const;
  const [answer] = await parts.engine.advance([{ workflow, origin: SERVER, event }]);
  expect(answer?.ok).toBe(true);
  expect(await statusOf(workflow)).toBe('running');
  const { workitems } = await whole(store, workflow);
  const open = [...workitems.values()].filter(({ state }) => state === 'open');
  expect(open.map(({ participant }) => participant)).toEqual(['alpha']);
  expect(open[0]?.id).not.toBe(before.id);
});

test('what is left of a long step is taken up by nobody once it is given up, until the workflow is resumed', async () => {
  const workflow = await launch(parts, LONG);
  const [row] = agendaOf(workflow);
  expect(row?.kind).toBe('continue');
  await giveUp(workflow, row?.id ?? '');
  expect(await statusOf(workflow)).toBe('error');
  const rest = agendaOf(workflow);
  expect(rest.map(({ kind, payload }) => [kind, payload])).toEqual([['continue', row?.payload]]);
  expect(rest[0]?.heldAt).toBe(parts.clock.now());
  // Neither by a look at the agenda nor by somebody else's step.
  await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'due', agenda: row?.id ?? '' } }]);
  await tell(workflow, 'pause');
  expect(agendaOf(workflow)[0]?.payload).toBe(row?.payload);
  await tell(workflow, 'resume');
  const { messages } = LIMITS;
  expect(messages).toBeGreaterThan(0);
  expect(agendaOf(workflow)[0]?.payload).not.toBe(row?.payload);
  expect((await tell(workflow, 'kill'))?.ok).toBe(true);
  expect(await statusOf(workflow)).toBe('killed');
});

test('every row that was given up is due again once its error is replayed, and none outlives the workflow', async () => {
  const workflow = await launch(parts, "define\n  alpha timers: '1d: reminder, 2d: reminder'\n");
  parts.clock.advanceTo(START + 3 * 86_400_000);
  for (const { id } of agendaOf(workflow)) await giveUp(workflow, id);
  expect(agendaOf(workflow).map(({ heldAt }) => heldAt)).toEqual([parts.clock.now(), parts.clock.now()]);
  const [error, ...more] = await errorsOf(workflow);
  expect(more).toEqual([]);
  const event = { kind: 'replay', expression: error?.row.id as ExpressionId, fields: null, tree: null } as const;
  await parts.engine.advance([{ workflow, origin: SERVER, event }]);
  expect(agendaOf(workflow).filter(({ heldAt }) => heldAt !== null)).toEqual([]);

  for (const { id } of agendaOf(workflow)) await giveUp(workflow, id);
  const { id } = await workitemOf(store, workflow, 'alpha');
  await parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'proceed', workitem: id, fields: {} } }]);
  expect(await statusOf(workflow)).toBe('completed');
  expect(agendaOf(workflow).filter(({ heldAt }) => heldAt !== null)).toEqual([]);
});
