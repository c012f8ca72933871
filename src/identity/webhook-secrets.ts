import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Tenant } from '../model/tenant.ts';
import { urlOf } from '../model/url.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Secret } from './secret.ts';

/*
 * Secrets that callbacks are signed with (Standard Webhooks): `whsec_` and base64 of 24 to 64 bytes for HMAC-SHA256; `whsk_` and base64 of
 * the 32 bytes of a private ed25519 key followed by the 32 of the public one, which receivers know as `whpk_`.
 */

export type WebhookSigner =
  | { readonly type: 'v1'; readonly key: Buffer }
  | { readonly type: 'v1a'; readonly key: KeyObject };

const SHARED = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SHARED_BYTES_MIN = 24;
const SHARED_BYTES_MAX = 64;
const SHARED_BYTES = 32;
const HALF = 32;
/** What a private ed25519 key is wrapped in to be read (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** Pairs of tenant and URL whose secrets are remembered. */
const REMEMBERED_MAX = 10_000;

export const makeSharedSecret = (): string => `whsec_${randomBytes(SHARED_BYTES).toString('base64')}`;

export function makePrivateSecret(): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-HALF);
  const open = publicKey.export({ format: 'der', type: 'spki' }).subarray(-HALF);
  return `whsk_${Buffer.concat([seed, open]).toString('base64')}`;
}

/** Whether a text given from outside can be a shared secret. */
export function isSharedSecret(text: string): boolean {
  const bytes = Buffer.from(SHARED.exec(text)?.[1] ?? '', 'base64');
  return bytes.length >= SHARED_BYTES_MIN && bytes.length <= SHARED_BYTES_MAX;
}

const bytesOf = (value: string): Buffer => Buffer.from(value.slice(value.indexOf('_') + 1), 'base64');

/** The half that receivers may know. */
export const publicHalf = (value: string): string => `whpk_${bytesOf(value).subarray(HALF).toString('base64')}`;

function signerOf(type: Secret['type'], value: string): WebhookSigner {
  if (type !== 'v1a') return { type: 'v1', key: bytesOf(value) };
  const der = Buffer.concat([PKCS8, bytesOf(value).subarray(0, HALF)]);
  return { type: 'v1a', key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
}

/** A URL as it is compared; itself when it is none. */
export const plainUrl = (url: string): string => urlOf(url)?.href ?? url;

/** Whether a URL lies under a prefix of one, which ends at a `/`, a `?` or the end of the URL. */
export function isUnder(url: string, prefix: string): boolean {
  if (!url.startsWith(prefix)) return false;
  const next = url[prefix.length];
  return prefix.endsWith('/') || next === undefined || next === '/' || next === '?' || next === '#';
}

/** Tells which secrets a callback is signed with: of each type the one whose `match` is the longest, and those it took the place of. */
export function makeSigners(parts: { readonly wall: () => number }): {
  of(tenant: Tenant, url: string): readonly WebhookSigner[];
  /** From now on these are the secrets, newest first. */
  set(secrets: readonly Secret[]): void;
  /** Whether the secret that signs whatever no other signs, of this tenant, has signed for several hosts here. */
  isForMany(tenant: Tenant): boolean;
  /** Ids of those that were asked for since this was last asked. */
  takeUsed(): ReadonlySet<string>;
} {
  type Held = { readonly id: string; readonly signer: WebhookSigner; readonly until: number | null };
  let used = new Set<string>();
  /** By tenant: the first host that was signed for with the secret for all; true: there was another one. */
  const forAll = new Map<Tenant, string | true>();
  let all: readonly Secret[] = [];
  let remembered = makeBoundedMap<readonly Held[]>(REMEMBERED_MAX);
  const made = new Map<string, WebhookSigner>();

  const signer = (type: Secret['type'], value: string): WebhookSigner => {
    const known = made.get(value) ?? signerOf(type, value);
    made.set(value, known);
    return known;
  };

  function find(tenant: Tenant, url: string): readonly Held[] {
    const plain = plainUrl(url);
    const fitting = all.filter((one) => one.tenant === tenant && (one.match === '' || isUnder(plain, one.match)));
    return (['v1', 'v1a'] as const).flatMap((type) => {
      const ofType = fitting.filter((one) => one.type === type);
      const longest = Math.max(...ofType.map(({ match }) => match.length));
      if (longest === 0 && type === 'v1') note(tenant, plain);
      return ofType
        .filter(({ match }) => match.length === longest)
        .flatMap(({ id, value, previous }) => [
          { id, signer: signer(type, value), until: null },
          ...previous.map((before) => ({ id, signer: signer(type, before.value), until: before.until })),
        ]);
    });
  }

  function note(tenant: Tenant, url: string): void {
    const host = urlOf(url)?.host ?? url;
    const known = forAll.get(tenant);
    if (known === true || known === host || (known === undefined && forAll.size >= REMEMBERED_MAX)) return;
    forAll.set(tenant, known === undefined ? host : true);
  }

  return {
    isForMany: (tenant) => forAll.get(tenant) === true,
    set: (secrets) => {
      all = secrets;
      remembered = makeBoundedMap(REMEMBERED_MAX);
      const values = new Set(all.flatMap(({ value, previous }) => [value, ...previous.map((one) => one.value)]));
      for (const value of made.keys()) if (!values.has(value)) made.delete(value);
    },
    of: (tenant, url) => {
      if (all.length === 0) return [];
      const name = `${tenant} ${url}`;
      const held = remembered.get(name) ?? find(tenant, url);
      remembered.set(name, held);
      const now = held.some(({ until }) => until !== null) ? parts.wall() : 0;
      return held.flatMap(({ id, signer: one, until }) => {
        if (until !== null && until <= now) return [];
        used.add(id);
        return [one];
      });
    },
    takeUsed: () => {
      const taken = used;
      used = new Set();
      return taken;
    },
  };
}
