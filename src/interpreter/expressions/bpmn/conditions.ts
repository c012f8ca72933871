import { LanguageError } from '../../../language/language-error.ts';
import type { ExpressionId } from '../../../model/ids.ts';
import { isObject, type Json } from '../../../model/json.ts';
import { cut } from '../../../model/text.ts';
import { refOf } from '../../life/branches.ts';
import { type Condition, plainReply } from '../../state/state.ts';
import type { Acting, World } from '../../state/world.ts';
import { chainOf, type EventSpec, isTrue, isTrueHere, variable } from './parts.ts';

/*
 * Events that happen when a condition begins to hold. It is looked at when it is armed, and again when a variable that it has asked for is
 * changed by what it can see. All that wait in a workflow stand in its header, so a step that arms none and finds none pays nothing.
 */

/** Conditions that wait in one workflow: each change of a variable looks through all of them. */
export const CONDITIONS_MAX = 100;
/** Names that one condition may ask for, and characters of it that are shown. */
const NAMES_MAX = 50;
const SHOWN_MAX = 100;

/** Arms a condition, and looks at it. */
export function armCondition(x: Acting, on: string, event: EventSpec, element: string, stays: boolean): void {
  const { header, now } = x.world;
  const written = event['condition'] ?? null;
  const text = isObject(written) ? String(written['rota']) : String(written);
  const seen = new Set<string>();
  const holds = looked(x, written, seen);
  if (holds) happens(x, on);
  if (holds && !stays) return;
  const before = header.conditions ?? [];
  if (before.length >= CONDITIONS_MAX)
    throw new LanguageError('LimitExceeded', `more than ${CONDITIONS_MAX} conditions wait in this workflow`);
  const condition: Condition = {
    ...{ path: x.strand.path, id: x.node.id, on, names: named(seen), stays },
    ...{ element, text: cut(text, SHOWN_MAX), written, since: now },
  };
  header.conditions = [...before, condition];
}

const happens = (x: Acting, on: string): void => x.world.send(plainReply(refOf(x), `@${on}` as ExpressionId, {}));

/** Whether it holds. What asks for a variable that is not there yet does not; its error is none before all of them are there. */
function looked(x: Acting, written: Json, seen: Set<string>): boolean {
  try {
    return isObject(written) ? isTrueHere(x, String(written['rota']), seen) : isTrue(x, String(written), {}, seen);
  } catch (error) {
    const isEarly = [...seen].some((name) => variable(x, name) === undefined);
    if (error instanceof LanguageError && error.errorClass === 'ExpressionError' && isEarly) return false;
    throw error;
  }
}

function named(seen: ReadonlySet<string>): readonly string[] {
  if (seen.size > NAMES_MAX)
    throw new LanguageError('LimitExceeded', `a condition that waits asks for more than ${NAMES_MAX} variables`);
  return [...seen];
}

/** Nothing of an expression waits any more; `begins`: nothing whose key begins so. */
export function dropConditions({ node, world }: Acting, begins = ''): void {
  if (world.header.conditions !== null) keep(world, ({ id, on }) => id !== node.id || !on.startsWith(begins));
}

function keep({ header }: World, isKept: (condition: Condition) => boolean): void {
  const left = (header.conditions ?? []).filter(isKept);
  header.conditions = left.length === 0 ? null : left;
}

/**
 * What has waited for variables that were changed is to be looked at. Each condition is looked at once in a step: what is to be looked at again
 * takes its turn.
 *
 * @returns whether the step goes on
 */
export function wakeConditions(world: World): boolean {
  const { changed, header } = world;
  world.changed = null;
  if (changed === null || header.conditions === null) return false;
  let isAgain = false;
  for (const { path, id, on, names } of header.conditions) {
    if (!names.some((name) => changed.has(name))) continue;
    const x = world.find({ path, id });
    if (x === null || !sees(x, names, changed)) continue;
    const key = `${id}#${on}`;
    isAgain ||= world.lookedAt.has(key);
    world.lookedAt.add(key);
    world.send({ kind: 'look', to: { path, id }, on });
  }
  return !isAgain && world.queue.length > 0;
}

/** Whether one of the changes was made in a scope that can be seen from here. */
function sees(x: Acting, names: readonly string[], changed: ReadonlyMap<string, ReadonlySet<ExpressionId>>): boolean {
  const chain = new Set(chainOf(x).map(({ node }) => node.id));
  return names.some((name) => [...(changed.get(name) ?? [])].some((id) => chain.has(id)));
}

/** A condition is looked at again. */
export function lookAgain(x: Acting, on: string): void {
  const { header } = x.world;
  const found = header.conditions?.find((each) => each.id === x.node.id && each.on === on);
  if (found === undefined || header.conditions === null) return;
  const seen = new Set(found.names);
  const holds = looked(x, found.written, seen);
  if (holds && !found.stays) keep(x.world, (each) => each !== found);
  else if (seen.size > found.names.length)
    header.conditions = header.conditions.map((each) => (each === found ? { ...each, names: named(seen) } : each));
  if (holds) happens(x, on);
}
