import { entriesOf } from '../../src/events/entry.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import { makeWorkflowId, type WorkflowId, workitemId } from '../../src/model/ids.ts';
import type { Json, JsonObject } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import { isOver } from '../../src/model/rows.ts';
import type { Happening } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { treeFromJson, treeToStored } from '../../src/model/tree.ts';
import { makeWorld, type World } from './world.ts';

/*
 * A rehearsal: one workflow in the interpreter of the server, with rows in memory and a clock that somebody moves. Every participant is delivered
 * to at once and waits to be played.
 */

/** Steps of one rehearsal, and rows of the agenda that may fire before it has to rest. */
export const STEPS_MAX = 10_000;
const FIRINGS_MAX = 2_000;
/** Characters of its history and of how it stands. */
export const CHARACTERS_MAX = 20_000_000;

export type Move =
  | { readonly kind: 'launch'; readonly tree: Json; readonly fields: JsonObject }
  | { readonly kind: 'proceed'; readonly workitem: string; readonly fields: JsonObject }
  | { readonly kind: 'fail'; readonly workitem: string; readonly class: string; readonly message: string }
  | { readonly kind: 'replay'; readonly expression: string }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'kill' }
  /** To the next timer. */
  | { readonly kind: 'next' }
  /** By milliseconds. */
  | { readonly kind: 'advance'; readonly by: number };

/** As `GET /v1/workflows/:id` would show it, the entries since the last move, and when something is due. */
export type Played = {
  readonly shown: JsonObject;
  readonly entries: readonly JsonObject[];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly nextDueAt: number | null;
  /** What was wrong with the move; null: nothing. */
  readonly refused: string | null;
};

export type Rehearsal = { play(move: Move): Played };

/** Two digits of hexadecimal for each byte. */
const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param random fills fresh ids: 16 bytes a step */
export function makeRehearsal(startAt: number, random: () => Uint8Array): Rehearsal {
  const world: World = makeWorld({ step, deliveredFields, startAt, seed: () => hexOf(random()) });
  let id: WorkflowId | null = null;
  let told = 0;
  let characters = 0;

  function settle(): void {
    for (let firings = 0; firings < FIRINGS_MAX; firings++) {
      world.deliver();
      const due = world.firstDue();
      if (due === null || due.row.dueAt > world.now()) return;
      if (world.counts.steps >= STEPS_MAX) throw new Error(`A rehearsal ends after ${STEPS_MAX} steps`);
      world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
    }
    throw new Error(`It did not come to rest within ${FIRINGS_MAX} steps of its own`);
  }

  function happen(event: Happening): string | null {
    if (id === null) return 'Nothing was launched yet';
    if (world.counts.steps >= STEPS_MAX) throw new Error(`A rehearsal ends after ${STEPS_MAX} steps`);
    const answer = world.stimulate(id, event);
    settle();
    return answer.ok ? null : answer.message;
  }

  function launch(json: Json, fields: JsonObject): string | null {
    const read = treeFromJson(json);
    if (read === null) return 'That is no tree';
    const { tree, name, revision } = reorganise(read);
    const [first = 0, second = 0] = new Uint32Array(random().buffer.slice(0, 8));
    id = makeWorkflowId(world.now(), [first & 0xffffff, second & 0xffffff]);
    const launched = {
      ...{ id, tenant: DEFAULT_TENANT, tree, name, revision, fields },
      // A name for its text: one rehearsal has one definition.
      ...{ hash: 'rehearsed', text: JSON.stringify(treeToStored(tree)) },
      ...{ callbacks: 'http://rehearsal.invalid/', retry: null },
    };
    return happen({ kind: 'launch', launch: launched });
  }

  function act(move: Move): string | null {
    switch (move.kind) {
      case 'launch':
        return launch(move.tree, move.fields);
      case 'proceed':
        return happen({ kind: 'proceed', workitem: expressionIn(move.workitem), fields: move.fields });
      case 'fail':
        return happen({
          ...{ kind: 'fail', workitem: expressionIn(move.workitem) },
          ...{ class: move.class, message: move.message },
        } as Happening);
      case 'replay':
        return happen({ kind: 'replay', expression: move.expression as never, fields: null, tree: null });
      case 'cancel':
      case 'kill':
        return happen({ kind: move.kind });
      case 'next': {
        const due = world.firstDue();
        if (due === null) return 'Nothing is due';
        world.advanceTo(due.row.dueAt);
        settle();
        return null;
      }
      case 'advance':
        // From one due time to the next, so that each timer fires at its own.
        return advance(world.now() + move.by);
    }
  }

  function advance(to: number): null {
    for (let due = world.firstDue(); due !== null && due.row.dueAt <= to; due = world.firstDue()) {
      world.advanceTo(due.row.dueAt);
      settle();
    }
    world.advanceTo(to);
    return null;
  }

  return {
    play(move) {
      const refused = act(move);
      const entries = id === null ? [] : newsOf(id);
      const shown = id === null ? {} : shownOf(world, id);
      characters += JSON.stringify(entries).length;
      if (characters + JSON.stringify(shown).length > CHARACTERS_MAX)
        throw new Error(`A rehearsal ends beyond ${CHARACTERS_MAX / 1_000_000} MB`);
      return {
        shown,
        entries,
        now: world.now(),
        nextDueAt: world.firstDue()?.row.dueAt ?? null,
        refused,
      };
    },
  };

  function newsOf(workflow: WorkflowId): readonly JsonObject[] {
    const entries = world.history(workflow).flatMap((row) => entriesOf(workflow, row, told));
    told = entries.at(-1)?.n ?? told;
    return entries;
  }
}

/** `expid!subid` of a workitem's id. */
const expressionIn = (workitem: string): never => workitem.split('!').slice(0, 2).join('!') as never;

const timeOf = (at: number): string => new Date(at).toISOString();

/** Row by row as the interface shows a workflow. */
function shownOf(world: World, id: WorkflowId): JsonObject {
  const loaded = world.whole(id);
  const row = loaded.workflow;
  if (row === null) return {};
  const seen = inspect(loaded, world.definition);
  const over = isOver(row.status);
  return {
    id,
    name: row.name,
    status: row.status,
    launched_at: timeOf(row.launchedAt),
    updated_at: timeOf(row.updatedAt),
    ended_at: over ? timeOf(row.updatedAt) : null,
    tags: [...seen.tags],
    tree: seen.tree,
    fields: seen.fields,
    expressions: seen.expressions.map((one) => ({ ...one })) as unknown as Json,
    timers: seen.timers.map((timer) => ({ ...timer, due_at: timeOf(timer.due_at) })) as unknown as Json,
    errors: seen.errors.map(({ at, ...error }) => ({ ...error, at: timeOf(at) })) as unknown as Json,
    workitems: over
      ? []
      : [...loaded.workitems.values()]
          .filter(({ state }) => state !== 'closed')
          .map((item) => ({
            id: workitemId(item.id, id),
            workflow_id: id,
            expression_id: item.id,
            participant: item.participant,
            status: item.state,
            fields: deliveredFields(item, baseOf(loaded.variables, item.inherits)),
            opened_at: timeOf(item.openedAt),
            callback: { url: null, owed: null, tries: 0, next_at: null },
          })),
  };
}

/** The value of the row that a workitem of a wide fork inherits its fields from. */
const baseOf = (
  variables: ReadonlyMap<string, { readonly scope: string; readonly name: string; readonly value: string }>,
  inherits: string | null,
): string | null =>
  inherits === null
    ? null
    : ([...variables.values()].find(({ scope, name }) => scope === inherits && name === '^')?.value ?? null);
