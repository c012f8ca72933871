/**
 * The smallest parts of a condition: blanks, words, quoted strings, regexes, operators, brackets.
 *
 * Field values stand in conditions unquoted, so punctuation only counts where it can mean something: a quote only at the
 * start of a word and if it is closed at the end of one (`O'Brien` is a word), a bracket only if it has its partner.
 */

export type Atom = { readonly from: number; readonly to: number; readonly text: string } & (
  | { readonly kind: 'blank' | 'word' | 'string' | 'regex' | 'operator' }
  | { readonly kind: 'open' | 'close'; readonly partner: number }
);

const OPERATORS = ['===', '==', '!=', '=~', '>=', '<=', '&&', '||', '>', '<'] as const;
const CLOSERS: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);
/** What may follow the end of a quoted string or a regex. */
const AFTER_QUOTE = /[\s=!<>&|)\]},:]|$/y;
const BLANKS = /\s+/y;
/** The rest of a word: up to a blank, a bracket, or what may begin an operator or (after a comma) a quote. */
const WORD = /[^\s()[\]{}=!<>&|,:]+/y;

/** Brackets inside each other; deeper ones are ordinary text. */
const MAX_NESTING = 100;

type Bracket = { readonly at: number; readonly closer: string };

/** All atoms of `text`, which together are `text` again. Linear in its length. */
export function readAtoms(text: string): readonly Atom[] {
  const atoms: Atom[] = [];
  const brackets: Bracket[] = [];
  const take = (pattern: RegExp, at: number): number => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : -1;
  };
  const add = (kind: 'blank' | 'word' | 'string' | 'regex' | 'operator', from: number, to: number): void => {
    const last = atoms.at(-1);
    if (kind !== 'word') atoms.push({ kind, from, to, text: text.slice(from, to) });
    // The text of a word is cut out once, when it is whole (see withTexts).
    else if (last?.kind === 'word') atoms[atoms.length - 1] = { kind, from: last.from, to, text: '' };
    else atoms.push({ kind, from, to, text: '' });
  };
  let i = 0;
  while (i < text.length) {
    const char = text[i] as string;
    const last = atoms.at(-1);
    const startsWord = last?.kind !== 'word' && last?.kind !== 'string' && last?.kind !== 'close';
    const afterComma = /[,:]/.test(text[i - 1] ?? '');
    const blanks = take(BLANKS, i);
    const closer = CLOSERS.get(char);
    if (blanks > 0) {
      add('blank', i, blanks);
      i = blanks;
    } else if ((char === "'" || char === '"') && (startsWord || afterComma)) {
      const end = closingQuote(text, i);
      const isString = end > 0 && take(AFTER_QUOTE, end) >= 0;
      const to = isString ? end : i + 1;
      add(isString ? 'string' : 'word', i, to);
      i = to;
    } else if (char === '/' && startsWord && followsMatch(atoms)) {
      const end = regexEnd(text, i);
      add(end > 0 ? 'regex' : 'word', i, end > 0 ? end : i + 1);
      i = end > 0 ? end : i + 1;
    } else if (closer !== undefined && brackets.length < MAX_NESTING) {
      brackets.push({ at: atoms.length, closer });
      atoms.push({ kind: 'open', from: i, to: i + 1, text: char, partner: -1 });
      i += 1;
    } else if (brackets.at(-1)?.closer === char) {
      const { at } = brackets.pop() as Bracket;
      atoms[at] = { ...(atoms[at] as Atom), kind: 'open', partner: atoms.length };
      atoms.push({ kind: 'close', from: i, to: i + 1, text: char, partner: at });
      i += 1;
    } else {
      const operator = operatorAt(text, i, startsWord);
      const to = operator === null ? Math.max(take(WORD, i), i + 1) : i + operator.length;
      add(operator === null ? 'word' : 'operator', i, to);
      i = to;
    }
  }
  return withTexts(brackets.length === 0 ? atoms : withoutLonely(atoms), text);
}

function operatorAt(text: string, at: number, startsWord: boolean): string | null {
  const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
  // An arrow belongs to an object, a lonely `=` to a word.
  if (operator === '>' && (text[at - 1] === '=' || text[at - 1] === '-')) return null;
  if (operator !== undefined) return operator;
  return text[at] === '!' && startsWord && text[at + 1] !== '~' ? '!' : null;
}

function followsMatch(atoms: readonly Atom[]): boolean {
  const last = atoms.at(-1)?.kind === 'blank' ? atoms.at(-2) : atoms.at(-1);
  return last?.kind === 'operator' && last.text === '=~';
}

/** Behind the quote that closes the one at `at`; -1 when none does. */
export function closingQuote(text: string, at: number): number {
  const quote = text[at];
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === quote) return i + 1;
  }
  return -1;
}

const AFTER_REGEX = /[imx]*(?=[\s)&|]|$)/y;

/** Behind the regex literal, flags included, that starts at `at`; -1 when there is none. */
function regexEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '/') {
      AFTER_REGEX.lastIndex = i + 1;
      return AFTER_REGEX.test(text) ? AFTER_REGEX.lastIndex : -1;
    }
  }
  return -1;
}

const withTexts = (atoms: readonly Atom[], text: string): readonly Atom[] =>
  atoms.map((atom) => (atom.kind === 'word' ? { ...atom, text: text.slice(atom.from, atom.to) } : atom));

/** Brackets without a partner are part of the text around them. */
function withoutLonely(atoms: readonly Atom[]): readonly Atom[] {
  const isLonely = (atom: Atom): boolean => atom.kind === 'open' && atom.partner < 0;
  const result: Atom[] = [];
  const moved: number[] = [];
  for (const atom of atoms) {
    const last = result.at(-1);
    const isText = atom.kind === 'word' || isLonely(atom);
    if (isText && last?.kind === 'word')
      result[result.length - 1] = { kind: 'word', from: last.from, to: atom.to, text: '' };
    else result.push(isText ? { kind: 'word', from: atom.from, to: atom.to, text: '' } : atom);
    moved.push(result.length - 1);
  }
  return result.map((atom) =>
    atom.kind === 'open' || atom.kind === 'close' ? { ...atom, partner: moved[atom.partner] as number } : atom,
  );
}
