import type { ComponentChildren } from 'preact';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { figures as codec, MINUTES_MAX } from '../address/pages.ts';
import { apiRoot, link, query } from '../address/router.ts';
import { can, operations } from '../api/calls.ts';
import { curlOf } from '../api/curl.ts';
import { me } from '../api/session.ts';
import { PageHead } from '../app/page.tsx';
import { areRead, useResource } from '../live/resource.ts';
import { usePolling } from '../live/stream.ts';
import { Chip, Glyph } from '../parts/glyph.tsx';
import { Complaints, Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Copy, Text, Time, WorkflowLink } from '../parts/said.tsx';
import { Spark, SparkLine } from '../parts/spark.tsx';
import { MINUTES, numberIn, type Series } from '../parts/spark-model.ts';
import { countText, spanText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

const FAILED_TRIES: Series = {
  word: 'tries that failed',
  of: (minute) => (numberIn(minute, 'tries', 'refused') ?? 0) + (numberIn(minute, 'tries', 'unreachable') ?? 0),
  sum: 'sum',
  look: 'failed',
};
const LATENESS: Series = {
  word: 'late at most (95 %)',
  of: (minute) => Math.max(numberIn(minute, 'timer_lag_ms') ?? 0, numberIn(minute, 'claim_lag_ms') ?? 0),
  sum: 'largest',
  say: (value) => shortSpan(value),
  look: 'waits',
};
const SERIES: readonly Series[] = [
  { word: 'workflows launched', of: (minute) => numberIn(minute, 'launched'), sum: 'sum' },
  { word: 'workflows ended', of: (minute) => numberIn(minute, 'ended'), sum: 'sum', look: 'done' },
  { word: 'steps', of: (minute) => numberIn(minute, 'steps'), sum: 'sum' },
  FAILED_TRIES,
  LATENESS,
];

export function Home() {
  const { state, complaints } = codec.read(query.value);
  const over = Math.min(MINUTES_MAX, Math.max(1, state.minutes ?? MINUTES));
  const stats = useResource(can('GET /v1/stats') ? `v1/stats?minutes=${over}` : null);
  const latest = useResource('v1/workflows?limit=8');
  // Who sees one tenant alone is not told of the machines.
  const seesNodes = me.value?.everywhere === true;
  const nodes = useResource(seesNodes ? 'v1/nodes' : null);
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
  const sparkOf = (series: Series) => (
    <SparkLine series={series} minutes={minutes} now={textOf(value['now'])} over={over} />
  );
  return (
    <>
      <PageHead title="Home">
        <a class="button primary" href={link('/workflows/new')}>
          Launch…
        </a>
      </PageHead>
      <Complaints of={complaints} />
      {problem && <ProblemNote problem={problem} />}
      {latest.value.value !== undefined && workflows.length === 0 ? (
        <First />
      ) : (
        <>
          <section class="stack" aria-label="What needs somebody">
            <h2>What needs somebody</h2>
            <div class="cards six">
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
                spark={sparkOf(FAILED_TRIES)}
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
                spark={sparkOf(LATENESS)}
              />
              {seesNodes && (
                <Figure
                  word={silent.length > 0 ? 'nodes not heard of' : 'nodes, all heard of'}
                  glyph={silent.length > 0 ? 'failed' : 'done'}
                  count={silent.length > 0 ? silent.length : rows(nodes.value.value, 'nodes').length}
                  to="/nodes"
                />
              )}
            </div>
          </section>
          <section class="stack" aria-label="The last hour">
            <h2>{over === MINUTES ? 'The last hour' : `The last ${spanText(over * 60_000)}`}</h2>
            <div class="cards five">
              {SERIES.map((series) => (
                <Spark key={series.word} series={series} minutes={minutes} now={textOf(value['now'])} over={over} />
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
                  { title: 'Launched', look: 'number', cell: (one) => countText(Number(one['launched'] ?? 0)) },
                  { title: 'Live', look: 'number', cell: (one) => countText(Number(one['live'] ?? 0)) },
                  {
                    title: 'In error',
                    cell: (one) =>
                      Number(one['failed'] ?? 0) === 0 ? (
                        <span class="dim">–</span>
                      ) : (
                        <Chip state="error" word={countText(Number(one['failed']))} />
                      ),
                  },
                  { title: 'How they stand', cell: (one) => <Standing of={one} /> },
                  {
                    title: 'Took (median, 95 %)',
                    look: 'number',
                    cell: (one) =>
                      typeof one['p50_ms'] === 'number' && typeof one['p95_ms'] === 'number'
                        ? `${shortSpan(one['p50_ms'])}, ${shortSpan(one['p95_ms'])}`
                        : 'none has ended',
                  },
                ]}
              />
            </section>
          )}
          {/* Below what may be there or not: it waits until that is known. */}
          {operations.value !== null && areRead(stats, batches, latest) && (
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
          )}
        </>
      )}
    </>
  );
}

const rows = (value: Json | undefined, name: string) => (isObject(value) ? objectsOf(value[name]) : []);
const shortSpan = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : spanText(ms));

/** Of those launched in this hour: ended, live, in error. */
function Standing({ of }: { readonly of: JsonObject }) {
  const [launched, live, failed] = ['launched', 'live', 'failed'].map((name) => Number(of[name] ?? 0)) as [
    number,
    number,
    number,
  ];
  const ended = Math.max(0, launched - live);
  const parts = [
    [ended, 'var(--done)'],
    [Math.max(0, live - failed), 'var(--live)'],
    [failed, 'var(--failed)'],
  ] as const;
  return (
    <span class="standing" role="img" aria-label={`${ended} ended, ${live - failed} live, ${failed} in error`}>
      {parts.map(
        ([count, background]) => count > 0 && <span key={background} style={{ flexGrow: count, background }} />,
      )}
    </span>
  );
}

function Figure({
  word,
  count,
  glyph,
  to,
  spark,
}: {
  readonly word: string;
  /** Null: it could not be counted. */
  readonly count: number | null;
  readonly glyph: string;
  readonly to: string;
  /** How it went lately, where the server keeps that. */
  readonly spark?: ComponentChildren;
}) {
  const isWell = count === 0 || glyph === 'done';
  return (
    <a class={`panel figure ${isWell ? '' : glyph}`} href={link(to)}>
      <span class="row">
        <Glyph name={isWell ? 'done' : glyph} size={18} />
        <span class="big">{count === null ? '…' : countText(count)}</span>
      </span>
      <span class="dim">
        <Text text={word} />
      </span>
      {spark}
    </a>
  );
}

/** The example in four boxes. */
const Steps = () => (
  <svg class="steps" viewBox="0 0 260 86" role="img" aria-label="stock and credit at once, then shipping">
    <path class="wire" d="M34 43h16M50 43v-22h16M50 43v22h16M146 21h16v22M146 65h16v-22M162 43h16" />
    {(
      [
        [66, 8, 'stock'],
        [66, 52, 'credit'],
        [178, 30, 'shipping'],
      ] as const
    ).map(([x, y, word]) => (
      <g key={word}>
        <rect x={x} y={y} width={80} height={26} rx={5} />
        <text x={x + 40} y={y + 17}>
          {word}
        </text>
      </g>
    ))}
    <circle cx={26} cy={43} r={8} />
  </svg>
);

const DEFINITION = 'define hello\n  alice task: "say hello"';

function First() {
  const plays = operations.value === null || can('GET /v1/playground/requests');
  const curl = curlOf('POST', new URL('v1/workflows', apiRoot).href, {
    workflow: DEFINITION,
    callback: plays ? new URL('v1/playground/participants/alice', apiRoot).href : 'http://localhost:1234/alice',
  });
  return (
    <section class="stack" aria-label="The first minute">
      <p class="lead">
        A workflow decides whose turn it is, tells them, and waits. Nothing was launched here yet; three ways to begin:
      </p>
      <div class="cards three">
        <div class="panel stack first">
          <h2>Run an example</h2>
          <p class="dim">
            An order goes to stock and credit side by side, then to shipping. You play the participants, and see the
            workflow move. It takes a minute.
          </p>
          <Steps />
          <p>
            <a class="button primary" href={link(plays ? '/playground' : '/workflows/new?example=order')}>
              {plays ? 'Open the playground' : 'Launch the example'}
            </a>
          </p>
        </div>
        <div class="panel stack">
          <h2>Write a definition</h2>
          <p class="dim">As text, with its picture beside it, and what is wrong with it as you type.</p>
          <pre class="block">{DEFINITION}</pre>
          <p>
            <a class="button" href={link('/definitions/edit')}>
              Open the editor
            </a>
          </p>
        </div>
        <div class="panel stack">
          <h2>With curl</h2>
          <p class="dim">A launch is one request; every page here says the one it was made from.</p>
          <pre class="block">{curl}</pre>
          <p>
            <Copy what="Copy" text={curl} />
          </p>
        </div>
      </div>
    </section>
  );
}
