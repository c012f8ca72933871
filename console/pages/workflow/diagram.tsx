import { useMemo, useRef, useState } from 'preact/hooks';
import { now } from '../../live/now.ts';
import { Glyph } from '../../parts/glyph.tsx';
import { spanText, visible } from '../../parts/texts.ts';
import type { Place } from '../../picture/figure.ts';
import {
  BOXES_MAX,
  type Box,
  COUNTS,
  FIELD,
  HEAD,
  layout,
  openAtFirst,
  PADDING,
  parentOf,
} from '../../picture/layout.ts';
import { type Mark, type PlaceState, type Seen, withInside, worst } from '../../picture/states.ts';
import type { State } from './page.tsx';

type Props = {
  readonly figure: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
  readonly chosen: Place | null;
};

const ZOOMS = [25, 35, 50, 75, 100, 125, 150, 200];

/** The picture: boxes are HTML, wires one drawing. What it shows and does, the outline shows and does. */
export function Diagram({ figure, seen, state, set, chosen }: Props) {
  const [zoom, setZoom] = useState(100);
  const canvas = useRef<HTMLDivElement>(null);
  // What is open at first follows the state once; after that only a person opens and folds.
  const first = useRef<{ readonly figure: Place; readonly open: ReadonlySet<string> } | null>(null);
  if (first.current?.figure !== figure)
    first.current = { figure, open: openAtFirst(figure, seen, new Set(state.open), new Set(state.fold)) };
  const open = useMemo(() => {
    const all = new Set(first.current?.open ?? []);
    for (const one of state.open) all.add(one);
    for (const one of state.fold) all.delete(one);
    return all;
  }, [first.current, state.open.join(), state.fold.join()]);
  const hideSmall = state.small === 'hidden';
  const drawn = useMemo(
    () => layout(hideSmall ? withoutSmall(figure) : figure, (place) => open.has(place.expid)),
    [figure, open, hideSmall],
  );
  const boxes = drawn.boxes.slice(0, BOXES_MAX);

  const toggle = (place: Place): void => {
    const isOpen = open.has(place.expid);
    set(
      {
        open: isOpen ? state.open.filter((one) => one !== place.expid) : [...state.open, place.expid].slice(-50),
        fold: isOpen ? [...state.fold, place.expid].slice(-50) : state.fold.filter((one) => one !== place.expid),
      },
      'replace',
    );
  };
  const select = (place: Place): void => set({ sel: place.expid, tab: 'what' });
  const walk = (event: KeyboardEvent): void => {
    const at = chosen ?? figure;
    const shownBoxes = boxes.map(({ place }) => place);
    const order = shownBoxes.findIndex((place) => place.expid === at.expid);
    const to =
      event.key === 'ArrowDown'
        ? shownBoxes[order + 1]
        : event.key === 'ArrowUp'
          ? shownBoxes[order - 1]
          : event.key === 'ArrowLeft'
            ? shownBoxes.find((place) => place.expid === parentOf(at.expid))
            : event.key === 'ArrowRight'
              ? shownBoxes.find((place) => parentOf(place.expid) === at.expid)
              : undefined;
    if (event.key === '+' || event.key === '-') {
      if (at.children.length > 0 && open.has(at.expid) === (event.key === '-')) toggle(at);
    } else if (to !== undefined) {
      set({ sel: to.expid }, 'replace');
      canvas.current?.querySelector<HTMLElement>(`[data-expid="${to.expid}"]`)?.focus();
    } else return;
    event.preventDefault();
  };

  return (
    <div>
      <div ref={canvas} class="canvas">
        <div
          class="sheet"
          role="group"
          aria-label="Diagram of the workflow; the outline says the same in a list"
          style={{ width: `${drawn.width * (zoom / 100)}px`, height: `${drawn.height * (zoom / 100)}px` }}
          onKeyDown={walk}
        >
          <div style={{ transform: `scale(${zoom / 100})`, transformOrigin: '0 0', width: `${drawn.width}px` }}>
            {boxes.map((box) => (
              <BoxView
                key={box.place.expid}
                box={box}
                seen={seen.get(box.place.expid)}
                chosen={chosen?.expid === box.place.expid}
                first={box.place.expid === (chosen ?? figure).expid}
                select={select}
                toggle={toggle}
                isOpen={open.has(box.place.expid)}
              />
            ))}
            <svg class="wires" width={drawn.width} height={drawn.height} aria-hidden="true">
              <defs>
                <marker
                  id="tip"
                  viewBox="0 0 8 8"
                  refX="7"
                  refY="4"
                  markerWidth="7"
                  markerHeight="7"
                  orient="auto-start-reverse"
                >
                  <path d="M0 0 8 4 0 8z" fill="var(--wire)" />
                </marker>
              </defs>
              {drawn.wires.map((wire) => (
                <path
                  key={wire.path}
                  class={`wire ${isReached(seen.get(wire.to)?.state) && wire.kind === 'flow' ? '' : 'todo'}`}
                  d={wire.path}
                  marker-end={wire.arrow ? 'url(#tip)' : undefined}
                />
              ))}
            </svg>
          </div>
        </div>
      </div>
      {drawn.boxes.length > boxes.length && (
        <p class="note warn small">
          {boxes.length} of {drawn.boxes.length} boxes are shown: fold some to see others.
        </p>
      )}
      <div class="zoom">
        <Legend />
        <button
          type="button"
          class="button tiny"
          onClick={() => set({ small: hideSmall ? 'shown' : 'hidden' }, 'replace')}
          aria-pressed={!hideSmall}
        >
          Small steps
        </button>
        <button type="button" class="button tiny" aria-label="Smaller" onClick={() => setZoom(step(zoom, -1))}>
          −
        </button>
        <button type="button" class="button tiny" onClick={() => setZoom(100)}>
          {zoom} %
        </button>
        <button type="button" class="button tiny" aria-label="Larger" onClick={() => setZoom(step(zoom, 1))}>
          +
        </button>
        <button
          type="button"
          class="button tiny"
          onClick={() => {
            const room = (canvas.current?.clientWidth ?? 800) - 36;
            setZoom(Math.max(25, Math.min(100, Math.floor((room / drawn.width) * 100))));
          }}
        >
          Fit
        </button>
      </div>
    </div>
  );
}

const step = (zoom: number, by: number): number => {
  const at = ZOOMS.findIndex((one) => one >= zoom);
  return ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, at + by))] ?? 100;
};

const isReached = (state: PlaceState | undefined): boolean =>
  state !== undefined && state !== 'to come' && state !== 'skipped';

function withoutSmall(place: Place): Place {
  return { ...place, children: place.children.filter((child) => child.kind !== 'small').map(withoutSmall) };
}

function Legend() {
  const states: readonly PlaceState[] = ['done', 'live', 'waits', 'failed', 'to come', 'skipped'];
  return (
    <span class="legend">
      {states.map((one) => (
        <span key={one}>
          <Glyph name={one} size={12} /> {one}
        </span>
      ))}
    </span>
  );
}

const CSS: { readonly [state in PlaceState]: string } = {
  'to come': 'todo',
  live: 'live',
  waits: 'waits',
  failed: 'failed',
  cancelling: 'cancelling',
  done: 'done',
  cancelled: 'cancelled',
  skipped: 'skipped',
};

type BoxProps = {
  readonly box: Box;
  readonly seen: Seen | undefined;
  readonly chosen: boolean;
  readonly first: boolean;
  readonly isOpen: boolean;
  readonly select: (place: Place) => void;
  readonly toggle: (place: Place) => void;
};

function BoxView({ box, seen, chosen, first, select, toggle, isOpen }: BoxProps) {
  const { place, folded } = box;
  const state: PlaceState = seen === undefined ? 'to come' : folded ? withInside(seen) : seen.state;
  const isLeaf = place.children.length === 0 || folded;
  const kind = place.kind === 'small' ? 'small-step' : isLeaf ? 'leaf' : 'box';
  const pins = seen === undefined ? [] : pinsOf(seen);
  return (
    <div
      class={`place ${kind} ${CSS[state]} ${chosen ? 'chosen' : ''} ${kind === 'box' && box.depth % 2 === 1 ? 'deep' : ''}`}
      style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}
    >
      <button
        type="button"
        class="head"
        data-expid={place.expid}
        tabIndex={first ? 0 : -1}
        aria-pressed={chosen}
        onClick={() => select(place)}
        onDblClick={() => place.children.length > 0 && toggle(place)}
      >
        <Glyph name={state} />
        <b>
          <bdi>{visible(place.title)}</bdi>
        </b>
        <span class="caption">
          <bdi>{visible(place.caption)}</bdi>
        </span>
        {kind === 'box' && place.kind !== 'crowd' && seen !== undefined && <Inside place={place} seen={seen} />}
        <span class="unseen">{labelOf(place, state, pins)}</span>
      </button>
      {kind === 'leaf' && (
        <span class="second">
          {folded ? (
            <span>{place.below} inside</span>
          ) : pins.length > 0 ? (
            pins.slice(0, 3).map((pin) => (
              <span class="pin" key={pin}>
                {visible(pin)}
              </span>
            ))
          ) : (
            <Second place={place} state={state} seen={seen} />
          )}
        </span>
      )}
      {place.kind === 'crowd' && kind === 'box' && seen !== undefined && <Crowd box={box} seen={seen} />}
      {isLeaf && (seen?.failures.length ?? 0) > 0 && <span class="flag bad">!</span>}
      {isLeaf && (seen?.workitems.length ?? 0) > 0 && seen?.failures.length === 0 && (
        <span class="flag">{seen.workitems.length}</span>
      )}
      {place.children.length > 0 && (
        <button
          type="button"
          class="fold"
          tabIndex={first ? 0 : -1}
          aria-label={`${isOpen ? 'Fold' : 'Open'} ${place.title}`}
          aria-expanded={isOpen}
          onClick={() => toggle(place)}
        >
          {isOpen ? '−' : '+'}
        </button>
      )}
    </div>
  );
}

const labelOf = (place: Place, state: PlaceState, pins: readonly string[]): string =>
  [place.title, place.caption, state, ...pins]
    .filter((one) => one !== '')
    .map(visible)
    .join(', ');

function Second({
  place,
  state,
  seen,
}: {
  readonly place: Place;
  readonly state: PlaceState;
  readonly seen: Seen | undefined;
}) {
  if (state === 'done' && seen?.ended?.end)
    return (
      <span>
        ✓ took {spanText(Date.parse(seen.ended.end.at) - Date.parse(seen.ended.at))}
        {seen.done > 1 ? ` · ${seen.done} times` : ''}
      </span>
    );
  if (seen !== undefined && seen.before > 0) return <span>before: {seen.before} times</span>;
  return <span class="dim">{place.tags.map(visible).join(' · ')}</span>;
}

function Inside({ place, seen }: { readonly place: Place; readonly seen: Seen }) {
  const { failed, waits, done } = seen.inside;
  if (place.kind === 'fork' && seen.live.length > 0) {
    return (
      <span class="inside dim">
        {failed > 0 ? `${failed} failed · ` : ''}
        {waits} wait
      </span>
    );
  }
  const parts = [failed > 0 ? `✖ ${failed}` : '', waits > 0 ? `◔ ${waits}` : '', done > 0 ? `✓ ${done}` : ''].filter(
    (one) => one !== '',
  );
  return <span class="inside dim">{parts.join(' · ')}</span>;
}

/** What is known of a live place: chips of its second line. */
export function pinsOf(seen: Seen): readonly string[] {
  const pins: string[] = [];
  for (const [name, count] of countsOf(seen.failures.map((one) => one.class)))
    pins.push(count === 1 ? `✖ ${name}` : `✖ ${count} ${name}`);
  const item = seen.workitems[0];
  if (item !== undefined && item.openedAt !== null) pins.push(`✉ ${spanText(now.value - Date.parse(item.openedAt))}`);
  if (item?.owed && item.tries > 0) pins.push(item.tries === 1 ? '→ 1 try' : `→ ${item.tries} tries`);
  const timer = seen.timers[0];
  if (timer !== undefined) pins.push(`in ${spanText(Date.parse(timer.dueAt) - now.value)}`);
  if (seen.live.some((one) => one.state === 'awaiting')) pins.push('awaits');
  if (seen.live.length > 1) pins.push(`${seen.live.length} at once`);
  return pins;
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Marks of a crowd that are drawn; beyond, one mark stands for several branches, the worst of them. */
const MARKS_MAX = 600;
const COLOURS: { readonly [state in PlaceState]?: string } = {
  done: 'var(--done)',
  failed: 'var(--failed)',
  waits: 'none',
  live: 'none',
  cancelled: 'none',
};

function Crowd({ box, seen }: { readonly box: Box; readonly seen: Seen }) {
  const { marks } = seen;
  const width = box.width - 2 * PADDING;
  const count = (state: PlaceState): number => marks.filter((one) => one.state === state).length;
  const each = Math.ceil(marks.length / MARKS_MAX);
  const grouped: readonly PlaceState[] =
    each <= 1
      ? marks.map((one: Mark) => one.state)
      : Array.from({ length: Math.ceil(marks.length / each) }, (_, i) =>
          worst(marks.slice(i * each, (i + 1) * each).map((one) => one.state)),
        );
  const columns = Math.max(10, Math.ceil(grouped.length / 4));
  const size = Math.min(8, width / columns);
  return (
    <div
      class="crowd"
      style={{ position: 'absolute', top: `${HEAD}px`, left: 0, right: 0, height: `${COUNTS + FIELD}px` }}
    >
      <span>
        <b>{marks.length} branches</b> · ✓ {count('done')} · ◔ {count('waits') + count('live')}
        {count('failed') > 0 ? ` · ✖ ${count('failed')}` : ''}
      </span>
      <svg
        class="marks"
        width={width}
        height={FIELD - 6}
        role="img"
        aria-label={`${marks.length} branches: ${count('done')} done, ${count('waits') + count('live')} wait, ${count('failed')} failed`}
      >
        {grouped.map((state, i) => {
          const x = (i % columns) * size;
          const y = Math.floor(i / columns) * 8 + (state === 'failed' ? -1 : 1);
          return (
            <rect
              key={i}
              x={x + 0.5}
              y={Math.max(0, y)}
              width={Math.max(1, size - 1.5)}
              height={state === 'failed' ? 8 : 6}
              fill={COLOURS[state] ?? 'none'}
              stroke={state === 'failed' ? 'var(--panel)' : state === 'done' ? 'none' : 'var(--waits)'}
              stroke-width="1"
            />
          );
        })}
      </svg>
    </div>
  );
}
