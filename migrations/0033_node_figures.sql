-- How busy a node was when it was last heard of, as JSON (store/tables/node.ts). Null: a node of a release before, which says nothing of it.
alter table node add column figures text;
