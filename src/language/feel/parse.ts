import { FeelSyntax, lex, type Token } from './lex.ts';
import { FUNCTION_NAMES, REFUSED_FUNCTIONS } from './names.ts';
import type { Feel, FeelType, Iteration, Test } from './tree.ts';

/*
 * Text to tree, by recursive descent: linear in the length of the text, for every token is looked at a bounded number of times. It is one thing:
 * each rule of the grammar is a function that calls the others, in the order of their precedence.
 */

/** Characters of one expression. */
export const FEEL_CHARACTERS_MAX = 4_000;
/** Nodes of its tree. */
const NODES_MAX = 500;
/** How deep it may be nested. */
const DEPTH_MAX = 50;

export type Parsed =
  | { readonly ok: true; readonly tree: Feel }
  | { readonly ok: false; readonly at: number; readonly message: string };

/** Trees by text: the same few texts are read again for every workflow of a definition. */
const known = new Map<string, Parsed>();
const KNOWN_MAX = 4_000;

/** Reads an expression; a text that is none is an ordinary value, with the place (UTF-16 units) and what is wrong. */
export function parseFeel(text: string): Parsed {
  let parsed = known.get(text);
  if (parsed !== undefined) return parsed;
  parsed = parse(text);
  if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value as string);
  known.set(text, parsed);
  return parsed;
}

function parse(text: string): Parsed {
  if (text.length > FEEL_CHARACTERS_MAX)
    return { ok: false, at: 0, message: `longer than ${FEEL_CHARACTERS_MAX} characters` };
  try {
    return { ok: true, tree: new Parser(lex(text)).whole() };
  } catch (error) {
    if (error instanceof FeelSyntax) return { ok: false, at: error.at, message: error.message };
    throw error;
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);
type Sign = Extract<Feel, { kind: 'compare' }>['sign'];
const KEYWORDS: ReadonlySet<string> = new Set([
  'and',
  'or',
  'if',
  'then',
  'else',
  'for',
  'in',
  'return',
  'some',
  'every',
  'satisfies',
  'between',
  'instance',
  'of',
  'true',
  'false',
  'null',
  'function',
  'external',
]);
/** Names of more than one word that can stand behind a dot. */
const PROPERTIES: readonly (readonly string[])[] = [
  ['time', 'offset'],
  ['start', 'included'],
  ['end', 'included'],
];
const TYPES: readonly (readonly string[])[] = [
  ['date', 'and', 'time'],
  ['years', 'and', 'months', 'duration'],
  ['days', 'and', 'time', 'duration'],
];
const longestFirst = (names: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  [...names].sort((a, b) => b.length - a.length);
const FUNCTIONS_BY_WORD: ReadonlyMap<string, readonly (readonly string[])[]> = (() => {
  const map = new Map<string, (readonly string[])[]>();
  for (const name of FUNCTION_NAMES) {
    const words = name.split(' ');
    const [first = ''] = words;
    if (words.length > 1) map.set(first, [...(map.get(first) ?? []), words]);
  }
  return new Map([...map].map(([first, names]) => [first, longestFirst(names)]));
})();

class Parser {
  private readonly tokens: readonly Token[];
  private next = 0;
  private nodes = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  whole(): Feel {
    const tree = this.expression();
    const rest = this.peek();
    if (rest.kind !== 'end') this.wrong(`expected the end, found ${shown(rest)}`);
    return tree;
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)] as Token;
  }
  private take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.next++;
    return token;
  }
  private is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && (token.kind === 'sign' || token.kind === 'name');
  }
  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next++;
    return true;
  }
  private expect(text: string): Token {
    if (!this.is(text)) this.wrong(`expected "${text}", found ${shown(this.peek())}`);
    return this.take();
  }
  /** A comma with something behind it. */
  private between(end: string) {
    this.expect(',');
    if (this.is(end)) this.wrong(`expected more behind ",", found ${shown(this.peek())}`);
  }
  private wrong(message: string, at = this.peek().at): never {
    throw new FeelSyntax(at, message);
  }
  private made<Node extends Feel>(node: Node): Node {
    this.nodes++;
    if (this.nodes > NODES_MAX) this.wrong(`more than ${NODES_MAX} parts`, node.at);
    return node;
  }

  private expression(): Feel {
    this.depth++;
    if (this.depth > DEPTH_MAX) this.wrong(`nested more than ${DEPTH_MAX} deep`);
    const tree = this.topmost();
    this.depth--;
    return tree;
  }

  private topmost(): Feel {
    const { at } = this.peek();
    if (this.is('if')) {
      this.take();
      const when = this.expression();
      this.expect('then');
      const then = this.expression();
      this.expect('else');
      return this.made({ kind: 'if', when, then, otherwise: this.expression(), at });
    }
    if (this.is('for') && this.peek(1).kind !== 'sign') {
      this.take();
      const over = this.iterations(true);
      this.expect('return');
      return this.made({ kind: 'for', over, give: this.expression(), at });
    }
    if ((this.is('some') || this.is('every')) && this.peek(1).kind !== 'sign') {
      const kind = this.take().text as 'some' | 'every';
      const over = this.iterations(false);
      this.expect('satisfies');
      return this.made({ kind, over, give: this.expression(), at });
    }
    if (this.is('function') && this.is('(', 1)) this.wrong('functions cannot be defined here', at);
    return this.disjunction();
  }

  private iterations(ranges: boolean): Iteration[] {
    const found: Iteration[] = [];
    do {
      const name = this.nameUntil('in');
      this.expect('in');
      const from = this.expression();
      found.push({ name, from, to: ranges && this.accept('..') ? this.expression() : null });
    } while (this.accept(','));
    return found;
  }

  private nameUntil(stop: string): string {
    const words: string[] = [];
    while (!this.is(stop)) {
      const token = this.take();
      if (token.kind !== 'name' && token.kind !== 'quoted')
        this.wrong(`expected a name, found ${shown(token)}`, token.at);
      words.push(token.text);
    }
    if (words.length === 0) this.wrong('expected a name');
    return words.join(' ');
  }

  private disjunction(): Feel {
    let left = this.conjunction();
    while (this.is('or')) {
      this.take();
      left = this.made({ kind: 'logic', sign: 'or', left, right: this.conjunction(), at: left.at });
    }
    return left;
  }

  private conjunction(): Feel {
    let left = this.comparison();
    while (this.is('and')) {
      this.take();
      left = this.made({ kind: 'logic', sign: 'and', left, right: this.comparison(), at: left.at });
    }
    return left;
  }

  private comparison(): Feel {
    let left = this.additive();
    for (;;) {
      const token = this.peek();
      if (token.kind === 'sign' && COMPARISONS.has(token.text)) {
        this.take();
        left = this.made({ kind: 'compare', sign: token.text as Sign, left, right: this.additive(), at: left.at });
      } else if (this.is('between')) {
        this.take();
        const low = this.additive();
        this.expect('and');
        left = this.made({ kind: 'between', of: left, low, high: this.additive(), at: left.at });
      } else if (this.is('in')) {
        this.take();
        left = this.made({ kind: 'in', of: left, tests: this.tests(), at: left.at });
      } else return left;
    }
  }

  /** One test, or several in parentheses. */
  private tests(): Test[] {
    if (this.is('(') && !this.opensRange()) {
      this.take();
      const tests = [this.test()];
      while (this.accept(',')) tests.push(this.test());
      this.expect(')');
      return tests;
    }
    return [this.test()];
  }

  /** Whether the parenthesis ahead opens `(a..b]`: looked for at its own level. */
  private opensRange(): boolean {
    let level = 0;
    for (let ahead = 0; ; ahead++) {
      const token = this.peek(ahead);
      if (token.kind === 'end') return false;
      if (token.kind !== 'sign') continue;
      if (token.text === '(' || token.text === '[' || token.text === '{') level++;
      else if (token.text === ')' || token.text === ']' || token.text === '}') level--;
      else if (token.text === '..' && level === 1) return true;
      else if (token.text === ',' && level === 1) return false;
      if (level === 0) return false;
    }
  }

  private test(): Test {
    const token = this.peek();
    if (token.kind === 'sign' && COMPARISONS.has(token.text)) {
      this.take();
      return { kind: 'compare', sign: token.text as Sign, with: this.additive() };
    }
    return { kind: 'value', of: this.depthed(() => this.additive()) };
  }

  private depthed(parse: () => Feel): Feel {
    this.depth++;
    if (this.depth > DEPTH_MAX) this.wrong(`nested more than ${DEPTH_MAX} deep`);
    const tree = parse();
    this.depth--;
    return tree;
  }

  private additive(): Feel {
    let left = this.multiplicative();
    while (this.is('+') || this.is('-')) {
      const sign = this.take().text as '+' | '-';
      left = this.made({ kind: 'arithmetic', sign, left, right: this.multiplicative(), at: left.at });
    }
    return left;
  }

  private multiplicative(): Feel {
    let left = this.power();
    while (this.is('*') || this.is('/')) {
      const sign = this.take().text as '*' | '/';
      left = this.made({ kind: 'arithmetic', sign, left, right: this.power(), at: left.at });
    }
    return left;
  }

  private power(): Feel {
    let left = this.negation();
    while (this.is('**')) {
      this.take();
      left = this.made({ kind: 'arithmetic', sign: '**', left, right: this.negation(), at: left.at });
    }
    return left;
  }

  private negation(): Feel {
    const { at } = this.peek();
    if (!this.accept('-')) return this.instance();
    return this.made({ kind: 'negate', of: this.depthed(() => this.negation()), at });
  }

  private instance(): Feel {
    let left = this.postfix();
    while (this.is('instance') && this.is('of', 1)) {
      this.next += 2;
      left = this.made({ kind: 'instance', of: left, type: this.type(), at: left.at });
    }
    return left;
  }

  private type(): FeelType {
    this.depth++;
    if (this.depth > DEPTH_MAX) this.wrong(`nested more than ${DEPTH_MAX} deep`);
    const words = this.words(TYPES);
    const name = words ?? this.typeName();
    const of: FeelType[] = [];
    const keys: string[] = [];
    if (this.accept('<')) {
      while (!this.accept('>')) {
        if (name === 'context') {
          keys.push(this.nameUntil(':'));
          this.expect(':');
        }
        of.push(this.type());
        if (!this.is('>')) this.expect(',');
      }
    }
    if (name === 'function' && this.accept('->')) this.type();
    this.depth--;
    return { name, of, keys };
  }

  private typeName(): string {
    const token = this.take();
    if (token.kind !== 'name' && token.kind !== 'quoted')
      this.wrong(`expected a type, found ${shown(token)}`, token.at);
    return token.text;
  }

  private postfix(): Feel {
    let left = this.primary();
    for (;;) {
      const { at } = this.peek();
      if (this.is('.')) {
        this.take();
        const token = this.peek();
        const name = this.words(PROPERTIES) ?? this.take().text;
        if (token.kind !== 'name' && token.kind !== 'quoted')
          this.wrong(`expected a name after ".", found ${shown(token)}`, token.at);
        left = this.made({ kind: 'path', of: left, name, at: left.at });
      } else if (this.is('[') && !this.closes(1)) {
        this.take();
        const by = this.expression();
        this.expect(']');
        left = this.made({ kind: 'filter', of: left, by, at: left.at });
      } else if (this.is('(')) this.wrong('only functions of FEEL itself can be called', at);
      else return left;
    }
  }

  /** Whether nothing that begins an expression comes here: then the bracket before ends a range, `[1..3[`. */
  private closes(ahead: number): boolean {
    const token = this.peek(ahead);
    return token.kind === 'end' || (token.kind === 'sign' && !['(', '[', ']', '{', '-'].includes(token.text));
  }

  /** One of these names of several words, when the tokens ahead are it. */
  private words(names: readonly (readonly string[])[], before?: string): string | null {
    for (const words of names) {
      if (!words.every((word, i) => this.peek(i).kind === 'name' && this.peek(i).text === word)) continue;
      if (before !== undefined && !this.is(before, words.length)) continue;
      this.next += words.length;
      return words.join(' ');
    }
    return null;
  }

  private primary(): Feel {
    const token = this.peek();
    const { at } = token;
    switch (token.kind) {
      case 'number': {
        this.take();
        const value = Number(token.text);
        if (!Number.isFinite(value)) this.wrong('this number is too large', at);
        return this.made({ kind: 'literal', value, at });
      }
      case 'text':
        this.take();
        return this.made({ kind: 'literal', value: token.text, at });
      case 'at':
        this.take();
        return this.made({ kind: 'temporal', text: token.text, at });
      case 'quoted':
        this.take();
        return this.made({ kind: 'name', name: token.text, at });
      case 'name':
        return this.named(token);
      case 'end':
        return this.wrong('expected an expression, found the end');
      case 'sign':
        if (token.text === '(') return this.parenthesis();
        if (token.text === '[') return this.bracket();
        if (token.text === ']') return this.openRange();
        if (token.text === '{') return this.context();
        return this.wrong(`expected an expression, found ${shown(token)}`);
    }
  }

  private named({ text, at }: Token): Feel {
    if (text === 'true' || text === 'false' || text === 'null') {
      this.take();
      return this.made({ kind: 'literal', value: text === 'null' ? null : text === 'true', at });
    }
    const phrase = this.words(FUNCTIONS_BY_WORD.get(text) ?? [], '(');
    if (phrase !== null) return this.call(phrase, at);
    if (KEYWORDS.has(text)) this.wrong(`expected an expression, found ${shown(this.peek())}`);
    this.take();
    if (this.is('(')) return this.call(text, at);
    return this.made({ kind: 'name', name: text, at });
  }

  private call(name: string, at: number): Feel {
    if (REFUSED_FUNCTIONS.has(name)) this.wrong(`the function ${name} is not there`, at);
    if (!FUNCTION_NAMES.has(name)) this.wrong(`there is no function ${JSON.stringify(name)}`, at);
    this.expect('(');
    const given: Feel[] = [];
    const names: string[] = [];
    while (!this.accept(')')) {
      const named = this.argumentName();
      if (named !== null) names.push(named);
      given.push(this.expression());
      if (!this.is(')')) this.between(')');
    }
    if (names.length > 0 && names.length !== given.length)
      this.wrong('arguments are given all by name or all by place', at);
    if (new Set(names).size !== names.length) this.wrong('an argument is given twice', at);
    return this.made({ kind: 'call', name, given, names: names.length > 0 ? names : null, at });
  }

  private argumentName(): string | null {
    let length = 0;
    while (this.peek(length).kind === 'name' || this.peek(length).kind === 'quoted') length++;
    if (length === 0 || !this.is(':', length)) return null;
    const words = Array.from({ length }, () => this.take().text);
    this.take();
    return words.join(' ');
  }

  private parenthesis(): Feel {
    const { at } = this.take();
    const sign = this.peek();
    if (sign.kind === 'sign' && COMPARISONS.has(sign.text)) {
      this.take();
      const end = this.additive();
      this.expect(')');
      return this.half(sign.text as Sign, end, at);
    }
    const inner = this.expression();
    if (this.accept('..')) return this.rangeEnd(inner, false, at);
    this.expect(')');
    return inner;
  }

  /** `(< 10)` as a value: a range with one end. */
  private half(sign: Sign, end: Feel, at: number): Feel {
    if (sign === '=') return this.made({ kind: 'range', from: end, to: end, left: true, right: true, at });
    if (sign === '!=') this.wrong('"!=" is no range', at);
    const isUpper = sign === '<' || sign === '<=';
    return this.made({
      kind: 'range',
      from: isUpper ? null : end,
      to: isUpper ? end : null,
      left: sign === '>=',
      right: sign === '<=',
      at,
    });
  }

  private bracket(): Feel {
    const { at } = this.take();
    if (this.accept(']')) return this.made({ kind: 'list', items: [], at });
    const first = this.listItem();
    if (this.accept('..')) return this.rangeEnd(first, true, at);
    const items = [first];
    while (this.accept(',')) items.push(this.listItem());
    this.expect(']');
    return this.made({ kind: 'list', items, at });
  }

  private listItem(): Feel {
    const sign = this.peek();
    if (sign.kind !== 'sign' || !COMPARISONS.has(sign.text)) return this.expression();
    this.take();
    return this.half(sign.text as Sign, this.additive(), sign.at);
  }

  private openRange(): Feel {
    const { at } = this.take();
    const from = this.expression();
    this.expect('..');
    return this.rangeEnd(from, false, at);
  }

  private rangeEnd(from: Feel, left: boolean, at: number): Feel {
    const to = this.expression();
    const close = this.take();
    if (close.kind !== 'sign' || !['[', ']', ')'].includes(close.text))
      this.wrong(`expected "]" or ")", found ${shown(close)}`, close.at);
    return this.made({ kind: 'range', from, to, left, right: close.text === ']', at });
  }

  private context(): Feel {
    const { at } = this.take();
    const entries: (readonly [string, Feel])[] = [];
    const seen = new Set<string>();
    while (!this.accept('}')) {
      const { at: keyAt } = this.peek();
      const key = this.contextKey();
      if (seen.has(key)) this.wrong(`the key ${JSON.stringify(key)} is there twice`, keyAt);
      seen.add(key);
      this.expect(':');
      entries.push([key, this.expression()]);
      if (!this.is('}')) this.between('}');
    }
    return this.made({ kind: 'context', entries, at });
  }

  /** A text, or everything up to the colon with one blank where there are some. */
  private contextKey(): string {
    const first = this.peek();
    if (first.kind === 'text') return this.take().text;
    let key = '';
    let end = first.at;
    while (!this.is(':')) {
      const token = this.take();
      const fits =
        token.kind === 'name' ||
        token.kind === 'quoted' ||
        (key !== '' && (token.kind === 'number' || NAME_SIGNS.has(token.text)));
      if (!fits) this.wrong(`expected a key, found ${shown(token)}`, token.at);
      key += (key !== '' && token.at > end ? ' ' : '') + token.text;
      end = token.end;
    }
    if (key === '') this.wrong('expected a key');
    return key;
  }
}
const NAME_SIGNS: ReadonlySet<string> = new Set(['+', '-', '*', '**', '/', '.']);

const shown = (token: Token): string => (token.kind === 'end' ? 'the end' : JSON.stringify(token.text.slice(0, 40)));
