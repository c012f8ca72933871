/* Where somebody went by the find box, the last ones first: kept on this device, for the key and tenant of whoever went there. */

export type Last = { readonly word: string; readonly to: string };

const LASTS_MAX = 10;
/** Views of a list that somebody keeps beside those that are given. */
export const VIEWS_MAX = 20;

const isLast = (value: unknown): value is Last =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Last).word === 'string' &&
  typeof (value as Last).to === 'string' &&
  (value as Last).to.startsWith('/');

/** What was kept (of addresses with a name, at most `most`); anything else there means none. */
export function lastsIn(kept: string | null, most = LASTS_MAX): readonly Last[] {
  try {
    const read = JSON.parse(kept ?? '[]') as unknown;
    return Array.isArray(read) ? read.filter(isLast).slice(0, most) : [];
  } catch {
    return [];
  }
}

/** The same with one more on top; each address stands there once. */
export const withLast = (lasts: readonly Last[], one: Last): readonly Last[] =>
  [one, ...lasts.filter(({ to }) => to !== one.to)].slice(0, LASTS_MAX);
