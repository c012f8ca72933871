import { isObject, type Json, type JsonObject } from '../model/json.ts';
import { readTenant, type Tenant } from '../model/tenant.ts';
import { urlOf } from '../model/url.ts';
import { SCOPES, type Scope } from './principal.ts';

/* Who may issue tokens that are taken here, and how they are read. */

export type Issuer = {
  /** `iss`, to the letter. */
  readonly issuer: string;
  /** One of these stands in `aud`. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys:
    | { readonly kind: 'secret'; readonly secret: Buffer }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'file'; readonly path: string };
  readonly tenantClaim: string;
  /** All its tokens are of this tenant; null: the claim says. */
  readonly tenant: Tenant | null;
  /** A text split at blanks, or a list. */
  readonly scopeClaim: string;
  /** Words of theirs, and what they mean here. */
  readonly scopes: ReadonlyMap<string, Scope>;
};

/** An issuer as it is written down: names of the settings without `JWT_`, in small letters. */
export type IssuerText = { readonly [key: string]: string | undefined };

export const ISSUERS_MAX = 8;
export const SECRET_BYTES_MIN = 32;
/** What may sign with a key that others can check: never one that they could sign with, too. */
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const DEFAULT_ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];
/** Parts of an issuer as they are written down. */
export const ISSUER_PARTS = [
  'issuer',
  'audience',
  'secret',
  'jwks',
  'algorithms',
  'tenant_claim',
  'scope_claim',
  'scope_map',
  'tenant',
];
/** Without a map these words are taken for what they say. */
const OWN_SCOPES: ReadonlyMap<string, Scope> = new Map(SCOPES.map((scope) => [`rota:${scope}`, scope]));

/** Reads an issuer; or what is wrong with it: which part, and what it must be. */
export function readIssuer(given: IssuerText): Issuer | { readonly part: string; readonly wanted: string } {
  const wrong = (part: string, wanted: string) => ({ part, wanted });
  const unknown = Object.keys(given).find((part) => !ISSUER_PARTS.includes(part));
  if (unknown !== undefined) return wrong(unknown, `one of ${ISSUER_PARTS.join(', ')}`);
  const { issuer, audience, secret, jwks, tenant: fixed } = given;
  if (issuer === undefined) return wrong('issuer', 'set: the iss of its tokens');
  const audiences = listOf(audience);
  if (audiences.length === 0) return wrong('audience', 'set: the aud of its tokens');
  if ((secret === undefined) === (jwks === undefined))
    return wrong(secret === undefined ? 'jwks' : 'secret', 'set, or the other of jwks and secret, but not both');
  const algorithms = listOf(given['algorithms']);
  const fitting = secret === undefined ? ASYMMETRIC : ['HS256'];
  if (algorithms.some((one) => !fitting.includes(one)))
    return wrong('algorithms', `of ${fitting.join(', ')}${secret === undefined ? '' : ', since there is a secret'}`);
  if (secret !== undefined && Buffer.byteLength(secret) < SECRET_BYTES_MIN)
    return wrong('secret', `at least ${SECRET_BYTES_MIN} bytes`);
  const tenant = fixed === undefined ? null : readTenant(fixed);
  if (fixed !== undefined && tenant === null)
    return wrong('tenant', '1 to 63 small letters, digits and dashes, no dash in front');
  const scopes = readScopeMap(given['scope_map']);
  if (scopes === null)
    return wrong('scope_map', `like wf-admin=admin,wf-ops=operate, with ${SCOPES.join(', ')} on the right`);
  const keys = jwks === undefined ? null : readKeys(jwks);
  if (jwks !== undefined && keys === null)
    return wrong('jwks', 'an https address, at loopback also an http one, or the path of a file');
  return {
    issuer,
    audiences,
    algorithms: algorithms.length > 0 ? algorithms : secret === undefined ? DEFAULT_ALGORITHMS : ['HS256'],
    keys: keys ?? { kind: 'secret', secret: Buffer.from(secret ?? '') },
    tenantClaim: given['tenant_claim'] ?? 'tenant',
    tenant,
    scopeClaim: given['scope_claim'] ?? 'scope',
    scopes,
  };
}

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function readKeys(text: string): Issuer['keys'] | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'file', path: text };
  const url = urlOf(text);
  if (url === null) return null;
  const { protocol, hostname } = url;
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLocal) ? { kind: 'url', url: text } : null;
}

function readScopeMap(text: string | undefined): ReadonlyMap<string, Scope> | null {
  if (text === undefined) return OWN_SCOPES;
  const map = new Map<string, Scope>();
  for (const part of listOf(text)) {
    const at = part.lastIndexOf('=');
    const scope = SCOPES.find((one) => one === part.slice(at + 1).trim());
    if (at <= 0 || scope === undefined) return null;
    map.set(part.slice(0, at).trim(), scope);
  }
  return map;
}

/** Reads the list of issuers of the file of settings; or what it must be. */
export function readIssuers(given: Json): { readonly value: readonly Issuer[] } | { readonly wanted: string } {
  if (!Array.isArray(given) || given.length > ISSUERS_MAX)
    return { wanted: `a list of at most ${ISSUERS_MAX} issuers` };
  const issuers: Issuer[] = [];
  for (const [i, one] of given.entries()) {
    if (!isObject(one)) return { wanted: 'a list of issuers, each with issuer, audience, and jwks or secret' };
    const read = readIssuer(textsOf(one));
    if ('part' in read) return { wanted: `good: ${read.part} of issuer ${i + 1} must be ${read.wanted}` };
    if (issuers.some(({ issuer }) => issuer === read.issuer))
      return { wanted: `good: issuer ${i + 1} has the name of another` };
    issuers.push(read);
  }
  return { value: issuers };
}

/** Lists as the environment has them, joined by commas, and a map as `theirs=ours`. */
const textsOf = (one: JsonObject): IssuerText =>
  Object.fromEntries(
    Object.entries(one).map(([part, value]) => [
      part,
      Array.isArray(value)
        ? value.join(',')
        : isObject(value)
          ? Object.entries(value)
              .map(([theirs, ours]) => `${theirs}=${String(ours)}`)
              .join(',')
          : value === null
            ? undefined
            : String(value),
    ]),
  );
