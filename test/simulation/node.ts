import type { Engine } from '../../src/engine/engine.ts';
import { makeEngine } from '../../src/engine/make-engine.ts';
import { deliveredText } from '../../src/interpreter/state/fields.ts';
import { step } from '../../src/interpreter/step.ts';
import type { Limits } from '../../src/model/stimulus.ts';
import type { Post } from '../../src/outbox/post.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Ids } from '../../src/runtime/ids.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { ProcessTime } from '../../src/runtime/process-time.ts';
import type { Store } from '../../src/store/store.ts';
import { joinNodes } from '../../src/worker/nodes.ts';
import { makeWorker } from '../../src/worker/worker.ts';

/* One server process, from the real parts, put together and stopped as the server does it (src/server/build.ts). */

export const LEASE_SECONDS = 30;
export const CALLBACK_TIMEOUT_SECONDS = 15;
/** Short, so that a run sees all tries of a message. */
export const SCHEDULE = { active: [1, 3, 9], notice: [1, 4] } as const;

export type Process = {
  advance: Engine['advance'];
  /** Stops in order, as on SIGTERM. */
  stop(): Promise<void>;
  readonly figures: Engine['figures'];
};

/** @throws when the store cannot be reached */
export async function startProcess(parts: {
  readonly id: string;
  readonly role: 'all' | 'api';
  readonly store: Store;
  readonly post: Post;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly ids: Ids;
  readonly log: Log;
  readonly limits: Limits;
  /** Few, so that messages wait for each other. */
  readonly triesPerHost: number;
  /** Lets a planted bug wrap the engine before the worker gets to see it. */
  readonly wrap: (engine: Engine) => Engine;
}): Promise<Process> {
  const { id, role, store, clock, time, ids, log } = parts;
  const node = { id, role, url: `http://${id}`, version: '1', leaseSeconds: LEASE_SECONDS };
  const membership = await joinNodes({ store, node, time, log });
  const engine = parts.wrap(
    makeEngine({
      store,
      step,
      clock,
      time,
      ids,
      limits: parts.limits,
      log,
      settings: { nodeId: id, leaseSeconds: LEASE_SECONDS, schedule: SCHEDULE },
    }),
  );
  const worker =
    role === 'api'
      ? null
      : makeWorker({
          store,
          engine,
          post: parts.post,
          deliveredText,
          clock,
          time,
          ids,
          log,
          share: membership.share,
          settings: {
            nodeId: id,
            baseUrl: () => 'http://rota.test',
            userAgent: 'rota',
            callbackTimeoutSeconds: CALLBACK_TIMEOUT_SECONDS,
            leaseSeconds: LEASE_SECONDS,
            triesMax: 5,
            triesPerHostMax: parts.triesPerHost,
          },
        });
  await worker?.start();
  return {
    advance: (stimuli) => engine.advance(stimuli),
    figures: engine.figures,
    stop: async () => {
      await worker?.stop(CALLBACK_TIMEOUT_SECONDS);
      await engine.stop();
      await store.releaseClaims(id);
      await membership.leave();
    },
  };
}
