import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { makeSealing } from '../../src/identity/sealing.ts';
import { openStore } from '../../src/store/open.ts';
import type { SecretRow } from '../../src/store/store.ts';
import { readyFolder } from '../support/ready-folder.ts';

/* `rota secrets reseal` on the database of a folder. */

const [OLD, NEW, OTHER] = [1, 2, 3].map((n) => Buffer.alloc(32, n)) as [Buffer, Buffer, Buffer];
const folder = mkdtempSync(join(tmpdir(), 'rota-reseal-'));
const dataDir = join(folder, 'data');
beforeAll(() => void readyFolder(dataDir));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The two secrets as they lie there. @param isFirst they are written before */
async function stored(isFirst = false): Promise<readonly SecretRow[]> {
  const store = await openStore({ databaseUrl: null, dataDir, prepared: true });
  try {
    if (isFirst)
      for (const id of ['one', 'two']) {
        const row = { id, tenant: 'default', kind: 'webhook', type: 'v1', match: id, createdBy: 'nobody' };
        await store.secrets.add({ ...row, value: `value of ${id}`, previous: id === 'two' ? 'before' : null });
      }
    return (await store.secrets.newest({ tenant: null, limit: 10, after: null })).items;
  } finally {
    await store.close();
  }
}

async function reseal(
  keys: readonly Buffer[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((text: string) => void out.push(text)),
    vi.spyOn(console, 'error').mockImplementation((text: string) => void err.push(text)),
  ];
  vi.stubEnv('DATA_DIR', dataDir).stubEnv('SECRETS_KEY', keys.map((key) => key.toString('base64')).join(','));
  try {
    return { code: await run(['secrets', 'reseal']), out: out.join('\n'), err: err.join('\n') };
  } finally {
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}

test('secrets that lay open are sealed, then sealed with another key, and with that alone can be read', async () => {
  expect((await stored(true)).map(({ value }) => value).sort()).toEqual(['value of one', 'value of two']);
  expect(await reseal([OLD])).toMatchObject({ code: 0, out: '2 secrets are sealed anew.' });
  expect(await reseal([NEW, OLD])).toMatchObject({ code: 0, out: '2 secrets are sealed anew.' });
  const rows = await stored();
  const [now, before] = [makeSealing([NEW]), makeSealing([OLD])];
  for (const { id, value, previous } of rows) {
    expect(now.open(id, value)).toBe(`value of ${id}`);
    expect(before.open(id, value)).toBe(null);
    expect(previous === null ? null : now.open(id, previous)).toBe(id === 'two' ? 'before' : null);
  }
  // A key that opens none of them changes nothing, and says which secret it was.
  const wrong = await reseal([OTHER]);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toMatch(/secret (one|two) is sealed with a key that SECRETS_KEY does not have/);
  expect(await stored()).toEqual(rows);
});
