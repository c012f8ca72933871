import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type {
  AgendaRow,
  Changes,
  EmittedEvent,
  ErrorRow,
  HistoryRow,
  ListenerRow,
  Op,
  StrandRow,
  VariableRow,
  WaiterRow,
  WorkflowRow,
  WorkitemRow,
} from '../../src/model/rows.ts';
import { CLOCK_PAYLOAD } from '../../src/model/rows.ts';
import type {
  Answer,
  FindStored,
  Happening,
  Limits,
  Loaded,
  Need,
  ReceivedEvent,
  StepResult,
  Stimulus,
} from '../../src/model/stimulus.ts';
import { LIMITS, needKey } from '../../src/model/stimulus.ts';
import type { Tree } from '../../src/model/tree.ts';
import { treeFromJson } from '../../src/model/tree.ts';

/*
 * A world of rows in memory: what the store and the engine do, without a database and without parallelism. A rehearsal in the browser lives in
 * one; so do the tests that drive the step by hand. It hands out exactly the rows a step asks for, so that loading on demand is exercised by
 * every case.
 */

export type Step = (
  loaded: Loaded,
  stimulus: Stimulus,
  context: {
    readonly limits: Limits;
    readonly definition: (hash: string) => Tree | undefined;
    readonly named?: FindStored;
  },
) => StepResult;
/** The fields as delivered; `base` is the value of the base row the workitem inherits from, null when it inherits nothing. */
export type DeliveredFields = (row: WorkitemRow, base: string | null) => Fields;

/** A step that asked this often for more rows is taken for broken. */
const LOADS_MAX = 200;

type Rows = {
  workflow: WorkflowRow | null;
  readonly strands: Map<string, StrandRow>;
  readonly workitems: Map<string, WorkitemRow>;
  readonly agenda: Map<string, AgendaRow>;
  readonly errors: Map<string, ErrorRow>;
  readonly listeners: Map<string, ListenerRow>;
  readonly variables: Map<string, VariableRow>;
  readonly waiters: Map<string, WaiterRow>;
  readonly received: Map<string, ReceivedEvent>;
  readonly history: HistoryRow[];
};

/** A message that was owed and is now delivered. */
export type Delivered = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly participant: string;
  readonly status: 'active' | 'timeout' | 'error' | 'cancel';
  readonly fields: Fields;
};

export type World = {
  now(): number;
  /** Moves the clock; never back. */
  advanceTo(at: number): void;
  /** Runs one step to its end, loading what it asks for, and applies its changes. Throws what the step throws. */
  stimulate(workflow: WorkflowId, event: Happening): Answer;
  /** Delivers every message that is due and not held, in the order of their rows. */
  deliver(): readonly Delivered[];
  /** The agenda row that is due first (then in order of writing), of any workflow; held ones do not count. */
  firstDue(): { readonly workflow: WorkflowId; readonly row: AgendaRow } | null;
  /** All rows of a workflow, as the need `everything` brings them. */
  whole(workflow: WorkflowId): Loaded;
  history(workflow: WorkflowId): readonly HistoryRow[];
  definition(hash: string): Tree | undefined;
  /** Stores a definition under a name. */
  store(name: string, hash: string, text: string): void;
  /** Every workflow there is, in order of launch. */
  workflows(): readonly WorkflowId[];
  /** How many steps ran, and how often one had to run again because rows were missing. */
  readonly counts: { steps: number; reruns: number };
};

export function makeWorld(parts: {
  readonly step: Step;
  readonly deliveredFields: DeliveredFields;
  readonly startAt: number;
  /** 32 hexadecimal digits for the nth step, from which its fresh ids derive. */
  readonly seed: (n: number) => string;
  readonly limits?: Limits;
}): World {
  const { step, deliveredFields, limits = LIMITS, seed: seedOf } = parts;
  const workflows = new Map<WorkflowId, Rows>();
  const definitions = new Map<string, string>();
  const parsed = new Map<string, Tree>();
  const names = new Map<string, string>();
  const counts = { steps: 0, reruns: 0 };
  let now = parts.startAt;
  let seeds = 0;

  const rowsOf = (id: WorkflowId): Rows => {
    let rows = workflows.get(id);
    if (rows === undefined) {
      rows = {
        workflow: null,
        strands: new Map(),
        workitems: new Map(),
        agenda: new Map(),
        errors: new Map(),
        listeners: new Map(),
        variables: new Map(),
        waiters: new Map(),
        received: new Map(),
        history: [],
      };
      workflows.set(id, rows);
    }
    return rows;
  };

  function readDefinition(hash: string): void {
    const text = definitions.get(hash);
    const tree = text === undefined ? null : treeFromJson(JSON.parse(text) as Json);
    if (tree !== null) parsed.set(hash, tree);
  }

  function emit(from: WorkflowRow, changes: Changes): void {
    for (const [i, event] of changes.events.entries())
      for (const [id, rows] of workflows) {
        if (id === from.id || rows.workflow === null || rows.workflow.tenant !== from.tenant) continue;
        for (const listener of rows.listeners.values()) {
          if (listener.reach !== 'tenant' || listener.event !== event.event) continue;
          if (listener.name !== null && listener.name !== event.name) continue;
          const row = eventRow(`event ${from.id} ${from.ver}.${i} ${listener.id}`, listener, from, event);
          if (!rows.agenda.has(row.id)) rows.agenda.set(row.id, row);
        }
      }
  }

  /** In the order of the store: rows, then events, then holding or shifting, then sweeping. */
  function apply(id: WorkflowId, changes: Changes): void {
    const rows = rowsOf(id);
    const ver = Math.max(changes.workflow.ver, (rows.workflow?.ver ?? 0) + 1);
    const workflow = { ...changes.workflow, ver };
    rows.workflow = workflow;
    applyOps(rows.strands, changes.strands);
    applyOps(rows.workitems, changes.workitems);
    applyOps(rows.agenda, changes.agenda);
    applyOps(rows.errors, changes.errors);
    applyOps(rows.listeners, changes.listeners);
    applyOps(rows.variables, changes.variables);
    applyOps(rows.waiters, changes.waiters);
    for (const [hash, text] of changes.definitions) definitions.set(hash, text);
    rows.history.push(...changes.history);
    emit(workflow, changes);
    holdOrShift(rows, changes);
    if (changes.sweep) sweep(rows);
  }

  const stimulate: World['stimulate'] = (id, event) => {
    const seed = seedOf(++seeds);
    const stimulus: Stimulus = { now, seed, event };
    const needs: Need[] = [];
    const asked = new Set<string>();
    counts.steps++;
    for (let loads = 0; loads < LOADS_MAX; loads++) {
      const result = step(load(rowsOf(id), needs), stimulus, {
        limits,
        definition: (hash) => parsed.get(hash),
        named: (_tenant, reference) => {
          const hash = names.get(reference);
          return hash === undefined ? null : { hash, name: reference, version: 1, source: hash };
        },
      });
      if (result.kind === 'stepped') {
        if (result.changes !== null) apply(id, result.changes);
        const successor = result.changes?.successor;
        if (successor !== undefined) stimulate(successor.id, { kind: 'launch', launch: successor });
        return result.answer;
      }
      counts.reruns++;
      const fresh = result.needs.filter((need) => !asked.has(needKey(need)));
      if (fresh.length === 0)
        throw new Error(`The step asks again for what it was given: ${result.needs.map(needKey).join(' ')}`);
      for (const need of fresh) {
        asked.add(needKey(need));
        if (need.kind === 'definition') readDefinition(need.hash);
        needs.push(need);
      }
    }
    throw new Error(`The step asked for rows more than ${LOADS_MAX} times`);
  };

  return {
    counts,
    now: () => now,
    advanceTo: (at) => {
      now = Math.max(now, at);
    },
    stimulate,
    deliver() {
      const delivered: Delivered[] = [];
      for (const [workflow, rows] of workflows)
        for (const row of [...rows.workitems.values()])
          for (let owed: WorkitemRow | null = row; owed?.send && owed.heldAt === null && (owed.dueAt ?? 0) <= now; ) {
            delivered.push({
              workflow,
              workitem: owed.id,
              participant: owed.participant,
              status: owed.send,
              fields: deliveredFields(owed, baseOf(rows, owed.inherits)?.value ?? null),
            });
            owed = afterDelivery(owed, now);
            if (owed === null) rows.workitems.delete(row.id);
            else rows.workitems.set(row.id, owed);
          }
      return delivered;
    },
    firstDue() {
      let first: { readonly workflow: WorkflowId; readonly row: AgendaRow } | null = null;
      for (const [workflow, rows] of workflows)
        for (const row of rows.agenda.values())
          if (row.heldAt === null && (first === null || row.dueAt < first.row.dueAt)) first = { workflow, row };
      return first;
    },
    whole: (id) => load(rowsOf(id), [{ kind: 'everything' }]),
    history: (id) => rowsOf(id).history,
    store(name, hash, text) {
      names.set(name, hash);
      definitions.set(hash, text);
    },
    workflows: () => [...workflows.keys()],
    definition(hash) {
      if (!parsed.has(hash)) readDefinition(hash);
      return parsed.get(hash);
    },
  };
}

function applyOps<Row>(rows: Map<string, Row>, ops: ReadonlyMap<string, Op<Row>>): void {
  for (const [key, op] of ops) {
    const old = rows.get(key);
    if (op.kind === 'put' && op.isNew && old !== undefined) throw new Error(`${key} is said to be new`);
    if (op.kind === 'put') rows.set(key, op.row);
    else if (op.kind === 'delete') rows.delete(key);
    else if (old !== undefined) rows.set(key, { ...old, ...op.set });
  }
}

/** Everything goes but the workflow, its history, notices that are still owed, and the base rows those need. */
function sweep(rows: Rows): void {
  for (const table of [rows.strands, rows.agenda, rows.errors, rows.listeners]) table.clear();
  for (const [id, row] of rows.workitems) if (row.state !== 'closed' || row.send === null) rows.workitems.delete(id);
  const needed = new Set([...rows.workitems.values()].map((row) => row.inherits));
  for (const [key, row] of rows.variables) if (row.name !== BASE || !needed.has(row.scope)) rows.variables.delete(key);
}

/** A row held since the pause began moves by the whole pause, one that came during it by the rest of it. */
function holdOrShift(rows: Rows, { hold, shift, workflow }: Changes): void {
  if (hold === null && shift === null) return;
  const moved = <Row extends { readonly heldAt: number | null; readonly dueAt: number | null }>(
    row: Row,
    isClock = false,
  ): Row => {
    if (hold === null && row.heldAt === null) return row;
    const by =
      shift === null || row.heldAt === null || isClock
        ? 0
        : Math.min(shift, Math.max(0, workflow.updatedAt - row.heldAt));
    return {
      ...row,
      heldAt: shift === null ? (row.heldAt ?? hold) : hold,
      dueAt: row.dueAt === null ? null : row.dueAt + by,
    };
  };
  for (const [id, row] of rows.agenda)
    rows.agenda.set(id, moved(row, row.kind === 'timer' && row.payload.startsWith(CLOCK_PAYLOAD)));
  for (const [id, row] of rows.workitems) if (row.send !== null) rows.workitems.set(id, moved(row));
}

/** The row after its message was delivered; null when nothing is left to keep it for. */
function afterDelivery(row: WorkitemRow, now: number): WorkitemRow | null {
  if (row.send === 'active' && row.then !== null) return { ...row, send: row.then, then: null, tries: 0, dueAt: now };
  if (row.state === 'closed') return null;
  return { ...row, send: null, dueAt: null, tries: row.tries + 1 };
}

function eventRow(id: string, listener: ListenerRow, from: WorkflowRow, event: EmittedEvent): AgendaRow {
  const payload = JSON.parse(event.payload) as Json;
  return {
    id,
    kind: 'event',
    dueAt: event.at,
    heldAt: null,
    path: listener.path,
    payload: JSON.stringify({
      listener: listener.id,
      workflow: from.id,
      event: event.event,
      name: event.name,
      at: event.at,
      payload,
    }),
  };
}

/** The paths of a strand and its ancestors, the nearest to the root first. */
const chainOf = (path: string): readonly string[] =>
  path.split('.').map((_, i, parts) => parts.slice(0, i + 1).join('.'));

/** The name of the variable that is the base of a wide fork (src/model/rows.ts). */
const BASE = '^';
const baseOf = (rows: Rows, scope: ExpressionId | null): VariableRow | undefined =>
  [...rows.variables.values()].find((row) => row.scope === scope && row.name === BASE);

const lastNumber = (path: string): number => Number(/\d+$/.exec(path)?.[0] ?? 0);

/** A strand that mentions an expression holds it, or is a child of it: so many are looked at, nearest to the root first. */
const FIND_CANDIDATES_MAX = 8;

function load(rows: Rows, needs: readonly Need[]): Loaded {
  const strands = new Map<string, StrandRow>();
  const workitems = new Map<string, WorkitemRow>();
  const agenda = new Map<string, AgendaRow>();
  const errors = new Map<string, ErrorRow>();
  const variables = new Map<string, VariableRow>();
  const waiters = new Map<string, WaiterRow>();
  const received = new Map<string, ReceivedEvent>();
  const listeners = new Map<string, ListenerRow>();
  const answered = new Set(needs.map(needKey));

  const strand = (row: StrandRow): void => {
    strands.set(row.path, row);
  };
  /** A strand and its ancestors; the root is not among them, it lives in the workflow row. */
  const walk = (path: string | null): void => {
    if (path === null) return;
    for (const prefix of ['0', ...chainOf(path)]) {
      answered.add(needKey({ kind: 'strand', path: prefix }));
      const row = rows.strands.get(prefix);
      if (row !== undefined) strand(row);
    }
  };
  const answer = (need: Need): void => {
    switch (need.kind) {
      case 'strand':
        walk(need.path);
        break;
      case 'find':
        for (const row of mentioning(rows, need.expression)) walk(row.path);
        break;
      case 'children':
        for (const row of childrenOf(rows, need)) strand(row);
        break;
      case 'workitem': {
        const row = rows.workitems.get(need.id);
        if (row === undefined) break;
        workitems.set(row.id, row);
        walk(row.path);
        break;
      }
      case 'agenda': {
        const row = rows.agenda.get(need.id);
        if (row === undefined) break;
        agenda.set(row.id, row);
        walk(row.path);
        break;
      }
      case 'agenda_kind':
        for (const row of [...rows.agenda.values()].sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1)))
          if (row.kind === need.of) agenda.set(row.id, row);
        break;
      case 'error': {
        const row = rows.errors.get(need.id);
        if (row !== undefined) errors.set(row.id, row);
        break;
      }
      case 'listeners':
        for (const row of rows.listeners.values()) listeners.set(row.id, row);
        break;
      case 'variable':
      case 'variables':
        for (const [key, row] of rows.variables)
          if (row.scope === need.scope && (need.kind === 'variables' || row.name === need.name))
            variables.set(key, row);
        break;
      case 'waiters':
        for (const [key, row] of rows.waiters) waiters.set(key, row);
        break;
      case 'event': {
        const event = rows.received.get(need.id);
        if (event !== undefined) received.set(need.id, event);
        break;
      }
      case 'definition':
        break; // handed over through the step's context
      case 'open_workitems':
        for (const row of rows.workitems.values())
          if (row.state !== 'closed') workitems.set(row.id, row.path === '0' ? row : named(row));
        break;
      case 'everything':
        for (const row of rows.strands.values()) strand(row);
        for (const [key, row] of rows.workitems) workitems.set(key, row);
        for (const [key, row] of rows.agenda) agenda.set(key, row);
        for (const [key, row] of rows.errors) errors.set(key, row);
        for (const [key, row] of rows.listeners) listeners.set(key, row);
        for (const [key, row] of rows.variables) variables.set(key, row);
        for (const [key, row] of rows.waiters) waiters.set(key, row);
        break;
    }
  };
  for (const need of needs) answer(need);
  return {
    ...{ workflow: rows.workflow, strands, workitems, agenda, errors, listeners, variables, waiters },
    answered,
    received,
  };
}

const mentioning = (rows: Rows, expression: ExpressionId): readonly StrandRow[] =>
  [...rows.strands.values()]
    .filter((row) => row.state.includes(`"i":"${expression}"`))
    .sort((a, b) => chainOf(a.path).length - chainOf(b.path).length || (a.path < b.path ? -1 : 1))
    .slice(0, FIND_CANDIDATES_MAX);

const childrenOf = (rows: Rows, need: Extract<Need, { kind: 'children' }>): readonly StrandRow[] =>
  [...rows.strands.values()]
    .filter((row) => row.parent === need.path && row.at === need.at && (row.arrival !== null) === need.finished)
    .filter((row) => lastNumber(row.path) > need.after)
    .sort((a, b) => lastNumber(a.path) - lastNumber(b.path))
    .slice(0, need.limit);

/** A workitem by name, without what may be large. */
const named = (row: WorkitemRow): WorkitemRow => ({ ...row, fields: null, added: null, params: '{}', log: '[]' });
