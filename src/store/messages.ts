import { randomUUID } from 'node:crypto';
import { SHARDS, shardOf, type WorkflowId } from '../model/ids.ts';
import type { AgendaRow } from '../model/rows.ts';
import type { Tenant } from '../model/tenant.ts';
import { type Connections, runAll, type Statement } from './connections.ts';
import type { AgendaPeek, ClaimedMessage, Store } from './store.ts';
import { type DatabaseRow, rowOf, selected, WORKITEM } from './tables/of-workflow.ts';

/* What is due: messages are claimed (a token and a lease on the database's clock), agenda rows are only looked at. */

/** One claim takes at most this many; callers that ask for more get this. */
const CLAIM_MAX = 1_000;

/**
 * Among very many due messages the oldest may be dead and still lie where every claim begins to look, until the database has vacuumed. So
 * a claim that got all it asked for is followed by others that begin where it found the first; for so long.
 */
const FROM_THE_START_MS = 1_000;
const START = Number.MIN_SAFE_INTEGER;

/** What a claim brings, from a list `mine` of claimed rows that is joined to `joined`. */
const broughtFrom = (from: string, ofBase = ''): string => `
  select m.workflow_id as workflow, m.tenant, ${selected(WORKITEM, 'm')},
    -- a base is large and many workitems share it: it comes with one of them
    case when m.inherits is not null
      and (lag(m.workflow_id) over beside, lag(m.inherits) over beside) is distinct from (m.workflow_id, m.inherits)
    then (
      select v.value from variable v
      where v.shard = m.shard and v.workflow_id = m.workflow_id and v.scope = m.inherits and v.name = '^' ${ofBase}
    ) end as base_value
  from ${from}
  window beside as (order by m.workflow_id, m.inherits, m.id)
  order by m.due_at, m.id`;

const claimed = (locking: string, where: string, ofBase = ''): string => `
  with due as materialized (
    select t.shard, t.workflow_id, t.id from workitem t
    where t.send is not null and t.held_at is null and t.due_at <= $1
      and (t.lease_until is null or t.lease_until < statement_timestamp()) and ${where}
    order by t.due_at
    limit $2
    ${locking}
  ), mine as (
    update workitem t
    set claim = $3, owner = $4, lease_until = statement_timestamp() + $5::double precision * interval '1 second'
    from due
    where t.shard = due.shard and t.workflow_id = due.workflow_id and t.id = due.id
      and (t.lease_until is null or t.lease_until < statement_timestamp()) and ${where}
    returning t.*
  )
  ${broughtFrom('mine m', ofBase)}`;

/** The host a message goes to, as outbox/message.ts tells it; and as the index `workitem_due_by_host` has it, word for word. */
const HOST = `(coalesce(lower(substring(t.url from '//([^/?#]*)')), '-') collate "C")`;
const UNCLAIMED = 't.send is not null and t.held_at is null and t.claim is null';
/** One look goes through this many hosts; the next one begins behind them. */
const HOSTS_PER_LOOK = 500;
/** Looks of one claim: so many times as many hosts may have messages that are not due yet. */
const LOOKS_MAX = 40;

/**
 * Hosts take turns: from one to the next by the index, however many messages each has, and of each that has some due the same number. What
 * others have claimed and lost (their lease is over) comes in order of time, where it is asked for.
 */
const claimSpread: Statement = {
  name: 'claim_spread',
  text: `
  with recursive hosts as (
    (select ${HOST} as host, t.due_at, 1 as seen from workitem t
     where ${UNCLAIMED} and ${HOST} > $6::text
     order by ${HOST}, t.due_at limit 1)
    union all
    select next.host, next.due_at, before.seen + 1 from hosts before
    cross join lateral (
      select ${HOST} as host, t.due_at from workitem t
      where ${UNCLAIMED} and ${HOST} > before.host
      order by ${HOST}, t.due_at limit 1
    ) next
    where before.seen < ${HOSTS_PER_LOOK}
  ), ready as materialized (
    select host from hosts where due_at <= $1::bigint and host <> all($7::text[])
  ), by_host as materialized (
    select due.* from ready
    cross join lateral (
      select one.*, row_number() over () as turn from (
        select t.shard, t.workflow_id, t.id, t.due_at, coalesce(octet_length(t.fields), 0) as bytes from workitem t
        where ${UNCLAIMED} and ${HOST} = ready.host and t.due_at <= $1::bigint
        order by t.due_at
        limit (select greatest(1, $2::integer / greatest(1, count(*))) from ready)
        for update skip locked  -- several nodes share the table without waiting for each other
      ) one
    ) due
    limit $2
  ), lost as materialized (
    select t.shard, t.workflow_id, t.id, t.due_at, coalesce(octet_length(t.fields), 0) as bytes, 0::bigint as turn from workitem t
    where $9::boolean and t.send is not null and t.held_at is null and t.due_at <= $1::bigint
      and t.lease_until < statement_timestamp()
    order by t.due_at
    limit $2
    for update skip locked
  ), chosen as (
    select found.*, sum(bytes) over (order by turn, due_at, shard, workflow_id, id) - bytes as before
    from (select * from by_host union all select * from lost) found
  ), mine as (
    update workitem t
    set claim = $3, owner = $4, lease_until = statement_timestamp() + $5::double precision * interval '1 second'
    from chosen
    where t.shard = chosen.shard and t.workflow_id = chosen.workflow_id and t.id = chosen.id and chosen.before < $8::bigint
      and (t.lease_until is null or t.lease_until < statement_timestamp())
    returning t.*
  ), place as (
    select max(host) as last_host, count(*) as hosts_seen from hosts
  )
  ${broughtFrom('place left join mine m on true').replace('select m.workflow_id', 'select place.last_host, place.hosts_seen, m.workflow_id')}`,
};

const claimDue: Statement = {
  name: 'claim_due',
  text: claimed(
    'for update skip locked  -- several nodes share the table without waiting for each other',
    't.due_at >= $6::bigint',
  ),
};

/** Without locks the second look at the lease, in the update, decides who of two gets a row. */
const claimDueInShard: Statement = {
  name: 'claim_due_in_shard',
  text: claimed('', 't.shard = $6::smallint', 'and v.shard = $6::smallint'),
};

const renewClaim: Statement = {
  name: 'renew_claim',
  text: `
  update workitem
  set lease_until = statement_timestamp() + $5::double precision * interval '1 second'
  where shard = $1 and workflow_id = $2 and id = $3 and claim = $4 and lease_until > statement_timestamp()
    and ($6::text is null or (send = $6 and held_at is null))  -- not "send is not null": with few rows the index of what is due would seem fit`,
};

const releaseClaimsInShard: Statement = {
  name: 'release_claims_in_shard',
  text: `
  update workitem set claim = null, owner = null, lease_until = null
  where shard = $2::smallint and send is not null and held_at is null and owner = $1`,
};

const releaseClaims: Statement = {
  name: 'release_claims',
  text: `
  update workitem set claim = null, owner = null, lease_until = null
  where send is not null and held_at is null and owner = $1  -- by the index of what is due: few rows owe a message`,
};

/** The predecessor is known to be dead: whatever is claimed is nobody's. */
export const clearClaims: Statement = {
  name: 'clear_claims',
  text: 'update workitem set claim = null, owner = null, lease_until = null where claim is not null',
};

const peekColumns = 'workflow_id as workflow, id, kind, due_at, path';
const peekAgenda: Statement = {
  name: 'peek_agenda',
  text: `
  (select ${peekColumns}, 0 as turn from agenda
   where held_at is null and due_at <= $1 and shard % $3::integer = $4::integer
   order by due_at limit $2)
  union all
  (select ${peekColumns}, 1 as turn from agenda
   where held_at is null and due_at <= $5 and shard % $3::integer <> $4::integer
   order by due_at limit $2)
  order by turn, due_at
  limit $2`,
};

const nextDueAt: Statement = {
  name: 'next_due_at',
  text: `
  select least(
    (select due_at from agenda where held_at is null and due_at > $1 order by due_at limit 1),
    (select due_at from workitem where send is not null and held_at is null and due_at > $1 order by due_at limit 1)
  ) as due_at`,
};

const hasDueInShard: Statement = {
  name: 'has_due_in_shard',
  text: `
  select 1 from workitem
  where shard = $2::smallint and send is not null and held_at is null and due_at <= $1
    and (lease_until is null or lease_until < statement_timestamp())
  limit 1`,
};

const peekAgendaInShard: Statement = {
  name: 'peek_agenda_in_shard',
  text: `
  select ${peekColumns} from agenda
  where held_at is null and due_at <= $1 and shard = $3::smallint
  order by due_at limit $2`,
};

/** Indexes for these questions, where the whole database has one index rather than each shard one: made when a store is opened. */
export const SHARD_INDEXES: readonly string[] = [
  'create index if not exists workitem_due_in_shard on workitem (shard, due_at) where send is not null and held_at is null',
  'create index if not exists agenda_due_in_shard on agenda (shard, due_at) where held_at is null',
];

const nextDueAtInShard: Statement = {
  name: 'next_due_at_in_shard',
  text: `
  select least(
    (select due_at from agenda where shard = $2::smallint and held_at is null and due_at > $1 order by due_at limit 1),
    (select due_at from workitem
     where shard = $2::smallint and send is not null and held_at is null and due_at > $1 order by due_at limit 1)
  ) as due_at`,
};

export type DueParts = Pick<Store, 'claimDue' | 'renewClaim' | 'releaseClaims' | 'peekAgenda' | 'nextDueAt'>;

/** What was claimed; one of the workitems that inherit from a base has brought it for the others. */
function messagesOf(claim: string, records: readonly DatabaseRow[]): readonly ClaimedMessage[] {
  const bases = new Map<string, string>();
  const keyOf = (record: DatabaseRow): string => `${record['workflow']} ${record['inherits']}`;
  for (const record of records)
    if (typeof record['base_value'] === 'string') bases.set(keyOf(record), record['base_value']);
  return records.map((record) => {
    const workflow = record['workflow'] as WorkflowId;
    const row = rowOf(WORKITEM, record);
    const base = row.inherits === null ? null : (bases.get(keyOf(record)) ?? null);
    return { workflow, tenant: record['tenant'] as Tenant, claim, row, base };
  });
}

const peekOf = (record: DatabaseRow): AgendaPeek => ({
  workflow: record['workflow'] as WorkflowId,
  id: record['id'] as string,
  kind: record['kind'] as AgendaRow['kind'],
  dueAt: record['due_at'] as number,
  path: record['path'] as string | null,
});

const renew =
  (connections: Connections): Store['renewClaim'] =>
  async ({ key, claim, leaseSeconds, send }) => {
    const values = [shardOf(key.workflow), key.workflow, key.workitem, claim, leaseSeconds, send ?? null];
    return (await connections.run(renewClaim, values)).count === 1;
  };

const byDueAt = (messages: readonly ClaimedMessage[]): readonly ClaimedMessage[] =>
  messages.toSorted((a, b) => (a.row.dueAt ?? 0) - (b.row.dueAt ?? 0));

/** Looking for lost claims may go over all that is due: it takes at most one part in this many of the time. */
const LOST_LOOK_PART = 20;

type Spread = NonNullable<Parameters<Store['claimDue']>[0]['spread']>;

/** Claims with hosts taking turns; goes on behind the last host that was looked at. */
function makeClaimSpread(
  connections: Connections,
): (values: readonly [number, number, string, string, number], spread: Spread) => Promise<readonly ClaimedMessage[]> {
  let host = '';
  let lostLookAt = 0;
  return async (values, spread) => {
    const begin = host;
    let wrapped = false;
    let looksForLost = performance.now() >= lostLookAt;
    let lookedForLost = false;
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const startedAt = performance.now();
      const { rows } = await connections.run(claimSpread, [
        ...values,
        host,
        spread.skip,
        spread.bytesMax,
        looksForLost,
      ]);
      if (looksForLost) lostLookAt = performance.now() + (performance.now() - startedAt) * LOST_LOOK_PART;
      lookedForLost ||= looksForLost;
      looksForLost = false;
      const isLast = Number(rows[0]?.['hosts_seen'] ?? 0) < HOSTS_PER_LOOK;
      host = isLast ? '' : String(rows[0]?.['last_host']);
      const claimed = rows.filter((row) => row['workflow'] !== null);
      if (claimed.length > 0) return messagesOf(values[2], claimed);
      // Once round all hosts there is nothing left that nobody has claimed: what is due now can only be what was lost.
      const isRound = isLast ? begin === '' || wrapped : wrapped && host >= begin;
      wrapped ||= isLast;
      if (!isRound) continue;
      if (lookedForLost || spread.skip.length > 0) return [];
      looksForLost = true;
    }
    return [];
  };
}

export function makeDue(connections: Connections): DueParts {
  let from = { dueAt: START, until: 0 };
  const bySpread = makeClaimSpread(connections);
  return {
    claimDue: async ({ now, owner, limit, leaseSeconds, spread }) => {
      const claim = randomUUID();
      const most = Math.min(limit, CLAIM_MAX);
      if (spread !== undefined) return bySpread([now, most, claim, owner, leaseSeconds], spread);
      const look = async (want: number, dueAt: number): Promise<readonly ClaimedMessage[]> =>
        messagesOf(claim, (await connections.run(claimDue, [now, want, claim, owner, leaseSeconds, dueAt])).rows);
      const later = performance.now() < from.until ? await look(most, from.dueAt) : [];
      if (later.length === most) return later;
      const messages = await look(most - later.length, START);
      const [first] = messages;
      // With fewer than asked for, nothing is due but these.
      const hasMore = messages.length === most - later.length && first !== undefined;
      from = hasMore
        ? { dueAt: first.row.dueAt ?? START, until: performance.now() + FROM_THE_START_MS }
        : { dueAt: START, until: 0 };
      return later.length === 0 ? messages : byDueAt([...messages, ...later]);
    },
    renewClaim: renew(connections),
    releaseClaims: async (owner) => {
      await connections.run(releaseClaims, [owner]);
    },
    peekAgenda: async ({ now, limit, share, shares, othersAfterMs }) => {
      const { rows } = await connections.run(peekAgenda, [now, limit, shares, share, now - othersAfterMs]);
      return rows.map(peekOf);
    },
    nextDueAt: async (after) => {
      const { rows } = await connections.run(nextDueAt, [after ?? -1]);
      return (rows[0]?.['due_at'] ?? null) as number | null;
    },
  };
}

/** Hosts take turns by way of their shards: of each at least so many messages. */
const SHARD_SHARE_MIN = 4;

/**
 * The same, shard by shard. Which of them have something due is asked for all in one go, and then only those are visited. Nothing is in
 * order of time across shards, but what is due comes in bounded time: each call begins behind the shard at which the last one had enough.
 */
export function makeDueByShard(connections: Connections): DueParts {
  let next = 0;
  const all = Array.from({ length: SHARDS }, (_, shard) => shard);
  return {
    claimDue: async ({ now, owner, limit, leaseSeconds, spread }) => {
      const claim = randomUUID();
      const most = Math.min(limit, CLAIM_MAX);
      const looks = await runAll(
        connections,
        hasDueInShard,
        all.map((shard) => [now, shard]),
      );
      const due = all.filter((shard) => (looks[shard]?.length ?? 0) > 0);
      const messages: ClaimedMessage[] = [];
      // A workflow is in one shard: when those take turns, a wide one keeps nobody else waiting.
      const each = spread === undefined ? most : Math.max(SHARD_SHARE_MIN, Math.floor(most / Math.max(1, due.length)));
      for (const shard of [...due.filter((one) => one >= next), ...due.filter((one) => one < next)]) {
        const values = [now, Math.min(each, most - messages.length), claim, owner, leaseSeconds, shard];
        messages.push(...messagesOf(claim, (await connections.run(claimDueInShard, values)).rows));
        next = (shard + 1) % SHARDS;
        if (messages.length >= most) break;
      }
      return byDueAt(messages);
    },
    renewClaim: renew(connections),
    releaseClaims: async (owner) => {
      for (const shard of all) await connections.run(releaseClaimsInShard, [owner, shard]);
    },
    peekAgenda: async ({ now, limit, share, shares, othersAfterMs }) => {
      const isOwn = (shard: number): boolean => shard % shares === share;
      const looks = await runAll(
        connections,
        peekAgendaInShard,
        all.map((shard) => [isOwn(shard) ? now : now - othersAfterMs, limit, shard]),
      );
      return looks
        .flatMap((rows, shard) => rows.map((record) => ({ peek: peekOf(record), own: isOwn(shard) })))
        .sort((a, b) => Number(b.own) - Number(a.own) || a.peek.dueAt - b.peek.dueAt)
        .slice(0, limit)
        .map(({ peek }) => peek);
    },
    nextDueAt: async (after) => {
      const looks = await runAll(
        connections,
        nextDueAtInShard,
        all.map((shard) => [after ?? -1, shard]),
      );
      const times = looks.flatMap((rows) => rows.map((record) => record['due_at'] as number | null));
      const known = times.filter((at): at is number => at !== null);
      return known.length === 0 ? null : Math.min(...known);
    },
  };
}
