import { createHmac } from 'node:crypto';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import { isSame } from './key-text.ts';

/*
 * What a participant is given: the right to answer for one workitem, as a part of its `proceed_url`. `<which key>.<mac>`, with the first 16
 * bytes of an HMAC-SHA256. It names no end: the workitem's end is its end.
 */

/** A key that signs, or has signed. */
export type RingKey = {
  /** Four characters, beside each signature. */
  readonly name: string;
  readonly key: Buffer;
  /** Until when what it has signed is good, in milliseconds since 1970 (the machine's clock); null: for good. */
  readonly until: number | null;
};

/** Newest first; empty where nothing is signed. */
export type Ring = () => readonly RingKey[];

const MAC_BYTES = 16;
const TOKEN = /^([0-9A-Za-z]{4})\.[\w-]{22}$/;

const macOf = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES).toString('base64url');

/** `<name>.<mac>` of a text by the newest key; null: there is none. */
export function signText(ring: Ring, text: string): string | null {
  const [newest] = ring();
  return newest === undefined ? null : `${newest.name}.${macOf(newest.key, text)}`;
}

/** Whether one of the keys that still hold has signed the text so. */
export function isSigned(ring: Ring, text: string, token: string, now: number): boolean {
  const name = TOKEN.exec(token)?.[1];
  if (name === undefined) return false;
  return ring().some(
    (one) =>
      one.name === name && (one.until === null || one.until > now) && isSame(`${name}.${macOf(one.key, text)}`, token),
  );
}

export type Capabilities = {
  /** The token of a workitem; null: none are given out. */
  mint(tenant: Tenant, workitem: string): string | null;
  /** Whether the token is of this workitem. */
  isOf(token: string, tenant: Tenant, workitem: string): boolean;
  /** Whether it looks like one of ours, signed by a key that is there. */
  isKnown(token: string): boolean;
};

/** What is signed: the tenant makes one of another tenant worthless even where ids meet. */
const textOf = (tenant: Tenant, workitem: string): string => `rota/workitem/1\n${tenant}\n${workitem}`;

/** Tokens given out here that are remembered: who has one brings it back soon, mostly, and to this node. */
const MINTED_MAX = 10_000;

export function makeCapabilities(parts: {
  readonly ring: Ring;
  readonly wall: () => number;
  /** Whether tokens are given out. */
  readonly mints: boolean;
}): Capabilities {
  const { ring, wall, mints } = parts;
  /** By what was signed: the token, and the key it is by. */
  const minted = makeBoundedMap<{ readonly token: string; readonly by: RingKey }>(MINTED_MAX);

  /** The token of a text by the newest key; null: there is none. */
  function tokenOf(text: string): string | null {
    const [by] = ring();
    const known = minted.get(text);
    if (by === undefined) return null;
    if (known?.by === by) return known.token;
    const token = signText(ring, text);
    if (token !== null) minted.set(text, { token, by });
    return token;
  }

  return {
    mint: (tenant, workitem) => (mints ? tokenOf(textOf(tenant, workitem)) : null),
    isOf: (token, tenant, workitem) => {
      const text = textOf(tenant, workitem);
      const known = minted.get(text);
      // What the newest key has signed here need not be signed once more to be compared.
      if (known !== undefined && known.by === ring()[0] && isSame(known.token, token)) return true;
      return isSigned(ring, text, token, wall());
    },
    isKnown: (token) => {
      const name = TOKEN.exec(token)?.[1];
      return name !== undefined && ring().some((one) => one.name === name);
    },
  };
}
