import type { Arrival, Journal, Story } from './journal.ts';
import { SHAPES, type Shape } from './participant-load.ts';
import { until } from './until.ts';

/* Whether everything went as it must, judged from the participants' journal; and whether the server's own records agree with it. */

export type Verdict = {
  /** What must never be; empty when all is well. */
  readonly violations: readonly string[];
  readonly workflows: number;
  readonly workitems: number;
  readonly tries: number;
  /** Tries `active` that came after their notice. Only a process that was frozen between its last check and the write can send one. */
  readonly late: number;
};

/** Endings that every workflow of a load may have. */
const OVER = new Set(['completed', 'cancelled', 'killed']);
const SHOWN_MAX = 20;
/** A dead node's claim on the message before the notice has run out by then. */
const NOTICE_MS_MAX = 60_000;

/**
 * Waits until every workflow is over and judges.
 *
 * @param url a server that is up
 * @param frozen whether processes were stopped and continued: then late tries are counted, else they are violations
 */
export async function judge(
  journal: Journal,
  url: string,
  options: { readonly frozen?: boolean; readonly withinMs?: number } = {},
): Promise<Verdict> {
  const statuses = await until(
    'every workflow is over',
    async () => {
      const listed = await list(url);
      const open = [...listed.values()].filter((status) => !OVER.has(status)).length;
      return open === 0 ? listed : null;
    },
    options.withinMs ?? 60_000,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await describeOpen(journal, url)}`, { cause: error });
  });

  const violations: string[] = [...journal.complaints()];
  for (const id of journal.workflows())
    if (!statuses.has(id)) violations.push(`${id} was launched or heard of, and is lost`);
  for (const [id, status] of statuses) if (status !== 'completed') violations.push(`${id} is ${status}`);

  let workitems = 0;
  let late = 0;
  let tries = 0;
  for (const story of journal.stories()) {
    tries += story.arrivals.length;
    workitems += 1;
    violations.push(...aboutOne(story));
    const lateHere = activeAfterNotice(story);
    late += lateHere;
    if (lateHere > 0 && options.frozen !== true) violations.push(`${story.workitem}: active after a notice`);
  }
  for (const [id] of statuses) violations.push(...(await aboutWorkflow(url, id, journal)));
  return {
    violations: violations.slice(0, SHOWN_MAX),
    workflows: statuses.size,
    workitems,
    tries,
    late,
  };
}

/** Each workitem: handed back once, and never refused without having been taken. */
function aboutOne(story: Story): readonly string[] {
  const found: string[] = [];
  if (story.taken > 1) found.push(`${story.workitem} was taken ${story.taken} times`);
  if (story.participant === 'sleeper') return found;
  if (story.taken === 0 && story.unknown === 0) found.push(`${story.workitem} was never taken`);
  return found;
}

function activeAfterNotice(story: Story): number {
  const notice = story.arrivals.findIndex(isNotice);
  return notice < 0 ? 0 : story.arrivals.slice(notice).filter((arrival) => arrival.status === 'active').length;
}

type Entry = { readonly n: number; readonly kind: string; readonly workitem_id?: string };

async function aboutWorkflow(url: string, id: string, journal: Journal): Promise<readonly string[]> {
  const found: string[] = [];
  const { fields } = await get<{ readonly fields: Readonly<Record<string, unknown>> }>(`${url}/v1/workflows/${id}`);
  const shape = fields['shape'] as Shape;
  const wanted: readonly string[] = SHAPES[shape]?.participants ?? [];
  const own = (): readonly Story[] => journal.stories().filter((story) => story.workflow === id);
  // Whoever is given up is told so, after the workflow has gone on; perhaps that is all it ever hears.
  if (wanted.includes('sleeper'))
    await until('a notice', () => own().some(({ arrivals }) => arrivals.some(isNotice)), NOTICE_MS_MAX).catch(() =>
      found.push(`${id}: the sleeper was never told that it is given up`),
    );
  const stories = own();
  for (const participant of wanted) {
    const count = stories.filter((story) => story.participant === participant).length;
    if (count === 0) found.push(`${id}: ${participant} never heard of its workitem`);
    if (count > 1) found.push(`${id}: a step was taken twice, ${participant} has ${count} workitems`);
    if (shape !== 'fork' && participant !== 'sleeper' && fields[participant] !== 'done')
      found.push(`${id}: what ${participant} handed back is lost`);
  }
  if (shape !== 'fork' && shape !== 'diagram') {
    const awake = (participant: string): boolean => participant !== 'sleeper';
    const asked = stories
      .map(({ participant, arrivals }) => ({ participant, n: arrivals[0]?.n ?? 0 }))
      .sort((a, b) => a.n - b.n)
      .map(({ participant }) => participant)
      .filter(awake);
    if (asked.join() !== wanted.filter(awake).join()) found.push(`${id}: asked ${asked.join()}, not ${wanted.join()}`);
  }
  const { history } = await get<{ readonly history: readonly Entry[] }>(`${url}/v1/workflows/${id}/history`);
  for (const [i, entry] of history.entries()) if (entry.n !== i + 1) found.push(`${id}: history jumps to ${entry.n}`);
  const idsOf = (kind: string): readonly string[] =>
    history.flatMap((entry) => (entry.kind === kind ? [String(entry.workitem_id)] : [])).sort();
  const heard = stories.map((story) => story.workitem).sort();
  if (idsOf('workitem.opened').join() !== heard.join())
    found.push(`${id}: opened ${idsOf('workitem.opened').join()}, heard ${heard.join()}`);
  const proceeded = idsOf('workitem.proceeded');
  if (new Set(proceeded).size !== proceeded.length) found.push(`${id}: a workitem proceeded twice`);
  return found;
}

const isNotice = (arrival: Arrival): boolean => arrival.status !== 'active';

async function list(url: string): Promise<ReadonlyMap<string, string>> {
  type Page = {
    readonly workflows: readonly { readonly id: string; readonly status: string }[];
    readonly next_cursor: string | null;
  };
  const statuses = new Map<string, string>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page = await get<Page>(`${url}/v1/workflows?limit=1000${more}`);
    for (const { id, status } of page.workflows) statuses.set(id, status);
    cursor = page.next_cursor;
  }
  return statuses;
}

/** What there is to know of workflows that never ended; for the reader of a failed test. */
async function describeOpen(journal: Journal, url: string): Promise<string> {
  const lines: string[] = [];
  for (const [id, status] of await list(url)) {
    if (OVER.has(status) || lines.length >= SHOWN_MAX) continue;
    const shown = await get<{ readonly workitems: unknown; readonly timers: unknown; readonly errors: unknown }>(
      `${url}/v1/workflows/${id}`,
    );
    const stories = journal.stories().filter((story) => story.workflow === id);
    const { workitems, timers, errors } = shown;
    lines.push(`${id} ${status} ${JSON.stringify({ workitems, timers, errors })}\n  heard ${JSON.stringify(stories)}`);
  }
  return lines.join('\n');
}

async function get<Shape>(url: string): Promise<Shape> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`GET ${url} answers ${response.status}: ${await response.text()}`);
  return (await response.json()) as Shape;
}
