import { compareExpids, expidOf, type WorkflowId } from '../../src/model/ids.ts';
import { equalJson, type Fields, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import type { Received } from '../conformance/replay.ts';
import type { Case, Dispatch, ScriptStep } from './cases.ts';

/* Plays the participants and the outside world of one case, in process or over HTTP. */

export type BpmnReceived = Received & { readonly element: string };
export type BpmnEnding = {
  readonly outcome: 'completed' | 'cancelled' | 'running' | 'error';
  readonly ends: readonly string[];
  readonly fields: Json;
  readonly errors: readonly { readonly element: string; readonly class: string; readonly message: string }[];
  readonly remaining: readonly string[];
};
export type Refused = {
  readonly refused: readonly { readonly element: string; readonly line: number; readonly message: string }[];
};
export type BpmnPlayer = {
  launch(one: Case): Promise<WorkflowId | Refused>;
  proceed(to: BpmnReceived, fields: Fields): Promise<void>;
  fail(to: BpmnReceived, message: string, code: string | null, fields: Fields): Promise<void>;
  message(workflow: WorkflowId, name: string, key: string | undefined, fields: Fields): Promise<void>;
  signal(workflow: WorkflowId, name: string, fields: Fields): Promise<void>;
  cancel(workflow: WorkflowId): Promise<void>;
  /** Waits until the engine rests; answers with what was received since the last time. */
  rest(): Promise<readonly BpmnReceived[]>;
  now(): number;
  nextDueAt(): Promise<number | null>;
  waitUntil(at: number): Promise<void>;
  ending(workflow: WorkflowId): Promise<BpmnEnding>;
};

const ROUNDS_MAX = 500;

/** Plays a case; answers with what differs from what it expects. */
export async function replayBpmn(one: Case, player: BpmnPlayer): Promise<readonly string[]> {
  const id = await player.launch(one);
  if (typeof id !== 'string') return refusal(one, id);
  if (one.expect.outcome === 'refused') return ['it was not refused'];
  const received: BpmnReceived[] = [];
  const troubles: string[] = [];
  let rounds = 0;
  const seen = new Map<string, number>();

  async function rounds_(): Promise<void> {
    for (;;) {
      const news = await player.rest();
      received.push(...news);
      const open = news.filter((each) => each.status === 'active');
      if (open.length === 0) return;
      if (++rounds > ROUNDS_MAX) throw new Error('it never comes to rest');
      const sorted = [...open].sort((a, b) => compareExpids(expidOf(a.workitem), expidOf(b.workitem)));
      for (const each of sorted) await answer(each);
    }
  }

  async function answer(each: BpmnReceived): Promise<void> {
    const nth = (seen.get(each.participant) ?? 0) + 1;
    seen.set(each.participant, nth);
    const behaviours = one.participants[each.participant] ?? [{ reply: {} }];
    const behaviour = behaviours[Math.min(nth, behaviours.length) - 1] ?? { reply: {} };
    if (behaviour.hold === true) return;
    if (behaviour.fail !== undefined) await player.fail(each, behaviour.fail, null, {});
    else if (behaviour.bpmn_error !== undefined)
      await player.fail(each, behaviour.bpmn_error, behaviour.bpmn_error, behaviour.fields ?? {});
    else await player.proceed(each, behaviour.reply ?? {});
  }

  async function act(workflow: WorkflowId, step: ScriptStep): Promise<void> {
    const fields = step.fields ?? {};
    switch (step.do) {
      case 'message':
        return player.message(workflow, step.name ?? '', step.key, fields);
      case 'signal':
        return player.signal(workflow, step.name ?? '', fields);
      case 'cancel_workflow':
        return player.cancel(workflow);
      case 'proceed': {
        const target = received.filter((each) => each.status === 'active' && each.participant === step.after_dispatch)[
          (step.nth ?? 1) - 1
        ];
        if (target === undefined) troubles.push(`there is no dispatch of ${step.after_dispatch} to proceed`);
        else await player.proceed(target, fields);
        return;
      }
      case 'advance': {
        const until = player.now() + (step.seconds ?? 0) * 1_000;
        for (let due = await player.nextDueAt(); due !== null && due <= until; due = await player.nextDueAt()) {
          await player.waitUntil(due);
          await rounds_();
        }
        await player.waitUntil(until);
        return;
      }
      default:
    }
  }

  await rounds_();
  for (const step of one.script) {
    if (step.after_dispatch !== undefined && (seen.get(step.after_dispatch) ?? 0) < (step.nth ?? 1))
      troubles.push(`dispatch ${step.nth ?? 1} of ${step.after_dispatch} never came`);
    await act(id, step);
    await rounds_();
  }
  return [...troubles, ...differences(one, received, await player.ending(id))];
}

function refusal(one: Case, { refused }: Refused): readonly string[] {
  if (one.expect.outcome !== 'refused' && one.validate !== true)
    return [`refused: ${JSON.stringify(refused.slice(0, 3))}`];
  return (one.expect.refused ?? [])
    .filter(
      (wanted) =>
        !refused.some(
          (each) =>
            (wanted.element === '*' || wanted.element === each.element) &&
            each.message.includes(wanted.message) &&
            (wanted.line === undefined || wanted.line === each.line),
        ),
    )
    .map((wanted) => `not refused: ${JSON.stringify(wanted)} but ${JSON.stringify(refused)}`);
}

const sorted = (list: readonly string[]): readonly string[] => [...list].sort();
const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

function differences(one: Case, received: readonly BpmnReceived[], ending: BpmnEnding): readonly string[] {
  const { expect } = one;
  const found: string[] = [];
  if (ending.outcome !== expect.outcome)
    found.push(`outcome: ${ending.outcome}, not ${expect.outcome}; errors ${JSON.stringify(ending.errors)}`);
  found.push(
    ...dispatched(
      expect.dispatches ?? [],
      one,
      received.filter((each) => each.status === 'active'),
    ),
  );
  const cancels = received
    .filter((each) => each.status !== 'active')
    .map((each) => `${each.participant} ${each.element} ${each.status}`);
  const must = (expect.cancels ?? [])
    .filter((each) => each.optional !== true)
    .map((each) => `${each.participant} ${each.element} ${each.status}`);
  const may = (expect.cancels ?? [])
    .filter((each) => each.optional === true)
    .map((each) => `${each.participant} ${each.element} ${each.status}`);
  if (!fitsMultiset(cancels, must, may))
    found.push(`notices: ${JSON.stringify(sorted(cancels))}, not ${JSON.stringify(sorted(must))}`);
  if (expect.ends !== undefined && !same(sorted(ending.ends), sorted(expect.ends)))
    found.push(`ends: ${JSON.stringify(sorted(ending.ends))}, not ${JSON.stringify(sorted(expect.ends))}`);
  if (expect.final_fields !== undefined && !equalJson(ending.fields, expect.final_fields))
    found.push(`fields: ${JSON.stringify(ending.fields)}, not ${JSON.stringify(expect.final_fields)}`);
  const errors = expect.errors ?? [];
  if (errors.length !== ending.errors.length) found.push(`errors: ${JSON.stringify(ending.errors)}`);
  for (const wanted of errors)
    if (
      !ending.errors.some(
        (each) =>
          each.element === wanted.element &&
          (wanted.class === '*' || wanted.class === each.class) &&
          each.message.includes(wanted.message),
      )
    )
      found.push(`error missing: ${JSON.stringify(wanted)}; there is ${JSON.stringify(ending.errors)}`);
  if (expect.remaining !== undefined && !same(sorted(ending.remaining), sorted(expect.remaining)))
    found.push(
      `remaining: ${JSON.stringify(sorted(ending.remaining))}, not ${JSON.stringify(sorted(expect.remaining))}`,
    );
  return found;
}

function fitsMultiset(have: readonly string[], must: readonly string[], may: readonly string[]): boolean {
  const left = [...have];
  for (const each of must) {
    const at = left.indexOf(each);
    if (at < 0) return false;
    left.splice(at, 1);
  }
  for (const each of may) {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
  }
  return left.length === 0;
}

const labelOf = (each: { readonly participant: string; readonly element: string }): string =>
  `${each.participant}@${each.element}`;

function dispatched(wanted: readonly Dispatch[], { expect }: Case, all: readonly BpmnReceived[]): readonly string[] {
  const found: string[] = [];
  const got = all.map(labelOf);
  const must = wanted.filter((each) => each.optional !== true).map(labelOf);
  const may = wanted.filter((each) => each.optional === true).map(labelOf);
  const total = expect.order === 'total' && may.length === 0;
  if (total ? !same(got, must) : !fitsMultiset(got, must, may))
    return [`dispatches: ${JSON.stringify(got)}, not ${JSON.stringify(must)}`];
  for (const [first, second] of expect.before ?? []) {
    const at = all.findIndex((each) => each.element === first || each.participant === first);
    const last = all.findLastIndex((each) => each.element === second || each.participant === second);
    if (at < 0 || last < 0 || at > last) found.push(`order: ${first} does not come before ${second}`);
  }
  const left = [...all];
  for (const each of wanted) {
    if (each.fields === undefined) continue;
    const at = left.findIndex(
      (one) =>
        labelOf(one) === labelOf(each) &&
        equalJson(withoutKeys(one.fields as JsonObject, 'params', 'dispatched_at'), each.fields as JsonObject),
    );
    if (at < 0)
      found.push(
        `fields of ${labelOf(each)}: ${JSON.stringify(left.filter((one) => labelOf(one) === labelOf(each)).map((one) => one.fields))}, not ${JSON.stringify(each.fields)}`,
      );
    else left.splice(at, 1);
  }
  return found;
}
