import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clientTypes } from '../../scripts/client-types.ts';

test('the types of the client are those of the published schemas; after a change run npm run schemas', () => {
  const { stdout } = spawnSync(
    process.execPath,
    ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=src/client/types.ts'],
    { input: clientTypes(), encoding: 'utf8' },
  );
  expect(stdout).toBe(readFileSync('src/client/types.ts', 'utf8'));
});
