import type { Page } from '../page.ts';
import type { PageQuery } from './rotated.ts';
import { type OpenTable, table } from './table.ts';

/** What is owed to subscriptions, and to the `notify` of launches. Rows are written with the step that owes them (`Save.deliveries`). */
export type Deliveries = {
  /** Beside steps: a test, or what is made again from history. False: it is there already. */
  add(row: OwedDelivery): Promise<boolean>;
  /**
   * Claims what is due, oldest first. Of an ordered one nothing is claimed that has something owed before it.
   *
   * @param skip those who get nothing this time: `whomOf` of their rows
   */
  claim(request: {
    readonly now: number;
    readonly claim: string;
    readonly limit: number;
    readonly leaseSeconds: number;
    readonly skip: readonly string[];
  }): Promise<readonly DeliveryRow[]>;
  /** False: it is not ours any more. */
  renew(id: string, claim: string, leaseSeconds: number): Promise<boolean>;
  /** How a try ended; the claim is given back. False: it is not ours any more. */
  end(
    id: string,
    claim: string,
    set: Pick<DeliveryRow, 'state' | 'tries' | 'dueAt' | 'goneAt' | 'log'>,
  ): Promise<boolean>;
  /** Gives a claim back, with another due time. */
  putOff(id: string, claim: string, dueAt: number): Promise<void>;
  /** What is owed to a subscription later is owed now, at most `limit` of it. Answers how many that were. */
  hasten(subscription: string, now: number, limit: number): Promise<number>;
  /** It is owed again, from now on. */
  again(id: string, dueAt: number): Promise<boolean>;
  nextDueAt(after: number): Promise<number | null>;
  /** How many are owed to a subscription, counted to `most`. */
  owed(subscription: string, most: number): Promise<number>;
  get(id: string): Promise<DeliveryRow | null>;
  /** Newest first. */
  of(subscription: string, query: PageQuery): Promise<Page<DeliveryRow>>;
};

export type DeliveryState = 'owed' | 'failing' | 'delivered' | 'spent';

export type DeliveryRow = {
  /** The `webhook-id`: `<workflow>_<n>_<subscription>`. */
  readonly id: string;
  readonly tenant: string;
  /** A subscription's id; `notify…`: of the launch. */
  readonly subscription: string;
  readonly workflowId: string;
  readonly n: number;
  readonly type: string;
  /** The event as it is sent. */
  readonly event: string;
  /** Of `notify`: JSON of where it goes. */
  readonly target: string | null;
  readonly ordered: boolean;
  readonly state: string;
  readonly tries: number;
  /** Business time; null: nothing is owed any more. */
  readonly dueAt: number | null;
  readonly createdAt: number;
  readonly goneAt: number | null;
  /** JSON list of the last tries. */
  readonly log: string;
  readonly claim: string | null;
  readonly leaseUntil: number | null;
};

/** Whom a delivery is for: where its launch says so itself, or its subscription. */
export const whomOf = ({ target, subscription }: Pick<DeliveryRow, 'target' | 'subscription'>): string =>
  target ?? subscription;

/** Rows that are due and are passed by, in search of others, in one claim. */
export const PASSED_BY_MAX = 10_000;

/** As it is born. */
export type OwedDelivery = Pick<
  DeliveryRow,
  'id' | 'tenant' | 'subscription' | 'workflowId' | 'n' | 'type' | 'event' | 'target' | 'ordered' | 'createdAt'
>;

export const born = (owed: OwedDelivery): DeliveryRow => ({
  ...owed,
  state: 'owed',
  tries: 0,
  dueAt: owed.createdAt,
  goneAt: null,
  log: '[]',
  claim: null,
  leaseUntil: null,
});

export const DELIVERY = table<DeliveryRow>()({
  name: 'delivery',
  key: ['id'],
  columns: {
    id: 'text',
    tenant: 'text',
    subscription: 'text',
    workflowId: 'text',
    n: 'integer',
    type: 'text',
    event: 'text',
    target: 'text',
    ordered: 'boolean',
    state: 'text',
    tries: 'integer',
    dueAt: 'bigint',
    createdAt: 'bigint',
    goneAt: 'bigint',
    log: 'text',
    claim: 'text',
    leaseUntil: 'instant',
  },
  lists: { newest: { by: ['subscription'], order: ['createdAt', 'id'], newestFirst: true } },
  statements: {
    claim: `
  with due as materialized (
    select d.id from (
      select id, due_at, lease_until, ordered, subscription, workflow_id, n, target from delivery
      where due_at is not null and due_at <= $1::bigint order by due_at limit ${PASSED_BY_MAX}) d
    where (d.lease_until is null or d.lease_until < statement_timestamp())
      and coalesce(d.target, d.subscription) not in (select jsonb_array_elements_text($5::jsonb))
      and (not d.ordered or not exists (
        select 1 from delivery e
        where e.subscription = d.subscription and e.workflow_id = d.workflow_id and e.n < d.n and e.due_at is not null))
    order by d.due_at
    limit $2::integer
  )
  update delivery t
  set claim = $3::text, lease_until = statement_timestamp() + $4::double precision * interval '1 second'
  -- Looked at again when a row that another node is claiming becomes free.
  from due where t.id = due.id and t.due_at is not null and t.due_at <= $1::bigint
    and (t.lease_until is null or t.lease_until < statement_timestamp())
  returning t.id as "id", t.tenant as "tenant", t.subscription as "subscription", t.workflow_id as "workflowId", t.n as "n",
    t.type as "type", t.event as "event", t.target as "target", t.ordered as "ordered", t.state as "state", t.tries as "tries",
    t.due_at as "dueAt", t.created_at as "createdAt", t.gone_at as "goneAt", t.log as "log", t.claim as "claim"`,
    hasten: `
  update delivery set due_at = $2::bigint where id in (
    select id from delivery where subscription = $1::text and due_at is not null and due_at > $2::bigint limit $3::integer)
  returning id as "id"`,
    renew: `
  update delivery set lease_until = statement_timestamp() + $3::double precision * interval '1 second'
  where id = $1::text and claim = $2::text and lease_until > statement_timestamp() and due_at is not null
  returning id as "id"`,
    next_due: `
  select due_at as "dueAt" from delivery where due_at is not null and due_at > $1::bigint order by due_at limit 1`,
    owed: `
  select count(*)::integer as "owed" from (
    select 1 from delivery where subscription = $1::text and due_at is not null limit $2::integer) x`,
  },
  sweep: { by: 'goneAt', keepMs: 0 },
});

export function openDeliveries(open: OpenTable): Deliveries {
  const rows = open(DELIVERY);
  const free = { claim: null, leaseUntil: null };
  return {
    add: (row) => rows.insert(written(born(row))),
    claim: async ({ now, claim, limit, leaseSeconds, skip }) => {
      const found = await rows.own('claim', [now, limit, claim, leaseSeconds, JSON.stringify(skip)]);
      return (found as readonly DeliveryRow[]).toSorted((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0));
    },
    renew: async (id, claim, leaseSeconds) => (await rows.own('renew', [id, claim, leaseSeconds])).length === 1,
    end: (id, claim, set) => rows.update({ id }, { ...set, ...free }, { claim }),
    putOff: async (id, claim, dueAt) => void (await rows.update({ id }, { dueAt, ...free }, { claim })),
    hasten: async (subscription, now, limit) => (await rows.own('hasten', [subscription, now, limit])).length,
    again: (id, dueAt) => rows.update({ id }, { state: 'owed', tries: 0, dueAt, goneAt: null, ...free }),
    nextDueAt: async (after) => {
      const [first] = await rows.own('next_due', [after]);
      return (first?.['dueAt'] as number | undefined) ?? null;
    },
    owed: async (subscription, most) => Number((await rows.own('owed', [subscription, most]))[0]?.['owed'] ?? 0),
    get: (id) => rows.get({ id }),
    of: (subscription, query) => rows.list('newest', { by: { subscription }, ...query }),
  };
}

/** Nobody has claimed it: its lease is no time yet. */
const written = (row: DeliveryRow) => ({ ...row, leaseUntil: null });
