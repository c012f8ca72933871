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
import { Empty, ProblemNote } from '../parts/problem.tsx';
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
  return (
    <>
      <PageHead title="Deliveries" />
      <p class="small dim">
        Messages of open workitems that are not delivered. Notices to participants of workitems that are over, and what
        was delivered, are in the history of each workflow.
      </p>
      {complaints.map((one) => (
        <p class="note warn small" key={one}>
          {one}
        </p>
      ))}
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="row">
          <span class="small">State</span>
          <select
            value={state.state}
            onChange={(event) =>
              goQuery(codec.write({ ...state, state: event.currentTarget.value as typeof state.state }))
            }
          >
            <option value="">any</option>
            <option value="owed">owed</option>
            <option value="failing">failing</option>
            <option value="spent">spent</option>
          </select>
        </label>
        <label class="row">
          <span class="small">Participant</span>
          <input
            value={state.participant}
            onChange={(event) => goQuery(codec.write({ ...state, participant: event.currentTarget.value.trim() }))}
          />
        </label>
      </form>
      {list.problem.value !== null && <ProblemNote problem={list.problem.value} again={() => void list.again()} />}
      {value !== undefined && rows.length === 0 && (
        <Empty
          title={state.state === '' && state.participant === '' ? 'Everything is delivered' : 'No message matches'}
        >
          {(state.state !== '' || state.participant !== '') && (
            <a class="button" href={link('/deliveries')}>
              Show all
            </a>
          )}
        </Empty>
      )}
      {rows.length > 0 && (
        <div class="scroll">
          <table class="cards-when-narrow">
            <thead>
              <tr>
                <th scope="col">State</th>
                <th scope="col">Participant</th>
                <th scope="col">Where</th>
                <th scope="col">Tries</th>
                <th scope="col">Next</th>
                <th scope="col">Workflow</th>
                <th scope="col">Do</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, 200).map(({ one, callback, state: is }) => {
                const id = textOf(one['id']);
                const workflow = textOf(one['workflow_id']);
                return (
                  <tr key={id}>
                    <td>
                      <Chip state={is ?? 'owed'} />
                    </td>
                    <td>
                      <a href={link(`/workflows/${workflow}?sel=${textOf(one['expression_id'])}&tab=tries`)}>
                        <Text text={textOf(one['participant'])} />
                      </a>
                    </td>
                    <td class="mono small">
                      <Text text={textOf(callback['url'])} />
                    </td>
                    <td class="number">{String(callback['tries'] ?? 0)}</td>
                    <td>
                      {callback['next_at'] ? <Time at={textOrNull(callback['next_at'])} /> : <span class="dim">–</span>}
                    </td>
                    <td>
                      <WorkflowLink id={workflow} />
                    </td>
                    <td class="act">
                      <ActButton
                        look="tiny"
                        asked={{ path: `v1/workflows/${part(workflow)}/workitems/${part(id)}/redeliver` }}
                        done={() => list.again()}
                      >
                        Try now
                      </ActButton>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
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
