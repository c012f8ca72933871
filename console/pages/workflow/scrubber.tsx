import { useEffect, useMemo, useState } from 'preact/hooks';
import { isStill } from '../../app/settings.ts';
import { Time } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import type { Chronicle } from '../../picture/chronicle.ts';
import { type Axis, type Column, columnsOf, entryAt, placeOf, SPEEDS } from '../../picture/moments.ts';

/** Columns of the strip above the slider, and steps of the slider where it goes by time. */
const COLUMNS = 160;
const STEPS = 10_000;

/** A slider over the entries of the history; the strip above it is high where much happened, and below it stands what failed. */
export function Scrubber({
  chronicle,
  last,
  settled = true,
  at,
  axis = 'entry',
  turn,
  set,
}: {
  readonly chronicle: Chronicle;
  readonly last: number;
  /** False while the history is read for the first time. */
  readonly settled?: boolean;
  readonly at: number | null;
  readonly axis?: Axis;
  /** Left out: it goes by entries alone. */
  readonly turn?: (axis: Axis) => void;
  readonly set: (n: number | null, how: 'push' | 'replace') => void;
}) {
  const columns = useMemo(() => columnsOf(chronicle.entries, axis, COLUMNS), [chronicle, last, axis]);
  // They are the same at every moment, so a move passes them by.
  const strip = useMemo(() => <Strip columns={columns} />, [columns]);
  const marks = useMemo(() => <Marks columns={columns} />, [columns]);
  const shown = at ?? last;
  const move = (n: number): void => set(n >= last ? null : Math.max(1, n), 'replace');
  const entry = chronicle.entries[shown - 1];
  const place = placeOf(chronicle.entries, shown, axis);
  const [playing, play] = useState(false);
  const [speed, setSpeed] = useState(0);
  const { word, entries: each, everyMs } = SPEEDS[speed] ?? SPEEDS[0];
  useEffect(() => {
    if (!playing) return;
    if (at === null) {
      play(false);
      return;
    }
    const timer = setTimeout(() => move(shown + each), everyMs);
    return () => clearTimeout(timer);
  }, [playing, at, speed]);
  // New entries do not move who looks at the past: they are counted.
  const [since, setSince] = useState<number | null>(null);
  useEffect(() => setSince(at === null || !settled ? null : (since ?? last)), [at === null, settled]);
  const news = since === null ? 0 : last - since;
  /** One step is all entries of one commit. */
  const stepFrom = (n: number, by: 1 | -1): number => {
    const step = chronicle.entries[n - 1]?.['step'] ?? null;
    let to = n + by;
    while (to > 1 && to < last && step !== null && chronicle.entries[to - 1]?.['step'] === step) to += by;
    return to;
  };
  const keys = (event: KeyboardEvent): void => {
    const back = event.key === 'ArrowLeft' || event.key === 'ArrowDown';
    const to =
      event.shiftKey && (back || event.key === 'ArrowRight' || event.key === 'ArrowUp')
        ? stepFrom(shown, back ? -1 : 1)
        : // By time an arrow is an entry, too.
          axis === 'time' && (back || event.key === 'ArrowRight' || event.key === 'ArrowUp')
          ? shown + (back ? -1 : 1)
          : event.key === 'PageUp'
            ? shown - Math.ceil(last / 10)
            : event.key === 'PageDown'
              ? shown + Math.ceil(last / 10)
              : null;
    if (to === null) return;
    event.preventDefault();
    move(to);
  };
  return (
    <section class="scrubber" aria-label="Moments of the history">
      <button
        type="button"
        class="button"
        aria-label={playing ? 'Stop playing' : 'Play from here'}
        onClick={() => {
          // Where things should not move by themselves it goes on by a step at each press.
          if (isStill()) {
            move(at === null ? 1 : stepFrom(shown, 1));
            return;
          }
          if (!playing && at === null) set(1, 'replace');
          play(!playing);
        }}
      >
        {playing ? '‖' : '▶'}
      </button>
      <button
        type="button"
        class="button tiny"
        aria-label={`Speed of playing: ${word}`}
        onClick={() => setSpeed((speed + 1) % SPEEDS.length)}
      >
        {word}
      </button>
      {/* As wide as at the end, so that the slider stays where it is while one drags it. */}
      <span class="chip count number centred" style={{ minWidth: `${2 * countText(last).length + 5}ch` }}>
        #{countText(shown)} of {countText(last)}
      </span>
      <div class="track">
        {strip}
        <input
          type="range"
          min={axis === 'entry' ? 1 : 0}
          max={axis === 'entry' ? last : STEPS}
          value={axis === 'entry' ? shown : Math.round(place * STEPS)}
          aria-label="Entry of the history"
          aria-valuetext={`entry ${shown} of ${last}, ${entry?.kind ?? ''}`}
          style={{ '--part': `${place * 100}%` }}
          onInput={(event) => {
            const value = Number(event.currentTarget.value);
            move(axis === 'entry' ? value : entryAt(chronicle.entries, value / STEPS, axis));
          }}
          onKeyDown={keys}
        />
        {marks}
      </div>
      {turn !== undefined && (
        <button
          type="button"
          class="button tiny"
          aria-label={`by ${axis}: what the line goes by`}
          onClick={() => turn(axis === 'entry' ? 'time' : 'entry')}
        >
          by {axis}
        </button>
      )}
      <span class="small when">
        <Time at={entry?.at ?? null} how="time" />
        <span class="dim">{entry !== undefined && <Time at={entry.at} />}</span>
      </span>
      <button
        type="button"
        class={`button ${at === null ? 'primary' : ''}`}
        aria-pressed={at === null}
        onClick={() => set(null, 'push')}
      >
        Live{news > 0 ? ` +${countText(news)}` : ''}
      </button>
    </section>
  );
}

const Strip = ({ columns }: { readonly columns: readonly Column[] }) => (
  <svg viewBox={`0 0 ${COLUMNS} 20`} preserveAspectRatio="none" aria-hidden="true">
    {columns.map(({ height }, i) => (
      <rect key={i} x={i + 0.3} y={20 - heightOf(height)} width={0.4} height={heightOf(height)} fill="var(--line)" />
    ))}
  </svg>
);

const Marks = ({ columns }: { readonly columns: readonly Column[] }) => (
  <span class="fails" aria-hidden="true">
    {columns.map(({ mark }, i) =>
      mark === '' ? null : (
        <span key={i} class={mark === '✖' ? '' : 'dim'} style={{ left: `${((i + 0.5) / COLUMNS) * 100}%` }}>
          {mark}
        </span>
      ),
    )}
  </span>
);

const heightOf = (part: number): number => (part === 0 ? 0 : 4 + 16 * part);
