import { makeQueue, type Queue } from '../runtime/bounded.ts';

/** Something with a host it goes to and a workflow it is of. */
export type Fairly = { readonly host: string; readonly workflow: string };

/**
 * Waiting tries, taken fairly: hosts take turns, and so do the workflows that want the same host. A host that has its share of tries
 * under way is passed over.
 */
export type FairQueue<Item extends Fairly> = {
  /** Tries that wait. */
  readonly size: number;
  /** Of these, whether any could start now. */
  hasStartable(): boolean;
  /** Tries of a host: waiting and under way. */
  countOf(host: string): number;
  push(item: Item): void;
  /** The next one to start, which then counts as under way until `done`; undefined when none can. */
  start(): Item | undefined;
  done(host: string): void;
  /** Takes waiting items out; answers them. */
  remove(which: (item: Item) => boolean): readonly Item[];
};

type Host<Item> = { running: number; waiting: number; readonly workflows: Map<string, Queue<Item>> };

export function makeFairQueue<Item extends Fairly>(perHostMax: number): FairQueue<Item> {
  const hosts = new Map<string, Host<Item>>();
  // Hosts with something that could start, in the order of their turns.
  const startable = new Set<string>();
  let size = 0;

  const look = (name: string, host: Host<Item>): void => {
    if (host.waiting > 0 && host.running < perHostMax) startable.add(name);
    else startable.delete(name);
    if (host.waiting === 0 && host.running === 0) hosts.delete(name);
  };

  return {
    get size() {
      return size;
    },
    hasStartable: () => startable.size > 0,
    countOf: (name) => {
      const host = hosts.get(name);
      return host === undefined ? 0 : host.running + host.waiting;
    },
    push: (item) => {
      let host = hosts.get(item.host);
      if (host === undefined) {
        host = { running: 0, waiting: 0, workflows: new Map() };
        hosts.set(item.host, host);
      }
      let queue = host.workflows.get(item.workflow);
      if (queue === undefined) {
        queue = makeQueue<Item>();
        host.workflows.set(item.workflow, queue);
      }
      queue.push(item);
      host.waiting += 1;
      size += 1;
      look(item.host, host);
    },
    start: () => {
      const next = startable.values().next();
      if (next.done) return undefined;
      const name = next.value;
      const host = hosts.get(name) as Host<Item>;
      const [workflow, queue] = host.workflows.entries().next().value as [string, Queue<Item>];
      const item = queue.shift() as Item;
      // To the end of both lines.
      host.workflows.delete(workflow);
      if (queue.size > 0) host.workflows.set(workflow, queue);
      startable.delete(name);
      host.waiting -= 1;
      host.running += 1;
      size -= 1;
      look(name, host);
      return item;
    },
    done: (name) => {
      const host = hosts.get(name);
      if (host === undefined) return;
      host.running -= 1;
      look(name, host);
    },
    remove: (which) => {
      const removed: Item[] = [];
      for (const [name, host] of hosts) {
        for (const [workflow, queue] of host.workflows) {
          const kept: Item[] = [];
          for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
            if (which(item)) removed.push(item);
            else kept.push(item);
          }
          queue.unshift(kept);
          if (kept.length === 0) host.workflows.delete(workflow);
        }
        const waiting = [...host.workflows.values()].reduce((sum, queue) => sum + queue.size, 0);
        size -= host.waiting - waiting;
        host.waiting = waiting;
        look(name, host);
      }
      return removed;
    },
  };
}
