-- Up Migration

-- Everything of a workflow is keyed (shard, workflow_id, …): one server today, many shards later. What the interpreter keeps is text:
-- nothing inside it is ever asked for, and text is cheaper than jsonb. Times are business time, milliseconds since 1970; leases are
-- timestamptz on the database's own clock. No sequences, triggers, procedures or foreign keys: rows of one workflow are written by
-- whoever holds its row. Nothing is indexed that changes with every step. Whatever is compared or ordered is so byte by byte, which is
-- the same everywhere and the fastest.

create table workflow (
  shard smallint not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  ver integer not null,
  name text collate "C",
  definition text not null,
  status text not null,
  launched_at bigint not null,
  updated_at bigint not null,
  ended_at bigint,
  last_n integer not null,
  callbacks text not null,
  retry text,
  header text not null,
  state text not null,
  fields text not null,
  primary key (shard, id),
  constraint workflow_shard_range check (shard between 0 and 255),
  constraint workflow_ver_positive check (ver > 0),
  constraint workflow_status_known check (
    status in ('running', 'error', 'paused', 'cancelling', 'completed', 'cancelled', 'killed')),
  constraint workflow_ended_when_over check (
    (status in ('completed', 'cancelled', 'killed')) = (ended_at is not null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
create index workflow_newest on workflow (tenant, launched_at desc, id);
create index workflow_status on workflow (tenant, status, launched_at desc, id);
create index workflow_name on workflow (tenant, name, launched_at desc, id) where name is not null;
create index workflow_ended on workflow (ended_at) where ended_at is not null;

create table branch (
  shard smallint not null,
  workflow_id text collate "C" not null,
  path text collate "C" not null,
  parent text collate "C",
  at text collate "C",
  kind text not null,
  position integer not null,
  -- The last part of the path as a number: children are walked in this order.
  number integer not null,
  arrival integer,
  base text collate "C",
  state text not null,
  fields text not null,
  primary key (shard, workflow_id, path),
  constraint branch_kind_known check (kind in ('branch', 'flank', 'forgotten'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index branch_children on branch (shard, workflow_id, parent, number) where parent is not null;

create table workitem (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  participant text collate "C" not null,
  state text not null,
  fields text,
  params text not null,
  inherits text collate "C",
  added text,
  opened_at bigint not null,
  revision integer not null,
  url text,
  send text,
  then_send text,
  tries integer not null,
  due_at bigint,
  held_at bigint,
  log text not null,
  -- Who is trying to deliver it just now: a random token, a node, and until when (database time).
  claim text,
  owner text,
  lease_until timestamptz,
  primary key (shard, workflow_id, id),
  constraint workitem_state_known check (state in ('open', 'failed', 'closed')),
  constraint workitem_send_known check (send in ('active', 'timeout', 'error', 'cancel')),
  constraint workitem_then_known check (then_send in ('timeout', 'error', 'cancel')),
  constraint workitem_fields_somewhere check (fields is not null or inherits is not null),
  constraint workitem_claim_whole check (
    (claim is null) = (owner is null) and (claim is null) = (lease_until is null))
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
-- Without the shard: a claim over 256 shards in order of time is slow, the plain index is not.
create index workitem_due on workitem (due_at) where send is not null and held_at is null;
create index workitem_participant on workitem (tenant, participant, opened_at);

create table agenda (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  kind text not null,
  due_at bigint not null,
  held_at bigint,
  path text collate "C",
  payload text not null,
  primary key (shard, workflow_id, id),
  constraint agenda_kind_known check (kind in ('timer', 'continue', 'event', 'answer'))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
create index agenda_due on agenda (due_at) where held_at is null;

create table history (
  shard smallint not null,
  workflow_id text collate "C" not null,
  first_n integer not null,
  last_n integer not null,
  at bigint not null,
  entries text not null,
  -- The transaction that wrote it, where the database numbers them; else the batch's token. Both serve to look up a lost commit.
  transaction_id bigint,
  token text,
  primary key (shard, workflow_id, first_n),
  constraint history_numbers_ascend check (first_n >= 1 and last_n >= first_n)
) with (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);

create table definition (
  hash text collate "C" not null primary key,
  stored text not null
);

create table listener (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  event text not null,
  reach text not null,
  name text collate "C",
  spec text not null,
  primary key (shard, workflow_id, id),
  constraint listener_event_known check (event in ('dispatched', 'received', 'entered_tag', 'left_tag', 'error')),
  constraint listener_reach_known check (reach in ('workflow', 'tenant'))
) with (autovacuum_vacuum_scale_factor = 0.05);
create index listener_hears on listener (tenant, event, name) where reach = 'tenant';

create table error (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  workitem boolean not null,
  class text not null,
  message text not null,
  at bigint not null,
  details text not null,
  primary key (shard, workflow_id, id)
);
create index error_newest on error (tenant, at desc);

create table variable (
  shard smallint not null,
  workflow_id text collate "C" not null,
  scope text collate "C" not null,
  name text collate "C" not null,
  value text not null,
  primary key (shard, workflow_id, scope, name)
) with (autovacuum_vacuum_scale_factor = 0.05);

create table idempotency_key (
  scope text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  reserved_at bigint not null,
  status integer,
  body text,
  content_type text,
  primary key (scope, key)
) with (autovacuum_vacuum_scale_factor = 0.05);
create index idempotency_key_age on idempotency_key (reserved_at);

create table node (
  id text collate "C" not null primary key,
  role text not null,
  url text not null,
  version text not null,
  started_at timestamptz not null,
  seen_at timestamptz not null,
  lease_until timestamptz not null
) with (fillfactor = 50);

create table setting (
  name text collate "C" not null primary key,
  value text not null
);

-- Down Migration

drop table setting;
drop table node;
drop table idempotency_key;
drop table variable;
drop table error;
drop table listener;
drop table definition;
drop table history;
drop table agenda;
drop table workitem;
drop table branch;
drop table workflow;
