import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Running } from '../../src/server/start.ts';
import { type Database, freshDatabase, hasPostgres } from '../support/postgres.ts';
import { startServer } from '../support/server.ts';

/* What nodes ask of the database that have nothing to do, counted while their clocks are moved: bench/idle-nodes.ts without the waiting. */

const NODES = 10;
/** Statements a second of all of them together. */
const GOAL = 3;
/** Nodes that start know of each other, and what may have come late was read once more. */
const SETTLE_MS = 130_000;
const IDLE_MS = 120_000;
const STEP_MS = 250;
/** So often the event loop goes round without a statement under way: nobody has anything left to do at this moment. */
const ROUNDS_QUIET = 5;

describe.runIf(hasPostgres())('nodes that have nothing to do', () => {
  let database: Database;
  let nodes: Running[] = [];
  let sent: string[] = [];
  let underWay = 0;
  const { query } = pg.Client.prototype;

  beforeEach(async () => {
    database = await freshDatabase();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
    Reflect.set(pg.Client.prototype, 'query', function (this: pg.Client, ...given: readonly unknown[]) {
      const [first] = given;
      sent.push(typeof first === 'string' ? first : String(Reflect.get(Object(first), 'name')));
      const answer: unknown = Reflect.apply(query, this, given);
      if (!(answer instanceof Promise)) return answer;
      underWay += 1;
      return answer.finally(() => {
        underWay -= 1;
      });
    });
  });
  afterEach(async () => {
    const stopped = Promise.all(nodes.map((node) => node.stop()));
    await whileTimePasses(stopped);
    vi.useRealTimers();
    Reflect.set(pg.Client.prototype, 'query', query);
    nodes = [];
    await database.drop();
  });

  async function rested(): Promise<void> {
    for (let quiet = 0; quiet < ROUNDS_QUIET; quiet = underWay === 0 ? quiet + 1 : 0)
      await new Promise((resolve) => setImmediate(resolve));
  }
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      vi.advanceTimersByTime(STEP_MS);
      await rested();
    }
  }
  async function whileTimePasses<Value>(work: Promise<Value>): Promise<Value> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      vi.advanceTimersByTime(1);
      await rested();
    }
    return over;
  }

  test(`ten of them send ${GOAL} statements a second at most`, async () => {
    for (let n = 0; n < NODES; n++)
      nodes.push(
        await whileTimePasses(startServer({ DATABASE_URL: database.url, CONNECTIONS_MAX: '4', NODE_NAME: `n${n}` })),
      );
    await pass(SETTLE_MS);
    sent = [];
    await pass(IDLE_MS);
    const counts = new Map<string, number>();
    for (const name of sent) counts.set(name, (counts.get(name) ?? 0) + 1);
    const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 8);
    expect(sent.length / (IDLE_MS / 1000), JSON.stringify(most)).toBeLessThanOrEqual(GOAL);
    // They are alive, and look.
    expect(counts.get('change_mark')).toBeGreaterThanOrEqual(NODES * 10);
  });
});
