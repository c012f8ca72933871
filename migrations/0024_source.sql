-- Definitions as they were posted, byte for byte, beside what was read of them: of one definition there may be several, which differ in blanks or
-- in their format. They go with their definition. A workflow names the one it was launched with; null: it was posted as a tree, or before this.
create table source (
  definition text collate "C" not null,
  hash text collate "C" not null,
  text text not null,
  primary key (definition, hash)
);
set local lock_timeout = '2s';
alter table workflow add column source text collate "C";
