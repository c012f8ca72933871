/**
 * The beginning of `text`, at most `limit` UTF-16 units long, cut between characters: half a surrogate pair is no text,
 * and no database keeps it.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHalf ? limit - 1 : limit);
}

/** As `cut`, with `…` behind what was longer. */
export const shorten = (text: string, limit: number): string => (text.length <= limit ? text : `${cut(text, limit)}…`);

/** A value as a message shows it: JSON, at most `limit` units of it. */
export const shownJson = (value: unknown, limit = 200): string => shorten(JSON.stringify(value) ?? '', limit);

/** The characters of `text`, each a text: both halves of a surrogate pair together. */
export const charactersOf = (text: string): string[] => Array.from(text);

/** How many characters `text` has; a surrogate pair counts as one. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) continue;
    const before = text.charCodeAt(i - 1);
    if (before >= 0xd800 && before <= 0xdbff) count -= 1;
  }
  return count;
}
