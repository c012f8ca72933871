import { isObject } from '../../src/model/json.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Chip } from '../parts/glyph.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text, Time } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** The servers that share the database. */
export function Nodes() {
  const list = useResource('v1/nodes');
  usePolling(() => void list.again(), 5_000);
  const nodes = isObject(list.value.value) ? objectsOf(list.value.value['nodes']) : [];
  const versions = new Set(nodes.filter((one) => one['alive'] !== false).map((one) => textOf(one['version'])));
  return (
    <>
      <PageHead title="Nodes" />
      {versions.size > 1 && (
        <p class="note warn">
          Several versions run side by side: <Text text={[...versions].join(', ')} />.
        </p>
      )}
      {list.problem.value !== null && <ProblemNote problem={list.problem.value} again={() => void list.again()} />}
      <div class="scroll">
        <table class="cards-when-narrow">
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Node</th>
              <th scope="col">Role</th>
              <th scope="col">Version</th>
              <th scope="col">Address</th>
              <th scope="col">Started</th>
              <th scope="col">Heard of</th>
            </tr>
          </thead>
          <tbody>
            {nodes.map((one) => (
              <tr key={textOf(one['id'])}>
                <td>
                  {one['alive'] === false ? (
                    <Chip state="failed" word="silent" />
                  ) : (
                    <Chip state="delivered" word="alive" />
                  )}
                </td>
                <td class="mono">{textOf(one['id']).slice(0, 8)}</td>
                <td>{textOf(one['role'])}</td>
                <td>
                  <Text text={textOf(one['version'])} />
                </td>
                <td class="mono small">
                  <Text text={textOf(one['url'])} />
                </td>
                <td>
                  <Time at={textOrNull(one['started_at'])} />
                </td>
                <td>
                  <Time at={textOrNull(one['seen_at'])} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
