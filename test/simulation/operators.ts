import type { EngineEvent } from '../../src/engine/engine.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { workitemId } from '../../src/model/ids.ts';
import { isOver } from '../../src/model/rows.ts';
import { callerOf } from '../support/origin.ts';
import type { Clients } from './clients.ts';
import { type Database, load, type Rows } from './database.ts';
import type { Random, Scheduler } from './scheduler.ts';
import type { Watch } from './watch.ts';

/** Administrators: they cancel, kill, pause, resume, replay, edit and re-apply in the middle of everything. */
export type Operators = {
  /** Does one thing to one workflow. */
  meddle(): void;
  /** Does once what brings a workflow on that waits for an administrator. */
  tidyUp(): void;
  /** Ends what does not end by itself. */
  endAll(how: 'cancel' | 'kill'): void;
};

/** An error is replayed so often before whoever waits for it is given up. */
const REPLAYS_MAX = 3;

export function makeOperators(parts: {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly database: Database;
  readonly clients: Clients;
  readonly watch: Watch;
}): Operators {
  const { scheduler, random, database, clients, watch } = parts;
  const replayed = new Map<string, number>();

  const live = (): readonly Rows[] =>
    [...database.workflows.values()].filter(({ workflow }) => !isOver(workflow.status));
  const ask = (workflow: WorkflowId, event: EngineEvent, counts = false): void =>
    clients.call({ workflow, origin: callerOf(), event }, counts, () => {});

  function meddle(): void {
    const rows = live();
    if (rows.length === 0) return;
    const one = random.pick(rows);
    const { id } = one.workflow;
    const kind = random.between(0, 99);
    if (kind < 20) pauseFor(id, random.between(0, 20_000));
    else if (kind < 30) ask(id, { kind: 'cancel' }, true);
    else if (kind < 35) ask(id, { kind: 'kill' });
    else if (kind < 50) replayOne(one);
    else if (kind < 75) touchExpression(one);
    else touchWorkitem(one);
  }

  function pauseFor(id: WorkflowId, ms: number): void {
    ask(id, { kind: 'pause' });
    scheduler.after(ms, '', () => ask(id, { kind: 'resume' }));
  }

  function replayOne({ workflow, errors }: Rows): void {
    if (errors.size === 0) return;
    const row = random.pick([...errors.values()]);
    watch.askedAgain(workitemId(row.id, workflow.id));
    ask(workflow.id, { kind: 'replay', expression: row.id, fields: null, tree: null });
  }

  function touchExpression(rows: Rows): void {
    const loaded = load(rows, rows.workflow, [{ kind: 'everything' }]);
    const { expressions } = inspect(loaded, () => undefined);
    if (expressions.length === 0) return;
    const expression = random.pick(expressions).id;
    const kind = random.pick(['cancel_expression', 'kill_expression', 'reapply'] as const);
    ask(rows.workflow.id, kind === 'reapply' ? { kind, expression, fields: null, tree: null } : { kind, expression });
  }

  function touchWorkitem({ workflow, workitems }: Rows): void {
    if (workitems.size === 0) return;
    const workitem = random.pick([...workitems.values()]).row.id;
    const kind = random.pick(['edit', 'redeliver', 'redeliver', 'fail'] as const);
    if (kind === 'redeliver') watch.askedAgain(workitemId(workitem, workflow.id));
    ask(
      workflow.id,
      kind === 'edit'
        ? { kind, workitem, fields: { edited: true }, revision: null }
        : kind === 'fail'
          ? { kind, workitem, class: 'Operator', message: 'by hand' }
          : { kind, workitem },
      kind !== 'redeliver',
    );
  }

  return {
    meddle,
    tidyUp: () => {
      for (const { workflow, errors } of live()) {
        if (workflow.status === 'paused' || (errors.size > 0 && random.chance(0.2)))
          ask(workflow.id, { kind: 'resume' });
        for (const { id } of errors.values()) {
          const key = workitemId(id, workflow.id);
          const times = (replayed.get(key) ?? 0) + 1;
          replayed.set(key, times);
          watch.askedAgain(key);
          if (times <= REPLAYS_MAX) ask(workflow.id, { kind: 'replay', expression: id, fields: null, tree: null });
          else ask(workflow.id, { kind: 'cancel_expression', expression: id });
        }
      }
    },
    endAll: (how) => {
      for (const { workflow } of live()) ask(workflow.id, { kind: how });
    },
  };
}
