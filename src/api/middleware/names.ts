import { RESERVED } from '../../registry/names.ts';

/*
 * Names with a namespace stand in addresses as they are, `/v1/definitions/shop/order/run`: the part behind the namespace belongs to the name
 * unless it is a word that addresses need for themselves. `/workflows/…` is the same in the words of AWF.
 */

const NAMED = /^(\/(?:v1\/definitions|workflows)\/)([^/]+)\/([^/]+)(.*)$/s;

/** The path with the name in one part; the path itself where there is nothing to join. */
export function withWholeName(path: string): string {
  const [, before = '', namespace = '', name = '', rest = ''] = NAMED.exec(path) ?? [];
  if (before === '' || RESERVED.has(namespace.toLowerCase()) || RESERVED.has(name.toLowerCase())) return path;
  return `${before}${namespace}%2F${name}${rest}`;
}
