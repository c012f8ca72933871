-- Agenda rows that were due before the process began that takes them up: such a row may be what the process before died of. A row is here
-- from just before its step until just after it, so it stays when the process dies in between.
create table attempt (
  workflow text collate "C" not null,
  agenda text collate "C" not null,
  -- Of the agenda row: the same id may be used again, later.
  due_at bigint not null,
  count integer not null,
  node text collate "C" not null,
  -- Until then the process that is at it may be alive; the database's clock.
  lease_until timestamptz not null,
  primary key (workflow, agenda)
) with (autovacuum_vacuum_scale_factor = 0.02);
create index attempt_age on attempt (lease_until);
