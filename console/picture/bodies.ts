import { BODY, branchesOf, everyPlace, type Place, placeAt } from './figure.ts';
import { expidIn, type LiveExpression } from './standing.ts';
import type { Seen } from './states.ts';

/*
 * What is called, drawn inside its call. The expressions of a sub-process have the places of its definition, whoever calls it, so each place in a
 * body has a name of its own in the picture (`0_1_c0` is the first place in the body of the call at 0_1) beside that of its expressions (`0_0_0`).
 */

/**
 * Of each call whose definition stands in the tree: that definition. Names that are computed are not known before they are reached; what calls itself is
 * left out.
 */
export function calledOf(root: Place): ReadonlyMap<string, Place> {
  const called = new Map<string, Place>();
  const visit = (place: Place, around: ReadonlyMap<string, Place>): void => {
    const own = place.children.filter((child) => child.kind === 'definition' && child.caption !== '');
    const names = own.length === 0 ? around : new Map([...around, ...own.map((one) => [one.caption, one] as const)]);
    const found = place.kind === 'call' ? names.get(place.title) : undefined;
    if (found !== undefined && !isBelow(place.expid, found.expid)) called.set(place.expid, found);
    for (const child of place.children) visit(child, names);
  };
  visit(root, new Map());
  return called;
}

/** Places of bodies that are drawn at most. */
export const BODY_PLACES_MAX = 2_000;

/**
 * The figure with the bodies of some of its calls inside them; every call whose body is known says so. What a definition calls of itself has places
 * that are counted anew, so it is not drawn within itself.
 */
export function withBodies(root: Place, called: ReadonlyMap<string, Place>, isOpen: (call: string) => boolean): Place {
  if (called.size === 0) return root;
  let left = BODY_PLACES_MAX;
  const copy = (place: Place, expid: string, within: readonly string[]): Place => {
    const isInBody = expid !== place.at;
    const found = place.kind === 'call' ? called.get(place.at) : undefined;
    if (found === undefined || within.includes(found.at)) {
      const children = place.children.map((child, i) => copy(child, isInBody ? `${expid}_${i}` : child.expid, within));
      return { ...place, expid, children };
    }
    const nodes = branchesOf(found);
    const size = nodes.reduce((sum, child) => sum + 1 + child.below, 0);
    const isShown = isOpen(expid) && size <= left;
    if (isShown) left -= size;
    const inside = [...within, found.at];
    const children = isShown ? nodes.map((child, i) => copy(child, `${expid}_${BODY}${i}`, inside)) : [];
    return { ...place, expid, calls: found.at, children, below: isShown ? size : 0 };
  };
  return copy(root, root.expid, []);
}

/** Calls that are opened by themselves, because something lives in their body. */
export const BODIES_AT_FIRST_MAX = 20;

/** The calls, as they are called in the picture, on the way to what is alive in a sub-process. */
export function bodiesAlive(
  called: ReadonlyMap<string, Place>,
  expressions: readonly LiveExpression[],
): ReadonlySet<string> {
  const alive = new Set<string>();
  if (called.size === 0) return alive;
  const byId = new Map(expressions.map((one) => [one.id, one]));
  for (const one of expressions) {
    if (alive.size >= BODIES_AT_FIRST_MAX) break;
    for (const key of callsAbove(one, byId, called)) alive.add(key);
  }
  return alive;
}

/** The calls an expression is in, the outermost first, as they are called in the picture. */
function callsAbove(
  expression: LiveExpression,
  byId: ReadonlyMap<string, LiveExpression>,
  called: ReadonlyMap<string, Place>,
): readonly string[] {
  // From inside to outside: where each call stands.
  const calls: string[] = [];
  let up = 0;
  for (let at: LiveExpression | undefined = expression; at !== undefined && up < ABOVE_MAX; up++) {
    const above: LiveExpression | undefined = at.parentId === null ? undefined : byId.get(at.parentId);
    if (above !== undefined && called.has(above.expid) && isBelow(at.expid, called.get(above.expid)?.at ?? ''))
      calls.push(above.expid);
    at = above;
  }
  const keys: string[] = [];
  for (const call of calls.reverse()) {
    const outer = keys.at(-1);
    const key = outer === undefined ? call : keyIn(outer, called, call);
    if (key === null) break;
    keys.push(key);
  }
  return keys;
}
/** Expressions above another that are looked through. */
const ABOVE_MAX = 500;
const isBelow = (expid: string, above: string): boolean => expid === above || expid.startsWith(`${above}_`);

/** What a place of the definition that a call calls is called in the body of that call. */
function keyIn(call: string, called: ReadonlyMap<string, Place>, expid: string): string | null {
  const definition = called.get(originOf(call, called));
  if (definition === undefined) return null;
  for (const [i, child] of branchesOf(definition).entries())
    if (isBelow(expid, child.at)) return `${call}_${BODY}${i}${expid.slice(child.at.length)}`;
  return null;
}

/** The place of the expressions of a place in a body, by what that is called in the picture. */
export function originOf(key: string, called: ReadonlyMap<string, Place>): string {
  let [at = '', ...parts] = key.split(`_${BODY}`);
  for (const part of parts) {
    const [index = '', ...rest] = part.split('_');
    const definition = called.get(at);
    const child = definition === undefined ? undefined : branchesOf(definition)[Number(index)];
    if (child === undefined) return at;
    at = [child.at, ...rest].join('_');
  }
  return at;
}

/** What a place of a definition is called in the body in which something of it is alive; its own name where there is none. */
export function shownAs(root: Place, seen: ReadonlyMap<string, Seen>, expid: string): string {
  for (const place of everyPlace(root))
    if (place.at === expid && place.expid !== expid && (seen.get(place.expid)?.live.length ?? 0) > 0)
      return place.expid;
  return expid;
}

/** The place an address means by the name of a place, or by an expression: of one in a body the place in that body. */
export function placeOfChosen(root: Place, seen: ReadonlyMap<string, Seen>, chosen: string): Place | null {
  const expid = expidIn(chosen);
  const isOf = (one: Seen | undefined): boolean =>
    one?.live.some(({ id }) => id === chosen) === true || one?.ended?.id === chosen;
  if (expid !== chosen)
    for (const place of everyPlace(root))
      if (place.at === expid && place.expid !== expid && isOf(seen.get(place.expid))) return place;
  return placeAt(root, expid);
}
