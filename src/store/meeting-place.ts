import { type EventRow, eventInId, handedId } from '../model/events.ts';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { Connection, Statement } from './connections.ts';
import { givenBack, handingKey, type MeetingPlace, type Shared, type Waiting } from './meeting.ts';
import { byShard, inShard } from './sharding.ts';
import type { DatabaseRow } from './tables/of-workflow.ts';

/*
 * The place where events and waiters meet (meeting.ts), in a transaction of a database. Each list travels as one json parameter.
 */

const listOf = (columns: string, n = 1): string => `jsonb_to_recordset($${n}::jsonb) as r(${columns})`;
const statement = (name: string, text: string): Statement => ({ name: `meeting_${name}`, text });

const EVENT_COLUMNS: readonly (readonly [keyof EventRow, string, string])[] = [
  ['eventId', 'event_id', 'text'],
  ['tenant', 'tenant', 'text'],
  ['digest', 'digest', 'text'],
  ['source', 'source', 'text'],
  ['id', 'id', 'text'],
  ['type', 'type', 'text'],
  ['key', 'key', 'text'],
  ['sort', 'sort', 'text'],
  ['mode', 'mode', 'text'],
  ['workflowId', 'workflow_id', 'text'],
  ['receivedAt', 'received_at', 'bigint'],
  ['expiresAt', 'expires_at', 'bigint'],
  ['goneAt', 'gone_at', 'bigint'],
  ['state', 'state', 'text'],
  ['hops', 'hops', 'integer'],
  ['hits', 'hits', 'integer'],
  ['misses', 'misses', 'integer'],
  ['resumed', 'resumed', 'text'],
  ['started', 'started', 'text'],
  ['due', 'due', 'boolean'],
  ['spread', 'spread', 'text'],
  ['body', 'body', 'text'],
];
const stored = EVENT_COLUMNS.map(([, column]) => column).join(', ');
const typed = EVENT_COLUMNS.map(([part, , type]) => `"${part}" ${type}`).join(', ');
const asRows = EVENT_COLUMNS.map(([part, column]) => `e.${column} as "${part}"`).join(', ');

const lockLiving = statement(
  'lock_workflows',
  `select w.id from ${listOf('s smallint, w text')}
  cross join lateral (select id, tenant, ended_at from workflow where shard = r.s and id = r.w for update) w
  where w.ended_at is null and w.tenant = $2`,
);
const insertEvents = statement(
  'insert_events',
  `insert into event (${stored}) select ${EVENT_COLUMNS.map(([part]) => `r."${part}"`).join(', ')} from ${listOf(typed)}
  order by r.digest
  on conflict (tenant, digest) do nothing returning event_id as id`,
);
const knownEvents = statement(
  'known_events',
  `select ${asRows} from event e where e.tenant = $1 and e.digest = any($2::text[])`,
);
const makeRoots = statement(
  'make_roots',
  `insert into correlation (tenant, type, key, seq, pointers, touched_at)
  select $1, t.type, '', 0, '[]', $3::bigint from unnest($2::text[]) as t(type) order by t.type
  on conflict (tenant, type, key) do nothing`,
);
const shareRoots = statement(
  'share_roots',
  `select c.type, c.seq, c.pointers from unnest($2::text[]) as t(type)
  cross join lateral (select * from correlation where tenant = $1 and type = t.type and key = '' for share) c`,
);
const readRoots = statement(
  'read_roots',
  `select c.type, c.pointers from unnest($2::text[]) as t(type)
  cross join lateral (select * from correlation where tenant = $1 and type = t.type and key = '' offset 0) c`,
);
const lockPlaces = statement(
  'lock_places',
  `insert into correlation as c (tenant, type, key, seq, pointers, touched_at)
  select $2, r.type, r.key, r.armed, coalesce(r.pointers, '[]'), $3::bigint
  from ${listOf('type text, key text, armed bigint, pointers text')} order by r.type, r.key
  on conflict (tenant, type, key) do update set seq = c.seq + excluded.seq, touched_at = excluded.touched_at,
    pointers = case when excluded.pointers = '[]' then c.pointers else (c.pointers::jsonb || excluded.pointers::jsonb)::text end
  returning c.type, c.key, c.seq`,
);
const WAITING = `w.workflow_id as workflow, w.id, w.path, w.type, w.wanted, w.key_from as "keyFrom", w.condition as "where", w.hears, w.once,
    w.since, w.key, w.seq, w.element`;
const waitersAt = statement(
  'waiters_at',
  `select r.n, ${WAITING} from ${listOf('n integer, type text, key text, after bigint', 2)}
  cross join lateral (
    select * from waiter where tenant = $1 and type = r.type and key = r.key and seq > r.after and taken_by is null
    order by seq limit $3::integer) w`,
);
const waitersOf = statement(
  'waiters_of',
  `select ${WAITING} from waiter w
  where w.shard = $1::smallint and w.workflow_id = $2 and w.type = $3 and w.taken_by is null and w.seq is not null
  order by w.since, w.seq limit $4::integer`,
);
const keptFor = statement(
  'kept_for',
  `select count(*) as count, coalesce(sum(octet_length(body)), 0) as bytes from event
  where workflow_id = $1 and state = 'kept' and expires_at > $2::bigint`,
);
const keptFitting = statement(
  'kept_fitting',
  `select ${asRows} from (
    (select * from event where tenant = $1 and type = $2 and state = 'kept' and workflow_id is null and expires_at > $4::bigint
      and ($3::text is null or key = $3) order by received_at, event_id limit $6::integer)
    union all
    (select * from event where workflow_id = $5 and type = $2 and state = 'kept' and expires_at > $4::bigint
      order by received_at, event_id limit $6::integer)) e
  order by e.received_at, e.event_id limit $6::integer`,
);
/** The same where the key is known, by its index. */
const keptOfKey = statement(
  'kept_of_key',
  `select ${asRows} from (
    (select * from event where tenant = $1 and type = $2 and key = $3 and state = 'kept' and workflow_id is null
      and expires_at > $4::bigint order by received_at, event_id limit $6::integer)
    union all
    (select * from event where workflow_id = $5 and type = $2 and state = 'kept' and expires_at > $4::bigint
      order by received_at, event_id limit $6::integer)) e
  order by e.received_at, e.event_id limit $6::integer`,
);
const takeEvent = statement(
  'take_event',
  `update event set state = 'delivered', due = false, hits = hits + 1, resumed = (resumed::jsonb || jsonb_build_array($2::text))::text
  where event_id = $1 and state = 'kept'`,
);
const handOver = statement(
  'hand_over',
  `insert into agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload)
  select r.s, r.w, r.id, 'event', $2::bigint, null, r.path, r.payload
  from ${listOf('s smallint, w text, id text, path text, payload text')}
  on conflict (shard, workflow_id, id) do nothing`,
);
/** Those without a key may be found by two events at once: the second comes too late. One that stays is written, too: whoever sweeps it waits for us, or we for him. */
const markWaiters = statement(
  'mark_waiters',
  `update waiter t set taken_by = case when r.marks then r.e else t.taken_by end
  from ${listOf('s smallint, w text, waiter text, e text, marks boolean')}
  where r.s between 0 and 255 and t.shard = r.s and t.workflow_id = r.w and t.id = r.waiter and t.taken_by is null
  returning t.workflow_id as workflow, t.id as waiter`,
);
const startRows = statement(
  'start_rows',
  `insert into agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload)
  select r.s, r.w, 'start', 'event', $2::bigint, null, null, r.payload
  from ${listOf('s smallint, w text, payload text')}
  on conflict (shard, workflow_id, id) do nothing`,
);
const settleEvents = statement(
  'settle_events',
  `update event t set state = r.state, "hits" = r.hits, misses = r.misses, resumed = r.resumed, started = r.started, due = r.due,
    spread = r.spread, expires_at = r."expiresAt", gone_at = r."goneAt"
  from ${listOf('"eventId" text, state text, hits integer, misses integer, resumed text, started text, due boolean, spread text, "expiresAt" bigint, "goneAt" bigint')}
  where t.event_id = r."eventId"`,
);
const lockDueEvent = statement(
  'lock_due_event',
  `select ${asRows} from (select * from event where event_id = $1 and due for update skip locked) e`,
);
const missEvent = statement(
  'miss_event',
  `update event e set misses = e.misses + $2::integer where e.event_id = $1 returning ${asRows}`,
);
const lockWaiters = statement(
  'lock_waiters',
  `select t.id from ${listOf('s smallint, w text')}
  cross join lateral (select id from waiter where shard = r.s and workflow_id = r.w order by id for update) t`,
);
const withdrawHits = statement(
  'withdraw_hits',
  `delete from agenda t using ${listOf('s smallint, w text')}
  where r.s between 0 and 255 and t.shard = r.s and t.workflow_id = r.w and starts_with(t.id, 'signal ')
  returning t.id`,
);

const at = (workflow: WorkflowId) => ({ s: shardOf(workflow), w: workflow });
const placeKey = (type: unknown, key: unknown): string => JSON.stringify([type, key]);

/** Where the isolation of the transaction finds conflicts, rows are not locked as they are read. */
const lockless = new Map<string, Statement>();
export function withoutLock(which: Statement): Statement {
  const known = lockless.get(which.name);
  if (known !== undefined) return known;
  const made = {
    name: `${which.name}_free`,
    text: which.text.replaceAll(/ for (?:update|share)(?: skip locked)?/g, ''),
  };
  lockless.set(which.name, made);
  return made;
}

/** The meeting place in the transaction that a connection is in. */
export function placeOn(
  connection: Connection,
  { locks, namesShard }: { readonly locks: boolean; readonly namesShard: boolean },
): MeetingPlace {
  const suited = (which: Statement): Statement => (locks ? which : withoutLock(which));
  const run = async (which: Statement, ...values: readonly unknown[]): Promise<readonly DatabaseRow[]> =>
    (await connection.run(suited(which), values)).rows;
  /** Rows of workflows: all in one statement, or in one for each shard. */
  const runRows = async (
    which: Statement,
    rows: readonly { readonly s: number }[],
    ...more: readonly unknown[]
  ): Promise<readonly DatabaseRow[]> => {
    if (!namesShard) return run(which, JSON.stringify(rows), ...more);
    const found: DatabaseRow[] = [];
    for (const [shard, part] of byShard(rows)) {
      const sent = inShard(suited(which), [JSON.stringify(part), ...more], shard);
      found.push(...(await connection.run(sent.statement, sent.values)).rows);
    }
    return found;
  };
  const events = (rows: readonly DatabaseRow[]): readonly EventRow[] =>
    rows as readonly unknown[] as readonly EventRow[];
  const settle = async (rows: readonly EventRow[]): Promise<void> => {
    const written = rows.map(({ eventId, state, hits, misses, resumed, started, due, spread, expiresAt, goneAt }) => ({
      ...{ eventId, state, hits, misses, resumed, started, due, spread, expiresAt, goneAt },
    }));
    await run(settleEvents, JSON.stringify(written));
  };
  return {
    lockWorkflows: async (tenant, workflows) => {
      const rows = await runRows(lockLiving, workflows.map(at), tenant);
      return new Set(rows.map(({ id }) => id as WorkflowId));
    },
    insert: async (rows) => new Set((await run(insertEvents, JSON.stringify(rows))).map(({ id }) => id as string)),
    known: async (tenant, digests) => events(await run(knownEvents, tenant, digests)),
    share: async (tenant, types, now) => {
      const [, { rows }] = await connection.together(() =>
        Promise.all([
          connection.run(makeRoots, [tenant, types, now]),
          connection.run(suited(shareRoots), [tenant, types]),
        ]),
      );
      return new Map(
        rows.map(({ type, seq, pointers }): readonly [string, Shared] => [
          type as string,
          { seq: seq as number, pointers: JSON.parse(pointers as string) as readonly string[] },
        ]),
      );
    },
    pointers: async (tenant, types) =>
      new Map(
        (await run(readRoots, tenant, types)).map(({ type, pointers }) => [
          type as string,
          JSON.parse(pointers as string) as readonly string[],
        ]),
      ),
    lock: async (tenant, places, now) => {
      const given = places.map(({ pointers, ...place }) => ({
        ...place,
        ...(pointers !== undefined && { pointers: JSON.stringify(pointers) }),
      }));
      const rows = await run(lockPlaces, JSON.stringify(given), tenant, now);
      const counts = new Map(rows.map(({ type, key, seq }) => [placeKey(type, key), seq as number]));
      return places.map(({ type, key }) => counts.get(placeKey(type, key)) ?? 0);
    },
    waiters: async (tenant, places, limit) => {
      const found: Waiting[][] = places.map(() => []);
      const asked = places.map((place, n) => ({ n, type: place.type, key: place.key, after: place.after }));
      for (const { n, ...row } of await run(waitersAt, tenant, JSON.stringify(asked), limit))
        found[n as number]?.push(row as unknown as Waiting);
      return found;
    },
    waitersOf: async (workflow, type, limit) =>
      (await run(waitersOf, shardOf(workflow), workflow, type, limit)) as readonly unknown[] as readonly Waiting[],
    keptFor: async (workflow, now) => {
      const [row] = await run(keptFor, workflow, now);
      return { count: Number(row?.['count']), bytes: Number(row?.['bytes']) };
    },
    kept: async (tenant, { type, key, workflow, now }, limit) =>
      events(await run(key === null ? keptFitting : keptOfKey, tenant, type, key, now, workflow, limit)),
    take: async (eventId, workflow) => (await connection.run(takeEvent, [eventId, workflow])).count === 1,
    hand: async (handings, now) => {
      const given = handings.map(({ workflow, waiter, eventId, marks }) => ({
        ...at(workflow),
        waiter,
        e: eventId,
        marks,
      }));
      const marked = await runRows(markWaiters, given);
      const there = new Set(marked.map(({ workflow, waiter }) => `${String(workflow)} ${String(waiter)}`));
      const handed = handings.filter(({ workflow, waiter }) => there.has(`${workflow} ${waiter}`));
      const rows = handed.map(({ workflow, waiter, path, eventId }) => ({
        ...at(workflow),
        id: handedId(eventId, waiter),
        path,
        payload: JSON.stringify({ waiter, event: eventId }),
      }));
      if (rows.length > 0) await runRows(handOver, rows, now);
      return new Set(handed.map(handingKey));
    },
    start: async (starts, now) => {
      const rows = starts.map(({ workflow, payload }) => ({ ...at(workflow), payload }));
      await runRows(startRows, rows, now);
    },
    settle,
    lockDue: async (eventId) => events(await run(lockDueEvent, eventId))[0] ?? null,
    miss: async (misses, now) => {
      let again = false;
      for (const [eventId, count] of [...misses].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [row] = events(await run(missEvent, eventId, count));
        const change = row === undefined ? null : givenBack(row, now);
        if (row === undefined || change === null) continue;
        again = true;
        await settle([{ ...row, ...change }]);
      }
      return again;
    },
    hitting: async (workflows) => {
      const given = workflows.map(at);
      await runRows(lockWaiters, given);
      return (await runRows(withdrawHits, given)).flatMap(({ id }) => eventInId(id as string) ?? []);
    },
  };
}
