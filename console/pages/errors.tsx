import { useEffect, useState } from 'preact/hooks';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { errors as codec } from '../address/pages.ts';
import { goQuery, query } from '../address/router.ts';
import type { Problem } from '../api/calls.ts';
import { call, part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { usePolling } from '../live/stream.ts';
import { ActButton, Button } from '../parts/action.tsx';
import { Complaints, Table } from '../parts/list.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText } from '../parts/texts.ts';
import { fingerprint } from '../picture/fingerprint.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Errors this page reads; beyond it says so. */
const READ_MAX = 5_000;
const PAGE = 1_000;
/** Errors of one group that are listed. */
const LISTED_MAX = 200;

type Group = {
  readonly key: string;
  readonly class: string;
  readonly sample: JsonObject;
  readonly all: readonly JsonObject[];
};

/** What waits for somebody, the same problems as one line. */
export function Errors() {
  const { state, complaints } = codec.read(query.value);
  const [list, setList] = useState<readonly JsonObject[] | null>(null);
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = async (): Promise<void> => {
    const found: JsonObject[] = [];
    let cursor: string | null = null;
    do {
      const search = new URLSearchParams({ limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
      const answer = await call(`v1/errors?${search}`);
      if (!answer.ok) {
        setProblem(answer.problem);
        return;
      }
      const value: Json = answer.value;
      if (!isObject(value)) return;
      found.push(...objectsOf(value['errors']));
      cursor = textOrNull(value['next_cursor']);
    } while (cursor !== null && found.length < READ_MAX);
    setProblem(null);
    setMore(cursor !== null);
    setList(found);
  };
  useEffect(() => {
    void read();
  }, []);
  usePolling(() => void read(), 10_000);
  const groups = grouped(list ?? [], state.by);
  const chosen = groups.find((one) => one.key === state.print);
  return (
    <>
      <PageHead title="Errors" />
      <Complaints of={complaints} />
      <div class="row">
        <span class="small dim">By</span>
        {(['message', 'class', 'place'] as const).map((by) => (
          <Button
            key={by}
            look="tiny"
            pressed={state.by === by}
            onPress={() => goQuery(codec.write({ ...state, by, print: '' }))}
          >
            {by}
          </Button>
        ))}
      </div>
      {problem !== null && <ProblemNote problem={problem} again={() => void read()} />}
      {more && <p class="note warn small">Only the first {countText(READ_MAX)} errors are counted here.</p>}
      {list === null && problem === null && <div class="skeleton" />}
      {list !== null && list.length === 0 && <Empty title="No error waits for anybody" />}
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
                aria-label={`${group.all.length} errors of ${group.class}: show`}
                onClick={() => goQuery(codec.write({ ...state, print: group === chosen ? '' : group.key }))}
              >
                {countText(group.all.length)}
              </button>
            ),
          },
          { title: 'Class', cell: (group) => <Text text={group.class} /> },
          { title: 'Message', cell: ({ sample }) => <Text text={textOf(sample['message']).slice(0, 300)} /> },
          { title: 'First', cell: ({ all }) => <Time at={extreme(all, -1)} /> },
          { title: 'Last', cell: ({ all }) => <Time at={extreme(all, 1)} /> },
        ]}
      />
      {chosen !== undefined && <GroupView group={chosen} again={read} />}
    </>
  );
}

function grouped(list: readonly JsonObject[], by: 'message' | 'class' | 'place'): readonly Group[] {
  const groups = new Map<string, JsonObject[]>();
  for (const one of list) {
    const key =
      by === 'class'
        ? textOf(one['class'])
        : by === 'place'
          ? `${textOf(one['class'])} ${textOf(one['expid'])}`
          : `${textOf(one['class'])} ${fingerprint(textOf(one['message']))}`;
    const there = groups.get(key);
    if (there === undefined) groups.set(key, [one]);
    else there.push(one);
  }
  return [...groups]
    .map(([key, all]) => ({ key, class: textOf(all[0]?.['class']), sample: all[0] as JsonObject, all }))
    .sort((a, b) => b.all.length - a.all.length);
}

const extreme = (list: readonly JsonObject[], sign: 1 | -1): string | null => {
  const times = list.map((one) => textOf(one['at'])).sort();
  return (sign === 1 ? times.at(-1) : times[0]) ?? null;
};

function GroupView({ group, again }: { readonly group: Group; readonly again: () => Promise<void> }) {
  return (
    <section class="panel stack" aria-label="The errors of this group">
      <h2>
        {countText(group.all.length)} times <Text text={group.class} />
      </h2>
      <Table
        rows={group.all.slice(0, LISTED_MAX)}
        keyOf={(one) => `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])}`}
        columns={[
          { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
          { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
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
                done={again}
              >
                ↻ Replay
              </ActButton>
            ),
          },
        ]}
      />
      {group.all.length > LISTED_MAX && (
        <p class="note warn small">
          The first {LISTED_MAX} of {countText(group.all.length)} are listed.
        </p>
      )}
    </section>
  );
}
