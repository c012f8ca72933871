import { describe, expect, test } from 'vitest';
import { checkHost, checkOrigin, checkOwnRequest, type PagePolicy } from '../../src/api/middleware/pages.ts';

/* By what a page of a stranger is told from our own, and a name that was made up for us from one that is ours. */

const POLICY: PagePolicy = {
  hosts: ['rota.example', 'rota.test'],
  origins: ['https://app.test'],
  own: 'https://rota.example',
  scheme: 'http',
};
const passes = (
  check: (header: (name: string) => string | null, policy: PagePolicy) => void,
  headers: Record<string, string>,
  policy: PagePolicy = POLICY,
): string => {
  try {
    check((name) => headers[name] ?? null, policy);
    return 'passes';
  } catch (thrown) {
    return (thrown as { readonly code?: string }).code ?? String(thrown);
  }
};

describe('a name', () => {
  test.each([
    ...['localhost', 'LOCALHOST:8080', 'localhost.', 'api.localhost', '127.0.0.1', '127.0.0.1:8080', '127.1.2.3'],
    ...[
      '[::1]',
      '[::1]:8080',
      '[::]',
      '[fe80::1]:80',
      '[::ffff:127.0.0.1]',
      '10.0.0.7',
      '[2001:db8::7]:443',
      '0.0.0.0',
    ],
    ...['rota.example', 'rota.test:9000', 'Rota.Test.'],
  ])('is ours, or plainly an address: %s', (host) => {
    expect(passes(checkHost, { host })).toBe('passes');
  });

  test.each([
    // Names that lead to loopback because somebody wants them to.
    ...[
      'evil.test',
      'localhost.evil.test',
      '127.0.0.1.evil.test',
      '127.0.0.1.nip.io',
      'rota.test.evil.test',
      'evilrota.test',
    ],
    // Addresses as no browser writes them, halves of one, and what only begins like one.
    ...[
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.1',
      '[::1',
      '[::1]evil.test',
      '[::1]:80evil.test',
      '127.0.0.1:80:evil.test',
    ],
    ...[
      '127.0.0.1@evil.test',
      'localhost@evil.test',
      'localhost,evil.test',
      'localhost evil.test',
      'localhost\u0000',
      'notlocalhost',
      '[::1%25lo]x',
    ],
    ...['', '.', ':80', '１２７.0.0.1', 'localhoſt'],
  ])('is not: %j', (host) => {
    expect(passes(checkHost, { host })).toBe('host_not_allowed');
  });
});

describe('a request that changes something', () => {
  const host = '[::1]:8080';
  test.each([
    {},
    { origin: 'http://[::1]:8080' },
    { origin: 'https://rota.example' },
    { origin: 'https://app.test' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    // A browser asks before it sends one of these for a page, and is not answered.
    { origin: 'https://evil.test', authorization: 'Bearer x' },
    { origin: 'null', 'x-api-key': 'x' },
  ])('may come from here: %j', (headers) => {
    expect(passes(checkOrigin, { host, ...(headers as Record<string, string>) })).toBe('passes');
  });

  test.each([
    ...[
      'https://evil.test',
      'null',
      'http://evil.test',
      'http://rota.example',
      'https://rota.example:8443',
      'https://rota.example.evil.test',
    ],
    ...[
      'https://[::1]:8080',
      'http://[::1]',
      'http://[::1]:8081',
      'http://[::1]:8080.evil.test',
      'http://localhost:8080',
      'http://127.0.0.1:8080',
    ],
    ...[
      'https://app.test.evil.test',
      'http://app.test',
      'https://app.test:444',
      'https://app.test/',
      'HTTPS://APP.TEST',
      'file://',
      '',
      'chrome-extension://abc',
      'https://app.test, https://evil.test',
    ],
  ])('may not come from a page of %j, whatever else it says', (origin) => {
    for (const more of [{}, { 'sec-fetch-site': 'same-origin' }, { 'rota-console': '1' }])
      expect(passes(checkOrigin, { host, origin, ...(more as Record<string, string>) })).toBe('origin_not_allowed');
  });

  test.each(['cross-site', 'same-site', 'SAME-ORIGIN', ''])('may not come from a page that says it is %j', (site) => {
    expect(passes(checkOrigin, { host, 'sec-fetch-site': site })).toBe('origin_not_allowed');
  });

  test('may come from any page only where that was said', () => {
    for (const origin of ['https://evil.test', 'null'])
      expect(passes(checkOrigin, { host, origin }, { ...POLICY, origins: ['*'] })).toBe('passes');
  });

  test('needs our own origin and our own header with a cookie, whatever origins may call', () => {
    const policy = { ...POLICY, origins: ['*', 'https://app.test'] };
    const good = { host, origin: 'http://[::1]:8080', 'rota-console': '1' };
    expect(passes(checkOwnRequest, good, policy)).toBe('passes');
    expect(passes(checkOwnRequest, { ...good, origin: 'https://rota.example' }, policy)).toBe('passes');
    for (const other of [
      { ...good, origin: 'https://app.test' },
      { ...good, origin: 'null' },
      { ...good, 'rota-console': '0' },
      { host, 'rota-console': '1', 'sec-fetch-site': 'same-origin' },
      { host, origin: 'http://[::1]:8080' },
    ])
      expect(passes(checkOwnRequest, other as Record<string, string>, policy)).toBe('origin_not_allowed');
  });
});
