import { entriesOf } from '../../../events/entry.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { Tenant } from '../../../model/tenant.ts';
import { urlOf } from '../../../model/url.ts';
import type { Asked, Recorded } from '../../../store/store.ts';
import type { Parts } from '../../parts.ts';
import { timeOrNull, timeView } from '../../time.ts';

/*
 * How a participant is doing: what waits for it, counted by the database, and what it answered lately, read from the newest histories of all. That
 * costs nothing to anybody but who asks.
 */

/** Positions of the order of commit that are read at once, backwards; how often; and rows of one reading. */
const WINDOW = 1_000;
const WINDOWS_MAX = 12;
const ROWS_MAX = 2_000;
/** How far back is looked at most, in milliseconds: a day. */
const LOOKED_BACK_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** What waits for it. */
export const askedView = ({ open, failed, failing, oldestAt, urls }: Asked): JsonObject => ({
  open,
  failed,
  failing,
  oldest_at: timeOrNull(oldestAt),
  urls,
  hosts: [...new Set(urls.flatMap((url) => urlOf(url)?.host ?? []))],
});

/** All of it, of one participant; null where it could not be counted in time. */
export async function figuresOf(parts: Parts, tenant: Tenant, name: string): Promise<JsonObject | null> {
  const { figures } = parts;
  if (figures === undefined) return null;
  const [asked, usedIn, lately] = await Promise.all([
    figures.participants(tenant, [name]),
    figures.usedIn(tenant, name),
    latelyOf(parts, tenant, name),
  ]);
  const one = asked?.get(name);
  if (one === undefined) return null;
  return {
    ...askedView(one),
    definitions: usedIn?.map((used) => ({ ...used })) ?? null,
    ...lately,
  };
}

/** Answers of one hour, by the first digit of their status. */
type Hour = { '2xx': number; '3xx': number; '4xx': number; '5xx': number; none: number };
const CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;

async function latelyOf(parts: Parts, tenant: Tenant, name: string): Promise<JsonObject> {
  const { recorded } = parts.store.read;
  // A store without an order of all cannot tell.
  if (recorded === null) return { looked_back_to: null, answers: null, delivered: null, proceeded: null };
  const since = parts.clock.now() - LOOKED_BACK_MS;
  const rows: Recorded[] = [];
  const { upTo } = await recorded.edge();
  let from = upTo;
  for (let windows = 0; windows < WINDOWS_MAX && from > 0; windows++) {
    const end = from;
    from = Math.max(0, end - WINDOW);
    const found = await recorded.rows(from, end, ROWS_MAX);
    rows.push(...found);
    if ((found[0]?.row.at ?? Number.POSITIVE_INFINITY) < since) break;
  }
  return told(rows, tenant, name, since);
}

function told(rows: readonly Recorded[], tenant: Tenant, name: string, since: number): JsonObject {
  const hours = new Map<number, Hour>();
  const openedAt = new Map<string, number>();
  const deliveredAfter: number[] = [];
  const proceededAfter: number[] = [];
  let lookedBackTo = Number.POSITIVE_INFINITY;
  for (const { tenant: whose, workflow, row } of [...rows].sort(
    (a, b) => a.position - b.position || a.row.firstN - b.row.firstN,
  )) {
    lookedBackTo = Math.min(lookedBackTo, row.at);
    if (whose !== tenant || row.at < since) continue;
    for (const entry of entriesOf(workflow, row, 0)) {
      if (entry['participant'] !== name) continue;
      const item = String(entry['workitem_id']);
      const at = Date.parse(entry.at);
      const opened = openedAt.get(item);
      switch (entry.kind) {
        case 'workitem.opened':
          openedAt.set(item, at);
          break;
        case 'workitem.proceeded':
          if (opened !== undefined) proceededAfter.push(at - opened);
          break;
        case 'callback.delivered':
        case 'callback.refused': {
          const status = entry['status'];
          count(hours, at, typeof status === 'number' ? status : null);
          if (entry.kind === 'callback.delivered' && entry['send'] === 'active' && opened !== undefined)
            deliveredAfter.push(at - opened);
          break;
        }
      }
    }
  }
  return {
    looked_back_to: Number.isFinite(lookedBackTo) ? timeView(Math.max(lookedBackTo, since)) : null,
    answers: [...hours].sort(([a], [b]) => a - b).map(([hour, answers]) => ({ at: timeView(hour), ...answers })),
    delivered: halves(deliveredAfter),
    proceeded: halves(proceededAfter),
  };
}

function count(hours: Map<number, Hour>, at: number, status: number | null): void {
  const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
  const known = hours.get(hour) ?? { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, none: 0 };
  hours.set(hour, known);
  const found = status === null ? undefined : CLASSES[Math.floor(status / 100) - 2];
  known[found ?? 'none'] += 1;
}

/** How long it took: half of them at most, and 19 of 20; null: there was none. */
function halves(milliseconds: readonly number[]): JsonObject | null {
  if (milliseconds.length === 0) return null;
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const part = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { n: sorted.length, p50_ms: part(0.5), p95_ms: part(0.95) };
}
