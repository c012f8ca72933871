import type { Page } from '../page.ts';
import { type OpenTable, table } from './table.ts';

/** When stored definitions start by themselves. They come and go with the versions of definitions (definition-name.ts). */
export type Schedules = {
  get(tenant: string, id: string): Promise<ScheduleRow | null>;
  /** By id. */
  of(tenant: string, query: { readonly limit: number; readonly after: string | null }): Promise<Page<ScheduleRow>>;
  ofDefinition(
    tenant: string,
    definition: string,
    query: { readonly limit: number; readonly after: string | null },
  ): Promise<Page<ScheduleRow>>;
  /** Those somebody has to look at, at most `limit`, the longest waiting in front. `now`: business time. */
  awake(now: number, limit: number): Promise<readonly ScheduleRow[]>;
  /** When the next of them has to be looked at, in business time; null: never. */
  nextWakeAt(): Promise<number | null>;
  /** Changes a row as it was read; false: somebody else has changed it since, or it is gone. */
  change(row: ScheduleRow, set: Partial<Omit<ScheduleRow, 'tenant' | 'id' | 'ver'>>): Promise<boolean>;
};

/** What lists and times of a row mean: registry/schedules.ts. */
export type ScheduleRow = {
  readonly tenant: string;
  /** `<definition>:<name>` */
  readonly id: string;
  readonly definition: string;
  readonly version: number;
  /** JSON of how it was written. */
  readonly spec: string;
  /** From when on intervals count. */
  readonly since: number;
  readonly dueAt: number | null;
  readonly wakeAt: number | null;
  readonly paused: boolean;
  /** JSON lists. */
  readonly firing: string;
  readonly queued: string;
  readonly recent: string;
  readonly ver: number;
};

export const SCHEDULE = table<ScheduleRow>()({
  name: 'schedule',
  key: ['tenant', 'id'],
  columns: {
    tenant: 'text',
    id: 'text',
    definition: 'text',
    version: 'integer',
    spec: 'text',
    since: 'bigint',
    dueAt: 'bigint',
    wakeAt: 'bigint',
    paused: 'boolean',
    firing: 'text',
    queued: 'text',
    recent: 'text',
    ver: 'integer',
  },
  lists: {
    all: { by: ['tenant'], order: ['id'] },
    ofDefinition: { by: ['tenant', 'definition'], order: ['id'] },
    awake: { by: [], order: ['wakeAt', 'tenant', 'id'], present: 'wakeAt' },
  },
  sweep: null,
});

export function openSchedules(open: OpenTable): Schedules {
  const rows = open(SCHEDULE);
  return {
    get: (tenant, id) => rows.get({ tenant, id }),
    of: (tenant, query) => rows.list('all', { by: { tenant }, ...query }),
    ofDefinition: (tenant, definition, query) => rows.list('ofDefinition', { by: { tenant, definition }, ...query }),
    awake: async (now, limit) => (await rows.list('awake', { by: {}, limit, upTo: now })).items,
    nextWakeAt: async () => (await rows.list('awake', { by: {}, limit: 1 })).items[0]?.wakeAt ?? null,
    change: ({ tenant, id, ver }, set) => rows.update({ tenant, id }, { ...set, ver: ver + 1 }, { ver }),
  };
}
