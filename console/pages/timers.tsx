import { useMemo } from 'preact/hooks';
import { isObject } from '../../src/model/json.ts';
import { timers as codec } from '../address/pages.ts';
import { rangeOf } from '../address/range.ts';
import { goQuery, query } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { now } from '../live/now.ts';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton } from '../parts/action.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Complaints, Filters, ListState, Older, Table, TextFilter } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Timers of a page, and of one that is looked through here, for what the server has no filter for. */
const LIMIT = 200;
const NARROWED_LIMIT = 1_000;

/** What is due and when, soonest first. */
export function Timers() {
  const there = can('GET /v1/timers');
  const { state, complaints } = codec.read(query.value);
  const range = useMemo(() => (state.due === '' ? null : rangeOf(state.due, now.peek())), [state.due]);
  const isNarrowed = state.action !== '' || state.workflow !== '' || range?.from != null;
  const asked = new URLSearchParams({ limit: String(isNarrowed ? NARROWED_LIMIT : LIMIT) });
  if (range?.to != null) asked.set('due_before', range.to);
  if (state.cursor !== '') asked.set('cursor', state.cursor);
  const list = useResource(there ? `v1/timers?${asked}` : null);
  usePolling(() => void list.again());
  const timers = (isObject(list.value.value) ? objectsOf(list.value.value['timers']) : []).filter(
    (one) =>
      (state.action === '' || textOf(one['action']) === state.action) &&
      (state.workflow === '' || textOf(one['workflow_id']) === state.workflow) &&
      (range?.from == null || textOf(one['due_at']) >= range.from),
  );
  const isFiltered = isNarrowed || range !== null;
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));
  const first = textOrNull(timers[0]?.['due_at']);
  return (
    <>
      <PageHead title="Timers">
        {can('POST /v1/test/clock') && <span class="small dim">Move the test clock:</span>}
        {can('POST /v1/test/clock') && first !== null && Date.parse(first) > now.value && (
          <ActButton
            asked={{ path: 'v1/test/clock', body: { advance: Math.ceil((Date.parse(first) - now.value) / 1_000) } }}
            done={() => list.again()}
          >
            Advance to the next
          </ActButton>
        )}
        {can('POST /v1/test/clock') &&
          [1, 60, 3_600, 86_400].map((seconds) => (
            <ActButton
              key={seconds}
              asked={{ path: 'v1/test/clock', body: { advance: seconds } }}
              done={() => list.again()}
            >
              + {seconds === 1 ? '1 s' : seconds === 60 ? '1 m' : seconds === 3_600 ? '1 h' : '1 d'}
            </ActButton>
          ))}
      </PageHead>
      <Complaints
        of={
          state.due === '' || range !== null
            ? complaints
            : [...complaints, `due=${state.due.slice(0, 80)} is no range, such as ..1h or 2031-01-01..: ignored`]
        }
      />
      {there && (
        <Filters>
          <TextFilter title="Due" value={state.due} set={(due) => set({ due })} />
          <TextFilter title="What" value={state.action} set={(action) => set({ action })} />
          <TextFilter title="Workflow" value={state.workflow} set={(workflow) => set({ workflow })} />
        </Filters>
      )}
      {!there && (
        <Missing
          what="The timers of one workflow are on its page; a list over all workflows needs more than this server offers."
          call="GET /v1/timers"
        />
      )}
      {there && (
        <ListState
          list={list}
          count={timers.length}
          empty={isFiltered ? 'No timer matches' : 'No timer is set'}
          about={isFiltered ? undefined : 'Timeouts, waits and schedules of workflows stand here, the next one first.'}
          all={isFiltered ? '/timers' : null}
        />
      )}
      <Table
        rows={timers}
        keyOf={(one) =>
          `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])} ${textOf(one['due_at'])} ${textOf(one['action'])}`
        }
        columns={[
          {
            title: 'Due',
            hasClock: true,
            cell: (one) => (
              <>
                {Date.parse(textOf(one['due_at'])) < now.value && <Chip state="failing" word="late" />}{' '}
                <Time at={textOrNull(one['due_at'])} how="both" />
              </>
            ),
          },
          { title: 'What', cell: (one) => <Text text={textOf(one['action'])} /> },
          { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
          {
            title: 'Workflow',
            cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} name={textOrNull(one['name'])} />,
          },
        ]}
      />
      <Older
        value={list.value.value}
        cursor={state.cursor}
        set={(cursor) => goQuery(codec.write({ ...state, cursor }))}
      />
    </>
  );
}
