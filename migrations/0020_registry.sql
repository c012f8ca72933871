-- Up Migration

-- Up to which moment of the database's clock (milliseconds since 1970) a node has read all registries. Null: a node of a release before.
alter table node add column if not exists registry bigint;
