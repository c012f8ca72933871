import type { IncomingMessage } from 'node:http';
import { type AddressList, plainAddress } from '../../runtime/addresses.ts';

/** Where a request comes from; null: its connection is gone. */
export type AddressOf = (request: IncomingMessage) => string | null;

/** Proxies that are looked through, one behind the other. */
const HOPS_MAX = 20;

/**
 * The address of the connection; behind proxies that are trusted the last one they name that is none of them. What stands before that was
 * written by somebody who may say anything.
 */
export function makeAddressOf(isTrusted: AddressList): AddressOf {
  return (request) => {
    const { remoteAddress } = request.socket;
    if (remoteAddress === undefined) return null;
    const forwarded = request.headers['x-forwarded-for'];
    if (forwarded === undefined || !isTrusted(remoteAddress)) return plainAddress(remoteAddress);
    const hops = String(forwarded).split(',').slice(-HOPS_MAX).reverse();
    let address = remoteAddress;
    for (const hop of hops) {
      address = withoutPort(hop.trim());
      if (!isTrusted(address)) break;
    }
    return plainAddress(address.slice(0, ADDRESS_LENGTH_MAX));
  };
}

/** Some proxies name the port, too, which is another with each connection. */
const withoutPort = (hop: string): string =>
  hop.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/, '$1');

/** Longest address as a text, with the name of an interface. */
const ADDRESS_LENGTH_MAX = 64;
