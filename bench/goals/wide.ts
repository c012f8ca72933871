import {
  type Bench,
  costBetween,
  fine,
  onFreshServer,
  type Place,
  type Result,
  reading,
  whole,
} from '../support/bench.ts';
import { hire } from '../support/processes.ts';
import { median } from '../support/statistics.ts';

/* Goal 9: concurrences of ten and of ten thousand branches, the launch of a wide one over a long list, and its cancel. */

const NARROW = 10;
const NARROW_WORKFLOWS = 150;
const LIST_BYTES = 100_000;
/** The longest the event loop may stand still, in milliseconds. */
const STILL_MS_MAX = 50;
const PATIENCE_MS = 240_000;
const LOOK_MS = 100;

const branches = (head: string): string => `${head}\n  sequence\n    hold_a\n    hold_b\n`;

export async function wideResults(bench: Bench): Promise<readonly Result[]> {
  const width = bench.quick ? 1_000 : 10_000;
  const proceeds = await onFreshServer(bench, (place) => compare(bench, place, width));
  const launch = await onFreshServer(bench, (place) => launchAndCancel(bench, place, width));
  const stood = Math.max(launch.launch.stillMs, launch.cancel.stillMs);
  return [
    {
      goal: 9,
      what: `a proceed in a concurrence of ${NARROW} → ${whole(width)} branches`,
      figure: `CPU × ${fine(proceeds.cpu)}${bench.embedded ? '' : `, WAL × ${fine(proceeds.wal)}`}`,
      wanted: '≤ 1.5, ≤ 1.5',
      met: proceeds.cpu <= 1.5 && !(proceeds.wal > 1.5),
      note: proceeds.note,
    },
    {
      goal: 9,
      what: `launch of ${whole(width)} branches over a list of 100 KB, and its cancel`,
      figure: `event loop still for at most ${whole(launch.launch.stillMs)} and ${whole(launch.cancel.stillMs)} ms`,
      wanted: `≤ ${STILL_MS_MAX} ms${bench.embedded ? ' (on Postgres)' : ''}`,
      met: bench.embedded ? null : stood <= STILL_MS_MAX,
      note:
        `${launch.launch.told} called in ${fine(launch.launch.seconds, 1)} s (p99 of the delay ${whole(launch.launch.p99)} ms, ${whole(launch.launch.residentMb)} MB), ` +
        `${launch.cancel.told} told to stop in ${fine(launch.cancel.seconds, 1)} s (p99 ${whole(launch.cancel.p99)} ms, ${whole(launch.cancel.residentMb)} MB); ` +
        `computing at most ${whole(launch.launch.computedMs)} and ${whole(launch.cancel.computedMs)} ms at a stretch, the rest is the wait for a core: ` +
        `a process with nothing to do stood still for ${whole(launch.idleMs)} ms`,
    },
  ];
}

type Measured = { readonly us: number; readonly wal: number; readonly ms: number };

async function compare(bench: Bench, { rota, database }: Place, width: number) {
  const { outside } = bench;
  const launch = async (count: number, n: number): Promise<readonly string[]> => {
    const order = { definition: branches(`citerator times: ${n}`), count, inFlight: 8, withinMs: PATIENCE_MS };
    return (await outside.ask<{ ids: readonly string[] }>('launch', order)).ids;
  };
  const [wide] = await launch(1, width);
  await outside.ask('held', { count: width, withinMs: PATIENCE_MS });
  await launch(NARROW_WORKFLOWS, NARROW);
  const all = width + NARROW_WORKFLOWS * NARROW;
  const held = await outside.ask<number>('held', { count: all, withinMs: PATIENCE_MS });
  if (held < all) throw new Error(`Only ${held} of ${all} branches called their participants`);
  await database?.client.query('vacuum (analyze)');

  const round = async (only: object, count: number): Promise<Measured> => {
    const before = await reading(bench, [rota], database);
    const done = await outside.ask<{ steps: number; refused: number; ms: number }>('proceedHeld', {
      ...only,
      count,
      inFlight: 1,
    });
    const cost = costBetween(before, await reading(bench, [rota], database), done.steps);
    if (done.refused > 0) throw new Error(`${done.refused} proceeds of branches were refused`);
    return { us: cost.serverUs + cost.databaseUs, wal: cost.walBytes, ms: done.ms / done.steps };
  };
  const narrow: Measured[] = [];
  const broad: Measured[] = [];
  const count = bench.quick ? 200 : 350;
  // The first rounds warm up both.
  for (let i = 0; i < (bench.quick ? 3 : 4); i++) {
    const [one, other] = [await round({ not: wide }, count), await round({ of: wide }, count)];
    if (i === 0) continue;
    narrow.push(one);
    broad.push(other);
  }
  const mid = (list: readonly Measured[], of: (one: Measured) => number): number => median(list.map(of));
  return {
    cpu: mid(broad, ({ us }) => us) / mid(narrow, ({ us }) => us),
    wal: mid(broad, ({ wal }) => wal) / mid(narrow, ({ wal }) => wal),
    note:
      `${whole(mid(narrow, ({ us }) => us))} → ${whole(mid(broad, ({ us }) => us))} µs, ` +
      `${whole(mid(narrow, ({ wal }) => wal))} → ${whole(mid(broad, ({ wal }) => wal))} bytes of WAL, ` +
      `${fine(
        mid(narrow, ({ ms }) => ms),
        1,
      )} → ${fine(
        mid(broad, ({ ms }) => ms),
        1,
      )} ms, one in flight`,
  };
}

async function launchAndCancel(bench: Bench, { rota }: Place, width: number) {
  const { outside } = bench;
  const list = Array.from({ length: width }, (_, i) => `item ${i}`.padEnd(Math.floor(LIST_BYTES / width) - 3, '.'));
  // What happened before is no matter: the code is warm, as in a server that has been running.
  await outside.ask('launch', {
    definition: branches('citerator times: 50'),
    count: 10,
    inFlight: 2,
    withinMs: PATIENCE_MS,
  });
  await outside.ask('held', { count: 500, withinMs: PATIENCE_MS });
  await outside.ask('meet', { servers: [rota.url] });

  // Beside it a process that does nothing: what keeps that one from running keeps the server, too.
  const idler = hire(new URL('../support/calibrate.ts', import.meta.url));
  let idleMs = 0;
  const watched = async (begin: () => Promise<unknown>, told: () => Promise<number>) => {
    let residentMb = rota.residentMb();
    const look = setInterval(() => {
      residentMb = Math.max(residentMb, rota.residentMb());
    }, LOOK_MS);
    await Promise.all([rota.ask('watch'), idler.ask('watch')]);
    const begun = performance.now();
    await begin();
    const count = await told();
    const seconds = (performance.now() - begun) / 1000;
    const { max, p99, computed } = await rota.ask<{ max: number; p99: number; computed: number }>('watched');
    idleMs = Math.max(idleMs, await idler.ask<number>('watched'));
    clearInterval(look);
    return { told: `${whole(count)} participants`, seconds, stillMs: max, computedMs: computed, p99, residentMb };
  };
  let id = '';
  const launch = await watched(
    async () => {
      const definition = branches("citerator on_f: 'list', to_v: 'item'");
      const fields = { list, said: 'hello' };
      const order = { definition, count: 1, inFlight: 1, withinMs: PATIENCE_MS, fields };
      id = (await outside.ask<{ ids: readonly string[] }>('launch', order)).ids[0] ?? '';
    },
    () => outside.ask<number>('held', { count: width, withinMs: PATIENCE_MS }),
  );
  const cancel = await watched(
    () => outside.ask('cancel', { workflow: id }),
    () => outside.ask<number>('notices', { count: width, withinMs: PATIENCE_MS }),
  );
  await idler.stop();
  return { launch, cancel, idleMs };
}
