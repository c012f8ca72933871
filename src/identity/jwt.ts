import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { isStorable } from '../model/storable.ts';
import { readTenant, type Tenant } from '../model/tenant.ts';
import { cut } from '../model/text.ts';
import { urlOf } from '../model/url.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Issuer } from './issuers.ts';
import { type KeySource, makeKeySource } from './jwks.ts';
import { type Principal, SCOPES, type Scope } from './principal.ts';

/*
 * Tokens that others issue (RFC 7519). Which issuer a token names decides how it is read, and nothing else in it is believed before its
 * signature is: the algorithms come from the settings, and keys that a token brings along are not looked at.
 */

/** By so much clocks may differ. */
export const LEEWAY_SECONDS = 30;
export const TOKEN_LENGTH_MAX = 8_192;
const KID_LENGTH_MAX = 200;
const SUBJECT_SHOWN = 100;
const SUBJECT_LENGTH_MAX = 1_000;
/** Tokens that were verified, and for how long that is remembered: verifying costs as much as the rest of a request. */
const REMEMBERED_MAX = 10_000;
export const REMEMBERED_MS = 60_000;
/** Keys that a token without a `kid` is held against: while keys are exchanged there are two or three. */
const KEYS_TRIED_MAX = 8;
/** Three parts of base64url, without padding: one token has one text. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** What in the head of a token would have us use its own keys, or understand what we do not. */
const FOREIGN_PARTS = ['crit', 'jku', 'jwk', 'x5u', 'x5c'];

export type TokenFound =
  | { readonly kind: 'good'; readonly principal: Principal }
  /** `why` is for the log. */
  | { readonly kind: 'bad'; readonly why: string }
  /** The keys of its issuer cannot be had. */
  | { readonly kind: 'unknown' };

export type Tokens = {
  /** Whether tokens are taken at all. */
  readonly areTaken: boolean;
  /** What is remembered of a token; null: it must be verified. */
  remembered(token: string): Principal | null;
  verify(token: string): Promise<TokenFound>;
  /** Forgets what is remembered of tokens, and has the keys of issuers read anew by whoever asks next. */
  readAnew(): void;
};

export function makeTokens(parts: {
  readonly issuers: readonly Issuer[];
  /** Longest life of a token, in seconds. */
  readonly lifeSecondsMax: number;
  readonly staleSeconds: number;
  readonly time: Pick<ProcessTime, 'now'>;
  /** The machine's clock, in milliseconds since 1970. */
  readonly wall: () => number;
  readonly log: Log;
}): Tokens {
  const { issuers, lifeSecondsMax, staleSeconds, time, wall, log } = parts;
  type Remembered = { readonly principal: Principal; readonly until: number };
  let remembered = makeBoundedMap<Remembered>(REMEMBERED_MAX);
  const sources = new Map<Issuer, KeySource>();
  for (const issuer of issuers)
    if (issuer.keys.kind !== 'secret')
      sources.set(
        issuer,
        makeKeySource(issuer.keys, {
          issuer,
          time,
          log,
          staleMs: staleSeconds * 1000,
          onChange: () => {
            remembered = makeBoundedMap(REMEMBERED_MAX);
          },
        }),
      );

  async function verified(token: string, issuer: Issuer): Promise<JWTPayload | 'unknown'> {
    const options = {
      issuer: issuer.issuer,
      audience: [...issuer.audiences],
      algorithms: [...issuer.algorithms],
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(wall()),
    };
    if (issuer.keys.kind === 'secret') return (await jwtVerify(token, issuer.keys.secret, options)).payload;
    const source = sources.get(issuer) as KeySource;
    for (let isAgain = false; ; isAgain = true) {
      const set = await source.current();
      if (set === null) return 'unknown';
      try {
        return await judged(() => jwtVerify(token, set, options));
      } catch (error) {
        if (error instanceof errors.JWKSMultipleMatchingKeys)
          return await byOneOf(error, (key) => jwtVerify(token, key, options));
        // A key nobody here has seen: its issuer has another set by now, perhaps.
        if (isAgain || !(error instanceof errors.JWKSNoMatchingKey) || !(await source.readAgain())) throw error;
      }
    }
  }

  return {
    areTaken: issuers.length > 0,
    readAnew: () => {
      for (const source of sources.values()) source.expire();
      remembered = makeBoundedMap(REMEMBERED_MAX);
    },
    remembered: (token) => {
      const one = remembered.get(hashOf(token));
      return one !== undefined && one.until > wall() ? one.principal : null;
    },
    verify: async (token) => {
      try {
        const issuer = issuerOf(token, issuers);
        if (typeof issuer === 'string') return { kind: 'bad', why: issuer };
        const payload = await verified(token, issuer);
        if (payload === 'unknown') return { kind: 'unknown' };
        const principal = principalOf(payload, issuer, lifeSecondsMax, wall());
        if (typeof principal === 'string') return { kind: 'bad', why: principal };
        const until = Math.min(principal.until ?? 0, wall() + REMEMBERED_MS);
        remembered.set(hashOf(token), { principal, until });
        return { kind: 'good', principal };
      } catch (error) {
        if (error instanceof errors.JOSEError) return { kind: 'bad', why: `${error.code}: ${error.message}` };
        throw error;
      }
    },
  };
}

type Judge = () => Promise<{ readonly payload: JWTPayload }>;

/** @throws JOSEError also where a key of the issuer is none, or too weak: with such a key no token is good */
async function judged(judge: Judge): Promise<JWTPayload> {
  try {
    return (await judge()).payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw error;
    throw new errors.JWKInvalid(`the key it names is of no use: ${(error as Error).message}`);
  }
}

/** A token that does not say by which key it was signed, while its issuer has several of the kind. */
async function byOneOf<Key>(keys: AsyncIterable<Key>, judge: (key: Key) => ReturnType<Judge>): Promise<JWTPayload> {
  let tried = 0;
  for await (const key of keys) {
    if (++tried > KEYS_TRIED_MAX) break;
    try {
      return await judged(() => judge(key));
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKInvalid)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Whose it says it is; or why it is not looked at further. @throws JOSEError for what is no token */
function issuerOf(token: string, issuers: readonly Issuer[]): Issuer | string {
  if (token.length > TOKEN_LENGTH_MAX) return 'it is too long';
  if (!COMPACT.test(token)) return 'it is no token';
  let head: { readonly [part: string]: unknown };
  let claims: JWTPayload;
  try {
    head = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    return 'it is no token';
  }
  const foreign = FOREIGN_PARTS.find((part) => Object.hasOwn(head, part));
  if (foreign !== undefined) return `its head has ${foreign}`;
  if (typeof head['kid'] === 'string' && head['kid'].length > KID_LENGTH_MAX) return 'its kid is too long';
  return issuers.find(({ issuer }) => issuer === claims.iss) ?? 'its issuer is not known here';
}

function principalOf(claims: JWTPayload, issuer: Issuer, lifeSecondsMax: number, now: number): Principal | string {
  const { sub, exp, iat } = claims;
  if (typeof sub !== 'string' || sub === '' || sub.length > SUBJECT_LENGTH_MAX || !isStorable(sub))
    return 'its subject is none';
  if (exp === undefined) return 'it has no end';
  const from = iat ?? now / 1000;
  if (from > now / 1000 + LEEWAY_SECONDS) return 'it was issued in a time to come';
  if (exp - from > lifeSecondsMax + LEEWAY_SECONDS) return 'it lives too long';
  const named = claims[issuer.tenantClaim];
  const tenant: Tenant | null = issuer.tenant ?? (typeof named === 'string' ? readTenant(named) : null);
  if (tenant === null) return 'it names no tenant';
  return {
    kind: 'jwt',
    id: `jwt:${hashOf(`${issuer.issuer}\n${sub}`)}`,
    tenant,
    scopes: scopesIn(claims[issuer.scopeClaim], issuer.scopes),
    actor: `jwt:${hostOf(issuer.issuer)}:${cut(sub, SUBJECT_SHOWN)}`,
    until: (exp + LEEWAY_SECONDS) * 1000,
  };
}

function scopesIn(claim: unknown, map: ReadonlyMap<string, Scope>): ReadonlySet<Scope> {
  const words = typeof claim === 'string' ? claim.split(/\s+/) : Array.isArray(claim) ? claim : [];
  const found = new Set(words.map((word: unknown) => (typeof word === 'string' ? map.get(word) : undefined)));
  return new Set(SCOPES.filter((scope) => found.has(scope)));
}

const hostOf = (issuer: string): string => (urlOf(issuer)?.host || issuer).slice(0, 100);
