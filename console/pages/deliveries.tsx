import { useMemo } from 'preact/hooks';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { deliveries as codec } from '../address/pages.ts';
import { goQuery, link, query } from '../address/router.ts';
import { part } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton } from '../parts/action.tsx';
import { Chip } from '../parts/glyph.tsx';
import { ChoiceFilter, Complaints, Filters, ListState, Table, TextFilter } from '../parts/list.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Workitems this page looks through. */
const LIMIT = 1_000;

/** Messages that are owed to participants, with their tries. */
export function Deliveries() {
  const { state, complaints } = codec.read(query.value);
  const asked = useMemo(() => {
    const search = new URLSearchParams({ limit: String(LIMIT) });
    if (state.participant !== '') search.set('participant', state.participant);
    return `v1/workitems?${search}`;
  }, [state.participant]);
  const list = useResource(asked);
  usePolling(() => void list.again());
  const value = list.value.value;
  const all = isObject(value) ? objectsOf(value['workitems']) : [];
  const rows = all
    .map((one) => ({ one, callback: isObject(one['callback']) ? one['callback'] : {}, state: stateOf(one) }))
    .filter((row) => row.state !== null && (state.state === '' || row.state === state.state))
    .filter((row) => state.host === '' || textOf(row.callback['url']).includes(state.host));
  const isFiltered = state.state !== '' || state.participant !== '';
  return (
    <>
      <PageHead title="Deliveries" />
      <p class="small dim">
        Messages of open workitems that are not delivered. Notices to participants of workitems that are over, and what
        was delivered, are in the history of each workflow.
      </p>
      <Complaints of={complaints} />
      <Filters>
        <ChoiceFilter
          title="State"
          value={state.state}
          any="any"
          choices={['owed', 'failing', 'spent']}
          set={(is) => goQuery(codec.write({ ...state, state: is }))}
        />
        <TextFilter
          title="Participant"
          value={state.participant}
          set={(participant) => goQuery(codec.write({ ...state, participant }))}
        />
      </Filters>
      <ListState
        list={list}
        count={rows.length}
        empty={isFiltered ? 'No message matches' : 'Everything is delivered'}
        all={isFiltered ? '/deliveries' : null}
      />
      <Table
        rows={rows.slice(0, 200)}
        keyOf={({ one }) => textOf(one['id'])}
        columns={[
          { title: 'State', cell: (row) => <Chip state={row.state ?? 'owed'} /> },
          {
            title: 'Participant',
            cell: ({ one }) => (
              <a href={link(`/workflows/${textOf(one['workflow_id'])}?sel=${textOf(one['expression_id'])}&tab=tries`)}>
                <Text text={textOf(one['participant'])} />
              </a>
            ),
          },
          { title: 'Where', look: 'mono small', cell: ({ callback }) => <Text text={textOf(callback['url'])} /> },
          { title: 'Tries', look: 'number', cell: ({ callback }) => String(callback['tries'] ?? 0) },
          {
            title: 'Next',
            cell: ({ callback }) =>
              callback['next_at'] ? <Time at={textOrNull(callback['next_at'])} /> : <span class="dim">–</span>,
          },
          { title: 'Workflow', cell: ({ one }) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
          {
            title: 'Do',
            look: 'act',
            cell: ({ one }) => (
              <ActButton
                look="tiny"
                asked={{
                  path: `v1/workflows/${part(textOf(one['workflow_id']))}/workitems/${part(textOf(one['id']))}/redeliver`,
                }}
                done={() => list.again()}
              >
                Try now
              </ActButton>
            ),
          },
        ]}
      />
      {isObject(value) && value['next_cursor'] !== null && value['next_cursor'] !== undefined && (
        <p class="note warn small">Only the first {LIMIT} open workitems were looked through.</p>
      )}
    </>
  );
}

/** Null: nothing is owed. */
function stateOf(item: JsonObject): 'owed' | 'failing' | 'spent' | null {
  const callback = isObject(item['callback']) ? item['callback'] : {};
  if (callback['owed'] === null || callback['owed'] === undefined)
    return item['status'] === 'failed' && Number(callback['tries'] ?? 0) > 0 ? 'spent' : null;
  return Number(callback['tries'] ?? 0) > 0 ? 'failing' : 'owed';
}
