-- Up Migration

-- What workflows can be found by that is inside of them: the tags they are in, and the fields that INDEXED_FIELDS names.
create table attribute (
  shard smallint not null,
  workflow_id text collate "C" not null,
  name text collate "C" not null,
  value text collate "C" not null,
  tenant text collate "C" not null,
  launched_at bigint not null,
  primary key (shard, workflow_id, name, value)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index attribute_value on attribute (tenant, name, value, launched_at desc, workflow_id) include (shard);

-- Which of them a node writes; null: none, as nodes of the releases before.
alter table node add column attributes text;
