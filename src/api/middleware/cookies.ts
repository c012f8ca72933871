import type { SessionText } from '../../identity/sessions.ts';
import { cookieName, type PagePolicy } from './pages.ts';

/* The cookie of a session. Browsers give it to our own pages only, no script can read it, and over plain http it stays at loopback. */

type Header = (name: string) => string | null;

/** What the browser was given; null: nothing. */
export function cookieIn(header: Header, policy: PagePolicy): string | null {
  const all = header('cookie');
  const name = all === null ? null : cookieName(header, policy);
  if (all === null || name === null) return null;
  for (const part of all.split(';')) {
    const at = part.indexOf('=');
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}

/** The header that has a browser keep a session until its end. */
export const cookieText = (header: Header, policy: PagePolicy, { text, endsAt }: SessionText): string =>
  written(header, policy, text, Math.max(0, Math.floor((endsAt - Date.now()) / 1000)));

/** The header that has it forget one. */
export const forget = (header: Header, policy: PagePolicy): string => written(header, policy, '', 0);

function written(header: Header, policy: PagePolicy, value: string, seconds: number): string {
  const name = cookieName(header, policy) ?? 'rota';
  const secure = name === 'rota' ? '' : '; Secure';
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
