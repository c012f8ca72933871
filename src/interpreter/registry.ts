import { equals, given, if_, that } from './expressions/branching.ts';
import { command } from './expressions/commands.ts';
import { addBranches, citerator, concurrence } from './expressions/concurrence.ts';
import { inc } from './expressions/counting.ts';
import { cursor } from './expressions/cursor.ts';
import { iterator } from './expressions/iteration.ts';
import { forget, lose } from './expressions/letting-go.ts';
import { await_, listen } from './expressions/listening.ts';
import { participant } from './expressions/participant.ts';
import { cancelProcess, error, onError, redo, undo } from './expressions/recovery.ts';
import { reserve } from './expressions/reserve.ts';
import { filter, restore, save } from './expressions/saving.ts';
import { define, echo, let_, noop, sequence, stall } from './expressions/sequence.ts';
import { set } from './expressions/setting.ts';
import { apply, ref, subprocess } from './expressions/subprocess.ts';
import { cron, once, wait } from './expressions/timing.ts';
import type { Expression, Registry } from './world.ts';

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
];

/** Every expression by each of its names. */
export const registry: Registry = new Map(
  all.flatMap((expression) => expression.names.map((name) => [name, expression] as const)),
);
