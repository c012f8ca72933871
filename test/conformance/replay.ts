import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import { compareExpids, expidOf } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type { Behaviour, Case, ExpectedError, Outcome, ScriptStep } from './cases.ts';
import type { Result } from './compare.ts';
import { compareNaturally, normaliser, sortedJson } from './normal.ts';

/* Plays the participants and the outside world of one case, in process or over HTTP (README.md, "Replaying"). */

export type Received = {
  readonly workflow: WorkflowId;
  readonly workitem: ExpressionId;
  readonly participant: string;
  readonly status: 'active' | 'timeout' | 'error' | 'cancel';
  readonly fields: Fields;
};
export type Ending = {
  readonly outcome: Outcome;
  readonly status: string;
  readonly fields: Json;
  readonly errors: readonly ExpectedError[];
  readonly remaining: readonly string[];
};

/** The engine a case is played against. Answers that come too late are no errors: they change nothing. */
export type Player = {
  launch(definition: string, fields: Fields): Promise<WorkflowId | null>;
  proceed(to: Received, fields: Fields): Promise<void>;
  fail(to: Received, message: string): Promise<void>;
  cancel(workflow: WorkflowId): Promise<void>;
  kill(workflow: WorkflowId): Promise<void>;
  /** Waits until the engine rests; answers with what was received since the last time. */
  rest(): Promise<readonly Received[]>;
  /** Nothing is believed to come any more after so many looks in a row without news and without anything due: over HTTP a timer may
   * fire between the look at what was received and the look at what is due. */
  readonly looks: number;
  now(): number;
  /** When something will happen by itself, or null. */
  nextDueAt(): Promise<number | null>;
  /** Lets the time pass until `at`. */
  waitUntil(at: number): Promise<void>;
  ending(workflow: WorkflowId): Promise<Ending>;
};

/** Rounds, script steps and waits of one case together; a workflow that never rests stops here. */
const TURNS_MAX = 1_000;
/** Answers of one case. */
const ANSWERS_MAX = 2_000;
/** Seconds to watch a workflow after the last thing that was done to it: no case needs more than a few. */
const WATCH_SECONDS = 10;

type Counted = Received & { readonly nth: number };

/** Plays a case to its end. Never throws for what the engine does wrong: that is a trouble in the result. */
export async function replay(one: Case, player: Player): Promise<Result> {
  const workflows: WorkflowId[] = [];
  const received: Received[] = [];
  const counted: Counted[] = [];
  const troubles: string[] = [];
  let waiting: Received[] = [];
  let answers = 0;
  const written = JSON.stringify([one.definition, one.fields, one.participants, one.script]);
  const indexOf = (workflow: WorkflowId): number => workflows.indexOf(workflow) + 1;

  async function answerRound(): Promise<void> {
    const normal = normaliser(workflows, written);
    const key = (each: Received): string => sortedJson(normal(each.fields));
    const round = waiting.sort(
      (a, b) =>
        indexOf(a.workflow) - indexOf(b.workflow) ||
        compareExpids(expidOf(a.workitem), expidOf(b.workitem)) ||
        (a.participant === b.participant ? compareNaturally(key(a), key(b)) : a.participant < b.participant ? -1 : 1),
    );
    waiting = [];
    const first = counted.length;
    for (const each of round) counted.push({ ...each, nth: timesSeen(each.participant) + 1 });
    for (const each of counted.slice(first)) {
      const behaviour = behaviourOf(one, each.participant, each.nth);
      if (behaviour.hold === true || behaviour.missing_callback === true) continue;
      if (++answers > ANSWERS_MAX) throw new Error(`More than ${ANSWERS_MAX} answers`);
      if (behaviour.fail !== undefined) await player.fail(each, behaviour.fail);
      else await player.proceed(each, behaviour.reply ?? {});
    }
  }

  const timesSeen = (participant: string): number => counted.filter((each) => each.participant === participant).length;

  async function act(step: ScriptStep): Promise<void> {
    const [first] = workflows;
    if (first === undefined) return;
    if (step.do === 'cancel_workflow') await player.cancel(first);
    else if (step.do === 'kill_workflow') await player.kill(first);
    else if (step.do === 'launch') {
      const id = await player.launch(step.definition ?? '', step.fields ?? {});
      if (id === null) troubles.push('the second launch was refused');
      else workflows.push(id);
    } else if (step.do === 'proceed' || step.do === 'fail') {
      const participant = step.participant ?? step.after_dispatch;
      const nth = step.target_nth ?? step.nth ?? 1;
      const target = counted.find((each) => each.participant === participant && each.nth === nth);
      if (target === undefined) troubles.push(`script: there is no dispatch ${nth} of ${participant} to proceed`);
      else if (step.do === 'fail') await player.fail(target, step.message ?? '');
      else await player.proceed(target, step.fields ?? {});
    }
  }

  /** Moves a clock that stands: what falls due on the way happens at its time. */
  async function move(step: ScriptStep): Promise<void> {
    const to =
      step.advance_to === undefined ? player.now() + msOf(step.advance ?? '0s') : nextAt(step.advance_to, player.now());
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const due = await player.nextDueAt();
      if (due === null || due >= to + MOVED_MORE_MS) break;
      await player.waitUntil(due);
      const news = await player.rest();
      received.push(...news);
      waiting.push(...news.filter((each) => each.status === 'active'));
      while (waiting.length > 0) {
        await answerRound();
        const more = await player.rest();
        received.push(...more);
        waiting.push(...more.filter((each) => each.status === 'active'));
      }
    }
    await player.waitUntil(to + MOVED_MORE_MS);
  }

  /** Lets time pass until something is due, at the latest until `limit`; false when nothing happens before. */
  async function pass(limit: number, wakeAt: number | null): Promise<boolean> {
    const due = await player.nextDueAt();
    const at = due === null ? wakeAt : wakeAt === null ? due : Math.min(due, wakeAt);
    if (at === null || at > limit) return false;
    await player.waitUntil(at);
    return true;
  }

  async function play(firstStep: number): Promise<void> {
    let script = firstStep;
    let wakeAt: number | null = null;
    let watchFrom = player.now();
    let quietTurns = 0;
    const watch = (one.run_for ?? WATCH_SECONDS) * 1_000;
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const news = await player.rest();
      received.push(...news);
      waiting.push(...news.filter((each) => each.status === 'active'));
      quietTurns = news.length > 0 ? 0 : quietTurns + 1;
      if (waiting.length > 0) {
        await answerRound();
        continue;
      }
      const step = one.script[script];
      if (step === undefined) {
        if (one.stands !== true && (await pass(watchFrom + watch, null))) quietTurns = 0;
        else if (quietTurns >= player.looks) return;
        continue;
      }
      if (step.advance !== undefined || step.advance_to !== undefined) {
        await move(step);
        script++;
        continue;
      }
      wakeAt ??= player.now() + (step.sleep ?? 0) * 1_000;
      if (player.now() < wakeAt) {
        await pass(wakeAt, wakeAt);
        continue;
      }
      if (step.after_dispatch !== undefined && timesSeen(step.after_dispatch) < (step.nth ?? 1)) {
        if (one.stands !== true && (await pass(watchFrom + watch, null))) quietTurns = 0;
        if (quietTurns < player.looks) continue;
        troubles.push(`script: dispatch ${step.nth ?? 1} of ${step.after_dispatch} never came`);
      } else if (step.do !== undefined) await act(step);
      script++;
      wakeAt = null;
      watchFrom = player.now();
    }
    troubles.push(`still not at its end after ${TURNS_MAX} turns`);
  }

  let ending: Ending = { outcome: 'launch_error', status: '', fields: null, errors: [], remaining: [] };
  try {
    // A time of day at which a script begins is one at which its workflow begins: what comes before it on the way there is not its own.
    const [{ advance_to: beginsAt } = {}] = one.script;
    if (beginsAt !== undefined) await player.waitUntil(nextAt(beginsAt, player.now()));
    const id = await player.launch(one.definition, filledIn(one.fields, player.now()));
    if (id !== null) {
      workflows.push(id);
      await play(beginsAt === undefined ? 0 : 1);
      ending = await player.ending(id);
    }
  } catch (thrown) {
    troubles.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  const normal = normaliser(workflows, written);
  const message = (each: Received) => ({
    workflow: indexOf(each.workflow),
    participant: each.participant,
    expid: expidOf(each.workitem),
    fields: normal(each.fields),
  });
  return {
    dispatches: received.filter((each) => each.status === 'active').map(message),
    notices: received
      .filter((each) => each.status !== 'active')
      .map((each) => ({ ...message(each), status: each.status })),
    outcome: ending.outcome,
    status: ending.status,
    fields: normal(ending.fields),
    errors: ending.errors.map((error) => ({ ...error, message: String(normal(error.message)) })),
    remaining: ending.remaining,
    troubles,
  };
}

/** The clock is moved so much further than a script says, so that what is due at that moment is due. */
const MOVED_MORE_MS = 50;
const UNIT_MS: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function msOf(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)([smhd])/g)];
  if (parts.map(([part]) => part).join('') !== duration) throw new Error(`${duration} is no duration`);
  return parts.reduce((sum, [, size, unit]) => sum + Number(size) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

function nextAt(time: string, now: number): number {
  const day = now - (now % 86_400_000);
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const at = day + hours * 3_600_000 + minutes * 60_000;
  return at > now ? at : at + 86_400_000;
}

/** `<in 30d>` in fields stands for the time that many days from now. */
function filledIn(fields: Fields, now: number): Fields {
  const fill = (value: Json): Json => {
    if (Array.isArray(value)) return value.map((item) => fill(item as Json));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each as Json)]));
    const ahead = typeof value === 'string' ? /^<in (\w+)>$/.exec(value)?.[1] : undefined;
    if (ahead === undefined) return value;
    return `${new Date(now + msOf(ahead)).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  };
  return fill(fields) as Fields;
}

/** What a participant does at its n-th dispatch: the last behaviour repeats; whoever is not listed replies at once. */
function behaviourOf(one: Case, participant: string, nth: number): Behaviour {
  const behaviours = Object.hasOwn(one.participants, participant) ? (one.participants[participant] ?? []) : [];
  return behaviours[Math.min(nth, behaviours.length) - 1] ?? { reply: {} };
}
