import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/sequencer.ts';

/** Counts how often each line runs: in a process of its own, for it counts in all that the process has loaded, and slows all of it down. */
const COUNTED = ['test/safety/linear.test.ts'];

/** What holds for the tests of both projects. */
const EACH = {
  pool: 'forks',
  // Files share a process, one after the other, and what it has loaded: loading it for each file took a tenth of the time of all tests, and
  // compiling the embedded database as much again. Nothing in src/ keeps anything between two servers; what a file changes of the process
  // (a clock, the console, the environment) it puts back. One project for all of them, for a process belongs to a project.
  isolate: false,
  setupFiles: ['test/support/embedded-template.ts'],
  // The embedded database takes seconds to be made; a loaded machine takes longer.
  testTimeout: 60_000,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    // One more than there are cores, for many tests wait: for a lease, a database, another process. The cluster has connections for four.
    maxWorkers: Math.min(availableParallelism() + 1, 4),
    sequence: { sequencer: LongestFirst },
    // Once for all projects.
    globalSetup: ['test/support/setup.ts'],
    projects: [
      { test: { ...EACH, name: 'shared', include: ['test/**/*.test.ts'], exclude: COUNTED } },
      { test: { ...EACH, name: 'counted', include: COUNTED, isolate: true } },
    ],
  },
});
