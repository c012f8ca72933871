import { type Signal, signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks';
import { isObject, type JsonObject } from '../../../src/model/json.ts';
import { call, type Problem, part, workflowPath } from '../../api/calls.ts';
import { looked, oneAtATime } from '../../live/resource.ts';
import { useWorkflowEvents } from '../../live/stream.ts';
import { type Chronicle, makeChronicle } from '../../picture/chronicle.ts';
import { type Entry, isOver, objectsOf, textOf, withRest } from '../../picture/standing.ts';

/* One workflow as the page has it: what the server shows now, and its history as far as it has been read. */

/** Entries of one request; of the history as a whole that a page reads by itself; and that it reads when somebody wants more. */
const PAGE = 1_000;
export const HISTORY_BY_ITSELF_MAX = 50_000;
export const HISTORY_MAX = 200_000;
/** The newest entries, where the history is too long to be read to its end. */
const NEWEST = 200;
/** Pages of what is alive at once that are read behind the first, and how often they are read again, in milliseconds. */
const REST_MAX = 50;
const REST_EVERY_MS = 5_000;
/** While a long history is read the picture is painted again at most so often, in milliseconds: each time looks at all of it. */
const PAINTED_EVERY_MS = 500;

export type Data = {
  readonly shown: Signal<JsonObject | null>;
  readonly problem: Signal<Problem | null>;
  readonly chronicle: Chronicle;
  /** Counts what has been added to the chronicle, so that who shows it is painted again. */
  readonly entries: Signal<number>;
  /** Whether the history has been read to its end once. */
  readonly settled: Signal<boolean>;
  /** Whether history was left out because it is long. */
  readonly cut: Signal<boolean>;
  /** The last entries of a history that is not read to its end, oldest first; else empty. */
  readonly newest: Signal<readonly Entry[]>;
  /** Whether more is alive at once than a page looks at. */
  readonly isPart: Signal<boolean>;
  again(): Promise<void>;
  /** Nobody looks any more. */
  leave(): void;
  /** Reads further than it would by itself, up to HISTORY_MAX. */
  more(): Promise<void>;
};

export function useWorkflow(id: string): Data {
  const data = useMemo(() => makeData(id), [id]);
  useLayoutEffect(() => {
    void data.again();
    return data.leave;
  }, [data]);
  useEffect(() => {
    if (looked.value > 0) void data.again();
  }, [looked.value]);
  const over = isOver(textOf(data.shown.value?.['status']));
  useWorkflowEvents(id, over, () => void data.again());
  return data;
}

function makeData(id: string): Data {
  const shown = signal<JsonObject | null>(null);
  const problem = signal<Problem | null>(null);
  const entries = signal(0);
  const cut = signal(false);
  const settled = signal(false);
  const newest = signal<readonly Entry[]>([]);
  let most = HISTORY_BY_ITSELF_MAX;
  const chronicle = makeChronicle();
  const isPart = signal(false);
  let text: string | null = null;
  let rest: readonly JsonObject[] = [];
  let restAt = Number.NEGATIVE_INFINITY;
  let later: ReturnType<typeof setTimeout> | null = null;
  let paintedAt = Number.NEGATIVE_INFINITY;

  async function read(): Promise<void> {
    const answer = await call(workflowPath(id));
    if (!answer.ok) {
      problem.value = answer.problem;
      return;
    }
    problem.value = null;
    if (isObject(answer.value)) {
      if (text !== answer.text) show(answer.value);
      text = answer.text;
      await readRest(answer.value);
    }
    await readHistory();
  }
  function show(first: JsonObject): void {
    shown.value = withRest(first, typeof first['expressions_cursor'] === 'string' ? rest : []);
  }

  /** Of a wide crowd the first page is shown at once, and what is behind it when it is there: until then what was there before. */
  async function readRest(first: JsonObject): Promise<void> {
    let cursor = first['expressions_cursor'];
    if (typeof cursor !== 'string') {
      rest = [];
      return;
    }
    const left = restAt + REST_EVERY_MS - performance.now();
    if (left > 0) {
      later ??= setTimeout(() => {
        later = null;
        void again();
      }, left);
      return;
    }
    const pages: JsonObject[] = [];
    while (typeof cursor === 'string' && pages.length < REST_MAX) {
      const answer = await call(`v1/workflows/${part(id)}?omit=workitem_fields&cursor=${encodeURIComponent(cursor)}`);
      if (!answer.ok || !isObject(answer.value)) break;
      pages.push(answer.value);
      cursor = answer.value['expressions_cursor'];
    }
    rest = pages;
    isPart.value = typeof cursor === 'string';
    restAt = performance.now();
    show(first);
  }

  async function readHistory(): Promise<void> {
    for (;;) {
      if (chronicle.last >= most) {
        await readNewest();
        return;
      }
      const answer = await call(`v1/workflows/${part(id)}/history?after=${chronicle.last}&limit=${PAGE}`);
      if (!answer.ok || !isObject(answer.value)) {
        paint();
        return;
      }
      const { first_kept: firstKept } = answer.value;
      const more = objectsOf(answer.value['history']) as unknown as readonly Entry[];
      // A long life whose beginning is folded away: what is kept begins too far behind.
      if ((more.find((entry) => entry.n > chronicle.last)?.n ?? 0) > most) {
        await readNewest();
        return;
      }
      chronicle.add(more, typeof firstKept === 'number' ? firstKept : 1);
      if (answer.value['next_after'] === null || more.length === 0) {
        paint();
        settled.value = true;
        cut.value = false;
        newest.value = [];
        return;
      }
      if (performance.now() - paintedAt >= PAINTED_EVERY_MS) paint();
    }
  }
  /** What happened last is there, however long the history is. */
  async function readNewest(): Promise<void> {
    const answer = await call(`v1/workflows/${part(id)}/history?order=desc&limit=${NEWEST}`);
    const found = answer.ok && isObject(answer.value) ? objectsOf(answer.value['history']) : [];
    newest.value = (found as unknown as readonly Entry[]).filter(({ n }) => n > chronicle.last).reverse();
    // It may have ended just there.
    cut.value = !answer.ok || newest.value.length > 0;
    paint();
  }
  function paint(): void {
    entries.value = chronicle.last;
    paintedAt = performance.now();
  }

  const again = oneAtATime(read);
  return {
    shown,
    problem,
    chronicle,
    entries,
    cut,
    settled,
    newest,
    isPart,
    leave() {
      if (later !== null) clearTimeout(later);
      later = null;
    },
    again,
    more() {
      most = Math.min(HISTORY_MAX, most + HISTORY_BY_ITSELF_MAX);
      return again();
    },
  };
}
