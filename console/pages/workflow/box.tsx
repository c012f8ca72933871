import type { ComponentChildren } from 'preact';
import { hours, zone } from '../../app/settings.ts';
import { now, today } from '../../live/now.ts';
import { Glyph } from '../../parts/glyph.tsx';
import { countedText, countText, momentText, spanText, visible } from '../../parts/texts.ts';
import { branchesOf, elementName, isCrowd, isFoldable, type Place } from '../../picture/figure.ts';
import { type Box, COUNTS, FIELD, HEAD, PADDING, STRIP } from '../../picture/layout.ts';
import { segmentsOf } from '../../picture/segments.ts';
import {
  type Counts,
  elementOf,
  type Mark,
  type PlaceState,
  type Seen,
  withInside,
  worst,
} from '../../picture/states.ts';
import type { Mark as EditMark } from '../../picture/tree-edit.ts';

/* One box of the picture: its state, what stands in it, and what is known of it. */

export const LOOKS: { readonly [state in PlaceState]: string } = {
  'to come': 'todo',
  live: 'live',
  waits: 'waits',
  failed: 'failed',
  cancelling: 'cancelling',
  done: 'done',
  cancelled: 'cancelled',
  skipped: 'skipped',
};

const EDITS = { '+': 'added', '−': 'gone', '✎': 'changed' } as const;

/** How many expressions of all workflows of a definition are live at a place, and how many have failed there. */
export type Heat = { readonly live: number; readonly failed: number };

/** What is done with a box. */
export type BoxActs = {
  readonly select: (box: Box, place: Place, expression?: string) => void;
  /** Opens what is known of it in the inspector. */
  readonly look: (box: Box, place: Place, tab: Pin['tab']) => void;
  /** Puts a branch of a crowd beside the others. */
  readonly compare: (box: Box, id: string) => void;
  readonly toggle: (box: Box, place: Place) => void;
};

export type BoxProps = {
  readonly box: Box;
  readonly seen: Seen | undefined;
  /** Its name and its main attribute, with what is known of what they name. */
  readonly title: string;
  readonly caption: string;
  readonly chosen: boolean;
  readonly first: boolean;
  readonly isOpen: boolean;
  readonly isPaused: boolean;
  /** Of a tree that is being edited: whether it was added, is gone, or was changed. */
  readonly mark: EditMark;
  /** Of a definition: how many of its workflows are there; null: none, or nobody asked. */
  readonly heat: Heat | null;
  readonly clock: number | null;
  /** From afar: a container without containers in it is a block with a bar of its states. */
  readonly isBlock: boolean;
  /** Far from what is in sight only its border is drawn; its name is there in any case. */
  readonly isWhole: boolean;
  /** Looked up when something is done: it may be another one then. */
  readonly acts: { readonly current: BoxActs };
};
/** Chooses a place, or one of its expressions. */
type Select = (place: Place, expression?: string) => void;
/** Opens what is known of a place in the inspector. */
type Look = (place: Place, tab: Pin['tab']) => void;

/** Whether a box shows the same with either. Of the clock it only matters whether it runs, where nothing is counted to it. */
export const showsSame = (a: BoxProps, b: BoxProps): boolean =>
  a.box === b.box &&
  a.title === b.title &&
  a.caption === b.caption &&
  a.chosen === b.chosen &&
  a.first === b.first &&
  a.isOpen === b.isOpen &&
  a.isPaused === b.isPaused &&
  a.mark === b.mark &&
  a.isBlock === b.isBlock &&
  a.isWhole === b.isWhole &&
  (a.clock === b.clock || (a.clock !== null && b.clock !== null && !(a.isWhole && isCounting(a.seen)))) &&
  same(a.heat, b.heat) &&
  same(a.seen, b.seen);
const isCounting = (seen: Seen | undefined): boolean =>
  seen !== undefined && (seen.workitems.length > 0 || seen.timers.length > 0);

/** Values within values that are compared: a state has fewer. */
const SAME_DEPTH_MAX = 6;
/** Whether two values say the same, as far as a box is concerned. */
function same(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > SAME_DEPTH_MAX)
    return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one, i) => same(one, b[i], depth + 1));
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => same((a as Keyed)[key], (b as Keyed)[key], depth + 1))
  );
}
type Keyed = { readonly [key: string]: unknown };

export function BoxView({
  box,
  seen,
  title,
  caption,
  chosen,
  first,
  acts,
  isOpen,
  isPaused,
  mark,
  heat,
  clock,
  isBlock,
  isWhole,
}: BoxProps) {
  const { place, folded } = box;
  const select: Select = (one, expression) => acts.current.select(box, one, expression);
  const look: Look = (one, tab) => acts.current.look(box, one, tab);
  const compare = (id: string): void => acts.current.compare(box, id);
  const toggle = (one: Place): void => acts.current.toggle(box, one);
  const state = shownState(box, seen);
  const isLeaf = place.children.length === 0 || folded;
  const isCard = folded && place.kind !== 'call';
  const kind = place.kind === 'small' ? 'small-step' : isLeaf ? 'leaf' : 'box';
  const pins = seen === undefined ? [] : pinsOf(seen, clock, place);
  // What is to come has nothing to tell yet but its task: then that has a line of its own.
  const isTold = kind !== 'leaf' || isCard || pins.length > 0 || !(state === 'to come' || state === 'skipped');
  const isHeld = seen !== undefined && (seen.isHeld || (isPaused && seen.live.length > 0));
  const label =
    mark === ''
      ? labelOf(place, title, caption, state, pins, marksOf(seen, isHeld, isWhole ? null : heat))
      : `${visible(place.title)}, ${EDITS[mark]}`;
  return (
    <div
      class={`place ${kind} ${LOOKS[state]}${chosen ? ' chosen' : ''}${kind === 'box' && box.depth % 2 === 1 ? ' deep' : ''}${isHeld ? ' held' : ''}${mark === '' ? '' : ` edited ${EDITS[mark]}`}${heat === null ? '' : heat.failed > 0 ? ' failed' : ' live'}`}
      style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }}
    >
      <button
        type="button"
        class="head"
        data-expid={place.expid}
        tabIndex={first ? 0 : -1}
        aria-pressed={chosen}
        aria-label={isWhole ? undefined : label}
        onClick={() => select(place)}
        onDblClick={() => isFoldable(place) && toggle(place)}
      >
        {isWhole && (
          <>
            {mark === '' ? (
              Glyph({ name: state, isPerson: place.isParticipant && kind === 'leaf' })
            ) : (
              <>
                <span class="edit-mark">{mark}</span>
                {place.isParticipant && kind === 'leaf' && Glyph({ name: 'person', size: 13 })}
              </>
            )}
            <b>
              <bdi title={title === place.title ? undefined : visible(place.title)}>{visible(title)}</bdi>
            </b>
            {seen?.isChanged && <span title="It runs another tree than the definition's">✎</span>}
            {heat !== null && <HeatChips of={heat} />}
            <span class="caption" title={caption === place.caption ? undefined : visible(place.caption)}>
              {isTold && <bdi>{visible(caption)}</bdi>}
            </span>
            {kind === 'box' && place.tags.length > 0 && (
              <span class="tags">
                {place.tags.slice(0, TAGS_SHOWN).map((tag) => (
                  <span class="tag" key={tag}>
                    <bdi>{visible(tag)}</bdi>
                  </span>
                ))}
              </span>
            )}
            {kind === 'box' && !isCrowd(place) && seen !== undefined && <Inside place={place} seen={seen} />}
            <span class="unseen">{label}</span>
          </>
        )}
      </button>
      {kind === 'leaf' && isWhole && (
        <span class="second">
          {isCard ? (
            <FoldedWords place={place} seen={seen} />
          ) : pins.length > 0 ? (
            <>
              {pins.slice(0, PINS_SHOWN).map((pin, i) => (
                <button
                  type="button"
                  class="pin-button"
                  key={`${pin.glyph} ${i}`}
                  tabIndex={first ? 0 : -1}
                  onClick={() => look(place, pin.tab)}
                >
                  <span class={`pin ${pin.isFull ? 'full' : ''}`}>
                    <Glyph name={pin.glyph} size={10} />
                    {pin.counted === null ? (
                      <bdi>{visible(pin.text)}</bdi>
                    ) : (
                      <span
                        class="counted"
                        data-since={'since' in pin.counted ? pin.counted.since : undefined}
                        data-until={'until' in pin.counted ? pin.counted.until : undefined}
                      >
                        {countedText(pin.counted, now.peek())}
                      </span>
                    )}
                    {pin.counted !== null && pin.text !== '' && <bdi> {visible(pin.text)}</bdi>}
                  </span>
                  <span class="unseen">, {visible(`${pin.words}: look at ${PAGES[pin.tab]} of ${place.title}`)}</span>
                </button>
              ))}
              {pins.length > PINS_SHOWN && <span class="pin">+{pins.length - PINS_SHOWN}</span>}
            </>
          ) : place.kind === 'call' && seen !== undefined && countOf(seen.inside) > 0 ? (
            <span>
              <CountWords counts={seen.inside} /> inside
            </span>
          ) : isTold ? (
            <Second place={place} state={state} seen={seen} />
          ) : (
            <bdi>{visible(caption || place.tags.join(' · '))}</bdi>
          )}
        </span>
      )}
      {isCrowd(place) && kind === 'box' && seen !== undefined && (
        <Crowd box={box} seen={seen} select={select} compare={compare} />
      )}
      {place.kind === 'loop' && kind === 'box' && seen !== undefined && <Strip box={box} seen={seen} select={select} />}
      {isBlock && kind === 'box' && seen !== undefined && <StateBar counts={seen.inside} />}
      {isWhole && isLeaf && seen !== undefined && <Flag place={place} seen={seen} first={first} look={look} />}
      {seen?.isStop && (
        <span class="flag stop" title="Whatever comes here is paused">
          ‖
        </span>
      )}
      {isWhole && isHeld && isLeaf && (
        <span class="held-mark" aria-hidden="true">
          ‖
        </span>
      )}
      {isFoldable(place) && (
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

/** Seen from afar: what there is to know of it, the worst first. */
function Flag({
  place,
  seen: { failures, workitems, timers },
  first,
  look,
}: {
  readonly place: Place;
  readonly seen: Seen;
  readonly first: boolean;
  readonly look: Look;
}) {
  const [sign, words, tab, isBad]: readonly [ComponentChildren, string, Pin['tab'], boolean] =
    failures.length > 0
      ? ['!', 'it failed', 'what', true]
      : workitems.length > 0
        ? [workitems.length, `${countText(workitems.length)} asked`, 'fields', false]
        : timers.length > 0
          ? [<Glyph key="timer" name="waits" size={13} />, 'a timer', 'what', false]
          : [null, '', 'what', false];
  if (sign === null) return null;
  return (
    <button type="button" class="flag-button" tabIndex={first ? 0 : -1} onClick={() => look(place, tab)}>
      <span class={`flag ${isBad ? 'bad' : ''}`}>{sign}</span>
      <span class="unseen"> {visible(`${words}: look at ${PAGES[tab]} of ${place.title}`)}</span>
    </button>
  );
}

/** Words for the pages of the inspector. */
const PAGES: { readonly [tab in Pin['tab']]: string } = {
  what: 'what is known',
  fields: 'the fields',
  tries: 'the tries',
};
/** Tags in the head of a container. */
const TAGS_SHOWN = 3;

export const shownState = ({ folded, place }: Pick<Box, 'folded' | 'place'>, seen: Seen | undefined): PlaceState =>
  seen === undefined
    ? 'to come'
    : folded || (place.kind === 'call' && place.children.length === 0)
      ? withInside(seen)
      : seen.state;

const HeatChips = ({ of: { live, failed } }: { readonly of: Heat }) => (
  <>
    {live > 0 && (
      <span class="pin">
        <Glyph name="live" size={10} /> {countText(live)}
        <span class="unseen"> live</span>
      </span>
    )}
    {failed > 0 && (
      <span class="pin">
        <Glyph name="failed" size={10} /> {countText(failed)}
        <span class="unseen"> failed</span>
      </span>
    )}
  </>
);

/** What is said of a box beside its state. */
const marksOf = (seen: Seen | undefined, isHeld: boolean, heat: Heat | null): readonly string[] => [
  ...(heat !== null && heat.live > 0 ? [`${countText(heat.live)} live`] : []),
  ...(heat !== null && heat.failed > 0 ? [`${countText(heat.failed)} failed`] : []),
  ...(isHeld ? ['paused'] : []),
  ...(seen?.isStop ? ['a stop'] : []),
  ...(seen?.isChanged ? ['another tree'] : []),
];

/** Chips of one leaf; the others are counted. */
const PINS_SHOWN = 3;

const labelOf = (
  place: Place,
  title: string,
  caption: string,
  state: PlaceState,
  pins: readonly Pin[],
  marks: readonly string[],
): string =>
  [
    ...[title, caption, state, ...marks, ...pins.map(({ words }) => words)],
    ...place.handlers.map(([name, text]) => `${name.replaceAll('_', ' ')} ${text}`),
  ]
    .filter((one) => one !== '')
    .map(visible)
    .join(', ');

function FoldedWords({ place, seen }: { readonly place: Place; readonly seen: Seen | undefined }) {
  return (
    <span>
      {countText(place.below)} inside
      {seen !== undefined && <CountWords counts={seen.inside} before=" · " />}
    </span>
  );
}

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
        {Glyph({ name: 'done', size: 10 })}{' '}
        {momentText(Date.parse(seen.ended.end.at), today.value, zone.value, hours.value)} · took{' '}
        {spanText(Date.parse(seen.ended.end.at) - Date.parse(seen.ended.at))}
        {seen.done > 1 && seen.branches === 0 ? ` · ${seen.done} times` : ''}
      </span>
    );
  if (state === 'cancelled' && seen?.ended?.end)
    return <span>cancelled {momentText(Date.parse(seen.ended.end.at), today.value, zone.value, hours.value)}</span>;
  if (seen !== undefined && seen.before > 0) return <span>before: {seen.before} times</span>;
  return <bdi class="dim">{place.tags.map(visible).join(' · ')}</bdi>;
}

/** How many there are in a state: its glyph is drawn, for fonts lack some, and its word is for who does not see it. */
const Signed = ({ state, count }: { readonly state: PlaceState; readonly count: number }) => (
  <span class={`signed ${state === 'failed' ? 'bad' : ''}`}>
    {Glyph({ name: state, size: 10 })}
    {countText(count)}
    <span class="unseen"> {state}</span>
  </span>
);

const countOf = ({ live, waits, failed, done }: Counts): number => live + waits + failed + done;

function CountWords({ counts, before = '' }: { readonly counts: Counts; readonly before?: string }) {
  const { failed, waits, live, done } = counts;
  const parts = [
    failed > 0 && <Signed state="failed" count={failed} />,
    waits > 0 && <Signed state="waits" count={waits} />,
    failed + waits + done === 0 && live > 0 && <Signed state="live" count={live} />,
    done > 0 && <Signed state="done" count={done} />,
  ].filter((one) => one !== false);
  return (
    <>
      {parts.map((one, i) => (
        <>
          {i === 0 ? before : ' · '}
          {one}
        </>
      ))}
    </>
  );
}

function Inside({ place, seen }: { readonly place: Place; readonly seen: Seen }) {
  const progress = seen.live[0]?.progress ?? null;
  if (place.kind === 'fork' && seen.live.length > 0) {
    const of = progress?.of ?? place.children.length;
    return (
      <span class="inside dim">
        {progress?.done ?? 0} of {of} have replied
      </span>
    );
  }
  if (seen.live.length === 0 && seen.inside.failed + seen.inside.waits === 0) return null;
  return (
    <span class="inside dim">
      <CountWords counts={seen.inside} /> inside
    </span>
  );
}

/** One thing that is known of a live place: its sign, what is said of it, and the words for who does not see the sign. */
export type Pin = {
  readonly glyph: string;
  readonly text: string;
  readonly words: string;
  /** Where the inspector tells more of it. */
  readonly tab: 'what' | 'fields' | 'tries';
  /** It waits for longer than it should. */
  readonly isFull: boolean;
  /** What is counted by the second before the text; null: nothing is. */
  readonly counted: { readonly since: number } | { readonly until: number } | null;
};

/**
 * What is known of a live place: chips of its second line.
 *
 * @param clock what ages are counted to, in milliseconds since 1970; null: the clock, and they go on by themselves (parts/ages.ts)
 */
export function pinsOf(
  seen: Seen,
  clock: number | null = null,
  place: Pick<Place, 'attributes'> | null = null,
): readonly Pin[] {
  const pins: Pin[] = [];
  const pin = (
    glyph: string,
    text: string,
    words: string,
    more: Partial<Pick<Pin, 'tab' | 'isFull' | 'counted'>> = {},
  ): void => void pins.push({ glyph, text, words, tab: 'what', isFull: false, counted: null, ...more });
  const clockText = (at: string): string => momentText(Date.parse(at), today.value, zone.value, hours.value);
  if (seen.handler !== null) {
    const handler = seen.handler.replaceAll('_', ' ');
    pin('next', handler, `${handler} runs in its place`);
  }
  for (const [name, count] of countsOf(seen.failures.map((one) => one.class))) {
    const text = count === 1 ? name : `${countText(count)} ${name}`;
    pin('failed', text, text);
  }
  const item = seen.workitems[0];
  if (item !== undefined && item.openedAt !== null && seen.failures.length === 0) {
    const since = Date.parse(item.openedAt);
    const words = `asked since ${clockText(item.openedAt)}${item.isOverdue ? ', overdue' : ''}`;
    const { isOverdue: isFull } = item;
    if (clock === null) pin('open', '', words, { tab: 'fields', isFull, counted: { since } });
    else pin('open', spanText(clock - since), words, { tab: 'fields', isFull });
  }
  if (item !== undefined && item.owed !== null && item.tries > 0) {
    const next = item.nextAt === null ? null : clockText(item.nextAt);
    const tries =
      item.triesMax !== null
        ? `${countText(item.tries)} of ${countText(item.triesMax)} tries`
        : item.tries === 1
          ? '1 try'
          : `${countText(item.tries)} tries`;
    pin(
      'next',
      item.triesMax === null
        ? next === null
          ? tries
          : `${countText(item.tries)} · ${next}`
        : `${item.tries}/${item.triesMax}${next === null ? '' : ` · ${next}`}`,
      `${tries}${next === null ? '' : `, next ${next}`}`,
      { tab: 'tries' },
    );
  }
  if (item !== undefined && item.owed === null && item.state === 'failed' && item.tries > 0) {
    const of = item.triesMax === null ? '' : `/${item.triesMax}`;
    const status = item.lastStatus === null ? '' : ` · ${item.lastStatus}`;
    pin(
      'next',
      `${item.tries}${of}${status}`,
      `${countText(item.tries)} tries, the last answered${status.replace(' ·', '') || ' not at all'}`,
      { tab: 'tries' },
    );
  }
  const timer = seen.timers[0];
  if (timer !== undefined) {
    const until = Date.parse(timer.dueAt);
    const others = seen.timers.length > 1 ? `+${seen.timers.length - 1}` : '';
    const words = `timer at ${clockText(timer.dueAt)}`;
    if (clock === null) pin('waits', others, words, { counted: { until } });
    else pin('waits', `${spanText(until - clock)} ${others}`.trim(), words);
  }
  if (seen.live.some((one) => one.state === 'awaiting' || LISTENING.has(one.name))) {
    const event = eventOf(place);
    pin('event', event || 'awaits', event === '' ? 'awaits an event' : `awaits ${event}`);
  }
  if (seen.live.length > 1) pin('live', countText(seen.live.length), `${countText(seen.live.length)} at once`);
  return pins;
}

/** Expressions that wait for something from outside, and the attributes that say for what. */
const LISTENING: ReadonlySet<string> = new Set(['listen', 'receive', 'await']);
const EVENTS = ['await', 'event', 'for', 'to', 'on', 'type'];
function eventOf(place: Pick<Place, 'attributes'> | null): string {
  const named = EVENTS.map((name) => place?.attributes.find(([key]) => key === name)?.[1]);
  const found = named.find((one) => typeof one === 'string');
  return typeof found === 'string' ? found : '';
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Marks of a crowd that are drawn; beyond, one mark stands for several branches, the worst of them. */
const MARKS_MAX = 600;
const ROWS = 4;
const ROW_HEIGHT = 8;
const ALIVE: ReadonlySet<PlaceState> = new Set(['waits', 'live', 'cancelling']);
const FILLS: { readonly [state in PlaceState]?: string } = { done: 'var(--done)', failed: 'var(--failed)' };

/** A field of marks in the order of branches, and which of them the lane below shows. */
function Crowd({
  box,
  seen,
  select,
  compare,
}: {
  readonly box: Box;
  readonly seen: Seen;
  readonly select: Select;
  readonly compare: (id: string) => void;
}) {
  const { marks, shown } = seen;
  const width = box.width - 2 * PADDING - 4;
  const count = (state: PlaceState): number => marks.filter((one) => one.state === state).length;
  const each = Math.max(1, Math.ceil(marks.length / MARKS_MAX));
  const grouped: readonly PlaceState[] =
    each === 1
      ? marks.map((one: Mark) => one.state)
      : Array.from({ length: Math.ceil(marks.length / each) }, (_, i) =>
          worst(marks.slice(i * each, (i + 1) * each).map((one) => one.state)),
        );
  const columns = Math.max(12, Math.ceil(grouped.length / ROWS));
  const size = Math.min(10, width / columns);
  const isWide = box.place.kind === 'wide';
  const lanes = branchesOf(box.place);
  const failed = count('failed');
  const waits = count('waits') + count('live');
  const show = (i: number): void => {
    const at = (i + marks.length) % marks.length;
    const mark = marks[at];
    const lane = isWide ? lanes[at] : lanes.at(-1);
    if (mark !== undefined && lane !== undefined) select(lane, mark.id);
  };
  /** The next mark in the same state as the one that is shown: of failed ones one goes from failed to failed. */
  const step = (by: 1 | -1): void => {
    const state = marks[shown]?.state;
    for (let i = 1; i <= marks.length; i++) {
      const at = (shown + by * i + marks.length * i) % marks.length;
      if (marks[at]?.state === state) {
        show(at);
        return;
      }
    }
  };
  const alike = marks.flatMap((one, i) => (one.state === marks[shown]?.state ? [i] : []));
  const mark = marks[shown];
  return (
    <div
      class="crowd"
      style={{ position: 'absolute', top: `${HEAD}px`, left: 0, right: 0, height: `${COUNTS + FIELD}px` }}
    >
      <span class="crowd-words">
        <span>
          <b>{countText(marks.length)} branches</b> · <Signed state="done" count={count('done')} /> ·{' '}
          <Signed state="waits" count={waits} />
          {failed > 0 && (
            <>
              {' · '}
              <Signed state="failed" count={failed} />
            </>
          )}
        </span>
        {mark !== undefined && marks.length > 1 && (
          <span class="chooser">
            <button type="button" aria-label={`The ${mark.state} branch before`} onClick={() => step(-1)}>
              ‹
            </button>
            <span>
              {Glyph({ name: mark.state, size: 10 })} <span class="unseen">{mark.state} </span>
              {countText(alike.indexOf(shown) + 1)} of {countText(alike.length)}: #{countText(shown + 1)}
              {mark.element !== null && (
                <>
                  , <bdi>{visible(mark.element)}</bdi>
                </>
              )}
            </span>
            <button type="button" aria-label={`The next ${mark.state} branch`} onClick={() => step(1)}>
              ›
            </button>
          </span>
        )}
      </span>
      {/* The same can be chosen by ‹ and ›, and in the list of the inspector. */}
      <svg
        class="marks"
        width={width}
        height={FIELD - 4}
        role="img"
        aria-label={`${marks.length} branches: ${count('done')} done, ${waits} wait, ${failed} failed`}
        onClick={(event) => {
          const at = event.currentTarget.getBoundingClientRect();
          const zoomed = at.width / width;
          const column = Math.floor((event.clientX - at.left) / (size * zoomed));
          const row = Math.floor((event.clientY - at.top) / (ROW_HEIGHT * zoomed));
          const group = row * columns + column;
          if (column >= columns || group >= grouped.length) return;
          const from = group * each;
          const worstAt = marks.slice(from, from + each).findIndex((one) => one.state === grouped[group]);
          const meant = from + Math.max(0, worstAt);
          const mark = marks[meant];
          if (event.shiftKey && mark !== undefined) compare(mark.id);
          else show(meant);
        }}
      >
        {grouped.map((state, i) => {
          const x = (i % columns) * size;
          const y = Math.floor(i / columns) * ROW_HEIGHT;
          const isShown = i === Math.floor(shown / each);
          return (
            <rect
              key={i}
              x={x + 0.5}
              y={y + (state === 'failed' ? 0.5 : 1.5)}
              width={Math.max(1, size - 1.6)}
              height={state === 'failed' ? 7.4 : 5.4}
              fill={FILLS[state] ?? 'none'}
              stroke={
                isShown
                  ? 'var(--words)'
                  : state === 'failed'
                    ? 'var(--panel)'
                    : state === 'done'
                      ? 'none'
                      : ALIVE.has(state)
                        ? 'var(--waits)'
                        : 'var(--line)'
              }
              stroke-width={isShown ? 2 : 1}
            />
          );
        })}
      </svg>
    </div>
  );
}

/** Segments of a strip. */
const SEGMENTS_MAX = 60;

/** How far a loop is: in words, and as a bar. */
function Strip({ box, seen, select }: { readonly box: Box; readonly seen: Seen; readonly select: Select }) {
  const { place } = box;
  const progress = seen.live[0]?.progress ?? null;
  const isOver = seen.live.length === 0;
  const steps = progress?.of ?? null;
  const at = progress?.at ?? null;
  const isElements = place.head === 'iterator';
  const element = isElements ? elementOf(seen) : null;
  // A history whose beginning is folded away knows of fewer.
  const round = Math.max(progress?.round ?? 0, seen.rounds.length);
  const words = isOver
    ? seen.state === 'done'
      ? `${countText(Math.max(1, seen.rounds.length))} ${seen.rounds.length > 1 ? 'rounds' : 'round'}`
      : ''
    : [
        at === null
          ? ''
          : `${isElements ? 'element' : 'step'} ${countText(at + 1)}${steps === null ? '' : ` of ${countText(steps)}`}`,
        element === null ? '' : `${elementName(place)} = ${element}`,
        !isElements && round > 0 && seen.rounds.length < 2 ? `↻ round ${countText(round)}` : '',
      ]
        .filter((one) => one !== '')
        .join(' · ');
  if (words === '')
    return (
      <div class="strip" style={{ position: 'absolute', top: `${HEAD}px`, left: 0, right: 0, height: `${STRIP}px` }}>
        <span class="dim">{isOver && seen.state === 'to come' ? 'not begun yet' : ''}</span>
      </div>
    );
  const failed = seen.inside.failed;
  const segments = steps === null || at === null ? 0 : Math.min(steps, SEGMENTS_MAX);
  return (
    <div class="strip" style={{ position: 'absolute', top: `${HEAD}px`, left: 0, right: 0, height: `${STRIP}px` }}>
      <span class="strip-words" title={visible(words)}>
        <bdi>{visible(words)}</bdi>
        {failed > 0 && (
          <>
            {' · '}
            <Signed state="failed" count={failed} />
          </>
        )}
      </span>
      {seen.rounds.length > 1 && <Rounds place={place} seen={seen} select={select} />}
      {segments > 1 && at !== null && steps !== null && (
        <svg viewBox={`0 0 ${segments} 8`} preserveAspectRatio="none" aria-hidden="true">
          {segmentsOf(seen, at, steps, segments).map((state, i) => (
            // What failed is higher than its row, and so told apart in grey, too.
            <rect
              key={i}
              x={i + 0.08}
              width={0.84}
              y={state === 'failed' ? 0 : 1}
              height={state === 'failed' ? 8 : 6}
              fill={SEGMENTS[state] ?? 'var(--hair)'}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

const SEGMENTS: { readonly [state in PlaceState]?: string } = {
  done: 'var(--done)',
  live: 'var(--live)',
  waits: 'var(--live)',
  failed: 'var(--failed)',
};
/** Which round of a loop the children show: the last, unless another one is chosen. */
function Rounds({
  place,
  seen: { round, rounds },
  select,
}: {
  readonly place: Place;
  readonly seen: Seen;
  readonly select: Select;
}) {
  const isElements = place.head === 'iterator';
  const word = isElements ? 'element' : 'round';
  const first = place.children.find((child) => child.kind !== 'definition') ?? place;
  const go = (to: number): void => {
    const id = rounds[to - 1];
    if (id === undefined) return;
    // The last one is what is shown by itself.
    if (to === rounds.length) select(place);
    else select(first, id);
  };
  return (
    <span class="chooser">
      <button type="button" aria-label={`The ${word} before`} disabled={round <= 1} onClick={() => go(round - 1)}>
        ‹
      </button>
      <span>
        {word} {countText(round)}
        {round < rounds.length ? ` of ${countText(rounds.length)}` : ''}
      </span>
      <button
        type="button"
        aria-label={`The next ${word}`}
        disabled={round >= rounds.length}
        onClick={() => go(round + 1)}
      >
        ›
      </button>
    </span>
  );
}

/** What is inside, from afar. */
function StateBar({ counts }: { readonly counts: Counts }) {
  const parts = [
    [counts.failed, 'var(--failed)'],
    [counts.waits, 'var(--waits)'],
    [counts.live, 'var(--live)'],
    [counts.done, 'var(--done)'],
  ] as const;
  const total = parts.reduce((sum, [count]) => sum + count, 0);
  if (total === 0) return null;
  return (
    <div class="state-bar" aria-hidden="true">
      {parts.map(
        ([count, background]) => count > 0 && <span key={background} style={{ flexGrow: count, background }} />,
      )}
    </div>
  );
}
