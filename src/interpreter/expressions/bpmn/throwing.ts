import { keyOf, TYPE_MAX } from '../../../model/events.ts';
import type { Fields } from '../../../model/json.ts';
import type { Tree } from '../../../model/tree.ts';
import { sendEvent } from '../../life/sending.ts';
import { parentOf } from '../../life/variables.ts';
import type { Acting } from '../../state/world.ts';
import { clear, interrupt, isClearing, place, spawn } from './flow.ts';
import { asPayload, type Happening } from './happening.ts';
import { childTree, type EventSpec, eventOf, isScope, list, PROCESS, treeOf } from './parts.ts';
import { deliverMessage, deliverSignal } from './waits.ts';

/*
 * Errors and escalations look for somebody who catches them, from the inside out: at each scope first its event sub-processes, then the
 * boundary events of its activity. Signals and messages go to whoever waits.
 */

type Catcher =
  | {
      readonly kind: 'boundary';
      readonly host: Acting;
      readonly scope: Acting;
      readonly index: number;
      readonly interrupts: boolean;
    }
  | { readonly kind: 'sub'; readonly scope: Acting; readonly index: number; readonly interrupts: boolean };

function catching(kind: string, code: string | null, event: EventSpec | null): 'exact' | 'any' | null {
  if (event === null || event.kind !== kind) return null;
  if (event['code'] === null || event['code'] === undefined) return 'any';
  return event['code'] === code ? 'exact' : null;
}

/** Which of these children of a scope catches; the same code comes before one without a code. */
function best(
  scope: Acting,
  indexes: readonly number[],
  kind: string,
  code: string | null,
  eventIn: (tree: Tree) => EventSpec | null,
): number | null {
  let any: number | null = null;
  for (const index of indexes) {
    const fits = catching(kind, code, eventIn(childTree(scope, index)));
    if (fits === 'exact') return index;
    if (fits === 'any') any ??= index;
  }
  return any;
}

const startOf = (sub: Tree): Tree | null => sub.children[(list(sub, 'starts') as readonly number[])[0] ?? -1] ?? null;
const startEvent = (sub: Tree): EventSpec | null => {
  const start = startOf(sub);
  return start === null ? null : eventOf(start);
};

function findCatcher(thrower: Acting, kind: string, code: string | null): Catcher | null {
  /** The event sub-process the search comes out of: it does not catch what is thrown in it. */
  let below: number | null = null;
  for (let at: Acting | null = thrower; at !== null; at = parentOf(at)) {
    if (isScope(at) && at !== thrower && !isClearing(at)) {
      const subs = (list(treeOf(at), 'eventSubs') as readonly number[]).filter((index) => index !== below);
      const index = best(at, subs, kind, code, startEvent);
      if (index !== null) {
        const start = startOf(childTree(at, index));
        return { kind: 'sub', scope: at, index, interrupts: start?.attributes.get('interrupting') !== false };
      }
    }
    below = null;
    if (at.node.kind === PROCESS) continue;
    if (treeOf(at).attributes.get('eventSub') === true)
      below = Number(at.node.expid.slice(at.node.expid.lastIndexOf('_') + 1));
    const scope = parentOf(at);
    if (scope === null || !isScope(scope) || at.node.state !== null || at.node.data['boundary'] !== undefined) continue;
    const index = best(scope, list(treeOf(at), 'boundary') as readonly number[], kind, code, eventOf);
    if (index !== null)
      return {
        kind: 'boundary',
        host: at,
        scope,
        index,
        interrupts: childTree(scope, index).attributes.get('interrupting') !== false,
      };
  }
  return null;
}

function toCatcher(found: Catcher, happening: Happening, cause: 'error' | 'cancel'): void {
  const payload = asPayload(happening);
  if (found.kind === 'boundary') {
    if (found.interrupts) interrupt(found.host, found.index, payload, cause);
    else spawn(found.scope, found.index, payload);
  } else if (found.interrupts) clear(found.scope, { index: found.index, flow: null, fields: payload }, cause);
  else place(found.scope, { index: found.index, flow: null, fields: payload }, null);
}

/** Throws a BPMN error. False when nobody catches it. */
export function throwError(x: Acting, code: string, message: string, fields: Fields): boolean {
  const found = findCatcher(x, 'error', code);
  if (found === null) return false;
  x.world.record({ kind: 'error.thrown', expid: x.node.expid, code });
  toCatcher(found, { fields, code, message }, 'error');
  return true;
}

/** An error that is not BPMN's, for a boundary event that says it takes failures. */
export function throwFailure(x: Acting, message: string, fields: Fields): boolean {
  for (let at: Acting | null = x; at !== null; at = parentOf(at)) {
    const scope = parentOf(at);
    if (scope === null || !isScope(scope) || at.node.state !== null) continue;
    for (const index of list(treeOf(at), 'boundary') as readonly number[]) {
      const event = eventOf(childTree(scope, index));
      if (event?.['failures'] !== true) continue;
      x.world.record({ kind: 'error.thrown', expid: x.node.expid, code: null });
      toCatcher({ kind: 'boundary', host: at, scope, index, interrupts: true }, { fields, code: '', message }, 'error');
      return true;
    }
  }
  return false;
}

/** Escalates to the nearest catcher. True when that interrupts the thrower. */
export function escalate(x: Acting, code: string | null): boolean {
  const found = findCatcher(x, 'escalation', code);
  x.world.record({ kind: 'escalation.thrown', expid: x.node.expid, code });
  if (found === null) return false;
  toCatcher(found, { fields: {}, code: code ?? '' }, 'cancel');
  return found.interrupts;
}

/** A signal: whoever waits in this workflow hears it within the step, the others and what it starts once the step is saved. */
export function throwSignal(x: Acting, name: string, fields: Fields): void {
  const { world } = x;
  world.record({ kind: 'signal.thrown', expid: x.node.expid, name });
  deliverSignal(world, name, fields);
  if (isSayable(name))
    sendEvent(world, { type: name, key: null, mode: 'broadcast', to: null, data: fields, isHeardHere: true });
}

/** A message goes to one who waits: in this workflow within the step, else in the tenant, where it is kept for a while. */
export function sendMessage(x: Acting, name: string, key: string | null, fields: Fields): void {
  const { world } = x;
  world.record({ kind: 'message.sent', expid: x.node.expid, name });
  if (deliverMessage(world, name, key, fields) !== null) return;
  if (isSayable(name)) sendEvent(world, { type: name, key: keyOf(key), mode: 'competing', to: null, data: fields });
}

/** Nobody outside can wait for a name that is too long. */
const isSayable = (name: string): boolean => name !== '' && name.length <= TYPE_MAX;
