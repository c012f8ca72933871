/** What is wrong with a definition and where. Lines and columns count from 1; columns are characters, not bytes. */
export type Complaint = Place & {
  readonly message: string;
  /** Of BPMN: the id of the element, or what it is. */
  readonly element?: string;
  /** Of BPMN: what it is that is not run here. */
  readonly unsupported?: string;
};
export type Place = { readonly line: number; readonly column: number };

/**
 * The signal by which a reader gives up from deep inside its grammar. No other room sees it: read.ts turns it into
 * a complaint, so that a bad definition is an ordinary value for everybody else.
 */
export class Refusal extends Error {
  /** Where in the text, in UTF-16 units. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Gives up reading at `offset`. */
export function refuse(offset: number, message: string): never {
  throw new Refusal(offset, message);
}

/** A complaint about the place `offset` of `text`. Counts lines only now: good definitions never pay for it. */
export const complaintAt = (text: string, offset: number, message: string): Complaint => ({
  message,
  ...placeAt(text, offset),
});

/** Line and column of `offset`. */
export function placeAt(text: string, offset: number): Place {
  let line = 1;
  let lineStart = 0;
  for (let newline = text.indexOf('\n'); newline !== -1 && newline < offset; newline = text.indexOf('\n', lineStart)) {
    line += 1;
    lineStart = newline + 1;
  }
  let column = 1;
  for (let i = lineStart; i < offset; i += (text.codePointAt(i) ?? 0) > 0xffff ? 2 : 1) column += 1;
  return { line, column };
}

/** How a stretch of the text is named in a complaint: quoted, short, control characters visible. */
export function quoted(text: string): string {
  const shown = JSON.stringify(shortened(text));
  return shown === '"\\""' ? `'"'` : shown;
}

/** As much of a name as fits in a complaint; names come from strangers and may be as long as the definition. */
export function shortened(text: string): string {
  const characters = [...text.slice(0, 82)];
  return characters.length > 40 ? `${characters.slice(0, 40).join('')}…` : text;
}

/** Names the character at `offset`, or the end of the text. */
export function characterAt(text: string, offset: number): string {
  const codePoint = text.codePointAt(offset);
  return codePoint === undefined ? 'the end of the definition' : quoted(String.fromCodePoint(codePoint));
}
