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
import { countText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Timers of a page. */
const LIMIT = 200;

/** What is due and when, soonest first. */
export function Timers() {
  const there = can('GET /v1/timers');
  const { state, complaints } = codec.read(query.value);
  const range = useMemo(() => (state.due === '' ? null : rangeOf(state.due, now.peek())), [state.due]);
  const asked = new URLSearchParams({ limit: String(LIMIT) });
  if (range?.from != null) asked.set('due_from', range.from);
  if (range?.to != null) asked.set('due_before', range.to);
  if (state.action !== '') asked.set('action', state.action);
  if (state.workflow !== '') asked.set('workflow_id', state.workflow);
  if (state.cursor !== '') asked.set('cursor', state.cursor);
  const list = useResource(there ? `v1/timers?${asked}` : null);
  usePolling(() => void list.again());
  const { value } = list.value;
  const timers = isObject(value) ? objectsOf(value['timers']) : [];
  const looked = isObject(value) && typeof value['looked_at'] === 'number' ? value['looked_at'] : null;
  const isFiltered = state.action !== '' || state.workflow !== '' || range !== null;
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
      {looked !== null && (
        <p class="small dim" role="status">
          Looked through {countText(looked)} timers, found {countText(timers.length)}.
        </p>
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
        value={value}
        cursor={state.cursor}
        word={looked === null ? 'More' : 'Look further'}
        set={(cursor) => goQuery(codec.write({ ...state, cursor }))}
      />
    </>
  );
}
