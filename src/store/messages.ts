import { randomUUID } from 'node:crypto';
import { shardOf, type WorkflowId } from '../model/ids.ts';
import type { AgendaRow } from '../model/rows.ts';
import type { Connections, Statement } from './connections.ts';
import type { AgendaPeek, ClaimedMessage, Store } from './store.ts';
import { rowOf, selected, WORKITEM } from './tables.ts';

/* What is due: messages are claimed (a token and a lease on the database's clock), agenda rows are only looked at. */

/** One claim takes at most this many; callers that ask for more get this. */
const CLAIM_MAX = 1_000;

const claimed = (locking: string): string => `
  with due as materialized (
    select shard, workflow_id, id from workitem
    where send is not null and held_at is null and due_at <= $1
      and (lease_until is null or lease_until < statement_timestamp())
    order by due_at
    limit $2
    ${locking}
  ), mine as (
    update workitem t
    set claim = $3, owner = $4, lease_until = statement_timestamp() + $5::double precision * interval '1 second'
    from due
    where t.shard = due.shard and t.workflow_id = due.workflow_id and t.id = due.id
      and (t.lease_until is null or t.lease_until < statement_timestamp())
    returning t.*
  )
  select m.workflow_id as workflow, m.tenant, ${selected(WORKITEM, 'm')}, v.value as base_value
  from mine m
  left join variable v on v.shard = m.shard and v.workflow_id = m.workflow_id and v.scope = m.inherits and v.name = '^'
  order by m.due_at`;

const claimDue: Statement = {
  name: 'claim_due',
  text: claimed('for update skip locked  -- several nodes share the table without waiting for each other'),
};

const renewClaim: Statement = {
  name: 'renew_claim',
  text: `
  update workitem
  set lease_until = statement_timestamp() + $5::double precision * interval '1 second'
  where shard = $1 and workflow_id = $2 and id = $3 and claim = $4 and lease_until > statement_timestamp()
    and ($6::text is null or send = $6)  -- not "send is not null": with few rows the index of what is due would seem fit`,
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

export type DueParts = Pick<Store, 'claimDue' | 'renewClaim' | 'releaseClaims' | 'peekAgenda' | 'nextDueAt'>;

export function makeDue(connections: Connections): DueParts {
  return {
    claimDue: async ({ now, owner, limit, leaseSeconds }) => {
      const claim = randomUUID();
      const { rows } = await connections.run(claimDue, [now, Math.min(limit, CLAIM_MAX), claim, owner, leaseSeconds]);
      return rows.map(
        (record): ClaimedMessage => ({
          workflow: record['workflow'] as WorkflowId,
          tenant: record['tenant'] as string,
          claim,
          row: rowOf(WORKITEM, record),
          base: record['base_value'] as string | null,
        }),
      );
    },
    renewClaim: async ({ key, claim, leaseSeconds, send }) => {
      const values = [shardOf(key.workflow), key.workflow, key.workitem, claim, leaseSeconds, send ?? null];
      return (await connections.run(renewClaim, values)).count === 1;
    },
    releaseClaims: async (owner) => {
      await connections.run(releaseClaims, [owner]);
    },
    peekAgenda: async ({ now, limit, share, shares, othersAfterMs }) => {
      const { rows } = await connections.run(peekAgenda, [now, limit, shares, share, now - othersAfterMs]);
      return rows.map(
        (record): AgendaPeek => ({
          workflow: record['workflow'] as WorkflowId,
          id: record['id'] as string,
          kind: record['kind'] as AgendaRow['kind'],
          dueAt: record['due_at'] as number,
          path: record['path'] as string | null,
        }),
      );
    },
    nextDueAt: async (after) => {
      const { rows } = await connections.run(nextDueAt, [after ?? -1]);
      return (rows[0]?.['due_at'] ?? null) as number | null;
    },
  };
}
