import { auditRows } from '../../src/interpreter/audit.ts';
import type { Happening } from '../../src/model/stimulus.ts';
import type { World } from '../support/world.ts';

/** Audits a world after every step from now on; throws at the first step after which the rows do not add up. */
export function audited<Audited extends World>(world: Audited): Audited {
  const { stimulate } = world;
  world.stimulate = (workflow, event: Happening) => {
    const answer = stimulate(workflow, event);
    const lines = auditRows(world.whole(workflow));
    if (lines.length > 0) throw new Error(`After ${JSON.stringify(event).slice(0, 300)}:\n${lines.join('\n')}`);
    return answer;
  };
  return world;
}
