import { LanguageError } from '../language/language-error.ts';
import type { JsonObject } from '../model/json.ts';
import { type Answer, type Loaded, SIZES_TOLD, type StepResult, type Stimulus } from '../model/stimulus.ts';
import { lookAgain, wakeConditions } from './expressions/bpmn/conditions.ts';
import { isArmed, takeEvent } from './expressions/bpmn/waits.ts';
import { onEvent } from './expressions/ruote/listening.ts';
import { finish, openWorld } from './finish.ts';
import { applyExpression, awaken, setOutAgain } from './life/applying.ts';
import { createExpression, expressionOf } from './life/birth.ts';
import { refOf } from './life/branches.ts';
import { cancelBranches } from './life/cancelling.ts';
import { isWaiting, takeAwaited } from './life/events.ts';
import { keepError, keptAsOrphan, raiseError } from './life/failing.ts';
import { keptBack } from './life/holding.ts';
import { cancelExpression, failExpression, RaisedAgain, receiveReply } from './life/life.ts';
import { tell, textOfError } from './life/listening.ts';
import { cancelProcess, endAtOnce, killAtOnce } from './life/process.ts';
import { closeWorkitem, openWorkitem } from './life/workitems.ts';
import { CONTINUATION, keepsTooMuch, takeNext, takeUp } from './queue.ts';
import { registry } from './registry.ts';
import type { Message } from './state/state.ts';
import { awaitedIn, plainReply } from './state/state.ts';
import { type Acting, type StepContext, Wanting, type World } from './state/world.ts';
import { stir } from './stimuli.ts';

/** A step that has handled this many messages before it finds rows missing stops there and goes on in its next turn, instead of
 * doing everything again. */
const RESTART_MESSAGES_MAX = 100;
/** The same in characters and elements read or written. */
const RESTART_WORK_MAX = 200_000;

/**
 * Handles one stimulus to rest: pure, synchronous and deterministic (docs/architecture.md, A step).
 *
 * @returns what changed and the answer; or the rows it needs to know first, to be called again with them. A fault is an answer
 *   without changes. Throws only for a bug of ours.
 */
export function step(loaded: Loaded, stimulus: Stimulus, context: StepContext): StepResult {
  const known =
    stimulus.event.kind === 'launch'
      ? withLaunched(context, stimulus.event.launch.hash, stimulus.event.launch.tree)
      : context;
  const first = attempt(loaded, stimulus, known);
  if (first.kind !== 'wanting') return first;
  const isShort = first.handled < RESTART_MESSAGES_MAX && first.spent < RESTART_WORK_MAX;
  if (isShort || first.handled === 0 || first.needs.some((need) => need.kind === 'definition'))
    return { kind: 'need', needs: first.needs };
  // Being deterministic, the same step with a smaller budget stops right before the message that found something missing.
  const shorter = attempt(loaded, stimulus, { ...known, limits: { ...known.limits, messages: first.handled } });
  return shorter.kind === 'wanting' ? { kind: 'need', needs: shorter.needs } : shorter;
}

const withLaunched = (
  context: StepContext,
  hash: string,
  tree: ReturnType<StepContext['definition']>,
): StepContext => ({
  ...context,
  definition: (wanted) => (wanted === hash ? tree : context.definition(wanted)),
});

/** The answer, and what is large by now. */
function withSizes({ header, fieldsCharacters, context }: World, answer: Extract<Answer, { ok: true }>): Answer {
  const { limits } = context;
  if (fieldsCharacters < limits.fieldsCharacters * SIZES_TOLD && header.expressions < limits.expressions * SIZES_TOLD)
    return answer;
  return {
    ...answer,
    sizes: {
      fields: [fieldsCharacters, limits.fieldsCharacters],
      expressions: [header.expressions, limits.expressions],
    },
  };
}

type Attempt =
  | StepResult
  | { readonly kind: 'wanting'; readonly needs: Wanting['needs']; readonly handled: number; readonly spent: number };

function attempt(loaded: Loaded, stimulus: Stimulus, context: StepContext): Attempt {
  let world: World | null = null;
  try {
    world = openWorld(loaded, stimulus, context, registry);
    if (world === null) return { kind: 'stepped', changes: null, answer: missing(stimulus) };
    const isLeft = stimulus.event.kind === 'broken' && stimulus.event.pause === true;
    if (world.header.pausedAt === null && !isLeft) takeUp(world);
    if (!isOfItself(stimulus)) world.header.rounds = 0;
    const answer = stir(world, stimulus.event);
    if (!answer.ok) return { kind: 'stepped', changes: null, answer };
    if (keepsTooMuch(world)) return { kind: 'stepped', changes: null, answer: TOO_MUCH_KEPT };
    run(world);
    // Killed, and something is left that no message reached.
    if (world.header.killed && world.queue.length === 0 && world.header.strands > 0) killAtOnce(world);
    return { kind: 'stepped', changes: finish(world), answer: withSizes(world, answer) };
  } catch (error) {
    if (error instanceof Wanting)
      return { kind: 'wanting', needs: error.needs, handled: world?.handled ?? 0, spent: world?.spent ?? 0 };
    throw error;
  }
}

/** Whether nothing from outside has happened: it has just begun, or goes on with what it was about. */
const isOfItself = ({ event }: Stimulus): boolean =>
  event.kind === 'launch' || (event.kind === 'due' && event.agenda === CONTINUATION);

const TOO_MUCH_KEPT = {
  ok: false,
  code: 'overloaded',
  message: 'the workflow is paused, or a part of it, and keeps as much as it may until it is resumed; try again then',
} as const;

function missing(stimulus: Stimulus): {
  readonly ok: false;
  readonly code: 'workflow_not_found' | 'workitem_not_found';
  readonly message: string;
} {
  const { kind } = stimulus.event;
  return kind === 'proceed' || kind === 'fail' || kind === 'edit'
    ? { ok: false, code: 'workitem_not_found', message: 'workitem_id not found' }
    : { ok: false, code: 'workflow_not_found', message: 'workflow_id not found' };
}

function run(world: World): void {
  if (world.header.pausedAt !== null) return; // nothing moves; what is queued is kept
  do drain(world);
  while (world.changed !== null && wakeConditions(world));
}

function drain(world: World): void {
  const { messages, work } = world.context.limits;
  // One at least: what it was about may have been read before by as much work as there is.
  while (world.queue.length > 0 && world.handled < messages && (world.spent < work || world.handled === 0)) {
    const message = takeNext(world);
    if (message === undefined) return;
    world.begin();
    handle(world, message);
    if (world.successor !== null) endAtOnce(world);
    world.handled++;
    if (world.rests) return;
  }
}

function handle(world: World, message: Message): void {
  if (keptBack(world, message)) return;
  switch (message.kind) {
    case 'apply': {
      const x = createExpression(world, message);
      if (x !== null) guarded(x, message, () => applyExpression(x, message));
      return;
    }
    case 'tag':
      tell(world, {
        event: message.event,
        tag: message.tag,
        full_tag: message.fullTag,
        from: message.ref.id,
        fields: message.fields,
      });
      return;
    case 'intercepted': {
      const { error } = message;
      tell(world, {
        event: 'error',
        class: textOfError(error as JsonObject, 'class'),
        message: textOfError(error as JsonObject, 'message'),
        from: message.ref.id,
        fields: message.fields,
      });
      return;
    }
    case 'cancel_process':
      cancelProcess(world, message);
      return;
    case 'cancel_children': {
      const { to, flavour, cause, again, after, variables } = message;
      cancelBranches(world, {
        path: to.path,
        at: to.id,
        alive: Number.POSITIVE_INFINITY,
        flavour,
        cause,
        again,
        after,
        ...(variables !== undefined && { variables }),
      });
      return;
    }
    case 'event': {
      const x = world.find(message.to);
      if (x === null || !takesEvent(x, message.on)) world.missed.push(message.event);
      else guarded(x, message, () => deliver(x, message));
      return;
    }
    default: {
      if (message.kind === 'fail' && keptAsOrphan(world, message)) return;
      const x = world.find(message.to);
      if (x !== null) guarded(x, message, () => deliver(x, message));
      else if (message.kind === 'cancel') followReplaced(world, message);
    }
  }
}

/** What was to be cancelled has just given its place to another expression, which is about to be applied: that one is meant. */
function followReplaced(world: World, message: Extract<Message, { kind: 'cancel' }>): void {
  const { to } = message;
  for (const waiting of world.queue)
    for (const { from, path, id } of awaitedIn(waiting))
      if (from !== null && path === to.path && (to.id === '' || from === to.id)) {
        world.send({ ...message, to: { path, id } });
        return;
      }
}

function deliver(
  x: Acting,
  message: Exclude<Message, { kind: 'apply' | 'tag' | 'intercepted' | 'cancel_process' | 'cancel_children' }>,
): void {
  const { world } = x;
  switch (message.kind) {
    case 'reply':
      if (message.received) received(x, message);
      receiveReply(x, message);
      return;
    case 'cancel':
      cancelExpression(x, message);
      return;
    case 'fail':
      failExpression(x, message);
      return;
    case 'dispatch':
      openWorkitem(x);
      return;
    case 'set_out':
      setOutAgain(x, message.flanking);
      return;
    case 'dispatch_cancel':
      closeWorkitem(x, message.cause, message.fields);
      world.send(plainReply(refOf(x), x.node.id, message.fields));
      return;
    case 'raise':
      throw new LanguageError(message.class, message.message);
    case 'awake':
      awaken(x);
      return;
    case 'look':
      lookAgain(x, message.on);
      return;
    case 'event':
      if (message.on !== null) takeEvent(x, message.on, message.event);
      else if (x.node.state === 'awaiting') {
        takeAwaited(x, message.event);
        awaken(x);
      } else onEvent(x, message.event);
      return;
    case 'fork':
      // What is being cancelled makes no more children.
      if (x.node.state === null) expressionOf(x).fork?.(x, message.from);
      return;
  }
}

/** Whether the expression waits for an event yet. */
const takesEvent = (x: Acting, on: string | null): boolean => (on === null ? isWaiting(x) : isArmed(x, on));

/** The participant's workitem has come back: told after the reply was handled, as the messages of both stand in the queue. */
function received(x: Acting, message: Extract<Message, { kind: 'reply' }>): void {
  const participant = x.node.data['participant'];
  if (typeof participant !== 'string') return;
  const { world } = x;
  const before = world.queue.length;
  tell(world, { event: 'received', participant, from: x.node.id, fields: message.fields });
  const told = world.queue.splice(before) as Message[];
  world.afterwards.push(...told);
}

function guarded(x: Acting, message: Message, act: () => void): void {
  const { world } = x;
  // Whatever an expression does with a message may change it; its strand is compared and written when the step ends.
  x.strand.touched = true;
  try {
    act();
  } catch (error) {
    // It may have moved to a strand of its own (forget, flank) before it failed.
    const here = world.whereIs(x);
    if (error instanceof LanguageError) raiseError(here, message, error);
    else if (error instanceof RaisedAgain) keepError(here, message, error.error as JsonObject);
    else throw error;
  }
  for (const told of world.afterwards.splice(0)) world.send(told);
}
