import type { Engine } from '../engine/engine.ts';
import type { Schedule } from '../engine/retry-rules.ts';
import type { ParticipantLookups } from '../engine/turn.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { WorkitemRow } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import type { CallbackSettings, DeliveredText } from '../outbox/callback.ts';
import { type Dispatcher, type DispatcherSettings, makeDispatcher } from '../outbox/dispatcher.ts';
import { type DeliveryOwner, type DeliveryParts, deliveryOwner } from '../outbox/owners/delivery.ts';
import { workitemOwner } from '../outbox/owners/workitem.ts';
import type { Post } from '../outbox/post.ts';
import type { Signer } from '../outbox/signing.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Meter } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Tracing } from '../runtime/tracing.ts';
import type { UntilUsed } from '../runtime/until-used.ts';
import type { NodeRow, Store } from '../store/store.ts';
import { makeDueWatch } from './due-watch.ts';
import { makeQuiet } from './quiet.ts';
import { makeTimers, type Timers } from './timers.ts';

/** Everything a node with the role `worker` (or `all`) does by itself: it delivers callbacks and fires timers. */
export type Worker = {
  /** Takes up what is due, and from now on whatever becomes due. */
  start(): Promise<void>;
  /** Something may be due: the clock was moved, or a message was made due by hand. */
  wake(): void;
  /** Something is owed to those who are told of lifecycles. */
  owed(): void;
  /** Does what is due now; resolves when this node is at rest (quiet.ts). */
  quiet(): Promise<void>;
  /**
   * Takes up nothing more; tries under way may end for `graceSeconds`. Stop the engine afterwards (it writes their outcomes), then give
   * back what is still claimed (`store.releaseClaims`).
   */
  stop(graceSeconds: number): Promise<void>;
  readonly figures: () => {
    readonly tries: ReturnType<Dispatcher['figures']>;
    readonly agenda: ReturnType<Timers['figures']>;
  };
  /** What is known of hosts: who is left alone or asked with a single try, tries under way; and what they are promised. */
  readonly hosts: Pick<Dispatcher, 'breakers' | 'breakerTransitions' | 'underWayOf' | 'promise'>;
};

/**
 * Nearly every step emits something, and hardly ever does another workflow listen: what came of it is looked for once for all the steps
 * of this many milliseconds.
 */
export const EVENTS_MS = 25;

/**
 * Makes the worker and connects it to the engine.
 *
 * @param share which part of the agenda this node takes first (`shareOf`)
 */
export function makeWorker(parts: {
  readonly store: Store;
  readonly engine: Engine;
  readonly post: Post;
  readonly deliveredText: (row: WorkitemRow, base: string | null) => DeliveredText;
  readonly signersOf?: (tenant: Tenant, url: string) => readonly Signer[];
  readonly proceedToken?: CallbackSettings['proceedToken'];
  /** Who is told of lifecycles; left out: nobody. */
  readonly subscriptions?: DeliveryParts['subscriptions'];
  /** RETRY_DELAYS and NOTICE_DELAYS, in seconds. */
  readonly schedule?: Schedule;
  /** Who is registered; left out: nobody. */
  readonly participants?: ParticipantLookups;
  readonly clock: Clock;
  readonly time: ProcessTime;
  /** Calls back when there is something to tell subscribers, where there is no subscription and nothing was owed before. */
  readonly untilUsed: UntilUsed;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter?: Meter;
  readonly tracing?: Tracing | null;
  readonly settings: DispatcherSettings;
  /** What has to be done before the step of a due agenda row (timers.ts). */
  readonly before?: (workflow: WorkflowId, agenda: string) => Promise<void> | null;
  /** Somebody waited no more for an event that came. */
  readonly missed?: () => void;
  readonly share?: () => { readonly share: number; readonly shares: number };
}): Worker {
  const { engine, post } = parts;
  const { subscriptions, share } = parts;
  const nodes = share === undefined ? {} : { nodes: () => share().shares };
  const workitems = workitemOwner({ ...parts, ...nodes });
  const deliveries =
    subscriptions === undefined
      ? null
      : deliveryOwner({
          ...parts,
          subscriptions,
          settings: { ...parts.settings, schedule: parts.schedule ?? NO_SCHEDULE },
        });
  const dispatcher = makeDispatcher({
    ...parts,
    owners: deliveries === null ? [workitems] : [workitems, deliveries],
    settings: { ...parts.settings, ...nodes },
  });
  workitems.connect(
    dispatcher,
    deliveries === null
      ? undefined
      : () => {
          deliveries.owed();
        },
  );
  deliveries?.connect(dispatcher.wake);
  const watch = makeDueWatch({
    ...parts,
    onDue: () => {
      deliveries?.wake();
      dispatcher.wake();
      timers.wake();
    },
  });
  const timers = makeTimers({
    ...parts,
    share: parts.share ?? (() => ({ share: 0, shares: 1 })),
    expect: watch.expect,
  });
  let looking = false;
  engine.agendaTo({
    rows: timers.take,
    dueAt: (at) => {
      // Something became due where it was: it has to be looked up.
      if (at <= parts.clock.now()) watch.wake();
      else watch.expect(at);
    },
    missed: () => parts.missed?.(),
    events: () => {
      if (looking) return;
      looking = true;
      parts.time.after(EVENTS_MS, () => {
        looking = false;
        timers.wake();
      });
    },
  });
  const quiet = makeQuiet({ engine, dispatcher, timers });
  return {
    start: async () => {
      deliveries?.start();
      await watch.start();
    },
    wake: watch.wake,
    owed: () => deliveries?.owed(),
    quiet: deliveries === null ? quiet : () => quietWith(deliveries, quiet),
    stop: async (graceSeconds) => {
      await watch.stop();
      await timers.stop();
      await dispatcher.stop(graceSeconds);
      await deliveries?.stop();
      post.close();
    },
    figures: () => ({ tries: dispatcher.figures(), agenda: timers.figures() }),
    hosts: dispatcher,
  };
}

const NO_SCHEDULE: Schedule = { active: [], notice: [] };

/** Ends of deliveries are written beside the engine, and may make others due. */
async function quietWith(deliveries: DeliveryOwner, quiet: () => Promise<void>): Promise<void> {
  deliveries.wake();
  await quiet();
  for (let i = 0; i < QUIET_ROUNDS_MAX && deliveries.isBusy(); i++) {
    await deliveries.settled();
    await quiet();
  }
}
const QUIET_ROUNDS_MAX = 1_000;

/** This node's part of the agenda: it takes shard `n` first when `n % shares === share`. Nodes that only answer requests have none. */
export function shareOf(
  nodes: readonly Pick<NodeRow, 'id' | 'role' | 'alive'>[],
  id: string,
): { readonly share: number; readonly shares: number } {
  const working = nodes
    .filter((node) => node.alive && node.role !== 'api')
    .map((node) => node.id)
    .sort();
  const share = working.indexOf(id);
  return share < 0 ? { share: 0, shares: 1 } : { share, shares: working.length };
}
