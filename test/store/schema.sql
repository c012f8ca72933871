create table agenda (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  kind text not null,
  due_at bigint not null,
  held_at bigint,
  path text collate "C",
  payload text not null,
  constraint agenda_kind_known CHECK ((kind = ANY (ARRAY['timer'::text, 'continue'::text, 'event'::text, 'answer'::text]))),
  constraint agenda_pkey PRIMARY KEY (shard, workflow_id, id)
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX agenda_due ON public.agenda USING btree (due_at) WHERE (held_at IS NULL);

create table api_key (
  id text collate "C" not null,
  tenant text collate "C" not null,
  name text not null,
  scopes text not null,
  hash text not null,
  generation integer not null,
  previous text,
  rate_limit text,
  registered boolean not null,
  created_at timestamp with time zone not null,
  created_by text not null,
  changed_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  ends_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint api_key_pkey PRIMARY KEY (id)
);
CREATE INDEX api_key_all ON public.api_key USING btree (created_at, id);
CREATE INDEX api_key_changed ON public.api_key USING btree (changed_at, id);
CREATE INDEX api_key_ends ON public.api_key USING btree (ends_at, id);
CREATE INDEX api_key_newest ON public.api_key USING btree (tenant, created_at, id);

create table attempt (
  workflow text collate "C" not null,
  agenda text collate "C" not null,
  due_at bigint not null,
  count integer not null,
  node text collate "C" not null,
  lease_until timestamp with time zone not null,
  constraint attempt_pkey PRIMARY KEY (workflow, agenda)
) with (autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX attempt_age ON public.attempt USING btree (lease_until);

create table attribute (
  shard smallint not null,
  workflow_id text collate "C" not null,
  name text collate "C" not null,
  value text collate "C" not null,
  tenant text collate "C" not null,
  launched_at bigint not null,
  constraint attribute_pkey PRIMARY KEY (shard, workflow_id, name, value)
) with (autovacuum_vacuum_scale_factor=0.02);
CREATE INDEX attribute_value ON public.attribute USING btree (tenant, name, value, launched_at DESC, workflow_id) INCLUDE (shard);

create table audit (
  id text collate "C" not null,
  at timestamp with time zone not null,
  tenant text collate "C" not null,
  actor text collate "C",
  address text,
  action text collate "C" not null,
  object text,
  outcome text not null,
  reason text,
  details text not null,
  constraint audit_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_all ON public.audit USING btree (at, id);
CREATE INDEX audit_newest ON public.audit USING btree (tenant, at, id);

create table batch (
  id text collate "C" not null,
  tenant text collate "C" not null,
  action text not null,
  asked text not null,
  params text not null,
  reason text,
  actor text collate "C",
  rate integer,
  state text collate "C" not null,
  place text,
  total integer not null,
  done integer not null,
  failed integer not null,
  skipped integer not null,
  problem text,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  next_at timestamp with time zone not null,
  owner text collate "C",
  lease_until timestamp with time zone not null,
  constraint batch_pkey PRIMARY KEY (id)
);
CREATE INDEX batch_by_state ON public.batch USING btree (tenant, state, created_at, id);
CREATE INDEX batch_ended ON public.batch USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX batch_newest ON public.batch USING btree (tenant, created_at, id);
CREATE INDEX batch_open ON public.batch USING btree (next_at) WHERE ((state = ANY (ARRAY['collecting'::text, 'running'::text])) OR (owner IS NOT NULL));

create table batch_item (
  batch_id text collate "C" not null,
  seq integer not null,
  workflow text collate "C" not null,
  object text collate "C",
  taken boolean not null,
  last_n integer,
  state text collate "C" not null,
  code text collate "C",
  message text,
  created_at timestamp with time zone not null,
  constraint batch_item_pkey PRIMARY KEY (batch_id, seq)
);
CREATE INDEX batch_item_age ON public.batch_item USING btree (created_at);
CREATE INDEX batch_item_by_state ON public.batch_item USING btree (batch_id, state, seq);

create table branch (
  shard smallint not null,
  workflow_id text collate "C" not null,
  path text collate "C" not null,
  parent text collate "C",
  at text collate "C",
  kind text not null,
  position integer not null,
  number integer not null,
  arrival integer,
  base text collate "C",
  state text not null,
  fields text not null,
  constraint branch_kind_known CHECK ((kind = ANY (ARRAY['branch'::text, 'flank'::text, 'forgotten'::text]))),
  constraint branch_pkey PRIMARY KEY (shard, workflow_id, path)
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02, fillfactor=80);
CREATE INDEX branch_children ON public.branch USING btree (shard, workflow_id, parent, number) WHERE (parent IS NOT NULL);

create table business_key (
  tenant text collate "C" not null,
  key text collate "C" not null,
  workflow text collate "C" not null,
  claimed_at timestamp with time zone not null,
  constraint business_key_pkey PRIMARY KEY (tenant, key)
);

create table correlation (
  tenant text collate "C" not null,
  type text collate "C" not null,
  key text collate "C" not null,
  seq bigint not null,
  pointers text not null,
  touched_at bigint not null,
  constraint correlation_pkey PRIMARY KEY (tenant, type, key)
) with (autovacuum_vacuum_scale_factor=0.05, fillfactor=80);
CREATE INDEX correlation_touched ON public.correlation USING btree (touched_at);

create table definition (
  hash text collate "C" not null,
  stored text not null,
  used_at timestamp with time zone not null default now(),
  constraint definition_pkey PRIMARY KEY (hash)
);

create table definition_name (
  tenant text collate "C" not null,
  name text collate "C" not null,
  active integer,
  last integer not null,
  ver integer not null,
  hash text collate "C" not null,
  source text collate "C" not null,
  sha256 text collate "C" not null,
  format text not null,
  options text not null,
  route_method text,
  route_shape text collate "C",
  route_public boolean,
  changed_at timestamp with time zone not null,
  constraint definition_name_pkey PRIMARY KEY (tenant, name)
);
CREATE INDEX definition_name_changed ON public.definition_name USING btree (changed_at, tenant, name);
CREATE UNIQUE INDEX definition_name_public ON public.definition_name USING btree (route_method, route_shape) WHERE ((active IS NOT NULL) AND route_public);
CREATE UNIQUE INDEX definition_name_route ON public.definition_name USING btree (tenant, route_method, route_shape) WHERE ((active IS NOT NULL) AND (route_shape IS NOT NULL));

create table definition_source (
  hash text collate "C" not null,
  text text not null,
  constraint definition_source_pkey PRIMARY KEY (hash)
);

create table definition_version (
  tenant text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  hash text collate "C" not null,
  source text collate "C" not null,
  sha256 text collate "C" not null,
  format text not null,
  options text not null,
  note text,
  created_at timestamp with time zone not null,
  created_by text collate "C",
  constraint definition_version_pkey PRIMARY KEY (tenant, name, version)
);
CREATE INDEX definition_version_hash ON public.definition_version USING btree (hash);

create table delivery (
  id text collate "C" not null,
  tenant text collate "C" not null,
  subscription text collate "C" not null,
  workflow_id text collate "C" not null,
  n integer not null,
  type text not null,
  event text not null,
  target text,
  ordered boolean not null,
  state text not null,
  tries integer not null,
  due_at bigint,
  created_at bigint not null,
  gone_at bigint,
  log text not null,
  claim text,
  lease_until timestamp with time zone,
  constraint delivery_pkey PRIMARY KEY (id)
);
CREATE INDEX delivery_before ON public.delivery USING btree (subscription, workflow_id, n) WHERE (due_at IS NOT NULL);
CREATE INDEX delivery_due ON public.delivery USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX delivery_gone ON public.delivery USING btree (gone_at) WHERE (gone_at IS NOT NULL);
CREATE INDEX delivery_newest ON public.delivery USING btree (subscription, created_at, id);

create table error (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  workitem boolean not null,
  class text not null,
  message text not null,
  at bigint not null,
  details text not null,
  constraint error_pkey PRIMARY KEY (shard, workflow_id, id)
);
CREATE INDEX error_class ON public.error USING btree (tenant, class, at DESC);
CREATE INDEX error_newest ON public.error USING btree (tenant, at DESC);

create table event (
  event_id text collate "C" not null,
  tenant text collate "C" not null,
  digest text collate "C" not null,
  source text collate "C" not null,
  id text collate "C" not null,
  type text collate "C" not null,
  key text collate "C",
  sort text not null,
  mode text not null,
  workflow_id text collate "C",
  received_at bigint not null,
  expires_at bigint not null,
  gone_at bigint,
  state text not null,
  hops integer not null,
  hits integer not null,
  misses integer not null,
  resumed text not null,
  started text not null,
  due boolean not null,
  spread text,
  body text not null,
  constraint event_mode_known CHECK ((mode = ANY (ARRAY['broadcast'::text, 'competing'::text, 'direct'::text]))),
  constraint event_pkey PRIMARY KEY (event_id),
  constraint event_state_known CHECK ((state = ANY (ARRAY['kept'::text, 'delivered'::text, 'expired'::text, 'spreading'::text])))
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX event_due ON public.event USING btree (received_at) WHERE due;
CREATE INDEX event_gone ON public.event USING btree (gone_at);
CREATE INDEX event_kept ON public.event USING btree (tenant, type, received_at, event_id) WHERE (state = 'kept'::text);
CREATE INDEX event_kept_by_key ON public.event USING btree (tenant, type, key, received_at, event_id) WHERE (state = 'kept'::text);
CREATE INDEX event_kept_expires ON public.event USING btree (tenant, expires_at) WHERE (state = 'kept'::text);
CREATE INDEX event_newest ON public.event USING btree (tenant, received_at DESC, event_id DESC);
CREATE INDEX event_of_workflow ON public.event USING btree (workflow_id, type, received_at) WHERE (workflow_id IS NOT NULL);
CREATE UNIQUE INDEX event_digest ON public.event USING btree (tenant, digest);

create table figure (
  tenant text collate "C" not null,
  minute bigint not null,
  node text collate "C" not null,
  figures text not null,
  constraint figure_pkey PRIMARY KEY (tenant, minute, node)
);
CREATE INDEX figure_age ON public.figure USING btree (minute);

create table history (
  shard smallint not null,
  workflow_id text collate "C" not null,
  first_n integer not null,
  last_n integer not null,
  at bigint not null,
  entries text not null,
  transaction_id bigint,
  token text,
  position bigint,
  tenant text collate "C",
  constraint history_numbers_ascend CHECK (((first_n >= 1) AND (last_n >= first_n))),
  constraint history_pkey PRIMARY KEY (shard, workflow_id, first_n)
) with (autovacuum_analyze_scale_factor=0.1, autovacuum_vacuum_insert_scale_factor=0.1);
CREATE INDEX history_position ON public.history USING btree ("position") WHERE ("position" IS NOT NULL);

create table idempotency_key (
  scope text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  reserved_at bigint not null,
  status integer,
  body text,
  content_type text,
  constraint idempotency_key_pkey PRIMARY KEY (scope, key)
) with (autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX idempotency_key_age ON public.idempotency_key USING btree (reserved_at);

create table listener (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  event text not null,
  reach text not null,
  name text collate "C",
  spec text not null,
  constraint listener_event_known CHECK ((event = ANY (ARRAY['dispatched'::text, 'received'::text, 'entered_tag'::text, 'left_tag'::text, 'error'::text, 'message'::text, 'signal'::text]))),
  constraint listener_pkey PRIMARY KEY (shard, workflow_id, id),
  constraint listener_reach_known CHECK ((reach = ANY (ARRAY['workflow'::text, 'tenant'::text])))
) with (autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX listener_hears ON public.listener USING btree (tenant, event, name) WHERE (reach = 'tenant'::text);

create table moved (
  id text collate "C" not null,
  kind text collate "C" not null,
  tenant text collate "C" not null,
  target text,
  at timestamp with time zone not null,
  constraint moved_pkey PRIMARY KEY (id)
);
CREATE INDEX moved_at ON public.moved USING btree (at);
CREATE INDEX moved_kind ON public.moved USING btree (kind, id);

create table node (
  id text collate "C" not null,
  role text not null,
  url text not null,
  version text not null,
  started_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  lease_until timestamp with time zone not null,
  name text,
  registry bigint,
  attributes text,
  figures text,
  constraint node_pkey PRIMARY KEY (id)
) with (fillfactor=50);

create table participant (
  tenant text collate "C" not null,
  name text collate "C" not null,
  spec text not null,
  sealed text,
  ver integer not null,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint participant_pkey PRIMARY KEY (tenant, name)
);
CREATE INDEX participant_changed ON public.participant USING btree (changed_at, tenant, name);
CREATE INDEX participant_deleted ON public.participant USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

create table schedule (
  tenant text collate "C" not null,
  id text collate "C" not null,
  definition text collate "C" not null,
  version integer not null,
  spec text not null,
  since bigint not null,
  due_at bigint,
  wake_at bigint,
  paused boolean not null,
  firing text not null,
  queued text not null,
  recent text not null,
  ver integer not null,
  constraint schedule_pkey PRIMARY KEY (tenant, id)
) with (fillfactor=80);
CREATE INDEX schedule_definition ON public.schedule USING btree (tenant, definition, id);
CREATE INDEX schedule_wake ON public.schedule USING btree (wake_at, tenant, id) WHERE (wake_at IS NOT NULL);

create table secret (
  id text collate "C" not null,
  tenant text collate "C" not null,
  kind text collate "C" not null,
  type text collate "C" not null,
  match text collate "C" not null,
  value text not null,
  previous text,
  generation integer not null,
  created_at timestamp with time zone not null,
  created_by text not null,
  changed_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  ends_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint secret_pkey PRIMARY KEY (id)
);
CREATE INDEX secret_all ON public.secret USING btree (created_at, id);
CREATE INDEX secret_changed ON public.secret USING btree (changed_at, id);
CREATE INDEX secret_ends ON public.secret USING btree (ends_at, id);
CREATE INDEX secret_newest ON public.secret USING btree (tenant, created_at, id);

create table setting (
  name text collate "C" not null,
  value text not null,
  constraint setting_pkey PRIMARY KEY (name)
);

create table source (
  definition text collate "C" not null,
  hash text collate "C" not null,
  text text not null,
  constraint source_pkey PRIMARY KEY (definition, hash)
);

create table subscription (
  id text collate "C" not null,
  tenant text collate "C" not null,
  spec text not null,
  sealed text,
  enabled boolean not null,
  reason text,
  failing_since bigint,
  ver integer not null,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint subscription_pkey PRIMARY KEY (id)
);
CREATE INDEX subscription_changed ON public.subscription USING btree (changed_at, id);
CREATE INDEX subscription_deleted ON public.subscription USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);

create table variable (
  shard smallint not null,
  workflow_id text collate "C" not null,
  scope text collate "C" not null,
  name text collate "C" not null,
  value text not null,
  constraint variable_pkey PRIMARY KEY (shard, workflow_id, scope, name)
) with (autovacuum_vacuum_scale_factor=0.05);

create table waiter (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  type text collate "C" not null,
  wanted text collate "C",
  key_from text,
  condition text,
  hears text not null,
  once boolean not null,
  since bigint not null,
  element text,
  key text collate "C",
  seq bigint,
  taken_by text collate "C",
  constraint waiter_hears_known CHECK ((hears = ANY (ARRAY['event'::text, 'message'::text, 'signal'::text]))),
  constraint waiter_pkey PRIMARY KEY (shard, workflow_id, id),
  constraint waiter_shard_range CHECK (((shard >= 0) AND (shard <= 255)))
) with (autovacuum_vacuum_scale_factor=0.05);
CREATE INDEX waiter_free ON public.waiter USING btree (tenant, type, key, seq) WHERE (taken_by IS NULL);
CREATE INDEX waiter_newest ON public.waiter USING btree (tenant, since DESC, workflow_id, id);

create table workflow (
  shard smallint not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  name text collate "C",
  definition text collate "C" not null,
  launched_at bigint not null,
  callbacks text not null,
  retry text,
  fields text not null,
  status text not null,
  header text not null,
  state text not null,
  updated_at bigint not null,
  ended_at bigint,
  ver integer not null,
  last_n integer not null,
  history_first integer,
  trace text,
  business_key text collate "C",
  options text,
  definition_name text collate "C",
  definition_version integer,
  meta text,
  source text collate "C",
  retain_days integer,
  constraint workflow_ended_when_over CHECK (((status = ANY (ARRAY['completed'::text, 'cancelled'::text, 'killed'::text])) = (ended_at IS NOT NULL))),
  constraint workflow_pkey PRIMARY KEY (shard, id),
  constraint workflow_shard_range CHECK (((shard >= 0) AND (shard <= 255))),
  constraint workflow_status_known CHECK ((status = ANY (ARRAY['running'::text, 'error'::text, 'paused'::text, 'cancelling'::text, 'completed'::text, 'cancelled'::text, 'killed'::text]))),
  constraint workflow_ver_positive CHECK ((ver > 0))
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.05, fillfactor=60);
CREATE INDEX workflow_business_key ON public.workflow USING btree (tenant, business_key, launched_at DESC, id) WHERE (business_key IS NOT NULL);
CREATE INDEX workflow_by_end ON public.workflow USING btree (tenant, ended_at DESC) WHERE (ended_at IS NOT NULL);
CREATE INDEX workflow_by_launch ON public.workflow USING btree (tenant, launched_at DESC);
CREATE INDEX workflow_by_name ON public.workflow USING btree (tenant, name, launched_at DESC) WHERE (name IS NOT NULL);
CREATE INDEX workflow_by_status ON public.workflow USING btree (tenant, status, launched_at DESC);
CREATE INDEX workflow_definition ON public.workflow USING btree ("left"(definition, 8));
CREATE INDEX workflow_ended_usual ON public.workflow USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (retain_days IS NULL));
CREATE INDEX workflow_kept ON public.workflow USING btree (((ended_at + ((retain_days)::bigint * 86400000)))) WHERE ((ended_at IS NOT NULL) AND (retain_days IS NOT NULL));

create table workitem (
  shard smallint not null,
  workflow_id text collate "C" not null,
  id text collate "C" not null,
  tenant text collate "C" not null,
  path text collate "C" not null,
  participant text collate "C" not null,
  state text not null,
  fields text,
  params text not null,
  inherits text collate "C",
  added text,
  opened_at bigint not null,
  revision integer not null,
  url text,
  send text,
  then_send text,
  tries integer not null,
  due_at bigint,
  held_at bigint,
  log text not null,
  claim text,
  owner text,
  lease_until timestamp with time zone,
  terms text,
  claim_by text,
  claim_until bigint,
  heartbeat_at bigint,
  progress text,
  entry_n integer,
  constraint workitem_claim_whole CHECK ((((claim IS NULL) = (owner IS NULL)) AND ((claim IS NULL) = (lease_until IS NULL)))),
  constraint workitem_fields_somewhere CHECK (((fields IS NOT NULL) OR (inherits IS NOT NULL))),
  constraint workitem_pkey PRIMARY KEY (shard, workflow_id, id),
  constraint workitem_send_known CHECK ((send = ANY (ARRAY['active'::text, 'timeout'::text, 'error'::text, 'cancel'::text]))),
  constraint workitem_state_known CHECK ((state = ANY (ARRAY['open'::text, 'failed'::text, 'closed'::text]))),
  constraint workitem_then_known CHECK ((then_send = ANY (ARRAY['timeout'::text, 'error'::text, 'cancel'::text])))
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02, fillfactor=85);
CREATE INDEX workitem_due ON public.workitem USING btree (due_at) WHERE ((send IS NOT NULL) AND (held_at IS NULL));
CREATE INDEX workitem_due_by_host ON public.workitem USING btree (COALESCE(lower("substring"(url, '//([^/?#]*)'::text)), '-'::text) COLLATE "C", due_at) WHERE ((send IS NOT NULL) AND (held_at IS NULL) AND (claim IS NULL));
CREATE INDEX workitem_participant ON public.workitem USING btree (tenant, participant, opened_at);
