import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowId } from '../../src/model/ids.ts';
import { parseWorkitemId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type { Case } from './cases.ts';
import { callbacksOf } from './in-process.ts';
import type { Ending, Player, Received } from './replay.ts';

/*
 * Plays cases over HTTP against a running server. One listener on loopback hears all callbacks; the path tells the case. With
 * `TEST_CLOCK=1` the server's clock is moved, otherwise time really passes.
 */

/** No callback for so long means rest (a server without a test clock cannot tell). */
const SILENCE_MS = 20;
/** Rest is waited for at most so long. */
const REST_MS_MAX = 5_000;
/** One request may take so long. */
const REQUEST_MS_MAX = 30_000;

type Callback = {
  readonly workflow_id: string;
  readonly workitem_id: string;
  readonly participant: string;
  readonly status: Received['status'];
  readonly fields: Fields;
};
type Shown = {
  readonly status: string;
  readonly fields: Fields;
  readonly expressions: readonly { readonly expid: string }[];
  readonly workitems: readonly { readonly id: string; readonly status?: string }[];
  readonly timers: readonly { readonly due_at: string }[];
  readonly errors: readonly { readonly expid: string; readonly class: string; readonly message: string }[];
};

export type Listener = {
  readonly url: string;
  readonly hear: (key: string) => Inbox;
  readonly close: () => Promise<void>;
};
export type Inbox = { readonly url: string; readonly received: Received[]; lastAt: number };

/** Hears callbacks on a free port of loopback and answers each with 200 at once. */
export async function listen(): Promise<Listener> {
  const inboxes = new Map<string, Inbox>();
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const inbox = inboxes.get(request.url ?? '');
      const callback = JSON.parse(body) as Callback;
      const id = parseWorkitemId(callback.workitem_id);
      if (inbox !== undefined && id !== null) {
        inbox.lastAt = performance.now();
        const { participant, status, fields } = callback;
        inbox.received.push({ workflow: id.workflow, workitem: id.expression, participant, status, fields });
      }
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    hear(key) {
      const inbox = { url: `http://127.0.0.1:${port}/${key}`, received: [], lastAt: performance.now() };
      inboxes.set(`/${key}`, inbox);
      return inbox;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type Target = {
  readonly url: string;
  readonly testClock: boolean;
  /** How many milliseconds its clock is ahead of ours. */
  ahead: number;
  /** The walk of its clock that is under way or has ended last, and the one that begins after it, which all who ask meanwhile share. */
  walk?: Promise<void>;
  nextWalk?: Promise<void> | null;
};

/** Looks whether a server is there, and whether its clock can be moved. */
export async function findTarget(url: string): Promise<Target> {
  const ping = await fetch(`${url}/v1/ping`, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
  if (!ping.ok) throw new Error(`${url}/v1/ping answers ${ping.status}`);
  const clock = await post(`${url}/v1/test/clock`, { advance: 0 });
  return { url, testClock: clock.ok, ahead: clock.ok ? aheadBy(await clock.text(), 0) : 0 };
}

const post = (url: string, body: Json): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  });

/** What the test clock has answered says how far it is ahead. */
function aheadBy(answer: string, otherwise: number): number {
  const { now } = JSON.parse(answer) as { readonly now?: string };
  return now === undefined ? otherwise : Date.parse(now) - Date.now();
}

/**
 * Waits until the server rests after all that it has answered so far. Those who ask while it is being waited for share the next answer.
 *
 * @param walk asks the server
 */
export function restOf(target: Target, walk: () => Promise<void>): Promise<void> {
  target.nextWalk ??= (target.walk ?? Promise.resolve())
    .catch(() => {})
    .then(() => {
      target.nextWalk = null;
      target.walk = walk();
      return target.walk;
    });
  return target.nextWalk;
}

/** So many cases are under way at once, where they are played side by side. */
const TOGETHER_MAX = 16;

/** Plays cases on one server: those that are `apart` one after the other, then the others side by side, so that they wait for its rest together. */
export async function sideBySide<One>(
  cases: readonly One[],
  isApart: (one: One) => boolean,
  play: (one: One) => Promise<void>,
): Promise<void> {
  for (const one of cases.filter(isApart)) await play(one);
  const queue = cases.filter((one) => !isApart(one));
  const player = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await play(one);
  };
  await Promise.all(Array.from({ length: TOGETHER_MAX }, player));
}

const isOver = (status: string): boolean => ['completed', 'cancelled', 'killed'].includes(status);

/** Hears other workflows, so it must have the server for itself. */
export const wantsToBeAlone = (one: Case): boolean =>
  /(?<!\w)(listen|receive|intercept)(?!\w)/.test(one.definition) || /global/.test(one.definition);

/** A case on a server that others are played on after it. */
export type PlayerOverHttp = Player & {
  /** Ends what the case has left waiting: its timers would fire in the middle of others, again and again. */
  readonly leave: () => Promise<void>;
};

/** Whether a case is about time; on a server others are played on meanwhile, its timers would fire late. */
export const readsTheClock = (one: Case): boolean =>
  /timeout|timers|(?<!a)wait|sleep|once|cron|every|schedule|retry|'[\d.]+[smhdwMy]'/.test(one.definition) ||
  one.stands === true ||
  one.run_for !== undefined ||
  one.script.some((step) => step.sleep !== undefined || step.advance !== undefined || step.advance_to !== undefined);

export function overHttp(one: Case, target: Target, inbox: Inbox): PlayerOverHttp {
  const workflows: WorkflowId[] = [];
  const seenActive = new Set<string>();
  const silence = wantsToBeAlone(one) ? 5 * SILENCE_MS : SILENCE_MS;
  /** Workflows that were seen to be over: nothing is due for them, and nothing changes any more. */
  const over = new Map<WorkflowId, Shown>();
  let taken = 0;
  /** A walk of its clock ends with its rest, and nobody has asked it for anything since. */
  let rests = false;

  const show = async (workflow: WorkflowId): Promise<Shown> => {
    const response = await fetch(`${target.url}/v1/workflows/${workflow}`, {
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
    if (!response.ok)
      throw new Error(`GET /v1/workflows/${workflow} answers ${response.status}: ${await response.text()}`);
    const shown = (await response.json()) as Shown;
    if (isOver(shown.status)) over.set(workflow, shown);
    return shown;
  };
  /** Answers that come too late are refused, and that is all; a server error is a trouble. */
  const act = async (path: string, body: Json): Promise<void> => {
    rests = false;
    const response = await post(`${target.url}/v1/workflows/${path}`, body);
    const text = await response.text();
    if (response.status >= 500) throw new Error(`POST /v1/workflows/${path} answers ${response.status}: ${text}`);
  };
  /** Moves the server's clock by so many milliseconds, waits until it rests, and learns how far it is ahead of ours. */
  const moveClock = async (by: number): Promise<void> => {
    const response = await post(`${target.url}/v1/test/clock`, { advance: by / 1_000 });
    const text = await response.text();
    if (!response.ok) throw new Error(`The test clock answers ${response.status}: ${text}`);
    target.ahead = aheadBy(text, target.ahead + by);
    rests = true;
  };
  const itemPath = (to: Received): string => `${to.workflow}/workitems/${to.workitem}!${to.workflow}`;

  /** True when every open workitem has been heard of (one without a callback never will be). */
  async function allHeard(): Promise<boolean> {
    for (const each of inbox.received) seenActive.add(`${each.workitem}!${each.workflow}`);
    for (const workflow of workflows)
      for (const workitem of (await show(workflow)).workitems)
        if ((workitem.status ?? 'open') === 'open' && !seenActive.has(workitem.id)) return false;
    return true;
  }

  async function silent(): Promise<void> {
    const begin = performance.now();
    inbox.lastAt = Math.max(inbox.lastAt, begin);
    while (performance.now() - begin < REST_MS_MAX) {
      const quietFor = performance.now() - inbox.lastAt;
      if (quietFor < silence) await sleep(silence - quietFor);
      else if (await allHeard()) return;
      else await sleep(silence);
    }
  }

  return {
    looks: !target.testClock ? 3 : readsTheClock(one) ? 2 : 1,
    now: () => Date.now() + target.ahead,
    async launch(definition, fields) {
      rests = false;
      const callbacks = callbacksOf(one, inbox.url);
      const response = await post(`${target.url}/v1/workflows`, {
        workflow: definition,
        ...(typeof callbacks === 'string' ? { callback: callbacks } : { callbacks }),
        fields,
      });
      if (response.status === 400) return null;
      if (response.status !== 201)
        throw new Error(`The launch is answered ${response.status}: ${await response.text()}`);
      const { id } = (await response.json()) as { readonly id: WorkflowId };
      workflows.push(id);
      return id;
    },
    proceed: (to, fields) => act(`${itemPath(to)}/proceed`, { fields }),
    fail: (to, message) => act(`${itemPath(to)}/fail`, { message, class: 'RuntimeError', retry: false }),
    cancel: (workflow) => act(`${workflow}/cancel`, {}),
    kill: (workflow) => act(`${workflow}/kill`, {}),
    async rest() {
      if (!target.testClock) await silent();
      else if (!rests) await restOf(target, () => moveClock(0));
      rests = false;
      const news = inbox.received.slice(taken);
      taken = inbox.received.length;
      return news;
    },
    async nextDueAt() {
      const times: number[] = [];
      for (const workflow of workflows.filter((one) => !over.has(one)))
        for (const timer of (await show(workflow)).timers) times.push(Date.parse(timer.due_at));
      return times.length === 0 ? null : Math.min(...times);
    },
    async waitUntil(at) {
      const missing = Math.max(at - Date.now() - target.ahead, 0);
      if (target.testClock && missing > 0) await moveClock(missing + 1);
      else await sleep(missing + 5);
    },
    async ending(workflow): Promise<Ending> {
      const shown = over.get(workflow) ?? (await show(workflow));
      const isEnded = isOver(shown.status);
      return {
        outcome: isEnded ? 'terminated' : shown.status === 'error' ? 'error' : 'running',
        status: shown.status,
        fields: isEnded ? shown.fields : null,
        errors: shown.errors.map((error) => ({ expid: error.expid, class: error.class, message: error.message })),
        remaining: shown.expressions.map((expression) => expression.expid),
      };
    },
    async leave() {
      for (const workflow of workflows)
        if (!over.has(workflow) && !isOver((await show(workflow)).status)) await act(`${workflow}/kill`, {});
    },
  };
}
