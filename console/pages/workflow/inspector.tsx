import { useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../../src/model/json.ts';
import { TABS } from '../../address/pages.ts';
import { link } from '../../address/router.ts';
import { part } from '../../api/calls.ts';
import { useResource } from '../../live/resource.ts';
import { ActButton, Button } from '../../parts/action.tsx';
import { Chip, Glyph } from '../../parts/glyph.tsx';
import { JsonView } from '../../parts/json.tsx';
import { ProblemNote } from '../../parts/problem.tsx';
import { Copy, Text, Time } from '../../parts/said.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { shortExpression, visible } from '../../parts/texts.ts';
import { lineOf, type Place } from '../../picture/figure.ts';
import { expressionIn, type HeldWorkitem, objectsOf, textOf } from '../../picture/standing.ts';
import type { Seen } from '../../picture/states.ts';
import { tellEntry } from '../../picture/story.ts';
import { FieldsDialog } from './actions.tsx';
import type { Data } from './data.ts';
import type { State } from './page.tsx';

/** Expressions of one place that are listed. */
const LIVE_SHOWN = 12;

type Props = {
  readonly id: string;
  readonly place: Place;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly state: State;
  readonly set: (change: Partial<State>, how?: 'push' | 'replace') => void;
  readonly data: Data;
  readonly over: boolean;
  readonly at: number | null;
};

/** What there is to know of the chosen place, and to do there. */
export function Inspector({ id, place, seen, state, set, data, over, at }: Props) {
  const one = seen.get(place.expid);
  const live = one?.live ?? [];
  const chosen =
    live.find((each) => each.id === state.sel) ??
    live.find((each) => one?.failures.some((failure) => failure.expressionId === each.id)) ??
    live[0];
  return (
    <aside class="inspector" aria-label="The chosen place">
      <h2 class="row">
        <Glyph name={one?.state ?? 'to come'} /> <Text text={place.title} />
        <span class="dim small">{one?.state}</span>
      </h2>
      <p class="mono small">
        <Text text={lineOf(place)} />
      </p>
      <Tabs
        tight
        label="About this place"
        names={TABS}
        chosen={state.tab}
        choose={(tab) => set({ tab }, 'replace')}
        controls="about-place"
      />
      <div id="about-place" role="tabpanel" aria-label={state.tab} class="stack">
        {state.tab === 'what' && (
          <What
            id={id}
            place={place}
            seen={one}
            chosen={chosen?.id ?? null}
            set={set}
            data={data}
            over={over}
            at={at}
          />
        )}
        {state.tab === 'fields' && <PlaceFields id={id} seen={one} chosen={chosen?.id ?? null} />}
        {state.tab === 'tries' && <Tries id={id} seen={one} place={place} data={data} chosen={chosen?.id ?? null} />}
        {state.tab === 'tree' && <JsonView value={place.json} label="Tree of this place" />}
        {state.tab === 'history' && <PlaceHistory place={place} data={data} set={set} />}
      </div>
    </aside>
  );
}

function What({
  id,
  place,
  seen,
  chosen,
  set,
  data,
  over,
  at,
}: {
  readonly id: string;
  readonly place: Place;
  readonly seen: Seen | undefined;
  readonly chosen: string | null;
  readonly set: Props['set'];
  readonly data: Data;
  readonly over: boolean;
  readonly at: number | null;
}) {
  const live = seen?.live ?? [];
  const expression = live.find((one) => one.id === chosen);
  const item = seen?.workitems.find((one) => one.expressionId === chosen);
  const failure = seen?.failures.find((one) => one.expressionId === chosen);
  const timers = seen?.timers ?? [];
  const isFailed = (expression: string): boolean =>
    seen?.failures.some((each) => each.expressionId === expression) ?? false;
  return (
    <>
      <dl class="facts">
        <dt>Place</dt>
        <dd class="mono">{place.expid}</dd>
        {expression !== undefined && (
          <>
            <dt>Expression</dt>
            <dd>
              <span class="mono">{shortExpression(expression.id)}</span> <Copy what="Copy" text={expression.id} />
            </dd>
            <dt>State</dt>
            <dd>{expression.state}</dd>
          </>
        )}
        {seen?.ended?.end && live.length === 0 && (
          <>
            <dt>Ended</dt>
            <dd>
              <Time at={seen.ended.end.at} how="both" />, {seen.ended.end.kind}
            </dd>
          </>
        )}
        {(seen?.done ?? 0) > 1 && (
          <>
            <dt>Replied</dt>
            <dd>{seen?.done} times</dd>
          </>
        )}
        {item !== undefined && (
          <>
            <dt>Asked</dt>
            <dd>
              <Text text={item.participant} />, <Chip state={item.state} /> <Time at={item.openedAt} how="both" />
            </dd>
            {item.url !== null && (
              <>
                <dt>Callback</dt>
                <dd class="mono small">
                  <Text text={item.url} />
                </dd>
              </>
            )}
            <dt>Message</dt>
            <dd>
              {item.owed === null ? (
                'delivered'
              ) : (
                <>
                  {item.owed} is owed, {item.tries} {item.tries === 1 ? 'try' : 'tries'} so far
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
        {timers.slice(0, 5).map((timer) => (
          <>
            <dt>Timer</dt>
            <dd>
              <Text text={timer.action} /> <Time at={timer.dueAt} how="both" />
            </dd>
          </>
        ))}
        {place.tags.map((tag) => (
          <>
            <dt>Has</dt>
            <dd>
              <Text text={tag} />
            </dd>
          </>
        ))}
      </dl>
      {failure !== undefined && (
        <div class="problem">
          <p>
            <span class="code">
              <Text text={failure.class} />
            </span>{' '}
            <Text text={failure.message} />
          </p>
          <p class="small dim">
            since <Time at={failure.at} how="both" />
          </p>
        </div>
      )}
      {live.length > 1 && (
        <div class="stack">
          <h3>{live.length} expressions are here</h3>
          <ul class="row">
            {[...live]
              .sort((a, b) => Number(isFailed(b.id)) - Number(isFailed(a.id)))
              .slice(0, LIVE_SHOWN)
              .map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    class="button tiny mono"
                    aria-pressed={one.id === chosen}
                    onClick={() => set({ sel: one.id }, 'replace')}
                  >
                    {isFailed(one.id) ? '✖ ' : ''}
                    {shortExpression(one.id)}
                  </button>
                </li>
              ))}
          </ul>
        </div>
      )}
      {at !== null ? (
        <FromHere id={id} place={place} seen={seen} data={data} over={over} />
      ) : (
        expression !== undefined &&
        !over && (
          <PlaceActions
            id={id}
            place={place}
            expression={expression.id}
            item={item}
            failed={failure !== undefined}
            data={data}
          />
        )
      )}
    </>
  );
}

/** In the past: what lived here then and lives on can run again; of a workflow that is over, another one can be launched. */
function FromHere({
  id,
  place,
  seen,
  data,
  over,
}: {
  readonly id: string;
  readonly place: Place;
  readonly seen: Seen | undefined;
  readonly data: Data;
  readonly over: boolean;
}) {
  const [asking, ask] = useState<string | null>(null);
  const now = new Set(objectsOf(data.shown.value?.['expressions']).map((one) => textOf(one['id'])));
  const still = seen?.live.find((one) => now.has(one.id));
  if (over)
    return (
      <a class="button" href={link(`/workflows/new?from=${encodeURIComponent(id)}`)}>
        Launch again…
      </a>
    );
  if (still === undefined)
    return (
      <p class="small dim">
        Nothing that lived here then is alive now. Choose a place around it to replay from, or go back to Live to act.
      </p>
    );
  return (
    <>
      <Button needs="operate" onPress={() => ask(still.id)}>
        ↻ Replay from here…
      </Button>
      {asking !== null && (
        <FieldsDialog
          title={`Replay ${place.title} from here`}
          about="What runs below it now is cancelled, and participants at work there are told to stop; then it runs again from its beginning."
          fields={{}}
          tree={place.json}
          verb="Replay"
          make={({ fields, tree }) => ({
            path: `v1/workflows/${part(id)}/expressions/${part(asking)}/reapply`,
            body: bodyOf(fields, tree),
          })}
          close={() => ask(null)}
          done={() => data.again()}
        />
      )}
    </>
  );
}

function PlaceActions({
  id,
  place,
  expression,
  item,
  failed,
  data,
}: {
  readonly id: string;
  readonly place: Place;
  readonly expression: string;
  readonly item: HeldWorkitem | undefined;
  readonly failed: boolean;
  readonly data: Data;
}) {
  const [asking, ask] = useState<'replay' | 'proceed' | 'fail' | 'edit' | 'reapply' | null>(null);
  const again = (): Promise<void> => data.again();
  const workflow = `v1/workflows/${part(id)}`;
  const shown = objectsOf(data.shown.value?.['workitems']).find((one) => textOf(one['expression_id']) === expression);
  const held = shown !== undefined && isObject(shown['fields']) ? withoutKeys(shown['fields'], 'params') : {};
  const workitem = item === undefined ? '' : `${workflow}/workitems/${part(item.id)}`;
  const close = (): void => ask(null);
  return (
    <div class="stack actions">
      <div class="row">
        {failed && (
          <>
            <ActButton
              look="primary"
              asked={{ path: `${workflow}/errors/${part(expression)}/replay`, body: {} }}
              done={again}
            >
              ↻ Replay
            </ActButton>
            <Button needs="operate" onPress={() => ask('replay')}>
              Replay with…
            </Button>
          </>
        )}
        {item !== undefined && (
          <>
            <Button needs="operate" look={failed ? '' : 'primary'} onPress={() => ask('proceed')}>
              Proceed for it…
            </Button>
            <Button needs="operate" onPress={() => ask('fail')}>
              Give up for it…
            </Button>
            <Button needs="operate" onPress={() => ask('edit')}>
              Edit fields…
            </Button>
            <ActButton asked={{ path: `${workitem}/redeliver` }} done={again}>
              Try now
            </ActButton>
          </>
        )}
      </div>
      <div class="row">
        <Button needs="operate" onPress={() => ask('reapply')}>
          ✎ Edit tree, reapply…
        </Button>
        <ActButton asked={{ path: `${workflow}/expressions/${part(expression)}/cancel` }} done={again} look="danger">
          Cancel this
        </ActButton>
        <ActButton asked={{ path: `${workflow}/expressions/${part(expression)}/kill` }} done={again} look="danger">
          Kill this
        </ActButton>
      </div>
      {item !== undefined && (
        <a class="small" href={link(`/worklist/${part(item.id)}`)}>
          Open in the worklist
        </a>
      )}
      {asking === 'proceed' && (
        <FieldsDialog
          title={`Proceed for ${place.title}`}
          about="The fields you change are merged over the workitem's; then the workflow goes on behind it."
          fields={held}
          tree={null}
          withReason={false}
          verb="Proceed"
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
          make={({ message }) => ({ path: `${workitem}/fail`, body: { message } })}
          close={close}
          done={again}
        />
      )}
      {asking === 'edit' && <EditDialog workitem={workitem} title={place.title} close={close} done={again} />}
      {asking === 'replay' && (
        <FieldsDialog
          title={`Replay ${place.title}`}
          about="What failed is tried again, with other fields or another tree where you change them."
          fields={held}
          tree={place.json}
          verb="Replay"
          make={({ fields, tree }) => ({
            path: `${workflow}/errors/${part(expression)}/replay`,
            body: bodyOf(fields, tree),
          })}
          close={close}
          done={again}
        />
      )}
      {asking === 'reapply' && (
        <FieldsDialog
          title={`Reapply ${place.title}`}
          about="The expression is cancelled, participants at work below it are told to stop; then it runs again."
          fields={held}
          tree={place.json}
          verb="Reapply"
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
  if (!isObject(value)) return read.problem.value === null ? null : <ProblemNote problem={read.problem.value} />;
  return (
    <FieldsDialog
      title={`Edit the fields of ${title}`}
      about="Merged over the workitem's fields; refused when somebody else has changed them meanwhile."
      fields={isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : {}}
      tree={null}
      verb="Save"
      make={({ fields }) => ({
        path: workitem,
        method: 'PATCH',
        body: { fields: fields ?? {} },
        ...(read.etag.value === null ? {} : { ifMatch: read.etag.value }),
      })}
      close={close}
      done={done}
    />
  );
}

function PlaceFields({
  id,
  seen,
  chosen,
}: {
  readonly id: string;
  readonly seen: Seen | undefined;
  readonly chosen: string | null;
}) {
  const item = seen?.workitems.find((one) => one.expressionId === chosen);
  const read = useResource(
    item === undefined || item.id.split('!').length !== 3
      ? null
      : `v1/workflows/${part(id)}/workitems/${part(item.id)}`,
  );
  if (item === undefined)
    return (
      <p class="small dim">Fields are known where somebody is asked; those of the workflow are in the view Fields.</p>
    );
  if (read.problem.value !== null) return <ProblemNote problem={read.problem.value} />;
  const value = read.value.value;
  return isObject(value) ? (
    <JsonView value={value['fields'] ?? {}} label="Fields of the workitem" />
  ) : (
    <div class="skeleton" />
  );
}

/** Tries of one place that are listed, the newest first. */
const TRIES_SHOWN = 100;

function Tries({
  place,
  data,
  chosen,
}: {
  readonly id: string;
  readonly seen: Seen | undefined;
  readonly place: Place;
  readonly data: Data;
  readonly chosen: string | null;
}) {
  const runs = data.chronicle.runsAt(place.expid, Number.MAX_SAFE_INTEGER);
  const tries = runs
    .filter((run) => chosen === null || run.id === chosen)
    .flatMap((run) => run.tries)
    .sort((a, b) => b.n - a.n);
  if (tries.length === 0) return <p class="small dim">Nothing was tried here.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Try</th>
          <th scope="col">Answer</th>
          <th scope="col">At</th>
          <th scope="col">ms</th>
        </tr>
      </thead>
      <tbody>
        {tries.slice(0, TRIES_SHOWN).map((one) => (
          <tr key={one.n}>
            <td>
              {one.number} {one.message === 'active' ? '' : one.message}
            </td>
            <td>
              {one.ok ? '✓' : '✖'}{' '}
              {one.overtaken ? 'proceeded first' : (one.status ?? <Text text={one.error ?? 'no answer'} />)}
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

function PlaceHistory({
  place,
  data,
  set,
}: {
  readonly place: Place;
  readonly data: Data;
  readonly set: Props['set'];
}) {
  const found = data.chronicle.entries
    .filter(
      (entry) =>
        textOf(entry['expid']) === place.expid ||
        expressionIn(textOf(entry['workitem_id']) || textOf(entry['expression_id'])).startsWith(`${place.expid}!`),
    )
    .slice(-TRIES_SHOWN)
    .reverse();
  if (found.length === 0) return <p class="small dim">Nothing has happened here yet.</p>;
  return (
    <ul class="stack small">
      {found.map((entry) => (
        <li key={entry.n}>
          <button type="button" class="button tiny number" onClick={() => set({ at: entry.n })}>
            #{entry.n}
          </button>{' '}
          <Time at={entry.at} how="time" /> {visible(tellEntry(entry))}
        </li>
      ))}
    </ul>
  );
}
