import { relative, sep } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/*
 * The order of test files: one project after the other, so that a process goes on with what it has loaded; and in each those that take
 * longest first, so that no worker is left alone with one of them at the end.
 */

/** Files that take more than some ten seconds, longest first. Whoever is missing here costs time, nothing else. */
const LONG: readonly string[] = [
  'test/conformance/over-http.postgres.test.ts',
  'test/crash/crash.postgres.test.ts',
  'test/store/distributed.test.ts',
  'test/race/nodes.postgres.test.ts',
  'test/store/postgres.test.ts',
  'test/bpmn/over-http.postgres.test.ts',
  'test/console/walks.test.ts',
  'test/crash/crash.test.ts',
  'test/conformance/over-http.test.ts',
  'test/server/process.test.ts',
  'test/crash/middle-of-step.test.ts',
  'test/chaos/chaos.test.ts',
  'test/simulation/simulation.test.ts',
  'test/failover/failover.test.ts',
];

/** In this order. */
const PROJECTS: readonly string[] = ['database', 'plain', 'counted'];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    const rank = (file: TestSpecification): readonly [number, number] => {
      const at = LONG.indexOf(relative(root, file.moduleId).split(sep).join('/'));
      return [PROJECTS.indexOf(file.project.name), at < 0 ? LONG.length : at];
    };
    // Sorting keeps the order of equals: that of the names, which is the same everywhere.
    return [...files]
      .sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
      .sort((a, b) => {
        const [[projectA, longA], [projectB, longB]] = [rank(a), rank(b)];
        return projectA - projectB || longA - longB;
      });
  }
}
