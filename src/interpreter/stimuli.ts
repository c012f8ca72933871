import { SEND_ID, START_ID } from '../model/events.ts';
import { type ExpressionId, expidOf, workitemId } from '../model/ids.ts';
import type { Fields } from '../model/json.ts';
import { withKey, withoutKeys } from '../model/json.ts';
import { readTerms } from '../model/participants.ts';
import type { AgendaRow, WorkitemRow } from '../model/rows.ts';
import type { Answer, Happening } from '../model/stimulus.ts';
import { add, broken, cancelOne, move, pauseOne, reapply, replay, replyFor, resumeOne } from './acts.ts';
import { done, fault, isGone, NO_WORKFLOW, NO_WORKITEM, type Of } from './answers.ts';
import { claim, claimed, heartbeat, isInTheWay } from './claims.ts';
import { participantFails } from './expressions/bpmn/task.ts';
import {
  deliverMessage,
  deliverSignal,
  fireTimer,
  hearBpmn,
  KEPT_FULL,
  keepMessage,
} from './expressions/bpmn/waits.ts';
import { freshPlace, newStrand } from './life/birth.ts';
import { refOf } from './life/branches.ts';
import { handedOver } from './life/events.ts';
import { lookForLife } from './life/heartbeats.ts';
import { isHeld } from './life/holding.ts';
import { clearError } from './life/leaving.ts';
import { type Happened, hear } from './life/listening.ts';
import { KILL_WALKED_MAX, killAtOnce } from './life/process.ts';
import { putOff, wakeOf } from './life/timers.ts';
import { recordDone, UNDOS_MAX } from './life/undoing.ts';
import { mappedAnswer } from './life/workitems.ts';
import { goOn, pause, resume } from './pausing.ts';
import { deliveredFields, mergeGiven, OURS } from './state/fields.ts';
import { givenPart, setOutWith } from './state/given.ts';
import { readAll } from './state/held.ts';
import type { Message, Place, Reapply } from './state/state.ts';
import { plainReply, ROOT } from './state/state.ts';
import { type Acting, hasFields, type World } from './state/world.ts';

/*
 * What each stimulus sets off: the messages it sends, and its answer. A fault is an answer; then nothing of the step is kept. It is one thing: a
 * list of all that can happen to a workflow from outside, each in a few lines.
 */

export function stir(world: World, event: Happening): Answer {
  switch (event.kind) {
    case 'launch':
      return launch(world, event);
    case 'proceed':
      return proceed(world, event);
    case 'message':
      return message(world, event);
    case 'signal':
      return signal(world, event);
    case 'fail':
      return fail(world, event);
    case 'edit':
      return edit(world, event);
    case 'heartbeat':
      return heartbeat(world, workitem(world, event.workitem), event);
    case 'claim':
    case 'release':
      return claim(world, workitem(world, event.workitem), event);
    case 'cancel':
      return cancel(world, event);
    case 'kill':
      return kill(world);
    case 'pause':
      return pause(world);
    case 'resume':
      return resume(world);
    case 'due':
      return due(world, event.agenda);
    case 'cancel_expression':
    case 'kill_expression':
      return cancelOne(world, event.expression, event.kind === 'kill_expression' ? 'kill' : null);
    case 'pause_expression':
      return pauseOne(world, event.expression, event.breakpoint);
    case 'resume_expression':
      return resumeOne(world, event.expression, event.breakpoint);
    case 'reply':
      // Whose work is waited for is proceeded for.
      return workitem(world, event.expression) === null
        ? replyFor(world, event.expression, event.fields)
        : proceed(world, { kind: 'proceed', workitem: event.expression, fields: event.fields });
    case 'move':
      return move(world, event.expression, event.to);
    case 'add_token':
      return add(world, event.expression, event.at);
    case 'reapply':
      return reapply(world, event);
    case 'replay':
      return replay(world, event);
    case 'broken':
      return broken(world, event);
  }
}

function launch(world: World, { launch: asked }: Of<'launch'>): Answer {
  const answer: Answer = { ok: true, value: { id: asked.id } };
  // The id was made once, before the first attempt: when it is there already, this launch has been committed.
  if (world.loaded.workflow !== null)
    return { ok: false, code: 'conflict', message: `workflow ${asked.id} was launched already` };
  const root = newStrand(ROOT, '', '' as ExpressionId, 'branch', 0, 0, null);
  world.addStrand(root);
  world.header.hops = asked.hops ?? 0;
  world.hops = world.header.hops;
  world.header.rounds = asked.follows?.rounds ?? 0;
  world.header.historyMax = asked.historyMax ?? null;
  world.header.wfName = asked.name;
  world.header.revision = asked.revision;
  if (asked.tags !== undefined && asked.tags.length > 0) world.header.labels = asked.tags;
  world.record({
    kind: 'workflow.launched',
    name: asked.name,
    ...(asked.historyMax !== undefined && { history_max: asked.historyMax }),
    ...givenPart(world, asked.fields),
    ...(asked.follows !== undefined && { continued_from: asked.follows.workflow }),
    ...(asked.retryOf !== undefined && { retry_of: asked.retryOf }),
  });
  let { fields } = asked;
  for (const key of OURS) if (Object.hasOwn(fields, key)) fields = mergeGiven({}, fields);
  world.noteFields(world.extentOf(fields).characters);
  world.vouch(fields);
  setOutWith(world, fields);
  world.send({
    kind: 'apply',
    parent: null,
    path: ROOT,
    fresh: null,
    id: world.freshId('0'),
    tree: { root: asked.hash, path: '' },
    fields,
    variables: asked.meta == null ? new Map() : new Map([['meta', asked.meta]]),
    launch: true,
    flanking: false,
    place: rootPlace(asked),
  });
  return answer;
}

/** The root as its definition has it, with a timeout of the launch's own, or not from its beginning. */
function rootPlace({ timeout, enter }: Of<'launch'>['launch']): Place | null {
  if (timeout == null && enter === undefined) return null;
  return freshPlace({
    ...(timeout != null && { added: [['timeout', timeout]] }),
    ...(enter !== undefined && { enter }),
  });
}

function workitem(world: World, id: ExpressionId): WorkitemRow | null {
  const row = world.loaded.workitems.get(id);
  if (row === undefined) world.want({ kind: 'workitem', id });
  return row === undefined || row.state === 'closed' ? null : row;
}

function fieldsOf(world: World, row: WorkitemRow): Fields {
  if (hasFields(row) && row.added === null) return world.deliveredIn(row);
  if (row.inherits === null) return deliveredFields(row, null);
  const base = world.loaded.variables.get(`${row.inherits} ^`);
  if (base === undefined) world.want({ kind: 'variable', scope: row.inherits, name: '^' });
  world.noteRead((base?.value.length ?? 0) + row.params.length + (row.added?.length ?? 0));
  return deliveredFields(row, base?.value ?? null);
}

/** Fields with what was given for them. */
function given(world: World, fields: Fields, more: Fields): Fields {
  world.noteGrowth(world.extentOf(more).characters);
  return mergeGiven(fields, more);
}

function proceed(world: World, event: Of<'proceed'>): Answer {
  const row = workitem(world, event.workitem);
  if (row === null) return NO_WORKITEM;
  if (row.claimBy != null && isInTheWay(world, row, event.by)) return claimed(row);
  const x = world.find({ path: row.path, id: row.id });
  if (x === null) return NO_WORKITEM;
  const { mapped, output, undo } = readTerms(row.terms);
  const answer = output === undefined ? event.fields : mappedAnswer(output, withoutKeys(event.fields, ...OURS));
  // Of one that was given a part of the fields, the others are where they were.
  const before = mapped === true ? x.node.applied : fieldsOf(world, row);
  const fields = given(world, before, answer);
  setOutWith(world, before);
  const message: Message = {
    kind: 'reply',
    to: refOf(x),
    from: row.id,
    fields,
    by: null,
    branch: null,
    flanking: false,
    updatedTree: null,
    received: true,
  };
  if (undo !== undefined && !recordDone(x, row.participant, undo, fields))
    return fault(
      'limit_exceeded',
      `the workflow has ${UNDOS_MAX} participants to undo already, as many as there may be`,
    );
  world.changeWorkitem(row.id, { kind: 'delete' });
  x.node.hasWorkitem = false;
  clearError(x);
  x.strand.touched = true;
  world.record({
    kind: 'workitem.proceeded',
    expid: expidOf(row.id),
    workitem_id: workitemId(row.id, world.row.id),
    participant: row.participant,
    ...givenPart(world, event.fields),
  });
  world.send(message);
  return done;
}

function fail(world: World, event: Of<'fail'>): Answer {
  const row = workitem(world, event.workitem);
  if (row === null) return NO_WORKITEM;
  if (row.claimBy != null && isInTheWay(world, row, event.by)) return claimed(row);
  const x = world.find({ path: row.path, id: row.id });
  if (x === null) return NO_WORKITEM;
  world.changeWorkitem(row.id, { kind: 'patch', set: { state: 'failed', send: null, dueAt: null } });
  x.node.data['failed'] = true;
  x.strand.touched = true;
  world.record({
    kind: 'workitem.failed',
    expid: expidOf(row.id),
    workitem_id: workitemId(row.id, world.row.id),
    participant: row.participant,
    class: event.class,
    message: event.message,
  });
  if (isBpmn(x) && participantFails(x, event.code ?? null, event.message, event.fields ?? {})) return done;
  world.send({
    kind: 'raise',
    to: refOf(x),
    class: event.code === undefined ? event.class : 'BpmnError',
    message: event.code === undefined ? event.message : `nobody catches the error ${event.code}: ${event.message}`,
    fields: fieldsOf(world, row),
  });
  return done;
}

const isBpmn = ({ world, node }: Acting): boolean => world.registry.get(node.kind)?.family !== undefined;

function message(world: World, event: Of<'message'>): Answer {
  if (isGone(world)) return NO_WORKFLOW;
  const { name, key, fields } = event;
  const to = deliverMessage(world, name, key, fields);
  if (to !== null) return { ok: true, value: { delivered: 1, expression: to.x.node.id, element: to.element } };
  if (!event.keep) return { ok: true, value: { delivered: 0, expression: null } };
  const kept = keepMessage(world, name, fields, event.seconds ?? null);
  if (kept === 'full') return fault('messages_full', KEPT_FULL);
  return { ok: true, value: { delivered: 0, expression: null, kept: true, until: kept.until } };
}

function signal(world: World, { name, fields }: Of<'signal'>): Answer {
  if (isGone(world)) return NO_WORKFLOW;
  return { ok: true, value: { delivered: deliverSignal(world, name, fields) } };
}

function edit(world: World, event: Of<'edit'>): Answer {
  const row = workitem(world, event.workitem);
  if (row === null) return NO_WORKITEM;
  if (row.claimBy != null && isInTheWay(world, row, event.by)) return claimed(row);
  if (event.revision !== null && event.revision !== row.revision)
    return fault(
      'precondition_failed',
      `the workitem is at revision ${row.revision}, not ${event.revision}: read it again`,
    );
  const before = fieldsOf(world, row);
  const fields = withKey(given(world, before, event.fields), 'params', before['params'] ?? {});
  const x = world.find({ path: row.path, id: row.id });
  if (x !== null) {
    // It goes on with what it was applied with, whatever the row says now.
    readAll(x.node);
    world.held.delete(row.id);
    x.strand.touched = true;
  }
  world.changeWorkitem(row.id, {
    kind: 'patch',
    set: { fields: JSON.stringify(fields), inherits: null, revision: row.revision + 1 },
  });
  world.record({
    kind: 'workitem.edited',
    expid: expidOf(row.id),
    workitem_id: workitemId(row.id, world.row.id),
    ...givenPart(world, event.fields),
  });
  return { ok: true, value: { revision: row.revision + 1 } };
}

function cancel(world: World, { compensate }: Of<'cancel'>): Answer {
  if (isGone(world)) return NO_WORKFLOW;
  if (compensate === true) world.header.compensating = true;
  noteReason(world);
  world.record({ kind: 'workflow.cancelling' });
  if (world.header.pausedAt !== null) goOn(world);
  world.header.cancelled = true;
  world.send({ kind: 'cancel_process', flavour: null, after: 0, again: true });
  return done;
}

/** What participants are told with their notices, and whoever looks. */
function noteReason({ header, stimulus }: World): void {
  if (stimulus.reason !== undefined) header.reason = stimulus.reason;
}

function kill(world: World): Answer {
  if (isGone(world)) return fault('workflow_over', 'the workflow is over already');
  noteReason(world);
  const paused = world.header.pausedAt !== null;
  // Saved messages are discarded, and with them what the counters of forks stand for: then everything goes at once.
  if (paused || world.queue.length > 0 || world.header.expressions > KILL_WALKED_MAX || world.header.answers > 0) {
    killAtOnce(world);
    return done;
  }
  world.header.killed = true;
  world.send({ kind: 'cancel_process', flavour: 'kill', after: 0, again: true });
  return done;
}

function due(world: World, id: string): Answer {
  const row = world.loaded.agenda.get(id);
  if (row === undefined) {
    // Whoever took it up has handled it: a continuation is taken up by any step.
    world.want({ kind: 'agenda', id });
    return done;
  }
  if (world.header.pausedAt !== null) {
    world.changeAgenda(id, { kind: 'patch', set: { heldAt: world.header.pausedAt } });
    return done;
  }
  if (row.kind === 'continue') return done;
  const { header, context } = world;
  // A pause of the whole has ended; what is kept for a part that is held goes on being kept. Where no more can be kept, what is due waits.
  if (row.kind === 'answer' || (header.holds > 0 && header.answers >= context.limits.answers)) {
    world.changeAgenda(id, { kind: 'patch', set: { heldAt: world.now } });
    return done;
  }
  world.changeAgenda(id, { kind: 'delete' });
  world.noteRead(row.payload.length);
  if (row.kind === 'event') {
    // Whoever feeds the agenda has sent it.
    if (id.startsWith(SEND_ID) || id === START_ID) return done;
    const { listener, payload, waiter, event } = JSON.parse(row.payload) as {
      readonly listener: ExpressionId;
      readonly payload: Happened;
      readonly waiter?: string;
      readonly event: string;
    };
    if (waiter !== undefined) {
      handedOver(world, row.path ?? '', { waiter, event });
      return done;
    }
    if (payload.event === 'message' || payload.event === 'signal') hearBpmn(world, listener, payload.fields);
    else hear(world, listener, payload);
  } else if (row.kind === 'timer') fire(world, row);
  return done;
}

function fire(world: World, row: AgendaRow): void {
  const waking = wakeOf(row);
  const { path, id, wake } = waking;
  const to = { path, id };
  const x = world.find(to);
  if (x === null) return;
  const { node } = x;
  x.strand.touched = true;
  if (putOff(x, row, waking)) return;
  node.timers = node.timers.filter((timer) => timer.agenda !== row.id);
  if (node.schedule === row.id) node.schedule = null;
  if (wake.do !== 'heartbeat')
    world.record({ kind: 'timer.fired', expid: node.expid, expression_id: node.id, action: wake.do });
  const before = world.queue.length;
  fireNow(world, x, row, waking);
  // In a part that is held it counts when that is resumed.
  if (world.header.holds > 0 && isHeld(x)) world.heldBack.push(...(world.queue.splice(before) as Message[]));
}

function fireNow(world: World, x: Acting, row: AgendaRow, { path, id, wake }: ReturnType<typeof wakeOf>): void {
  const to = { path, id };
  const { node } = x;
  const again = (tree: Reapply['tree'], retry: boolean): Reapply => ({
    tree,
    workitem: 'returned',
    fields: null,
    retry,
  });
  const cancelled = { kind: 'cancel', to, cause: 'cancel', reapply: null, again: false } as const;
  switch (wake.do) {
    case 'reply':
      world.send(plainReply(to, node.id, node.applied));
      return;
    case 'timeout':
      world.send({ ...cancelled, flavour: 'timeout', cause: 'timeout' });
      return;
    case 'heartbeat':
      lookForLife(x);
      return;
    case 'undo':
      world.send({ ...cancelled, flavour: null });
      return;
    case 'redo':
      world.send({ ...cancelled, flavour: null, reapply: again(null, false) });
      return;
    case 'retry':
      world.send({ ...cancelled, flavour: 'retry', cause: 'error', reapply: again(null, true) });
      return;
    case 'become':
      world.send({
        ...cancelled,
        flavour: wake.retry ? 'retry' : null,
        reapply: again({ root: wake.tree as readonly never[], path: '' }, wake.retry),
      });
      return;
    case 'flank':
      flank(world, x, wake.name);
      return;
    case 'bpmn':
      fireTimer(x, row, wake);
      return;
  }
}

function flank(world: World, x: Acting, name: string): void {
  const path = `${x.strand.path}.${x.strand.next}`;
  x.strand.next++;
  x.node.flanks++;
  world.send({
    kind: 'apply',
    parent: refOf(x),
    path,
    fresh: { strandKind: 'flank', index: 0, base: null },
    id: world.freshId(x.node.expid),
    tree: { root: [name, [], []], path: '' },
    fields: x.node.applied,
    variables: null,
    launch: false,
    flanking: true,
    place: null,
  });
}
