import { useMemo, useRef } from 'preact/hooks';
import { Button } from '../../parts/action.tsx';
import { Glyph } from '../../parts/glyph.tsx';
import { Copy, Text, Time } from '../../parts/said.tsx';
import { spanText, visible } from '../../parts/texts.ts';
import { isFoldable, lineOf, type Place } from '../../picture/figure.ts';
import { parentOf } from '../../picture/layout.ts';
import { expidIn } from '../../picture/standing.ts';
import type { Seen } from '../../picture/states.ts';
import { LOOKS, pinsOf } from './box.tsx';
import type { State } from './page.tsx';

/** Rows of the outline that are in the page. */
const ROWS_MAX = 1_000;

/** The picture as a list: one line a place, as Radial would write it. */
export function Outline({
  figure,
  seen,
  state,
  set,
}: {
  readonly figure: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  const grid = useRef<HTMLDivElement>(null);
  const folded = new Set(state.fold);
  /** Of a call whose body is not shown nothing is open. */
  const isFolded = ({ expid, children, calls }: Place): boolean =>
    folded.has(expid) || (calls !== '' && children.length === 0);
  const unfold = ({ expid, calls }: Place): void =>
    set(
      {
        fold: state.fold.filter((one) => one !== expid),
        ...(calls === '' ? {} : { open: [...state.open.filter((one) => one !== expid), expid].slice(-FOLDED_MAX) }),
      },
      'replace',
    );
  const rows = useMemo(() => {
    const list: { readonly place: Place; readonly level: number }[] = [];
    const visit = (place: Place, level: number): void => {
      if (list.length >= ROWS_MAX) return;
      list.push({ place, level });
      if (!folded.has(place.expid)) for (const child of place.children) visit(child, level + 1);
    };
    visit(figure, 1);
    return list;
  }, [figure, state.fold.join()]);
  const chosen = expidIn(state.sel) || figure.expid;
  const also = new Set(state.also);
  const typed = useRef({ text: '', at: 0 });
  /** The others that are chosen beside it, with one more or without it. */
  const toggle = (expid: string): void =>
    set({ also: also.has(expid) ? state.also.filter((one) => one !== expid) : [...state.also, expid] }, 'replace');
  /** All from the one that is chosen to this one. */
  const upTo = (expid: string): void => {
    const order = [chosen, expid].map((one) => rows.findIndex(({ place }) => place.expid === one));
    const [from = 0, to = 0] = order.sort((a, b) => a - b);
    set(
      { also: rows.slice(from, to + 1).flatMap(({ place }) => (place.expid === chosen ? [] : [place.expid])) },
      'replace',
    );
  };
  const focus = (expid: string): void => grid.current?.querySelector<HTMLElement>(`[data-row="${expid}"]`)?.focus();
  /** The next line that begins with what was typed lately. */
  const find = (letter: string, at: number): string | undefined => {
    const now = performance.now();
    const text = now - typed.current.at < TYPED_MS ? typed.current.text + letter : letter;
    typed.current = { text, at: now };
    const wanted = text.toLowerCase();
    // A letter more of the same word may stay where it is.
    const start = text.length === 1 ? at + 1 : at;
    return [...rows.slice(start), ...rows.slice(0, start)].find(({ place }) =>
      place.title.toLowerCase().startsWith(wanted),
    )?.place.expid;
  };

  const move = (event: KeyboardEvent): void => {
    const at = rows.findIndex(({ place }) => place.expid === chosen);
    const place = rows[at]?.place;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (/^[\p{L}\p{N}]$/u.test(event.key) && isPlain) {
      const found = find(event.key, at);
      if (found === undefined) return;
      // Here letters find lines; elsewhere they are keys of the page.
      event.stopPropagation();
      event.preventDefault();
      set({ sel: found, also: [] }, 'replace');
      focus(found);
      return;
    }
    const beside = event.key === 'ArrowDown' ? rows[at + 1] : event.key === 'ArrowUp' ? rows[at - 1] : undefined;
    if (event.shiftKey && beside !== undefined && place !== undefined) {
      // The line that is left stays chosen.
      const next = beside.place.expid;
      set({ sel: next, also: [...state.also.filter((one) => one !== next), place.expid] }, 'replace');
      focus(next);
      event.preventDefault();
      return;
    }
    const to =
      event.key === 'ArrowDown'
        ? rows[at + 1]?.place.expid
        : event.key === 'ArrowUp'
          ? rows[at - 1]?.place.expid
          : event.key === 'Home'
            ? rows[0]?.place.expid
            : event.key === 'End'
              ? rows.at(-1)?.place.expid
              : undefined;
    if (to !== undefined) {
      set({ sel: to, also: [] }, 'replace');
      focus(to);
    } else if ((event.key === '+' || event.key === '-') && place !== undefined) {
      if (!isFoldable(place)) return;
      const others = state.fold.filter((one) => one !== place.expid);
      if (event.key === '+') unfold(place);
      else set({ fold: [...others, place.expid].slice(-FOLDED_MAX) }, 'replace');
    } else if (event.key === 'ArrowLeft' && place !== undefined) {
      if (isFoldable(place) && !isFolded(place))
        set({ fold: [...state.fold, place.expid].slice(-FOLDED_MAX) }, 'replace');
      else if (parentOf(place.expid) !== '') set({ sel: parentOf(place.expid) }, 'replace');
    } else if (event.key === 'ArrowRight' && place !== undefined) {
      if (isFolded(place)) unfold(place);
    } else return;
    event.preventDefault();
  };

  return (
    <>
      {also.size > 0 && <Chosen all={[chosen, ...state.also]} state={state} set={set} />}
      <div
        class="outline"
        role="treegrid"
        aria-label="Outline of the workflow"
        aria-multiselectable="true"
        ref={grid}
        onKeyDown={move}
      >
        <div role="row" class="heads small dim">
          {['Text', 'State', 'Whose turn', 'What is known', 'Since', 'Took', 'Tries'].map((title) => (
            <span role="columnheader" key={title}>
              {title}
            </span>
          ))}
        </div>
        {rows.map(({ place, level }) => {
          const one = seen.get(place.expid);
          const isChosen = place.expid === chosen;
          return (
            <div
              key={place.expid}
              role="row"
              data-row={place.expid}
              aria-level={level}
              aria-selected={isChosen || also.has(place.expid)}
              aria-expanded={isFoldable(place) ? !isFolded(place) : undefined}
              tabIndex={isChosen ? 0 : -1}
              onClick={(event) => {
                if (event.shiftKey) upTo(place.expid);
                else if ((event.ctrlKey || event.metaKey) && !isChosen) toggle(place.expid);
                else set({ sel: place.expid, also: [], tab: 'what' });
              }}
              onKeyDown={() => {}}
            >
              <span role="gridcell" class="name" style={{ paddingLeft: `${Math.min(level - 1, 12) * 14}px` }}>
                <span class="dim">{isFoldable(place) ? (isFolded(place) ? '▸' : '▾') : ''}</span>
                <span class={`sign ${LOOKS[one?.state ?? 'to come']}`}>
                  <Glyph name={one?.state ?? 'to come'} />
                </span>
                <bdi title={visible(lineOf(place))}>{visible(lineOf(place))}</bdi>
              </span>
              <span role="gridcell">{one === undefined ? '' : one.isHeld ? `${one.state}, paused` : one.state}</span>
              <span role="gridcell" class="small">
                {one !== undefined && <Text text={turnOf(one)} />}
              </span>
              <span role="gridcell" class="dim small">
                {one !== undefined && <OutlineNote seen={one} />}
              </span>
              <span role="gridcell" class="dim small">
                {one?.live[0]?.since ? (
                  <Time at={one.live[0].since} how="time" />
                ) : one?.ended ? (
                  <Time at={one.ended.at} how="time" />
                ) : null}
              </span>
              <span role="gridcell" class="dim small">
                {one?.live.length === 0 && one.ended?.end
                  ? spanText(Date.parse(one.ended.end.at) - Date.parse(one.ended.at))
                  : ''}
              </span>
              <span role="gridcell" class="number dim small">
                {triesOf(one)}
              </span>
            </div>
          );
        })}
        {rows.length >= ROWS_MAX && (
          <p class="note warn small">Only the first {ROWS_MAX} lines are shown: fold some to see others.</p>
        )}
      </div>
    </>
  );
}

/** Letters that follow each other within this make one word, in milliseconds. */
const TYPED_MS = 800;

/** Several lines: what can be done with all of them. */
function Chosen({
  all,
  state,
  set,
}: {
  readonly all: readonly string[];
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
}) {
  return (
    <div class="row panel tight" role="group" aria-label="Lines that are chosen">
      <span>{all.length} lines chosen</span>
      <Button
        look="tiny"
        onPress={() => set({ fold: [...new Set([...state.fold, ...all])].slice(-FOLDED_MAX) }, 'replace')}
      >
        Fold them
      </Button>
      <Button look="tiny" onPress={() => set({ fold: state.fold.filter((one) => !all.includes(one)) }, 'replace')}>
        Open them
      </Button>
      <Copy what="Copy their places" text={all.join('\n')} />
      <Button look="tiny" onPress={() => set({ also: [] }, 'replace')}>
        Choose one alone
      </Button>
    </div>
  );
}

/** Places that are folded by hand, as the address keeps them. */
const FOLDED_MAX = 50;

/** Who is asked there now. */
const turnOf = ({ workitems }: Seen): string =>
  [...new Set(workitems.map(({ participant }) => participant))].join(', ');

/** Tries of the callbacks that are under way there, or of the last one. */
function triesOf(seen: Seen | undefined): string {
  const tries = Math.max(0, ...(seen?.workitems ?? []).map((item) => item.tries), seen?.ended?.tries.length ?? 0);
  return tries === 0 ? '' : String(tries);
}

function OutlineNote({ seen }: { readonly seen: Seen }) {
  const pins = pinsOf(seen);
  if (pins.length > 0) return <Text text={pins.map(({ words }) => words).join(' · ')} />;
  return null;
}
