import { useMemo, useState } from 'preact/hooks';
import { rangeOf } from '../../address/range.ts';
import { now } from '../../live/now.ts';
import { Button } from '../../parts/action.tsx';
import { Table } from '../../parts/list.tsx';
import { Text, Time } from '../../parts/said.tsx';
import { spanText, visible } from '../../parts/texts.ts';
import type { Chronicle, Run } from '../../picture/chronicle.ts';
import { everyPlace, type Place } from '../../picture/figure.ts';
import { isOver, type Standing } from '../../picture/standing.ts';
import { timeScale } from '../../picture/time-scale.ts';

/** Rows, and bars of one row, that are painted. */
const ROWS_MAX = 200;
const BARS_MAX = 150;
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
  range,
  look: lookAt,
}: {
  readonly figure: Place;
  readonly chronicle: Chronicle;
  readonly n: number;
  readonly standing: Standing;
  readonly select: (expid: string) => void;
  /** The part that is looked at, as the address says it; empty: all. */
  readonly range: string;
  readonly look: (range: string) => void;
}) {
  const [stretched, stretch] = useState<ReadonlySet<number>>(new Set());
  const rows = useMemo(
    () =>
      [...everyPlace(figure)]
        .map((place) => ({ place, runs: chronicle.runsAt(place.expid, n) }))
        .filter(({ runs }) => runs.length > 0),
    [figure, n],
  );
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
  const inSight = isPart
    ? rows.filter(({ runs }) =>
        runs.some((run) => Date.parse(run.at) <= end && (run.end === null || Date.parse(run.end.at) >= begin)),
      )
    : rows;
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
        {inSight.slice(0, ROWS_MAX).map(({ place, runs }) => (
          <div class="line" key={place.expid}>
            <button
              type="button"
              class="more-link"
              style={{ paddingLeft: `${8 + Math.min(8, place.expid.split('_').length - 1) * 12}px` }}
              onClick={() => select(place.expid)}
              title={visible(place.title)}
            >
              <Text text={place.title} />
            </button>
            <div class="bars" role="img" aria-label={`${place.title}: ${sayRuns(runs, n)}`}>
              {scale.cuts.map((cut) => (
                <span
                  key={cut.from}
                  class="quiet"
                  style={{ left: `${x(cut.from)}%`, width: `${x(cut.to) - x(cut.from)}%` }}
                />
              ))}
              {isLive && <span class="now-line" style={{ left: `${x(end)}%` }} />}
              {runs
                .filter((run) => Date.parse(run.at) <= end && (run.end === null || Date.parse(run.end.at) >= begin))
                .slice(-BARS_MAX)
                .map((run) => (
                  <RunBar key={run.id} run={run} n={n} end={whole.end} x={x} title={place.title} />
                ))}
              {runs
                .slice(-BARS_MAX)
                .flatMap((run) => run.tries)
                .filter((one) => isIn(Date.parse(one.at)))
                .slice(-BARS_MAX)
                .map((one) => (
                  <span
                    key={one.n}
                    class={`tick ${one.ok ? '' : 'bad'}`}
                    style={{ left: `${x(Date.parse(one.at))}%` }}
                    title={`try ${one.number}: ${one.status ?? one.error ?? ''}`}
                  />
                ))}
              {due
                .filter(({ expid }) => expid === place.expid)
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
  const over = run.end !== null && run.end.n <= n ? run.end : null;
  const from = Date.parse(run.at);
  const to = over === null ? end : Date.parse(over.at);
  const { delivery } = spans(run, n, end);
  return (
    <>
      <span
        class={`bar ${look(run, n)}`}
        style={{ left: `${x(from)}%`, width: `${Math.max(0.3, x(to) - x(from))}%` }}
        title={`${visible(title)}: ${spanText(to - from)}`}
      />
      {delivery !== null && x(delivery.to) - x(delivery.from) > 0.3 && (
        <span
          class="bar undelivered"
          style={{ left: `${x(delivery.from)}%`, width: `${x(delivery.to) - x(delivery.from)}%` }}
          title={`not delivered for ${spanText(delivery.to - delivery.from)}`}
        />
      )}
    </>
  );
}

type Span = { readonly from: number; readonly to: number };

/** Of a run that asked a participant: until it had the message, and until it answered. */
function spans(run: Run, n: number, end: number): { readonly delivery: Span | null; readonly answer: Span | null } {
  const opened = run.items.find((one) => one.to === 'open');
  if (opened === undefined) return { delivery: null, answer: null };
  const from = Date.parse(opened.at);
  const stop = run.end !== null && run.end.n <= n ? Date.parse(run.end.at) : end;
  const had = run.tries.find((one) => one.ok && one.message === 'active' && one.n <= n);
  const to = Math.min(stop, had === undefined ? stop : Date.parse(had.at));
  return { delivery: { from, to }, answer: { from: to, to: Math.max(to, stop) } };
}

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
      const { delivery, answer } = spans(run, n, end);
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
  return (
    <section class="stack" aria-label="Where the time went">
      <h2>Where the time went</h2>
      <p class="small dim">
        In {spanText(own)} of {spanText(end - begin)} nobody was asked: timers, events, and Rota's own work.
      </p>
      <Table
        rows={list}
        keyOf={([name]) => name}
        columns={[
          { title: 'Participant', cell: ([name]) => <Text text={name} /> },
          { title: 'Asked', look: 'number', cell: ([, sum]) => sum.count },
          { title: 'Until delivered', look: 'number', cell: ([, sum]) => spanText(sum.delivery) },
          { title: 'Until answered', look: 'number', cell: ([, sum]) => spanText(sum.answer) },
        ]}
      />
    </section>
  );
}

/** How long at least one of the spans lasts. */
function covered(spans: readonly Span[]): number {
  let sum = 0;
  let upTo = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, upTo));
    upTo = Math.max(upTo, to);
  }
  return sum;
}

/** Timers and next tries that are still to come. */
function dueOf(
  standing: Standing,
  from: number,
): readonly { readonly expid: string; readonly at: number; readonly word: string }[] {
  return [
    ...standing.timers.map(({ expid, dueAt, action }) => ({ expid, at: Date.parse(dueAt), word: action })),
    ...standing.workitems.flatMap(({ expid, owed, nextAt }) =>
      owed === null || nextAt === null ? [] : [{ expid, at: Date.parse(nextAt), word: 'next try' }],
    ),
  ].filter(({ at }) => at > from);
}

const look = (run: Run, n: number): string =>
  run.end !== null && run.end.n <= n
    ? run.end.kind === 'replied'
      ? ''
      : 'cancelled'
    : run.marks.at(-1)?.to === 'failed'
      ? 'failed'
      : run.items.length > 0
        ? 'waits'
        : 'live';

function sayRuns(runs: readonly Run[], n: number): string {
  const over = runs.filter((run) => run.end !== null && run.end.n <= n).length;
  return `${runs.length} ${runs.length === 1 ? 'expression' : 'expressions'}, ${over} over, ${runs.reduce((sum, run) => sum + run.tries.length, 0)} tries`;
}
