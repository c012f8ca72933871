import { isObject } from '../../src/model/json.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton } from '../parts/action.tsx';
import { ListState, Table } from '../parts/list.tsx';
import { Missing } from '../parts/problem.tsx';
import { PlaceLink, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** What is due and when, soonest first. */
export function Timers() {
  const there = can('GET /v1/timers');
  const list = useResource(there ? 'v1/timers?limit=200' : null);
  usePolling(() => void list.again());
  const timers = isObject(list.value.value) ? objectsOf(list.value.value['timers']) : [];
  return (
    <>
      <PageHead title="Timers">
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
      {!there && (
        <Missing
          what="The timers of one workflow are on its page; a list over all workflows needs more than this server offers."
          call="GET /v1/timers"
        />
      )}
      {there && <ListState list={list} count={timers.length} empty="No timer is set" />}
      <Table
        rows={timers}
        keyOf={(one) =>
          `${textOf(one['workflow_id'])} ${textOf(one['expression_id'])} ${textOf(one['due_at'])} ${textOf(one['action'])}`
        }
        columns={[
          { title: 'Due', cell: (one) => <Time at={textOrNull(one['due_at'])} how="both" /> },
          { title: 'What', cell: (one) => <Text text={textOf(one['action'])} /> },
          { title: 'Place', cell: (one) => <PlaceLink of={one} /> },
          { title: 'Workflow', cell: (one) => <WorkflowLink id={textOf(one['workflow_id'])} /> },
        ]}
      />
    </>
  );
}
