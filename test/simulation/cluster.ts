import type { Engine, EngineStimulus } from '../../src/engine/engine.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Limits } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { callbackRequest } from '../../src/outbox/callback.ts';
import type { PostResult } from '../../src/outbox/message.ts';
import type { Post } from '../../src/outbox/post.ts';
import { seededIds } from '../../src/runtime/ids.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { ProcessTime } from '../../src/runtime/process-time.ts';
import { LOOKUP_MS } from '../../src/store/outcome.ts';
import { CLIENT_MS } from '../../src/store/patience.ts';
import { type Save, type Store, StoreUnavailable } from '../../src/store/store.ts';
import { aroundSaving } from '../support/saving.ts';
import { type Chaos, fateOfCommit } from './chaos.ts';
import type { Database } from './database.ts';
import type { Flaw } from './flaws.ts';
import { type Process, startProcess } from './node.ts';
import { makeRandom, type Random, type Scheduler } from './scheduler.ts';
import { type CommitFate, type Link, openSimulated, type SimulatedStore } from './store.ts';
import type { Watch } from './watch.ts';

/*
 * The nodes of a simulated world. A node is a set of events: whatever it waits for (an answer of the database, a timer, a response)
 * comes to it as an event that belongs to it. A node that is dead gets none of them, one that stands still gets them later.
 */

export type Member = {
  readonly id: string;
  readonly role: 'all' | 'api';
  alive: boolean;
  /** It stands still until then. */
  frozenUntil: number;
  /** How often it stood still. */
  freezes: number;
  process: Process | null;
  /** Its clock is wrong by so much. */
  skew: number;
  /** Runs something on this node, when and if it can. */
  run(what: () => void): void;
};

/** A message on its way to a participant. */
export type Delivery = {
  readonly workitem: string;
  readonly workflow: string;
  readonly participant: string;
  readonly send: 'active' | 'timeout' | 'error' | 'cancel';
  readonly host: string;
  readonly fields: { readonly [key: string]: unknown };
};

/** When virtual time began. */
export const BEGAN_AT = Date.UTC(2030, 0, 1);

export type Cluster = {
  readonly members: readonly Member[];
  join(role: Member['role']): void;
  crash(member: Member): void;
  freeze(member: Member, ms: number): void;
  stop(member: Member): void;
  /** The database cannot be reached by anybody for so long. */
  cutDatabase(ms: number): void;
  readonly steps: () => number;
};

/** Any number that no seed is near. */
const SILENCE_SEED = 500_000_000;

/** Things a log says that must never happen. */
const BUGS = /^a step (threw|never had enough)|step that puts a workflow|database refused what/;

export function makeCluster(parts: {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly database: Database;
  readonly watch: Watch;
  readonly limits: Limits;
  readonly triesPerHost: number;
  readonly flaw: Flaw | null;
  readonly chaos: () => Chaos;
  /** What schedules launch; left out: nobody looks at schedules. */
  readonly scheduled?: (id: WorkflowId, dueAt: number) => EngineStimulus;
  /** A request has reached its host; `respond` takes the status, and may be called or not. */
  readonly arrived: (delivery: Delivery, respond: (status: number) => void) => void;
}): Cluster {
  const { scheduler, random, database, watch, flaw, chaos } = parts;
  const members: Member[] = [];
  /** Chance of its own, so that worlds without silences stay as they are. */
  const whims = makeRandom(parts.seed + SILENCE_SEED);
  let made = 0;
  let databaseBackAt = 0;
  let stepsOfTheDead = 0;

  function join(role: Member['role']): void {
    const id = `node${++made}`;
    const waiting: (() => void)[] = [];
    const member: Member = {
      id,
      role,
      alive: true,
      frozenUntil: 0,
      freezes: 0,
      process: null,
      skew: random.between(-3_000, 3_000),
      run: (what) => {
        if (!member.alive) return;
        if (member.frozenUntil <= scheduler.now() && waiting.length === 0) return what();
        waiting.push(what);
        if (waiting.length === 1) thaw();
      },
    };
    const thaw = (): void => {
      scheduler.after(member.frozenUntil - scheduler.now(), '', () => {
        if (!member.alive) return;
        if (member.frozenUntil > scheduler.now()) return thaw();
        waiting.shift()?.();
        if (waiting.length > 0) thaw();
      });
    };
    members.push(member);
    scheduler.note(`${id} joins as ${role}`);
    start(member);
  }

  function start(member: Member): void {
    const ids = seededIds(parts.seed * 1_009 + made * 7 + 1);
    const store: SimulatedStore = openSimulated(database, {
      link: linkOf(member),
      ids,
      flaws: {
        loadBeforeLock: flaw === 'load before the lock',
        claimHeld: flaw === 'skip the lease check',
        flipFrees: flaw === 'notice without waiting',
        believeMemory: flaw === 'believe the memory',
        silenceIsNo: flaw === 'take silence for a no',
        lookEarly: flaw === 'look before the row',
        receiveEarly: flaw === 'receive without a lock',
        keepMissed: flaw === 'give nothing back',
      },
      committed: watch.committed,
    });
    drops.set(member, store.drop);
    const time = timeOf(member);
    const post = postOf(member);
    const clock = { now: () => Math.floor(BEGAN_AT + scheduler.now() + member.skew) };
    const flawed = flawedStore(store, post);
    const begin = (): void => {
      startProcess({
        id: member.id,
        role: member.role,
        store: flawed,
        post,
        clock,
        time,
        ids,
        log: logOf(member),
        limits: parts.limits,
        triesPerHost: parts.triesPerHost,
        wrap: flawedEngine,
        ...(parts.scheduled === undefined ? {} : { scheduled: parts.scheduled }),
      }).then(
        (process) => {
          member.process = process;
          scheduler.note(`${member.id} is ready`);
        },
        () => time.after(1_000, begin),
      );
    };
    begin();
  }
  const drops = new Map<Member, () => void>();

  const timeOf = (member: Member): ProcessTime => ({
    now: () => scheduler.now(),
    after: (ms, run) => {
      let off = false;
      const cancel = scheduler.after(Math.max(0, ms) + random.fraction() * 2, '', () =>
        member.run(() => {
          if (!off) run();
        }),
      );
      return () => {
        off = true;
        cancel();
      };
    },
  });

  function linkOf(member: Member): Link {
    let silentUntil = 0;
    /** How long the database will still answer nothing. */
    const silence = (): number => (chaos().silences === 0 ? 0 : Math.max(0, silentUntil - scheduler.now()));
    const fallSilent = (what: string): void => {
      if (!OF_A_COMMIT.has(what) || silence() > 0 || !whims.chance(chaos().silences)) return;
      const ms = whims.between(1_000, 60_000);
      silentUntil = scheduler.now() + ms;
      scheduler.note(`${member.id} hears nothing of the database for ${ms} ms, from ${what} on`);
      watch.troubled();
      watch.unheard(member.id, ms);
    };
    /** Goes on once the silence is over, or gives up as a client does. */
    const unlessSilent = (goOn: () => void, giveUp: (error: StoreUnavailable) => void): void => {
      const ms = silence();
      if (ms === 0) goOn();
      else if (ms <= CLIENT_MS) scheduler.after(ms, '', goOn);
      else
        scheduler.after(CLIENT_MS, '', () =>
          member.run(() => giveUp(new StoreUnavailable('The database answered nothing'))),
        );
    };
    return {
      reach: (what) =>
        new Promise((resolve, reject) => {
          if (!member.alive) return;
          const survives = random.chance(0.5);
          const isLost = random.chance(chaos().questionsLost);
          scheduler.after(random.delay(), `${member.id} ${what}`, () => {
            if (!member.alive && !survives) return;
            if (what === 'commit' && member.alive && random.chance(chaos().crashAtCommit)) return crash(member);
            if (isLost || databaseBackAt > scheduler.now())
              return member.run(() => reject(new StoreUnavailable('The database cannot be reached')));
            // What becomes of a commit that was sent into the silence its fate says.
            if (what === 'commit') return resolve();
            fallSilent(what);
            unlessSilent(resolve, reject);
          });
        }),
      back: (what) =>
        new Promise((resolve, reject) => {
          if (what === 'commit' && member.alive && random.chance(chaos().crashAtCommit)) crash(member);
          // What became of a commit is decided elsewhere; it is not lost twice.
          const isLost = what !== 'commit' && what !== 'look up' && random.chance(chaos().answersLost);
          const ms = what === 'look up' ? random.between(100, 10_000) : random.delay();
          if (what !== 'commit') fallSilent(what);
          // The end of a commit is told, however late: what it is its fate says.
          const mostMs = what === 'commit' ? CLIENT_MS : LOOKUP_MS;
          const told = (): void => {
            scheduler.after(ms, `${member.id} hears of ${what}`, () =>
              member.run(() => (isLost ? reject(new StoreUnavailable('The connection was lost')) : resolve())),
            );
          };
          if (what !== 'commit' && what !== 'look up') unlessSilent(told, reject);
          else if (silence() === 0) told();
          else scheduler.after(Math.min(mostMs, silence()), '', told);
        }),
      hint: (hint) => {
        if (random.chance(chaos().hintsLost)) return;
        scheduler.after(random.delay(), '', () => member.run(hint));
      },
      fateOfCommit: () => {
        fallSilent('commit');
        const fate = fateInSilence(silence(), whims) ?? fateOfCommit(chaos(), random);
        if (fate !== 'kept') {
          scheduler.note(`${member.id} has a commit that is ${fate}`);
          watch.troubled();
        }
        return fate;
      },
    };
  }

  function postOf(member: Member): Post {
    return {
      send: (request, timeoutMs) => {
        const body = JSON.parse(String(request.body)) as {
          readonly workflow_id: string;
          readonly workitem_id: string;
          readonly participant: string;
          readonly status: Delivery['send'];
          readonly fields: Delivery['fields'];
        };
        const delivery: Delivery = {
          workitem: body.workitem_id,
          workflow: body.workflow_id,
          participant: body.participant,
          send: body.status,
          host: new URL(request.url).host,
          fields: body.fields,
        };
        const number = Number(request.headers['rota-try']);
        const name = `${delivery.send} ${number} of ${delivery.workitem} to ${delivery.participant}`;
        scheduler.note(`${member.id} sends ${name}`);
        const one = watch.sent(member.id, { workitem: delivery.workitem, send: delivery.send, number });
        return new Promise((resolve) => {
          const end = (result: PostResult): void => {
            if (one.endedAt !== null) return;
            watch.ended(one, result.kind === 'delivered');
            scheduler.note(`${member.id} sees ${name} ${result.kind}`);
            resolve(result);
          };
          const later = (ms: number, result: PostResult): void => {
            scheduler.after(ms, '', () => member.run(() => end(result)));
          };
          later(timeoutMs, { kind: 'unreachable', reason: 'no answer in time' });
          if (random.chance(chaos().requestsLost))
            return later(random.delay(), { kind: 'unreachable', reason: 'the connection was refused' });
          scheduler.after(random.delay(), `${name} arrives`, () =>
            parts.arrived(delivery, (status) => later(random.delay(), resultOf(status))),
          );
        });
      },
      close: () => {},
    };
  }

  function logOf(member: Member): Log {
    const say =
      (level: string) =>
      (event: string, details: Readonly<Record<string, unknown>> = {}): void => {
        const why = details['err'] instanceof Error ? `: ${details['err'].message}` : '';
        scheduler.note(`${member.id} logs ${level} ${event}${why}`);
        if (level !== 'error' || !BUGS.test(event)) return;
        const stack = details['err'] instanceof Error ? (details['err'].stack ?? '') : '';
        watch.problems.push(`${member.id} logs: ${event} ${JSON.stringify(details)} ${stack}`);
      };
    const log: Log = {
      isDebug: () => false,
      debug: () => {},
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      with: () => log,
    };
    return log;
  }

  /** Bugs of the node around the store. */
  function flawedStore(store: Store, post: Post): Store {
    if (flaw === 'believe the lease')
      return { ...store, renewClaim: (request) => store.renewClaim(request).then(() => true) };
    if (flaw === 'decide twice') {
      const { schedules } = store;
      const change: Store['schedules']['change'] = async (row, set) => {
        const now = await schedules.get(row.tenant, row.id);
        return now !== null && schedules.change({ ...row, ver: now.ver }, set);
      };
      return { ...store, schedules: { ...schedules, change } };
    }
    if (flaw !== 'post before the commit') return store;
    const postFirst = (save: Save): void => {
      for (const { workflow, workitem } of save.claims) {
        const op = save.changes.get(workflow)?.workitems.get(workitem);
        if (op?.kind !== 'put' || op.row.fields === null) continue;
        const message = { workflow, tenant: DEFAULT_TENANT, row: op.row };
        const text = { shared: '', own: op.row.fields };
        void post.send(
          callbackRequest(message, text, {
            baseUrl: 'http://rota.test',
            userAgent: 'rota',
            proceedToken: () => null,
          }),
          1_000,
        );
      }
    };
    return aroundSaving(store, ({ save, go }) => {
      postFirst(save);
      return go();
    });
  }

  const flawedEngine = (engine: Engine): Engine =>
    flaw !== 'drop an ack'
      ? engine
      : {
          ...engine,
          outcome: (outcome) => {
            if (outcome.result.kind !== 'delivered' || random.chance(0.7)) engine.outcome(outcome);
          },
        };

  function leave(member: Member): void {
    member.alive = false;
    members.splice(members.indexOf(member), 1);
    stepsOfTheDead += member.process?.figures().steps ?? 0;
  }

  function crash(member: Member): void {
    if (!member.alive) return;
    scheduler.note(`${member.id} dies`);
    leave(member);
    watch.disturbed(member.id, 'gone');
    // What it had sent may still arrive; then its connections are seen to be closed.
    scheduler.after(random.between(0, 2_000), `${member.id} is gone for the database`, () => drops.get(member)?.());
    scheduler.after(random.between(100, 8_000), '', () => join(member.role));
  }

  return {
    members,
    join,
    crash,
    freeze: (member, ms) => {
      scheduler.note(`${member.id} stands still for ${ms} ms`);
      member.frozenUntil = scheduler.now() + ms;
      member.freezes += 1;
      watch.disturbed(member.id, 'frozen');
      watch.troubled();
    },
    stop: (member) => {
      if (member.process === null) return;
      scheduler.note(`${member.id} is told to stop`);
      const { process } = member;
      member.process = null;
      const gone = (): void => {
        if (!member.alive) return;
        scheduler.note(`${member.id} has stopped`);
        watch.disturbed(member.id, 'gone');
        stepsOfTheDead += process.figures().steps;
        leave(member);
        drops.get(member)?.();
        join(member.role);
      };
      watch.disturbed(member.id, 'stopping');
      process.stop().then(gone, gone);
      // Whoever stopped it does not wait for ever.
      scheduler.after(40_000, '', gone);
    },
    cutDatabase: (ms) => {
      scheduler.note(`the database is away for ${ms} ms`);
      databaseBackAt = scheduler.now() + ms;
      watch.troubled();
      for (const { id } of members) watch.unheard(id, ms);
    },
    steps: () => stepsOfTheDead + members.reduce((sum, { process }) => sum + (process?.figures().steps ?? 0), 0),
  };
}

/** The messages of a commit, from the first look at its rows to the last question what became of it. */
const OF_A_COMMIT: ReadonlySet<string> = new Set([
  'look',
  'look more',
  'begin',
  'load',
  'load more',
  'commit',
  'look up',
  'rollback',
]);

/** Of a commit that is sent, or answered, while the database will be silent for so long. Null: no longer than it is waited for. */
function fateInSilence(ms: number, whims: Random): CommitFate | null {
  if (ms <= CLIENT_MS) return null;
  return whims.pick(ms <= CLIENT_MS + LOOKUP_MS ? ['answer lost', 'never came'] : ['unknown, kept', 'unknown, gone']);
}

const resultOf = (status: number): PostResult =>
  status >= 200 && status < 300 ? { kind: 'delivered', status } : { kind: 'refused', status, retryAfterSeconds: null };
