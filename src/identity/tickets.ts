import { readTenant } from '../model/tenant.ts';
import { isSigned, type Ring, signText } from './capabilities.ts';
import type { Principal } from './principal.ts';

/*
 * A ticket opens streams of events for somebody who said who they are a moment ago: an EventSource can send no header, and what stands in an
 * address ends up in logs. So it is short-lived and good for nothing else: `<payload>.<which key>.<mac>`.
 */

export type Tickets = {
  /** Null: there is nothing to sign with yet. */
  issue(principal: Principal): { readonly text: string; readonly endsAt: number } | null;
  /** Who it was given to; null when it is none of ours, or too old. */
  find(text: string): Principal | null;
};

/** Longest ticket that is looked at. */
const LENGTH_MAX = 2_000;

type Payload = {
  readonly id: string;
  readonly tenant: string;
  readonly actor: string | null;
  /** When the ticket ends, in milliseconds since 1970. */
  readonly ends: number;
  /** When what it was given for ends; null: it has no end. */
  readonly until: number | null;
};

export function makeTickets(parts: {
  readonly ring: Ring;
  readonly seconds: number;
  /** The machine's clock, in milliseconds since 1970. */
  readonly wall: () => number;
}): Tickets {
  const { ring, wall, seconds } = parts;
  return {
    issue: ({ id, tenant, actor, until }) => {
      const endsAt = wall() + seconds * 1000;
      const payload: Payload = { id, tenant, actor, ends: endsAt, until: until ?? null };
      const said = Buffer.from(JSON.stringify(payload)).toString('base64url');
      const token = signText(ring, textOf(said));
      return token === null ? null : { text: `${said}.${token}`, endsAt };
    },
    find: (text) => {
      const dot = text.indexOf('.');
      const said = text.slice(0, Math.max(0, dot));
      if (dot < 0 || text.length > LENGTH_MAX || !isSigned(ring, textOf(said), text.slice(dot + 1), wall()))
        return null;
      const payload = JSON.parse(Buffer.from(said, 'base64url').toString('utf8')) as Payload;
      const tenant = readTenant(payload.tenant);
      if (tenant === null || payload.ends <= wall()) return null;
      const { id, actor, until } = payload;
      return { kind: 'ticket', id, tenant, actor, scopes: new Set(['read']), ...(until === null ? {} : { until }) };
    },
  };
}

const textOf = (said: string): string => `rota/ticket/1\n${said}`;
