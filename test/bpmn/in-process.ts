import { createHash } from 'node:crypto';
import { readDefinition } from '../../src/definition/read.ts';
import { inspect } from '../../src/interpreter/inspect.ts';
import { deliveredFields } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import { unpackHistory } from '../../src/model/history.ts';
import { type ExpressionId, makeWorkflowId, type WorkflowId } from '../../src/model/ids.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Happening, Limits } from '../../src/model/stimulus.ts';
import { LIMITS } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { treeToStored } from '../../src/model/tree.ts';
import { audited } from '../interpreter/audit.ts';
import { makeWorld, type World } from '../support/world.ts';
import type { Case } from './cases.ts';
import type { BpmnPlayer, BpmnReceived } from './replay.ts';

const START_AT = Date.UTC(2026, 0, 5, 12, 0, 0, 250);
const FIRINGS_MAX = 5_000;

/** Plays against the pure step, with a stopped clock and rows in memory. */
export function bpmnInProcess(limits: Limits = LIMITS): BpmnPlayer & { readonly world: World } {
  const world = audited(makeWorld({ step, deliveredFields, startAt: START_AT, limits }));
  const elements = new Map<ExpressionId, string>();
  let launches = 0;
  let news: BpmnReceived[] = [];

  function settle(): void {
    for (let firings = 0; firings < FIRINGS_MAX; firings++) {
      for (const each of world.deliver()) {
        const params = each.fields['params'] as JsonObject | undefined;
        const element = String(params?.['element'] ?? '');
        if (element !== '') elements.set(each.workitem, element);
        news.push({ ...each, element: elements.get(each.workitem) ?? element });
      }
      const due = world.firstDue();
      if (due === null || due.row.dueAt > world.now()) return;
      world.stimulate(due.workflow, { kind: 'due', agenda: due.row.id });
    }
    throw new Error('The engine did not come to rest');
  }
  const happen = (workflow: WorkflowId, event: Happening): void => {
    world.stimulate(workflow, event);
    settle();
  };

  return {
    world,
    now: world.now,
    async launch(one: Case) {
      const read = readDefinition(one.text, { process: one.process });
      if (!read.ok)
        return {
          refused: read.errors.map((error) => ({
            element: error.element ?? '',
            line: error.line,
            message: error.message,
          })),
        };
      if (one.validate) return { refused: [] };
      for (const { name, text } of one.also) {
        const other = readDefinition(text);
        if (!other.ok) return { refused: [{ element: name, line: 1, message: other.errors[0]?.message ?? '' }] };
        const stored = JSON.stringify(treeToStored(other.tree));
        world.store(name, createHash('sha256').update(stored).digest('hex'), stored);
      }
      const text = JSON.stringify(treeToStored(read.tree));
      launches++;
      const id = makeWorkflowId(world.now(), [launches, 0xbeef]);
      happen(id, {
        kind: 'launch',
        launch: {
          id,
          tenant: DEFAULT_TENANT,
          tree: read.tree,
          hash: createHash('sha256').update(text).digest('hex'),
          text,
          name: String(read.tree.attributes.get('name')),
          revision: null,
          fields: one.fields,
          callbacks:
            one.callbacks === null
              ? 'http://p.example/'
              : Object.fromEntries(one.callbacks.map((name) => [name, 'http://p.example/'])),
          retry: null,
        },
      });
      return id;
    },
    async proceed(to, fields) {
      happen(to.workflow, { kind: 'proceed', workitem: to.workitem, fields });
    },
    async fail(to, message, code, fields) {
      happen(to.workflow, {
        kind: 'fail',
        workitem: to.workitem,
        class: 'RuntimeError',
        message,
        ...(code !== null && { code, fields }),
      });
    },
    async message(workflow, name, key, fields) {
      happen(workflow, { kind: 'message', name, fields, keep: true, ...(key !== undefined && { key, keep: false }) });
    },
    async signal(workflow, name, fields) {
      happen(workflow, { kind: 'signal', name, fields });
    },
    async cancel(workflow) {
      happen(workflow, { kind: 'cancel' });
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
    async ending(workflow) {
      const loaded = world.whole(workflow);
      const status = loaded.workflow?.status ?? 'running';
      const shown = inspect(loaded, world.definition);
      const history = world.history(workflow).flatMap((row) => unpackHistory(row.entries, workflow));
      return {
        outcome: status === 'completed' || status === 'cancelled' || status === 'error' ? status : 'running',
        ends: history.flatMap((entry) => (entry.kind === 'token.passed' && entry.end === true ? [entry.element] : [])),
        fields: shown.fields,
        errors: shown.errors.map((error) => ({
          element: error.element ?? '',
          class: error.class,
          message: error.message,
        })),
        remaining: [
          ...shown.expressions.filter((each) => each.name !== 'bpmn:process').map((each) => each.element ?? each.expid),
          ...(shown.bpmn?.elements ?? []).filter((each) => each.waiting > 0).map((each) => each.id),
        ],
      };
    },
  };
}
