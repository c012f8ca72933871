/**
 * # Conditions
 *
 * `if: '${f:total} > 100 and ${f:name} is set'`: after substitution the text is read as
 *
 *     cond   <- notw ( ("and" / "or") notw )*      same precedence, from the left
 *     notw   <- "not" notw / orop
 *     orop   <- andop ( "||" andop )*
 *     andop  <- unot ( "&&" unot )*
 *     unot   <- "!" unot / suffix / cmp
 *     suffix <- operand "is"? "not"? ( "set" / "null" / "empty" / "in" ( array / object ) )
 *     cmp    <- operand ( ( "===" / "==" / "!=" / "=~" / ">=" / "<=" / ">" / "<" ) operand )?
 *
 * An operand is a literal (text in quotes, number, `true`, `false`, `nil`, list, object), a condition in parentheses, or any other text, which
 * stands for itself: field values come in unquoted. Operators inside quotes and brackets do not count. False are `false`, `nil` and
 * blank text; all else is true, `0` and words such as `no` included. A comparison with nothing on one side is false. `==` knows types: `1` is
 * not `'1'`. An order is one of two numbers or of two texts. `=~` searches for a `/regex/`; the right side may be just text. `set`: neither
 * `nil` nor empty; `null`: `nil`; `empty`: of a quoted text, list or object, or of nothing at all. Nothing is ever executed.
 *
 * What is put in is text. So `${f:note} is null` is never true: a field that is missing, or null, is put in as nothing, and `null` is for
 * a bare `nil`; write `is not set`. And a text that people have written may hold `and`, quotes or signs: quote it, `${'f:note}`, wherever it
 * is compared.
 *
 * ```radial
 * alice if: "${f:total} >= 1000 and not ${'customer.name} == 'Bob'"
 * bob if: '${f:note} is not set'
 * ```
 *
 * Errors (`ArgumentError`): an order between things that have none (`x > 1`), more than one comparison in a row, and what would be code
 * rather than text: an assignment `a = b`, a ternary, back quotes, `a; b`, `A::B`, `self`; more than 5,000 conditions joined in one. `!~` is no operator: a test with it is false.
 */
import type { Json } from '../model/json.ts';
import { shorten } from '../model/text.ts';
import { type Atom, readAtoms } from './condition-atoms.ts';
import {
  compareOperands,
  type Data,
  isDataObject,
  matchesRegex,
  type Operand,
  readOperand,
  sameOperand,
} from './condition-values.ts';
import { ExactNumber } from './exact-number.ts';
import { LanguageError } from './language-error.ts';

/** Characters of one condition. */
export const MAX_CONDITION_LENGTH = 1_000_000;
/** Conditions that are joined in one: each costs some microseconds, and all of them are read in one go. */
export const MAX_JOINED = 5_000;
/** Parentheses and negations inside each other. */
const MAX_DEPTH = 100;

/** What is being read: the text, its atoms, and which of them (from, to) this part is about. */
type Part = { readonly text: string; readonly atoms: readonly Atom[]; readonly from: number; readonly to: number };

/**
 * Whether the substituted value holds: false, nil, blank and missing are false, text is read as above, all else is true.
 */
export function evaluateCondition(value: Json | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return true;
  if (value.length > MAX_CONDITION_LENGTH)
    throw new LanguageError('ArgumentError', `a condition has more than ${MAX_CONDITION_LENGTH} characters`);
  // Definitions in XML may have been escaped twice.
  const text = value.includes('&')
    ? value.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
    : value;
  const atoms = readAtoms(text);
  const joined = atoms.reduce((sum, atom) => (isJoin(atom) ? sum + 1 : sum), 0);
  if (joined > MAX_JOINED)
    throw new LanguageError(
      'ArgumentError',
      `a condition joins more than ${MAX_JOINED.toLocaleString('en')} others by "and", "or", && and ||`,
    );
  return words({ text, atoms, from: 0, to: atoms.length }, 0);
}

function cannot(part: Part): LanguageError {
  return new LanguageError(
    'ArgumentError',
    `couldn't interpret >${shorten(part.text, 500)}<, if it comes from a \${xx} construct, please use \${"xx} or \${'yy}`,
  );
}

/** The positions of top-level atoms (brackets are skipped as a whole) for which `wanted` holds. */
function positions(part: Part, wanted: (atom: Atom) => boolean): number[] {
  const found: number[] = [];
  for (let i = part.from; i < part.to; i++) {
    const atom = part.atoms[i] as Atom;
    if (wanted(atom)) found.push(i);
    else if (atom.kind === 'open') i = atom.partner;
  }
  return found;
}

const isWord = (atom: Atom | undefined, ...words: readonly string[]): boolean =>
  atom?.kind === 'word' && words.includes(atom.text);
const isOperator = (atom: Atom | undefined, ...operators: readonly string[]): boolean =>
  atom?.kind === 'operator' && operators.includes(atom.text);

const isJoin = (atom: Atom): boolean => isWord(atom, 'and', 'or') || isOperator(atom, '&&', '||');

/** Splits at `cuts`, which belong to neither side. */
function split(part: Part, cuts: readonly number[]): Part[] {
  const starts = [part.from, ...cuts.map((cut) => cut + 1)];
  const ends = [...cuts, part.to];
  return starts.map((from, i) => trim({ ...part, from, to: ends[i] as number }));
}

function trim(part: Part): Part {
  let { from, to } = part;
  while (from < to && part.atoms[from]?.kind === 'blank') from += 1;
  while (to > from && part.atoms[to - 1]?.kind === 'blank') to -= 1;
  return { ...part, from, to };
}

function words(part: Part, depth: number): boolean {
  if (depth > MAX_DEPTH) throw cannot(part);
  const cuts = positions(part, (atom) => isWord(atom, 'and', 'or'));
  const [first, ...others] = split(part, cuts);
  return others.reduce(
    (result, other, i) => {
      const isAnd = isWord(part.atoms[cuts[i] as number], 'and');
      return isAnd === result ? wordNot(other, depth) : result;
    },
    wordNot(first as Part, depth),
  );
}

function wordNot(start: Part, depth: number): boolean {
  let part = start;
  let negated = false;
  while (isWord(part.atoms[part.from], 'not') && part.from < part.to && !isMissingSuffix(part)) {
    part = trim({ ...part, from: part.from + 1 });
    negated = !negated;
  }
  return symbolOr(part, depth) !== negated;
}

/** `not set` and its kin, with nothing before them: the field that stood there is missing. */
function isMissingSuffix(part: Part): boolean {
  return part.to - part.from === 3 && isWord(part.atoms[part.to - 1], 'set', 'null', 'empty');
}

function symbolOr(part: Part, depth: number): boolean {
  const ors = split(
    part,
    positions(part, (atom) => isOperator(atom, '||')),
  );
  return ors.some((or) =>
    split(
      or,
      positions(or, (atom) => isOperator(atom, '&&')),
    ).every((and) => not(and, depth)),
  );
}

function not(start: Part, depth: number): boolean {
  let part = start;
  let negated = false;
  while (isOperator(part.atoms[part.from], '!') && part.from < part.to) {
    part = trim({ ...part, from: part.from + 1 });
    negated = !negated;
  }
  return (suffix(part, depth) ?? comparison(part, depth)) !== negated;
}

/** The result of `x is not set` and its kin; null when the part does not end that way. */
function suffix(part: Part, depth: number): boolean | null {
  const last = part.atoms[part.to - 1];
  if (last === undefined || part.to === part.from) return null;
  let at = part.to - 1;
  let list: Operand | null = null;
  if (last.kind === 'close') {
    at = last.partner;
    if (at < part.from || part.text[last.from] === ')') return null;
    list = operand({ ...part, from: at }, depth);
    at = trim({ ...part, to: at }).to - 1;
    if (at < part.from || !isWord(part.atoms[at], 'in')) return null;
  } else if (!isWord(last, 'set', 'null', 'empty')) return null;
  const kind = (part.atoms[at] as Atom).text;
  const before = (): Atom | undefined => {
    const rest = trim({ ...part, to: at });
    return rest.to > rest.from ? part.atoms[rest.to - 1] : undefined;
  };
  const drop = (): void => {
    at = trim({ ...part, to: at }).to - 1;
  };
  const negated = isWord(before(), 'not');
  if (negated) drop();
  const marked = isWord(before(), 'is');
  if (marked) drop();
  const subject = trim({ ...part, to: at });
  // `null` alone is a word, ` is null` is a missing field; `a == set` compares, `a == b is set` asks for some text.
  if (subject.from === subject.to && !marked && !negated) return null;
  if (!marked && positions(subject, isComparator).length > 0) return null;
  const holds = test(kind, subject, list, depth);
  return holds === null ? false : holds !== negated;
}

/** One suffix test; null for a malformed list, which holds neither way. */
function test(kind: string, subject: Part, list: Operand | null, depth: number): boolean | null {
  const value = operand(subject, depth);
  switch (kind) {
    case 'set':
      return value.kind !== 'nil' && value.kind !== 'blank' && !(value.kind === 'text' && value.text === '');
    case 'null':
      return value.kind === 'nil';
    case 'empty':
      if (value.kind === 'blank') return true;
      if (value.kind === 'text') return value.text === '';
      if (value.kind !== 'data') return false;
      return (isDataObject(value.value) ? Object.keys(value.value) : value.value).length === 0;
    default: {
      if (list?.kind !== 'data') return null;
      const members: readonly Data[] = isDataObject(list.value) ? Object.keys(list.value) : list.value;
      return members.some((member) => sameOperand(value, asOperand(member)));
    }
  }
}

function asOperand(value: Data): Operand {
  if (value === null) return { kind: 'nil' };
  if (typeof value === 'string') return { kind: 'text', text: value, quoted: true };
  if (typeof value === 'number' || value instanceof ExactNumber) return { kind: 'number', value };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  return { kind: 'data', value };
}

const isComparator = (atom: Atom): boolean => isOperator(atom, '===', '==', '!=', '=~', '>=', '<=', '>', '<');

function comparison(part: Part, depth: number): boolean {
  const cuts = positions(part, isComparator);
  const sides = split(part, cuts);
  if (cuts.length === 0) {
    const value = operand(part, depth);
    if (value.kind === 'text' && !value.quoted) return isTrueText(part, value.text);
    if (value.kind === 'boolean') return value.value;
    return value.kind !== 'nil' && value.kind !== 'blank';
  }
  if (sides.some((side) => side.from === side.to)) return false;
  if (cuts.length > 1) throw cannot(part);
  const [left, right] = sides.map((side) => operand(side, depth)) as [Operand, Operand];
  if (isAssignment(left) || isAssignment(right)) throw cannot(part);
  switch ((part.atoms[cuts[0] as number] as Atom).text) {
    case '==':
    case '===':
      return sameOperand(left, right);
    case '!=':
      return !sameOperand(left, right);
    case '=~':
      return matchesRegex(left, right);
    case '<':
      return order(part, left, right) < 0;
    case '<=':
      return order(part, left, right) <= 0;
    case '>':
      return order(part, left, right) > 0;
    default:
      return order(part, left, right) >= 0;
  }
}

function order(part: Part, left: Operand, right: Operand): number {
  const result = compareOperands(left, right);
  if (result === null) throw cannot(part);
  return result;
}

const ASSIGNMENT = /(?:^|\s)=(?:\s|$)/;
const isAssignment = (operand: Operand): boolean =>
  operand.kind === 'text' && !operand.quoted && ASSIGNMENT.test(operand.text);

/** What Ruby would have run, had it been let. */
const CODE = /^(?:[A-Za-z_@$][\w.]*\s*=(?![=~>])|self$|[A-Z]\w*(?:::[A-Z]\w*)+$|`)|;/;

function isTernary(text: string): boolean {
  const mark = text.indexOf(' ? ');
  return mark > 0 && text.indexOf(' : ', mark + 2) > 0;
}

function isTrueText(part: Part, text: string): boolean {
  if (CODE.test(text) || isTernary(text) || ASSIGNMENT.test(text)) throw cannot(part);
  // A malformed list has no members.
  return !/(?:^|\s)(?:!~(?:\s|$)|in\s+[[{])/.test(text);
}

function operand(part: Part, depth: number): Operand {
  if (part.from === part.to) return { kind: 'blank' };
  const first = part.atoms[part.from] as Atom;
  const isWhole = first.kind === 'open' && first.partner === part.to - 1;
  if (isWhole && part.text[first.from] === '(') {
    const inner = trim({ ...part, from: part.from + 1, to: part.to - 1 });
    return isPlain(inner) ? operand(inner, depth + 1) : { kind: 'boolean', value: words(inner, depth + 1) };
  }
  const from = first.from;
  const to = (part.atoms[part.to - 1] as Atom).to;
  return readOperand(
    part.text.slice(from, to),
    isWhole ? 'brackets' : part.to - part.from === 1 ? first.kind : 'several',
  );
}

/** True for a part that is a value and not a condition, as in `(a) == (a)`. */
function isPlain(part: Part): boolean {
  const isActive = (atom: Atom): boolean =>
    atom.kind === 'operator' || isWord(atom, 'and', 'or', 'not', 'set', 'null', 'empty', 'in');
  return positions(part, isActive).length === 0;
}
