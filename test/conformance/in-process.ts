import { createHash } from 'node:crypto';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import { expidOf, makeWorkflowId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import { withoutKeys } from '../../src/model/json.ts';
import { isOver } from '../../src/model/rows.ts';
import type { Happening, Limits, Loaded } from '../../src/model/stimulus.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Tree } from '../../src/model/tree.ts';
import { treeToStored } from '../../src/model/tree.ts';
import type { DeliveredFields, Step, World } from '../support/world.ts';
import { makeWorld } from '../support/world.ts';
import type { Case } from './cases.ts';
import type { Ending, Player, Received } from './replay.ts';

/** The pure parts a case needs; test/conformance/parts.ts names the real ones. */
export type Parts = {
  readonly step: Step;
  readonly deliveredFields: DeliveredFields;
  readonly inspect: (
    loaded: Loaded,
    definition: (hash: string) => Tree | undefined,
  ) => { readonly fields: Fields; readonly expressions: readonly { readonly expid: string }[] };
  readonly readDefinition: (text: string) => { readonly ok: true; readonly tree: Tree } | { readonly ok: false };
  readonly reorganise: (tree: Tree) => {
    readonly tree: Tree;
    readonly name: string | null;
    readonly revision: string | null;
  };
};

/** A Monday in January, a quarter of a second past noon: no minute or hour begins while a case runs. */
const START_AT = Date.UTC(2026, 0, 5, 12, 0, 0, 250);
/** Agenda rows (continuations, events, timers) that may fire before the engine must rest. */
const FIRINGS_MAX = 5_000;

export type InProcess = Player & { readonly world: World };

/** Plays against the pure step, with a stopped clock and rows in memory. */
export function inProcess(one: Case, parts: Parts, limits: Limits = LIMITS): InProcess {
  const world = makeWorld({ step: parts.step, deliveredFields: parts.deliveredFields, startAt: START_AT, limits });
  const callbacks = callbacksOf(one);
  let launches = 0;
  let news: Received[] = [];

  /** One step, then everything it sets off by itself. */
  function happen(workflow: WorkflowId, event: Happening): boolean {
    const answer = world.stimulate(workflow, event);
    settle();
    return answer.ok;
  }

  function settle(): void {
    for (let firings = 0; firings < FIRINGS_MAX; firings++) {
      news.push(...world.deliver());
      const due = world.firstDue();
      if (due === null || due.row.dueAt > world.now()) return;
      world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
      const again = world.firstDue();
      if (again !== null && again.row === due.row)
        throw new Error(`The step left the agenda row it was told is due: ${JSON.stringify(due.row)}`);
    }
    throw new Error(`The engine did not come to rest within ${FIRINGS_MAX} agenda rows`);
  }

  return {
    world,
    looks: 1,
    now: world.now,
    async launch(definition, fields) {
      const read = parts.readDefinition(definition);
      if (!read.ok) return null;
      const { tree, name, revision } = parts.reorganise(read.tree);
      const text = JSON.stringify(treeToStored(tree));
      launches++;
      const id = makeWorkflowId(world.now(), [launches, 0xabcdef]);
      const launched = happen(id, {
        kind: 'launch',
        launch: {
          id,
          tenant: DEFAULT_TENANT,
          tree,
          hash: createHash('sha256').update(text).digest('hex'),
          text,
          name,
          revision,
          fields: withoutKeys(fields, 'params', 'dispatched_at'),
          callbacks,
          retry: null,
        },
      });
      return launched ? id : null;
    },
    async proceed(to, fields) {
      const given = withoutKeys(fields, 'params', 'dispatched_at');
      happen(to.workflow, { kind: 'proceed', workitem: to.workitem, fields: given });
    },
    async fail(to, message) {
      happen(to.workflow, { kind: 'fail', workitem: to.workitem, class: 'RuntimeError', message });
    },
    async cancel(workflow) {
      happen(workflow, { kind: 'cancel' });
    },
    async kill(workflow) {
      happen(workflow, { kind: 'kill' });
    },
    async rest() {
      settle();
      const seen = news;
      news = [];
      return seen;
    },
    async nextDueAt() {
      return world.firstDue()?.row.dueAt ?? null;
    },
    async waitUntil(at) {
      world.advanceTo(at);
    },
    async ending(workflow): Promise<Ending> {
      const loaded = world.whole(workflow);
      const row = loaded.workflow;
      if (row === null) throw new Error('The workflow has no row');
      const shown = parts.inspect(loaded, world.definition);
      return {
        outcome: isOver(row.status) ? 'terminated' : row.status === 'error' ? 'error' : 'running',
        status: row.status,
        fields: isOver(row.status) ? (shown.fields as Json) : null,
        errors: [...loaded.errors.values()].map((error) => ({
          expid: expidOf(error.id as ExpressionId),
          class: error.class,
          message: error.message,
        })),
        remaining: shown.expressions.map((expression) => expression.expid),
      };
    },
  };
}

/** One URL for all, or one for each participant but those without a callback. */
export function callbacksOf(
  one: Case,
  url = 'http://participants.example/',
): string | { readonly [name: string]: string } {
  const silent = Object.entries(one.participants)
    .filter(([, behaviours]) => behaviours.some((behaviour) => behaviour.missing_callback === true))
    .map(([name]) => name);
  if (silent.length === 0) return url;
  const named = [...one.expect.dispatches.map((each) => each.participant), ...Object.keys(one.participants)];
  return Object.fromEntries(named.filter((name) => !silent.includes(name)).map((name) => [name, url]));
}
