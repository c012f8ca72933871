import type { Answer } from '../model/stimulus.ts';
import { done, fault, isGone } from './answers.ts';
import { sendKept } from './life/holding.ts';
import { takeUp } from './queue.ts';
import type { World } from './state/world.ts';

/* Pausing a workflow, and letting it go on. */

export function pause(world: World): Answer {
  if (isGone(world)) return fault('workflow_over', 'the workflow is over and cannot be paused');
  if (world.header.pausedAt !== null) return done;
  world.header.pausedAt = world.now;
  world.hold = world.now;
  world.record({ kind: 'workflow.paused' });
  return done;
}

export function resume(world: World): Answer {
  if (isGone(world)) return fault('workflow_over', 'the workflow is over and cannot be resumed');
  if (world.header.pausedAt === null) return done;
  goOn(world);
  return done;
}

/** Lifts a pause: due times shift by its length, kept answers count now. */
export function goOn(world: World): void {
  const { header } = world;
  takeUp(world);
  const from = header.pausedAt ?? world.now;
  world.shift = world.now - from;
  header.overslept = [from, world.now];
  header.pausedAt = null;
  sendKept(world);
  header.aside = false;
  world.record({ kind: 'workflow.resumed' });
}
