import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { makeApp } from '../api/app.ts';
import { makeEngine } from '../engine/make-engine.ts';
import { deliveredText } from '../interpreter/state/fields.ts';
import { step } from '../interpreter/step.ts';
import { LIMITS } from '../model/stimulus.ts';
import { makePost, type Post } from '../outbox/post.ts';
import { type TargetPolicy, targetComplaint } from '../outbox/targets.ts';
import type { Clock } from '../runtime/clock.ts';
import { randomIds } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { realTime } from '../runtime/process-time.ts';
import { makeTestClock } from '../runtime/test-clock.ts';
import { openStore } from '../store/open.ts';
import type { NodeBeat, Store } from '../store/store.ts';
import { keepHouse } from '../worker/house-keeping.ts';
import { joinNodes } from '../worker/nodes.ts';
import { makeWorker } from '../worker/worker.ts';
import type { Config } from './config.ts';
import { makeDatabaseClock } from './database-clock.ts';
import { definitions } from './definitions.ts';
import { version } from './version.ts';

/** The parts of a running server, put together. Stopping goes in this order: `endStreams`, `stopTaking`, `finish`, `close`. */
export type Built = {
  readonly handle: RequestListener;
  readonly profile: Store['profile'];
  /** Ends answers that go on by themselves; nobody would wait for those. */
  endStreams(): void;
  /** No new tries and timers are taken up; resolves when those under way have ended. */
  stopTaking(): Promise<void>;
  /** Once no request is under way any more: what the engine still has to do. */
  finish(): Promise<void>;
  /** Gives back what is claimed and closes the store. */
  close(): Promise<void>;
};

/** For tests that stand in the way of single calls: each is handed a part as it was made, what it answers is built in instead. */
export type Between = {
  readonly store?: (store: Store) => Store;
  readonly post?: (post: Post) => Post;
};

type Around = {
  readonly log: Log;
  readonly baseUrl: string;
  readonly isStopping: () => boolean;
  readonly between?: Between;
};

export const openConfigured = (config: Config, log: Log): Promise<Store> =>
  openStore({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    prepared: config.databasePrepared,
    profile: config.databaseProfile,
    connectionsMax: config.connectionsMax,
    log: (message, err) => log.warn(message, { event: 'database.trouble', err }),
  });

/** The parts list. @throws when the store cannot be opened; nothing is left open then */
export async function build(config: Config, around: Around): Promise<Built> {
  const { log, between } = around;
  const opened = await openConfigured(config, log);
  const store = between?.store?.(opened) ?? opened;
  try {
    return await buildOn(store, config, around);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function buildOn(store: Store, config: Config, { log, baseUrl, isStopping, between }: Around): Promise<Built> {
  const time = realTime;
  const ids = randomIds();
  const nodeId = randomUUID();
  const { leaseSeconds, role } = config;
  const policy: TargetPolicy = { allowPrivate: config.allowPrivateTargets };
  const node: NodeBeat = { id: nodeId, role, url: baseUrl, version, leaseSeconds };

  // Business time: the database's, and in tests moved from there.
  const base = await makeDatabaseClock({ store, time, log });
  const membership = await joinNodes({ store, node, time, log });
  const testClock = config.testClock
    ? makeTestClock({
        base,
        time,
        readSetting: store.settings.read,
        writeSetting: store.settings.write,
        nextDueAt: () => store.nextDueAt(null),
        quiet: () => (worker ?? engine).quiet(),
        hasOtherLiveNode: membership.hasOtherLiveNode,
      })
    : null;
  await testClock?.restore();
  const clock: Clock = testClock ?? base;

  const engine = makeEngine({
    store,
    step,
    clock,
    time,
    ids,
    limits: LIMITS,
    log,
    settings: {
      nodeId,
      leaseSeconds,
      schedule: { active: config.retryDelaysSeconds, notice: config.noticeDelaysSeconds },
    },
  });
  const post = makePost({ policy, socketsPerHostMax: config.triesPerHostMax });
  // Nodes that only answer requests deliver nothing and fire no timers.
  const worker =
    role === 'api'
      ? null
      : makeWorker({
          store,
          engine,
          post: between?.post?.(post) ?? post,
          deliveredText,
          clock,
          time,
          ids,
          log,
          share: membership.share,
          settings: {
            nodeId,
            baseUrl: () => baseUrl,
            userAgent: `rota/${version}`,
            callbackTimeoutSeconds: config.callbackTimeoutSeconds,
            leaseSeconds,
            triesMax: config.triesMax,
            triesPerHostMax: config.triesPerHostMax,
          },
        });
  await worker?.start();
  const houseKeeping = keepHouse({ store, clock, time, log, retainEndedDays: config.retainEndedDays });
  const app = makeApp({
    store,
    engine,
    clock,
    ids,
    log,
    nodeId,
    role,
    definitions,
    targetComplaint: (url) => targetComplaint(url, policy),
    nodes: membership.nodes,
    testClock,
    isStopping,
  });

  return {
    handle: app.handle,
    endStreams: app.endStreams,
    profile: store.profile,
    stopTaking: async () => {
      await Promise.all([houseKeeping.stop(), worker?.stop(config.stopSeconds)]);
    },
    finish: () => engine.stop(),
    close: async () => {
      base.stop();
      await store.releaseClaims(nodeId);
      await membership.leave();
      await store.close();
    },
  };
}
