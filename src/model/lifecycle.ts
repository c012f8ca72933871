import type { HistoryEntry } from './history-kinds.ts';
import type { JsonObject } from './json.ts';

/*
 * What others are told of workflows (docs/api-v1.md, Subscriptions): CloudEvents made from history entries. Pure: an entry in, a type and its
 * data out.
 */

export const EVENT_TYPES = [
  'rota.workflow.launched',
  'rota.workflow.paused',
  'rota.workflow.resumed',
  'rota.workflow.cancelling',
  'rota.workflow.completed',
  'rota.workflow.cancelled',
  'rota.workflow.killed',
  'rota.workflow.failed',
  'rota.workitem.opened',
  'rota.workitem.proceeded',
  'rota.workitem.failed',
  'rota.workitem.timeout',
  'rota.message.exhausted',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The event that says a subscription works. */
export const TEST_EVENT = 'rota.subscription.test';

const SAME: ReadonlyMap<string, EventType> = new Map(
  EVENT_TYPES.filter(
    (type) => !['rota.workflow.failed', 'rota.workitem.timeout', 'rota.message.exhausted'].includes(type),
  ).map((type) => [type.slice('rota.'.length), type]),
);

/** What others are told of an entry; null: nothing. */
export function eventTypeOf(entry: HistoryEntry): EventType | null {
  switch (entry.kind) {
    case 'expression.failed':
      return entry.handled_by === undefined ? 'rota.workflow.failed' : null;
    case 'workitem.closed':
      return entry.status === 'timeout' ? 'rota.workitem.timeout' : null;
    case 'callback.exhausted':
      return 'rota.message.exhausted';
    default:
      return SAME.get(entry.kind) ?? null;
  }
}

/** `workflow.*`, `rota.workitem.failed`, `*`; whole types and beginnings of them, `rota.` may be left out. */
const plain = (pattern: string): string =>
  pattern === '*' || pattern === 'rota.*' || pattern.startsWith('rota.') ? pattern : `rota.${pattern}`;

export function fitsPattern(pattern: string, type: string): boolean {
  const whole = plain(pattern);
  if (whole === '*') return true;
  return whole.endsWith('.*') ? type.startsWith(whole.slice(0, -1)) : whole === type;
}

/** Whether a pattern fits any type there is. */
export const isEventPattern = (pattern: string): boolean => EVENT_TYPES.some((type) => fitsPattern(pattern, type));

/** Patterns of one subscriber. */
export const EVENT_PATTERNS_MAX = 20;
export const EVENT_PATTERNS: readonly string[] = ['workflow.*'];

/** What an entry adds to the data of its event. */
export function partsOfEntry(entry: HistoryEntry): JsonObject {
  const said = entry as HistoryEntry & {
    readonly participant?: string | null;
    readonly workitem_id?: string;
    readonly class?: string;
    readonly message?: string;
    readonly reason?: string;
    readonly actor?: string;
    readonly continued_from?: string;
    readonly continued_as?: string;
    readonly retry_of?: string;
  };
  return {
    ...(typeof said.participant === 'string' ? { participant: said.participant } : {}),
    ...(said.workitem_id === undefined ? {} : { workitem_id: said.workitem_id }),
    ...(said.class === undefined ? {} : { error: { class: said.class, message: said.message ?? '' } }),
    ...(said.reason === undefined ? {} : { reason: said.reason }),
    ...(said.actor === undefined ? {} : { actor: said.actor }),
    ...(said.continued_from === undefined ? {} : { continued_from: said.continued_from }),
    ...(said.continued_as === undefined ? {} : { continued_as: said.continued_as }),
    ...(said.retry_of === undefined ? {} : { retry_of: said.retry_of }),
  };
}

/** Characters of fields as JSON that an event takes along. */
export const EVENT_FIELDS_MAX = 65_536;

/** Who is told, as a step needs to know it. */
export type Subscriber = {
  /** The subscription's id, or `notify` and a number. */
  readonly id: string;
  readonly events: readonly string[];
  readonly filter: { readonly name?: string; readonly definition?: string; readonly tag?: string };
  readonly ordered: boolean;
  readonly fields: boolean;
  /** Of `notify`: JSON of where it goes; null: looked up at each try. */
  readonly target: string | null;
};
