import { readFile, stat } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Issuer } from './issuers.ts';

/* The public keys of an issuer: read, kept, and read again. What was read last serves when they cannot be had. */

export const JWKS_BYTES_MAX = 262_144;
export const JWKS_KEYS_MAX = 100;
const FETCH_MS_MAX = 5_000;
/** A set is good for so long. */
export const FRESH_MS = 600_000;
/** A set is asked for, or a file looked at, this often at most, whatever tokens name. */
export const COOLDOWN_MS = 30_000;

export type KeySet = ReturnType<typeof createLocalJWKSet>;
export type KeySource = {
  /** What is held, read before if it must be. Null: there is none, and none can be had. */
  current(): Promise<KeySet | null>;
  /** Reads anew for a key that is not there. False: it was read a moment ago, or cannot be. */
  readAgain(): Promise<boolean>;
  /** The next who asks has it read anew, however young what is held is. */
  expire(): void;
};

type Parts = {
  readonly issuer: Issuer;
  readonly time: Pick<ProcessTime, 'now'>;
  readonly log: Log;
  /** With keys that cannot be read any more, those read last serve for so long. */
  readonly staleMs: number;
  /** The keys are others than before. */
  readonly onChange: () => void;
};

/** @param keys where they are; never a secret, which nobody has to look for */
export function makeKeySource(keys: Exclude<Issuer['keys'], { kind: 'secret' }>, parts: Parts): KeySource {
  const { time, log, issuer, staleMs, onChange } = parts;
  let held: { readonly set: KeySet; readonly text: string; readonly at: number } | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let changedAt: number | null = null;
  let isExpired = false;
  let reading: Promise<boolean> | null = null;

  async function read(): Promise<boolean> {
    triedAt = time.now();
    isExpired = false;
    try {
      if (keys.kind === 'file') {
        const { mtimeMs } = await stat(keys.path);
        if (held !== null && mtimeMs === changedAt) {
          held = { ...held, at: triedAt };
          return true;
        }
        changedAt = mtimeMs;
      }
      const text = keys.kind === 'file' ? await textOfFile(keys.path) : await textOfUrl(keys.url);
      if (text !== held?.text) {
        const { set, dropped } = readSet(text);
        if (dropped > 0)
          log.warn('keys of an issuer are secrets, or no keys; they are left out', {
            event: 'jwks.dropped',
            issuer: issuer.issuer,
            keys: dropped,
          });
        held = { set, text, at: triedAt };
        onChange();
      } else held = { ...held, at: triedAt };
      return true;
    } catch (err) {
      changedAt = null;
      log.warn('the keys of an issuer cannot be read; those read last serve on', {
        event: 'jwks.failed',
        issuer: issuer.issuer,
        err,
      });
      return false;
    }
  }

  const once = (): Promise<boolean> => {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };
  const mayTry = (): boolean => isExpired || reading !== null || time.now() - triedAt >= COOLDOWN_MS;

  return {
    current: async () => {
      const age = held === null ? Number.POSITIVE_INFINITY : time.now() - held.at;
      if (isExpired || (age >= (keys.kind === 'file' ? COOLDOWN_MS : FRESH_MS) && mayTry())) await once();
      return held !== null && time.now() - held.at <= staleMs ? held.set : null;
    },
    readAgain: async () => (mayTry() ? once() : false),
    expire: () => {
      isExpired = true;
      changedAt = null;
    },
  };
}

/** @throws Error for what is no set of keys */
function readSet(text: string): { readonly set: KeySet; readonly dropped: number } {
  const all = (JSON.parse(text) as { readonly keys?: unknown }).keys;
  if (!Array.isArray(all)) throw new Error('it has no list of keys');
  if (all.length > JWKS_KEYS_MAX) throw new Error(`it has more than ${JWKS_KEYS_MAX} keys`);
  // A secret in a place that everybody may read is none; taken for one, everybody could sign.
  const keys = all.filter(
    (key: unknown) =>
      typeof key === 'object' && key !== null && ['RSA', 'EC', 'OKP'].includes(String((key as { kty?: unknown }).kty)),
  ) as JSONWebKeySet['keys'];
  return { set: createLocalJWKSet({ keys }), dropped: all.length - keys.length };
}

async function textOfFile(path: string): Promise<string> {
  if ((await stat(path)).size > JWKS_BYTES_MAX) throw new Error(`it is larger than ${JWKS_BYTES_MAX} bytes`);
  return readFile(path, 'utf8');
}

async function textOfUrl(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(FETCH_MS_MAX),
    headers: { Accept: 'application/jwk-set+json, application/json' },
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`it answers ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > JWKS_BYTES_MAX) throw new Error(`it is larger than ${JWKS_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
