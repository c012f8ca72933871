import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../../src/model/json.ts';
import { workflow as codec, VIEWS } from '../../address/pages.ts';
import { decoded, goQuery, link, path, query } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { onKey } from '../../app/keys.ts';
import { PageHead } from '../../app/page.tsx';
import { pageCommands, paletteOpen } from '../../app/palette-state.ts';
import { printing } from '../../app/printing.ts';
import { useResource } from '../../live/resource.ts';
import { Button } from '../../parts/action.tsx';
import { Chip } from '../../parts/glyph.tsx';
import { JsonView } from '../../parts/json.tsx';
import { later } from '../../parts/later.tsx';
import { Empty, ProblemNote } from '../../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../../parts/said.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { placeOfChosen, shownAs } from '../../picture/bodies.ts';
import { everyPlace, figureOf, grafted, type Place, placeAt } from '../../picture/figure.ts';
import { sentenceOf } from '../../picture/sentence.ts';
import { expidIn, isForeignRoot, isOver, objectsOf, standingOf, textOf, textOrNull } from '../../picture/standing.ts';
import { type Seen, statesOf } from '../../picture/states.ts';
import { Actions } from './actions.tsx';
import { useBodies } from './bodies.ts';
import { HISTORY_BY_ITSELF_MAX, HISTORY_MAX, useWorkflow } from './data.ts';
import { Diagram, DiagramTools, LANES_MAX, type SideBySide } from './diagram.tsx';
import { Inspector } from './inspector.tsx';
import { OtherTries } from './other-tries.tsx';
import { Printed } from './printed.tsx';
import { Scrubber } from './scrubber.tsx';

// What a page shows first is its picture; each of these comes with its tab.
const BpmnDiagram = later(() => import('./bpmn.tsx').then((part) => part.BpmnDiagram));
const FieldsView = later(() => import('./fields.tsx').then((part) => part.FieldsView));
const History = later(() => import('./history.tsx').then((part) => part.History));
const Outline = later(() => import('./outline.tsx').then((part) => part.Outline));
const Timeline = later(() => import('./timeline.tsx').then((part) => part.Timeline));
const LATER: ReadonlyMap<string, { readonly fetch: () => Promise<unknown> }> = new Map(
  Object.entries({ fields: FieldsView, history: History, outline: Outline, timeline: Timeline }),
);

/** What is shown: the picture where nothing else is asked for and there is room for one. */
const viewOf = (asked: State['view'], isNarrow: boolean): Exclude<State['view'], ''> =>
  asked === '' ? (isNarrow ? 'outline' : 'diagram') : asked;

/** The page, with the part that the address asks for: what is there already moves by nothing that comes later. */
export async function openWorkflow(): Promise<typeof Workflow> {
  // Where it cannot be had the page says so in its place.
  await LATER.get(viewOf(codec.read(query.value).state.view, narrowQuery().matches))
    ?.fetch()
    .catch(() => {});
  return Workflow;
}

export type State = ReturnType<typeof codec.read>['state'];

export function Workflow() {
  const id = decoded(path.value.split('/')[2] ?? '');
  const data = useWorkflow(id);
  const { state, complaints } = codec.read(query.value);
  const shown = data.shown.value;
  const set = (change: Partial<State>, how: 'push' | 'replace' = 'push'): void =>
    goQuery(codec.write({ ...codec.read(query.value).state, ...change }), how);

  // An answer that came anew has the same tree most of the time: then the figure stays the same, too.
  const trees = useMemo(() => JSON.stringify([shown?.['tree'], shown === null ? [] : otherTrees(shown)]), [shown]);
  const plain = useMemo(
    () => (shown === null ? null : figureOf(grafted(shown['tree'] ?? null, otherTrees(shown)))),
    [trees],
  );
  const last = data.entries.value;
  const at = state.at !== null && state.at < last ? Math.max(1, state.at) : null;
  // Half of a history would tell that half of the branches were never begun.
  const past = last > 0 && (at !== null || data.settled.value || data.cut.value) ? data.chronicle : null;
  const standing = useMemo(
    () => (at !== null ? data.chronicle.at(at) : shown === null ? null : standingOf(shown)),
    [shown, at, at === null ? 0 : last],
  );
  const figure = useBodies(plain, state, standing, id);
  const seen = useMemo(
    () => (figure === null || standing === null ? new Map() : statesOf(figure, standing, past, state.sel)),
    [figure, standing, last, past, state.sel],
  );
  const lanes = useMemo(
    () =>
      figure === null || standing === null
        ? null
        : sideBySide(seen, state.lanes, (id) => statesOf(figure, standing, past, id)),
    [figure, standing, last, past, state.lanes.join(), seen],
  );
  const children = useMemo(
    () =>
      data.chronicle.entries.flatMap((entry) =>
        entry.kind === 'definition.launched' && textOf(entry['launched']) !== '' ? [textOf(entry['launched'])] : [],
      ),
    [last],
  );
  const [editing, edit] = useState(0);
  const isNarrow = useNarrow();
  const view = viewOf(state.view, isNarrow);
  useEffect(() => {
    pageCommands.value =
      figure === null
        ? []
        : [...everyPlace(figure)].slice(0, 500).map((place) => ({
            word: `${place.title} ${place.expid}`,
            hint: 'place',
            run: () => set({ sel: place.expid }),
          }));
    return () => {
      pageCommands.value = [];
    };
  }, [figure]);
  useEffect(
    () =>
      onKey((key) => {
        const view = ({ d: 'diagram', o: 'outline', t: 'timeline', h: 'history' } as const)[key];
        if (view !== undefined) set({ view });
        else if (key === '[')
          set({ at: Math.max(1, (codec.read(query.value).state.at ?? data.chronicle.last) - 1) }, 'replace');
        else if (key === ']') {
          const next = (codec.read(query.value).state.at ?? data.chronicle.last) + 1;
          set({ at: next >= data.chronicle.last ? null : next }, 'replace');
        } else if (key === 'l') set({ at: null });
        else if (key === 'e') edit((count) => count + 1);
        else if (key === 'p') document.querySelector<HTMLElement>('[data-key="p"] button')?.click();
        else return false;
        return true;
      }),
    [],
  );

  if (shown === null || standing === null) {
    const problem = data.problem.value;
    if (problem === null) return <Coming id={id} view={view} choose={(next) => set({ view: next })} />;
    return (
      <>
        <PageHead title={`Workflow ${id}`} />
        {problem.status === 404 || problem.status === 400 ? (
          <NoSuch id={id} />
        ) : (
          <ProblemNote problem={problem} again={() => void data.again()} />
        )}
      </>
    );
  }

  const status = textOf(shown['status']);
  const name = textOrNull(shown['name']);
  const places = (expid: string): Place | null => (figure === null ? null : placeAt(figure, expid));
  const words = sentenceOf(standing, figure, seen, places);
  const hasBodies = figure !== null && figure !== plain;
  const select = (expid: string): void => set({ sel: hasBodies ? shownAs(figure, seen, expid) : expid, tab: 'what' });
  const chosen =
    state.sel === '' ? null : hasBodies ? placeOfChosen(figure, seen, state.sel) : places(expidIn(state.sel));
  const definition = isObject(shown['definition'] ?? null) ? (shown['definition'] as JsonObject) : null;
  const [launched] = data.chronicle.entries;
  const launchedBy = textOf(launched?.['actor_name']) || textOf(launched?.['actor']);
  const isBpmn = shown['format'] === 'bpmn' && at === null;
  const hasPicture = figure !== null && (view === 'diagram' || view === 'outline');

  return (
    <div class={`workflow-page ${hasPicture ? 'pictured' : ''}`}>
      <PageHead
        title={`${SIGNS[status] ?? ''} ${name === null ? '' : `${name} `}${id.split('-').slice(2).join('-') || id}`}
        said={
          <>
            <Chip state={standing.status} /> <Text text={name ?? 'without a name'} />
          </>
        }
        takes={false}
      >
        <Actions id={id} shown={shown} isPast={at !== null} again={() => data.again()} />
      </PageHead>
      <p class="meta small dim">
        <span>
          <span class="mono">{visible(id)}</span> <Copy bare what="Copy id" text={id} />
        </span>
        <span>
          launched <Time at={textOrNull(shown['launched_at'])} how="both" />
          {launchedBy !== '' && (
            <>
              {' '}
              by <Text text={launchedBy} />
            </>
          )}
        </span>
        <span>
          {shown['ended_at'] ? 'ended ' : 'moved '}
          <Time at={textOrNull(shown['ended_at']) ?? textOrNull(shown['updated_at'])} />
        </span>
        {definition !== null && (
          <a
            href={link(`/definitions/${textOf(definition['name'])}?version=${String(definition['version'])}`)}
            title="The stored definition it runs"
          >
            <Text text={`${textOf(definition['name'])}@${String(definition['version'])}`} />
          </a>
        )}
        {textOf(shown['business_key']) !== '' && (
          <span>
            key{' '}
            <a href={link(`/workflows?key=${encodeURIComponent(textOf(shown['business_key']))}`)}>
              <Text text={textOf(shown['business_key'])} />
            </a>
          </span>
        )}
        {RELATED.map(([name, word]) =>
          textOf(shown[name]) === '' ? null : (
            <span key={name}>
              {word} <WorkflowLink id={textOf(shown[name])} />
            </span>
          ),
        )}
        {isObject(shown['meta'] ?? null) && textOf((shown['meta'] as JsonObject)['started_by']) !== '' && (
          <span>
            started by <Text text={textOf((shown['meta'] as JsonObject)['started_by'])} />
          </span>
        )}
        <OtherTries id={id} />
        {children.length > 0 && (
          <span>
            children{' '}
            {children.slice(0, CHILDREN_SHOWN).map((one) => (
              <Fragment key={one}>
                <WorkflowLink id={one} />{' '}
              </Fragment>
            ))}
            {children.length > CHILDREN_SHOWN && `+${countText(children.length - CHILDREN_SHOWN)}`}
          </span>
        )}
        {tagsOf(shown).map((tag) => (
          <span key={tag}>
            tag{' '}
            <a class="mono" href={link(`/workflows?tag=${encodeURIComponent(tag)}`)}>
              <Text text={tag} />
            </a>
          </span>
        ))}
      </p>
      {complaints.map((one) => (
        <p class="note warn small" key={one}>
          <Text text={one} />
        </p>
      ))}
      {data.problem.value !== null && <ProblemNote problem={data.problem.value} again={() => void data.again()} />}
      {data.isPart.value && at === null && (
        <p class="note warn small">
          More is alive here at once than a page looks at: the first {countText(standing.expressions.length)}{' '}
          expressions are shown.
        </p>
      )}
      <p class={`sentence ${standing.status}`}>
        {words.map((word, i) =>
          word.expid !== undefined ? (
            <button key={i} type="button" class="more-link" onClick={() => select(word.expid as string)}>
              <Text text={word.text} />
            </button>
          ) : word.time !== undefined ? (
            <Time key={i} at={word.time} how="both" />
          ) : word.strong ? (
            <b key={i}>
              <Text text={word.text} />
            </b>
          ) : (
            <Text key={i} text={word.text} />
          ),
        )}
      </p>
      {at !== null && (
        <p class="past row" role="status">
          <span>
            Entry #{countText(at)} of {countText(last)}, <Time at={standing.at} how="both" />. Actions act on now.
          </span>
          <button type="button" class="button tiny" onClick={() => set({ at: null })}>
            Live
          </button>
        </p>
      )}
      <div class="tabs-row">
        <Tabs
          label="Views of this workflow"
          names={VIEWS}
          chosen={view}
          choose={(next) => set({ view: next })}
          words={(one) => (one === 'history' ? `History ${countText(last)}` : wordOf(one))}
          controls="view"
        />
        {hasPicture && (
          <div class="row tools">
            <Button
              look="tiny"
              onPress={() => {
                paletteOpen.value = true;
              }}
            >
              Find in tree
            </Button>
            {view === 'diagram' && !isBpmn && <DiagramTools state={state} set={set} />}
            <Button
              look="tiny"
              needs="operate"
              why={
                isOver(status)
                  ? `is over: ${status}`
                  : at !== null
                    ? 'actions act on now: go back to Live'
                    : (seen.get((chosen ?? figure).expid)?.live.length ?? 0) === 0
                      ? 'choose a place that is live'
                      : null
              }
              onPress={() => edit((count) => count + 1)}
            >
              ✎ Edit tree
            </Button>
          </div>
        )}
      </div>
      <div id="view" role="tabpanel" aria-label={view} class="view">
        {figure === null && view !== 'json' && view !== 'history' && (
          <p class="note">The tree of this workflow is not kept any more, so there is no picture of it.</p>
        )}
        {figure !== null && hasPicture && (
          <div class={`looking ${chosen === null ? '' : 'chosen'}`}>
            {view === 'diagram' && isBpmn ? (
              <BpmnDiagram id={id} shown={shown} figure={figure} set={set} />
            ) : view === 'diagram' ? (
              <Diagram
                isFilling
                figure={figure}
                seen={seen}
                state={state}
                set={set}
                chosen={chosen}
                isPaused={standing.status === 'paused'}
                lanes={lanes}
                clock={at === null ? null : Date.parse(standing.at)}
              />
            ) : (
              <Outline figure={figure} seen={seen} state={state} set={set} />
            )}
            <Inspector
              key={(chosen ?? figure).expid}
              id={id}
              place={chosen ?? figure}
              seen={seen}
              state={state}
              set={set}
              data={data}
              over={isOver(status)}
              at={at}
              editing={editing}
              figure={figure}
              standing={standing}
            />
          </div>
        )}
        {figure !== null && view === 'timeline' && (
          <Timeline
            figure={plain ?? figure}
            chronicle={data.chronicle}
            n={at ?? last}
            standing={standing}
            select={select}
            state={state}
            set={set}
          />
        )}
        {view === 'history' && <History id={id} data={data} state={state} set={set} />}
        {view === 'fields' && <FieldsView figure={plain} shown={shown} data={data} at={at} state={state} set={set} />}
        {view === 'json' && <WholeJson id={id} of={shown} />}
      </div>
      {data.cut.value && (
        <p class="note warn small row">
          <span>
            Only the first {countText(last)} entries of the history were read into this page
            {data.newest.value.length > 0 && `, and the last ${countText(data.newest.value.length)}`}.
          </span>
          <Button
            look="tiny"
            why={last >= HISTORY_MAX ? `a page holds no more than ${countText(HISTORY_MAX)}` : null}
            onPress={() => void data.more()}
          >
            Read {countText(HISTORY_BY_ITSELF_MAX)} more
          </Button>
        </p>
      )}
      {at !== null && at < last && data.chronicle.foldedTo > 0 && (
        <p class="note warn small">
          Some of the first {countText(data.chronicle.foldedTo)} entries are no longer kept: what began then and lives
          on is not shown in the past.
        </p>
      )}
      {printing.value && <Printed figure={plain} seen={seen} shown={shown} data={data} n={at ?? last} />}
      {last <= 1 && !data.settled.value && view !== 'json' && <div class="scrubber coming" />}
      {last > 1 && view !== 'json' && (
        <Scrubber
          chronicle={data.chronicle}
          last={last}
          settled={data.settled.value}
          at={at}
          axis={state.axis}
          turn={(axis) => set({ axis }, 'replace')}
          set={(n, how) => set({ at: n }, how)}
        />
      )}
    </div>
  );
}

/** The page before its workflow has been read: everything has its place, and what is known of it stands there. */
function Coming({
  id,
  view,
  choose,
}: {
  readonly id: string;
  readonly view: State['view'];
  readonly choose: (view: State['view']) => void;
}) {
  return (
    <div class={`workflow-page ${view === 'diagram' || view === 'outline' ? 'pictured' : ''}`}>
      <PageHead title={`Workflow ${id}`} takes={false} />
      <p class="meta small dim">
        <span>
          <span class="mono">{visible(id)}</span> <Copy bare what="Copy id" text={id} />
        </span>
      </p>
      <p class="sentence">
        <span class="skeleton word" />
      </p>
      <div class="tabs-row">
        <Tabs
          label="Views of this workflow"
          names={VIEWS}
          chosen={view === '' ? 'diagram' : view}
          choose={choose}
          words={(one) => wordOf(one)}
          controls="view"
        />
      </div>
      <div id="view" role="tabpanel" aria-label={view} class="view">
        <div class="skeleton fill" />
      </div>
      {view !== 'json' && <div class="scrubber coming" />}
    </div>
  );
}
const wordOf = (view: string): string => (view === 'json' ? 'JSON' : view.charAt(0).toUpperCase() + view.slice(1));

function NoSuch({ id }: { readonly id: string }) {
  const { value } = useResource('v1/info').value;
  const retention = isObject(value) && isObject(value['retention']) ? value['retention'] : {};
  const days = retention['ended_days'];
  return (
    <Empty title="No such workflow">
      <p>
        There is no workflow <Text text={id} />, or it is over and kept no longer (RETAIN_ENDED
        {typeof days === 'number' ? ` ${countText(days)} ${days === 1 ? 'day' : 'days'}` : ''}).
      </p>
      <a class="button" href={link('/workflows')}>
        All workflows
      </a>
    </Empty>
  );
}

/** All the server tells of it, read again when it has moved. */
function WholeJson({ id, of }: { readonly id: string; readonly of: JsonObject }) {
  const whole = useResource(`v1/workflows/${part(id)}`);
  const moved = useRef(of);
  useEffect(() => {
    if (moved.current !== of) void whole.again();
    moved.current = of;
  }, [of]);
  const { value } = whole.value;
  if (value === undefined)
    return whole.problem.value === null ? (
      <div class="skeleton" />
    ) : (
      <ProblemNote problem={whole.problem.value} again={() => void whole.again()} />
    );
  return <JsonView value={value} label="The workflow as JSON" fields={['fields']} />;
}

/** Workflows that this one belongs to, as the server names them. */
const RELATED = [
  ['retry_of', 'another try of'],
  ['continued_from', 'goes on for'],
  ['continued_as', 'goes on as'],
] as const;
/** Workflows it has launched that are named. */
const CHILDREN_SHOWN = 3;

/** What runs with another tree than the definition's is drawn with that; a sub-process that is a tree of its own is drawn in its call. */
const otherTrees = (shown: JsonObject): readonly { readonly expid: string; readonly tree: Json }[] =>
  objectsOf(shown['expressions']).flatMap((one) => {
    const [expid, parentId, tree] = [textOf(one['expid']), textOrNull(one['parent_id']), one['tree'] ?? null];
    return tree === null || isForeignRoot({ expid, parentId }) ? [] : [{ expid, tree }];
  });

/** The crowd that the branches to be compared are of, and what each of them shows; null: fewer than two are. */
function sideBySide(
  seen: ReadonlyMap<string, Seen>,
  ids: readonly string[],
  seenOf: (id: string) => ReadonlyMap<string, Seen>,
): SideBySide | null {
  for (const [crowd, { marks }] of seen) {
    const known = marks.length === 0 ? [] : ids.filter((id) => marks.some((mark) => mark.id === id));
    if (known.length > 1) return { crowd, of: known.slice(0, LANES_MAX).map((id) => ({ id, seen: seenOf(id) })) };
  }
  return null;
}

/** What stands before the name in the title of the window. */
const SIGNS: { readonly [status: string]: string } = {
  completed: '✓',
  running: '▶',
  error: '✖',
  paused: '‖',
  cancelling: '⊘',
  cancelled: '⊗',
  killed: '■',
};

const narrowQuery = (): MediaQueryList => window.matchMedia('(max-width: 639px)');

/** Whether there is no room for a picture beside anything; followed while the window changes. */
function useNarrow(): boolean {
  const [query] = useState(narrowQuery);
  const [narrow, set] = useState(query.matches);
  useEffect(() => {
    const look = (): void => set(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, [query]);
  return narrow;
}

const tagsOf = (shown: JsonObject): readonly string[] =>
  Array.isArray(shown['tags']) ? (shown['tags'] as readonly Json[]).map(String) : [];
