import type { EngineStimulus } from '../../src/engine/engine.ts';
import { Fault } from '../../src/model/fault.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { callerOf } from '../support/origin.ts';
import type { Chaos } from './chaos.ts';
import type { Cluster, Member } from './cluster.ts';
import type { Random, Scheduler } from './scheduler.ts';
import type { Told, Watch } from './watch.ts';

/** Callers of the API: applications, participants that proceed, operators. */
export type Clients = {
  /**
   * One call, to whichever node. `done` hears what the caller hears: `unknown` when no answer came.
   *
   * @param counts whether the change, when it is answered 201, leaves exactly one entry in the history
   */
  call(stimulus: EngineStimulus, counts: boolean, done: (told: Told) => void): void;
  /** The same, again and again until the answer is certain. */
  insist(stimulus: EngineStimulus, counts: boolean, done: (told: Told) => void): void;
};

const PATIENCE_MS = 30_000;
/** A node that lives and does not stand still answers within this. */
const ANSWERED_MS = 150_000;
/** Answers after which the same call is worth trying again. */
const UNCERTAIN: ReadonlySet<Told> = new Set<Told>([
  'unknown',
  'unavailable',
  'outcome_unknown',
  'overloaded',
  'internal',
]);

export function makeClients(parts: {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly cluster: Cluster;
  readonly watch: Watch;
  readonly chaos: () => Chaos;
}): Clients {
  const { scheduler, random, cluster, watch, chaos } = parts;
  let made = 0;

  function call(stimulus: EngineStimulus, counts: boolean, done: (told: Told) => void): void {
    const actor = `caller ${++made}`;
    const what = nameOf(stimulus);
    let over = false;
    const finish = (told: Told): void => {
      if (over) return;
      over = true;
      done(told);
    };
    const serving = cluster.members.filter((member) => member.process !== null);
    if (serving.length === 0) return void scheduler.after(500, '', () => finish('unknown'));
    const member = random.pick(serving);
    scheduler.after(PATIENCE_MS, '', () => finish('unknown'));
    scheduler.after(random.delay(), `${actor} asks ${member.id} to ${what}`, () => {
      member.run(() =>
        serve(member, { ...stimulus, origin: callerOf(DEFAULT_TENANT, actor) }, (told) => {
          scheduler.note(`${member.id} answers ${actor}: ${told}`);
          watch.told(actor, what, told, counts);
          if (random.chance(chaos().callsLost)) return;
          scheduler.after(random.delay(), '', () => finish(told));
        }),
      );
    });
  }

  function serve(member: Member, stimulus: EngineStimulus, answer: (told: Told) => void): void {
    if (member.process === null) return;
    let answered = false;
    const { freezes } = member;
    member.process.advance([stimulus]).then(
      ([result]) => {
        answered = true;
        answer(result === undefined ? 'internal' : result.ok ? 'ok' : result.code);
      },
      (error: unknown) => {
        answered = true;
        if (!(error instanceof Fault))
          watch.problems.push(`${member.id} rejects ${nameOf(stimulus)} with ${String(error)}`);
        answer(error instanceof Fault ? error.code : 'internal');
      },
    );
    scheduler.after(ANSWERED_MS, '', () => {
      if (!answered && member.alive && member.freezes === freezes)
        watch.problems.push(
          `${member.id} has never answered ${stimulus.origin.by === 'caller' ? stimulus.origin.actor : 'the server'}: ${nameOf(stimulus)}`,
        );
    });
  }

  function insist(stimulus: EngineStimulus, counts: boolean, done: (told: Told) => void): void {
    call(stimulus, counts, (told) => {
      if (!UNCERTAIN.has(told)) return done(told);
      scheduler.after(random.between(200, 4_000), '', () => insist(stimulus, counts, done));
    });
  }

  return { call, insist };
}

function nameOf({ workflow, event }: EngineStimulus): string {
  if ('workitem' in event) return `${event.kind} ${event.workitem}!${workflow}`;
  if ('expression' in event) return `${event.kind} ${event.expression}!${workflow}`;
  return `${event.kind} ${workflow}`;
}
