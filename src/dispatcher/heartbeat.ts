import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { NodeBeat, NodeRow, Store } from '../store/store.ts';

/** Tells the other nodes that this one is alive, and learns who else is. */
export type Heartbeat = {
  /** Resolves after the first beat; rejects when the store cannot be reached. */
  start(): Promise<void>;
  /** This node's part of the agenda: it takes shard `n` first when `n % shares === share`. */
  share(): { readonly share: number; readonly shares: number };
  /** Asks the store at this moment. */
  hasOtherLiveNode(): Promise<boolean>;
  stop(): Promise<void>;
};

/** Beats per lease: two may get lost before the others think us dead. */
const BEATS_PER_LEASE = 3;

export function makeHeartbeat(parts: {
  readonly store: Pick<Store, 'beat' | 'leave'>;
  readonly node: NodeBeat;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
}): Heartbeat {
  const { store, node, time } = parts;
  let nodes: readonly NodeRow[] = [];
  let cancel = (): void => {};
  let stopped = false;
  const loop = makeLoop({ name: 'heartbeat', work: beat, time, ids: parts.ids, log: parts.log });

  async function beat(): Promise<boolean> {
    cancel();
    if (stopped) return false;
    cancel = time.after((node.leaseSeconds * 1000) / BEATS_PER_LEASE, loop.wake);
    nodes = await store.beat(node);
    return false;
  }

  return {
    start: async () => {
      await beat();
    },
    share: () => {
      const working = nodes
        .filter((row) => row.alive && row.role !== 'api')
        .map((row) => row.id)
        .sort();
      const share = working.indexOf(node.id);
      return share < 0 ? { share: 0, shares: 1 } : { share, shares: working.length };
    },
    hasOtherLiveNode: async () => {
      nodes = await store.beat(node);
      return nodes.some((row) => row.alive && row.id !== node.id);
    },
    stop: async () => {
      stopped = true;
      cancel();
      await loop.stop();
      cancel();
      try {
        await store.leave(node.id);
      } catch (err) {
        parts.log.debug('could not say good-bye; the others find out when the lease ends', { err });
      }
    },
  };
}
