import type { Log } from '../runtime/log.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { NodeBeat, NodeRow, Store } from '../store/store.ts';
import { shareOf } from './worker.ts';

/** This process among those that share the database: says regularly that it is alive, and knows the others. */
export type Membership = {
  /** As of now; looking writes nothing. */
  nodes(): Promise<readonly NodeRow[]>;
  /** As of now. */
  hasOtherLiveNode(): Promise<boolean>;
  /** This node's part of the agenda, as of the last beat. */
  share(): ReturnType<typeof shareOf>;
  /** Others need not wait for the lease to learn that it has gone. */
  leave(): Promise<void>;
};

/** Beats per lease: two may get lost before the others think us dead. */
const BEATS_PER_LEASE = 3;

/** Ids of nodes of the same name that a warning lists. */
const NAMESAKES_SHOWN_MAX = 10;

/** @throws when the first beat cannot be written; later ones that fail are logged and made up for by the next */
export async function joinNodes(parts: {
  readonly store: Pick<Store, 'nodes' | 'databaseTime'>;
  readonly node: NodeBeat;
  readonly time: ProcessTime;
  readonly log: Log;
}): Promise<Membership> {
  const { store, node, time, log } = parts;
  const intervalMs = (node.leaseSeconds * 1000) / BEATS_PER_LEASE;
  let known: readonly NodeRow[] = [];
  let cancel = (): void => {};
  let hasLeft = false;

  async function beat(): Promise<readonly NodeRow[]> {
    known = await store.nodes.beat(node);
    return known;
  }

  function again(): void {
    if (hasLeft) return;
    cancel = time.after(intervalMs, () => {
      beat()
        .catch((err: unknown) => log.warn('this node could not say that it is alive', { event: 'node.silent', err }))
        .finally(again);
    });
  }

  const namesakes = (await beat()).filter(({ id, name, alive }) => alive && name === node.name && id !== node.id);
  if (namesakes.length > 0)
    log.warn(
      `Another living node is called ${node.name}, too: give each a NODE_NAME of its own, or the log does not tell them apart`,
      {
        event: 'node.same_name',
        nodes: namesakes.map(({ id }) => id).slice(0, NAMESAKES_SHOWN_MAX),
      },
    );
  again();
  return {
    nodes: async () => store.nodes.look(await store.databaseTime()),
    hasOtherLiveNode: async () => (await beat()).some((other) => other.alive && other.id !== node.id),
    share: () => shareOf(known, node.id),
    leave: async () => {
      hasLeft = true;
      cancel();
      await store.nodes.leave(node.id);
    },
  };
}
