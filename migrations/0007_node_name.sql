-- What people call a node (NODE_NAME). Null: a node of a release before, which has none.
alter table node add column name text;
