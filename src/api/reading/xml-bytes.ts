/*
 * The text of an XML file as it came: a byte order mark, or what the file says of itself, tells how it is written.
 */

/** How far into a file its declaration is looked for. */
const DECLARATION_MAX = 200;

/** The text; null: the bytes are none in this encoding. An encoding that is not read here comes back as `{ unknown }`. */
export function xmlText(bytes: Buffer): string | null | { readonly unknown: string } {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return decoded('utf-16le', bytes);
  if (a === 0xfe && b === 0xff) return decoded('utf-16be', bytes);
  // Without a mark the first character, `<`, tells.
  if (a === 0x3c && b === 0 && c !== 0 && d === 0) return decoded('utf-16le', bytes);
  if (a === 0 && b === 0x3c && c === 0 && d !== 0) return decoded('utf-16be', bytes);
  const declared = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']/.exec(
    bytes.subarray(0, DECLARATION_MAX).toString('latin1'),
  );
  const name = (declared?.[1] ?? 'utf-8').trim().toLowerCase();
  if (name === 'utf-8' || name === 'utf8' || name === 'us-ascii') return decoded('utf-8', bytes);
  if (name === 'iso-8859-1' || name === 'latin1') return bytes.toString('latin1');
  return { unknown: name };
}

function decoded(encoding: string, bytes: Buffer): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
