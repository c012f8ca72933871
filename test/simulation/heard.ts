import type { EngineStimulus } from '../../src/engine/engine.ts';
import type { EventRow } from '../../src/model/events.ts';
import { Fault } from '../../src/model/fault.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { seededIds } from '../../src/runtime/ids.ts';
import { makeDefinitions } from '../../src/server/definitions.ts';
import type { Incoming } from '../../src/signals/receiver.ts';
import { SCHEDULE, type ScheduleRow } from '../../src/store/tables/schedule.ts';
import { callerOf } from '../support/origin.ts';
import { type Chaos, makeChaos, NO_CHAOS } from './chaos.ts';
import { makeClients } from './clients.ts';
import { BEGAN_AT, makeCluster } from './cluster.ts';
import { type Database, makeDatabase } from './database.ts';
import type { Flaw } from './flaws.ts';
import { makeRandom, makeScheduler } from './scheduler.ts';
import { keyText, rowsOfTable } from './tables.ts';
import { makeWatch } from './watch.ts';
import type { Outcome } from './world.ts';

/*
 * A world of workflows that wait for events, of events that come before them, with them and after them, and of a schedule: nodes die, stand still and
 * lose answers meanwhile. Every event is sent again until it is answered.
 */

const MINUTE_MS = 60_000;
/** Once everybody behaves: all that is left to be handed on is. */
const SETTLE_MS = 150_000;
/** Workflows and events meet within so long. */
const NEAR_MS = 300;
const TICK_MS = 4_000;
/** A caller waits so long for an answer. */
const PATIENCE_MS = 30_000;
const TAIL_LINES = 150;
const UNCERTAIN: ReadonlySet<string> = new Set(['unavailable', 'outcome_unknown', 'overloaded', 'internal']);

const WAITER = "define waiter\n  await event: '${f:type}', key: '${f:key}', to: 'got'\n";
const HASTY = "define waiter\n  await event: '${f:type}', key: '${f:key}', to: 'got', timeout: '${f:seconds}s'\n";
const TICK = 'define tick\n  noop\n';

export async function simulateHeard(options: { readonly seed: number; readonly flaw?: Flaw | null }): Promise<Outcome> {
  const { seed, flaw = null } = options;
  const random = makeRandom(seed);
  const scheduler = makeScheduler();
  const database = makeDatabase(scheduler.now);
  const watch = makeWatch(database, scheduler.note);
  const drawn = makeChaos(random);
  let chaos: Chaos = { ...drawn, operators: 0, requestsLost: 0 };
  const chaosMs = random.between(20_000, 60_000);
  const ids = seededIds(seed);
  const definitions = makeDefinitions();
  const launchOf = (
    id: WorkflowId,
    text: string,
    fields: { readonly [key: string]: string | number },
  ): EngineStimulus => {
    const read = definitions.read(text);
    if (!read.ok) throw new Error(`A definition of the simulation is none: ${text}`);
    const launch = {
      id,
      tenant: DEFAULT_TENANT,
      ...definitions.prepare(read.tree),
      fields,
      callbacks: {},
      retry: null,
    };
    return { workflow: id, origin: callerOf(), event: { kind: 'launch', launch } };
  };

  /** Which due time each workflow that the schedule launches is of. */
  const ticks = new Map<WorkflowId, number>();
  const cluster = makeCluster({
    ...{ seed, scheduler, random, database, watch, flaw, limits: LIMITS, triesPerHost: 4, chaos: () => chaos },
    scheduled: (id, dueAt) => {
      ticks.set(id, dueAt);
      return launchOf(id, TICK, { due: dueAt });
    },
    arrived: (_delivery, respond) => respond(200),
  });
  const clients = makeClients({ scheduler, random, cluster, watch, chaos: () => chaos });
  cluster.join('all');
  for (let more = random.between(1, 2); more > 0; more--) cluster.join(random.chance(0.7) ? 'all' : 'api');
  const lastTick = addSchedule(database, chaosMs);

  let open = 0;
  const sent = new Map<string, Incoming>();
  function send(event: Incoming): void {
    const again = (): void => {
      scheduler.after(random.between(200, 4_000), '', () => send(event));
    };
    const serving = cluster.members.filter(({ process }) => process !== null);
    if (serving.length === 0) {
      again();
      return;
    }
    const member = random.pick(serving);
    let over = false;
    const finish = (told: string): void => {
      if (over) return;
      over = true;
      if (told === 'ok') open -= 1;
      else if (told === 'unknown' || UNCERTAIN.has(told)) again();
      else watch.problems.push(`${member.id} answers the event ${event.id} with ${told}`);
    };
    scheduler.after(PATIENCE_MS, '', () => finish('unknown'));
    scheduler.after(random.delay(), `${event.id} of ${event.type} goes to ${member.id}`, () =>
      member.run(() => {
        const answer = (told: string): void => {
          scheduler.note(`${member.id} answers ${event.id}: ${told}`);
          if (!random.chance(chaos.callsLost)) scheduler.after(random.delay(), '', () => finish(told));
        };
        member.process?.receive(event).then(
          () => answer('ok'),
          (error: unknown) => answer(error instanceof Fault ? error.code : 'unknown'),
        );
      }),
    );
  }

  /** Some workflows and some events of one type and key, near each other. */
  function group(number: number): void {
    const [type, key] = [`t${number % 3}`, `k${number}`];
    const at = random.between(0, chaosMs - NEAR_MS);
    for (let n = random.between(0, 3); n > 0; n--) {
      const id: WorkflowId = ids.workflow(BEGAN_AT + scheduler.now());
      const isHasty = random.chance(0.4);
      open += 1;
      scheduler.after(at + random.between(0, NEAR_MS), '', () =>
        clients.insist(
          launchOf(id, isHasty ? HASTY : WAITER, { type, key, ...(isHasty && { seconds: random.between(1, 4) }) }),
          true,
          () => {
            open -= 1;
          },
        ),
      );
      if (random.chance(0.3))
        scheduler.after(at + random.between(0, NEAR_MS * 4), '', () =>
          clients.call({ workflow: id, origin: callerOf(), event: { kind: 'cancel' } }, false, () => {}),
        );
    }
    for (let n = random.between(0, 3); n > 0; n--) {
      const id = `e${sent.size + 1}`;
      const event: Incoming = {
        ...{ source: 'simulation', id, type, key, sort: 'event', workflow: null, keepSeconds: 3_600, hops: 0 },
        mode: random.chance(0.5) ? 'competing' : 'broadcast',
        event: { specversion: '1.0', id, source: 'simulation', type, subject: key, data: { id } },
      };
      sent.set(id, event);
      open += 1;
      scheduler.after(at + random.between(0, NEAR_MS), '', () => send(event));
      // The same once more, from somebody who did not know.
      if (random.chance(0.2)) {
        open += 1;
        scheduler.after(at + random.between(0, NEAR_MS * 4), '', () => send(event));
      }
    }
  }
  const groups = random.between(3, 12);
  for (let number = 0; number < groups; number++) group(number);

  const often = (perMinute: () => number, happen: () => void): void => {
    const rate = perMinute();
    if (rate <= 0) return;
    scheduler.after((-Math.log(1 - random.fraction()) * MINUTE_MS) / rate, '', () => {
      if (perMinute() > 0 && cluster.members.length > 0) happen();
      often(perMinute, happen);
    });
  };
  const someNode = () => random.pick(cluster.members);
  often(
    () => chaos.crashes,
    () => cluster.crash(someNode()),
  );
  often(
    () => chaos.stops,
    () => cluster.stop(someNode()),
  );
  often(
    () => chaos.freezes,
    () => cluster.freeze(someNode(), random.pick([500, 5_000, 12_000, 40_000])),
  );
  often(
    () => chaos.outages,
    () => cluster.cutDatabase(random.between(500, 15_000)),
  );
  let isQuiet = false;
  scheduler.after(chaosMs, 'everybody behaves', () => {
    chaos = NO_CHAOS;
    for (const member of cluster.members) {
      member.frozenUntil = Math.min(member.frozenUntil, scheduler.now());
      member.skew = 0;
    }
    scheduler.after(SETTLE_MS, '', () => {
      isQuiet = true;
    });
  });

  let events = 0;
  try {
    events = await scheduler.run(() => watch.problems.length > 0 || isQuiet);
    if (watch.problems.length === 0) {
      if (open > 0) watch.problems.push(`${open} calls were never answered`);
      watch.problems.push(...lost(database, sent), ...ticked(database, ticks, lastTick));
    }
  } catch (error) {
    watch.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { commits, tries, notices, proceeds } = watch.counts;
  return {
    ...{ seed, problems: watch.problems, hash: scheduler.hash(), events, steps: cluster.steps(), commits },
    ...{ workflows: database.workflows.size, tries, notices, proceeds, seconds: scheduler.now() / 1_000 },
    tail: scheduler.tail(TAIL_LINES),
  };
}

/** A schedule that is due every few seconds while things go wrong, and makes up for what was missed. Answers its last time. */
function addSchedule(database: Database, forMs: number): number {
  const last = BEGAN_AT + Math.floor(forMs / TICK_MS) * TICK_MS;
  const spec = {
    ...{ name: 'often', every: TICK_MS / 1_000, overlap: 'allow', catch_up: 'all' },
    end_at: new Date(last).toISOString(),
  };
  const row: ScheduleRow = {
    ...{ tenant: DEFAULT_TENANT, id: 'ticks:often', definition: 'ticks', version: 1, spec: JSON.stringify(spec) },
    ...{ since: BEGAN_AT, dueAt: BEGAN_AT + TICK_MS, wakeAt: BEGAN_AT + TICK_MS, paused: false },
    ...{ firing: '[]', queued: '[]', recent: '[]', ver: 1 },
  };
  rowsOfTable(database.tables, SCHEDULE.name).set(keyText(SCHEDULE, row), { ...row });
  return last;
}

/** What has become of the events that was promised otherwise. */
function lost(database: Database, sent: ReadonlyMap<string, Incoming>): readonly string[] {
  const problems: string[] = [];
  const received = new Map<string, WorkflowId[]>();
  for (const [id, { history }] of database.workflows) {
    const got = history
      .flatMap((row) => unpackHistory(row.entries, id))
      .flatMap((entry) => (entry.kind === 'event.received' ? (entry.event_id ?? 'nothing') : []));
    if (got.length > 1) problems.push(`${id} waited for one event and has received ${got.join(', ')}`);
    for (const eventId of got) received.set(eventId, [...(received.get(eventId) ?? []), id]);
  }
  const waiting = [...database.workflows].flatMap(([id, { waiters }]) =>
    [...waiters.values()].map((waiter) => ({ id, waiter, takenBy: database.armed.get(`${id} ${waiter.id}`)?.takenBy })),
  );
  for (const { id, takenBy } of waiting)
    if (takenBy != null) problems.push(`${id} was handed ${takenBy} and has not taken it`);
  const rows = [...(rowsOfTable(database.tables, 'event') as unknown as ReadonlyMap<string, EventRow>).values()];
  for (const { id, type, key, mode } of sent.values()) {
    const [row, ...others] = rows.filter((one) => one.id === id);
    if (row === undefined || others.length > 0) {
      problems.push(`the event ${id} was answered and is there ${others.length === 0 ? 'not' : 'more than once'}`);
      continue;
    }
    const by = received.get(row.eventId) ?? [];
    if (mode === 'competing' && by.length > 1) problems.push(`the event ${id} competes and reached ${by.join(', ')}`);
    if (by.length > 0) continue;
    if (row.state !== 'kept') problems.push(`the event ${id} is ${row.state} and nobody has received it`);
    else if (waiting.some(({ waiter }) => waiter.type === type && waiter.wanted === key))
      problems.push(`the event ${id} is kept, and somebody waits for it`);
  }
  return problems;
}

/** Times of the schedule that did not launch once. */
function ticked(database: Database, ticks: ReadonlyMap<WorkflowId, number>, last: number): readonly string[] {
  const counts = new Map<number, number>();
  for (const [id, dueAt] of ticks) if (database.workflows.has(id)) counts.set(dueAt, (counts.get(dueAt) ?? 0) + 1);
  const problems: string[] = [];
  for (let dueAt = BEGAN_AT + TICK_MS; dueAt <= last; dueAt += TICK_MS)
    if (counts.get(dueAt) !== 1)
      problems.push(
        `the schedule was due after ${dueAt - BEGAN_AT} ms and has launched ${counts.get(dueAt) ?? 0} times`,
      );
  return problems;
}
