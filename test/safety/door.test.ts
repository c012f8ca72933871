import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../../src/identity/key-text.ts';
import { SCOPES, type Scope } from '../../src/identity/principal.ts';
import type { Running } from '../../src/server/start.ts';
import { type Answer, postJson, send, startServer } from '../support/server.ts';

/*
 * Every operation there is, asked by everybody who may not. The operations and the scopes they want are those of /openapi.json, so a new one
 * is tried here without anybody's help.
 */

type Described = {
  readonly operationId: string;
  readonly security: readonly { readonly [scheme: string]: readonly string[] }[];
  readonly responses: { readonly [status: string]: { readonly content?: object } };
};
type Asked = {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** Null: everybody; `any`: whoever says who they are. */
  readonly scope: Scope | 'any' | null;
  readonly opensToTokens: boolean;
  /** Its answer does not end by itself. */
  readonly goesOn: boolean;
};

const admin = makeKey().text;
let server: Running;
let operations: readonly Asked[] = [];
const keys = new Map<string, string>();

const NOBODYS: { readonly [parameter: string]: string } = {
  workflow_id: '20151005-1247-nobody-nothing',
  workitem_id: `0_9!${'0'.repeat(32)}!20151005-1247-nobody-nothing`,
  expression_id: `0_9!${'0'.repeat(32)}`,
};

/** What is only told to principals of all tenants; the keys here are of one each. */
const OF_ALL_TENANTS: ReadonlySet<string> = new Set(['getMetrics', 'listNodes']);

beforeAll(async () => {
  // So many strangers are at one address here as nowhere else.
  server = await startServer({ ADMIN_KEY: admin, TEST_CLOCK: '1', RATE_LIMIT_FAILURES: '100000/60' });
  const { paths } = (await send(server.url, 'GET', '/openapi.json')).json<{
    paths: { [path: string]: { [method: string]: Described } };
  }>();
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security, responses }]) => {
      const bearer = security.find((one) => Object.hasOwn(one, 'bearer'))?.['bearer'];
      return {
        id: operationId,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(NOBODYS[name] ?? 'Nobody000000')),
        scope: bearer === undefined ? null : ((bearer[0] ?? 'any') as Scope | 'any'),
        goesOn: Object.hasOwn(responses['200']?.content ?? {}, 'text/event-stream'),
        opensToTokens: security.some((one) => Object.hasOwn(one, 'capability')),
      };
    }),
  );
  const made = async (name: string, more: object): Promise<string> => {
    const answer = await postJson(server.url, '/v1/keys', { name, ...more }, { Authorization: `Bearer ${admin}` });
    keys.set(name, answer.json<{ key: string }>().key);
    return answer.json<{ id: string }>().id;
  };
  for (const scope of SCOPES) await made(scope, { scopes: [scope] });
  await made('other tenant', { scopes: ['admin'], tenant: 'other' });
  const revoked = await made('revoked', { scopes: ['admin'] });
  await postJson(server.url, `/v1/keys/${revoked}/revoke`, {}, { Authorization: `Bearer ${admin}` });
}, 240_000);
afterAll(() => server.stop(), 60_000);

const closed = (): readonly Asked[] => operations.filter(({ scope }) => scope !== null);
const ask = ({ method, path }: Asked, headers: Record<string, string>, query = ''): Promise<Answer> =>
  send(server.url, method, `${path}${query}`, { headers });
const bearer = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });
const changed = (key: string): string => `${key.slice(0, 30)}${key[30] === 'x' ? 'y' : 'x'}${key.slice(31)}`;
const implied: { readonly [scope: string]: readonly (Scope | 'any')[] } = {
  launch: ['launch', 'any'],
  read: ['read', 'any'],
  operate: ['operate', 'read', 'any'],
  admin: ['admin', 'operate', 'read', 'launch', 'any'],
};

describe('whatever is asked', () => {
  test('there is something to ask', () => {
    expect(closed().length).toBeGreaterThan(25);
    expect(
      operations
        .filter(({ scope }) => scope === null)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(expect.arrayContaining(['livez', 'openapi', 'ping', 'readyz']));
    expect(
      operations
        .filter(({ opensToTokens }) => opensToTokens)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['failWorkitem', 'getWorkitem', 'heartbeat', 'proceed', 'respond']);
  });

  const everywhere: {
    readonly [who: string]: {
      readonly headers: () => Record<string, string>;
      readonly code: string;
      readonly status: number;
    };
  } = {
    nobody: { headers: () => ({}), status: 401, code: 'unauthenticated' },
    'another scheme': { headers: () => ({ Authorization: 'Basic eDp5' }), status: 401, code: 'unauthenticated' },
    'a revoked key': { headers: () => bearer(keys.get('revoked') ?? ''), status: 401, code: 'credentials_invalid' },
    'a key with one character changed': {
      headers: () => bearer(changed(admin)),
      status: 401,
      code: 'credentials_invalid',
    },
    'a key nobody made': { headers: () => bearer(makeKey().text), status: 401, code: 'credentials_invalid' },
    'a token of 9 kB': { headers: () => bearer('a.'.repeat(4_500)), status: 401, code: 'credentials_invalid' },
    'two credentials': {
      headers: () => ({ ...bearer(admin), 'X-API-Key': admin }),
      status: 400,
      code: 'credentials_ambiguous',
    },
  };
  test.each(Object.keys(everywhere))('%s is refused, with one status and one code', async (who) => {
    const { headers, status, code } = everywhere[who] as (typeof everywhere)[string];
    for (const operation of closed()) {
      const answer = await ask(operation, headers());
      expect(answer.json(), operation.id).toMatchObject({ status, code });
      expect(answer.status, operation.id).toBe(status);
    }
  });

  test.each(SCOPES)('a key with the scope %s is let in where that is enough, and nowhere else', async (scope) => {
    const enough = implied[scope] ?? [];
    for (const operation of closed()) {
      // A place that is none ends a stream before it begins, behind the door.
      const query = operation.goesOn ? '?after=nowhere' : '';
      const answer = await ask(operation, bearer(keys.get(scope) ?? ''), query);
      expect(answer.status, operation.id).toBeLessThan(500);
      if (OF_ALL_TENANTS.has(operation.id))
        expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'scope_missing' });
      else if (enough.includes(operation.scope ?? 'any')) expect([401, 403], operation.id).not.toContain(answer.status);
      else expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'scope_missing' });
    }
  });

  test('a token of no workitem opens nothing', async () => {
    for (const operation of closed()) {
      const answer = await ask(operation, {}, '?token=abcd.AAAAAAAAAAAAAAAAAAAAAA');
      expect(answer.json(), operation.id).toMatchObject({ status: 403, code: 'capability_invalid' });
    }
  });

  test('a tenant sees nothing of another, and names none but its own', async () => {
    const headers = { ...bearer(keys.get('other tenant') ?? ''), 'Rota-Tenant': 'default' };
    const { keys: seen } = (await send(server.url, 'GET', '/v1/keys', { headers })).json<{
      keys: { tenant: string }[];
    }>();
    expect(seen.map(({ tenant }) => tenant)).toEqual(['other']);
  });

  test('nothing of all that has left a workflow behind', async () => {
    const { workflows } = (await send(server.url, 'GET', '/v1/workflows', { headers: bearer(admin) })).json<{
      workflows: unknown[];
    }>();
    expect(workflows).toEqual([]);
  });
});
