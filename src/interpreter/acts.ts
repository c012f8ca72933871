import { type ExpressionId, expidOf } from '../model/ids.ts';
import type { Fields } from '../model/json.ts';
import type { Answer } from '../model/stimulus.ts';
import type { Tree } from '../model/tree.ts';
import { done, fault, type Of } from './answers.ts';
import { addToken, moveToken } from './expressions/bpmn/moving.ts';
import { refOf } from './life/branches.ts';
import { placeToBegin, whyNotBelow } from './life/entering.ts';
import { storedTree } from './life/handlers.ts';
import { breakAt, goOnWith, hold } from './life/holding.ts';
import { clearError } from './life/leaving.ts';
import { wakeOf } from './life/timers.ts';
import { pause } from './pausing.ts';
import { baseFields, mergeGiven } from './state/fields.ts';
import { type Given, givenPart } from './state/given.ts';
import { CARRIED, decodeMessages, encodeMessages } from './state/messages.ts';
import type { Message, Reapply } from './state/state.ts';
import { ROOT } from './state/state.ts';
import type { Acting, World } from './state/world.ts';

/* What an administrator does to single expressions, and what the server does to a workflow that no step can work with. */

export function findExpression(world: World, id: ExpressionId): Acting | null {
  const strandHolding = (): Acting | null => {
    for (const path of new Set([ROOT, ...world.loaded.strands.keys()])) {
      const x = world.find({ path, id });
      if (x !== null) return x;
    }
    return null;
  };
  const known = strandHolding();
  if (known !== null) return known;
  world.want({ kind: 'find', expression: id });
  return strandHolding();
}

const noExpression = (id: string): Answer =>
  fault('expression_not_found', `expression ${id} is not alive in this workflow`);

export function cancelOne(world: World, id: ExpressionId, flavour: 'kill' | null): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  recordAct(world, flavour === 'kill' ? 'expression.dying' : 'expression.cancelling', x);
  world.send({ kind: 'cancel', to: refOf(x), flavour, cause: 'cancel', reapply: null, again: true });
  return done;
}

/** What somebody asked for one expression is told before all it leads to: who, and why, is said in the step's first entry. */
function recordAct(
  world: World,
  kind: 'expression.cancelling' | 'expression.dying' | 'expression.reapplying' | 'expression.replying',
  { node }: Acting,
  given: Given & { readonly tree?: string } = {},
): void {
  world.record({ kind, expid: node.expid, expression_id: node.id, name: node.name, ...given });
}

export function pauseOne(world: World, id: ExpressionId, breakpoint: string | null): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  const trouble = breakpoint === null ? hold(x) : breakAt(x, breakpoint);
  return trouble === null ? done : fault('conflict', trouble);
}

export function resumeOne(world: World, id: ExpressionId, breakpoint: string | null): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  goOnWith(x, breakpoint);
  return done;
}

/** It is done, whatever it was about: a `noop` with the fields takes its place, so that timers, children and handlers go as in a reapply. */
export function replyFor(world: World, id: ExpressionId, fields: Fields): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  recordAct(world, 'expression.replying', x, givenPart(world, fields));
  clearError(x);
  sendReapply(world, x, mergeGiven(x.node.applied, fields), DONE);
  return done;
}

const DONE: Tree = { name: 'noop', attributes: new Map(), children: [] };

/** Of BPMN: a token goes on somewhere else in its scope. */
export function move(world: World, id: ExpressionId, to: string): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  recordAct(world, 'expression.cancelling', x);
  const trouble = moveToken(x, to);
  return trouble === null ? done : fault('conflict', trouble);
}

/** Of BPMN: a scope gets one token more. */
export function add(world: World, id: ExpressionId, at: string): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  const trouble = addToken(x, at);
  return trouble === null ? done : fault('conflict', trouble);
}

export function reapply(world: World, { expression: id, fields, tree, merge, enter, hash }: Of<'reapply'>): Answer {
  const x = findExpression(world, id);
  if (x === null) return noExpression(id);
  const trouble = enter === undefined ? null : whyNotBelow(x, enter);
  if (enter !== undefined && trouble !== null) {
    const place = placeToBegin(x.node.expid, enter, (path) => whyNotBelow(x, path));
    return fault('conflict', `nothing can begin there: ${trouble}. From ${place} on all of that can begin again`);
  }
  recordAct(world, 'expression.reapplying', x, {
    ...(fields === null ? {} : givenPart(world, fields)),
    ...(hash === undefined ? {} : { tree: hash }),
  });
  clearError(x);
  const base = merge === true ? standingBelow(x, enter !== undefined) : null;
  sendReapply(world, x, base === null ? fields : mergeGiven(base, fields ?? {}), tree, enter);
  return done;
}

/** The fields an expression was applied with; `inside`: those of what runs below it now, as far as it is in the same strand. */
function standingBelow({ node, strand }: Acting, inside: boolean): Fields {
  const child = inside && node.child !== null ? strand.nodes[strand.nodes.indexOf(node) + 1] : undefined;
  return (child ?? node).applied;
}

function sendReapply(
  world: World,
  x: Acting,
  fields: Fields | null,
  tree: Tree | null,
  enter?: readonly number[],
): void {
  if (fields !== null) world.extentOf(fields);
  const asked: Reapply = {
    tree: tree === null ? null : { root: storedTree(tree), path: '' },
    workitem: 'returned',
    fields,
    retry: true,
    ...(enter !== undefined && { enter }),
  };
  if (x.node.state !== null) x.node.state = null;
  world.send({ kind: 'cancel', to: refOf(x), flavour: 'retry', cause: 'cancel', reapply: asked, again: false });
}

export function replay(world: World, asked: Of<'replay'>): Answer {
  let event = asked;
  const row = world.loaded.errors.get(event.expression);
  if (row === undefined) {
    world.want({ kind: 'error', id: event.expression });
    return fault('error_not_found', `no error waits at expression ${event.expression}`);
  }
  const x = world.find({ path: row.path, id: row.id });
  if (x === null) return noExpression(row.id);
  world.noteRead(row.details.length);
  if (event.fields !== null) world.extentOf(event.fields);
  const details = JSON.parse(row.details) as { readonly message: string; readonly fields: Fields };
  const [failed] = decodeMessages(details.message, (base) =>
    base === CARRIED ? details.fields : baseValue(world, base as ExpressionId),
  );
  clearError(x);
  world.record({
    kind: 'expression.replayed',
    expid: expidOf(row.id),
    expression_id: row.id,
    name: x.node.name,
    ...(event.fields === null ? {} : givenPart(world, event.fields)),
  });
  if (event.fields !== null && event.merge === true) {
    const base = failed !== undefined && 'fields' in failed ? failed.fields : x.node.applied;
    event = { ...event, fields: mergeGiven(base, event.fields) };
  }
  if (failed === undefined || failed.kind === 'apply' || event.tree !== null) {
    sendReapply(world, x, event.fields ?? (failed?.kind === 'apply' ? failed.fields : null), event.tree);
    return done;
  }
  if (failed.kind === 'raise' || failed.kind === 'dispatch') {
    if (event.fields !== null) x.node.applied = mergeGiven({}, event.fields);
    x.strand.touched = true;
    world.send({ kind: 'dispatch', to: refOf(x) });
  } else {
    // It is on its way out since then; it has to be told once more.
    if (failed.kind === 'cancel') x.node.state = null;
    if (failed.kind === 'reply' && failed.by !== null) {
      // It was counted when it failed; it is about to be counted again.
      x.node.children++;
      if (failed.by === 'child') x.node.child = failed.from;
      x.strand.touched = true;
    }
    world.send(event.fields !== null && 'fields' in failed ? ({ ...failed, fields: event.fields } as Message) : failed);
  }
  return done;
}

function baseValue(world: World, scope: ExpressionId): Fields | null {
  const row = world.loaded.variables.get(`${scope} ^`);
  if (row === undefined) world.want({ kind: 'variable', scope, name: '^' });
  return row === undefined ? null : baseFields(row.value);
}

/** A step that threw again and again is a bug of ours: the workflow waits in error instead of being tried for ever. */
export function broken(world: World, { message, pause: isPaused = false, agenda }: Of<'broken'>): Answer {
  if (isPaused) pause(world);
  world.header.aside = true;
  const x = agenda === undefined ? null : meantBy(world, agenda);
  const strand = x?.strand ?? world.strand(ROOT);
  const node = x?.node ?? strand?.nodes[0];
  const id = node?.id ?? (`0!${'0'.repeat(32)}` as ExpressionId);
  if (node !== undefined && strand) {
    if (!node.hasError) world.header.errors++;
    node.hasError = true;
    strand.touched = true;
  } else world.header.errors++;
  const details = JSON.stringify({
    expid: expidOf(id),
    name: node?.name ?? null,
    deviations: null,
    fields: {},
    message: encodeMessages([]),
  });
  world.changeError(id, {
    kind: 'put',
    row: {
      id,
      path: strand?.path ?? ROOT,
      workitem: node?.hasWorkitem ?? false,
      class: 'InternalError',
      message,
      at: world.now,
      details,
    },
  });
  world.record({ kind: 'expression.failed', expid: expidOf(id), expression_id: id, class: 'InternalError', message });
  return done;
}

/** The expression that an agenda row is about; null when it is over, or when the row is about none. */
function meantBy(world: World, agenda: string): Acting | null {
  const row = world.loaded.agenda.get(agenda);
  if (row === undefined || row.path === null) return null;
  if (row.kind === 'timer') return world.find({ path: row.path, id: wakeOf(row).id as ExpressionId });
  if (row.kind !== 'event') return null;
  const { listener } = JSON.parse(row.payload) as { readonly listener: ExpressionId };
  return world.find({ path: row.path, id: listener });
}
