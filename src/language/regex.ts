/**
 * # Regular expressions
 *
 * Written in Ruby's dialect and run in linear time, by an engine without backtracking. Whatever needs backtracking is refused, and so is
 * what would quietly mean something else; that is an error of the workflow (`ArgumentError`):
 *
 * | refused                              | example                      |
 * |--------------------------------------|------------------------------|
 * | look-ahead, look-behind              | `(?=a)` `(?!a)` `(?<=a)` `(?<!a)` |
 * | back-references, calls of groups     | `\1` `\k<name>` `\g<name>`   |
 * | atomic groups, possessive repeats    | `(?>a)` `a++`                |
 * | a repeat of a repeat                 | `a**` `a{2}{3}`              |
 * | inline switching on of `x`           | `(?x) a b`                   |
 * | classes in classes, `&&`             | `[a-z&&[^b]]`                |
 * | `\G` `\K` `\X` `\c` `\C` `\M`         | `\Gabc`                      |
 * | more than 1,000 characters           |                              |
 * | repeats that unfold into a monster   | `((a{50}){20}){5}…`          |
 *
 * As in Ruby `^` and `$` always mean the ends of lines, `m` lets the dot match newlines, and `\d \w \s \b` are ASCII. Flags are `i`, `m`, `x`.
 */
import { RE2JS } from 're2js';
import { shorten } from '../model/text.ts';
import { LanguageError } from './language-error.ts';
import { FREE, type Work } from './work.ts';

export type Match = { readonly groups: readonly (string | null)[]; readonly index: number };

/** `groups[0]` is the whole match; a group that took no part is null. `index` counts UTF-16 units. */
export type Matcher = {
  readonly test: (text: string, work?: Work) => boolean;
  readonly match: (text: string, work?: Work) => Match | null;
};

/** Characters of a source. */
export const MAX_REGEX_LENGTH = 1_000;
/** What all counted repeats of one source may add up to. */
const MAX_REPEATS = 2_000;
/** Instructions one expression may compile to. */
const MAX_PROGRAM_SIZE = 10_000;
/** Instructions times characters of one match: keeps the worst case well under a second. */
const MAX_MATCH_WORK = 200_000_000;
/** What a match counts as work at least, and how many steps of the engine (instructions times characters) are one unit. */
const MATCH_WORK = 5;
const INSTRUCTIONS_PER_UNIT = 20;
/** Compiled expressions that are kept. */
const CACHE_SIZE = 500;

const cache = new Map<string, Matcher>();

/**
 * A matcher for `source`. Flags are Ruby's: `i` ignores case, `m` lets the dot match newlines, `x` skips blanks and
 * comments. Throws a LanguageError (ArgumentError) for what is refused above.
 */
export function compileRegex(source: string, flags = ''): Matcher {
  const key = `${flags}/${source}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const matcher = compile(source, flags);
  if (cache.size >= CACHE_SIZE) cache.delete(cache.keys().next().value as string);
  cache.set(key, matcher);
  return matcher;
}

/** Recognises text of the form `/…/flags`; null for all other text. */
export function literalRegex(text: string): { readonly source: string; readonly flags: string } | null {
  if (!text.startsWith('/')) return null;
  const end = text.lastIndexOf('/');
  if (end < 1) return null;
  const flags = text.slice(end + 1);
  return /^[imx]*$/.test(flags) ? { source: text.slice(1, end), flags } : null;
}

function compile(source: string, flags: string): Matcher {
  if (source.length > MAX_REGEX_LENGTH)
    throw refused(source, `it has more than ${MAX_REGEX_LENGTH.toLocaleString('en')} characters`);
  let bits = RE2JS.MULTILINE;
  if (flags.includes('i')) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes('m')) bits |= RE2JS.DOTALL;
  const translated = translate(source, flags.includes('x'));
  let program: RE2JS;
  try {
    program = RE2JS.compile(translated, bits);
  } catch (error) {
    throw refused(
      source,
      error instanceof Error ? error.message.replace('error parsing regexp: ', '') : 'syntax error',
    );
  }
  const size = program.programSize();
  if (size > MAX_PROGRAM_SIZE) throw refused(source, 'its repeats unfold into too much');
  const bounded = (text: string, work: Work): string => {
    if (text.length * size > MAX_MATCH_WORK)
      throw refused(source, `a text of ${text.length} characters is too long for it`);
    work.spend(MATCH_WORK + Math.ceil((text.length * size) / INSTRUCTIONS_PER_UNIT));
    return text;
  };
  return {
    test: (text, work = FREE) => program.test(bounded(text, work)),
    match: (text, work = FREE) => {
      const found = program.matcher(bounded(text, work));
      if (!found.find()) return null;
      const groups: (string | null)[] = [];
      for (let i = 0; i <= found.groupCount(); i++) groups.push(found.group(i));
      return { groups, index: found.start(0) };
    },
  };
}

/** Where something was found; indexes count UTF-16 units, groups are as in `Match`. */
export type Found = { readonly start: number; readonly end: number; readonly groups: readonly (string | null)[] };

/** An expression in the engine's own dialect. `work`: instructions times characters one look through `text` may take. */
export type PlainMatcher = {
  readonly work: (text: string) => number;
  readonly all: (text: string, limit: number) => readonly Found[];
  readonly test: (text: string) => boolean;
};

/** As `compileRegex`, for callers who have translated their dialect into the engine's themselves. Flags are `i`, `m` (`^` and `$` at
 * lines) and `s`. Throws a LanguageError (ArgumentError). */
export function compilePlain(source: string, flags: string): PlainMatcher {
  if (source.length > MAX_REGEX_LENGTH) throw refused(source, `it has more than ${MAX_REGEX_LENGTH} characters`);
  let repeats = 0;
  for (const [, least = '', most = ''] of source.matchAll(/\{(\d*)(?:,(\d*))?\}/g)) repeats += Number(most || least);
  if (repeats > MAX_REPEATS) throw refused(source, 'its repeats unfold into too much');
  let program: RE2JS;
  try {
    program = RE2JS.compile(
      source,
      (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) |
        (flags.includes('m') ? RE2JS.MULTILINE : 0) |
        (flags.includes('s') ? RE2JS.DOTALL : 0),
    );
  } catch (error) {
    throw refused(
      source,
      error instanceof Error ? error.message.replace('error parsing regexp: ', '') : 'syntax error',
    );
  }
  const size = program.programSize();
  if (size > MAX_PROGRAM_SIZE) throw refused(source, 'its repeats unfold into too much');
  return {
    work: (text) => (text.length + 1) * size,
    test: (text) => program.test(text),
    all: (text, limit) => {
      const matcher = program.matcher(text);
      const found: Found[] = [];
      while (found.length < limit && matcher.find()) {
        const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i));
        found.push({ start: matcher.start(0), end: matcher.end(0), groups });
      }
      return found;
    },
  };
}

function refused(source: string, why: string): LanguageError {
  return new LanguageError('ArgumentError', `cannot use the regular expression /${shorten(source, 60)}/: ${why}`);
}

/** Escapes of Ruby that the engine spells differently. In a class, the bracketed ones are used without brackets. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['h', '[0-9a-fA-F]'],
  ['H', '[^0-9a-fA-F]'],
  ['s', '[\\t\\n\\v\\f\\r ]'],
  ['S', '[^\\t\\n\\v\\f\\r ]'],
  ['e', '\\x1b'],
  ['Z', '(?:\\n?\\z)'],
  ['R', '(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])'],
]);
const IN_CLASS: ReadonlyMap<string, string> = new Map([
  ['h', '0-9a-fA-F'],
  ['s', '\\t\\n\\v\\f\\r '],
  ['e', '\\x1b'],
]);

/** Ruby's named sets take in all of Unicode; the engine's `[:alpha:]` only ASCII. */
const NAMED_SETS: ReadonlyMap<string, string> = new Map([
  ['alpha', '\\p{L}\\p{M}'],
  ['upper', '\\p{Lu}'],
  ['lower', '\\p{Ll}'],
  ['digit', '\\p{Nd}'],
  ['alnum', '\\p{L}\\p{M}\\p{Nd}'],
  ['space', '\\t\\n\\v\\f\\r \\x{85}\\p{Z}'],
  ['punct', '\\p{P}'],
]);

/** Ruby's dialect into the engine's, character by character. What neither knows is left for the engine to complain of. */
function translate(source: string, extended: boolean): string {
  let out = '';
  let inClass = false;
  let repeats = 0;
  let i = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = i;
    return pattern.exec(source);
  };
  while (i < source.length) {
    const char = source[i] as string;
    if (char === '\\') {
      const [text, length] = translateEscape(source, i, inClass);
      out += text;
      i += length;
    } else if (inClass) {
      if (char === '[') {
        const named = take(/\[:(\^?)([a-z]+):\]/y);
        if (named === null) throw refused(source, 'a class in a class is not supported, escape the "["');
        const set = NAMED_SETS.get(named[2] as string);
        out += set === undefined || named[1] === '^' ? named[0] : set;
        i += named[0].length;
      } else {
        if (char === '&' && source[i + 1] === '&') throw refused(source, '"&&" in a class is not supported');
        if (char === ']') inClass = false;
        out += char;
        i += 1;
      }
    } else if (char === '[') {
      const opening = (take(/\[\^?\]?/y) as RegExpExecArray)[0];
      inClass = true;
      out += opening.endsWith(']') ? `${opening.slice(0, -1)}\\]` : opening;
      i += opening.length;
    } else if (char === '(' && source[i + 1] === '?') {
      const [text, length] = translateGroup(source, i);
      out += text;
      i += length;
    } else if (char === '{') {
      const count = take(/\{(\d*)(?:(,)(\d*))?\}/y);
      const [whole = '', least = '', comma = '', most = ''] = count ?? [];
      if (least === '' && most === '') {
        out += '\\{';
        i += 1;
      } else {
        repeats += Number(most || least);
        if (repeats > MAX_REPEATS) throw refused(source, 'its repeats unfold into too much');
        out += `{${least || '0'}${comma}${most}}`;
        i += whole.length;
      }
    } else if (extended && (/\s/.test(char) || char === '#')) {
      i += char === '#' ? (take(/#[^\n]*/y) as RegExpExecArray)[0].length : 1;
    } else {
      out += char;
      i += 1;
    }
  }
  return out;
}

/** One escape: what the engine wants, and how many characters it took. */
function translateEscape(source: string, at: number, inClass: boolean): readonly [string, number] {
  const next = String.fromCodePoint(source.codePointAt(at + 1) ?? 0x5c);
  const unicode = /\\u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/y;
  unicode.lastIndex = at;
  const code = unicode.exec(source);
  if (code !== null) return [`\\x{${code[1] ?? code[2]}}`, code[0].length];
  const named = /\\([pP])\{(\^?)([A-Za-z]+)\}/y;
  named.lastIndex = at;
  const set = named.exec(source);
  if (set !== null) {
    const members = NAMED_SETS.get((set[3] as string).toLowerCase());
    if (members === undefined || (inClass && set[1] === 'P')) return [set[0], set[0].length];
    const negated = (set[1] === 'P') !== (set[2] === '^');
    if (inClass) return [negated ? set[0] : members, set[0].length];
    return [`[${negated ? '^' : ''}${members}]`, set[0].length];
  }
  const special = (inClass ? IN_CLASS : ESCAPES).get(next);
  if (special !== undefined) return [special, 2];
  const isLiteral = next.length > 1 || next > '\x7f' || /[\s<>"'`~!@#%&=:;,_/-]/.test(next);
  if (isLiteral) return [/[-&~]/.test(next) ? `\\${next}` : next, 1 + next.length];
  return [source.slice(at, at + 2), 2];
}

/** The head of a `(?…` group: comments vanish, Ruby's `m` is the engine's `s`. */
function translateGroup(source: string, at: number): readonly [string, number] {
  const comment = /\(\?#[^)]*\)/y;
  comment.lastIndex = at;
  const skipped = comment.exec(source);
  if (skipped !== null) return ['', skipped[0].length];
  const switches = /\(\?([imx]*)(?:-([imx]*))?([:)])/y;
  switches.lastIndex = at;
  const found = switches.exec(source);
  if (found === null) return ['(?', 2];
  const [whole, on = '', off = '', end = ''] = found;
  if (on.includes('x')) throw refused(source, 'switching on "x" inside is not supported, use the flag');
  const spelled = (letters: string): string => letters.replace('x', '').replace('m', 's');
  const minus = spelled(off) === '' ? '' : `-${spelled(off)}`;
  if (spelled(on) === '' && minus === '') return [end === ':' ? '(?:' : '', whole.length];
  return [`(?${spelled(on)}${minus}${end}`, whole.length];
}
