import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { urlOf } from '../model/url.ts';
import { type AddressList, plainAddress } from '../runtime/addresses.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { TargetList } from './target-lists.ts';

/*
 * Where callbacks may go. Launching strangers name the URLs, so we must not become their way into our own network: only http and
 * https, never to addresses that belong to the machine's surroundings (link-local, metadata services, multicast, reserved ranges), to
 * loopback and private ranges as the setting says. The same rules are applied to the text of a URL at launch and, because a name can
 * point elsewhere a moment later, to every address a try actually connects to (post.ts).
 */

export type TargetPolicy = {
  readonly allowPrivate: boolean;
  /** Private addresses that may be called although others may not. */
  readonly privateRanges?: AddressList;
  /** Nothing else is called. */
  readonly allow?: TargetList;
  /** Never called, whatever else is said. */
  readonly deny?: TargetList;
  readonly denyPorts?: ReadonlySet<number>;
};

/** `public`: may be called; `private`: loopback and private ranges, as the setting says; `forbidden`: never. */
export type AddressClass = 'public' | 'private' | 'forbidden';

/** Longest URL a callback may have. */
export const URL_CHARACTERS_MAX = 8_192;

/** Names that always mean the metadata service of a cloud. */
const METADATA_NAMES: readonly string[] = ['metadata.google.internal', 'metadata.goog', 'instance-data'];
/** Addresses of metadata services outside the ranges that are forbidden anyway. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(
  ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192'].map((address) =>
    ipaddr.parse(address).toString(),
  ),
);
const PRIVATE_RANGES: readonly string[] = ['loopback', 'private', 'carrierGradeNat', 'uniqueLocal'];

/** URLs whose text has been looked at: participants are called over and over. */
const URLS_REMEMBERED_MAX = 1_000;

/** `targetComplaint` for one policy, which remembers what it has said. */
export function makeTargetCheck(policy: TargetPolicy): (url: string) => string | null {
  const complaints = makeBoundedMap<string | null>(URLS_REMEMBERED_MAX);
  return (url) => {
    const known = complaints.get(url);
    if (known !== undefined) return known;
    const complaint = targetComplaint(url, policy);
    if (url.length <= URL_CHARACTERS_MAX) complaints.set(url, complaint);
    return complaint;
  };
}

/** Why a callback may not go to `url`, in words that fit behind "the URL", or null. Looks at the text only; names are not resolved. */
export function targetComplaint(url: string, policy: TargetPolicy): string | null {
  if (url.length > URL_CHARACTERS_MAX) return `is longer than ${URL_CHARACTERS_MAX} characters`;
  const read = urlOf(url);
  if (read === null) return 'is no URL';
  const { protocol, username, password, hostname, port } = read;
  if (protocol !== 'http:' && protocol !== 'https:') return 'is neither http nor https';
  if (username !== '' || password !== '') return 'holds a user name or a password';
  const host = hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  if (host === '') return 'names no host';
  if (METADATA_NAMES.includes(host)) return 'names a metadata service';
  const at = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  if (policy.denyPorts?.has(at) === true) return `names port ${at}, which DENY_PORTS has`;
  if (isIP(host) !== 0) return addressComplaint(host, policy);
  if (policy.deny?.hasName(host) === true) return DENIED;
  const { allow } = policy;
  if (allow !== undefined && !allow.hasName(host) && !allow.hasRanges) return NOT_ALLOWED;
  const local = host === 'localhost' || host.endsWith('.localhost');
  return local && !policy.allowPrivate && policy.privateRanges === undefined
    ? 'names this machine, which ALLOW_PRIVATE_TARGETS=1 would allow'
    : null;
}

const DENIED = 'leads to a place that DENY_TARGETS has';
const NOT_ALLOWED = 'leads to a place that ALLOW_TARGETS has not';

/**
 * Why a callback may not go to this address, in words that fit behind "the URL", or null.
 *
 * @param name the name that was found to be this address; null: the URL has the address itself
 */
export function addressComplaint(address: string, policy: TargetPolicy, name: string | null = null): string | null {
  const { allow, deny, privateRanges } = policy;
  const kind = classOfAddress(address);
  if (kind === 'forbidden') return 'leads to an address that is never called';
  const reached = reachedBy(address);
  const isIn = (has: (one: string) => boolean): boolean => reached.some(has);
  if (deny !== undefined && isIn(deny.hasAddress)) return DENIED;
  if (kind === 'private' && !policy.allowPrivate && !(privateRanges !== undefined && isIn(privateRanges)))
    return 'leads to a private address, which ALLOW_PRIVATE_TARGETS=1 would allow';
  if (allow === undefined || (name !== null && allow.hasName(name)) || isIn(allow.hasAddress)) return null;
  return NOT_ALLOWED;
}

/** An address, and the IPv4 address inside that its packets end up at. */
function reachedBy(text: string): readonly string[] {
  const bare = plainAddress(text);
  if (isIP(bare) !== 6) return [bare];
  const parsed = ipaddr.parse(new URL(`http://[${bare}]`).hostname.slice(1, -1));
  const bytes = parsed.toByteArray();
  switch (parsed.range() as string) {
    case 'ipv4Mapped':
    case 'rfc6052':
      return [bare, dotted(bytes, 12)];
    case '6to4':
      return [bare, dotted(bytes, 2)];
    case 'teredo':
      return [bare, dotted(inverted(bytes), 12)];
    default:
      return [bare];
  }
}

/**
 * What kind of place an IP address is. Addresses that carry an IPv4 address inside (mapped, NAT64, 6to4, Teredo) are what that
 * one is, for that is where their packets end up.
 */
export function classOfAddress(text: string): AddressClass {
  const bare = text.replace(/%.*$/, '');
  if (isIP(bare) === 0) return 'forbidden';
  // The library takes `::127.0.0.1` for a mapped address; written with hexadecimal digits only it does not.
  const address = isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
  const parsed = ipaddr.parse(address);
  if (METADATA_ADDRESSES.has(parsed.toString())) return 'forbidden';
  const range: string = parsed.range();
  if (parsed.kind() === 'ipv4') return classOfRange(range);
  const bytes = parsed.toByteArray();
  switch (range) {
    case 'ipv4Mapped':
      return classOfAddress(dotted(bytes, 12));
    case 'rfc6052':
      // The well-known prefix 64:ff9b::/96 only; where 64:ff9b:1::/48 leads is a local matter.
      return bytes[5] === 0 ? classOfAddress(dotted(bytes, 12)) : 'forbidden';
    case '6to4':
      return classOfAddress(dotted(bytes, 2));
    case 'teredo':
      return classOfAddress(dotted(inverted(bytes), 12));
    case 'unicast':
      // ::/96, IPv4 addresses of an early day, counts as unicast to the library.
      return bytes.slice(0, 12).every((byte) => byte === 0) ? 'forbidden' : 'public';
    default:
      return classOfRange(range);
  }
}

const classOfRange = (range: string): AddressClass =>
  range === 'unicast' ? 'public' : PRIVATE_RANGES.includes(range) ? 'private' : 'forbidden';

const dotted = (bytes: readonly number[], from: number): string => bytes.slice(from, from + 4).join('.');
const inverted = (bytes: readonly number[]): readonly number[] => bytes.map((byte) => byte ^ 0xff);
