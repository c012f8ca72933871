import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import type { Move, Played } from './play.ts';

/*
 * Answers that are given for participants without a hand: to each its own, in turn, or one for every time. Who is not in the script, or whose turns
 * are over, is played by hand.
 */

/** Answers to one participant, and answers that follow each other by themselves before somebody looks. */
export const TURNS_MAX = 1_000;
export const ANSWERS_MAX = 1_000;
const SECOND_MS = 1_000;
/** Stands for whoever has no answers of their own. */
const ANYBODY = '*';

type Answer = {
  /** Null: it is left alone. */
  readonly fields: JsonObject | null;
  readonly failure: { readonly class: string; readonly message: string } | null;
  readonly afterMs: number;
};
/** `always`: the one answer to each time; else in turn. */
type Answers = { readonly always: boolean; readonly turns: readonly Answer[] };

export type Script = {
  /** What is to be answered now; null: nothing. */
  next(played: Played): Move | null;
  /** When the next answer is due; null: none is. */
  nextAt(played: Played): number | null;
};

const USUAL_CLASS = 'RuntimeError';
const PROCEED: Answer = { fields: {}, failure: null, afterMs: 0 };

function answerOf(value: Json): Answer | string {
  if (value === 'proceed') return PROCEED;
  if (value === 'wait') return { ...PROCEED, fields: null };
  if (!isObject(value)) return 'an answer is "proceed", "wait" or an object';
  const unknown = Object.keys(value).find((key) => !['proceed', 'fail', 'class', 'after'].includes(key));
  if (unknown !== undefined) return `"${unknown}" is none of proceed, fail, class, after`;
  const { proceed, fail, class: kind = USUAL_CLASS, after = 0 } = value;
  if ((proceed === undefined) === (fail === undefined)) return 'an answer has either proceed or fail';
  if (typeof after !== 'number' || after < 0) return '"after" is a number of seconds';
  const afterMs = after * SECOND_MS;
  if (proceed !== undefined)
    return isObject(proceed) ? { fields: proceed, failure: null, afterMs } : '"proceed" has an object of fields';
  return typeof fail === 'string' && fail !== '' && typeof kind === 'string'
    ? { fields: null, failure: { class: kind, message: fail }, afterMs }
    : '"fail" says what went wrong, "class" of which kind it is';
}

/** Reads `{ "stock": [{ "fail": "no box" }, { "proceed": { … }, "after": 3600 }], "*": "proceed" }`; a text: what is wrong with it. */
export function readScript(value: Json): Script | string {
  if (!isObject(value)) return 'answers are an object: to each participant its own';
  const read = new Map<string, Answers>();
  for (const [name, given] of Object.entries(value)) {
    const always = !Array.isArray(given);
    const list = always ? [given] : (given as readonly Json[]);
    if (list.length > TURNS_MAX) return `${name}: at most ${TURNS_MAX} answers`;
    const turns: Answer[] = [];
    for (const one of list) {
      const answer = answerOf(one);
      if (typeof answer === 'string') return `${name}: ${answer}`;
      turns.push(answer);
    }
    read.set(name, { always, turns });
  }
  return scriptOf(read);
}

/** Everybody is played by hand. */
export const NO_SCRIPT: Script = { next: () => null, nextAt: () => null };

type Asked = { readonly id: string; readonly at: number; readonly answer: Answer };

function scriptOf(answers: ReadonlyMap<string, Answers>): Script {
  /** Each time somebody is asked has its answer from the beginning; null: it is played by hand. */
  const given = new Map<string, Answer | null>();
  const turn = new Map<string, number>();

  function answerTo(participant: string): Answer | null {
    const own = answers.get(participant) ?? answers.get(ANYBODY);
    if (own === undefined) return null;
    const n = turn.get(participant) ?? 0;
    turn.set(participant, n + 1);
    return own.turns[own.always ? 0 : n] ?? null;
  }

  function asked({ shown }: Played): readonly Asked[] {
    const items = Array.isArray(shown['workitems']) ? (shown['workitems'] as readonly Json[]).filter(isObject) : [];
    return items
      .filter((item) => item['status'] === 'open')
      .flatMap((item) => {
        const openedAt = String(item['opened_at']);
        // A workitem that is asked anew keeps its id.
        const key = `${String(item['id'])} ${openedAt}`;
        if (!given.has(key)) given.set(key, answerTo(String(item['participant'])));
        const answer = given.get(key) ?? null;
        return answer === null || (answer.fields === null && answer.failure === null)
          ? []
          : [{ id: String(item['id']), at: Date.parse(openedAt) + answer.afterMs, answer }];
      })
      .sort((a, b) => a.at - b.at);
  }

  return {
    next: (played) => {
      const [first] = asked(played);
      if (first === undefined || first.at > played.now) return null;
      const { failure, fields } = first.answer;
      return failure === null
        ? { kind: 'proceed', workitem: first.id, fields: fields ?? {} }
        : { kind: 'fail', workitem: first.id, ...failure };
    },
    nextAt: (played) => asked(played)[0]?.at ?? null,
  };
}

/** What is done of a move of the clock before the next answer is due: as far as that, or all of it (null: no answer comes before). */
function untilAnswer(move: Move, played: Played, script: Script): Extract<Move, { readonly kind: 'advance' }> | null {
  const at = script.nextAt(played);
  if (at === null || at <= played.now) return null;
  const end =
    move.kind === 'advance' ? played.now + move.by : move.kind === 'next' ? (played.nextDueAt ?? at + 1) : null;
  return end === null || at >= end ? null : { kind: 'advance', by: at - played.now };
}

/**
 * A move with all the answers that are due on the way and behind it.
 *
 * @param one does one move; null: the rehearsal was ended
 */
export async function playThrough(
  move: Move,
  {
    script,
    before,
    one,
  }: {
    readonly script: Script;
    /** How it stands; null: it begins. */
    readonly before: Played | null;
    readonly one: (move: Move) => Promise<Played | null>;
  },
): Promise<{ readonly last: Played | null; readonly isStopped: boolean }> {
  let left: Move | null = move;
  let last = before;
  let answers = 0;
  while (left !== null) {
    const first: Move | null = last === null ? null : untilAnswer(left, last, script);
    const endAt: number | null = left.kind === 'advance' && last !== null ? last.now + left.by : null;
    last = await one(first ?? left);
    // What was refused is shown, and nothing follows from it.
    if (last === null || last.refused !== null) return { last, isStopped: false };
    left = first !== null && endAt !== null && endAt > last.now ? { kind: 'advance', by: endAt - last.now } : null;
    for (let answer = script.next(last); answer !== null; answer = script.next(last)) {
      if (answers === ANSWERS_MAX) return { last, isStopped: true };
      answers++;
      last = await one(answer);
      if (last === null || last.refused !== null) return { last, isStopped: false };
    }
  }
  return { last, isStopped: false };
}
