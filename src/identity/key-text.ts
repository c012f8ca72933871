import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * An API key as a text: `rota_<id>_<secret><check>`, with 12, 43 and 6 characters of base 62. The check is a CRC-32 of all before it, so
 * that a slip of the pen is told without a look-up, and scanners of source code know a key when they see one.
 */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
/** 43 digits of base 62 are a little more than 256 bits. */
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
const KEY = /^rota_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}$/;

/** What every key begins with; nothing else that is sent as a bearer token does. */
export const KEY_PREFIX = 'rota_';

/** Digits of base 62 from the system's random source, each as likely as any other. */
export function randomDigits(length: number): string {
  // Bytes from here on would make the first digits likelier than the rest.
  const fair = 256 - (256 % DIGITS.length);
  let text = '';
  while (text.length < length)
    for (const byte of randomBytes(2 * length))
      if (byte < fair && text.length < length) text += DIGITS[byte % DIGITS.length];
  return text;
}

/** A number as digits of base 62, padded with zeros in front. */
export function inDigits(value: number, length: number): string {
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / DIGITS.length)) text = DIGITS[rest % DIGITS.length] + text;
  return text.padStart(length, '0').slice(-length);
}

const checkOf = (before: string): string => inDigits(crc32(before), CHECK_LENGTH);

/** Makes a key nobody has had before. `id`: the same key with another secret. */
export function makeKey(id = randomDigits(ID_LENGTH)): { readonly id: string; readonly text: string } {
  const before = `${KEY_PREFIX}${id}_${randomDigits(SECRET_LENGTH)}`;
  return { id, text: before + checkOf(before) };
}

/** The id in a key; null for every text that is none. */
export function idOfKey(text: string): string | null {
  const id = KEY.exec(text)?.[1];
  if (id === undefined) return null;
  const before = text.slice(0, -CHECK_LENGTH);
  return checkOf(before) === text.slice(-CHECK_LENGTH) ? id : null;
}

/** What is kept of a key: 256 random bits need no slow hash. */
export const hashOfKey = (text: string): string => hash('sha256', text, 'base64url');

/** Whether two texts are the same, in a time that tells nothing about where they differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
