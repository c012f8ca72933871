import { randomBytes } from 'node:crypto';
import { SHARDS, shardOf, type WorkflowId } from '../model/ids.ts';
import type { AgendaRow } from '../model/rows.ts';
import { makeClaimSpread } from './claim-spread.ts';
import { broughtFrom, countingLost, messagesOf } from './claimed.ts';
import { type Connections, runAll, type Statement } from './connections.ts';
import type { AgendaPeek, ClaimedMessage, Store } from './store.ts';
import type { DatabaseRow } from './tables/of-workflow.ts';

/* What is due: messages are claimed (a token and a lease on the database's clock), agenda rows are only looked at. */

/** One claim takes at most this many; callers that ask for more get this. */
const CLAIM_MAX = 1_000;

/**
 * Among very many due messages the oldest may be dead and still lie where every claim begins to look, until the database has vacuumed. So
 * a claim that got all it asked for is followed by others that begin where it found the first; for so long.
 */
const FROM_THE_START_MS = 1_000;
const START = Number.MIN_SAFE_INTEGER;

/** Two claims of the same workitem would have to draw the same. Rows keep it, so it is no longer than that takes. */
const CLAIM_BYTES = 6;
const freshClaim = (): string => randomBytes(CLAIM_BYTES).toString('hex');

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
    set claim = $3, owner = $4, lease_until = statement_timestamp() + $5::double precision * interval '1 second',${countingLost('t.claim is not null')}
    from due
    where t.shard = due.shard and t.workflow_id = due.workflow_id and t.id = due.id
      and (t.lease_until is null or t.lease_until < statement_timestamp()) and ${where}
    returning t.*
  )
  ${broughtFrom('mine m', ofBase)}`;

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
  text: `
  update workitem t set claim = null, owner = null, lease_until = null,${countingLost('t.send is not null and t.due_at is not null')}
  where t.claim is not null`,
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

const nextDueAfter = (after: string, isFree = 'true'): string => `least(
    (select due_at from agenda where held_at is null and due_at > ${after} order by due_at limit 1),
    (select due_at from workitem where send is not null and held_at is null and due_at > ${after} and ${isFree} order by due_at limit 1))`;
const nextDueAt: Statement = { name: 'next_due_at', text: `select ${nextDueAfter('$1')} as due_at` };
/** The earliest due time of all, for a question that asks for more; without messages whose tries are under way, of which busy nodes always have some. */
export const NEXT_DUE = nextDueAfter('-1', '(lease_until is null or lease_until < statement_timestamp())');

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

export function makeDue(connections: Connections): DueParts {
  let from = { dueAt: START, until: 0 };
  const bySpread = makeClaimSpread(connections);
  return {
    claimDue: async ({ now, owner, limit, leaseSeconds, spread }) => {
      const claim = freshClaim();
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
      const claim = freshClaim();
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
