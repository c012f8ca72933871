import type { Identity } from '../identity/identity.ts';
import type { Tenant } from '../model/tenant.ts';
import type { TransactionHolder } from '../store/store.ts';
import { type Config, isLoopback } from './config.ts';

/** Events that wait longer for a transaction that is open are told of. */
const LATE_MS = 30_000;

/** What an operator should look at, a sentence each, for whoever asks at GET /v1/info. */
export async function warningsOf(
  config: Pick<Config, 'auth' | 'secretsKey' | 'testClock' | 'baseUrl'>,
  identity: Pick<Identity, 'isOpen'> & { readonly secrets: Pick<Identity['secrets'], 'isForMany'> },
  tenant: Tenant,
  { lateMs, holder }: { readonly lateMs: number; readonly holder: () => Promise<TransactionHolder | null> },
): Promise<readonly string[]> {
  const warnings = [
    config.testClock && 'TEST_CLOCK is set: anybody may move business time',
    config.auth === 'none' && NOBODY_ASKED,
    isOpenToAll(config, identity) && OPEN_TO_ALL,
    isReadable(config, identity) && READABLE,
    isPlain(config, identity) && PLAIN_SECRETS,
    identity.secrets.isForMany(tenant) &&
      'One secret signs callbacks to several hosts: each of them can sign for the others; give them secrets with a match, or v1a',
    lateMs > LATE_MS &&
      `Events wait since ${Math.round(lateMs / 1000)} seconds for a transaction that is open in this Postgres: ${holderText(await holder())}`,
  ];
  return warnings.filter((warning) => warning !== false);
}

/** Who it is, and how it is ended. */
function holderText(found: TransactionHolder | null): string {
  if (found === null) return 'it has just ended';
  const { pid, name, database, seconds } = found;
  const since = seconds === null ? '' : `, open for ${seconds} seconds`;
  return pid === null
    ? `the prepared transaction ${name} of the database ${database}${since}; rollback prepared or commit prepared ends it`
    : `process ${pid}${name === '' ? '' : ` (${name})`} of the database ${database}${since}; select pg_terminate_backend(${pid}) ends it`;
}

export const NOBODY_ASKED = 'AUTH is none: whoever reaches this server may do everything';
export const OPEN_TO_ALL = 'BASE_URL is public, but nobody is asked who they are: make an API key, or set ADMIN_KEY';
export const READABLE = 'BASE_URL is plain http: keys and tokens can be read on the way';

type Open = Pick<Identity, 'isOpen'>;
const isPublic = (baseUrl: string | null): baseUrl is string =>
  baseUrl !== null && !isLoopback(new URL(baseUrl).hostname);

/** Whether strangers reach a server that asks nobody, though nobody has said that it should not. */
export const isOpenToAll = ({ auth, baseUrl }: Pick<Config, 'auth' | 'baseUrl'>, identity: Open): boolean =>
  auth !== 'none' && identity.isOpen() && isPublic(baseUrl);

/** Whether what callers show to say who they are travels as it is. */
export const isReadable = ({ baseUrl }: Pick<Config, 'baseUrl'>, identity: Open): boolean =>
  !identity.isOpen() && isPublic(baseUrl) && baseUrl.startsWith('http:');

export const PLAIN_SECRETS =
  'SECRETS_KEY is not set: secrets that callbacks are signed with lie in the database as they are';

/** Whether secrets lie in the database as they are, although callers are told apart. */
export const isPlain = (
  { auth, secretsKey }: Pick<Config, 'auth' | 'secretsKey'>,
  identity: Pick<Identity, 'isOpen'>,
): boolean => auth !== 'none' && secretsKey.length === 0 && !identity.isOpen();
