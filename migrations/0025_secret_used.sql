-- Up Migration

-- When a secret was last signed with, to five minutes; null: never, or before this.
alter table secret add column last_used_at timestamptz;
