import { KEYS_MAX, KEYS_OF_TENANT_MAX, type Shown, statusOfKey } from '../../../identity/keys.ts';
import { mayDo, type Scope } from '../../../identity/principal.ts';
import { EVERY_TENANT } from '../../../identity/secrets.ts';
import { Fault } from '../../../model/fault.ts';
import { readTenant, type Tenant } from '../../../model/tenant.ts';
import type { ApiKeyRow } from '../../../store/store.ts';
import { answers } from '../../answers.ts';
import { told } from '../../audit.ts';
import { shown } from '../../ids.ts';
import { type Call, jsonReply, OK, type Operation } from '../../operation.ts';
import { cursorFor, cursorOf, limitOf } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { Problem } from '../../problem.ts';
import { Reasoned } from '../../schema-parts.ts';
import { Key, KeyCreate, KeyList, KeyMade, KeyRotate, Me } from './schemas.ts';
import { keyView, meView } from './view.ts';

const OVERLAP_SECONDS_DEFAULT = 86_400;
const EXPIRES_SECONDS_MAX = 315_576_000;
const STATUSES = ['active', 'expired', 'revoked'];

/** Keys: made, listed, exchanged, ended; and who one is. */
export function keyOperations({ identity }: Parts): readonly Operation[] {
  const { keys } = identity;
  const path = '/v1/keys/:key_id';
  return [
    {
      id: 'createKey',
      method: 'post',
      path: '/v1/keys',
      summary: 'Make an API key',
      access: 'admin',
      once: ['key'],
      audit: {
        action: 'key.create',
        details: ({ body }) => told(body, 'name', 'scopes', 'tenant', 'expires_at', 'expires_in', 'rate_limit'),
      },
      body: { schema: KeyCreate, checked: 'here' },
      answers: answers(201, 'It is shown this once', KeyMade, 403, 422),
      handle: async (call) => {
        const made = await keys.create({
          name: String(call.body['name']),
          scopes: wantedScopes(call),
          tenant: wantedTenant(call),
          expiresInSeconds: wantedEnd(call),
          rateLimit: typeof call.body['rate_limit'] === 'string' ? call.body['rate_limit'] : null,
          createdBy: call.principal.actor ?? call.principal.kind,
        });
        if (made === null)
          throw new Fault(
            'limit_exceeded',
            `There are as many keys as there may be: ${KEYS_OF_TENANT_MAX} of one tenant, ${KEYS_MAX} in all; revoke some`,
          );
        return jsonReply(201, withKey(made), { Location: `/v1/keys/${made.row.id}` });
      },
    },
    {
      id: 'listKeys',
      method: 'get',
      path: '/v1/keys',
      summary: 'API keys, the newest first',
      access: 'admin',
      query: [
        { name: 'status', description: 'active, expired or revoked' },
        { name: 'limit', description: 'Items per page, 1 to 1000, usually 100' },
        { name: 'cursor', description: 'The next_cursor of the page before' },
      ],
      answers: answers(
        200,
        'A page; with a status it may hold fewer than the limit, and more may follow',
        KeyList,
        400,
      ),
      handle: async (call) => {
        const status = call.query.get('status');
        if (status !== null && !STATUSES.includes(status))
          throw new Problem('query_invalid', `status must be one of ${STATUSES.join(', ')}`);
        const page = await keys.list({
          tenant: seesAll(call) ? null : call.principal.tenant,
          limit: limitOf(call.query),
          after: cursorOf('keys', call.query),
        });
        const now = Date.now();
        return jsonReply(200, {
          keys: page.items
            .filter((row) => status === null || statusOfKey(row, now) === status)
            .map((row) => keyView(row, now)),
          next_cursor: page.next === null ? null : cursorFor('keys', page.next),
        });
      },
    },
    {
      id: 'getKey',
      method: 'get',
      path,
      summary: 'One API key',
      access: 'admin',
      answers: answers(200, 'Without the key', Key, 404),
      handle: async (call) => jsonReply(200, keyView(await keyOf(call), Date.now())),
    },
    {
      id: 'rotateKey',
      method: 'post',
      path: `${path}/rotate`,
      summary: 'Give a key another secret',
      access: 'admin',
      once: ['key'],
      audit: { action: 'key.rotate', details: ({ body }) => told(body, 'overlap_seconds') },
      body: { schema: KeyRotate, checked: 'here' },
      answers: answers(200, 'The new key, shown this once', KeyMade, 404, 409, 422),
      handle: async (call) => {
        const { id } = await keyOf(call);
        const overlap = call.body['overlap_seconds'];
        const rotated = await keys.rotate(id, overlap === undefined ? OVERLAP_SECONDS_DEFAULT : Number(overlap));
        if (rotated === null) throw isOver(id);
        return jsonReply(200, withKey(rotated));
      },
    },
    {
      id: 'revokeKey',
      method: 'post',
      path: `${path}/revoke`,
      summary: 'End a key and all its secrets',
      access: 'admin',
      audit: { action: 'key.revoke' },
      body: { schema: Reasoned, checked: 'here' },
      answers: answers(201, 'OK: nobody is let in with it any more', null, 404, 409, 422),
      handle: async (call) => {
        const { id } = await keyOf(call);
        if (!(await keys.revoke(id))) throw isOver(id);
        return OK;
      },
    },
    {
      id: 'me',
      method: 'get',
      path: '/v1/me',
      summary: 'Who am I to this server?',
      access: 'any',
      answers: answers(200, 'You are', Me),
      handle: ({ principal }) => jsonReply(200, meView(principal, identity)),
    },
  ];

  /** @throws Problem when there is none, or it is another tenant's */
  async function keyOf(call: Call): Promise<ApiKeyRow> {
    const id = call.params['key_id'] ?? '';
    const row = /^[0-9A-Za-z]{1,20}$/.test(id) ? await keys.get(id) : null;
    if (row === null || (call.principal.everywhere !== true && row.tenant !== call.principal.tenant))
      throw new Problem('key_not_found', `There is no key ${shown(id)}`);
    return row;
  }
}

/** An administrator of all tenants who names none. */
const seesAll = ({ principal, header }: Call): boolean =>
  principal.everywhere === true && header('rota-tenant') === null;

const withKey = ({ row, text }: Shown) => ({ ...keyView(row, Date.now()), key: text });

const isOver = (id: string): Fault =>
  new Fault('conflict', `The key ${id} is revoked or has expired; make another one`);

/** @throws Problem for a scope the caller has not */
function wantedScopes({ body, principal }: Call): readonly Scope[] {
  const wanted = body['scopes'] as readonly Scope[];
  const missing = wanted.find((scope) => !mayDo(principal, scope));
  if (missing !== undefined) throw new Problem('scope_missing', `You have no scope ${missing} to give`);
  return wanted;
}

/** @throws Problem for another tenant than the caller's */
function wantedTenant({ body, principal }: Call): Tenant | typeof EVERY_TENANT {
  const { tenant: given } = body;
  if (given === undefined) return principal.tenant;
  if (given === EVERY_TENANT) {
    if (principal.everywhere === true) return EVERY_TENANT;
    throw new Problem('scope_missing', 'A key of all tenants is made by one of all tenants, or by rota keys create');
  }
  const tenant = readTenant(String(given));
  if (tenant === null) throw wrong('tenant', 'must be 1 to 63 small letters, digits and dashes, no dash in front');
  if (principal.everywhere !== true && tenant !== principal.tenant)
    throw new Problem('scope_missing', 'A key can be made for your own tenant only');
  return tenant;
}

/** Seconds until it ends; null: never. @throws Problem */
function wantedEnd({ body }: Call): number | null {
  const { expires_at: at, expires_in: within } = body;
  if (at !== undefined && within !== undefined) throw wrong('expires_at', 'and expires_in cannot both be given');
  if (within !== undefined) return Number(within);
  if (at === undefined) return null;
  const seconds = (Date.parse(String(at)) - Date.now()) / 1000;
  if (!/^\d{4}-\d\d-\d\dT/.test(String(at)) || !(seconds > 0 && seconds <= EXPIRES_SECONDS_MAX))
    throw wrong('expires_at', 'must be a time to come within ten years, such as 2031-01-31T12:00:00Z');
  return seconds;
}

const wrong = (parameter: string, what: string): Problem =>
  new Problem('request_invalid', `${parameter} ${what}`, {
    complaints: [{ detail: `${parameter} ${what}`, pointer: `#/${parameter}` }],
  });
