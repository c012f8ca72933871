/* Ranges of time in addresses: `2026-11-20..`, `-2h..`, `2026-11-01..2026-11-30`, where `-2h` is two hours before now, and `..1h` until in an hour. */

const UNITS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as RFC 3339; null: the text means none. */
function momentOf(text: string, now: number): string | null {
  const ago = /^(-?\d{1,6})([mhd])$/.exec(text);
  const at = ago === null ? Date.parse(text) : now + Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  return Number.isNaN(at) || (ago === null && !/^\d{4}-\d\d-\d\d/.test(text)) ? null : new Date(at).toISOString();
}

/** Both ends, each null when it is open; null when the text is no range. Relative ends are cut to the minute, so that a question stays the same. */
export function rangeOf(
  text: string,
  now: number,
): { readonly from: string | null; readonly to: string | null } | null {
  const parts = text.split('..');
  if (parts.length !== 2) return null;
  const minute = Math.floor(now / 60_000) * 60_000;
  const [from = '', to = ''] = parts.map((one) => one.trim());
  const ends = { from: from === '' ? null : momentOf(from, minute), to: to === '' ? null : momentOf(to, minute) };
  return (from !== '' && ends.from === null) || (to !== '' && ends.to === null) || (from === '' && to === '')
    ? null
    : ends;
}
