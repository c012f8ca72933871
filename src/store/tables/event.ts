import type { EventRow } from '../../model/events.ts';
import { type Page, pageOf, pageSize, readCursor } from '../page.ts';
import { type OpenTable, table } from './table.ts';

/** Events that came from outside. Who writes them is meeting.ts; here they are looked at. */
export type Events = {
  get(eventId: string): Promise<EventRow | null>;
  /** Newest first; what is left out, or null, is any. `now`: what was kept until then counts as expired. */
  list(query: EventQuery): Promise<Page<EventRow>>;
  /** Events that wait to be received, at most `most`. */
  keptCount(tenant: string, now: number, most: number): Promise<number>;
  /** Events that somebody has to go on with, oldest first. */
  due(limit: number): Promise<readonly { readonly eventId: string; readonly tenant: string }[]>;
};

export type EventQuery = {
  readonly tenant: string;
  readonly state?: string | null;
  readonly type?: string | null;
  readonly key?: string | null;
  readonly source?: string | null;
  readonly from?: number | null;
  readonly to?: number | null;
  readonly now: number;
  readonly limit: number;
  readonly after: string | null;
};

const columns = `event_id as "eventId", tenant, digest, source, id, type, key, sort, mode, workflow_id as "workflowId", received_at as "receivedAt",
  expires_at as "expiresAt", gone_at as "goneAt", state, hops, hits, misses, resumed, started, due, spread, body`;

export const EVENT = table<EventRow>()({
  name: 'event',
  key: ['eventId'],
  columns: {
    eventId: 'text',
    tenant: 'text',
    digest: 'text',
    source: 'text',
    id: 'text',
    type: 'text',
    key: 'text',
    sort: 'text',
    mode: 'text',
    workflowId: 'text',
    receivedAt: 'bigint',
    expiresAt: 'bigint',
    goneAt: 'bigint',
    state: 'text',
    hops: 'integer',
    hits: 'integer',
    misses: 'integer',
    resumed: 'text',
    started: 'text',
    due: 'boolean',
    spread: 'text',
    body: 'text',
  },
  statements: {
    find: `select ${columns} from event
  where tenant = $1 and (received_at, event_id) < ($2::bigint, $3)
    and ($4::text is null or $4 = case when state = 'kept' and expires_at <= $10::bigint then 'expired' else state end)
    and ($5::text is null or type = $5) and ($6::text is null or key = $6) and ($7::text is null or source = $7)
    and received_at >= coalesce($8::bigint, 0) and received_at <= coalesce($9::bigint, 9007199254740991)
  order by received_at desc, event_id desc limit $11::integer`,
    kept_count: `select count(*) as n from (
    select 1 from event where tenant = $1 and state = 'kept' and expires_at > $2::bigint limit $3::integer) k`,
    due: `select event_id as "eventId", tenant from event where due order by received_at limit $1::integer`,
  },
  // `gone_at` says itself when: after the days in which a repeat is known, and not while it is kept.
  sweep: { by: 'goneAt', keepMs: 0 },
});

/** Behind everything there can be. */
const LAST = Number.MAX_SAFE_INTEGER;

export function openEvents(open: OpenTable): Events {
  const rows = open(EVENT);
  return {
    get: (eventId) => rows.get({ eventId }),
    list: async ({ tenant, state = null, type = null, key = null, source = null, from = null, to = null, ...rest }) => {
      const size = pageSize(rest.limit);
      const [at, id] =
        rest.after === null ? [LAST, ''] : (readCursor(rest.after, ['number', 'string']) as readonly [number, string]);
      const found = (await rows.own('find', [
        ...[tenant, at, id, state, type, key, source, from, to, rest.now],
        size + 1,
      ])) as readonly EventRow[];
      return pageOf(found, size, ({ receivedAt, eventId }) => [receivedAt, eventId]);
    },
    keptCount: async (tenant, now, most) => Number((await rows.own('kept_count', [tenant, now, most]))[0]?.['n'] ?? 0),
    due: async (limit) =>
      (await rows.own('due', [limit])) as readonly { readonly eventId: string; readonly tenant: string }[],
  };
}
