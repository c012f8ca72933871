import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ISSUERS_MAX, type Issuer, readIssuer } from '../identity/issuers.ts';
import { nearest } from '../language/nearest.ts';
import { type FromFile, readSecretFile, readSettingsFile, reasonOf } from './settings/file.ts';
import type { Setting } from './settings/kinds.ts';
import { flagOf, keyOf, SETTINGS, TABLE } from './settings/table.ts';

export { SETTINGS } from './settings/table.ts';

type Table = typeof TABLE;
type Values = { readonly [Key in keyof Table]: Table[Key] extends Setting<infer Value> ? Value : never };

/** Everything that can be set, read and checked once. Names, units, bounds and defaults are those of settings/table.ts. */
export type Config = Omit<Values, 'allowPrivateTargets' | 'playground'> & {
  /** A list: of private addresses those alone. */
  readonly allowPrivateTargets: boolean | readonly string[];
  readonly playground: boolean;
  /** Who issues tokens that are taken here. */
  readonly issuers: readonly Issuer[];
  /** The names of the settings that were given. */
  readonly given: readonly string[];
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

type Environment = Readonly<Record<string, string | undefined>>;

/** Where settings may come from beside the environment, the strongest first: flags, the environment, the `.env` file, the file. */
export type Sources = {
  /** By the name of the setting. */
  readonly flags?: ReadonlyMap<string, string>;
  /** The file of settings; else that of `ROTA_CONFIG`, if any. */
  readonly file?: string;
  /** What the `.env` file says. */
  readonly dotenv?: Environment;
};

/** Where a value came from, for people: `--port`, `environment`, `.env`, `rota.yaml:3:7`, `default`. */
export type Origin = { readonly name: string; readonly from: string; readonly shown: string };

/** Other variables of ours that are no settings. */
const OTHER_VARIABLES = ['ROTA_CONFIG', 'ROTA_URL', 'ROTA_API_KEY', 'ROTA_WEBHOOK_SECRET'];

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** What each address means that says "all addresses of this machine": it can be listened at, but nobody can call it. */
export const isAnyAddress = (host: string): boolean => ['0.0.0.0', '::', '[::]'].includes(host);

/**
 * Reads the settings. A value that is set to nothing counts as not set.
 *
 * @throws ConfigError which lists every value that is wrong, where it stands, what it was and what it may be
 */
export function readConfig(environment: Environment, sources: Sources = {}): Config {
  return readSettings(environment, sources).config;
}

/** @throws ConfigError */
export function readSettings(
  environment: Environment,
  sources: Sources = {},
): { readonly config: Config; readonly origins: readonly Origin[] } {
  const ofEnvironment = given(environment);
  const merged = { ...given(sources.dotenv ?? {}), ...ofEnvironment };
  const path = sources.file ?? merged['ROTA_CONFIG'];
  const file =
    path === undefined ? { values: new Map<string, FromFile>(), complaints: [] } : readSettingsFile(path, merged);
  const complaints = [...file.complaints];
  const origins: Origin[] = [];

  /** A text and where it stands; the strongest source wins. */
  const find = (name: string): FromFile | null => {
    const flag = sources.flags?.get(name);
    if (flag !== undefined && flag.trim() !== '') return { text: flag.trim(), place: `--${flagOf(name)}` };
    const variable = merged[name];
    if (variable !== undefined) return { text: variable, place: name };
    const entry = file.values.get(name);
    return entry === undefined || entry.text.trim() === '' ? null : { ...entry, text: entry.text.trim() };
  };
  const secretOf = (setting: Setting): FromFile | null => {
    const [plain, named] = [find(setting.name), find(`${setting.name}_FILE`)];
    if (named === null) return plain;
    if (plain !== null) {
      complaints.push(`${setting.name} and ${setting.name}_FILE are both set, but only one of them must be`);
      return plain;
    }
    try {
      return { text: readSecretFile(named.text).trim(), place: named.place };
    } catch (error) {
      complaints.push(`${setting.name}_FILE must be a file that can be read: ${reasonOf(error)}`);
      return null;
    }
  };

  const fromFile = ({ name }: Setting): FromFile | null => {
    if (sources.flags?.has(name) === true || merged[name] !== undefined)
      complaints.push(`${name} stands in the file of settings only (ROTA_CONFIG), as ${keyOf(name)}`);
    const entry = file.values.get(name);
    return entry === undefined || entry.text.trim() === '' ? null : entry;
  };

  /** Of a variable whether it is one of the environment, which is stronger, or of `.env`. */
  const sourceOf = (place: string): string => {
    if (!Object.hasOwn(merged, place)) return place;
    const source = Object.hasOwn(ofEnvironment, place) ? 'environment' : '.env';
    return place.endsWith('_FILE') ? `${source}, ${place}` : source;
  };

  const values: { [key: string]: unknown } = {};
  for (const [key, setting] of Object.entries<Setting>(TABLE)) {
    const found = setting.fileOnly ? fromFile(setting) : setting.secret ? secretOf(setting) : find(setting.name);
    const read = found === null ? { value: setting.fallback } : setting.read(found.text);
    if (found !== null && 'wanted' in read) complaints.push(complaintOf(setting, found, read.wanted));
    values[key] = 'value' in read ? read.value : setting.fallback;
    origins.push({
      name: setting.name,
      from: found === null ? 'default' : sourceOf(found.place),
      shown: found === null ? setting.default : setting.secret ? '(secret)' : found.text,
    });
  }
  const issuers = issuersIn(values as Values, complaints);
  const config = {
    ...completed(values as Values, issuers),
    plugins: besideFile((values as Values).plugins, path),
    given: origins.filter(({ from }) => from !== 'default').map(({ name }) => name),
  };
  const leaseSecondsMin = config.callbackTimeoutSeconds + 10;
  if (config.leaseSeconds < leaseSecondsMin)
    complaints.push(
      `LEASE_SECONDS is ${config.leaseSeconds}, but must be at least CALLBACK_TIMEOUT + 10, that is ${leaseSecondsMin}: ` +
        'a shorter lease could end while a try is under way',
    );
  if ((config.tlsCert === null) !== (config.tlsKey === null))
    complaints.push(
      `${config.tlsCert === null ? 'TLS_CERT' : 'TLS_KEY'} must be set, too: TLS_CERT and TLS_KEY belong together`,
    );
  if (config.tlsClientAuth !== 'off' && (config.tlsClientCa === null || config.tlsCert === null))
    complaints.push(`TLS_CLIENT_AUTH is ${config.tlsClientAuth}, which needs TLS_CLIENT_CA, TLS_CERT and TLS_KEY`);
  if (config.cell !== null && config.baseUrl?.endsWith(`/c/${config.cell}`) !== true)
    complaints.push(
      `CELL is ${config.cell}, so BASE_URL must end with /c/${config.cell}: what participants are given leads back to the cell by it`,
    );
  if (complaints.length > 0) throw new ConfigError(complaints);
  return { config, origins };
}

/** The issuer of the single settings, and those of the list. Adds to `complaints`. */
function issuersIn(values: Values, complaints: string[]): readonly Issuer[] {
  const parts: { [part: string]: string | undefined } = {
    issuer: values.jwtIssuer ?? undefined,
    audience: values.jwtAudience ?? undefined,
    jwks: values.jwtJwks ?? undefined,
    secret: values.jwtSecret ?? undefined,
    algorithms: values.jwtAlgorithms ?? undefined,
    tenant_claim: values.jwtTenantClaim ?? undefined,
    tenant: values.jwtTenant ?? undefined,
    scope_claim: values.jwtScopeClaim ?? undefined,
    scope_map: values.jwtScopeMap ?? undefined,
  };
  if (Object.values(parts).every((part) => part === undefined)) return values.jwt;
  const read = readIssuer(parts);
  if ('part' in read) complaints.push(`JWT_${read.part.toUpperCase()} must be ${read.wanted}`);
  else if (values.jwt.some(({ issuer }) => issuer === read.issuer))
    complaints.push('JWT_ISSUER is one of the list in JWT already');
  else if (values.jwt.length >= ISSUERS_MAX)
    complaints.push(`JWT has ${ISSUERS_MAX} issuers already; leave JWT_ISSUER out`);
  else return [read, ...values.jwt];
  return values.jwt;
}

/** Modules that the file of settings names by a path lie where it lies, wherever the server is started. */
const besideFile = (plugins: readonly string[], file: string | undefined): readonly string[] =>
  file === undefined
    ? plugins
    : plugins.map((plugin) => (/^\.{1,2}\//.test(plugin) ? resolve(dirname(file), plugin) : plugin));

/** What follows from several settings together. */
function completed(values: Values, issuers: readonly Issuer[]): Omit<Config, 'given'> {
  const baseUrl = values.baseUrl?.replace(/\/+$/, '') ?? null;
  // Behind a proxy the server listens at loopback, but its callers are strangers: its public address tells.
  const isLocal = isLoopback(values.host) && (baseUrl === null || isLoopback(new URL(baseUrl).hostname));
  return {
    ...values,
    issuers,
    dataDir: values.dataDir === 'memory:' ? values.dataDir : resolve(values.dataDir),
    host: values.host.replace(/^\[(.*)\]$/, '$1'),
    baseUrl,
    allowPrivateTargets: values.allowPrivateTargets ?? isLocal,
    playground: values.playground ?? isLocal,
    // A developer on an own machine looks at what was given; a step on Postgres must not write its fields twice for that.
    historyFields:
      values.historyFields !== 'auto'
        ? values.historyFields
        : isLocal && values.databaseUrl === null
          ? 'given'
          : 'none',
  };
}

function complaintOf(setting: Setting, { text, place }: FromFile, wanted: string): string {
  const name = place.includes(':') ? `${place}: ${keyOf(setting.name)}` : place;
  // A secret is not shown, not even a wrong one.
  return setting.secret ? `${name} must be ${wanted}` : `${name} is ${quote(text)}, but must be ${wanted}`;
}

/** Variables that are set to something. */
const given = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  );

/** Variables that are probably meant as settings and are none, a sentence each. Short names are too near to strangers' ones. */
export function settingWarnings(environment: Environment): readonly string[] {
  const known = [
    ...SETTINGS.flatMap((one) => (one.secret ? [one.name, `${one.name}_FILE`] : [one.name])),
    ...OTHER_VARIABLES,
  ];
  const long = known.filter((name) => name.length >= 6);
  return Object.keys(environment)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const bare = name.replace(/^ROTA_/, '');
      const meant = known.includes(bare) ? bare : nearest(bare, bare === name ? long : known);
      if (meant !== null) return [`${name} is not a setting; did you mean ${meant}?`];
      return name === bare ? [] : [`${name} is not a setting; rota --help lists them`];
    });
}

/** The `.env` file of the folder the server was started in; nothing when there is none. @throws ConfigError when it cannot be read */
export function readDotenv(path = '.env'): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError([`${path} cannot be read: ${reasonOf(error)}`]);
  }
}

const quote = (value: string): string => JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
