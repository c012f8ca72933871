import { useMemo } from 'preact/hooks';
import { Time } from '../../parts/said.tsx';
import { countText } from '../../parts/texts.ts';
import type { Chronicle } from '../../picture/chronicle.ts';

/** Columns of the strip above the slider. */
const COLUMNS = 120;

/** A slider over the entries of the history; the strip is high where participants are concerned and red where something failed. */
export function Scrubber({
  chronicle,
  last,
  at,
  set,
}: {
  readonly chronicle: Chronicle;
  readonly last: number;
  readonly at: number | null;
  readonly set: (n: number | null, how: 'push' | 'replace') => void;
}) {
  const columns = useMemo(() => densityOf(chronicle, last), [chronicle, last]);
  const shown = at ?? last;
  const move = (n: number): void => set(n >= last ? null : Math.max(1, n), 'replace');
  const entry = chronicle.entries[shown - 1];
  return (
    <section class="scrubber" aria-label="Moments of the history">
      <button type="button" class="button tiny" aria-label="One entry back" onClick={() => move(shown - 1)}>
        ‹
      </button>
      <span class="chip count number">
        #{countText(shown)} of {countText(last)}
      </span>
      <div class="track">
        <svg viewBox={`0 0 ${COLUMNS} 18`} preserveAspectRatio="none" aria-hidden="true">
          {columns.map(({ height, failed }, i) => (
            <rect
              key={i}
              x={i + 0.2}
              y={18 - height}
              width={0.6}
              height={height}
              fill={failed ? 'var(--failed)' : 'var(--line)'}
            />
          ))}
        </svg>
        <input
          type="range"
          min={1}
          max={last}
          value={shown}
          aria-label="Entry of the history"
          aria-valuetext={`entry ${shown} of ${last}, ${entry?.kind ?? ''}`}
          onInput={(event) => move(Number(event.currentTarget.value))}
        />
      </div>
      <span class="small">
        <Time at={entry?.at ?? null} how="time" />
      </span>
      <button
        type="button"
        class={`button tiny ${at === null ? 'primary' : ''}`}
        aria-pressed={at === null}
        onClick={() => set(null, 'push')}
      >
        Live
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
  return counts.map((count, i) => ({ height: count === 0 ? 0 : 3 + (15 * count) / most, failed: failed[i] === true }));
}
