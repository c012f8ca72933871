import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { figures as codec, MINUTES_MAX } from '../address/pages.ts';
import { goQuery, query } from '../address/router.ts';
import { can } from '../api/calls.ts';
import { PageHead } from '../app/page.tsx';
import { ahead, now } from '../live/now.ts';
import { areRead, useResource } from '../live/resource.ts';
import { Button } from '../parts/action.tsx';
import { Chip } from '../parts/glyph.tsx';
import { Hosts } from '../parts/hosts.tsx';
import { Complaints, ListState, Table } from '../parts/list.tsx';
import { ProblemNote } from '../parts/problem.tsx';
import { Text, Time } from '../parts/said.tsx';
import { Spark } from '../parts/spark.tsx';
import { MINUTES, numberIn, type Series } from '../parts/spark-model.ts';
import { countText, spanText } from '../parts/texts.ts';
import { objectsOf, textOf, textOrNull } from '../picture/standing.ts';

/** The servers that share the database. */
export function Nodes() {
  // Signs of life are no events: they are asked for.
  const list = useResource('v1/nodes', 5_000);
  const there = can('GET /v1/stats');
  const { state, complaints } = codec.read(query.value);
  const over = Math.min(MINUTES_MAX, Math.max(1, state.minutes ?? MINUTES));
  const stats = useResource(there ? `v1/stats?minutes=${over}` : null, 10_000);
  const value = isObject(stats.value.value) ? stats.value.value : {};
  const minutes = objectsOf(value['minutes']);
  const nodes = isObject(list.value.value) ? objectsOf(list.value.value['nodes']) : [];
  const versions = new Set(nodes.filter((one) => one['alive'] !== false).map((one) => textOf(one['version'])));
  return (
    <>
      <PageHead title="Nodes" />
      <Complaints of={complaints} />
      {versions.size > 1 && (
        <p class="note warn">
          Several versions run side by side: <Text text={[...versions].join(', ')} />.
        </p>
      )}
      <ListState list={list} count={nodes.length} empty="No node has been heard of" />
      <Table
        rows={nodes}
        keyOf={(one) => textOf(one['id'])}
        columns={[
          {
            title: 'State',
            cell: (one) => <NodeState of={one} />,
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
          { title: 'Claims', look: 'number', cell: (one) => countOr(one['claims']) },
          { title: 'Tries', look: 'number', cell: (one) => countOr(one['tries']) },
          { title: 'Connections', look: 'number', cell: (one) => countOr(one['connections']) },
          {
            title: 'Loop late by',
            look: 'number',
            cell: (one) => (typeof one['loop_delay_ms'] === 'number' ? inMs(one['loop_delay_ms']) : '–'),
          },
        ]}
      />
      {there && areRead(list) && (
        <section class="stack" aria-label="The last hour">
          <h2>The last {over === MINUTES ? 'hour' : spanText(over * 60_000)}, all nodes together</h2>
          <p class="row">
            {[MINUTES, 6 * MINUTES, MINUTES_MAX].map((one) => (
              <Button
                key={one}
                look="tiny"
                pressed={over === one}
                onPress={() => goQuery(codec.write({ minutes: one === MINUTES ? null : one }))}
              >
                {spanText(one * 60_000)}
              </Button>
            ))}
          </p>
          {stats.problem.value !== null && (
            <ProblemNote problem={stats.problem.value} again={() => void stats.again()} />
          )}
          <div class="cards">
            {SERIES.map((series) => (
              <Spark key={series.word} series={series} minutes={minutes} now={textOf(value['now'])} over={over} />
            ))}
          </div>
        </section>
      )}
      <Hosts of={value} />
    </>
  );
}

/** A node whose lease ran out is silent; what it had claimed is taken up by others. Silent for so long it is gone, in milliseconds. */
const GONE_MS = 600_000;
function NodeState({ of }: { readonly of: JsonObject }) {
  if (of['alive'] !== false) return <Chip state="delivered" word="alive" />;
  const silentMs = now.value - ahead.value - Date.parse(textOf(of['seen_at']));
  return silentMs > GONE_MS ? <Chip state="failed" word="gone" /> : <Chip state="awaiting" word="silent" />;
}

const countOr = (value: Json | undefined): string => (typeof value === 'number' ? countText(value) : '–');

const inMs = (value: number): string =>
  value < 10
    ? `${value.toFixed(1)} ms`
    : value < 10_000
      ? `${countText(Math.round(value))} ms`
      : `${(value / 1_000).toFixed(1)} s`;
const SERIES: readonly Series[] = [
  { word: 'steps', of: (minute) => numberIn(minute, 'steps'), sum: 'sum' },
  { word: 'workflows launched', of: (minute) => numberIn(minute, 'launched'), sum: 'sum' },
  { word: 'tries delivered', of: (minute) => numberIn(minute, 'tries', 'delivered'), sum: 'sum', look: 'done' },
  {
    word: 'tries that failed',
    of: (minute) => (numberIn(minute, 'tries', 'refused') ?? 0) + (numberIn(minute, 'tries', 'unreachable') ?? 0),
    sum: 'sum',
    look: 'failed',
  },
  {
    word: 'slowest step (95 %)',
    of: (minute) => numberIn(minute, 'step_p95_ms'),
    sum: 'largest',
    say: inMs,
    look: 'waits',
  },
  {
    word: 'latest timer (95 %)',
    of: (minute) => numberIn(minute, 'timer_lag_ms'),
    sum: 'largest',
    say: inMs,
    look: 'waits',
  },
  {
    word: 'latest try (95 %)',
    of: (minute) => numberIn(minute, 'claim_lag_ms'),
    sum: 'largest',
    say: inMs,
    look: 'waits',
  },
  {
    word: 'slowest commit (95 %)',
    of: (minute) => numberIn(minute, 'database_ms'),
    sum: 'largest',
    say: inMs,
    look: 'waits',
  },
];
