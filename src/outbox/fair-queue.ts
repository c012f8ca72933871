import type { Standing } from './standing.ts';

/** Something with a host it goes to, a tenant it is of, and a line (a workflow) within the tenant. */
export type Fairly = {
  readonly host: string;
  readonly tenant: string;
  readonly line: string;
  /** Characters of its body; 0 when left out. */
  readonly weight?: number;
};

/**
 * Waiting tries, taken fairly: hosts take turns, so do the tenants that want the same host, and so do the lines of one tenant. A host
 * that has its share of tries under way is passed over, and so is one whose kind of hosts has. Shares are counted in tries and in characters
 * of their bodies; a single try may exceed the characters where nothing else is under way.
 */
export type FairQueue<Item extends Fairly> = {
  /** Tries that wait. */
  readonly size: number;
  /** Of these, whether any could start now. */
  hasStartable(): boolean;
  /** Tries of a host that wait. */
  waitingOf(host: string): number;
  /** Tries of a host: waiting and under way. */
  countOf(host: string): number;
  /** Hosts for which tries wait. */
  hosts(): Iterable<string>;
  push(item: Item): void;
  /** The next one to start, which then counts as under way until `done`; undefined when none can. */
  start(): Item | undefined;
  /** A try that was started has ended: what is known of its host may have changed. */
  done(item: Pick<Fairly, 'host' | 'weight'>): void;
  /** What is known of a host has changed. */
  again(host: string): void;
  /** Takes a waiting item out, wherever it waits; false when it does not wait. */
  remove(item: Item): boolean;
};

/** What a queue has to know of hosts (standing.ts). */
export type HostRules = {
  of(host: string): Standing;
  placesOf(host: string): number;
  readonly placesOfAll: Readonly<Record<Standing, number>>;
  /** Characters of bodies under way, to one host and to all hosts of a standing. */
  readonly charactersPerHost: number;
  readonly charactersOfAll: Readonly<Record<Standing, number>>;
};

type Tenant<Item> = Map<string, Set<Item>>;
type Host<Item> = {
  running: number;
  /** Characters of the bodies of these. */
  weight: number;
  waiting: number;
  /** Its tries under way count among these. */
  standing: Standing;
  readonly tenants: Map<string, Tenant<Item>>;
};

/** The kinds of hosts in the order in which they take turns. */
const STANDINGS: readonly Standing[] = ['answers', 'unproven', 'silent'];

export function makeFairQueue<Item extends Fairly>(rules: HostRules): FairQueue<Item> {
  const hosts = new Map<string, Host<Item>>();
  // Hosts with something that could start, in the order of their turns.
  const startable: Readonly<Record<Standing, Set<string>>> = {
    answers: new Set(),
    unproven: new Set(),
    silent: new Set(),
  };
  const running: Record<Standing, number> = { answers: 0, unproven: 0, silent: 0 };
  const weights: Record<Standing, number> = { answers: 0, unproven: 0, silent: 0 };
  let turn = 0;
  let size = 0;

  /** Hosts that have not answered share what is not kept for those that do. */
  const hasPlace = (standing: Standing): boolean => {
    if (running[standing] > 0 && weights[standing] >= rules.charactersOfAll[standing]) return false;
    if (standing === 'answers') return running.answers < rules.placesOfAll.answers;
    if (running.unproven + running.silent >= rules.placesOfAll.unproven) return false;
    return running[standing] < rules.placesOfAll[standing];
  };

  const look = (name: string, host: Host<Item>): void => {
    const standing = rules.of(name);
    if (standing !== host.standing) {
      running[host.standing] -= host.running;
      running[standing] += host.running;
      weights[host.standing] -= host.weight;
      weights[standing] += host.weight;
      startable[host.standing].delete(name);
      host.standing = standing;
    }
    const hasRoom = host.running === 0 || host.weight < rules.charactersPerHost;
    if (host.waiting > 0 && hasRoom && host.running < rules.placesOf(name)) startable[standing].add(name);
    else startable[standing].delete(name);
    if (host.waiting === 0 && host.running === 0) hosts.delete(name);
  };

  function first(host: Host<Item>): Item {
    const [tenant, lines] = host.tenants.entries().next().value as [string, Tenant<Item>];
    const [line, items] = lines.entries().next().value as [string, Set<Item>];
    const item = items.values().next().value as Item;
    // To the end of both rows.
    items.delete(item);
    lines.delete(line);
    if (items.size > 0) lines.set(line, items);
    host.tenants.delete(tenant);
    if (lines.size > 0) host.tenants.set(tenant, lines);
    return item;
  }

  return {
    get size() {
      return size;
    },
    hasStartable: () => STANDINGS.some((standing) => startable[standing].size > 0 && hasPlace(standing)),
    waitingOf: (name) => hosts.get(name)?.waiting ?? 0,
    countOf: (name) => {
      const host = hosts.get(name);
      return host === undefined ? 0 : host.running + host.waiting;
    },
    hosts: () => hosts.keys(),
    push: (item) => {
      let host = hosts.get(item.host);
      if (host === undefined) {
        host = { running: 0, weight: 0, waiting: 0, standing: rules.of(item.host), tenants: new Map() };
        hosts.set(item.host, host);
      }
      let lines = host.tenants.get(item.tenant);
      if (lines === undefined) {
        lines = new Map();
        host.tenants.set(item.tenant, lines);
      }
      const items = lines.get(item.line);
      if (items === undefined) lines.set(item.line, new Set([item]));
      else items.add(item);
      host.waiting += 1;
      size += 1;
      look(item.host, host);
    },
    start: () => {
      for (let i = 0; i < STANDINGS.length; i++) {
        turn = (turn + 1) % STANDINGS.length;
        const standing = STANDINGS[turn] as Standing;
        const next = startable[standing].values().next();
        if (next.done || !hasPlace(standing)) continue;
        const name = next.value;
        const host = hosts.get(name) as Host<Item>;
        const item = first(host);
        startable[standing].delete(name);
        host.waiting -= 1;
        host.running += 1;
        host.weight += item.weight ?? 0;
        running[standing] += 1;
        weights[standing] += item.weight ?? 0;
        size -= 1;
        look(name, host);
        return item;
      }
      return undefined;
    },
    done: ({ host: name, weight = 0 }) => {
      const host = hosts.get(name);
      if (host === undefined) return;
      host.running -= 1;
      host.weight -= weight;
      running[host.standing] -= 1;
      weights[host.standing] -= weight;
      look(name, host);
    },
    again: (name) => {
      const host = hosts.get(name);
      if (host !== undefined) look(name, host);
    },
    remove: (item) => {
      const host = hosts.get(item.host);
      const lines = host?.tenants.get(item.tenant);
      const items = lines?.get(item.line);
      if (host === undefined || lines === undefined || items === undefined || !items.delete(item)) return false;
      if (items.size === 0) lines.delete(item.line);
      if (lines.size === 0) host.tenants.delete(item.tenant);
      host.waiting -= 1;
      size -= 1;
      look(item.host, host);
      return true;
    },
  };
}
