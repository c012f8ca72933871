-- Up Migration

-- Definitions under a name. The row says which version is active, and has what is asked for at each launch and each list of that version:
-- nodes keep these rows in memory. `active` null: the name was deleted. `ver` counts changes: whoever changes it says what it had read.
create table definition_name (
  tenant text collate "C" not null,
  name text collate "C" not null,
  active integer,
  last integer not null,
  ver integer not null,
  hash text collate "C" not null,
  source text collate "C" not null,
  sha256 text collate "C" not null,
  format text not null,
  options text not null,
  route_method text,
  route_shape text collate "C",
  route_public boolean,
  changed_at timestamptz not null,
  primary key (tenant, name)
);
create index definition_name_changed on definition_name (changed_at, tenant, name);
-- One method and shape of a path leads to one definition of a tenant; without a key, to one of the server.
create unique index definition_name_route on definition_name (tenant, route_method, route_shape) where active is not null and route_shape is not null;
create unique index definition_name_public on definition_name (route_method, route_shape) where active is not null and route_public;

-- Each version, which never changes: the hash of its tree (`definition`), that of its text (`definition_source`), and its keys.
create table definition_version (
  tenant text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  hash text collate "C" not null,
  source text collate "C" not null,
  sha256 text collate "C" not null,
  format text not null,
  options text not null,
  note text,
  created_at timestamptz not null,
  created_by text collate "C",
  primary key (tenant, name, version)
);
create index definition_version_hash on definition_version (hash);

-- Texts of stored definitions, byte for byte, by their hash.
create table definition_source (
  hash text collate "C" primary key,
  text text not null
);

-- Which stored definition a workflow was launched from, and by what. Null: none; nothing is known.
alter table workflow add column definition_name text collate "C", add column definition_version integer, add column meta text;

-- When definitions start by themselves. `due_at`: the next time it is due, null: never again; `wake_at`: when somebody has to look at it next.
-- `firing`: what was decided and is being launched, with the ids it is launched under, so that whoever takes it up launches nothing twice.
-- Times are business time.
create table schedule (
  tenant text collate "C" not null,
  id text collate "C" not null,
  definition text collate "C" not null,
  version integer not null,
  spec text not null,
  since bigint not null,
  due_at bigint,
  wake_at bigint,
  paused boolean not null,
  firing text not null,
  queued text not null,
  recent text not null,
  ver integer not null,
  primary key (tenant, id)
) with (fillfactor = 80);
create index schedule_wake on schedule (wake_at, tenant, id) where wake_at is not null;
create index schedule_definition on schedule (tenant, definition, id);
