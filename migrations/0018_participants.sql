-- Up Migration

-- Who does the work, by names and patterns of names. `spec` has no secrets: they lie in `sealed`, which is sealed where SECRETS_KEY is set.
-- `deleted_at`: a row that is only there for every node to hear that it has gone.
create table participant (
  tenant text collate "C" not null,
  name text collate "C" not null,
  spec text not null,
  sealed text,
  ver integer not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  deleted_at timestamptz,
  primary key (tenant, name)
);
create index participant_changed on participant (changed_at, tenant, name);
create index participant_deleted on participant (deleted_at) where deleted_at is not null;

-- `terms`: what was agreed with a participant when its workitem was opened (model/participants.ts); null: nothing but its URL. `claim_by`,
-- `claim_until`: a colleague who works on it, and until when. `heartbeat_at`: when a sign of life is due next; `progress`: the last one told.
alter table workitem add column terms text;
alter table workitem add column claim_by text;
alter table workitem add column claim_until bigint;
alter table workitem add column heartbeat_at bigint;
alter table workitem add column progress text;

-- What a launch has opted into beside `retry`: JSON, or null.
alter table workflow add column options text;
