import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type Distribution, makeDistribution, printDistribution } from './distribution.ts';
import type { Meter } from './meter.ts';

/*
 * Figures for Prometheus: every name there is, with its labels and all their values. It is one thing, for a name is counted where it is named. What happens is counted in memory as it happens; what
 * stands is asked for when somebody looks. A label has few values, all of them known here or bounded by what the server can do: never an id,
 * a URL, a host, a tenant, or a name that callers choose.
 */

type Labels = Readonly<Record<string, readonly string[]>>;
/** What is counted at every step: a number here, which its counter gets when somebody looks. */
type Tally = { readonly counter: Counter; readonly labels: Readonly<Record<string, string>>; count: number };
type Spec = { readonly help: string; readonly labels?: Labels; readonly buckets?: readonly number[] };

const STEP_EVENTS = [
  'launch',
  'proceed',
  'fail',
  'edit',
  'due',
  'give_up',
  'cancel',
  'kill',
  'pause',
  'resume',
  'cancel_expression',
  'kill_expression',
  'pause_expression',
  'resume_expression',
  'reply',
  'move',
  'add_token',
  'reapply',
  'replay',
  'redeliver',
  'refuse',
  'message',
  'signal',
  'broken',
] as const;
const OUTCOMES = ['2xx', '3xx', '4xx', '5xx', 'timeout', 'unreachable', 'blocked', 'dropped'] as const;
const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

const COUNTERS = {
  rota_http_refused_total: { help: 'Requests answered with a problem, by its code', labels: { code: [] } },
  rota_auth_total: {
    help: 'Credentials looked at; none: nobody had to say who they are',
    labels: {
      method: ['key', 'jwt', 'session', 'capability', 'ticket', 'none'],
      outcome: ['ok', 'invalid', 'expired', 'revoked', 'scope'],
    },
  },
  rota_workflows_launched_total: { help: 'Workflows launched on this node' },
  rota_workflows_ended_total: {
    help: 'Workflows that ended on this node, by how',
    labels: { status: ['completed', 'cancelled', 'killed'] },
  },
  rota_steps_total: { help: 'Steps taken, by what they were for', labels: { event: STEP_EVENTS } },
  rota_engine_commits_total: { help: 'Transactions of the engine that changed something' },
  rota_engine_reruns_total: {
    help: 'Batches run again: what was remembered had moved on, the transaction was lost, a workflow was locked elsewhere',
    labels: { reason: ['stale', 'lost', 'busy'] },
  },
  rota_callbacks_total: {
    help: 'Tries of callbacks and notices, by message and how they ended',
    labels: { message: ['active', 'timeout', 'error', 'cancel'], outcome: OUTCOMES },
  },
  rota_callback_retries_total: { help: 'Tries that were not the first of their message' },
  rota_callbacks_exhausted_total: { help: 'Messages whose last try has failed' },
  rota_callbacks_postponed_total: {
    help: 'Messages put off without a try: their host is left alone for a while, or asked not to be called',
  },
  rota_breaker_transitions_total: {
    help: 'Times a host was left alone (open), asked with a single try (half_open), or called as others again (closed)',
    labels: { to: ['open', 'half_open', 'closed'] },
  },
  rota_timers_fired_total: { help: 'Timers that fired on this node' },
  rota_events_sent_total: { help: 'Events written to streams of this node' },
  rota_events_readers_closed_total: {
    help: 'Streams that ended before they were done: their reader took nothing, may read no more, this node stopped, or they went',
    labels: { reason: ['slow', 'revoked', 'shutdown', 'gone'] },
  },
  rota_batch_items_total: {
    help: 'Items of batches that this node dealt with, by what came of them',
    labels: {
      action: ['cancel', 'kill', 'pause', 'resume', 'replay', 'redeliver', 'proceed'],
      outcome: ['done', 'failed', 'skipped'],
    },
  },
  rota_payload_warnings_total: {
    help: 'Bodies, definitions, fields and counts of live expressions beyond PAYLOAD_WARN of what there may be',
    labels: { what: ['body', 'definition', 'fields', 'expressions'] },
  },
  rota_tls_reload_failures_total: { help: 'Times certificate and key were to be read anew and could not serve' },
  rota_database_lost_total: {
    help: 'Connections to the database that were lost; they are made again',
    labels: { pool: ['engine', 'reads'] },
  },
} as const satisfies Readonly<Record<string, Spec>>;

const HISTOGRAMS = {
  rota_http_request_duration_seconds: {
    help: 'Requests, by operation and kind of answer, from their head to their answer',
    labels: { operation: [], status: [] },
    buckets: QUICK,
  },
  rota_step_duration_seconds: { help: 'Steps, from the arrival of the stimulus to the commit', buckets: QUICK },
  rota_engine_batch_stimuli: { help: 'Stimuli and outcomes in one batch', buckets: [1, 2, 4, 8, 16, 32, 64] },
  rota_callback_duration_seconds: {
    help: 'Tries, from the connection to the answer',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
  },
  rota_workitem_wait_seconds: {
    help: 'Workitems that were proceeded, since they were opened',
    buckets: [1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000],
  },
  rota_timer_lag_seconds: {
    help: 'Timers that fired, after the time they were due',
    buckets: [0.01, 0.1, 1, 5, 30, 300],
  },
  rota_database_wait_seconds: {
    help: 'Waits for a connection to the database',
    labels: { pool: ['engine', 'reads'] },
    buckets: [0.001, 0.01, 0.1, 1, 10],
  },
} as const satisfies Readonly<Record<string, Spec>>;

const GAUGES = {
  rota_build_info: { help: 'What runs here', labels: { version: [], node_version: [], store: [] } },
  rota_http_requests_in_flight: { help: 'Requests under way on this node' },
  rota_workflows: {
    help: 'Workflows that have not ended, in the whole database',
    labels: { status: ['running', 'error', 'paused', 'cancelling'] },
  },
  rota_engine_queue_length: { help: 'Stimuli that wait or are under way on this node' },
  rota_engine_outcomes_kept: { help: 'Ends of tries that are not written yet on this node' },
  rota_callbacks_in_flight: { help: 'Tries under way on this node' },
  rota_callbacks_waiting: { help: 'Messages claimed by this node that wait for a place' },
  rota_breakers: {
    help: 'Hosts that this node leaves alone (open), or asks with a single try (half_open)',
    labels: { state: ['open', 'half_open'] },
  },
  rota_messages_due: { help: 'Messages due that nobody has claimed, in the whole database (counted to 10,000)' },
  rota_messages_oldest_due_seconds: { help: 'Since when the oldest of them is due' },
  rota_workitems_open: { help: 'Workitems that wait for their participant, in the whole database' },
  rota_workitems_overdue: { help: 'Workitems open or failed for longer than OVERDUE_AFTER, in the whole database' },
  rota_errors_waiting: { help: 'Errors that wait for somebody, in the whole database' },
  rota_events_readers: { help: 'Streams of events open on this node', labels: { kind: ['workflow', 'all'] } },
  rota_events_lag_seconds: {
    help: 'For how long the newest events wait for transactions that began before them, while somebody watches all',
  },
  rota_database_connections: {
    help: 'Connections of this node to the database, and callers that wait for one',
    labels: { pool: ['engine', 'reads'], state: ['used', 'idle', 'waiting'] },
  },
  rota_tls_certificate_not_after_seconds: {
    help: 'When the certificate that is shown ends, in seconds since 1970; left out without TLS',
  },
  rota_nodes: { help: 'Living nodes on this database, by role', labels: { role: ['all', 'api', 'worker'] } },
  rota_scrape_stale: {
    help: '1: figures of the whole database that could not be had in time are left out or old',
    labels: { query: ['workflows', 'messages', 'workitems', 'errors'] },
  },
} as const satisfies Readonly<Record<string, Spec>>;

export type GaugeName = keyof typeof GAUGES;
export type CounterName = keyof typeof COUNTERS;

/** Every name of ours: what documents and dashboards may speak of. */
export type MetricInfo = {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly help: string;
  /** Their values; none where they are only known as they come. */
  readonly labels: Labels;
};
const infoOf = (kind: MetricInfo['kind'], specs: Readonly<Record<string, Spec>>): readonly [string, MetricInfo][] =>
  Object.entries(specs).map(([name, { help, labels = {} }]) => [name, { kind, help, labels }]);
export const METRICS: ReadonlyMap<string, MetricInfo> = new Map([
  ...infoOf('counter', COUNTERS),
  ...infoOf('histogram', HISTOGRAMS),
  ...infoOf('gauge', GAUGES),
]);

/** The table of docs/operating.md. */
export const metricsTable = (): string =>
  [
    '| Name | Kind | Labels | What it says |',
    '|---|---|---|---|',
    ...[...METRICS].map(([name, { kind, help, labels }]) => {
      const named = Object.entries(labels).map(
        ([label, values]) => `\`${label}\`${values.length === 0 ? '' : `: ${values.join(', ')}`}`,
      );
      return `| \`${name}\` | ${kind} | ${named.length === 0 ? '–' : named.join('; ')} | ${help} |`;
    }),
  ].join('\n');

export type Metrics = {
  /** What the rooms tell. */
  readonly meter: Meter;
  /** How things stand, told when somebody looks. A gauge that is not set is not shown. */
  set(name: GaugeName, value: number, labels?: Readonly<Record<string, string>>): void;
  /** What was counted elsewhere since the start, told when somebody looks. */
  count(name: CounterName, value: number, labels?: Readonly<Record<string, string>>): void;
  readonly database: {
    readonly waited: (pool: 'engine' | 'reads', seconds: number) => void;
    readonly lost: (pool: 'engine' | 'reads') => void;
  };
  /** Shows this gauge no more, until it is set. */
  leaveOut(name: GaugeName): void;
  /** Everything as text, in the format of Prometheus or that of OpenMetrics. */
  text(format: 'prometheus' | 'openmetrics'): Promise<{ readonly type: string; readonly text: string }>;
};

/** Label values that turn up beyond those that are known (problem codes, operations) are counted under `other` from here on. */
export const VALUES_MAX = 300;

/** Makes the figures of one process. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  const counter = (name: keyof typeof COUNTERS): Counter => {
    const { help, labels = {} }: Spec = COUNTERS[name];
    const made = new Counter({ name, help, labelNames: Object.keys(labels), registers: [registry] });
    // They begin at nought, so that the first event is an increase.
    for (const one of combined(labels)) made.inc(one, 0);
    return made;
  };
  const tallies: Tally[] = [];
  const tally = (counter: Counter, labels: Readonly<Record<string, string>> = {}): Tally => {
    const made = { counter, labels, count: 0 };
    tallies.push(made);
    return made;
  };
  const distributions: [keyof typeof HISTOGRAMS, string, Distribution][] = [];
  const distribution = (name: keyof typeof HISTOGRAMS, labels: Readonly<Record<string, string>> = {}): Distribution => {
    const made = makeDistribution(HISTOGRAMS[name].buckets);
    const printed = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    distributions.push([name, printed.join(','), made]);
    return made;
  };
  const gauges = new Map(
    Object.entries(GAUGES).map(([name, { help, labels = {} }]: [string, Spec]) => {
      const made = new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] });
      // One without labels begins at nought by itself, which would say something nobody has looked at.
      if (Object.keys(labels).length === 0) made.remove({});
      return [name as GaugeName, made] as const;
    }),
  );

  const refused = childrenOf((code) => counters.refused.labels(code));
  const counters = {
    refused: counter('rota_http_refused_total'),
    auth: counter('rota_auth_total'),
    launched: tally(counter('rota_workflows_launched_total')),
    ended: counter('rota_workflows_ended_total'),
    steps: counter('rota_steps_total'),
    commits: tally(counter('rota_engine_commits_total')),
    reruns: counter('rota_engine_reruns_total'),
    callbacks: counter('rota_callbacks_total'),
    retries: tally(counter('rota_callback_retries_total')),
    exhausted: counter('rota_callbacks_exhausted_total').labels(),
    timers: tally(counter('rota_timers_fired_total')),
    lost: counter('rota_database_lost_total'),
    batchItems: counter('rota_batch_items_total'),
    payloads: counter('rota_payload_warnings_total'),
  };
  const told = new Map<CounterName, Counter>(
    (
      [
        'rota_events_sent_total',
        'rota_events_readers_closed_total',
        'rota_callbacks_postponed_total',
        'rota_breaker_transitions_total',
        'rota_tls_reload_failures_total',
      ] as const
    ).map((name) => [name, counter(name)]),
  );
  const waited = {
    engine: distribution('rota_database_wait_seconds', { pool: 'engine' }),
    reads: distribution('rota_database_wait_seconds', { pool: 'reads' }),
  };
  const durations = childrenOf((key) => {
    const [operation = 'none', status = ''] = key.split(' ');
    return distribution('rota_http_request_duration_seconds', { operation, status });
  });
  const steps = new Map<string, Tally>(STEP_EVENTS.map((event) => [event, tally(counters.steps, { event })]));
  const ended = childrenOf((status) => tally(counters.ended, { status }));
  const authenticated = childrenOf((key) => {
    const [method = '', outcome = ''] = key.split(' ');
    return tally(counters.auth, { method, outcome });
  });
  const stepSeconds = distribution('rota_step_duration_seconds');
  const batchStimuli = distribution('rota_engine_batch_stimuli');
  const callbackSeconds = distribution('rota_callback_duration_seconds');
  const waitSeconds = distribution('rota_workitem_wait_seconds');
  const lagSeconds = distribution('rota_timer_lag_seconds');
  const callbacks = childrenOf((key) => {
    const [message = '', outcome = ''] = key.split(' ');
    return tally(counters.callbacks, { message, outcome });
  });

  const meter: Meter = {
    launched: () => (counters.launched.count += 1),
    ended: (_, status) => (ended(status).count += 1),
    step: (_, event, seconds) => {
      const seen = steps.get(event);
      if (seen !== undefined) seen.count += 1;
      stepSeconds.observe(seconds);
    },
    batch: (entries, wrote) => {
      batchStimuli.observe(entries);
      if (wrote) counters.commits.count += 1;
    },
    // A figure of each minute only (server/minutes.ts).
    saved: () => {},
    rerun: (reason) => counters.reruns.labels(reason).inc(),
    tried: ({ message, outcome, seconds, number }) => {
      callbacks(`${message} ${outcome}`).count += 1;
      // Of one that has not left there is nothing to time.
      if (outcome === 'dropped') return;
      callbackSeconds.observe(seconds);
      if (number > 1) counters.retries.count += 1;
    },
    exhausted: () => counters.exhausted.inc(),
    waited: (seconds) => waitSeconds.observe(seconds),
    timer: (_, lag) => {
      counters.timers.count += 1;
      lagSeconds.observe(Math.max(0, lag));
    },
    request: (operation, status, seconds, code) => {
      durations(`${operation ?? 'none'} ${Math.floor(status / 100)}xx`).observe(seconds);
      if (code !== null) refused(code).inc();
    },
    authenticated: (method, outcome) => (authenticated(`${method} ${outcome}`).count += 1),
    batchItems: (action, outcome, count) => counters.batchItems.labels(action, outcome).inc(count),
    large: (what) => counters.payloads.labels(what).inc(),
  };

  /** Of the process: measured from the first look on, so that whoever never looks pays nothing. */
  let watchesProcess = false;
  async function print(format: 'prometheus' | 'openmetrics'): Promise<{ type: string; text: string }> {
    if (!watchesProcess) {
      collectDefaultMetrics({ register: registry });
      // Gauges by the names of counters, which promtool complains of; the same by type is there without the ending.
      for (const kind of ['handles', 'requests', 'resources'])
        registry.removeSingleMetric(`nodejs_active_${kind}_total`);
    }
    watchesProcess = true;
    for (const one of tallies) {
      one.counter.inc({ ...one.labels }, one.count);
      one.count = 0;
    }
    const text = `${await registry.metrics()}\n${printed()}`;
    return format === 'prometheus'
      ? { type: registry.contentType, text }
      : { type: OPENMETRICS, text: openMetrics(text) };
  }

  const printed = (): string =>
    Object.entries(HISTOGRAMS)
      .map(([name, { help }]) => {
        const own = distributions.filter(([of]) => of === name);
        const lines = own.flatMap(([, labels, one]) => printDistribution(name, labels, one));
        return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.map((line) => `${line}\n`).join('')}`;
      })
      .join('\n');

  return {
    meter,
    set: (name, value, labels = {}) => gauges.get(name)?.set(labels, value),
    count: (name, value, labels = {}) => {
      told.get(name)?.remove(labels);
      told.get(name)?.inc(labels, value);
    },
    database: {
      waited: (pool, seconds) => waited[pool].observe(seconds),
      lost: (pool) => counters.lost.labels(pool).inc(),
    },
    leaveOut: (name) => {
      gauges.get(name)?.reset();
      // One without labels is nought again, which would say something.
      if (Object.keys(METRICS.get(name)?.labels ?? {}).length === 0) gauges.get(name)?.remove({});
    },
    text: print,
  };
}

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The same text in the other format, where the family of a counter is called without its `_total`. (The library would rename its counters for
 * good.) */
const openMetrics = (text: string): string =>
  `${text
    .replaceAll(/^# HELP (\w+)_total (.*)\n# TYPE \1_total counter$/gm, '# HELP $1 $2\n# TYPE $1 counter')
    .replaceAll(/\n{2,}/g, '\n')
    .trimEnd()}\n# EOF\n`;

/** Every combination of values; none where the values of a label are only known as they come. */
function combined(labels: Labels): readonly Readonly<Record<string, string>>[] {
  return Object.entries(labels).reduce<readonly Readonly<Record<string, string>>[]>(
    (all, [name, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
    Object.keys(labels).length === 0 ? [] : [{}],
  );
}

/** What is made for a text the first time is kept; a bound for whatever turns up. */
function childrenOf<Child>(make: (key: string) => Child): (key: string) => Child {
  const children = new Map<string, Child>();
  let other: Child | undefined;
  return (key) => {
    const known = children.get(key);
    if (known !== undefined) return known;
    if (children.size >= VALUES_MAX) {
      other ??= make('other');
      return other;
    }
    const made = make(key);
    children.set(key, made);
    return made;
  };
}
