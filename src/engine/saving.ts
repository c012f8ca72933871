import { judgeEvent } from '../language/event-condition.ts';
import { invariant } from '../model/fault.ts';
import type { ExpressionId, WorkflowId } from '../model/ids.ts';
import type { Changes, WorkitemRow } from '../model/rows.ts';
import type { AttributeChange, OwedDelivery, Save } from '../store/store.ts';
import { attributeChanges } from './attributes.ts';
import { afterwards, type Committed } from './committed.ts';
import type { ReadyMessage } from './engine.ts';
import { owedBy } from './owed.ts';
import { type BatchParts, rowAfter, type Settled, type Turn, verAfter } from './turn.ts';

/* Writing a batch, and telling the parts of this node what there is to do afterwards. */

/** Two batches that wrote the same history number of the same workflow would have to draw the same digits. Every row of history keeps them. */
const TOKEN_DIGITS = 10;
/** Two claims of the same workitem would have to. */
const CLAIM_DIGITS = 12;

export type Prepared = {
  readonly save: Save;
  readonly ready: readonly ReadyMessage[];
  /** Something is owed to those who are told of lifecycles. */
  readonly owes: boolean;
  /** Messages are due that nobody has claimed. */
  readonly unclaimed: boolean;
};

/** What to write, and which of the messages in it are claimed at birth. */
export function prepare(parts: BatchParts, turns: readonly Turn[], now: number): Prepared {
  const { messages } = parts.sinks;
  const { nodeId, leaseSeconds } = parts.settings;
  const leaseEndsAt = parts.time.now() + leaseSeconds * 1000;
  const ready: ReadyMessage[] = [];
  const changes = new Map<WorkflowId, Changes>();
  let unclaimed = false;
  const deliveries: OwedDelivery[] = [];
  const handedOn: NonNullable<Save['handedOn']>[number][] = [];
  const attributes: AttributeChange[] = [];
  for (const turn of turns) {
    if (turn.changes === null) continue;
    if (parts.subscribers !== undefined)
      deliveries.push(
        ...owedBy(parts.subscribers, { ...turn.view, workflow: turn.changes.workflow }, turn.changes.history),
      );
    const { successor } = turn.changes;
    if (successor?.businessKey != null) {
      const { tenant, businessKey: key, id: to } = successor;
      handedOn.push({ tenant, key, from: turn.workflow, to });
    }
    if (parts.attributed !== undefined)
      attributes.push(
        ...attributeChanges(turn.base, { ...turn.view, workflow: turn.changes.workflow }, parts.attributed),
      );
    changes.set(turn.workflow, { ...turn.changes, workflow: { ...turn.changes.workflow, ver: verAfter(turn) } });
    const nowHere = Math.max(now, turn.changes.workflow.updatedAt);
    for (const [id, op] of turn.changes.workitems) {
      const row = rowAfter(turn, id, op);
      // A notice for a workitem that the step closed without having loaded it: somebody has to claim it now.
      if (row === undefined && op.kind === 'patch' && isDue(op.set, nowHere)) unclaimed = true;
      if (row === undefined || row.send === null || row.url === null || row.heldAt !== null) continue;
      if (row.dueAt === null || row.dueAt > nowHere) continue;
      // A row that was there before may still be claimed by a try under way: it is claimed again when that has ended.
      if (op.kind === 'put' && !turn.base.workitems.has(id) && messages?.reserve(row.url) === true)
        ready.push(readyMessage(parts, turn, row, leaseEndsAt));
      else unclaimed = true;
    }
  }
  const claims = ready.map(({ workflow, row, claim }) => ({ workflow, workitem: row.id, claim }));
  const releases = turns.flatMap((turn) => turn.releases);
  return {
    save: {
      token: parts.ids.hex().slice(0, TOKEN_DIGITS),
      changes,
      claims,
      owner: nodeId,
      leaseSeconds,
      releases,
      ...(deliveries.length === 0 ? {} : { deliveries }),
      ...(handedOn.length === 0 ? {} : { handedOn }),
      ...(attributes.length === 0 ? {} : { attributes }),
      judge: judgeEvent,
    },
    ready,
    owes: deliveries.length > 0,
    unclaimed,
  };
}

const isDue = ({ send, dueAt, heldAt }: Partial<WorkitemRow>, now: number): boolean =>
  send !== undefined && send !== null && dueAt !== undefined && dueAt !== null && dueAt <= now && !heldAt;

/** Saves it; the places kept for messages are given back when nothing comes of it. */
export async function commit<Outcome extends string>(
  parts: BatchParts,
  prepared: Prepared,
  save: (save: Save) => Outcome | Promise<Outcome>,
): Promise<Outcome> {
  let committed = false;
  const since = parts.time.now();
  try {
    const outcome = await save(prepared.save);
    committed = outcome === 'committed';
    parts.meter.saved((parts.time.now() - since) / 1000);
    return outcome;
  } finally {
    if (!committed)
      for (const { row } of prepared.ready) if (row.url !== null) parts.sinks.messages?.unreserve(row.url);
  }
}

function readyMessage(parts: BatchParts, turn: Turn, row: WorkitemRow, leaseEndsAt: number): ReadyMessage {
  const tenant = turn.changes?.workflow.tenant;
  invariant(tenant !== undefined, 'a message is born of changes');
  const claim = parts.ids.hex().slice(0, CLAIM_DIGITS);
  const key = `${row.inherits} ^`;
  const born = turn.changes?.variables.get(key);
  const base = born?.kind === 'put' ? born.row : turn.base.variables.get(key);
  // The body is made when its turn has come: thousands of them may share one large base.
  return {
    workflow: turn.workflow,
    tenant,
    claim,
    leaseEndsAt,
    row,
    base: row.inherits === null ? null : (base?.value ?? null),
    trace: turn.changes?.workflow.trace ?? null,
  };
}

/** Hands on what is claimed, and hints about the rest, to the loops of this node and of others. */
export function afterCommit(
  parts: BatchParts,
  turns: readonly Turn[],
  prepared: Prepared,
  settled: readonly Settled[],
  now: number,
  hears: boolean,
): void {
  const { messages, agenda: later } = parts.sinks;
  const told = (name: string, act: () => void): void => afterwards(parts.log, name, act);
  if (prepared.ready.length > 0) told('messages', () => messages?.take(prepared.ready));

  const agenda: { readonly workflow: WorkflowId; readonly id: string; readonly dueAt: number }[] = [];
  const dues: number[] = [];
  let emitted = false;
  let missed = false;
  let wake = prepared.unclaimed || turns.some((turn) => turn.freed);
  // Nobody listens: the events were not even written.
  const isHeard = hears || turns.some((turn) => turn.changes !== null && turn.changes.listeners.size > 0);
  for (const turn of turns) {
    if (turn.changes === null) continue;
    for (const [id, op] of turn.changes.agenda)
      if (op.kind === 'put' && op.row.heldAt === null)
        agenda.push({ workflow: turn.workflow, id, dueAt: op.row.dueAt });
    for (const op of turn.changes.workitems.values()) {
      const at = op.kind === 'put' ? op.row.dueAt : op.kind === 'patch' ? (op.set.dueAt ?? null) : null;
      if (at !== null && at > now) dues.push(at);
    }
    // Which rows a resume has freed is known to the database only.
    if (turn.changes.shift !== null) {
      dues.push(now);
      wake = true;
    }
    emitted ||= isHeard && turn.changes.events.length > 0;
    // Events may have been kept for those who begin to wait, and some may be given back.
    emitted ||= turn.changes.waiters.size > 0;
    missed ||= turn.changes.missed.length > 0 || turn.changes.waited;
    if (turn.changes.hold !== null) told('withdrawing', () => messages?.withdraw(turn.workflow, 'all'));
  }
  for (const [workflow, gone] of byWorkflow(settled)) told('withdrawing', () => messages?.withdraw(workflow, gone));
  told('agenda', () => {
    if (agenda.length > 0) later?.rows(agenda);
    if (dues.length > 0) later?.dueAt(Math.min(...dues));
    if (emitted) later?.events();
    if (missed) later?.missed?.();
  });
  if (prepared.owes) told('deliveries', () => messages?.owed?.());
  if (wake) told('messages', () => messages?.wake());
  if (parts.watchers.isWatched()) told('watchers', () => parts.watchers.tell(turns.flatMap(committedBy)));
  const handled = messages !== null && later !== null;
  if (
    prepared.unclaimed ||
    (prepared.owes && messages === null) ||
    (!handled && (wake || emitted || agenda.length > 0 || dues.length > 0))
  )
    told('waking', () => parts.store.wakeOthers());
}

/** In one list for each workflow: a sink goes through all that waits. */
function byWorkflow(settled: readonly Settled[]): ReadonlyMap<WorkflowId, readonly ExpressionId[]> {
  const lists = new Map<WorkflowId, ExpressionId[]>();
  for (const { workflow, workitem } of settled) {
    const list = lists.get(workflow);
    if (list === undefined) lists.set(workflow, [workitem]);
    else list.push(workitem);
  }
  return lists;
}

function committedBy(turn: Turn): readonly Committed[] {
  const { changes, base } = turn;
  if (changes === null) return [];
  const { tenant, status, lastN } = changes.workflow;
  return [
    {
      workflow: turn.workflow,
      tenant,
      before: base.workflow?.status ?? null,
      after: status,
      firstN: changes.history[0]?.firstN ?? lastN + 1,
      lastN,
      changes,
    },
  ];
}
