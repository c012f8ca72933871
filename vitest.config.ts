import { defineConfig } from 'vitest/config';

/** Tests that want a Postgres; whoever needs one elsewhere names the file `….postgres.test.ts`. */
const ON_POSTGRES = ['test/store/**/*.test.ts', 'test/**/*.postgres.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['test/support/embedded-template.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'plain',
          include: ['test/**/*.test.ts'],
          exclude: ON_POSTGRES,
          testTimeout: 20_000,
          globalSetup: ['test/support/embedded-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: ON_POSTGRES,
          globalSetup: ['test/support/embedded-setup.ts', 'test/support/postgres-setup.ts'],
          // The embedded database takes seconds to be made; a loaded machine takes longer.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
