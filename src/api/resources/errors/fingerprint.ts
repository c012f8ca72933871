import { createHash } from 'node:crypto';

/** Longest beginning of a message that is looked at. */
const MESSAGE_CHARACTERS_MAX = 500;

/** The same for errors that differ only in ids, numbers and quoted texts: their class and what is left of the message. */
export function fingerprintOf(kind: string, message: string): string {
  const bare = message
    .slice(0, MESSAGE_CHARACTERS_MAX)
    .replaceAll(/"[^"]*"|'[^']*'/g, '"…"')
    .replaceAll(/\b[\w-]*\d[\w-]*\b/g, '#');
  return createHash('sha256').update(`${kind}\n${bare}`).digest('hex').slice(0, 16);
}
