import { cpSync } from 'node:fs';
import { inject } from 'vitest';
import type {} from './embedded-setup.ts';

/** Makes a DATA_DIR with a database that has all tables and no rows, as a first start would leave it. @returns the same path */
export function readyFolder(dataDir: string): string {
  cpSync(inject('embedded').dataDir, dataDir, { recursive: true });
  return dataDir;
}
