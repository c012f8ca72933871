import { isObject, type Json } from '../model/json.ts';
import { definitionName } from '../model/reorganise.ts';
import { DEFINE_NAMES, type Tree, textKey } from '../model/tree.ts';
import {
  COMMON_ATTRIBUTES,
  EXPRESSION_NAMES,
  FREE_ATTRIBUTES,
  isExpressionHead,
  OWN_ATTRIBUTES,
} from '../model/vocabulary.ts';
import type { DoubtCode } from './bpmn/doubts.ts';
import { type Place, quoted } from './complaint.ts';
import { LIMITS } from './limits.ts';
import { nearestName } from './near-names.ts';
import type { Doubts } from './reading.ts';

/**
 * What is legal and probably not meant.
 *
 * `expression_misspelt`, `attribute_misspelt`: a word near to one of the language. `children_ignored`: a participant
 * with children, which never run. `unreachable`: stands behind an expression that never goes on. `definition_unused`:
 * nothing calls it. `callback_missing`: a participant for which no URL was given. `null_condition`: `'${f} is null'`,
 * which never holds. `indentation_uneven`, `quote_open`: of Radial, what may be written so and is probably a slip. Those of BPMN: bpmn/doubts.ts.
 */
export type WarningCode =
  | 'expression_misspelt'
  | 'attribute_misspelt'
  | 'children_ignored'
  | 'unreachable'
  | 'definition_unused'
  | 'callback_missing'
  | 'null_condition'
  | 'indentation_uneven'
  | 'quote_open'
  | DoubtCode;

/** `pointer`: the JSON pointer of the node in the tree's JSON form; '' is the root, `/2/0` its first child. */
export type Warning = {
  readonly code: WarningCode;
  readonly message: string;
  readonly pointer: string;
  /** Of BPMN: the id of the element. */
  readonly element?: string;
  /** Of `callback_missing`: whose URL is missing. */
  readonly participant?: string;
} & Partial<Place>;

export type WarningOptions = {
  /** The URLs by participant, when there is one for each; leave it out when one URL takes all. */
  readonly callbacks?: Readonly<Record<string, unknown>>;
  /** From the reader; without it warnings have no line and column. */
  readonly placeOf?: (node: Tree) => Place;
  /** From the reader, of Radial. */
  readonly doubts?: Doubts;
};

/** Different unknown words that are compared with the known ones; a definition with more gets no suggestions beyond them. */
const MAX_WORDS_COMPARED = 300;
/** Names of the definition that count as known words beside those of the language. */
const MAX_OWN_WORDS = 200;
/** The children of these are data and never run. */
const DATA_BELOW: ReadonlySet<string> = new Set(['filter', 'participant']);
/** Expressions that run their children one after the other, and in this order only. */
const IN_ORDER: ReadonlySet<string> = new Set(['sequence', 'let', ...DEFINE_NAMES]);
/** The same, unless a command leads elsewhere. */
const COMMANDED: ReadonlySet<string> = new Set(['cursor', 'loop', 'repeat']);
/** Inside of them these commands end what is around: it goes on elsewhere. */
const COMMANDS: ReadonlySet<string> = new Set(['break', 'stop', 'over', 'rewind', 'continue', 'reset']);
/** Commands that lead to any child. */
const LEAPS: ReadonlySet<string> = new Set(['jump', 'skip', 'back']);
/** Expressions after which nothing comes. */
const ENDS: ReadonlySet<string> = new Set(['stall', 'terminate', 'cancel_process', 'kill_process', 'error']);
const CONDITIONS = /^(?:if|unless|test|t|where|[a-z]+_if|[a-z]+_unless)$/;
const CONDITION_TEXTS: ReadonlySet<string> = new Set(['if', 'that', 'once', 'when', 'as_soon_as']);

/**
 * Looks through a legal tree (readDefinition, readTree) for what was probably not meant.
 *
 * @returns in document order, at most `LIMITS.complaints`. Takes time in proportion to the tree.
 */
export function warningsOf(tree: Tree, options: WarningOptions = {}): readonly Warning[] {
  const warnings: Warning[] = [];
  // A diagram names nobody by its heads.
  if (tree.name === 'bpmn:process') return warnings;
  const bound = boundNames(tree);
  const heads = [...EXPRESSION_NAMES, ...[...bound.names].slice(0, MAX_OWN_WORDS)];
  const suggestions = new Map<string, string | null>();
  const path: number[] = [];
  const leaps = hasLeaps(tree);
  visit(tree, true, false);
  return warnings;

  function warn(code: WarningCode, node: Tree, message: string, more: { readonly participant?: string } = {}): void {
    if (warnings.length >= LIMITS.complaints) return;
    const pointer = path.map((index) => `/2/${index}`).join('');
    warnings.push({ code, message, pointer, ...more, ...options.placeOf?.(node) });
  }

  function suggestion(word: string, kind: string, known: () => readonly string[]): string | null {
    const key = `${kind} ${word}`;
    const before = suggestions.get(key);
    if (before !== undefined) return before;
    if (suggestions.size >= MAX_WORDS_COMPARED) return null;
    const found = nearestName(word, known());
    suggestions.set(key, found);
    return found;
  }

  /** `obeys`: a cursor around it takes commands. */
  function visit(node: Tree, isReached: boolean, obeys: boolean): void {
    if (warnings.length >= LIMITS.complaints) return;
    const isData = DATA_BELOW.has(node.name);
    const isExpression = isExpressionHead(node);
    if (!isReached) warn('unreachable', node, `${quoted(node.name)} never runs: what stands before it does not go on`);
    checkWriting(node);
    if (!isExpression) checkHead(node);
    else if (DEFINE_NAMES.has(node.name)) checkUse(node);
    checkCallback(node);
    checkAttributes(node);
    if (isData) return;
    let reached = true;
    const isCommanded = COMMANDED.has(node.name);
    // What a definition is called from is not known here.
    const obeyed = isCommanded || (obeys && !DEFINE_NAMES.has(node.name));
    const inOrder = IN_ORDER.has(node.name) || (isCommanded && !leaps);
    for (const [index, child] of node.children.entries()) {
      path.push(index);
      visit(child, reached || DEFINE_NAMES.has(child.name), obeyed);
      path.pop();
      // One warning for all that stands behind it.
      if (!reached) break;
      if (inOrder && endsAlways(child, obeyed && !leaps)) reached = false;
    }
  }

  function checkWriting(node: Tree): void {
    for (const doubt of options.doubts?.get(node) ?? [])
      if (doubt === 'quote')
        warn(
          'quote_open',
          node,
          'a text begins with a quote that is never closed; it ends at the next blank, comma or colon',
        );
      else
        warn(
          'indentation_uneven',
          node,
          `${quoted(node.name)} is indented like none of the lines it could stand beside; it is taken for the next one below their parent`,
        );
  }

  function checkHead(node: Tree): void {
    const { name } = node;
    if (name.includes('$') || bound.names.has(name) || isGiven(name)) return;
    const meant = suggestion(name, '', () => heads);
    if (meant !== null && !(bound.names.has(meant) && isOtherForm(name, meant)))
      warn('expression_misspelt', node, `${quoted(name)} is taken for a participant; is ${quoted(meant)} meant?`);
    else if (node.children.length > 0)
      warn(
        'children_ignored',
        node,
        `${quoted(name)} is no expression and no sub-process, so a participant, and what is below it never runs`,
      );
  }

  function isGiven(name: string): boolean {
    return options.callbacks !== undefined && Object.hasOwn(options.callbacks, name);
  }

  function checkUse(node: Tree): void {
    if (path.length === 0 || bound.isOpen) return;
    const name = definitionName(node);
    if (name !== null && !bound.called.has(name))
      warn('definition_unused', node, `nothing calls the definition ${quoted(name)}`);
  }

  function checkCallback(node: Tree): void {
    if (options.callbacks === undefined) return;
    const name = participantName(node);
    if (name === null || name.includes('$') || isGiven(name) || bound.names.has(name)) return;
    warn('callback_missing', node, `there is no callback for the participant ${quoted(name)}`, { participant: name });
  }

  function checkAttributes(node: Tree): void {
    const own = OWN_ATTRIBUTES.get(node.name);
    for (const [key, value] of node.attributes) {
      if (typeof value === 'string' && CONDITIONS.test(key)) checkCondition(node, value);
      if (value === null) {
        if (CONDITION_TEXTS.has(node.name)) checkCondition(node, key);
        continue;
      }
      if (COMMON_ATTRIBUTES.has(key) || own?.has(key) === true || key.includes('$') || key.includes(':')) continue;
      if (isTarget(node.name)) continue;
      const meant = suggestion(key, own === undefined ? ' ' : node.name, () => [...COMMON_ATTRIBUTES, ...(own ?? [])]);
      if (meant !== null)
        warn(
          'attribute_misspelt',
          node,
          `${quoted(node.name)} has no use for the attribute ${quoted(key)}; is ${quoted(meant)} meant?`,
        );
    }
  }

  function checkCondition(node: Tree, condition: string): void {
    if (/\} is (?:not )?null(?:\s|$)/.test(condition))
      warn(
        'null_condition',
        node,
        'a field that is put into a condition is text, never null; write "is set", "is not set" or "is empty"',
      );
  }
}

/** Expressions whose attributes are names of fields and patterns: whatever is written there may be meant. */
const TARGETS: ReadonlySet<string> = new Set(
  [...FREE_ATTRIBUTES].filter(
    (name) => !['participant', 'subprocess', 'ref', 'apply'].includes(name) && !DEFINE_NAMES.has(name),
  ),
);
const isTarget = (name: string): boolean => TARGETS.has(name);

/** The participant that a node surely is, by a name that is written out; null when it is none. */
function participantName(node: Tree): string | null {
  if (!isExpressionHead(node)) return node.name;
  if (node.name !== 'participant') return null;
  const ref = node.attributes.get('ref') ?? textKey(node);
  return typeof ref === 'string' ? ref : null;
}

const hasLeaps = (tree: Tree): boolean => LEAPS.has(tree.name) || tree.children.some(hasLeaps);

/** True for an expression after which its neighbours are never reached, whatever happens. `obeyed`: commands are, by something around it. */
function endsAlways(node: Tree, obeyed: boolean): boolean {
  if (!ENDS.has(node.name) && !(obeyed && COMMANDS.has(node.name) && !node.attributes.has('ref'))) return false;
  const escapes = [
    'if',
    'unless',
    'forget',
    'lose',
    'flank',
    'timeout',
    'timers',
    'on_error',
    'on_cancel',
    'on_timeout',
    'tag',
  ];
  return escapes.every((key) => !node.attributes.has(key));
}

type Bound = {
  /** Names of definitions and variables: heads that may be sub-processes or other names. */
  readonly names: ReadonlySet<string>;
  /** Every word that stands where something may be called. */
  readonly called: ReadonlySet<string>;
  /** True when names are put together at run time, so that anything may be called. */
  readonly isOpen: boolean;
};

const VARIABLE_KEYS: ReadonlySet<string> = new Set(['v', 'var', 'variable', 'to_v', 'to_var', 'to_variable']);

function boundNames(root: Tree): Bound {
  const names = new Set<string>();
  const called = new Set<string>();
  let isOpen = false;
  visit(root);
  return { names, called, isOpen };

  function visit(node: Tree): void {
    if (DEFINE_NAMES.has(node.name)) {
      const name = definitionName(node);
      if (name !== null) names.add(name);
    } else call(node.name);
    for (const [key, value] of node.attributes) {
      const colon = key.indexOf(':');
      if (colon > 0 && key.startsWith('v')) names.add(key.slice(colon + 1));
      if (typeof value === 'string' && VARIABLE_KEYS.has(key)) names.add(value);
      if (key === 'to' && typeof value === 'string' && value.startsWith('v'))
        names.add(value.slice(value.indexOf(':') + 1));
      if (DEFINE_NAMES.has(node.name) && (value === null || key === 'name')) continue;
      if (value === null) call(key);
      else callAll(value);
    }
    for (const child of node.children) visit(child);
  }

  function callAll(value: Json): void {
    if (typeof value === 'string') call(value);
    else if (Array.isArray(value)) for (const item of value as readonly Json[]) callAll(item);
    else if (isObject(value))
      for (const [key, item] of Object.entries(value)) {
        call(key);
        callAll(item as Json);
      }
  }

  /** `1d: remind, 2d: escalate` calls both. */
  function call(text: string): void {
    if (text.includes('$')) isOpen = true;
    called.add(text);
    for (const word of text.split(/[\s,:!*]/)) if (word !== '') called.add(word);
  }
}

/** `checker` and `checked`, `convert` and `converter`: two words of one stem, of which one is no slip of the other. */
function isOtherForm(a: string, b: string): boolean {
  let stem = 0;
  while (stem < a.length && a[stem] === b[stem]) stem += 1;
  return stem >= Math.max(5, Math.min(a.length, b.length) - 1) && a.at(-1) !== b.at(-1);
}
