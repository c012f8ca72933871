import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { CallbackRequest } from './message.ts';

/*
 * Signatures of what is sent, as Standard Webhooks has them: over `id.timestamp.body`, one for each secret that holds, so that receivers can
 * change from one to the next at their leisure.
 */

/** What signs: a shared secret, or an ed25519 key whose other half the receiver has. */
export type Signer = { readonly type: 'v1'; readonly key: Buffer } | { readonly type: 'v1a'; readonly key: KeyObject };

/** What a participant's own secret signs: `whsec_` and base64, or any text as it is. */
export function sharedSigner(secret: string): Signer {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  return { type: 'v1', key: encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64') };
}

/** @param seconds the time of the try, in seconds since 1970, by the machine's clock */
export function signatures(signers: readonly Signer[], id: string, seconds: number, body: string | Buffer): string {
  const before = `${id}.${seconds}.`;
  return signers
    .map((signer) => {
      // The body goes in as it is: it may be large.
      if (signer.type === 'v1')
        return `v1,${createHmac('sha256', signer.key).update(before).update(body).digest('base64')}`;
      const bytes = typeof body === 'string' ? Buffer.from(before + body) : Buffer.concat([Buffer.from(before), body]);
      return `v1a,${sign(null, bytes, signer.key).toString('base64')}`;
    })
    .join(' ');
}

/** The request of one try with its signatures; as it is where nobody signs. */
export function signed(request: CallbackRequest, signers: readonly Signer[], nowMs: number): CallbackRequest {
  if (signers.length === 0) return request;
  const seconds = Math.floor(nowMs / 1000);
  const id = request.headers['webhook-id'] ?? '';
  return {
    ...request,
    headers: {
      ...request.headers,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatures(signers, id, seconds, request.body),
    },
  };
}
