import { useMemo } from 'preact/hooks';
import { now } from '../../live/now.ts';
import { Text, Time } from '../../parts/said.tsx';
import { spanText, visible } from '../../parts/texts.ts';
import type { Chronicle, Run } from '../../picture/chronicle.ts';
import { everyPlace, type Place } from '../../picture/figure.ts';
import { isOver, type Standing } from '../../picture/standing.ts';

/** Rows, and bars of one row, that are painted. */
const ROWS_MAX = 200;
const BARS_MAX = 150;

/** A row a place: its expressions as bars, tries as ticks, from the launch to the last entry or now. */
export function Timeline({
  figure,
  chronicle,
  n,
  standing,
  select,
}: {
  readonly figure: Place;
  readonly chronicle: Chronicle;
  readonly n: number;
  readonly standing: Standing;
  readonly select: (expid: string) => void;
}) {
  const rows = useMemo(
    () =>
      [...everyPlace(figure)]
        .map((place) => ({ place, runs: chronicle.runsAt(place.expid, n) }))
        .filter(({ runs }) => runs.length > 0),
    [figure, n],
  );
  const begin = Date.parse(chronicle.entries[0]?.at ?? '');
  const end = isOver(standing.status) || standing.n !== null ? Date.parse(standing.at) : now.value;
  const span = Math.max(1, end - begin);
  const x = (at: string): number => Math.max(0, Math.min(100, ((Date.parse(at) - begin) / span) * 100));
  return (
    <section class="stack" aria-label="Timeline">
      <p class="small dim">
        From <Time at={chronicle.entries[0]?.at ?? null} how="both" /> over {spanText(span)}; bars are expressions,
        ticks are tries.
      </p>
      <div class="scroll gantt">
        {rows.slice(0, ROWS_MAX).map(({ place, runs }) => (
          <div class="line" key={place.expid}>
            <button type="button" class="more-link" onClick={() => select(place.expid)} title={visible(place.title)}>
              <span class="dim">{'· '.repeat(Math.min(6, place.expid.split('_').length - 1))}</span>
              <Text text={place.title} />
            </button>
            <div class="bars" role="img" aria-label={`${place.title}: ${sayRuns(runs, n)}`}>
              {runs.slice(-BARS_MAX).map((run) => {
                const left = x(run.at);
                const over = run.end !== null && run.end.n <= n ? run.end : null;
                const right = over === null ? 100 : x(over.at);
                return (
                  <span
                    key={run.id}
                    class={`bar ${look(run, n)}`}
                    style={{ left: `${left}%`, width: `${Math.max(0.3, right - left)}%` }}
                    title={`${visible(place.title)}: ${spanText((over === null ? end : Date.parse(over.at)) - Date.parse(run.at))}`}
                  />
                );
              })}
              {runs
                .slice(-BARS_MAX)
                .flatMap((run) => run.tries)
                .slice(-BARS_MAX)
                .map((one) => (
                  <span
                    key={one.n}
                    class={`tick ${one.ok ? '' : 'bad'}`}
                    style={{ left: `${x(one.at)}%` }}
                    title={`try ${one.number}: ${one.status ?? one.error ?? ''}`}
                  />
                ))}
            </div>
          </div>
        ))}
      </div>
      {rows.length > ROWS_MAX && (
        <p class="note warn small">
          Only the first {ROWS_MAX} of {rows.length} rows are shown.
        </p>
      )}
    </section>
  );
}

const look = (run: Run, n: number): string =>
  run.end !== null && run.end.n <= n
    ? run.end.kind === 'replied'
      ? ''
      : 'cancelled'
    : run.marks.at(-1)?.to === 'failed'
      ? 'failed'
      : 'live';

function sayRuns(runs: readonly Run[], n: number): string {
  const over = runs.filter((run) => run.end !== null && run.end.n <= n).length;
  return `${runs.length} ${runs.length === 1 ? 'expression' : 'expressions'}, ${over} over, ${runs.reduce((sum, run) => sum + run.tries.length, 0)} tries`;
}
