-- Up Migration

-- The trace a launch belongs to (W3C Trace Context), and what its launcher knows it by.
alter table workflow add column trace text, add column business_key text collate "C";
create index workflow_business_key on workflow (tenant, business_key, launched_at desc, id) where business_key is not null;

-- Which workflow has a key: the last one that was launched with it.
create table business_key (
  tenant text collate "C" not null,
  key text collate "C" not null,
  workflow text collate "C" not null,
  claimed_at timestamptz not null,
  primary key (tenant, key)
);
