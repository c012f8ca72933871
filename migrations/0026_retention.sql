-- Up Migration

-- Days a workflow is kept once it is over, where its launch has said so; null: as RETAIN_ENDED says. It never changes.
alter table workflow add column retain_days integer;
