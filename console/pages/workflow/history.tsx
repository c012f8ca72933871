import { useMemo, useState } from 'preact/hooks';
import { HISTORY_KINDS } from '../../../src/model/history-kinds.ts';
import { apiRoot } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { curlOf } from '../../api/curl.ts';
import { Button } from '../../parts/action.tsx';
import { download } from '../../parts/download.ts';
import { Copy, Text, Time } from '../../parts/said.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { type Entry, expidIn, FOLDED, textOf } from '../../picture/standing.ts';
import { storyOf, tellEntry } from '../../picture/story.ts';
import type { Data } from './data.ts';
import type { State } from './page.tsx';

const ROW = 28;
/** Rows painted above and below what is seen. */
const AROUND = 10;
const VIEW = 560;

const FAMILIES = [...new Set(HISTORY_KINDS.map((kind) => kind.split('.')[0] ?? kind))];

const actorOf = (entry: Entry): string => textOf(entry['actor_name']) || textOf(entry['actor']);
const placeOf = (entry: Entry): string =>
  textOf(entry['expid']) || expidIn(textOf(entry['expression_id']) || textOf(entry['workitem_id']));
const idOf = (entry: Entry): string => textOf(entry['workitem_id']) || textOf(entry['expression_id']);
/** Who wanted it, and why, where somebody said so. */
const saidOf = (entry: Entry): string =>
  [actorOf(entry), textOf(entry['reason'])].filter((one) => one !== '').join(': ');

/** A step, or one entry. */
type Row = {
  readonly entries: readonly Entry[];
  /** The last one. */
  readonly entry: Entry;
  readonly text: string;
  /** Whether it is one of the entries of an open step. */
  readonly isPart: boolean;
};
/** Steps that are open at once. */
const OPEN_MAX = 50;
const nameOf = ({ entries }: Row): string => String(entries[0]?.n);
const isOpened = (line: Row, open: ReadonlySet<string>): boolean => line.entries.length > 1 && open.has(nameOf(line));
/** Every entry of the lines, in the order they are shown. */
const takenAway = (lines: readonly Row[]): string =>
  lines.flatMap(({ entries }) => entries.map((entry) => JSON.stringify(entry))).join('\n');

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
  const newest = data.newest.value;
  const lines = useMemo(() => {
    // Where the middle of a long history was not read, its end follows what was.
    const entries = [...data.chronicle.entries, ...newest];
    const wanted = state.q.toLowerCase();
    const all: readonly Row[] =
      state.show === 'all'
        ? entries
            .filter(({ kind }) => kind !== FOLDED)
            .map((entry) => ({ entries: [entry], entry, text: tellEntry(entry), isPart: false }))
        : storyOf(entries).map(({ entries: those, text }) => ({
            ...{ entries: those, text, isPart: false },
            entry: those.at(-1) as Entry,
          }));
    const isAsked = (entry: Entry): boolean =>
      (state.kinds.length === 0 ||
        state.kinds.some((kind) => entry.kind === kind || entry.kind.startsWith(`${kind}.`))) &&
      (state.actor === '' || actorOf(entry).toLowerCase().includes(state.actor.toLowerCase())) &&
      (state.place === '' || placeOf(entry) === state.place || placeOf(entry).startsWith(`${state.place}_`));
    const isFound = (entry: Entry, text: string): boolean =>
      isAsked(entry) &&
      (wanted === '' || `${entry.kind} ${text} ${saidOf(entry)} ${idOf(entry)}`.toLowerCase().includes(wanted));
    const found = all.filter(({ entries: those, text }) => those.some((entry) => isFound(entry, text)));
    return state.order === 'newest' ? [...found].reverse() : found;
  }, [last, newest, state.show, state.q, state.order, state.kinds.join(), state.actor, state.place]);
  const open = new Set(state.steps);
  const rows = useMemo(
    () =>
      lines.flatMap((line): readonly Row[] =>
        isOpened(line, open)
          ? [line, ...line.entries.map((entry) => ({ entries: [entry], entry, text: tellEntry(entry), isPart: true }))]
          : [line],
      ),
    [lines, state.steps.join()],
  );
  const toggle = (n: string): void =>
    set(
      { steps: open.has(n) ? state.steps.filter((one) => one !== n) : [...state.steps, n].slice(-OPEN_MAX) },
      'replace',
    );
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
        <label class="row">
          <span class="small">Kind</span>
          <select
            class="narrow"
            value={state.kinds[0] ?? ''}
            onChange={(event) => set({ kinds: event.currentTarget.value === '' ? [] : [event.currentTarget.value] })}
          >
            <option value="">any</option>
            {FAMILIES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="row">
          <span class="small">Place</span>
          <input
            class="narrow"
            placeholder="0_1"
            value={state.place}
            onInput={(event) => set({ place: event.currentTarget.value.trim() }, 'replace')}
          />
        </label>
        <label class="row">
          <span class="small">Who</span>
          <input
            class="narrow"
            value={state.actor}
            onInput={(event) => set({ actor: event.currentTarget.value.trim() }, 'replace')}
          />
        </label>
        <Button look="tiny" onPress={() => download(`${id}.ndjson`, takenAway(lines))}>
          Take away as NDJSON
        </Button>
        <Copy what="Copy as curl" text={curlOf('GET', new URL(`v1/workflows/${part(id)}/history`, apiRoot).href)} />
      </form>
      <p class="small dim" aria-live="polite">
        {countText(lines.length)} lines
        {newest.length > 0 &&
          `; between #${countText(last)} and #${countText(newest[0]?.n ?? 0)} nothing was read into this page yet`}
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
            {shown.map((row, i) => {
              const { entries, entry, text, isPart } = row;
              const name = nameOf(row);
              return (
                <div
                  class={`entry ${isPart ? 'part' : ''}`}
                  key={`${isPart} ${entry.n}`}
                  style={{ top: `${(first + i) * ROW}px` }}
                >
                  {state.show === 'story' &&
                    (entries.length > 1 ? (
                      <button
                        type="button"
                        class="opener"
                        aria-expanded={open.has(name)}
                        aria-label={`The ${entries.length} entries of this step`}
                        onClick={() => toggle(name)}
                      >
                        {open.has(name) ? '▾' : '▸'}
                      </button>
                    ) : (
                      <span class="opener" />
                    ))}
                  <button
                    type="button"
                    class="more-link n number"
                    onClick={() => set({ at: entry.n, view: 'diagram' })}
                    aria-label={`Show entry ${entry.n} in the picture`}
                  >
                    #{entry.n}
                  </button>
                  <Time at={entry.at} how="time" />
                  <bdi title={visible(`${text}\n${idOf(entry)}`)}>{visible(text)}</bdi>
                  {saidOf(entry) !== '' && (
                    <span class="dim small">
                      <Text text={saidOf(entry)} />
                    </span>
                  )}
                  {entries.length > 1 && <span class="dim small">{entries.length} entries</span>}
                  {(state.show === 'all' || isPart) && <span class="dim mono">{entry.kind}</span>}
                </div>
              );
            })}
          </div>
        </section>
      )}
    </section>
  );
}
