import type { Engine } from '../engine/engine.ts';
import type { Dispatcher } from '../outbox/dispatcher.ts';
import type { Timers } from './timers.ts';

/**
 * Does what is due now and resolves when this node is at rest: no step queued or under way, no try waiting or under way, nothing due
 * that could be claimed, every outcome written. Never resolves while a workflow never rests; callers bring their own patience.
 */
export function makeQuiet(parts: {
  readonly engine: Pick<Engine, 'quiet' | 'figures'>;
  readonly dispatcher: Pick<Dispatcher, 'quiet' | 'figures'>;
  readonly timers: Pick<Timers, 'quiet' | 'figures'>;
}): () => Promise<void> {
  const { engine, dispatcher, timers } = parts;
  const activity = (): number => {
    const tries = dispatcher.figures();
    return (
      engine.figures().steps +
      tries.delivered +
      tries.refused +
      tries.unreachable +
      tries.dropped +
      timers.figures().fed
    );
  };
  return async () => {
    // Each may wake the others: quiet is a round in which nobody did anything.
    for (let before = Number.NaN; before !== activity(); ) {
      before = activity();
      await timers.quiet();
      await dispatcher.quiet();
      await engine.quiet();
    }
  };
}
