import type { Page } from '../page.ts';
import type { ScheduleRow } from './schedule.ts';
import { type OpenTable, table } from './table.ts';

/** Definitions under a name, and their versions, which never change. */
export type StoredDefinitions = {
  /** The row of a name, active or not. */
  name(tenant: string, name: string): Promise<DefinitionName | null>;
  /** All rows of all tenants, those that changed last in front. */
  changedLast(query: { readonly limit: number; readonly after: string | null }): Promise<Page<DefinitionName>>;
  version(tenant: string, name: string, version: number): Promise<DefinitionVersion | null>;
  /** The newest first. */
  versions(
    tenant: string,
    name: string,
    query: { readonly limit: number; readonly after: string | null },
  ): Promise<Page<DefinitionVersion>>;
  /** The text of a version, by `source`. */
  text(source: string): Promise<string | null>;
  /**
   * Adds the version `now.last`, with its text and its tree, and makes the row of the name what `now` says. `now.ver` is one more than what was
   * read before; 1: there was no such name.
   *
   * @returns `stale`: somebody has changed the name since; `taken`: its route leads to another definition. Nothing has changed then
   */
  add(
    now: ChangedName,
    version: {
      readonly text: string;
      /** The text of its tree, as `definition` keeps it. */
      readonly stored: string;
      readonly note: string | null;
      readonly createdBy: string | null;
    },
    schedules?: readonly NewSchedule[],
  ): Promise<'done' | 'stale' | 'taken'>;
  /** Makes the row of a name what `now` says, as `add` does, without a new version. */
  change(now: ChangedName, schedules?: readonly NewSchedule[]): Promise<'done' | 'stale' | 'taken'>;
};

/**
 * When the active version starts by itself (schedule.ts): its schedules are these from then on. One that is as it was keeps its times and what it
 * has been through; others begin anew, and those that are not named are gone.
 */
export type NewSchedule = Pick<ScheduleRow, 'id' | 'spec' | 'since' | 'dueAt' | 'wakeAt' | 'paused'>;

export type DefinitionName = {
  readonly tenant: string;
  readonly name: string;
  /** The number of the version that is active; null: the name was deleted. What follows is of that version, or of the last that was. */
  readonly active: number | null;
  /** The number of the newest version. */
  readonly last: number;
  /** Counts changes of this row. */
  readonly ver: number;
  /** Of its tree. */
  readonly hash: string;
  /** Of its text. */
  readonly source: string;
  /** Over text and options. */
  readonly sha256: string;
  readonly format: string;
  /** JSON of its keys. */
  readonly options: string;
  readonly routeMethod: string | null;
  /** Its path with `{}` in the place of names. */
  readonly routeShape: string | null;
  /** Whether callers without a key reach it. */
  readonly routePublic: boolean | null;
  /** By the database's clock. */
  readonly changedAt: number;
};
export type ChangedName = Omit<DefinitionName, 'changedAt'>;

export type DefinitionVersion = {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly source: string;
  readonly sha256: string;
  readonly format: string;
  readonly options: string;
  readonly note: string | null;
  readonly createdAt: number;
  readonly createdBy: string | null;
};

const NOW = `date_trunc('milliseconds', statement_timestamp())`;

/** `$1` to `$13`: the row of the name. It takes effect where the row is the one that was read. */
const NAMED = `
  insert into definition_name (tenant, name, active, last, ver, hash, source, sha256, format, options, route_method, route_shape,
    route_public, changed_at)
  values ($1::text, $2::text, $3::integer, $4::integer, $5::integer, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text,
    $12::text, $13::boolean, ${NOW})
  on conflict (tenant, name) do update set active = excluded.active, last = excluded.last, ver = excluded.ver, hash = excluded.hash,
    source = excluded.source, sha256 = excluded.sha256, format = excluded.format, options = excluded.options,
    route_method = excluded.route_method, route_shape = excluded.route_shape, route_public = excluded.route_public,
    changed_at = excluded.changed_at
  where definition_name.ver = $5::integer - 1
  returning tenant`;

/** `$14`: the schedules from now on. */
const SCHEDULED = `
  wanted as (
    select r.* from named, jsonb_to_recordset($14::jsonb)
      as r(id text, spec text, since bigint, due_at bigint, wake_at bigint, paused boolean)),
  scheduled as (
    insert into schedule (tenant, id, definition, version, spec, since, due_at, wake_at, paused, firing, queued, recent, ver)
    select $1::text, w.id, $2::text, coalesce($3::integer, 0), w.spec, w.since, w.due_at, w.wake_at, w.paused, '[]', '[]', '[]', 1 from wanted w
    on conflict (tenant, id) do update set definition = excluded.definition, version = excluded.version, spec = excluded.spec, ver = schedule.ver + 1,
      since = case when schedule.spec = excluded.spec then schedule.since else excluded.since end,
      due_at = case when schedule.spec = excluded.spec then schedule.due_at else excluded.due_at end,
      wake_at = case when schedule.spec = excluded.spec then schedule.wake_at else excluded.wake_at end,
      paused = case when schedule.spec = excluded.spec then schedule.paused else excluded.paused end),
  unscheduled as (
    delete from schedule s using named n
    where s.tenant = $1::text and s.definition = $2::text and not exists (select 1 from wanted w where w.id = s.id))`;

export const DEFINITION_NAME = table<DefinitionName>()({
  name: 'definition_name',
  key: ['tenant', 'name'],
  columns: {
    tenant: 'text',
    name: 'text',
    active: 'integer',
    last: 'integer',
    ver: 'integer',
    hash: 'text',
    source: 'text',
    sha256: 'text',
    format: 'text',
    options: 'text',
    routeMethod: 'text',
    routeShape: 'text',
    routePublic: 'boolean',
    changedAt: 'instant',
  },
  lists: { changed: { by: [], order: ['changedAt', 'tenant', 'name'], newestFirst: true } },
  statements: {
    change: `with named as (${NAMED}), ${SCHEDULED}
  select tenant from named`,
    // The tree is marked as used, so that whoever throws unused ones away at this moment leaves it (retire.ts).
    add: `
  with named as (${NAMED}), ${SCHEDULED},
  sourced as (
    insert into definition_source (hash, text) select $7::text, $15::text from named on conflict (hash) do nothing),
  defined as (
    insert into definition (hash, stored, used_at) select $6::text, $16::text, statement_timestamp() from named
    on conflict (hash) do update set used_at = excluded.used_at),
  versioned as (
    insert into definition_version (tenant, name, version, hash, source, sha256, format, options, note, created_at, created_by)
    select $1::text, $2::text, $4::integer, $6::text, $7::text, $8::text, $9::text, $10::text, $17::text, ${NOW}, $18::text from named)
  select tenant from named`,
  },
  sweep: null,
});

export const DEFINITION_VERSION = table<DefinitionVersion>()({
  name: 'definition_version',
  key: ['tenant', 'name', 'version'],
  columns: {
    tenant: 'text',
    name: 'text',
    version: 'integer',
    hash: 'text',
    source: 'text',
    sha256: 'text',
    format: 'text',
    options: 'text',
    note: 'text',
    createdAt: 'instant',
    createdBy: 'text',
  },
  lists: { newest: { by: ['tenant', 'name'], order: ['version'], newestFirst: true } },
  sweep: null,
});

type DefinitionSource = { readonly hash: string; readonly text: string };
export const DEFINITION_SOURCE = table<DefinitionSource>()({
  name: 'definition_source',
  key: ['hash'],
  columns: { hash: 'text', text: 'text' },
  sweep: null,
});

/** What only one row may have, a route, is another's (SQLSTATE 23505). */
const isTaken = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '23505';

const listOf = (schedules: readonly NewSchedule[]): string =>
  JSON.stringify(
    schedules.map(({ id, spec, since, dueAt, wakeAt, paused }) => ({
      ...{ id, spec, since, due_at: dueAt, wake_at: wakeAt, paused },
    })),
  );

/** Stands before each text: drivers take a byte order mark that is the first character away. */
const GUARD = '|';

export function openStoredDefinitions(open: OpenTable): StoredDefinitions {
  const names = open(DEFINITION_NAME);
  const versions = open(DEFINITION_VERSION);
  const sources = open(DEFINITION_SOURCE);
  const rowOf = (now: ChangedName) => [
    now.tenant,
    now.name,
    now.active,
    now.last,
    now.ver,
    now.hash,
    now.source,
    now.sha256,
    now.format,
    now.options,
    now.routeMethod,
    now.routeShape,
    now.routePublic,
  ];
  const outcome = async (
    changed: Promise<readonly { readonly [column: string]: unknown }[]>,
  ): Promise<'done' | 'stale' | 'taken'> => {
    try {
      return (await changed).length === 1 ? 'done' : 'stale';
    } catch (error) {
      if (isTaken(error)) return 'taken';
      throw error;
    }
  };
  return {
    name: (tenant, name) => names.get({ tenant, name }),
    changedLast: (query) => names.list('changed', { by: {}, ...query }),
    version: (tenant, name, version) => versions.get({ tenant, name, version }),
    versions: (tenant, name, query) => versions.list('newest', { by: { tenant, name }, ...query }),
    text: async (source) => (await sources.get({ hash: source }))?.text.slice(GUARD.length) ?? null,
    add: (now, { text, stored, note, createdBy }, schedules = []) =>
      outcome(names.own('add', [...rowOf(now), listOf(schedules), GUARD + text, stored, note, createdBy])),
    change: (now, schedules = []) => outcome(names.own('change', [...rowOf(now), listOf(schedules)])),
  };
}
