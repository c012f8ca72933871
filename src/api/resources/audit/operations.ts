import type { Json, JsonObject } from '../../../model/json.ts';
import type { AuditRow } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, PAGE_MAX } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { AuditList } from './schemas.ts';

const LINES = 'application/x-ndjson';

/** What was done to the server, and by whom. */
export function auditOperations(parts: Parts): readonly Operation[] {
  return [
    {
      id: 'listAudit',
      method: 'get',
      path: '/v1/audit',
      summary: `What was done to the server, the newest first; all of it with Accept: ${LINES}`,
      access: 'admin',
      alsoAs: LINES,
      query: [
        { name: 'action', description: 'key.create and so on; key.* for all of a family' },
        { name: 'actor', description: 'key:<id>, or jwt:<issuer>:<subject>' },
        { name: 'from', description: 'Only what is at least as young, such as 2031-01-31T12:00:00Z' },
        { name: 'to', description: 'Only what is older' },
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(
        200,
        'A page; with filters it may hold fewer than the limit, and more may follow',
        AuditList,
        400,
      ),
      handle: (call) => list(parts, call),
    },
  ];
}

async function list({ store }: Parts, call: Call): Promise<Reply> {
  const { query, principal, header } = call;
  const from = timeOf(query, 'from');
  const to = timeOf(query, 'to');
  const action = query.get('action');
  const actor = query.get('actor');
  const isWanted = (row: AuditRow): boolean =>
    (action === null || (action.endsWith('.*') ? row.action.startsWith(action.slice(0, -1)) : row.action === action)) &&
    (actor === null || row.actor === actor) &&
    (to === null || row.at < to) &&
    (from === null || row.at >= from);
  // An administrator of all tenants who names none sees everything.
  const tenant = principal.everywhere === true && header('rota-tenant') === null ? null : principal.tenant;
  const read = async (limit: number, after: string | null) => {
    const secondsAgo = to === null ? null : ((await store.databaseTime()) - to) / 1000;
    const { items, next } = await store.audit.newest({ tenant, limit, after, secondsAgo });
    const isEnd = from !== null && (items.at(-1)?.at ?? 0) < from;
    return { rows: items.filter(isWanted).map(entryView), next: isEnd ? null : next };
  };
  if (new RegExp(`\\b${LINES}\\b`).test(header('accept') ?? '')) {
    return {
      kind: 'stream',
      status: 200,
      type: LINES,
      headers: {},
      open: async ({ write }, signal) => {
        let after: string | null = null;
        do {
          const { rows, next }: Awaited<ReturnType<typeof read>> = await read(PAGE_MAX, after);
          if (rows.length > 0) await write(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
          after = next;
        } while (after !== null && !signal.aborted);
      },
    };
  }
  const { rows, next } = await read(limitOf(query), cursorOf('audit', query));
  return jsonReply(200, { audit: rows, next_cursor: next === null ? null : cursorFor('audit', next) });
}

/** @throws Problem */
function timeOf(query: URLSearchParams, name: string): number | null {
  const given = query.get(name);
  if (given === null) return null;
  const at = Date.parse(given);
  if (!/^\d{4}-\d\d-\d\dT/.test(given) || Number.isNaN(at))
    throw new Problem('query_invalid', `${name} must be a time such as 2031-01-31T12:00:00Z`);
  return at;
}

const entryView = ({ at, details, ...row }: AuditRow): JsonObject => ({
  id: row.id,
  at: timeView(at),
  tenant: row.tenant,
  actor: row.actor,
  address: row.address,
  action: row.action,
  object: row.object,
  outcome: row.outcome,
  reason: row.reason,
  details: JSON.parse(details) as Json,
});
