import { describe, expect, test } from 'vitest';
import { makeSealing } from '../../src/identity/sealing.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Tenant } from '../../src/model/tenant.ts';
import { makeParticipants, PARTICIPANTS_MAX } from '../../src/registry/participants.ts';
import {
  DEFINITIONS_CHARACTERS_MAX,
  DEFINITIONS_MAX,
  ROUTES_MAX,
  roomComplaint,
  type Standing,
  TRIGGERS_OF_TYPE_MAX,
} from '../../src/registry/room.ts';
import { SCHEDULES_MAX, SCHEDULES_OF_TENANT_MAX } from '../../src/registry/schedule-spec.ts';
import { makeSubscriptions, SUBSCRIPTIONS_MAX } from '../../src/registry/subscriptions.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { ParticipantRow, SubscriptionRow } from '../../src/store/store.ts';

/* How much a tenant may have, each bound from both sides. */

const empty: Standing = { names: 0, characters: 0, routes: 0, before: null, definitions: [] };
const wants = (options: JsonObject = {}, more: { readonly characters?: number; readonly hasRoute?: boolean } = {}) => ({
  ...{ name: 'mine', options, characters: 0, hasRoute: false },
  ...more,
});
const others = (count: number, options: JsonObject): Standing['definitions'] =>
  Array.from({ length: count }, (_, i) => ({ name: `other${i}`, options }));

describe('a definition finds room', () => {
  const before = { characters: 10, hasRoute: false };
  test.each<[string, Parameters<typeof roomComplaint>, string | null]>([
    ['names', [wants(), { ...empty, names: DEFINITIONS_MAX - 1 }], null],
    ['names', [wants(), { ...empty, names: DEFINITIONS_MAX }], 'definitions'],
    ['names', [wants(), { ...empty, names: DEFINITIONS_MAX, before }], null],
    ['characters', [wants({}, { characters: 1 }), { ...empty, characters: DEFINITIONS_CHARACTERS_MAX - 1 }], null],
    ['characters', [wants({}, { characters: 1 }), { ...empty, characters: DEFINITIONS_CHARACTERS_MAX }], 'characters'],
    ['characters', [wants({}, { characters: 10 }), { ...empty, characters: DEFINITIONS_CHARACTERS_MAX, before }], null],
    ['routes', [wants({}, { hasRoute: true }), { ...empty, routes: ROUTES_MAX - 1 }], null],
    ['routes', [wants({}, { hasRoute: true }), { ...empty, routes: ROUTES_MAX }], 'routes'],
    ['routes', [wants({}, { hasRoute: true }), { ...empty, routes: ROUTES_MAX, before }], 'routes'],
    [
      'routes',
      [wants({}, { hasRoute: true }), { ...empty, routes: ROUTES_MAX, before: { ...before, hasRoute: true } }],
      null,
    ],
    ['routes', [wants(), { ...empty, routes: ROUTES_MAX }], null],
  ])('%s', (_what, [wanted, standing], word) => {
    const complaint = roomComplaint(wanted, standing);
    if (word === null) expect(complaint).toBeNull();
    else expect(complaint).toContain(word);
  });
});

test('events of one type start so many definitions of a tenant, those of diagrams included', () => {
  const triggers = { triggers: [{ type: 'made' }] };
  const at = (definitions: Standing['definitions'], options: JsonObject = triggers): string | null =>
    roomComplaint(wants(options), { ...empty, definitions });
  expect(at(others(TRIGGERS_OF_TYPE_MAX - 1, triggers))).toBeNull();
  expect(at(others(TRIGGERS_OF_TYPE_MAX, triggers))).toContain('"made"');
  expect(at(others(TRIGGERS_OF_TYPE_MAX, { starts: [{ element: 'e', message: 'made' }] }))).toContain('"made"');
  expect(at(others(TRIGGERS_OF_TYPE_MAX, triggers), { triggers: [{ type: 'else' }] })).toBeNull();
  // Its own version before does not count.
  const own = [...others(TRIGGERS_OF_TYPE_MAX - 1, triggers), { name: 'mine', options: triggers }];
  expect(at(own)).toBeNull();
});

test('a tenant has so many schedules', () => {
  const full = { schedules: Array.from({ length: SCHEDULES_MAX }, () => ({ every: '1h' })) };
  const most = SCHEDULES_OF_TENANT_MAX / SCHEDULES_MAX;
  const one = { schedules: [{ every: '1h' }] };
  const at = (count: number, options: JsonObject): string | null =>
    roomComplaint(wants(options), { ...empty, definitions: others(count, full) });
  expect(at(most - 1, full)).toBeNull();
  expect(at(most, one)).toContain('schedules');
  expect(at(most, {})).toBeNull();
});

const tenant = 'default' as Tenant;
const page = async <Row>(rows: readonly Row[]) => ({ items: rows, next: null });
const unused = async (): Promise<never> => {
  throw new Error('Nothing is written');
};

test('a tenant has so many participants, and can change each of them', async () => {
  const rows = Array.from(
    { length: PARTICIPANTS_MAX },
    (_, i): ParticipantRow => ({
      ...{ tenant, name: `p${i}`, spec: '{"kind":"person"}', sealed: null, ver: 1 },
      ...{ createdAt: i, changedAt: i, deletedAt: null },
    }),
  );
  const written: string[] = [];
  const participants = makeParticipants({
    store: {
      participants: {
        changedLast: () => page(rows),
        get: async (_tenant, name) => rows.find((row) => row.name === name) ?? null,
        put: async ({ name }) => {
          written.push(name);
          return true;
        },
        delete: unused,
      },
    },
    sealing: makeSealing([]),
    log: silentLog,
  });
  await participants.refresh();
  expect(await participants.put(tenant, 'more', { kind: 'person' }, null)).toBe('full');
  expect(await participants.put(tenant, 'p7', { kind: 'person' }, null)).toMatchObject({ isNew: false });
  expect(written).toEqual(['p7']);
});

test('a tenant has so many subscriptions', async () => {
  const rows = Array.from(
    { length: SUBSCRIPTIONS_MAX },
    (_, i): SubscriptionRow => ({
      ...{ id: `sub_${i}`, tenant, spec: '{"url":"http://x.example/"}', sealed: null, enabled: true, reason: null },
      ...{ failingSince: null, ver: 1, createdAt: i, changedAt: i, deletedAt: null },
    }),
  );
  const added: string[] = [];
  const store = { changedLast: () => page(rows), add: async ({ id }: { id: string }) => added.push(id) > 0 };
  const subscriptions = makeSubscriptions({
    store: { subscriptions: { ...store, get: unused, change: unused, delete: unused } },
    sealing: makeSealing([]),
    log: silentLog,
  });
  expect(await subscriptions.add(tenant, 'sub_first', { url: 'http://x.example/' })).toBe('added');
  await subscriptions.refresh();
  expect(await subscriptions.add(tenant, 'sub_more', { url: 'http://x.example/' })).toBe('full');
  expect(added).toEqual(['sub_first']);
});
