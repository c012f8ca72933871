import type { Parts } from '../../src/api/parts.ts';
import { makeSealing } from '../../src/identity/sealing.ts';
import { makeDefinitionRegistry } from '../../src/registry/definitions.ts';
import { makeMemory } from '../../src/registry/memory.ts';
import { makeOwnParticipants } from '../../src/registry/own-participants.ts';
import { makeParticipants } from '../../src/registry/participants.ts';
import { makeRoutes } from '../../src/registry/routes.ts';
import { makeSubscriptions } from '../../src/registry/subscriptions.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { realTime } from '../../src/runtime/process-time.ts';
import type { Store } from '../../src/store/store.ts';

/** What lies in the memory of a node, for tests that put the parts of the API together. */
export async function registryOn(store: Store, nodeId: string): Promise<Parts['registry']> {
  const definitions = makeDefinitionRegistry(store);
  const participants = makeParticipants({ store, sealing: makeSealing([]), log: silentLog });
  const subscriptions = makeSubscriptions({ store, sealing: makeSealing([]), log: silentLog });
  const around = { nodeId, time: realTime, ids: randomIds(), log: silentLog };
  return {
    definitions,
    routes: makeRoutes(definitions),
    participants,
    own: makeOwnParticipants({ definitions, sealing: makeSealing([]), log: silentLog }),
    subscriptions,
    memory: await makeMemory({ store, kept: [definitions, participants, subscriptions], ...around }),
  };
}
