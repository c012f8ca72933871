import type { Identity } from '../../identity/identity.ts';
import { KEY_PREFIX } from '../../identity/key-text.ts';
import type { KeyFound } from '../../identity/keys.ts';
import { OPEN, type Principal } from '../../identity/principal.ts';
import type { SessionFound } from '../../identity/sessions.ts';
import { DEFAULT_TENANT, readTenant, type Tenant } from '../../model/tenant.ts';
import type { Log } from '../../runtime/log.ts';
import type { Store } from '../../store/store.ts';
import { type Auditing, badLogin } from '../audit.ts';
import { workitemKeyOf } from '../ids.ts';
import { Problem } from '../problem.ts';
import type { Asked, Identify } from './admit.ts';
import { cookieIn, cookieText, forget } from './cookies.ts';
import { checkHost, checkOrigin, checkOwnPage, checkOwnRequest, type PagePolicy } from './pages.ts';
import type { Rates } from './rate.ts';

type Header = (name: string) => string | null;

/** Longest credential that is looked at. */
export const CREDENTIAL_LENGTH_MAX = 8_192;

/** Everybody who has not said who they are, where that is asked. */
const NOBODY: Principal = { kind: 'open', id: 'nobody', tenant: DEFAULT_TENANT, scopes: new Set(), actor: null };

const CHALLENGE = 'Bearer realm="rota"';

/** Makes what tells who calls. The first credential that is there counts: a key, a session, the token of a workitem, a ticket. */
export function makeIdentify(parts: {
  readonly identity: Identity;
  readonly store: { readonly read: Pick<Store['read'], 'ownerOf'> };
  readonly log: Log;
  /** Whether a workitem from before callers were asked is served without a token. */
  readonly hasGrace: boolean;
  readonly pages: PagePolicy;
  readonly rates: Pick<Rates, 'failed' | 'isSuspect'>;
  readonly audit: Pick<Auditing, 'gather'>;
}): Identify {
  const { identity, store, log, pages, rates } = parts;

  return (header, asked) => {
    const { operation } = asked;
    if (operation.ownPages === true) checkOwnPage(header, pages);
    if (identity.isOpen()) {
      checkHost(header, pages);
      if (changes(operation)) checkOrigin(header, pages);
      return inTenant(OPEN, header);
    }
    const given = keyIn(header);
    const cookie = given === null ? cookieIn(header, pages) : null;
    // What is open to all tells more to those who say who they are.
    if (operation.access === 'open' && given === null && (cookie === null || changes(operation))) {
      if (operation.changes === true) checkOrigin(header, pages);
      return NOBODY;
    }
    if (!identity.isFresh())
      throw new Problem('unavailable', 'The database was away for so long that keys cannot be trusted; try again');
    if (given !== null && identity.tokens.areTaken && isToken(header, given)) {
      const known = identity.tokens.remembered(given);
      return known === null ? byJwt(given, header, asked) : inTenant(known, header);
    }
    if (given !== null) {
      const found = identity.keys.find(given);
      return found instanceof Promise ? found.then((late) => byKey(late, header, asked)) : byKey(found, header, asked);
    }
    if (cookie !== null) {
      const found = identity.sessions.find(cookie);
      return found instanceof Promise
        ? found.then((late) => bySession(late, header, asked))
        : bySession(found, header, asked);
    }
    if (asked.token !== null) return byToken(asked.token, asked);
    if (asked.ticket !== null && operation.ticket === true) return byTicket(asked.ticket, asked);
    return parts.hasGrace && asked.operation.capability !== undefined ? byGrace(asked) : refuse();
  };

  function refused(what: string, { address }: Asked, why: string, key: string | null = null): void {
    log.info(what, {
      event: 'credentials.refused',
      reason: why,
      ...(key === null ? {} : { key_id: key }),
      address,
    });
    parts.audit.gather(badLogin(address), why);
  }

  function byKey(found: KeyFound, header: Header, asked: Asked): Principal {
    if (found.kind === 'good') return inTenant(found.principal, header);
    refused('a key was refused', asked, found.why, found.id);
    rates.failed(asked.address);
    throw invalid(found.why);
  }

  async function byJwt(token: string, header: Header, asked: Asked): Promise<Principal> {
    // Verifying costs much: for those who have shown much that was not good it is not done.
    if (rates.isSuspect(asked.address)) rates.failed(asked.address);
    const found = await identity.tokens.verify(token);
    switch (found.kind) {
      case 'good':
        return inTenant(found.principal, header);
      case 'unknown':
        throw new Problem('unavailable', 'The keys of the issuer of this token cannot be read; try again');
      case 'bad':
        refused('a token was refused', asked, found.why);
        rates.failed(asked.address);
        throw invalid(found.why);
    }
  }

  function bySession(found: SessionFound, header: Header, asked: Asked): Principal {
    if (found.kind === 'bad') {
      refused('a session was refused', asked, found.why);
      asked.answer('Set-Cookie', forget(header, pages));
      if (asked.operation.access === 'open') return NOBODY;
      rates.failed(asked.address);
      throw invalid(found.why);
    }
    if (changes(asked.operation)) checkOwnRequest(header, pages);
    if (found.renewed !== null) asked.answer('Set-Cookie', cookieText(header, pages, found.renewed));
    return inTenant(found.principal, header);
  }

  async function byTicket(ticket: string, asked: Asked): Promise<Principal> {
    const good = (): Principal | null => {
      const principal = identity.tickets.find(ticket);
      return principal !== null && identity.holds(principal) ? principal : null;
    };
    let principal = good();
    if (principal === null && (await identity.lookAgain())) principal = good();
    if (principal !== null) return principal;
    refused('a ticket was refused', asked, 'over');
    rates.failed(asked.address);
    throw invalid('expired');
  }

  function byToken(token: string, asked: Asked): Principal | Promise<Principal> {
    const id = asked.params['workitem_id'] ?? '';
    const key = asked.operation.capability === undefined ? null : workitemKeyOf(id);
    if (key === null)
      throw new Problem(
        'capability_invalid',
        'The token in a proceed_url is for that workitem alone: to proceed it, to fail it, and to look at it',
      );
    return identity.capabilities.isOf(token, DEFAULT_TENANT, id)
      ? holder(id, DEFAULT_TENANT)
      : byTokenOfOthers(token, id, key, asked);
  }

  /** Of another tenant, or by a key that this node has not heard of, or of nobody. */
  async function byTokenOfOthers(
    token: string,
    id: string,
    key: NonNullable<ReturnType<typeof workitemKeyOf>>,
    asked: Asked,
  ): Promise<Principal> {
    const { capabilities } = identity;
    if (!capabilities.isKnown(token)) {
      await identity.lookAgain();
      if (capabilities.isOf(token, DEFAULT_TENANT, id)) return holder(id, DEFAULT_TENANT);
    }
    const owner = capabilities.isKnown(token) ? await store.read.ownerOf(key) : null;
    if (owner !== null && capabilities.isOf(token, owner.tenant, id)) return holder(id, owner.tenant);
    refused('a token was refused', asked, 'not of this workitem');
    rates.failed(asked.address);
    throw new Problem('capability_invalid', 'This token is not that of this workitem, or was ended');
  }

  /** Whoever was given a URL before there were tokens answers for that workitem without one: its id is hard enough to guess. */
  async function byGrace(asked: Asked): Promise<Principal> {
    const id = asked.params['workitem_id'] ?? '';
    const key = workitemKeyOf(id);
    const since = identity.since();
    const owner = key === null || since === null ? null : await store.read.ownerOf(key);
    // One that is gone by now is told so, if it can have been from then.
    if (owner === null || since === null || (owner.openedAt ?? owner.launchedAt) >= since) return refuse();
    return holder(id, owner.tenant);
  }
}

const changes = ({ method, changes: does }: Asked['operation']): boolean => method !== 'get' || does === true;

const holder = (workitem: string, tenant: Tenant): Principal => ({
  kind: 'capability',
  id: `workitem:${workitem}`,
  tenant,
  scopes: new Set(),
  actor: null,
});

/** Whether what was given is one of the tokens that others issue. X-API-Key is for keys. */
const isToken = (header: Header, given: string): boolean =>
  !given.startsWith(KEY_PREFIX) && header('x-api-key') === null;

/** The key of a request. @throws Problem when there are two */
function keyIn(header: Header): string | null {
  const authorization = header('authorization');
  const [, bearer] = /^bearer +(\S+) *$/i.exec(authorization?.slice(0, CREDENTIAL_LENGTH_MAX + 100) ?? '') ?? [];
  const apiKey = header('x-api-key');
  if (bearer !== undefined && apiKey !== null)
    throw new Problem('credentials_ambiguous', 'Send either Authorization: Bearer or X-API-Key, not both');
  return bearer ?? apiKey;
}

/** A principal of all tenants acts in the one the request names; others in theirs, whichever it names. @throws Problem when that is none */
function inTenant(principal: Principal, header: Header): Principal {
  const named = header('rota-tenant');
  if (named === null) return principal;
  const tenant = readTenant(named);
  if (tenant === null)
    throw new Problem(
      'query_invalid',
      'Rota-Tenant must be the name of a tenant: 1 to 63 small letters, digits and dashes, no dash in front',
    );
  return principal.everywhere === true ? { ...principal, tenant } : principal;
}

function refuse(): never {
  throw new Problem(
    'unauthenticated',
    'Say who you are: Authorization: Bearer with an API key or a token, or X-API-Key',
    {
      headers: { 'WWW-Authenticate': CHALLENGE },
    },
  );
}

/** Always the same words: the log has the reason. */
export const invalid = (why: string): Problem =>
  new Problem('credentials_invalid', 'These credentials are not good, or not any more', {
    headers: { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"` },
    why,
  });
