import type { Run } from './chronicle.ts';
import { type Entry, expressionIn, textOf } from './standing.ts';

/* What a line of time shows beside its bars: pauses, ticks, and how close many bars lie. */

/** In milliseconds since 1970. */
export type Span = { readonly from: number; readonly to: number };

/** When the whole workflow was paused, oldest first; the last one may go on until `end`. */
export function pausesOf(entries: readonly Entry[], n: number, end: number): readonly Span[] {
  const spans: Span[] = [];
  let from: number | null = null;
  for (const entry of entries) {
    if (entry.n > n) break;
    if (entry.kind === 'workflow.paused') from ??= Date.parse(entry.at);
    else if (from !== null && ENDS_A_PAUSE.has(entry.kind)) {
      spans.push({ from, to: Date.parse(entry.at) });
      from = null;
    }
  }
  if (from !== null && from < end) spans.push({ from, to: end });
  return spans;
}
const ENDS_A_PAUSE: ReadonlySet<string> = new Set([
  'workflow.resumed',
  'workflow.cancelling',
  'workflow.completed',
  'workflow.cancelled',
  'workflow.killed',
]);

export type Tick = {
  readonly n: number;
  readonly at: number;
  /** A try of a callback that says what to do; a notice, or one of its tries; an event, a message or a signal. */
  readonly kind: 'try' | 'notice' | 'event';
  readonly ok: boolean;
  /** As short as it can be said: `✓200`, `✖–`. */
  readonly word: string;
  readonly text: string;
};

/** What happened at places beside tries, by the id of its expression; by its place where nobody says which expression it was. */
export function happeningsOf(entries: readonly Entry[], n: number): ReadonlyMap<string, readonly Tick[]> {
  const found = new Map<string, Tick[]>();
  for (const entry of entries) {
    if (entry.n > n) break;
    const said = saidOf(entry);
    if (said === null) continue;
    const id = expressionIn(textOf(entry['workitem_id'])) || textOf(entry['expression_id']) || textOf(entry['expid']);
    const tick: Tick = { n: entry.n, at: Date.parse(entry.at), ok: true, ...said };
    const there = found.get(id);
    if (there === undefined) found.set(id, [tick]);
    else there.push(tick);
  }
  return found;
}

function saidOf(entry: Entry): Pick<Tick, 'kind' | 'word' | 'text'> | null {
  switch (entry.kind) {
    case 'workitem.closed': {
      const status = textOf(entry['status']);
      return { kind: 'notice', word: status, text: `told to stop: ${status}` };
    }
    case 'event.received':
      return { kind: 'event', word: textOf(entry['type']), text: `received ${textOf(entry['type']) || 'an event'}` };
    case 'signal.thrown':
    case 'message.sent':
    case 'message.received':
      return {
        kind: 'event',
        word: textOf(entry['name']),
        text: `${entry.kind.replace('.', ' ')}: ${textOf(entry['name'])}`,
      };
    case 'error.thrown':
    case 'escalation.thrown':
      return {
        kind: 'event',
        word: textOf(entry['code']),
        text: `${entry.kind.replace('.', ' ')}${textOf(entry['code']) === '' ? '' : `: ${textOf(entry['code'])}`}`,
      };
    default:
      return null;
  }
}

/**
 * All ticks of the runs of one place up to entry `n`, in order.
 *
 * @param expid the place, when those count that no expression is known of; null: of the runs alone
 */
export function ticksOf(
  runs: readonly Run[],
  happenings: ReadonlyMap<string, readonly Tick[]>,
  n: number,
  expid: string | null,
): readonly Tick[] {
  const ids = [...runs.map(({ id }) => id), ...(expid === null ? [] : [expid])];
  const tries = runs.flatMap((run) =>
    run.tries
      .filter((one) => one.n <= n)
      .map((one): Tick => {
        const how = String(one.status ?? '–');
        const answer = one.overtaken ? 'proceeded first' : (one.status ?? one.error ?? 'no answer');
        const isNotice = one.message !== 'active';
        return {
          n: one.n,
          at: Date.parse(one.at),
          kind: isNotice ? 'notice' : 'try',
          ok: one.ok,
          word: `${one.ok ? '✓' : '✖'}${how}`,
          text: `${isNotice ? `notice ${one.message}, ` : ''}try ${one.number}: ${answer}`,
        };
      }),
  );
  return [...tries, ...ids.flatMap((id) => happenings.get(id) ?? [])].sort((a, b) => a.n - b.n);
}

/** Ticks whose words have room behind them; `x`: where a time stands, in percent. */
export function wordedTicks(ticks: readonly Tick[], x: (at: number) => number, room: number): ReadonlySet<number> {
  const worded = new Set<number>();
  for (const [i, { n, at, word }] of ticks.entries()) {
    const next = ticks[i + 1];
    if (word !== '' && (next === undefined ? 100 : x(next.at)) - x(at) >= room) worded.add(n);
  }
  return worded;
}

/** Parts of a bar of who was asked: until the first try and while one is under way nothing is there yet; between two tries nothing happens. */
export type Part = Span & { readonly kind: 'undelivered' | 'between' };

/** Of a run that asked a participant: until it had the message in parts, and until it answered. */
export function spansOf(
  run: Run,
  n: number,
  end: number,
): { readonly delivery: Span | null; readonly answer: Span | null; readonly parts: readonly Part[] } {
  const opened = run.items.find((one) => one.to === 'open' && one.n <= n);
  if (opened === undefined) return { delivery: null, answer: null, parts: [] };
  const from = Date.parse(opened.at);
  // Whoever gave up, or was never reached, is not waited for any more: somebody else is.
  const last = run.items.findLast((one) => one.n <= n);
  const over = run.end !== null && run.end.n <= n ? Date.parse(run.end.at) : end;
  const stop = last?.to === 'failed' ? Math.min(over, Date.parse(last.at)) : over;
  const tries = run.tries.filter((one) => one.message === 'active' && one.n <= n);
  const had = tries.find((one) => one.ok);
  const to = Math.min(stop, had === undefined ? stop : Date.parse(had.at));
  const failed = tries.filter((one) => !one.ok).map((one) => Math.min(to, Date.parse(one.at)));
  const parts = failed.map((at, i): Part => ({ from: at, to: failed[i + 1] ?? to, kind: 'between' }));
  return {
    delivery: { from, to },
    answer: { from: to, to: Math.max(to, stop) },
    parts: [{ from, to: failed[0] ?? to, kind: 'undelivered' }, ...parts],
  };
}

/** How many of the spans lie over each of so many columns of a line from 0 to `width`. */
export function densityOf(
  spans: readonly Span[],
  x: (at: number) => number,
  width: number,
  columns: number,
): readonly number[] {
  // What begins and ends in each column, then summed up: a span counts in every column it touches.
  const changes = new Array<number>(columns + 1).fill(0);
  const columnOf = (at: number): number => Math.max(0, Math.min(columns - 1, Math.floor((x(at) * columns) / width)));
  for (const { from, to } of spans) {
    const [first, last] = [columnOf(from), columnOf(to)];
    changes[first] = (changes[first] ?? 0) + 1;
    changes[last + 1] = (changes[last + 1] ?? 0) - 1;
  }
  let sum = 0;
  return changes.slice(0, columns).map((change) => {
    sum += change;
    return sum;
  });
}

/** How long at least one of the spans lasts. */
export function covered(spans: readonly Span[]): number {
  let sum = 0;
  let upTo = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, upTo));
    upTo = Math.max(upTo, to);
  }
  return sum;
}

/** What one of several runs of a place is called: its element, else which of them it is. */
export const runName = (run: Run, i: number): string => run.element ?? `#${i + 1}`;
