import type { Context } from 'koa';

/** A header of a request by its name in small letters; empty where there is none. Koa's own way makes the letters small each time. */
export function headerIn({ req }: Context, name: string): string {
  const value = req.headers[name];
  return typeof value === 'string' ? value : '';
}
