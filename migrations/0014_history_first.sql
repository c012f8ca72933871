-- The first entry of a history of which nothing was folded away; null: 1. Only the oldest entries of a workflow that has very many are.
alter table workflow add column history_first integer;
