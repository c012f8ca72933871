import { createHash } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import { judgeEvent } from '../language/event-condition.ts';
import {
  type EventMode,
  type EventRow,
  FOR_EVER,
  HEARD,
  type Received,
  SEND_ID,
  type SentEvent,
  type SentLaunch,
  START_ID,
  sourceOf,
} from '../model/events.ts';
import { Fault, passesByItself } from '../model/fault.ts';
import type { WorkflowId } from '../model/ids.ts';
import type { JsonObject } from '../model/json.ts';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { makeLoop } from '../runtime/loop.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { UntilUsed } from '../runtime/until-used.ts';
import type { Coming, Start } from '../store/meeting.ts';
import { EVENTS_AT_ONCE, type Store } from '../store/store.ts';

/*
 * Events from outside come in: each is stored with whatever it sets off, in one transaction, and what it was handed to is stepped afterwards.
 */

/** An event that was read and found good. */
export type Incoming = {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly sort: EventRow['sort'];
  readonly mode: EventMode;
  /** The workflow it is for; null: whoever waits. */
  readonly workflow: WorkflowId | null;
  /** How long it waits for somebody; null: as the server says, or until its workflow is over. */
  readonly keepSeconds: number | null;
  readonly hops: number;
  /** As it was sent. */
  readonly event: JsonObject;
  /** The trace of the request that brought it, as it is kept with a workflow; null or left out: none. */
  readonly trace?: string | null;
};

/** A definition that fitted an event and was not started. */
export type Skipped = { readonly definition: string; readonly reason: string; readonly workflowId?: string };
export type Accepted = Received & { readonly skipped: readonly Skipped[] };

/** What the agenda row of a workflow to come says. */
export type StartOrder = {
  readonly tenant: Tenant;
  readonly definition: string;
  /** Null: the active one. */
  readonly version: number | null;
  readonly fields: JsonObject;
  readonly businessKey: string | null;
  /** Of BPMN: the start event it begins with. */
  readonly start?: string;
  readonly hops: number;
  readonly eventId: string;
  /** The workflow that launches it, where no event does. */
  readonly from?: WorkflowId;
  /** The trace it belongs to, as it is kept with a workflow; left out: none. */
  readonly trace?: string;
};

/** Launches what an event starts, or finds that it was launched under this id already. */
export type StartLaunch = (workflow: WorkflowId, order: StartOrder) => Promise<void>;

/** What an event starts: decided by whoever knows the definitions. */
export type Starter = (
  tenant: Tenant,
  incoming: Incoming,
  eventId: string,
) => Promise<{ readonly starts: readonly Start[]; readonly skipped: readonly Skipped[] }>;

export type ReceiverSettings = {
  readonly keepSeconds: number;
  readonly keptMax: number;
  readonly dedupeDays: number;
  readonly hopsMax: number;
};

/** An event that says how long it waits is cut to this. */
export const KEEP_SECONDS_MAX = 2_592_000;
/** How long the count of what a tenant keeps is good for. */
const COUNT_MS = 10_000;
/** Tenants whose count is remembered. */
const TENANTS_MAX = 1_000;
/** Events that are gone on with in one look. */
const DUE_MAX = 20;
/** How often places are tidied, and how old they are then. */
const TIDY_MS = 600_000;
const PLACE_KEPT_MS = 86_400_000;
const PLACES_AT_ONCE = 1_000;
const DAY_MS = 86_400_000;

export type Receiver = {
  /** Receives events of one tenant, in their order, and has stepped what they were handed to when `stepped` resolves. Throws Fault. */
  receive(
    tenant: Tenant,
    events: readonly Incoming[],
  ): Promise<{ readonly accepted: readonly Accepted[]; readonly stepped: Promise<void> }>;
  /** Receives a stored event anew; null: there is none, or it is being handed on. `start`: definitions, too. */
  again(tenant: Tenant, eventId: string, start: boolean): Promise<Accepted | null>;
  readonly settings: ReceiverSettings;
  /** From now on events start definitions. */
  connect(definitions: { readonly starter: Starter; readonly launch: StartLaunch }): void;
  /** Sends what a due agenda row says, before its step takes it away; null for rows that send nothing. */
  before(workflow: WorkflowId, agenda: string): Promise<void> | null;
  /** Goes on with what others left, from now on. */
  start(): void;
  /** Somebody may have given an event back. */
  wake(): void;
  /** Resolves when this node goes on with no event; whether it did so since it was last asked. */
  quiet(): Promise<boolean>;
  stop(): Promise<void>;
};

export function makeReceiver(parts: {
  readonly store: Pick<Store, 'meeting' | 'receivedEvents'>;
  readonly engine: Pick<Engine, 'advance'>;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly settings: ReceiverSettings;
  /** Wakes it when there are events that somebody has to go on with, where no hint came. */
  readonly untilUsed: UntilUsed;
}): Receiver {
  const { store, engine, clock, time, ids, log, settings } = parts;
  let starter: Starter = async () => ({ starts: [], skipped: [] });
  let launch: StartLaunch | null = null;
  const counts = makeBoundedMap<{ count: number; at: number }>(TENANTS_MAX);
  let stopped = false;
  let running = false;
  let cancelLook = (): void => {};
  let cancelTidying = (): void => {};
  let worked = false;
  let tidied = time.now();
  const loop = makeLoop({ name: 'signals', work: goOn, time, ids, log });

  async function checkRoom(tenant: Tenant, more: number): Promise<void> {
    const known = counts.get(tenant);
    const fresh = known !== undefined && time.now() - known.at < COUNT_MS;
    const count = fresh ? known.count : await store.receivedEvents.keptCount(tenant, clock.now(), settings.keptMax);
    counts.set(tenant, { count: count + more, at: fresh ? known.at : time.now() });
    if (count >= settings.keptMax)
      throw new Fault(
        'events_full',
        `${settings.keptMax} events are kept that nobody has waited for; try again later, or let some expire`,
      );
  }

  function rowOf(tenant: Tenant, incoming: Incoming, starts: readonly Start[], eventId: string): EventRow {
    const { source, id, type, key, sort, mode, workflow, hops, event } = incoming;
    const now = clock.now();
    const seconds = incoming.keepSeconds ?? (workflow === null ? settings.keepSeconds : null);
    const expiresAt = seconds === null ? FOR_EVER : now + Math.min(Math.max(0, seconds), KEEP_SECONDS_MAX) * 1000;
    return {
      ...{ eventId, tenant, source, id, type, key, sort, mode, hops, expiresAt },
      digest: createHash('sha256')
        .update(JSON.stringify([source, id]))
        .digest('hex'),
      workflowId: workflow,
      receivedAt: now,
      goneAt: expiresAt === FOR_EVER ? null : Math.max(expiresAt, now + settings.dedupeDays * DAY_MS),
      ...{ state: 'kept', hits: 0, misses: 0, resumed: '[]', due: false, spread: null },
      started: JSON.stringify(starts.map((start) => start.workflow)),
      body: JSON.stringify(event),
    };
  }

  /** The workflows an event was handed to take it at once; where this node cannot, the agenda does. */
  async function step(handed: Received['handed']): Promise<void> {
    const stimuli = handed.map(({ workflow, agenda }) => ({
      workflow,
      origin: { by: 'server' } as const,
      event: { kind: 'due', agenda } as const,
    }));
    if (stimuli.length === 0) return;
    try {
      await engine.advance(stimuli);
    } catch (err) {
      log.debug('an event is left to the agenda', { event: 'signals.later', stimuli: stimuli.length, err });
    }
  }

  async function goOn(): Promise<boolean> {
    if (stopped) return false;
    if (time.now() - tidied >= TIDY_MS) {
      tidied = time.now();
      await store.meeting.tidyPlaces(clock.now() - PLACE_KEPT_MS, PLACES_AT_ONCE);
    }
    const due = await store.receivedEvents.due(DUE_MAX);
    let done = 0;
    for (const { eventId } of due) {
      const received = await store.meeting.goOn(eventId, judgeEvent, clock.now());
      if (received === null) continue;
      done += 1;
      worked = true;
      await step(received.handed);
    }
    return done > 0;
  }

  const receive: Receiver['receive'] = async (tenant, events) => {
    const tooFar = events.find(({ hops }) => hops > settings.hopsMax);
    if (tooFar !== undefined)
      throw new Fault(
        'event_loop',
        `the event ${tooFar.type} came of ${tooFar.hops} events, one by way of the other; more than ${settings.hopsMax} are taken for a loop`,
      );
    if (events.length > 0) await checkRoom(tenant, events.length);
    const accepted: Accepted[] = [];
    const steps: Promise<void>[] = [];
    for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
      const piece = events.slice(from, from + EVENTS_AT_ONCE);
      const coming: Coming[] = [];
      const skipped: (readonly Skipped[])[] = [];
      for (const incoming of piece) {
        const eventId = `evt_${ids.hex()}`;
        const found =
          incoming.workflow === null ? await starter(tenant, incoming, eventId) : { starts: [], skipped: [] };
        skipped.push(found.skipped);
        coming.push({
          row: rowOf(tenant, incoming, found.starts, eventId),
          event: incoming.event,
          starts: found.starts,
        });
      }
      const received = await store.meeting.receive(tenant, coming, judgeEvent, clock.now());
      received.forEach((one, i) => {
        accepted.push({ ...one, skipped: one.duplicate ? [] : (skipped[i] ?? []) });
      });
      steps.push(step(received.flatMap(({ handed }) => handed)));
      // What is answered as started can be looked at.
      await Promise.all(coming.flatMap(({ starts }, i) => (received[i]?.duplicate ? [] : starts.map(beginNow))));
      if (received.some(({ row }) => row.due)) loop.wake();
    }
    return { accepted, stepped: Promise.all(steps).then(() => undefined) };
  };

  /** It may be sent twice, when what came of the first time is not known: the same event comes once. */
  async function send(workflow: WorkflowId, agenda: string): Promise<void> {
    const row = await store.meeting.sending(workflow, agenda);
    if (row === null) return;
    const payload = JSON.parse(row.payload) as { readonly send: SentEvent } | { readonly launch: SentLaunch };
    if ('launch' in payload) return launchFrom(row.tenant, payload.launch);
    const { send: sent } = payload;
    const source = sourceOf(workflow);
    const incoming: Incoming = {
      ...{ source, id: sent.id, type: sent.type, key: sent.key, mode: sent.mode, hops: sent.hops },
      // A diagram throws signals; what the language sends to everybody is an event.
      sort: sent.mode !== 'broadcast' ? 'message' : sent.id.endsWith(HEARD) ? 'signal' : 'event',
      workflow: sent.to as WorkflowId | null,
      keepSeconds: sent.keepSeconds,
      event: {
        ...{ specversion: '1.0', id: sent.id, source, type: sent.type, time: new Date(sent.at).toISOString() },
        ...(sent.key !== null && { subject: sent.key }),
        data: sent.data,
      },
    };
    try {
      const { stepped } = await receive(row.tenant, [incoming]);
      await stepped;
    } catch (err) {
      // Nobody can take it any more; what passes by itself is tried again.
      if (!(err instanceof Fault) || !['workflow_not_found', 'messages_full', 'event_loop'].includes(err.code))
        throw err;
      log.warn('an event of a workflow reached nobody', {
        event: 'signals.dropped',
        workflow_id: workflow,
        type: sent.type,
        why: err.message,
      });
    }
  }

  /** Launches the workflow of an agenda row that an event has written; its first step finds the row, and takes it away. */
  async function begin(workflow: WorkflowId): Promise<void> {
    const payload = await store.meeting.starting(workflow);
    if (payload === null) return;
    const { launch: order } = JSON.parse(payload) as { readonly launch: StartOrder };
    if (!(await launched(workflow, order))) await store.meeting.notStarted(workflow);
  }

  /** What a workflow launches has its id already: launched twice it is there once. */
  async function launchFrom(tenant: Tenant, { id, definition, fields, hops, from }: SentLaunch): Promise<void> {
    const [, name = definition, version] = /^(.+)@(\d{1,9})$/.exec(definition) ?? [];
    await launched(id, {
      ...{ tenant, definition: name, version: version === undefined ? null : Number(version), fields, hops, from },
      ...{ businessKey: null, eventId: from },
    });
  }

  /** False: it is refused, and will be whenever it is tried. */
  async function launched(workflow: WorkflowId, order: StartOrder): Promise<boolean> {
    try {
      // A node that knows no definitions leaves it to others.
      if (launch === null) throw new Fault('unavailable', 'Definitions are not known here yet');
      await launch(workflow, order);
      return true;
    } catch (err) {
      // Overloaded, or without a database, it is tried again; what the definition itself refuses never succeeds.
      if (!(err instanceof Error) || !('code' in err) || passesByItself(err) || err.code === 'internal') throw err;
      log.warn('a definition could not be started', {
        event: 'signals.not_started',
        workflow_id: workflow,
        definition: order.definition,
        ...(order.from === undefined ? { event_id: order.eventId } : { launched_by: order.from }),
        why: err.message,
      });
      return false;
    }
  }

  const beginNow = async ({ workflow }: Start): Promise<void> => {
    try {
      await begin(workflow);
      await engine.advance([{ workflow, origin: { by: 'server' }, event: { kind: 'due', agenda: START_ID } }]);
    } catch (err) {
      log.debug('a start is left to the agenda', { event: 'signals.later', workflow_id: workflow, err });
    }
  };

  const tidyLater = (): void => {
    cancelTidying = time.after(TIDY_MS, () => {
      loop.wake();
      if (!stopped) tidyLater();
    });
  };

  const later = (): void => {
    if (stopped || !running) return;
    cancelLook = parts.untilUsed(() => {
      loop.wake();
      later();
    });
  };

  return {
    settings,
    connect: (definitions) => {
      ({ starter, launch } = definitions);
    },
    receive,
    again: async (tenant, eventId, start) => {
      const row = await store.receivedEvents.get(eventId);
      if (row === null || row.tenant !== tenant) return null;
      const incoming: Incoming = {
        ...{ source: row.source, id: row.id, type: row.type, key: row.key, sort: row.sort, mode: row.mode },
        workflow: row.workflowId as WorkflowId | null,
        keepSeconds: null,
        hops: row.hops,
        event: JSON.parse(row.body) as JsonObject,
      };
      const found = start && row.workflowId === null ? await starter(tenant, incoming, eventId) : null;
      const received = await store.meeting.again(tenant, eventId, found?.starts ?? [], judgeEvent, clock.now());
      if (received === null) return null;
      await step(received.handed);
      return { ...received, skipped: found?.skipped ?? [] };
    },
    before: (workflow, agenda) =>
      agenda.startsWith(SEND_ID) ? send(workflow, agenda) : agenda === START_ID ? begin(workflow) : null,
    start: () => {
      running = true;
      loop.wake();
      later();
      tidyLater();
    },
    wake: loop.wake,
    quiet: async () => {
      await loop.settled();
      const did = worked;
      worked = false;
      return did;
    },
    stop: async () => {
      stopped = true;
      cancelLook();
      cancelTidying();
      await loop.stop();
    },
  };
}
