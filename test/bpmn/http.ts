import type { WorkflowId } from '../../src/model/ids.ts';
import type { Fields, Json, JsonObject } from '../../src/model/json.ts';
import { readConfig } from '../../src/server/config.ts';
import { start } from '../../src/server/start.ts';
import type { Inbox, Target } from '../conformance/http.ts';
import { findTarget, listen, restOf, sideBySide } from '../conformance/http.ts';
import { playedOn, type Side } from '../support/halves.ts';
import { type Case, kindsOf, readCases } from './cases.ts';
import { type BpmnPlayer, type BpmnReceived, replayBpmn } from './replay.ts';

type Shown = {
  readonly status: string;
  readonly fields: Fields;
  readonly expressions: readonly { readonly name: string; readonly element?: string; readonly expid: string }[];
  readonly timers: readonly { readonly due_at: string }[];
  readonly errors: readonly { readonly element?: string; readonly class: string; readonly message: string }[];
  readonly elements: readonly { readonly id: string; readonly waiting: number }[];
};

const send = async (
  url: string,
  body?: Json,
  method = 'POST',
): Promise<{ readonly status: number; readonly value: JsonObject }> => {
  const response = await fetch(url, {
    ...(body !== undefined && {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (response.status >= 500) throw new Error(`${url} answers ${response.status}: ${text}`);
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, value: isJson ? (JSON.parse(text) as JsonObject) : {} };
};

/** Plays against a running server with a clock that can be moved. `leave` ends what a case has left waiting: its timers would fire in others. */
export function bpmnOverHttp(target: Target, inbox: Inbox): BpmnPlayer & { readonly leave: () => Promise<void> } {
  const elements = new Map<string, string>();
  const workflows: WorkflowId[] = [];
  let taken = 0;
  let offset = 0;
  /** A walk of its clock ends with its rest, and nobody has asked it for anything since. */
  let rests = false;
  const root = `${target.url}/v1/workflows`;
  const show = async (workflow: WorkflowId): Promise<Shown> =>
    (await send(`${root}/${workflow}`)).value as unknown as Shown;
  const moveClock = async (by: number): Promise<void> => {
    const { value } = await send(`${target.url}/v1/test/clock`, { advance: by / 1_000 });
    offset = Date.parse(String(value['now'])) - Date.now();
    rests = true;
  };
  const itemPath = (to: BpmnReceived): string => `${root}/${to.workflow}/workitems/${to.workitem}!${to.workflow}`;
  const refusedIn = (value: JsonObject) => ({
    refused: (value['errors'] as readonly { detail?: string; message?: string; element?: string; line?: number }[]).map(
      (each) => ({
        element: each.element ?? '',
        line: each.line ?? 0,
        message: each.detail ?? each.message ?? '',
      }),
    ),
  });
  return {
    now: () => Date.now() + offset,
    async launch(one: Case) {
      await restOf(target, () => moveClock(0));
      for (const { name, text } of one.also) {
        const { status, value } = await send(`${target.url}/v1/definitions/${name}`, { workflow: text }, 'PUT');
        if (status !== 201 && status !== 200) return refusedIn(value);
      }
      if (one.validate) {
        const { value } = await send(`${target.url}/v1/definitions/validate`, { workflow: one.text });
        return value['valid'] === true ? { refused: [] } : refusedIn(value);
      }
      rests = false;
      const { status, value } = await send(root, {
        workflow: one.text,
        fields: one.fields,
        ...(one.process !== null && { process: one.process }),
        ...(one.callbacks === null
          ? { callback: inbox.url }
          : { callbacks: Object.fromEntries(one.callbacks.map((name) => [name, inbox.url])) }),
      });
      if (status !== 201) return refusedIn(value);
      workflows.push(value['id'] as WorkflowId);
      return value['id'] as WorkflowId;
    },
    async proceed(to, fields) {
      rests = false;
      await send(`${itemPath(to)}/proceed`, { fields });
    },
    async fail(to, message, code, fields) {
      rests = false;
      await send(`${itemPath(to)}/fail`, { message, ...(code !== null && { error_code: code, fields }) });
    },
    async message(workflow, name, key, fields) {
      rests = false;
      if (key === undefined) await send(`${root}/${workflow}/messages/${encodeURIComponent(name)}`, fields);
      else await send(`${target.url}/v1/messages/${encodeURIComponent(name)}`, { key, fields });
    },
    async signal(_workflow, name, fields) {
      rests = false;
      await send(`${target.url}/v1/signals/${encodeURIComponent(name)}`, { fields });
    },
    async cancel(workflow) {
      rests = false;
      await send(`${root}/${workflow}/cancel`, {});
    },
    async leave() {
      for (const workflow of workflows) await send(`${root}/${workflow}/kill`, {});
    },
    async rest() {
      if (!rests) await restOf(target, () => moveClock(0));
      rests = false;
      const news = inbox.received.slice(taken).map((each): BpmnReceived => {
        const params = each.fields['params'] as JsonObject | undefined;
        const element = String(params?.['element'] ?? elements.get(each.workitem) ?? '');
        elements.set(each.workitem, element);
        return { ...each, element };
      });
      taken = inbox.received.length;
      return news;
    },
    async nextDueAt() {
      const times: number[] = [];
      for (const workflow of workflows)
        for (const timer of (await show(workflow)).timers) times.push(Date.parse(timer.due_at));
      return times.length === 0 ? null : Math.min(...times);
    },
    async waitUntil(at) {
      const missing = at - Date.now() - offset;
      if (missing > 0) await moveClock(missing + 1);
    },
    async ending(workflow) {
      const shown = await show(workflow);
      const { value } = await send(`${root}/${workflow}/history`);
      const entries = value['history'] as readonly JsonObject[];
      const { status } = shown;
      return {
        outcome: status === 'completed' || status === 'cancelled' || status === 'error' ? status : 'running',
        ends: entries
          .filter((entry) => entry['kind'] === 'token.passed' && entry['end'] === true)
          .map((entry) => String(entry['element'])),
        fields: shown.fields,
        errors: shown.errors.map((error) => ({
          element: error.element ?? '',
          class: error.class,
          message: error.message,
        })),
        remaining: [
          ...shown.expressions
            .filter(({ name }) => name !== 'bpmn:process')
            .map(({ element, expid }) => element ?? expid),
          ...shown.elements.filter(({ waiting }) => waiting > 0).map(({ id }) => id),
        ],
      };
    },
  };
}

async function remove(url: string): Promise<void> {
  const response = await fetch(url, { method: 'DELETE', signal: AbortSignal.timeout(30_000) });
  if (response.status !== 204) throw new Error(`DELETE ${url} answers ${response.status}`);
}

/** What reaches other workflows as well, or waits for a time, which others would make late. */
const BETWEEN_WORKFLOWS = /timer|message|signal/i;

/** Plays the cases of a side against a whole server; answers with those that failed. */
export async function playBpmnSide(
  side: Side,
  environment: { readonly [name: string]: string },
): Promise<readonly string[]> {
  const running = await start(readConfig({ PORT: '0', TEST_CLOCK: '1', LOG_LEVEL: 'silent', ...environment }));
  const listener = await listen();
  try {
    const target = await findTarget(running.url);
    const failed: string[] = [];
    const table = new Map<string, [number, number]>();
    let inboxes = 0;
    const isApart = (one: Case): boolean => one.also.length > 0 || BETWEEN_WORKFLOWS.test(one.text);
    await sideBySide(playedOn(readCases(), side, kindsOf), isApart, async (one) => {
      const player = bpmnOverHttp(target, listener.hear(`bpmn-${++inboxes}`));
      const differences = await replayBpmn(one, player);
      await player.leave();
      // A call of what is not stored finds nothing.
      for (const { name } of one.also) await remove(`${target.url}/v1/definitions/${name}`);
      if (differences.length > 0) failed.push(`${one.group}/${one.name}: ${differences.join('\n  ')}`);
      const [passed, total] = table.get(one.group) ?? [0, 0];
      table.set(one.group, [passed + (differences.length === 0 ? 1 : 0), total + 1]);
    });
    for (const [group, [passed, total]] of table) console.log(`bpmn over HTTP: ${group} ${passed} / ${total}`);
    return failed;
  } finally {
    await running.stop();
    await listener.close();
  }
}
