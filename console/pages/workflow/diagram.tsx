import { Fragment, type VNode } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Json } from '../../../src/model/json.ts';
import { Button } from '../../parts/action.tsx';
import { download } from '../../parts/download.ts';
import { Glyph } from '../../parts/glyph.tsx';
import { Zoom } from '../../parts/zoom.tsx';
import { withinBudget } from '../../picture/budget.ts';
import { saidIn } from '../../picture/captions.ts';
import { everyPlace, isFoldable, type Place } from '../../picture/figure.ts';
import { BOXES_MAX, type Drawing, FOLD_ALL, LIVE_PARTS, layout, openAtFirst, parentOf } from '../../picture/layout.ts';
import { expidIn } from '../../picture/standing.ts';
import { elementOf, type PlaceState, type Seen } from '../../picture/states.ts';
import { svgOf } from '../../picture/svg.ts';
import type { Mark } from '../../picture/tree-edit.ts';
import { type BoxActs, type BoxProps, BoxView, type Heat, LOOKS, shownState, showsSame } from './box.tsx';
import { Hangings } from './hanging.tsx';
import { Jumps } from './jumps.tsx';
import { Overview, Pan } from './overview.tsx';
import type { State } from './page.tsx';
import { isNear, useSight } from './sight.ts';

type Props = {
  readonly figure: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
  readonly chosen: Place | null;
  readonly isPaused?: boolean;
  /** Of a tree that is being edited: what became of places. */
  readonly marks?: ReadonlyMap<string, Mark>;
  /** Of a definition: how many of its workflows are at each place. */
  readonly heat?: ReadonlyMap<string, Heat>;
  /** What ages are counted to, in milliseconds since 1970; null: now. */
  readonly clock?: number | null;
  /** Branches of one crowd that stand side by side: what their places show, and the crowd. Null: none. */
  readonly lanes?: SideBySide | null;
  /** Whether it has a place of its own height and scrolls in it; else it is as high as its picture. */
  readonly isFilling?: boolean;
};

export type SideBySide = {
  readonly crowd: string;
  /** Of each lane the id of its branch, and what its places show. */
  readonly of: readonly { readonly id: string; readonly seen: ReadonlyMap<string, Seen> }[];
};

/** A picture that is too wide is made smaller at first, but not beyond what can be read. */
const ZOOM_AT_FIRST_MIN = 70;
/** Below these, leaves show their names alone, and containers are blocks. */
const FAR = 60;
const FARTHEST = 35;
const MARGIN = 32;

/** The picture: boxes are HTML, wires one drawing. What it shows and does, the outline shows and does. */
export function Diagram({
  figure,
  seen,
  state,
  set,
  chosen,
  isPaused = false,
  marks,
  heat,
  isFilling = false,
  clock = null,
  lanes = null,
}: Props) {
  const [zoom, setZoom] = useState(100);
  const canvas = useRef<HTMLDivElement>(null);
  const sight = useSight(canvas);
  /** Boxes that have been in sight: they stay whole, so that going back and forth costs nothing. */
  const whole = useRef(new Set<string>());
  // What is open at first follows the state once; after that only a person opens and folds.
  const way = state.fold.find((one) => one === FOLD_ALL || one === LIVE_PARTS) ?? '';
  const first = useRef<{ readonly tree: Json; readonly way: string; readonly open: ReadonlySet<string> } | null>(null);
  if (first.current?.tree !== figure.json || first.current.way !== way)
    first.current = {
      tree: figure.json,
      way,
      open: openAtFirst(figure, seen, new Set(state.open), new Set(state.fold)),
    };
  const { open, folded } = useMemo(() => {
    const all = new Set([...(first.current?.open ?? []), ...openInBodies(figure)]);
    for (const one of state.open) all.add(one);
    for (const one of state.fold) all.delete(one);
    return withinBudget(figure, all, seen, state.open.at(-1) ?? '0');
  }, [figure, first.current, state.open.join(), state.fold.join()]);
  const hideSmall = state.small === 'hidden';
  const wides = useMemo(() => [...everyPlace(figure)].filter(({ kind }) => kind === 'wide'), [figure]);
  // Branches that are places of their own are not drawn more than once.
  const copied = lanes === null || wides.some(({ expid }) => expid === lanes.crowd) ? null : lanes;
  /** Of each concurrence with many branches those that are shown. */
  const shownOf = new Map(
    wides.map(({ expid }) => {
      const { marks = [], shown = 0 } = seen.get(expid) ?? {};
      const compared =
        lanes?.crowd === expid ? lanes.of.map(({ id }) => marks.findIndex((mark) => mark.id === id)) : [];
      return [expid, compared.length > 1 ? compared : [Math.max(0, shown)]];
    }),
  );
  const drawn = useMemo(
    () =>
      layout(
        hideSmall ? withoutSmall(figure) : figure,
        (place) => open.has(place.expid),
        copied === null ? null : { crowd: copied.crowd, count: copied.of.length },
        ({ expid }) => shownOf.get(expid) ?? [0],
      ),
    [figure, open, hideSmall, copied?.crowd, copied?.of.length, [...shownOf].join()],
  );
  const isCopied = (expid: string): boolean => copied !== null && expid.startsWith(`${copied.crowd}_`);
  const seenOf = (lane: number, expid: string): ReadonlyMap<string, Seen> =>
    isCopied(expid) ? (copied?.of[lane]?.seen ?? seen) : seen;
  /** What a place shows, in its lane where it stands in one of several. */
  const seenIn = (expid: string, lane: number): Seen | undefined => seenOf(lane, expid).get(expid);
  /** The expression that is meant where a place is chosen in a lane, or in the body of a call. */
  const meantIn = ({ place, lane }: Drawing['boxes'][number]): string | undefined => {
    const one = seenIn(place.expid, lane);
    if (place.expid !== place.at) return one?.live[0]?.id ?? one?.ended?.id;
    return isCopied(place.expid) ? (one?.live[0]?.id ?? copied?.of[lane]?.id) : undefined;
  };
  const boxes = drawn.boxes.slice(0, BOXES_MAX);
  const fitIn = (least: number): void => {
    const room = (canvas.current?.clientWidth ?? 800) - MARGIN;
    setZoom(Math.max(least, Math.min(100, Math.floor((room / drawn.width) * 100))));
  };
  useLayoutEffect(() => fitIn(ZOOM_AT_FIRST_MIN), [figure, lanes?.of.length]);
  // Lanes that are wider than the room for them begin at its left.
  useLayoutEffect(() => {
    const [room, crowd] = [canvas.current, canvas.current?.querySelector(`[data-expid="${lanes?.crowd}"]`)];
    if (room === null || crowd === null || crowd === undefined) return;
    const [inside, around] = [crowd.getBoundingClientRect(), room.getBoundingClientRect()];
    if (inside.right > around.right) room.scrollLeft += inside.left - around.left - MARGIN / 2;
  }, [lanes?.of.length, zoom]);
  const blocks = useMemo(() => (zoom < FARTHEST ? blocksOf(drawn) : null), [drawn, zoom < FARTHEST]);
  const made = useRef<ReadonlyMap<string, MadeBox>>(new Map());

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
  const select = (place: Place, expression?: string): void => set({ sel: expression ?? place.expid });
  /** Whether the chosen expression is in the lane of a box; where none says so, the first is meant. */
  const isLaneOf = (box: Drawing['boxes'][number], sel: string): boolean => {
    if (copied === null || !isCopied(box.place.expid)) return true;
    const at = copied.of.findIndex(
      (lane) => lane.id === sel || (lane.seen.get(expidIn(sel))?.live.some(({ id }) => id === sel) ?? false),
    );
    return box.lane === Math.max(0, at);
  };
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
      if (isFoldable(at) && open.has(at.expid) === (event.key === '-')) toggle(at);
    } else if (to !== undefined) {
      set({ sel: to.expid }, 'replace');
      canvas.current?.querySelector<HTMLElement>(`[data-expid="${to.expid}"]`)?.focus();
    } else return;
    event.preventDefault();
  };

  /** What the boxes do, as it is now: a box that stays as it is keeps what it was given. */
  const doing: BoxActs = {
    select: (box, place, expression) => select(place, expression ?? (place === box.place ? meantIn(box) : undefined)),
    look: (box, place, tab) => set({ sel: meantIn(box) ?? place.expid, tab }),
    compare: (box, id) => set({ lanes: comparedWith(state.lanes, seen.get(box.place.expid), id) }, 'replace'),
    toggle: (_, place) => toggle(place),
  };
  /** What is written in a place, with what is known of its branch and its call. */
  const said = ({ expid }: Place, text: string, lane: number): string =>
    text.includes('${')
      ? saidIn(figure, expid, text, (around) => elementOf(seenOf(lane, expid).get(around.expid)))
      : text;
  const acts = useRef(doing);
  acts.current = doing;
  const next = new Map<string, MadeBox>();
  const shown = boxes.map((box) => {
    const { place, lane } = box;
    if (blocks?.inside.has(place.expid)) return null;
    const key = `${place.expid} ${lane}`;
    const isChosen = place.expid === (chosen ?? figure).expid && isLaneOf(box, state.sel);
    if (isChosen || isNear(box, sight, zoom / 100)) whole.current.add(key);
    const props: BoxProps = {
      box,
      seen: seenIn(place.expid, lane),
      title: said(place, place.title, lane),
      caption: said(place, place.caption, lane),
      chosen: chosen !== null && isChosen,
      first: isChosen,
      acts,
      isOpen: open.has(place.expid),
      isPaused,
      mark: marks?.get(place.expid) ?? '',
      heat: heat?.get(place.expid) ?? null,
      clock,
      isBlock: blocks?.outer.has(place.expid) ?? false,
      isWhole: whole.current.has(key),
    };
    const before = made.current.get(key);
    const one =
      before !== undefined && showsSame(before.props, props)
        ? before
        : { props, node: <BoxView key={key} {...props} /> };
    next.set(key, one);
    return one.node;
  });
  made.current = next;
  // Lines and the small map change less often than what the boxes say.
  const reached = drawn.wires
    .map((wire) => (isReached(seenIn(wire.to, wire.lane)?.state) && wire.kind === 'flow' ? '1' : '0'))
    .join('');
  const wires = useMemo(
    () => <Wires drawn={drawn} reached={reached} hidden={blocks?.inside ?? null} />,
    [drawn, reached, blocks],
  );
  const looks = boxes.map((box) => LOOKS[shownState(box, seen.get(box.place.expid))]).join();
  const map = useMemo(
    () => isFilling && <Overview drawn={drawn} looks={looks.split(',')} isEnd={isEnd} canvas={canvas} zoom={zoom} />,
    [isFilling, drawn, looks, zoom],
  );

  return (
    <div class={`drawing ${isFilling ? 'filling' : ''}`}>
      <div ref={canvas} class="canvas" onPointerDown={(event) => pan(event, canvas.current)}>
        <div
          class={`sheet ${zoom < FAR ? 'far' : ''} ${zoom < FARTHEST ? 'farthest' : ''}`}
          role="group"
          aria-label="Diagram of the workflow; the outline says the same in a list"
          style={{
            width: `${drawn.width * (zoom / 100)}px`,
            height: `${drawn.height * (zoom / 100)}px`,
            '--zoom': String(zoom / 100),
          }}
          onKeyDown={walk}
        >
          <div style={{ transform: `scale(${zoom / 100})`, transformOrigin: '0 0', width: `${drawn.width}px` }}>
            {shown}
            {wires}
            <Hangings drawn={drawn} seenIn={seenIn} hidden={(expid) => blocks?.inside.has(expid) ?? false} />
            <Jumps figure={figure} drawn={drawn} seenIn={seenIn} chosen={chosen?.expid ?? ''} canvas={canvas} />
          </div>
        </div>
      </div>
      <div class="beside">
        {map}
        {seen.size > 0 && <Legend />}
        {isFilling && <Pan canvas={canvas} />}
        <Zoom percent={zoom} set={setZoom} fit={() => fitIn(25)} />
        {isFilling && (
          <Button
            look="tiny"
            label="Download as SVG"
            onPress={() => download('workflow.svg', svgOf(drawn, seen, figure), 'image/svg+xml')}
          >
            SVG
          </Button>
        )}
      </div>
      {folded.length > 0 && (
        <p class="note warn small over" role="status">
          A picture has at most {BOXES_MAX} boxes: {folded.length} {folded.length === 1 ? 'place was' : 'places were'}{' '}
          folded, what is over and farthest away first.
        </p>
      )}
      {drawn.boxes.length > boxes.length && (
        <p class="note warn small over">
          {boxes.length} of {drawn.boxes.length} boxes are shown: fold some to see others.
        </p>
      )}
    </div>
  );
}

/** Lanes that stand side by side. */
export const LANES_MAX = 4;

/** A branch more to be compared with, or one less; the first time with the one that is shown. */
export function comparedWith(lanes: readonly string[], crowd: Seen | undefined, id: string): readonly string[] {
  if (lanes.includes(id)) return lanes.filter((one) => one !== id);
  const shown = crowd?.marks[crowd.shown]?.id;
  const before = lanes.length > 0 || shown === undefined || shown === id ? lanes : [shown];
  return [...before, id].slice(-LANES_MAX);
}

/** What can be done to the whole picture; it stands beside the views. */
export function DiagramTools({ state, set }: Pick<Props, 'state' | 'set'>) {
  const has = (way: string): boolean => state.fold.includes(way);
  const choose = (way: string): void => set({ fold: has(way) ? [] : [way], open: [] }, 'replace');
  return (
    <>
      <button
        type="button"
        class="button tiny"
        onClick={() => set({ small: state.small === 'hidden' ? 'shown' : 'hidden' }, 'replace')}
        aria-pressed={state.small !== 'hidden'}
      >
        Small steps{state.small === 'hidden' ? '' : ' ✓'}
      </button>
      <button type="button" class="button tiny" aria-pressed={has(FOLD_ALL)} onClick={() => choose(FOLD_ALL)}>
        Fold all
      </button>
      <button type="button" class="button tiny" aria-pressed={has(LIVE_PARTS)} onClick={() => choose(LIVE_PARTS)}>
        Live parts
      </button>
    </>
  );
}

/** A box as it was made last, and of what. */
type MadeBox = { readonly props: BoxProps; readonly node: VNode };

function Wires({
  drawn,
  reached,
  hidden,
}: {
  readonly drawn: Drawing;
  /** Of each wire 1 where its end has been reached, else 0. */
  readonly reached: string;
  readonly hidden: ReadonlySet<string> | null;
}) {
  return (
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
      {drawn.labels.map(({ x, y, text }) => (
        <text key={`${x} ${y}`} class="wire-words" x={x} y={y}>
          {text}
        </text>
      ))}
      {drawn.wires.map((wire, i) =>
        hidden?.has(wire.to) ? null : (
          <Fragment key={wire.path}>
            <path
              class={`wire ${wire.kind === 'aside' ? 'aside' : reached[i] === '1' ? '' : 'todo'}`}
              d={wire.path}
              marker-end={wire.arrow ? 'url(#tip)' : undefined}
            />
            {wire.words !== undefined && (
              <text class="wire-words" x={wire.words.x} y={wire.words.y}>
                {wire.words.text}
              </text>
            )}
          </Fragment>
        ),
      )}
    </svg>
  );
}

/** Containers without containers in them, and everything that is inside those. */
function blocksOf(drawn: Drawing): { readonly outer: ReadonlySet<string>; readonly inside: ReadonlySet<string> } {
  const containers = new Set(drawn.boxes.filter((box) => !isEnd(box)).map(({ place }) => place.expid));
  const around = new Set([...containers].flatMap((expid) => waysUp(expid)));
  const outer = new Set([...containers].filter((expid) => !around.has(expid)));
  return {
    outer,
    inside: new Set(
      drawn.boxes.map(({ place }) => place.expid).filter((expid) => waysUp(expid).some((one) => outer.has(one))),
    ),
  };
}
const isEnd = ({ place, folded }: Drawing['boxes'][number]): boolean => place.children.length === 0 || folded;
function waysUp(expid: string): readonly string[] {
  const ways: string[] = [];
  for (let at = parentOf(expid); at !== ''; at = parentOf(at)) ways.push(at);
  return ways;
}

/** Drags the picture by its ground; the wheel, the keys, the buttons and the bars of the browser do the same. */
function pan(event: PointerEvent, canvas: HTMLElement | null): void {
  const target = event.target as Element;
  if (canvas === null || event.button !== 0 || event.pointerType === 'touch' || target.closest('button, .marks'))
    return;
  const from = { x: event.clientX + canvas.scrollLeft, y: event.clientY + canvas.scrollTop };
  const move = (to: PointerEvent): void => canvas.scrollTo(from.x - to.clientX, from.y - to.clientY);
  const stop = (): void => {
    window.removeEventListener('pointermove', move);
    window.removeEventListener('pointerup', stop);
  };
  window.addEventListener('pointermove', move);
  window.addEventListener('pointerup', stop);
}

/** Of bodies of calls that are open all is open but what is called in them. */
function openInBodies(root: Place): readonly string[] {
  const open: string[] = [];
  for (const place of everyPlace(root))
    if (place.children.length > 0 && (place.calls !== '' || place.expid !== place.at)) open.push(place.expid);
  return open;
}

const isReached = (state: PlaceState | undefined): boolean =>
  state !== undefined && state !== 'to come' && state !== 'skipped';

/** Small steps that follow each other are one line that counts them. */
function withoutSmall(place: Place): Place {
  const children: Place[] = [];
  let counted = 0;
  for (const [i, child] of place.children.entries()) {
    if (child.kind !== 'small') {
      children.push(withoutSmall(child));
      continue;
    }
    counted += 1;
    if (place.children[i + 1]?.kind === 'small') continue;
    const title = counted === 1 ? '· 1 small step ·' : `· ${counted} small steps ·`;
    // Whoever chooses the line means the last of them.
    children.push({ ...child, title, caption: '', tags: [], children: [], handlers: [], below: 0 });
    counted = 0;
  }
  return { ...place, children };
}

function Legend() {
  const states: readonly PlaceState[] = ['done', 'live', 'waits', 'failed', 'to come', 'skipped'];
  return (
    <ul class="legend" aria-label="What the signs mean">
      {states.map((one) => (
        <li key={one}>
          <span class={`sign ${LOOKS[one]}`}>
            <Glyph name={one} size={12} />
          </span>
          {one}
        </li>
      ))}
    </ul>
  );
}
