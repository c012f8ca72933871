import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeCapabilities, type RingKey } from '../../src/identity/capabilities.ts';
import { makeSealing, nameOfKey } from '../../src/identity/sealing.ts';
import type { Tenant } from '../../src/model/tenant.ts';

const tenant = 'default' as Tenant;
const workitem = '0_0!023abf5d398319b1c8fcbfaf70e7c780!20151005-1247-kogadeso-gekunute';
const keyOf = (letter: string, until: number | null = null): RingKey => {
  const key = Buffer.alloc(32, letter);
  return { name: nameOfKey(key), key, until };
};
const capabilitiesOf = (ring: readonly RingKey[], now = 0) =>
  makeCapabilities({ ring: () => ring, wall: () => now, mints: true });

describe('the token of a workitem', () => {
  const { mint, isOf } = capabilitiesOf([keyOf('a')]);
  const token = mint(tenant, workitem) ?? '';

  test('that was given out once is good for ever', () => {
    const golden = readFileSync(new URL('./golden-token.txt', import.meta.url), 'utf8').trim();
    expect(token).toBe(golden);
    expect(isOf(golden, tenant, workitem)).toBe(true);
  });

  test('is good for its workitem, in its tenant, as it is', () => {
    expect(isOf(token, tenant, workitem)).toBe(true);
    expect(isOf(token, tenant, workitem.replace('0_0', '0_1'))).toBe(false);
    expect(isOf(token, 'other' as Tenant, workitem)).toBe(false);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(isOf(token.slice(0, i) + other + token.slice(i + 1), tenant, workitem), `character ${i}`).toBe(false);
    }
    for (const odd of ['', '.', `${token}A`, token.slice(1), `${token}=`])
      expect(isOf(odd, tenant, workitem)).toBe(false);
  });

  test('by the key before is good as long as that key holds, and new ones are by the new key', () => {
    const rotated = capabilitiesOf([keyOf('b'), keyOf('a', 100)], 99);
    expect(rotated.isOf(token, tenant, workitem)).toBe(true);
    expect(rotated.mint(tenant, workitem)).not.toBe(token);
    expect(capabilitiesOf([keyOf('b'), keyOf('a', 100)], 100).isOf(token, tenant, workitem)).toBe(false);
    expect(capabilitiesOf([keyOf('b')]).isKnown(token)).toBe(false);
  });

  test('that was given out here is good as long as its key is the newest or holds, and is made anew by another key', () => {
    let ring = [keyOf('a')];
    let now = 0;
    const own = makeCapabilities({ ring: () => ring, wall: () => now, mints: true });
    const first = own.mint(tenant, workitem) ?? '';
    expect(own.mint(tenant, workitem)).toBe(first);
    expect(own.isOf(first, tenant, workitem)).toBe(true);
    expect(own.isOf(`${first.slice(0, -1)}${first.endsWith('A') ? 'Q' : 'A'}`, tenant, workitem)).toBe(false);
    ring = [keyOf('b'), keyOf('a', 100)];
    expect(own.isOf(first, tenant, workitem)).toBe(true);
    expect(own.mint(tenant, workitem)).not.toBe(first);
    now = 100;
    expect(own.isOf(first, tenant, workitem)).toBe(false);
    ring = [keyOf('c')];
    expect(own.isOf(first, tenant, workitem)).toBe(false);
    ring = [];
    expect(own.mint(tenant, workitem)).toBe(null);
  });

  test('is not given out where there is no key', () => {
    expect(capabilitiesOf([]).mint(tenant, workitem)).toBe(null);
  });
});

describe('sealing', () => {
  const [old, fresh] = [Buffer.alloc(32, 'o'), Buffer.alloc(32, 'f')];

  test('hides a text, and the key opens it for its row alone', () => {
    const { seal, open } = makeSealing([fresh]);
    const sealed = seal('row', 'whsec_secret');
    expect(sealed).not.toContain('secret');
    expect(sealed).not.toBe(seal('row', 'whsec_secret'));
    expect(open('row', sealed)).toBe('whsec_secret');
    expect(open('other row', sealed)).toBe(null);
    expect(open('row', `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`)).toBe(null);
  });

  test('by a key that is not there stays shut; with both keys either opens, and the first seals', () => {
    const sealed = makeSealing([old]).seal('row', 'text');
    expect(makeSealing([fresh]).open('row', sealed)).toBe(null);
    const both = makeSealing([fresh, old]);
    expect(both.open('row', sealed)).toBe('text');
    expect(makeSealing([fresh]).open('row', both.seal('row', 'text'))).toBe('text');
  });

  test('is left out without keys, and what lay open before is still read with them', () => {
    const none = makeSealing([]);
    expect([none.seals, none.seal('row', 'text')]).toEqual([false, 'text']);
    expect(makeSealing([fresh]).open('row', 'text')).toBe('text');
  });
});
