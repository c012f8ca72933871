-- Up Migration

-- Definitions that no workflow refers to any more can be thrown away: when each was last launched, to a day, on the database's clock; and
-- a way to find a workflow of it. Neither changes with a step.
alter table definition add column used_at timestamptz not null default now();
create index workflow_definition on workflow (definition collate "C");

-- Down Migration

drop index workflow_definition;
alter table definition drop column used_at;
