import { useEffect, useMemo, useState } from 'preact/hooks';
import { now } from '../../live/now.ts';
import { Time } from '../../parts/said.tsx';
import { ageText, countText } from '../../parts/texts.ts';
import type { Chronicle } from '../../picture/chronicle.ts';

/** Columns of the strip above the slider. */
const COLUMNS = 160;
/** Played entries follow each other after this, in milliseconds. */
const PLAYED_MS = 250;

/** A slider over the entries of the history; the strip above it is high where much happened, and below it stands what failed. */
export function Scrubber({
  chronicle,
  last,
  settled = true,
  at,
  set,
}: {
  readonly chronicle: Chronicle;
  readonly last: number;
  /** False while the history is read for the first time. */
  readonly settled?: boolean;
  readonly at: number | null;
  readonly set: (n: number | null, how: 'push' | 'replace') => void;
}) {
  const columns = useMemo(() => densityOf(chronicle, last), [chronicle, last]);
  const shown = at ?? last;
  const move = (n: number): void => set(n >= last ? null : Math.max(1, n), 'replace');
  const entry = chronicle.entries[shown - 1];
  const [playing, play] = useState(false);
  useEffect(() => {
    if (!playing) return;
    if (at === null) {
      play(false);
      return;
    }
    const timer = setTimeout(() => move(shown + 1), PLAYED_MS);
    return () => clearTimeout(timer);
  }, [playing, at]);
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
          if (!playing && at === null) set(1, 'replace');
          play(!playing);
        }}
      >
        {playing ? '‖' : '▶'}
      </button>
      <span class="chip count number">
        #{countText(shown)} of {countText(last)}
      </span>
      <div class="track">
        <svg viewBox={`0 0 ${COLUMNS} 20`} preserveAspectRatio="none" aria-hidden="true">
          {columns.map(({ height }, i) => (
            <rect key={i} x={i + 0.3} y={20 - height} width={0.4} height={height} fill="var(--line)" />
          ))}
        </svg>
        <input
          type="range"
          min={1}
          max={last}
          value={shown}
          aria-label="Entry of the history"
          aria-valuetext={`entry ${shown} of ${last}, ${entry?.kind ?? ''}`}
          style={{ '--part': `${last > 1 ? ((shown - 1) / (last - 1)) * 100 : 100}%` }}
          onInput={(event) => move(Number(event.currentTarget.value))}
          onKeyDown={keys}
        />
        <span class="fails" aria-hidden="true">
          {columns.map(({ failed }, i) =>
            failed ? (
              <span key={i} style={{ left: `${((i + 0.5) / COLUMNS) * 100}%` }}>
                ✖
              </span>
            ) : null,
          )}
        </span>
      </div>
      <span class="small when">
        <Time at={entry?.at ?? null} how="time" />
        <span class="dim">{entry === undefined ? '' : ageText(Date.parse(entry.at), now.value)}</span>
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

function densityOf(
  chronicle: Chronicle,
  last: number,
): readonly { readonly height: number; readonly failed: boolean }[] {
  const counts = new Array<number>(COLUMNS).fill(0);
  const failed = new Array<boolean>(COLUMNS).fill(false);
  for (const entry of chronicle.entries) {
    const column = Math.min(COLUMNS - 1, Math.floor(((entry.n - 1) / Math.max(1, last)) * COLUMNS));
    counts[column] = (counts[column] ?? 0) + (entry.kind.startsWith('expression.') ? 1 : 3);
    if (entry.kind === 'expression.failed' || entry.kind === 'callback.refused') failed[column] = true;
  }
  const most = Math.max(1, ...counts);
  return counts.map((count, i) => ({ height: count === 0 ? 0 : 4 + (16 * count) / most, failed: failed[i] === true }));
}
