import type { AppFigures } from '../api/app.ts';
import type { KeptFound, Stats, StatsAsked } from '../api/parts.ts';
import type { EngineFigures } from '../engine/engine.ts';
import type { Tenant } from '../model/tenant.ts';
import { makeBoundedMap } from '../runtime/bounded.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { bothMeters, type Meter } from '../runtime/meter.ts';
import type { GaugeName, Metrics } from '../runtime/metrics.ts';
import { type ProcessTime, pause } from '../runtime/process-time.ts';
import type { Asked, NodeRow, Overdue, SeenDefinition, Store } from '../store/store.ts';
import { type HostFigures, makeHosts } from './hosts.ts';
import { EVERYBODY, makeMinutes } from './minutes.ts';

/* Figures of this node and of the whole database, for /metrics and GET /v1/stats. */

/** What stands on this node, asked for when somebody looks. */
export type Standing = {
  readonly engine: EngineFigures;
  /** Null on nodes that deliver nothing. */
  readonly tries: { readonly underWay: number; readonly waiting: number; readonly postponed: number } | null;
  /** Hosts that are not called as others are, and until when (process time). */
  readonly breakers: readonly { readonly host: string; readonly state: string; readonly until: number }[];
  /** How often a host came to each of their states. */
  readonly breakerTransitions: { readonly open: number; readonly 'half-open': number; readonly closed: number } | null;
  /** Tries to a host under way. */
  readonly underWayOf: (host: string) => number;
  /** Null: it speaks plain http. `endsAt`: milliseconds since 1970. */
  readonly tls: { readonly endsAt: number; readonly failures: number } | null;
  readonly app: AppFigures;
  readonly ofWorkflows: { readonly readers: number; readonly sent: number };
  readonly ofAll: { readonly readers: number; readonly sent: number; readonly lateMs: number } | null;
  readonly nodes: () => Promise<readonly NodeRow[]>;
};

export type ServerFigures = {
  readonly meter: Meter;
  /** From here on what stands can be asked for. */
  stand(standing: () => Standing): void;
  scrape(format: 'prometheus' | 'openmetrics'): Promise<{ readonly type: string; readonly text: string }>;
  stats(asked: StatsAsked): Promise<Stats>;
  /** As of the last seconds; null: it could not be counted in time. */
  participants(tenant: Tenant, names: readonly string[]): Promise<ReadonlyMap<string, Asked> | null>;
  usedIn(
    tenant: Tenant,
    participant: string,
  ): Promise<readonly { readonly name: string | null; readonly workitems: number }[] | null>;
  /** Workflows of stored definitions, and what was launched of them in the last day. */
  kept(tenant: Tenant): Promise<KeptFound | null>;
  /** Definitions of the last week. */
  seen(tenant: Tenant): Promise<readonly SeenDefinition[] | null>;
  /** Folds minutes of days ago into hours: for the node that keeps house. */
  fold(): Promise<void>;
  /** Writes what was gathered. */
  stop(): Promise<void>;
};

/** A count of the whole database is asked for this often at most; one that takes long less often, so that it takes one part in twenty of a
 * connection's time. */
export const COUNT_KEPT_MS = 15_000;
const COUNT_SHARE = 20;
/** Whoever looks does not wait longer for a count: it is left out. */
export const COUNT_MS_MAX = 2_000;
/** Counts that are kept, of tenants and questions. */
const COUNTS_MAX = 1_000;
/** Launches of stored definitions are counted since then, in milliseconds: a day. */
const DAY_MS = 24 * 3_600_000;
/** Definitions that were launched since then are told, in milliseconds: a week. */
const SEEN_MS = 7 * 24 * 3_600_000;
/** Hosts in one answer. */
const HOSTS_SHOWN_MAX = 100;

const NO_TRANSITIONS = { open: 0, 'half-open': 0, closed: 0 };

/** @param metrics made before the store is opened, whose connections tell it of their waits */
export function makeServerFigures(parts: {
  readonly metrics: Metrics;
  readonly store: Store;
  readonly clock: Clock;
  readonly time: ProcessTime;
  readonly log: Log;
  readonly nodeId: string;
  readonly version: string;
  /** Since when a workitem has to wait to be overdue now. */
  readonly overdue: () => Overdue;
}): ServerFigures {
  const { metrics, store, clock, time, log } = parts;
  const minutes = makeMinutes(parts);
  const hosts = makeHosts(clock);
  let standing: (() => Standing) | null = null;

  type Kept = { readonly at: number; readonly tookMs: number; readonly value: unknown };
  const kept = makeBoundedMap<Kept>(COUNTS_MAX);
  const underWay = new Map<string, Promise<unknown>>();

  /** What a question was answered lately; null when it cannot be had in time. `keptMs`: how long at least nobody asks again. */
  async function count<Value>(
    tenant: Tenant | null,
    query: string,
    ask: () => Promise<Value>,
    keptMs = COUNT_KEPT_MS,
  ): Promise<Value | null> {
    const key = `${tenant ?? EVERYBODY} ${query}`;
    const known = kept.get(key);
    if (known !== undefined && time.now() - known.at < Math.max(keptMs, known.tookMs * COUNT_SHARE))
      return known.value as Value;
    const since = time.now();
    const asking = (underWay.get(key) as Promise<Value> | undefined) ?? ask();
    underWay.set(key, asking);
    const answered = asking.then(
      (value) => {
        kept.set(key, { at: time.now(), tookMs: time.now() - since, value });
        return value;
      },
      (err: unknown) => {
        log.debug('a count of the database could not be had', { event: 'figures.stale', query, err });
        return null;
      },
    );
    void answered.finally(() => underWay.delete(key));
    return Promise.race([answered, pause(time, COUNT_MS_MAX).then(() => null)]);
  }

  const figures = store.figures;
  const counts = (tenant: Tenant | null) => {
    return {
      workflows: () => count(tenant, 'workflows', async () => (await figures?.live(tenant)) ?? null),
      messages: () => count(tenant, 'messages', async () => (await figures?.messages(tenant, clock.now())) ?? null),
      timers: () => count(tenant, 'timers', async () => (await figures?.timers(tenant, clock.now())) ?? null),
      workitems: () =>
        count(tenant, 'workitems', async () => (await figures?.workitems(tenant, parts.overdue())) ?? null),
      errors: () => count(tenant, 'errors', async () => (await figures?.errors(tenant)) ?? null),
      busiest: (wanted: number) =>
        count(tenant, `busiest ${wanted}`, async () => {
          const since = clock.now() - wanted * 60_000;
          return (await figures?.busiest(tenant, since)) ?? null;
        }),
    };
  };

  async function readDatabase({ nodes }: Standing): Promise<void> {
    const asked = counts(null);
    const [workflows, messages, workitems, errors, living] = await Promise.all([
      asked.workflows(),
      asked.messages(),
      asked.workitems(),
      asked.errors(),
      nodes(),
    ]);
    show('workflows', workflows, ['rota_workflows'], (live) => {
      for (const [status, n] of live) metrics.set('rota_workflows', n, { status });
    });
    show('messages', messages, ['rota_messages_due', 'rota_messages_oldest_due_seconds'], ({ due, oldestDueAt }) => {
      metrics.set('rota_messages_due', due);
      metrics.set('rota_messages_oldest_due_seconds', secondsSince(oldestDueAt));
    });
    show('workitems', workitems, ['rota_workitems_open', 'rota_workitems_overdue'], ({ open, overdue }) => {
      metrics.set('rota_workitems_open', open);
      metrics.set('rota_workitems_overdue', overdue);
    });
    show('errors', errors, ['rota_errors_waiting'], (n) => metrics.set('rota_errors_waiting', n));
    for (const role of ['all', 'api', 'worker'])
      metrics.set('rota_nodes', living.filter((node) => node.alive && node.role === role).length, { role });
  }

  function show<Value>(
    query: string,
    value: Value | null,
    names: readonly GaugeName[],
    set: (value: Value) => void,
  ): void {
    metrics.set('rota_scrape_stale', value === null ? 1 : 0, { query });
    if (value === null) for (const name of names) metrics.leaveOut(name);
    else set(value);
  }

  const secondsSince = (at: number | null): number => (at === null ? 0 : Math.max(0, clock.now() - at) / 1000);

  function readNode(standing: Standing): void {
    const { engine, tries, breakers, breakerTransitions, tls, app, ofWorkflows, ofAll } = standing;
    metrics.set('rota_build_info', 1, {
      version: parts.version,
      node_version: process.version,
      store: store.profile,
    });
    metrics.set('rota_http_requests_in_flight', app.requests);
    metrics.set('rota_engine_queue_length', engine.queued);
    metrics.set('rota_engine_outcomes_kept', engine.outcomesKept);
    metrics.set('rota_callbacks_in_flight', tries?.underWay ?? 0);
    metrics.set('rota_callbacks_waiting', tries?.waiting ?? 0);
    for (const [state, label] of [
      ['open', 'open'],
      ['half-open', 'half_open'],
    ] as const)
      metrics.set('rota_breakers', breakers.filter((one) => one.state === state).length, { state: label });
    for (const [state, n] of Object.entries(breakerTransitions ?? NO_TRANSITIONS))
      metrics.count('rota_breaker_transitions_total', n, { to: state.replace('-', '_') });
    metrics.count('rota_callbacks_postponed_total', tries?.postponed ?? 0);
    metrics.count('rota_tls_reload_failures_total', tls?.failures ?? 0);
    if (tls !== null) metrics.set('rota_tls_certificate_not_after_seconds', Math.floor(tls.endsAt / 1000));
    metrics.set('rota_events_readers', ofWorkflows.readers, { kind: 'workflow' });
    metrics.set('rota_events_readers', ofAll?.readers ?? 0, { kind: 'all' });
    metrics.set('rota_events_lag_seconds', (ofAll?.lateMs ?? 0) / 1000);
    metrics.count('rota_events_sent_total', ofWorkflows.sent + (ofAll?.sent ?? 0));
    for (const [reason, n] of Object.entries(app.closed))
      metrics.count('rota_events_readers_closed_total', n, { reason });
    for (const { pool, used, idle, waiting } of store.connections()) {
      metrics.set('rota_database_connections', used, { pool, state: 'used' });
      metrics.set('rota_database_connections', idle, { pool, state: 'idle' });
      metrics.set('rota_database_connections', waiting, { pool, state: 'waiting' });
    }
  }

  async function stats({ tenant, minutes: wanted }: StatsAsked): Promise<Stats> {
    const asked = counts(tenant);
    const [workflows, messages, timers, workitems, errors, busiest, gone] = await Promise.all([
      asked.workflows(),
      asked.messages(),
      asked.timers(),
      asked.workitems(),
      asked.errors(),
      asked.busiest(wanted),
      minutes.read(tenant ?? EVERYBODY, wanted),
    ]);
    return {
      workflows,
      messages: messages === null ? null : { due: messages.due, oldestDueSeconds: secondsSince(messages.oldestDueAt) },
      timers: timers === null ? null : { due: timers.due, oldestDueSeconds: secondsSince(timers.oldestDueAt) },
      workitems,
      errors,
      busiest,
      minutes: gone,
      hosts: tenant === null ? hosts.worst(HOSTS_SHOWN_MAX).map(withBreaker) : null,
    };
  }

  const withBreaker = (
    one: HostFigures,
  ): HostFigures & { readonly breaker: string; readonly openUntil: number | null; readonly inFlight: number } => {
    const found = standing?.().breakers.find(({ host }) => host === one.host);
    const isOpen = found?.state === 'open';
    return {
      ...one,
      inFlight: standing?.().underWayOf(one.host) ?? 0,
      breaker: found === undefined ? 'closed' : isOpen ? 'open' : 'half_open',
      // It is the process that waits; whoever reads this has a clock.
      openUntil: isOpen ? Date.now() + Math.max(0, found.until - time.now()) : null,
    };
  };

  return {
    participants: (tenant, names) => {
      const ask = async () => (await figures?.participants(tenant, names)) ?? null;
      return count(tenant, `participants ${names.join(' ')}`, ask, 0);
    },
    usedIn: (tenant, name) =>
      count(tenant, `used in ${name}`, async () => (await figures?.usedIn(tenant, name)) ?? null, 0),
    kept: (tenant) => count(tenant, 'kept', async () => (await figures?.kept(tenant, clock.now() - DAY_MS)) ?? null, 0),
    seen: (tenant) =>
      count(tenant, 'seen', async () => (await figures?.seen(tenant, clock.now() - SEEN_MS)) ?? null, 0),
    meter: bothMeters(bothMeters(metrics.meter, minutes.meter), hosts.meter),
    stand: (given) => {
      standing = given;
    },
    scrape: async (format) => {
      const now = standing?.();
      if (now !== undefined) {
        readNode(now);
        await readDatabase(now);
      }
      return metrics.text(format);
    },
    stats,
    fold: minutes.fold,
    stop: minutes.stop,
  };
}
