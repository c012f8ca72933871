import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { worklist as codec } from '../address/pages.ts';
import { decoded, go, goQuery, link, path, query } from '../address/router.ts';
import { can, part } from '../api/calls.ts';
import { me } from '../api/session.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from '../parts/action.tsx';
import type { Wrong } from '../parts/check-worker.ts';
import { fieldChanges } from '../parts/diff.ts';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { later } from '../parts/later.tsx';
import { ChoiceFilter, Complaints, Filters, ListState, Older, Table, TextFilter } from '../parts/list.tsx';
import { Merge } from '../parts/merge.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
import { fieldId, SchemaField } from '../parts/schema-form.tsx';
import { firstValue } from '../parts/schema-model.ts';
import { visible } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

const Stands = later(() => import('../parts/stands.tsx').then((part) => part.Stands));

/** Workitems of one page. */
const LIMIT = 100;

/** What waits for people and services; one of them is done at a time. */
export function Worklist() {
  const { state, complaints } = codec.read(query.value);
  const chosen = decoded(path.value.split('/')[2] ?? '');
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    if (state.participant !== '') search.set('participant', state.participant);
    if (state.status !== '') search.set('status', state.status);
    if (state.overdue !== '') search.set('overdue', state.overdue);
    if (state.mine !== '') search.set('assignee', nameOfMe());
    if (state.order === 'oldest' && state.overdue === '') search.set('order', 'oldest');
    if (state.cursor !== '') search.set('cursor', state.cursor);
    return `v1/workitems?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  usePolling(() => void list.again());
  const read = isObject(list.value.value) ? objectsOf(list.value.value['workitems']) : [];
  const wanted = state.q.toLowerCase();
  const items = wanted === '' ? read : read.filter((one) => JSON.stringify(one).toLowerCase().includes(wanted));
  // Another question begins with its first page.
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));
  const suffix = query.value === '' ? '' : `?${query.value}`;
  const next = (done: string): void => {
    void list.again();
    const at = items.findIndex((one) => textOf(one['id']) === done);
    const following = items[at + 1] ?? items[at - 1];
    go(
      following === undefined ? `/worklist${suffix}` : `/worklist/${part(textOf(following['id']))}${suffix}`,
      'replace',
    );
  };
  const isFiltered = codec.write({ ...state, order: 'oldest', cursor: '' }) !== '';
  return (
    <>
      <PageHead title="Worklist" />
      <Complaints of={complaints} />
      <Filters>
        <TextFilter title="Participant" value={state.participant} set={(participant) => set({ participant })} />
        <ChoiceFilter
          title="State"
          value={state.status}
          any="open and failed"
          choices={['open', 'failed']}
          set={(status) => set({ status })}
        />
        <label class="row">
          <input
            type="checkbox"
            checked={state.overdue === '1'}
            onChange={(event) => set({ overdue: event.currentTarget.checked ? '1' : '' })}
          />
          Overdue
        </label>
        <label class="row">
          <input
            type="checkbox"
            checked={state.mine === '1'}
            onChange={(event) => set({ mine: event.currentTarget.checked ? '1' : '' })}
          />
          Mine
        </label>
        <TextFilter title="Text" value={state.q} set={(q) => set({ q })} />
        <Button
          look="tiny"
          why={state.overdue === '' ? null : 'what is overdue is listed the oldest first'}
          onPress={() => set({ order: state.order === 'oldest' ? 'any' : 'oldest' })}
        >
          {state.order === 'oldest' || state.overdue !== '' ? 'Oldest first' : 'In any order'}
        </Button>
      </Filters>
      {chosen !== '' && (
        <p class="back">
          <a class="button tiny" href={link(`/worklist${suffix}`)}>
            ‹ All workitems
          </a>
        </p>
      )}
      <div class={chosen === '' ? 'stack' : 'split one-of'}>
        <div class="stack list-of">
          <ListState
            list={list}
            count={items.length}
            empty={isFiltered ? 'No workitem matches' : 'Nobody is asked for anything'}
            about={
              isFiltered
                ? undefined
                : 'When it is the turn of a person or a service, what they are asked for stands here until they answer.'
            }
            all={isFiltered ? '/worklist' : null}
          />
          <Table
            rows={items}
            keyOf={(one) => textOf(one['id'])}
            isChosen={(one) => textOf(one['id']) === chosen}
            columns={[
              {
                title: 'Participant',
                cell: (one) => (
                  <a href={link(`/worklist/${part(textOf(one['id']))}${suffix}`)}>
                    <Text text={textOf(one['participant'])} />
                  </a>
                ),
              },
              { title: 'Task', cell: (one) => <Text text={textOf(paramsOf(one)['task'])} /> },
              { title: 'Since', cell: (one) => <Time at={textOrNull(one['opened_at'])} /> },
              {
                title: 'State',
                cell: (one) =>
                  one['overdue'] === true ? (
                    <Chip state="failing" word="overdue" />
                  ) : (
                    <Chip state={textOf(one['status'])} />
                  ),
              },
              ...(chosen === ''
                ? [
                    {
                      title: 'Workflow',
                      cell: (one: JsonObject) => <WorkflowLink id={textOf(one['workflow_id'])} />,
                    },
                  ]
                : []),
            ]}
          />
        </div>
        {chosen !== '' && <Item key={chosen} id={chosen} done={() => next(chosen)} />}
      </div>
      {chosen === '' && <Older value={list.value.value} cursor={state.cursor} set={(cursor) => set({ cursor })} />}
    </>
  );
}

const paramsOf = (item: JsonObject): JsonObject =>
  isObject(item['fields']) && isObject(item['fields']['params']) ? item['fields']['params'] : {};

type Draft = { readonly etag: string | null; readonly value: JsonObject };
type Seen = { readonly etag: string | null; readonly fields: JsonObject };

/** What was typed before and not sent. */
function draftFor(id: string): Draft | null {
  const kept = draftOf(`item.${id}`);
  if (kept === null) return null;
  const read = JSON.parse(kept) as Json;
  return isObject(read) && isObject(read['value']) ? { etag: textOrNull(read['etag']), value: read['value'] } : null;
}

/** One workitem: the form its parameters name, else one of its top-level fields, typed by their values. */
function Item({ id, done }: { readonly id: string; readonly done: () => void }) {
  const workflow = id.split('!')[2] ?? '';
  const base = `v1/workflows/${part(workflow)}/workitems/${part(id)}`;
  const read = useResource(base, 5_000);
  // What the form was made of. What others change meanwhile is shown, never taken over unasked.
  const [seen, setSeen] = useState<Seen | null>(null);
  const [draft, setDraft] = useState<Draft | null>(() => draftFor(id));
  const [more, setMore] = useState('');
  const [failing, setFailing] = useState(false);
  // Whether somebody else's workitem is acted on all the same.
  const [acting, act] = useState(false);
  const [wrong, setWrong] = useState<readonly Wrong[]>([]);
  const [note, setNote] = useState<string | null>(null);
  const summary = useRef<HTMLDivElement>(null);
  const value = isObject(read.value.value) ? read.value.value : null;
  const fields = useMemo(
    () => (value !== null && isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : null),
    [value],
  );
  useEffect(() => {
    if (fields === null) return;
    // A claim changes the tag and none of the fields: there is nothing to choose then.
    if (seen === null || (seen.etag !== read.etag.value && JSON.stringify(fields) === JSON.stringify(seen.fields)))
      setSeen({ etag: read.etag.value, fields: fields as JsonObject });
  }, [fields, read.etag.value]);
  const params = value === null ? {} : paramsOf(value);
  const formName = value === null ? null : formNameOf(value, params);
  const named = useResource(formName === null || !can('GET /v1/forms/{}') ? null : `v1/forms/${part(formName)}`);
  const found = isObject(named.value.value) ? (named.value.value['form'] ?? null) : null;
  const ownForm = params['form'] === undefined && value !== null && isObject(value['form']) ? value['form'] : null;
  const given = isObject(params['form']) ? params['form'] : (ownForm ?? (isObject(found) ? found : null));
  const schema = useMemo(() => given ?? impliedBy(seen?.fields ?? {}), [JSON.stringify(given), seen]);
  const keep = (next: JsonObject): void => {
    const kept = { etag: draft?.etag ?? seen?.etag ?? null, value: next };
    setDraft(kept);
    keepDraft(`item.${id}`, JSON.stringify(kept));
  };
  const finish = (): void => {
    keepDraft(`item.${id}`, null);
    done();
  };
  const proceed = useAction(finish);
  const save = useAction(async () => {
    keepDraft(`item.${id}`, null);
    setDraft(null);
    setSeen(null);
    await read.again();
  });
  useEffect(() => {
    if (wrong.length > 0) summary.current?.focus();
  }, [wrong]);

  const gone = read.problem.value !== null && (read.problem.value.status === 404 || read.problem.value.status === 400);
  if (gone)
    return (
      <div class="note warn" role="alert">
        <p>This workitem is gone: it was proceeded elsewhere, cancelled or timed out.</p>
        {draft !== null && <JsonView value={draft.value} label="What you had typed" />}
      </div>
    );
  if (read.problem.value !== null && value === null)
    return <ProblemNote problem={read.problem.value} again={() => void read.again()} />;
  if (value === null || seen === null || fields === null) return <div class="skeleton" />;

  const claimed = claimOf(value);
  const isAnothers = claimed.holder !== '' && claimed.holder !== nameOfMe();
  const mine = claimed.holder !== '' && (!isAnothers || acting) ? { assignee: claimed.holder } : {};
  const held = isAnothers && !acting ? `${claimed.holder} has claimed it` : null;
  const shown = draft?.value ?? ((firstValue(schema, seen.fields) ?? {}) as JsonObject);
  const wrongMore = wrongJson(more, 'object');
  const changed = (): JsonObject => ({
    ...Object.fromEntries(fieldChanges(seen.fields, shown).map(({ name, after }) => [name, after ?? null])),
    ...(wrongMore === null ? ((jsonOf(more) ?? {}) as JsonObject) : {}),
  });
  const theirs =
    read.etag.value !== seen.etag && JSON.stringify(fields) !== JSON.stringify(seen.fields)
      ? (fields as JsonObject)
      : null;
  const send = async (): Promise<void> => {
    setNote(null);
    setWrong([]);
    if (given !== null) {
      const { checkValue } = await import('../parts/check.ts');
      const checked = await checkValue(given, shown);
      if ('unchecked' in checked) setNote(`Not checked here: ${checked.unchecked}`);
      else if (checked.wrong.length > 0) {
        setWrong(checked.wrong);
        return;
      }
    }
    const answer = await proceed.act({
      path: `${base}/proceed`,
      body: { fields: changed() },
      ...(seen.etag === null ? {} : { ifMatch: seen.etag }),
      ...mine,
    });
    if (answer?.ok === false && answer.problem.status === 412) void read.again();
  };
  return (
    <section class="panel stack" aria-label={`Workitem of ${visible(textOf(value['participant']))}`}>
      <h2>
        <Text text={textOf(value['participant'])} />
      </h2>
      {textOf(params['task']) !== '' && (
        <p>
          <Text text={textOf(params['task'])} />
        </p>
      )}
      <p class="small dim row">
        <Chip state={textOf(value['status'])} /> since <Time at={textOrNull(value['opened_at'])} how="both" />
        {value['overdue'] === true && <Chip state="failing" word="overdue" />}
        <WorkflowLink id={workflow} />
      </p>
      <Params of={params} />
      <Where workflow={workflow} />
      <Claim base={base} item={value} again={() => read.again()} />
      {isAnothers && (
        <label class="row note warn small">
          <input type="checkbox" checked={acting} onChange={(event) => act(event.currentTarget.checked)} />
          <span>
            Act on it all the same: <Text text={claimed.holder} /> has it
          </span>
        </label>
      )}
      {theirs !== null && (
        <Merge
          before={seen.fields}
          theirs={theirs}
          mine={shown}
          take={(next) => {
            setSeen({ etag: read.etag.value, fields: theirs });
            setDraft({ etag: read.etag.value, value: next });
            keepDraft(`item.${id}`, JSON.stringify({ etag: read.etag.value, value: next }));
            proceed.clear();
            save.clear();
          }}
        />
      )}
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          // Enter in a text field never sends half a value.
          if (event.submitter !== null && wrongMore === null) void send();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && event.target instanceof HTMLInputElement) event.preventDefault();
        }}
      >
        {wrong.length > 0 && (
          <div class="problem" role="alert" tabIndex={-1} ref={summary}>
            <p>{wrong.length === 1 ? 'One thing is' : `${wrong.length} things are`} not right yet:</p>
            <ul>
              {wrong.map((one) => (
                <li key={`${one.pointer} ${one.detail}`}>
                  <button
                    type="button"
                    class="more-link"
                    onClick={() => document.getElementById(fieldId(one.pointer))?.focus()}
                  >
                    <Text text={one.pointer || 'the whole'} />
                  </button>
                  : <Text text={one.detail} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {note !== null && <p class="note warn small">{note}</p>}
        <SchemaField
          schema={schema}
          name="fields"
          pointer=""
          value={shown}
          wrong={wrong}
          change={(next) => keep(isObject(next ?? null) ? (next as JsonObject) : {})}
        />
        {given === null && (
          <JsonField
            label="More fields"
            hint="An object that is merged over the others; empty: none."
            text={more}
            set={setMore}
            rows={3}
          />
        )}
        {proceed.problem !== null && <ProblemNote problem={proceed.problem} />}
        {save.problem !== null && <ProblemNote problem={save.problem} />}
        <div class="row">
          <Button
            type="submit"
            look="primary"
            needs="operate"
            busy={proceed.busy}
            why={wrongMore ?? (theirs === null ? held : 'somebody else changed it: choose first')}
          >
            Proceed
          </Button>
          <Button
            needs="operate"
            busy={save.busy}
            why={wrongMore ?? (Object.keys(changed()).length === 0 ? 'nothing was changed' : held)}
            onPress={() =>
              void save.act({
                path: base,
                method: 'PATCH',
                body: { fields: changed() },
                ...(seen.etag === null ? {} : { ifMatch: seen.etag }),
                ...mine,
              })
            }
          >
            Save
          </Button>
          <Button needs="operate" why={held} onPress={() => setFailing(true)}>
            Give up…
          </Button>
        </div>
      </form>
      <details>
        <summary>All fields and parameters</summary>
        <JsonView value={value['fields'] ?? {}} label="Fields of the workitem" fields={[]} />
      </details>
      {failing && <GiveUp base={base} mine={mine} close={() => setFailing(false)} done={finish} />}
    </section>
  );
}

/** The sentence of its workflow; read when somebody wants it, for a workflow may be large. */
function Where({ workflow }: { readonly workflow: string }) {
  const [isOpen, open] = useState(false);
  const read = useResource(isOpen ? `v1/workflows/${part(workflow)}` : null);
  const { value } = read.value;
  return (
    <details onToggle={(event) => open(event.currentTarget.open)}>
      <summary>Where its workflow stands</summary>
      {read.problem.value !== null && <ProblemNote problem={read.problem.value} />}
      {isOpen && !isObject(value) && read.problem.value === null && <div class="skeleton" />}
      {isObject(value) && <Stands workflow={value} />}
    </details>
  );
}

/** Parameters that stand in words elsewhere. */
const KNOWN_PARAMS: ReadonlySet<string> = new Set(['task', 'form', 'ref']);
/** Parameters that are shown above the form, and characters of each. */
const PARAMS_MAX = 20;
const PARAM_SHOWN = 300;

/** What else the definition says to who does it. */
function Params({ of }: { readonly of: JsonObject }) {
  const list = Object.entries(of).filter(([name]) => !KNOWN_PARAMS.has(name));
  if (list.length === 0) return null;
  return (
    <dl class="facts">
      {list.slice(0, PARAMS_MAX).map(([name, value]) => (
        <Fragment key={name}>
          <dt>
            <Text text={name} />
          </dt>
          <dd>
            <Text text={(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, PARAM_SHOWN)} />
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** Whose form is shown: the one a parameter names, else that of a person; null: nobody's. What is sent somewhere is not for people. */
const formNameOf = (item: JsonObject, params: JsonObject): string | null => {
  if (params['form'] !== undefined) return textOrNull(params['form']);
  return isObject(item['callback']) && item['callback']['url'] === null ? textOrNull(item['participant']) : null;
};

/** A schema for fields that have none: each as what it is now. */
const impliedBy = (fields: JsonObject): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(fields).map(([name, value]): [string, Json] => [
      name,
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? { type: typeof value }
        : {},
    ]),
  ),
});

/** Empty: nobody has claimed it. */
const claimOf = (item: JsonObject): { readonly holder: string; readonly until: string | null } => {
  const claim = isObject(item['claim']) ? item['claim'] : {};
  return { holder: textOf(claim['assignee']), until: textOrNull(claim['until']) };
};

/** Whom colleagues see; it stands in a header, too, which holds no other letters. */
const nameOfMe = (): string =>
  [me.value?.name, me.value?.id].find(
    (name) => typeof name === 'string' && /^[\x21-\x7e][\x20-\x7e]{0,199}$/.test(name),
  ) ?? 'console';

/** Who has taken it. A claim is a courtesy: whoever may work on it may also let it go. */
function Claim({
  base,
  item,
  again,
}: {
  readonly base: string;
  readonly item: JsonObject;
  readonly again: () => Promise<void>;
}) {
  if (!can('POST /v1/workflows/{}/workitems/{}/claim')) return null;
  const { holder, until } = claimOf(item);
  return (
    <p class="row small">
      {holder === '' ? (
        'Nobody has claimed it.'
      ) : (
        <span>
          <Text text={`Claimed by ${holder}`} /> until <Time at={until} />
        </span>
      )}
      {holder === '' ? (
        <ActButton look="tiny" asked={{ path: `${base}/claim`, body: { assignee: nameOfMe() } }} done={again}>
          Claim it
        </ActButton>
      ) : (
        <ActButton look="tiny" asked={{ path: `${base}/release`, body: { assignee: holder } }} done={again}>
          Release it
        </ActButton>
      )}
    </p>
  );
}

function GiveUp({
  base,
  mine,
  close,
  done,
}: {
  readonly base: string;
  readonly mine: { readonly assignee?: string };
  readonly close: () => void;
  readonly done: () => void;
}) {
  const [message, setMessage] = useState('');
  const [kind, setKind] = useState('');
  const [retry, setRetry] = useState(false);
  const action = useAction(() => {
    close();
    done();
  });
  return (
    <Dialog title="Give up" close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (message.trim() !== '')
            void action.act({
              path: `${base}/fail`,
              body: { message: message.trim(), retry, ...(kind.trim() === '' ? {} : { class: kind.trim() }) },
              ...mine,
            });
        }}
      >
        <label class="field">
          <span class="label">What went wrong</span>
          <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Class (optional)</span>
          <input
            value={kind}
            maxLength={200}
            placeholder="RuntimeError"
            onInput={(event) => setKind(event.currentTarget.value)}
          />
        </label>
        <label class="row">
          <input type="checkbox" checked={retry} onChange={(event) => setRetry(event.currentTarget.checked)} />
          Counts as one failed try: it is asked again
        </label>
        {action.problem !== null && <ProblemNote problem={action.problem} />}
        <div class="row">
          <Button
            type="submit"
            look="danger"
            needs="operate"
            busy={action.busy}
            why={message.trim() === '' ? 'say what went wrong' : null}
          >
            Give up
          </Button>
          <Button onPress={close}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
