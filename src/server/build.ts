import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { makeApp } from '../api/app.ts';
import { targetComplaint } from '../dispatcher/targets.ts';
import { makeEngine } from '../engine/make-engine.ts';
import { deliveredFields } from '../interpreter/fields.ts';
import { step } from '../interpreter/step.ts';
import { LIMITS } from '../model/stimulus.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { randomIds } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { realTime } from '../runtime/process-time.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { Config } from './config.ts';
import { definitions } from './definitions.ts';
import { keepHouse } from './house-keeping.ts';
import { joinNodes } from './nodes.ts';
import { version } from './version.ts';

/** The parts of a running server, put together. Stopping goes in this order: `stopTaking`, `finish`, `close`. */
export type Built = {
  readonly handle: RequestListener;
  readonly profile: Store['profile'];
  /** No new tries and timers are taken up; resolves when those under way have ended. */
  stopTaking(): Promise<void>;
  /** Once no request is under way any more: what the engine still has to do. */
  finish(): Promise<void>;
  /** Gives back what is claimed and closes the store. */
  close(): Promise<void>;
};

export const openConfigured = (config: Config, log: Log): Promise<Store> =>
  openStore({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    prepared: config.databasePrepared,
    connectionsMax: config.connectionsMax,
    log: (message, err) => log.warn(message, { err }),
  });

/** The parts list. @throws when the store cannot be opened; nothing is left open then */
export async function build(
  config: Config,
  around: { readonly log: Log; readonly baseUrl: string; readonly isStopping: () => boolean },
): Promise<Built> {
  const { log } = around;
  const store = await openConfigured(config, log);
  try {
    return await buildOn(store, config, around);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function buildOn(
  store: Store,
  config: Config,
  { log, baseUrl, isStopping }: Parameters<typeof build>[1],
): Promise<Built> {
  const time = realTime;
  const ids = randomIds();
  const nodeId = randomUUID();
  const clock: Clock = systemClock;

  const membership = await joinNodes({
    store,
    node: { id: nodeId, role: config.role, url: baseUrl, version, leaseSeconds: config.leaseSeconds },
    time,
    log,
  });
  const engine = makeEngine({
    store,
    step,
    deliveredFields,
    clock,
    time,
    ids,
    limits: LIMITS,
    log,
    settings: {
      nodeId,
      leaseSeconds: config.leaseSeconds,
      schedule: { active: config.retryDelaysSeconds, notice: config.noticeDelaysSeconds },
    },
  });
  const houseKeeping = keepHouse({ store, clock, time, log, retainEndedDays: config.retainEndedDays });
  const app = makeApp({
    store,
    engine,
    clock,
    ids,
    log,
    version,
    nodeId,
    definitions,
    targetComplaint: (url) => targetComplaint(url, { allowPrivate: config.allowPrivateTargets }),
    nodes: membership.nodes,
    testClock: null,
    isStopping,
  });

  return {
    handle: app.callback(),
    profile: store.profile,
    stopTaking: async () => {
      await houseKeeping.stop();
    },
    finish: () => engine.stop(),
    close: async () => {
      await store.releaseClaims(nodeId);
      await membership.leave();
      await store.close();
    },
  };
}
