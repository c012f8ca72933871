import type { Json } from '../../model/json.ts';
import { definitionName } from '../../model/reorganise.ts';
import { makeTree, type Tree } from '../../model/tree.ts';
import { checkApart } from '../check.ts';
import { type Complaint, complaintAt, type Place, placeAt, Refusal } from '../complaint.ts';
import { LIMITS, type Limits } from '../limits.ts';
import { RUBYS_OWN } from './kernel.ts';
import { type LiteralContext, literalOf, membersOf, noLiteral } from './literal.ts';
import { isKind, type ParseRuby, type RubyNode, type RubyNodes, type RubySyntax } from './syntax.ts';

/*
 * Definitions as Ruote's Ruby writes them: `Ruote.define … do … end`. The text is never run. Ruby's own parser makes a tree of it, and what
 * says nothing but names, literals and blocks becomes the definition that Ruote would have made of it; everything else is refused where it
 * stands, with what to write instead. Rules: https://github.com/jmettraux/ruote, lib/ruote/reader/ruby_dsl.rb.
 */

export const RUBY_LIMITS: Limits = { ...LIMITS, depth: 200, nodes: 20_000 };

/** Definitions in one text. */
export const DEFINITIONS_MAX = 200;

export type RubyDefinition = {
  /** Null: it has none. */
  readonly name: string | null;
  readonly place: Place;
};
export type RubyFound = RubyDefinition & {
  readonly read: () =>
    | {
        readonly ok: true;
        readonly tree: Tree;
        readonly placeOf: (node: Tree) => Place;
        /** What was left out because Ruby would do nothing with it either. */
        readonly warnings: readonly Complaint[];
      }
    | { readonly ok: false; readonly errors: readonly Complaint[] };
};
export type RubyResult =
  | { readonly ok: true; readonly found: readonly RubyFound[] }
  | { readonly ok: false; readonly errors: readonly Complaint[] };

const RUOTE = /\bRuote\s*(?:\.|::)\s*(?:process_definition|workflow_definition|define)\b/;
const HEADS: ReadonlySet<string> = new Set(['process_definition', 'workflow_definition', 'define']);

/** True for a text that is probably a definition in Ruby. */
export function looksLikeRuby(text: string): boolean {
  return !/^[\s\uFEFF]*[<[{]/.test(text.slice(0, 1_000)) && (RUOTE.test(text) || text.split('\n').some(opensBlock));
}

/** A line such as `define 'x' do # a comment`, or with `{`, or `define('x') { anne }`: Radial has no blocks. */
function opensBlock(line: string): boolean {
  const trimmed = line.trimStart();
  if (!/^_*(?:process_definition|workflow_definition|define)\b/.test(trimmed)) return false;
  const ends = [trimmed.indexOf('#'), trimmed.indexOf('|')].filter((at) => at !== -1);
  const head = trimmed.slice(0, Math.min(trimmed.length, ...ends)).trimEnd();
  if (head.endsWith('{') || /\bdo$/.test(head.slice(-3))) return true;
  return (head.endsWith('}') && /\)\s*\{/.test(head)) || (/\send$/.test(head.slice(-4)) && /['")\w]\s+do\s/.test(head));
}

/** All definitions of a text in Ruby, in its order. */
export function readRuby(text: string, parse: ParseRuby, limits: Limits = RUBY_LIMITS): RubyResult {
  const refused = (message: string, offset = 0): RubyResult => ({
    ok: false,
    errors: [complaintAt(text, offset, message)],
  });
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > limits.bytes) return refused(`the text is bigger than ${limits.bytes} bytes`);
  const syntax: RubySyntax | null = parse(text);
  if (syntax === null) return refused('the text is nested too deep for Ruby');
  /** Offsets in the text of offsets in UTF-8. */
  const offsetOf = (at: number): number =>
    bytes.length === text.length
      ? at
      : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, at)).length;
  if (syntax.errors.length > 0)
    return {
      ok: false,
      errors: syntax.errors
        .slice(0, limits.complaints)
        .map(({ message, location }) => complaintAt(text, offsetOf(location.startOffset), `no good Ruby: ${message}`)),
    };
  const calls = definitionsIn(syntax.value);
  if (calls.length === 0)
    return refused(
      'there is no definition: it begins with Ruote.define, Ruote.process_definition or Ruote.workflow_definition',
    );
  if (calls.length > DEFINITIONS_MAX) return refused(`more than ${DEFINITIONS_MAX} definitions in one text`);
  const found = calls.map((call) => {
    const read = (): ReturnType<RubyFound['read']> => {
      try {
        const built = build(call, bytes, limits);
        const at = (node: Tree): number => offsetOf(built.nodes.get(node)?.location.startOffset ?? 0);
        const { form, meaning } = checkApart(built.tree, limits);
        if (form.length > 0)
          return { ok: false, errors: form.map(({ message, node }) => complaintAt(text, at(node), message)) };
        const skipped = built.skipped.map((node) =>
          complaintAt(
            text,
            offsetOf(node.location.startOffset),
            'a value that stands alone does nothing, and is left out',
          ),
        );
        const unlaunched = meaning.map(({ message, node }) =>
          complaintAt(text, at(node), `a launch of this is refused: ${message}`),
        );
        const warnings = [...skipped, ...unlaunched].slice(0, limits.complaints);
        return { ok: true, tree: built.tree, placeOf: (node) => placeAt(text, at(node)), warnings };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { ok: false, errors: [complaintAt(text, offsetOf(error.offset), error.message)] };
      }
    };
    return { name: nameOf(call, bytes), place: placeAt(text, offsetOf(call.location.startOffset)), read };
  });
  return { ok: true, found };
}

/** Calls of `Ruote.define` and its likes, or where there are none, calls of `define` without a receiver; none inside another. */
function definitionsIn(root: RubyNode): readonly RubyNodes['CallNode'][] {
  const named = callsOf(root, (call) => HEADS.has(call.name) && isRuote(call.receiver));
  if (named.length > 0) return named;
  return callsOf(root, (call) => call.receiver === null && HEADS.has(call.name.replace(/^_+/, '')));
}

const isRuote = (node: RubyNode | null): boolean =>
  (isKind('ConstantReadNode', node) && node.name === 'Ruote') ||
  (isKind('ConstantPathNode', node) && node.parent === null && node.name === 'Ruote');

function callsOf(root: RubyNode, isIt: (call: RubyNodes['CallNode']) => boolean): readonly RubyNodes['CallNode'][] {
  const found: RubyNodes['CallNode'][] = [];
  const stack: RubyNode[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isKind('CallNode', node) && isIt(node)) found.push(node);
    else stack.push(...[...node.compactChildNodes()].reverse());
  }
  return found;
}

function nameOf(call: RubyNodes['CallNode'], bytes: Uint8Array): string | null {
  try {
    return definitionName(makeTree('define', attributesOf(call, contextFor(bytes))));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return null;
  }
}

const contextFor = (bytes: Uint8Array): LiteralContext => ({
  refuse: (node, message) => {
    throw new Refusal(node.location.startOffset, message);
  },
  sourceOf: ({ location: { startOffset, length } }) =>
    new TextDecoder().decode(bytes.subarray(startOffset, startOffset + length)),
});

/** A tree under construction: the children are filled in when their turn comes. */
type Open = { readonly tree: Tree; readonly children: Tree[]; readonly body: RubyNode | null; readonly depth: number };

/** @throws Refusal whose offset is in bytes */
function build(
  root: RubyNodes['CallNode'],
  bytes: Uint8Array,
  limits: Limits,
): { readonly tree: Tree; readonly nodes: ReadonlyMap<Tree, RubyNode>; readonly skipped: readonly RubyNode[] } {
  const context = contextFor(bytes);
  const nodes = new Map<Tree, RubyNode>();
  const skipped: RubyNode[] = [];

  function open(call: RubyNodes['CallNode'], name: string, depth: number): Open {
    if (nodes.size >= limits.nodes) return context.refuse(call, `more than ${limits.nodes} expressions`);
    if (depth > limits.depth) return context.refuse(call, `expressions are nested more than ${limits.depth} deep`);
    const children: Tree[] = [];
    const tree = makeTree(name, attributesOf(call, context), children);
    nodes.set(tree, call);
    return { tree, children, body: bodyOf(call, context), depth };
  }

  const first = open(root, 'define', 1);
  const stack: Open[] = [first];
  for (let current = stack.pop(); current !== undefined; current = stack.pop()) {
    for (const statement of statementsOf(current.body)) {
      if (isKind('CallNode', statement)) {
        const child = open(statement, headOf(statement, context), current.depth + 1);
        current.children.push(child.tree);
        stack.push(child);
      } else {
        literalOf(statement, context);
        skipped.push(statement);
      }
    }
  }
  return { tree: first.tree, nodes, skipped };
}

/** The statements of a block; parentheses around some of them mean nothing. Refuses nothing: what is none is one statement. */
function statementsOf(body: RubyNode | null): readonly RubyNode[] {
  const statements: RubyNode[] = [];
  const stack: RubyNode[] = body === null ? [] : [body];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (isKind('StatementsNode', node)) stack.push(...[...node.body].reverse());
    else if (isKind('ParenthesesNode', node)) {
      if (node.body !== null) stack.push(node.body);
    } else statements.push(node);
  }
  return statements;
}

function headOf(call: RubyNodes['CallNode'], context: LiteralContext): string {
  if (call.receiver !== null) return context.refuse(call, noLiteral(call, context.sourceOf));
  if (RUBYS_OWN.has(call.name))
    return context.refuse(
      call,
      `${call.name} is a method of Ruby itself, and is no expression there: write _${call.name}`,
    );
  const name = call.name.replace(/^_+/, '');
  return name === '' ? context.refuse(call, `${call.name} leaves no name for an expression`) : name;
}

/** A plain argument is an attribute without a value; hashes are attributes. Of a key given twice the last value counts. */
function attributesOf(call: RubyNodes['CallNode'], context: LiteralContext): ReadonlyMap<string, Json> {
  const byIdentity = new Map<string, { readonly text: string; value: Json }>();
  const put = (identity: string, text: string, value: Json): void => {
    const known = byIdentity.get(identity);
    if (known === undefined) byIdentity.set(identity, { text, value });
    else known.value = value;
  };
  for (const argument of call.arguments_?.arguments_ ?? []) {
    if (isKind('HashNode', argument) || isKind('KeywordHashNode', argument))
      for (const { key, value } of membersOf(argument, context, 1)) put(key.identity, key.text, value.value);
    else {
      const { identity, text } = literalOf(argument, context);
      put(identity, text, null);
    }
  }
  const attributes = new Map<string, Json>();
  for (const { text, value } of byIdentity.values()) attributes.set(text, value);
  return attributes;
}

function bodyOf({ block }: RubyNodes['CallNode'], context: LiteralContext): RubyNode | null {
  if (block === null) return null;
  if (!isKind('BlockNode', block)) return context.refuse(block, noLiteral(block, context.sourceOf));
  // Two bars with nothing between are no parameters.
  if (
    block.parameters !== null &&
    (block.parameters.compactChildNodes().length > 0 || !/^\|\s*\|$/.test(context.sourceOf(block.parameters)))
  )
    return context.refuse(block.parameters, 'a block of a definition is given nothing: leave its parameters away');
  return block.body;
}
