import { decodeRoot, decodeRow } from '../../src/interpreter/state/encoding.ts';
import { baseFields } from '../../src/interpreter/state/fields.ts';
import type { Node } from '../../src/interpreter/state/state.ts';
import { isOver } from '../../src/model/rows.ts';
import type { Database, Rows } from './database.ts';

/* Whatever has not ended waits for something that can be named. */

/** Expressions that wait by design, for ever or for one another. */
const WAITING_KINDS: ReadonlySet<string> = new Set(['stall', 'reserve']);

/** What is due for longer than this is not waited for but forgotten: a lease and a try fit in. */
const OVERDUE_MS = 60_000;

/** Workflows that wait for nothing, one line each. @param now business time */
export function unnamedWaits(database: Database, now: number): readonly string[] {
  return [...database.workflows.values()].flatMap((rows) => [...overdue(rows, now), ...idle(rows)]);
}

/** Nothing is due now or later, no participant and no administrator is waited for. */
export const waitsForNobody = (database: Database): boolean =>
  [...database.workflows.values()].every(
    ({ workflow, agenda, workitems, errors }) =>
      workflow.status !== 'paused' && agenda.size === 0 && workitems.size === 0 && errors.size === 0,
  );

function overdue({ workflow, agenda, workitems }: Rows, now: number): readonly string[] {
  const lines: string[] = [];
  for (const row of agenda.values())
    if (row.heldAt === null && row.dueAt < now - OVERDUE_MS)
      lines.push(`${workflow.id}: the agenda row ${row.id} is overdue by ${now - row.dueAt} ms`);
  for (const { row } of workitems.values())
    if (row.send !== null && row.heldAt === null && (row.dueAt ?? now) < now - OVERDUE_MS)
      lines.push(`${workflow.id}: ${row.send} of ${row.id} is overdue by ${now - (row.dueAt ?? now)} ms`);
  return lines;
}

function idle(rows: Rows): readonly string[] {
  const { workflow } = rows;
  if (isOver(workflow.status) || workflow.status === 'paused' || rows.agenda.has('continue')) return [];
  const answers = [...rows.agenda.values()].some((row) => row.kind === 'answer');
  if (answers) return [];
  return nodesOf(rows)
    .filter((node) => node.children === 0 && node.child === null && !isNamed(node))
    .map((node) => `${workflow.id}: ${node.name} ${node.id} (${node.state ?? 'active'}) waits for nothing`);
}

const isNamed = (node: Node): boolean =>
  node.hasWorkitem ||
  node.hasError ||
  node.hasListener ||
  node.schedule !== null ||
  node.lost ||
  // Tokens wait at a join, maybe for ever: its gateways are named.
  node.data['arrived'] !== undefined ||
  node.state === 'awaiting' ||
  WAITING_KINDS.has(node.kind);

function nodesOf(rows: Rows): readonly Node[] {
  const strands = [...rows.strands.values()].filter((row) => row.arrival === null);
  return [
    ...decodeRoot(rows.workflow).nodes,
    ...strands.flatMap((row) => {
      const base = row.base === null ? undefined : rows.variables.get(`${row.base} ^`)?.value;
      return decodeRow(row, base === undefined ? null : baseFields(base)).nodes;
    }),
  ];
}
