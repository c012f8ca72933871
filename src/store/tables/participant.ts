import type { Page } from '../page.ts';
import type { PageQuery } from './rotated.ts';
import { fromNow, type OpenTable, table } from './table.ts';

/** Who does the work, by name or by pattern of names. One that was deleted stays for a while, so that every node hears of it. */
export type ParticipantRows = {
  /** False: there is one already, and it is not of this revision (null: there must be none). */
  put(row: Pick<ParticipantRow, 'tenant' | 'name' | 'spec' | 'sealed'>, revision: number | null): Promise<boolean>;
  get(tenant: string, name: string): Promise<ParticipantRow | null>;
  /** False: it is not there any more, or of another revision. */
  delete(tenant: string, name: string, revision: number): Promise<boolean>;
  /** What changed last comes first; those that were deleted are among them. */
  changedLast(query: PageQuery): Promise<Page<ParticipantRow>>;
};

export type ParticipantRow = {
  readonly tenant: string;
  readonly name: string;
  /** JSON, without secrets. */
  readonly spec: string;
  /** JSON of the secrets, sealed where SECRETS_KEY was set when it was written; null: it has none. */
  readonly sealed: string | null;
  /** Counts changes; the ETag. */
  readonly ver: number;
  readonly createdAt: number;
  readonly changedAt: number;
  /** When it was deleted; null for one that is there. */
  readonly deletedAt: number | null;
};

const DAY_MS = 86_400_000;

export const PARTICIPANT = table<ParticipantRow>()({
  name: 'participant',
  key: ['tenant', 'name'],
  columns: {
    tenant: 'text',
    name: 'text',
    spec: 'text',
    sealed: 'text',
    ver: 'integer',
    createdAt: 'instant',
    changedAt: 'instant',
    deletedAt: 'instant',
  },
  lists: {
    changed: { by: [], order: ['changedAt', 'tenant', 'name'], newestFirst: true },
  },
  sweep: { by: 'deletedAt', keepMs: DAY_MS },
});

export function openParticipants(open: OpenTable): ParticipantRows {
  const rows = open(PARTICIPANT);
  const now = fromNow(0);
  return {
    put: async ({ tenant, name, spec, sealed }, revision) => {
      if (revision !== null) {
        const set = { spec, sealed, ver: revision + 1, changedAt: now };
        return rows.update({ tenant, name }, set, { ver: revision, deletedAt: null });
      }
      const fresh = { tenant, name, spec, sealed, ver: 1, createdAt: now, changedAt: now, deletedAt: null };
      if (await rows.insert(fresh)) return true;
      // One that was deleted makes room for it.
      const before = await rows.get({ tenant, name });
      if (before === null || before.deletedAt === null) return false;
      const again = { spec, sealed, ver: before.ver + 1, createdAt: now, changedAt: now, deletedAt: null };
      return rows.update({ tenant, name }, again, { ver: before.ver });
    },
    get: (tenant, name) => rows.get({ tenant, name }),
    delete: (tenant, name, revision) =>
      rows.update(
        { tenant, name },
        { spec: '{}', sealed: null, ver: revision + 1, changedAt: now, deletedAt: now },
        { ver: revision, deletedAt: null },
      ),
    changedLast: (query) => rows.list('changed', { by: {}, ...query }),
  };
}
