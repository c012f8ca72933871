import { RESERVED } from '../../registry/names.ts';

/*
 * Names with a namespace stand in addresses as they are, `/v1/definitions/shop/order/run`: the part behind the namespace belongs to the name
 * unless it is a word that addresses need for themselves. `/workflows/…` is the same in the words of AWF. So do those of participants, of their
 * forms, and of schedules, which begin with the name of a definition: `/v1/schedules/shop/order:nightly/run`.
 */

const NAMED = /^(\/(?:v1\/(?:definitions|participants|forms)|workflows)\/)([^/]+)\/([^/]+)(.*)$/s;
/** A colon ends the name of the definition, and no other part of these addresses has one before it. */
const SCHEDULE = /^(\/v1\/schedules\/)([^/:%]+)\/([^/:%]+(?::|%3a).*)$/is;

/** The path with the name in one part; the path itself where there is nothing to join. */
export function withWholeName(path: string): string {
  // Most requests are about workflows and workitems, which have no such names.
  if (path.startsWith('/v1/work')) return path;
  const [, schedules, definitions, schedule] = SCHEDULE.exec(path) ?? [];
  if (schedules !== undefined) return `${schedules}${definitions}%2F${schedule}`;
  const [, before = '', namespace = '', name = '', rest = ''] = NAMED.exec(path) ?? [];
  if (before === '' || RESERVED.has(namespace.toLowerCase()) || RESERVED.has(name.toLowerCase())) return path;
  return `${before}${namespace}%2F${name}${rest}`;
}
