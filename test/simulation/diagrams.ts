import { type Draft, graphText, makeGraph } from '../bpmn/token-game.ts';
import { PARTICIPANTS } from './definitions.ts';
import type { Random } from './scheduler.ts';

/* BPMN diagrams for a simulated world: tasks of participants, timers, tasks that a timer ends, and gateways that fork, join and choose. */

/** In every world whose seed leaves this rest, half of the workflows are diagrams; all others are as they were before there were any. */
export const isDrawn = (seed: number): boolean => seed % 6 === 5;

const NODES_MAX = 12;
/** Gateways ask `c0`, `c1`… */
export const CHOICES = Array.from({ length: NODES_MAX }, (_, i) => `c${i}`);

export function makeDiagram(random: Random): string {
  const drafts = Array.from(
    { length: random.between(2, NODES_MAX) },
    (): Draft => ({
      kind: random.pick(['task', 'task', 'task', 'parallel', 'exclusive', 'inclusive']),
      targets: Array.from({ length: random.between(1, 3) }, () => random.between(0, NODES_MAX)),
      back: null,
    }),
  );
  return graphText(makeGraph(drafts), (id) => {
    const kind = random.between(0, 9);
    const timer = `<timerEventDefinition><timeDuration>PT${random.between(1, 25)}S</timeDuration></timerEventDefinition>`;
    if (kind < 2) return `<intermediateCatchEvent id="${id}">${timer}</intermediateCatchEvent>`;
    const task = `<serviceTask id="${id}"><extensionElements><zeebe:taskDefinition type="${random.pick(PARTICIPANTS)}"/></extensionElements></serviceTask>`;
    if (kind < 7) return task;
    const interrupts = random.chance(0.6);
    return (
      `${task}<boundaryEvent id="${id}_late" attachedToRef="${id}" cancelActivity="${interrupts}">${timer}</boundaryEvent>` +
      `<sequenceFlow id="${id}_l" sourceRef="${id}_late" targetRef="end"/>`
    );
  });
}
