import type { Engine, EngineStimulus } from '../../src/engine/engine.ts';
import { Fault } from '../../src/model/fault.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Limits } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Post } from '../../src/outbox/post.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Ids } from '../../src/runtime/ids.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { ProcessTime } from '../../src/runtime/process-time.ts';
import { compose } from '../../src/server/compose.ts';
import type { Incoming } from '../../src/signals/receiver.ts';
import type { Store } from '../../src/store/store.ts';
import { makeSchedules } from '../../src/worker/schedules.ts';

/* One server process, from the real parts, put together as the server does it (src/server/compose.ts). */

export const LEASE_SECONDS = 30;
export const CALLBACK_TIMEOUT_SECONDS = 15;
/** Short, so that a run sees all tries of a message. */
export const SCHEDULE = { active: [1, 3, 9], notice: [1, 4] } as const;

export type Process = {
  advance: Engine['advance'];
  /** Stops in order, as on SIGTERM. */
  stop(): Promise<void>;
  readonly figures: Engine['figures'];
  /** Receives an event from outside, and has stepped what it was handed to. */
  receive(event: Incoming): Promise<void>;
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
  /** What schedules launch; left out: this node looks at none. */
  readonly scheduled?: (id: WorkflowId, dueAt: number) => EngineStimulus;
}): Promise<Process> {
  const node = await compose({
    store: parts.store,
    clock: parts.clock,
    time: parts.time,
    ids: parts.ids,
    log: parts.log,
    post: parts.post,
    limits: parts.limits,
    node: {
      id: parts.id,
      name: parts.id,
      role: parts.role,
      url: `http://${parts.id}`,
      version: '1',
      leaseSeconds: LEASE_SECONDS,
    },
    settings: {
      baseUrl: () => 'http://rota.test',
      userAgent: 'rota',
      schedule: SCHEDULE,
      callbackTimeoutSeconds: CALLBACK_TIMEOUT_SECONDS,
      triesMax: 5,
      triesPerHostMax: parts.triesPerHost,
    },
    wrap: parts.wrap,
  });
  await node.start();
  const { scheduled } = parts;
  const schedules =
    scheduled === undefined
      ? null
      : makeSchedules({
          store: parts.store,
          clock: parts.clock,
          time: parts.time,
          ids: parts.ids,
          log: parts.log,
          launch: async ({ id, schedule }) => {
            const [answer] = await node.engine.advance([scheduled(id, schedule.dueAt)]);
            // Somebody else has launched it under this id.
            if (answer?.ok === false && answer.code !== 'conflict') throw new Fault(answer.code, answer.message);
            return id;
          },
          cancel: async () => {},
          untilUsed: node.inUse.of('schedules'),
        });
  schedules?.wake();
  return {
    receive: async (event) => {
      const { stepped } = await node.receiver.receive(DEFAULT_TENANT, [event]);
      await stepped;
    },
    advance: (stimuli) => node.engine.advance(stimuli),
    figures: node.engine.figures,
    stop: async () => {
      await schedules?.stop();
      await node.stopTaking(CALLBACK_TIMEOUT_SECONDS);
      await node.finish();
      await node.leave();
    },
  };
}
