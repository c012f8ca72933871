import { seededIds } from '../../src/runtime/ids.ts';
import { type ChildServer, makeChildServers } from '../support/child-server.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { judge, type Verdict } from '../support/journal-verdict.ts';
import { startCrew } from '../support/participant-crew.ts';
import { startLoad } from '../support/participant-load.ts';
import { type Proxy as CuttingProxy, startProxy } from '../support/proxy.ts';
import { pause, until } from '../support/until.ts';

/*
 * Three nodes on a real Postgres under load, and everything that can go wrong does: nodes are killed, stopped and frozen, the database is
 * stopped twice (once in order, once as a crash would), connections are cut. The plan comes from a seed; who happens to be where at
 * that moment does not, so a seed repeats the trouble, not the run.
 */

export type Trouble =
  | { readonly kind: 'kill'; readonly node: number }
  | { readonly kind: 'stop'; readonly node: number }
  | { readonly kind: 'freeze'; readonly node: number }
  | { readonly kind: 'cut'; readonly node: number }
  | { readonly kind: 'restart database'; readonly how: 'fast' | 'immediate' };

export type Chaos = {
  readonly troubles: readonly string[];
  readonly verdict: Verdict;
  readonly seconds: number;
};

export const NODES = 3;
/** How much goes wrong; `workflows` are those of the load in all. The database goes down twice besides. */
export type Size = {
  readonly workflows: number;
  readonly kills: number;
  readonly stops: number;
  readonly freezes: number;
  readonly cuts: number;
};
export const WHOLE: Size = { workflows: 400, kills: 6, stops: 2, freezes: 4, cuts: 6 };
export const SHORT: Size = { workflows: 200, kills: 3, stops: 1, freezes: 2, cuts: 3 };
/** So many workflows are in flight at once. */
const IN_FLIGHT = 60;
/** A trouble comes after so many arrivals at participants since the one before, at most. */
const ARRIVALS_MAX = 50;
/** Or after so long, when nothing arrives any more. */
const NOTHING_ARRIVES_MS = 4_000;
/** How long a frozen node stands still, at most: longer than a lease lasts. */
const FROZEN_MS_MAX = 13_000;
const DATABASE_AWAY_MS = 1_500;
/** A whole run ends by then, or has failed. */
export const CHAOS_MS_MAX = 170_000;

/** What goes wrong, in order; the database goes down in the first and in the second half. */
export function plan(seed: number, size: Size): readonly Trouble[] {
  const ids = seededIds(seed);
  const upTo = (most: number): number => Math.floor(ids.fraction() * most);
  const small: readonly Trouble[] = [
    ...Array.from({ length: size.kills }, () => ({ kind: 'kill', node: upTo(NODES) }) as const),
    ...Array.from({ length: size.stops }, () => ({ kind: 'stop', node: upTo(NODES) }) as const),
    ...Array.from({ length: size.freezes }, () => ({ kind: 'freeze', node: upTo(NODES) }) as const),
    ...Array.from({ length: size.cuts }, () => ({ kind: 'cut', node: upTo(NODES) }) as const),
  ]
    .map((trouble) => ({ trouble, at: ids.fraction() }))
    .sort((a, b) => a.at - b.at)
    .map(({ trouble }) => trouble);
  const half = Math.floor(small.length / 2);
  const first = upTo(half);
  const second = half + upTo(half);
  return [
    ...small.slice(0, first),
    { kind: 'restart database', how: 'fast' },
    ...small.slice(first, second),
    { kind: 'restart database', how: 'immediate' },
    ...small.slice(second),
  ];
}

/** Where a node is for the outside: its port stays, the process behind it comes and goes. */
type Place = {
  readonly url: string;
  readonly port: number;
  readonly proxy: CuttingProxy;
  server: ChildServer | null;
  frozen: boolean;
  /** Being brought back; null while it runs. */
  coming: Promise<void> | null;
};

/** @returns why there is none, when this machine has no Postgres */
export async function chaos(seed: number, size: Size, say: (line: string) => void): Promise<Chaos | string> {
  const cluster = await startCluster();
  if (typeof cluster === 'string') return cluster;
  try {
    return await chaosOn(cluster, seed, size, say);
  } finally {
    await cluster.stop();
  }
}

async function chaosOn(cluster: Cluster, seed: number, size: Size, say: (line: string) => void): Promise<Chaos> {
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10;
  const ids = seededIds(seed ^ 0x5eed);
  const servers = makeChildServers();
  const places: Place[] = [];
  for (let node = 0; node < NODES; node++) {
    const port = await freePort();
    const proxy = await startProxy(cluster.url);
    places.push({ url: `http://127.0.0.1:${port}`, port, proxy, server: null, frozen: false, coming: null });
  }
  // Asked in turn, whether they are alive or not, as a simple balancer would.
  let asked = 0;
  const serverUrl = (): string => places[asked++ % NODES]?.url ?? '';
  const crew = await startCrew(serverUrl);
  const { journal } = crew;
  const troubles: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const killed = new Set<ChildServer>();

  async function bring(place: Place): Promise<void> {
    // The database may be away; then it ends by itself, and is started again.
    const server = await until(
      'a node comes up',
      () =>
        servers.start({
          ...{ DATABASE_URL: place.proxy.url, PORT: String(place.port) },
          ...{ CALLBACK_TIMEOUT: '1', LEASE_SECONDS: '11', RETRY_DELAYS: Array(60).fill('0.5').join() },
          STOP_SECONDS: '3',
          NOTICE_DELAYS: Array(30).fill('0.5').join(),
        }),
      CHAOS_MS_MAX,
    );
    place.server = server;
    void server.ended.then(() => {
      if (!killed.has(server)) journal.complain(`A node ended by itself:\n${server.output()}`);
    });
  }

  async function cause(trouble: Trouble): Promise<void> {
    if (trouble.kind === 'restart database') {
      await cluster.halt(trouble.how);
      await pause(DATABASE_AWAY_MS);
      await cluster.start();
      return;
    }
    const place = places[trouble.node] as Place;
    const { server } = place;
    if (trouble.kind === 'cut') {
      place.proxy.refuse();
      place.proxy.accept();
    } else if (server === null || place.coming !== null || (place.frozen && trouble.kind !== 'kill')) {
      // It is away already.
    } else if (trouble.kind !== 'freeze') {
      killed.add(server);
      server.signal(trouble.kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
      place.frozen = false;
      place.server = null;
      place.coming = server.ended
        .then(() => bring(place))
        .finally(() => {
          place.coming = null;
        });
    } else {
      server.signal('SIGSTOP');
      place.frozen = true;
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (place.server === server) place.frozen = false;
        server.signal('SIGCONT');
      }, ids.fraction() * FROZEN_MS_MAX);
      timers.add(timer);
    }
  }

  /** Some more callbacks have arrived, or none have for a while. */
  async function somethingArrives(count: number): Promise<void> {
    let left = count;
    let since = performance.now();
    crew.onArrival = () => {
      left -= 1;
      since = performance.now();
    };
    await until('callbacks', () => left <= 0 || performance.now() - since > NOTHING_ARRIVES_MS, CHAOS_MS_MAX);
    crew.onArrival = () => {};
  }

  const load = startLoad({ crew, serverUrl, inFlight: IN_FLIGHT, most: size.workflows, seed });
  try {
    await Promise.all(places.map(bring));
    for (const trouble of plan(seed, size)) {
      await somethingArrives(1 + Math.floor(ids.fraction() * ARRIVALS_MAX));
      const line = `${JSON.stringify(trouble)}, ${journal.inFlight()} in flight`;
      troubles.push(line);
      say(`${seconds()} s: ${line}`);
      await cause(trouble);
    }
    await until(
      'every node is back',
      () => places.every((place) => place.coming === null && !place.frozen),
      CHAOS_MS_MAX,
    );
    // What is left of the load takes its course without trouble.
    await load.done;
    say(`${seconds()} s: no more trouble, ${journal.inFlight()} in flight`);
    const verdict = await judge(journal, places[0]?.url ?? '', { frozen: true, withinMs: CHAOS_MS_MAX });
    say(`${seconds()} s: ${JSON.stringify(verdict)}`);
    return { troubles, verdict, seconds: seconds() };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    await load.stop();
    await crew.stop();
    await Promise.allSettled(places.map((place) => place.coming));
    await servers.close();
    for (const place of places) await place.proxy.close();
  }
}
