import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { inDigits } from './key-text.ts';

/*
 * How secrets lie in the database: as they are, or sealed with SECRETS_KEY (AES-256-GCM, the row's id as associated data, so that a sealed
 * text means nothing in another row): `1.<which key>.<iv>.<data and tag>`.
 */

export type Sealing = {
  /** Whether anything is sealed at all. */
  readonly seals: boolean;
  seal(id: string, text: string): string;
  /** Null: none of the keys opens it. */
  open(id: string, stored: string): string | null;
};

const SEALED = /^1\.([0-9A-Za-z]{4})\.([\w-]{16})\.([\w-]+)$/;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param keys of 32 bytes each; the first seals, all open; none: nothing is sealed */
export function makeSealing(keys: readonly Buffer[]): Sealing {
  const known = keys.map((key) => ({ key, name: nameOfKey(key) }));
  const [first] = known;
  return {
    seals: first !== undefined,
    seal: (id, text) => {
      if (first === undefined) return text;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', first.key, iv).setAAD(Buffer.from(id));
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `1.${first.name}.${iv.toString('base64url')}.${data.toString('base64url')}`;
    },
    open: (id, stored) => {
      const [, name, iv = '', data = ''] = SEALED.exec(stored) ?? [];
      if (name === undefined) return stored;
      for (const { key } of known.filter((one) => one.name === name)) {
        const text = opened(id, key, Buffer.from(iv, 'base64url'), Buffer.from(data, 'base64url'));
        if (text !== null) return text;
      }
      return null;
    },
  };
}

function opened(id: string, key: Buffer, iv: Buffer, data: Buffer): string | null {
  if (data.length < TAG_BYTES) return null;
  const cipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
  cipher.setAuthTag(data.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(data.subarray(0, -TAG_BYTES)), cipher.final()]).toString('utf8');
  } catch {
    // Sealed with another key, or of another row, or changed.
    return null;
  }
}

/** Four characters that tell keys apart and say nothing about them. */
export const nameOfKey = (key: Buffer): string =>
  inDigits(createHash('sha256').update('rota/name/1\n').update(key).digest().readUIntBE(0, 6), 4);
