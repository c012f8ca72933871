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
  /** Nodes that live, this one among them, as of the last beat. */
  living(): number;
  /** Whether no living node has been here for longer, as of the last beat: what one node can do for all of them is this one's to do. */
  isEldest(): boolean;
  /** Others need not wait for the lease to learn that it has gone. */
  leave(): Promise<void>;
};

/** Beats per lease: two may get lost before the others think us dead. */
const BEATS_PER_LEASE = 3;

/** The first beats come sooner, each pause twice the one before: nodes that start together know of each other within seconds. */
const FIRST_PAUSE_MS = 1_000;

/** A beat that could not be written is tried again after so long: not more often, for a row may be held by a commit that waits. */
const AGAIN_MS = 2_000;

/** Ids of nodes of the same name that a warning lists. */
const NAMESAKES_SHOWN_MAX = 10;

/** @throws when the first beat cannot be written; later ones that fail are logged and made up for by the next */
export async function joinNodes(parts: {
  readonly store: Pick<Store, 'nodes' | 'databaseTime' | 'connectionRoom'>;
  readonly node: NodeBeat;
  readonly time: ProcessTime;
  readonly log: Log;
}): Promise<Membership> {
  const { store, node, time, log } = parts;
  const intervalMs = (node.leaseSeconds * 1000) / BEATS_PER_LEASE;
  let known: readonly NodeRow[] = [];
  let living = 1;
  let cancel = (): void => {};
  let hasLeft = false;
  let isCrowded = false;
  let pauseMs = FIRST_PAUSE_MS;

  async function beat(): Promise<readonly NodeRow[]> {
    known = await store.nodes.beat(node);
    living = known.filter(({ alive }) => alive).length;
    countConnections();
    return known;
  }

  /** Says once that all nodes together may want more connections than the server takes. */
  function countConnections(): void {
    if (store.connectionRoom === undefined) return;
    const { own, most } = store.connectionRoom;
    const wanted = living * (own + 1);
    if (wanted > most && !isCrowded)
      log.warn(
        `${living} nodes may open ${wanted} connections to Postgres, which takes ${most}: lower CONNECTIONS_MAX, or raise max_connections`,
        { event: 'database.crowded', nodes: living, wanted, most },
      );
    isCrowded = wanted > most;
  }

  function nextPause(): number {
    const ms = Math.min(intervalMs, pauseMs);
    pauseMs = Math.min(intervalMs, pauseMs * 2);
    return ms;
  }

  function again(ms: number): void {
    if (hasLeft) return;
    cancel = time.after(ms, () => {
      beat().then(
        () => again(nextPause()),
        (err: unknown) => {
          log.warn('this node could not say that it is alive', { event: 'node.silent', err });
          // Others must not think us dead, and whether the database can be written to is learnt here when nothing else is written.
          again(Math.min(intervalMs, AGAIN_MS));
        },
      );
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
  again(nextPause());
  return {
    nodes: async () => store.nodes.look(await store.databaseTime()),
    hasOtherLiveNode: async () => (await beat()).some((other) => other.alive && other.id !== node.id),
    share: () => shareOf(known, node.id),
    living: () => living,
    isEldest: () => known.find(({ alive }) => alive)?.id === node.id,
    leave: async () => {
      hasLeft = true;
      cancel();
      await store.nodes.leave(node.id);
    },
  };
}
