import process from 'node:process';
import type { WriteStream } from 'node:tty';

/* Colour for people: on a terminal that has it, and none where NO_COLOR says so (https://no-color.org). */

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

type Stream = { readonly isTTY?: boolean; readonly hasColors?: WriteStream['hasColors'] };

/** A text for this stream in a colour, or as it is. */
export function painted(
  text: string,
  colour: Colour | null,
  stream: Stream = process.stdout,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const isPlain = (environment['NO_COLOR'] ?? '') !== '' || stream.isTTY !== true;
  if (colour === null || isPlain || stream.hasColors?.() === false) return text;
  return `\u001b[${CODES[colour]}m${text}\u001b[39m`;
}

const OF_STATUS: ReadonlyMap<string, Colour> = new Map([
  ['running', 'cyan'],
  ['completed', 'green'],
  ['error', 'red'],
  ['paused', 'yellow'],
  ['cancelling', 'yellow'],
  ['cancelled', 'yellow'],
  ['killed', 'yellow'],
]);

/** How a workflow stands, `text` being the status with blanks behind it or without. */
export const paintedStatus = (text: string): string => painted(text, OF_STATUS.get(text.trim()) ?? null);
