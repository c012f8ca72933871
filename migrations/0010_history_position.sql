-- Where a history row stands among all that were committed: history_base + the number of its transaction (docs/decisions/0023-the-order-of-all-history.md). Rows written before, and by
-- nodes of the release before, have none: the stream of all events begins behind them. A tenant of null is the default one.
alter table history add column position bigint, add column tenant text collate "C";
create index history_position on history (position) where position is not null;
