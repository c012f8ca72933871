import type { Attributed } from '../engine/attributes.ts';
import type { Engine } from '../engine/engine.ts';
import { makeEngine } from '../engine/make-engine.ts';
import type { Subscribers } from '../engine/owed.ts';
import { makeTrees, type Trees } from '../engine/trees.ts';
import type { Named, ParticipantLookups } from '../engine/turn.ts';
import { deliveredText } from '../interpreter/state/fields.ts';
import { step } from '../interpreter/step.ts';
import type { WorkitemId } from '../model/ids.ts';
import type { Limits } from '../model/stimulus.ts';
import type { Tenant } from '../model/tenant.ts';
import type { HostLimit } from '../outbox/host-limits.ts';
import type { DeliveryParts } from '../outbox/owners/delivery.ts';
import type { Post } from '../outbox/post.ts';
import type { Signer } from '../outbox/signing.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Ids } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import type { Meter } from '../runtime/meter.ts';
import type { ProcessTime } from '../runtime/process-time.ts';
import type { Tracing } from '../runtime/tracing.ts';
import { makeReceiver, type Receiver, type ReceiverSettings } from '../signals/receiver.ts';
import type { NodeBeat, Store } from '../store/store.ts';
import { type InUse, makeInUse } from '../worker/in-use.ts';
import { joinNodes, type Membership } from '../worker/nodes.ts';
import { makeWorker, type Worker } from '../worker/worker.ts';

/*
 * A node from its parts, without the doors: no HTTP, no settings of the environment. The server and the simulation put their nodes together
 * here, so that what is simulated is what runs.
 */

export type NodeParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly post: Post;
  /** Left out: nobody wants figures. */
  readonly meter?: Meter;
  /** Left out, or null: nobody records traces. */
  readonly tracing?: Tracing | null;
  readonly limits: Limits;
  readonly node: NodeBeat;
  /** What a callback is signed with; left out, or nothing: it is not (identity/secrets.ts). */
  readonly signersOf?: (tenant: Tenant, url: string) => readonly Signer[];
  /** The token in the URL a workitem is answered at; null: it has none (identity/capabilities.ts). */
  readonly proceedToken?: (tenant: Tenant, workitem: WorkitemId) => string | null;
  /** Who is told of lifecycles; left out: nobody (registry/subscriptions.ts). */
  readonly subscriptions?: DeliveryParts['subscriptions'] & Pick<Subscribers, 'of'>;
  /** Who is registered; left out: nobody (registry/participants.ts). */
  readonly participants?: ParticipantLookups;
  /** What workflows can be found by; left out: nothing is written for that. */
  readonly attributed?: Attributed;
  /** Stored definitions by name; left out: there are none. */
  readonly named?: Named;
  readonly settings: {
    /** Asked for each callback; without a slash at the end. */
    readonly baseUrl: () => string;
    readonly userAgent: string;
    /** Seconds between tries. */
    readonly schedule: { readonly active: readonly number[]; readonly notice: readonly number[] };
    readonly callbackTimeoutSeconds: number;
    readonly triesMax: number;
    readonly triesPerHostMax: number;
    readonly breaker?: { readonly failures: number; readonly seconds: number };
    /** Left out: as EVENT_SETTINGS says. */
    readonly events?: ReceiverSettings;
    readonly hosts?: readonly HostLimit[];
  };
  /** For tests that stand in the engine's way: the worker and the doors get what this answers. */
  readonly wrap?: (engine: Engine) => Engine;
};

/** What holds for events where nobody says otherwise. */
export const EVENT_SETTINGS: ReceiverSettings = { keepSeconds: 3_600, keptMax: 100_000, dedupeDays: 7, hopsMax: 16 };

/** A node, put together. Stopping goes in this order: `stopTaking`, `finish`, `leave`. */
export type Node = {
  readonly engine: Engine;
  /** Definitions as trees, for the engine and for those who show them. */
  readonly trees: Trees;
  readonly membership: Membership;
  /** Tells who looks for what is seldom there. */
  readonly inUse: Pick<InUse, 'of'>;
  /** Where events from outside come in. */
  readonly receiver: Receiver;
  /** Null on nodes that only answer requests: they deliver nothing and fire no timers. */
  readonly worker: Worker | null;
  /** Begins to deliver and to fire timers. */
  start(): Promise<void>;
  /** Does what is due now; resolves when nothing is queued or under way. */
  quiet(): Promise<void>;
  /** No new tries and timers are taken up; resolves when those under way have ended, or after `graceSeconds`. */
  stopTaking(graceSeconds: number): Promise<void>;
  /** Once no request is under way any more: what the engine still has to do. */
  finish(): Promise<void>;
  /** Gives back what is claimed and tells the others. */
  leave(): Promise<void>;
};

/** @throws when the store cannot be reached */
export async function compose(parts: NodeParts): Promise<Node> {
  const { store, clock, time, ids, node, settings } = parts;
  const log = parts.log.with({ node: node.name });
  const membership = await joinNodes({ store, node, time, log: log.with({ component: 'nodes' }) });
  const trees = makeTrees((hash) => store.definitions.text(hash));
  const made = makeEngine({
    store,
    definitions: trees,
    ...(parts.named === undefined ? {} : { named: parts.named }),
    step,
    clock,
    time,
    ids,
    limits: parts.limits,
    ...(parts.meter === undefined ? {} : { meter: parts.meter }),
    ...(parts.attributed === undefined ? {} : { attributed: parts.attributed }),
    tracing: parts.tracing ?? null,
    ...(parts.participants === undefined ? {} : { participants: parts.participants }),
    ...(parts.subscriptions === undefined
      ? {}
      : { subscribers: { of: parts.subscriptions.of, baseUrl: settings.baseUrl } }),
    log: log.with({ component: 'engine' }),
    nodes: membership.living,
    settings: { nodeId: node.id, nodeName: node.name, leaseSeconds: node.leaseSeconds, schedule: settings.schedule },
  });
  const engine = parts.wrap?.(made) ?? made;
  const inUse = makeInUse({ store, time });
  const receiver = makeReceiver({
    untilUsed: inUse.of('events'),
    store,
    engine,
    clock,
    time,
    ids,
    log: log.with({ component: 'signals' }),
    settings: settings.events ?? EVENT_SETTINGS,
  });
  const worker =
    node.role === 'api'
      ? null
      : makeWorker({
          store,
          engine,
          untilUsed: inUse.of('deliveries'),
          missed: receiver.wake,
          before: receiver.before,
          post: parts.post,
          ...(parts.meter === undefined ? {} : { meter: parts.meter }),
          tracing: parts.tracing ?? null,
          deliveredText,
          signersOf: parts.signersOf ?? (() => []),
          proceedToken: parts.proceedToken ?? (() => null),
          ...(parts.participants === undefined ? {} : { participants: parts.participants }),
          ...(parts.subscriptions === undefined ? {} : { subscriptions: parts.subscriptions }),
          schedule: settings.schedule,
          clock,
          time,
          ids,
          log: log.with({ component: 'worker' }),
          share: membership.share,
          settings: {
            nodeId: node.id,
            baseUrl: settings.baseUrl,
            userAgent: settings.userAgent,
            callbackTimeoutSeconds: settings.callbackTimeoutSeconds,
            leaseSeconds: node.leaseSeconds,
            triesMax: settings.triesMax,
            triesPerHostMax: settings.triesPerHostMax,
            ...(settings.breaker === undefined ? {} : { breaker: settings.breaker }),
            ...(settings.hosts === undefined ? {} : { hosts: settings.hosts }),
          },
        });
  return {
    engine,
    trees,
    membership,
    worker,
    receiver,
    inUse,
    start: async () => {
      await worker?.start();
      if (worker !== null) receiver.start();
    },
    quiet: async () => {
      await (worker ?? engine).quiet();
      // What was given back may have set something off.
      if (await receiver.quiet()) await (worker ?? engine).quiet();
    },
    stopTaking: async (graceSeconds) => {
      inUse.stop();
      await receiver.stop();
      await worker?.stop(graceSeconds);
    },
    finish: () => engine.stop(),
    leave: async () => {
      await store.releaseClaims(node.id);
      await membership.leave();
    },
  };
}
