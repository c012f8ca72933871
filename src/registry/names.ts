/* Names of stored definitions: `name` or `namespace/name`, compared byte by byte; `order@3` is a name and a version. */

const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** Words that addresses need for themselves, in whatever case. */
export const RESERVED: ReadonlySet<string> = new Set(
  'versions run activate stats validate convert places diff edit'.split(' '),
);

/** What is wrong with a name, in words that fit behind "the name", or null. */
export function nameComplaint(name: string): string | null {
  const parts = name.split('/');
  if (parts.length > 2 || !parts.every((part) => PART.test(part)))
    return 'must be name or namespace/name, each of 1 to 64 letters, digits, _ . and -, not beginning with . or -';
  return parts.some((part) => RESERVED.has(part.toLowerCase()))
    ? `must not be a word that addresses need: ${[...RESERVED].join(', ')}`
    : null;
}

/** Versions count from 1. */
export const VERSION_MAX = 10_000;

/** `order` or `order@3`; null: neither. `version` null: the active one. */
export function readReference(text: string): { readonly name: string; readonly version: number | null } | null {
  const [, name = '', version] = /^([^@]*)(?:@(\d{1,9}))?$/.exec(text) ?? [];
  if (nameComplaint(name) !== null) return null;
  return { name, version: version === undefined ? null : Number(version) };
}
