import type { Attributed } from '../../src/engine/attributes.ts';
import type { Engine, EngineStimulus, MessageSink, ReadyMessage } from '../../src/engine/engine.ts';
import { makeEngine } from '../../src/engine/make-engine.ts';
import { makeTrees } from '../../src/engine/trees.ts';
import type { Step } from '../../src/engine/turn.ts';
import { step as realStep } from '../../src/interpreter/step.ts';
import { unpackHistory } from '../../src/model/history.ts';
import type { ExpressionId, WorkflowId } from '../../src/model/ids.ts';
import type { Fields, Json } from '../../src/model/json.ts';
import type { WorkflowRow, WorkitemRow } from '../../src/model/rows.ts';
import { type Answer, LIMITS, type Loaded } from '../../src/model/stimulus.ts';
import { DEFAULT_TENANT } from '../../src/model/tenant.ts';
import { stoppedClock } from '../../src/runtime/clock.ts';
import { type Ids, randomIds } from '../../src/runtime/ids.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { makeDefinitions } from '../../src/server/definitions.ts';
import type { Save, Store, Transaction } from '../../src/store/store.ts';
import { loadFrom } from '../store/topic.ts';
import { SERVER } from './origin.ts';

/* The real engine with the real interpreter on a real store, with time that the test moves and trouble that the test makes. */

export const START = Date.UTC(2015, 9, 5, 12, 47);
export const SCHEDULE = {
  active: [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030],
  notice: [5, 30, 120, 420],
};
export const URL_OF_ALL = 'http://participants.test/callbacks';

const definitions = makeDefinitions();

/** What the test can do to the store under the engine. */
export type Trouble = {
  /** Called with what `begin` was asked for; may wait, or throw instead of beginning. */
  begin?: (workflows: readonly WorkflowId[]) => Promise<void> | void;
  /** Workflows that count as locked elsewhere. */
  busy?: (workflow: WorkflowId) => boolean;
  /** Called before a commit; may throw instead of it, or answer `lost`. */
  commit?: (save: Save) => 'lost' | undefined;
};

export type Watched = {
  readonly store: Store;
  readonly trouble: Trouble;
  /** Workflows of each transaction begun, and what was committed, since `forget`. */
  begun: (readonly WorkflowId[])[];
  committed: Save[];
  /** Of these, how many in one round trip. */
  atOnce: number;
  definitions: string[];
  forget(): void;
};

/** A store that is watched, and can be made to fail. */
export function watched(store: Store): Watched {
  const around: Watched = {
    trouble: {},
    begun: [],
    committed: [],
    atOnce: 0,
    definitions: [],
    forget: () => {
      around.begun = [];
      around.committed = [];
      around.atOnce = 0;
      around.definitions = [];
    },
    store: {
      ...store,
      definitions: {
        text: (hash) => {
          around.definitions.push(hash);
          return store.definitions.text(hash);
        },
      },
      // What goes in one round trip counts as a transaction, and has the same troubles.
      saveAtOnce:
        store.saveAtOnce === null
          ? null
          : async (save, remembered) => {
              const workflows = [...save.changes.keys()];
              around.begun.push(workflows);
              await around.trouble.begin?.(workflows);
              const stale =
                workflows.some((id) => around.trouble.busy?.(id)) || around.trouble.commit?.(save) === 'lost';
              const outcome = stale ? 'stale' : await store.saveAtOnce?.(save, remembered);
              if (outcome === 'committed') {
                around.committed.push(save);
                around.atOnce += 1;
              } else around.begun.pop();
              return outcome ?? 'stale';
            },
      begin: async (requests) => {
        around.begun.push(requests.map((request) => request.workflow));
        await around.trouble.begin?.(requests.map((request) => request.workflow));
        const isBusy = (workflow: WorkflowId): boolean => around.trouble.busy?.(workflow) === true;
        const busy = requests.map((request) => request.workflow).filter(isBusy);
        const tx = await store.begin(requests.filter((request) => !isBusy(request.workflow)));
        const commit = async (save: Save): Promise<'committed' | 'lost'> => {
          let made: 'lost' | undefined;
          try {
            made = around.trouble.commit?.(save);
          } catch (error) {
            await tx.rollback();
            throw error;
          }
          if (made !== undefined) {
            await tx.rollback();
            return made;
          }
          const outcome = await tx.commit(save);
          if (outcome === 'committed') around.committed.push(save);
          return outcome;
        };
        return { ...tx, busy: [...tx.busy, ...busy], commit } satisfies Transaction;
      },
    },
  };
  return around;
}

/** A sink that takes `places` messages and does nothing with them. */
export function collectingSink(places = Number.POSITIVE_INFINITY) {
  const taken: ReadyMessage[] = [];
  const state = { taken, reserved: 0, places, wakes: 0, withdrawn: [] as string[] };
  const sink: MessageSink = {
    reserve: () => {
      if (state.reserved >= state.places) return false;
      state.reserved += 1;
      return true;
    },
    unreserve: () => {
      state.reserved -= 1;
    },
    take: (messages) => void taken.push(...messages),
    wake: () => {
      state.wakes += 1;
    },
    withdraw: (workflow, workitems) =>
      void state.withdrawn.push(`${workflow} ${workitems === 'all' ? 'all' : workitems.join(' ')}`),
  };
  return { sink, state };
}

export type EngineParts = {
  readonly engine: Engine;
  readonly clock: ReturnType<typeof stoppedClock>;
  readonly time: ReturnType<typeof manualTime>;
  readonly ids: Ids;
  readonly nodeId: string;
};

export function engineOn(
  store: Store,
  options: {
    readonly step?: Step;
    readonly nodeId?: string;
    readonly log?: Log;
    readonly attributed?: Attributed;
  } = {},
): EngineParts {
  const clock = stoppedClock(START);
  const time = manualTime();
  const ids = randomIds();
  const nodeId = options.nodeId ?? 'node-1';
  const engine = makeEngine({
    store,
    definitions: makeTrees((hash) => store.definitions.text(hash)),
    step: options.step ?? realStep,
    clock,
    time,
    ids,
    limits: LIMITS,
    ...(options.attributed === undefined ? {} : { attributed: options.attributed }),
    log: options.log ?? silentLog,
    settings: { nodeId, leaseSeconds: 30, schedule: SCHEDULE },
  });
  return { engine, clock, time, ids, nodeId };
}

/** A launch of `text` (Radial, XML or JSON). */
export function launchOf(
  parts: Pick<EngineParts, 'ids'>,
  text: string,
  options: {
    readonly callback?: string;
    readonly fields?: Fields;
    readonly retry?: Json;
    readonly historyMax?: number;
  } = {},
): EngineStimulus {
  const read = definitions.read(text);
  if (!read.ok) throw new Error(`This definition cannot be read: ${JSON.stringify(read.errors)}`);
  const workflow = parts.ids.workflow(START);
  return {
    workflow,
    origin: SERVER,
    event: {
      kind: 'launch',
      launch: {
        id: workflow,
        tenant: DEFAULT_TENANT,
        ...definitions.prepare(read.tree),
        fields: options.fields ?? {},
        callbacks: options.callback ?? URL_OF_ALL,
        retry: options.retry ?? null,
        ...(options.historyMax !== undefined && { historyMax: options.historyMax }),
      },
    },
  };
}

export async function launch(
  parts: EngineParts,
  text: string,
  options: Parameters<typeof launchOf>[2] = {},
): Promise<WorkflowId> {
  const stimulus = launchOf(parts, text, options);
  const [answer] = await parts.engine.advance([stimulus]);
  if (answer?.ok !== true) throw new Error(`The launch was refused: ${JSON.stringify(answer)}`);
  return stimulus.workflow;
}

export async function whole(store: Store, workflow: WorkflowId): Promise<Loaded & { readonly workflow: WorkflowRow }> {
  const found = await store.read.whole(DEFAULT_TENANT, workflow, { limit: 1000, after: null });
  if (found === null || found.workflow === null) throw new Error(`There is no workflow ${workflow}`);
  return { ...found, workflow: found.workflow };
}

/** The workitem of a participant. */
export async function workitemOf(store: Store, workflow: WorkflowId, participant: string): Promise<WorkitemRow> {
  const of = ({ workitems }: Loaded) => [...workitems.values()].find((one) => one.participant === participant);
  // Those who look on are not shown workitems that are closed.
  const row = of(await whole(store, workflow)) ?? of(await loadFrom(store, workflow, { kind: 'everything' }));
  if (row === undefined) throw new Error(`${participant} has no workitem in ${workflow}`);
  return row;
}

export const proceedOf = (workflow: WorkflowId, workitem: ExpressionId, fields: Fields = {}) => ({
  workflow,
  origin: SERVER,
  event: { kind: 'proceed' as const, workitem, fields },
});

/** What happened, as kinds, with the numbers checked to be without gaps from 1. */
export async function historyOf(
  store: Store,
  workflow: WorkflowId,
): Promise<{ readonly kinds: string[]; readonly entries: Record<string, Json>[] }> {
  const rows = await store.read.history(DEFAULT_TENANT, workflow, 0, 1000);
  const entries: Record<string, Json>[] = [];
  for (const row of rows) {
    if (row.firstN !== entries.length + 1)
      throw new Error(`History row ${row.firstN} comes after ${entries.length} entries`);
    entries.push(...unpackHistory(row.entries, workflow));
    if (row.lastN !== entries.length) throw new Error(`History row ${row.firstN}–${row.lastN} holds other entries`);
  }
  const { workflow: last } = await whole(store, workflow);
  if (last.lastN !== entries.length) throw new Error(`The workflow counts ${last.lastN} of ${entries.length} entries`);
  return { kinds: entries.map((entry) => String(entry['kind'])), entries };
}

/** Lets everything go on until `look` says so; fails when it never does. */
export async function until(look: () => boolean | Promise<boolean>, what = 'the awaited state'): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (await look()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what} did not come`);
}

export const okay = (answers: readonly Answer[]): readonly boolean[] => answers.map((answer) => answer.ok);
