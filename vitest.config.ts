import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/sequencer.ts';

/** Tests that want a Postgres; whoever needs one elsewhere names the file `….postgres.test.ts`. */
const ON_POSTGRES = ['test/store/**/*.test.ts', 'test/**/*.postgres.test.ts'];

/** Counts how often each line runs: in a process of its own, for it counts in all that the process has loaded, and slows all of it down. */
const COUNTED = ['test/safety/linear.test.ts'];

/** What holds for the tests of all projects. */
const EACH = {
  pool: 'forks',
  // Files share a process, one after the other, and what it has loaded: loading it for each file took a tenth of the time of all tests, and
  // compiling the embedded database as much again. Nothing in src/ keeps anything between two servers; what a file changes of the process
  // (a clock, the console, the environment) it puts back.
  isolate: false,
  setupFiles: ['test/support/embedded-template.ts'],
} as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Once for all projects.
    globalSetup: ['test/support/embedded-setup.ts'],
    projects: [
      {
        test: {
          ...EACH,
          name: 'plain',
          include: ['test/**/*.test.ts'],
          exclude: [...ON_POSTGRES, ...COUNTED],
          testTimeout: 20_000,
        },
      },
      { test: { ...EACH, name: 'counted', include: COUNTED, isolate: true, testTimeout: 20_000 } },
      {
        test: {
          ...EACH,
          name: 'database',
          include: ON_POSTGRES,
          globalSetup: ['test/support/postgres-setup.ts'],
          // The embedded database takes seconds to be made; a loaded machine takes longer.
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
