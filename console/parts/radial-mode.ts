import type { StreamParser, StringStream } from '@codemirror/language';
import { EXPRESSION_NAMES } from '../../src/model/vocabulary.ts';

type State = { readonly indent: number; where: 'head' | 'rest' | 'quoted'; quote: string };

/* Radial for the editor: a line is a head, an optional text, and attributes; what is in quotes may hold ${…}. */
export const radial: StreamParser<State> = {
  name: 'radial',
  startState: () => ({ indent: 0, where: 'head', quote: '' }),
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    if (stream.sol()) state.where = 'head';
    if (state.where === 'quoted') return quoted(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.peek() === '#') {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(/^[,;|]/)) return 'punctuation';
    if (stream.match(/^['"]/)) {
      state.quote = stream.current();
      state.where = 'quoted';
      return 'string';
    }
    if (state.where === 'head') {
      state.where = 'rest';
      const head = stream.match(/^[^\s,#'"]+/);
      if (head !== null && typeof head === 'object' && EXPRESSION_NAMES.has(head[0])) return 'keyword';
      return 'typeName';
    }
    if (stream.match(/^[A-Za-z_][\w-]*(?=\s*:(\s|$|['"[{]))/)) return 'propertyName';
    if (stream.match(/^\$\{?[\w:.]*\}?/)) return 'variableName';
    if (stream.match(/^-?\d+(\.\d+)?\b/)) return 'number';
    if (stream.match(/^(true|false|null|nil)\b/)) return 'atom';
    if (stream.match(/^[^\s,#'"$:]+/)) return null;
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '#' } },
};

function quoted(stream: StringStream, state: State): string {
  if (stream.match(/^\$\{[^}'"\n]*\}?/)) return 'variableName';
  for (let next = stream.next(); next !== undefined; next = stream.next()) {
    if (next === '\\') stream.next();
    else if (next === state.quote) {
      state.where = 'rest';
      return 'string';
    } else if (stream.peek() === '$') return 'string';
  }
  return 'string';
}
