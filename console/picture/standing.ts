import type { HistoryKind } from '../../src/model/history-kinds.ts';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';

/*
 * How a workflow stands at one moment: what is live, who holds what, what has failed. It is made in two ways, of what the server shows now
 * and of the history up to a number, and both must come to the same (test/console/fold.test.ts).
 */

export type Status = 'running' | 'error' | 'paused' | 'cancelling' | 'completed' | 'cancelled' | 'killed';
export const STATUSES: readonly Status[] = [
  'running',
  'error',
  'paused',
  'cancelling',
  'completed',
  'cancelled',
  'killed',
];
export const isOver = (status: string): boolean => ['completed', 'cancelled', 'killed'].includes(status);

export type LiveExpression = {
  /** `expid!subid`. */
  readonly id: string;
  readonly expid: string;
  readonly name: string;
  /** active, paused, failed, awaiting, cancelling, dying, timing_out, failing. */
  readonly state: string;
  /** When it was applied, RFC 3339; null when nobody said. */
  readonly since: string | null;
  /** The expression it replies to, where the server tells. */
  readonly parentId: string | null;
  /** Of the first expression of a branch of an iterator: the beginning of its element, where the server tells. */
  readonly element: string | null;
  readonly progress: Progress | null;
  /** Places below it at which whatever comes there is paused. */
  readonly breakpoints: readonly string[];
  /** The tree it was given instead of its part of the definition; null: none, or nobody told. */
  readonly tree: Json;
};
/** How far it is: at which child or element of how many; of a fork, how many of its branches have replied. */
export type Progress = {
  readonly at: number | null;
  readonly of: number | null;
  readonly done: number | null;
  /** Which pass of a loop, or element of an iterator, it is; 1 for the first. */
  readonly round: number | null;
  /** Of an iterator: the beginning of the element whose turn it is. */
  readonly element: string | null;
};

export type HeldWorkitem = {
  readonly id: string;
  readonly expressionId: string;
  readonly expid: string;
  readonly participant: string;
  readonly state: 'open' | 'failed';
  readonly openedAt: string | null;
  /** It waits for longer than it should; false where nobody told. */
  readonly isOverdue: boolean;
  readonly url: string | null;
  /** The message that is not delivered yet. */
  readonly owed: string | null;
  readonly tries: number;
  /** How many it has at most; null: nobody told. */
  readonly triesMax: number | null;
  /** The HTTP status of its last try; null: it had none, or nobody told. */
  readonly lastStatus: number | null;
  readonly nextAt: string | null;
};

export type SetTimer = {
  readonly expressionId: string;
  readonly expid: string;
  readonly dueAt: string;
  readonly action: string;
};

export type Failure = {
  readonly expressionId: string;
  readonly expid: string;
  readonly class: string;
  readonly message: string;
  readonly at: string;
};

export type Standing = {
  /** The number of the last entry it takes in; null when it came from the server's own view. */
  readonly n: number | null;
  readonly at: string;
  readonly status: Status;
  readonly expressions: readonly LiveExpression[];
  readonly workitems: readonly HeldWorkitem[];
  readonly timers: readonly SetTimer[];
  readonly failures: readonly Failure[];
};

/** An entry of a history, as the server gives it. */
/** Stands for an entry that is no longer kept. */
export const FOLDED = 'history.folded';
export type Entry = {
  readonly n: number;
  readonly at: string;
  readonly kind: HistoryKind | typeof FOLDED;
  readonly [part: string]: Json;
};

export const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
export const textOrNull = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);
export const objectsOf = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
export function expidIn(id: string): string {
  const end = id.indexOf('!');
  return end === -1 ? id : id.slice(0, end);
}
/** Whether an expression is the root of another tree than that of its workflow: its places are counted from 0 anew. */
export const isForeignRoot = ({ expid, parentId }: Pick<LiveExpression, 'expid' | 'parentId'>): boolean =>
  expid === '0' && parentId !== null && parentId !== '';
/** `expid!subid` of `expid!subid!workflow`. */
export const expressionIn = (workitemId: string): string => workitemId.split('!').slice(0, 2).join('!');

const statusOf = (value: Json | undefined): Status => STATUSES.find((one) => one === value) ?? 'running';

/** What an answer of `GET /v1/workflows/:id` has in pages, and what tells one from another. */
const PAGED = { expressions: 'id', workitems: 'id', timers: 'id', errors: 'expression_id' } as const;

/** The first page of the answer with all that is in those after it; what several of them have is as the first has it. */
export function withRest(first: JsonObject, rest: readonly JsonObject[]): JsonObject {
  if (rest.length === 0) return first;
  const whole: { [name: string]: Json } = { ...first };
  for (const [list, id] of Object.entries(PAGED)) {
    const all = new Map<string, JsonObject>();
    for (const page of [first, ...rest])
      for (const one of objectsOf(page[list])) {
        const key = one[id] === undefined ? JSON.stringify(one) : String(one[id]);
        if (!all.has(key)) all.set(key, one);
      }
    whole[list] = [...all.values()];
  }
  return whole;
}

/** The standing in the answer of `GET /v1/workflows/:id`. */
export function standingOf(shown: JsonObject): Standing {
  return {
    n: null,
    at: textOf(shown['updated_at']),
    status: statusOf(shown['status']),
    expressions: objectsOf(shown['expressions']).map((one) => ({
      id: textOf(one['id']),
      expid: textOf(one['expid']),
      name: textOf(one['name']),
      state: textOf(one['state']),
      since: textOrNull(one['since']),
      parentId: textOrNull(one['parent_id']),
      element: isObject(one['branch']) ? textOrNull(one['branch']['element']) : null,
      progress: progressOf(one['progress']),
      breakpoints: Array.isArray(one['breakpoints']) ? (one['breakpoints'] as readonly Json[]).map(String) : [],
      tree: one['tree'] ?? null,
    })),
    workitems: objectsOf(shown['workitems']).map(workitemOf),
    timers: objectsOf(shown['timers']).map((one) => ({
      expressionId: textOf(one['expression_id']),
      expid: expidIn(textOf(one['expression_id'])),
      dueAt: textOf(one['due_at']),
      action: textOf(one['action']),
    })),
    failures: objectsOf(shown['errors']).map((one) => ({
      expressionId: textOf(one['expression_id']),
      expid: textOf(one['expid']),
      class: textOf(one['class']),
      message: textOf(one['message']),
      at: textOf(one['at']),
    })),
  };
}

const numberOrNull = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);
const progressOf = (value: Json | undefined): Progress | null =>
  isObject(value)
    ? {
        at: numberOrNull(value['at']),
        of: numberOrNull(value['of']),
        done: numberOrNull(value['done']),
        round: numberOrNull(value['round']),
        element: textOrNull(value['element']),
      }
    : null;

export function workitemOf(one: JsonObject): HeldWorkitem {
  const callback = isObject(one['callback']) ? one['callback'] : {};
  const tries = callback['tries'];
  return {
    id: textOf(one['id']),
    expressionId: textOf(one['expression_id']),
    expid: expidIn(textOf(one['expression_id'])),
    participant: textOf(one['participant']),
    state: one['status'] === 'failed' ? 'failed' : 'open',
    openedAt: textOrNull(one['opened_at']),
    isOverdue: one['overdue'] === true,
    url: textOrNull(callback['url']),
    owed: textOrNull(callback['owed']),
    tries: typeof tries === 'number' ? tries : 0,
    triesMax: numberOrNull(callback['tries_max']),
    lastStatus: null,
    nextAt: textOrNull(callback['next_at']),
  };
}
