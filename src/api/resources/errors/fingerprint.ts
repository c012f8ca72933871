import { createHash } from 'node:crypto';

/** Longest beginning of a message that is looked at. */
const MESSAGE_CHARACTERS_MAX = 500;

/** What errors of one kind have in common. `name`: what their definition calls itself; versions of it fail in the same way. */
export type Fingerprinted = {
  readonly class: string;
  readonly message: string;
  readonly participant: string | null;
  readonly name: string | null;
  /** The expid. */
  readonly place: string;
};

/** The same for errors at one place of one definition that differ only in ids, numbers and quoted texts. */
export function fingerprintOf({ class: kind, message, participant, name, place }: Fingerprinted): string {
  const bare = message
    .slice(0, MESSAGE_CHARACTERS_MAX)
    .replaceAll(/"[^"]*"|'[^']*'/g, '"…"')
    .replaceAll(/\b[\w-]*\d[\w-]*\b/g, '#');
  // A list in JSON: no part can be taken for the end of another.
  const text = JSON.stringify([kind, participant, name, place, bare]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
