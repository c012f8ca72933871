import { seededIds } from '../../src/runtime/ids.ts';
import { type ChildServer, makeChildServers } from '../support/child-server.ts';
import { freePort } from '../support/free-port.ts';
import type { Journal } from '../support/journal.ts';
import { judge, type Verdict } from '../support/journal-verdict.ts';
import { soon, startCrew } from '../support/participant-crew.ts';
import { startLoad } from '../support/participant-load.ts';
import type { Point } from './child.ts';

/* A server under load is killed again and again; nothing may get lost and nothing may happen twice. */

export type Kill = Point | 'during post' | 'at random';

/** How often it dies in each way. */
export type Deaths = Readonly<Record<Kill, number>>;

export const inEachWay = (times: number): Deaths => ({
  ...{ 'before commit': times, 'in commit': times, 'after commit': times },
  ...{ 'during post': times, 'after 2xx': times, 'at random': times },
});
export const inTotal = (deaths: Deaths): number => Object.values(deaths).reduce((sum, times) => sum + times, 0);

/** Workflows that are in flight at every death, at least; and so many are kept in flight. */
export const IN_FLIGHT_MIN = 50;
const IN_FLIGHT = 90;
const WORKFLOWS_MAX = 3_000;
/** The n-th passage of a planted point kills, 1 ≤ n ≤ this. */
const PASSAGES_MAX = 12;
/** A random death comes after so many entries in the journal, at most. */
const ENTRIES_MAX = 60;

export type Crashes = {
  readonly seed: number;
  readonly kills: readonly { readonly kill: Kill; readonly inFlight: number }[];
  readonly verdict: Verdict;
};

/** @param settings which database the server uses; it comes back at the same port each time */
export async function crash(
  settings: Readonly<Record<string, string>>,
  deaths: Deaths,
  seed: number,
): Promise<Crashes> {
  const ids = seededIds(seed);
  const upTo = (most: number): number => 1 + Math.floor(ids.fraction() * most);
  const kills = (Object.entries(deaths) as [Kill, number][]).flatMap(([kill, times]) => Array<Kill>(times).fill(kill));
  const plan = kills.map((kill) => ({ kill, at: ids.fraction() })).sort((a, b) => a.at - b.at);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const servers = makeChildServers();
  let started: Promise<unknown> = Promise.resolve();
  const start = (): Promise<ChildServer> => {
    const server = servers.start({
      PORT: String(port),
      // What a dead server had claimed stands still for the length of a lease.
      ...{ CALLBACK_TIMEOUT: '1', LEASE_SECONDS: '11', RETRY_DELAYS: Array(30).fill('0.5').join() },
      ...settings,
    });
    // Whoever awaits `server` hears of a failure; here it only matters that the start is over.
    started = server.catch(() => {});
    return server;
  };
  // Nobody calls again while a server starts: it would be refused by a port without a server, and take the processor from the one that starts.
  const again = async (): Promise<void> => {
    await soon();
    await started;
  };
  const crew = await startCrew(() => url, again);
  const { journal } = crew;
  crew.keepInFlight(IN_FLIGHT_MIN);
  const load = startLoad({ crew, serverUrl: () => url, inFlight: IN_FLIGHT, most: WORKFLOWS_MAX, seed, again });
  try {
    const done: { readonly kill: Kill; readonly inFlight: number }[] = [];
    for (const { kill } of plan) {
      const server = await start();
      await entries(journal, () => journal.inFlight() >= IN_FLIGHT_MIN);
      switch (kill) {
        case 'at random':
          await entries(journal, count(upTo(ENTRIES_MAX)));
          server.signal('SIGKILL');
          break;
        case 'during post': {
          const isIt = count(upTo(PASSAGES_MAX));
          crew.onArrival = () => {
            // Before it is answered.
            if (isIt()) server.signal('SIGKILL');
          };
          break;
        }
        default:
          server.arm(kill, upTo(PASSAGES_MAX));
      }
      await server.ended;
      crew.onArrival = () => {};
      done.push({ kill, inFlight: journal.inFlight() });
    }
    const last = await start();
    await load.stop();
    crew.keepInFlight(0);
    const verdict = await judge(journal, last.url);
    return { seed, kills: done, verdict };
  } finally {
    await load.stop();
    await crew.stop();
    await servers.close();
  }
}

/** True from the n-th call on. */
function count(n: number): () => boolean {
  let calls = 0;
  return () => ++calls >= n;
}

/** Resolves once the journal has got an entry after which `enough`. */
function entries(journal: Journal, enough: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const unwatch = journal.watch(look);
    function look(): void {
      if (!enough()) return;
      unwatch();
      resolve();
    }
    look();
  });
}
