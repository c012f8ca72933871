import type { ApiKeyRow } from '../store/store.ts';
import { isSigned, type Ring, signText } from './capabilities.ts';
import { type Keys, statusOfKey } from './keys.ts';
import type { Principal } from './principal.ts';

/*
 * A page that has signed in with a key. Nothing of it is kept: the cookie says which key, and since when, and is signed. Each use looks at the
 * key, so whoever revokes or rotates it ends all its sessions. `v1.<key id>.<generation>.<signed in>-<issued>.<which key>.<mac>`, both times
 * in seconds since 1970.
 */

/** A cookie is good for so long. */
export const SESSION_SECONDS = 43_200;
/** One that is older is exchanged when it is used. */
const RENEW_AFTER_SECONDS = SESSION_SECONDS / 2;
/** Whoever signed in so long ago signs in again. */
export const SIGNED_IN_SECONDS_MAX = 604_800;

const SESSION = /^v1\.([0-9A-Za-z]{1,20})\.(\d{1,9})\.(\d{1,12})-(\d{1,12})\.([0-9A-Za-z]{4}\.[\w-]{22})$/;

export type SessionText = { readonly text: string; readonly endsAt: number };
export type SessionFound =
  /** `renewed`: what the browser is to keep from now on; null: what it has is new enough. */
  | { readonly kind: 'good'; readonly principal: Principal; readonly renewed: SessionText | null }
  | { readonly kind: 'bad'; readonly why: string };

export type Sessions = {
  /** Null: there is nothing to sign with yet. */
  begin(key: ApiKeyRow): SessionText | null;
  find(text: string): SessionFound | Promise<SessionFound>;
};

export function makeSessions(parts: {
  readonly keys: Pick<Keys, 'held' | 'principalOf'>;
  readonly ring: Ring;
  readonly lookAgain: () => Promise<boolean>;
  /** The machine's clock, in milliseconds since 1970. */
  readonly wall: () => number;
}): Sessions {
  const { keys, ring, wall } = parts;

  const endOf = (signedIn: number, issued: number): number =>
    Math.min(issued + SESSION_SECONDS, signedIn + SIGNED_IN_SECONDS_MAX);

  function issue(key: ApiKeyRow, signedIn: number, issued: number): SessionText | null {
    const said = `v1.${key.id}.${key.generation}.${signedIn}-${issued}`;
    const token = signText(ring, textOf(said));
    return token === null ? null : { text: `${said}.${token}`, endsAt: endOf(signedIn, issued) * 1000 };
  }

  function judge(text: string, [, id = '', generation, signedIn, issued, token = '']: RegExpExecArray): SessionFound {
    const now = Math.floor(wall() / 1000);
    const [since, from] = [Number(signedIn), Number(issued)];
    if (!isSigned(ring, textOf(text.slice(0, -token.length - 1)), token, wall())) return bad('it is not signed by us');
    if (now >= endOf(since, from)) return bad('the session is over');
    const key = keys.held(id);
    if (key === null || statusOfKey(key, wall()) !== 'active') return bad('its key is over');
    if (key.generation !== Number(generation)) return bad('its key was rotated');
    const isNew = now - from < RENEW_AFTER_SECONDS || endOf(since, from) === since + SIGNED_IN_SECONDS_MAX;
    return {
      kind: 'good',
      principal: {
        ...keys.principalOf(key),
        kind: 'session',
        generation: key.generation,
        until: endOf(since, from) * 1000,
      },
      renewed: isNew ? null : issue(key, since, now),
    };
  }

  return {
    begin: (key) => {
      const now = Math.floor(wall() / 1000);
      return issue(key, now, now);
    },
    find: (text) => {
      const read = SESSION.exec(text);
      if (read === null) return bad('it is no session');
      if (keys.held(read[1] ?? '')?.generation === Number(read[2])) return judge(text, read);
      // Signed in at another node a moment ago, with a key that is as new; or over.
      return parts.lookAgain().then(() => judge(text, read));
    },
  };
}

const textOf = (said: string): string => `rota/session/1\n${said}`;
const bad = (why: string): SessionFound => ({ kind: 'bad', why });
