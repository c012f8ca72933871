-- Up Migration

-- Who may call. Of a key the database has a hash, never the key itself. `ends_at`: when it expires or was revoked; a date far away for one
-- that does neither.
create table api_key (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  name text not null,
  scopes text not null,
  hash text not null,
  generation integer not null,
  previous text,
  rate_limit text,
  registered boolean not null,
  created_at timestamptz not null,
  created_by text not null,
  changed_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  ends_at timestamptz not null,
  last_used_at timestamptz
);
create index api_key_newest on api_key (tenant, created_at, id);
create index api_key_all on api_key (created_at, id);
create index api_key_changed on api_key (changed_at, id);
create index api_key_ends on api_key (ends_at, id);

-- What the server signs with: capabilities of workitems, callbacks. `value` is sealed where SECRETS_KEY is set.
create table secret (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  kind text collate "C" not null,
  type text collate "C" not null,
  match text collate "C" not null,
  value text not null,
  previous text,
  generation integer not null,
  created_at timestamptz not null,
  created_by text not null,
  changed_at timestamptz not null,
  revoked_at timestamptz,
  ends_at timestamptz not null
);
create index secret_newest on secret (tenant, created_at, id);
create index secret_all on secret (created_at, id);
create index secret_changed on secret (changed_at, id);
create index secret_ends on secret (ends_at, id);
