import { isObject } from '../../src/model/json.ts';
import { link } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { ActButton } from '../parts/action.tsx';
import { Empty, Missing, ProblemNote } from '../parts/problem.tsx';
import { Text, Time, WorkflowLink } from '../parts/said.tsx';
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
      {list.problem.value !== null && <ProblemNote problem={list.problem.value} again={() => void list.again()} />}
      {there && list.value.value !== undefined && timers.length === 0 && <Empty title="No timer is set" />}
      {timers.length > 0 && (
        <div class="scroll">
          <table class="cards-when-narrow">
            <thead>
              <tr>
                <th scope="col">Due</th>
                <th scope="col">What</th>
                <th scope="col">Place</th>
                <th scope="col">Workflow</th>
              </tr>
            </thead>
            <tbody>
              {timers.map((one) => (
                <tr
                  key={`${textOf(one['workflow_id'])} ${textOf(one['expression_id'])} ${textOf(one['due_at'])} ${textOf(one['action'])}`}
                >
                  <td>
                    <Time at={textOrNull(one['due_at'])} how="both" />
                  </td>
                  <td>
                    <Text text={textOf(one['action'])} />
                  </td>
                  <td>
                    <a
                      class="mono"
                      href={link(`/workflows/${textOf(one['workflow_id'])}?sel=${textOf(one['expression_id'])}`)}
                    >
                      {textOf(one['expression_id']).split('!')[0]}
                    </a>
                  </td>
                  <td>
                    <WorkflowLink id={textOf(one['workflow_id'])} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
