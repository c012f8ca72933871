import { isRange, makeAddressList } from '../runtime/addresses.ts';

/* Lists of places that callbacks may go to, or must not: names (`hooks.example.org`, `*.example.org`), addresses and ranges of them. */

export type TargetList = {
  readonly hasName: (host: string) => boolean;
  readonly hasAddress: (address: string) => boolean;
  /** Whether it has addresses at all: then a name may turn out to be in it. */
  readonly hasRanges: boolean;
};

const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9])?)*$/;

/** An entry as it is compared, or null for one that is none. */
export function readTarget(text: string): string | null {
  const entry = text.toLowerCase().replace(/\.$/, '');
  return isRange(entry) || (NAME.test(entry) && entry.length <= 253) ? entry : null;
}

/** @param entries each of them from `readTarget` */
export function makeTargetList(entries: readonly string[]): TargetList {
  const ranges = entries.filter(isRange);
  const exact = new Set(entries.filter((entry) => !isRange(entry) && !entry.startsWith('*.')));
  const endings = entries.filter((entry) => entry.startsWith('*.')).map((entry) => entry.slice(1));
  return {
    hasName: (host) => exact.has(host) || endings.some((ending) => host.endsWith(ending)),
    hasAddress: makeAddressList(ranges),
    hasRanges: ranges.length > 0,
  };
}

/**
 * Ports that are never called unless the settings say so: those on which something else than HTTP listens, which a request could be taken for.
 * They are the bad ports of the Fetch standard.
 */
export const BAD_PORTS: readonly number[] = [
  ...[1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
  ...[110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530],
  ...[531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190],
  ...[5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
];

/** `22,25`: these and no others; `+6379`: this one, too; `none`: none. Null: it is no such list. */
export function readPorts(text: string): readonly number[] | null {
  if (text === 'none') return [];
  const parts = text.split(',').map((part) => part.trim());
  if (!parts.every((part) => /^\+?\d{1,5}$/.test(part) && Number(part) <= 65_535)) return null;
  const more = parts.filter((part) => part.startsWith('+')).map(Number);
  const own = parts.filter((part) => !part.startsWith('+')).map(Number);
  return own.length === 0 ? [...BAD_PORTS, ...more] : [...own, ...more];
}
