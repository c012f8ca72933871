import { seededIds } from '../../src/runtime/ids.ts';
import { type ChildServer, makeChildServers } from '../support/child-server.ts';
import { startCluster } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { pause, until } from '../support/until.ts';

/*
 * Events on three nodes of one Postgres, of which some are killed all the time: each waiting workflow is resumed once, each trigger fires once, and
 * what came before somebody waited is not lost. Every request is sent again, with the same ids, until it is answered.
 */

const NODES = 3;
const AT_ONCE = 20;
const SENDERS = 4;
const BETWEEN_KILLS_MS = 700;
const OVER_MS_MAX = 300_000;

export type EventsChaos = {
  readonly events: number;
  readonly kills: number;
  readonly seconds: number;
  readonly violations: readonly string[];
};

/** @returns why there is none, when this machine has no Postgres */
export async function eventsChaos(
  seed: number,
  events: number,
  say: (line: string) => void,
): Promise<EventsChaos | string> {
  const cluster = await startCluster();
  if (typeof cluster === 'string') return cluster;
  const servers = makeChildServers();
  try {
    return await on(cluster.url, servers.start, seed, events, say);
  } finally {
    await servers.close();
    await cluster.stop();
  }
}

type Event = { readonly id: string; readonly type: string; readonly subject?: string };
type Shown = { readonly id: string; readonly status: string; readonly fields: Record<string, unknown> };

async function on(
  database: string,
  startServer: (settings: Record<string, string>) => Promise<ChildServer>,
  seed: number,
  count: number,
  say: (line: string) => void,
): Promise<EventsChaos> {
  const began = performance.now();
  const ids = seededIds(seed);
  const ports = await Promise.all(Array.from({ length: NODES }, freePort));
  const settings = { DATABASE_URL: database, LEASE_SECONDS: '11', CALLBACK_TIMEOUT: '1', EVENTS_KEEP_SECONDS: '3600' };
  const start = (node: number): Promise<ChildServer> => startServer({ ...settings, PORT: String(ports[node]) });
  const nodes = await Promise.all(ports.map((_, node) => start(node)));
  let asked = 0;
  let kills = 0;
  let isSending = true;

  /** Asks one node after the other until one answers. */
  async function ask<Result>(method: string, path: string, body?: unknown, headers: object = {}): Promise<Result> {
    for (;;) {
      const url = `http://127.0.0.1:${ports[asked++ % NODES]}${path}`;
      try {
        const response = await fetch(url, {
          method,
          headers: { 'Content-Type': 'application/json', ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(20_000),
        });
        if (response.ok) return (await response.json()) as Result;
        const text = await response.text();
        if (response.status < 500 && response.status !== 409) throw new Refused(`${method} ${path}: ${text}`);
      } catch (error) {
        if (error instanceof Refused) throw error;
      }
      await pause(20);
    }
  }
  const inParallel = async <Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> => {
    let next = 0;
    await Promise.all(
      Array.from({ length: SENDERS }, async () => {
        for (let item = items[next++]; item !== undefined; item = items[next++]) await act(item);
      }),
    );
  };
  const launchWaiter = (k: string): Promise<unknown> =>
    ask('POST', '/v1/definitions/waiter/run', { fields: { k } }, { 'Idempotency-Key': `waiter-${k}` });

  await ask('PUT', '/v1/definitions/waiter', {
    definition: "define waiter\n  await event: 'paid', key: '${f:k}'\n",
  });
  await ask('PUT', '/v1/definitions/made', { definition: 'define made\n', triggers: [{ type: 'order.made' }] });
  const [waiting, later, starting] = [Math.floor(count / 2), Math.floor(count / 4), Math.floor(count / 4)];
  const early = Array.from({ length: waiting }, (_, i) => `w${i}`);
  const late = Array.from({ length: later }, (_, i) => `b${i}`);
  await inParallel(early, launchWaiter);
  say(`${early.length} wait, after ${Math.round((performance.now() - began) / 1000)} s`);

  const all: Event[] = [
    ...[...early, ...late].map((k) => ({ id: `paid-${k}`, type: 'paid', subject: k })),
    ...Array.from({ length: starting }, (_, i) => ({ id: `made-${i}`, type: 'order.made' })),
  ]
    .map((event) => ({ event, at: ids.fraction() }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event);
  const batches = Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, i) =>
    all.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
  const killing = (async () => {
    while (isSending) {
      await pause(BETWEEN_KILLS_MS * (0.5 + ids.fraction()));
      const node = Math.floor(ids.fraction() * NODES);
      nodes[node]?.signal('SIGKILL');
      await nodes[node]?.ended;
      kills += 1;
      nodes[node] = await start(node);
    }
  })();
  const sendingSince = performance.now();
  await Promise.all([
    inParallel(batches, (batch) =>
      ask(
        'POST',
        '/v1/events',
        batch.map((event) => ({ specversion: '1.0', source: 'chaos', ...event })),
        { 'Content-Type': 'application/cloudevents-batch+json' },
      ),
    ),
    inParallel(late, launchWaiter),
  ]);
  isSending = false;
  await killing;
  say(`${all.length} events sent in ${Math.round((performance.now() - sendingSince) / 1000)} s, ${kills} kills`);

  const countOf = async (query: string): Promise<number> => {
    const { count: n, at_least: least } = await ask<{ count?: number; at_least?: number }>(
      'GET',
      `/v1/workflows/count?${query}`,
    );
    return n ?? least ?? 0;
  };
  const violations: string[] = [];
  await until(
    'everything is over',
    async () =>
      (await countOf('name=waiter&status=running')) === 0 &&
      (await countOf('name=made')) >= starting &&
      (await countOf('name=made&status=running')) === 0,
    OVER_MS_MAX,
  ).catch((error: unknown) => violations.push(String(error)));
  await pause(500);

  const seen = { waiter: new Map<string, number>(), made: new Map<string, number>() };
  for (const name of ['waiter', 'made'] as const)
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { workflows: { id: string; status: string }[]; next_cursor: string | null } = await ask(
        'GET',
        `/v1/workflows?name=${name}&limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      await inParallel(page.workflows, async ({ id }) => {
        const { status, fields } = await ask<Shown>('GET', `/v1/workflows/${id}`);
        const event = fields['event'] as Event | undefined;
        const key = event?.id ?? `nothing, ${status}`;
        seen[name].set(key, (seen[name].get(key) ?? 0) + 1);
        if (name === 'waiter' && event?.subject !== fields['k'])
          violations.push(`${id} waits for ${fields['k']} and got ${key}`);
      });
      cursor = page.next_cursor;
    }
  for (const { id, type } of all) {
    const times = (type === 'paid' ? seen.waiter : seen.made).get(id) ?? 0;
    if (times !== 1) violations.push(`${id} came ${times} times`);
  }
  for (const [name, most] of [
    ['waiter', early.length + late.length],
    ['made', starting],
  ] as const) {
    const found = [...seen[name].values()].reduce((sum, n) => sum + n, 0);
    if (found !== most) violations.push(`there are ${found} of ${name}, not ${most}`);
  }
  return { events: all.length, kills, seconds: Math.round((performance.now() - began) / 1000), violations };
}

class Refused extends Error {}
