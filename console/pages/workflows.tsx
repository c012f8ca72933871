import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { COLUMNS, workflows as codec, USUAL_COLUMNS } from '../address/pages.ts';
import { rangeOf } from '../address/range.ts';
import { apiRoot, go, goQuery, link, query } from '../address/router.ts';
import { call, can, type Problem } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { me } from '../api/session.ts';
import { isPressing, onKey } from '../app/keys.ts';
import { type Last, lastsIn, VIEWS_MAX } from '../app/lasts-model.ts';
import { PageHead } from '../app/page.tsx';
import { keepText, keptText } from '../app/settings.ts';
import { now } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Button } from '../parts/action.tsx';
import { type BatchAction, BatchDialog } from '../parts/batch.tsx';
import { Chip } from '../parts/glyph.tsx';
import { type Column, Complaints, ListState, Table } from '../parts/list.tsx';
import { Menu } from '../parts/menu.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText, visible } from '../parts/texts.ts';
import { say } from '../parts/toast.tsx';
import { objectsOf, STATUSES, type Status, textOf, textOrNull } from '../picture/standing.ts';

/** Rows of one page of the server, and rows in this page at most. */
const LIMIT = 100;
const ROWS_MAX = 1_000;

/** Pages behind the first one, of one question. */
type Further = { readonly of: string; readonly rows: readonly JsonObject[]; readonly next: string | null };
const NONE_FURTHER: Further = { of: '', rows: [], next: null };

/** Rows of the first picture of all: more than a screen shows. The others follow when it has been painted. */
const FIRST_ROWS = 40;
let isFirstPicture = true;

/** Named questions; two of them are answered by other pages. */
const VIEWS: readonly (readonly [string, string])[] = [
  ['All', '/workflows'],
  ['In error', '/workflows?status=error'],
  ['Stuck', '/workflows?status=running&moved=..-1d'],
  ['Overdue', '/worklist?overdue=1'],
  ['Failing callbacks', '/deliveries?state=failing'],
  ['Paused', '/workflows?status=paused'],
  ['Launched this hour', '/workflows?launched=-1h..'],
  ['Ended today', '/workflows?ended=-24h..'],
];

type State = ReturnType<typeof codec.read>['state'];
/** What lies inside can only be looked for from the newest on. */
const isOldestFirst = ({ order, tag, field }: State): boolean => order === 'oldest' && tag === '' && field === '';
/** What the address asks for in the words of the interface: for the list, for the count, and for a batch; and what of it means nothing. */
export function filterOf(
  state: State,
  at: number,
): { readonly filter: JsonObject; readonly complaints: readonly string[] } {
  const filter: { [name: string]: Json } = {};
  const complaints: string[] = [];
  if (state.status.length > 0) filter['status'] = [...state.status];
  for (const name of ['name', 'participant', 'tag'] as const) if (state[name] !== '') filter[name] = state[name];
  if (state.key !== '') filter['business_key'] = state.key;
  if (state.error !== '') filter['error'] = state.error;
  if (/^[0-9a-f]{8,64}$/.test(state.definition)) filter['definition'] = state.definition;
  else if (state.definition !== '')
    complaints.push(
      `definition=${state.definition.slice(0, 80)} is no beginning of a hash (8 letters or more of 0-9 and a-f): ignored`,
    );
  for (const [name, word] of [
    ['launched', 'launched'],
    ['ended', 'ended'],
    ['moved', 'updated'],
  ] as const) {
    if (state[name] === '') continue;
    const range = rangeOf(state[name], at);
    if (range === null)
      complaints.push(
        `${name}=${state[name].slice(0, 80)} is no range, such as -2h.. or 2031-01-01..2031-02-01: ignored`,
      );
    if (range?.from) filter[`${word}_from`] = range.from;
    if (range?.to) filter[`${word}_to`] = range.to;
  }
  const [path = '', ...value] = state.field.split('=');
  if (path !== '' && value.length > 0) filter[`field.${path.trim()}`] = value.join('=').trim();
  else if (state.field !== '')
    complaints.push(`field=${state.field.slice(0, 80)} is not of the kind path=value: ignored`);
  return { filter, complaints };
}

const searchOf = (filter: JsonObject): URLSearchParams =>
  new URLSearchParams(
    Object.entries(filter).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)]),
  );

export function Workflows() {
  const { state, complaints } = codec.read(query.value);
  const found = useMemo(() => filterOf(state, now.peek()), [query.value]);
  const asked = useMemo(() => {
    const search = searchOf(found.filter);
    search.set('limit', String(LIMIT));
    search.set('include', 'turn,error');
    if (isOldestFirst(state)) search.set('order', 'asc');
    if (state.cursor !== '') search.set('cursor', state.cursor);
    return `v1/workflows?${search}`;
  }, [found]);
  // What lies inside cannot be counted without looking into everything.
  const countable = can('GET /v1/workflows/count') && state.tag === '' && state.field === '';
  const counted = useResource(countable ? `v1/workflows/count?${searchOf(found.filter)}` : null);
  const list = useResource(asked);
  // Rows that are shown change in place; those that came since wait until they are asked for.
  const fresh = useResource(asked, 0, false);
  usePolling(() => {
    void fresh.again();
    void counted.again();
  });
  // Further pages are added below, up to a bound; beyond it one goes from page to page.
  const [further, addFurther] = useState<Further>(NONE_FURTHER);
  const [problem, setProblem] = useState<Problem | null>(null);
  const first = rowsOf(list.value.value);
  const shown = further.of === asked ? [...first, ...further.rows] : first;
  const latest = rowsOf(fresh.value.value);
  const byId = new Map(latest.map((one) => [textOf(one['id']), one]));
  const known = new Set(shown.map((one) => textOf(one['id'])));
  const news = list.value.value === undefined ? 0 : latest.filter((one) => !known.has(textOf(one['id']))).length;
  /** A row that no longer matches stays as it was, dimmed, until the next look. */
  const last = latest.at(-1);
  const isLater = (fresh.asOf.value ?? 0) > (list.asOf.value ?? 0);
  const isGone = (row: JsonObject): boolean =>
    isLater &&
    !byId.has(textOf(row['id'])) &&
    first.includes(row) &&
    (latest.length < LIMIT ||
      (state.ended === '' && !isOldestFirst(state) && textOf(row['launched_at']) > textOf(last?.['launched_at'])));
  const [at, setAt] = useState(-1);
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const [everything, selectEverything] = useState(false);
  const [doing, act] = useState<BatchAction | null>(null);
  useEffect(() => {
    // Where nothing was chosen the rows are not rendered once more.
    select((one) => (one.size === 0 ? one : new Set()));
    selectEverything(false);
    setProblem(null);
  }, [asked]);
  const toggle = (id: string): void => {
    selectEverything(false);
    select((one) => (one.has(id) ? new Set([...one].filter((each) => each !== id)) : new Set([...one, id])));
  };
  /** Chooses one; `isRange`: all from the last that was chosen to it. */
  const anchor = useRef(-1);
  const withShift = useRef(false);
  const choose = (id: string, isRange: boolean): void => {
    const i = shown.findIndex((one) => textOf(one['id']) === id);
    const from = anchor.current;
    anchor.current = i;
    if (!isRange || from < 0 || from >= shown.length) {
      toggle(id);
      return;
    }
    selectEverything(false);
    const between = shown.slice(Math.min(from, i), Math.max(from, i) + 1).map((one) => textOf(one['id']));
    select((one) => new Set([...one, ...between]));
  };
  useEffect(() => {
    if (at >= 0) document.querySelector('tr[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  // Keys may follow each other faster than effects do: each means the rows as they were rendered last.
  const keyed = useRef<Parameters<typeof onKey>[0]>(() => false);
  keyed.current = (key, event) => {
    if (key === 'j') setAt((one) => Math.min(one + 1, shown.length - 1));
    else if (key === 'k') setAt((one) => Math.max(one - 1, 0));
    else if ((key === 'x' || key === 'X') && at >= 0) choose(textOf(shown[at]?.['id']), key === 'X');
    else if (key === 'f')
      document.querySelector<HTMLElement>('form[role=search] input, form[role=search] select')?.focus();
    else if (key === 'Enter' && at >= 0 && !isPressing(event)) go(`/workflows/${textOf(shown[at]?.['id'])}`);
    else return false;
    return true;
  };
  useEffect(() => onKey((key, event) => keyed.current(key, event)), []);
  const filtered = codec.write({ ...state, cursor: '', order: 'newest', cols: [] }) !== '';
  const columns = state.cols.length === 0 ? USUAL_COLUMNS : state.cols;
  const next =
    further.of === asked
      ? further.next
      : isObject(list.value.value)
        ? textOrNull(list.value.value['next_cursor'])
        : null;
  const readMore = async (cursor: string): Promise<void> => {
    const search = new URL(asked, apiRoot).searchParams;
    search.set('cursor', cursor);
    const answer = await call(`v1/workflows?${search}`);
    if (!answer.ok) {
      setProblem(answer.problem);
      return;
    }
    setProblem(null);
    const { value } = answer;
    const before = further.of === asked ? further.rows : [];
    addFurther({
      of: asked,
      rows: [...before, ...rowsOf(value)],
      next: isObject(value) ? textOrNull(value['next_cursor']) : null,
    });
  };
  // A tag or a field lies inside: workflows are looked into one by one, and not all of them at once.
  const lookedBackTo = countable || !isObject(list.value.value) ? null : textOrNull(list.value.value['looked_back_to']);
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));
  const views = useViews();

  const [isWhole, setWhole] = useState(!isFirstPicture);
  useEffect(() => {
    if (isWhole || list.value.value === undefined) return;
    return afterFrames(2, () => {
      isFirstPicture = false;
      setWhole(true);
    });
  }, [isWhole, list.value.value === undefined]);
  // Counts, freshness and what is typed above are painted anew without the rows. Cells are called: a hundred rows are a thousand components less.
  const rows = useMemo(
    () => (
      <Table
        rows={(isWhole ? shown : shown.slice(0, FIRST_ROWS)).map((row) => byId.get(textOf(row['id'])) ?? row)}
        keyOf={(one) => textOf(one['id'])}
        isChosen={(_, i) => i === at}
        isDim={isGone}
        columns={[
          {
            title: 'Choose',
            head: (
              <input
                type="checkbox"
                aria-label="Choose all that are shown"
                checked={everything || (shown.length > 0 && shown.every((one) => selected.has(textOf(one['id']))))}
                onChange={(event) => {
                  selectEverything(false);
                  select(new Set(event.currentTarget.checked ? shown.map((one) => textOf(one['id'])) : []));
                }}
              />
            ),
            cell: (one) => (
              <input
                type="checkbox"
                aria-label={`Select ${visible(textOf(one['name']))} ${textOf(one['id'])}`}
                checked={everything || selected.has(textOf(one['id']))}
                onClick={(event) => {
                  withShift.current = event.shiftKey;
                }}
                onChange={() => choose(textOf(one['id']), withShift.current)}
              />
            ),
          },
          {
            title: 'Status',
            cell: (one) =>
              isGone(one) ? <span class="small">no longer matches</span> : Chip({ state: textOf(one['status']) }),
          },
          {
            title: 'Workflow',
            cell: (one) => WorkflowLink({ id: textOf(one['id']), name: textOrNull(one['name']) }),
          },
          ...COLUMNS.filter((name) => columns.includes(name)).map((name) => OPTIONAL[name]),
        ]}
      />
    ),
    [list.value.value, fresh.value.value, isLater, further, asked, at, selected, everything, columns.join(), isWhole],
  );

  return (
    <>
      <PageHead title="Workflows">
        <a class="button primary" href={link('/workflows/new')}>
          Launch…
        </a>
      </PageHead>
      <Complaints of={[...complaints, ...found.complaints]} />
      <nav class="row" aria-label="Views">
        {[...VIEWS, ...views.kept.map(({ word, to }) => [word, to] as const)].map(([word, to]) => (
          <a
            key={word}
            class="button tiny"
            href={link(to)}
            aria-current={to === `/workflows${query.value === '' ? '' : `?${query.value}`}` ? 'true' : undefined}
          >
            <Text text={word} />
          </a>
        ))}
        <KeepView views={views} filtered={filtered} />
      </nav>
      <Filters state={state} set={set} />
      <div class="row apart small dim">
        <p aria-live="polite">
          {list.value.value === undefined
            ? 'Looking…'
            : `${countOf(counted.value.value) ?? `${shown.length}${next === null ? '' : '+'}`} match · ${ORDERS[state.ended === '' ? 'launched' : 'ended'][isOldestFirst(state) ? 1 : 0]} first · as of `}
          {list.asOf.value !== null && <Time at={new Date(list.asOf.value).toISOString()} how="time" />}
        </p>
        <div class="row">
          <Button
            look="tiny"
            why={state.tag === '' && state.field === '' ? null : 'tags and fields are looked for from the newest on'}
            onPress={() => set({ order: state.order === 'newest' ? 'oldest' : 'newest' })}
          >
            {isOldestFirst(state) ? 'Oldest first' : 'Newest first'}
          </Button>
          <ColumnChooser shown={columns} set={(cols) => goQuery(codec.write({ ...state, cols }), 'replace')} />
          {news > 0 && (
            <Button
              look="tiny"
              onPress={() => {
                addFurther(NONE_FURTHER);
                void list.again();
              }}
            >
              ▲ {news} new: show
            </Button>
          )}
        </div>
      </div>
      <Selected
        count={everything ? null : selected.size}
        all={shown.length > 0 && next !== null}
        chooseAll={() => selectEverything(true)}
        drop={() => {
          select(new Set());
          selectEverything(false);
        }}
        act={act}
      />
      {doing !== null && (
        <BatchDialog
          action={doing}
          of={
            everything
              ? { filter: Object.keys(found.filter).length === 0 ? { all: true } : found.filter }
              : { ids: [...selected] }
          }
          close={() => act(null)}
        />
      )}
      <ListState list={list} count={shown.length} empty={filtered ? <NoneMatch /> : <NoneYet />} />
      {rows}
      {lookedBackTo !== null && (
        <p class="row small dim" role="status">
          <span>
            Looked into workflows back to <Time at={lookedBackTo} how="both" />, found {countText(shown.length)}.
          </span>
          {next !== null && (
            <Button look="tiny" onPress={() => set({ cursor: next })}>
              Look further
            </Button>
          )}
        </p>
      )}
      {problem !== null && <ProblemNote problem={problem} />}
      {(next !== null || state.cursor !== '') && (
        <nav class="row" aria-label="More">
          {state.cursor !== '' && <Button onPress={() => set({})}>Newest</Button>}
          {next !== null && lookedBackTo === null && shown.length < ROWS_MAX && (
            <Button onPress={() => void readMore(next)}>More</Button>
          )}
          {next !== null && lookedBackTo === null && shown.length >= ROWS_MAX && (
            <Button onPress={() => set({ cursor: next })}>Older</Button>
          )}
        </nav>
      )}
    </>
  );
}

/** Calls when so many frames were painted. @returns takes it back */
function afterFrames(count: number, call: () => void): () => void {
  let left = count;
  let frame = requestAnimationFrame(function next() {
    left -= 1;
    if (left > 0) frame = requestAnimationFrame(next);
    else call();
  });
  return () => cancelAnimationFrame(frame);
}

type Views = { readonly kept: readonly Last[]; keep(views: readonly Last[]): void };
function useViews(): Views {
  const [, changed] = useState(0);
  return {
    // They are those of whoever is signed in now.
    kept: me.value === null ? [] : lastsIn(keptText('views'), VIEWS_MAX),
    keep(views) {
      keepText('views', JSON.stringify(views));
      changed((count) => count + 1);
    },
  };
}

/** Gives the question that is asked a name, on this device; or forgets the name it has. */
function KeepView({ views: { kept, keep }, filtered }: { readonly views: Views; readonly filtered: boolean }) {
  const [naming, name] = useState<string | null>(null);
  const here = `/workflows?${query.value}`;
  const known = kept.find(({ to }) => to === here);
  if (known !== undefined)
    return (
      <Button
        look="tiny"
        onPress={() => {
          keep(kept.filter((one) => one !== known));
          say({ words: `The view ${known.word} is forgotten`, undo: () => keep(kept) });
        }}
      >
        Forget this view
      </Button>
    );
  if (!filtered) return null;
  if (naming === null)
    return (
      <Button
        look="tiny"
        why={kept.length < VIEWS_MAX ? null : `${VIEWS_MAX} views are kept already: forget one first`}
        onPress={() => name('')}
      >
        Keep as a view…
      </Button>
    );
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        if (naming.trim() !== '') keep([...kept, { word: naming.trim(), to: here }]);
        name(null);
      }}
    >
      <label class="row">
        <span class="unseen">Name of the view</span>
        <input maxLength={60} value={naming} onInput={(event) => name(event.currentTarget.value)} />
      </label>
      <Button type="submit" look="tiny">
        Keep
      </Button>
    </form>
  );
}

const ORDERS = { launched: ['newest', 'oldest'], ended: ['ended last', 'ended first'] } as const;

const DASH = <span class="dim">–</span>;

/** Columns that can be left out. */
const OPTIONAL: { readonly [name in (typeof COLUMNS)[number]]: Column<JsonObject> } = {
  turn: { title: 'Whose turn', cell: (one) => Turn({ of: one['turn'] }) },
  launched: { title: 'Launched', cell: (one) => Time({ at: textOrNull(one['launched_at']) }) },
  moved: { title: 'Moved', cell: (one) => Time({ at: textOrNull(one['updated_at']) }) },
  ended: {
    title: 'Ended',
    cell: (one) => (one['ended_at'] ? Time({ at: textOrNull(one['ended_at']) }) : DASH),
  },
  error: {
    title: 'Error',
    cell: (one) => (isObject(one['error']) ? Chip({ state: 'failed', word: textOf(one['error']['class']) }) : DASH),
  },
  key: {
    title: 'Key',
    cell: (one) => (one['business_key'] ? Text({ text: textOf(one['business_key']) }) : DASH),
  },
  definition: {
    title: 'Definition',
    cell: (one) =>
      isObject(one['definition']) ? (
        <a
          href={link(
            `/definitions/${textOf(one['definition']['name'])}?version=${String(one['definition']['version'])}`,
          )}
        >
          <Text text={`${textOf(one['definition']['name'])}@${String(one['definition']['version'])}`} />
        </a>
      ) : (
        <span class="mono small">{textOf(one['definition_hash']).slice(0, 8)}</span>
      ),
  },
};

function ColumnChooser({
  shown,
  set,
}: {
  readonly shown: readonly (typeof COLUMNS)[number][];
  readonly set: (columns: readonly (typeof COLUMNS)[number][]) => void;
}) {
  return (
    <Menu label="Columns" sign="Columns ▾">
      {COLUMNS.map((name) => (
        <label class="row" key={name}>
          <input
            type="checkbox"
            checked={shown.includes(name)}
            onChange={() => {
              const next = COLUMNS.filter((one) => (one === name ? !shown.includes(one) : shown.includes(one)));
              // Without any it would be the usual ones again.
              if (next.length > 0) set(next.join() === USUAL_COLUMNS.join() ? [] : next);
            }}
          />
          {OPTIONAL[name].title}
        </label>
      ))}
    </Menu>
  );
}

/** Names that are shown of those whose turn it is. */
const TURNS_MAX = 2;

function Turn({ of }: { readonly of: Json | undefined }) {
  const names = Array.isArray(of) ? (of as readonly Json[]).map(String) : [];
  if (names.length === 0) return <span class="dim">–</span>;
  return (
    <span title={visible(names.join(', '))}>
      {Text({ text: names.slice(0, TURNS_MAX).join(', ') })}
      {names.length > TURNS_MAX && <span class="dim"> +{names.length - TURNS_MAX}</span>}
    </span>
  );
}

const ACTIONS: readonly BatchAction[] = ['pause', 'resume', 'cancel', 'kill', 'replay', 'redeliver'];

/** What was chosen, and what can be done to all of it at once. `count` null: all that match, as the server counts them. */
function Selected({
  count,
  all,
  chooseAll,
  drop,
  act,
}: {
  readonly count: number | null;
  readonly all: boolean;
  readonly chooseAll: () => void;
  readonly drop: () => void;
  readonly act: (action: BatchAction) => void;
}) {
  if (count === 0) return null;
  return (
    <div class="panel row" role="group" aria-label="What was chosen">
      <b>{count === null ? 'All that match' : `${countText(count)} chosen`}</b>
      {ACTIONS.map((action) => (
        <Button
          key={action}
          look={action === 'kill' || action === 'cancel' ? 'tiny danger' : 'tiny'}
          needs="operate"
          why={can('POST /v1/batches') ? null : 'this server has no batches'}
          onPress={() => act(action)}
        >
          {action.charAt(0).toUpperCase() + action.slice(1)}…
        </Button>
      ))}
      {all && count !== null && (
        <Button look="tiny" onPress={chooseAll}>
          All that match instead
        </Button>
      )}
      <Button look="tiny" onPress={drop}>
        Choose none
      </Button>
    </div>
  );
}

/** `12`, or `10,000+`; null while it is not known. */
function countOf(value: Json | undefined): string | null {
  if (!isObject(value)) return null;
  return value['count'] === undefined ? `${countText(Number(value['at_least']))}+` : countText(Number(value['count']));
}

const rowsOf = (value: unknown): readonly JsonObject[] => (isObject(value) ? objectsOf(value['workflows']) : []);

const WRITTEN = [
  ['name', 'Name', ''],
  ['participant', 'Whose turn', ''],
  ['tag', 'Tag', ''],
  ['key', 'Business key', ''],
  ['launched', 'Launched', '-2h.. or 2031-01-01..'],
  ['ended', 'Ended', '-1d..'],
  ['moved', 'Moved', '..-1d'],
  ['field', 'Field', 'order_id=17'],
  ['definition', 'Definition (hash)', '0f3a91c2'],
  ['error', 'Error class', 'RetriesExceeded'],
] as const;

function Filters({ state, set }: { readonly state: State; readonly set: (change: Partial<State>) => void }) {
  const [typed, type] = useState<State>(state);
  useEffect(() => type(state), [query.value]);
  const active = WRITTEN.filter(([name]) => state[name] !== '');
  const field = ([name, title, hint]: (typeof WRITTEN)[number]) => (
    <label class="field" key={name}>
      <span class="label">{title}</span>
      <input
        value={typed[name]}
        placeholder={hint}
        onInput={(event) => type({ ...typed, [name]: event.currentTarget.value })}
      />
    </label>
  );
  // The others are wanted less often: they stay open while one of them is used.
  const [isOpen, open] = useState(() => active.some(([name]) => !ALWAYS.has(name)));
  // On a telephone they would push the rows off the screen.
  const [isWide] = useState(() => !window.matchMedia('(max-width: 640px)').matches);
  const inSight = isWide || isOpen;
  return (
    <form
      class="panel stack"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        set(Object.fromEntries(WRITTEN.map(([name]) => [name, typed[name].trim()])));
      }}
    >
      <div class="filter-row">
        {inSight && (
          <label class="field">
            <span class="label">Status</span>
            <select
              value=""
              onChange={(event) => {
                const chosen = event.currentTarget.value as Status;
                set({ status: [...state.status.filter((one) => one !== chosen), chosen] });
              }}
            >
              <option value="">{state.status.length === 0 ? 'any' : 'add one…'}</option>
              {STATUSES.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
        {inSight && WRITTEN.filter(([name]) => ALWAYS.has(name)).map(field)}
        <div class="row">
          {inSight && <Button type="submit">Filter</Button>}
          <Button pressed={isOpen} onPress={() => open(!isOpen)}>
            {isOpen ? 'Fewer filters' : isWide ? 'More filters' : 'Filters'}
          </Button>
        </div>
      </div>
      {isOpen && <div class="filters">{WRITTEN.filter(([name]) => !ALWAYS.has(name)).map(field)}</div>}
      {(state.status.length > 0 || active.length > 0) && (
        <div class="row">
          {state.status.map((one) => (
            <FilterChip
              key={one}
              word={`status: ${one}`}
              drop={() => set({ status: state.status.filter((s) => s !== one) })}
            />
          ))}
          {active.map(([name, title]) => (
            <FilterChip key={name} word={`${title.toLowerCase()}: ${state[name]}`} drop={() => set({ [name]: '' })} />
          ))}
          <a class="small" href={link('/workflows')}>
            Drop all
          </a>
        </div>
      )}
    </form>
  );
}
/** Filters that are always in sight. */
const ALWAYS: ReadonlySet<string> = new Set(['name', 'participant', 'launched']);

const FilterChip = ({ word, drop }: { readonly word: string; readonly drop: () => void }) => (
  <span class="chip">
    <Text text={word} />
    <button type="button" aria-label={`Without ${visible(word)}`} onClick={drop}>
      ×
    </button>
  </span>
);

const firstCurl = (): string =>
  curlOf('POST', new URL('v1/workflows', apiRoot).href, {
    workflow: "define hello\n  alice task: 'say hello'",
    callback: 'http://localhost:1234/alice',
  });

const NoneMatch = () => (
  <Empty title="No workflow matches">
    <p class="dim">Drop one of the filters above.</p>
    <a class="button" href={link('/workflows')}>
      Show all
    </a>
  </Empty>
);

const NoneYet = () => (
  <Empty title="No workflow yet">
    <p class="dim">Launch one here, or with curl:</p>
    <pre class="block">{firstCurl()}</pre>
    <a class="button primary" href={link('/workflows/new')}>
      Launch…
    </a>
  </Empty>
);
