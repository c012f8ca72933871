-- Up Migration

-- Of an update the log gets only what lies between the first byte that differs and the last, as long as the row stays on its page. So what
-- changes seldom comes first and what moves with every step last, and pages have room for the next state. What a state begins with stays
-- the same for long, hence it comes first among the latter. The rows are copied: for so long nobody else gets at the table.
alter table workflow rename to workflow_before;
create table workflow (
  shard smallint not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  name text collate "C",
  definition text collate "C" not null,
  launched_at bigint not null,
  callbacks text not null,
  retry text,
  fields text not null,
  status text not null,
  header text not null,
  state text not null,
  updated_at bigint not null,
  ended_at bigint,
  ver integer not null,
  last_n integer not null,
  constraint workflow_shard_range check (shard between 0 and 255),
  constraint workflow_ver_positive check (ver > 0),
  constraint workflow_status_known check (
    status in ('running', 'error', 'paused', 'cancelling', 'completed', 'cancelled', 'killed')),
  constraint workflow_ended_when_over check (
    (status in ('completed', 'cancelled', 'killed')) = (ended_at is not null))
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
insert into workflow
  select shard, id, tenant, name, definition, launched_at, callbacks, retry, fields, status, header, state, updated_at, ended_at, ver, last_n
  from workflow_before;
drop table workflow_before;
alter table workflow add constraint workflow_pkey primary key (shard, id);
create index workflow_newest on workflow (tenant, launched_at desc, id);
create index workflow_status on workflow (tenant, status, launched_at desc, id);
create index workflow_name on workflow (tenant, name, launched_at desc, id) where name is not null;
create index workflow_ended on workflow (ended_at) where ended_at is not null;
-- Some characters of a hash tell definitions apart nearly as well as all of them.
create index workflow_definition on workflow (left(definition, 8));

-- Down Migration

-- The order of the columns stays: nobody relies on it.
drop index workflow_definition;
create index workflow_definition on workflow (definition collate "C");
alter table workflow set (fillfactor = 80);
