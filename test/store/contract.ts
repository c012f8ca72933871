import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shardOf, type WorkflowId } from '../../src/model/ids.ts';
import {
  type AgendaRow,
  type Changes,
  CLOCK_PAYLOAD,
  type VariableRow,
  type WorkflowRow,
  type WorkitemRow,
} from '../../src/model/rows.ts';
import { type Loaded, type Need, needKey } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT, readTenant, type Tenant } from '../../src/model/tenant.ts';
import { PAGE_BYTES_MAX } from '../../src/store/page.ts';
import { DataRefused, type Save, type Store } from '../../src/store/store.ts';
import { FREE_TABLES } from '../../src/store/tables/all.ts';
import { until } from '../support/until.ts';
import {
  AT,
  agenda,
  changes,
  error,
  expression,
  gone,
  history,
  listener,
  NOTICE_LATER,
  patch,
  put,
  save,
  strand,
  variable,
  workflow,
  workflowId,
  workitem,
} from './samples.ts';
import { loadFrom, peek, type Topic, writeTo } from './topic.ts';

export { loadFrom, peek, writeTo } from './topic.ts';

/*
 * The promises of store.ts, as every implementation must keep them. What only some can be asked (two at once on one database, a
 * connection cut in the middle) is in the suites of those.
 */

/** A file of contract/ is about the table of its name. */
const folder = fileURLToPath(new URL('./contract/', import.meta.url));
const topics = await Promise.all(
  readdirSync(folder).map(async (file) => ({
    table: file.replace('.ts', ''),
    about: ((await import(join(folder, file))) as { readonly about: Topic }).about,
  })),
);

export type StoreWorld = { readonly store: Store; readonly close: () => Promise<void> };

/**
 * @param spreads whether claims let hosts take turns (else the whole promise is that such a claim claims)
 * @param freeTables whether the tables that belong to no workflow are asked for their promises as well
 */
export function describeStore(
  name: string,
  open: () => Promise<StoreWorld>,
  { spreads = true, freeTables = true }: { readonly spreads?: boolean; readonly freeTables?: boolean } = {},
): void {
  describe(name, () => {
    let world: StoreWorld;
    let store: Store;
    beforeAll(async () => {
      world = await open();
      store = world.store;
    });
    afterAll(() => world.close());

    const write = (list: readonly Changes[], given: Partial<Save> = {}): Promise<'committed' | 'lost'> =>
      writeTo(store, list, given);
    const load = (id: WorkflowId, ...needs: readonly Need[]): Promise<Loaded> => loadFrom(store, id, ...needs);
    const launched = async (...parts: Parameters<typeof changes> extends [unknown, ...infer Rest] ? Rest : never) => {
      const id = workflowId();
      await write([changes(workflow(id), ...parts)]);
      return id;
    };
    const claimOf = async (id: WorkflowId, now = AT) =>
      (await store.claimDue({ now, owner: 'somebody', limit: 1_000, leaseSeconds: 30 })).filter(
        (message) => message.workflow === id,
      );
    /** Everything due is claimed by nobody's owner and forgotten, so that the next claim sees only what a test writes. */
    const drained = async (): Promise<void> => {
      await store.claimDue({ now: AT * 2, owner: 'drain', limit: 1_000, leaseSeconds: 3_600 });
    };

    describe('loading', () => {
      test('a workflow that does not exist is loaded as nothing', async () => {
        const id = workflowId();
        const transaction = await store.begin([{ workflow: id, needs: [] }]);
        expect(transaction.loaded.get(id)?.workflow).toBe(null);
        expect(transaction.busy).toEqual([]);
        await transaction.rollback();
      });

      test('every part of every row comes back as it was written', async () => {
        const row = { ver: 1, name: null, retry: '[1]', endedAt: AT, status: 'completed' } as const;
        const full: WorkitemRow = workitem('0_0', {
          fields: null,
          inherits: expression('0_9'),
          added: '{"x":1}',
          send: 'cancel',
          state: 'closed',
          ...NOTICE_LATER,
          heldAt: 5,
          tries: 3,
        });
        const rows = {
          strands: [strand('0.1', { arrival: 4, index: 7, base: expression('0_9') }), strand('f1')],
          workitems: [full],
          agenda: [agenda('t', { heldAt: 3, path: null })],
          errors: [error('0_3')],
          listeners: [listener('0_4', { name: null })],
          variables: [variable('0', 'v'), variable('0_9', '^', '{"big":1}')],
        };
        const id = await launched(rows, { history: [history(1, 3)] });
        const loaded = await load(id, { kind: 'everything' });
        expect(loaded.workflow).toEqual(workflow(id, row.ver === 1 ? {} : row));
        expect([...loaded.strands.values()]).toEqual(expect.arrayContaining(rows.strands));
        expect([...loaded.workitems.values()]).toEqual(rows.workitems);
        expect([...loaded.agenda.values()]).toEqual(rows.agenda);
        expect([...loaded.errors.values()]).toEqual(rows.errors);
        expect([...loaded.listeners.values()]).toEqual(rows.listeners);
        expect([...loaded.variables.values()]).toEqual(expect.arrayContaining(rows.variables));
        expect(await store.read.history(DEFAULT_TENANT, id, 0, 10)).toEqual([history(1, 3)]);
      });

      test('a workitem brings its strand and all ancestors; base rows, which are large and shared by many, are asked for', async () => {
        const id = await launched({
          strands: [strand('0.2'), strand('0.2.10', { base: expression('0_1') }), strand('0.2.1')],
          workitems: [workitem('0_1_0', { path: '0.2.10', fields: null, inherits: expression('0_5') })],
          variables: [variable('0_1', '^', '"one"'), variable('0_5', '^', '"five"'), variable('0_5', 'other')],
        });
        const loaded = await load(id, { kind: 'workitem', id: expression('0_1_0') });
        expect([...loaded.strands.keys()]).toEqual(['0.2', '0.2.10']);
        expect(loaded.variables.size).toBe(0);
        const base = { kind: 'variable', scope: expression('0_5'), name: '^' } as const;
        expect([...(await load(id, base)).variables.values()].map(({ value }) => value)).toEqual(['"five"']);
        const answered = [
          { kind: 'workitem', id: expression('0_1_0') },
          { kind: 'strand', path: '0' },
          { kind: 'strand', path: '0.2' },
          { kind: 'strand', path: '0.2.10' },
        ] as const;
        expect([...loaded.answered].sort()).toEqual(answered.map((need) => needKey(need)).sort());
      });

      test('a forgotten strand has ancestors of its own', async () => {
        const id = await launched({
          strands: [strand('f2'), strand('f2.1'), strand('0.1')],
          agenda: [agenda('timer', { path: 'f2.1' })],
        });
        const loaded = await load(id, { kind: 'agenda', id: 'timer' });
        expect([...loaded.strands.keys()]).toEqual(['f2', 'f2.1']);
      });

      test('what is asked for and missing is answered, and not there', async () => {
        const id = await launched();
        const needs: readonly Need[] = [
          { kind: 'workitem', id: expression('0_7') },
          { kind: 'agenda', id: 'none' },
          { kind: 'strand', path: '0.7' },
          { kind: 'error', id: expression('0_7') },
          { kind: 'variable', scope: expression('0_7'), name: 'x' },
        ];
        const loaded = await load(id, ...needs);
        for (const need of needs) expect(loaded.answered).toContain(needKey(need));
        expect(loaded.workitems.size + loaded.agenda.size + loaded.strands.size + loaded.errors.size).toBe(0);
      });

      test('children come by number, after a number, up to a limit, and by whether they have arrived', async () => {
        const at = expression('0_1');
        const id = await launched({
          strands: [
            strand('0.9', { at }),
            strand('0.10', { at }),
            strand('0.2', { at, arrival: 1 }),
            strand('0.11', { at }),
            strand('0.12', { at }),
            strand('0.3', { at: expression('0_2') }),
            strand('0.9.1', { at }),
          ],
        });
        const need = { kind: 'children', path: '0', at, after: 0, limit: 2, finished: false } as const;
        const first = await load(id, need);
        expect([...first.strands.keys()]).toEqual(['0.9', '0.10']);
        expect([...(await load(id, { ...need, after: 10 })).strands.keys()]).toEqual(['0.11', '0.12']);
        expect([...(await load(id, { ...need, finished: true })).strands.keys()]).toEqual(['0.2']);
      });

      test('an expression is found in the strand that holds it, not where only its id is mentioned', async () => {
        const state = `{"n":[{"i":"${expression('0_1_5')}","n":"alpha"}]}`;
        const mentions = `{"n":[{"i":"${expression('0_2')}","v":[0,["tag",{"t":["0.1.4","${expression('0_1_5')}"]}]]}]}`;
        const id = await launched({
          strands: [strand('0.1'), strand('0.1.4', { state }), strand('0.2', { state: mentions })],
        });
        const loaded = await load(id, { kind: 'find', expression: expression('0_1_5') });
        expect([...loaded.strands.keys()]).toEqual(['0.1', '0.1.4']);
      });

      test('agenda rows of one kind come by due time, listeners and the variables of a scope all together', async () => {
        const id = await launched({
          agenda: [
            agenda('b', { kind: 'answer', dueAt: 2 }),
            agenda('c', { kind: 'answer', dueAt: 1 }),
            agenda('a', { kind: 'answer', dueAt: 2 }),
            agenda('t'),
          ],
          listeners: [listener('0_1'), listener('0_2')],
          variables: [variable('0', 'x'), variable('0', 'y y'), variable('0_1', 'z')],
        });
        const loaded = await load(
          id,
          { kind: 'agenda_kind', of: 'answer' },
          { kind: 'listeners' },
          { kind: 'variables', scope: expression('0') },
        );
        expect([...loaded.agenda.keys()]).toEqual(['c', 'a', 'b']);
        expect(loaded.listeners.size).toBe(2);
        expect([...loaded.variables.values()].map(({ name }) => name).sort()).toEqual(['x', 'y y']);
      });

      test('more can be loaded while the transaction lasts', async () => {
        const id = await launched({ workitems: [workitem('0_0')], errors: [error('0_0')] });
        const transaction = await store.begin([{ workflow: id, needs: [] }]);
        const more = await transaction.load([{ workflow: id, needs: [{ kind: 'error', id: expression('0_0') }] }]);
        expect(more.get(id)?.errors.size).toBe(1);
        expect(more.get(id)?.workflow?.id).toBe(id);
        await transaction.rollback();
      });

      test('needs of many workflows are answered apart', async () => {
        const ids = await Promise.all([1, 2, 3].map(() => launched({ workitems: [workitem('0_0')] })));
        const transaction = await store.begin(
          ids.map((id, i) => ({
            workflow: id,
            needs: i === 1 ? [] : [{ kind: 'workitem', id: expression('0_0') }],
          })),
        );
        expect(ids.map((id) => transaction.loaded.get(id)?.workitems.size)).toEqual([1, 0, 1]);
        await transaction.rollback();
      });
    });

    describe('saving', () => {
      test('a step that is rolled back leaves nothing', async () => {
        const id = workflowId();
        const transaction = await store.begin([{ workflow: id, needs: [] }]);
        await transaction.rollback();
        expect(await store.read.workflow(DEFAULT_TENANT, id)).toBe(null);
      });

      test('a transaction ends once', async () => {
        const id = workflowId();
        const transaction = await store.begin([{ workflow: id, needs: [] }]);
        await transaction.commit(save([changes(workflow(id))]));
        await expect(transaction.commit(save([]))).rejects.toThrow('over');
        await expect(transaction.load([])).rejects.toThrow('over');
      });

      test('a stale ver loses, and nothing of its batch is written', async () => {
        const [stale, other] = [await launched(), await launched()];
        // Not loaded by this transaction, so the row itself says which ver it follows.
        const outcome = await write([
          changes(workflow(stale, { ver: 7 }), { workitems: [workitem('0_0')] }),
          changes(workflow(other, { ver: 2, name: 'changed' })),
        ]);
        expect(outcome).toBe('lost');
        expect((await store.read.workflow(DEFAULT_TENANT, other))?.name).toBe('a name');
        expect((await load(stale, { kind: 'everything' })).workitems.size).toBe(0);
      });

      test('a launch whose id exists loses', async () => {
        const id = await launched();
        expect(await write([changes(workflow(id, { name: 'another' }))])).toBe('lost');
        expect((await store.read.workflow(DEFAULT_TENANT, id))?.name).toBe('a name');
      });

      test('a history number is written once', async () => {
        const id = await launched({}, { history: [history(1)] });
        expect(await write([changes(workflow(id, { ver: 2 }), {}, { history: [history(1)] })])).toBe('lost');
      });

      test('a workitem that is said to be new is written once', async () => {
        const id = workflowId();
        const row = workitem('0_0');
        const born = new Map([[row.id, { kind: 'put', row, isNew: true } as const]]);
        expect(await write([changes(workflow(id), {}, { workitems: born })])).toBe('committed');
        expect((await store.read.workitem(DEFAULT_TENANT, { workflow: id, workitem: row.id }))?.row).toEqual(row);
      });

      test('whose a workitem is can be told from its ids alone, since when it waits only while it does', async () => {
        const id = await launched({ workitems: [workitem('0_0', { openedAt: 7 })] });
        const owner = { tenant: DEFAULT_TENANT, launchedAt: workflow(id).launchedAt };
        const ask = (of: string) => store.read.ownerOf({ workflow: id, workitem: expression(of) });
        expect(await ask('0_0')).toEqual({ ...owner, openedAt: 7 });
        expect(await ask('0_9')).toEqual({ ...owner, openedAt: null });
        expect(await store.read.ownerOf({ workflow: workflowId(), workitem: expression('0_0') })).toBe(null);
      });

      test('large fields that did not change stay, and change when they change', async () => {
        const big = (letter: string): string => JSON.stringify({ big: letter.repeat(20_000) });
        const id = workflowId();
        await write([changes(workflow(id, { fields: big('a') }), { strands: [strand('0.1', { fields: big('b') })] })]);
        const step = async (fields: string, ofStrand: string): Promise<void> => {
          const transaction = await store.begin([{ workflow: id, needs: [{ kind: 'strand', path: '0.1' }] }]);
          const row = transaction.loaded.get(id)?.workflow ?? workflow(id);
          const next = { ...row, ver: row.ver + 1, state: '{"next":1}', fields };
          await transaction.commit(
            save([changes(next, { strands: [strand('0.1', { state: '{"s":2}', fields: ofStrand })] })]),
          );
        };
        const check = async (fields: string, ofStrand: string): Promise<void> => {
          const loaded = await load(id, { kind: 'strand', path: '0.1' });
          expect(loaded.workflow).toMatchObject({ state: '{"next":1}', fields });
          expect(loaded.strands.get('0.1')).toMatchObject({ state: '{"s":2}', fields: ofStrand });
        };
        await step(big('a'), big('b'));
        await check(big('a'), big('b'));
        await step(big('c'), big('d'));
        await check(big('c'), big('d'));
      });

      test('a patch sets what it names, null too, and changes nothing of a row that is not there', async () => {
        const id = await launched({ workitems: [workitem('0_0', { tries: 1 })] });
        await write([
          changes(
            workflow(id, { ver: 2 }),
            {},
            {
              workitems: new Map([
                [expression('0_0'), patch<WorkitemRow>({ dueAt: null, send: null, log: '["x"]' })],
                [expression('0_1'), patch<WorkitemRow>({ tries: 9 })],
              ]),
              variables: new Map([[`${expression('0')} no such`, patch<VariableRow>({ value: '2' })]]),
            },
          ),
        ]);
        const loaded = await load(id, { kind: 'everything' });
        expect([...loaded.workitems.values()]).toEqual([
          workitem('0_0', { tries: 1, dueAt: null, send: null, log: '["x"]' }),
        ]);
        expect(loaded.variables.size).toBe(0);
      });

      test('rows are replaced and deleted by their keys', async () => {
        const id = await launched({
          strands: [strand('0.1'), strand('0.2')],
          agenda: [agenda('a'), agenda('b')],
          errors: [error('0_1')],
          listeners: [listener('0_1')],
          variables: [variable('0', 'a b'), variable('0', 'c')],
        });
        await write([
          changes(
            workflow(id, { ver: 2 }),
            { variables: [variable('0', 'c', '"new"')] },
            {
              strands: new Map([
                ['0.1', gone],
                ['0.2', put(strand('0.2', { arrival: 1 }))],
              ]),
              agenda: new Map([
                ['a', gone],
                ['b', patch<AgendaRow>({ dueAt: 7 })],
              ]),
              errors: new Map([[expression('0_1'), gone]]),
              listeners: new Map([[expression('0_1'), gone]]),
            },
          ),
        ]);
        await write([
          changes(workflow(id, { ver: 3 }), {}, { variables: new Map([[`${expression('0')} a b`, gone]]) }),
        ]);
        const loaded = await load(id, { kind: 'everything' });
        expect([...loaded.strands.values()]).toEqual([strand('0.2', { arrival: 1 })]);
        expect([...loaded.agenda.values()]).toEqual([agenda('b', { dueAt: 7 })]);
        expect(loaded.errors.size + loaded.listeners.size).toBe(0);
        expect([...loaded.variables.values()]).toEqual([variable('0', 'c', '"new"')]);
      });

      test('a large text comes back to the character', async () => {
        const value = JSON.stringify(['"\\ ü 漢 😀\n'.repeat(60_000)]);
        const id = await launched({ variables: [variable('0', 'large', value)] });
        const { variables } = await load(id, { kind: 'everything' });
        expect([...variables.values()].map((row) => row.value === value)).toEqual([true]);
      });

      test('every combination of kinds of change is written', async () => {
        const id = await launched();
        const all = {
          strands: strand('0.1'),
          workitems: workitem('0_0'),
          agenda: agenda('t'),
          errors: error('0_0'),
          listeners: listener('0_0'),
          variables: variable('0', 'x'),
        };
        const keys = { strands: '0.1', agenda: 't', variables: `${expression('0')} x` };
        const kinds = Object.keys(all) as (keyof typeof all)[];
        for (let mask = 0, ver = 2; mask < 2 ** kinds.length; mask++) {
          const present = kinds.filter((_, i) => (mask & (1 << i)) !== 0);
          const rows = Object.fromEntries(present.map((kind) => [kind, [all[kind]]]));
          await write([changes(workflow(id, { ver: ver++ }), rows)]);
          const there = await load(id, { kind: 'everything' });
          expect(kinds.filter((kind) => there[kind].size > 0)).toEqual(present);
          const keyOf = (kind: keyof typeof all): string =>
            ({ ...keys })[kind as keyof typeof keys] ?? expression('0_0');
          const deletes = Object.fromEntries(present.map((kind) => [kind, new Map([[keyOf(kind), gone]])]));
          await write([changes(workflow(id, { ver: ver++ }), {}, deletes)]);
        }
        const loaded = await load(id, { kind: 'everything' });
        expect(kinds.filter((kind) => loaded[kind].size > 0)).toEqual([]);
        expect(loaded.workflow?.ver).toBe(1 + 2 * 2 ** kinds.length);
      });

      test('a definition is stored once and read by its hash', async () => {
        const hash = `hash of ${workflowId()}`;
        await launched({}, { definitions: new Map([[hash, 'the text']]) });
        expect(await launched({}, { definitions: new Map([[hash, 'the text']]) })).toBeTruthy();
        expect(await store.definitions.text(hash)).toBe('the text');
        expect(await store.definitions.text('no such hash')).toBe(null);
      });

      test.each([
        ['U+0000', 'a\u0000b'],
        ['a lone surrogate', 'a\ud800b'],
      ])('%s is refused, and what else is written is not harmed', async (_what, text) => {
        const id = workflowId();
        await expect(write([changes(workflow(id, { name: text }))])).rejects.toThrow(DataRefused);
        await expect(store.settings.write('x', text)).rejects.toThrow(DataRefused);
        expect(await store.read.workflow(DEFAULT_TENANT, id)).toBe(null);
        expect(await write([changes(workflow(id))])).toBe('committed');
      });

      test('a hundred refused batches leave no connection behind', async () => {
        for (let i = 0; i < 100; i++)
          await expect(write([changes(workflow(workflowId(), { name: '\u0000' }))])).rejects.toThrow(DataRefused);
        const id = await launched();
        expect((await load(id)).workflow?.id).toBe(id);
      });

      test('text of any other kind comes back as it was', async () => {
        const text = `'"\\ \u0001\u007f\u2028 \u{1f600} é \\u0000 $1 ?`;
        const id = await launched({ workitems: [workitem('0_0', { fields: JSON.stringify({ text }) })] });
        const loaded = await load(id, { kind: 'workitem', id: expression('0_0') });
        expect(JSON.parse(loaded.workitems.get(expression('0_0'))?.fields ?? '')).toEqual({ text });
      });
    });

    describe('pausing and ending', () => {
      test('a hold keeps everything of the workflow from being due, a shift moves it on', async () => {
        const id = await launched({
          workitems: [workitem('0_0', { dueAt: AT })],
          agenda: [agenda('t', { dueAt: AT })],
        });
        await write([changes(workflow(id, { ver: 2, updatedAt: AT + 100 }), {}, { hold: AT + 100 })]);
        expect(await claimOf(id)).toEqual([]);
        expect((await peek(store, AT + 1_000)).map((row) => row.workflow)).not.toContain(id);
        const held = await load(id, { kind: 'everything' });
        expect(held.workitems.get(expression('0_0'))?.heldAt).toBe(AT + 100);
        expect(held.agenda.get('t')?.heldAt).toBe(AT + 100);

        // What comes during the pause is moved by the rest of it only.
        await write([
          changes(workflow(id, { ver: 3 }), { agenda: [agenda('late', { dueAt: AT + 300, heldAt: AT + 300 })] }),
        ]);
        await write([changes(workflow(id, { ver: 4, updatedAt: AT + 500 }), {}, { shift: 400 })]);
        const after = await load(id, { kind: 'everything' });
        expect(after.workitems.get(expression('0_0'))).toMatchObject({ heldAt: null, dueAt: AT + 400 });
        expect(after.agenda.get('t')).toMatchObject({ heldAt: null, dueAt: AT + 400 });
        expect(after.agenda.get('late')).toMatchObject({ heldAt: null, dueAt: AT + 500 });
      });

      test('a shift leaves timers where they are that are due by the clock on the wall', async () => {
        const payload = `${CLOCK_PAYLOAD}null,"id":"0_0"}`;
        const id = await launched({ agenda: [agenda('date', { dueAt: AT + 50, payload }), agenda('duration')] });
        await write([changes(workflow(id, { ver: 2, updatedAt: AT + 100 }), {}, { hold: AT + 100 })]);
        expect((await peek(store, AT + 1_000)).map((row) => row.workflow)).not.toContain(id);
        await write([changes(workflow(id, { ver: 3, updatedAt: AT + 500 }), {}, { shift: 400 })]);
        const after = await load(id, { kind: 'everything' });
        expect(after.agenda.get('date')).toMatchObject({ heldAt: null, dueAt: AT + 50 });
        expect(after.agenda.get('duration')).toMatchObject({ heldAt: null, dueAt: AT + 400 });
      });

      test('a hold catches what the same step puts', async () => {
        const id = await launched();
        await write([changes(workflow(id, { ver: 2 }), { workitems: [workitem('0_0')] }, { hold: AT })]);
        expect((await load(id, { kind: 'everything' })).workitems.get(expression('0_0'))?.heldAt).toBe(AT);
      });

      test('a sweep takes everything but history and what is still owed', async () => {
        const id = await launched(
          {
            strands: [strand('0.1')],
            workitems: [
              workitem('0_0'),
              workitem('0_1', { state: 'closed', send: 'cancel', fields: null, inherits: expression('0_9') }),
              workitem('0_2'),
            ],
            agenda: [agenda('t')],
            errors: [error('0_0')],
            listeners: [listener('0_0')],
            variables: [variable('0', 'x'), variable('0_9', '^'), variable('0_8', '^')],
          },
          { history: [history(1)] },
        );
        await write([
          changes(
            workflow(id, { ver: 2, status: 'killed', endedAt: AT }),
            { strands: [strand('0.2')], agenda: [agenda('u')] },
            {
              sweep: true,
              workitems: new Map([
                [expression('0_2'), patch<WorkitemRow>({ state: 'closed', send: 'timeout' })],
                [expression('0_3'), put(workitem('0_3'))],
              ]),
              history: [history(2)],
            },
          ),
        ]);
        const loaded = await load(id, { kind: 'everything' });
        expect([...loaded.workitems.keys()].sort()).toEqual([expression('0_1'), expression('0_2')]);
        expect([...loaded.variables.keys()]).toEqual([`${expression('0_9')} ^`]);
        expect(loaded.strands.size + loaded.agenda.size + loaded.errors.size + loaded.listeners.size).toBe(0);
        expect((await store.read.history(DEFAULT_TENANT, id, 0, 10)).length).toBe(2);
      });
    });

    describe('messages', () => {
      test('what is due is claimed oldest first and only once', async () => {
        await drained();
        const id = await launched({
          workitems: [
            workitem('0_0', { dueAt: AT - 1 }),
            workitem('0_1', { dueAt: AT - 2 }),
            workitem('0_2', { dueAt: AT + 1 }),
            workitem('0_3', { send: null, dueAt: null }),
            workitem('0_4', { heldAt: AT - 5 }),
          ],
        });
        const messages = await claimOf(id);
        expect(messages.map(({ row }) => row.id)).toEqual([expression('0_1'), expression('0_0')]);
        expect(messages[0]).toMatchObject({
          tenant: DEFAULT_TENANT,
          base: null,
          row: workitem('0_1', { dueAt: AT - 2 }),
        });
        expect(await claimOf(id)).toEqual([]);
      });

      test('a claim that is not filled has left nothing due behind, however old', async () => {
        await drained();
        const id = await launched({
          workitems: Array.from({ length: 6 }, (_, i) => workitem(`0_${i}`, { dueAt: AT - 100 + i })),
        });
        const claim = async (limit: number): Promise<readonly (number | null)[]> =>
          (await store.claimDue({ now: AT, owner: 'somebody', limit, leaseSeconds: 30 })).map(({ row }) => row.dueAt);
        expect(await claim(2)).toEqual([AT - 100, AT - 99]);
        // Older than all that was seen so far.
        const older = await launched({ workitems: [workitem('0_0', { dueAt: AT - 500 })] });
        expect(await claim(10)).toEqual([AT - 500, AT - 98, AT - 97, AT - 96, AT - 95]);
        for (const of of [id, older]) expect(await claimOf(of)).toEqual([]);
      });

      if (spreads)
        test('hosts take turns in a claim, however many messages one of them has', async () => {
          await drained();
          const wide = await launched({
            workitems: Array.from({ length: 60 }, (_, i) =>
              workitem(`0_${i}`, { url: 'http://wide.test/x', dueAt: AT - 500 + i }),
            ),
          });
          const stranger = await launched({
            workitems: [workitem('0_0', { url: 'https://User.TEST:8443?a=/b', dueAt: AT - 1 })],
          });
          const claim = (more: { skip?: string[]; bytesMax?: number } = {}) =>
            store.claimDue({
              now: AT,
              owner: 'somebody',
              limit: 20,
              leaseSeconds: 30,
              spread: { skip: [], bytesMax: 1_000_000, ...more },
            });
          const first = await claim();
          expect(first.filter(({ workflow: of }) => of === stranger)).toHaveLength(1);
          expect(first.filter(({ workflow: of }) => of === wide).length).toBeGreaterThan(3);
          const claimed = new Set(first.map(({ workflow: of, row }) => `${of} ${row.id}`));
          for (let more = await claim(); more.length > 0; more = await claim())
            for (const { workflow: of, row } of more) claimed.add(`${of} ${row.id}`);
          expect(claimed.size).toBe(61);
        });

      if (spreads)
        test('a claim with turns ends with the message that reaches its bytes', async () => {
          await drained();
          const fields = JSON.stringify({ text: 'x'.repeat(1_000) });
          await launched({ workitems: Array.from({ length: 9 }, (_, i) => workitem(`0_${i}`, { fields })) });
          const claimed = await store.claimDue({
            now: AT,
            owner: 'somebody',
            limit: 9,
            leaseSeconds: 30,
            spread: { skip: [], bytesMax: 2_500 },
          });
          expect(claimed).toHaveLength(3);
        });

      if (spreads)
        test('hosts that have enough are left out of a claim; what was claimed and lost comes with it', async () => {
          await drained();
          const id = await launched({
            workitems: [
              workitem('0_0', { url: 'http://full.test/' }),
              workitem('0_1', { url: 'http://free.test/' }),
              workitem('0_2', { url: 'http://lost.test/' }),
            ],
          });
          const claim = async (skip: string[], leaseSeconds = 30) =>
            (
              await store.claimDue({
                now: AT,
                owner: 'somebody',
                limit: 10,
                leaseSeconds,
                spread: { skip, bytesMax: 1_000_000 },
              })
            )
              .filter(({ workflow: of }) => of === id)
              .map(({ row }) => row.id as string);
          expect(await claim(['full.test', 'free.test'], 0)).toEqual([expression('0_2')]);
          expect(await claim(['full.test', 'lost.test'])).toContain(expression('0_1'));
          const rest: string[] = [];
          for (let more = await claim([]); more.length > 0; more = await claim([])) rest.push(...more);
          expect(rest).toContain(expression('0_0'));
        });

      test('a claim brings the base row the fields are in, to each of those that share it', async () => {
        const id = await launched({
          workitems: [
            workitem('0_0', { fields: null, inherits: expression('0_1') }),
            workitem('0_2', { fields: null, inherits: expression('0_3') }),
            workitem('0_4', { fields: null, inherits: expression('0_1') }),
            workitem('0_5'),
          ],
          variables: [variable('0_1', '^', '{"large":1}'), variable('0_3', '^', '{"large":3}')],
        });
        const claimed = await claimOf(id);
        expect(claimed.map(({ row, base }) => [row.id, base]).sort()).toEqual([
          [expression('0_0'), '{"large":1}'],
          [expression('0_2'), '{"large":3}'],
          [expression('0_4'), '{"large":1}'],
          [expression('0_5'), null],
        ]);
        expect(await store.read.workitem(DEFAULT_TENANT, { workflow: id, workitem: expression('0_0') })).toMatchObject({
          base: '{"large":1}',
        });
      });

      test('a message born claimed is nobody else’s until it is given back', async () => {
        const id = workflowId();
        const claims = [{ workflow: id, workitem: expression('0_0'), claim: 'born' }];
        await write([changes(workflow(id), { workitems: [workitem('0_0')] })], { claims });
        expect(await claimOf(id)).toEqual([]);
        await write([changes(workflow(id, { ver: 2 }))], {
          releases: [{ workflow: id, workitem: expression('0_0'), claim: 'not this one' }],
        });
        expect(await claimOf(id)).toEqual([]);
        await write([changes(workflow(id, { ver: 3 }))], { releases: claims });
        expect((await claimOf(id)).length).toBe(1);
      });

      test('a claim that is taken over when its lease has run out counts as a try, one that was given back does not', async () => {
        const id = workflowId();
        const claims = [{ workflow: id, workitem: expression('0_0'), claim: 'mine' }];
        await write([changes(workflow(id), { workitems: [workitem('0_0')] })], { claims, leaseSeconds: -1 });
        const claim = async (leaseSeconds: number, spread: boolean) =>
          (
            await store.claimDue({
              now: AT,
              owner: 'somebody',
              limit: 1_000,
              leaseSeconds,
              ...(spread ? { spread: { skip: [], bytesMax: 10_000_000 } } : {}),
            })
          ).find(({ workflow: of }) => of === id)?.row;
        const lost = (number: number) =>
          expect.objectContaining({ number, send: 'active', status: null, error: 'the node stopped during the try' });
        const first = await claim(-1, false);
        expect(first?.tries).toBe(1);
        expect(JSON.parse(first?.log ?? '')).toEqual([lost(1)]);
        let second = await claim(30, true);
        for (let i = 0; second === undefined && i < 20; i++) second = await claim(30, true);
        expect(second?.tries).toBe(2);
        expect(JSON.parse(second?.log ?? '')).toEqual([lost(1), lost(2)]);
        await store.releaseClaims('somebody');
        expect((await claim(30, false))?.tries).toBe(2);
      });

      test('a lease that ran out by the database’s clock frees the message, whatever business time says', async () => {
        const id = workflowId();
        const claims = [{ workflow: id, workitem: expression('0_0'), claim: 'born' }];
        await write([changes(workflow(id), { workitems: [workitem('0_0')] })], { claims, leaseSeconds: -1 });
        const [message] = await claimOf(id, AT);
        expect(message?.row.id).toBe(expression('0_0'));
        expect(await claimOf(id, AT + 1e9)).toEqual([]);
      });

      test('a claim is renewed only while it is ours', async () => {
        const id = await launched({ workitems: [workitem('0_0')] });
        const claim = (await claimOf(id))[0]?.claim ?? '';
        const key = { workflow: id, workitem: expression('0_0') };
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30 })).toBe(true);
        expect(await store.renewClaim({ key, claim: 'another', leaseSeconds: 30 })).toBe(false);
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30, send: 'active' })).toBe(true);
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30, send: 'cancel' })).toBe(false);
        expect(await store.renewClaim({ key, claim, leaseSeconds: -1 })).toBe(true);
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30 })).toBe(false);
        expect(await store.renewClaim({ key: { ...key, workitem: expression('0_9') }, claim, leaseSeconds: 30 })).toBe(
          false,
        );
      });

      test('a claim on a message that a pause holds back is not renewed for that message', async () => {
        const id = await launched({ workitems: [workitem('0_0')] });
        const claim = (await claimOf(id))[0]?.claim ?? '';
        await write([changes(workflow(id, { ver: 2, updatedAt: AT + 100 }), {}, { hold: AT + 100 })]);
        const key = { workflow: id, workitem: expression('0_0') };
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30, send: 'active' })).toBe(false);
        expect(await store.renewClaim({ key, claim, leaseSeconds: 30 })).toBe(true);
      });

      test('flipping the message keeps the claim of the running try, by patch and by put', async () => {
        const id = await launched({ workitems: [workitem('0_0'), workitem('0_1')] });
        expect((await claimOf(id)).length).toBe(2);
        await write([
          changes(
            workflow(id, { ver: 2 }),
            { workitems: [workitem('0_1', { state: 'closed', send: 'cancel' })] },
            {
              workitems: new Map([
                [expression('0_0'), patch<WorkitemRow>({ send: 'cancel', state: 'closed', tries: 0 })],
                [expression('0_1'), put(workitem('0_1', { send: 'cancel', state: 'closed' }))],
              ]),
            },
          ),
        ]);
        expect(await claimOf(id)).toEqual([]);
      });

      test('the end of a try gives its claim back with whatever else is written', async () => {
        const id = await launched({ workitems: [workitem('0_0'), workitem('0_1'), workitem('0_2')] });
        const claims = await claimOf(id);
        const claim = claims[0]?.claim ?? '';
        const release = (expid: string, which = claim) => ({ workflow: id, workitem: expression(expid), claim: which });
        await write(
          [
            changes(
              workflow(id, { ver: 2 }),
              {},
              {
                workitems: new Map([
                  [expression('0_0'), patch<WorkitemRow>({ tries: 1, dueAt: AT - 3 })],
                  [expression('0_1'), put(workitem('0_1', { tries: 1 }))],
                  [expression('0_2'), put(workitem('0_2', { tries: 1 }))],
                ]),
              },
            ),
          ],
          { releases: [release('0_0'), release('0_1'), release('0_2', 'not mine')] },
        );
        expect((await claimOf(id)).map(({ row }) => [row.id, row.tries])).toEqual([
          [expression('0_0'), 1],
          [expression('0_1'), 1],
        ]);
      });

      test('a node that stops gives back all it had claimed', async () => {
        const id = await launched({ workitems: [workitem('0_0')] });
        expect((await claimOf(id)).length).toBe(1);
        await store.releaseClaims('another');
        expect(await claimOf(id)).toEqual([]);
        await store.releaseClaims('somebody');
        expect((await claimOf(id)).length).toBe(1);
      });

      test('two owners that claim at once never get the same message', async () => {
        await drained();
        const ids = await Promise.all(
          [1, 2, 3, 4, 5].map(() =>
            launched({ workitems: Array.from({ length: 20 }, (_, i) => workitem(`0_${i}`, { dueAt: AT - i })) }),
          ),
        );
        const claimed = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            store.claimDue({ now: AT, owner: `owner ${i}`, limit: 10, leaseSeconds: 30 }),
          ),
        );
        const all = claimed.flat().map(({ workflow: of, row }) => `${of} ${row.id}`);
        expect(new Set(all).size).toBe(all.length);
        const rest = await store.claimDue({ now: AT, owner: 'rest', limit: 1_000, leaseSeconds: 30 });
        expect(all.length + rest.filter((message) => ids.includes(message.workflow)).length).toBe(100);
      });
    });

    test('open workitems are loaded by name, those of the root strand whole', async () => {
      const texts = { fields: '{"a":1}', params: '{"b":2}', log: '[3]' };
      const id = await launched({
        workitems: [
          workitem('0_0', texts),
          workitem('0_1', { ...texts, path: '0.1', participant: 'bob' }),
          workitem('0_2', { path: '0.2', state: 'closed' }),
        ],
      });
      const { workitems } = await load(id, { kind: 'open_workitems' });
      expect(workitems.get(expression('0_0'))).toMatchObject(texts);
      expect(workitems.get(expression('0_1'))).toMatchObject({
        participant: 'bob',
        fields: null,
        params: '{}',
        log: '[]',
      });
      expect(workitems.size).toBe(2);
    });

    describe('the agenda', () => {
      test('due rows are shown oldest first, the own share before the others’, which must be overdue', async () => {
        const ids = await Promise.all(
          Array.from({ length: 12 }, (_, i) => launched({ agenda: [agenda('t', { dueAt: AT - 10_000 + i })] })),
        );
        const ours = (rows: readonly { readonly workflow: WorkflowId }[]): readonly number[] =>
          rows.filter((row) => ids.includes(row.workflow)).map((row) => shardOf(row.workflow) % 2);
        const request = { now: AT - 9_000, limit: 1_000, share: 1, shares: 2 };
        const all = ours(await store.peekAgenda({ ...request, othersAfterMs: 0 }));
        expect(all).toEqual([...all].sort((a, b) => b - a));
        expect(all.length).toBe(12);
        const own = ours(await store.peekAgenda({ ...request, othersAfterMs: 60_000 }));
        expect(own).toEqual(all.filter((share) => share === 1));
        const times = (await store.peekAgenda({ ...request, share: 0, shares: 1, othersAfterMs: 0 })).map(
          ({ dueAt }) => dueAt,
        );
        expect(times).toEqual([...times].sort((a, b) => a - b));
      });

      test('the next due time is that of any row that is not held', async () => {
        const far = AT * 3;
        await launched({
          agenda: [agenda('a', { dueAt: far + 5 }), agenda('held', { dueAt: far + 1, heldAt: far })],
          workitems: [workitem('0_0', { dueAt: far + 4 }), workitem('0_1', { dueAt: null, send: null })],
        });
        expect(await store.nextDueAt(far)).toBe(far + 4);
        expect(await store.nextDueAt(far + 4)).toBe(far + 5);
        expect(await store.nextDueAt(far + 5)).toBe(null);
        expect(await store.nextDueAt(null)).toBeLessThanOrEqual(far + 4);
      });

      test('an event becomes an agenda row of every listener of the tenant that may fit', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const [emitter, named, anyName, otherName, otherEvent, inward, stranger] = [1, 2, 3, 4, 5, 6, 7].map(() =>
          workflowId(),
        ) as [WorkflowId, WorkflowId, WorkflowId, WorkflowId, WorkflowId, WorkflowId, WorkflowId];
        const hearing = (id: WorkflowId, given: Parameters<typeof listener>[1], of = tenant): Changes =>
          changes(workflow(id, { tenant: of }), { listeners: [listener('0_1', { path: '0.2', ...given })] });
        await write([
          hearing(named, { name: 'alice' }),
          hearing(anyName, { name: null }),
          hearing(otherName, { name: 'bob' }),
          hearing(otherEvent, { event: 'dispatched' }),
          hearing(inward, { reach: 'workflow' }),
          hearing(stranger, {}, 'another tenant' as Tenant),
          hearing(emitter, {}),
        ]);
        const event = { event: 'received', name: 'alice', at: AT + 7, payload: '{"fields":{"a":1}}' } as const;
        await write([changes(workflow(emitter, { tenant, ver: 2 }), {}, { events: [event, event] })]);
        for (const id of [named, anyName]) {
          const rows = [...(await load(id, { kind: 'agenda_kind', of: 'event' })).agenda.values()];
          expect(rows.length).toBe(2);
          expect(rows[0]).toMatchObject({ kind: 'event', dueAt: AT + 7, heldAt: null, path: '0.2' });
          expect(JSON.parse(rows[0]?.payload ?? '')).toEqual({
            listener: expression('0_1'),
            workflow: emitter,
            event: 'received',
            name: 'alice',
            at: AT + 7,
            payload: { fields: { a: 1 } },
          });
        }
        for (const id of [otherName, otherEvent, inward, stranger, emitter])
          expect((await load(id, { kind: 'agenda_kind', of: 'event' })).agenda.size).toBe(0);
      });

      test('a listener put in the same batch hears the event', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const [hearer, emitter] = [workflowId(), workflowId()];
        const event = { event: 'received', name: 'alice', at: AT, payload: '{}' } as const;
        await write([
          changes(workflow(hearer, { tenant }), { listeners: [listener('0_1')] }),
          changes(workflow(emitter, { tenant }), {}, { events: [event] }),
        ]);
        expect((await load(hearer, { kind: 'agenda_kind', of: 'event' })).agenda.size).toBe(1);
      });
    });

    test("each table that belongs to no workflow is somebody's topic", () => {
      expect(topics.map(({ table }) => table.replaceAll('-', '_')).sort()).toEqual(
        FREE_TABLES.map(({ name }) => name).sort(),
      );
    });

    for (const { table, about } of freeTables ? topics : []) describe(`the table ${table}`, () => about(() => store));

    describe('beside the workflows', () => {
      test('the database tells its time', async () => {
        expect(Math.abs((await store.databaseTime()) - Date.now())).toBeLessThan(60_000);
      });

      test('a ping is answered', async () => {
        await expect(store.ping()).resolves.toBeUndefined();
      });
    });

    describe('reading', () => {
      test('workflows are listed newest first, page by page, by status, name and participant', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const ids = [1, 2, 3, 4, 5].map(() => workflowId());
        await write(
          ids.map((id, i) =>
            changes(
              workflow(id, {
                tenant,
                launchedAt: AT + Math.floor(i / 2),
                name: i === 3 ? 'special' : 'usual',
                status: i === 4 ? 'error' : 'running',
              }),
              {
                workitems: [
                  workitem('0_0', { participant: i < 2 ? 'carol' : 'alice', state: i === 1 ? 'closed' : 'open' }),
                ],
              },
            ),
          ),
        );
        const all = { tenant, status: null, name: null, participant: null, limit: 2, after: null } as const;
        const seen: string[] = [];
        for (let after: string | null = null, more = true; more; ) {
          const page: Awaited<ReturnType<Store['read']['workflows']>> = await store.read.workflows({ ...all, after });
          seen.push(...page.items.map(({ id }) => id));
          after = page.next;
          more = after !== null;
        }
        const byTime = ids
          .map((id, i) => ({ id, at: Math.floor(i / 2) }))
          .sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
        expect(seen).toEqual(byTime.map(({ id }) => id));
        const listed = async (given: Partial<Parameters<Store['read']['workflows']>[0]>) =>
          (await store.read.workflows({ ...all, limit: 10, ...given })).items.map(({ id }) => id);
        expect(await listed({ status: 'error' })).toEqual([ids[4]]);
        expect(await listed({ name: 'special' })).toEqual([ids[3]]);
        expect(await listed({ participant: 'carol' })).toEqual([ids[0]]);
        expect(await listed({ name: 'usual', status: 'running', participant: 'alice' })).toEqual([ids[2]]);
        expect(await listed({ tenant: 'nobody' as Tenant })).toEqual([]);
      });

      test('workflows are listed and counted by several states, and by when they were launched and ended', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const ids = [0, 1, 2, 3, 4, 5].map(() => workflowId());
        const states = ['running', 'error', 'paused', 'completed', 'killed', 'completed'] as const;
        await write(
          ids.map((id, i) => {
            const endedAt = i < 3 ? null : AT + 100 - i;
            return changes(workflow(id, { tenant, launchedAt: AT + i, status: states[i] ?? 'running', endedAt }), {
              workitems: i === 1 ? [workitem('0_0'), workitem('0_1')] : [],
            });
          }),
        );
        type Query = Parameters<Store['read']['workflows']>[0];
        const all = { tenant, status: null, name: null, participant: null } as const;
        const walked = async (given: Partial<Query>): Promise<readonly number[]> => {
          const seen: number[] = [];
          for (let after: string | null = null, more = true; more; ) {
            const query: Query = { ...all, limit: 1, after, ...given };
            const page: Awaited<ReturnType<Store['read']['workflows']>> = await store.read.workflows(query);
            seen.push(...page.items.map(({ id }) => ids.indexOf(id)));
            after = page.next;
            more = after !== null;
          }
          expect(await store.read.countWorkflows({ ...all, ...given }, 100)).toBe(seen.length);
          const inside = await store.read.workflowRows({ ...all, limit: 10, after: null, ...given });
          expect(inside.items.map(({ row }) => ids.indexOf(row.id))).toEqual(seen);
          // Whatever leads to them.
          const asked = { ...all, ...given, attributes: [] };
          const page = await store.read.found({ ...asked, limit: 10, after: null });
          expect(page.items.map(({ id }) => ids.indexOf(id))).toEqual(seen);
          expect(await store.read.countFound(asked, 100)).toEqual({ n: seen.length, lookedBackTo: null });
          return seen;
        };
        expect(await walked({ participant: 'alice', ended: { from: AT, to: null } })).toEqual([]);
        expect(await walked({ participant: 'alice', launched: { from: null, to: AT + 2 } })).toEqual([1]);
        expect(await walked({ status: ['error', 'paused'] })).toEqual([2, 1]);
        expect(await walked({ status: ['completed', 'running', 'completed'] })).toEqual([5, 3, 0]);
        expect(await walked({ launched: { from: AT + 1, to: AT + 4 } })).toEqual([3, 2, 1]);
        expect(await walked({ launched: { from: null, to: AT + 2 }, status: ['running', 'killed'] })).toEqual([0]);
        // By their end those that ended last come first.
        expect(await walked({ ended: { from: AT, to: null } })).toEqual([3, 4, 5]);
        expect(await walked({ ended: { from: AT + 95, to: AT + 97 }, status: ['completed', 'killed'] })).toEqual([
          4, 5,
        ]);
        expect(await walked({ ended: { from: null, to: AT + 96 }, status: 'completed' })).toEqual([5]);
        expect(await walked({ participant: 'alice', status: ['error', 'paused'] })).toEqual([1]);
        expect(await store.read.countWorkflows(all, 4)).toBe(4);
        // Two filters that no index leads to together: exact, or no more than there are, and with how far back the count looked.
        for (const given of [
          { name: 'a name', ended: { from: AT, to: null } },
          { status: 'completed', ended: { from: AT, to: AT + 98 } },
          { name: 'a name', status: ['error', 'paused', 'killed'] },
          { launched: { from: AT + 4, to: null }, ended: { from: AT, to: null } },
        ] as const) {
          const seen = await walked(given);
          expect(seen.length).toBeGreaterThan(1);
          for (const most of [1, 2, 3, 10]) {
            const { n, lookedBackTo } = await store.read.countFound({ ...all, ...given, attributes: [] }, most);
            if (lookedBackTo === null) expect([given, most, n]).toEqual([given, most, Math.min(most, seen.length)]);
            else expect(n).toBeLessThan(most);
          }
        }
      });

      test('workflows are found and counted by their attributes, which a save replaces name by name', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const ids = [0, 1, 2, 3].map(() => workflowId());
        const rows = ids.map((id, i) =>
          workflow(id, {
            tenant,
            launchedAt: AT + i,
            status: (['running', 'error', 'running', 'completed'] as const)[i] ?? 'running',
            endedAt: i === 3 ? AT : null,
          }),
        );
        const attribute = (i: number, name: string, ...values: readonly string[]) => ({
          ...{ workflow: ids[i] as WorkflowId, tenant, launchedAt: AT + i },
          ...{ name, values },
        });
        await write(
          rows.map((row) => changes(row)),
          { attributes: [0, 1, 2, 3].flatMap((i) => [attribute(i, 'tag', 'a', 'b'), attribute(i, 'field.n', '7')]) },
        );
        const second = { ver: 2, updatedAt: AT };
        await write(
          [0, 2].map((i) => changes({ ...(rows[i] as WorkflowRow), ...second })),
          { attributes: [attribute(0, 'tag', 'b', 'c'), attribute(2, 'field.n')] },
        );
        type Query = Parameters<Store['read']['found']>[0];
        const all = { tenant, status: null, name: null, participant: null } as const;
        const found = async (given: Partial<Query> & Pick<Query, 'attributes'>): Promise<readonly number[]> => {
          const seen: number[] = [];
          for (let after: string | null = null, more = true; more; ) {
            const page: Awaited<ReturnType<Store['read']['found']>> = await store.read.found({
              ...{ ...all, limit: 1, after },
              ...given,
            });
            seen.push(...page.items.map(({ id }) => ids.indexOf(id)));
            after = page.next;
            more = after !== null;
          }
          expect(await store.read.countFound({ ...all, ...given }, 100)).toEqual({
            n: seen.length,
            lookedBackTo: null,
          });
          return seen;
        };
        const [a, b, seven] = [
          { name: 'tag', value: 'a' },
          { name: 'tag', value: 'b' },
          { name: 'field.n', value: '7' },
        ];
        expect(await found({ attributes: [a] })).toEqual([3, 2, 1]);
        expect(await found({ attributes: [b] })).toEqual([3, 2, 1, 0]);
        expect(await found({ attributes: [a, seven] })).toEqual([3, 1]);
        expect(await found({ attributes: [b], status: ['error', 'paused'] })).toEqual([1]);
        expect(await found({ attributes: [b], launched: { from: AT + 1, to: AT + 3 } })).toEqual([2, 1]);
        expect(await found({ attributes: [b], ended: { from: AT, to: null } })).toEqual([3]);
        expect(await found({ attributes: [b], tenant: 'nobody' as Tenant })).toEqual([]);
        expect((await store.read.found({ ...all, limit: 2, after: null, attributes: [b] })).lookedBackTo).toBe(AT + 2);
        expect((await store.read.countFound({ ...all, attributes: [b] }, 2)).n).toBe(2);
      });

      test('attributes are filled in where nothing has moved meanwhile, and those who looked before look again', async () => {
        const id = workflowId();
        const shard = shardOf(id);
        await write([changes(workflow(id))]);
        const { attributes, read } = store;
        const seen: WorkflowId[] = [];
        for (let after: string | null = ''; after !== null; ) {
          const page: Awaited<ReturnType<typeof attributes.page>> = await attributes.page(shard, after, 2);
          seen.push(...page.items.map(({ row }) => row.id));
          after = page.isLast ? null : (seen.at(-1) ?? null);
        }
        expect(seen).toEqual([...seen].sort());
        expect(seen).toContain(id);
        const filled = { workflow: id, tenant: DEFAULT_TENANT, launchedAt: AT, name: 'field.late', values: ['x'] };
        expect(await attributes.fill(shard, [{ ...filled, ver: 7 }])).toEqual(new Set([id]));
        expect(await attributes.fill(shard, [{ ...filled, ver: 1, values: [] }])).toEqual(new Set());
        expect((await read.workflow(DEFAULT_TENANT, id))?.ver).toBe(1);
        expect(await attributes.fill(shard, [{ ...filled, ver: 1 }])).toEqual(new Set());
        expect((await read.workflow(DEFAULT_TENANT, id))?.ver).toBe(2);
        const query = { tenant: DEFAULT_TENANT, status: null, name: null, participant: null } as const;
        const late = [{ name: 'field.late', value: 'x' }];
        expect((await read.found({ ...query, limit: 9, after: null, attributes: late })).items).toHaveLength(1);
        expect(await attributes.fill(shard, [{ ...filled, ver: 2, values: [] }])).toEqual(new Set());
        expect((await read.found({ ...query, limit: 9, after: null, attributes: late })).items).toEqual([]);
        expect(await attributes.isEmpty()).toBe(false);
        await attributes.mark('field.late', 'half');
        expect((await attributes.marks()).get('field.late')).toBe('half');
        await attributes.forget('field.late');
        expect((await attributes.marks()).has('field.late')).toBe(false);
      });

      test('a list of workflows holds no large texts unless they are asked for', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const row = workflow(workflowId(), { tenant, fields: '{"large":1}' });
        await write([changes(row)]);
        const query = { tenant, status: null, name: null, participant: null, limit: 2, after: null } as const;
        expect((await store.read.workflowRows(query)).items).toEqual([{ row, workitem: null }]);
        const own = workitem('0_1');
        const others = [workitem('0_0', { state: 'closed' }), workitem('0_2', { path: '0.1' })];
        await write([changes({ ...row, ver: 2 }, { workitems: [...others, own] })]);
        expect((await store.read.workflowRows(query)).items).toEqual([{ row: { ...row, ver: 2 }, workitem: own }]);
        const [shown] = (await store.read.workflows(query)).items;
        expect(shown).toMatchObject({ id: row.id, name: row.name, status: row.status, launchedAt: row.launchedAt });
        expect(JSON.stringify(shown)).not.toContain('large');
      });

      test('a cursor that is none of ours is refused', async () => {
        const query = { tenant: DEFAULT_TENANT, status: null, name: null, participant: null, limit: 2 } as const;
        await expect(store.read.workflows({ ...query, after: 'nonsense' })).rejects.toMatchObject({
          code: 'request_invalid',
        });
      });

      test('workitems are listed by participant, by workflow, and all', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const [one, two] = [workflowId(), workflowId()];
        await write([
          changes(workflow(one, { tenant }), {
            workitems: [workitem('0_0', { openedAt: AT + 2 }), workitem('0_1', { participant: 'bob' })],
          }),
          changes(workflow(two, { tenant }), {
            workitems: [workitem('0_0', { openedAt: AT + 1 }), workitem('0_1', { state: 'failed', openedAt: AT + 3 })],
          }),
        ]);
        const walk = async (given: Partial<Parameters<Store['read']['workitems']>[0]>): Promise<readonly string[]> => {
          const found: string[] = [];
          for (let after: string | null = null, more = true; more; ) {
            const page: Awaited<ReturnType<Store['read']['workitems']>> = await store.read.workitems({
              tenant,
              participant: null,
              workflow: null,
              state: null,
              limit: 1,
              after,
              ...given,
            });
            found.push(...page.items.map(({ workflow: of, row }) => `${of === one ? 1 : 2} ${row.id.slice(0, 3)}`));
            after = page.next;
            more = after !== null;
          }
          return found;
        };
        expect(await walk({ participant: 'alice' })).toEqual(['2 0_0', '1 0_0', '2 0_1']);
        expect(await walk({ participant: 'alice', workflow: one })).toEqual(['1 0_0']);
        expect(await walk({ participant: 'alice', state: 'failed' })).toEqual(['2 0_1']);
        expect(await walk({ workflow: two })).toEqual(['2 0_0', '2 0_1']);
        expect([...(await walk({}))].sort()).toEqual(['1 0_0', '1 0_1', '2 0_0', '2 0_1']);
        // Overdue: the oldest first, whoever has to answer; a participant may have a time of its own.
        const overdue = (before: number, of: { readonly [participant: string]: number } = {}) => ({
          overdue: { before, of },
        });
        expect(await walk(overdue(AT))).toEqual([]);
        expect(await walk(overdue(AT + 4))).toEqual(['1 0_1', '2 0_0', '1 0_0', '2 0_1']);
        expect(await walk(overdue(AT + 2))).toEqual(['1 0_1', '2 0_0']);
        expect(await walk(overdue(AT + 2, { alice: AT + 3, bob: AT }))).toEqual(['2 0_0', '1 0_0']);
        expect(await walk({ ...overdue(AT + 4), participant: 'alice', workflow: one })).toEqual(['1 0_0']);
        expect(await walk({ ...overdue(AT + 4), state: 'failed' })).toEqual(['2 0_1']);
        expect(await walk({ ...overdue(AT + 4), tenant: `${tenant} other` as Tenant })).toEqual([]);
      });

      test('a page of workitems ends before it has too many bytes, a base that is shared counted once', async () => {
        if (store.profile === 'simulated') return; // it holds everything in memory anyway
        const tenant = `tenant ${workflowId()}` as Tenant;
        const [own, shared] = [workflowId(), workflowId()];
        const large = JSON.stringify({ text: 'x'.repeat(PAGE_BYTES_MAX / 4) });
        const ids = Array.from({ length: 6 }, (_, i) => `0_${i}`);
        await write([
          changes(workflow(own, { tenant }), { workitems: ids.map((id) => workitem(id, { fields: large })) }),
          changes(workflow(shared, { tenant }), {
            workitems: ids.map((id) => workitem(id, { fields: null, inherits: expression('0_9') })),
            variables: [variable('0_9', '^', large)],
          }),
        ]);
        const pagesOf = async (of: WorkflowId): Promise<readonly (readonly string[])[]> => {
          const pages: string[][] = [];
          for (let after: string | null = null, more = true; more; ) {
            const query = { tenant, participant: null, workflow: of, state: null, limit: 100, after };
            const page: Awaited<ReturnType<Store['read']['workitems']>> = await store.read.workitems(query);
            expect(page.items.every(({ base }) => (of === own ? base === null : base === large))).toBe(true);
            pages.push(page.items.map(({ row }) => row.id));
            after = page.next;
            more = after !== null;
          }
          return pages;
        };
        expect(await pagesOf(own)).toEqual([ids.slice(0, 3), ids.slice(3)].map((page) => page.map(expression)));
        expect(await pagesOf(shared)).toEqual([ids.map(expression)]);
      });

      test('a page of a workflow ends before it has too many bytes', async () => {
        if (store.profile === 'simulated') return;
        const large = JSON.stringify({ text: 'x'.repeat(PAGE_BYTES_MAX / 4) });
        const paths = ['0.1', '0.2', '0.3', '0.4', '0.5'];
        const id = await launched({
          strands: paths.map((path) => strand(path)),
          workitems: paths.map((path, i) => workitem(`0_0_${i}`, { path, fields: large })),
        });
        const first = await store.read.whole(DEFAULT_TENANT, id, { limit: 100, after: null });
        expect(first?.next).toBe('0.3');
        expect([...(first?.workitems.keys() ?? [])]).toEqual([0, 1, 2].map((i) => expression(`0_0_${i}`)));
        const second = await store.read.whole(DEFAULT_TENANT, id, { limit: 100, after: '0.3' });
        expect([...(second?.strands.keys() ?? [])]).toEqual(['0.4', '0.5']);
        expect(second?.next).toBe(null);
      });

      test('history is read backwards from a number', async () => {
        const id = await launched({}, { history: [history(1, 3), history(4), history(5, 9), history(10)] });
        const firsts = async (before: number, limit = 10, tenant = DEFAULT_TENANT) =>
          (await store.read.historyBefore(tenant, id, before, limit)).map(({ firstN }) => firstN);
        expect(await firsts(11)).toEqual([10, 5, 4, 1]);
        expect(await firsts(8, 2)).toEqual([5, 4]);
        expect(await firsts(1)).toEqual([]);
        expect(await firsts(11, 10, 'nobody' as Tenant)).toEqual([]);
      });

      test('history goes on after a number, in the middle of a row too', async () => {
        const id = await launched({}, { history: [history(1, 3), history(4), history(5, 9), history(10)] });
        const firsts = async (after: number, limit = 10) =>
          (await store.read.history(DEFAULT_TENANT, id, after, limit)).map(({ firstN }) => firstN);
        expect(await firsts(0)).toEqual([1, 4, 5, 10]);
        expect(await firsts(3)).toEqual([4, 5, 10]);
        expect(await firsts(6, 1)).toEqual([5]);
        expect(await firsts(10)).toEqual([]);
      });

      test('what is folded away of a history is gone, and it is told from where on nothing is', async () => {
        const id = await launched({}, { history: [history(1), history(2, 3), history(4), history(5, 9)] });
        await write([changes(workflow(id, { ver: 2, lastN: 9 }), {}, {})]);
        const kept = () => store.read.kept(DEFAULT_TENANT, id);
        expect(await kept()).toEqual({ firstKept: 1, lastN: 9 });
        await store.foldHistory({ workflow: id, firstNs: [2, 4], firstKept: 5 });
        expect((await store.read.history(DEFAULT_TENANT, id, 0, 10)).map(({ firstN }) => firstN)).toEqual([1, 5]);
        expect((await store.read.history(DEFAULT_TENANT, id, 2, 10)).map(({ firstN }) => firstN)).toEqual([5]);
        expect(await kept()).toEqual({ firstKept: 5, lastN: 9 });
        // Somebody who is late does not take it back.
        await store.foldHistory({ workflow: id, firstNs: [], firstKept: 3 });
        expect(await kept()).toEqual({ firstKept: 5, lastN: 9 });
        expect(await store.read.kept('other' as Tenant, id)).toBe(null);
        expect(await store.read.kept(DEFAULT_TENANT, workflowId())).toBe(null);
      });

      test('all history comes in the order of commit, and of one workflow in its own', async () => {
        const { recorded } = store.read;
        if (recorded === null) return expect(['distributed', 'simulated']).toContain(store.profile);
        // Transactions of others, in any database of the cluster, hold the edge back.
        const edge = (): Promise<number> =>
          until('the end of other transactions', async () => {
            const { upTo, hasLater } = await recorded.edge();
            return hasLater ? null : upTo;
          });
        const from = await edge();
        const [one, two] = [
          await launched({}, { history: [history(1, 3)] }),
          await launched({}, { history: [history(1)] }),
        ];
        const row = async (id: WorkflowId) => (await store.read.workflow(DEFAULT_TENANT, id)) as WorkflowRow;
        await write([changes({ ...(await row(one)), ver: 2 }, {}, { history: [history(4), history(5, 6)] })]);
        await write([
          changes({ ...(await row(two)), ver: 2 }, {}, { history: [history(2)] }),
          changes({ ...(await row(one)), ver: 3 }, {}, { history: [history(7)] }),
        ]);
        const upTo = await edge();
        const rows = await recorded.rows(from, upTo, 100);
        const ours = rows.filter(({ workflow }) => workflow === one || workflow === two);
        expect(ours.map(({ position }) => position)).toEqual(
          ours.map(({ position }) => position).sort((a, b) => a - b),
        );
        expect(
          ours
            .filter(({ workflow }) => workflow === one)
            .map((each) => each.row.firstN)
            .sort(),
        ).toEqual([1, 4, 5, 7]);
        expect(new Set(ours.map(({ position }) => position)).size).toBe(4);
        expect(ours.every(({ tenant, position }) => tenant === DEFAULT_TENANT && position < upTo)).toBe(true);
        expect((await recorded.rows(from, upTo, 2)).length).toBe(2);
        expect(await recorded.rows(upTo, upTo, 10)).toEqual([]);
      });

      test('how workflows stand is told of many at once, to their own tenant', async () => {
        const [one, two] = [await launched({}, { history: [history(1, 3)] }), await launched()];
        const asked = [one, two, 'nobody' as WorkflowId].map((workflow) => ({ tenant: DEFAULT_TENANT, workflow }));
        const found = await store.read.standings(asked);
        const row = await store.read.workflow(DEFAULT_TENANT, one);
        expect([...found.keys()].sort()).toEqual([one, two].sort());
        expect(found.get(one)).toEqual({ status: row?.status, lastN: row?.lastN });
        const stranger = readTenant('stranger') as Tenant;
        expect(await store.read.standings([{ tenant: stranger, workflow: one }])).toEqual(new Map());
      });

      test('a whole workflow is shown page by page, each row once', async () => {
        const paths = ['0.1', '0.10', '0.2', '0.3'];
        const id = await launched({
          strands: paths.map((path) => strand(path)),
          workitems: [
            workitem('0_0'),
            workitem('0_9', { state: 'closed' }),
            ...paths.map((path, i) => workitem(`0_0_${i}`, { path })),
          ],
          agenda: [agenda('t', { path: null }), agenda('u', { path: '0.3' })],
          errors: [error('0_0_1', { path: '0.2' })],
          listeners: [listener('0_5')],
          variables: [variable('0_1', '^', '1')],
        });
        const pages: NonNullable<Awaited<ReturnType<Store['read']['whole']>>>[] = [];
        for (let after: string | null = null, more = true; more; ) {
          const page: Awaited<ReturnType<Store['read']['whole']>> = await store.read.whole(DEFAULT_TENANT, id, {
            limit: 2,
            after,
          });
          if (page === null) break;
          pages.push(page);
          after = page.next;
          more = after !== null;
        }
        const all = (part: 'strands' | 'workitems' | 'agenda' | 'errors' | 'listeners') =>
          pages.flatMap((page) => [...page[part].keys()]);
        expect(all('strands')).toEqual(paths);
        // What waits in the root strand comes with every page, as its strand does.
        expect(pages.map((page) => [...page.workitems.keys()].map((key) => key.split('!')[0]).sort())).toEqual([
          ['0_0', '0_0_0', '0_0_1'],
          ['0_0', '0_0_2', '0_0_3'],
        ]);
        expect(all('agenda')).toEqual(['t', 'u']);
        expect(all('errors').length).toBe(1);
        expect(all('listeners').length).toBe(1);
        expect(pages[0]?.workflow?.id).toBe(id);
        expect(await store.read.whole(DEFAULT_TENANT, workflowId(), { limit: 2, after: null })).toBe(null);
      });

      test('errors are listed newest first', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const ids = [workflowId(), workflowId(), workflowId()];
        await write(ids.map((id, i) => changes(workflow(id, { tenant }), { errors: [error('0_0', { at: AT + i })] })));
        const first = await store.read.errors({ tenant, limit: 2, after: null });
        expect(first.items.map(({ workflow: of }) => of)).toEqual([ids[2], ids[1]]);
        const second = await store.read.errors({ tenant, limit: 2, after: first.next });
        expect(second.items.map(({ workflow: of }) => of)).toEqual([ids[0]]);
        expect(second.next).toBe(null);
      });

      test('errors are found by class, participant, name and time', async () => {
        const tenant = `tenant ${workflowId()}` as Tenant;
        const [one, two] = [workflowId(), workflowId()];
        await write([
          changes(workflow(one, { tenant, name: 'order' }), {
            workitems: [workitem('0_0', { participant: 'carol', state: 'failed' })],
            errors: [error('0_0', { at: AT + 1 }), error('0_1', { at: AT + 2, class: 'Odd' })],
          }),
          changes(workflow(two, { tenant, name: null }), { errors: [error('0_0', { at: AT + 3 })] }),
        ]);
        type Query = Parameters<Store['read']['errors']>[0];
        const found = async (given: Partial<Query>) =>
          (await store.read.errors({ tenant, limit: 10, after: null, ...given })).items.map(({ row }) => row.at - AT);
        expect(await found({})).toEqual([3, 2, 1]);
        expect(await found({ class: 'Odd' })).toEqual([2]);
        expect(await found({ participant: 'carol' })).toEqual([1]);
        expect(await found({ name: 'order', class: 'RuntimeError' })).toEqual([1]);
        expect(await found({ at: { from: AT + 2, to: AT + 3 } })).toEqual([2]);
        const [newest, , oldest] = (await store.read.errors({ tenant, limit: 10, after: null })).items;
        expect(newest).toMatchObject({ workflow: two, name: null, participant: null });
        expect(oldest).toMatchObject({ workflow: one, name: 'order', participant: 'carol' });
        expect(oldest?.definition).toBe(workflow(one).definition);
      });

      test('counts grow with what is written', async () => {
        const before = (await store.read.counts(DEFAULT_TENANT)).get('paused') ?? 0;
        await write([changes(workflow(workflowId(), { status: 'paused' }))]);
        expect((await store.read.counts(DEFAULT_TENANT)).get('paused')).toBe(before + 1);
      });
    });

    describe('retiring', () => {
      test('only what is over, old and owes nothing goes, with everything of it', async () => {
        const old = { endedAt: 1_000, status: 'completed' } as const;
        const [over, owing, young, running] = [workflowId(), workflowId(), workflowId(), workflowId()];
        const rows = { strands: [strand('0.1')], variables: [variable('0', 'x')], agenda: [agenda('t')] };
        await write([
          changes(workflow(over, old), rows, { history: [history(1)] }),
          changes(workflow(owing, old), { workitems: [workitem('0_0', { state: 'closed', send: 'cancel' })] }),
          changes(workflow(young, { ...old, endedAt: 3_000 })),
          changes(workflow(running, { launchedAt: 1 }), rows),
        ]);
        expect(await store.retire({ endedBefore: 2_000, now: 0, limit: 100 })).toBe(1);
        expect(await store.read.workflow(DEFAULT_TENANT, over)).toBe(null);
        for (const id of [owing, young, running]) expect((await store.read.workflow(DEFAULT_TENANT, id))?.id).toBe(id);
        expect((await load(over, { kind: 'everything' })).strands.size).toBe(0);
        expect((await load(running, { kind: 'everything' })).strands.size).toBe(1);
        expect(await store.read.history(DEFAULT_TENANT, over, 0, 10)).toEqual([]);
      });

      test('one that says for itself how long it is kept is kept for so long, whatever holds for others', async () => {
        const DAY = 86_400_000;
        const over = { endedAt: 0, status: 'completed' } as const;
        const [short, long, usual] = [workflowId(), workflowId(), workflowId()];
        await write([
          changes(workflow(short, { ...over, retainDays: 1 }), { strands: [strand('0.1')] }),
          changes(workflow(long, { ...over, retainDays: 100 })),
          changes(workflow(usual, over)),
        ]);
        const there = async (): Promise<readonly boolean[]> =>
          Promise.all([short, long, usual].map(async (id) => (await store.read.workflow(DEFAULT_TENANT, id)) !== null));
        expect(await store.retire({ endedBefore: 0, now: DAY, limit: 100 })).toBe(0);
        expect(await store.retire({ endedBefore: 0, now: DAY + 1, limit: 100 })).toBe(1);
        expect(await there()).toEqual([false, true, true]);
        expect(await store.retire({ endedBefore: 1, now: 50 * DAY, limit: 100 })).toBe(1);
        expect(await there()).toEqual([false, true, false]);
        expect(await store.retire({ endedBefore: 1, now: 101 * DAY, limit: 100 })).toBe(1);
      });

      test('at most as many go at once as asked for', async () => {
        const ids = [workflowId(), workflowId(), workflowId()];
        await write(ids.map((id) => changes(workflow(id, { endedAt: 10, status: 'killed' }))));
        expect(await store.retire({ endedBefore: 20, now: 0, limit: 2 })).toBe(2);
        expect(await store.retire({ endedBefore: 20, now: 0, limit: 2 })).toBe(1);
      });

      test('what is too large to go at once goes in portions: first what is below it, then it', async () => {
        const old = { endedAt: 1, status: 'completed', lastN: 5 } as const;
        const [large, running] = [workflowId(), workflowId()];
        const strands = Array.from({ length: 5 }, (_, i) => strand(`0.${i}`));
        await write([
          changes(
            workflow(large, old),
            { strands, variables: [variable('0', 'x')] },
            { history: [1, 2, 3, 4, 5].map((n) => history(n)) },
          ),
          changes(workflow(running, { launchedAt: 1 }), { strands: [strand('0.1')] }),
        ]);
        const portion = (): Promise<number> => store.retirePortion({ endedBefore: 2, now: 0, rows: 4 });
        const went: number[] = [];
        do went.push(await portion());
        while (went.at(-1) !== 0);
        expect(went.reduce((sum, rows) => sum + rows, 0)).toBeGreaterThanOrEqual(5 + 1);
        expect(Math.max(...went)).toBeLessThanOrEqual(4 + 1 + 4);
        expect((await load(large, { kind: 'everything' })).strands.size).toBe(0);
        expect(await store.read.history(DEFAULT_TENANT, large, 0, 10)).toEqual([]);
        expect((await load(running, { kind: 'everything' })).strands.size).toBe(1);
        expect(await store.retire({ endedBefore: 2, now: 0, limit: 10 })).toBe(1);
        expect(await store.read.workflow(DEFAULT_TENANT, large)).toBe(null);
      });

      test('tidying keeps everything', async () => {
        const id = await launched({ workitems: [workitem('0_0')] });
        await store.tidy();
        expect((await load(id, { kind: 'everything' })).workitems.size).toBe(1);
      });
    });
  });
}
