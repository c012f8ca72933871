import { expect, test } from 'vitest';
import { DIGEST_MS, makeEventsOfAll } from '../../src/events/of-all.ts';
import { HEARTBEAT_MS } from '../../src/events/reading.ts';
import { packHistory } from '../../src/model/history.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { seededIds } from '../../src/runtime/ids.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import type { Recorded } from '../../src/store/store.ts';

const workflow = '20151005-1247-kogadeso-gekunute' as WorkflowId;

test('who wants counts is woken by what happens: never while nothing does, and at most once a second while much does', async () => {
  const time = manualTime();
  const rows: Recorded[] = [];
  let wake = (): void => {};
  const events = makeEventsOfAll({
    recorded: {
      edge: async () => ({ upTo: rows.length + 1, hasLater: false }),
      rows: async (from, upTo) => rows.filter(({ position }) => position >= from && position < upTo),
      holder: async () => null,
    },
    retired: async () => 0,
    engine: {
      watch: (_, see) => {
        wake = () => see([]);
        return () => {};
      },
    },
    time,
    ids: seededIds(1),
    log: silentLog,
    // Nobody polls in the time of this test.
    pollSeconds: 86_400,
    ringBytes: 1_000_000,
  });
  const happen = (): void => {
    const n = rows.length + 1;
    const entries = packHistory([{ kind: 'workflow.paused' }], workflow);
    rows.push({ position: n, tenant: DEFAULT_TENANT, workflow, row: { firstN: n, lastN: n, at: 0, entries } });
    wake();
  };

  let written = '';
  const sleeps = async (ms: number): Promise<void> => until(() => time.next() === time.now() + ms);
  const ended = new AbortController();
  const following = events.follow(
    { tenant: DEFAULT_TENANT, after: null, workflows: new Set(), wants: () => true, digest: true },
    {
      write: async (text) => {
        written += text;
      },
    },
    ended.signal,
  );
  await sleeps(HEARTBEAT_MS);
  expect(written).toContain('event: live');

  // The first of a second waits for the others of it, and they are told together.
  time.pass(DIGEST_MS / 2);
  happen();
  await sleeps(DIGEST_MS / 2);
  const { ringBytes } = events.figures();
  happen();
  await until(() => events.figures().ringBytes > ringBytes);
  time.pass(DIGEST_MS / 2);
  await until(() => written.includes('event: digest'));
  expect(written).toContain('{"kinds":{"workflow.paused":2}}');

  // Nothing happens: the next to wake is the sign of life.
  await sleeps(HEARTBEAT_MS);
  time.pass(HEARTBEAT_MS - 1);
  written = '';
  happen();
  await until(() => written.includes('{"kinds":{"workflow.paused":1}}'));
  await sleeps(HEARTBEAT_MS);

  ended.abort();
  await following;
  await events.stop();
});

/** Lets promises go on until something is so. */
async function until(look: () => boolean): Promise<void> {
  for (let turns = 0; turns < TURNS_MAX && !look(); turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(look()).toBe(true);
}
const TURNS_MAX = 1_000;
