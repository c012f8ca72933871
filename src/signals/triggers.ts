import { judgeEvent } from '../language/event-condition.ts';
import { LanguageError } from '../language/language-error.ts';
import { lookup } from '../language/lookup.ts';
import { substitute } from '../language/substitution.ts';
import type { WorkflowId } from '../model/ids.ts';
import { isObject, type Json, type JsonObject, ownValue } from '../model/json.ts';
import type { Tenant } from '../model/tenant.ts';
import { keptTrace, readTraceContext } from '../runtime/trace-context.ts';
import type { Start } from '../store/meeting.ts';
import type { Incoming, Skipped, Starter, StartOrder } from './receiver.ts';

/*
 * Definitions that events start: which fit, and with which fields. The launch itself is an agenda row of the workflow to come, written in the
 * transaction that receives the event; the workflow's id is made here.
 */

/** What a stored definition says of events that start it, checked when it was stored. */
export type Trigger = {
  readonly type: string;
  readonly source?: string;
  readonly key?: string;
  readonly where?: string;
  readonly fields?: JsonObject;
  readonly business_key?: string;
  readonly enabled?: boolean;
  /** Of BPMN: the start event that waits for it, as a message or a signal. */
  readonly start?: { readonly element: string; readonly hears: 'message' | 'signal' };
};

/** A trigger of the active version of a definition. */
export type Triggered = { readonly definition: string; readonly version: number; readonly trigger: Trigger };

/** Workflows that one event may start. */
const STARTS_MAX = 100;

export function makeStarter(parts: {
  /** Triggers of active versions for events of a type. */
  readonly triggersOf: (tenant: Tenant, type: string) => Iterable<Triggered>;
  /** What keeps a version from being launched with these fields, as one word; null: nothing. */
  readonly complaint: (tenant: Tenant, triggered: Triggered, fields: JsonObject) => Promise<string | null>;
  /** The workflow that has a business key. */
  readonly holder: (tenant: Tenant, key: string) => Promise<WorkflowId | null>;
  readonly freshId: () => WorkflowId;
}): Starter {
  return async (tenant, incoming, eventId) => {
    const starts: Start[] = [];
    const skipped: Skipped[] = [];
    const trace = traceOf(incoming);
    for (const triggered of parts.triggersOf(tenant, incoming.type)) {
      if (starts.length === STARTS_MAX || !fitsTrigger(triggered.trigger, incoming)) continue;
      const { definition, version, trigger } = triggered;
      const fields = fieldsFor(trigger, incoming.event);
      const reason = await parts.complaint(tenant, triggered, fields);
      if (reason !== null) {
        skipped.push({ definition, reason });
        continue;
      }
      const key = trigger.business_key === undefined ? null : filled(trigger.business_key, incoming.event);
      const businessKey = key === null || typeof key === 'object' || key === '' ? null : String(key);
      const holder = businessKey === null ? null : await parts.holder(tenant, businessKey);
      if (holder !== null) {
        skipped.push({ definition, reason: 'business_key_taken', workflowId: holder });
        continue;
      }
      const order: StartOrder = {
        ...{ tenant, definition, version, fields, businessKey, hops: incoming.hops, eventId },
        ...(trigger.start !== undefined && { start: trigger.start.element }),
        ...(trace !== null && { trace }),
      };
      starts.push({ workflow: parts.freshId(), payload: JSON.stringify({ launch: order }) });
    }
    return { starts, skipped };
  };
}

/** The trace an event belongs to: its own extension says it, else the request that brought it. */
function traceOf({ event, trace = null }: Incoming): string | null {
  const text = (name: string): string | null => {
    const value = ownValue(event, name);
    return typeof value === 'string' ? value : null;
  };
  const own = readTraceContext(text('traceparent'), text('tracestate'));
  return own === null ? trace : keptTrace(own);
}

/** Whether an event of the trigger's type starts it. */
export const fitsTrigger = (trigger: Trigger, { source, key, event, mode, sort }: Incoming): boolean =>
  trigger.enabled !== false &&
  mode !== 'direct' &&
  // Signals start processes of BPMN alone, and messages none that waits for a signal.
  (sort === 'signal' ? trigger.start?.hears === 'signal' : sort === 'event' || trigger.start?.hears !== 'signal') &&
  (trigger.source === undefined || trigger.source === source) &&
  (trigger.key === undefined || trigger.key === key) &&
  (trigger.where === undefined || judgeEvent(trigger.where, event));

const fieldsFor = ({ fields, start }: Trigger, event: JsonObject): JsonObject => {
  if (start !== undefined) {
    const data = ownValue(event, 'data');
    return isObject(data) ? data : {};
  }
  if (fields === undefined) return { event };
  const value = filled(fields, event);
  return isObject(value) ? value : {};
};

/** One `${…}` as a whole text: its value, with its type. */
const WHOLE = /^\$\{(?:f:)?([^${}]+)\}$/;

/** A template with the parts of an event put in; what cannot be put in is null. */
export function filled(template: Json, event: JsonObject): Json {
  if (typeof template === 'string') {
    const field = (path: string): Json | undefined => lookup({ event }, path);
    const whole = WHOLE.exec(template)?.[1];
    if (whole !== undefined) return field(whole) ?? null;
    try {
      return substitute(template, { field, variable: () => undefined, special: () => undefined });
    } catch (error) {
      if (error instanceof LanguageError) return null;
      throw error;
    }
  }
  if (Array.isArray(template)) return (template as readonly Json[]).map((item) => filled(item, event));
  if (!isObject(template)) return template;
  return Object.fromEntries(Object.keys(template).map((key) => [key, filled(ownValue(template, key) ?? null, event)]));
}

/** Triggers of active versions, by tenant and type. `watch` tells of each active version that comes or goes. */
export function makeTriggers(watch: (see: (before: HasTriggers | null, now: HasTriggers | null) => void) => void): {
  readonly of: (tenant: Tenant, type: string) => Iterable<Triggered>;
  readonly count: (tenant: Tenant, type: string) => number;
} {
  const byType = new Map<string, Map<string, readonly Triggered[]>>();
  const keyOf = (tenant: string, type: string): string => JSON.stringify([tenant, type]);
  watch((before, now) => {
    for (const { type } of triggersIn(before)) {
      const key = keyOf(before?.tenant ?? '', type);
      byType.get(key)?.delete(before?.name ?? '');
      if (byType.get(key)?.size === 0) byType.delete(key);
    }
    if (now === null) return;
    for (const type of new Set(triggersIn(now).map((trigger) => trigger.type))) {
      const key = keyOf(now.tenant, type);
      const names = byType.get(key) ?? new Map<string, readonly Triggered[]>();
      byType.set(key, names);
      names.set(
        now.name,
        triggersIn(now)
          .filter((trigger) => trigger.type === type)
          .map((trigger) => ({ definition: now.name, version: now.version, trigger })),
      );
    }
  });
  return {
    of: (tenant, type) => [...(byType.get(keyOf(tenant, type))?.values() ?? [])].flat(),
    count: (tenant, type) => [...(byType.get(keyOf(tenant, type))?.values() ?? [])].flat().length,
  };
}

/** An active version, as far as triggers go. */
export type HasTriggers = {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  readonly options: JsonObject;
};

function triggersIn(definition: HasTriggers | null): readonly Trigger[] {
  if (definition === null) return [];
  const triggers = ownValue(definition.options, 'triggers');
  const starts = ownValue(definition.options, 'starts');
  return [
    ...(Array.isArray(triggers) ? (triggers as unknown as readonly Trigger[]) : []),
    ...(Array.isArray(starts) ? starts : []).flatMap(startTrigger),
  ];
}

/** A start event as it is kept (api/resources/definitions/starts.ts). */
function startTrigger(start: Json): readonly Trigger[] {
  const { element, message, signal } = start as { readonly [key: string]: string | undefined };
  const type = message ?? signal;
  if (element === undefined || type === undefined) return [];
  return [{ type, start: { element, hears: message === undefined ? 'signal' : 'message' } }];
}
