import type { WorkflowId } from '../../src/model/ids.ts';
import { isOver } from '../../src/model/rows.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { treeToJson } from '../../src/model/tree.ts';
import { seededIds } from '../../src/runtime/ids.ts';
import { makeDefinitions } from '../../src/server/definitions.ts';
import { callerOf } from '../support/origin.ts';
import { type Chaos, makeChaos, NO_CHAOS, silencesOf } from './chaos.ts';
import { makeClients } from './clients.ts';
import { BEGAN_AT, makeCluster } from './cluster.ts';
import { makeDatabase } from './database.ts';
import { makeDefinition } from './definitions.ts';
import { CHOICES, isDrawn, makeDiagram } from './diagrams.ts';
import type { Flaw } from './flaws.ts';
import { makeOperators } from './operators.ts';
import { makeManners, makeParticipants } from './participants.ts';
import { makeRandom, makeScheduler } from './scheduler.ts';
import { unnamedWaits, waitsForNobody } from './waiting.ts';
import { makeWatch } from './watch.ts';

/*
 * A world from one seed: nodes over one database, participants, clients, operators, and everything that can go wrong. First it goes
 * wrong for a while; then everybody behaves, and everything has to come to an end.
 */

export type Outcome = {
  readonly seed: number;
  /** Nothing: all promises were kept. */
  readonly problems: readonly string[];
  /** The same seed gives the same hash. */
  readonly hash: string;
  readonly events: number;
  readonly steps: number;
  readonly commits: number;
  readonly workflows: number;
  readonly tries: number;
  readonly notices: number;
  readonly proceeds: number;
  readonly seconds: number;
  readonly tail: readonly string[];
};

/** Expressions may be nested so deep: a sub-process that calls itself meets its end soon. */
const DEPTH_MAX = 40;
/** Then administrators cancel what is left; later they kill it. */
const TIDY_MS = 150_000;
const CANCEL_MS = 60_000;
const KILL_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
/** Nothing but each other, or a `stall`, has been waited for at so many looks in a row: waiting longer changes nothing. */
const IDLE_LOOKS = 4;
const TAIL_LINES = 150;
const MINUTE_MS = 60_000;

/** Everything goes wrong; everybody behaves; what waits for ever is cancelled; what cannot be cancelled is killed. */
type Stage = 'chaos' | 'tidy' | 'cancel' | 'kill' | 'end';

export async function simulate(options: { readonly seed: number; readonly flaw?: Flaw | null }): Promise<Outcome> {
  const { seed } = options;
  const random = makeRandom(seed);
  const scheduler = makeScheduler();
  const database = makeDatabase(scheduler.now);
  const watch = makeWatch(database, scheduler.note);
  let chaos: Chaos = { ...makeChaos(random), silences: silencesOf(seed) };
  const limits = { ...LIMITS, depth: DEPTH_MAX, messages: random.pick([2, 7, 40, LIMITS.messages]) };
  const chaosMs = random.between(20_000, 90_000);
  scheduler.note(`chaos ${JSON.stringify(chaos)}, ${limits.messages} messages a step, for ${chaosMs} ms`);

  const participants = makeParticipants({
    scheduler,
    random,
    watch,
    clients: () => clients,
    manners: makeManners(random),
  });
  const cluster = makeCluster({
    seed,
    scheduler,
    random,
    database,
    watch,
    limits,
    triesPerHost: random.pick([1, 2, 4]),
    flaw: options.flaw ?? null,
    chaos: () => chaos,
    arrived: participants.arrived,
  });
  const clients = makeClients({ scheduler, random, cluster, watch, chaos: () => chaos });
  const operators = makeOperators({ scheduler, random, database, clients, watch });

  cluster.join('all');
  for (let more = random.between(0, 2); more > 0; more--) cluster.join(random.chance(0.7) ? 'all' : 'api');

  const ids = seededIds(seed);
  // All participants at one host, and few tries at once: messages wait for their turn.
  const isCrowded = random.chance(0.5);
  const launches = random.pick([1, 2, 3, 4, 6, 10]);
  for (let i = 0; i < launches; i++) scheduler.after(random.between(0, 20_000), '', launch);

  const definitions = makeDefinitions();
  function launch(): void {
    const made = isDrawn(seed) && random.chance(0.5) ? makeDiagram(random) : treeToJson(makeDefinition(random));
    const read = definitions.read(made);
    if (!read.ok) throw new Error(`A definition was made up that is none: ${JSON.stringify(made)}`);
    const prepared = definitions.prepare(read.tree);
    const id: WorkflowId = ids.workflow(BEGAN_AT + scheduler.now());
    scheduler.note(`${id} is ${prepared.text}`);
    const callbacks = isCrowded
      ? 'http://one.test/'
      : Object.fromEntries(
          [
            'ann',
            'ben',
            'cleo',
            'dan',
            'eve',
            'fay',
            'reviewer',
            'clerk',
            'customer',
            'stock',
            'credit',
            'author',
            'publisher',
            'boss',
            'shipping',
            'sales',
          ].map((name) => [name, `http://${name}.test/`]),
        );
    const fields = {
      customer: 'Fred',
      document: random.chance(0.3) ? 'a long paper '.repeat(250) : 'the paper',
      a: random.between(0, 2),
      ...(isDrawn(seed) && Object.fromEntries(CHOICES.map((name) => [name, random.between(0, 7)]))),
    };
    const event = {
      kind: 'launch',
      launch: { id, tenant: DEFAULT_TENANT, ...prepared, fields, callbacks, retry: null },
    } as const;
    clients.insist({ workflow: id, origin: callerOf(), event }, true, () => {});
  }

  /** Lets something happen so often a minute, until the bad times are over. */
  const often = (perMinute: () => number, happen: () => void): void => {
    const again = (): void => {
      const rate = perMinute();
      if (rate <= 0) return;
      scheduler.after((-Math.log(1 - random.fraction()) * MINUTE_MS) / rate, '', () => {
        if (perMinute() > 0) happen();
        again();
      });
    };
    again();
  };
  const someNode = () => random.pick(cluster.members);
  often(
    () => chaos.crashes,
    () => cluster.members.length > 0 && cluster.crash(someNode()),
  );
  often(
    () => chaos.stops,
    () => cluster.members.length > 0 && cluster.stop(someNode()),
  );
  often(
    () => chaos.freezes,
    () => cluster.members.length > 0 && cluster.freeze(someNode(), random.pick([500, 5_000, 12_000, 40_000])),
  );
  often(
    () => chaos.outages,
    () => cluster.cutDatabase(random.between(500, 15_000)),
  );
  often(() => chaos.operators, operators.meddle);
  often(
    () => chaos.clockJumps,
    () => {
      if (cluster.members.length === 0) return;
      const member = someNode();
      member.skew = random.pick([-20_000, -1_000, 1_000, 15_000, 60_000]);
      scheduler.note(`the clock of ${member.id} is now wrong by ${member.skew} ms`);
    },
  );

  let stage: Stage = 'chaos';
  let since = 0;
  let idleLooks = 0;
  const enter = (next: Stage): void => {
    stage = next;
    since = scheduler.now();
    idleLooks = 0;
    scheduler.note(`from here on: ${next}`);
  };
  const hasLasted = (ms: number): boolean => scheduler.now() - since >= ms;

  /** Every few seconds, once the bad times are over: what administrators do to bring everything to its end. */
  function look(): void {
    idleLooks = waitsForNobody(database) ? idleLooks + 1 : 0;
    if (stage === 'tidy' && (hasLasted(TIDY_MS) || idleLooks === IDLE_LOOKS)) {
      for (const line of unnamedWaits(database, BEGAN_AT + scheduler.now())) watch.problems.push(line);
      enter('cancel');
    } else if (stage === 'cancel' && (hasLasted(CANCEL_MS) || idleLooks === IDLE_LOOKS)) enter('kill');
    else if (stage === 'kill' && hasLasted(KILL_MS)) {
      enter('end');
      return;
    }
    if (stage !== 'kill') operators.tidyUp();
    if (stage !== 'tidy') operators.endAll(stage === 'cancel' ? 'cancel' : 'kill');
    scheduler.after(LOOK_EVERY_MS, '', look);
  }
  scheduler.after(chaosMs, 'everybody behaves', () => {
    enter('tidy');
    chaos = NO_CHAOS;
    for (const member of cluster.members) {
      member.frozenUntil = Math.min(member.frozenUntil, scheduler.now());
      member.skew = 0;
    }
    participants.behave();
    look();
  });

  const isAtRest = (): boolean =>
    stage !== 'chaos' &&
    database.workflows.size === launches &&
    [...database.workflows.values()].every(
      ({ workflow, workitems, agenda }) => isOver(workflow.status) && workitems.size === 0 && agenda.size === 0,
    );

  let events = 0;
  try {
    events = await scheduler.run(() => watch.problems.length > 0 || stage === 'end' || isAtRest());
    if (watch.problems.length === 0) watch.atEnd();
  } catch (error) {
    watch.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { commits, tries, notices, proceeds } = watch.counts;
  return {
    seed,
    problems: watch.problems,
    hash: scheduler.hash(),
    events,
    steps: cluster.steps(),
    commits,
    workflows: database.workflows.size,
    tries,
    notices,
    proceeds,
    seconds: scheduler.now() / 1_000,
    tail: scheduler.tail(TAIL_LINES),
  };
}
