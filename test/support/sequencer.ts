import { relative, sep } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/*
 * The order of test files: those that take longest first, so that no worker is left alone with one of them at the end; before them the one that
 * has a process of its own, so that the others go on with what their processes have loaded.
 */

/** Files that take more than some seconds, longest first. Whoever is missing here costs time, nothing else. */
const LONG: readonly string[] = [
  'test/console/walks.test.ts',
  'test/console/walks-workflow.test.ts',
  'test/console/walks-pages.test.ts',
  'test/crash/crash.test.ts',
  'test/conformance/over-http.test.ts',
  'test/crash/crash.postgres.test.ts',
  'test/conformance/over-http.postgres.test.ts',
  'test/server/process.test.ts',
  'test/crash/middle-of-step.test.ts',
  'test/store/postgres.test.ts',
  'test/chaos/chaos.test.ts',
  'test/race/nodes.postgres.test.ts',
  'test/failover/failover.test.ts',
  'test/store/distributed.test.ts',
  'test/simulation/simulation.test.ts',
  'test/store/start-together.test.ts',
  'test/store/statements.test.ts',
  'test/failover/cells.postgres.test.ts',
  'test/store/two-nodes.test.ts',
  'test/store/at-once.test.ts',
  'test/store/on-postgres.test.ts',
  'test/store/data-dir.test.ts',
  'test/safety/wide.test.ts',
  'test/upgrade/taken-up.postgres.test.ts',
  'test/chaos/lost.test.ts',
  'test/seeds/ordering.test.ts',
  'test/api/door.test.ts',
  'test/conformance/turns.test.ts',
  'test/bpmn/over-http.test.ts',
  'test/bpmn/over-http.postgres.test.ts',
  'test/server/stalled-log.test.ts',
  'test/cli/remote.test.ts',
  'test/console/walks-strangers.test.ts',
  'test/console/walks-hands.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    const rank = (file: TestSpecification): readonly [number, number] => {
      const at = LONG.indexOf(relative(root, file.moduleId).split(sep).join('/'));
      return [file.project.config.isolate ? 0 : 1, at < 0 ? LONG.length : at];
    };
    // Sorting keeps the order of equals: that of the names, which is the same everywhere.
    return [...files]
      .sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
      .sort((a, b) => {
        const [[sharedA, longA], [sharedB, longB]] = [rank(a), rank(b)];
        return sharedA - sharedB || longA - longB;
      });
  }
}
