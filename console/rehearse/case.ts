import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import type { Move, Played } from './play.ts';

/* What was played as a case: a definition, what was done, and all that came of it, in the words of the cases that packages of Rota bring along. */

export type Recorder = {
  /** What was done, and how it stands after it. */
  take(move: Move, played: Played): void;
  /** All of it so far, as JSON that reads as a case. */
  caseOf(about: { readonly name: string; readonly format: string; readonly definition: string }): JsonObject;
};

type Dispatch = { readonly id: string; readonly participant: string; readonly nth: number };

const listOf = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
const wordOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Begins with the launch; a rehearsal that begins again has another one. */
export function makeRecorder(): Recorder {
  let fields: JsonObject = {};
  let last: Played | null = null;
  const script: JsonObject[] = [];
  const dispatches: JsonObject[] = [];
  const known = new Map<string, Dispatch>();

  /** A workitem is opened once; a replay asks anew with the same id, which is no other dispatch here. */
  function note(played: Played): void {
    for (const item of listOf(played.shown['workitems'])) {
      const id = wordOf(item['id']);
      if (known.has(id)) continue;
      const participant = wordOf(item['participant']);
      const nth = 1 + [...known.values()].filter((one) => one.participant === participant).length;
      known.set(id, { id, participant, nth });
      dispatches.push({ participant, expid: id.split('!')[0] ?? '', fields: item['fields'] ?? {} });
    }
  }

  const target = (id: string): JsonObject => {
    const one = known.get(id);
    return one === undefined ? {} : { participant: one.participant, target_nth: one.nth };
  };
  function stepOf(move: Move, before: number): JsonObject | null {
    switch (move.kind) {
      case 'launch':
        return null;
      case 'proceed':
        return { do: 'proceed', ...target(move.workitem), fields: move.fields };
      case 'fail':
        return { do: 'fail', ...target(move.workitem), class: move.class, message: move.message };
      case 'replay':
        return { do: 'replay', expid: move.expression.split('!')[0] ?? '' };
      case 'cancel':
        return { do: 'cancel_workflow' };
      case 'kill':
        return { do: 'kill_workflow' };
      case 'next':
      case 'advance':
        return { sleep: Math.max(0, ((last?.now ?? before) - before) / 1_000) };
    }
  }

  return {
    take(move, played) {
      const before = last?.now ?? played.now;
      if (move.kind === 'launch') fields = move.fields;
      last = played;
      const step = stepOf(move, before);
      // What was refused has changed nothing.
      if (step !== null && played.refused === null) script.push(step);
      note(played);
    },
    caseOf({ name, format, definition }) {
      const shown = last?.shown ?? {};
      const status = wordOf(shown['status']);
      const isOver = ['completed', 'cancelled', 'killed'].includes(status);
      const names = [...new Set(dispatches.map((one) => wordOf(one['participant'])))];
      return {
        name,
        about: 'played in a rehearsal',
        kind: 'same',
        format,
        order: 'partial',
        definition,
        fields,
        participants: Object.fromEntries(names.map((one) => [one, [{ hold: true }]])),
        script,
        expect: {
          dispatches,
          cancels: [],
          outcome: isOver ? 'terminated' : status === 'error' ? 'error' : 'running',
          final_fields: isOver ? (shown['fields'] ?? {}) : null,
          errors: listOf(shown['errors']).map((one) => ({
            expid: one['expid'] ?? null,
            class: one['class'] ?? null,
            message: one['message'] ?? null,
          })),
          remaining: listOf(shown['expressions']).map((one) => wordOf(one['expid'])),
        },
      };
    },
  };
}
