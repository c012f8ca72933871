import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { hostname } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeApp } from '../api/app.ts';
import { makeAuditing } from '../api/audit.ts';
import { makeLargeNotes } from '../api/large.ts';
import { makeLiveWorkflows } from '../api/live-workflows.ts';
import { makeAddressOf } from '../api/middleware/address.ts';
import { makeIdentify } from '../api/middleware/authenticate.ts';
import { makeRates, type Rates } from '../api/middleware/rate.ts';
import { overdueNow } from '../api/overdue.ts';
import type { Parts } from '../api/parts.ts';
import { makeBatchRunner } from '../batches/run.ts';
import { readConsole } from '../console/files.ts';
import { withConsole } from '../console/serve.ts';
import { attributedBy } from '../engine/attributes.ts';
import { makeSearch } from '../engine/search.ts';
import { makeEventsOfAll } from '../events/of-all.ts';
import { makeEventsOfWorkflows } from '../events/of-workflow.ts';
import { makeSealing } from '../identity/sealing.ts';
import { EVERY_TENANT } from '../identity/secrets.ts';
import { deliveredText } from '../interpreter/state/fields.ts';
import { callbackRequest } from '../outbox/callback.ts';
import { makePost } from '../outbox/post.ts';
import { makeTargetCheck } from '../outbox/targets.ts';
import { makeDefinitionRegistry, namedIn } from '../registry/definitions.ts';
import { makeMemory } from '../registry/memory.ts';
import { makeOwnParticipants } from '../registry/own-participants.ts';
import { makeParticipants } from '../registry/participants.ts';
import { makeRoutes } from '../registry/routes.ts';
import { makeSubscriptions } from '../registry/subscriptions.ts';
import { makeAddressList } from '../runtime/addresses.ts';
import type { Clock } from '../runtime/clock.ts';
import { randomIds } from '../runtime/ids.ts';
import type { Log } from '../runtime/log.ts';
import { watchLoopDelay } from '../runtime/loop-delay.ts';
import { type Metrics, makeMetrics } from '../runtime/metrics.ts';
import { realTime } from '../runtime/process-time.ts';
import { makeTestClock } from '../runtime/test-clock.ts';
import { makeTracing } from '../runtime/tracing.ts';
import { RETIRED } from '../store/positions.ts';
import type { NodeBeat, NodeFigures, Store } from '../store/store.ts';
import { fillAttributes } from '../worker/attribute-fill.ts';
import { foldHistories } from '../worker/history-fold.ts';
import { keepHouse } from '../worker/house-keeping.ts';
import { makeSchedules, type SchedulesLoop } from '../worker/schedules.ts';
import { makeBasePath, makeBaseUrl } from './base-url.ts';
import type { Between } from './between.ts';
import type { Changeable } from './changes.ts';
import { compose } from './compose.ts';
import { type Config, isLoopback } from './config.ts';
import { makeDatabaseClock } from './database-clock.ts';
import { makeDefinitions } from './definitions.ts';
import { makeServerFigures } from './figures.ts';
import type { FirstLook } from './first-look.ts';
import { loadPlugins, withHooks } from './hooks.ts';
import { identityFor, keyComplaint, openDoor, pagePolicy } from './identity.ts';
import { openConfigured } from './open.ts';
import { launchesOf } from './schedules.ts';
import { boundsOf } from './settings/bounds.ts';
import { startsOf } from './starts.ts';
import { targetPolicy } from './targets.ts';
import { commit, version } from './version.ts';
import { warningsOf } from './warnings.ts';
import { printYaml } from './yaml.ts';

export type { Between } from './between.ts';

/**
 * The parts of a running server, put together here. It is one thing, for each is made from those before it. Stopping goes in this order:
 * `endStreams`, `stopTaking`, `finish`, `close`.
 */
export type Built = {
  readonly handle: RequestListener;
  /** Whether an address is the server's, for those who serve others beside it. */
  readonly serves: (method: string, path: string) => boolean;
  readonly profile: Store['profile'];
  /** From now on these settings hold; rates are counted from nothing, and issuers' keys are read anew. */
  change(next: Changeable): void;
  /** What /metrics says, for the listener that has nothing else. */
  scrape(): Promise<{ readonly type: string; readonly text: string }>;
  /** Ends answers that go on by themselves; nobody would wait for those. */
  endStreams(): void;
  /** No new tries and timers are taken up; resolves when those under way have ended. */
  stopTaking(): Promise<void>;
  /** Once no request is under way any more: what the engine still has to do. */
  finish(): Promise<void>;
  /** Gives back what is claimed and closes the store. */
  close(): Promise<void>;
};

type Around = {
  readonly log: Log;
  /** Where this node can be called. */
  readonly ownUrl: string;
  readonly isStopping: () => boolean;
  /** Of the certificate that is shown; null: there is none. */
  readonly tls?: () => { readonly endsAt: number; readonly failures: number } | null;
  readonly between?: Between;
  /** Left out: nobody has looked for the database before. */
  readonly looked?: Pick<FirstLook, 'named'>;
};

/** Names a node among those of its database; each workitem says whose claim it is. */
const NODE_ID_BYTES = 6;
/** Where the pages lie once they are built: beside the compiled server, and in `dist` of the project for a server run from its sources. */
const consoleFolder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/pages' : '../pages', import.meta.url),
);

/** The parts list. @throws when the store cannot be opened; nothing is left open then */
export async function build(config: Config, around: Around): Promise<Built> {
  const { log } = around;
  let { between } = around;
  for (const hooks of await loadPlugins(config.plugins)) between = withHooks(hooks, log, between);
  const metrics = makeMetrics();
  const opened = await openConfigured(config, log, undefined, undefined, metrics.database, around.looked);
  const store = between?.store?.(opened) ?? opened;
  try {
    return await buildOn(store, config, { ...around, ...(between === undefined ? {} : { between }) }, metrics);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function buildOn(
  opened: Store,
  config: Config,
  { log, ownUrl, isStopping, tls = () => null, between }: Around,
  metrics: Metrics,
): Promise<Built> {
  const time = realTime;
  const tracing = makeTracing(version);
  const ids = randomIds();
  /** Settings that may change while the server runs. */
  let live: Changeable = config;
  const overdue = {
    get seconds() {
      return live.overdueAfterSeconds;
    },
    get of() {
      return live.overdue;
    },
  };
  const { leaseSeconds, role } = config;
  const baseUrl = makeBaseUrl({ given: config.baseUrl, own: ownUrl, role, time, log });
  const policy = targetPolicy(config);
  const name = config.nodeName ?? `${hostname().slice(0, 80)}:${process.pid}`;
  const attributed = attributedBy(config.indexedFields);
  const nodeBeat: NodeBeat = {
    ...{ id: randomBytes(NODE_ID_BYTES).toString('hex'), name, role, url: baseUrl.current(), version, leaseSeconds },
    attributes: JSON.stringify(attributed.names),
  };
  const loopDelay = watchLoopDelay();
  /** What each beat of this node says of it. */
  let busy = (): NodeFigures => ({ claims: null, tries: null, connections: null, loopDelayMs: loopDelay.lately() });
  /** How many nodes answer requests, as far as was heard. */
  let answering = 1;
  // Each look at the nodes tells a worker where requests are answered.
  const store: Store = {
    ...opened,
    nodes: {
      ...opened.nodes,
      beat: async (beat) => {
        const nodes = await opened.nodes.beat({ ...beat, figures: busy() });
        baseUrl.learn(nodes);
        answering = nodes.filter(({ alive, role: what }) => alive && what !== 'worker').length;
        return nodes;
      },
    },
  };

  // Business time: the database's, and in tests moved from there.
  let schedules: SchedulesLoop | null = null;
  const base = await makeDatabaseClock({ store, time, log });
  const testClock = config.testClock
    ? makeTestClock({
        base,
        time,
        readSetting: store.settings.read,
        writeSetting: store.settings.write,
        nextDueAt: async () =>
          soonest(
            ...(await Promise.all([
              store.nextDueAt(null),
              store.deliveries.nextDueAt(-1),
              store.schedules.nextWakeAt(),
            ])),
          ),
        quiet: async () => {
          await schedules?.quiet();
          await node.quiet();
        },
        hasOtherLiveNode: () => node.membership.hasOtherLiveNode(),
      })
    : null;
  await testClock?.restore();
  const clock: Clock = testClock ?? base;

  const identity = await identityFor(config, { store, clock, ids, log: log.with({ component: 'identity' }) });
  const adminKey = await openDoor(config, identity, log);
  const figures = makeServerFigures({
    metrics,
    store,
    clock,
    time,
    log: log.with({ component: 'figures' }),
    nodeId: nodeBeat.id,
    version,
    overdue: () => overdueNow({ overdue, clock }),
  });
  const participants = makeParticipants({
    store,
    sealing: makeSealing(config.secretsKey),
    log: log.with({ component: 'registry' }),
  });
  const subscriptions = makeSubscriptions({
    store,
    sealing: makeSealing(config.secretsKey),
    log: log.with({ component: 'registry' }),
  });
  const post = makePost({
    policy,
    socketsPerHostMax: config.triesPerHostMax,
    lookups: { most: config.lookupsAtOnceMax, seconds: config.lookupSeconds },
  });
  const bounds = boundsOf(config);
  const definitions = makeDefinitionRegistry(store);
  const routes = makeRoutes(definitions);
  const own = makeOwnParticipants({
    definitions,
    sealing: makeSealing(config.secretsKey),
    log: log.with({ component: 'registry' }),
  });
  const node = await compose({
    store,
    clock,
    time,
    ids,
    log,
    post: between?.post?.(post) ?? post,
    meter: figures.meter,
    tracing,
    attributed,
    named: namedIn(definitions),
    limits: bounds,
    proceedToken: identity.capabilities.mint,
    signersOf: identity.secrets.signersOf,
    participants: { ...participants, own },
    subscriptions: {
      ...subscriptions,
      note: async (id, told) => {
        await subscriptions.note(id, told);
        store.tellRegistry();
        await memory.refresh();
      },
    },
    node: nodeBeat,
    settings: {
      baseUrl: baseUrl.current,
      userAgent: `rota/${version}`,
      schedule: { active: config.retryDelaysSeconds, notice: config.noticeDelaysSeconds },
      callbackTimeoutSeconds: config.callbackTimeoutSeconds,
      events: {
        keepSeconds: config.eventsKeepSeconds,
        keptMax: config.eventsKeptMax,
        dedupeDays: config.eventsDedupeDays,
        hopsMax: config.eventHopsMax,
      },
      triesMax: config.triesMax,
      triesPerHostMax: config.triesPerHostMax,
      breaker: { failures: config.breakerFailures, seconds: config.breakerSeconds },
      hosts: config.hosts,
    },
  });
  busy = () => {
    const tries = node.worker?.figures().tries ?? null;
    return {
      claims: tries === null ? null : tries.underWay + tries.waiting,
      tries: tries?.underWay ?? null,
      connections: opened.connections().reduce((sum, { used }) => sum + used, 0),
      loopDelayMs: loopDelay.lately(),
    };
  };
  const search = makeSearch(store, attributed);
  const attributeFill = fillAttributes({
    store,
    attributed,
    nodes: node.membership.nodes,
    log: log.with({ component: 'house' }),
  });
  await attributeFill.begin();
  const memory = await makeMemory({
    store,
    kept: [definitions, participants, subscriptions],
    nodeId: nodeBeat.id,
    isAlone: config.databaseUrl === null,
    time,
    ids,
    log: log.with({ component: 'registry' }),
  });
  const isBaseKnown = baseUrl.known(() => store.nodes.beat(nodeBeat)).then(() => node.start());
  // A worker that has nowhere to send answers to is ready all the same: it waits.
  if (role !== 'worker' || config.baseUrl !== null) await isBaseKnown;
  else isBaseKnown.catch((err: unknown) => log.error('the worker could not start', { event: 'worker.failed', err }));
  const houseKeeping = keepHouse({
    store,
    clock,
    time,
    log,
    retainEndedDays: config.retainEndedDays,
    retainAuditDays: config.retainAuditDays,
    isOurs: node.membership.isEldest,
    retainBatchesDays: config.retainBatchesDays,
    retainMovedDays: config.retainMovedDays,
    also: async () => {
      await figures.fold();
      await attributeFill.fill();
    },
  });
  const historyFold = foldHistories({
    store,
    engine: node.engine,
    time,
    ids,
    log: log.with({ component: 'history' }),
    historyMax: config.historyMax,
  });
  const batches =
    role === 'api'
      ? null
      : makeBatchRunner({
          store,
          search,
          engine: node.engine,
          time,
          untilUsed: node.inUse.of('batches'),
          ids,
          log: log.with({ component: 'batches' }),
          meter: figures.meter,
          nodeId: nodeBeat.id,
          complaint: (actor) => keyComplaint(identity, actor),
        });
  const ofWorkflows = makeEventsOfWorkflows({
    store,
    engine: node.engine,
    time,
    ids,
    log: log.with({ component: 'events' }),
    pollSeconds: config.eventsPollSeconds,
  });
  const ofAll =
    store.read.recorded === null
      ? null
      : makeEventsOfAll({
          recorded: store.read.recorded,
          retired: async () => Number((await store.settings.read(RETIRED)) ?? 0),
          engine: node.engine,
          time,
          ids,
          log: log.with({ component: 'events' }),
          pollSeconds: config.eventsPollSeconds,
          ringBytes: config.eventsRingBytes,
        });
  const apiLog = log.with({ component: 'api' });
  const pages = pagePolicy(config, () => live.corsOrigins);
  const ratesOf = (set: Changeable): Rates =>
    makeRates(
      {
        key: set.rateLimitKey,
        address: set.rateLimitAddress,
        failures: set.rateLimitFailures,
        open: config.routePublicRate,
      },
      { nodes: () => answering, time },
    );
  let counting = ratesOf(config);
  const rates: Rates = {
    countsAddresses: () => counting.countsAddresses(),
    address: (ctx) => counting.address(ctx),
    principal: (ctx, principal) => counting.principal(ctx, principal),
    failed: (address) => counting.failed(address),
    failedSignIn: (address) => counting.failedSignIn(address),
    open: (address) => counting.open(address),
    isSuspect: (address) => counting.isSuspect(address),
  };
  const audit = makeAuditing({ store, time, log: apiLog });
  await audit.write({
    tenant: EVERY_TENANT,
    actor: null,
    address: null,
    action: 'server.start',
    object: nodeBeat.id,
    outcome: 'done',
    reason: null,
    details: {
      name,
      version,
      settings: config.given,
      ...(adminKey === null ? {} : { admin_key: adminKey }),
    },
  });
  const identify = makeIdentify({
    identity,
    store,
    log: apiLog,
    hasGrace: config.proceedTokens === 'auto',
    pages,
    rates,
    audit,
  });
  const api: Parts = {
    store,
    search,
    identity,
    pages,
    rates,
    audit,
    large: makeLargeNotes({ share: config.payloadWarn, meter: figures.meter, log: apiLog, time }),
    ...(config.tenantWorkflowsMax === 0
      ? {}
      : { launches: makeLiveWorkflows({ most: config.tenantWorkflowsMax, store, time }) }),
    registry: { definitions, routes, participants, own, subscriptions, memory },
    receiver: node.receiver,
    eventsAtRoot: config.eventsAtRoot ?? isLoopback(config.host),
    ...(batches === null ? {} : { batches }),
    events: { ofWorkflows, ofAll },
    streamsMax: config.eventsReadersMax,
    engine: node.engine,
    clock,
    ids,
    log: apiLog,
    nodeId: nodeBeat.id,
    role,
    trees: node.trees,
    definitions: makeDefinitions(),
    routes: {
      prefix: config.routesPrefix === '/' ? '' : config.routesPrefix,
      headers: config.routeHeaders,
      hasAwfPaths: config.awfPaths,
    },
    basePath: makeBasePath(baseUrl.current),
    baseUrl: baseUrl.current,
    owed: () => {
      node.worker?.owed();
      node.worker?.wake();
      store.wakeOthers();
    },
    targetComplaint: makeTargetCheck(policy),
    requestOf: (tenant, workflow, row, base) => {
      const around = { baseUrl: baseUrl.current(), userAgent: `rota/${version}`, proceedToken: () => null };
      const { url, headers, body } = callbackRequest({ tenant, workflow, row }, deliveredText(row, base), around);
      return { url, headers, body: body.toString() };
    },
    nodes: node.membership.nodes,
    overdue,
    testClock,
    figures,
    tracing,
    about: {
      version,
      commit,
      auth: () => (identity.isOpen() ? 'open' : 'required'),
      retainDays: { ended: config.retainEndedDays, audit: config.retainAuditDays, batches: config.retainBatchesDays },
      warnings: (tenant) =>
        warningsOf(config, identity, tenant, {
          lateMs: ofAll?.figures().lateMs ?? 0,
          holder: async () => (await store.read.recorded?.holder()) ?? null,
        }),
      cell: config.cell,
      limits: bounds,
      schedule: { active: config.retryDelaysSeconds, notice: config.noticeDelaysSeconds },
    },
    scheduled: () => schedules?.wake(),
    playground: config.playground,
    mcp: config.mcp,
    docs: config.docs,
    asYaml: printYaml,
    isStopping,
    ...(between?.hooks === undefined ? {} : { hooks: between.hooks }),
  };
  if (role !== 'api') {
    schedules = makeSchedules({
      ...{ store, clock, time, ids },
      log: log.with({ component: 'schedules' }),
      ...launchesOf(api),
      untilUsed: node.inUse.of('schedules'),
    });
    schedules.wake();
  }
  node.receiver.connect(startsOf(api));
  const app = makeApp(
    api,
    between?.identify?.(identify) ?? identify,
    {
      corsOrigins: () => live.corsOrigins,
      isSecure: config.tlsCert !== null || config.baseUrl?.startsWith('https:') === true,
      version,
    },
    makeAddressOf(makeAddressList(config.trustProxy)),
  );

  figures.stand(() => ({
    engine: node.engine.figures(),
    tries: node.worker?.figures().tries ?? null,
    breakers: node.worker?.hosts.breakers() ?? [],
    breakerTransitions: node.worker?.hosts.breakerTransitions() ?? null,
    underWayOf: (host) => node.worker?.hosts.underWayOf(host) ?? 0,
    tls: tls(),
    app: app.figures(),
    ofWorkflows: ofWorkflows.figures(),
    ofAll: ofAll?.figures() ?? null,
    nodes: node.membership.nodes,
  }));

  const basePath = config.baseUrl === null ? '' : new URL(config.baseUrl).pathname.replace(/\/+$/, '');
  const console = config.console && role !== 'worker' ? readConsole(consoleFolder, basePath) : null;

  return {
    handle: console === null ? app.handle : withConsole(console, basePath, app.handle),
    serves: (method, path) => (console !== null && /^\/console(?:\/|$)/.test(path)) || app.serves(method, path),
    scrape: () => figures.scrape('prometheus'),
    endStreams: app.endStreams,
    profile: store.profile,
    change: (next) => {
      live = next;
      counting = ratesOf(next);
      node.worker?.hosts.promise(next.hosts);
      identity.tokens.readAnew();
    },
    stopTaking: async () => {
      baseUrl.stop();
      await Promise.all([
        memory.stop(),
        ofWorkflows.stop(),
        ofAll?.stop(),
        houseKeeping.stop(),
        historyFold.stop(),
        batches?.stop(),
        schedules?.stop(),
        node.stopTaking(config.stopSeconds),
      ]);
    },
    finish: async () => {
      await node.finish();
      await figures.stop();
    },
    close: async () => {
      base.stop();
      await memory.stop();
      await audit.stop();
      await identity.stop();
      await node.leave();
      loopDelay.stop();
      await store.close();
    },
  };
}

const soonest = (...times: readonly (number | null)[]): number | null => {
  const known = times.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
};
