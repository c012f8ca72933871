import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readKinds } from '../../src/events/kinds.ts';
import { AFTERWARDS_MS, type EventsOfWorkflows, makeEventsOfWorkflows } from '../../src/events/of-workflow.ts';
import { HEARTBEAT_MS } from '../../src/events/reading.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { type EngineParts, engineOn, launch } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

/* The readers of one workflow, with time that the test moves. */

let store: Store;
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 120_000);
afterAll(() => store.close(), 60_000);

type World = EngineParts & {
  readonly events: EventsOfWorkflows;
  /** How often the store was asked, by what for. */
  readonly asked: { history: number; standings: number };
};
function world(): World {
  const parts = engineOn(store);
  const asked = { history: 0, standings: 0 };
  const read: Pick<Store['read'], 'history' | 'standings'> = {
    history: (...given) => {
      asked.history += 1;
      return store.read.history(...given);
    },
    standings: (...given) => {
      asked.standings += 1;
      return store.read.standings(...given);
    },
  };
  return {
    ...parts,
    asked,
    events: makeEventsOfWorkflows({ store: { read }, ...parts, log: silentLog, pollSeconds: 1 }),
  };
}

/** A reader that keeps what it is sent; `wrote` resolves with the next text that holds `part`. */
async function follow({ events }: World, workflow: WorkflowId, after = 0, kinds: string | null = null) {
  const row = await store.read.workflow(DEFAULT_TENANT, workflow);
  if (row === null) throw new Error('There is no such workflow');
  const wants = readKinds(kinds);
  if (typeof wants !== 'function') throw new Error(wants.complaint);
  const written: string[] = [];
  const waiting: { readonly part: string; readonly found: () => void }[] = [];
  const ending = new AbortController();
  const ended = events.follow(
    { tenant: DEFAULT_TENANT, workflow, after, wants, standing: row },
    {
      write: async (text) => {
        written.push(text);
        for (const one of [...waiting])
          if (text.includes(one.part)) {
            waiting.splice(waiting.indexOf(one), 1);
            one.found();
          }
      },
    },
    ending.signal,
  );
  return {
    written,
    ended,
    wrote: (part: string) =>
      written.some((text) => text.includes(part))
        ? Promise.resolve()
        : new Promise<void>((found) => waiting.push({ part, found })),
    leave: () => ending.abort(),
  };
}
const kill = (parts: EngineParts, workflow: WorkflowId) =>
  parts.engine.advance([{ workflow, origin: SERVER, event: { kind: 'kill' } }]);

describe('readers of one workflow', () => {
  test('that stand at the same place share their reads', async () => {
    const here = world();
    const id = await launch(here, 'define\n  alpha\n');
    const readers = await Promise.all(Array.from({ length: 20 }, () => follow(here, id)));
    await Promise.all(readers.map((reader) => reader.wrote('event: live')));
    expect(here.events.figures()).toMatchObject({ workflows: 1, readers: 20 });
    const before = here.asked.history;
    await kill(here, id);
    await Promise.all(readers.map((reader) => reader.wrote('event: workflow.killed')));
    expect(here.asked.history).toBe(before + 1);
    expect(here.asked.standings).toBe(0);
    for (const reader of readers) reader.leave();
    await Promise.all(readers.map((reader) => reader.ended));
    expect(here.events.figures()).toMatchObject({ workflows: 0, readers: 0 });
    expect(here.time.next()).toBeNull();
  });

  test('hear of what another node does at the next look', async () => {
    const [here, there] = [world(), world()];
    const id = await launch(there, 'define\n  alpha\n');
    const reader = await follow(here, id);
    await reader.wrote('event: live');
    await kill(there, id);
    here.time.pass(1_000);
    await reader.wrote('event: workflow.killed');
    reader.leave();
    await reader.ended;
  });

  test('stay for a while when it is over, and then leave', async () => {
    const here = world();
    const id = await launch(here, 'define\n  noop\n');
    const reader = await follow(here, id);
    await reader.wrote('event: live');
    await new Promise((resolve) => setImmediate(resolve));
    here.time.pass(AFTERWARDS_MS - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(here.events.figures().readers).toBe(1);
    here.time.pass(1);
    await reader.ended;
  });

  test('get a sign of life with their place when nothing comes for them', async () => {
    const here = world();
    const id = await launch(here, 'define\n  alpha\n');
    const reader = await follow(here, id, 0, 'workflow.*');
    await reader.wrote('event: live');
    await here.engine.advance([{ workflow: id, origin: SERVER, event: { kind: 'pause' } }]);
    await reader.wrote('event: workflow.paused');
    const row = await store.read.workflow(DEFAULT_TENANT, id);
    await new Promise((resolve) => setImmediate(resolve));
    here.time.pass(HEARTBEAT_MS);
    await reader.wrote(`id: ${row?.lastN}\n\n`);
    reader.leave();
    await reader.ended;
  });

  test('are told to leave when it was thrown away', async () => {
    const here = world();
    const id = await launch(here, 'define\n  noop\n');
    const reader = await follow(here, id);
    await reader.wrote('event: live');
    const { endedAt } = (await store.read.workflow(DEFAULT_TENANT, id)) ?? { endedAt: null };
    await store.retire({ endedBefore: (endedAt ?? 0) + 1, now: endedAt ?? 0, limit: 100 });
    here.time.pass(1_000);
    await reader.ended;
  });
});
