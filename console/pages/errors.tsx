import { useEffect, useMemo, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { errors as codec, GROUPINGS, type Grouping } from '../address/pages.ts';
import { rangeOf } from '../address/range.ts';
import { goQuery, link, query } from '../address/router.ts';
import type { Problem } from '../api/calls.ts';
import { call, can, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { now } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button } from '../parts/action.tsx';
import { type BatchAction, BatchDialog } from '../parts/batch.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Complaints, Filters, ListState, Table, TextFilter } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { HourSpark, HourTable } from '../parts/spark.tsx';
import { countText, visible } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Groups that are shown, errors of one group that are gathered (a batch of ids takes no more), and those that are listed at once. */
const GROUPS_MAX = 500;
const GATHERED_MAX = 10_000;
const LISTED_MAX = 200;
const PAGE = 1_000;
/** Versions of a definition that are told beside a group; of a hash, letters that are shown. */
const VERSIONS_SHOWN = 20;
const HASH_SHOWN = 12;

type Group = {
  /** In the address; a group of errors that have nothing in common has none. */
  readonly key: string;
  readonly count: number;
  readonly workflows: number;
  /** How many there were in each of the last hours. */
  readonly hours: readonly number[];
  readonly first: string | null;
  readonly last: string | null;
  readonly sample: JsonObject;
};

/** What waits for somebody, the same problems as one line. */
export function Errors() {
  const { state, complaints } = codec.read(query.value);
  const asked = useMemo(() => {
    const search = new URLSearchParams({ group_by: GROUPINGS[state.by], limit: String(GROUPS_MAX) });
    for (const [name, value] of filtersOf(state)) search.set(name, value);
    return `v1/errors?${search}`;
  }, [query.value]);
  const list = useResource(asked);
  usePolling(() => void list.again(), 5_000);
  const value = isObject(list.value.value) ? list.value.value : {};
  const groups = objectsOf(value['groups']).map(groupOf);
  const chosen = groups.find((one) => one.key === state.print);
  const filtered = filtersOf(state).length > 0;
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, print: '', ...change }));
  return (
    <>
      <PageHead title="Errors" />
      <Complaints of={complaints} />
      <div class="row">
        <span class="small dim">By</span>
        {(Object.keys(GROUPINGS) as Grouping[]).map((by) => (
          <Button key={by} look="tiny" pressed={state.by === by} onPress={() => set({ by })}>
            {by}
          </Button>
        ))}
      </div>
      <Filters>
        <TextFilter title="Class" value={state.class} set={(text) => set({ class: text })} />
        <TextFilter title="Participant" value={state.participant} set={(text) => set({ participant: text })} />
        <TextFilter title="Definition" value={state.name} set={(text) => set({ name: text })} />
        <TextFilter title="Place" value={state.place} set={(text) => set({ place: text })} />
        <TextFilter title="Since" value={state.since} set={(text) => set({ since: text })} />
      </Filters>
      {value['complete'] === false && (
        <p class="note warn small">Only the newest {countText(Number(value['looked_at']))} errors are counted here.</p>
      )}
      <ListState
        list={list}
        count={groups.length}
        empty={filtered ? 'No error matches' : 'No error waits for anybody'}
        about={
          filtered
            ? undefined
            : 'What goes wrong in a workflow and is not handled there stands here, the same problems together, to be repaired at once.'
        }
        all={filtered ? '/errors' : null}
      />
      <Table
        rows={groups}
        keyOf={({ key }) => key}
        isChosen={(group) => group === chosen}
        columns={[
          {
            title: 'Errors',
            look: 'number',
            cell: (group) => (
              <button
                type="button"
                class="more-link"
                aria-label={`${group.count} errors of ${visible(textOf(group.sample['class']))}: show`}
                aria-expanded={group === chosen}
                onClick={() => set({ print: group === chosen ? '' : group.key })}
              >
                {countText(group.count)}
              </button>
            ),
          },
          { title: 'Workflows', look: 'number', cell: ({ workflows }) => countText(workflows) },
          ...(state.by === 'participant' || state.by === 'definition'
            ? [
                {
                  title: state.by === 'participant' ? 'Participant' : 'Definition',
                  cell: (group: Group) => <GroupName by={state.by} of={group} />,
                },
              ]
            : []),
          { title: 'Class', cell: ({ sample }) => <Chip state="failed" word={textOf(sample['class'])} /> },
          { title: 'Message', cell: ({ sample }) => <Text text={textOf(sample['message']).slice(0, 300)} /> },
          ...(state.by === 'message' || state.by === 'class'
            ? [{ title: 'Participant', cell: ({ sample }: Group) => <Asked of={sample} /> }]
            : []),
          ...(state.by === 'message'
            ? [
                {
                  title: 'Where',
                  cell: ({ sample }: Group) => (
                    <>
                      <Text text={textOf(sample['name'])} />{' '}
                      <span class="mono small">
                        <Text text={textOf(sample['expid'])} />
                      </span>
                    </>
                  ),
                },
              ]
            : []),
          { title: '24 hours', cell: ({ hours }) => <HourSpark hours={hours} /> },
          { title: 'First', cell: ({ first }) => <Time at={first} /> },
          { title: 'Last', cell: ({ last }) => <Time at={last} /> },
        ]}
      />
      {chosen !== undefined && (
        <GroupView
          key={`${state.by} ${chosen.key} ${asked}`}
          by={state.by}
          group={chosen}
          filters={filtersOf(state)}
          again={list.again}
        />
      )}
    </>
  );
}

type State = ReturnType<typeof codec.read>['state'];
type Filtered = readonly (readonly [name: string, value: string])[];

/** What the address asks for, in the words of the interface; what means nothing there is left out. */
function filtersOf({ class: kind, participant, name, definition, place, since }: State): Filtered {
  const range = since === '' ? null : rangeOf(since, now.peek());
  const found: readonly (readonly [string, string | null | undefined])[] = [
    ['class', kind],
    ['participant', participant],
    ['name', name],
    ['definition', /^[0-9a-f]{8,64}$/.test(definition) ? definition : ''],
    ['place', /^\d+(_\d+)*$/.test(place) ? place : ''],
    ['from', range?.from],
    ['to', range?.to],
  ];
  return found.flatMap(([key, value]) => (value ? [[key, value] as const] : []));
}

const NONE = '(none)';
const groupOf = (one: JsonObject): Group => ({
  key: textOrNull(one['key']) ?? NONE,
  count: Number(one['count'] ?? 0),
  workflows: Number(one['workflows'] ?? 0),
  hours: Array.isArray(one['hours']) ? (one['hours'] as readonly Json[]).map(Number) : [],
  first: textOrNull(one['first_at']),
  last: textOrNull(one['last_at']),
  sample: isObject(one['example']) ? one['example'] : {},
});

/** Whose workitem it happened at, and at which host they are. */
const Asked = ({ of }: { readonly of: JsonObject }) => (
  <>
    <Text text={textOf(of['participant'])} />{' '}
    {textOf(of['host']) !== '' && (
      <span class="mono small dim">
        <Text text={textOf(of['host'])} />
      </span>
    )}
  </>
);

const GroupName = ({ by, of }: { readonly by: Grouping; readonly of: Group }) => (
  <Text text={by === 'definition' ? textOf(of.sample['name']) || of.key.slice(0, 12) : of.key} />
);

/** What the server is asked for to find the errors of a group; the rest is looked for among them here. */
function searchOf(by: Grouping, { key, sample }: Group, filters: Filtered): URLSearchParams {
  const search = new URLSearchParams([['limit', String(PAGE)], ...filters.map(([name, value]) => [name, value])]);
  if (by === 'participant' && key !== NONE) search.set('participant', key);
  else if (by === 'definition' && textOf(sample['name']) !== '') search.set('name', textOf(sample['name']));
  else if (by === 'class' || by === 'message') search.set('class', textOf(sample['class']));
  return search;
}

/** One of a group as a whole: what it says, whom it was about, and how the last try was answered. */
function Sample({ of }: { readonly of: JsonObject }) {
  const last = isObject(of['last_try']) ? of['last_try'] : null;
  const answer = last !== null && isObject(last['answer']) ? last['answer'] : null;
  const item = textOf(of['workitem_id']);
  return (
    <section class="stack tight" aria-label="The newest of them">
      <pre class="block">
        <Text text={textOf(of['message'])} />
      </pre>
      <dl class="facts">
        <dt>Workflow</dt>
        <dd>
          <WorkflowLink id={textOf(of['workflow_id'])} name={textOrNull(of['name'])} /> <PlaceLink of={of} />
        </dd>
        {textOf(of['participant']) !== '' && (
          <>
            <dt>Participant</dt>
            <dd>
              <a href={link(`/participants/${encodeURIComponent(textOf(of['participant']))}`)}>
                <Text text={textOf(of['participant'])} />
              </a>
              {textOf(of['host']) !== '' && (
                <>
                  {' at '}
                  <span class="mono small">
                    <Text text={textOf(of['host'])} />
                  </span>
                </>
              )}
              {item !== '' && (
                <>
                  {' · '}
                  <a href={link(`/worklist/${part(item)}`)}>its workitem and fields</a>
                </>
              )}
            </dd>
          </>
        )}
        {last !== null && (
          <>
            <dt>Last try</dt>
            <dd>
              {String(last['status'] ?? '')} <Text text={textOf(last['error'])} />{' '}
              <Time at={textOrNull(last['at'])} how="both" />
              {answer !== null && (
                <pre class="block">
                  <Text text={textOf(answer['excerpt'])} />
                </pre>
              )}
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}

/** What waits at the same place in each version of the definition: whether the newest of them still fails there. */
function SamePlace({ of }: { readonly of: JsonObject }) {
  const name = textOf(of['name']);
  const expid = textOf(of['expid']);
  const asked = new URLSearchParams({ group_by: 'definition', name, place: expid, limit: String(VERSIONS_SHOWN) });
  const list = useResource(name === '' ? null : `v1/errors?${asked}`);
  const rows = isObject(list.value.value) ? objectsOf(list.value.value['groups']).map(groupOf) : [];
  if (name === '') return null;
  return (
    <section class="stack tight" aria-label="The same place in all versions">
      <h3>
        The same place in all versions of <Text text={name} />
      </h3>
      <ListState list={list} count={rows.length} empty="Nothing waits there any more" />
      <Table
        rows={rows}
        keyOf={({ key }) => key}
        isChosen={({ key }) => key === textOf(of['definition'])}
        columns={[
          {
            title: 'Version',
            look: 'mono',
            cell: ({ key }) => (
              <>
                <a href={link(`/errors?definition=${key.slice(0, HASH_SHOWN)}&place=${expid}`)}>
                  {key.slice(0, HASH_SHOWN)}
                </a>
                {key === textOf(of['definition']) && <span class="small dim"> that of the error above</span>}
              </>
            ),
          },
          { title: 'Errors', look: 'number', cell: ({ count }) => countText(count) },
          { title: '24 hours', cell: ({ hours }) => <HourSpark hours={hours} /> },
          { title: 'Newest', cell: ({ sample }) => <Chip state="failed" word={textOf(sample['class'])} /> },
          { title: 'First', cell: ({ first }) => <Time at={first} /> },
          { title: 'Last', cell: ({ last }) => <Time at={last} /> },
        ]}
      />
    </section>
  );
}

type Doing = { readonly action: BatchAction; readonly withFields: boolean; readonly withTree?: boolean };

function GroupView({
  by,
  group,
  filters,
  again,
}: {
  readonly by: Grouping;
  readonly group: Group;
  /** What the page is narrowed to: the group is of these alone. */
  readonly filters: Filtered;
  readonly again: () => Promise<void>;
}) {
  const [all, setAll] = useState<readonly JsonObject[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [doing, act] = useState<Doing | null>(null);
  const [tree, setTree] = useState<Json | null>(null);
  const [listed, list] = useState(LISTED_MAX);
  const read = async (): Promise<void> => {
    const found: JsonObject[] = [];
    const search = searchOf(by, group, filters);
    let cursor: string | null = null;
    do {
      if (cursor !== null) search.set('cursor', cursor);
      const answer = await call(`v1/errors?${search}`);
      setProblem(answer.ok ? null : answer.problem);
      if (!answer.ok || !isObject(answer.value)) return;
      const value: { readonly [name: string]: Json } = answer.value;
      found.push(...objectsOf(value['errors']).filter((one) => (textOrNull(one[GROUPINGS[by]]) ?? NONE) === group.key));
      cursor = textOrNull(value['next_cursor']);
    } while (cursor !== null && found.length < GATHERED_MAX);
    setAll(found.slice(0, GATHERED_MAX));
  };
  useEffect(() => {
    void read();
  }, [group.key, group.count]);
  const both = async (): Promise<void> => {
    await Promise.all([read(), again()]);
  };
  const ids = (all ?? []).map((one) => `${textOf(one['expression_id'])}!${textOf(one['workflow_id'])}`);
  const waiting = (all ?? []).filter((one) => one['workitem_id'] !== null).map((one) => textOf(one['workitem_id']));
  const places = new Set((all ?? []).map((one) => `${textOf(one['definition'])} ${textOf(one['expid'])}`));
  /** Those that are at one place of one definition have one tree; it is that of the first. */
  const askTree = async (): Promise<void> => {
    const first = all?.[0] ?? {};
    const answer = await call(
      `v1/workflows/${part(textOf(first['workflow_id']))}/expressions/${part(textOf(first['expression_id']))}`,
    );
    setProblem(answer.ok ? null : answer.problem);
    const found = answer.ok && isObject(answer.value) ? (answer.value['tree'] ?? null) : null;
    if (found === null) return;
    setTree(found);
    act({ action: 'replay', withFields: false, withTree: true });
  };
  const workflows = [...new Set((all ?? []).map((one) => textOf(one['workflow_id'])))];
  const why = !can('POST /v1/batches') ? 'this server has no batches' : all === null ? 'they are being read' : null;
  return (
    <section class="panel stack" aria-label="The errors of this group">
      <div class="row apart">
        <h2>
          {countText(group.count)} times <Text text={textOf(group.sample['class'])} />
        </h2>
        <div class="row">
          <Button look="primary" needs="operate" why={why} onPress={() => act({ action: 'replay', withFields: false })}>
            ↻ Replay all…
          </Button>
          <Button needs="operate" why={why} onPress={() => act({ action: 'replay', withFields: true })}>
            Replay with fields…
          </Button>
          <Button
            needs="operate"
            why={why ?? (places.size === 1 ? null : 'they are at several places, or of several definitions')}
            onPress={() => void askTree()}
          >
            Replay with another tree…
          </Button>
          <Button
            needs="operate"
            why={why ?? (waiting.length === 0 ? 'none of them is at a workitem' : null)}
            onPress={() => act({ action: 'proceed', withFields: true })}
          >
            Proceed for all…
          </Button>
          <Button look="danger" needs="operate" why={why} onPress={() => act({ action: 'cancel', withFields: false })}>
            Cancel all…
          </Button>
        </div>
      </div>
      <Sample of={group.sample} />
      <HourTable hours={group.hours} />
      <SamePlace of={group.sample} />
      {problem !== null && <ProblemNote problem={problem} again={() => void read()} />}
      {all === null && problem === null && <div class="skeleton" />}
      <Table
        rows={(all ?? []).slice(0, listed)}
        keyOf={(one) => `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])}`}
        columns={[
          {
            title: 'Workflow',
            cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} name={textOrNull(one['name'])} />,
          },
          { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
          { title: 'Participant', cell: (one) => <Text text={textOf(one['participant'])} /> },
          { title: 'At', cell: (one) => <Time at={textOrNull(one['at'])} /> },
          { title: 'Message', cell: (one) => <Text text={textOf(one['message']).slice(0, 200)} /> },
          {
            title: 'Do',
            look: 'act',
            cell: (one) => (
              <ActButton
                look="tiny"
                asked={{
                  path: `v1/workflows/${part(textOf(one['workflow_id']))}/errors/${part(textOf(one['expression_id']))}/replay`,
                  body: {},
                }}
                done={both}
              >
                ↻ Replay
              </ActButton>
            ),
          },
        ]}
      />
      {all !== null && all.length > listed && (
        <p class="row">
          <Button onPress={() => list(listed + LISTED_MAX)}>More</Button>
          <span class="small dim">
            The first {countText(listed)} of {countText(all.length)} are listed.
          </span>
        </p>
      )}
      {all !== null && all.length === GATHERED_MAX && (
        <p class="note warn small">At most {countText(GATHERED_MAX)} of a group are acted on at once.</p>
      )}
      {doing !== null && (
        <BatchDialog
          action={doing.action}
          withFields={doing.withFields}
          {...(doing.withTree && tree !== null ? { tree } : {})}
          of={
            by === 'class' && doing.action === 'replay' && !doing.withTree && filters.length === 0
              ? { filter: { error_class: group.key } }
              : { ids: doing.action === 'replay' ? ids : doing.action === 'proceed' ? waiting : workflows }
          }
          close={() => act(null)}
        />
      )}
    </section>
  );
}
