import type { Tenant } from '../../model/tenant.ts';
import type { Page } from '../page.ts';
import { BATCH_ITEM, type BatchItemRow, type FoundItem } from './batch-item.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/**
 * The same thing done to many workflows: batches, and the items of each. What is collected is counted in the same statement, and so is what came
 * of items, so that `total = done + failed + skipped + left` holds in every row that is read.
 */
export type Batches = {
  /** `given`: its items where they are known, which makes it ready to run; null: somebody has to look for them. */
  add(batch: NewBatch, given: readonly FoundItem[] | null): Promise<void>;
  get(tenant: Tenant, id: string): Promise<BatchRow | null>;
  /** Newest first. `state` null: in whatever state. */
  list(query: {
    readonly tenant: Tenant;
    readonly state: BatchState | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<BatchRow>>;
  /** How many of a tenant are not over. */
  unfinished(tenant: Tenant): Promise<number>;
  /** Those that somebody has to go on with and nobody is at, at most `limit`, the one that waits longest first. `waitSeconds`: it is not to be gone
   * on with before that. */
  waiting(limit: number): Promise<readonly WaitingBatch[]>;
  /** Takes it up for so long; null when another node was quicker. */
  claim(id: string, node: string, leaseSeconds: number): Promise<BatchRow | null>;
  /** Puts it back: whoever is next may go on with it after so many seconds. */
  release(id: string, node: string, waitSeconds: number): Promise<void>;
  /**
   * Adds what one page of the search found, numbered on from `total`, and notes how far it is.
   *
   * @param from the place the page began at; false, and nothing is added, when the batch is not there any more
   * @param isLast there are no others: it runs from now on
   */
  collect(
    id: string,
    from: string | null,
    page: { readonly items: readonly FoundItem[]; readonly next: string | null; readonly isLast: boolean },
  ): Promise<boolean>;
  /** The first items that are left. */
  next(id: string, limit: number): Promise<readonly BatchItemRow[]>;
  /** Notes that items are going to be tried, and where the history of their workflows stood before the first try. The latter by `seq`. */
  take(
    id: string,
    items: readonly { readonly seq: number; readonly lastN: number }[],
  ): Promise<ReadonlyMap<number, number>>;
  /** Notes what came of items, each once: what is settled stays as it is. Of the state `left`: nothing did, and nobody is at it. */
  settle(id: string, items: readonly SettledItem[]): Promise<void>;
  /** No more of it, if it is not over. */
  stop(id: string, problem: string | null): Promise<boolean>;
  /** The same, but it could not even begin. */
  fail(id: string, problem: string): Promise<boolean>;
  items(query: {
    readonly batch: string;
    readonly state: BatchItemRow['state'] | null;
    readonly limit: number;
    readonly after: string | null;
  }): Promise<Page<BatchItemRow>>;
  /** What went wrong, the most frequent first, of the first ITEMS_GROUPED_MAX items that were skipped or failed. */
  problems(id: string): Promise<readonly { readonly code: string; readonly count: number }[]>;
};

export const BATCH_STATES = ['collecting', 'running', 'completed', 'stopped', 'failed'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

export type BatchRow = {
  readonly id: string;
  readonly tenant: string;
  readonly action: string;
  /** JSON. */
  readonly asked: string;
  /** JSON. */
  readonly params: string;
  readonly reason: string | null;
  readonly actor: string | null;
  /** Items in a second at most. */
  readonly rate: number | null;
  readonly state: string;
  readonly place: string | null;
  /** While it is collecting: those found so far. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  readonly problem: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly nextAt: number;
  readonly owner: string | null;
  readonly leaseUntil: number;
};
export type NewBatch = Pick<BatchRow, 'id' | 'tenant' | 'action' | 'asked' | 'params' | 'reason' | 'actor' | 'rate'>;
export type WaitingBatch = { readonly id: string; readonly tenant: string; readonly waitSeconds: number };
export type SettledItem = {
  readonly seq: number;
  readonly state: BatchItemRow['state'];
  readonly code: string | null;
  readonly message: string | null;
};

/** Whoever adds a batch with its items has so long to do it. */
const ADDING_SECONDS = 60;
const MONTH_MS = 30 * 86_400_000;

export const BATCH = table<BatchRow>()({
  name: 'batch',
  key: ['id'],
  columns: {
    id: 'text',
    tenant: 'text',
    action: 'text',
    asked: 'text',
    params: 'text',
    reason: 'text',
    actor: 'text',
    rate: 'integer',
    state: 'text',
    place: 'text',
    total: 'integer',
    done: 'integer',
    failed: 'integer',
    skipped: 'integer',
    problem: 'text',
    createdAt: 'instant',
    startedAt: 'instant',
    endedAt: 'instant',
    nextAt: 'instant',
    owner: 'text',
    leaseUntil: 'instant',
  },
  lists: {
    newest: { by: ['tenant'], order: ['createdAt', 'id'], newestFirst: true },
    byState: { by: ['tenant', 'state'], order: ['createdAt', 'id'], newestFirst: true },
  },
  statements: {
    unfinished: `select count(*) as n from batch where tenant = $1::text and state in ('collecting', 'running')`,
    waiting: `
  select id, tenant, greatest(0, extract(epoch from next_at - statement_timestamp()))::double precision as "waitSeconds" from batch
  where (state in ('collecting', 'running') or owner is not null) and lease_until <= statement_timestamp()
  order by next_at limit $1::integer`,
  },
  sweep: { by: 'endedAt', keepMs: MONTH_MS },
});

export function openBatches(open: OpenTable): Batches {
  const batches = open(BATCH);
  const items = open(BATCH_ITEM);
  const collect: Batches['collect'] = async (id, from, { items: found, next, isLast }) => {
    const given = JSON.stringify(found.map(({ workflow, object }, i) => ({ i: i + 1, w: workflow, o: object })));
    const rows = await items.own('collect', [id, from, next, isLast, given]);
    return rows.length > 0;
  };
  /** The end of one that is not over; what its node is at may still be counted. */
  async function end(id: string, state: BatchState, problem: string | null): Promise<boolean> {
    for (const before of ['collecting', 'running'] as const)
      if (await batches.update({ id }, { state, problem, endedAt: fromNow(0) }, { state: before })) return true;
    return false;
  }
  return {
    add: async (batch, given) => {
      const isNew = await batches.insert({
        ...batch,
        ...{ state: 'collecting', place: null, total: 0, done: 0, failed: 0, skipped: 0, problem: null },
        ...{ createdAt: fromNow(0), startedAt: null, endedAt: null, nextAt: fromNow(0), owner: null },
        leaseUntil: fromNow(given === null ? 0 : ADDING_SECONDS),
      });
      if (!isNew) throw new Error('A fresh id of a batch is there already');
      if (given === null) return;
      await collect(batch.id, null, { items: given, next: null, isLast: true });
      await batches.update({ id: batch.id }, { leaseUntil: fromNow(0) }, { owner: null });
    },
    get: async (tenant, id) => {
      const row = await batches.get({ id });
      return row?.tenant === tenant ? row : null;
    },
    list: ({ tenant, state, ...page }) =>
      state === null
        ? batches.list('newest', { by: { tenant }, ...page })
        : batches.list('byState', { by: { tenant, state }, ...page }),
    unfinished: async (tenant) => Number((await batches.own('unfinished', [tenant]))[0]?.['n'] ?? 0),
    waiting: async (limit) => (await batches.own('waiting', [limit])) as readonly unknown[] as readonly WaitingBatch[],
    claim: async (id, node, leaseSeconds) => {
      const isOurs = await batches.update(
        { id },
        { owner: node, leaseUntil: fromNow(leaseSeconds) },
        { leaseUntil: { atMost: fromNow(0) } },
      );
      if (!isOurs) return null;
      await batches.update({ id }, { startedAt: fromNow(0) }, { startedAt: null });
      return batches.get({ id });
    },
    release: async (id, node, waitSeconds) =>
      void (await batches.update(
        { id },
        { owner: null, leaseUntil: fromNow(0), nextAt: fromNow(waitSeconds) },
        { owner: node },
      )),
    collect,
    next: async (batch, limit) => (await items.list('byState', { by: { batchId: batch, state: 'left' }, limit })).items,
    take: async (id, taken) => {
      const given = JSON.stringify(taken.map(({ seq, lastN }) => ({ seq, last_n: lastN })));
      const rows = await items.own('take', [id, given]);
      return new Map(rows.map((row) => [Number(row['seq']), Number(row['lastN'])]));
    },
    settle: async (id, settled) => void (await items.own('settle', [id, JSON.stringify(settled)])),
    stop: (id, problem) => end(id, 'stopped', problem),
    fail: (id, problem) => end(id, 'failed', problem),
    items: ({ batch, state, ...page }) =>
      state === null
        ? items.list('all', { by: { batchId: batch }, ...page })
        : items.list('byState', { by: { batchId: batch, state }, ...page }),
    problems: async (id) =>
      (await items.own('problems', [id])).map((row) => ({ code: String(row['code']), count: Number(row['n']) })),
  };
}
