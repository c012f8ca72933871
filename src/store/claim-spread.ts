import { broughtFrom, countingLost, messagesOf } from './claimed.ts';
import type { Connections, Statement } from './connections.ts';
import type { ClaimedMessage, Store } from './store.ts';

/* Claims in which hosts take turns. */

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
    set claim = $3, owner = $4, lease_until = statement_timestamp() + $5::double precision * interval '1 second',${countingLost('t.claim is not null')}
    from chosen
    where t.shard = chosen.shard and t.workflow_id = chosen.workflow_id and t.id = chosen.id and chosen.before < $8::bigint
      and (t.lease_until is null or t.lease_until < statement_timestamp())
    returning t.*
  ), place as (
    select max(host) as last_host, count(*) as hosts_seen from hosts
  )
  ${broughtFrom('place left join mine m on true').replace('select m.workflow_id', 'select place.last_host, place.hosts_seen, m.workflow_id')}`,
};

/** Looking for lost claims may go over all that is due: it takes at most one part in this many of the time. */
const LOST_LOOK_PART = 20;

type Spread = NonNullable<Parameters<Store['claimDue']>[0]['spread']>;

/** Claims with hosts taking turns; goes on behind the last host that was looked at. */
export function makeClaimSpread(
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
