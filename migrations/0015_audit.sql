-- Up Migration

-- What was done to the server, and by whom: keys, secrets, sign-ins, refusals, starts. `tenant` is '*' for what belongs to none. Of what happens to
-- workflows their history tells.
create table audit (
  id text collate "C" primary key,
  at timestamptz not null,
  tenant text collate "C" not null,
  actor text collate "C",
  address text,
  action text collate "C" not null,
  object text,
  outcome text not null,
  reason text,
  details text not null
);
create index audit_newest on audit (tenant, at, id);
create index audit_all on audit (at, id);
