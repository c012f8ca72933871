import { readLog } from '../../../engine/outcomes.ts';
import { expidOf } from '../../../model/ids.ts';
import type { JsonObject } from '../../../model/json.ts';
import type { ReadError } from '../../../store/store.ts';
import { type Call, jsonReply, type QuerySpec, type Reply } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf, timeOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { hostIn, tryView } from '../workitems/view.ts';
import { fingerprintOf } from './fingerprint.ts';
import { errorView } from './view.ts';

/* Errors that wait, one by one or in groups. */

export const GROUPS = ['fingerprint', 'class', 'participant', 'definition'] as const;
type GroupBy = (typeof GROUPS)[number];
/** Errors that are gathered into groups, the newest; and in one read. */
const GROUPED_MAX = 10_000;
const GROUPED_AT_ONCE = 1_000;

export const ERROR_QUERY: readonly QuerySpec[] = [
  { name: 'class', description: 'Only errors of this class' },
  { name: 'participant', description: 'Only errors at a workitem of this participant' },
  { name: 'name', description: 'Only of workflows whose definition gives itself this name' },
  {
    name: 'definition',
    description: 'Only of workflows with a definition of this hash, or whose hash begins so (8 characters at least)',
    schema: { type: 'string', pattern: '^[0-9a-f]{8,64}$' },
  },
  {
    name: 'place',
    description: 'Only errors at this place of the tree, such as 0_1_0',
    schema: { type: 'string', pattern: '^[0-9]+(_[0-9]+)*$', maxLength: 1_000 },
  },
  { name: 'from', description: 'That happened at this time or later', schema: { type: 'string', format: 'date-time' } },
  { name: 'to', description: 'That happened before this time', schema: { type: 'string', format: 'date-time' } },
  {
    name: 'group_by',
    description: `Answers groups instead of errors, the largest first, of the newest ${GROUPED_MAX.toLocaleString('en')}`,
    schema: { type: 'string', enum: [...GROUPS] },
  },
  {
    name: 'stuck',
    description: '1: of BPMN, gateways whose tokens nothing can set free any more; only with name, limit and cursor',
  },
  { name: 'limit', description: 'Items per page, 1 to 1000, default 100' },
  { name: 'cursor', description: 'The next_cursor of the page before' },
];

/** @throws Problem */
export async function listErrors(parts: Parts, { principal, query }: Call): Promise<Reply> {
  const asked = {
    tenant: principal.tenant,
    class: query.get('class'),
    participant: query.get('participant'),
    name: query.get('name'),
    definition: query.get('definition'),
    place: query.get('place'),
    at: { from: timeOf(query, 'from'), to: timeOf(query, 'to') },
  };
  if (asked.definition !== null && !/^[0-9a-f]{8,64}$/.test(asked.definition))
    throw new Problem('query_invalid', 'definition must be a hash, or its first characters: 8 to 64 of 0-9 and a-f');
  const limit = limitOf(query);
  const by = query.get('group_by');
  if (by !== null) {
    const known = GROUPS.find((one) => one === by);
    if (known === undefined) throw new Problem('query_invalid', `group_by must be one of ${GROUPS.join(', ')}`);
    return jsonReply(200, await grouped(parts, asked, known, limit));
  }
  const page = await parts.store.read.errors({ ...asked, limit, after: cursorOf('errors', query) });
  return jsonReply(200, {
    errors: page.items.map(errorOf),
    next_cursor: page.next === null ? null : cursorFor('errors', page.next),
  });
}

const printOf = ({ row, name, participant }: ReadError): string =>
  fingerprintOf({ class: row.class, message: row.message, participant, name, place: expidOf(row.id) });

const errorOf = (one: ReadError): JsonObject => {
  const { workflow, row, definition, name, participant, url, log } = one;
  return {
    workflow_id: workflow,
    ...errorView(workflow, row),
    fingerprint: printOf(one),
    definition,
    name,
    participant,
    host: hostIn(url),
    last_try: lastTryOf(log),
  };
};

function lastTryOf(log: string | null): JsonObject | null {
  const last = log === null ? undefined : readLog(log).at(-1);
  return last === undefined ? null : tryView(last);
}

type Group = {
  readonly key: string | null;
  count: number;
  readonly workflows: Set<string>;
  readonly newest: ReadError;
  oldestAt: number;
  /** How many there are of each of the last hours, the oldest first. */
  readonly hours: number[];
};

/** Hours that a group tells one by one, the last of them until now. */
const HOURS = 24;
const HOUR_MS = 3_600_000;

async function grouped(
  parts: Parts,
  asked: Omit<Parameters<Parts['store']['read']['errors']>[0], 'limit' | 'after'>,
  by: GroupBy,
  limit: number,
): Promise<JsonObject> {
  const groups = new Map<string | null, Group>();
  const now = parts.clock.now();
  let looked = 0;
  let after: string | null = null;
  do {
    const page = await parts.store.read.errors({ ...asked, limit: GROUPED_AT_ONCE, after });
    for (const one of page.items) {
      const key = keyOf(one, by);
      const group = groups.get(key) ?? newGroup(key, one);
      group.count += 1;
      group.workflows.add(one.workflow);
      group.oldestAt = one.row.at;
      const hour = HOURS - 1 - Math.floor(Math.max(0, now - one.row.at) / HOUR_MS);
      if (hour >= 0) group.hours[hour] = (group.hours[hour] ?? 0) + 1;
      groups.set(key, group);
    }
    looked += page.items.length;
    after = page.next;
  } while (after !== null && looked < GROUPED_MAX);
  return {
    errors: [],
    next_cursor: null,
    groups: [...groups.values()]
      .sort((a, b) => b.count - a.count || b.newest.row.at - a.newest.row.at)
      .slice(0, limit)
      .map(({ key, count, workflows, newest, oldestAt, hours }) => ({
        key,
        count,
        workflows: workflows.size,
        first_at: timeView(oldestAt),
        last_at: timeView(newest.row.at),
        hours,
        example: errorOf(newest),
      })),
    looked_at: looked,
    complete: after === null,
  };
}

const newGroup = (key: string | null, newest: ReadError): Group => ({
  ...{ key, count: 0, workflows: new Set(), newest, oldestAt: newest.row.at },
  hours: Array.from({ length: HOURS }, () => 0),
});

function keyOf(one: ReadError, by: GroupBy): string | null {
  if (by === 'class') return one.row.class;
  if (by === 'participant') return one.participant;
  return by === 'definition' ? one.definition : printOf(one);
}
