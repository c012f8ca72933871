import { useMemo, useState } from 'preact/hooks';
import { apiRoot } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { curlOf } from '../../api/curl.ts';
import { Button } from '../../parts/action.tsx';
import { Copy, Time } from '../../parts/said.tsx';
import { countText, visible } from '../../parts/texts.ts';
import type { Entry } from '../../picture/standing.ts';
import { storyOf, tellEntry } from '../../picture/story.ts';
import type { Data } from './data.ts';
import type { State } from './page.tsx';

const ROW = 28;
/** Rows painted above and below what is seen. */
const AROUND = 10;
const VIEW = 560;

/** What happened, a step a line or an entry a line; rows of one height, of which only those in sight are in the page. */
export function History({
  id,
  data,
  state,
  set,
}: {
  readonly id: string;
  readonly data: Data;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const [top, setTop] = useState(0);
  const last = data.entries.value;
  const rows = useMemo(() => {
    const wanted = state.q.toLowerCase();
    const all: readonly { readonly entry: Entry; readonly text: string; readonly count: number }[] =
      state.show === 'all'
        ? data.chronicle.entries.map((entry) => ({ entry, text: tellEntry(entry), count: 1 }))
        : storyOf(data.chronicle.entries).map(({ entries, text }) => ({
            entry: entries.at(-1) as Entry,
            text,
            count: entries.length,
          }));
    const found =
      wanted === '' ? all : all.filter(({ entry, text }) => `${entry.kind} ${text}`.toLowerCase().includes(wanted));
    return state.order === 'newest' ? [...found].reverse() : found;
  }, [last, state.show, state.q, state.order]);
  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const shown = rows.slice(first, first + Math.ceil(VIEW / ROW) + 2 * AROUND);

  return (
    <section class="stack" aria-label="History">
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <Button look="tiny" pressed={state.show === 'story'} onPress={() => set({ show: 'story' })}>
          Story
        </Button>
        <Button look="tiny" pressed={state.show === 'all'} onPress={() => set({ show: 'all' })}>
          All entries
        </Button>
        <Button look="tiny" onPress={() => set({ order: state.order === 'newest' ? 'oldest' : 'newest' })}>
          {state.order === 'newest' ? 'Newest first' : 'Oldest first'}
        </Button>
        <label class="row">
          <span class="small">Find</span>
          <input value={state.q} onInput={(event) => set({ q: event.currentTarget.value }, 'replace')} />
        </label>
        <Copy what="Copy as curl" text={curlOf('GET', new URL(`v1/workflows/${part(id)}/history`, apiRoot).href)} />
      </form>
      <p class="small dim" aria-live="polite">
        {countText(rows.length)} lines
      </p>
      {rows.length === 0 ? (
        <p class="note">No entry says that.</p>
      ) : (
        <section
          class="rows-window"
          aria-label="Entries"
          style={{ height: `${Math.min(VIEW, rows.length * ROW + 2)}px` }}
          onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        >
          <div style={{ height: `${rows.length * ROW}px` }}>
            {shown.map(({ entry, text, count }, i) => (
              <div class="entry" key={entry.n} style={{ top: `${(first + i) * ROW}px` }}>
                <button
                  type="button"
                  class="more-link n number"
                  onClick={() => set({ at: entry.n, view: 'diagram' })}
                  aria-label={`Show entry ${entry.n} in the picture`}
                >
                  #{entry.n}
                </button>
                <Time at={entry.at} how="time" />
                <bdi title={visible(text)}>{visible(text)}</bdi>
                {count > 1 && <span class="dim small">{count} entries</span>}
                {state.show === 'all' && <span class="dim mono">{entry.kind}</span>}
              </div>
            ))}
          </div>
        </section>
      )}
    </section>
  );
}
