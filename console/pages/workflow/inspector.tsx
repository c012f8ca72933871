import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../../src/model/json.ts';
import { TABS } from '../../address/pages.ts';
import { go, link } from '../../address/router.ts';
import { call, can, type Problem, part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { ActButton, Button } from '../../parts/action.tsx';
import { Glyph } from '../../parts/glyph.tsx';
import { JsonView } from '../../parts/json.tsx';
import { Menu } from '../../parts/menu.tsx';
import { Merge } from '../../parts/merge.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Copy, Text, Time } from '../../parts/said.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { countText, shortExpression, spanText, visible } from '../../parts/texts.ts';
import type { Toast } from '../../parts/toast.tsx';
import type { EditedTree } from '../../parts/tree-field.tsx';
import { saidIn } from '../../picture/captions.ts';
import { endOf, type Try } from '../../picture/chronicle.ts';
import { BODY, figureOf, isCrowd, lineOf, type Place, placeAt } from '../../picture/figure.ts';
import { parentOf } from '../../picture/layout.ts';
import { mergesOf } from '../../picture/merges.ts';
import {
  type Entry,
  expressionIn,
  type HeldWorkitem,
  type LiveExpression,
  objectsOf,
  type Standing,
  textOf,
} from '../../picture/standing.ts';
import { elementOf, type Seen } from '../../picture/states.ts';
import { tellEntry } from '../../picture/story.ts';
import { entriesFor, fieldsAt, type Held, heldFields, waysUp as waysIn } from '../../picture/told.ts';
import { replaceAt } from '../../picture/tree-edit.ts';
import { FieldsDialog, ReasonDialog } from './actions.tsx';
import { LOOKS } from './box.tsx';
import { Branches } from './branches.tsx';
import type { Data } from './data.ts';
import { Merges } from './merges.tsx';
import type { State } from './page.tsx';

type Props = {
  readonly id: string;
  readonly place: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
  readonly data: Data;
  readonly over: boolean;
  readonly at: number | null;
  /** Counts how often the editing of the tree was asked for from outside. */
  readonly editing: number;
  readonly figure: Place;
  readonly standing: Standing;
};

/** What there is to know of the chosen place, and to do there. */
export function Inspector({ id, place, seen, state, set, data, over, at, editing, figure, standing }: Props) {
  const one = seen.get(place.expid);
  const live = one?.live ?? [];
  const chosen =
    live.find((each) => each.id === state.sel) ??
    live.find((each) => one?.failures.some((failure) => failure.expressionId === each.id)) ??
    live[0];
  const failure = one?.failures.find((each) => each.expressionId === chosen?.id);
  const item = one?.workitems.find((each) => each.expressionId === chosen?.id);
  const current: ActedOn | null =
    chosen === undefined || over
      ? null
      : { expression: chosen.id, item, failed: failure !== undefined, isPaused: chosen.state === 'paused' };
  // What a dialog is about stays what it was when that was opened, though it may be gone meanwhile.
  const [isAsking, setAsking] = useState(false);
  const kept = useRef<ActedOn | null>(null);
  if (!isAsking) kept.current = current;
  const acting = isAsking ? kept.current : current;
  const tries = triesOf(data, place, chosen?.id ?? null);
  // Of a place in the body of a call only that call counts.
  const calling = place.expid === place.at ? null : placeAt(figure, callAround(place.expid));
  const own = live[0]?.id ?? one?.ended?.id ?? '';
  const inCall =
    calling === null ? null : (waysIn(data.chronicle, own).find((id) => id.startsWith(`${calling.at}!`)) ?? '');
  const history = useMemo(() => entriesOf(data, place, inCall), [data.entries.value, place.expid, inCall]);
  /** With what is known of its branch and its call. */
  const said = (text: string): string =>
    text.includes('${') ? saidIn(figure, place.expid, text, (around) => elementOf(seen.get(around.expid))) : text;
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Where it takes the place of what it was chosen in, the focus comes with it.
    if (state.sel !== '' && window.matchMedia(A_PAGE).matches && document.activeElement?.closest('.view'))
      head.current?.focus();
  }, []);
  const leave = (): void => {
    set({ sel: '' });
    requestAnimationFrame(() =>
      document
        .querySelector<HTMLElement>(`.view [data-row="${place.expid}"], .view [data-expid="${place.expid}"]`)
        ?.focus(),
    );
  };
  return (
    <aside
      class="inspector"
      aria-label="The chosen place"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && state.sel !== '') leave();
      }}
    >
      {/* Where it lies over the picture, or in its place. */}
      <p class="close-inspector">
        <Button look="tiny" onPress={leave}>
          ‹ Back to the {state.view === 'diagram' ? 'picture' : 'whole'}
        </Button>
      </p>
      <div class="stack tight">
        <h2 class={`row name ${LOOKS[one?.state ?? 'to come']}`} ref={head} tabIndex={-1}>
          <Glyph name={one?.state ?? 'to come'} size={16} /> <Text text={said(place.title)} />
          <span class="state-word">{one?.state ?? 'to come'}</span>
        </h2>
        <Lane seen={seen} place={place} />
        {place.caption !== '' && (
          <p class="small dim" title={said(place.caption) === place.caption ? undefined : visible(place.caption)}>
            <Text text={said(place.caption)} />
          </p>
        )}
      </div>
      <Facts seen={one} expression={chosen ?? null} item={item} />
      {failure !== undefined && (
        <div class="problem">
          <p>
            <span class="code">
              <Text text={failure.class} />
            </span>{' '}
            <Text text={failure.message} />
          </p>
          <p class="small dim">
            since <Time at={failure.at} how="both" />; it waits for somebody
          </p>
        </div>
      )}
      {live.length > 1 && <Among live={live} chosen={chosen?.id ?? ''} seen={one} set={set} />}
      {at !== null || over ? (
        <FromHere id={id} place={place} seen={seen} figure={figure} data={data} over={over} at={at} />
      ) : (
        acting !== null && (
          <PlaceActions
            id={id}
            place={place}
            {...acting}
            failures={standing.failures.length}
            data={data}
            editing={editing}
            asks={setAsking}
          />
        )
      )}
      {at === null && !over && <StopHere id={id} place={place} seen={seen} again={() => data.again()} />}
      {isCrowd(place) && one !== undefined && one.marks.length > 1 && (
        <Branches
          place={place}
          seen={one}
          figure={figure}
          standing={standing}
          past={data.entries.value > 0 ? data.chronicle : null}
          state={state}
          set={set}
        />
      )}
      <Tabs
        tight
        label="About this place"
        names={TABS}
        chosen={state.tab}
        choose={(tab) => set({ tab }, 'replace')}
        words={(tab) =>
          tab === 'tries' && tries.length > 0
            ? `Tries ${countText(tries.length)}`
            : tab === 'history' && history.length > 0
              ? `History ${countText(history.length)}`
              : tab.charAt(0).toUpperCase() + tab.slice(1)
        }
        controls="about-place"
      />
      <div id="about-place" role="tabpanel" aria-label={state.tab} class="stack">
        {state.tab === 'what' && (
          <>
            <What place={place} seen={one} set={set} />
            {tries.length > 0 && (
              <>
                <h3>Last tries</h3>
                <Tries tries={tries.slice(0, LAST_TRIES)} />
              </>
            )}
          </>
        )}
        {state.tab === 'fields' && (
          <>
            <PlaceFields
              id={id}
              seen={one}
              around={seen}
              place={place}
              chosen={chosen?.id ?? null}
              isNow={at === null && !over}
              moment={at ?? data.entries.value}
              data={data}
              set={set}
            />
            {(place.kind === 'fork' || isCrowd(place)) && (
              <PlaceMerges place={place} data={data} n={at ?? data.entries.value} over={over} set={set} />
            )}
            {chosen !== undefined && at === null && !over && (
              <Variables key={chosen.id} id={id} ways={waysUp(standing, chosen.id)} />
            )}
          </>
        )}
        {state.tab === 'tries' && <Tries tries={tries} />}
        {state.tab === 'tree' && <JsonView value={place.json} label="Tree of this place" />}
        {state.tab === 'history' && <PlaceHistory found={history} set={set} />}
      </div>
    </aside>
  );
}

/** There the inspector is a page of its own. */
const A_PAGE = '(max-width: 639px)';

/** Errors of one workflow that the server replays at once. */
const RETRIED_MAX = 100;

/** Which branch of the crowd around is looked at. */
function Lane({ seen, place }: { readonly seen: ReadonlyMap<string, Seen>; readonly place: Place }) {
  for (let expid = place.expid; expid !== ''; expid = parentOf(expid)) {
    const around = seen.get(parentOf(expid));
    const mark = around?.marks[around.shown];
    if (around === undefined || mark === undefined) continue;
    return (
      <p class="small">
        branch {countText(around.shown + 1)} of {countText(around.marks.length)}
        {mark.element !== null && (
          <>
            {' '}
            ·{' '}
            <span class="mono">
              <Text text={mark.element} />
            </span>
          </>
        )}
      </p>
    );
  }
  return null;
}

function Facts({
  seen,
  expression,
  item,
}: {
  readonly seen: Seen | undefined;
  readonly expression: LiveExpression | null;
  readonly item: HeldWorkitem | undefined;
}) {
  const since = item?.openedAt ?? expression?.since ?? null;
  return (
    <dl class="facts">
      {expression !== null && (
        <>
          <dt>Expression</dt>
          <dd>
            <span class="mono">{shortExpression(expression.id)}</span>{' '}
            <Copy bare what="Copy the id of the expression" text={expression.id} />
          </dd>
          <dt>State</dt>
          <dd>
            <Text text={expression.state} />
            {item !== undefined && (
              <>
                {' '}
                · asked <Text text={item.participant} />
              </>
            )}
          </dd>
        </>
      )}
      {since !== null && (
        <>
          <dt>Since</dt>
          <dd>
            <Time at={since} how="both" />
          </dd>
        </>
      )}
      {item?.url && (
        <>
          <dt>Callback</dt>
          <dd class="mono cut" title={visible(item.url)}>
            <Text text={item.url} />
          </dd>
        </>
      )}
      {item !== undefined && (
        <>
          <dt>Message</dt>
          <dd>
            {item.owed === null && item.state === 'failed' ? (
              <>
                ✖ given up
                {item.tries > 0 && ` after ${triesOfAll(item)}`}
              </>
            ) : item.owed === null ? (
              '✓ delivered'
            ) : (
              <>
                {item.owed} is owed, {triesOfAll(item)} so far
                {item.nextAt !== null && (
                  <>
                    , next <Time at={item.nextAt} />
                  </>
                )}
              </>
            )}
          </dd>
        </>
      )}
      {(seen?.timers ?? []).slice(0, TIMERS_SHOWN).map((timer) => (
        <Fragment key={`${timer.action} ${timer.dueAt}`}>
          <dt>Timer</dt>
          <dd>
            <Text text={timer.action} /> <Time at={timer.dueAt} />
          </dd>
        </Fragment>
      ))}
      {expression === null && seen?.ended?.end && (
        <>
          <dt>{endOf(seen.ended) === 'replied' ? 'Done' : 'Ended'}</dt>
          <dd>
            <Time at={seen.ended.end.at} how="both" />
            {endOf(seen.ended) === 'replied' ? '' : `, ${endOf(seen.ended)}`}
          </dd>
          <dt>Took</dt>
          <dd>{spanText(Date.parse(seen.ended.end.at) - Date.parse(seen.ended.at))}</dd>
        </>
      )}
      {expression === null && (seen?.state === 'to come' || seen === undefined) && (
        <>
          <dt>State</dt>
          <dd>to come: nothing has happened here yet</dd>
        </>
      )}
      {expression === null && seen?.state === 'skipped' && (
        <>
          <dt>State</dt>
          <dd>skipped: another road was taken, or what is around it is over</dd>
        </>
      )}
    </dl>
  );
}
const TIMERS_SHOWN = 5;

/** `4 of 12 tries`. */
const triesOfAll = ({ tries, triesMax }: HeldWorkitem): string =>
  triesMax === null ? `${tries} ${tries === 1 ? 'try' : 'tries'}` : `${tries} of ${triesMax} tries`;

/** Several expressions are at one place: they are gone through one by one, those that failed first. */
function Among({
  live,
  chosen,
  seen,
  set,
}: {
  readonly live: readonly LiveExpression[];
  readonly chosen: string;
  readonly seen: Seen | undefined;
  readonly set: Props['set'];
}) {
  const failed = new Set((seen?.failures ?? []).map((one) => one.expressionId));
  const order = [...live].sort((a, b) => Number(failed.has(b.id)) - Number(failed.has(a.id)));
  const at = order.findIndex(({ id }) => id === chosen);
  const go = (by: number): void => {
    const to = order[(at + by + order.length) % order.length];
    if (to !== undefined) set({ sel: to.id }, 'replace');
  };
  return (
    <p class="row small">
      <Button look="tiny" label="The expression before" onPress={() => go(-1)}>
        ‹
      </Button>
      <span>
        {countText(at + 1)} of {countText(order.length)} expressions here
        {failed.size > 0 ? `, ${countText(failed.size)} failed` : ''}
      </span>
      <Button look="tiny" label="The next expression" onPress={() => go(1)}>
        ›
      </Button>
    </p>
  );
}

/** What the definition says of the place. */
/** The call whose body a place is in, as it is called in the picture. */
const callAround = (expid: string): string => expid.slice(0, expid.lastIndexOf(`_${BODY}`));

function What({
  place,
  seen,
  set,
}: {
  readonly place: Place;
  readonly seen: Seen | undefined;
  readonly set: Props['set'];
}) {
  return (
    <>
      <pre class="block">
        <Text text={lineOf(place)} />
      </pre>
      <dl class="facts">
        <dt>Place</dt>
        <dd class="mono">{place.at}</dd>
        {place.expid !== place.at && (
          <>
            <dt>In the call</dt>
            <dd>
              <button type="button" class="more-link mono" onClick={() => set({ sel: callAround(place.expid) })}>
                {callAround(place.expid).replaceAll(`_${BODY}`, ' › ')}
              </button>
            </dd>
          </>
        )}
        {(seen?.done ?? 0) > 1 && (
          <>
            <dt>Replied</dt>
            <dd>{countText(seen?.done ?? 0)} times</dd>
          </>
        )}
        {place.below > 0 && (
          <>
            <dt>Inside</dt>
            <dd>
              {countText(place.below)} {place.below === 1 ? 'place' : 'places'}
            </dd>
          </>
        )}
        {[...place.tags, ...place.handlers.map(([name, text]) => `${name.replaceAll('_', ' ')} ${text}`)].map((tag) => (
          <Fragment key={tag}>
            <dt>Has</dt>
            <dd>
              <Text text={tag} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </>
  );
}

/**
 * In the past: what lived then and lives on can run again, with the fields of that moment. Of a workflow that is over, another one begins here; it says
 * which one it is another try of.
 */
function FromHere({
  id,
  place,
  seen,
  figure,
  data,
  over,
  at,
}: {
  readonly id: string;
  readonly place: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly figure: Place;
  readonly data: Data;
  readonly over: boolean;
  readonly at: number | null;
}) {
  const [isAsking, ask] = useState(false);
  const [chosen, choose] = useState('');
  const now = new Set(objectsOf(data.shown.value?.['expressions']).map((one) => textOf(one['id'])));
  const around = aroundOf(place.expid).flatMap((expid) => placeAt(figure, expid) ?? []);
  const choices: readonly Choice[] = over
    ? around.map((one) => ({ id: one.at, place: one }))
    : around.flatMap((one) => {
        const still = seen.get(one.expid)?.live.find(({ id: live }) => now.has(live));
        return still === undefined ? [] : [{ id: still.id, place: one }];
      });
  const choice = choices.find((one) => one.id === chosen) ?? choices[0];
  const fields = isAsking ? fieldsAt(data.chronicle.entries, at ?? data.chronicle.last) : null;
  if (choice === undefined)
    return <p class="small dim">Nothing that lived here then, or around it, is alive now. Go back to Live to act.</p>;
  const leads = (words: string): Toast => ({
    words: `${choice.place.title}: ${words}`,
    to: `/workflows/${id}?sel=${choice.place.expid}`,
  });
  const word = over ? 'Launch again from here' : 'Replay from here';
  return (
    <>
      <div class="row">
        <Button
          needs="operate"
          why={over && !can('POST /v1/workflows/{}/retry') ? 'this server cannot begin in the middle' : null}
          onPress={() => ask(true)}
        >
          {over ? '' : '↻ '}
          {word}…
        </Button>
        {choices.length > 1 && (
          <select
            class="narrow"
            aria-label="From which place"
            value={choice.id}
            onChange={(event) => choose(event.currentTarget.value)}
          >
            {choices.map((one) => (
              <option key={one.id} value={one.id}>
                {visible(one.place.title)} {one.place.at}
              </option>
            ))}
          </select>
        )}
      </div>
      {isAsking && over && (
        <FieldsDialog
          title={`Launch again from ${choice.place.title}`}
          about={`Another workflow begins there, with the definition, callbacks and options of this one, which stays as it is. ${
            fields === null ? 'Its fields are those this one ended with.' : 'Its fields are those of this moment.'
          }`}
          fields={fields ?? (data.shown.value?.['fields'] as Json | undefined) ?? {}}
          tree={null}
          verb="Launch"
          make={({ fields: changed }) => ({
            path: `v1/workflows/${part(id)}/retry`,
            body: { from: choice.id, fork: true, ...bodyOf(changed ?? fields ?? undefined, undefined) },
          })}
          close={() => ask(false)}
          done={async (answer) => {
            if (isObject(answer)) go(`/workflows/${textOf(answer['id'])}`);
          }}
        />
      )}
      {isAsking && !over && (
        <FieldsDialog
          title={`Replay ${choice.place.title} from here`}
          about={`What runs below it now is cancelled, and participants at work there are told to stop; then it runs again from its beginning${
            fields === null ? '' : ', with the fields of this moment'
          }.`}
          fields={fields ?? {}}
          tree={choice.place.json}
          foretold
          verb="Replay"
          leads={leads('replayed')}
          make={({ fields: changed, tree }) => ({
            path: `v1/workflows/${part(id)}/expressions/${part(choice.id)}/reapply`,
            body: bodyOf(changed ?? fields ?? undefined, tree),
          })}
          close={() => ask(false)}
          done={() => data.again()}
        />
      )}
    </>
  );
}

/** Where something can go on from: the id of a live expression, or a place. */
type Choice = { readonly id: string; readonly place: Place };

/** A place, and those around it, the nearest first. */
function aroundOf(expid: string): readonly string[] {
  const all: string[] = [];
  for (let at = expid; at !== ''; at = parentOf(at)) all.push(at);
  return all;
}

/** A place is stopped at: whatever comes there waits until somebody lets it go on. */
function StopHere({
  id,
  place,
  seen,
  again,
}: {
  readonly id: string;
  readonly place: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly again: () => Promise<void>;
}) {
  if (!can('POST /v1/workflows/{}/expressions/{}/pause')) return null;
  let nearest: LiveExpression | null = null;
  let holder: LiveExpression | null = null;
  for (let expid = parentOf(place.expid); expid !== ''; expid = parentOf(expid)) {
    const live = seen.get(expid)?.live ?? [];
    nearest ??= live[0] ?? null;
    holder ??= live.find(({ breakpoints }) => breakpoints.includes(place.at)) ?? null;
  }
  const at = holder ?? nearest;
  if (at === null) return null;
  return (
    <p class="row small">
      {holder !== null && 'Whatever comes here is paused.'}
      <ActButton
        look="tiny"
        asked={{
          path: `v1/workflows/${part(id)}/expressions/${part(at.id)}/${holder === null ? 'pause' : 'resume'}`,
          body: { breakpoint: place.at },
        }}
        done={again}
      >
        {holder === null ? '‖ Stop here' : 'Lift the stop'}
      </ActButton>
    </p>
  );
}

/** What is acted on at a place. */
type ActedOn = {
  readonly expression: string;
  readonly item: HeldWorkitem | undefined;
  readonly failed: boolean;
  readonly isPaused: boolean;
};

function PlaceActions({
  id,
  place,
  expression,
  item,
  failed,
  isPaused,
  failures,
  data,
  editing,
  asks,
}: ActedOn & {
  readonly id: string;
  readonly place: Place;
  /** Of the whole workflow. */
  readonly failures: number;
  readonly data: Data;
  readonly editing: number;
  /** Told whether a dialog is open. */
  readonly asks: (isAsking: boolean) => void;
}) {
  const [asking, ask] = useState<
    'replay' | 'proceed' | 'fail' | 'edit' | 'reapply' | 'reply' | 'cancel' | 'kill' | null
  >(null);
  const [instead, setInstead] = useState<Instead | null>(null);
  useEffect(() => asks(asking !== null || instead !== null), [asking !== null || instead !== null]);
  const again = (): Promise<void> => data.again();
  const asked = useRef(editing);
  useEffect(() => {
    if (asked.current !== editing) ask('reapply');
    asked.current = editing;
  }, [editing]);
  const workflow = `v1/workflows/${part(id)}`;
  const workitem = item === undefined ? '' : `${workflow}/workitems/${part(item.id)}`;
  // Read when a dialog begins with it.
  const wantsFields =
    item?.id.split('!').length === 3 && (asking === 'proceed' || asking === 'replay' || asking === 'reapply');
  const whole = useResource(wantsFields ? workitem : null);
  const read = whole.value.value;
  const held = !wantsFields
    ? {}
    : read === undefined || !isObject(read)
      ? null
      : withoutKeys((read['fields'] ?? {}) as JsonObject, 'params');
  const expressionPath = `${workflow}/expressions/${part(expression)}`;
  // What comes of it is another expression at the same place, or the end of this one.
  const leads = (words: string, tab = 'what'): Toast => ({
    words: `${place.title}: ${words}`,
    to: `/workflows/${id}?sel=${place.expid}&tab=${tab}`,
  });
  const close = (): void => ask(null);
  return (
    <div class="stack actions">
      <div class="row">
        {isPaused && (
          <ActButton
            look="primary"
            asked={{ path: `${expressionPath}/resume`, body: {} }}
            done={again}
            leads={leads('goes on')}
          >
            ▶ Go on
          </ActButton>
        )}
        {failed && (
          <>
            <ActButton
              look="primary"
              asked={{ path: `${workflow}/errors/${part(expression)}/replay`, body: {} }}
              done={again}
              leads={leads('replayed')}
            >
              ↻ Replay
            </ActButton>
            <Button needs="operate" onPress={() => ask('replay')}>
              Replay with…
            </Button>
            {failures > 1 && (
              <ActButton
                asked={{ path: `${workflow}/retry`, body: {} }}
                why={failures > RETRIED_MAX ? `more than ${RETRIED_MAX}: choose them in Errors` : null}
                done={again}
              >
                Replay all {countText(failures)}
              </ActButton>
            )}
          </>
        )}
        {item !== undefined && (
          <>
            <Button needs="operate" look={failed ? '' : 'primary'} onPress={() => ask('proceed')}>
              Proceed for it…
            </Button>
            {!failed && (
              <Button needs="operate" onPress={() => ask('edit')}>
                Edit fields…
              </Button>
            )}
          </>
        )}
        {item === undefined && !failed && (
          <Button needs="operate" onPress={() => ask('reapply')}>
            ✎ Edit, reapply…
          </Button>
        )}
        <Menu label={`More about ${place.title}`}>
          {item !== undefined && (
            <>
              {failed && (
                <Button needs="operate" onPress={() => ask('edit')}>
                  Edit fields…
                </Button>
              )}
              <Button needs="operate" onPress={() => ask('fail')}>
                Give up for it…
              </Button>
              <ActButton asked={{ path: `${workitem}/redeliver` }} done={again} leads={leads('tried again', 'tries')}>
                Try now
              </ActButton>
              <a class="button" href={link(`/worklist/${part(item.id)}`)}>
                Open in the worklist
              </a>
            </>
          )}
          <Button needs="operate" onPress={() => ask('reapply')}>
            ✎ Edit tree, reapply…
          </Button>
          {can('POST /v1/workflows/{}/expressions/{}/pause') && !isPaused && (
            <ActButton asked={{ path: `${expressionPath}/pause`, body: {} }} done={again} leads={leads('paused')}>
              ‖ Pause this
            </ActButton>
          )}
          {can('POST /v1/workflows/{}/expressions/{}/reply') && item === undefined && (
            <Button needs="operate" onPress={() => ask('reply')}>
              Reply for it…
            </Button>
          )}
          <Button needs="operate" look="danger" onPress={() => ask('cancel')}>
            Cancel this…
          </Button>
          <Button needs="operate" look="danger" onPress={() => ask('kill')}>
            Kill this…
          </Button>
        </Menu>
      </div>
      {wantsFields && whole.problem.value !== null && (
        <ProblemNote problem={whole.problem.value} again={() => void whole.again()} />
      )}
      {asking === 'proceed' && held !== null && (
        <FieldsDialog
          title={`Proceed for ${place.title}`}
          about="The fields you change are merged over the workitem's; then the workflow goes on behind it."
          fields={held}
          tree={null}
          merges
          verb="Proceed"
          leads={leads('proceeded')}
          make={({ fields }) => ({ path: `${workitem}/proceed`, body: fields === undefined ? {} : { fields } })}
          close={close}
          done={again}
        />
      )}
      {asking === 'fail' && (
        <FieldsDialog
          title={`Give up for ${place.title}`}
          about="The error handling of the definition applies; without any, the workflow is in error."
          fields={{}}
          tree={null}
          fail
          verb="Give up"
          make={({ message, class: kind }) => ({
            path: `${workitem}/fail`,
            body: { message, ...(kind === undefined ? {} : { class: kind }) },
          })}
          close={close}
          done={again}
        />
      )}
      {asking === 'edit' && <EditDialog workitem={workitem} title={place.title} close={close} done={again} />}
      {asking === 'replay' && held !== null && (
        <FieldsDialog
          title={`Replay ${place.title}`}
          about="What failed is tried again, with other fields or another tree where you change them."
          fields={held}
          tree={place.json}
          foretold
          verb="Replay"
          leads={leads('replayed')}
          make={({ fields, tree }) => ({
            path: `${workflow}/errors/${part(expression)}/replay`,
            body: bodyOf(fields, tree),
          })}
          close={close}
          done={again}
        />
      )}
      {asking === 'cancel' && (
        <ReasonDialog
          title={`Cancel ${place.title}`}
          about="Its on_cancel handlers run, then the workflow goes on behind it. Participants at work there are told to stop."
          verb="Cancel it"
          path={`${workflow}/expressions/${part(expression)}/cancel`}
          needsReason={false}
          close={close}
          done={again}
        />
      )}
      {asking === 'kill' && (
        <ReasonDialog
          title={`Kill ${place.title}`}
          about="No handlers run; it is over at once, and the workflow goes on behind it. Participants at work there are told to stop."
          verb="Kill it"
          path={`${workflow}/expressions/${part(expression)}/kill`}
          close={close}
          done={again}
        />
      )}
      {asking === 'reply' && (
        <FieldsDialog
          title={`Reply for ${place.title}`}
          about="It is done with these fields over those it has; what runs below it is told to stop, and the workflow goes on behind it."
          fields={{}}
          tree={null}
          foretold
          merges
          verb="Reply"
          leads={leads('replied for')}
          make={({ fields }) => ({ path: `${expressionPath}/reply`, body: fields === undefined ? {} : { fields } })}
          close={close}
          done={again}
        />
      )}
      {instead !== null && (
        <FieldsDialog
          key={instead.expression}
          title={`Reapply ${instead.title}`}
          about="The expression is cancelled, participants at work below it are told to stop; then it runs again."
          fields={{}}
          tree={instead.tree}
          start={instead.edited}
          foretold
          verb="Reapply"
          leads={leads('applied anew')}
          make={({ fields, tree }) => ({
            path: `${workflow}/expressions/${part(instead.expression)}/reapply`,
            body: bodyOf(fields, tree),
          })}
          close={() => setInstead(null)}
          done={again}
        />
      )}
      {asking === 'reapply' && held !== null && (
        <FieldsDialog
          draft={`tree.${id}.${expression}`}
          gone={(edited) => (
            <MovedOn
              at={data.chronicle.last}
              offer={insteadOf(data, place, edited)}
              take={(offer) => {
                close();
                setInstead(offer);
              }}
            />
          )}
          title={`Reapply ${place.title}`}
          about="The expression is cancelled, participants at work below it are told to stop; then it runs again."
          fields={held}
          tree={place.json}
          foretold
          verb="Reapply"
          leads={leads('applied anew')}
          make={({ fields, tree }) => ({
            path: `${workflow}/expressions/${part(expression)}/reapply`,
            body: bodyOf(fields, tree),
          })}
          close={close}
          done={again}
        />
      )}
    </div>
  );
}

/** What is around a place and lives on, with an edit of the place in it: to be reapplied when the place itself is gone. */
type Instead = { readonly expression: string; readonly title: string; readonly tree: Json; readonly edited: Json };

function insteadOf(data: Data, place: Place, edited: EditedTree): Instead | null {
  const root = figureOf(data.shown.value?.['tree'] ?? null);
  if (root === null || edited === undefined || edited === null) return null;
  const live = new Map(objectsOf(data.shown.value?.['expressions']).map((one) => [textOf(one['expid']), one]));
  for (let up = parentOf(place.at); up !== ''; up = parentOf(up)) {
    const above = placeAt(root, up);
    const one = live.get(up);
    if (above === null || one === undefined) continue;
    const way = place.at
      .slice(up.length + 1)
      .split('_')
      .map(Number);
    const next = replaceAt(above.json, way, edited);
    return next === null
      ? null
      : { expression: textOf(one['id']), title: above.title, tree: above.json, edited: next.tree };
  }
  return null;
}

const MovedOn = ({
  at,
  offer,
  take,
}: {
  readonly at: number;
  readonly offer: Instead | null;
  readonly take: (offer: Instead) => void;
}) => (
  <p class="note warn row" role="status">
    It moved on at #{countText(at)}; your edit is kept.
    {offer !== null && (
      <Button look="tiny" onPress={() => take(offer)}>
        Apply it to {visible(offer.title)} instead
      </Button>
    )}
  </p>
);

const bodyOf = (fields: Json | undefined, tree: Json | undefined): JsonObject => ({
  ...(fields === undefined ? {} : { fields }),
  ...(tree === undefined ? {} : { tree }),
});

/** Reads the workitem with its ETag first, so that nobody else's change is lost. */
function EditDialog({
  workitem,
  title,
  close,
  done,
}: {
  readonly workitem: string;
  readonly title: string;
  readonly close: () => void;
  readonly done: () => Promise<void>;
}) {
  const read = useResource(workitem);
  const value = read.value.value;
  // What it was opened with; after a conflict, what the other made of it.
  const [base, setBase] = useState<{ readonly etag: string | null; readonly fields: JsonObject } | null>(null);
  const fields = isObject(value) && isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : null;
  useEffect(() => {
    if (base === null && isObject(value)) setBase({ etag: read.etag.value, fields: (fields ?? {}) as JsonObject });
  }, [value]);
  if (base === null) return read.problem.value === null ? null : <ProblemNote problem={read.problem.value} />;
  return (
    <FieldsDialog
      conflict={(mine, take) => (
        <Conflict
          read={read}
          base={base}
          mine={mine}
          take={(next, etag) => {
            setBase({ etag, fields: base.fields });
            take(next);
          }}
        />
      )}
      title={`Edit the fields of ${title}`}
      about="Merged over the workitem's fields; refused when somebody else has changed them meanwhile."
      fields={base.fields}
      tree={null}
      merges
      verb="Save"
      make={({ fields }) => ({
        path: workitem,
        method: 'PATCH',
        body: { fields: fields ?? {} },
        ...(base.etag === null ? {} : { ifMatch: base.etag }),
      })}
      close={close}
      done={done}
    />
  );
}

/** Somebody else was faster: the workitem is read again, and each field chosen. */
function Conflict({
  read,
  base,
  mine,
  take,
}: {
  readonly read: ReturnType<typeof useResource>;
  readonly base: { readonly etag: string | null; readonly fields: JsonObject };
  readonly mine: JsonObject;
  readonly take: (fields: JsonObject, etag: string | null) => void;
}) {
  useEffect(() => {
    void read.again();
  }, []);
  const value = read.value.value;
  const theirs = isObject(value) && isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : null;
  if (theirs === null || read.etag.value === base.etag) return <div class="skeleton" />;
  return (
    <Merge
      before={base.fields}
      theirs={theirs as JsonObject}
      mine={mine}
      take={(next) => take(next, read.etag.value)}
    />
  );
}

function PlaceFields({
  id,
  seen,
  around,
  place,
  chosen,
  isNow,
  moment,
  data,
  set,
}: {
  readonly id: string;
  readonly seen: Seen | undefined;
  readonly around: ReadonlyMap<string, Seen>;
  readonly place: Place;
  readonly chosen: string | null;
  /** Whether what is shown is what lives now. */
  readonly isNow: boolean;
  /** The number of the entry that is looked at. */
  readonly moment: number;
  readonly data: Data;
  readonly set: Props['set'];
}) {
  const item = seen?.workitems.find((one) => one.expressionId === chosen);
  const path =
    item !== undefined && item.id.split('!').length === 3
      ? `v1/workflows/${part(id)}/workitems/${part(item.id)}`
      : chosen !== null && isNow
        ? `v1/workflows/${part(id)}/expressions/${part(chosen)}`
        : null;
  const read = useResource(path);
  const value = read.value.value;
  const fields = isObject(value) && isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : null;
  const branch = useMemo(() => branchAround(place.expid, around), [place.expid, around]);
  const held = useMemo(() => {
    if (fields === null) return null;
    const entries = chosen === null ? data.chronicle.entries : entriesFor(data.chronicle, chosen, data.chronicle.last);
    return heldFields(fields, entries, branch === null ? 2 : (data.chronicle.run(branch)?.n ?? 2));
  }, [value, chosen, branch, data.entries.value]);
  if (path === null) {
    const then = chosen ?? seen?.ended?.id ?? null;
    return <FieldsThen expression={then} n={moment} branch={branch} data={data} set={set} />;
  }
  if (read.problem.value !== null) return <ProblemNote problem={read.problem.value} />;
  if (!isObject(value) || held === null) return <div class="skeleton" />;
  const changed = held.filter((one) => one.changed).length;
  const began = branch === null ? null : (data.chronicle.run(branch)?.n ?? null);
  return (
    <>
      <p class="small dim">
        Changed since the {branch === null ? 'launch' : 'branch began'}
        {began === null ? '' : ` (#${countText(began)})`} · {countText(changed)} of {countText(held.length)} fields
      </p>
      <ul class="panel told-fields small">
        {held.slice(0, FIELDS_SHOWN).map((one) => (
          <HeldField key={one.name} of={one} set={set} />
        ))}
      </ul>
      <details>
        <summary class="small">
          {held.length > FIELDS_SHOWN
            ? `All ${countText(held.length)} fields, and its parameters`
            : 'As JSON, with its parameters'}
        </summary>
        <JsonView
          value={value['fields'] ?? {}}
          label={item === undefined ? 'Fields of the expression' : 'Fields of the workitem'}
          fields={[]}
        />
      </details>
    </>
  );
}

/** The fields that an expression had at a moment, or when it ended before that; as far as the history keeps what was given. */
function FieldsThen({
  expression,
  n,
  branch,
  data,
  set,
}: {
  readonly expression: string | null;
  readonly n: number;
  readonly branch: string | null;
  readonly data: Data;
  readonly set: Props['set'];
}) {
  const { chronicle } = data;
  const run = expression === null ? null : chronicle.run(expression);
  const moment = Math.min(n, run?.end?.n ?? n);
  const held = useMemo(() => {
    if (run === null) return null;
    const entries = entriesFor(chronicle, run.id, moment);
    const fields = fieldsAt(entries, moment);
    return fields === null ? null : heldFields(fields, entries, branch === null ? 2 : (chronicle.run(branch)?.n ?? 2));
  }, [run?.id, moment, branch, data.entries.value]);
  if (run === null) return <p class="small dim">Nothing had come here by then, so there are no fields of it.</p>;
  if (held === null)
    return (
      <p class="small dim">
        The history does not keep what was given, or not whole: a server with <code>HISTORY_FIELDS=given</code> keeps it
        for what is launched from then on.
      </p>
    );
  return (
    <>
      <p class="small dim">
        What had been given by #{countText(moment)}
        {run.end !== null && run.end.n <= n ? ', when it was over' : ''}; what the definition sets itself is not kept.
      </p>
      <ul class="panel told-fields small">
        {held.slice(0, FIELDS_SHOWN).map((one) => (
          <HeldField key={one.name} of={one} set={set} />
        ))}
      </ul>
      {held.length > FIELDS_SHOWN && <p class="small dim">and {countText(held.length - FIELDS_SHOWN)} more</p>}
    </>
  );
}

/** Who gave what in the branches of a place, and what became of it where they met. */
function PlaceMerges({
  place,
  data,
  n,
  over,
  set,
}: {
  readonly place: Place;
  readonly data: Data;
  readonly n: number;
  readonly over: boolean;
  readonly set: Props['set'];
}) {
  const merges = useMemo(
    () => mergesOf(place, data.chronicle, n).filter((one) => one.place.expid === place.expid),
    [place, data.entries.value, n],
  );
  return <Merges merges={merges} over={over} isBeside set={set} />;
}

/** Fields in this column, and characters of one value. */
const FIELDS_SHOWN = 12;
const VALUE_SHOWN = 60;

function HeldField({
  of: { name, value, by, changed, before },
  set,
}: {
  readonly of: Held;
  readonly set: Props['set'];
}) {
  const line = (one: Json, sign: string, look: string, who: Held['by']) => (
    <p class={`told-line ${look}`}>
      <span aria-hidden="true">{sign}</span>
      <span class="mono">
        <Text text={name} />: <Text text={shortJson(one)} />
      </span>
      <span class="dim">
        {who === null ? (
          ''
        ) : (
          <>
            <button type="button" class="more-link number" onClick={() => set({ at: who.n })}>
              #{countText(who.n)}
            </button>{' '}
            <Text text={who.who} />
          </>
        )}
      </span>
    </p>
  );
  return (
    <li>
      {before !== undefined && line(before, '−', 'gone', null)}
      {line(value, changed ? '+' : ' ', changed ? 'added' : '', by)}
    </li>
  );
}

function shortJson(value: Json): string {
  const text = Array.isArray(value)
    ? `[${countText(value.length)} ${value.length === 1 ? 'item' : 'items'}]`
    : JSON.stringify(value);
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}

/** The branch of a crowd that a place is looked at in: its first expression. */
function branchAround(expid: string, seen: ReadonlyMap<string, Seen>): string | null {
  for (let lane = expid; lane !== ''; lane = parentOf(lane)) {
    const crowd = seen.get(parentOf(lane));
    const mark = crowd?.marks[crowd.shown];
    if (mark !== undefined) return mark.id;
  }
  return null;
}

/** Expressions whose variables are asked for, from the inside out. */
const SCOPES_MAX = 30;

/** An expression and all that are around it, from the inside out. */
function waysUp(standing: Standing, from: string): readonly LiveExpression[] {
  const byId = new Map(standing.expressions.map((one) => [one.id, one]));
  const ways: LiveExpression[] = [];
  for (let at = byId.get(from); at !== undefined && ways.length < SCOPES_MAX; at = byId.get(at.parentId ?? '')) {
    if (ways.includes(at)) break;
    ways.push(at);
  }
  return ways;
}

type Scope = { readonly of: LiveExpression; readonly variables: JsonObject };

/** The variables that can be seen here, by who bound them, from the inside out; asked for when somebody wants to see them. */
function Variables({ id, ways }: { readonly id: string; readonly ways: readonly LiveExpression[] }) {
  const [scopes, setScopes] = useState<readonly Scope[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isOpen, open] = useState(false);
  const known = ways.map((one) => one.id).join();
  useEffect(() => {
    if (!isOpen) return;
    const abort = new AbortController();
    const asked = ways.map(async (of): Promise<Scope | null> => {
      const answer = await call(`v1/workflows/${part(id)}/expressions/${part(of.id)}`, { signal: abort.signal });
      if (abort.signal.aborted) return null;
      // What has ended meanwhile has none any more.
      if (!answer.ok && answer.problem.status !== 404) setProblem(answer.problem);
      const variables = answer.ok && isObject(answer.value) ? (answer.value['variables'] ?? null) : null;
      return isObject(variables) && Object.keys(variables).length > 0 ? { of, variables } : null;
    });
    void Promise.all(asked).then((all) => {
      if (!abort.signal.aborted) setScopes(all.filter((one) => one !== null));
    });
    return () => abort.abort();
  }, [isOpen, known]);
  return (
    <details onToggle={(event) => open(event.currentTarget.open)}>
      <summary>Variables that can be seen here</summary>
      {problem !== null && <ProblemNote problem={problem} />}
      {scopes === null && problem === null && <div class="skeleton" />}
      {scopes?.length === 0 && <p class="small dim">None is bound here or around it.</p>}
      {(scopes ?? []).map(({ of, variables }) => (
        <section key={of.id} aria-label={`Variables of ${of.expid}`}>
          <h3>
            bound at <span class="mono">{of.expid}</span> <Text text={of.name} />
          </h3>
          <JsonView value={variables} label={`Variables of ${of.expid}`} />
        </section>
      ))}
    </details>
  );
}

/** Tries that are told beside what a place is. */
const LAST_TRIES = 3;
/** Tries and entries of one place that are listed, the newest first. */
const LISTED_MAX = 100;

const triesOf = (data: Data, place: Place, expression: string | null): readonly Try[] =>
  data.chronicle
    .runsAt(place.at, Number.MAX_SAFE_INTEGER)
    .filter((run) => expression === null || run.id === expression)
    .flatMap((run) => run.tries)
    .sort((a, b) => b.n - a.n);

function Tries({ tries }: { readonly tries: readonly Try[] }) {
  if (tries.length === 0) return <p class="small dim">Nothing was sent from here.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Try</th>
          <th scope="col">Answer</th>
          <th scope="col">At</th>
          <th scope="col" class="number">
            ms
          </th>
        </tr>
      </thead>
      <tbody>
        {tries.slice(0, LISTED_MAX).map((one) => (
          <tr key={one.n}>
            <td class="number">
              {one.number} {one.message === 'active' ? '' : one.message}
            </td>
            <td>
              <b class={one.ok ? '' : 'bad'}>
                {one.ok ? '✓' : '✖'}{' '}
                {one.overtaken ? 'proceeded first' : (one.status ?? <Text text={one.error ?? 'no answer'} />)}
              </b>
            </td>
            <td>
              <Time at={one.at} how="time" />
            </td>
            <td class="number">{one.milliseconds === null ? '' : Math.round(one.milliseconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** @param inCall the expression of the call in whose body the place is looked at; null: it is none of a body */
function entriesOf({ chronicle }: Data, place: Place, inCall: string | null): readonly Entry[] {
  const prefix = `${place.at}!`;
  return chronicle.entries.filter((entry) => {
    const id = textOf(entry['expression_id']) || expressionIn(textOf(entry['workitem_id']));
    if (entry['expid'] !== place.at && !id.startsWith(prefix)) return false;
    return inCall === null || waysIn(chronicle, id).includes(inCall);
  });
}

function PlaceHistory({ found, set }: { readonly found: readonly Entry[]; readonly set: Props['set'] }) {
  if (found.length === 0) return <p class="small dim">Nothing has happened here yet.</p>;
  return (
    <ul class="stack tight small">
      {found
        .slice(-LISTED_MAX)
        .reverse()
        .map((entry) => (
          <li key={entry.n} class="told">
            <button type="button" class="button tiny number" onClick={() => set({ at: entry.n })}>
              #{countText(entry.n)}
            </button>
            <Text text={tellEntry(entry)} />
            <Time at={entry.at} how="time" />
          </li>
        ))}
    </ul>
  );
}
