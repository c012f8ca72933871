import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { NodeBeat, NodeRow, Store } from '../store/store.ts';

/** This process among those that share the database: says regularly that it is alive, and knows the others. */
export type Membership = {
  readonly nodes: () => Promise<readonly NodeRow[]>;
  readonly hasOtherLiveNode: () => Promise<boolean>;
  /** Others need not wait for the lease to learn that it has gone. */
  leave(): Promise<void>;
};

/** A beat is missed twice before the lease ends. */
const BEATS_PER_LEASE = 3;

/** @throws when the first beat cannot be written; later ones that fail are logged and made up for by the next */
export async function joinNodes(parts: {
  readonly store: Store;
  readonly node: NodeBeat;
  readonly time: ProcessTime;
  readonly log: Log;
}): Promise<Membership> {
  const { store, node, time, log } = parts;
  const intervalMs = (node.leaseSeconds * 1000) / BEATS_PER_LEASE;
  let cancel = (): void => {};
  let hasLeft = false;
  const beat = (): Promise<readonly NodeRow[]> => store.beat(node);
  const again = (): void => {
    cancel = time.after(intervalMs, () => {
      beat()
        .catch((err: unknown) => log.warn('this node could not say that it is alive', { err }))
        .finally(() => {
          if (!hasLeft) again();
        });
    });
  };
  await beat();
  again();
  return {
    nodes: beat,
    hasOtherLiveNode: async () => (await beat()).some((other) => other.alive && other.id !== node.id),
    leave: async () => {
      hasLeft = true;
      cancel();
      await store.leave(node.id);
    },
  };
}
