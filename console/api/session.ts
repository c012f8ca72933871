import { effect, signal } from '@preact/signals';
import { isObject, type Json } from '../../src/model/json.ts';
import { type Answer, call, reached, sessionBegan } from './calls.ts';
import { wantsKey } from './curl.ts';

/* Who this page acts for. The key itself is nowhere in the page: a cookie that no script can read stands for it. */

export type Scope = 'launch' | 'read' | 'operate' | 'admin';
export type Me = {
  /** open: this server asks nobody. */
  readonly kind: 'open' | 'key' | 'jwt' | 'session';
  readonly id: string | null;
  readonly name: string | null;
  readonly tenant: string;
  /** It may look at all tenants, one at a time. */
  readonly everywhere: boolean;
  readonly scopes: readonly string[];
};

/** Null before it is known, and while nobody is signed in. */
export const me = signal<Me | null>(null);
effect(() => {
  wantsKey.value = me.value !== null && me.value.kind !== 'open';
});
/** Counts how often somebody has signed in: what was refused before is asked again. */
export const signedIn = signal(0);

const meOf = (value: Json): Me | null =>
  isObject(value) && Array.isArray(value['scopes'])
    ? {
        kind: value['kind'] as Me['kind'],
        id: typeof value['id'] === 'string' ? value['id'] : null,
        name: typeof value['name'] === 'string' ? value['name'] : null,
        tenant: String(value['tenant']),
        everywhere: value['everywhere'] === true,
        scopes: (value['scopes'] as readonly Json[]).map(String),
      }
    : null;

/** Asks the server who this is. */
export async function learnMe(): Promise<Answer> {
  const answer = await call('v1/me');
  if (answer.ok) me.value = meOf(answer.value);
  return answer;
}

/** Signs in with a key; on success pages read again what they were refused. */
export async function signIn(key: string): Promise<Answer> {
  const answer = await call('v1/session', { method: 'POST', body: { key } });
  if (answer.ok) {
    me.value = meOf(answer.value);
    sessionBegan();
    signedIn.value += 1;
  }
  return answer;
}

export const signOut = (): Promise<Answer> => call('v1/session', { method: 'DELETE' });

/** Why something cannot be done now by whom this page acts for; null: it can. */
export const lacking = (scope: Scope): string | null =>
  reached.value === 'no'
    ? 'the server does not answer'
    : me.value === null || me.value.scopes.includes(scope)
      ? null
      : `needs the scope ${scope}`;
