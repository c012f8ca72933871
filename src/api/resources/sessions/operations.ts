import { Fault } from '../../../model/fault.ts';
import { answers } from '../../answers.ts';
import { badLogin } from '../../audit.ts';
import { invalid } from '../../middleware/authenticate.ts';
import { cookieText, forget } from '../../middleware/cookies.ts';
import { cookieName } from '../../middleware/pages.ts';
import { type Call, jsonReply, type Operation, type Reply } from '../../operation.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { timeView } from '../../time.ts';
import { Me } from '../keys/schemas.ts';
import { meView } from '../keys/view.ts';
import { SessionCreate, Ticket } from './schemas.ts';

/** Pages that sign in with a key, and tickets for their streams of events. */
export function sessionOperations(parts: Parts): readonly Operation[] {
  const { identity, pages } = parts;
  return [
    {
      id: 'signIn',
      method: 'post',
      path: '/v1/session',
      summary: 'Sign in with a key: a page of this server that has the cookie needs no key any more',
      access: 'open',
      ownPages: true,
      unkept: true,
      body: { schema: SessionCreate, checked: 'here' },
      answers: answers(201, 'Who you are; the cookie is set', Me, 401, 403, 409, 415, 422, 429),
      handle: (call) => signIn(parts, call),
    },
    {
      id: 'signOut',
      method: 'delete',
      path: '/v1/session',
      summary: 'Sign out: the browser forgets its cookie',
      access: 'open',
      ownPages: true,
      answers: { ...answers(204, 'Forgotten', null, 403) },
      handle: (call) => ({
        kind: 'empty',
        status: 204,
        headers: { 'Set-Cookie': forget(call.header, pages) },
      }),
    },
    {
      id: 'createTicket',
      method: 'post',
      path: '/v1/events/tickets',
      summary: 'A ticket for streams of events: an EventSource can send no header',
      access: 'read',
      once: ['ticket'],
      answers: answers(201, 'It opens streams until it ends, and nothing else', Ticket, 409),
      handle: ({ principal }) => {
        if (identity.isOpen()) throw nobodyAsks();
        const issued = identity.tickets.issue(principal);
        if (issued === null) throw nobodyAsks();
        return jsonReply(201, { ticket: issued.text, expires_at: timeView(issued.endsAt) });
      },
    },
  ];
}

async function signIn({ identity, pages, log, rates, audit }: Parts, call: Call): Promise<Reply> {
  // A form can be posted by any page without being asked first.
  if (call.isForm) throw new Problem('media_type_unsupported', 'Sign in with a body of Content-Type: application/json');
  if (identity.isOpen()) throw nobodyAsks();
  if (!identity.isFresh())
    throw new Problem('unavailable', 'The database was away for so long that keys cannot be trusted; try again');
  if (cookieName(call.header, pages) === null)
    throw new Fault(
      'conflict',
      'Over plain http a browser would not keep the cookie, except at a loopback name: set BASE_URL to an https address, or serve TLS here',
    );
  const found = await identity.keys.find(String(call.body['key']));
  if (found.kind === 'bad') {
    log.info('a sign-in was refused', { event: 'credentials.refused', reason: found.why, key_id: found.id });
    audit.gather(badLogin(call.address), found.why);
    rates.failedSignIn(call.address);
    throw invalid('the key is not good');
  }
  const session = identity.sessions.begin(found.row);
  if (session === null) throw nobodyAsks();
  const { principal } = found;
  await audit.write({
    tenant: found.row.tenant,
    actor: principal.actor,
    address: call.address,
    action: 'session.begin',
    object: found.row.id,
    outcome: 'done',
    reason: null,
    details: {},
  });
  return jsonReply(201, meView({ ...principal, kind: 'session', until: session.endsAt }, identity), {
    'Set-Cookie': cookieText(call.header, pages, session),
  });
}

const nobodyAsks = (): Fault =>
  new Fault(
    'conflict',
    'This server asks nobody who they are, so there is nothing to sign in to and no need of tickets',
  );
