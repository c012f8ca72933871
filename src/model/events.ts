import type { WorkflowId } from './ids.ts';
import type { Json, JsonObject } from './json.ts';
import { atPointer } from './pointer.ts';
import type { WaiterRow } from './rows.ts';

/*
 * Events from outside, and what they fit (docs/api-v1.md, Events in). A message and a signal are events, too: their name is the type.
 */

export type EventState = 'kept' | 'delivered' | 'expired' | 'spreading';
/** `broadcast`: to everybody it fits; `competing`: to the one that has waited longest; `direct`: to one workflow. */
export type EventMode = 'broadcast' | 'competing' | 'direct';

/** An event as it is stored. Times are business time. */
export type EventRow = {
  readonly eventId: string;
  readonly tenant: string;
  /** A hash of source and id: the same event comes once. */
  readonly digest: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly sort: 'event' | 'message' | 'signal';
  readonly mode: EventMode;
  /** The workflow it is for; null: whoever waits. */
  readonly workflowId: string | null;
  readonly receivedAt: number;
  /** Until when it waits where nobody waits for it. */
  readonly expiresAt: number;
  /** When the row may be thrown away; null: with its workflow. */
  readonly goneAt: number | null;
  readonly state: EventState;
  /** How many events of this server led to it, one by way of the other. */
  readonly hops: number;
  /** How often it was handed to somebody, and how often that one waited no more. */
  readonly hits: number;
  readonly misses: number;
  /** JSON lists of workflow ids: the first it was handed to, and those it has started. */
  readonly resumed: string;
  readonly started: string;
  readonly due: boolean;
  /** JSON: how far it has been handed on (store/meeting.ts), or null. */
  readonly spread: string | null;
  /** JSON of the event as it was sent. */
  readonly body: string;
};

/** An event that a workflow sends: what an agenda row says whose id begins with SEND_ID. */
export type SentEvent = {
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly mode: EventMode;
  /** The workflow a direct one is for. */
  readonly to: string | null;
  readonly data: Json;
  readonly hops: number;
  readonly at: number;
  /** Null: until its workflow is over. */
  readonly keepSeconds: number | null;
};
/** A workflow that a workflow launches: what such an agenda row says instead. `id`: the one it will have. */
export type SentLaunch = {
  readonly id: WorkflowId;
  /** `order` or `order@3`. */
  readonly definition: string;
  readonly fields: JsonObject;
  readonly hops: number;
  /** Who launches it. */
  readonly from: WorkflowId;
};
export const SEND_ID = 'send ';
/** The end of the id of a signal that its own workflow has heard within the step that threw it. */
export const HEARD = '!';
/** The source of what a workflow sends. */
export const sourceOf = (workflow: string): string => `/v1/workflows/${workflow}`;
/** Whether a workflow threw this signal itself, and has heard it. */
export const hasHeard = ({ sort, id, source }: Pick<EventRow, 'sort' | 'id' | 'source'>, workflow: string): boolean =>
  sort === 'signal' && id.endsWith(HEARD) && source === sourceOf(workflow);
/** The agenda row of a workflow to come that an event starts. */
export const START_ID = 'start';

/** Until the workflow is over. */
export const FOR_EVER = 253_402_300_799_000;
/** Workflows that an answer names; of others it says that there are more. */
export const NAMED_MAX = 1_000;
/** Characters of a type, and of a key. */
export const TYPE_MAX = 255;
export const KEY_MAX = 200;

/** What has become of an event. */
export type Received = {
  readonly row: EventRow;
  readonly duplicate: boolean;
  /** Of BPMN: an element that takes it; left out: none does, or that is not known any more. */
  readonly element?: string;
  /** What has to be stepped now. */
  readonly handed: readonly { readonly workflow: WorkflowId; readonly agenda: string }[];
};

/** A condition on an event, judged when both are there; one that cannot be evaluated does not hold. */
export type Judge = (condition: string, event: JsonObject) => boolean;

/** A key as text; null for what is no key. */
export function keyOf(value: Json | undefined): string | null {
  const text =
    typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
  return text === null || text === '' || text.length > KEY_MAX ? null : text;
}

/** What of an event decides whether it fits. */
export type Fitting = Pick<EventRow, 'key' | 'sort' | 'workflowId'> & { readonly event: JsonObject };

/** Whether an event of the waiter's type fits it. */
export function fits(
  waiter: Pick<WaiterRow, 'wanted' | 'keyFrom' | 'where' | 'hears'>,
  { key, sort, workflowId, event }: Fitting,
  judge: Judge,
): boolean {
  const { wanted, keyFrom, where, hears } = waiter;
  if (hears === 'message' && sort === 'signal') return false;
  if (hears === 'signal' && sort === 'message') return false;
  if (hears === 'message' && wanted === null && workflowId === null) return false;
  const isForAnyKey = workflowId !== null && sort === 'message';
  if (wanted !== null && !isForAnyKey) {
    const given = keyFrom === null ? key : keyOf(atPointer(event, keyFrom));
    if (given !== wanted) return false;
  }
  return where === null || judge(where, event);
}

/** What a waiter was handed: the `id` of the agenda row. */
export const handedId = (eventId: string, waiter: string): string => `signal ${eventId} ${waiter}`;
/** The event in the id of an agenda row that hands one over; null for other rows. */
export function eventInId(agenda: string): string | null {
  return agenda.startsWith(HANDED) ? (agenda.split(' ', 2)[1] ?? null) : null;
}
const HANDED = 'signal ';
