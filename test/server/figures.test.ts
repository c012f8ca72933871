import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeKey } from '../../src/identity/key-text.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { METRICS, makeMetrics, metricsTable } from '../../src/runtime/metrics.ts';
import { manualTime } from '../../src/runtime/process-time.ts';
import { readConfig } from '../../src/server/config.ts';
import { COUNT_KEPT_MS, COUNT_MS_MAX, makeServerFigures } from '../../src/server/figures.ts';
import { FOLDED_AFTER_MS, HOUR_MS, MINUTE_MS, makeMinutes } from '../../src/server/minutes.ts';
import { type Running, start } from '../../src/server/start.ts';
import type { FigureRow, Store } from '../../src/store/store.ts';
import { readExposition, type Sample } from '../support/exposition.ts';
import { type Participant, postJson, send, startParticipant, startServer } from '../support/server.ts';

/* Figures: what /metrics and GET /v1/stats say after a story whose numbers are known. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** More than this is too much for one node. */
const SERIES_MAX = 5_000;

let server: Running;
let alpha: Participant;
let status = 200;
beforeAll(async () => {
  alpha = await startParticipant(() => status);
  server = await startServer({ TEST_CLOCK: '1', METRICS_LISTEN: '127.0.0.1:0', OVERDUE_AFTER: '3600' });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await alpha.stop();
}, 60_000);

const launch = async (definition: string): Promise<string> => {
  const answer = await postJson(server.url, '/v1/workflows', { workflow: definition, callback: alpha.url });
  expect(answer.status, answer.text).toBe(201);
  return answer.json<{ id: string }>().id;
};
const scrape = async (): Promise<readonly Sample[]> =>
  readExposition((await send(server.url, 'GET', '/metrics')).text).samples;
const figureOf = (samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number | undefined =>
  samples.find(
    (one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value;

type Stats = {
  readonly workflows: Record<string, number>;
  readonly workitems: Record<string, number>;
  readonly messages: Record<string, number>;
  readonly timers: Record<string, number>;
  readonly errors: number;
  readonly minutes: readonly {
    readonly launched: number;
    readonly ended: number;
    readonly steps: number;
    readonly tries: Record<string, number>;
    readonly step_p95_ms: number;
    readonly claim_lag_ms: number | null;
  }[];
  readonly hosts: readonly { readonly host: string; readonly tries: number; readonly failing_since: string | null }[];
};
const total = (stats: Stats, of: (minute: Stats['minutes'][number]) => number): number =>
  stats.minutes.reduce((sum, minute) => sum + of(minute), 0);

test('what happened is counted, by a story whose numbers are known', async () => {
  // Two are proceeded, one of them to its end; one is refused twice; one is cancelled; one has nobody to call.
  await launch('define\n  alpha\n');
  const first = await alpha.next();
  expect((await send(server.url, 'POST', new URL(first.body.proceed_url).pathname)).text).toBe('OK');
  await launch('define\n  alpha\n  alpha\n');
  const second = await alpha.next();
  expect((await send(server.url, 'POST', new URL(second.body.proceed_url).pathname)).text).toBe('OK');
  await alpha.next();
  const cancelled = await launch('define\n  alpha\n');
  await alpha.next();
  expect((await send(server.url, 'POST', `/v1/workflows/${cancelled}/cancel`)).status).toBe(201);
  await alpha.next();
  status = 503;
  await launch('define\n  alpha\n');
  await alpha.next();
  expect((await postJson(server.url, '/v1/test/clock', { advance: 40 })).status).toBe(200);
  await alpha.next();
  status = 200;
  await launch('define\n  unknown_word "\n'.replace(' "', ''));
  await alpha.next();
  await launch('define\n  wait 5s\n');
  expect((await postJson(server.url, '/v1/test/clock', { advance: 10 })).status).toBe(200);
  await send(server.url, 'GET', '/v1/workflows/20151005-1247-nobody-nothing');

  const samples = await scrape();
  const is = (name: string, labels?: Record<string, string>) => figureOf(samples, name, labels);
  expect(is('rota_workflows_launched_total')).toBe(6);
  expect(is('rota_workflows_ended_total', { status: 'completed' })).toBe(2);
  expect(is('rota_workflows_ended_total', { status: 'cancelled' })).toBe(1);
  expect(is('rota_workflows_ended_total', { status: 'killed' })).toBe(0);
  expect(is('rota_workflows', { status: 'running' })).toBe(3);
  expect(is('rota_workitems_open')).toBe(3);
  expect(is('rota_steps_total', { event: 'launch' })).toBe(6);
  expect(is('rota_steps_total', { event: 'proceed' })).toBe(2);
  expect(is('rota_steps_total', { event: 'cancel' })).toBe(1);
  expect(is('rota_step_duration_seconds_count')).toBeGreaterThanOrEqual(9);
  expect(is('rota_workitem_wait_seconds_count')).toBe(2);
  expect(is('rota_timers_fired_total')).toBe(1);
  expect(is('rota_callbacks_total', { message: 'active', outcome: '5xx' })).toBeGreaterThanOrEqual(1);
  expect(is('rota_callbacks_total', { message: 'cancel', outcome: '2xx' })).toBe(1);
  expect(is('rota_callback_retries_total')).toBeGreaterThanOrEqual(1);
  expect(is('rota_http_refused_total', { code: 'workflow_not_found' })).toBe(1);
  expect(is('rota_http_request_duration_seconds_count', { operation: 'launch', status: '2xx' })).toBe(6);
  expect(is('rota_auth_total', { method: 'none', outcome: 'ok' })).toBeGreaterThan(6);
  expect(is('rota_nodes', { role: 'all' })).toBe(1);
  expect(is('rota_database_wait_seconds_count', { pool: 'engine' })).toBeGreaterThan(0);
  for (const query of ['workflows', 'messages', 'workitems', 'errors'])
    expect(is('rota_scrape_stale', { query })).toBe(0);

  const stats = (await send(server.url, 'GET', '/v1/stats')).json<Stats>();
  expect(stats).toMatchObject({
    workflows: { running: 3, error: 0, paused: 0, cancelling: 0 },
    workitems: { open: 3, failed: 0, overdue: 0 },
    errors: 0,
  });
  expect([total(stats, ({ launched }) => launched), total(stats, ({ ended }) => ended)]).toEqual([6, 3]);
  expect(total(stats, ({ steps }) => steps)).toBe(is('rota_step_duration_seconds_count'));
  expect(total(stats, ({ tries }) => tries['refused'] ?? 0)).toBe(
    is('rota_callbacks_total', { message: 'active', outcome: '5xx' }),
  );
  expect(stats.minutes[0]?.step_p95_ms).toBeGreaterThan(0);
  expect(stats.minutes.some(({ claim_lag_ms: late }) => (late ?? 0) > 0)).toBe(true);
  expect(stats.hosts).toMatchObject([{ host: new URL(alpha.url).host, failing_since: null }]);

  // Minutes that are over lie in the database and are found there; a query beyond its bounds is refused.
  expect((await postJson(server.url, '/v1/test/clock', { advance: 3_600 })).status).toBe(200);
  const later = (await send(server.url, 'GET', '/v1/stats?minutes=120')).json<Stats>();
  expect(total(later, ({ launched }) => launched)).toBe(6);
  expect((await send(server.url, 'GET', '/v1/stats?minutes=1')).json<Stats>().minutes.length).toBeLessThanOrEqual(1);
  for (const minutes of ['0', '10081', 'x', '-1', ''])
    expect((await send(server.url, 'GET', `/v1/stats?minutes=${minutes}`)).status, minutes).toBe(400);
  // Another tenant has none of it.
  const other = (await send(server.url, 'GET', '/v1/stats', { headers: { 'Rota-Tenant': 'other' } })).json<Stats>();
  expect(other).toMatchObject({ workflows: { running: 0 }, workitems: { open: 0 }, minutes: [] });
  expect(other.hosts).toBeUndefined();
}, 60_000);

test('the text is one that Prometheus reads, and so is that of OpenMetrics', async () => {
  const plain = await send(server.url, 'GET', '/metrics');
  expect(plain.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const { complaints, samples, types } = readExposition(plain.text);
  expect(complaints).toEqual([]);
  expect(samples.length).toBeLessThan(SERIES_MAX);
  for (const name of types.keys()) expect(name).toMatch(/^(rota|process|nodejs)_/);
  const open = await send(server.url, 'GET', '/metrics', { headers: { Accept: 'application/openmetrics-text' } });
  expect(open.headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(open.text.endsWith('\n# EOF\n')).toBe(true);
  expect(open.text).toMatch(/^# TYPE rota_workflows_launched counter\nrota_workflows_launched_total \d+$/m);
  expect((await send(server.url, 'GET', '/metrics')).text).toMatch(/^# TYPE rota_workflows_launched_total counter$/m);
});

test('the checker finds what is wrong with a text', () => {
  const good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c"} 1\n';
  expect(readExposition(good).complaints).toEqual([]);
  for (const bad of [
    good.trimEnd(),
    good + good,
    good.replace('# HELP a_total x\n', ''),
    good.replaceAll('a_total', 'a'),
    good.replace('} 1', '} one'),
    good.replace('b="c"', 'b=c'),
    good.replace('b="c"', 'b="c",b="d"'),
    `${good}a_total{b="c"} 2\n`,
    `${good}other 2\n`,
    '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
  ])
    expect(readExposition(bad).complaints, bad).not.toEqual([]);
});

test('every name in ops and in the documents is served, and the other way round; so are labels and headings', async () => {
  const { samples } = readExposition((await send(server.url, 'GET', '/metrics')).text);
  const served = new Map<string, Set<string>>();
  for (const { name, labels } of samples) {
    const known = served.get(name) ?? new Set();
    for (const label of Object.keys(labels)) known.add(label);
    served.set(name, known);
  }
  const bare = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
  const operating = read('docs/operating.md');
  const alerts = read('ops/prometheus/alerts.yaml');
  const dashboard = read('ops/grafana/rota.json');
  for (const text of [alerts, dashboard, operating, read('ops/prometheus/alerts_test.yaml')])
    for (const [name] of text.matchAll(/\b(?:rota_(?!try)|nodejs_|process_)\w+/g))
      if (name !== 'rota_build' && !name.startsWith('rota_wake'))
        expect(served.has(name) || METRICS.has(bare(name)), name).toBe(true);
  expect(operating.includes(metricsTable()) ? '' : 'the table in docs/operating.md is stale: run npm run docs').toBe(
    '',
  );
  for (const name of METRICS.keys()) {
    // There is no certificate here; see below.
    if (name !== 'rota_tls_certificate_not_after_seconds') expect([...served.keys()].map(bare), name).toContain(name);
  }
  for (const name of served.keys()) if (name.startsWith('rota_')) expect(METRICS.has(bare(name)), name).toBe(true);
  // Of every selector the labels are there.
  for (const text of [alerts, dashboard.replaceAll('\\"', '"')])
    for (const [, name = '', inner = ''] of text.matchAll(/\b(rota_\w+)\{([^}]*)\}/g))
      for (const [, label = ''] of inner.matchAll(/(\w+)\s*[=!]~?"/g))
        if (!['job', 'instance'].includes(label))
          expect([...Object.keys(METRICS.get(bare(name))?.labels ?? {}), 'le'], `${name} ${label}`).toContain(label);
  // Every alert tells where to read on.
  const { groups } = parse(alerts) as {
    groups: { rules: { alert: string; annotations: { summary: string; runbook: string } }[] }[];
  };
  const headings = [...operating.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, annotations } of rules) {
    expect(annotations.summary, alert).not.toBe('');
    const [page, heading = ''] = annotations.runbook.split('#');
    expect(page).toBe('docs/operating.md');
    expect(headings, alert).toContain(heading);
  }
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
test.runIf(hasPromtool)(
  'the tool of Prometheus finds nothing in figures and alerts, where it is on the machine',
  async () => {
    const promtool = (args: readonly string[], input = ''): void => {
      const {
        status: code,
        stdout,
        stderr,
      } = spawnSync('promtool', args, {
        cwd: join(root, 'ops/prometheus'),
        input,
        encoding: 'utf8',
      });
      expect([code, code === 0 ? '' : `${stdout}${stderr}`], args.join(' ')).toEqual([0, '']);
    };
    promtool(['check', 'metrics'], (await send(server.url, 'GET', '/metrics')).text);
    promtool(['check', 'rules', 'alerts.yaml']);
    promtool(['test', 'rules', 'alerts_test.yaml']);
  },
);

test('the second address has figures and probes, and nothing else', async () => {
  const url = server.metricsUrl ?? '';
  const answer = await send(url, 'GET', '/metrics');
  expect(readExposition(answer.text).complaints).toEqual([]);
  expect((await send(url, 'GET', '/livez')).text).toBe('ok');
  expect((await send(url, 'GET', '/readyz?verbose')).status).toBe(200);
  for (const path of ['/', '/v1/workflows', '/openapi.json', '/console/', '/metrics/x'])
    expect((await send(url, 'GET', path)).status, path).toBe(404);
  expect((await send(url, 'POST', '/metrics')).status).toBe(405);
  const taken = start(
    readConfig({ DATA_DIR: 'memory:', PORT: '0', LOG_LEVEL: 'silent', METRICS_LISTEN: new URL(url).host }),
  );
  await expect(taken).rejects.toThrow(/METRICS_LISTEN/);
}, 60_000);

describe('where callers are asked who they are', () => {
  const admin = makeKey().text;
  let closed: Running;
  beforeAll(async () => {
    closed = await startServer({ ADMIN_KEY: admin });
  }, 120_000);
  afterAll(() => closed.stop(), 60_000);

  test('figures are for those who may read everything; refusals are counted by what was wrong', async () => {
    const as = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });
    const make = async (more: object): Promise<string> =>
      (await postJson(closed.url, '/v1/keys', { name: 'k', scopes: ['read'], ...more }, as(admin))).json<{
        key: string;
      }>().key;
    const [one, all, launcher] = [await make({}), await make({ tenant: '*' }), await make({ scopes: ['launch'] })];
    const status = async (key: string): Promise<number> =>
      (await send(closed.url, 'GET', '/metrics', { headers: key === '' ? {} : as(key) })).status;
    expect([await status(''), await status(one), await status(launcher), await status(all)]).toEqual([
      401, 403, 403, 200,
    ]);
    expect(await status('nonsense')).toBe(401);
    const { samples } = readExposition((await send(closed.url, 'GET', '/metrics', { headers: as(all) })).text);
    const count = (method: string, outcome: string) => figureOf(samples, 'rota_auth_total', { method, outcome });
    expect([count('none', 'invalid'), count('key', 'invalid'), count('key', 'scope')]).toEqual([1, 1, 1]);
    expect(count('key', 'ok')).toBeGreaterThan(3);
  });
});

describe('counts of the whole database', () => {
  const asked = { live: 0 };
  const hang = new Promise<never>(() => {});
  let errors: () => Promise<number> = async () => 7;
  const time = manualTime();
  const figures = makeServerFigures({
    metrics: makeMetrics(),
    store: {
      profile: 'postgres',
      figureRows: { add: async () => {}, since: async () => [] },
      connections: () => [],
      figures: {
        live: async () => {
          asked.live += 1;
          return new Map([['running', asked.live]]);
        },
        messages: async () => ({ due: 0, oldestDueAt: null }),
        timers: async () => ({ due: 0, oldestDueAt: null }),
        workitems: async () => ({ open: 0, failed: 0, overdue: 0, failing: 0 }),
        errors: () => errors(),
      },
    } as unknown as Store,
    clock: { now: () => 0 },
    time,
    log: silentLog,
    nodeId: 'n',
    version: '1',
    overdue: () => ({ before: 0, of: {} }),
  });
  figures.stand(() => ({
    engine: { queued: 0, outcomesKept: 0, commits: 0, steps: 0, overloaded: 0 },
    tries: null,
    breakers: [],
    breakerTransitions: null,
    underWayOf: () => 0,
    tls: { endsAt: 4_000_000_000_000, failures: 2 },
    app: { requests: 0, closed: { slow: 0, gone: 0, shutdown: 0, revoked: 0 } },
    ofWorkflows: { readers: 0, sent: 0 },
    ofAll: null,
    nodes: async () => [],
  }));
  const look = async (): Promise<readonly Sample[]> =>
    readExposition((await figures.scrape('prometheus')).text).samples;

  test('are asked for once in a while, however many look', async () => {
    await Promise.all([look(), look(), look()]);
    await look();
    expect(asked.live).toBe(1);
    expect(figureOf(await look(), 'rota_tls_certificate_not_after_seconds')).toBe(4_000_000_000);
    expect(figureOf(await look(), 'rota_tls_reload_failures_total')).toBe(2);
    time.pass(COUNT_KEPT_MS + 1);
    expect(figureOf(await look(), 'rota_workflows', { status: 'running' })).toBe(2);
  });

  test('are left out when they take too long or fail, and said to be', async () => {
    expect(figureOf(await look(), 'rota_errors_waiting')).toBe(7);
    for (const trouble of [() => hang, async () => Promise.reject(new Error('canceled'))]) {
      errors = trouble;
      time.pass(COUNT_KEPT_MS + 1);
      const looking = look();
      await new Promise((resolve) => setImmediate(resolve));
      time.pass(COUNT_MS_MAX);
      const samples = await looking;
      expect(figureOf(samples, 'rota_errors_waiting')).toBeUndefined();
      expect(figureOf(samples, 'rota_scrape_stale', { query: 'errors' })).toBe(1);
      expect(figureOf(samples, 'rota_scrape_stale', { query: 'workflows' })).toBe(0);
    }
  });
});

test('minutes of days ago become hours, and come to the same', async () => {
  let rows: FigureRow[] = [];
  const inHour = (tenant: string, from: number, to: number) =>
    rows.filter((row) => row.tenant === tenant && row.minute >= from && row.minute < to);
  const figureRows: Store['figureRows'] = {
    add: async (row) => void rows.push(row),
    since: async (tenant, minute) => rows.filter((row) => row.tenant === tenant && row.minute >= minute),
    oldest: async (minute) => rows.find((row) => row.minute < minute && row.node !== 'hour') ?? null,
    between: async (tenant, from, to) => inHour(tenant, from, to).map(({ figures }) => figures),
    fold: async (tenant, from, to, figures) => {
      const gone = inHour(tenant, from, to);
      rows = [...rows.filter((row) => !gone.includes(row)), { tenant, minute: from, node: 'hour', figures }];
    },
  };
  let now = 1_000 * HOUR_MS;
  const parts = { store: { figureRows }, clock: { now: () => now }, time: manualTime(), log: silentLog, nodeId: 'n' };
  const minutes = makeMinutes(parts as unknown as Parameters<typeof makeMinutes>[0]);
  for (let i = 0; i < 3; i++) {
    minutes.meter.launched?.('t');
    minutes.meter.step?.('t', 'launch', 0.01 * (i + 1));
    now += MINUTE_MS;
  }
  await minutes.stop();
  const later = makeMinutes(parts as unknown as Parameters<typeof makeMinutes>[0]);
  const before = await later.read('t', 10_080);
  expect(before).toHaveLength(3);
  await later.fold();
  expect(await later.read('t', 10_080)).toEqual(before);
  now += FOLDED_AFTER_MS + HOUR_MS;
  await later.fold();
  await later.fold();
  const [hour, ...others] = await later.read('t', 10_080);
  expect(others).toEqual([]);
  expect(hour).toMatchObject({ at: 1_000 * HOUR_MS, launched: 3, steps: 3, stepP95Ms: before[2]?.stepP95Ms });
  await later.stop();
});
