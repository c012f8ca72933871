import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import type { WebhookSigner } from '../../../identity/webhook-secrets.ts';
import type { RawBody } from '../../operation.ts';
import type { PlaygroundRequest } from './requests.ts';

/** Signatures of one message that are looked at. */
const SIGNATURES_MAX = 20;

/** Whether one of these has signed a message, as Standard Webhooks has it: over `id.timestamp.body`. */
export function signatureOf(raw: RawBody, signers: readonly WebhookSigner[]): PlaygroundRequest['signature'] {
  const given = raw.headers.get('webhook-signature');
  if (given === undefined || given === '') return 'none';
  const head = Buffer.from(`${raw.headers.get('webhook-id') ?? ''}.${raw.headers.get('webhook-timestamp') ?? ''}.`);
  const message = Buffer.concat([head, raw.bytes]);
  const found = given.split(' ', SIGNATURES_MAX).some((text) => {
    const [version, encoded = ''] = text.split(',', 2);
    const signature = Buffer.from(encoded, 'base64');
    return signers.some((signer) => signer.type === version && isBy(signer, message, signature));
  });
  return found ? 'good' : 'wrong';
}

function isBy(signer: WebhookSigner, message: Buffer, signature: Buffer): boolean {
  if (signer.type === 'v1a') return verify(null, message, createPublicKey(signer.key), signature);
  const expected = createHmac('sha256', signer.key).update(message).digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
