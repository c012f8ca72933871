import { expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { makeSharedSecret } from '../../src/identity/webhook-secrets.ts';
import { EXCERPT_BYTES_MAX, makeExcerpt, redacted } from '../../src/outbox/excerpt.ts';

const excerptOf = (headers: Record<string, string>, ...chunks: readonly (string | Buffer)[]) => {
  const excerpt = makeExcerpt({ headers });
  for (const chunk of chunks) excerpt.take(Buffer.from(chunk as string));
  return excerpt.end();
};
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

test('of an answer its beginning is kept, and how long it was', () => {
  expect(excerptOf(JSON_TYPE)).toBe(null);
  expect(excerptOf(JSON_TYPE, '{"error":', '"no stock"}')).toEqual({
    ...{ type: JSON_TYPE['content-type'], bytes: 20, excerpt: '{"error":"no stock"}' },
  });
  const long = excerptOf({}, 'é'.repeat(300), 'é'.repeat(400), 'more');
  expect([long?.bytes, long?.excerpt]).toEqual([1_404, 'é'.repeat(EXCERPT_BYTES_MAX / 2)]);
  // Cut in the middle of a character, or with what no database holds.
  expect(excerptOf({}, 'x', 'é'.repeat(600))?.excerpt).toBe(`x${'é'.repeat(511)}`);
  expect(excerptOf({}, 'a\u0000b')?.excerpt).toBe('a\ufffdb');
});

test('of what is no text there is only the size', () => {
  expect(excerptOf({ 'content-type': 'image/png' }, 'PNG')).toEqual({ type: 'image/png', bytes: 3, excerpt: null });
  expect(excerptOf({ ...JSON_TYPE, 'content-encoding': 'gzip' }, 'x')?.excerpt).toBe(null);
});

test('what looks like a secret is left out, and the rest stays readable', () => {
  const [key, secret] = [makeKey().text, makeSharedSecret()];
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
  for (const marker of [key, secret, jwt, 's3cret'])
    for (const text of [
      `{"password":"${marker}","id":7}`,
      `{"api_key" : "${marker}", "id":7}`,
      `client_secret=${marker}&id=7`,
      `Authorization: Bearer ${marker}\nid: 7`,
      `Set-Cookie: ${marker}; id=7`,
      `{'sessionToken':'${marker}','id':7}`,
      `https://x.example/?token=${marker}&id=7`,
    ]) {
      expect(redacted(text), text).not.toContain(marker);
      expect(redacted(text), text).toContain('7');
    }
  for (const marker of [key, secret, jwt]) expect(redacted(`no ${marker} here`)).toBe('no *** here');
  const plain = '{"error":"the card 4711 was refused","code":"card_refused","line":3}';
  expect(redacted(plain)).toBe(plain);
});

test('whatever is answered, it comes to an end', () => {
  for (const text of [
    'a'.repeat(1_024),
    'a="'.repeat(341),
    'eyJ'.repeat(341),
    `"${'\\'.repeat(1_000)}`,
    'a = '.repeat(256),
  ]) {
    expect(redacted(text).length).toBeLessThanOrEqual(text.length + 3);
  }
});
