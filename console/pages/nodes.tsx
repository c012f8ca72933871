import { isObject } from '../../src/model/json.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { Chip } from '../parts/glyph.tsx';
import { Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text, Time } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** The servers that share the database. */
export function Nodes() {
  // Signs of life are no events: they are asked for.
  const list = useResource('v1/nodes', 5_000);
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
      <Table
        rows={nodes}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          {
            title: 'State',
            cell: (one) =>
              one['alive'] === false ? <Chip state="failed" word="silent" /> : <Chip state="delivered" word="alive" />,
          },
          {
            title: 'Node',
            look: 'mono',
            cell: (one) => <Text text={textOf(one['name']) || textOf(one['id']).slice(0, 8)} />,
          },
          { title: 'Role', cell: (one) => textOf(one['role']) },
          { title: 'Version', cell: (one) => <Text text={textOf(one['version'])} /> },
          { title: 'Address', look: 'mono small', cell: (one) => <Text text={textOf(one['url'])} /> },
          { title: 'Started', cell: (one) => <Time at={textOrNull(one['started_at'])} /> },
          { title: 'Heard of', cell: (one) => <Time at={textOrNull(one['seen_at'])} /> },
        ]}
      />
    </>
  );
}
