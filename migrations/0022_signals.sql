-- Up Migration

-- What comes from outside (events, messages, signals), each once: `digest` is a hash of its source and id.
create table event (
  event_id text collate "C" primary key,
  tenant text collate "C" not null,
  digest text collate "C" not null,
  source text collate "C" not null,
  id text collate "C" not null,
  type text collate "C" not null,
  key text collate "C",
  sort text not null,
  mode text not null,
  workflow_id text collate "C",
  received_at bigint not null,
  expires_at bigint not null,
  gone_at bigint,
  state text not null,
  hops integer not null,
  hits integer not null,
  misses integer not null,
  resumed text not null,
  started text not null,
  -- Somebody has to go on with it: hand it to more waiters, or receive it anew.
  due boolean not null,
  spread text,
  body text not null,
  constraint event_state_known check (state in ('kept', 'delivered', 'expired', 'spreading')),
  constraint event_mode_known check (mode in ('broadcast', 'competing', 'direct'))
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
create unique index event_digest on event (tenant, digest);
create index event_newest on event (tenant, received_at desc, event_id desc);
create index event_kept_by_key on event (tenant, type, key, received_at, event_id) where state = 'kept';
create index event_kept on event (tenant, type, received_at, event_id) where state = 'kept';
create index event_kept_expires on event (tenant, expires_at) where state = 'kept';
create index event_of_workflow on event (workflow_id, type, received_at) where workflow_id is not null;
create index event_due on event (received_at) where due;
create index event_gone on event (gone_at);

-- Where events and those who wait for them meet: who comes second sees the first. Key '': waiters without a key.
create table correlation (
  tenant text collate "C" not null,
  type text collate "C" not null,
  key text collate "C" not null,
  seq bigint not null,
  pointers text not null,
  touched_at bigint not null,
  primary key (tenant, type, key)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create index correlation_touched on correlation (touched_at);

-- Expressions that wait for an event. `key`, `seq`: the row of correlation and its number there; both are null until it is armed.
create table waiter (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  type text collate "C" not null,
  wanted text collate "C",
  key_from text,
  condition text,
  hears text not null,
  once boolean not null,
  since bigint not null,
  element text,
  key text collate "C",
  seq bigint,
  taken_by text collate "C",
  primary key (shard, workflow_id, id),
  constraint waiter_shard_range check (shard between 0 and 255),
  constraint waiter_hears_known check (hears in ('event', 'message', 'signal'))
) with (autovacuum_vacuum_scale_factor = 0.05);
create index waiter_free on waiter (tenant, type, key, seq) where taken_by is null;
create index waiter_newest on waiter (tenant, since desc, workflow_id, id);
