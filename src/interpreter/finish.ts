import { packHistory } from '../model/history.ts';
import type { HistoryEntry } from '../model/history-kinds.ts';
import type { Changes, HistoryRow, Op, Status, StrandRow, WorkflowRow } from '../model/rows.ts';
import type { Launch, Loaded, Stimulus } from '../model/stimulus.ts';
import { freeAside } from './life/leaving.ts';
import { useUp } from './life/undoing.ts';
import { saveHeldBack, saveQueue } from './queue.ts';
import { decodeHeader, decodeRoot, encodeHeader, encodeStrand } from './state/encoding.ts';
import { newHeader, ROOT, type Strand } from './state/state.ts';
import { type Registry, type StepContext, World } from './state/world.ts';

/*
 * Rows in, rows out: how the world of a step begins, and what it leaves behind.
 */

/** The world of a step. Null when there is no such workflow. */
export function openWorld(loaded: Loaded, stimulus: Stimulus, context: StepContext, registry: Registry): World | null {
  const { event } = stimulus;
  if (loaded.workflow === null) {
    if (event.kind !== 'launch') return null;
    return new World({
      loaded,
      row: launchedRow(event.launch, stimulus.now),
      header: newHeader(),
      registry,
      context,
      stimulus,
    });
  }
  const world = new World({
    loaded,
    row: loaded.workflow,
    header: decodeHeader(loaded.workflow.header),
    registry,
    context,
    stimulus,
  });
  const { state, fields } = loaded.workflow;
  world.noteRead(state.length + fields.length);
  world.strands.set(ROOT, decodeRoot(loaded.workflow, world.heldOf));
  return world;
}

const launchedRow = (launch: Launch, now: number): WorkflowRow => ({
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
  callbacks: JSON.stringify(launch.callbacks),
  retry: launch.retry === null ? null : JSON.stringify(launch.retry),
  trace: launch.trace ?? null,
  options: launch.options === undefined ? null : JSON.stringify(launch.options),
  businessKey: launch.businessKey ?? null,
  source: launch.source ?? null,
  definitionName: launch.stored?.name ?? null,
  definitionVersion: launch.stored?.version ?? null,
  meta: launch.meta == null ? null : JSON.stringify(launch.meta),
  retainDays: launch.retainDays ?? null,
  header: '',
  state: '',
  fields: '',
});

/** What the step changed, as rows. */
export function finish(world: World): Changes {
  saveHeldBack(world);
  saveQueue(world);
  world.writeDetails();
  const { header, row, now, stimulus } = world;
  const status = statusOf(world);
  const isOver = status === 'completed' || status === 'cancelled' || status === 'killed';
  const { successor } = world;
  if (successor !== null) header.continuedAs = successor.id;
  if (isOver && row.endedAt === null)
    world.record(
      successor === null ? { kind: `workflow.${status}` } : { kind: 'workflow.completed', continued_as: successor.id },
    );
  // One that belongs to no expression (a bug of ours was put there) ends with the workflow.
  if (isOver && header.errors > 0) {
    world.sweep = true;
    header.errors = 0;
  }
  // So does what was kept for a part of it that was held.
  if (isOver && header.answers > 0) world.sweep = true;
  if (isOver) freeAside(world);
  // What was done and never undone is of no use any more.
  if (isOver && header.undos !== null) {
    for (const [number] of header.undos) useUp(world, number);
  }
  const strands = new Map<string, Op<StrandRow>>();
  for (const strand of world.strands.values()) {
    if (strand === null || !strand.touched || strand.path === ROOT) continue;
    const op = strandOp(world, strand);
    if (op !== null) strands.set(strand.path, op);
  }
  keepCount(world, strands);
  const root = world.strands.get(ROOT);
  const texts = root?.touched ? encodeStrand(root, null, world.held) : row;
  const history = historyRow(world);
  return {
    workflow: {
      ...row,
      status,
      updatedAt: now,
      endedAt: isOver ? (row.endedAt ?? now) : null,
      lastN: history?.lastN ?? row.lastN,
      header: encodeHeader(header),
      state: texts.state,
      fields: texts.fields,
    },
    strands,
    workitems: world.workitems,
    agenda: world.agenda,
    errors: world.errors,
    listeners: world.listeners,
    variables: world.variables,
    waiters: world.waiters,
    definitions:
      stimulus.event.kind === 'launch'
        ? new Map([[stimulus.event.launch.hash, stimulus.event.launch.text]])
        : new Map(),
    history: history === null ? [] : [history],
    events: world.events,
    hold: world.hold,
    shift: world.shift,
    sweep: world.sweep,
    missed: world.missed,
    waited: world.waited,
    ...(successor !== null && { successor }),
  };
}

/** Counts what the workflow keeps beside its root, by what this step adds to it and takes away. */
function keepCount({ header, loaded, sweep, variables }: World, strands: ReadonlyMap<string, Op<StrandRow>>): void {
  if (sweep) return;
  for (const [path, op] of strands) {
    const before = loaded.strands.get(path);
    if (before !== undefined) header.kept -= before.state.length + before.fields.length;
    if (op.kind === 'put') header.kept += op.row.state.length + op.row.fields.length;
  }
  for (const [key, op] of variables) {
    header.kept -= loaded.variables.get(key)?.value.length ?? 0;
    if (op.kind === 'put') header.kept += op.row.value.length;
  }
  // Rows that were written before there was this count are taken away only.
  if (header.kept < 0) header.kept = 0;
}

function strandOp(world: World, strand: Strand): Op<StrandRow> | null {
  if (strand.dead) return strand.stored ? { kind: 'delete' } : null;
  const texts = encodeStrand(strand, world.baseFieldsOf(strand));
  const { path, parent, at, kind, index, arrival, base } = strand;
  return { kind: 'put', row: { path, parent, at, kind, index, arrival, base, ...texts } };
}

/** The first that applies (docs/architecture.md, States). */
function statusOf({ header, row }: World): Status {
  if (row.endedAt !== null) return row.status;
  if (header.strands === 0 && !header.continuing)
    return header.killed ? 'killed' : header.cancelled ? 'cancelled' : 'completed';
  if (header.errors > 0) return 'error';
  if (header.pausedAt !== null) return 'paused';
  return header.cancelled || header.killed ? 'cancelling' : 'running';
}

function historyRow(world: World): HistoryRow | null {
  const { history, row, now, stimulus } = world;
  const [first] = history;
  if (first === undefined) return null;
  const told: HistoryEntry = {
    ...first,
    ...(stimulus.actor !== undefined && { actor: stimulus.actor }),
    ...(stimulus.reason !== undefined && { reason: stimulus.reason }),
    ...(stimulus.batch !== undefined && { batch: stimulus.batch.id, batch_item: stimulus.batch.item }),
  };
  return {
    firstN: row.lastN + 1,
    lastN: row.lastN + history.length,
    at: now,
    entries: packHistory([told, ...history.slice(1)], row.id),
  };
}
