import { beforeEach, expect, test } from 'vitest';
import type { WorkitemRow } from '../../src/model/rows.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { type LineDetails, type Log, silentLog } from '../../src/runtime/log.ts';
import type { Store } from '../../src/store/store.ts';
import { makeDatabase } from '../simulation/database.ts';
import { openSimulated, perfectLink } from '../simulation/store.ts';
import { engineOn, launch, START, workitemOf } from '../support/engine-parts.ts';
import { SERVER } from '../support/origin.ts';

/* One line in the log for each try that failed, each schedule that is spent, each workflow in error. */

let store: Store;
let lines: LineDetails[];
const take = (_: string, details: LineDetails): void => void lines.push(details);
const log: Log = { ...silentLog, info: take, warn: take };

beforeEach(() => {
  lines = [];
  store = openSimulated(makeDatabase(Date.now), { link: perfectLink, ids: randomIds() });
});

const URL = 'http://secret.test:8080/path/of/it?key=value';

test('a try that failed is told when it is written, and so are the last one and the error that comes of it, without the path', async () => {
  const parts = engineOn(store, { log });
  const { engine } = parts;
  const workflow = await launch(parts, 'define\n  alpha\n', {
    callback: URL,
    fields: { hidden: 'a value' },
    retry: { delays: [7] },
  });
  const fail = async (row: WorkitemRow): Promise<void> => {
    const [message] = await store.claimDue({ now: row.dueAt ?? 0, owner: 'me', limit: 1, leaseSeconds: 30 });
    engine.outcome({
      workflow,
      workitem: row.id,
      claim: message?.claim ?? '',
      send: 'active',
      number: row.tries + 1,
      startedAt: START,
      endedAt: START,
      result: { kind: 'refused', status: 503, retryAfterSeconds: null },
    });
    await engine.quiet();
  };
  await fail(await workitemOf(store, workflow, 'alpha'));
  const about = { workflow_id: workflow, participant: 'alpha', host: 'secret.test:8080', status: 503, send: 'active' };
  const first = { event: 'try.failed', ...about, try: 1, next_at: new Date(START + 7_000).toISOString() };
  expect(lines).toEqual([expect.objectContaining(first)]);
  lines = [];
  await fail(await workitemOf(store, workflow, 'alpha'));
  expect(lines).toEqual([
    expect.objectContaining({ event: 'try.failed', ...about, try: 2, next_at: null }),
    expect.objectContaining({ event: 'tries.spent', ...about, try: 2 }),
    expect.objectContaining({
      event: 'workflow.error',
      workflow_id: workflow,
      participant: 'alpha',
      reason: 'RetriesExceeded',
    }),
  ]);
  expect((await store.read.workflow(DEFAULT_TENANT, workflow))?.status).toBe('error');
  expect(JSON.stringify(lines)).not.toMatch(/path|key=value|a value/);
});

test('what a participant says when it asks for another try is not told', async () => {
  const parts = engineOn(store, { log });
  const { engine } = parts;
  const workflow = await launch(parts, 'define\n  alpha\n', { callback: URL });
  const row = await workitemOf(store, workflow, 'alpha');
  const event = {
    kind: 'refuse',
    workitem: row.id,
    class: 'Busy',
    message: 'my words',
  } as const;
  await engine.advance([{ workflow, origin: SERVER, event }]);
  expect(lines).toEqual([
    expect.objectContaining({ event: 'try.failed', try: 1, reason: 'its participant asked for another try' }),
  ]);
  expect(JSON.stringify(lines)).not.toContain('my words');
});
