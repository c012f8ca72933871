-- No transaction: steps go on while the indexes are built. One that was left behind by a node that died is no good, and goes first.

-- Each launch and each end writes an entry in each of these. The id in them ordered only what was launched, or ended, in the same millisecond; the
-- database sorts those few as it reads them.
drop index concurrently if exists workflow_by_launch;
create index concurrently workflow_by_launch on workflow (tenant, launched_at desc);
drop index concurrently if exists workflow_newest;
drop index concurrently if exists workflow_by_status;
create index concurrently workflow_by_status on workflow (tenant, status, launched_at desc);
drop index concurrently if exists workflow_status;
drop index concurrently if exists workflow_by_name;
create index concurrently workflow_by_name on workflow (tenant, name, launched_at desc) where name is not null;
drop index concurrently if exists workflow_name;
drop index concurrently if exists workflow_by_end;
create index concurrently workflow_by_end on workflow (tenant, ended_at desc) where ended_at is not null;
drop index concurrently if exists workflow_ended_newest;
