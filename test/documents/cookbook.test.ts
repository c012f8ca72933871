import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../../scripts/cookbook.ts';

test.each(Object.entries(PAGES))('%s is what the tested cases say', (file, page) => {
  const stale = `${file} is stale: run npm run docs`;
  expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8') === page() ? '' : stale).toBe('');
});
