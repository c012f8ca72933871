-- Up Migration

-- The number of the history entry that owes a workitem's message: receivers tell by it which of two messages is the later one. Null: an earlier
-- release wrote the row.
alter table workitem add column entry_n integer;
