import { isObject, type Json } from '../../src/model/json.ts';
import { apiRoot, link } from '../address/router.ts';
import { can, learnOperations, operations } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Chip, Glyph } from '../parts/glyph.tsx';
import { Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Counts go so far; beyond they are said with a plus. */
const COUNTED = 100;

export function Home() {
  void learnOperations();
  const failed = useResource(`v1/workflows?status=error&limit=${COUNTED}`);
  const running = useResource(`v1/workflows?status=running&limit=${COUNTED}`);
  const items = useResource(`v1/workitems?limit=${COUNTED}`);
  const latest = useResource('v1/workflows?limit=8');
  const nodes = useResource('v1/nodes');
  const all = [failed, running, items, latest, nodes];
  usePolling(() => {
    for (const one of all) void one.again();
  }, 5_000);
  const workflows = rows(latest.value.value, 'workflows');
  const workitems = rows(items.value.value, 'workitems');
  const late = workitems.filter(
    (one) => isObject(one['callback']) && Number(one['callback']['tries']) > 0 && one['callback']['owed'] !== null,
  );
  const silent = rows(nodes.value.value, 'nodes').filter((one) => one['alive'] === false);
  const problem = all.find((one) => one.problem.value !== null)?.problem.value;
  return (
    <>
      <PageHead title="Home">
        <a class="button primary" href={link('/workflows/new')}>
          Launch…
        </a>
      </PageHead>
      {problem && <ProblemNote problem={problem} />}
      {latest.value.value !== undefined && workflows.length === 0 ? (
        <First />
      ) : (
        <>
          <section class="stack" aria-label="What needs somebody">
            <h2>What needs somebody</h2>
            <div class="cards">
              <Figure
                word="workflows in error"
                glyph="failed"
                count={countOf(failed.value.value, 'workflows')}
                to="/errors"
              />
              <Figure
                word="workitems open"
                glyph="open"
                count={countOf(items.value.value, 'workitems')}
                to="/worklist"
              />
              <Figure
                word="of them, callbacks that failed so far"
                glyph="waits"
                count={String(late.length)}
                to="/deliveries"
              />
              <Figure
                word="workflows running"
                glyph="live"
                count={countOf(running.value.value, 'workflows')}
                to="/workflows?status=running"
              />
              <Figure
                word={silent.length > 0 ? 'nodes not heard of' : 'nodes, all heard of'}
                glyph={silent.length > 0 ? 'failed' : 'done'}
                count={String(silent.length > 0 ? silent.length : rows(nodes.value.value, 'nodes').length)}
                to="/nodes"
              />
            </div>
          </section>
          <section class="stack" aria-label="Latest workflows">
            <h2>Latest</h2>
            <Table
              rows={workflows}
              keyOf={(one) => textOf(one['id'])}
              columns={[
                { title: 'Status', cell: (one) => <Chip state={textOf(one['status'])} /> },
                {
                  title: 'Workflow',
                  cell: (one) => <WorkflowLink id={textOf(one['id'])} name={textOrNull(one['name'])} />,
                },
                { title: 'Moved', cell: (one) => <Time at={textOrNull(one['updated_at'])} /> },
              ]}
            />
          </section>
        </>
      )}
    </>
  );
}

const rows = (value: Json | undefined, name: string) => (isObject(value) ? objectsOf(value[name]) : []);
const countOf = (value: Json | undefined, name: string): string => {
  if (!isObject(value)) return '…';
  const count = objectsOf(value[name]).length;
  return value['next_cursor'] ? `${count}+` : String(count);
};

const Figure = ({
  word,
  count,
  glyph,
  to,
}: {
  readonly word: string;
  readonly count: string;
  readonly glyph: string;
  readonly to: string;
}) => (
  <a class="panel" href={link(to)}>
    <span class="row">
      <Glyph name={glyph} size={18} />
      <span class="big">{count}</span>
    </span>
    <span class="dim">
      <Text text={word} />
    </span>
  </a>
);

function First() {
  const curl = curlOf('POST', new URL('v1/workflows', apiRoot).href, {
    workflow: 'define hello\n  alice task: "say hello"',
    callback: 'http://localhost:1234/alice',
  });
  const plays = operations.value === null || can('GET /v1/playground/requests');
  return (
    <section class="stack" aria-label="The first minute">
      <p>Nothing was launched here yet. Three ways to begin:</p>
      <div class="cards">
        <div class="panel stack">
          <h2>Run an example</h2>
          <p class="dim">
            An order goes to stock and credit side by side, then to shipping. You play the participants.
          </p>
          <p>
            <a class="button primary" href={link(plays ? '/playground' : '/workflows/new?example=order')}>
              {plays ? 'Open the playground' : 'Launch the example'}
            </a>
          </p>
        </div>
        <div class="panel stack">
          <h2>Write a definition</h2>
          <p class="dim">As text, with the picture beside it and complaints as you type.</p>
          <p>
            <a class="button" href={link('/definitions/edit')}>
              Open the editor
            </a>
          </p>
        </div>
        <div class="panel stack">
          <h2>With curl</h2>
          <pre class="block">{curl}</pre>
          <p>
            <Copy what="Copy" text={curl} />
          </p>
        </div>
      </div>
    </section>
  );
}
