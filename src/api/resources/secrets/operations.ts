import type { Secret as Held } from '../../../identity/secrets.ts';
import { isSharedSecret, plainUrl, publicHalf } from '../../../identity/webhook-secrets.ts';
import { Fault } from '../../../model/fault.ts';
import type { JsonObject } from '../../../model/json.ts';
import { urlOf } from '../../../model/url.ts';
import { answers } from '../../answers.ts';
import { told } from '../../audit.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, OK, type Operation } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { timeOrNull, timeView } from '../../time.ts';
import { Secret, SecretCreate, SecretList, SecretRotate, SecretShown } from './schemas.ts';

const DAY_SECONDS = 86_400;
/** Whoever was given a URL may come back with it after months. */
const CAPABILITY_OVERLAP_SECONDS = 365 * DAY_SECONDS;

/** What callbacks are signed with, and the keys of tokens. */
export function secretOperations({ identity }: Parts): readonly Operation[] {
  const { secrets } = identity;
  const path = '/v1/secrets/:secret_id';
  return [
    {
      id: 'createSecret',
      method: 'post',
      path: '/v1/secrets',
      summary: 'Make a secret that callbacks are signed with',
      access: 'admin',
      audit: { action: 'secret.create', details: ({ body }) => told(body, 'kind', 'type', 'match') },
      once: ['secret'],
      body: { schema: SecretCreate, checked: 'here' },
      answers: answers(201, 'It signs from now on', SecretShown, 409, 422),
      handle: async (call) => {
        const made = await secrets.create({
          tenant: call.principal.tenant,
          type: call.body['type'] === 'v1a' ? 'v1a' : 'v1',
          match: wantedMatch(call),
          value: wantedValue(call),
          createdBy: call.principal.actor ?? call.principal.kind,
        });
        if (made === 'taken')
          throw new Fault('conflict', 'There is a secret of this type for these URLs already; rotate it, or revoke it');
        if (made === 'full')
          throw new Fault('limit_exceeded', 'There are as many secrets as there may be; revoke some');
        return jsonReply(201, withSecret(made), { Location: `/v1/secrets/${made.id}` });
      },
    },
    {
      id: 'listSecrets',
      method: 'get',
      path: '/v1/secrets',
      summary: 'Secrets, the newest first',
      access: 'admin',
      query: [
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(200, 'A page', SecretList, 400),
      handle: async (call) => {
        const page = await secrets.list({
          tenant: seesAll(call) ? null : call.principal.tenant,
          limit: limitOf(call.query),
          after: cursorOf('secrets', call.query),
        });
        return jsonReply(200, {
          secrets: page.items.map(secretView),
          next_cursor: page.next === null ? null : cursorFor('secrets', page.next),
        });
      },
    },
    {
      id: 'getSecret',
      method: 'get',
      path,
      summary: 'One secret',
      access: 'admin',
      answers: answers(200, 'Without the secret', Secret, 404),
      handle: async (call) => jsonReply(200, secretView(await secretOf(call))),
    },
    {
      id: 'revealSecret',
      method: 'post',
      path: `${path}/reveal`,
      summary: 'Show a secret, to give it to its participant',
      access: 'admin',
      audit: { action: 'secret.reveal' },
      once: ['secret'],
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(200, 'Of v1a the public half alone', SecretShown, 404, 422),
      handle: async (call) => jsonReply(200, withSecret(await secretOf(call))),
    },
    {
      id: 'rotateSecret',
      method: 'post',
      path: `${path}/rotate`,
      summary: 'Give a secret another value',
      access: 'admin',
      audit: { action: 'secret.rotate', details: ({ body }) => told(body, 'overlap_seconds') },
      once: ['secret'],
      body: { schema: SecretRotate, checked: 'here' },
      answers: answers(200, 'Both values hold for a while', SecretShown, 404, 409, 422),
      handle: async (call) => {
        const { id, kind } = await secretOf(call);
        const usual = kind === 'capability' ? CAPABILITY_OVERLAP_SECONDS : DAY_SECONDS;
        const rotated = await secrets.rotate(id, Number(call.body['overlap_seconds'] ?? usual));
        if (rotated === null) throw isOver(id);
        return jsonReply(200, withSecret(rotated));
      },
    },
    {
      id: 'revokeSecret',
      method: 'post',
      path: `${path}/revoke`,
      summary: 'End a secret and all its values',
      access: 'admin',
      audit: { action: 'secret.revoke' },
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(201, 'OK: nothing is signed with it any more', null, 404, 409, 422),
      handle: async (call) => {
        const { id, kind } = await secretOf(call);
        if (!(await secrets.revoke(id))) throw isOver(id);
        // Without one, nobody could be given a URL to answer at.
        if (kind === 'capability') await secrets.ensureRing();
        return OK;
      },
    },
  ];

  /** @throws Problem when there is none, or it is another tenant's */
  async function secretOf(call: Call): Promise<Held> {
    const id = call.params['secret_id'] ?? '';
    const secret = /^[0-9A-Za-z]{1,20}$/.test(id) ? await secrets.get(id) : null;
    if (secret === null || (call.principal.everywhere !== true && secret.tenant !== call.principal.tenant))
      throw new Problem('secret_not_found', `There is no secret ${shown(id)}`);
    return secret;
  }
}

/** An administrator of all tenants who names none. */
const seesAll = ({ principal, header }: Call): boolean =>
  principal.everywhere === true && header('rota-tenant') === null;

const secretView = (secret: Held): JsonObject => ({
  id: secret.id,
  kind: secret.kind,
  type: secret.type,
  match: secret.match === '' ? null : secret.match,
  tenant: secret.tenant,
  status: secret.revokedAt === null ? 'active' : 'revoked',
  created_at: timeView(secret.createdAt),
  created_by: secret.createdBy,
  revoked_at: timeOrNull(secret.revokedAt),
  previous_until: timeOrNull(previousUntil(secret)),
  last_used_at: timeOrNull(secret.lastUsedAt),
  public_key: secret.type === 'v1a' ? publicHalf(secret.value) : null,
});

/** Keys of tokens are nobody's but the server's, and private halves leave it never. */
const withSecret = (secret: Held): JsonObject => ({
  ...secretView(secret),
  secret: secret.type === 'v1' ? secret.value : null,
});

function previousUntil({ previous }: Held): number | null {
  const now = Date.now();
  const ends = previous.map(({ until }) => until).filter((until) => until > now);
  return ends.length === 0 ? null : Math.max(...ends);
}

const isOver = (id: string): Fault => new Fault('conflict', `The secret ${id} is revoked; make another one`);

/** The beginning of URLs, as they are compared; empty: all. @throws Problem */
function wantedMatch({ body }: Call): string {
  const { match } = body;
  if (match === undefined || match === '') return '';
  const text = String(match);
  const url = urlOf(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hash !== '')
    throw wrong('match', 'must be the beginning of an http or https URL');
  return plainUrl(text);
}

/** A secret that is there already; null: a fresh one is wanted. @throws Problem */
function wantedValue({ body }: Call): string | null {
  const { secret, type } = body;
  if (secret === undefined) return null;
  if (type === 'v1a') throw wrong('secret', 'cannot be given for v1a: its keys are made here');
  if (!isSharedSecret(String(secret))) throw wrong('secret', 'must be whsec_ and base64 of 24 to 64 bytes');
  return String(secret);
}

const wrong = (parameter: string, what: string): Problem =>
  new Problem('request_invalid', `${parameter} ${what}`, {
    complaints: [{ detail: `${parameter} ${what}`, pointer: `#/${parameter}` }],
  });
