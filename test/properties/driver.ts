import { createHash } from 'node:crypto';
import { auditRows } from '../../src/interpreter/audit.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import { CONTINUATION } from '../../src/interpreter/queue.ts';
import { decodeStrand } from '../../src/interpreter/state/encoding.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step as realStep } from '../../src/interpreter/step.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import type { Fields } from '../../src/model/json.ts';
import { reorganise } from '../../src/model/reorganise.ts';
import { isOver, type Status } from '../../src/model/rows.ts';
import type { Answer, Happening, Limits } from '../../src/model/stimulus.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { type Tree, treeToStored } from '../../src/model/tree.ts';
import { sortedJson } from '../conformance/normal.ts';
import type { Delivered, Step, World } from '../support/world.ts';
import { makeWorld } from '../support/world.ts';
import type { Action } from './workflows.ts';

/* Drives one generated workflow through a list of actions, with rows in memory, every step audited. */

const START_AT = Date.UTC(2026, 0, 5, 12, 0, 0, 250);
/** Agenda rows that may fire after one action before the workflow is taken for one that never rests. */
const FIRINGS_MAX = 20;

export type Played = {
  readonly dispatches: readonly string[];
  readonly notices: readonly string[];
  readonly history: readonly string[];
  readonly errors: readonly string[];
  readonly answers: readonly string[];
  readonly status: Status | null;
  readonly fields: string;
  /** It never came to rest by itself: where it was interrupted depends on the budget of a step. */
  readonly restless: boolean;
  /** A timer was due at once, while messages of the step that set it were still waiting for their turn: it joined them earlier than it
   * would have with a larger budget. */
  readonly overtaken: boolean;
};

export type Driver = {
  readonly world: World;
  readonly id: WorkflowId;
  readonly act: (action: Action) => void;
  readonly stimulate: (event: Happening) => Answer;
  readonly settle: () => boolean;
  readonly played: () => Played;
  /** Every message so far, in the order it was delivered. */
  readonly delivered: () => readonly Delivered[];
  /** What the root has replied with; before that, its fields as they stand. */
  readonly result: () => Fields;
  readonly status: () => Status | null;
  /** Open workitems, always in the same order. */
  readonly open: () => readonly { readonly id: ExpressionId; readonly participant: string }[];
};

export type Options = {
  readonly limits?: Partial<Limits>;
  readonly firings?: number;
  readonly step?: Step;
  readonly audit?: boolean;
  readonly fields?: Fields;
};

/** Launches a workflow and lets it come to rest. */
export function drive(given: Tree, options: Options = {}): Driver {
  const { firings = FIRINGS_MAX, step = realStep, audit = true, fields = {} } = options;
  const world = makeWorld({ step, deliveredFields, startAt: START_AT, limits: { ...LIMITS, ...options.limits } });
  const id = '20260105-1200-kogadeso-gekunute' as WorkflowId;
  const delivered: Delivered[] = [];
  const answers: string[] = [];
  let restless = false;
  let overtaken = false;

  function stimulate(event: Happening): Answer {
    const answer = world.stimulate(id, event);
    const lines = audit ? auditRows(world.whole(id)) : [];
    if (lines.length > 0)
      throw new Error(`The rows do not add up after ${JSON.stringify(event)}:\n${lines.join('\n')}`);
    return answer;
  }

  /** True when the workflow rests: nothing is due now. */
  function settle(): boolean {
    for (let fired = 0; fired < firings; fired++) {
      // Those that go on for it (continue_as_new) play beside it, and are not what is looked at.
      delivered.push(...world.deliver().filter((each) => each.workflow === id));
      const due = world.firstDue();
      if (due === null || due.row.dueAt > world.now()) return true;
      if (due.workflow !== id) {
        world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
        continue;
      }
      overtaken ||= due.row.kind === 'timer' && world.whole(id).agenda.has(CONTINUATION);
      stimulate({ kind: 'due', agenda: due.row.id });
    }
    restless = true;
    return false;
  }

  function happen(event: Happening): void {
    const answer = stimulate(event);
    answers.push(`${event.kind} ${answer.ok ? 'ok' : answer.code}`);
    settle();
  }

  const live = (): readonly ExpressionId[] => {
    const rows = world.whole(id);
    if (rows.workflow === null) return [];
    const { state, fields: table } = rows.workflow;
    const root = {
      path: '0',
      parent: '',
      at: '' as ExpressionId,
      kind: 'branch',
      index: 0,
      arrival: null,
      base: null,
    } as const;
    const others = [...rows.strands.values()]
      .filter((row) => row.arrival === null)
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    return [
      ...decodeStrand({ ...root, state, fields: table }, null).nodes,
      ...others.flatMap(
        (row) => decodeStrand({ ...row, parent: row.parent ?? '', at: row.at ?? ('' as ExpressionId) }, {}).nodes,
      ),
    ].map((node) => node.id);
  };

  const open = (): Driver['open'] extends () => infer Rows ? Rows : never =>
    [...world.whole(id).workitems.values()]
      .filter((row) => row.state !== 'closed')
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));

  function act(action: Action): void {
    const choose = <Row>(rows: readonly Row[]): Row | undefined => rows[action.pick % Math.max(1, rows.length)];
    const workitem = (): ExpressionId | undefined => choose(open())?.id;
    const nothing = '0!00000000000000000000000000000000' as ExpressionId;
    switch (action.do) {
      case 'proceed':
        happen({ kind: 'proceed', workitem: workitem() ?? nothing, fields: action.fields });
        break;
      case 'fail':
        happen({ kind: 'fail', workitem: workitem() ?? nothing, class: 'RuntimeError', message: 'no' });
        break;
      case 'edit':
        happen({ kind: 'edit', workitem: workitem() ?? nothing, fields: action.fields, revision: null });
        break;
      case 'time': {
        const due = world.firstDue();
        if (due !== null) world.advanceTo(due.row.dueAt);
        settle();
        break;
      }
      case 'cancel':
      case 'kill':
      case 'pause':
      case 'resume':
        happen({ kind: action.do });
        break;
      case 'cancel_expression':
      case 'kill_expression':
        happen({ kind: action.do, expression: choose(live()) ?? nothing });
        break;
      case 'pause_expression':
      case 'resume_expression': {
        const expression = choose(live()) ?? nothing;
        happen({ kind: action.do, expression, breakpoint: action.pick % 3 === 0 ? '0_0_1' : null });
        break;
      }
      case 'reply':
        happen({ kind: 'reply', expression: choose(live()) ?? nothing, fields: action.fields });
        break;
      case 'reapply':
        happen({ kind: 'reapply', expression: choose(live()) ?? nothing, fields: fieldsOrNone(action), tree: null });
        break;
      case 'replay': {
        const errors = [...world.whole(id).errors.values()].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
        const expression = choose(errors)?.id ?? nothing;
        happen({ kind: 'replay', expression, fields: fieldsOrNone(action), tree: null });
        break;
      }
    }
  }

  const { tree, name, revision } = reorganise(given);
  const text = JSON.stringify(treeToStored(tree));
  happen({
    kind: 'launch',
    launch: {
      id, tenant: DEFAULT_TENANT, tree, hash: createHash('sha256').update(text).digest('hex'), text, name, revision, fields,
      callbacks: 'http://participants.example/', retry: null,
    },
  }); // biome-ignore format: a list of parts

  const status = (): Status | null => world.whole(id).workflow?.status ?? null;
  return {
    world,
    id,
    act,
    stimulate,
    settle,
    status,
    open,
    delivered: () => delivered,
    result: () => inspect(world.whole(id), world.definition).fields,
    played: () => {
      const rows = world.whole(id);
      const said = (each: Delivered): string =>
        normal(`${each.status} ${each.participant} ${each.workitem} ${sortedJson(each.fields)}`);
      const state = rows.workflow === null ? null : JSON.parse(rows.workflow.state);
      return {
        dispatches: delivered.filter((each) => each.status === 'active').map(said),
        notices: delivered
          .filter((each) => each.status !== 'active')
          .map(said)
          .sort(),
        history: world
          .history(id)
          .flatMap((row) => unpackHistory(row.entries, id).map((entry) => normal(sortedJson(entry)))),
        errors: [...rows.errors.values()].map((row) => normal(`${row.id} ${row.class} ${row.message}`)).sort(),
        answers,
        status: status(),
        fields:
          state !== null && isOver(status() ?? 'running')
            ? normal(JSON.stringify([state.r, rows.workflow?.fields]))
            : '',
        restless,
        overtaken,
      };
    },
  };
}

const fieldsOrNone = (action: Action): Fields | null => (action.pick % 2 === 0 ? null : action.fields);
const placeOf = (row: { readonly path: string; readonly id: string }): string => `${row.path} ${row.id.split('!')[0]}`;

/** Ids differ from run to run. */
const normal = (text: string): string =>
  text.replace(/[0-9a-f]{32}/g, '<subid>').replace(/"continued_as":"[^"]*"/g, '"continued_as":"<id>"');

/** A property may take so long; a longer look (RUNS) takes longer. */
export const timeout = (runs: number): number => 20_000 + 250 * runs;

/** Seed and number of runs of a property, from the environment; the seed is printed, so that a failure can be had again. */
export function settings(runs: number): { readonly seed: number; readonly numRuns: number; readonly verbose: boolean } {
  const seed = Number(process.env['SEED'] ?? 20261121);
  return { seed, numRuns: Number(process.env['RUNS'] ?? runs), verbose: false };
}
