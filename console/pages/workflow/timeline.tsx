import { Fragment } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { rangeOf } from '../../address/range.ts';
import { now } from '../../live/now.ts';
import { Button } from '../../parts/action.tsx';
import { Table } from '../../parts/list.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { countText, spanText, visible } from '../../parts/texts.ts';
import { type Chronicle, endOf, type Run } from '../../picture/chronicle.ts';
import { everyPlace, type Place } from '../../picture/figure.ts';
import {
  covered,
  densityOf,
  happeningsOf,
  pausesOf,
  runName,
  type Span,
  spansOf,
  type Tick,
  ticksOf,
  wordedTicks,
} from '../../picture/gantt.ts';
import { isOver, type Standing } from '../../picture/standing.ts';
import { timeScale } from '../../picture/time-scale.ts';
import { makeHomeRuns } from '../../picture/trees.ts';
import type { State } from './page.tsx';

/** Rows that are painted, and ticks of one row. */
const ROWS_MAX = 200;
const TICKS_MAX = 150;
/** Expressions of one row that have a bar each; of more it is shown how many there were at once. */
const BARS_MAX = 12;
/** Columns of such a row. */
const COLUMNS = 120;
/** Percent of the line that the word of a tick takes. */
const WORD = 5;
/** The shortest part that is looked at, in milliseconds. */
const LOOKED_LEAST_MS = 100;
/** Percent of the line right of now, where something is due. */
const AHEAD = 12;
/** Percent for the word now, where nothing is due. */
const NOW = 5;

/** A row a place: its expressions as bars, tries as ticks, from the launch to the last entry or now; right of now what is due. */
export function Timeline({
  figure,
  chronicle,
  n,
  standing,
  select,
  state,
  set,
}: {
  readonly figure: Place;
  readonly chronicle: Chronicle;
  readonly n: number;
  readonly standing: Standing;
  readonly select: (expid: string) => void;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const { range } = state;
  const lookAt = (part: string): void => set({ range: part }, 'replace');
  const [stretched, stretch] = useState<ReadonlySet<number>>(new Set());
  const rows = useMemo(() => {
    const runsAt = makeHomeRuns(chronicle, n);
    return [...everyPlace(figure)]
      .map((place) => ({ place, runs: runsAt(place.expid) }))
      .filter(({ runs }) => runs.length > 0);
  }, [figure, n]);
  const whole = {
    begin: Date.parse(chronicle.entries[0]?.at ?? ''),
    end: !isOver(standing.status) && standing.n === null ? now.value : Date.parse(standing.at),
  };
  const asked = range === '' ? null : rangeOf(range, now.peek());
  const isPart = asked !== null;
  const begin = Math.max(whole.begin, Date.parse(asked?.from ?? '') || 0);
  const end = Math.max(begin + LOOKED_LEAST_MS, Math.min(whole.end, Date.parse(asked?.to ?? '') || whole.end));
  // Now, and what is due, stand at the end of the whole.
  const isLive = !isOver(standing.status) && standing.n === null && end >= whole.end;
  const zoom = (by: number, shift = 0): void => {
    const length = Math.max(LOOKED_LEAST_MS, (end - begin) * by);
    const middle = (begin + end) / 2 + shift * (end - begin);
    const from = Math.max(whole.begin, Math.min(middle - length / 2, whole.end - length));
    const to = Math.min(whole.end, from + length);
    // What reaches to now goes on with it.
    const last = to >= whole.end ? '' : new Date(to).toISOString();
    lookAt(from <= whole.begin && last === '' ? '' : `${new Date(from).toISOString()}..${last}`);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === '+') zoom(0.5);
    else if (event.key === '-') zoom(2);
    else return;
    event.preventDefault();
  };
  const happenings = useMemo(() => happeningsOf(chronicle.entries, n), [chronicle.last, n]);
  const pauses = useMemo(() => pausesOf(chronicle.entries, n, whole.end), [chronicle.last, n, whole.end]);
  const isSeen = (run: Run): boolean =>
    Date.parse(run.at) <= end && (run.end === null || Date.parse(run.end.at) >= begin);
  const inSight = rows.flatMap(({ place, runs }): readonly Row[] => {
    const seen = isPart ? runs.filter(isSeen) : runs;
    if (seen.length === 0) return [];
    const isOpen = runs.length > 1 && state.rows.includes(place.expid);
    const first: Row = { place, runs: seen, all: runs.length, isOpen, name: null };
    return isOpen
      ? [
          first,
          ...seen
            .slice(0, ROWS_MAX)
            .map((run): Row => ({ place, runs: [run], all: 1, isOpen: false, name: runName(run, runs.indexOf(run)) })),
        ]
      : [first];
  });
  const openRow = (expid: string): void =>
    set(
      {
        rows: state.rows.includes(expid)
          ? state.rows.filter((one) => one !== expid)
          : [...state.rows, expid].slice(-OPEN_MAX),
      },
      'replace',
    );
  const due = useMemo(() => (isLive ? dueOf(standing, end) : []), [standing, isLive]);
  // The history is still being read.
  if (Number.isNaN(begin)) return <div class="skeleton" />;
  const lastDue = Math.max(0, ...due.map(({ at }) => at));
  const scale = timeScale(
    begin,
    end,
    chronicle.entries
      .slice(0, n)
      .map((entry) => Date.parse(entry.at))
      .filter((at) => at >= begin && at <= end),
    (from) => stretched.has(from),
  );
  const part = due.length > 0 ? (100 - AHEAD) / 100 : isLive ? (100 - NOW) / 100 : 1;
  const x = (at: number): number => scale.x(at) * part;
  const isIn = (at: number): boolean => at >= begin && at <= end;
  /** What is due stands in order; how far off it is, its words say. */
  const ahead = (at: number): number => 100 - AHEAD + 2 + ((AHEAD - 4) * (at - end)) / Math.max(1, lastDue - end);
  return (
    <section
      class="stack"
      aria-label="Timeline"
      onKeyDown={keys}
      onWheel={(event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        zoom(event.deltaY < 0 ? 0.5 : 2);
      }}
    >
      <div class="row apart small dim">
        <p>
          From <Time at={new Date(begin).toISOString()} how="both" /> over {spanText(end - begin)}.
        </p>
        <div class="row">
          <Button
            look="tiny"
            label="Look closer"
            why={end - begin <= LOOKED_LEAST_MS ? 'it is as close as it goes' : null}
            onPress={() => zoom(0.5)}
          >
            +
          </Button>
          <Button
            look="tiny"
            label="Look from farther"
            why={isPart ? null : 'all of it is shown'}
            onPress={() => zoom(2)}
          >
            −
          </Button>
          <Button
            look="tiny"
            label="Earlier"
            why={begin > whole.begin ? null : 'it begins here'}
            onPress={() => zoom(1, -0.5)}
          >
            ‹
          </Button>
          <Button look="tiny" label="Later" why={end < whole.end ? null : 'it ends here'} onPress={() => zoom(1, 0.5)}>
            ›
          </Button>
          <Button look="tiny" why={isPart ? null : 'all of it is shown'} onPress={() => lookAt('')}>
            All of it
          </Button>
        </div>
        <ul class="legend">
          <li>
            <span class="sample bar" /> done
          </li>
          <li>
            <span class="sample bar live" /> live
          </li>
          <li>
            <span class="sample bar waits" /> waits
          </li>
          <li>
            <span class="sample bar failed" /> failed
          </li>
          <li>
            <span class="sample bar undelivered" /> not delivered yet
          </li>
          <li>
            <span class="sample tick" /> try answered
          </li>
          <li>
            <span class="sample tick bad" /> try failed
          </li>
          <li>
            <span class="sample tick notice" /> notice
          </li>
          <li>
            <span class="sample tick event" /> event
          </li>
          {pauses.length > 0 && (
            <li>
              <span class="sample pause" /> paused
            </li>
          )}
          <li>
            <span class="sample due" /> due
          </li>
        </ul>
      </div>
      <div class="scroll gantt">
        <div class="line axis">
          <span class="small dim">Place</span>
          <div class="bars">
            <span style={{ left: 0 }}>
              <Time at={new Date(begin).toISOString()} how="time" />
            </span>
            {pauses
              .filter(({ from, to }) => to >= begin && from <= end)
              .map(({ from, to }) => (
                <span
                  key={from}
                  class="pause-word"
                  role="img"
                  aria-label={`paused for ${spanText(to - from)}`}
                  title={`paused for ${spanText(to - from)}`}
                  style={{ left: `${x(from)}%`, width: `${x(to) - x(from)}%` }}
                >
                  ‖
                </span>
              ))}
            {scale.cuts.map((cut) => (
              <button
                key={cut.from}
                type="button"
                class="cut"
                title="Nothing happened here; press to see it at its length"
                style={
                  // What ends now stands before the word now, whatever room its own word takes.
                  x(cut.to) > x(end) - 1
                    ? { right: `${100 - x(cut.to)}%`, paddingRight: '8px' }
                    : { left: `${x(cut.from)}%`, width: `${x(cut.to) - x(cut.from)}%` }
                }
                onClick={() => stretch((one) => new Set([...one, cut.from]))}
              >
                <span class="unseen">Stretch the </span>⋯ <span class="span">{spanText(cut.to - cut.from)}</span>
              </button>
            ))}
            {isLive ? (
              <span class="end now" style={{ left: `${x(end)}%` }}>
                now
              </span>
            ) : (
              <span class="end" style={{ right: 0 }}>
                <Time at={new Date(end).toISOString()} how="time" />
              </span>
            )}
            {due.length > 0 && (
              <span class="end" style={{ right: 0 }}>
                due
              </span>
            )}
          </div>
        </div>
        {inSight.slice(0, ROWS_MAX).map((row) => (
          <div class="line" key={row.name === null ? row.place.expid : row.runs[0]?.id}>
            <RowHead
              row={row}
              select={() => select(row.name === null ? row.place.expid : (row.runs[0]?.id ?? ''))}
              open={openRow}
            />
            <div
              class="bars"
              role="img"
              aria-label={`${visible(row.name ?? row.place.title)}: ${sayRuns(row.runs, n)}`}
            >
              {pauses
                .filter(({ from, to }) => to >= begin && from <= end)
                .map(({ from, to }) => (
                  <span key={from} class="pause" style={{ left: `${x(from)}%`, width: `${x(to) - x(from)}%` }} />
                ))}
              {scale.cuts.map((cut) => (
                <span
                  key={cut.from}
                  class="quiet"
                  style={{ left: `${x(cut.from)}%`, width: `${x(cut.to) - x(cut.from)}%` }}
                />
              ))}
              {isLive && <span class="now-line" style={{ left: `${x(end)}%` }} />}
              {row.runs.length > BARS_MAX ? (
                <Density runs={row.runs} n={n} end={whole.end} x={x} />
              ) : (
                row.runs
                  .filter(isSeen)
                  .map((run) => <RunBar key={run.id} run={run} n={n} end={whole.end} x={x} title={row.place.title} />)
              )}
              <Ticks
                ticks={ticksOf(row.runs, happenings, n, row.name === null ? row.place.expid : null).filter(({ at }) =>
                  isIn(at),
                )}
                isWorded={row.runs.length === 1}
                x={x}
              />
              {due
                .filter(
                  ({ expid, id }) =>
                    expid === row.place.expid && (row.name === null ? !row.isOpen : row.runs[0]?.id === id),
                )
                .map((one) => (
                  <span
                    key={`${one.word} ${one.at}`}
                    class="due"
                    style={{ left: `${ahead(one.at)}%` }}
                    title={`${one.word} in ${spanText(one.at - end)}`}
                  />
                ))}
            </div>
          </div>
        ))}
      </div>
      {inSight.length > ROWS_MAX && (
        <p class="note warn small">
          Only the first {ROWS_MAX} of {inSight.length} rows are shown.
        </p>
      )}
      {stretched.size > 0 && (
        <p>
          <button type="button" class="button tiny" onClick={() => stretch(new Set())}>
            Cut quiet stretches again
          </button>
        </p>
      )}
      <WhereTimeWent rows={rows} n={n} begin={whole.begin} end={whole.end} />
    </section>
  );
}

/** Places whose expressions have a row each. */
const OPEN_MAX = 20;

/** A row of a place with all its expressions, or of one of those. */
type Row = {
  readonly place: Place;
  readonly runs: readonly Run[];
  /** How many expressions there have been at the place. */
  readonly all: number;
  readonly isOpen: boolean;
  /** Of a row of one of several: what that one is called. */
  readonly name: string | null;
};

function RowHead({
  row: { place, all, isOpen, name },
  select,
  open,
}: {
  readonly row: Row;
  readonly select: () => void;
  readonly open: (expid: string) => void;
}) {
  const depth = Math.min(8, place.expid.split('_').length - 1) + (name === null ? 0 : 1);
  return (
    <span class="row-head" style={{ paddingLeft: `${8 + depth * 12}px` }}>
      {all > 1 && (
        <button
          type="button"
          class="opener"
          aria-expanded={isOpen}
          aria-label={`A row for each of the ${countText(all)} expressions of ${visible(place.title)}`}
          onClick={() => open(place.expid)}
        >
          {isOpen ? '▾' : '▸'}
        </button>
      )}
      <button type="button" class="more-link" onClick={select} title={visible(name ?? place.title)}>
        <Text text={name ?? place.title} />
      </button>
      {all > 1 && <span class="dim">×{countText(all)}</span>}
    </span>
  );
}

/** Of many expressions: how many there were at once, from time to time; those that failed and wait stand out. */
function Density({
  runs,
  n,
  end,
  x,
}: {
  readonly runs: readonly Run[];
  readonly n: number;
  readonly end: number;
  readonly x: (at: number) => number;
}) {
  const spanOf = (run: Run): Span => ({ from: Date.parse(run.at), to: overAt(run, n) ?? end });
  const all = densityOf(runs.map(spanOf), x, 100, COLUMNS);
  const failed = densityOf(runs.filter((run) => look(run, n) === 'failed').map(spanOf), x, 100, COLUMNS);
  const most = Math.max(1, ...all);
  return (
    <svg class="density" viewBox={`0 0 ${COLUMNS} 20`} preserveAspectRatio="none" aria-hidden="true">
      <path class="all" d={outlineOf(all, most)} />
      <path class="failed" d={outlineOf(failed, most)} />
    </svg>
  );
}

/** The counts of columns as one shape that stands on the ground. */
const outlineOf = (counts: readonly number[], most: number): string =>
  `M0 20${counts.map((count, i) => `V${count === 0 ? 20 : 18 - (17 * count) / most}H${i + 1}`).join('')}V20z`;

function Ticks({
  ticks: all,
  isWorded,
  x,
}: {
  readonly ticks: readonly Tick[];
  /** Whether there is room for what they say. */
  readonly isWorded: boolean;
  readonly x: (at: number) => number;
}) {
  const ticks = all.slice(-TICKS_MAX);
  const worded = isWorded ? wordedTicks(ticks, x, WORD) : null;
  return (
    <>
      {ticks.map((one) => (
        <Fragment key={one.n}>
          <span
            class={`tick ${one.kind} ${one.ok ? '' : 'bad'}`}
            style={{ left: `${x(one.at)}%` }}
            title={visible(one.text)}
          />
          {worded?.has(one.n) && (
            <span class={`tick-word ${one.ok ? '' : 'bad'}`} style={{ left: `${x(one.at)}%` }}>
              {visible(one.word)}
            </span>
          )}
        </Fragment>
      ))}
    </>
  );
}

function RunBar({
  run,
  n,
  end,
  x,
  title,
}: {
  readonly run: Run;
  readonly n: number;
  readonly end: number;
  readonly x: (at: number) => number;
  readonly title: string;
}) {
  const from = Date.parse(run.at);
  const to = overAt(run, n) ?? end;
  const { parts } = spansOf(run, n, end);
  return (
    <>
      <span
        class={`bar ${look(run, n)}`}
        style={{ left: `${x(from)}%`, width: `${Math.max(0.3, x(to) - x(from))}%` }}
        title={`${visible(title)}: ${spanText(to - from)}`}
      />
      {parts
        .filter((part) => x(part.to) - x(part.from) > 0.3)
        .map((part) => (
          <span
            key={part.from}
            class={`bar ${part.kind}`}
            style={{ left: `${x(part.from)}%`, width: `${x(part.to) - x(part.from)}%` }}
            title={
              part.kind === 'between'
                ? `${spanText(part.to - part.from)} until the next try`
                : `not delivered for ${spanText(part.to - part.from)}`
            }
          />
        ))}
    </>
  );
}

const overAt = (run: Run, n: number): number | null =>
  run.end !== null && run.end.n <= n ? Date.parse(run.end.at) : null;

/** Who the time was spent with. */
function WhereTimeWent({
  rows,
  n,
  begin,
  end,
}: {
  readonly rows: readonly { readonly place: Place; readonly runs: readonly Run[] }[];
  readonly n: number;
  readonly begin: number;
  readonly end: number;
}) {
  const sums = new Map<string, { delivery: number; answer: number; count: number }>();
  const asked: Span[] = [];
  for (const { place, runs } of rows)
    for (const run of runs) {
      const { delivery, answer } = spansOf(run, n, end);
      if (delivery === null || answer === null) continue;
      const name = run.items.find((one) => one.participant !== '')?.participant ?? place.title;
      const sum = sums.get(name) ?? { delivery: 0, answer: 0, count: 0 };
      sum.delivery += delivery.to - delivery.from;
      sum.answer += answer.to - answer.from;
      sum.count += 1;
      sums.set(name, sum);
      asked.push({ from: delivery.from, to: answer.to });
    }
  if (sums.size === 0) return null;
  const own = Math.max(0, end - begin - covered(asked));
  const list = [...sums].sort(([, a], [, b]) => b.delivery + b.answer - a.delivery - a.answer);
  const total = own + list.reduce((sum, [, { delivery, answer }]) => sum + delivery + answer, 0);
  return (
    <section class="stack" aria-label="Where the time went">
      <h2>Where the time went</h2>
      <p class="small dim">
        In {spanText(own)} of {spanText(end - begin)} nobody was asked: timers, events, and Rota's own work. Shares are
        of that and of the time of each who was asked.
      </p>
      <Table
        rows={list}
        keyOf={([name]) => name}
        columns={[
          { title: 'Participant', cell: ([name]) => <Text text={name} /> },
          { title: 'Asked', look: 'number', cell: ([, sum]) => sum.count },
          { title: 'Until delivered', look: 'number', cell: ([, sum]) => spanText(sum.delivery) },
          { title: 'Until answered', look: 'number', cell: ([, sum]) => spanText(sum.answer) },
          {
            title: 'Share',
            cell: ([, sum]) => (
              <span class="share">
                <span
                  class="standing"
                  style={{ width: `${(100 * (sum.delivery + sum.answer)) / Math.max(1, total)}%` }}
                  aria-hidden="true"
                >
                  <span style={{ flexGrow: sum.delivery, background: 'var(--waits)' }} />
                  <span style={{ flexGrow: sum.answer, background: 'var(--live)' }} />
                </span>
                <span class="number">{percent(sum.delivery + sum.answer, total)}</span>
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}

const percent = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`;

/** Timers and next tries that are still to come. */
function dueOf(
  standing: Standing,
  from: number,
): readonly { readonly expid: string; readonly id: string; readonly at: number; readonly word: string }[] {
  return [
    ...standing.timers.map(({ expid, expressionId, dueAt, action }) => ({
      ...{ expid, id: expressionId },
      ...{ at: Date.parse(dueAt), word: action },
    })),
    ...standing.workitems.flatMap(({ expid, expressionId, owed, nextAt }) =>
      owed === null || nextAt === null ? [] : [{ expid, id: expressionId, at: Date.parse(nextAt), word: 'next try' }],
    ),
  ].filter(({ at }) => at > from);
}

const look = (run: Run, n: number): string =>
  run.end !== null && run.end.n <= n
    ? endOf(run) === 'replied'
      ? ''
      : 'cancelled'
    : run.marks.at(-1)?.to === 'failed'
      ? 'failed'
      : run.items.length > 0
        ? 'waits'
        : 'live';

function sayRuns(runs: readonly Run[], n: number): string {
  const over = runs.filter((run) => run.end !== null && run.end.n <= n).length;
  const failed = runs.filter((run) => look(run, n) === 'failed').length;
  return `${runs.length} ${runs.length === 1 ? 'expression' : 'expressions'}, ${over} over, ${failed === 0 ? '' : `${failed} failed, `}${runs.reduce((sum, run) => sum + run.tries.length, 0)} tries`;
}
