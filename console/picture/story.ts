import type { Entry } from './standing.ts';
import { expressionIn, FOLDED, textOf } from './standing.ts';

/* A history a step a line. */

export type Line = {
  /** The entries of one step, in order. */
  readonly entries: readonly Entry[];
  readonly text: string;
};

/** The entries of one commit: they carry its number where the server tells it, else the same time. */
export function storyOf(entries: readonly Entry[]): readonly Line[] {
  const lines: Entry[][] = [];
  for (const entry of entries) {
    const before = lines.at(-1)?.at(-1);
    const isSame = before !== undefined && before['step'] === entry['step'] && before.at === entry.at && !begins(entry);
    if (isSame) lines.at(-1)?.push(entry);
    else lines.push([entry]);
  }
  return lines.map((list) => ({ entries: list, text: tellStep(list) }));
}

/** Kinds that are what happened, not what came of it. */
const begins = ({ kind }: Entry): boolean =>
  [
    'workitem.proceeded',
    'timer.fired',
    'workflow.cancelling',
    'workflow.paused',
    'workflow.resumed',
    'workitem.edited',
  ].includes(kind) || kind.startsWith('callback.');

function tellStep(entries: readonly Entry[]): string {
  const first = entries[0] as Entry;
  const told = [tellEntry(first)];
  const opened = entries.filter((one) => one.kind === 'workitem.opened');
  const names = opened.map((one) => textOf(one['participant']));
  if (opened.length === 1 && opened[0] !== first) told.push(tellEntry(opened[0] as Entry));
  else if (opened.length > 0)
    told.push(
      opened.length > 3
        ? `${opened.length} participants are asked`
        : `${names.join(', ')} ${opened.length > 1 ? 'are' : 'is'} asked`,
    );
  const failed = entries.find((one) => one.kind === 'expression.failed' && one !== first);
  // Whoever gave up has said why already.
  if (failed !== undefined)
    told.push(
      first.kind === 'workitem.failed' && failed['handled_by'] === undefined
        ? `it failed with ${textOf(failed['class'])}`
        : tellEntry(failed),
    );
  const over = entries.find((one) =>
    ['workflow.completed', 'workflow.cancelled', 'workflow.killed'].includes(one.kind),
  );
  if (over !== undefined && over !== first) told.push(`the workflow is ${over.kind.slice(9)}`);
  return told.join(' → ');
}

/** Names of fields that are told in a line. */
const CHANGED_TOLD = 5;

/** Which fields are others than the participant before had, where the history says so. */
function changedTold(entry: Entry): string {
  const count = entry['changed_count'];
  if (typeof count === 'number') return ` (${count} fields changed)`;
  const { changed } = entry as { readonly changed?: unknown };
  if (!Array.isArray(changed) || changed.length === 0) return '';
  const more = changed.length - CHANGED_TOLD;
  return ` (changed: ${changed.slice(0, CHANGED_TOLD).map(textOf).join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}

export function tellEntry(entry: Entry): string {
  const who = textOf(entry['participant']);
  const name = textOf(entry['name']);
  const place = textOf(entry['expid']) || (expressionIn(textOf(entry['workitem_id'])).split('!')[0] ?? '');
  switch (entry.kind) {
    case FOLDED:
      return 'no longer kept';
    case 'workflow.launched':
      return name === '' ? 'launched' : `launched as ${name}`;
    case 'expression.applied':
      return `${name} begins (${place})`;
    case 'expression.replied':
      return `${name} is done (${place})`;
    case 'expression.cancelled':
      return `${name} is cancelled (${place})${entry['handler'] ? `, ${textOf(entry['handler'])} takes its place` : ''}`;
    case 'expression.replayed':
      return `${name} is tried again (${place})`;
    case 'expression.paused':
      return entry['breakpoint'] === undefined
        ? `${name} is paused (${place})`
        : `${name} is to be stopped at ${textOf(entry['breakpoint'])}`;
    case 'expression.resumed':
      return entry['breakpoint'] === undefined
        ? `${name} goes on (${place})`
        : `${textOf(entry['breakpoint'])} is no stop any more`;
    case 'expression.awaiting':
      return `${name} waits for an event before it begins (${place})`;
    case 'expression.timing_out':
      return `the time of ${name} has run out (${place})`;
    case 'expression.replying':
      return `${name} is replied for (${place})`;
    case 'expression.failed':
      return `${place} fails with ${textOf(entry['class'])}: ${textOf(entry['message'])}${entry['handled_by'] ? ' (handled)' : ''}`;
    case 'workitem.opened':
      return `${who} is asked${changedTold(entry)}`;
    case 'workitem.proceeded':
      return `${who} proceeded`;
    case 'workitem.failed':
      return `${who} gave up: ${textOf(entry['message'])}`;
    case 'workitem.closed':
      return `${who} is told ${textOf(entry['status'])}`;
    case 'workitem.edited':
      return `the fields of ${place} were edited`;
    case 'callback.delivered':
      return entry['overtaken']
        ? `${who} proceeded before the answer of try ${entry['try']}`
        : `${who} has it (try ${entry['try']}, ${entry['status']})`;
    case 'callback.refused':
      return `try ${entry['try']} to ${who} failed: ${entry['status'] ?? textOf(entry['error'])}`;
    case 'callback.exhausted':
      return `the tries to ${who} are spent`;
    case 'timer.set':
      return `a timer is set (${place}: ${textOf(entry['action'])})`;
    case 'timer.fired':
      return `a timer fired (${place}: ${textOf(entry['action'])})`;
    case 'event.received':
      return `${place} received ${textOf(entry['event'])}`;
    default:
      return entry.kind.replace('.', ' ');
  }
}
