import { useEffect, useMemo, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject, withoutKeys } from '../../src/model/json.ts';
import { worklist as codec } from '../address/pages.ts';
import { go, goQuery, link, path, query } from '../address/router.ts';
import { part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { draftOf, keepDraft } from '../app/settings.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Button, Dialog, JsonField, jsonOf, useAction, wrongJson } from '../parts/action.tsx';
import { Chip } from '../parts/glyph.tsx';
import { JsonView } from '../parts/json.tsx';
import { ChoiceFilter, Complaints, Filters, ListState, Table, TextFilter } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Workitems of one page. */
const LIMIT = 100;

/** What waits for people and services; one of them is done at a time. */
export function Worklist() {
  const { state, complaints } = codec.read(query.value);
  const chosen = decodeURIComponent(path.value.split('/')[2] ?? '');
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    if (state.participant !== '') search.set('participant', state.participant);
    if (state.status !== '') search.set('status', state.status);
    return `v1/workitems?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  usePolling(() => void list.again());
  const items = isObject(list.value.value) ? objectsOf(list.value.value['workitems']) : [];
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
  const isFiltered = state.participant !== '' || state.status !== '';
  return (
    <>
      <PageHead title="Worklist" />
      <Complaints of={complaints} />
      <Filters>
        <TextFilter
          title="Participant"
          value={state.participant}
          set={(participant) => goQuery(codec.write({ ...state, participant }))}
        />
        <ChoiceFilter
          title="State"
          value={state.status}
          any="open and failed"
          choices={['open', 'failed']}
          set={(status) => goQuery(codec.write({ ...state, status }))}
        />
      </Filters>
      <ListState
        list={list}
        count={items.length}
        empty={isFiltered ? 'No workitem matches' : 'Nobody is asked for anything'}
        all={isFiltered ? '/worklist' : null}
      />
      <div class={chosen === '' ? 'stack' : 'split'}>
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
            { title: 'State', cell: (one) => <Chip state={textOf(one['status'])} /> },
            { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
          ]}
        />
        {chosen !== '' && <Item key={chosen} id={chosen} done={() => next(chosen)} />}
      </div>
    </>
  );
}

const paramsOf = (item: JsonObject): JsonObject =>
  isObject(item['fields']) && isObject(item['fields']['params']) ? item['fields']['params'] : {};

/** One workitem: a form of its top-level fields, typed by their values; the rest is JSON. */
function Item({ id, done }: { readonly id: string; readonly done: () => void }) {
  const workflow = id.split('!')[2] ?? '';
  const read = useResource(`v1/workflows/${part(workflow)}/workitems/${part(id)}`, 5_000);
  const [draft, setDraft] = useState<JsonObject>({});
  const [more, setMore] = useState('');
  const [failing, setFailing] = useState(false);
  useEffect(() => {
    const kept = draftOf(`item.${id}`);
    if (kept === null) return;
    const value = JSON.parse(kept) as Json;
    if (isObject(value)) setDraft(value);
  }, [id]);
  const change = (key: string, value: Json): void => {
    const next = { ...draft, [key]: value };
    setDraft(next);
    keepDraft(`item.${id}`, JSON.stringify(next));
  };
  const base = `v1/workflows/${part(workflow)}/workitems/${part(id)}`;
  const finish = (): void => {
    keepDraft(`item.${id}`, null);
    done();
  };
  const proceed = useAction(finish);
  const save = useAction(() => {
    keepDraft(`item.${id}`, null);
    setDraft({});
    return read.again();
  });
  const value = read.value.value;
  if (read.problem.value !== null && read.problem.value.status === 404)
    return (
      <div class="note warn">
        <p>This workitem is gone: it was proceeded elsewhere, cancelled or timed out.</p>
        {Object.keys(draft).length > 0 && <JsonView value={draft} label="What you had typed" />}
      </div>
    );
  if (read.problem.value !== null) return <ProblemNote problem={read.problem.value} again={() => void read.again()} />;
  if (!isObject(value)) return <div class="skeleton" />;
  const fields = isObject(value['fields']) ? withoutKeys(value['fields'], 'params') : {};
  const params = paramsOf(value);
  const wrong = wrongJson(more, 'object');
  const given = (): JsonObject => ({ ...draft, ...(wrong === null ? ((jsonOf(more) ?? {}) as JsonObject) : {}) });
  return (
    <section class="panel stack" aria-label={`Workitem of ${textOf(value['participant'])}`}>
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
        <WorkflowLink id={workflow} />
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          // Enter in a text field never sends half a value.
          if (event.submitter !== null && wrong === null)
            void proceed.act({ path: `${base}/proceed`, body: { fields: given() } });
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && event.target instanceof HTMLInputElement) event.preventDefault();
        }}
      >
        {Object.entries(fields).map(([key, one]) => (
          <FieldInput key={key} name={key} value={draft[key] ?? one} change={(next) => change(key, next)} />
        ))}
        <JsonField
          label="More fields"
          hint="An object that is merged over the others; empty: none."
          text={more}
          set={setMore}
          rows={3}
        />
        {proceed.problem !== null && <ProblemNote problem={proceed.problem} />}
        {save.problem !== null && <ProblemNote problem={save.problem} />}
        <div class="row">
          <Button type="submit" look="primary" busy={proceed.busy} why={wrong}>
            Proceed
          </Button>
          <Button
            busy={save.busy}
            why={wrong ?? (Object.keys(given()).length === 0 ? 'nothing was changed' : null)}
            onPress={() =>
              void save.act({
                path: base,
                method: 'PATCH',
                body: { fields: given() },
                ...(read.etag.value === null ? {} : { ifMatch: read.etag.value }),
              })
            }
          >
            Save
          </Button>
          <Button onPress={() => setFailing(true)}>Give up…</Button>
        </div>
      </form>
      <details>
        <summary>All fields and parameters</summary>
        <JsonView value={value['fields'] ?? {}} label="Fields of the workitem" />
      </details>
      {failing && <GiveUp base={base} close={() => setFailing(false)} done={finish} />}
    </section>
  );
}

function FieldInput({
  name,
  value,
  change,
}: {
  readonly name: string;
  readonly value: Json;
  readonly change: (value: Json) => void;
}) {
  const id = `field-${name}`;
  if (typeof value === 'boolean')
    return (
      <label class="row">
        <input type="checkbox" checked={value} onChange={(event) => change(event.currentTarget.checked)} />
        <Text text={name} />
      </label>
    );
  if (typeof value === 'string' || typeof value === 'number')
    return (
      <div class="field">
        <label for={id}>
          <Text text={name} />
        </label>
        {typeof value === 'string' && (value.length > 80 || value.includes('\n')) ? (
          <textarea id={id} rows={4} value={value} onInput={(event) => change(event.currentTarget.value)} />
        ) : (
          <input
            id={id}
            inputMode={typeof value === 'number' ? 'decimal' : 'text'}
            value={String(value)}
            onInput={(event) => {
              const text = event.currentTarget.value;
              change(typeof value === 'number' && text !== '' && Number.isFinite(Number(text)) ? Number(text) : text);
            }}
          />
        )}
      </div>
    );
  return (
    <div class="field">
      <span class="label">
        <Text text={name} />
      </span>
      <JsonView value={value} label={name} />
    </div>
  );
}

function GiveUp({
  base,
  close,
  done,
}: {
  readonly base: string;
  readonly close: () => void;
  readonly done: () => void;
}) {
  const [message, setMessage] = useState('');
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
            void action.act({ path: `${base}/fail`, body: { message: message.trim(), retry } });
        }}
      >
        <label class="field">
          <span class="label">What went wrong</span>
          <input value={message} onInput={(event) => setMessage(event.currentTarget.value)} />
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
