import { isStorable, UNSTORABLE } from '../../model/storable.ts';

/*
 * FEEL's text as tokens. Names are letters, digits and `_` (and what Unicode adds); a blank, a dot or a dash ends one, except within
 * backticks. The names of more than one word that FEEL itself has (`string length`, `date and time`) are put together by the parser.
 */

export type Token = {
  readonly kind: 'number' | 'text' | 'name' | 'quoted' | 'sign' | 'at' | 'end';
  /** Of a text the value meant, of others as written. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
};

/** A text that is no FEEL: where, and what is wrong. */
export class FeelSyntax extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const SPACES = /[\s\u0085\u180e\u200b\u2060\ufeff]+/y;
const LINE_COMMENT = /\/\/[^\n\r]*/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[?_\p{L}\p{So}\u{10000}-\u{effff}][?_\p{L}\p{M}\p{N}\p{So}\u{10000}-\u{effff}\u00b7']*/uy;
const SIGN = /\.\.|\*\*|->|<=|>=|!=|[-+*/=<>()[\]{},:.]/y;
const QUOTED = /`([^`\n]+)`/y;

export function lex(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const lastEnd = text.lastIndexOf('*/');
  /** The first place from `from` on that is neither white space nor in a comment; a comment that is never closed is none. */
  const afterSpace = (from: number): number => {
    for (let place = from; ; ) {
      at = place;
      const found = match(SPACES) ?? match(LINE_COMMENT);
      const end = place < lastEnd && text.startsWith('/*', place) ? text.indexOf('*/', place + 2) : -1;
      if (found !== null) place += found[0].length;
      else if (end !== -1) place = end + 2;
      else return place;
    }
  };
  const push = (kind: Token['kind'], value: string, length: number): void => {
    tokens.push({ kind, text: value, at, end: at + length });
    at += length;
  };
  for (;;) {
    at = afterSpace(at);
    if (at >= text.length) break;
    const first = text[at] as string;
    if (first === '"') {
      const { value, end } = textAt(text, at);
      push('text', value, end - at);
      continue;
    }
    if (first === '@') {
      at++;
      at = afterSpace(at);
      if (text[at] !== '"') throw new FeelSyntax(at, 'expected a text in quotes after "@"');
      const { value, end } = textAt(text, at);
      push('at', value, end - at);
      continue;
    }
    const number = match(NUMBER);
    if (number !== null) {
      // `1..3` is a range: the first dot is none of the number's.
      push('number', number[0], number[0].length);
      continue;
    }
    const name = match(NAME);
    if (name !== null) {
      push('name', name[0], name[0].length);
      continue;
    }
    const sign = match(SIGN);
    if (sign !== null) {
      push('sign', sign[0], sign[0].length);
      continue;
    }
    const quoted = match(QUOTED);
    if (quoted !== null) {
      push('quoted', quoted[1] as string, quoted[0].length);
      continue;
    }
    throw new FeelSyntax(at, `${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))} cannot stand here`);
  }
  tokens.push({ kind: 'end', text: '', at: text.length, end: text.length });
  return tokens;
}

const ESCAPES: { readonly [letter: string]: string } = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

function textAt(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = '';
  let at = start + 1;
  for (;;) {
    const stop = nextStop(text, at);
    if (stop < 0) throw new FeelSyntax(start, 'this text is never closed');
    value += text.slice(at, stop);
    if (text[stop] === '"') {
      if (!isStorable(value)) throw new FeelSyntax(start, `this text ${UNSTORABLE}`);
      return { value, end: stop + 1 };
    }
    const letter = text[stop + 1] ?? '';
    const digits = letter === 'u' ? 4 : letter === 'U' ? 6 : 0;
    const escaped = ESCAPES[letter];
    if (digits > 0) {
      const hex = text.slice(stop + 2, stop + 2 + digits);
      const code = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
      if (code < 0 || code > 0x10ffff) throw new FeelSyntax(stop, `\\${letter} needs ${digits} hexadecimal digits`);
      value += String.fromCodePoint(code);
      at = stop + 2 + digits;
    } else if (escaped !== undefined) {
      value += escaped;
      at = stop + 2;
    } else {
      // As the kit has it: a backslash before anything else stands for itself (`\s` in a pattern).
      value += '\\';
      at = stop + 1;
    }
  }
}

function nextStop(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '"' || text[at] === '\\') return at;
  return -1;
}
