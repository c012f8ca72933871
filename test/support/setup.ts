import type { TestProject } from 'vitest/node';
import { setupEmbedded } from './embedded-setup.ts';
import { setupPostgres } from './postgres-setup.ts';

/* Runs once before all tests: makes the databases of which they get copies, both at once. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ends = await Promise.all([setupEmbedded(project), setupPostgres(project)]);
  return async () => {
    await Promise.all(ends.map((end) => end()));
  };
}
