import type { Json } from '../../src/model/json.ts';
import { BODY, branchesOf, everyPlace, FOREIGN, figureOf, type Place, placeAt } from './figure.ts';
import { expidIn, isForeignRoot, type LiveExpression } from './standing.ts';
import type { Seen } from './states.ts';

/*
 * What is called, drawn inside its call. The expressions of a sub-process have the places of its definition, whoever calls it, so each place in a
 * body has a name of its own in the picture (`0_1_c0` is the first place in the body of the call at 0_1) beside that of its expressions (`0_0_0`).
 * What is called may be another tree than that of the workflow: then its places are counted from 0 anew, and so are those of its expressions.
 */

/** What a call calls: where it stands in the tree, or a tree of its own; and what is called in there. */
export type Body = { readonly root: Place; readonly called: Called };
/** By the places of the calls. */
export type Called = ReadonlyMap<string, Body>;
const NO_TREES: ReadonlyMap<string, Json> = new Map();

/**
 * Of each call whose definition stands in the tree: that definition. Names that are computed are not known before they are reached; what calls itself is
 * left out.
 *
 * @param foreign trees that calls run which do not stand in this one, by the places of the calls
 */
export function calledOf(root: Place, foreign = NO_TREES): Called {
  const called = new Map<string, Body>();
  const visit = (place: Place, around: ReadonlyMap<string, Place>): void => {
    const own = place.children.filter((child) => child.kind === 'definition' && child.caption !== '');
    const names = own.length === 0 ? around : new Map([...around, ...own.map((one) => [one.caption, one] as const)]);
    const other = figureOf(foreign.get(place.expid) ?? null);
    const found = place.kind === 'call' ? names.get(place.title) : undefined;
    if (other !== null) called.set(place.expid, { root: other, called: calledOf(other) });
    else if (found !== undefined && !isBelow(place.expid, found.expid))
      called.set(place.expid, { root: found, called });
    for (const child of place.children) visit(child, names);
  };
  visit(root, new Map());
  return called;
}

/** Of calls that run another tree than the one of the workflow: that tree, by their places. */
export function foreignTrees(expressions: readonly LiveExpression[]): ReadonlyMap<string, Json> {
  return new Map(
    foreignRoots(expressions).flatMap(({ call, root }) =>
      root.tree === null ? [] : [[call.expid, root.tree] as const],
    ),
  );
}

/** The roots of other trees that are alive, each with its call in the tree of the workflow; what is called in those trees is not among them. */
export function foreignRoots(
  expressions: readonly LiveExpression[],
): readonly { readonly call: LiveExpression; readonly root: LiveExpression }[] {
  const roots = expressions.filter(isForeignRoot);
  if (roots.length === 0) return [];
  const byId = new Map(expressions.map((one) => [one.id, one]));
  return roots.flatMap((root) => {
    const call = byId.get(root.parentId ?? '');
    for (let up = call, steps = 0; up !== undefined && steps < ABOVE_MAX; steps++) {
      if (isForeignRoot(up)) return [];
      up = byId.get(up.parentId ?? '');
    }
    return call === undefined ? [] : [{ call, root }];
  });
}

/** Places of bodies that are drawn at most. */
export const BODY_PLACES_MAX = 2_000;

/**
 * The figure with the bodies of some of its calls inside them; every call whose body is known says so. What a definition calls of itself has places
 * that are counted anew, so it is not drawn within itself.
 */
export function withBodies(root: Place, called: Called, isOpen: (call: string) => boolean): Place {
  if (called.size === 0) return root;
  let left = BODY_PLACES_MAX;
  const copy = (place: Place, expid: string, here: Called, within: readonly Place[]): Place => {
    const isInBody = expid !== place.at;
    const body = here.get(place.at);
    if (body === undefined || within.includes(body.root)) {
      const children = place.children.map((child, i) =>
        copy(child, isInBody ? `${expid}_${i}` : child.expid, here, within),
      );
      return { ...place, expid, children };
    }
    const nodes = branchesOf(body.root);
    const size = nodes.reduce((sum, child) => sum + 1 + child.below, 0);
    const isShown = isOpen(expid) && size <= left;
    if (isShown) left -= size;
    const inside = [...within, body.root];
    const children = isShown ? nodes.map((child, i) => copy(child, `${expid}_${BODY}${i}`, body.called, inside)) : [];
    return { ...place, expid, calls: body.root.at, children, below: isShown ? size : 0 };
  };
  return copy(root, root.expid, called, []);
}

/** Calls that are opened by themselves, because something lives in their body. */
export const BODIES_AT_FIRST_MAX = 20;

/** The calls, as they are called in the picture, on the way to what is alive in a sub-process. */
export function bodiesAlive(called: Called, expressions: readonly LiveExpression[]): ReadonlySet<string> {
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
  called: Called,
): readonly string[] {
  // From inside to outside: what stands where, and what it is in.
  const ways: LiveExpression[] = [];
  for (let at: LiveExpression | undefined = expression; at !== undefined && ways.length < ABOVE_MAX; ) {
    ways.push(at);
    at = at.parentId === null ? undefined : byId.get(at.parentId);
  }
  const keys: string[] = [];
  let [here, outer]: [Called, Body | null] = [called, null];
  for (let i = ways.length - 1; i > 0; i--) {
    const [call, inside] = [ways[i] as LiveExpression, ways[i - 1] as LiveExpression];
    const body = here.get(call.expid);
    if (body === undefined || isBelow(inside.expid, call.expid)) continue;
    if (!(body.root.at === FOREIGN ? isForeignRoot(inside) : isBelow(inside.expid, body.root.at))) continue;
    const key: string | null = outer === null ? call.expid : keyIn(keys.at(-1) ?? '', outer, call.expid);
    if (key === null) break;
    keys.push(key);
    [here, outer] = [body.called, body];
  }
  return keys;
}
/** Expressions above another that are looked through. */
const ABOVE_MAX = 500;
const isBelow = (expid: string, above: string): boolean => expid === above || expid.startsWith(`${above}_`);

/** What a place of what a call calls is called in the body of that call. */
function keyIn(call: string, { root }: Body, expid: string): string | null {
  for (const [i, child] of branchesOf(root).entries())
    if (isBelow(expid, child.at)) return `${call}_${BODY}${i}${expid.slice(child.at.length)}`;
  return null;
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
