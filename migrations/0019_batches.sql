-- The same thing done to many workflows. A batch and what it is about: `batch_item` has a row for each workflow, error or workitem, numbered as
-- they were found. Times are the database's: a batch does not stand still with business time.
create table batch (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  action text not null,
  -- What was asked for: {"filter": …} or {"ids": <how many>}.
  asked text not null,
  params text not null,
  reason text,
  actor text collate "C",
  rate integer,
  state text collate "C" not null,
  -- How far the search for items is; null: at its beginning.
  place text,
  total integer not null,
  done integer not null,
  failed integer not null,
  skipped integer not null,
  problem text,
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at timestamptz,
  -- Not before this time is it gone on with.
  next_at timestamptz not null,
  -- The node that is at it, until its lease ends.
  owner text collate "C",
  lease_until timestamptz not null
);
create index batch_open on batch (next_at) where state in ('collecting', 'running') or owner is not null;
create index batch_newest on batch (tenant, created_at, id);
create index batch_by_state on batch (tenant, state, created_at, id);
create index batch_ended on batch (ended_at) where ended_at is not null;

create table batch_item (
  batch_id text collate "C" not null,
  seq integer not null,
  workflow text collate "C" not null,
  -- The error or workitem, as the id of its expression; null: it is about the workflow.
  object text collate "C",
  -- Somebody may be at it: what its workflow's history has above last_n tells.
  taken boolean not null,
  last_n integer,
  state text collate "C" not null,
  code text collate "C",
  message text,
  created_at timestamptz not null,
  primary key (batch_id, seq)
);
create index batch_item_by_state on batch_item (batch_id, state, seq);
create index batch_item_age on batch_item (created_at);
