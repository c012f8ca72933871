import { resolve } from 'node:path';

/** Everything that can be set, read and checked once. Names, units and defaults are those of `SETTINGS` below. */
export type Config = {
  readonly databaseUrl: string | null;
  /** An absolute path, or `memory:`. */
  readonly dataDir: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Without a slash at the end; null: made of host and port once the port is known. */
  readonly baseUrl: string | null;
  readonly role: 'all' | 'api' | 'worker';
  readonly retryDelaysSeconds: readonly number[];
  readonly noticeDelaysSeconds: readonly number[];
  readonly callbackTimeoutSeconds: number;
  readonly leaseSeconds: number;
  readonly retainEndedDays: number;
  readonly databasePrepared: boolean;
  /** `distributed`: for databases that are many machines (docs/scaling.md). */
  readonly databaseProfile: 'postgres' | 'distributed';
  readonly allowPrivateTargets: boolean;
  readonly testClock: boolean;
  readonly logLevel: string;
  /** How long /readyz says 503 before the server stops listening. */
  readonly drainSeconds: number;
  /** What is under way has this long to finish once the server has stopped listening. */
  readonly stopSeconds: number;
  /** Tries of callbacks under way at once, in all and to one host. */
  readonly triesMax: number;
  readonly triesPerHostMax: number;
  /** Connections to Postgres (reading and writing together). */
  readonly connectionsMax: number;
};

/** One or more settings are wrong; the message lists every one of them. */
export class ConfigError extends Error {
  readonly complaints: readonly string[];
  constructor(complaints: readonly string[]) {
    super(`These settings are wrong:\n${complaints.map((complaint) => `  ${complaint}`).join('\n')}`);
    this.name = 'ConfigError';
    this.complaints = complaints;
  }
}

type Setting = { readonly name: string; readonly meaning: string; readonly default: string };

/** What `rota --help` and docs/operating.md print. */
export const SETTINGS: readonly Setting[] = [
  { name: 'DATABASE_URL', meaning: 'Postgres to use; absent: embedded, in DATA_DIR', default: 'none' },
  { name: 'DATA_DIR', meaning: 'where the embedded database lives; memory: keeps nothing', default: './data' },
  { name: 'HOST', meaning: 'the address to listen at', default: '127.0.0.1' },
  { name: 'PORT', meaning: 'the port to listen at, 0 to 65535; 0: any free one', default: '8080' },
  {
    name: 'BASE_URL',
    meaning: 'the public address put into proceed_url; a path is allowed',
    default: 'http://HOST:PORT',
  },
  { name: 'ROLE', meaning: 'all, api (answers requests) or worker (delivers callbacks, fires timers)', default: 'all' },
  {
    name: 'RETRY_DELAYS',
    meaning: 'seconds between the tries of one callback, comma-separated',
    default: '30,31,62,273,1054,3155,7806,16837,32798,59079,100030',
  },
  { name: 'NOTICE_DELAYS', meaning: 'the same for notices (timeout, error, cancel)', default: '5,30,120,420' },
  { name: 'CALLBACK_TIMEOUT', meaning: 'seconds one try may take, 0.1 to 3600', default: '15' },
  {
    name: 'LEASE_SECONDS',
    meaning: 'seconds a node that went silent keeps what it had claimed; at least CALLBACK_TIMEOUT + 10',
    default: '30',
  },
  { name: 'RETAIN_ENDED', meaning: 'days a workflow that is over is kept, 0 to 36500', default: '30' },
  { name: 'DATABASE_PREPARED', meaning: '0: no named statements, for old poolers', default: '1' },
  {
    name: 'DATABASE_PROFILE',
    meaning: 'postgres, or distributed for databases that are many machines (docs/scaling.md)',
    default: 'postgres',
  },
  {
    name: 'ALLOW_PRIVATE_TARGETS',
    meaning: '1: callbacks may go to loopback and private addresses',
    default: '1 while HOST is loopback, else 0',
  },
  { name: 'TEST_CLOCK', meaning: '1 adds POST /v1/test/clock; never in production', default: '0' },
  { name: 'LOG_LEVEL', meaning: 'trace, debug, info, warn, error, fatal or silent', default: 'info' },
  {
    name: 'DRAIN_SECONDS',
    meaning: 'seconds from /readyz saying 503 until the server stops listening, when it is told to stop, 0 to 600',
    default: '0',
  },
  {
    name: 'STOP_SECONDS',
    meaning: 'seconds that requests and tries under way get to finish in, when it is told to stop, 0 to 3600',
    default: '20',
  },
  { name: 'TRIES_MAX', meaning: 'tries of callbacks under way at once, 1 to 10000', default: '200' },
  { name: 'TRIES_PER_HOST_MAX', meaning: 'the same to one host, 1 to 10000', default: '50' },
  { name: 'CONNECTIONS_MAX', meaning: 'connections to Postgres, 4 to 1000', default: '12' },
];

const LOG_LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
/** A schedule longer than this, or one that waits longer between two tries, is a slip of the pen. */
const DELAYS_MAX = 100;
const DELAY_SECONDS_MAX = 366 * 86_400;

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Reads the settings from the environment. A variable that is set to nothing counts as not set.
 *
 * @throws ConfigError which lists every variable that is wrong, what it was and what it may be
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const complaints: string[] = [];
  const given = (name: string): string | null => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const complain = (name: string, value: string, wanted: string): void => {
    complaints.push(`${name} is ${quote(value)}, but must be ${wanted}`);
  };
  const text = (name: string): string => given(name) ?? defaultOf(name);
  const number = (name: string, from: number, to: number, whole: boolean): number => {
    const value = text(name);
    const read = readNumber(value);
    if (read !== null && read >= from && read <= to && (!whole || Number.isInteger(read))) return read;
    complain(name, value, `a ${whole ? 'whole ' : ''}number from ${from} to ${to}`);
    return Number(defaultOf(name));
  };
  const choice = <Value extends string>(name: string, values: readonly Value[]): Value => {
    const value = text(name);
    const found = values.find((one) => one === value);
    if (found === undefined) complain(name, value, `one of ${values.join(', ')}`);
    return found ?? (values[0] as Value);
  };
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = given(name);
    if (value === null) return otherwise;
    if (value !== '0' && value !== '1') complain(name, value, '0 or 1');
    return value === '1';
  };
  const delays = (name: string): readonly number[] => {
    const value = text(name);
    const read = value.split(',').map((part) => readNumber(part.trim()));
    const good = read.filter((delay): delay is number => delay !== null && delay >= 0 && delay <= DELAY_SECONDS_MAX);
    if (good.length !== read.length || good.length > DELAYS_MAX)
      complain(
        name,
        value,
        `at most ${DELAYS_MAX} numbers of seconds from 0 to ${DELAY_SECONDS_MAX}, separated by commas`,
      );
    return good;
  };

  const databaseUrl = given('DATABASE_URL');
  if (databaseUrl !== null && !isPostgresUrl(databaseUrl))
    // The value is not shown: it usually holds a password.
    complaints.push('DATABASE_URL must be like postgres://user:password@host:5432/database');
  const dataDir = text('DATA_DIR');
  const host = text('HOST');
  if (/[\s/?#@]/.test(host)) complain('HOST', host, 'a host name or an address, such as 127.0.0.1 or 0.0.0.0');
  const baseUrl = given('BASE_URL');
  if (baseUrl !== null && !isBaseUrl(baseUrl))
    complain('BASE_URL', baseUrl, 'like https://example.org or https://example.org/rota');
  const callbackTimeoutSeconds = number('CALLBACK_TIMEOUT', 0.1, 3600, false);
  const leaseSeconds = number('LEASE_SECONDS', 1, 86_400, false);
  if (leaseSeconds < callbackTimeoutSeconds + 10)
    complaints.push(
      `LEASE_SECONDS is ${leaseSeconds}, but must be at least CALLBACK_TIMEOUT + 10, that is ${callbackTimeoutSeconds + 10}: ` +
        'a shorter lease could end while a try is under way',
    );

  const config: Config = {
    databaseUrl,
    dataDir: dataDir === 'memory:' ? dataDir : resolve(dataDir),
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: number('PORT', 0, 65_535, true),
    baseUrl: baseUrl?.replace(/\/+$/, '') ?? null,
    role: choice('ROLE', ['all', 'api', 'worker']),
    retryDelaysSeconds: delays('RETRY_DELAYS'),
    noticeDelaysSeconds: delays('NOTICE_DELAYS'),
    callbackTimeoutSeconds,
    leaseSeconds,
    retainEndedDays: number('RETAIN_ENDED', 0, 36_500, false),
    databasePrepared: flag('DATABASE_PREPARED', true),
    databaseProfile: choice('DATABASE_PROFILE', ['postgres', 'distributed']),
    allowPrivateTargets: flag('ALLOW_PRIVATE_TARGETS', isLoopback(host)),
    testClock: flag('TEST_CLOCK', false),
    logLevel: choice('LOG_LEVEL', ['info', ...LOG_LEVELS.filter((level) => level !== 'info')]),
    drainSeconds: number('DRAIN_SECONDS', 0, 600, false),
    stopSeconds: number('STOP_SECONDS', 0, 3600, false),
    triesMax: number('TRIES_MAX', 1, 10_000, true),
    triesPerHostMax: number('TRIES_PER_HOST_MAX', 1, 10_000, true),
    connectionsMax: number('CONNECTIONS_MAX', 4, 1000, true),
  };
  if (complaints.length > 0) throw new ConfigError(complaints);
  return config;
}

const defaultOf = (name: string): string => SETTINGS.find((setting) => setting.name === name)?.default ?? '';

/** Plain decimal numbers only: Number('0x10'), Number('') and Number('1e3') are too clever for a setting. */
const readNumber = (text: string): number | null => (/^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : null);

const quote = (value: string): string => JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  return ['postgres:', 'postgresql:'].includes(new URL(text).protocol);
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  );
}
