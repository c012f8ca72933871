import { LanguageError } from '../language-error.ts';
import { compilePlain, MAX_REGEX_LENGTH, type PlainMatcher } from '../regex.ts';
import { subtracts, writtenOut } from './character-class.ts';
import type { Fuel } from './fuel.ts';
import { wrong } from './values.ts';

/*
 * Patterns of FEEL are XPath's. They run on the engine without backtracking, which knows no back-references; these are errors
 * of the expression.
 */

/** Instructions times characters that cost one unit of fuel: linear is not fast. */
const WORK_PER_UNIT = 2_000;
const KNOWN_MAX = 500;
const known = new Map<string, PlainMatcher>();

/** A matcher whose looks through `of` are paid for here. Throws a LanguageError. */
export function compilePattern(source: string, flags: string, of: string, fuel: Fuel): PlainMatcher {
  if (!/^[smixq]*$/.test(flags)) throw wrong(`${JSON.stringify(flags.slice(0, 40))} are no flags: s, m, i, x, q`);
  const key = `${flags}/${source}`;
  let matcher = known.get(key);
  if (matcher === undefined) {
    matcher = compiled(source, flags);
    if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value as string);
    known.set(key, matcher);
  }
  fuel.spend(1 + matcher.work(of) / WORK_PER_UNIT);
  return matcher;
}

function compiled(source: string, flags: string): PlainMatcher {
  if (source.length > MAX_REGEX_LENGTH) throw wrong(`a pattern has more than ${MAX_REGEX_LENGTH} characters`);
  try {
    const translated = flags.includes('q')
      ? source.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      : translate(flags.includes('x') ? withoutBlanks(source) : source, flags.includes('s'));
    return compilePlain(translated, flags.replace(/[xq]/g, ''));
  } catch (error) {
    if (error instanceof LanguageError && error.errorClass === 'ArgumentError') throw wrong(error.message);
    throw error;
  }
}

/** Blanks outside of classes do not count with the flag x. */
function withoutBlanks(source: string): string {
  let made = '';
  let depth = 0;
  for (const [index, character] of [...source].entries()) {
    const isEscaped = source[index - 1] === '\\';
    if (character === '[' && !isEscaped) depth++;
    else if (character === ']' && !isEscaped) depth--;
    if (depth > 0 || !/[\t\n\r ]/.test(character)) made += character;
  }
  return made;
}

const BLOCKS: { readonly [name: string]: string } = {
  BasicLatin: '\\x{00}-\\x{7F}',
  'Latin-1Supplement': '\\x{80}-\\x{FF}',
  Greek: '\\x{370}-\\x{3FF}',
  Cyrillic: '\\x{400}-\\x{4FF}',
  Hebrew: '\\x{590}-\\x{5FF}',
  Arabic: '\\x{600}-\\x{6FF}',
};

function translate(source: string, dotAll: boolean): string {
  let made = '';
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const character = source[i] as string;
    if (character === '\\') {
      const block = /\\([pP])\{Is([A-Za-z0-9-]+)\}/y;
      block.lastIndex = i;
      const found = block.exec(source);
      if (found !== null) {
        const range = BLOCKS[found[2] as string];
        if (range === undefined) throw wrong(`there is no block ${found[2]} in patterns here`);
        made += inClass ? range : `[${found[1] === 'P' ? '^' : ''}${range}]`;
        i += found[0].length - 1;
        continue;
      }
      const next = source[i + 1] ?? '';
      if (/[0-9]/.test(next)) throw wrong(`the pattern refers back to a group (\\${next}), which is not supported`);
      made +=
        next === 'i' ? letters(inClass, 'A-Za-z_:') : next === 'c' ? letters(inClass, '-A-Za-z0-9._:') : `\\${next}`;
      i++;
    } else if (inClass) {
      if (character === '[') throw wrong('the pattern has a [ in a class, which is written \\[');
      if (character === ']') inClass = false;
      made += character;
    } else if (character === '[' && subtracts(source, i)) {
      const { text, end } = writtenOut(source, i);
      made += text;
      i = end;
    } else if (character === '[') {
      inClass = true;
      made += character;
      if (source[i + 1] === '^') {
        made += '^';
        i++;
      }
    } else if (character === '.' && !dotAll) made += '[^\\n\\r]';
    else if (character === '(' && source[i + 1] === '?' && source[i + 2] !== ':')
      throw wrong('the pattern looks around or switches flags, which is not supported');
    else made += character;
  }
  return made;
}

const letters = (inClass: boolean, set: string): string => (inClass ? set : `[${set}]`);
