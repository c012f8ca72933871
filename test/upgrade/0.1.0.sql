SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.agenda (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    due_at bigint NOT NULL,
    held_at bigint,
    path text COLLATE pg_catalog."C",
    payload text NOT NULL,
    CONSTRAINT agenda_kind_known CHECK ((kind = ANY (ARRAY['timer'::text, 'continue'::text, 'event'::text, 'answer'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE public.branch (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    parent text COLLATE pg_catalog."C",
    at text COLLATE pg_catalog."C",
    kind text NOT NULL,
    "position" integer NOT NULL,
    number integer NOT NULL,
    arrival integer,
    base text COLLATE pg_catalog."C",
    state text NOT NULL,
    fields text NOT NULL,
    CONSTRAINT branch_kind_known CHECK ((kind = ANY (ARRAY['branch'::text, 'flank'::text, 'forgotten'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE public.definition (
    hash text NOT NULL COLLATE pg_catalog."C",
    stored text NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.error (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    tenant text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    workitem boolean NOT NULL,
    class text NOT NULL,
    message text NOT NULL,
    at bigint NOT NULL,
    details text NOT NULL
);
CREATE TABLE public.history (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    first_n integer NOT NULL,
    last_n integer NOT NULL,
    at bigint NOT NULL,
    entries text NOT NULL,
    transaction_id bigint,
    token text,
    CONSTRAINT history_numbers_ascend CHECK (((first_n >= 1) AND (last_n >= first_n)))
)
WITH (autovacuum_vacuum_insert_scale_factor='0.1', autovacuum_analyze_scale_factor='0.1');
CREATE TABLE public.idempotency_key (
    scope text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    fingerprint text NOT NULL,
    reserved_at bigint NOT NULL,
    status integer,
    body text,
    content_type text
)
WITH (autovacuum_vacuum_scale_factor='0.05');
CREATE TABLE public.listener (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    tenant text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    event text NOT NULL,
    reach text NOT NULL,
    name text COLLATE pg_catalog."C",
    spec text NOT NULL,
    CONSTRAINT listener_event_known CHECK ((event = ANY (ARRAY['dispatched'::text, 'received'::text, 'entered_tag'::text, 'left_tag'::text, 'error'::text]))),
    CONSTRAINT listener_reach_known CHECK ((reach = ANY (ARRAY['workflow'::text, 'tenant'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.05');
CREATE TABLE public.migration (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.migration_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.migration_id_seq OWNED BY public.migration.id;
CREATE TABLE public.node (
    id text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL,
    url text NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public.setting (
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
);
CREATE TABLE public.variable (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    scope text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05');
CREATE TABLE public.workflow (
    shard smallint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    tenant text NOT NULL COLLATE pg_catalog."C",
    ver integer NOT NULL,
    name text COLLATE pg_catalog."C",
    definition text NOT NULL,
    status text NOT NULL,
    launched_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    ended_at bigint,
    last_n integer NOT NULL,
    callbacks text NOT NULL,
    retry text,
    header text NOT NULL,
    state text NOT NULL,
    fields text NOT NULL,
    CONSTRAINT workflow_ended_when_over CHECK (((status = ANY (ARRAY['completed'::text, 'cancelled'::text, 'killed'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT workflow_shard_range CHECK (((shard >= 0) AND (shard <= 255))),
    CONSTRAINT workflow_status_known CHECK ((status = ANY (ARRAY['running'::text, 'error'::text, 'paused'::text, 'cancelling'::text, 'completed'::text, 'cancelled'::text, 'killed'::text]))),
    CONSTRAINT workflow_ver_positive CHECK ((ver > 0))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE public.workitem (
    shard smallint NOT NULL,
    workflow_id text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    tenant text NOT NULL COLLATE pg_catalog."C",
    path text NOT NULL COLLATE pg_catalog."C",
    participant text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    fields text,
    params text NOT NULL,
    inherits text COLLATE pg_catalog."C",
    added text,
    opened_at bigint NOT NULL,
    revision integer NOT NULL,
    url text,
    send text,
    then_send text,
    tries integer NOT NULL,
    due_at bigint,
    held_at bigint,
    log text NOT NULL,
    claim text,
    owner text,
    lease_until timestamp with time zone,
    CONSTRAINT workitem_claim_whole CHECK ((((claim IS NULL) = (owner IS NULL)) AND ((claim IS NULL) = (lease_until IS NULL)))),
    CONSTRAINT workitem_fields_somewhere CHECK (((fields IS NOT NULL) OR (inherits IS NOT NULL))),
    CONSTRAINT workitem_send_known CHECK ((send = ANY (ARRAY['active'::text, 'timeout'::text, 'error'::text, 'cancel'::text]))),
    CONSTRAINT workitem_state_known CHECK ((state = ANY (ARRAY['open'::text, 'failed'::text, 'closed'::text]))),
    CONSTRAINT workitem_then_known CHECK ((then_send = ANY (ARRAY['timeout'::text, 'error'::text, 'cancel'::text])))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.02', autovacuum_analyze_scale_factor='0.05');
ALTER TABLE ONLY public.migration ALTER COLUMN id SET DEFAULT nextval('public.migration_id_seq'::regclass);
INSERT INTO public.agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload) VALUES (6, '20261121-0132-giniyuka-konamaze', '0_0_0!dcf2c9dec70d33d99ae3517af07d51fe#0', 'timer', 1795224782663, NULL, '0', '{"path":"0","id":"0_0_0!dcf2c9dec70d33d99ae3517af07d51fe","wake":{"do":"reply"}}');
INSERT INTO public.agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload) VALUES (219, '20261121-0132-kosadadu-dapupebi', '0_0_0!0248dab5c17bf2676029832dda7d320a#0', 'timer', 32503593600000, NULL, '0', '{"path":"0","id":"0_0_0!0248dab5c17bf2676029832dda7d320a","wake":{"do":"reply"}}');
INSERT INTO public.agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload) VALUES (185, '20261121-0132-gukutebe-jukaheme', '0_0_0!c956c83619068cfcefac30ac65459547#0', 'timer', 1795224782676, NULL, '0', '{"path":"0","id":"0_0_0!c956c83619068cfcefac30ac65459547","wake":{"do":"timeout"}}');
INSERT INTO public.agenda (shard, workflow_id, id, kind, due_at, held_at, path, payload) VALUES (236, '20261121-0132-gomakoto-dujihino', 'answer#000000001', 'answer', 1795224737788, 1795224737788, NULL, '[[],[{"of":"paused","before":"done"}],[{"kind":"reply","to":{"path":"0","id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51"},"from":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51","fields":0,"by":null,"branch":null,"flanking":false,"updatedTree":null,"received":true}]]');
INSERT INTO public.branch (shard, workflow_id, path, parent, at, kind, "position", number, arrival, base, state, fields) VALUES (110, '20261121-0132-bunusebi-donogumo', '0.2', '0', '0_0_0!e2d66428ad15aa3d99b93fd27b38dcd1', 'branch', 1, 2, NULL, NULL, '{"x":1,"p":3,"d":["944ad9df4aab343a94ee35d193afd753b3308402036ec798395a5b8b41c8d5df"],"n":[{"i":"0_0_0_1!bb2be930dcb5ea1e459d6e7400948770","n":"participant","t":"0:0.0.1","a":0,"w":1,"d":[["participant","right"],["params",{"o":1}]]}]}', '[{"of":"branches"},{"ref":"right"}]');
INSERT INTO public.branch (shard, workflow_id, path, parent, at, kind, "position", number, arrival, base, state, fields) VALUES (110, '20261121-0132-bunusebi-donogumo', '0.1', '0', '0_0_0!e2d66428ad15aa3d99b93fd27b38dcd1', 'branch', 0, 1, 0, NULL, '{"x":1,"p":0,"r":0,"d":[],"n":[]}', '[{"of":"branches","left":"done"}]');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('6696d6b7a59ad64b0fdadf3069067639dcf707ec37719eb0047b138dd9d0c688', '["define",[["name","open"]],[["sequence",[],[["participant",[["ref","first"]],[]],["participant",[["ref","second"]],[]]]]]]', '2026-11-21 01:32:17.632397+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('691c92c6f021869f5849115003ebb530a81066f9c7c8dd86407142193d1bb77a', '["define",[["name","timer"]],[["sequence",[],[["wait",[["for","45s"]],[]],["participant",[["ref","waker"]],[]]]]]]', '2026-11-21 01:32:17.659611+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('b12098bcfe76cd7a88f84a41526bfc7d79a5fb097bb00a51e5027c7d150f0838', '["define",[["name","future"]],[["sequence",[],[["wait",[["until","2999-12-31 00:00:00 UTC"]],[]],["participant",[["ref","never"]],[]]]]]]', '2026-11-21 01:32:17.667278+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('b65e9810f793447e7bfcffc7fd81dceceea85648982a344b934514ed2604477e', '["define",[["name","timeout"]],[["sequence",[],[["participant",[["ref","sleeper"],["timeout","45s"]],[]],["participant",[["ref","successor"]],[]]]]]]', '2026-11-21 01:32:17.672814+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('944ad9df4aab343a94ee35d193afd753b3308402036ec798395a5b8b41c8d5df', '["define",[["name","branches"]],[["sequence",[],[["concurrence",[["merge_type","union"]],[["participant",[["ref","left"]],[]],["participant",[["ref","right"]],[]]]],["participant",[["ref","join"],["task","${left}"]],[]]]]]]', '2026-11-21 01:32:17.681524+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('287b36bdeb23bf2353ff5d63b70f721107d6cfb07d696f690f1164dec9ba8905', '["define",[["name","list"]],[["sequence",[],[["set",[["var","colour"],["value","green"]],[]],["iterator",[["on","red,blue"],["to_v","item"],["tag","picking"]],[["participant",[["ref","picker"],["item","${v:item}"]],[]]]],["participant",[["ref","painter"],["colour","${v:colour}"]],[]]]]]]', '2026-11-21 01:32:17.690247+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('39496cf010cdfe233543ff5a4b07b8a76c14bd745796a154f177e33c11a6742a', '["define",[["name","paused"]],[["sequence",[],[["participant",[["ref","before"]],[]],["participant",[["ref","after"]],[]]]]]]', '2026-11-21 01:32:17.695847+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('1c29563e22b7deccb283dc66ace4f229e07ccd3aa8437bf9024e694e59cfab95', '["define",[["name","failed"]],[["sequence",[],[["participant",[["ref","broken"]],[]],["participant",[["ref","mended"]],[]]]]]]', '2026-11-21 01:32:17.700562+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('bede45472b2aafcba7f621e3414a1683cc1f70981354d92a53b56d8dab990cf4', '["define",[["name","retried"]],[["sequence",[],[["participant",[["ref","flaky"]],[]]]]]]', '2026-11-21 01:32:17.705528+00');
INSERT INTO public.definition (hash, stored, used_at) VALUES ('e47e6ad7b62cf723b22f1210f2dc06987e9e3293a5d763f41b5be044389f5a52', '["define",[["name","cancelled"]],[["sequence",[],[["participant",[["ref","stubborn"]],[]]]]]]', '2026-11-21 01:32:17.712173+00');
INSERT INTO public.error (shard, workflow_id, id, tenant, path, workitem, class, message, at, details) VALUES (196, '20261121-0132-nohetsuro-mofujoge', '0_0_0!f5ea5af8733e1610d9a2a07be0c87709', 'default', '0', true, 'RetriesExceeded', 'broken was not reached: 1 try failed, the last with status 500', 1795224737773, '{"expid":"0_0_0","name":"participant","deviations":null,"fields":{"of":"failed","params":{"ref":"broken"}},"message":"[[],[{\"of\":\"failed\",\"params\":{\"ref\":\"broken\"}}],[{\"kind\":\"raise\",\"to\":{\"path\":\"0\",\"id\":\"0_0_0!f5ea5af8733e1610d9a2a07be0c87709\"},\"class\":\"RetriesExceeded\",\"message\":\"broken was not reached: 1 try failed, the last with status 500\",\"fields\":0}]]"}');
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (241, '20261121-0132-dahogepi-gutsugeji', 1, 5, 1795224737631, '[{"kind":"workflow.launched","name":"open"},{"kind":"expression.applied","expid":"0","expression_id":"0!4e6d4cd13f8b84b5eb7b132b13c63a7f","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!bc20456570f96d474ddaccac2d19b3ea","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!03905193f0d46d49766416d450728d14","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!03905193f0d46d49766416d450728d14!20261121-0132-dahogepi-gutsugeji","participant":"first"}]', 728, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (6, '20261121-0132-giniyuka-konamaze', 1, 5, 1795224737663, '[{"kind":"workflow.launched","name":"timer"},{"kind":"expression.applied","expid":"0","expression_id":"0!b80330a0aaa2103730d408dded1d4252","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!4cd03d870dbe6f2423c3fb240a8aba55","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!dcf2c9dec70d33d99ae3517af07d51fe","name":"wait"},{"kind":"timer.set","expid":"0_0_0","due_at":"2026-11-21T01:33:02.663Z","action":"reply"}]', 729, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (219, '20261121-0132-kosadadu-dapupebi', 1, 5, 1795224737671, '[{"kind":"workflow.launched","name":"future"},{"kind":"expression.applied","expid":"0","expression_id":"0!c21a19f04c29899c2396926fa2e2dae1","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!2e055d7fcb6eafde5797aca48c0b720a","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!0248dab5c17bf2676029832dda7d320a","name":"wait"},{"kind":"timer.set","expid":"0_0_0","due_at":"2999-12-31T00:00:00.000Z","action":"reply"}]', 730, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (185, '20261121-0132-gukutebe-jukaheme', 1, 6, 1795224737676, '[{"kind":"workflow.launched","name":"timeout"},{"kind":"expression.applied","expid":"0","expression_id":"0!1802a02e156b3e0154cdb3a96250b7c1","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!664b0806419b5c4ceaf30e68f4e7c34c","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!c956c83619068cfcefac30ac65459547","name":"participant"},{"kind":"timer.set","expid":"0_0_0","due_at":"2026-11-21T01:33:02.676Z","action":"timeout"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!c956c83619068cfcefac30ac65459547!20261121-0132-gukutebe-jukaheme","participant":"sleeper"}]', 731, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (110, '20261121-0132-bunusebi-donogumo', 1, 8, 1795224737684, '[{"kind":"workflow.launched","name":"branches"},{"kind":"expression.applied","expid":"0","expression_id":"0!f82e8ca51f2e3266b96df013f68bda78","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!dad595d3f927171042b5e11cee502136","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!e2d66428ad15aa3d99b93fd27b38dcd1","name":"concurrence"},{"kind":"expression.applied","expid":"0_0_0_0","expression_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb","name":"participant"},{"kind":"expression.applied","expid":"0_0_0_1","expression_id":"0_0_0_1!bb2be930dcb5ea1e459d6e7400948770","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0_0","workitem_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb!20261121-0132-bunusebi-donogumo","participant":"left"},{"kind":"workitem.opened","expid":"0_0_0_1","workitem_id":"0_0_0_1!bb2be930dcb5ea1e459d6e7400948770!20261121-0132-bunusebi-donogumo","participant":"right"}]', 732, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (146, '20261121-0132-jineyatsu-powobiru', 1, 8, 1795224737693, '[{"kind":"workflow.launched","name":"list"},{"kind":"expression.applied","expid":"0","expression_id":"0!980d436cbaffff7507ff68fa36875c2d","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!cb68b887303aeab68207baf61afc7f39","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!e344c0264a94da8df231353190ee5b5b","name":"set"},{"kind":"expression.replied","expid":"0_0_0","expression_id":"0_0_0!e344c0264a94da8df231353190ee5b5b","name":"set"},{"kind":"expression.applied","expid":"0_0_1","expression_id":"0_0_1!9d144c6f82cfa48d7df6e037c05f8839","name":"iterator"},{"kind":"expression.applied","expid":"0_0_1_0","expression_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88","name":"participant"},{"kind":"workitem.opened","expid":"0_0_1_0","workitem_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88!20261121-0132-jineyatsu-powobiru","participant":"picker"}]', 733, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (236, '20261121-0132-gomakoto-dujihino', 1, 5, 1795224737701, '[{"kind":"workflow.launched","name":"paused"},{"kind":"expression.applied","expid":"0","expression_id":"0!01def8c975e290d3bec7be3d45449f45","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!a2cd9f1b64fceae3a81c0f973832729e","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51!20261121-0132-gomakoto-dujihino","participant":"before"}]', 734, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (196, '20261121-0132-nohetsuro-mofujoge', 1, 5, 1795224737705, '[{"kind":"workflow.launched","name":"failed"},{"kind":"expression.applied","expid":"0","expression_id":"0!dd8bc244f2b97f3e742759fde5d50e86","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!5e7bc67c36fde04cbf2d96ee44b33f99","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709!20261121-0132-nohetsuro-mofujoge","participant":"broken"}]', 735, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (59, '20261121-0132-pokamipa-gubawara', 1, 5, 1795224737710, '[{"kind":"workflow.launched","name":"retried"},{"kind":"expression.applied","expid":"0","expression_id":"0!f1314c65bf689eece5786f6c2e63fd01","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!84c9124a53cf53dbea6f6fa8f8ed5148","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42!20261121-0132-pokamipa-gubawara","participant":"flaky"}]', 736, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (131, '20261121-0132-nechitodo-ridageru', 1, 5, 1795224737717, '[{"kind":"workflow.launched","name":"cancelled"},{"kind":"expression.applied","expid":"0","expression_id":"0!960b9fc8872434dc267340b2ecbfe708","name":"define"},{"kind":"expression.applied","expid":"0_0","expression_id":"0_0!7e886771a4028fa8a4dec5925adbbe5d","name":"sequence"},{"kind":"expression.applied","expid":"0_0_0","expression_id":"0_0_0!753c05c1281899d886f9473888f9116c","name":"participant"},{"kind":"workitem.opened","expid":"0_0_0","workitem_id":"0_0_0!753c05c1281899d886f9473888f9116c!20261121-0132-nechitodo-ridageru","participant":"stubborn"}]', 737, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (110, '20261121-0132-bunusebi-donogumo', 9, 12, 1795224737736, '[{"kind":"callback.delivered","workitem_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb!20261121-0132-bunusebi-donogumo","expression_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb","participant":"left","send":"active","at":1795224737692,"try":1,"status":200,"milliseconds":4},{"kind":"callback.delivered","workitem_id":"0_0_0_1!bb2be930dcb5ea1e459d6e7400948770!20261121-0132-bunusebi-donogumo","expression_id":"0_0_0_1!bb2be930dcb5ea1e459d6e7400948770","participant":"right","send":"active","at":1795224737693,"try":1,"status":200,"milliseconds":4},{"kind":"workitem.proceeded","expid":"0_0_0_0","workitem_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb!20261121-0132-bunusebi-donogumo","participant":"left"},{"kind":"expression.replied","expid":"0_0_0_0","expression_id":"0_0_0_0!098b72c62581eecdd1868d1adb8a29cb","name":"participant"}]', 738, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (146, '20261121-0132-jineyatsu-powobiru', 9, 13, 1795224737757, '[{"kind":"callback.delivered","workitem_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88!20261121-0132-jineyatsu-powobiru","expression_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88","participant":"picker","send":"active","at":1795224737700,"try":1,"status":200,"milliseconds":3},{"kind":"workitem.proceeded","expid":"0_0_1_0","workitem_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88!20261121-0132-jineyatsu-powobiru","participant":"picker"},{"kind":"expression.replied","expid":"0_0_1_0","expression_id":"0_0_1_0!e23fb6f878c448859f0a86c181042b88","name":"participant"},{"kind":"expression.applied","expid":"0_0_1_0","expression_id":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f","name":"participant"},{"kind":"workitem.opened","expid":"0_0_1_0","workitem_id":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f!20261121-0132-jineyatsu-powobiru","participant":"picker"}]', 739, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (59, '20261121-0132-pokamipa-gubawara', 6, 6, 1795224737764, '[{"kind":"callback.refused","workitem_id":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42!20261121-0132-pokamipa-gubawara","expression_id":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42","participant":"flaky","send":"active","at":1795224737716,"try":1,"status":500,"milliseconds":4,"next_at":"2026-11-21T01:33:02.716Z"}]', 740, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (131, '20261121-0132-nechitodo-ridageru', 6, 6, 1795224737764, '[{"kind":"callback.delivered","workitem_id":"0_0_0!753c05c1281899d886f9473888f9116c!20261121-0132-nechitodo-ridageru","expression_id":"0_0_0!753c05c1281899d886f9473888f9116c","participant":"stubborn","send":"active","at":1795224737723,"try":1,"status":200,"milliseconds":4}]', 740, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (185, '20261121-0132-gukutebe-jukaheme', 7, 7, 1795224737764, '[{"kind":"callback.delivered","workitem_id":"0_0_0!c956c83619068cfcefac30ac65459547!20261121-0132-gukutebe-jukaheme","expression_id":"0_0_0!c956c83619068cfcefac30ac65459547","participant":"sleeper","send":"active","at":1795224737683,"try":1,"status":200,"milliseconds":4}]', 740, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (241, '20261121-0132-dahogepi-gutsugeji', 6, 6, 1795224737764, '[{"kind":"callback.delivered","workitem_id":"0_0_0!03905193f0d46d49766416d450728d14!20261121-0132-dahogepi-gutsugeji","expression_id":"0_0_0!03905193f0d46d49766416d450728d14","participant":"first","send":"active","at":1795224737660,"try":1,"status":200,"milliseconds":14}]', 740, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (196, '20261121-0132-nohetsuro-mofujoge', 6, 7, 1795224737773, '[{"kind":"callback.refused","workitem_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709!20261121-0132-nohetsuro-mofujoge","expression_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709","participant":"broken","send":"active","at":1795224737710,"try":1,"status":500,"milliseconds":3,"next_at":null},{"kind":"callback.exhausted","workitem_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709!20261121-0132-nohetsuro-mofujoge","expression_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709","participant":"broken","send":"active","at":1795224737710,"try":1,"tries":1}]', 741, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (196, '20261121-0132-nohetsuro-mofujoge', 8, 9, 1795224737773, '[{"kind":"workitem.failed","expid":"0_0_0","workitem_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709!20261121-0132-nohetsuro-mofujoge","participant":"broken","class":"RetriesExceeded","message":"broken was not reached: 1 try failed, the last with status 500"},{"kind":"expression.failed","expid":"0_0_0","expression_id":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709","class":"RetriesExceeded","message":"broken was not reached: 1 try failed, the last with status 500"}]', 741, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (236, '20261121-0132-gomakoto-dujihino', 6, 6, 1795224737773, '[{"kind":"callback.delivered","workitem_id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51!20261121-0132-gomakoto-dujihino","expression_id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51","participant":"before","send":"active","at":1795224737705,"try":1,"status":200,"milliseconds":3}]', 741, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (236, '20261121-0132-gomakoto-dujihino', 7, 7, 1795224737781, '[{"kind":"workflow.paused"}]', 742, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (236, '20261121-0132-gomakoto-dujihino', 8, 8, 1795224737788, '[{"kind":"workitem.proceeded","expid":"0_0_0","workitem_id":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51!20261121-0132-gomakoto-dujihino","participant":"before"}]', 743, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (131, '20261121-0132-nechitodo-ridageru', 7, 12, 1795224737795, '[{"kind":"workflow.cancelling"},{"kind":"workitem.closed","expid":"0_0_0","workitem_id":"0_0_0!753c05c1281899d886f9473888f9116c!20261121-0132-nechitodo-ridageru","participant":"stubborn","status":"cancel"},{"kind":"expression.cancelled","expid":"0_0_0","expression_id":"0_0_0!753c05c1281899d886f9473888f9116c","name":"participant"},{"kind":"expression.cancelled","expid":"0_0","expression_id":"0_0!7e886771a4028fa8a4dec5925adbbe5d","name":"sequence"},{"kind":"expression.cancelled","expid":"0","expression_id":"0!960b9fc8872434dc267340b2ecbfe708","name":"define"},{"kind":"workflow.cancelled"}]', 744, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (146, '20261121-0132-jineyatsu-powobiru', 14, 14, 1795224737863, '[{"kind":"callback.delivered","workitem_id":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f!20261121-0132-jineyatsu-powobiru","expression_id":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f","participant":"picker","send":"active","at":1795224737772,"try":1,"status":200,"milliseconds":4}]', 747, NULL);
INSERT INTO public.history (shard, workflow_id, first_n, last_n, at, entries, transaction_id, token) VALUES (131, '20261121-0132-nechitodo-ridageru', 13, 13, 1795224737866, '[{"kind":"callback.refused","workitem_id":"0_0_0!753c05c1281899d886f9473888f9116c!20261121-0132-nechitodo-ridageru","expression_id":"0_0_0!753c05c1281899d886f9473888f9116c","participant":"stubborn","send":"cancel","at":1795224737811,"try":1,"status":500,"milliseconds":1,"next_at":"2026-11-21T01:33:02.811Z"}]', 748, NULL);
INSERT INTO public.migration (id, name, run_on) VALUES (1, '0001_tables', '2026-11-21 01:32:17.387008');
INSERT INTO public.migration (id, name, run_on) VALUES (2, '0002_definition_use', '2026-11-21 01:32:17.4282');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (6, '20261121-0132-giniyuka-konamaze', 'default', 1, 'timer', '691c92c6f021869f5849115003ebb530a81066f9c7c8dd86407142193d1bb77a', 'running', 1795224737663, 1795224737663, NULL, 5, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"timer","revision":null}', '{"x":1,"p":0,"d":["691c92c6f021869f5849115003ebb530a81066f9c7c8dd86407142193d1bb77a"],"n":[{"i":"0!b80330a0aaa2103730d408dded1d4252","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["timer",{"b":["0","0:"]}]],"c":1,"C":"0_0!4cd03d870dbe6f2423c3fb240a8aba55"},{"i":"0_0!4cd03d870dbe6f2423c3fb240a8aba55","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!dcf2c9dec70d33d99ae3517af07d51fe"},{"i":"0_0_0!dcf2c9dec70d33d99ae3517af07d51fe","n":"wait","t":"0:0.0","a":0,"M":1,"h":"0_0_0!dcf2c9dec70d33d99ae3517af07d51fe#0"}]}', '[{"of":"timer"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (219, '20261121-0132-kosadadu-dapupebi', 'default', 1, 'future', 'b12098bcfe76cd7a88f84a41526bfc7d79a5fb097bb00a51e5027c7d150f0838', 'running', 1795224737671, 1795224737671, NULL, 5, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"future","revision":null}', '{"x":1,"p":0,"d":["b12098bcfe76cd7a88f84a41526bfc7d79a5fb097bb00a51e5027c7d150f0838"],"n":[{"i":"0!c21a19f04c29899c2396926fa2e2dae1","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["future",{"b":["0","0:"]}]],"c":1,"C":"0_0!2e055d7fcb6eafde5797aca48c0b720a"},{"i":"0_0!2e055d7fcb6eafde5797aca48c0b720a","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!0248dab5c17bf2676029832dda7d320a"},{"i":"0_0_0!0248dab5c17bf2676029832dda7d320a","n":"wait","t":"0:0.0","a":0,"M":1,"h":"0_0_0!0248dab5c17bf2676029832dda7d320a#0"}]}', '[{"of":"future"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (110, '20261121-0132-bunusebi-donogumo', 'default', 2, 'branches', '944ad9df4aab343a94ee35d193afd753b3308402036ec798395a5b8b41c8d5df', 'running', 1795224737684, 1795224737736, NULL, 12, '"http://participant.invalid/callbacks"', NULL, '{"strands":2,"expressions":4,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"branches","revision":null}', '{"x":3,"p":0,"d":["944ad9df4aab343a94ee35d193afd753b3308402036ec798395a5b8b41c8d5df"],"n":[{"i":"0!f82e8ca51f2e3266b96df013f68bda78","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["branches",{"b":["0","0:"]}]],"c":1,"C":"0_0!dad595d3f927171042b5e11cee502136"},{"i":"0_0!dad595d3f927171042b5e11cee502136","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!e2d66428ad15aa3d99b93fd27b38dcd1"},{"i":"0_0_0!e2d66428ad15aa3d99b93fd27b38dcd1","n":"concurrence","t":"0:0.0","a":0,"c":1,"b":1,"d":[["size",2],["count",null],["waitFor",null],["merge","first"],["type","union"],["remaining","cancel"],["over",false],["replies",1],["winner",null]]}]}', '[{"of":"branches"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (185, '20261121-0132-gukutebe-jukaheme', 'default', 2, 'timeout', 'b65e9810f793447e7bfcffc7fd81dceceea85648982a344b934514ed2604477e', 'running', 1795224737676, 1795224737676, NULL, 7, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"timeout","revision":null}', '{"x":1,"p":0,"d":["b65e9810f793447e7bfcffc7fd81dceceea85648982a344b934514ed2604477e"],"n":[{"i":"0!1802a02e156b3e0154cdb3a96250b7c1","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["timeout",{"b":["0","0:"]}]],"c":1,"C":"0_0!664b0806419b5c4ceaf30e68f4e7c34c"},{"i":"0_0!664b0806419b5c4ceaf30e68f4e7c34c","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!c956c83619068cfcefac30ac65459547"},{"i":"0_0_0!c956c83619068cfcefac30ac65459547","n":"participant","t":"0:0.0","a":0,"m":[["0_0_0!c956c83619068cfcefac30ac65459547#0","timeout"]],"M":1,"w":1,"d":[["participant","sleeper"],["params",{"o":1}]]}]}', '[{"of":"timeout"},{"ref":"sleeper","timeout":"45s"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (196, '20261121-0132-nohetsuro-mofujoge', 'default', 2, 'failed', '1c29563e22b7deccb283dc66ace4f229e07ccd3aa8437bf9024e694e59cfab95', 'error', 1795224737705, 1795224737773, NULL, 9, '"http://participant.invalid/callbacks"', '{"delays":[]}', '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":1,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"failed","revision":null}', '{"x":1,"p":0,"d":["1c29563e22b7deccb283dc66ace4f229e07ccd3aa8437bf9024e694e59cfab95"],"n":[{"i":"0!dd8bc244f2b97f3e742759fde5d50e86","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["failed",{"b":["0","0:"]}]],"c":1,"C":"0_0!5e7bc67c36fde04cbf2d96ee44b33f99"},{"i":"0_0!5e7bc67c36fde04cbf2d96ee44b33f99","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709"},{"i":"0_0_0!f5ea5af8733e1610d9a2a07be0c87709","n":"participant","t":"0:0.0","a":0,"e":1,"w":1,"d":[["participant","broken"],["params",{"o":1}],["failed",true]]}]}', '[{"of":"failed"},{"ref":"broken"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (236, '20261121-0132-gomakoto-dujihino', 'default', 4, 'paused', '39496cf010cdfe233543ff5a4b07b8a76c14bd745796a154f177e33c11a6742a', 'paused', 1795224737701, 1795224737788, NULL, 8, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":1,"pausedAt":1795224737781,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"paused","revision":null}', '{"x":1,"p":0,"d":["39496cf010cdfe233543ff5a4b07b8a76c14bd745796a154f177e33c11a6742a"],"n":[{"i":"0!01def8c975e290d3bec7be3d45449f45","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["paused",{"b":["0","0:"]}]],"c":1,"C":"0_0!a2cd9f1b64fceae3a81c0f973832729e"},{"i":"0_0!a2cd9f1b64fceae3a81c0f973832729e","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51"},{"i":"0_0_0!ae62ed21b40c1ffbedef08b9c6bd0f51","n":"participant","t":"0:0.0","a":0,"d":[["participant","before"],["params",{"o":1}]]}]}', '[{"of":"paused"},{"ref":"before"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (146, '20261121-0132-jineyatsu-powobiru', 'default', 3, 'list', '287b36bdeb23bf2353ff5d63b70f721107d6cfb07d696f690f1164dec9ba8905', 'running', 1795224737693, 1795224737757, NULL, 14, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":4,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{"picking":1},"wfName":"list","revision":null}', '{"x":1,"p":0,"d":["287b36bdeb23bf2353ff5d63b70f721107d6cfb07d696f690f1164dec9ba8905"],"n":[{"i":"0!980d436cbaffff7507ff68fa36875c2d","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["list",{"b":["0","0:"]}],["colour","green"],["picking",{"t":["0","0_0_1!9d144c6f82cfa48d7df6e037c05f8839"]}],["ii",1],["item","blue"]],"c":1,"C":"0_0!cb68b887303aeab68207baf61afc7f39"},{"i":"0_0!cb68b887303aeab68207baf61afc7f39","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_1!9d144c6f82cfa48d7df6e037c05f8839"},{"i":"0_0_1!9d144c6f82cfa48d7df6e037c05f8839","n":"iterator","t":"0:0.1","a":1,"c":1,"C":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f","g":["picking","picking"],"d":[["list",{"o":2}],["position",1],["toVariable","item"],["toField",null]]},{"i":"0_0_1_0!f12da83afaa34306b81b8ceb8758b19f","n":"participant","t":"0:0.1.0","a":3,"w":1,"d":[["participant","picker"],["params",{"o":4}]]}]}', '[{"of":"list"},{"of":"list","__result__":"green","__tags__":["picking"]},["red","blue"],{"of":"list","__tags__":["picking"],"picked":"first"},{"ref":"picker","item":"blue"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (59, '20261121-0132-pokamipa-gubawara', 'default', 2, 'retried', 'bede45472b2aafcba7f621e3414a1683cc1f70981354d92a53b56d8dab990cf4', 'running', 1795224737710, 1795224737710, NULL, 6, '"http://participant.invalid/callbacks"', '{"delays":[45,45,45]}', '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"retried","revision":null}', '{"x":1,"p":0,"d":["bede45472b2aafcba7f621e3414a1683cc1f70981354d92a53b56d8dab990cf4"],"n":[{"i":"0!f1314c65bf689eece5786f6c2e63fd01","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["retried",{"b":["0","0:"]}]],"c":1,"C":"0_0!84c9124a53cf53dbea6f6fa8f8ed5148"},{"i":"0_0!84c9124a53cf53dbea6f6fa8f8ed5148","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42"},{"i":"0_0_0!ffbce827bbba5f7a0358b61f268c4f42","n":"participant","t":"0:0.0","a":0,"w":1,"d":[["participant","flaky"],["params",{"o":1}]]}]}', '[{"of":"retried"},{"ref":"flaky"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (241, '20261121-0132-dahogepi-gutsugeji', 'default', 2, 'open', '6696d6b7a59ad64b0fdadf3069067639dcf707ec37719eb0047b138dd9d0c688', 'running', 1795224737631, 1795224737631, NULL, 6, '"http://participant.invalid/callbacks"', NULL, '{"strands":1,"expressions":3,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":false,"killed":false,"continuing":false,"tags":{},"wfName":"open","revision":null}', '{"x":1,"p":0,"d":["6696d6b7a59ad64b0fdadf3069067639dcf707ec37719eb0047b138dd9d0c688"],"n":[{"i":"0!4e6d4cd13f8b84b5eb7b132b13c63a7f","n":"define","t":"0:","a":0,"k":"sequence","v":[0,["open",{"b":["0","0:"]}]],"c":1,"C":"0_0!bc20456570f96d474ddaccac2d19b3ea"},{"i":"0_0!bc20456570f96d474ddaccac2d19b3ea","n":"sequence","t":"0:0","a":0,"c":1,"C":"0_0_0!03905193f0d46d49766416d450728d14"},{"i":"0_0_0!03905193f0d46d49766416d450728d14","n":"participant","t":"0:0.0","a":0,"w":1,"d":[["participant","first"],["params",{"o":1}]]}]}', '[{"of":"open"},{"ref":"first"}]');
INSERT INTO public.workflow (shard, id, tenant, ver, name, definition, status, launched_at, updated_at, ended_at, last_n, callbacks, retry, header, state, fields) VALUES (131, '20261121-0132-nechitodo-ridageru', 'default', 4, 'cancelled', 'e47e6ad7b62cf723b22f1210f2dc06987e9e3293a5d763f41b5be044389f5a52', 'cancelled', 1795224737717, 1795224737795, 1795224737795, 13, '"http://participant.invalid/callbacks"', '{"notice_delays":[45,45,45]}', '{"strands":0,"expressions":0,"forgotten":0,"roots":0,"errors":0,"listeners":0,"listenerSeq":0,"answers":0,"pausedAt":null,"cancelled":true,"killed":false,"continuing":false,"tags":{},"wfName":"cancelled","revision":null}', '{"x":1,"p":0,"r":0,"d":[],"n":[]}', '[{"of":"cancelled"}]');
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (110, '20261121-0132-bunusebi-donogumo', '0_0_0_1!bb2be930dcb5ea1e459d6e7400948770', 'default', '0.2', 'right', 'open', '{"of":"branches","params":{"ref":"right"}}', '{"ref":"right"}', NULL, NULL, 1795224737684, 1, 'http://participant.invalid/callbacks', NULL, NULL, 1, NULL, NULL, '[{"number":1,"send":"active","at":1795224737689,"milliseconds":4,"status":200,"error":null,"nextAt":null}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (59, '20261121-0132-pokamipa-gubawara', '0_0_0!ffbce827bbba5f7a0358b61f268c4f42', 'default', '0', 'flaky', 'open', '{"of":"retried","params":{"ref":"flaky"}}', '{"ref":"flaky"}', NULL, NULL, 1795224737710, 1, 'http://participant.invalid/callbacks', 'active', NULL, 1, 1795224782716, NULL, '[{"number":1,"send":"active","at":1795224737712,"milliseconds":4,"status":500,"error":null,"nextAt":1795224782716}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (185, '20261121-0132-gukutebe-jukaheme', '0_0_0!c956c83619068cfcefac30ac65459547', 'default', '0', 'sleeper', 'open', '{"of":"timeout","params":{"ref":"sleeper","timeout":"45s"}}', '{"ref":"sleeper","timeout":"45s"}', NULL, NULL, 1795224737676, 1, 'http://participant.invalid/callbacks', NULL, NULL, 1, NULL, NULL, '[{"number":1,"send":"active","at":1795224737679,"milliseconds":4,"status":200,"error":null,"nextAt":null}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (241, '20261121-0132-dahogepi-gutsugeji', '0_0_0!03905193f0d46d49766416d450728d14', 'default', '0', 'first', 'open', '{"of":"open","params":{"ref":"first"}}', '{"ref":"first"}', NULL, NULL, 1795224737631, 1, 'http://participant.invalid/callbacks', NULL, NULL, 1, NULL, NULL, '[{"number":1,"send":"active","at":1795224737646,"milliseconds":14,"status":200,"error":null,"nextAt":null}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (196, '20261121-0132-nohetsuro-mofujoge', '0_0_0!f5ea5af8733e1610d9a2a07be0c87709', 'default', '0', 'broken', 'failed', '{"of":"failed","params":{"ref":"broken"}}', '{"ref":"broken"}', NULL, NULL, 1795224737705, 1, 'http://participant.invalid/callbacks', NULL, NULL, 1, NULL, NULL, '[{"number":1,"send":"active","at":1795224737707,"milliseconds":3,"status":500,"error":null,"nextAt":null}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (146, '20261121-0132-jineyatsu-powobiru', '0_0_1_0!f12da83afaa34306b81b8ceb8758b19f', 'default', '0', 'picker', 'open', '{"of":"list","__tags__":["picking"],"picked":"first","params":{"ref":"picker","item":"blue"}}', '{"ref":"picker","item":"blue"}', NULL, NULL, 1795224737757, 1, 'http://participant.invalid/callbacks', NULL, NULL, 1, NULL, NULL, '[{"number":1,"send":"active","at":1795224737768,"milliseconds":4,"status":200,"error":null,"nextAt":null}]', NULL, NULL, NULL);
INSERT INTO public.workitem (shard, workflow_id, id, tenant, path, participant, state, fields, params, inherits, added, opened_at, revision, url, send, then_send, tries, due_at, held_at, log, claim, owner, lease_until) VALUES (131, '20261121-0132-nechitodo-ridageru', '0_0_0!753c05c1281899d886f9473888f9116c', 'default', '0', 'stubborn', 'closed', '{"of":"cancelled","params":{"ref":"stubborn"}}', '{"ref":"stubborn"}', NULL, NULL, 1795224737717, 1, 'http://participant.invalid/callbacks', 'cancel', NULL, 1, 1795224782811, NULL, '[{"number":1,"send":"cancel","at":1795224737810,"milliseconds":1,"status":500,"error":null,"nextAt":1795224782811}]', NULL, NULL, NULL);
SELECT pg_catalog.setval('public.migration_id_seq', 2, true);
ALTER TABLE ONLY public.agenda
    ADD CONSTRAINT agenda_pkey PRIMARY KEY (shard, workflow_id, id);
ALTER TABLE ONLY public.branch
    ADD CONSTRAINT branch_pkey PRIMARY KEY (shard, workflow_id, path);
ALTER TABLE ONLY public.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.error
    ADD CONSTRAINT error_pkey PRIMARY KEY (shard, workflow_id, id);
ALTER TABLE ONLY public.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (shard, workflow_id, first_n);
ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (scope, key);
ALTER TABLE ONLY public.listener
    ADD CONSTRAINT listener_pkey PRIMARY KEY (shard, workflow_id, id);
ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.variable
    ADD CONSTRAINT variable_pkey PRIMARY KEY (shard, workflow_id, scope, name);
ALTER TABLE ONLY public.workflow
    ADD CONSTRAINT workflow_pkey PRIMARY KEY (shard, id);
ALTER TABLE ONLY public.workitem
    ADD CONSTRAINT workitem_pkey PRIMARY KEY (shard, workflow_id, id);
CREATE INDEX agenda_due ON public.agenda USING btree (due_at) WHERE (held_at IS NULL);
CREATE INDEX branch_children ON public.branch USING btree (shard, workflow_id, parent, number) WHERE (parent IS NOT NULL);
CREATE INDEX error_newest ON public.error USING btree (tenant, at DESC);
CREATE INDEX idempotency_key_age ON public.idempotency_key USING btree (reserved_at);
CREATE INDEX listener_hears ON public.listener USING btree (tenant, event, name) WHERE (reach = 'tenant'::text);
CREATE INDEX workflow_definition ON public.workflow USING btree (definition COLLATE "C");
CREATE INDEX workflow_ended ON public.workflow USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX workflow_name ON public.workflow USING btree (tenant, name, launched_at DESC, id) WHERE (name IS NOT NULL);
CREATE INDEX workflow_newest ON public.workflow USING btree (tenant, launched_at DESC, id);
CREATE INDEX workflow_status ON public.workflow USING btree (tenant, status, launched_at DESC, id);
CREATE INDEX workitem_due ON public.workitem USING btree (due_at) WHERE ((send IS NOT NULL) AND (held_at IS NULL));
CREATE INDEX workitem_participant ON public.workitem USING btree (tenant, participant, opened_at);
