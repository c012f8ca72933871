import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JsonObject } from '../../src/model/json.ts';
import { isObject } from '../../src/model/json.ts';
import { workflows as codec } from '../address/pages.ts';
import { apiRoot, go, goQuery, link, query } from '../address/router.ts';
import { curlOf } from '../api/curl.ts';
import { onKey } from '../app/keys.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Button } from '../parts/action.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Complaints, ListState, Table } from '../parts/list.tsx';
import { Empty } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, STATUSES, type Status, textOf, textOrNull } from '../picture/standing.ts';

/** Rows of one page. */
const LIMIT = 100;

const VIEWS: readonly (readonly [string, string])[] = [
  ['All', ''],
  ['In error', 'status=error'],
  ['Running', 'status=running'],
  ['Paused', 'status=paused'],
  ['Completed', 'status=completed'],
];

export function Workflows() {
  const { state, complaints } = codec.read(query.value);
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    // One status is what every server takes.
    for (const status of state.status) search.append('status', status);
    for (const name of ['name', 'participant', 'tag', 'cursor'] as const)
      if (state[name] !== '') search.set(name, state[name]);
    return `v1/workflows?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  // Rows that are shown change in place; those that came since wait until they are asked for.
  const fresh = useResource(asked);
  usePolling(() => void fresh.again());
  const shown = rowsOf(list.value.value);
  const latest = rowsOf(fresh.value.value);
  const byId = new Map(latest.map((one) => [textOf(one['id']), one]));
  const known = new Set(shown.map((one) => textOf(one['id'])));
  const news = list.value.value === undefined ? 0 : latest.filter((one) => !known.has(textOf(one['id']))).length;
  const [at, setAt] = useState(-1);
  useEffect(
    () =>
      onKey((key) => {
        if (key === 'j') setAt((one) => Math.min(one + 1, shown.length - 1));
        else if (key === 'k') setAt((one) => Math.max(one - 1, 0));
        else if (key === 'Enter' && at >= 0) go(`/workflows/${textOf(shown[at]?.['id'])}`);
        else return false;
        return true;
      }),
    [shown.length, at],
  );
  const filtered = codec.write({ ...state, cursor: '' }) !== '';
  const next = isObject(list.value.value) ? textOrNull(list.value.value['next_cursor']) : null;
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));

  return (
    <>
      <PageHead title="Workflows">
        <a class="button primary" href={link('/workflows/new')}>
          Launch…
        </a>
      </PageHead>
      <Complaints of={complaints} />
      <nav class="row" aria-label="Views">
        {VIEWS.map(([word, to]) => (
          <a
            key={word}
            class="button tiny"
            href={link(`/workflows${to === '' ? '' : `?${to}`}`)}
            aria-current={query.value === to ? 'true' : undefined}
          >
            {word}
          </a>
        ))}
      </nav>
      <Filters state={state} set={set} />
      <div class="row apart small dim">
        <p aria-live="polite">
          {list.value.value === undefined
            ? 'Looking…'
            : `${shown.length}${next === null ? '' : '+'} · newest first · as of `}
          {list.asOf.value !== null && <Time at={new Date(list.asOf.value).toISOString()} how="time" />}
        </p>
        <div class="row">
          {news > 0 && (
            <Button look="tiny" onPress={() => void list.again()}>
              ▲ {news} new: show
            </Button>
          )}
          <Copy what="Copy as curl" text={curlOf('GET', new URL(asked, apiRoot).href)} />
        </div>
      </div>
      <ListState list={list} count={shown.length} empty={filtered ? <NoneMatch /> : <NoneYet />} />
      <Table
        rows={shown.map((row) => byId.get(textOf(row['id'])) ?? row)}
        keyOf={(one) => textOf(one['id'])}
        isChosen={(_, i) => i === at}
        columns={[
          { title: 'Status', cell: (one) => <Chip state={textOf(one['status'])} /> },
          {
            title: 'Workflow',
            cell: (one) => <WorkflowLink id={textOf(one['id'])} name={textOrNull(one['name'])} />,
          },
          { title: 'Launched', cell: (one) => <Time at={textOrNull(one['launched_at'])} /> },
          { title: 'Moved', cell: (one) => <Time at={textOrNull(one['updated_at'])} /> },
          {
            title: 'Ended',
            cell: (one) => (one['ended_at'] ? <Time at={textOrNull(one['ended_at'])} /> : <span class="dim">–</span>),
          },
        ]}
      />
      {(next !== null || state.cursor !== '') && (
        <nav class="row" aria-label="More">
          {state.cursor !== '' && <Button onPress={() => set({})}>Newest</Button>}
          {next !== null && <Button onPress={() => set({ cursor: next })}>Older</Button>}
        </nav>
      )}
    </>
  );
}

const rowsOf = (value: unknown): readonly JsonObject[] => (isObject(value) ? objectsOf(value['workflows']) : []);

type State = ReturnType<typeof codec.read>['state'];
function Filters({ state, set }: { readonly state: State; readonly set: (change: Partial<State>) => void }) {
  const [name, setName] = useState(state.name);
  const [participant, setParticipant] = useState(state.participant);
  const [tag, setTag] = useState(state.tag);
  useEffect(() => {
    setName(state.name);
    setParticipant(state.participant);
    setTag(state.tag);
  }, [state.name, state.participant, state.tag]);
  const active = (['name', 'participant', 'tag'] as const).filter((one) => state[one] !== '');
  return (
    <form
      class="panel stack"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        set({ name: name.trim(), participant: participant.trim(), tag: tag.trim() });
      }}
    >
      <div class="cards">
        <label class="field">
          <span class="label">Status</span>
          <select
            value={state.status[0] ?? ''}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              set({ status: chosen === '' ? [] : [chosen as Status] });
            }}
          >
            <option value="">any</option>
            {STATUSES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="label">Name</span>
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Whose turn</span>
          <input value={participant} onInput={(event) => setParticipant(event.currentTarget.value)} />
        </label>
        <label class="field">
          <span class="label">Tag</span>
          <input value={tag} onInput={(event) => setTag(event.currentTarget.value)} />
        </label>
      </div>
      <div class="row">
        <Button type="submit">Filter</Button>
        {state.status.map((one) => (
          <FilterChip
            key={one}
            word={`status: ${one}`}
            drop={() => set({ status: state.status.filter((s) => s !== one) })}
          />
        ))}
        {active.map((one) => (
          <FilterChip key={one} word={`${one}: ${state[one]}`} drop={() => set({ [one]: '' })} />
        ))}
      </div>
    </form>
  );
}

const FilterChip = ({ word, drop }: { readonly word: string; readonly drop: () => void }) => (
  <span class="chip">
    <Text text={word} />
    <button type="button" aria-label={`Without ${word}`} onClick={drop}>
      ×
    </button>
  </span>
);

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
    <p class="dim">Launch one here, or with curl as README.md shows.</p>
    <a class="button primary" href={link('/workflows/new')}>
      Launch…
    </a>
  </Empty>
);
