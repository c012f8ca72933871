import { isObject, type Json } from '../../src/model/json.ts';
import { apiRoot, link } from '../address/router.ts';
import { can, operations } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { PageHead } from '../app/page.tsx';
import { useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Chip, Glyph } from '../parts/glyph.tsx';
import { Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { countText, spanText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** Minutes a spark looks back. */
const MINUTES = 60;

export function Home() {
  const stats = useResource(can('GET /v1/stats') ? `v1/stats?minutes=${MINUTES}` : null);
  const latest = useResource('v1/workflows?limit=8');
  const nodes = useResource('v1/nodes');
  const batches = useResource(can('GET /v1/batches') ? 'v1/batches?state=running&limit=5' : null);
  const all = [stats, latest, nodes, batches];
  usePolling(() => {
    for (const one of all) void one.again();
  }, 5_000);
  const workflows = rows(latest.value.value, 'workflows');
  const silent = rows(nodes.value.value, 'nodes').filter((one) => one['alive'] === false);
  const running = rows(batches.value.value, 'batches');
  const problem = all.find((one) => one.problem.value !== null)?.problem.value;
  const value = isObject(stats.value.value) ? stats.value.value : {};
  const at = (...path: readonly string[]): number | null => {
    const found = path.reduce<Json | undefined>((one, name) => (isObject(one) ? one[name] : undefined), value);
    return typeof found === 'number' ? found : null;
  };
  const minutes = objectsOf(value['minutes']);
  const busiest = objectsOf(value['definitions'] ?? null);
  const late = Math.max(at('timers', 'oldest_due_seconds') ?? 0, at('messages', 'oldest_due_seconds') ?? 0);
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
              <Figure word="workflows in error" glyph="failed" count={at('workflows', 'error')} to="/errors" />
              <Figure
                word="workitems overdue"
                glyph="waits"
                count={at('workitems', 'overdue')}
                to="/worklist?overdue=1"
              />
              <Figure
                word="messages failing so far"
                glyph="waits"
                count={at('messages', 'failing')}
                to="/deliveries?state=failing"
              />
              <Figure
                word="messages whose tries are spent"
                glyph="failed"
                count={at('messages', 'spent')}
                to="/deliveries?state=spent"
              />
              <Figure
                word={late < 1 ? 'timers and messages late' : `late: timers and messages, ${spanText(late * 1_000)}`}
                glyph="waits"
                count={(at('timers', 'due') ?? 0) + (at('messages', 'due') ?? 0)}
                to="/timers"
              />
              <Figure
                word={silent.length > 0 ? 'nodes not heard of' : 'nodes, all heard of'}
                glyph={silent.length > 0 ? 'failed' : 'done'}
                count={silent.length > 0 ? silent.length : rows(nodes.value.value, 'nodes').length}
                to="/nodes"
              />
            </div>
          </section>
          <section class="stack" aria-label="The last hour">
            <h2>The last hour</h2>
            <div class="cards">
              {(['launched', 'ended', 'steps'] as const).map((name) => (
                <Spark
                  key={name}
                  word={name === 'steps' ? 'steps' : `workflows ${name}`}
                  minutes={minutes.map((one) => ({ at: textOf(one['at']), count: Number(one[name] ?? 0) }))}
                  now={textOf(value['now'])}
                />
              ))}
            </div>
          </section>
          {running.length > 0 && (
            <section class="stack" aria-label="Batches under way">
              <h2>Batches under way</h2>
              <ul class="row">
                {running.map((one) => (
                  <li key={textOf(one['id'])}>
                    <a class="button tiny" href={link(`/batches/${textOf(one['id'])}`)}>
                      {textOf(one['action'])}: {String(one['done'] ?? 0)} of {String(one['total'] ?? '…')}
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          )}
          {busiest.length > 0 && (
            <section class="stack" aria-label="Busiest definitions">
              <h2>Busiest in the last hour</h2>
              <Table
                rows={busiest}
                keyOf={(one) => textOf(one['name'])}
                columns={[
                  {
                    title: 'Definition',
                    cell: (one) => (
                      <a href={link(`/workflows?name=${encodeURIComponent(textOf(one['name']))}`)}>
                        <Text text={textOf(one['name'])} />
                      </a>
                    ),
                  },
                  { title: 'Launched', cell: (one) => countText(Number(one['launched'] ?? 0)) },
                  { title: 'Live', cell: (one) => countText(Number(one['live'] ?? 0)) },
                  {
                    title: 'In error',
                    cell: (one) =>
                      Number(one['failed'] ?? 0) === 0 ? (
                        '0'
                      ) : (
                        <Chip state="error" word={countText(Number(one['failed']))} />
                      ),
                  },
                  {
                    title: 'Half took, 19 of 20 took',
                    cell: (one) =>
                      typeof one['p50_ms'] === 'number' && typeof one['p95_ms'] === 'number'
                        ? `${spanText(one['p50_ms'])}, ${spanText(one['p95_ms'])}`
                        : 'none has ended',
                  },
                ]}
              />
            </section>
          )}
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

/** A bar a minute, and the sum in words. */
function Spark({
  word,
  minutes,
  now,
}: {
  readonly word: string;
  readonly minutes: readonly { readonly at: string; readonly count: number }[];
  readonly now: string;
}) {
  const end = Math.floor(Date.parse(now) / 60_000);
  const most = Math.max(1, ...minutes.map((one) => one.count));
  const sum = minutes.reduce((total, one) => total + one.count, 0);
  return (
    <figure class="panel stack">
      <figcaption>
        <b>{countText(sum)}</b> <span class="dim">{word}</span>
      </figcaption>
      <svg class="spark" viewBox={`0 0 ${MINUTES} 20`} preserveAspectRatio="none" aria-hidden="true">
        {minutes.map((one) => {
          const height = (20 * one.count) / most;
          const x = MINUTES - 1 - (end - Math.floor(Date.parse(one.at) / 60_000));
          return <rect key={one.at} x={x + 0.1} y={20 - height} width={0.8} height={height} fill="var(--live)" />;
        })}
      </svg>
    </figure>
  );
}

const rows = (value: Json | undefined, name: string) => (isObject(value) ? objectsOf(value[name]) : []);
const Figure = ({
  word,
  count,
  glyph,
  to,
}: {
  readonly word: string;
  /** Null: it could not be counted. */
  readonly count: number | null;
  readonly glyph: string;
  readonly to: string;
}) => (
  <a class="panel" href={link(to)}>
    <span class="row">
      <Glyph name={count === 0 ? 'done' : glyph} size={18} />
      <span class="big">{count === null ? '…' : countText(count)}</span>
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
