/** Headers as node:http, koa and express have them, or those of a `Request`. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Seconds by which the clocks of sender and receiver may differ; an older message may be somebody's copy. */
const AGE_SECONDS_MAX = 300;
const HMAC_PREFIX = 'whsec_';
const PUBLIC_PREFIX = 'whpk_';
/** What a public key of ed25519 begins with in DER (RFC 8410). */
const ED25519_DER = '302a300506032b6570032100';
/** Signatures of one message that are looked at: each secret that holds makes one. */
const SIGNATURES_MAX = 20;

/**
 * Whether a message was signed with this secret within the last 300 s, as Standard Webhooks has it.
 *
 * @param body the very bytes that came, not what was read from them
 * @param secret `whsec_…`, or of `v1a` the public half `whpk_…`; several: one of them
 */
export function verify({
  headers,
  body,
  secret,
}: {
  readonly headers: HeadersLike;
  readonly body: string | Uint8Array;
  readonly secret: string | readonly string[];
}): boolean {
  const id = headerOf(headers, 'webhook-id');
  const seconds = headerOf(headers, 'webhook-timestamp');
  const given = headerOf(headers, 'webhook-signature');
  if (id === null || seconds === null || given === null || !/^\d{1,12}$/.test(seconds)) return false;
  if (Math.abs(Date.now() / 1000 - Number(seconds)) > AGE_SECONDS_MAX) return false;
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const signatures = given.split(' ', SIGNATURES_MAX);
  const secrets = typeof secret === 'string' ? [secret] : secret;
  return secrets.some((one) => isSignedWith(one, `${id}.${seconds}.`, bytes, signatures));
}

function isSignedWith(secret: string, head: string, body: Uint8Array, signatures: readonly string[]): boolean {
  const crypto = nodeCrypto();
  const isPublic = secret.startsWith(PUBLIC_PREFIX);
  const version = isPublic ? 'v1a,' : 'v1,';
  const key = Buffer.from(secret.replace(isPublic ? PUBLIC_PREFIX : HMAC_PREFIX, ''), 'base64');
  const candidates = signatures
    .filter((one) => one.startsWith(version))
    .map((one) => Buffer.from(one.slice(version.length), 'base64'));
  if (isPublic) {
    const der = Buffer.concat([Buffer.from(ED25519_DER, 'hex'), key]);
    const publicKey = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
    const signed = Buffer.concat([Buffer.from(head), body]);
    return candidates.some((one) => crypto.verify(null, signed, publicKey, one));
  }
  const expected = crypto.createHmac('sha256', key).update(head).update(body).digest();
  return candidates.some((one) => one.length === expected.length && crypto.timingSafeEqual(one, expected));
}

/**
 * Asked for when a signature is looked at, not imported: the client alone loads where there is no Node, and only who receives messages
 * needs this. Bun and Deno have it, too.
 */
function nodeCrypto() {
  const crypto = globalThis.process?.getBuiltinModule?.('node:crypto');
  if (crypto === undefined) throw new Error('Signatures are checked with node:crypto, which is not here');
  return crypto;
}

/** One header by its lower-case name; null: it is not there, or there several times. */
export function headerOf(headers: HeadersLike, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const own = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (typeof own === 'string') return own;
  return own?.length === 1 ? (own[0] ?? null) : null;
}
