import { event, gateway } from './expressions/bpmn/event.ts';
import { process, sub } from './expressions/bpmn/scope.ts';
import { call, task } from './expressions/bpmn/task.ts';
import { equals, given, if_, that } from './expressions/ruote/branching.ts';
import { command } from './expressions/ruote/commands.ts';
import { compensate } from './expressions/ruote/compensation.ts';
import { addBranches, citerator, concurrence } from './expressions/ruote/concurrence.ts';
import { inc } from './expressions/ruote/counting.ts';
import { cursor } from './expressions/ruote/cursor.ts';
import { iterator } from './expressions/ruote/iteration.ts';
import { launch } from './expressions/ruote/launching.ts';
import { forget, lose } from './expressions/ruote/letting-go.ts';
import { await_, listen } from './expressions/ruote/listening.ts';
import { participant } from './expressions/ruote/participant.ts';
import { cancelProcess, error, onError, redo, undo } from './expressions/ruote/recovery.ts';
import { reserve } from './expressions/ruote/reserve.ts';
import { filter, restore, save } from './expressions/ruote/saving.ts';
import { define, echo, let_, noop, sequence, stall } from './expressions/ruote/sequence.ts';
import { set } from './expressions/ruote/setting.ts';
import { signal } from './expressions/ruote/signalling.ts';
import { apply, ref, subprocess } from './expressions/ruote/subprocess.ts';
import { continueAsNew } from './expressions/ruote/succession.ts';
import { cron, once, wait } from './expressions/ruote/timing.ts';
import type { Expression, Registry } from './state/world.ts';

const all: readonly Expression[] = [
  define,
  sequence,
  let_,
  noop,
  echo,
  stall,
  participant,
  subprocess,
  ref,
  apply,
  if_,
  equals,
  given,
  that,
  concurrence,
  citerator,
  addBranches,
  iterator,
  cursor,
  command,
  set,
  inc,
  save,
  restore,
  filter,
  wait,
  once,
  cron,
  listen,
  await_,
  error,
  onError,
  undo,
  redo,
  cancelProcess,
  forget,
  lose,
  reserve,
  signal,
  launch,
  continueAsNew,
  compensate,
  process,
  sub,
  task,
  call,
  event,
  gateway,
];

/** Every expression by each of its names. */
export const registry: Registry = new Map(
  all.flatMap((expression) => expression.names.map((name) => [name, expression] as const)),
);
