import { HISTORY_KINDS } from '../model/history-kinds.ts';

/** Which kinds of events a reader wants. */
export type KindFilter = (kind: string) => boolean;

const everything: KindFilter = () => true;

/** Longest list of kinds that is looked at, in characters. */
const KINDS_LENGTH_MAX = 2_000;

/**
 * Reads `workflow.*,workitem.opened`: kinds, or all of a family.
 *
 * @returns what is wrong with it, in a sentence, when it names a kind there is not
 */
export function readKinds(text: string | null): KindFilter | { readonly complaint: string } {
  if (text === null) return everything;
  if (text.length > KINDS_LENGTH_MAX) return { complaint: `kinds has more than ${KINDS_LENGTH_MAX} characters` };
  const wanted = new Set<string>();
  for (const name of text.split(',').map((part) => part.trim())) {
    const known = name.endsWith('.*')
      ? HISTORY_KINDS.filter((kind) => kind.startsWith(name.slice(0, -1)))
      : HISTORY_KINDS.filter((kind) => kind === name);
    if (known.length === 0)
      return {
        complaint: `There is no kind of event ${JSON.stringify(name.slice(0, 100))}; see GET …/history for their names`,
      };
    for (const kind of known) wanted.add(kind);
  }
  return (kind) => wanted.has(kind);
}
