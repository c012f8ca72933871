-- Up Migration

-- Who is told of what happens to a tenant's workflows. `spec` has no secrets: they lie in `sealed`. `failing_since`: since when nothing was taken,
-- in business time; `reason`: why the server has disabled it.
create table subscription (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  spec text not null,
  sealed text,
  enabled boolean not null,
  reason text,
  failing_since bigint,
  ver integer not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  deleted_at timestamptz
);
create index subscription_changed on subscription (changed_at, id);
create index subscription_deleted on subscription (deleted_at) where deleted_at is not null;

-- What is owed to subscriptions, and to the `notify` of launches (`target`). `due_at` null: it is delivered, or given up; `gone_at`: when it may be
-- thrown away then.
create table delivery (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  subscription text collate "C" not null,
  workflow_id text collate "C" not null,
  n integer not null,
  type text not null,
  event text not null,
  target text,
  ordered boolean not null,
  state text not null,
  tries integer not null,
  due_at bigint,
  created_at bigint not null,
  gone_at bigint,
  log text not null,
  claim text,
  lease_until timestamptz
);
create index delivery_due on delivery (due_at) where due_at is not null;
create index delivery_before on delivery (subscription, workflow_id, n) where due_at is not null;
create index delivery_newest on delivery (subscription, created_at, id);
create index delivery_gone on delivery (gone_at) where gone_at is not null;
