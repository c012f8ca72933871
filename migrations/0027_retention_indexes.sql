-- No transaction: steps go on while the indexes are built. One that was left behind by a node that died is no good, and goes first.

-- Those that are over, by when they go: as RETAIN_ENDED says, and as their launches have said.
drop index concurrently if exists workflow_ended_usual;
create index concurrently workflow_ended_usual on workflow (ended_at) where ended_at is not null and retain_days is null;
drop index concurrently if exists workflow_kept;
create index concurrently workflow_kept on workflow ((ended_at + retain_days::bigint * 86400000)) where ended_at is not null and retain_days is not null;
