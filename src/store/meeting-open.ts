import { START_ID } from '../model/events.ts';
import { type ExpressionId, shardOf, type WorkflowId } from '../model/ids.ts';
import type { Tenant } from '../model/tenant.ts';
import type { Connection, Connections, Statement } from './connections.ts';
import { goOn, type MeetingPlace, receive } from './meeting.ts';
import { placeOn } from './meeting-place.ts';
import { pageOf, pageSize, readCursor } from './page.ts';
import { isAnswer, isConflict, isLoss, told } from './refusals.ts';
import type { Meeting, Wait } from './store.ts';
import type { TransactionStyle } from './transaction.ts';

/* Receiving events, each time in a transaction of its own. */

/** A transaction that met another is begun again, this often in all. */
const TRIES_MAX = 20;

const findWaits: Statement = {
  name: 'find_waits',
  text: `
  select w.workflow_id as workflow, w.id as waiter, w.type, w.wanted as key, w.since, w.element,
    (select min(a.due_at) from agenda a
      where a.shard = w.shard and a.workflow_id = w.workflow_id and starts_with(a.id, split_part(w.id, '#', 1) || '#')
        and a.kind = 'timer' and position('"wake":{"do":"timeout"}' in a.payload) > 0) as "timeoutAt"
  from (
    select * from waiter
    where tenant = $1 and (since, workflow_id, id) < ($2::bigint, $3, $4) and taken_by is null
      and ($5::text is null or type = $5) and ($6::text is null or wanted = $6) and ($7::text is null or workflow_id = $7)
      and ($8::text is null or element = $8)
    order by since desc, workflow_id desc, id desc limit $9::integer) w
  order by w.since desc, w.workflow_id desc, w.id desc`,
};
const sendingRow: Statement = {
  name: 'sending_row',
  text: `
  select w.tenant, a.payload from agenda a join workflow w on w.shard = a.shard and w.id = a.workflow_id
  where a.shard = $1::smallint and a.workflow_id = $2 and a.id = $3`,
};
const startingRow: Statement = {
  name: 'starting_row',
  text: `select payload from agenda where shard = $1::smallint and workflow_id = $2 and id = '${START_ID}'`,
};
const notStarted: Statement = {
  name: 'not_started',
  text: `delete from agenda where shard = $1::smallint and workflow_id = $2 and id = '${START_ID}'`,
};
const tidyPlaces: Statement = {
  name: 'tidy_places',
  text: `
  delete from correlation where (tenant, type, key) in (
    select c.tenant, c.type, c.key from correlation c
    where c.touched_at < $1::bigint
      and not exists (select 1 from waiter w where w.tenant = c.tenant and w.type = c.type and (w.key = c.key or c.key = ''))
      and not exists (
        select 1 from event e where e.tenant = c.tenant and e.type = c.type and e.state = 'kept' and (e.key = c.key or c.key = ''))
    order by c.touched_at limit $2::integer)`,
};
const lockEvent: Statement = {
  name: 'lock_event',
  text: `
  update event set due = true, state = case when state = 'spreading' then state else 'kept' end where event_id = $1 and tenant = $2
  returning state`,
};

export function makeMeeting(
  writes: Connections,
  reads: Connections,
  style: Pick<TransactionStyle, 'begin' | 'locks' | 'namesShard'>,
): Meeting {
  /** What `act` does in a transaction; again where it met another. It can be done twice, for an event comes once. */
  async function within<Result>(
    act: (place: MeetingPlace, connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const connection = await writes.take();
      try {
        await connection.say(style.begin);
        const result = await act(placeOn(connection, style), connection);
        await connection.say('commit');
        connection.giveBack();
        return result;
      } catch (error) {
        const isLost = connection.isLost() || (isLoss(error) && !isAnswer(error));
        if (!isLost) await connection.say('rollback').catch(() => connection.giveBack(true));
        connection.giveBack(isLost);
        if (!(isConflict(error) || isLost) || attempt === TRIES_MAX) throw told(error, 'receiving events');
      }
    }
  }

  return {
    receive: (tenant, events, judge, now) => within((place) => receive(place, tenant, events, judge, now)),
    goOn: (eventId, judge, now) => within((place) => goOn(place, eventId, judge, now)),
    again: (tenant, eventId, starts, judge, now) =>
      within(async (place, connection) => {
        const found = await connection.run(lockEvent, [eventId, tenant]);
        if (found.count === 0 || found.rows[0]?.['state'] === 'spreading') return null;
        return goOn(place, eventId, judge, now, starts);
      }),
    sending: async (workflow, agenda) => {
      const { rows } = await writes.run(sendingRow, [shardOf(workflow), workflow, agenda]);
      const [row] = rows;
      return row === undefined ? null : { tenant: row['tenant'] as Tenant, payload: row['payload'] as string };
    },
    starting: async (workflow) => {
      const { rows } = await writes.run(startingRow, [shardOf(workflow), workflow]);
      return (rows[0]?.['payload'] as string | undefined) ?? null;
    },
    notStarted: async (workflow) => {
      await writes.run(notStarted, [shardOf(workflow), workflow]);
    },
    waits: async ({ tenant, type, key, workflow, element, limit, after }) => {
      const size = pageSize(limit);
      const [since, w, id] =
        after === null
          ? [Number.MAX_SAFE_INTEGER, '', '']
          : (readCursor(after, ['number', 'string', 'string']) as readonly [number, string, string]);
      const { rows } = await reads.run(findWaits, [tenant, since, w, id, type, key, workflow, element, size + 1]);
      const waits = rows.map(
        (row): Wait => ({
          workflow: row['workflow'] as WorkflowId,
          waiter: row['waiter'] as ExpressionId,
          type: row['type'] as string,
          key: row['key'] as string | null,
          since: row['since'] as number,
          timeoutAt: row['timeoutAt'] as number | null,
          element: row['element'] as string | null,
        }),
      );
      return pageOf(waits, size, (wait) => [wait.since, wait.workflow, wait.waiter]);
    },
    tidyPlaces: async (before, limit) => {
      await writes.run(tidyPlaces, [before, limit]);
    },
  };
}
