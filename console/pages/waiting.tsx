import { isObject } from '../../src/model/json.ts';
import { waiting as codec } from '../address/pages.ts';
import { goQuery, query } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Complaints, Filters, ListState, Older, Table, TextFilter } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Who waits for which event, since when and until when. */
export function Waiting() {
  const there = can('GET /v1/waits');
  const { state, complaints } = codec.read(query.value);
  const asked = new URLSearchParams({ limit: '200' });
  for (const name of ['type', 'key', 'cursor'] as const) if (state[name] !== '') asked.set(name, state[name]);
  const list = useResource(there ? `v1/waits?${asked}` : null);
  usePolling(() => void list.again());
  const set = (change: Partial<typeof state>): void => goQuery(codec.write({ ...state, cursor: '', ...change }));
  const waits = isObject(list.value.value) ? objectsOf(list.value.value['waits']) : [];
  return (
    <>
      <PageHead title="Waiting" />
      <Complaints of={complaints} />
      <Filters>
        <TextFilter title="Event" value={state.type} set={(type) => set({ type })} />
        <TextFilter title="Key" value={state.key} set={(key) => set({ key })} />
      </Filters>
      {!there && <Missing what="Who waits for events cannot be listed." call="GET /v1/waits" />}
      {there && (
        <ListState
          list={list}
          count={waits.length}
          empty="Nobody waits for an event"
          all={state.type === '' && state.key === '' ? null : '/waiting'}
        />
      )}
      <Table
        rows={waits}
        keyOf={(one) => `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])}`}
        columns={[
          { title: 'Event', cell: (one) => <Text text={textOf(one['type'])} /> },
          { title: 'Key', look: 'mono', cell: (one) => <Text text={textOrNull(one['key']) ?? 'any'} /> },
          { title: 'Since', hasClock: true, cell: (one) => <Time at={textOrNull(one['since'])} how="both" /> },
          {
            title: 'Gives up',
            cell: (one) => {
              const at = textOrNull(one['timeout_at']);
              return at === null ? 'never' : <Time at={at} how="both" />;
            },
          },
          { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
          { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
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
