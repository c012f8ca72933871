import { isObject, type Json } from '../../src/model/json.ts';
import { EXPRESSION_NAMES } from '../../src/model/vocabulary.ts';

/*
 * A tree as it is drawn: what kind of box each place is, what stands in it, what hangs at it. Nothing here changes with the workflow's
 * state, so a figure is made once for a tree.
 */

export type PlaceKind =
  /** One box of two lines: a participant, or an expression that has no children. */
  | 'leaf'
  /** A call of a sub-process. */
  | 'call'
  /** One grey line: data, tags, commands of a cursor. */
  | 'small'
  /** Children one after the other, without a box of its own. */
  | 'column'
  /** The same in a box. */
  | 'box'
  /** Children side by side, all at once. */
  | 'fork'
  /** So many of them that one is shown at a time. */
  | 'wide'
  /** Children side by side, one of them. */
  | 'choice'
  /** Children one after the other, again and again. */
  | 'loop'
  /** One child for each element of a list, all at once. */
  | 'crowd'
  /** A definition that others call. */
  | 'definition';

export type Place = {
  /** What it is called in the picture; in the body of a call that is not the place its expressions have (bodies.ts). */
  readonly expid: string;
  /** The place of its expressions. */
  readonly at: string;
  /** The head as written. */
  readonly head: string;
  /** The name of the participant or the call, else the head. */
  readonly title: string;
  /** The main attribute; may be empty. */
  readonly caption: string;
  readonly kind: PlaceKind;
  readonly isParticipant: boolean;
  readonly attributes: readonly (readonly [string, Json])[];
  /** Short words for the head: timeout, await, if… */
  readonly tags: readonly string[];
  /** What runs in its place when it fails, is cancelled or takes too long: which attribute, and what it says. */
  readonly handlers: readonly (readonly [string, string])[];
  /** Of a call: the place of the definition it calls, where the tree tells; else empty. */
  readonly calls: string;
  readonly children: readonly Place[];
  /** How many places there are below it. */
  readonly below: number;
  readonly json: Json;
};

const SMALL = new Set(
  `set rset unset inc increment dec decrement push pop save restore set_fields filter break stop over rewind continue reset skip back jump
   noop echo undo cancel kill redo cancel_process terminate kill_process error await that of`.split(/\s+/),
);
const CAPTIONS = [
  'task',
  'test',
  'for',
  'until',
  'on',
  'event',
  'participant',
  'on_f',
  'on_val',
  'times',
  'merge_type',
];
const HANDLED = ['on_error', 'on_timeout', 'on_cancel', 'on_terminate'];
const TAGGED = ['timeout', 'timers', 'await', 'if', 'unless', 'tag', 'forget', 'lose', 'flank'];
const CALLS = new Set(['subprocess', 'ref']);
const LOOPS = new Set(['cursor', 'loop', 'repeat', 'iterator']);
const CROWDS = new Set(['concurrent_iterator', 'citerator']);
const CHOICES = new Set(['if', 'given', 'equals']);
/** From so many branches on a concurrence is a crowd: lanes of so many would be read by nobody. */
export const WIDE_FROM = 13;
const DEFINES = new Set(['define', 'process_definition', 'workflow_definition']);

/** Nodes that are drawn; a definition has at most as many by its size, 1 MB. */
export const PLACES_MAX = 200_000;

/**
 * A tree with other trees in the places of some of its own, by expid: those above first. What is no place of it is left out, and so is a handler, which
 * runs in a place that stays what it is.
 */
export function grafted(tree: Json, others: readonly { readonly expid: string; readonly tree: Json }[]): Json {
  const put = (at: Json, way: readonly string[], other: Json): Json => {
    const [index, ...rest] = way;
    if (index === undefined) return isNode(at) && handlerIn(at[1], other) !== null ? at : other;
    if (!isNode(at) || at[2][Number(index)] === undefined) return at;
    return [at[0], at[1], at[2].map((child, i) => (i === Number(index) ? put(child, rest, other) : child))];
  };
  return [...others]
    .sort((a, b) => a.expid.length - b.expid.length)
    .reduce((whole, one) => put(whole, one.expid.split('_').slice(1), one.tree), tree);
}

/** Which of the handlers among some attributes a tree is: a handler that is a name runs as a tree of that name. Null: none. */
export function handlerIn(attributes: { readonly [name: string]: Json }, tree: Json): string | null {
  if (!isNode(tree)) return null;
  const names = [tree[0], tree[1]['ref'], ...Object.keys(tree[1]).filter((key) => tree[1][key] === null)];
  return HANDLED.find((key) => typeof attributes[key] === 'string' && names.includes(attributes[key])) ?? null;
}

/** @returns the root, or null when the value is no tree */
export function figureOf(tree: Json): Place | null {
  const names = new Set<string>();
  collectDefinitions(tree, names);
  return placeOf(tree, '0', names, 0);
}

type Node = readonly [string, { readonly [key: string]: Json }, readonly Json[]];
const isNode = (value: Json | undefined): value is Node & Json =>
  Array.isArray(value) &&
  value.length === 3 &&
  typeof value[0] === 'string' &&
  isObject(value[1]) &&
  Array.isArray(value[2]);

const DEPTH_MAX = 500;

function collectDefinitions(tree: Json, names: Set<string>): void {
  const waiting: Json[] = [tree];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (!isNode(value)) continue;
    if (DEFINES.has(value[0])) names.add(definedName(value));
    waiting.push(...value[2]);
  }
}

function definedName([, attributes]: Node): string {
  const name = attributes['name'];
  if (typeof name === 'string') return name;
  return Object.entries(attributes).find(([, value]) => value === null)?.[0] ?? '';
}

function placeOf(tree: Json, expid: string, names: ReadonlySet<string>, depth: number): Place | null {
  if (!isNode(tree) || depth > DEPTH_MAX) return null;
  const [head, given, nodes] = tree;
  const children = nodes.flatMap((child, i) => placeOf(child, `${expid}_${i}`, names, depth + 1) ?? []);
  const attributes = Object.entries(given);
  const text = attributes.find(([, value]) => value === null)?.[0] ?? null;
  const reference = given['ref'] ?? given['original_ref'];
  const known = EXPRESSION_NAMES.has(head);
  const isCall = CALLS.has(head) || (!known && names.has(head));
  const isParticipant = head === 'participant' || (!known && !isCall);
  const named =
    known && (isParticipant || isCall) ? (typeof reference === 'string' ? reference : (text ?? head)) : head;
  const kind = kindOf(head, isCall, isParticipant, children, attributes.length, depth);
  // Of a diagram each element has its name, or its id.
  const isElement = head.startsWith('bpmn:');
  const said = (key: string): string => (typeof given[key] === 'string' ? given[key] : '');
  const title = DEFINES.has(head) ? head : isElement ? said('name') || said('id') || head : named;
  return {
    expid,
    at: expid,
    head,
    title,
    caption: DEFINES.has(head)
      ? definedName(tree)
      : isElement
        ? said('type')
        : kind === 'small'
          ? attributes.map(([name, value]) => (value === null ? name : `${name}: ${short(value)}`)).join(', ')
          : captionOf(given, attributes, text, named),
    kind,
    isParticipant,
    attributes,
    tags: TAGGED.flatMap((key) =>
      given[key] === undefined ? [] : [`${key.replaceAll('_', ' ')} ${short(given[key])}`],
    ),
    handlers: HANDLED.flatMap((key) => (given[key] === undefined ? [] : [[key, short(given[key])] as const])),
    calls: '',
    children,
    below: children.reduce((sum, child) => sum + 1 + child.below, 0),
    json: tree,
  };
}

function kindOf(
  head: string,
  isCall: boolean,
  isParticipant: boolean,
  nodes: readonly Place[],
  attributes: number,
  depth: number,
): PlaceKind {
  const children = nodes.length;
  if (DEFINES.has(head)) return depth === 0 ? 'box' : 'definition';
  if (isCall) return 'call';
  if (isParticipant) return children > 0 ? 'box' : 'leaf';
  if (children === 0) return SMALL.has(head) ? 'small' : 'leaf';
  if (head === 'concurrence')
    return nodes.filter((one) => one.kind !== 'definition').length < WIDE_FROM ? 'fork' : 'wide';
  if (CROWDS.has(head)) return 'crowd';
  if (CHOICES.has(head)) return 'choice';
  if (LOOPS.has(head)) return 'loop';
  if (head === 'sequence' && attributes === 0) return 'column';
  return 'box';
}

function captionOf(
  given: { readonly [key: string]: Json },
  attributes: readonly (readonly [string, Json])[],
  text: string | null,
  named: string,
): string {
  if (text !== null && text !== named) return text;
  const key = CAPTIONS.find((name) => given[name] !== undefined && given[name] !== null);
  if (key === 'task' || key === 'test') return short(given[key]);
  const rest = attributes.filter(
    ([name, value]) => value !== null && name !== 'ref' && !TAGGED.includes(name) && !HANDLED.includes(name),
  );
  return rest.map(([name, value]) => `${name}: ${short(value)}`).join(', ');
}

const CAPTION_MAX = 120;
function short(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length > CAPTION_MAX ? `${text.slice(0, CAPTION_MAX)}…` : text;
}

/** The place that is called so in the picture, or null. */
export function placeAt(root: Place, expid: string): Place | null {
  let place: Place | undefined = root;
  for (const part of expid.split('_').slice(1)) place = place?.children[Number(part.replace(BODY, ''))];
  return place ?? null;
}

/** What tells a cursor where to go on. */
export const COMMANDS: ReadonlySet<string> = new Set('rewind continue reset break stop over skip back jump'.split(' '));
/** Whose branches are marks, and one of them a lane. */
export const isCrowd = ({ kind }: Place): boolean => kind === 'crowd' || kind === 'wide';
/** What stands before the numbers of the first places in the body of a call. */
export const BODY = 'c';
/** The place that a call calls, of one that runs another tree than that of the workflow: the root of that. */
export const FOREIGN = '0';
/** Whether something can be shown in it, or hidden. */
export const isFoldable = ({ children, calls }: Place): boolean => children.length > 0 || calls !== '';
/** What it has inside that is drawn in its row or beside each other, without definitions. */
export const branchesOf = ({ children }: Place): readonly Place[] =>
  children.filter(({ kind }) => kind !== 'definition');

/** What the element of a list is called inside: a field, or else a variable. */
function elementNames({ attributes }: Place): { readonly field: string; readonly variable: string } {
  const given = new Map(attributes);
  const text = (...keys: readonly string[]): string => {
    const found = keys.map((key) => given.get(key)).find((one) => typeof one === 'string');
    return typeof found === 'string' ? found : '';
  };
  const to = text('to');
  const field = text('to_f', 'to_field') || (to.startsWith('f:') ? to.slice(2) : '');
  return { field, variable: text('to_v', 'to_var', 'to_variable') || (to.startsWith('v:') ? to.slice(2) : to) || 'i' };
}
/** Its name in a few words. */
export function elementName(place: Place): string {
  const { field, variable } = elementNames(place);
  return field || variable;
}
/** As it stands in texts: `${v:line}`. */
function namesOf(place: Place): readonly string[] {
  const { field, variable } = elementNames(place);
  return field === '' ? [`\${v:${variable}}`] : [`\${${field}}`, `\${f:${field}}`];
}

/** The caption of a place inside a crowd, with the element that the branch is about where the caption names it. */
export function captionIn(crowd: Place, element: string, caption: string): string {
  let text = caption;
  for (const name of namesOf(crowd)) text = text.replaceAll(name, () => element);
  return text;
}

/** All places, parents before their children. */
export function* everyPlace(place: Place): Generator<Place> {
  yield place;
  for (const child of place.children) yield* everyPlace(child);
}

/** A place in one line, as Radial would write it. */
export function lineOf(place: Pick<Place, 'head' | 'attributes'>): string {
  const words = place.attributes.map(([key, value]) => (value === null ? `'${key}'` : `${key}: ${quoted(value)}`));
  return words.length === 0 ? place.head : `${place.head} ${short(words.join(', '))}`;
}
const quoted = (value: Json): string => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));
