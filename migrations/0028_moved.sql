-- Up Migration

-- Tenants that live in another cell, or are on their way there, and the workflows that went with them: who asks for them here is told where they are.
create table moved (
  id text collate "C" primary key,
  kind text collate "C" not null,
  tenant text collate "C" not null,
  target text,
  at timestamptz not null
);
create index moved_kind on moved (kind, id);
create index moved_at on moved (at);
