import { expect, test } from 'vitest';
import { readConfig } from '../../src/server/config.ts';
import { warningsOf } from '../../src/server/warnings.ts';

/* What an operator should look at, as GET /v1/info tells. */

const tenant = 'default' as Parameters<typeof warningsOf>[2];

test.each([
  ['a server at loopback', {}, true, []],
  ['one with a public address that asks nobody', { BASE_URL: 'https://rota.test' }, true, ['BASE_URL is public']],
  ['one that is meant to ask nobody', { BASE_URL: 'https://rota.test', AUTH: 'none' }, true, ['AUTH is none']],
  [
    'one whose keys can be read on the way',
    { BASE_URL: 'http://rota.test', SECRETS_KEY: Buffer.alloc(32).toString('base64') },
    false,
    ['BASE_URL is plain http'],
  ],
  ['one at loopback that asks', { BASE_URL: 'http://localhost:8080' }, false, ['SECRETS_KEY is not set']],
])('%s', async (_, settings, isOpen, beginnings) => {
  const identity = { isOpen: () => isOpen, secrets: { isForMany: () => false } };
  const events = { lateMs: 0, holder: () => Promise.resolve(null) };
  const warnings = await warningsOf(readConfig(settings as Record<string, string>), identity, tenant, events);
  expect(warnings.map((warning) => beginnings.find((beginning) => warning.startsWith(beginning)) ?? warning)).toEqual(
    beginnings,
  );
});
