-- Up Migration

-- Hosts take turns in claims: this leads from one host to the next. Only messages that nobody has claimed are in it, so one that is claimed
-- at birth, as nearly all are, costs nothing.
create index if not exists workitem_due_by_host on workitem
  ((coalesce(lower(substring(url from '//([^/?#]*)')), '-') collate "C"), due_at)
  where send is not null and held_at is null and claim is null;
