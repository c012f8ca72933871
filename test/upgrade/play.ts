import { setTimeout as wait } from 'node:timers/promises';
import { KINDS, type Kind, REFUSING } from './kinds.ts';

/* Plays workflows over HTTP, with nothing but what every release has: so an old server and a new one can be held against each other. */

/** How a workflow ended: who was asked after the upgrade, each once, by name; how it stands; its fields, without what times and places say. */
export type Outcome = { readonly status: string; readonly asked: readonly string[]; readonly fields: unknown };

export type Play = { readonly ids: ReadonlyMap<string, string> };

type Workitem = {
  readonly id: string;
  readonly workflow_id: string;
  readonly participant: string;
  readonly fields?: unknown;
};
type Shown = {
  readonly status: string;
  readonly fields: Record<string, unknown>;
  readonly workitems: readonly Workitem[];
  readonly errors: readonly { readonly expression_id: string; readonly class: string }[];
};

/** Rounds of answers in which all must be over; seconds that pass in each. */
const ROUNDS_MAX = 25;
const ROUND_SECONDS = 60;
/** A try, a notice or a wake may take so long to be seen. */
const SEEN_MS_MAX = 15_000;
const LOOK_MS = 40;

/** What kinds await from outside. */
const EVENT_TYPE = 'order.paid';
const EVENT = { specversion: '1.0', source: 'test', data: { amount: 5 } };

export async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const type = path === '/v1/events' ? 'application/cloudevents+json' : 'application/json';
  const answer = await fetch(new URL(path, url), {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': type } }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
}

async function posted(url: string, path: string, body: unknown = {}): Promise<unknown> {
  const answer = await call(url, 'POST', path, body);
  if (answer.status < 200 || answer.status > 299)
    throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export const shown = async (url: string, id: string): Promise<Shown> =>
  (await call(url, 'GET', `/v1/workflows/${id}`)).body as Shown;

/** Kinds that a server of this address can be given. */
export async function kindsOf(url: string): Promise<readonly (readonly [string, Kind])[]> {
  const { status } = await call(url, 'GET', '/v1/waits');
  return Object.entries(KINDS).filter(([, { since }]) => since === undefined || status === 200);
}

/** Launches each kind `copies` times and brings it to its middle; `isReached` false: none that wait for a participant who is to be reached again. */
export async function begin(url: string, callback: string, copies = 1, isReached = true): Promise<Play> {
  const ids = new Map<string, string>();
  for (const [title, { workflow, retry, fields }] of await kindsOf(url))
    for (let copy = 1; copy <= copies && (isReached || retry === undefined); copy++) {
      const made = (await posted(url, '/v1/workflows', {
        workflow,
        callback,
        fields: { ...fields, ...(title === 'paid' ? { order: `A-${copy}` } : {}) },
        ...(retry === undefined ? {} : { retry }),
      })) as { readonly id: string };
      ids.set(copies === 1 ? title : `${title} ${copy}`, made.id);
    }
  for (const [title, id] of ids) {
    const kind = KINDS[title.replace(/ \d+$/, '')] as Kind;
    for (let n = 0; n < (kind.answers ?? 0); n++) await answerFirst(url, title, id);
    if (kind.then !== undefined) await posted(url, `/v1/workflows/${id}/${kind.then}`);
  }
  // Failed tries are written a moment later.
  for (const [title, id] of ids)
    if (title.startsWith('failed'))
      await seen(`${title} in error`, async () => (await shown(url, id)).status === 'error');
  return { ids };
}

async function answerFirst(url: string, title: string, id: string): Promise<void> {
  let first: Workitem | undefined;
  await seen(`somebody asked in ${title}`, async () => {
    first = sorted((await shown(url, id)).workitems)[0];
    return first !== undefined;
  });
  await answer(url, first as Workitem);
}

const sorted = (workitems: readonly Workitem[]): readonly Workitem[] =>
  [...workitems].sort((a, b) =>
    a.participant < b.participant ? -1 : a.participant > b.participant ? 1 : a.id < b.id ? -1 : 1,
  );

async function answer(url: string, { id, workflow_id, participant }: Workitem): Promise<boolean> {
  const { status } = await call(url, 'POST', `/v1/workflows/${workflow_id}/workitems/${id}/proceed`, {
    fields: { [participant]: 'done' },
  });
  // 400: somebody else's answer has ended it meanwhile, as where two of three are enough.
  return status === 201;
}

async function seen(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + SEEN_MS_MAX; !(await look()); await wait(LOOK_MS))
    if (Date.now() > end) throw new Error(`Not seen in time: ${what}`);
}

export type FinishOptions = {
  /** Lets time pass, once a round; the clock of the server is moved unless it is said. */
  readonly pass?: () => Promise<unknown>;
  readonly rounds?: number;
  /** Whether time passes before anybody answers, default true: what fell due while nobody was at work fires first. */
  readonly isLate?: boolean;
  /** Whether a participant may answer already: one that was never reached has nothing to answer. */
  readonly mayAnswer?: (workitem: Workitem) => boolean;
  /** Told of each answer that was taken. */
  readonly told?: (workitem: Workitem) => void;
};

/**
 * Brings everything to its end: resumes what is paused, replays what failed, sends the events that are awaited, lets time pass and answers everybody.
 *
 * @param url a server, or which of several it is at each moment
 * @returns by name how each ended; one that did not is as it stands
 */
export async function finish(
  url: string | (() => string),
  { ids }: Play,
  options: FinishOptions = {},
): Promise<Readonly<Record<string, Outcome>>> {
  const { rounds = ROUNDS_MAX, isLate = true, mayAnswer = () => true, told } = options;
  const at = typeof url === 'string' ? () => url : url;
  const pass = options.pass ?? (() => posted(at(), '/v1/test/clock', { advance: ROUND_SECONDS }));
  const asked = new Map<string, Set<string>>([...ids.keys()].map((title) => [title, new Set()]));
  let open = [...ids];
  if (isLate) await pass();
  for (let round = 0; round < rounds && open.length > 0; round++) {
    const still: typeof open = [];
    for (const [title, id] of open) {
      const now = await shown(at(), id);
      if (isOver(now.status)) continue;
      still.push([title, id]);
      if (now.status === 'paused') await posted(at(), `/v1/workflows/${id}/resume`);
      for (const { expression_id } of now.errors)
        await posted(at(), `/v1/workflows/${id}/errors/${expression_id}/replay`);
      for (const workitem of sorted(now.workitems)) {
        if (!mayAnswer(workitem) || !(await answer(at(), workitem))) continue;
        asked.get(title)?.add(workitem.participant);
        told?.(workitem);
      }
    }
    open = still;
    for (const { type, key } of await waits(at()))
      await posted(at(), '/v1/events', { ...EVENT, id: `e-${key}`, type, subject: key }).catch((error: unknown) => {
        throw new Error(`The event ${type} for ${key}`, { cause: error });
      });
    await pass();
  }
  const outcomes: Record<string, Outcome> = {};
  for (const [title, id] of ids) {
    const { status, fields } = await shown(at(), id);
    outcomes[title] = { status, asked: [...(asked.get(title) ?? [])].sort(), fields: plain(fields) };
  }
  return outcomes;
}

/** What workflows wait for from outside; a release without events has none. */
async function waits(url: string): Promise<readonly { readonly type: string; readonly key: string }[]> {
  const { status, body } = await call(url, 'GET', '/v1/waits');
  const found = status === 200 ? (body as { waits: readonly { type?: string; key?: string }[] }).waits : [];
  return found.flatMap(({ type, key }) => (type === EVENT_TYPE && key !== undefined ? [{ type, key }] : []));
}

const isOver = (status: string): boolean => ['completed', 'cancelled', 'killed'].includes(status);

/** Without what differs from run to run: ids, times, messages of errors, and what a participant was last asked with. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !/^(?:__|at$|id$|time$|params$)/.test(key))
      .map(([key, inner]) => [key, plain(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Answers what comes to participants of the kinds: 500 to those that refuse, while they do. */
export const refuses = (participant: string, isBefore: boolean): boolean => isBefore && REFUSING.includes(participant);
