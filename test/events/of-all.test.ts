import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atPosition, isBehind, type Place, placeText, readPlace } from '../../src/events/place.ts';
import { makeRing, type RingItem } from '../../src/events/ring.ts';
import { HISTORY_KINDS } from '../../src/model/history-kinds.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import type { Running } from '../../src/server/start.ts';
import { type EventReader, openEvents, type StreamEvent } from '../support/event-stream.ts';
import { postJson, send, startServer } from '../support/server.ts';

const NOWHERE = 'http://127.0.0.1:1/nobody';
const isEntry = ({ event }: StreamEvent): boolean => HISTORY_KINDS.some((kind) => kind === event);
const keyOf = ({ data }: StreamEvent): string => {
  const { workflow_id, n } = JSON.parse(data) as { workflow_id: string; n: number };
  return `${workflow_id} ${n}`;
};

describe('the events of all workflows', () => {
  let server: Running;
  beforeAll(async () => {
    // So small a ring that a reader soon falls out of it.
    server = await startServer({ EVENTS_RING_BYTES: '100000' });
  }, 120_000);
  afterAll(() => server.stop(), 60_000);
  const launch = async (workflow = 'define\n  alpha\n'): Promise<string> =>
    (await postJson(server.url, '/v1/workflows', { workflow, callback: NOWHERE })).json<{ id: string }>().id;
  const watch = (query = '', headers = {}): Promise<EventReader> =>
    openEvents(server.url, `/v1/events/stream${query}`, headers);

  test('come to all readers in one order, without gap or repeat, however often they are cut', async () => {
    const ids = [];
    for (let i = 0; i < 20; i++) ids.push(await launch());
    for (const id of ids) await postJson(server.url, `/v1/workflows/${id}/kill`, '');
    const whole = await watch('?after=0');
    const first = (await whole.upTo('live')).filter(isEntry);
    whole.cut();
    const seen: StreamEvent[] = [];
    for (let after = '0', i = 1; seen.length < first.length; i++) {
      const reader = await watch('', { 'Last-Event-ID': after });
      for (let taken = 0; taken < 7 * i; taken++) {
        const event = await reader.next();
        if (event === null || !isEntry(event)) break;
        seen.push(event);
        after = event.id;
      }
      reader.cut();
    }
    expect(seen.slice(0, first.length)).toEqual(first);
    for (const id of ids) {
      const { history } = (await send(server.url, 'GET', `/v1/workflows/${id}/history`)).json<{ history: unknown[] }>();
      const own = first.map(keyOf).filter((key) => key.startsWith(id));
      expect(own.slice(0, history.length)).toEqual(own.map((_, i) => `${id} ${i + 1}`));
    }
  }, 120_000);

  test('begin now, and come as they happen, of the workflows and kinds that are wanted', async () => {
    const [one, two] = [await launch(), await launch()];
    const reader = await watch(`?workflow_id=${one}&kinds=workflow.*`);
    expect((await reader.upTo('live')).filter(isEntry)).toEqual([]);
    await postJson(server.url, `/v1/workflows/${two}/kill`, '');
    await postJson(server.url, `/v1/workflows/${one}/kill`, '');
    const [killed] = await reader.upTo('workflow.killed');
    expect(JSON.parse(killed?.data ?? '')).toMatchObject({ workflow_id: one, kind: 'workflow.killed' });
    reader.cut();
  });

  test('are counted for who wants a digest, whatever else is wanted', async () => {
    const one = await launch();
    const reader = await watch(`?workflow_id=${one}&digest=1`);
    await reader.upTo('live');
    await launch();
    const digest = (await reader.upTo('digest')).at(-1);
    expect(JSON.parse(digest?.data ?? '')).toMatchObject({ kinds: { 'workflow.launched': 1 } });
    reader.cut();
  });

  test('say reset to who comes from a later time than this', async () => {
    const reader = await watch(`?after=${placeText(atPosition(1_000_000_000_000))}`);
    const [reset] = await reader.upTo('reset');
    expect(JSON.parse(reset?.data ?? '')).toEqual({ reason: 'restored' });
    expect((await reader.upTo('live')).map(({ event }) => event)).toEqual(['live']);
    reader.cut();
  });

  test.each([
    '?after=1',
    '?after=%20',
    '?digest=2',
    '?kinds=none',
    `?workflow_id=${Array.from({ length: 101 }, () => 'a').join(',')}`,
    '?workflow_id=a%20b',
  ])('with %s are refused', async (query) => {
    const answer = await send(server.url, 'GET', `/v1/events/stream${query}`);
    expect(answer.json()).toMatchObject({ status: 400, code: 'query_invalid' });
  });
});

describe('a place', () => {
  const w = (id: string): WorkflowId => id as WorkflowId;
  const places: readonly Place[] = [
    atPosition(7),
    { position: 7, workflow: w('a'), n: 1 },
    { position: 7, workflow: w('a'), n: 2 },
    atPosition(8),
  ];
  test('is read as it was written', () => {
    for (const place of places) expect(readPlace(placeText(place))).toEqual(place);
    expect(readPlace('0')).toEqual(atPosition(0));
    for (const text of ['', 'x', '1', 'a b', 'x'.repeat(1_000)]) expect(readPlace(text)).toBeNull();
  });
  test('comes after those before it', () => {
    for (const [i, here] of places.entries())
      for (const [j, there] of places.entries()) expect(isBehind(here, there)).toBe(j > i);
  });
  test('in the ring is found while everything behind it is there', () => {
    const item = (position: number): RingItem => ({
      place: { position, workflow: w('a'), n: position },
      tenant: DEFAULT_TENANT,
      workflow: w('a'),
      frames: [],
      characters: 700,
    });
    const ring = makeRing(10_000);
    ring.clear(atPosition(1));
    ring.push(Array.from({ length: 10 }, (_, i) => item(i + 1)));
    expect(ring.has(atPosition(1))).toBe(true);
    expect(ring.behind(item(4).place, 1_000_000).map(({ place }) => place.n)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(ring.behind(item(4).place, 1).map(({ place }) => place.n)).toEqual([5]);
    ring.push([item(11)]);
    expect(ring.bytes()).toBe(10_000);
    expect(ring.has(atPosition(1))).toBe(false);
    expect(ring.has(item(1).place)).toBe(true);
    expect(ring.has(atPosition(12))).toBe(true);
  });
});
