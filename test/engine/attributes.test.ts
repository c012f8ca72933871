import { afterAll, beforeAll, expect, test } from 'vitest';
import { attributedBy, wantedText } from '../../src/engine/attributes.ts';
import { type Inside, makeSearch } from '../../src/engine/search.ts';
import type { WorkflowId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openStore } from '../../src/store/open.ts';
import { FILLED, type NodeRow, type Store } from '../../src/store/store.ts';
import { fillAttributes } from '../../src/worker/attribute-fill.ts';
import { makeRandom } from '../simulation/scheduler.ts';
import { engineOn, launch, proceedOf, watched, whole } from '../support/engine-parts.ts';

/* Workflows found by an index are those that are found by looking into all of them. */

const ATTRIBUTED = attributedBy(['region', 'order.n', 'list.0']);
const ALL = { tenant: DEFAULT_TENANT, status: null, name: null, participant: null } as const;
const LONG = 'x'.repeat(256);
const ASKED: readonly Inside[] = [
  ...['here', 'there', 'never'].map((tag) => ({ tag, fields: [] })),
  ...(['north', 'south', '5', 'true', 'null', '"north"', '5.0', LONG] as const).flatMap((value) =>
    [['region'], ['order', 'n'], ['list', '0']].map((path) => ({ tag: null, fields: [[path, value]] as const })),
  ),
  { tag: 'here', fields: [[['region'], 'north']] },
];
const DEFINITIONS = [
  'define\n  sequence tag: "here"\n    alpha\n    set "f:region": "north"\n    beta\n  gamma\n',
  'define\n  concurrence\n    sequence tag: "there"\n      alpha\n    beta\n  set "f:region": "south"\n  gamma tag: "here"\n',
  'define\n  set "f:region": 5\n',
  'define\n  sequence on_cancel: "tidy"\n    alpha\n  define tidy\n    set "f:region": "tidied"\n    gamma\n',
];
const VALUES: readonly Json[] = ['north', 'south', 5, '5', true, null, LONG, { a: 1 }];

let store: Store;
beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: 'memory:', prepared: true });
}, 120_000);
afterAll(() => store.close(), 60_000);

const nodeWith = (attributes: readonly string[] | null): NodeRow => ({
  ...{ id: 'n', name: 'n', role: 'all', url: '', version: '1', startedAt: 0, seenAt: 0, registry: null, alive: true },
  attributes: attributes === null ? null : JSON.stringify(attributes),
});
const fillOn = (nodes: readonly NodeRow[], of = ATTRIBUTED) =>
  fillAttributes({ store, attributed: of, nodes: async () => nodes, log: silentLog });

/** What looking into all workflows finds, once the index was found to say the same. */
async function foundBothWays(inside: Inside): Promise<readonly WorkflowId[]> {
  const byIndex = makeSearch(store, ATTRIBUTED);
  const oneByOne = makeSearch({ read: store.read, attributes: { marks: async () => new Map() } }, ATTRIBUTED);
  const ids = async (search: typeof byIndex) =>
    (await search.list({ ...ALL, limit: 500, after: null }, inside)).items.map(({ id }) => id);
  const found = await ids(oneByOne);
  expect(await ids(byIndex), JSON.stringify(inside)).toEqual(found);
  expect(await byIndex.count(ALL, inside, 1_000), JSON.stringify(inside)).toMatchObject({ n: found.length });
  return found;
}

test('whatever happens to workflows, the index finds those that have the tags and the fields', async () => {
  await fillOn([nodeWith(ATTRIBUTED.names)]).begin();
  expect(new Set((await store.attributes.marks()).values())).toEqual(new Set([FILLED]));
  const parts = engineOn(store, { attributed: ATTRIBUTED });
  const { pick: some, chance, fraction } = makeRandom(7);
  const fieldsOf = (): Fields => ({ region: some(VALUES), order: { n: some(VALUES) }, list: [some(VALUES)] });
  const ids: WorkflowId[] = [];
  for (let i = 0; i < 24; i++)
    ids.push(await launch(parts, some(DEFINITIONS), { fields: chance(0.7) ? fieldsOf() : {} }));
  for (let i = 0; i < 90; i++) {
    const id = some(ids);
    const { workflow, workitems } = await whole(store, id);
    if (workflow.endedAt !== null) continue;
    const kind = fraction();
    const items = [...workitems.values()];
    if (kind < 0.75 && items.length > 0) {
      const proceed = proceedOf(id, some(items).id, chance(0.5) ? fieldsOf() : {});
      await parts.engine.advance([proceed]);
    } else
      await parts.engine.advance([
        { workflow: id, origin: proceedOf(id, '' as never).origin, event: { kind: kind < 0.9 ? 'cancel' : 'kill' } },
      ]);
  }
  let hits = 0;
  for (const inside of ASKED) hits += (await foundBothWays(inside)).length;
  expect(hits).toBeGreaterThan(40);
  await parts.engine.stop();
});

test('a step that changes no tag and no such field writes nothing for them', async () => {
  const around = watched(store);
  const parts = engineOn(around.store, { attributed: ATTRIBUTED });
  const id = await launch(parts, 'define\n  alpha\n  beta\n', { fields: { region: 'north', other: 1 } });
  expect(around.committed.map(({ attributes }) => attributes?.map(({ name }) => name))).toEqual([['field.region']]);
  around.forget();
  const [item] = [...(await whole(store, id)).workitems.values()];
  await parts.engine.advance([proceedOf(id, item?.id as never, { other: 2 })]);
  expect(around.committed.map((save) => 'attributes' in save)).toEqual([false]);
  await parts.engine.stop();
});

test('workflows that stood before are filled in, once all nodes write the index; one that does not ends it', async () => {
  const parts = engineOn(store);
  const old = await launch(parts, 'define\n  alpha tag: "old"\n', { fields: { region: 'once' } });
  for (const name of ATTRIBUTED.names) await store.attributes.forget(name);
  const before = (await store.read.workflow(DEFAULT_TENANT, old))?.ver ?? 0;
  await fillOn([nodeWith(ATTRIBUTED.names), nodeWith(null)]).fill();
  expect((await store.attributes.marks()).size).toBe(0);
  const filling = fillOn([nodeWith(ATTRIBUTED.names)]);
  await filling.begin();
  expect((await store.attributes.marks()).size).toBe(0);
  await filling.fill();
  expect(new Set((await store.attributes.marks()).values())).toEqual(new Set([FILLED]));
  expect(await foundBothWays({ tag: 'old', fields: [] })).toEqual([old]);
  expect(await foundBothWays({ tag: null, fields: [[['region'], 'once']] })).toEqual([old]);
  for (const inside of ASKED) await foundBothWays(inside);
  // Who remembered it before looks again.
  expect((await store.read.workflow(DEFAULT_TENANT, old))?.ver).toBe(before + 1);
  await fillOn([nodeWith(ATTRIBUTED.names), nodeWith(['tag'])]).fill();
  expect([...(await store.attributes.marks()).keys()]).toEqual(['tag']);
  await fillOn([nodeWith(['tag'])], attributedBy([])).begin();
  expect([...(await store.attributes.marks()).keys()]).toEqual(['tag']);
  await parts.engine.stop();
});

test('what is asked for has an index when only values of that text fit it', () => {
  for (const text of ['north', '5', '-1.5', 'true', '', '{', 'äöü', 'x'.repeat(255)])
    expect(wantedText(text)).toBe(text);
  for (const text of ['null', '5.0', '1e3', '"north"', '[1]', '{}', LONG]) expect(wantedText(text)).toBe(null);
});
