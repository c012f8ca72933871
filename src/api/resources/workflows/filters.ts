import type { Inside } from '../../../engine/search.ts';
import type { Status } from '../../../model/rows.ts';
import type { WorkflowsQuery } from '../../../store/store.ts';
import type { QuerySpec } from '../../operation.ts';
import { timeOf } from '../../page.ts';
import { Problem } from '../../problem.ts';
import { WORKFLOW_STATUSES } from './schemas.ts';

/* The filters of the list of workflows, which counts and batches take as well. */

/** Of a hash the beginning. */
const HASH = '^[0-9a-f]{8,64}$';
const TIME = { type: 'string', format: 'date-time' };
export const FILTERS: readonly QuerySpec[] = [
  {
    name: 'status',
    description: `One of, or several separated by commas: ${WORKFLOW_STATUSES.join(', ')}`,
    schema: {
      type: 'string',
      pattern: `^(${WORKFLOW_STATUSES.join('|')})(,(${WORKFLOW_STATUSES.join('|')}))*$`,
    },
  },
  { name: 'name', description: 'The name their definition gives itself' },
  { name: 'business_key', description: 'Only those launched with this business key' },
  { name: 'participant', description: 'Only those in which it is the turn of this participant' },
  { name: 'launched_from', description: 'Launched at this time or later', schema: TIME },
  { name: 'launched_to', description: 'Launched before this time', schema: TIME },
  {
    name: 'ended_from',
    description: 'Ended at this time or later; then those that ended last come first',
    schema: TIME,
  },
  { name: 'ended_to', description: 'Ended before this time; then those that ended last come first', schema: TIME },
  { name: 'updated_from', description: 'Moved last at this time or later', schema: TIME },
  { name: 'updated_to', description: 'Moved last before this time', schema: TIME },
  { name: 'error', description: 'Only those in which an error of this class waits' },
  {
    name: 'definition',
    description: 'Only those with a definition of this hash, or whose hash begins so (8 characters at least)',
    schema: { type: 'string', pattern: HASH },
  },
];
/** Those for which workflows are looked into one by one. */
export const INSIDE_FILTERS: readonly QuerySpec[] = [
  { name: 'tag', description: 'Only those in which this tag is entered' },
  { name: 'retry_of', description: 'Only those that are another try of this workflow (retry with fork)' },
  { name: 'field.', description: 'field.<path>=<value>: only those with this value in their fields, dots lead inside' },
];

/** The filters of a query. @throws Problem */
export function askedOf(
  query: URLSearchParams,
): Required<Omit<WorkflowsQuery, 'tenant' | 'limit' | 'after' | 'isOldestFirst'>> {
  const statuses = query.get('status')?.split(',') ?? null;
  if (statuses?.some((status) => !WORKFLOW_STATUSES.some((one) => one === status)))
    throw new Problem(
      'query_invalid',
      `status must be one of ${WORKFLOW_STATUSES.join(', ')}, or several of them separated by commas`,
    );
  const definition = query.get('definition');
  if (definition !== null && !new RegExp(HASH).test(definition))
    throw new Problem('query_invalid', 'definition must be a hash, or its first characters: 8 to 64 of 0-9 and a-f');
  const known = statuses as readonly Status[] | null;
  return {
    // Whatever has an error that waits stands so, and by that it is found.
    status: known === null ? (query.has('error') ? 'error' : null) : known.length === 1 ? (known[0] ?? null) : known,
    name: query.get('name'),
    participant: query.get('participant'),
    businessKey: query.get('business_key'),
    launched: { from: timeOf(query, 'launched_from'), to: timeOf(query, 'launched_to') },
    ended: { from: timeOf(query, 'ended_from'), to: timeOf(query, 'ended_to') },
    updated: { from: timeOf(query, 'updated_from'), to: timeOf(query, 'updated_to') },
    definition,
    errorClass: query.get('error'),
  };
}

/** Tags and fields of a query, and what is another try of whom. */
export function insideOf(query: URLSearchParams): Inside | null {
  const fields: [readonly string[], string][] = [];
  for (const [name, value] of query) {
    if (name === 'field.')
      throw new Problem('query_invalid', 'field. is followed by the name of a field: field.total=12');
    if (name.startsWith('field.')) fields.push([name.slice(6).split('.'), value]);
  }
  const tag = query.get('tag');
  const retryOf = query.get('retry_of');
  return tag === null && fields.length === 0 && retryOf === null ? null : { tag, fields, retryOf };
}
