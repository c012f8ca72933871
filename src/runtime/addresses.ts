import { BlockList, isIP } from 'node:net';

/* Addresses of the internet as texts: lists of them, and where one stands for a whole network. */

/** Whether an address is in a list. What is no address is in none. */
export type AddressList = (address: string) => boolean;

/** Whether a text is an address, or a range of them as `10.0.0.0/8`. */
export function isRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || more !== undefined || address.includes('%')) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}

/** @param ranges each of them `isRange` */
export function makeAddressList(ranges: readonly string[]): AddressList {
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return (text) => {
    const address = plainAddress(text);
    const kind = isIP(address);
    return kind !== 0 && list.check(address, kind === 6 ? 'ipv6' : 'ipv4');
  };
}

/** An IPv4 address that came as an IPv6 one (`::ffff:192.0.2.1`) as what it is; without the name of an interface. */
export function plainAddress(text: string): string {
  if (!text.includes(':') && !text.includes('%')) return text;
  const bare = text.replace(/%.*$/, '');
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
}

/** Groups of four hexadecimal digits that are one customer's: 64 bits. */
const GROUPS = 4;

/** What an address counts as: itself, or of IPv6 its /64, for whoever has one address there has all of them. */
export function networkOf(text: string): string {
  const address = plainAddress(text);
  if (isIP(address) !== 6) return address;
  const [front = '', back] = address.split('::');
  const before = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  // Dots at the end stand for two groups.
  const written = before.length + after.length + (address.includes('.') ? 1 : 0);
  const groups = back === undefined ? before : [...before, ...new Array<string>(8 - written).fill('0'), ...after];
  return `${groups
    .slice(0, GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
