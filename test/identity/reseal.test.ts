import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSealing } from '../../src/identity/sealing.ts';
import { resealIn } from '../../src/server/reseal.ts';
import { openStore } from '../../src/store/open.ts';
import type { SecretRow, Store } from '../../src/store/store.ts';

/* What `rota secrets reseal` does to a database. */

const [OLD, NEW, OTHER] = [1, 2, 3].map((n) => Buffer.alloc(32, n)) as [Buffer, Buffer, Buffer];
let store: Store;
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 120_000);
afterAll(() => store.close(), 60_000);

const stored = async (): Promise<readonly SecretRow[]> =>
  (await store.secrets.newest({ tenant: null, limit: 10, after: null })).items;

test('secrets that lay open are sealed, then sealed with another key, and with that alone can be read', async () => {
  for (const id of ['one', 'two']) {
    const row = { id, tenant: 'default', kind: 'webhook', type: 'v1', match: id, createdBy: 'nobody' };
    await store.secrets.add({ ...row, value: `value of ${id}`, previous: id === 'two' ? 'before' : null });
  }
  expect(await resealIn(store, makeSealing([OLD]))).toBe(2);
  expect((await stored()).map(({ id, value }) => makeSealing([OLD]).open(id, value)).sort()).toEqual([
    'value of one',
    'value of two',
  ]);
  expect(await resealIn(store, makeSealing([NEW, OLD]))).toBe(2);
  const rows = await stored();
  const [now, before] = [makeSealing([NEW]), makeSealing([OLD])];
  for (const { id, value, previous } of rows) {
    expect(now.open(id, value)).toBe(`value of ${id}`);
    expect(before.open(id, value)).toBe(null);
    expect(previous === null ? null : now.open(id, previous)).toBe(id === 'two' ? 'before' : null);
  }
  // A key that opens none of them changes nothing, and says which secret it was.
  await expect(resealIn(store, makeSealing([OTHER]))).rejects.toThrow(
    /secret (one|two) is sealed with a key that SECRETS_KEY does not have/,
  );
  expect(await stored()).toEqual(rows);
});
