import type { Json } from '../../model/json.ts';
import { isKind, kindOf, type RubyNode, type RubyNodes } from './syntax.ts';

/**
 * A value and what it was in Ruby: `text` is what Ruby's `to_s` gives, which is what a key becomes; `identity` is what its `inspect` gives
 * (that of 3.1, as of all Ruby that Ruote ran on), and tells keys apart.
 */
export type Literal = { readonly value: Json; readonly text: string; readonly identity: string };

/** Lists and hashes inside one another. */
export const VALUE_DEPTH_MAX = 100;

export type Refuse = (node: RubyNode, message: string) => never;
export type LiteralContext = { readonly refuse: Refuse; readonly sourceOf: (node: RubyNode) => string };

const TEXT_HINT = "a definition is data: write the text itself, and '${f:name}' for what is only known when it runs";

/** What a node says when it is a literal all the way down; `refuse` is called where it is not. */
export function literalOf(node: RubyNode, context: LiteralContext, depth = 0): Literal {
  const { refuse, sourceOf } = context;
  if (depth > VALUE_DEPTH_MAX) return refuse(node, `values are nested more than ${VALUE_DEPTH_MAX} deep`);
  if (kindOf(node) === 'NilNode') return { value: null, text: '', identity: 'nil' };
  if (kindOf(node) === 'TrueNode') return { value: true, text: 'true', identity: 'true' };
  if (kindOf(node) === 'FalseNode') return { value: false, text: 'false', identity: 'false' };
  if (kindOf(node) === 'IntegerNode') return integerOf(node, context);
  if (isKind('FloatNode', node)) return floatOf(node, context);
  if (isKind('StringNode', node) || isKind('InterpolatedStringNode', node)) {
    const text = textOf(node, context);
    return { value: text, text, identity: inspected(text) };
  }
  if (isKind('SymbolNode', node) || isKind('InterpolatedSymbolNode', node)) {
    const text = textOf(node, context);
    return { value: text, text, identity: PLAIN_SYMBOL.test(text) ? `:${text}` : `:${inspected(text)}` };
  }
  if (isKind('RegularExpressionNode', node)) {
    const text = regexOf(node, context);
    return { value: text, text, identity: text };
  }
  if (isKind('ArrayNode', node)) {
    const items = node.elements.map((element) =>
      isKind('KeywordHashNode', element) ? hashOf(element, context, depth + 1) : literalOf(element, context, depth + 1),
    );
    const shown = `[${items.map(({ identity }) => identity).join(', ')}]`;
    return { value: items.map(({ value }) => value), text: shown, identity: shown };
  }
  if (isKind('HashNode', node)) return hashOf(node, context, depth);
  if (isKind('ParenthesesNode', node)) {
    const { body } = node;
    const only = isKind('StatementsNode', body) && body.body.length === 1 ? body.body[0] : undefined;
    if (only !== undefined) return literalOf(only, context, depth + 1);
  }
  return refuse(node, noLiteral(node, sourceOf));
}

/** A member of a hash, the key as Ruby would make a text of it. Of a key that stands there twice the last one counts, at its own place. */
export function membersOf(
  node: RubyNodes['HashNode'] | RubyNodes['KeywordHashNode'],
  context: LiteralContext,
  depth: number,
): readonly { readonly key: Literal; readonly value: Literal }[] {
  const members = new Map<string, { key: Literal; value: Literal }>();
  for (const element of node.elements) {
    if (!isKind('AssocNode', element))
      return context.refuse(element, 'a splat stands for what is only known when it runs: write each member');
    const key = literalOf(element.key, context, depth + 1);
    const value = literalOf(element.value, context, depth + 1);
    members.delete(key.identity);
    members.set(key.identity, { key, value });
  }
  return [...members.values()];
}

function hashOf(
  node: RubyNodes['HashNode'] | RubyNodes['KeywordHashNode'],
  context: LiteralContext,
  depth: number,
): Literal {
  const members = membersOf(node, context, depth);
  const object: Json = Object.fromEntries(members.map(({ key, value }) => [key.text, value.value] as const));
  const shown = `{${members.map(({ key, value }) => `${key.identity}=>${value.identity}`).join(', ')}}`;
  return { value: object, text: shown, identity: shown };
}

/** Symbols that are shown without quotes. */
const PLAIN_SYMBOL =
  /^(?:(?:@@?|\$)?[\p{L}_][\p{L}\p{M}\p{N}_]*|[\p{L}_][\p{L}\p{M}\p{N}_]*[?!=]|\[\]=?|[-+*/%<>~!^&|`]|\*\*|[-+]@|<=|>=|<=>|===?|=~|![=~]|<<|>>)$/u;

const SHOWN_AS: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'], ['\\', '\\\\'], ['\n', '\\n'], ['\t', '\\t'], ['\r', '\\r'], ['\f', '\\f'], ['\v', '\\v'], ['\b', '\\b'], ['\u0007', '\\a'], ['\u001b', '\\e'], ['\u007f', '\\x7F'],
]); // biome-ignore format: a table

/** A text as Ruby's `inspect` shows it. */
const inspected = (text: string): string =>
  `"${text.replace(/["\\]|#(?=[{$@])|[\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    if (character === '#') return '\\#';
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
    return SHOWN_AS.get(character) ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`);
  })}"`;

function textOf(
  node: RubyNodes['StringNode' | 'SymbolNode' | 'InterpolatedStringNode' | 'InterpolatedSymbolNode'],
  context: LiteralContext,
): string {
  if ('parts' in node)
    return node.parts
      .map((part) => {
        if (isKind('StringNode', part) || isKind('InterpolatedStringNode', part)) return textOf(part, context);
        return context.refuse(part, `#{…} is what Ruby would work out; ${TEXT_HINT}`);
      })
      .join('');
  const { value, validEncoding } = node.unescaped;
  return validEncoding ? value : context.refuse(node, 'the text is no valid UTF-8');
}

/** As Ruby's `inspect` shows it: slashes within have a backslash, flags in the order m, i, x. */
function regexOf(node: RubyNodes['RegularExpressionNode'], context: LiteralContext): string {
  const { value, validEncoding } = node.unescaped;
  if (!validEncoding) return context.refuse(node, 'the regular expression is no valid UTF-8');
  const source = value.replace(/\\.|\//gs, (part) => (part === '/' ? '\\/' : part));
  const flags = [
    [node.isMultiLine(), 'm'],
    [node.isIgnoreCase(), 'i'],
    [node.isExtended(), 'x'],
    [node.isAscii8bit(), 'n'],
  ].map(([has, flag]) => (has === true ? flag : ''));
  return `/${source}/${flags.join('')}`;
}

function integerOf(node: RubyNode, { refuse, sourceOf }: LiteralContext): Literal {
  const written = sourceOf(node);
  const digits = written.replaceAll('_', '').toLowerCase().replace(/^[-+]/, '');
  // `0d10` is ten, `017` and `0o17` are fifteen.
  const plain = digits.startsWith('0d') ? digits.slice(2) : digits.replace(/^0(?=\d)/, '0o');
  const size = BigInt(plain);
  const exact = written.startsWith('-') ? -size : size;
  const value = Number(exact);
  if (!Number.isFinite(value) || BigInt(value) !== exact)
    return refuse(node, `${shown(written)} is more than a number can hold exactly: write it as a text`);
  return { value, text: String(exact), identity: String(exact) };
}

function floatOf(node: RubyNodes['FloatNode'], { refuse, sourceOf }: LiteralContext): Literal {
  const value = Number(sourceOf(node).replaceAll('_', ''));
  if (node.value === null || !Number.isFinite(value))
    return refuse(node, `${shown(sourceOf(node))} is more than a number can hold`);
  const text = floatText(value);
  return { value, text, identity: text };
}

/** As Ruby's `to_s`: `1.0`, `1.0e+16`, `1.0e-05`. */
function floatText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e');
    const [sign, digits] = [exponent.slice(0, 1), exponent.slice(1)];
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}e${sign}${digits.padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Why a node is no value, and what to write in its place. */
export function noLiteral(node: RubyNode, sourceOf: (node: RubyNode) => string): string {
  const kind = kindOf(node);
  const what = shown(sourceOf(node).split('\n', 1)[0] ?? '');
  if (kind in REASONS) return REASONS[kind as keyof typeof REASONS];
  if (isKind('CallNode', node) && node.block !== null && node.receiver === null && /^(?:lambda|proc)$/.test(node.name))
    return REASONS.LambdaNode;
  if (isKind('CallNode', node) && node.block !== null && node.receiver !== null && LOOPS.has(node.name)) return LOOP;
  if (isKind('CallNode', node) && node.name === 'to_a' && node.receiver !== null && isRange(node.receiver))
    return REASONS.RangeNode;
  if (isKind('CallNode', node))
    return node.receiver === null
      ? `${what} is a call of a method or a variable; ${TEXT_HINT}`
      : `${what} is a call that Ruby would have to make; ${TEXT_HINT}`;
  if (/(?:Write|Target)Node$/.test(kind))
    return `${what} assigns a variable; write the value where it is used, or use the expression set`;
  if (/(?:LocalVariable|InstanceVariable|ClassVariable|GlobalVariable|Reference)/.test(kind))
    return `${what} is a variable of Ruby; ${TEXT_HINT}`;
  if (kind.startsWith('Constant')) return `${what} is a constant; ${TEXT_HINT}`;
  return `${what} is nothing a definition can hold; ${TEXT_HINT}`;
}

const CONDITION = "Ruby decides this once, when it reads the file; a condition belongs into if: '…'";
const LOOP = 'Ruby would run this loop when it reads the file; use the expressions repeat, cursor or iterator';
/** Methods of numbers and lists that call their block again and again. */
const LOOPS: ReadonlySet<string> = new Set(
  'times each each_with_index each_slice each_pair each_with_object map collect flat_map inject upto downto step'.split(
    ' ',
  ),
);

/** `1..3`, in parentheses or not. */
function isRange(node: RubyNode): boolean {
  if (!isKind('ParenthesesNode', node)) return kindOf(node) === 'RangeNode';
  const { body } = node;
  const only = isKind('StatementsNode', body) && body.body.length === 1 ? body.body[0] : undefined;
  return only !== undefined && kindOf(only) === 'RangeNode';
}

const REASONS = {
  IfNode: CONDITION,
  UnlessNode: CONDITION,
  CaseNode: `${CONDITION}, or use the expression given`,
  CaseMatchNode: `${CONDITION}, or use the expression given`,
  AndNode: CONDITION,
  OrNode: CONDITION,
  WhileNode: LOOP,
  UntilNode: LOOP,
  ForNode: LOOP,
  BeginNode: 'begin and rescue are of Ruby; an error of a workflow is handled by on_error',
  RescueModifierNode: 'rescue is of Ruby; an error of a workflow is handled by on_error',
  LambdaNode: 'code of Ruby is never run here; a participant has to do that',
  XStringNode: 'backticks run a command; nothing is run here',
  InterpolatedXStringNode: 'backticks run a command; nothing is run here',
  RangeNode: 'a range is no value of JSON: write a list',
  SplatNode: 'a splat stands for what is only known when it runs: write each one',
  AssocSplatNode: 'a splat stands for what is only known when it runs: write each member',
  BlockArgumentNode: 'a block that comes from elsewhere cannot be read: write it out',
  ImplicitNode: `a member without a value stands for a variable of Ruby; ${TEXT_HINT}`,
  InterpolatedRegularExpressionNode: `#{…} is what Ruby would work out; ${TEXT_HINT}`,
  RationalNode: 'a rational number is no value of JSON: write a number or a text',
  ImaginaryNode: 'an imaginary number is no value of JSON: write a text',
  RedoNode: 'redo is a word of Ruby: write _redo',
  RetryNode: 'retry is a word of Ruby: write _retry',
  NextNode: 'next is a word of Ruby: write _next',
  BreakNode: 'break is a word of Ruby: write _break',
  ReturnNode: 'return is a word of Ruby: write _return',
  DefNode: 'a method of Ruby is no part of a definition: use define for a sub-process',
  SelfNode: 'self is an object of Ruby: leave it away',
  SourceFileNode: '__FILE__ is only known to Ruby: write the text itself',
  SourceLineNode: '__LINE__ is only known to Ruby: write the number itself',
} as const;
