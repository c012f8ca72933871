import type { ExpressionId } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import type { Changes, Op, WorkflowRow, WorkitemRow } from '../../src/model/rows.ts';
import { needKey } from '../../src/model/stimulus.ts';
import type { Tree } from '../../src/model/tree.ts';
import { treeFromJson } from '../../src/model/tree.ts';
import type { Step } from '../support/world.ts';
import type { Parts } from './in-process.ts';

/* An interpreter that knows nothing but "one participant after the other", to test the harness itself. */

const none: ReadonlyMap<string, never> = new Map<string, never>();

/** A row of participants, the names separated by blanks. Its state is the number of the one whose turn it is. */
const rowOfParticipants: Step = (loaded, { now, seed, event }) => {
  const turn = (workflow: WorkflowRow, fields: Fields, index: number, old: readonly string[]) => {
    const names = workflow.header.split(' ');
    const name = names[index];
    const row = { ...workflow, state: String(index), fields: JSON.stringify(fields), updatedAt: now };
    const changes: Changes = {
      workflow: name === undefined ? { ...row, status: 'completed', endedAt: now } : row,
      strands: none,
      workitems: new Map<string, Op<WorkitemRow>>([
        ...old.map((id): [string, Op<WorkitemRow>] => [id, { kind: 'delete' }]),
        ...(name === undefined ? [] : [opened(name, index, fields)]),
      ]),
      agenda: none,
      errors: none,
      listeners: none,
      variables: none,
      definitions: none,
      history: [],
      events: [],
      hold: null,
      shift: null,
      sweep: false,
      waiters: none,
      missed: [],
      waited: false,
    };
    return { kind: 'stepped', changes, answer: { ok: true, value: null } } as const;
  };
  const opened = (participant: string, index: number, fields: Fields): [string, Op<WorkitemRow>] => {
    const row = open(participant, index, fields);
    return [row.id, { kind: 'put', row }];
  };
  const open = (participant: string, index: number, fields: Fields): WorkitemRow => ({
    id: `0_${index}!${seed}` as ExpressionId,
    path: '0',
    participant,
    state: 'open',
    fields: JSON.stringify({ ...fields, params: { ref: participant } }),
    params: '{}',
    inherits: null,
    added: null,
    openedAt: now,
    revision: 0,
    url: 'http://participants.example/',
    send: 'active',
    then: null,
    tries: 0,
    dueAt: now,
    heldAt: null,
    log: '[]',
  });
  if (event.kind === 'launch') {
    const { launch } = event;
    const workflow: WorkflowRow = {
      id: launch.id,
      tenant: launch.tenant,
      ver: 0,
      name: launch.name,
      definition: launch.hash,
      status: 'running',
      launchedAt: now,
      updatedAt: now,
      endedAt: null,
      lastN: 0,
      callbacks: '""',
      retry: null,
      trace: null,
      businessKey: null,
      source: null,
      header: launch.tree.name,
      state: '0',
      fields: '{}',
    };
    return turn(workflow, launch.fields, 0, []);
  }
  if (event.kind !== 'proceed' || loaded.workflow === null) throw new Error(`The fake knows no ${event.kind}`);
  const need = { kind: 'workitem', id: event.workitem } as const;
  if (!loaded.answered.has(needKey(need))) return { kind: 'need', needs: [need] };
  if (!loaded.workitems.has(event.workitem))
    return { kind: 'stepped', changes: null, answer: { ok: false, code: 'workitem_not_found', message: 'gone' } };
  const fields = { ...(JSON.parse(loaded.workflow.fields) as Fields), ...event.fields };
  return turn(loaded.workflow, fields, Number(loaded.workflow.state) + 1, [event.workitem]);
};

/** The parts of the harness around it; `rubbish` is a definition that cannot be read. */
export const fake: Parts = {
  step: rowOfParticipants,
  deliveredFields: (row) => JSON.parse(row.fields ?? '{}') as Fields,
  inspect: (loaded) => ({
    fields: JSON.parse(loaded.workflow?.fields ?? '{}') as Fields,
    expressions: loaded.workflow?.endedAt === null ? [{ expid: '0' }] : [],
  }),
  readDefinition: (text) => {
    const tree = treeFromJson([text, {}, []]);
    return tree === null || text === 'rubbish' ? { ok: false } : { ok: true, tree };
  },
  reorganise: (tree: Tree) => ({ tree, name: null, revision: null }),
};
