import type { TestProject } from 'vitest/node';
import { setupEmbedded } from './embedded-setup.ts';
import { setupPostgres } from './postgres-setup.ts';

/* Runs once before all tests: makes the databases of which they get copies, both at once. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [end] = await Promise.all([setupPostgres(project), setupEmbedded(project)]);
  return end;
}
