import { type Issuer, readIssuers } from '../../identity/issuers.ts';
import { idOfKey } from '../../identity/key-text.ts';
import { isObject } from '../../model/json.ts';
import { urlOf } from '../../model/url.ts';
import type { HostLimit } from '../../outbox/host-limits.ts';
import { readPorts, readTarget } from '../../outbox/target-lists.ts';
import { isRange } from '../../runtime/addresses.ts';
import { readHosts, URL_WANTED } from '../../store/hosts.ts';
import { HOSTS_MAX, hostLimitOf } from './host-limits.ts';
import {
  choice,
  delays,
  flag,
  flagOrList,
  integer,
  list,
  number,
  rate,
  type Setting,
  structure,
  text,
} from './kinds.ts';

/*
 * Every setting, each said once; it is one thing, a table. To add one, add a line here: `Config`, the checks, flags, the keys of the file, `rota --help`, the table of
 * README.md and schemas/config.json follow (`npm run docs && npm run schemas` write the last two).
 */

const LOG_LEVELS = ['info', 'trace', 'debug', 'warn', 'error', 'fatal', 'silent'] as const;

export const TABLE = {
  /** Null: embedded, in `dataDir`. */
  databaseUrl: text('DATABASE_URL', null, {
    meaning:
      'the Postgres to use, `postgres://user:password@host:5432/database`, or several hosts that follow each other, `…@db1,db2/database`; absent: embedded, in `DATA_DIR`',
    wanted: URL_WANTED,
    isGood: (url) => readHosts(url) !== null,
    secret: true,
  }),
  /** An absolute path, or `memory:`. */
  dataDir: text('DATA_DIR', './data', {
    meaning: 'the folder of the embedded database; `memory:` keeps nothing',
  }),
  host: text('HOST', '127.0.0.1', {
    meaning: 'the address to listen at',
    wanted: 'a host name or an address, such as 127.0.0.1 or 0.0.0.0',
    isGood: (host) => !/[\s/?#@]/.test(host),
  }),
  /** 0: any free port. */
  port: integer('PORT', 8080, { from: 0, to: 65_535, meaning: 'the port to listen at; 0: any free one' }),
  /** Without a slash at the end; null: see docs/operating.md. */
  baseUrl: text('BASE_URL', null, {
    meaning: 'the public address put into `proceed_url`; a path prefix is allowed',
    shown: 'http://HOST:PORT',
    wanted: 'like https://example.org or https://example.org/rota',
    isGood: isBaseUrl,
  }),
  role: choice('ROLE', 'all', ['all', 'api', 'worker'], {
    meaning: '`all`, `api` (answers requests) or `worker` (delivers callbacks, fires timers)',
  }),
  /** Null: the name of the machine and the number of the process. */
  nodeName: text('NODE_NAME', null, {
    meaning: 'what this node is called in the log and in `GET /v1/nodes`',
    shown: 'machine:process',
    wanted: 'at most 64 letters, digits, dots, colons, dashes and underscores',
    isGood: (name) => /^[\w.:-]{1,64}$/.test(name),
  }),
  /** Null: there are no cells. */
  cell: text('CELL', null, {
    meaning:
      'what this cell is called, where several Postgres share the tenants (docs/scaling.md); `BASE_URL` then ends with `/c/` and this name',
    shown: 'none',
    wanted: 'at most 12 small letters and digits',
    isGood: (name) => /^[a-z0-9]{1,12}$/.test(name),
  }),
  auth: choice('AUTH', 'auto', ['auto', 'required', 'none'], {
    meaning: 'whether callers must say who they are: `auto` (as soon as there is an API key), `required`, or `none`',
  }),
  /** Null: none. */
  adminKey: text('ADMIN_KEY', null, {
    meaning: "the administrator's API key, made by `rota keys generate`; another one takes the place of the one before",
    wanted: 'a key made by rota keys generate',
    isGood: (key) => idOfKey(key) !== null,
    secret: true,
  }),
  /** The first seals, all open. */
  secretsKey: list('SECRETS_KEY', [], {
    meaning:
      'what secrets are sealed with in the database: 32 bytes as base64; several, comma-separated: the first seals',
    shown: 'none',
    wanted: '32 bytes as base64, such as openssl rand -base64 32 makes; several are separated by commas',
    most: 10,
    secret: true,
    read: (part) => {
      const key = Buffer.from(part, 'base64');
      return /^[\w+/-]{43}=?$/.test(part) && key.length === 32 ? key : null;
    },
  }),
  jwtIssuer: text('JWT_ISSUER', null, { meaning: 'who issues tokens (JWT) that are taken here: their `iss`' }),
  jwtAudience: text('JWT_AUDIENCE', null, { meaning: 'their `aud`; several, comma-separated: one of them' }),
  jwtJwks: text('JWT_JWKS', null, {
    meaning: "the issuer's public keys: an https address (at loopback also http), or a file",
  }),
  jwtSecret: text('JWT_SECRET', null, {
    meaning: 'instead of `JWT_JWKS`: the secret of tokens signed with HS256, at least 32 bytes',
    secret: true,
  }),
  jwtAlgorithms: text('JWT_ALGORITHMS', null, {
    meaning: 'how tokens may be signed, comma-separated',
    shown: 'RS256,ES256,EdDSA, or HS256 with a secret',
  }),
  jwtTenantClaim: text('JWT_TENANT_CLAIM', null, { meaning: 'the claim that names the tenant', shown: 'tenant' }),
  jwtTenant: text('JWT_TENANT', null, { meaning: 'instead of a claim: the tenant of all tokens' }),
  jwtScopeClaim: text('JWT_SCOPE_CLAIM', null, {
    meaning: 'the claim that names scopes, a text or a list',
    shown: 'scope',
  }),
  jwtScopeMap: text('JWT_SCOPE_MAP', null, {
    meaning: 'what their words mean, such as `wf-admin=admin,wf-ops=operate`',
    shown: 'rota:launch, rota:read, … mean what they say',
  }),
  jwtLifeMax: integer('JWT_LIFE_MAX', 86_400, {
    from: 60,
    to: 31_622_400,
    meaning: 'seconds a token may live; one that lives longer is refused, 60 to 31622400',
  }),
  jwksStaleSeconds: integer('JWKS_STALE_SECONDS', 86_400, {
    from: 0,
    to: 31_622_400,
    meaning: 'seconds that the keys read last serve while they cannot be read, 0 to 31622400',
  }),
  /** Beside the one of the settings before. */
  jwt: structure<readonly Issuer[]>('JWT', [], {
    meaning:
      'in the file: a list of issuers, each with the names above in small letters without `jwt_`; elsewhere the same as JSON',
    schema: {
      type: 'array',
      maxItems: 8,
      items: { type: 'object' },
    },
    secret: true,
    read: readIssuers,
  }),
  proceedTokens: choice('PROCEED_TOKENS', 'auto', ['auto', 'required', 'off'], {
    meaning:
      'tokens in `proceed_url` where callers must say who they are: `auto` (what waited before is served without), `required`, or `off`',
  }),
  allowedHosts: list('ALLOWED_HOSTS', [], {
    meaning: 'further names of this server, comma-separated; one that asks nobody who they are answers to no others',
    shown: 'none',
    wanted: 'host names without a port, separated by commas',
    most: 100,
    read: (part) => (/^[\w.-]{1,253}$/.test(part) ? part.toLowerCase() : null),
  }),
  corsOrigins: list('CORS_ORIGINS', [], {
    meaning: 'origins whose pages may call, comma-separated, or `*`',
    shown: 'none',
    wanted: 'origins such as https://app.example.org, separated by commas, or *',
    most: 100,
    read: (part) => (part === '*' || (urlOf(part)?.origin === part && /^https?:/.test(part)) ? part : null),
  }),
  tlsCert: text('TLS_CERT', null, {
    meaning: 'a file with the certificate and those up to its root (PEM): then the server speaks https',
  }),
  tlsKey: text('TLS_KEY', null, { meaning: 'a file with its key (PEM)' }),
  tlsClientCa: text('TLS_CLIENT_CA', null, { meaning: "a file with the roots of clients' certificates (PEM)" }),
  tlsClientAuth: choice('TLS_CLIENT_AUTH', 'off', ['off', 'optional', 'required'], {
    meaning: 'whether clients show certificates of `TLS_CLIENT_CA`: `off`, `optional` or `required`',
  }),
  rateLimitKey: rate('RATE_LIMIT_KEY', null, {
    meaning: 'requests that one key, or one subject of a token, may make in so many seconds, such as `600/60`',
  }),
  rateLimitAddress: rate('RATE_LIMIT_ADDRESS', null, {
    meaning: 'the same for one address (of IPv6: one /64), whoever asks from there',
  }),
  rateLimitFailures: rate(
    'RATE_LIMIT_FAILURES',
    { count: 30, seconds: 60 },
    { meaning: 'credentials that are not good, of one address; beyond that such ones are 429' },
  ),
  trustProxy: list('TRUST_PROXY', [], {
    meaning: 'proxies whose `X-Forwarded-For` is believed: addresses and ranges, comma-separated',
    shown: 'none',
    wanted: 'addresses and ranges such as 10.0.0.0/8, separated by commas',
    most: 100,
    read: (part) => (isRange(part) ? part : null),
  }),
  /** 0: any number. */
  tenantWorkflowsMax: integer('TENANT_WORKFLOWS_MAX', 0, {
    from: 0,
    to: 1_000_000_000,
    meaning:
      'workflows of one tenant that may be under way at once; more launches are 422 `limit_exceeded`; 0: any number',
  }),
  /** Of what may be; 1: never. */
  payloadWarn: number('PAYLOAD_WARN', 0.5, {
    from: 0.01,
    to: 1,
    meaning:
      'part of a bound (body, definition, fields, live expressions) from which on answers warn (`Rota-Warning`), 0.01 to 1; 1: never',
  }),
  retryDelaysSeconds: delays('RETRY_DELAYS', [30, 31, 62, 273, 1054, 3155, 7806, 16837, 32798, 59079, 100030], {
    meaning: 'seconds between the tries of one callback, comma-separated',
  }),
  noticeDelaysSeconds: delays('NOTICE_DELAYS', [5, 30, 120, 420], {
    meaning: 'the same for notices (`timeout`, `error`, `cancel`)',
  }),
  callbackTimeoutSeconds: number('CALLBACK_TIMEOUT', 15, {
    from: 0.1,
    to: 3600,
    meaning: 'seconds one try may take, 0.1 to 3600',
  }),
  leaseSeconds: number('LEASE_SECONDS', 30, {
    from: 1,
    to: 86_400,
    meaning: 'seconds a node that stopped responding keeps what it had claimed; at least `CALLBACK_TIMEOUT` + 10',
  }),
  retainEndedDays: number('RETAIN_ENDED', 30, {
    from: 0,
    to: 36_500,
    meaning: 'days a workflow that is over is kept, 0 to 36500',
  }),
  historyMax: integer('HISTORY_MAX', 10_000, {
    from: 1_000,
    to: 1_000_000,
    meaning:
      'entries the history of a workflow may have before its oldest tenth is folded away, 1000 to 1000000; a launch may say its own',
  }),
  retainAuditDays: number('RETAIN_AUDIT', 400, {
    from: 1,
    to: 36_500,
    meaning: 'days the audit is kept, 1 to 36500',
  }),
  retainBatchesDays: number('RETAIN_BATCHES', 30, {
    from: 1,
    to: 36_500,
    meaning: 'days a batch that is over is kept, 1 to 36500',
  }),
  retainMovedDays: number('RETAIN_MOVED', 400, {
    from: 1,
    to: 36_500,
    meaning: 'days a tenant that was moved to another cell is led on to there (docs/scaling.md), 1 to 36500',
  }),
  databasePrepared: flag('DATABASE_PREPARED', true, { meaning: '`0`: no named statements, for old poolers' }),
  durable: flag('DURABLE', false, {
    meaning: '`1`: a warning at the start when Postgres acknowledges what no standby has',
  }),
  databaseProfile: choice('DATABASE_PROFILE', 'postgres', ['postgres', 'distributed'], {
    meaning:
      '`postgres`; `distributed` is an experiment for databases that are many machines, and does not run on Citus (docs/scaling.md)',
  }),
  migrate: flag('MIGRATE', true, {
    meaning:
      '`0` (or `rota serve --no-migrate`): the server changes no tables; where migrations are missing it does not start',
  }),
  /** Null: see `readConfig`. */
  allowPrivateTargets: flagOrList('ALLOW_PRIVATE_TARGETS', {
    meaning: '`1`: callbacks may go to loopback and private addresses; ranges, comma-separated: to those of them',
    shown: '1 while HOST and BASE_URL are loopback, else 0',
    wanted: '0, 1, or ranges of addresses such as 10.0.0.0/8, separated by commas',
    most: 100,
    isGood: isRange,
  }),
  allowTargets: list('ALLOW_TARGETS', [], {
    meaning:
      'where callbacks may go, and nowhere else: host names (`*.example.org`: all below it), addresses and ranges, comma-separated',
    shown: 'everywhere',
    wanted: 'host names, addresses and ranges, separated by commas',
    most: 1_000,
    read: readTarget,
  }),
  denyTargets: list('DENY_TARGETS', [], {
    meaning: 'the same for where they never go, whatever else is said',
    shown: 'none',
    wanted: 'host names, addresses and ranges, separated by commas',
    most: 1_000,
    read: readTarget,
  }),
  denyPorts: text('DENY_PORTS', null, {
    meaning: 'ports callbacks never go to, comma-separated; `+6379` adds to the default; `none`: none',
    shown: 'none while ALLOW_PRIVATE_TARGETS is 1, else those of other protocols (22, 25, 6667, …)',
    wanted: 'ports separated by commas, or none',
    isGood: (ports) => readPorts(ports) !== null,
  }),
  lookupsAtOnceMax: integer('LOOKUPS_AT_ONCE_MAX', 3, {
    from: 1,
    to: 100,
    meaning: 'names looked up at once, 1 to 100',
  }),
  lookupSeconds: number('LOOKUP_SECONDS', 5, {
    from: 0.1,
    to: 60,
    meaning: 'seconds a look-up of a name is waited for, 0.1 to 60',
  }),
  console: flag('CONSOLE', true, { meaning: '`0`: no pages under `/console/`' }),
  /** Without a slash at its end; empty: routes begin at the root. */
  routesPrefix: text('ROUTES_PREFIX', '/r', {
    meaning: 'what the routes of stored definitions begin with; `/`: nothing',
    wanted: 'a path such as /r, or /',
    isGood: (path) =>
      /^\/$|^(?:\/[A-Za-z0-9._~-]{1,50}){1,4}$/.test(path) && !/^\/(?:v1|console|docs|mcp)(?:\/|$)/.test(path),
  }),
  routeHeaders: list('ROUTE_HEADERS', [], {
    meaning: 'headers of a request to a route that its workflow keeps, comma-separated',
    shown: 'none',
    wanted: 'names of headers, but authorization, cookie and x-api-key',
    most: 20,
    read: (part) =>
      /^[A-Za-z0-9-]{1,100}$/.test(part) && !/^(?:authorization|cookie|x-api-key)$/i.test(part)
        ? part.toLowerCase()
        : null,
  }),
  routePublicRate: rate(
    'ROUTE_PUBLIC_RATE',
    { count: 60, seconds: 60 },
    { meaning: 'requests to public routes that one address may make in so many seconds' },
  ),
  mcp: flag('MCP', false, {
    meaning: '`1`: stored definitions with `mcp: true` are tools of the Model Context Protocol at `/mcp`',
  }),
  awfPaths: flag('AWF_PATHS', false, {
    meaning: '`1`: definitions at `/workflows`, workflows at `/executions`, in the words of AWF',
  }),
  docs: flag('DOCS', true, { meaning: '`0`: no page at `/docs` that shows the interface' }),
  /** Null: see `readConfig`. */
  playground: flag('PLAYGROUND', null, {
    meaning: '`1`: participants under `/v1/playground/` that are played by hand in the console',
    shown: '1 while HOST and BASE_URL are loopback, else 0',
  }),
  testClock: flag('TEST_CLOCK', false, { meaning: '`1` adds `POST /v1/test/clock`; never in production' }),
  logLevel: choice('LOG_LEVEL', 'info', LOG_LEVELS, {
    meaning: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
  }),
  overdueAfterSeconds: number('OVERDUE_AFTER', 86_400, {
    from: 1,
    to: 315_576_000,
    meaning: 'seconds after which a workitem that still waits is overdue, 1 to 315576000',
  }),
  overdue: structure<{ readonly [participant: string]: number }>(
    'OVERDUE',
    {},
    {
      meaning: 'in the file: the same for single participants, by name; elsewhere as JSON',
      schema: { type: 'object', maxProperties: 1_000, additionalProperties: { type: 'number', minimum: 1 } },
      read: (given) =>
        isObject(given) &&
        Object.keys(given).length <= 1_000 &&
        Object.values(given).every((seconds) => typeof seconds === 'number' && seconds >= 1 && seconds <= 315_576_000)
          ? { value: given as { readonly [participant: string]: number } }
          : { wanted: 'seconds from 1 to 315576000 by the names of participants, 1000 at most' },
    },
  ),
  hosts: structure<readonly HostLimit[]>('HOSTS', [], {
    meaning:
      'in the file: a list of `host`, `tries_max` (tries under way at once) and `per_second`, for all nodes together; elsewhere as JSON',
    schema: {
      type: 'array',
      maxItems: HOSTS_MAX,
      items: {
        type: 'object',
        required: ['host'],
        properties: {
          host: { type: 'string', maxLength: 300 },
          tries_max: { type: 'integer', minimum: 1, maximum: 10_000 },
          per_second: { type: 'number', exclusiveMinimum: 0, maximum: 10_000 },
        },
        additionalProperties: false,
      },
    },
    read: (given) => {
      const limits = Array.isArray(given) && given.length <= HOSTS_MAX ? given.map(hostLimitOf) : [null];
      return limits.some((limit) => limit === null)
        ? {
            wanted: `a list of at most ${HOSTS_MAX} of { host, tries_max?: 1 to 10000, per_second?: up to 10000 }, where host is a name, name:port or *.name`,
          }
        : { value: limits as readonly HostLimit[] };
    },
  }),
  /** How long /readyz says 503 before the server stops listening. */
  drainSeconds: number('DRAIN_SECONDS', 0, {
    from: 0,
    to: 600,
    meaning: 'seconds from `/readyz` saying 503 until the server stops listening, when it is told to stop, 0 to 600',
  }),
  /** What is under way has this long to finish once the server has stopped listening. */
  stopSeconds: number('STOP_SECONDS', 20, {
    from: 0,
    to: 3600,
    meaning: 'seconds requests and tries under way then have to finish, 0 to 3600',
  }),
  triesMax: integer('TRIES_MAX', 200, {
    from: 1,
    to: 10_000,
    meaning: 'tries of callbacks under way at once, 1 to 10000',
  }),
  triesPerHostMax: integer('TRIES_PER_HOST_MAX', 50, {
    from: 1,
    to: 10_000,
    meaning: 'tries under way at once to one host, 1 to 10000',
  }),
  /** Null: only at the address of everything else. */
  metricsListen: text('METRICS_LISTEN', null, {
    meaning:
      'a second address, `host:port`, that answers `/metrics`, `/livez` and `/readyz` and asks nobody who they are',
    wanted: 'like 127.0.0.1:9464 or [::1]:9464',
    isGood: (address) =>
      /^(\[[0-9a-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(address) && Number(address.split(':').at(-1)) <= 65_535,
  }),
  breakerFailures: integer('BREAKER_FAILURES', 0, {
    from: 0,
    to: 10_000,
    meaning: 'failed tries in a row after which a host is left alone for a while, 0 to 10000; 0: never',
  }),
  breakerSeconds: number('BREAKER_SECONDS', 30, {
    from: 1,
    to: 300,
    meaning: 'seconds it is left alone at first (twice as long each time, at most 300), 1 to 300',
  }),
  plugins: {
    ...list<string>('PLUGINS', [], {
      meaning:
        'in the file only: modules that export `onRequest`, `onLaunch`, `onBeforeCallback` or `onAfterCallback` (docs/clients.md), as paths from that file or packages',
      wanted: 'a list of at most 20 paths or names of packages',
      most: 20,
      read: (part) => (part === '' || part.length > 1_000 ? null : part),
    }),
    fileOnly: true,
  },
  /** Null: while HOST is loopback. */
  eventsAtRoot: flag('EVENTS_AT_ROOT', null, {
    meaning: '`1`: `POST /` takes events as `POST /v1/events` does; `0`: it does not',
    shown: '`1` while `HOST` is loopback',
  }),
  eventsKeepSeconds: integer('EVENTS_KEEP_SECONDS', 3_600, {
    from: 0,
    to: 2_592_000,
    meaning:
      'seconds an event is kept for somebody who waits for it later, where it does not say so itself, 0 to 2592000',
  }),
  eventsKeptMax: integer('EVENTS_KEPT_MAX', 100_000, {
    from: 1,
    to: 100_000_000,
    meaning: 'events a tenant may have kept at once; more are refused, 1 to 100000000',
  }),
  eventsDedupeDays: integer('EVENTS_DEDUPE_DAYS', 7, {
    from: 1,
    to: 365,
    meaning: 'days in which the same event counts once, and is shown, 1 to 365',
  }),
  eventHopsMax: integer('EVENT_HOPS_MAX', 16, {
    from: 1,
    to: 1_000,
    meaning: 'events that may lead to each other, one by way of the next, before it is taken for a loop, 1 to 1000',
  }),
  indexedFields: list<string>('INDEXED_FIELDS', [], {
    meaning:
      'fields that workflows are found by with an index, comma-separated, such as `customer.id,region`, 16 at most; the same on all nodes',
    shown: 'none',
    wanted: 'at most 16 paths of fields such as customer.id, of at most 200 characters, separated by commas',
    most: 16,
    read: (part) => (part.length <= 200 && part.split('.').every((key) => key !== '') ? part : null),
  }),
  // Bounds of steps: bounds.ts. They are rules of the language, so all nodes of a database have the same.
  stepMessagesMax: integer('STEP_MESSAGES_MAX', 200, {
    from: 1,
    to: 100_000,
    meaning:
      'inner messages of one step; the rest takes its turn; the same on all nodes, as the next nine, 1 to 100000',
  }),
  stepWorkMax: integer('STEP_WORK_MAX', 2_000_000, {
    from: 10_000,
    to: 1_000_000_000,
    meaning: 'characters and elements one step reads, copies and writes; the rest takes its turn, 10000 to 1000000000',
  }),
  expressionsMax: integer('EXPRESSIONS_MAX', 50_000, {
    from: 10,
    to: 50_000,
    meaning: 'live expressions of one workflow, 10 to 50000',
  }),
  listenersMax: integer('LISTENERS_MAX', 10_000, {
    from: 1,
    to: 100_000,
    meaning: 'expressions of one workflow that listen, or wait for events, at once, 1 to 100000',
  }),
  nestingMax: integer('NESTING_MAX', 500, {
    from: 10,
    to: 1_000,
    meaning: 'nesting of expressions at run time (sub-processes that call each other), 10 to 1000',
  }),
  valueDepthMax: integer('VALUE_DEPTH_MAX', 300, {
    from: 10,
    to: 500,
    meaning: 'lists and objects inside each other in a field or variable, 10 to 500',
  }),
  fieldsCharactersMax: integer('FIELDS_CHARACTERS_MAX', 4_000_000, {
    from: 20_000,
    to: 16_000_000,
    meaning:
      'characters of the fields of a workitem as JSON, and of a list that an iterator goes through, 20000 to 16000000',
  }),
  variablesCharactersMax: integer('VARIABLES_CHARACTERS_MAX', 4_000_000, {
    from: 20_000,
    to: 16_000_000,
    meaning: 'characters of the variables of one scope as JSON, names included, 20000 to 16000000',
  }),
  mergeCharactersMax: integer('MERGE_CHARACTERS_MAX', 16_000_000, {
    from: 20_000,
    to: 256_000_000,
    meaning:
      'characters of what the branches of one concurrence replied with, as it waits to be merged, 20000 to 256000000',
  }),
  keptCharactersMax: integer('KEPT_CHARACTERS_MAX', 100_000_000, {
    from: 20_000,
    to: 1_000_000_000,
    meaning: 'characters of all that the branches and variables of one workflow keep, 20000 to 1000000000',
  }),
  historyFlows: flag('HISTORY_FLOWS', true, {
    meaning: '`0`: histories do not tell of the gateways and events of BPMN that tokens pass',
  }),
  historyFields: choice('HISTORY_FIELDS', 'auto', ['auto', 'given', 'none'], {
    meaning:
      '`given`: histories keep the fields that launches, proceeds, edits and reapplies gave, up to 8 kB each; `none`: they do not; `auto`: `given` on the embedded database while HOST and BASE_URL are loopback',
  }),
  eventsPollSeconds: number('EVENTS_POLL_SECONDS', 1, {
    from: 0.05,
    to: 60,
    meaning: 'seconds between two looks for events that another node has written, while somebody watches, 0.05 to 60',
  }),
  eventsReadersMax: integer('EVENTS_READERS_MAX', 1000, {
    from: 1,
    to: 100_000,
    meaning: 'streams of events that may be open at once on this node, 1 to 100000',
  }),
  eventsTicketSeconds: integer('EVENTS_TICKET_SECONDS', 60, {
    from: 1,
    to: 3600,
    meaning: 'seconds a ticket opens streams of events, 1 to 3600',
  }),
  eventsRingBytes: integer('EVENTS_RING_BYTES', 8_000_000, {
    from: 100_000,
    to: 1_000_000_000,
    meaning: 'bytes of the latest events kept in memory for those who watch all, 100000 to 1000000000',
  }),
  /** Reading and writing together. */
  connectionsMax: integer('CONNECTIONS_MAX', 12, { from: 4, to: 1000, meaning: 'connections to Postgres, 4 to 1000' }),
} as const satisfies { readonly [key: string]: Setting };

/** What `rota --help`, README.md and schemas/config.json are made from. */
export const SETTINGS: readonly Setting[] = Object.values(TABLE);

/** The name of a setting as a flag (`--data-dir`), without the dashes before it. */
export const flagOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');
/** The name of a setting in the file. */
export const keyOf = (name: string): string => name.toLowerCase();

function isBaseUrl(given: string): boolean {
  const url = urlOf(given);
  return (
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  );
}
